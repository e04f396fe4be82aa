"""The groups of a wave, fixed when it opens: too few invited are never stored as a group of their own."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import polars as pl

from cadran.tables.pulse import TREE, Terms

#: Fewest people of a combination of attributes that an anonymous wave stores, whatever its survey says.
STORED = 5
#: Between the members of a merged group, and for the member that is not known.
AND, NOT_KNOWN = " + ", "?"


#: How many people each combination of values in some columns holds.
Count = Callable[[pl.DataFrame, Sequence[str]], dict[tuple[Any, ...], int]]


def people(rows: pl.DataFrame, columns: Sequence[str]) -> dict[tuple[Any, ...], int]:
    """How many people, where each has a row of their own."""
    return Counter(rows.select(columns).iter_rows())


@dataclass(frozen=True)
class Groups:
    """The groups of one cut: a single one, team within region, or one crossed with another."""

    #: As `Answer.cut` has it.
    cut: str
    columns: tuple[str, ...]
    #: Of each group: its label in each of the columns, and the values merged into it in the last of them.
    labels: list[list[str | None]]
    members: list[list[str | None]]
    #: Of each invited person (or row): the number of their group.
    places: list[int]

    def noted(self) -> list[dict[str, Any]]:
        """One row per group, as a wave notes it."""
        sizes = Counter(self.places)
        return [
            {"cut": self.cut, "parent": parents[0] if parents else None, "group": group, "members": members,
             "n_invited": sizes[number]}
            for number, ((*parents, group), members) in enumerate(zip(self.labels, self.members, strict=True))
        ]  # fmt: skip

    def told(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


def grouped(invited: pl.DataFrame, terms: Terms, count: Count = people) -> list[Groups]:
    """The groups that an anonymous wave stores answers by: of each cut, and of each pair that is crossed.

    Groups of fewer than five invited, or than the survey's minimum, are merged with their alphabetical neighbours: a
    team with teams of its region, regions already merged. A cut of which one group is left is dropped.

    Args:
        invited: One row per person, with a column for each cut; or other rows, of which `count` tells the people.
        terms: What the survey declared.
        count: Counts people.
    """
    minimum = max(STORED, terms.minimum)
    pairs = [TREE] if set(TREE) <= set(terms.cuts) else []
    singles = {
        cut: _divided(cut, (cut,), invited, minimum, count) for cut in terms.cuts if (cut,) != TREE[1:] or not pairs
    }
    found = {cut: groups for cut, groups in singles.items() if len(groups.labels) > 1}
    for one, other in (*pairs, *terms.crossed):
        within = invited.with_columns(labelled(found[one], one)) if one in found else invited.with_columns(_null(one))
        cut = other if (one, other) in pairs else f"{one} × {other}"
        nested = _divided(cut, (one, other), within, minimum, count)
        if len(nested.labels) > 1:
            found[cut] = nested
    return [found[cut] for cut in dict.fromkeys((*terms.cuts, *found)) if cut in found]


def comment_groups(invited: pl.DataFrame, terms: Terms, groups: Iterable[Groups], count: Count = people) -> Groups:
    """The groups of the tree that a comment may be shown in: unions of the groups of answers, large enough."""
    by_cut = {each.cut: each for each in groups}
    columns = tuple(cut for cut in TREE if cut in terms.cuts)
    known = [labelled(by_cut[cut], cut) if cut in by_cut else _null(cut) for cut in columns]
    minimum = max(STORED, terms.minimum, terms.comments_minimum)
    regions = _divided(columns[0], columns[:1], invited.with_columns(known), minimum, count) if columns else None
    if regions is None or len(columns) == 1:
        found = regions
    else:
        within = invited.with_columns(known).with_columns(labelled(regions, columns[0]))
        found = _divided(columns[1], columns, within, minimum, count)
    if found is None or len(found.labels) == 1:
        return Groups("", (), [[]], [[]], [0] * invited.height)
    return found


def labelled(groups: Groups, column: str) -> pl.Series:
    """The label that each invited person's group has in a column."""
    place = groups.columns.index(column)
    return pl.Series(column, [groups.labels[number][place] for number in groups.places], pl.String)


def _null(column: str) -> pl.Series | pl.Expr:
    return pl.lit(None, pl.String).alias(column)


def _divided(cut: str, columns: tuple[str, ...], invited: pl.DataFrame, minimum: int, count: Count) -> Groups:
    """Groups of the last column within those of the one before it, which are large enough."""
    labels: list[list[str | None]] = []
    members: list[list[str | None]] = []
    numbers: dict[tuple[str | None, ...], int] = {}
    sizes = sorted(count(invited, columns).items(), key=lambda each: _order(each[0]))
    for parents, values in groupby(sizes, lambda each: each[0][:-1]):
        for merged in _merged([(row[-1], n) for row, n in values], minimum):
            numbers |= {(*parents, member): len(labels) for member in merged}
            labels.append([*parents, _named(merged)])
            members.append(merged)
    return Groups(cut, columns, labels, members, [numbers[row] for row in invited.select(columns).iter_rows()])


def _merged(sizes: Sequence[tuple[str | None, int]], minimum: int) -> list[list[str | None]]:
    """Values joined with the next until there are enough; the last of them, if too few, with the group before."""
    groups: list[tuple[list[str | None], int]] = []
    for value, n in sizes:
        if groups and groups[-1][1] < minimum:
            groups[-1] = ([*groups[-1][0], value], groups[-1][1] + n)
        else:
            groups.append(([value], n))
    if len(groups) > 1 and groups[-1][1] < minimum:
        (before, n), (last, m) = groups[-2:]
        groups[-2:] = [([*before, *last], n + m)]
    return [members for members, _ in groups]


def _named(members: Sequence[str | None]) -> str | None:
    return members[0] if len(members) == 1 else AND.join(each or NOT_KNOWN for each in members)


def _order(row: Sequence[str | None]) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in row]
