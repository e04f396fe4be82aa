"""Groups are fixed when a wave opens: none too small, each a union of neighbours, teams within their region."""

import random
from collections import Counter

import ballots
import polars as pl
import pytest

from cadran.book.ballots_groups import comment_groups, grouped
from cadran.tables.pulse import CUTS


def invited(**columns):
    n = len(next(iter(columns.values())))
    return pl.DataFrame({cut: columns.get(cut, [None] * n) for cut in CUTS}, dict.fromkeys(CUTS, pl.String))


def labels(cuts, rows, minimum=5, crossed=()):
    """Of each cut: how many stand in each group."""
    groups = grouped(rows, ballots.replaced(cuts=cuts, minimum=minimum, crossed=crossed))
    return {each.cut: dict(Counter(tuple(each.labels[place]) for place in each.places)) for each in groups}


def spread(**sizes):
    return [None if value == "unknown" else value for value, n in sizes.items() for _ in range(n)]


def test_the_small_are_merged_with_the_next_and_the_last_with_the_one_before():
    rows = invited(role=spread(d=2, a=9, b=1, c=4, e=6, unknown=1))

    assert labels(("role",), rows) == {"role": {("a",): 9, ("b + c",): 5, ("d + e + ?",): 9}}
    assert labels(("role",), rows, minimum=3) == labels(("role",), rows)
    assert labels(("role",), rows, minimum=9) == {"role": {("a",): 9, ("b + c + d + e + ?",): 14}}


def test_teams_are_merged_within_their_region_alone():
    rows = invited(
        region=spread(East=8, North=12, South=3), team=spread(E1=2, E2=6, N1=6, N2=6, S1=3)
    )  # fmt: skip

    assert labels(("region", "team"), rows) == {
        "region": {("East",): 8, ("North + South",): 15},
        "team": {("East", "E1 + E2"): 8, ("North + South", "N1"): 6, ("North + South", "N2 + S1"): 9},
    }


def test_a_cut_of_which_one_group_is_left_is_dropped():
    rows = invited(region=spread(East=4, North=4), team=spread(E1=4, N1=4), role=spread(a=8))

    assert labels(("region", "team", "role"), rows) == {}
    rows = invited(region=spread(East=4, North=12), team=spread(E1=4, N1=6, N2=6))
    assert labels(("region", "team"), rows) == {"team": {(None, "E1 + N1"): 10, (None, "N2"): 6}}


@pytest.mark.parametrize("seed", range(30))
def test_no_group_is_too_small_and_each_person_stands_in_one_per_cut(seed):
    rng = random.Random(seed)
    n, minimum = rng.randrange(5, 120), rng.choice([3, 5, 7])
    region = [rng.choice(["North", "South", "West", None]) for _ in range(n)]
    columns = {"region": region, "team": [f"{r} {int(rng.expovariate(0.4))}" for r in region]}
    columns |= {
        cut: [rng.choice("abc") * min(3, int(rng.expovariate(0.7)) + 1) for _ in range(n)] for cut in ("role", "site")
    }
    rows = invited(**columns)
    terms = ballots.replaced(cuts=("region", "team", "role", "site"), minimum=minimum, crossed=(("role", "site"),))
    groups = grouped(rows, terms)

    for each in groups:
        sizes = Counter(each.places)
        assert min(sizes.values()) >= max(5, minimum)
        assert len(sizes) == len(each.labels) > 1
        assert len({tuple(label) for label in each.labels}) == len(each.labels)
        for value, place in zip(rows[each.columns[-1]], each.places, strict=True):
            assert value in each.members[place]
    of_comments = comment_groups(rows, terms, groups)
    assert n < 8 or min(Counter(of_comments.places).values()) >= 8 or len(of_comments.labels) == 1
    teams = next((each for each in groups if each.cut == "team"), None)
    if teams and len(of_comments.labels) > 1:
        unions = {(team, comment) for team, comment in zip(teams.places, of_comments.places, strict=True)}
        assert len(unions) == len(teams.labels)
