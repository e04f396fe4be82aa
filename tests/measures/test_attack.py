"""What is released of a pulse survey withstands an attack that succeeds on what is released without protection."""

from dataclasses import replace

import attack
import attack_across
import attack_bounds
import attack_tables
import numpy as np
import polars as pl
import pytest
from pulse_companies import AGREEMENT, company

from cadran.tables.pulse import Cell, Comment, Group, Release

SCORE = AGREEMENT[0]


def hand_made(scores, groups, told=None, **given):
    """A release of one question and what an insider knows, from each person's attributes and score.

    `scores` maps a person to attributes and a score; `groups` are (cut, name of the group, its members); `told` maps a
    group's name to a band, or to None where it is withheld.
    """
    (wave,) = company(1, 40, 1)
    questions = wave.questions.filter(pl.col("question_id") == SCORE)
    people = [{"person": person, "answered": True, **where} for person, (where, _) in scores.items()]
    invited = pl.concat([wave.invited.clear(), pl.DataFrame(people)], how="diagonal")
    cells = []
    for cut, name, members in groups:
        inside = [score for where, score in scores.values() if cut == "company" or where[cut] in members]
        n, n_high, n_low = len(inside), sum(s >= 4 for s in inside), sum(s <= 2 for s in inside)
        cell = {"cut": cut, "group": name, "question_id": SCORE, "told": "exact", "n": n}
        band = (told or {}).get(name, "exact")
        if band == "exact":
            cell |= {"n_high": n_high, "n_middle": n - n_high - n_low, "n_low": n_low, "score_sum": float(sum(inside))}
        elif band is None:
            cell |= {"told": "withheld", "n": None}
        else:
            cell |= {"told": "band", "band_low": band[0], "band_high": band[1]}
        cells.append(cell)
    shown = [{"cut": cut, "group": name, "members": members} for cut, name, members in groups]
    released = Release(
        wave.terms, wave.wave, wave.closed_at, questions, *_as(shown, Group), *_as(cells, Cell), *_as([], Comment)
    )
    by = {person: score for person, (_, score) in scores.items()}
    answers = {wave.wave: {SCORE: by}}
    insider = given.get("insider")
    return released, attack_tables.knowing([replace(wave, invited=invited)], answers, insider), answers


def _as(rows, schema):
    frame = pl.DataFrame(rows, schema_overrides=dict(schema.create_empty().schema)) if rows else schema.create_empty()
    full = pl.concat([schema.create_empty(), frame], how="diagonal")
    return [schema.validate(full)]


def staff(*blocks):
    """People by (region, site, scores): `p00`, `p01`, … in that order."""
    rows = [({"region": region, "site": site}, score) for region, site, scores in blocks for score in scores]
    return {f"p{number:02}": row for number, row in enumerate(rows)}


def found_in(made, kind, **wanted):
    released, knowledge, answers = made
    found = attack.judged(attack.attack([released], knowledge), answers)
    assert found["within"].all()
    return found.filter(pl.col("attack") == kind, **wanted)


MIXED = (1, 2, 3, 4, 5, 3, 2, 4)


def test_a_group_within_a_group_is_subtracted():
    people = staff(("N", "a", MIXED), ("N", "b", (2,)), ("S", "b", MIXED))
    groups = [("company", None, [None]), ("region", "N", ["N"]), ("region", "S", ["S"]), ("site", "a", ["a"])]

    (row,) = found_in(hand_made(people, groups), "difference", people="p08", what="mean").to_dicts()

    assert (row["low"], row["high"]) == (2, 2)


def test_what_is_withheld_is_what_its_siblings_leave():
    people = staff(("N", "a", MIXED), ("S", "a", MIXED), ("W", "a", (5, 5, 5, 5, 5, 5)))
    groups = [("company", None, [None])] + [("region", name, [name]) for name in "NSW"]

    found = found_in(hand_made(people, groups, {"W": None}), "agreement", what="mean", n=1)

    assert found["people"].to_list() == ["p16,p17,p18,p19,p20,p21"]


@pytest.mark.parametrize(("scores", "band", "n"), [((5,) * 6, (0.9, 1), 1), ((5,) * 5 + (1,), (0.8, 1), None)])
def test_a_band_that_leaves_one_possibility_is_none(scores, band, n):
    people = staff(("N", "a", scores), ("S", "a", MIXED), ("W", "a", MIXED))
    groups = [("region", name, [name]) for name in "NS"]

    found = found_in(
        hand_made(people, groups, {"N": band}), "agreement", what="high", people=",".join(list(people)[:6])
    )
    as_insider = found_in(hand_made(people, groups, {"N": band}, insider="p05"), "agreement", what="high", n=1)

    assert found["n"].to_list() == ([n] if n else [])
    assert as_insider["people"].to_list() == ["p00,p01,p02,p03,p04"]


def test_a_sum_near_an_end_tells_of_any_pair():
    people = staff(("N", "a", (5,) * 9 + (4,)), ("S", "a", MIXED))

    found = found_in(hand_made(people, [("region", "N", ["N"])]), "agreement", what="mean")

    assert found.select("n", "low", "high").rows() == [(2, 4.5, 5.0)]


def test_sets_that_cross_are_solved_together():
    # Sites and regions cross in four cells: N-a, N-b, S-a, S-b; the role tells a sum of two of them that is in no cut.
    people = staff(("N", "a", (1, 5)), ("N", "b", MIXED), ("S", "a", MIXED), ("S", "b", MIXED[:6]))
    for person, role in zip(people, ["x"] * 2 + ["y"] * 8 + ["y"] * 8 + ["x"] * 6, strict=True):
        people[person][0]["role"] = role
    groups = [("region", "N", ["N"]), ("site", "a", ["a"]), ("role", "y", ["y"])]

    found = found_in(hand_made(people, groups), "algebra", people="p00,p01")

    assert dict(found.select("what", "low").rows()) == pytest.approx({"high": 0.5, "low": 0.5, "mean": 3.0})


def test_a_table_of_counts_bounds_its_cells():
    # Nobody in N is favourable, so whoever of site a is favourable sits in S, and there are no others.
    people = staff(("N", "a", (1, 3, 1)), ("N", "b", (2, 3, 1, 2, 3)), ("S", "a", (4, 5, 4)), ("S", "b", MIXED))
    groups = [("company", None, [None])] + [("region", r, [r]) for r in "NS"] + [("site", s, [s]) for s in "ab"]

    found = found_in(hand_made(people, groups), "bounds", what="high", people="p08,p09,p10")

    assert found["low"].to_list() == [1]


@pytest.mark.parametrize(("scores", "is_far"), [((5, 1, 1, 5), True), ((5, 4, 4, 5), True), ((5, 1, 5, 5), False)])
def test_programs_are_spared_only_where_other_answers_give_the_same_tables(scores, is_far):
    # Four people in two rows and two columns, whose sums are told.
    scale = attack_tables.Scale(SCORE, 1, 5, 2, 4)
    holds = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], float)
    true = attack_bounds.counted(scale, np.arange(4), scores)
    told, one = holds @ true, np.ones(4)
    bounds = np.stack([0 * one, 0 * one, one], axis=1), np.stack([one, one, 5 * one], axis=1)
    program = attack_bounds.Program(scale, holds, one, told, told, bounds)
    low, high = program.ends([0], attack_bounds.SUM)

    assert program.is_far([0], attack_bounds.SUM, true) is is_far
    assert (high - low > 0.8) == is_far


def test_a_comment_of_few_is_told():
    released, knowledge, _ = hand_made(staff(("N", "a", MIXED), ("S", "a", MIXED[:3])), [("company", None, [None])])
    said = [{"question_id": "words", "text": "…", "region": "N"}, {"question_id": "words", "text": "…"}]

    found = attack.attack([replace(released, comments=_as(said, Comment)[0])], knowledge)

    assert found.filter(what="comment")["people"].to_list() == ["p08,p09,p10"]


def test_the_same_attack_succeeds_without_protection():
    result = attack_across.attacked(2, 60, "confidential", solves=0, protect=False, n_waves=3)

    assert result["persons"] > 50
    assert result["guessed"] > 0


@pytest.mark.parametrize(("seed", "people"), [*enumerate((300, 40, 45, 70), 1)])
def test_nothing_is_recovered_of_what_is_released(seed, people):
    """Of eight waves of a company with six cuts, every third one anonymous; the smallest tells latest answers too."""
    mode = "confidential" if seed % 3 else "anonymous"
    result = attack_across.attacked(seed, people, mode, rolling=3 if people == 40 else 0)

    assert [result[each] for each in ("recovered", "comments", "guessed_persons")] == [0, 0, 0]
    assert result["exact"] > result["withheld"] / 3
