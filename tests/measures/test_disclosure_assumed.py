"""Guesses from several waves together, beside all answers of all waves drawn as one Gaussian and conditioned."""

import numpy as np
import pytest
from disclosed import staff, wave

from cadran.measures.disclosure import earlier_of, release
from cadran.measures.disclosure_assumed import ALIKE, SURE, Assumed, spread_of
from cadran.measures.disclosure_audit import ASSUMED
from cadran.measures.disclosure_check import breaks
from cadran.measures.disclosure_counts import Scale, counted
from cadran.measures.disclosure_merge import merged
from cadran.measures.latest import latest_of

#: Answers that are not far apart.
MILD = (2, 3, 4, 3, 2, 4, 3, 5, 3, 4, 2, 3, 1, 3, 4, 2, 3)


def two_waves(n_gone, n_come, n_moved=0):
    """Two waves of a company: some have left the North, others come to its site X, or move there from the South."""
    first = staff((20, {"region": "North"}), (30, {"region": "South"}))
    gone = [f"0-{each}" for each in range(n_gone)]
    later = {name: their for name, their in first.items() if name not in gone}
    later |= {f"new{each}": {"region": "North", "site": "X"} for each in range(n_come)}
    later |= {f"1-{each}": {"region": "North", "site": "X"} for each in range(n_moved)}
    later |= {f"more{each}": {"region": "South"} for each in range(7)}
    cuts = ("region", "site")
    scores = [{name: MILD[place % len(MILD)] for place, name in enumerate(people)} for people in (first, later)]
    return wave(first, {"tools": scores[0]}, cuts=cuts), wave(later, {"tools": scores[1]}, month=2, cuts=cuts)


def conditioned(one, two, few, spread):
    """How far off the best guess at the mean of a few of the second wave is, all sums of both waves being told."""
    persons = [each.invited["person"].to_list() for each in (one, two)]
    answers = [(place, name) for place, names in enumerate(persons) for name in names]
    alike = np.array([[spread**2 * ALIKE ** abs(a - b) * (x == y) for b, y in answers] for a, x in answers])
    rows = []
    for place, each in enumerate((one, two)):
        region = dict(each.invited.select("person", "region").iter_rows())
        rows += [[at == place and keep(region[name]) if at == place else 0.0 for at, name in answers]
                 for keep in (lambda of: True, lambda of: of == "North", lambda of: of == "South")]  # fmt: skip
    told = np.array(rows, float)
    mean = np.array([at == 1 and name in few for at, name in answers]) / len(few)
    left = alike - alike @ told.T @ np.linalg.pinv(told @ alike @ told.T) @ told @ alike
    return np.sqrt(mean @ left @ mean)


@pytest.mark.parametrize(("n_gone", "n_come", "n_moved"), [(1, 3, 0), (2, 4, 0), (6, 1, 3)])
def test_a_guess_is_as_sure_as_that_of_all_answers_conditioned(n_gone, n_come, n_moved, monkeypatch):
    one, two = two_waves(n_gone, n_come, n_moved)
    past = earlier_of(two, [(one, release(one, protect=False))])
    counts = counted(two)
    parts = merged(counts, 5, protect=False).partitions[:2]
    assumed = Assumed(counts, parts, 0, past, 5)
    few = two.invited.filter(site="X")["person"].to_list()
    off = conditioned(one, two, few, assumed.spread)

    assert assumed.spread == pytest.approx(np.std(two.answers["score"].to_numpy()))
    for sure, found in ((off / 4 * 1.001, True), (off / 4 * 0.999, False)):
        monkeypatch.setattr("cadran.measures.disclosure_assumed.SURE", sure)
        assert assumed.guessed(np.ones(3, bool)).any() == found


def test_the_spread_of_scores_is_that_of_the_company():
    scale = Scale("tools", 1, 5, 2, 4, False)

    assert spread_of(np.array([2, 0, 1, 0, 1]), scale) == pytest.approx(np.std([1, 1, 3, 5]))
    assert SURE < 0.1


def test_a_wave_and_latest_answers_after_it_are_as_long_ago():
    first, *later = [
        wave(staff((20, {"region": "North"}), (30, {"region": "South"})), month=n, rolling=3) for n in (1, 2, 3)
    ]
    told = [(each, release(each, protect=False)) for each in (first, later[0])]
    latest = [(each, release(each, protect=False)) for each in (latest_of([first])[0], latest_of([first, later[0]])[0])]
    now = counted(later[1])
    parts = merged(now, 5, protect=False).partitions

    for earlier in ([*latest, *told], [told[0], latest[0], told[1], latest[1]]):
        past = earlier_of(later[1], earlier)
        ago = Assumed(now, parts, 0, past, 5).ago
        assert [*zip([each.wave for each in past if each.cut == "region"], ago[1:12:3], strict=True)] == [
            (each.name, 2 if each.name.startswith("s@2026-01") else 1) for _, each in earlier
        ]


def test_what_would_let_a_few_be_guessed_is_told_in_bands():
    # One left the North and four came: of these the two waves tell nearly all.
    one, two = two_waves(1, 4)
    before = [(one, release(one))]
    its = release(two, before)

    assert its.cells.filter(cut="region").select("told", "reason").unique().rows() == [("band", ASSUMED)]
    assert breaks(two, its, before) == []
    assert "guesses" in {each.test for each in breaks(two, release(two, before, protect=False), before)}
