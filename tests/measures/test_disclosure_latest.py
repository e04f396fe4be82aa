"""Latest answers beside all that was told before, attacked by plain linear algebra written without the audit."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from disclosed import MIXED, mixed, staff, wave
from pulse_companies import company

from cadran.measures.disclosure import release
from cadran.measures.disclosure_latest import broken, release_latest
from cadran.measures.latest import latest_of, told_of_latest, told_of_wave


def released(waves, protect=True, rolling=3):
    """Of each wave, what is told of it and of the latest answers after it, in the order in which it is told."""
    told = []
    for number, each in enumerate(waves):
        told.append(told_of_wave(each, release(each, [(one.wave, one.release) for one in told])))
        last = waves[max(0, number - rolling + 1) : number + 1]
        its = release_latest(last, told) if protect else release(latest_of(last)[0], protect=False)
        told.append(told_of_latest(last, its, ()))
    return told


def known_sets(told, question):
    """What is told exactly of a question: each set of (person, wave) answers once."""
    found = set()
    for each in told:
        asked_in = {
            row["ballot"]: row["asked_in"] for row in each.given.filter(question_id=question).iter_rows(named=True)
        }
        people = {row["person"]: row for row in each.wave.invited.to_dicts() if row["person"] in asked_in}
        cells = each.release.cells.filter(question_id=question, told="exact").join(
            each.release.groups, on=["cut", "parent", "group"], nulls_equal=True
        )
        regions = {row["group"]: row["members"] for row in each.release.groups.filter(cut="region").to_dicts()}
        for cell in cells.to_dicts():
            inside = [
                name for name, row in people.items()
                if cell["cut"] == "company"
                or (row[cell["cut"]] in cell["members"]
                    and (cell["parent"] is None or row["region"] in regions.get(cell["parent"], [cell["parent"]])))
            ]  # fmt: skip
            assert len(inside) == cell["n"]
            found.add(frozenset((name, asked_in[name]) for name in inside))
    return found


def recovered(told, question, minimum=5):
    """The answers, or changes of an answer, of few that some combination of what is told gives away."""
    sets = sorted(known_sets(told, question), key=lambda each: sorted(each))
    by_pattern = {}
    for unit in set().union(*sets):
        by_pattern.setdefault(tuple(unit in each for each in sets), []).append(unit)
    types = list(by_pattern.items())
    matrix = np.array([pattern for pattern, _ in types], float).T * np.sqrt([len(units) for _, units in types])
    _, values, rows = np.linalg.svd(matrix, full_matrices=False)
    rows = rows[values > 1e-9 * values.max()]
    found = []
    small = [number for number, (_, units) in enumerate(types) if len(units) < minimum]
    for some in (each for n in (1, 2, 3) for each in combinations(small, n)):
        sizes = np.array([len(types[number][1]) for number in some])
        if sizes.sum() < minimum:
            signs = np.array([(1, *rest) for rest in product((1, -1), repeat=len(some) - 1)])
            inside = rows[:, some] @ (signs * np.sqrt(sizes)).T
            if (sizes.sum() - (inside**2).sum(0) < 1e-7).any():
                found.append([types[number][1] for number in some])
    return found


@pytest.mark.parametrize(("seed", "people"), [(1, 60), (2, 150)])
def test_no_combination_of_all_that_is_told_tells_of_few(seed, people):
    waves = [replace(each, terms=replace(each.terms, cuts=("region",))) for each in company(seed, people, n_waves=5)]
    told = released(waves)

    assert all(not recovered(told, question) for question in ("recommend", "pay"))
    assert any((each.release.cells["told"] == "exact").any() for each in told[3::2])
    assert any(recovered(released(waves, protect=False), question) for question in ("recommend", "pay"))


PEOPLE = staff((30, {"region": "North"}), (30, {"region": "South"}))
NAMES = list(PEOPLE)


def scored(number, silent=(), like=(), cuts=("region",)):
    """A wave that all but some answered; those `like` one another give the best score."""
    given = {
        name: 5 if name in like else MIXED[(place * (2 * number + 1) + number) % 8]
        for place, name in enumerate(NAMES) if name not in silent
    }  # fmt: skip
    return wave(PEOPLE, {"tools": given}, month=number, cuts=cuts)


def of_company(told, question="tools"):
    return told[-1].release.cells.filter(cut="company", question_id=question)["told"].to_list()


def test_what_tells_how_few_answered_anew_is_not_told():
    """Three answered the second wave: told again, the company would say what changed of three."""
    told = released([scored(1), scored(2, silent=NAMES[3:])])

    assert of_company(told[:2]) == ["exact"]
    assert of_company(told) == ["withheld"]


def test_where_the_silent_are_of_one_mind_they_are_not_told():
    silent = NAMES[:4] + NAMES[30:34]

    assert of_company(released([scored(1), scored(2, silent)])) == ["exact"]
    assert of_company(released([scored(1, like=silent), scored(2, silent)])) == ["withheld"]


def test_nor_where_few_of_the_silent_had_answered_a_question():
    """Twenty are silent, of whom three had answered it: latest answers less the wave are those of three."""
    silent = NAMES[:10] + NAMES[30:40]
    asked = {name: 4 for name in NAMES if name not in silent[3:]} | {NAMES[0]: 1, NAMES[20]: 2, NAMES[50]: 9}
    first = wave(PEOPLE, {"tools": mixed(NAMES), "recommend": asked}, month=1)
    second = wave(
        PEOPLE,
        {name: mixed([each for each in NAMES if each not in silent]) for name in ("tools", "recommend")},
        month=2,
    )
    told = released([first, second])

    assert (of_company(told), of_company(told, "recommend")) == (["exact"], ["withheld"])


def test_who_was_silent_twice_does_not_give_away_who_was_once():
    """The silent of one wave, which latest answers less the wave give away, beside those of the next but one person."""
    silent = [*NAMES[:8], *NAMES[40:]], [*NAMES[:7], *NAMES[30:38]]

    assert not recovered(released([scored(1), scored(2, silent[0]), scored(3, silent[1])]), "tools")


def test_nor_three_whose_latest_answers_are_of_different_waves():
    """Those silent in the third and the fourth wave differ by three: whose latest answers were of three waves."""
    first, second, third, *often = NAMES[:3] + NAMES[30:38]
    silent = [], [first, *often, *NAMES[40:46]], [first, second, *often], [third, *often]

    told = released([scored(number, each, cuts=()) for number, each in enumerate(silent, 1)], rolling=4)

    assert of_company(told[:-2]) == ["exact"]
    assert of_company(told) == ["withheld"]
    assert not recovered(told, "tools")


def test_told_nevertheless_it_is_found():
    told = released([scored(1), scored(2, silent=NAMES[3:])])
    forced = replace(told[-1], release=release(told[-1].wave, protect=False))

    assert [each.question_id for each in broken(forced, told[:-1])] == ["tools"]
    assert broken(told[-1], told[:-1]) == []
