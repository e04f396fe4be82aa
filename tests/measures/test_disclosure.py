"""What may be told of a wave: companies with a known break each, shown to break where nothing is held back."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from disclosed import copied, mixed, staff, wave

from cadran.book import open_book
from cadran.book.pulse import pulse_of
from cadran.book.reader import Reader
from cadran.measures.disclosure import TOO_CLOSE, TOO_FEW, release
from cadran.measures.disclosure_audit import ALIKE, BLANK, COARSER, CROWDED, FEW, WHOLE_ALIKE
from cadran.measures.disclosure_check import breaks
from cadran.measures.releases import released, seen
from cadran.tables.problems import Problem
from cadran.tables.pulse import CUTS, Release


def told(its: Release, cut: str, question: str = "tools") -> dict[str, str]:
    """How much is told of each group of a cut."""
    rows = its.cells.filter((pl.col("cut") == cut) & (pl.col("question_id") == question))
    return dict(rows.select("group", "told").iter_rows())


def found(of, its=None, earlier=()):
    """Which tests break what is told, with protection by default."""
    return {each.test for each in breaks(of, its or release(of, earlier), earlier)}


def test_a_large_company_is_told_exactly():
    of = wave(staff((20, {"region": "North"}), (20, {"region": "South"})))
    its = release(of)

    assert told(its, "company") == {None: "exact"}
    assert told(its, "region") == {"North": "exact", "South": "exact"}
    cell = its.cells.filter(pl.col("group") == "North").row(0, named=True)
    scores = [score for name, score in mixed(of.invited["person"].to_list()).items() if name.startswith("0")]
    counts = [sum(s >= 4 for s in scores), sum(s == 3 for s in scores), sum(s <= 2 for s in scores)]
    assert [cell[name] for name in ("n", "n_high", "n_middle", "n_low", "score_sum")] == [20, *counts, sum(scores)]
    assert found(of) == set()


def test_a_team_of_two_is_joined_with_its_neighbour():
    of = wave(staff((12, {"team": "Ash"}), (2, {"team": "Elm"}), (9, {"team": "Fir"})), cuts=("team",))
    its = release(of)

    assert sorted(told(its, "team")) == ["Ash", "Elm + Fir"]
    joined = its.groups.filter(pl.col("group") == "Elm + Fir").row(0, named=True)
    assert (joined["members"], joined["n_answered"], joined["n_invited"]) == (["Elm", "Fir"], 11, 11)
    assert found(of) == set()
    assert "few" in found(of, release(of, protect=False))


def test_a_cut_of_which_one_group_is_left_is_not_told():
    of = wave(staff((12, {"site": "Lyon"}), (2, {"site": "Nice"})), cuts=("site",))

    assert told(release(of), "site") == {}
    assert "differences" in found(of, release(of, protect=False))


def test_two_cuts_do_not_differ_by_a_few():
    # Site X is region North and two people of the South.
    of = wave(
        staff(
            (15, {"region": "North", "site": "X"}), (2, {"region": "South", "site": "X"}),
            (13, {"region": "South", "site": "Y"}),
        ),
        cuts=("region", "site"),
    )  # fmt: skip
    its = release(of)

    assert (len(told(its, "region")), told(its, "site")) == (2, {})
    assert found(of) == set()
    assert "differences" in found(of, release(of, protect=False))


def test_a_difference_of_two_groups_is_a_cell_too():
    # Site X is the North and five of the South, of whom all but one agree.
    people = staff(
        (20, {"region": "North", "site": "X"}), (5, {"region": "South", "site": "X"}), (20, {"region": "South", "site": "Y"})
    )  # fmt: skip
    scores = mixed(people) | {"1-0": 3} | {f"1-{each}": 4 for each in range(1, 5)}
    of = wave(people, {"tools": scores}, cuts=("region", "site"))
    its = release(of)

    assert set(told(its, "region").values()) == {"exact"}
    assert set(told(its, "site").values()) == {"band"}
    assert found(of) == set()
    assert "agreement" in found(of, release(of, protect=False))


def test_no_sum_of_cuts_leaves_a_person():
    # Everybody is in one of A1, B1 and C1, but for one who is in two: A1 + B1 + C1 - all is that one.
    of = wave(
        staff(
            (10, {"department": "A1", "role": "B2", "tenure": "C2"}), (10, {"department": "A2", "role": "B1", "tenure": "C2"}),
            (10, {"department": "A2", "role": "B2", "tenure": "C1"}), (1, {"department": "A1", "role": "B1", "tenure": "C2"}),
        ),
        cuts=("department", "role", "tenure"),
    )  # fmt: skip
    its = release(of)

    assert set(told(its, "department").values()) == {"exact"}
    assert "exact" not in told(its, "tenure").values()
    assert found(of) == set()
    assert "sums" in found(of, release(of, protect=False))


def test_a_group_that_agrees_is_not_derived_from_its_sibling():
    people = staff((10, {"region": "North"}), (20, {"region": "South"}))
    scores = mixed(people) | {name: 5 for name in people if name.startswith("0")}
    of = wave(people, {"tools": scores})
    its = release(of)

    assert told(its, "region") == {"North": "band", "South": "band"}
    bands = its.cells.filter(pl.col("cut") == "region").select("band_low", "band_high", "n_high", "score_sum").rows()
    assert [row[2:] for row in bands] == [(None, None)] * 2
    assert bands[0][:2] == (0.7, 1.0)
    assert found(of) == set()
    assert "agreement" in found(of, release(of, protect=False))


def test_where_all_answer_the_same_only_a_band_of_the_company_is_told():
    people = staff((20, {"region": "North"}), (20, {"region": "South"}))
    of = wave(people, {"tools": dict.fromkeys(people, 4)})
    its = release(of)

    assert (told(its, "company"), set(told(its, "region").values())) == ({None: "band"}, {"withheld"})
    assert its.cells["reason"].to_list() == [ALIKE, WHOLE_ALIKE, WHOLE_ALIKE]
    assert found(of) == set()
    assert "agreement" in found(of, release(of, protect=False))


def test_a_joiner_is_not_the_difference_of_two_waves():
    first = staff((12, {"region": "North"}), (12, {"region": "South"}))
    joined = first | {"new": {"region": "South"}}
    one, two = wave(first), wave(joined, month=2)
    before = [(one, release(one))]
    its = release(two, before)

    assert its.cells["told"].unique().to_list() == ["withheld"]
    assert its.cells["reason"].unique().to_list() == [TOO_CLOSE]
    assert its.audited["too_close_to"] == [one.name]
    assert "differences" in found(two, release(two, before, protect=False), before)
    # What told nothing is nothing to differ from, and five who joined are enough.
    more = joined | {f"new{each}": {"region": "South"} for each in range(4)}
    three = wave(more, month=3)
    assert told(release(three, [*before, (two, its)]), "company") == {None: "exact"}
    # Of another survey, or of other questions, nothing differs.
    other = replace(two, terms=replace(two.terms, survey="other"))
    assert told(release(other, before), "company") == {None: "exact"}


def test_only_what_is_too_close_to_an_earlier_wave_is_coarsened():
    # One left the North and six joined the South: the company differs enough, the North by one.
    first = staff((12, {"region": "North"}), (12, {"region": "South"}), (12, {"region": "West"}))
    later = {name: their for name, their in first.items() if name != "0-0"}
    later |= {f"new{each}": {"region": "South"} for each in range(6)}
    one, two = wave(first), wave(later, month=2)
    before = [(one, release(one))]

    assert sorted(told(release(two, before), "region")) == ["North + South", "West"]
    assert found(two, earlier=before) == set()


def test_the_very_same_people_differ_by_nobody():
    people = staff((12, {"region": "North"}), (12, {"region": "South"}))
    one, two = wave(people), wave(people, month=2)

    assert told(release(two, [(one, release(one))]), "region") == {"North": "exact", "South": "exact"}


def test_too_few_answers_of_a_wave_tell_nothing():
    of = wave(staff((4, {"region": "North"})))

    assert release(of).cells.select("told", "reason").rows() == [("withheld", TOO_FEW)]


@pytest.mark.parametrize("mode", ["confidential", "anonymous"])
def test_a_wave_that_nobody_answered_tells_nothing(mode):
    of = wave(staff((30, {"region": "North"})), {"tools": {}})
    joined = [{"cut": "region", "parent": None, "group": "North", "members": ["North"]}] if mode == "anonymous" else []
    silent = replace(
        of, terms=replace(of.terms, mode=mode), invited=of.invited.with_columns(answered=pl.lit(False)),
        noted={"groups": joined},
    )  # fmt: skip

    assert release(silent).cells.select("told", "reason").unique().rows() == [("withheld", TOO_FEW)]


def test_a_question_that_few_answered_is_withheld_alone():
    people = staff((15, {"region": "North"}), (15, {"region": "South"}))
    few = {name: 3 + 7 * (number % 2) for number, name in enumerate(people) if number < 8 or number > 26}
    of = wave(people, {"tools": mixed(people), "recommend": few})
    its = release(of)

    assert set(told(its, "region").values()) == {"exact"}
    assert set(told(its, "region", "recommend").values()) == {"withheld"}
    asked = its.cells.filter((pl.col("cut") == "region") & (pl.col("question_id") == "recommend"))
    assert asked["reason"].unique().to_list() == [FEW]


def test_scores_of_a_question_that_not_all_answered_do_not_differ_by_a_few():
    # Site X is the North and six of the South, of whom two alone answered the second question.
    people = staff(
        (15, {"region": "North", "site": "X"}), (6, {"region": "South", "site": "X"}), (20, {"region": "South", "site": "Y"})
    )  # fmt: skip
    silent = {f"1-{each}" for each in range(4)}
    second = {name: (0, 10, 7, 9, 5, 10)[place % 6] for place, name in enumerate(people) if name not in silent}
    its = release(wave(people, {"tools": mixed(people), "recommend": second}, cuts=("region", "site")))

    assert set(told(its, "site").values()) == {"exact"}
    assert set(told(its, "site", "recommend").values()) == {"withheld"}
    assert set(told(its, "region", "recommend").values()) == {"exact"}


def test_a_blank_does_not_hide_that_one_group_holds_another():
    # Site X is all but five of the North and one of the South, who left the second question blank.
    people = staff(
        (20, {"region": "North", "site": "X"}), (5, {"region": "North", "site": "Y"}), (1, {"region": "South", "site": "X"}),
        (20, {"region": "South", "site": "Y"}),
    )  # fmt: skip
    second = {name: (0, 10, 7, 9, 5, 10, 8)[place % 7] for place, name in enumerate(people) if name != "2-0"}
    of = wave(people, {"tools": mixed(people), "recommend": second}, cuts=("region", "site"))

    assert "exact" not in told(release(of), "site", "recommend").values()
    assert found(of) == set()
    assert "agreement" in found(of, release(of, protect=False))


def test_where_it_is_not_known_who_gave_no_answer_one_of_the_ways_it_may_have_been_is_held():
    people = staff(
        (30, {"region": "North", "site": "X"}), (30, {"region": "South", "site": "X"}), (30, {"region": "South", "site": "Y"})
    )  # fmt: skip
    second = {name: (0, 10, 7, 9, 5, 10)[place % 6] for place, name in enumerate(people) if place}
    of = copied(wave(people, {"tools": mixed(people), "recommend": second}, cuts=("region", "site")))
    its = release(of)

    assert set(told(its, "site", "recommend").values()) == set(told(its, "region", "recommend").values()) == {"exact"}
    assert found(of) == set()
    # Numbers of groups that cannot all be true: nobody can tell who answered.
    wrong = (pl.col("cut") == "site") & (pl.col("site") == "X") & (pl.col("question_id") == "recommend")
    odd = replace(
        of, answers=of.answers.with_columns(score=pl.when(wrong & (pl.col("score") == 0)).then(1).otherwise("score"))
    )
    assert set(release(odd).cells.filter(pl.col("cut") != "company")["reason"]) == {BLANK}


def test_bounds_of_two_groups_that_overlap_do_not_leave_the_few_of_one():
    # Of the ten of A seven scored high, of the ten of B three; six are in both: so all four of A alone scored high.
    people = staff(
        (6, {"department": "A", "site": "B"}), (4, {"department": "A", "site": "Z"}), (4, {"department": "Y", "site": "B"}),
        (40, {"department": "Y", "site": "Z"}),
    )  # fmt: skip
    scores = mixed(people)
    scores |= dict(zip([f"0-{each}" for each in range(6)], (5, 4, 4, 1, 2, 3), strict=True))
    scores |= dict(zip([f"1-{each}" for each in range(4)], (4, 5, 4, 5), strict=True))
    scores |= dict(zip([f"2-{each}" for each in range(4)], (1, 2, 3, 3), strict=True))
    of = wave(people, {"tools": scores}, cuts=("department", "site"))
    its = release(of)

    assert set(told(its, "department").values()) == {"exact"}
    assert set(told(its, "site").values()) == {"withheld"}
    assert found(of) == set()
    assert found(of, release(of, protect=False)) == {"agreement", "bounds"}


def test_of_many_groups_four_neighbours_or_more_are_told_alike():
    people = staff(*((12, {"department": f"D{each:02}"}) for each in range(9)))
    scores = mixed(people) | {name: 5 for name in people if name.startswith("2-")}
    of = wave(people, {"tools": scores}, cuts=("department",))
    its = release(of)

    assert list(told(its, "department").values()) == ["band"] * 5 + ["exact"] * 4
    assert found(of) == set()


def test_a_rest_that_agrees_is_not_left_by_what_is_told_beside_it():
    # Nearly all of the first four departments gave a high score, so they are in bands; so is their sum.
    people = staff(*((12, {"department": f"D{each:02}"}) for each in range(8)))
    scores = mixed(people) | {name: 5 for name in people if int(name.split("-")[0]) < 4} | {"0-0": 3}
    of = wave(people, {"tools": scores}, cuts=("department",))

    assert "exact" not in told(release(of), "department").values()
    assert found(of) == set()


def many(*groups):
    """These, and six hundred more of whom each stands alone by country: more kinds of people than bounds look at."""
    others = {"department": "A2", "role": "B2", "tenure": "C2", "site": "Z"}
    people = staff(*((n, {**others, **of, "country": "-"}) for n, of in groups))
    return people | {f"other-{each}": {**others, "country": f"{each:03}"} for each in range(600)}


def test_sums_are_looked_for_in_a_large_company_too():
    people = many(
        (30, {"department": "A1"}),
        (30, {"role": "B1"}),
        (30, {"tenure": "C1"}),
        (1, {"department": "A1", "role": "B1"}),
    )
    people |= {name: their | {"site": "Y"} for name, their in people.items() if name.startswith("other")}
    of = wave(people, cuts=("site", "department", "role", "tenure", "country"))
    its = release(of)

    assert "exact" not in told(its, "tenure").values()
    assert len(told(its, "country")) > 50
    assert found(of, its) == set()


def test_bounds_are_looked_at_in_a_large_company_too():
    people = many((6, {"department": "A", "site": "B"}), (4, {"department": "A"}), (4, {"site": "B"}))
    scores = mixed(people)
    scores |= dict(zip([f"0-{each}" for each in range(6)], (5, 4, 4, 1, 2, 3), strict=True))
    scores |= dict(zip([f"1-{each}" for each in range(4)], (4, 5, 4, 5), strict=True))
    scores |= dict(zip([f"2-{each}" for each in range(4)], (1, 2, 3, 3), strict=True))
    of = wave(people, {"tools": scores}, cuts=("department", "site", "country"))
    its = release(of)

    assert set(told(its, "department").values()) == {"exact"}
    assert set(told(its, "site").values()) == {"withheld"}
    assert found(of, its) == set()


def test_what_stands_in_a_band_is_told_no_closer():
    people = staff(
        (10, {"region": "North", "team": "A"}), (20, {"region": "South", "team": "B"}), (20, {"region": "South", "team": "C"})
    )  # fmt: skip
    scores = mixed(people) | {name: 5 for name in people if name.startswith("0")}
    its = release(wave(people, {"tools": scores}, cuts=("region", "team")))

    assert set(told(its, "region").values()) == set(told(its, "team").values()) == {"band"}
    assert its.cells.filter(pl.col("cut") == "team")["reason"].unique().to_list() == [COARSER]


def test_groups_stay_as_the_wave_before_joined_them():
    sizes = {"Ash": 9, "Elm": 4, "Fir": 5, "Oak": 9}
    first = staff(*((n, {"team": name}) for name, n in sizes.items()))
    # Elm now has a smaller neighbour on the other side.
    sizes["Ash"], sizes["Fir"] = 6, 9
    later = {f"b{name}": their for name, their in staff(*((n, {"team": name}) for name, n in sizes.items())).items()}
    one, two = wave(first, cuts=("team",)), wave(later, month=2, cuts=("team",))
    before = release(one)

    assert "Elm + Fir" in told(before, "team")
    assert "Ash + Elm" in told(release(two), "team")
    assert "Elm + Fir" in told(release(two, [(one, before)]), "team")


def test_anonymous_copies_are_counted_cut_by_cut():
    people = staff(
        (20, {"region": "North", "team": "A"}),
        (20, {"region": "South", "team": "B"}),
        (20, {"region": "South", "team": "C"}),
    )
    of = wave(people, cuts=("region", "team"))
    one, other = release(of), release(copied(of))

    assert one.cells.rows() == other.cells.rows()
    assert told(one, "team") == {"B": "exact", "C": "exact"}  # A is all of the North, which is told once


@pytest.mark.parametrize("n", [24, 60, 110])
def test_nothing_breaks_a_company_with_six_cuts(n):
    rng = np.random.default_rng(n)
    cuts = ("region", "team", "department", "role", "tenure", "site")
    teams = rng.integers(0, max(3, n // 8), n)
    people = {
        f"p{each}": {"region": f"R{team % 3}", "team": f"T{team}"}
        | {cut: f"{cut}{rng.integers(4)}" for cut in cuts[2:]}
        for each, team in enumerate(teams.tolist())
    }
    scores = {"tools": {name: int(rng.choice(5, p=[0.1, 0.1, 0.2, 0.35, 0.25])) + 1 for name in people},
              "recommend": {name: int(rng.binomial(10, 0.75)) for name in people}}  # fmt: skip
    of = wave(people, scores, cuts=cuts)

    assert found(of) == set()
    assert {"agreement", "bounds"} <= found(of, release(of, protect=False))
    is_small = n < 30
    assert (CROWDED in release(of).cells["reason"].to_list()) >= is_small


def test_the_same_wave_gives_the_same_release():
    people = staff((12, {"region": "North"}), (12, {"region": "South"}))
    of = wave(people, comments=[(name, f"said {name}") for name in people])
    shuffled = replace(of, answers=of.answers.sample(fraction=1, shuffle=True, seed=1), comments=of.comments.reverse())

    one, other = release(of), release(shuffled)

    assert one.cells.equals(other.cells)
    assert one.comments.equals(other.comments)
    assert json.dumps(one.audited) == json.dumps(other.audited)


def test_comments_are_shown_of_groups_of_eight_alone_masked_and_out_of_order():
    people = staff(
        (8, {"region": "North", "team": "A"}),
        (6, {"region": "South", "team": "B"}),
        (9, {"region": "West", "team": "C"}),
    )
    said = [(name, f"word{place:02}, or +33 6 12 34 56 78") for place, name in enumerate(people)]
    its = release(wave(people, comments=said, cuts=("region", "team")))

    assert set(its.comments["region"]) == {"North", "South + West"}
    assert its.comments.select(cut for cut in CUTS if cut != "region").null_count().row(0) == (23,) * 7
    assert not any("12 34" in text for text in its.comments["text"])
    words = its.comments["text"].str.head(6).to_list()
    assert sorted(words) == [f"word{place:02}" for place in range(23)] != words


def test_no_comment_is_shown_of_fewer_than_eight():
    people = staff((7, {"region": "North"}))

    assert release(wave(people, comments=[("0-0", "hello")])).comments.is_empty()


READERS = {
    None: {None, "North", "South", "A", "B"},
    Reader("h", "hr", frozenset({"North"})): {None, "North", "South", "A", "B"},
    Reader("n", "manager", frozenset({"North"})): {None, "North", "A", "B"},
    Reader("b", "manager", frozenset(), frozenset({"B"})): {None, "B"},
}


@pytest.mark.parametrize("reader", READERS, ids=["analyst", "people", "region", "team"])
def test_a_reader_sees_the_company_and_their_own_groups(reader, tmp_path):
    people = staff(
        (20, {"region": "North", "team": "A"}),
        (20, {"region": "North", "team": "B"}),
        (20, {"region": "South", "team": "C"}),
    )
    its = release(wave(people, cuts=("region", "team"), comments=[(name, "text") for name in people]))
    book = replace(open_book(on=datetime(2026, 1, 1, tzinfo=UTC).date()), reader=reader)
    theirs = seen(its, book)

    assert set(theirs.groups["group"]) == set(theirs.cells["group"]) == READERS[reader]
    assert set(theirs.comments["region"]) <= READERS[reader]


def test_a_release_is_made_once_and_kept(book_with_waves):
    book, waves = book_with_waves
    first = released(book)

    assert [each.name for each in first] == [each.name for each in waves]
    assert pulse_of(book).unreleased() == []
    assert [asdict(each.terms) for each in released(book)] == [asdict(each.terms) for each in first]
    assert all(one.cells.equals(other.cells) for one, other in zip(first, released(book), strict=True))


def test_a_wave_that_is_kept_late_is_held_against_what_was_released_of_later_ones(book_with_waves):
    book, _ = book_with_waves
    released(book)
    people = staff((12, {"region": "North"}), (11, {"region": "South"}))
    pulse_of(book).keep_wave(
        replace(wave(people, month=1), wave="2025-12", closed_at=datetime(2025, 12, 8, tzinfo=UTC))
    )

    late = next(each for each in released(book) if each.wave == "2025-12")
    assert late.cells["reason"].unique().to_list() == [TOO_CLOSE]


def test_several_who_ask_at_once_make_it_once(book_with_waves):
    book, waves = book_with_waves

    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda _: released(book), range(4)))

    assert [[each.name for each in one] for one in asked] == [[each.name for each in waves]] * 4


def test_a_folder_that_cannot_be_written_is_told(book_with_waves, monkeypatch):
    book, _ = book_with_waves
    monkeypatch.setattr("cadran.book.pulse.shutil.rmtree", _refuse)

    with pytest.raises(Problem, match="cannot be written"):
        released(book)


def _refuse(*args, **kwargs):
    raise PermissionError(13, "Permission denied")


@pytest.fixture
def book_with_waves(tmp_path):
    book = open_book(on=datetime(2026, 1, 1, tzinfo=UTC).date())
    there = replace(book, version=tmp_path / "1")
    there.__dict__["manifest"] = book.manifest  # of a book beside which no survey stands yet
    people = staff((12, {"region": "North"}), (12, {"region": "South"}))
    waves = [wave(people, month=1), wave(people, month=2)]
    for each in waves:
        pulse_of(there).keep_wave(each)
    return there, waves


def test_a_wave_whose_answers_are_gone_keeps_nobody_from_the_next(book_with_waves):
    book, waves = book_with_waves
    released(book)
    for gone in (f"waves/{waves[0].name}", f"releases/{waves[-1].name}"):
        shutil.rmtree(pulse_of(book).folder / gone)

    assert released(book)[-1].name == waves[-1].name
