"""Scores of pulse surveys wave by wave: what moved, what may be called a change, and what is only who answered."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep
from told import QUESTIONS, TERMS, release

from cadran.book.pulse import pulse_of
from cadran.measures import MEASURES, Question
from cadran.measures.enps_interval import enps_interval

TOOLS = {"tools": ("agreement", "tools")}


@pytest.fixture(scope="module")
def trend(make_book):
    def made(*releases, by=(), **question):
        book = make_book()
        for each in releases:
            pulse_of(book).keep_release(each)
        return MEASURES["pulse_trend"].ask(book, Question(by=by, **question)).to_dicts()

    return made


def of_tools(month, groups):
    return release(month, {name: {"tools": counts} for name, counts in groups.items()}, TOOLS)


def test_a_share_moves_by_the_interval_of_newcombe(trend):
    first, second = trend(of_tools(4, {"": (30, 10, 20)}), of_tools(5, {"": (50, 5, 15)}))

    low, high = confint_proportions_2indep(50, 70, 30, 60, method="newcomb", compare="diff")
    assert (first["previous"], first["moved"], first["is_change"], first["reading"]) == (None, None, None, None)
    assert second["moved"] == pytest.approx(100 * (50 / 70 - 30 / 60))
    assert (second["moved_low"], second["moved_high"]) == (pytest.approx(100 * low), pytest.approx(100 * high))
    assert (second["previous"], second["first"], second["n_compared"]) == ("pulse@2026-04", "pulse@2026-04", 1)
    assert (second["is_change"], second["is_change_since_first"], second["reading"]) == (True, True, "change")


def test_enps_moves_by_the_distances_to_its_limits(trend):
    asked = {"recommend": QUESTIONS["recommend"]}
    _, last = trend(*(release(m, {"": {"recommend": c}}, asked) for m, c in ((4, (6, 8, 6)), (5, (12, 8, 6)))))

    (low, high), (low_then, high_then) = enps_interval(12, 8, 6), enps_interval(6, 8, 6)
    value = 100 * 6 / 26
    assert last["value"] == last["moved"] == pytest.approx(value)
    assert last["moved_low"] == pytest.approx(value - np.hypot(value - low, high_then))
    assert last["moved_high"] == pytest.approx(value + np.hypot(high - value, low_then))
    assert (last["is_change"], last["reading"]) == (False, "no_change")


def test_many_looks_call_fewer_changes(trend):
    """The same move alone is a change, and among seven waves that do not move is none."""
    alone = trend(of_tools(1, {"": (30, 0, 30)}), of_tools(2, {"": (42, 0, 18)}))
    among = trend(*(of_tools(m, {"": (30, 0, 30)}) for m in range(1, 8)), of_tools(8, {"": (42, 0, 18)}))

    assert alone[-1]["is_change"]
    assert (among[-1]["moved"], among[-1]["is_change"]) == (alone[-1]["moved"], False)
    assert among[-1]["n_compared"] == 7 + 6


def test_waves_named_keep_rows_that_still_know_the_wave_before(trend):
    (row,) = trend(
        of_tools(3, {"": (9, 0, 9)}), of_tools(4, {"": (30, 0, 30)}), of_tools(5, {"": (50, 0, 10)}),
        where={"wave": ("2026-05",)},
    )  # fmt: skip

    assert (row["previous"], row["first"], row["n_compared"]) == ("pulse@2026-04", "pulse@2026-03", 2)


@pytest.mark.parametrize("other", [{"tools": ("enps_1_10", None)}, {"tools": ("enps_0_10", None)}])
def test_another_scale_is_another_question(trend, other):
    rows = trend(of_tools(4, {"": (30, 10, 20)}), release(5, {"": {"tools": (30, 10, 20)}}, other))

    assert [row["moved"] for row in rows] == [None, None]


def test_a_question_turned_since_is_another_one(trend):
    turned = release(5, {"": {"tools": (30, 10, 20)}}, TOOLS, turned=("tools",))

    assert trend(of_tools(4, {"": (30, 10, 20)}), turned)[1]["moved"] is None


def test_a_wave_not_told_exactly_is_passed_over(trend):
    rows = trend(
        of_tools(3, {"": (30, 10, 20)}), of_tools(4, {"": ("band", 60, 0.8, 1)}), of_tools(5, {"": (40, 10, 10)})
    )

    assert [(row["told"], row["value"], row["moved"]) for row in rows[:2]] == [
        ("exact", 50.0, None), ("band", None, None),
    ]  # fmt: skip
    assert rows[2]["previous"] == "pulse@2026-03"


def test_a_group_merged_anew_is_another_group(trend):
    rows = trend(
        of_tools(4, {"": (30, 10, 20), "region:North": (10, 5, 5)}),
        of_tools(5, {"": (30, 10, 20), "region:North + South": (10, 5, 5)}),
        by=("region",),
    )

    assert [(row["region"], row["moved"]) for row in rows] == [("North", None), ("North + South", None)]


def test_a_swing_that_is_only_who_answered_is_called_so(trend):
    """Both regions stay where they were; the happy one answers more: Simpson."""
    then = {"": (100, 0, 100), "region:North": (80, 0, 20), "region:South": (20, 0, 80)}
    now = {"": (164, 0, 56), "region:North": (160, 0, 40), "region:South": (4, 0, 16)}
    row = trend(of_tools(4, then), of_tools(5, now))[1]

    assert row["is_change"]
    assert row["moved"] == pytest.approx(100 * (164 / 220 - 0.5))
    assert (row["mix_cut"], row["moved_same_mix"], row["reading"]) == ("region", pytest.approx(0), "who_answered")
    assert row["moved_same_mix_low"] < 0 < row["moved_same_mix_high"]


def test_groups_that_moved_the_other_way_reverse_it(trend):
    then = {"": (110, 0, 110), "region:North": (18, 0, 2), "region:South": (92, 0, 108)}
    now = {"": (150, 0, 70), "region:North": (140, 0, 60), "region:South": (10, 0, 10)}
    row = trend(of_tools(4, then), of_tools(5, now))[1]
    weights = [(20 / 220 + 200 / 220) / 2] * 2
    expected = 100 * (weights[0] * (140 / 200 - 18 / 20) + weights[1] * (10 / 20 - 92 / 200))

    assert row["moved"] > 0
    assert row["moved_same_mix"] == pytest.approx(expected)
    assert row["reading"] == "who_answered"

    many = [{name: tuple(20 * n for n in counts) for name, counts in wave.items()} for wave in (then, now)]
    assert trend(of_tools(4, many[0]), of_tools(5, many[1]))[1]["reading"] == "reversed"


def test_a_move_that_who_answered_hides_is_told(trend):
    """Both regions rise by 20 points while the unhappy one answers more."""
    then = {"": (500, 0, 500), "region:North": (420, 0, 280), "region:South": (80, 0, 220)}
    now = {"": (500, 0, 500), "region:North": (70, 0, 30), "region:South": (430, 0, 470)}
    row = trend(of_tools(4, then), of_tools(5, now))[1]

    assert (row["moved"], row["is_change"]) == (0, False)
    assert row["moved_same_mix"] > 10
    assert row["reading"] == "hidden_by_who_answered"


def test_groups_that_do_not_hold_everybody_say_nothing_of_who_answered(trend):
    then = {"": (100, 0, 100), "region:North": (80, 0, 20), "role:Sales": (90, 0, 90), "role:Support": (10, 0, 10)}
    now = {"": (164, 0, 56), "region:North": (160, 0, 40), "role:Sales": (150, 0, 50), "role:Support": (14, 0, 6)}

    row = trend(of_tools(4, then), of_tools(5, now))[1]
    assert (row["mix_cut"], row["reading"]) == ("role", "change")

    without = [{name: n for name, n in wave.items() if "role" not in name} for wave in (then, now)]
    row = trend(of_tools(4, without[0]), of_tools(5, without[1]))[1]
    assert (row["mix_cut"], row["moved_same_mix"], row["reading"]) == (None, None, "change")


def test_surveys_are_told_apart(trend):
    other = replace(TERMS, survey="other")
    rows = trend(of_tools(4, {"": (30, 10, 20)}), release(5, {"": {"tools": (30, 10, 20)}}, TOOLS, other))

    assert [(row["asked_in"], row["previous"]) for row in rows] == [("pulse@2026-04", None), ("other@2026-05", None)]
