"""Comments as they may be shown: each once, in one group of many, without a date or an order."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import polars as pl

from cadran.book.masking import masked
from cadran.measures.disclosure_counts import AND, NOT_KNOWN, Counted, named
from cadran.tables.pulse import CUTS, TREE, Comment, Wave


def shown(wave: Wave, counts: Counted, groups: Sequence[Sequence[str | None]], protect: bool = True) -> pl.DataFrame:
    """What was written, with the group of regions it stands in, if that is all it takes.

    Each comment stands in one group alone, and a group holds at least `comments_minimum` who answered and could have
    written: else none is shown.

    Args:
        wave: With its comments.
        counts: The same, counted.
        groups: The regions that are released together, each group as its members.
        protect: Without it, comments stand as they came.
    """
    comments = wave.comments
    if not protect:
        return comments
    minimum = max(wave.terms.comments_minimum, wave.terms.minimum)
    if counts.n_respondents < minimum or comments.is_empty():
        return comments.clear()
    regions = next((cut for cut in counts.cuts if cut.name == TREE[0]), None)
    label: dict[str | None, str | None] = {}
    if regions is not None and groups:
        n_by_value = np.bincount(regions.values, minlength=len(regions.labels))
        n = {member: 0 for group in groups for member in group}
        for members, each in zip(regions.members, n_by_value.tolist(), strict=True):
            n[members[0]] = n.get(members[0], 0) + each
        known = set(n)
        stored = {name: _members(name, known) for name in comments[TREE[0]].unique().to_list()}
        for joined in _large(_connected([*map(list, groups), *stored.values()]), n, minimum):
            name = named(joined)
            label |= {each: name for each, members in stored.items() if set(members) <= set(joined)}
        if len(set(label.values())) == 1:
            label = {}
    order = np.random.default_rng(int(sha256(_content(comments).encode()).hexdigest()[:16], 16)).permutation(
        comments.height
    )
    in_order = comments.sort(pl.all(), nulls_last=True)[order.tolist()]
    told = pl.Series([label.get(name) for name in in_order[TREE[0]]], dtype=pl.String)
    texts = pl.Series([masked(text, ()) for text in in_order["text"]], dtype=pl.String)
    hidden = [pl.lit(None, pl.String).alias(cut) for cut in CUTS if cut != TREE[0]]
    return in_order.with_columns(told.alias(TREE[0]), texts.alias("text"), *hidden).select(Comment.column_names())


def _content(comments: pl.DataFrame) -> str:
    return "\n".join(sorted(map(str, comments.iter_rows())))


def _members(name: str | None, known: set[str | None]) -> list[str | None]:
    """The regions that a label joins."""
    if name is None or name in known or AND not in name:
        return [name]
    return [None if each == NOT_KNOWN else each for each in name.split(AND)]


def _connected(groups: Sequence[list[str | None]]) -> list[list[str | None]]:
    """Groups that share a member become one; in their fixed order."""
    found: list[set[str | None]] = []
    for group in groups:
        mine = set(group)
        for each in [each for each in found if each & mine]:
            mine |= each
            found.remove(each)
        found.append(mine)
    return sorted((sorted(each, key=_order) for each in found), key=lambda each: _order(each[0]))


def _large(groups: Sequence[list[str | None]], n: dict[str | None, int], minimum: int) -> list[list[str | None]]:
    """Neighbours joined until each holds the minimum."""
    found: list[list[str | None]] = []
    for group in groups:
        if found and sum(n.get(each, 0) for each in found[-1]) < minimum:
            found[-1] = [*found[-1], *group]
        else:
            found.append(list(group))
    if len(found) > 1 and sum(n.get(each, 0) for each in found[-1]) < minimum:
        last = found.pop()
        found[-1] = [*found[-1], *last]
    return found


def _order(name: str | None) -> tuple[bool, str]:
    return name is None, name or ""
