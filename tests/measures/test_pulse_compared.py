"""Groups of a pulse survey beside the company: pulled together by chance, apart where they are; and what could show."""

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep
from told import release

from cadran.book.pulse import pulse_of
from cadran.measures import MEASURES, Question
from cadran.measures.enps_interval import enps_interval
from cadran.measures.pulse_compared import NOTHING_SHOWS, TOO_FEW_GROUPS, shrunk
from cadran.tables.problems import Problem

TOOLS, RECOMMEND = {"tools": ("agreement", "tools")}, {"recommend": ("enps_0_10", None)}
REGIONS = {
    "": (100, 20, 80),
    "region:A": (40, 5, 5),
    "region:B": (20, 5, 25),
    "region:C": (20, 5, 25),
    "region:D": (20, 5, 25),
}


@pytest.fixture(scope="module")
def ask(make_book):
    def made(name, *releases, by=("region",), **question):
        book = make_book()
        for each in releases:
            pulse_of(book).keep_release(each)
        return MEASURES[name].ask(book, Question(by=by, **question)).to_dicts()

    return made


def of_tools(month, groups):
    return release(month, {name: {"tools": counts} for name, counts in groups.items()}, TOOLS)


def test_a_group_beside_all_others(ask):
    first, *others = ask("pulse_compared", of_tools(5, REGIONS))

    low, high = confint_proportions_2indep(40, 50, 60, 150, method="newcomb", compare="diff", alpha=0.05 / 4)
    assert (first["region"], first["value"], first["company_value"]) == ("A", 80, pytest.approx(50))
    assert first["difference"] == pytest.approx(30)
    assert first["difference"] == pytest.approx(100 * 0.75 * (40 / 50 - 60 / 150))
    assert (first["difference_low"], first["difference_high"]) == (pytest.approx(75 * low), pytest.approx(75 * high))
    assert first["n_compared"] == 4
    assert [row["is_difference"] for row in (first, *others)] == [True, False, False, False]


def test_a_group_looked_at_alone_was_still_one_of_many(ask):
    (alone,) = ask("pulse_compared", of_tools(5, REGIONS), where={"region": ("A",)})

    assert alone == ask("pulse_compared", of_tools(5, REGIONS))[0]


def test_small_groups_are_pulled_further(ask):
    groups = REGIONS | {"": (112, 20, 80), "region:E": (12, 0, 0)}
    rows = {row["region"]: row for row in ask("pulse_compared", of_tools(5, groups))}

    for name in ("A", "E"):
        assert 50 < rows[name]["shrunk_value"] < rows[name]["value"]
        assert rows[name]["shrunk_value_low"] < rows[name]["shrunk_value"] < rows[name]["shrunk_value_high"]
    assert rows["A"]["value"] - rows["A"]["shrunk_value"] < rows["E"]["value"] - rows["E"]["shrunk_value"]


def test_groups_that_differ_by_chance_alone_are_one():
    """Less apart than chance makes them: all that is left is (k − 3) ÷ (k − 1) of the way (Morris)."""
    values, variances = np.array([50.0, 51, 49, 50, 50]), np.full(5, 100.0)
    middle, low, high = shrunk(values, variances)

    assert middle == pytest.approx(50 + 0.5 * (values - 50))
    assert np.all(low < 42)
    assert np.all(high > 58)


def test_shrunk_intervals_hold_what_groups_are():
    """Groups of 5 to 40 answers, of scores spread as a normal law: 95 % of the intervals of all groups hold the group's."""
    random = np.random.default_rng(2)
    held, closer = [], []
    for _ in range(400):
        n = random.integers(5, 41, 8)
        true = random.normal(55, 12, 8)
        variances = 2400.0 / n
        seen = random.normal(true, np.sqrt(variances))
        middle, low, high = shrunk(seen, variances)
        held += list((low <= true) & (true <= high))
        closer.append(np.mean((middle - true) ** 2) / np.mean((seen - true) ** 2))
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.median(closer) < 0.8


def test_three_groups_teach_nothing_of_how_groups_differ(ask):
    rows = ask("pulse_compared", of_tools(5, {name: n for name, n in REGIONS.items() if name != "region:D"}))

    assert [(row["shrunk_value"], row["reason"]) for row in rows] == [(None, TOO_FEW_GROUPS)] * 3
    assert rows[0]["is_difference"]


def test_a_band_is_no_score(ask):
    *_, last = ask("pulse_compared", of_tools(5, REGIONS | {"region:E": ("band", 9, 0.8, 1.0)}))

    assert (last["region"], last["told"], last["band_low"], last["value"], last["shrunk_value"], last["is_difference"]) == (
        "E", "band", 0.8, None, None, None,
    )  # fmt: skip


def test_groups_are_compared_along_a_cut(ask):
    with pytest.raises(Problem, match=r"none is named.\nName one with --by: region, team"):
        ask("pulse_compared", of_tools(5, REGIONS), by=())


def test_the_detectable_difference_is_that_of_the_power(ask):
    """Shares of ½ of 100 and 60 answers, held to the power that another library gives such a difference."""
    first, last = of_tools(4, {"": (50, 0, 50)}), of_tools(5, {"": (30, 0, 30)})
    (row,) = ask("detectable", first, last, by=())

    power = NormalIndPower().power
    assert power(row["detectable_change"] / 50, 60, 0.05, ratio=100 / 60) == pytest.approx(0.8, abs=1e-4)
    assert power(row["detectable"] / 50, 60, 0.05, ratio=0) == pytest.approx(0.8, abs=1e-4)
    assert (row["previous"], row["n_scores_before"], row["n_scores"]) == ("pulse@2026-04", 100, 60)


def test_a_difference_of_that_size_is_found_four_times_in_five(ask):
    row = ask("detectable", *(release(m, {"": {"recommend": (32, 36, 32)}}, RECOMMEND) for m in (4, 5)), by=())[0]
    random, true = np.random.default_rng(3), row["detectable_change"] / 100
    here = random.multinomial(100, [0.32 + true / 2, 0.36, 0.32 - true / 2], 4000).T
    then = random.multinomial(100, [0.32, 0.36, 0.32], 4000).T
    (low, _), (_, high) = enps_interval(*here), enps_interval(*then)
    value, before = here[0] - here[2], then[0] - then[2]

    found = value - before - np.hypot(value - low, high - before) > 0
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def test_so_few_that_nothing_would_show(ask):
    (row,) = ask("detectable", release(5, {"": {"recommend": (2, 0, 2)}}, RECOMMEND), by=())

    assert (row["detectable"], row["reason"]) == (None, NOTHING_SHOWS)
