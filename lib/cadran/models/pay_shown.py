"""Under which names pay is shown: no team so small that its members would know each other's."""

from collections.abc import Sequence

import dataframely as dy
import polars as pl

#: Fewer paid sellers than this are not shown as a team: each would know what the other gets.
LEAST = 3


def typed(schema: type[dy.Schema], frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames as one, with the columns and types of a schema."""
    told = [frame.select(schema.column_names()) for frame in frames]
    return schema.validate(pl.concat(told, how="vertical_relaxed"), cast=True) if told else schema.create_empty()


def money(cents: str) -> pl.Expr:
    """A column of cents as an amount: polars divides by multiplying, which leaves a trace behind the last decimal."""
    return (pl.col(cents) / 100).round(2)


def shown_as(rows: pl.DataFrame) -> dict[str | None, str | None]:
    """The name under which each team is shown: small ones together with the next, until each has `LEAST` sellers.

    The least number of sellers that a team has in any period counts. Empty where even all together are too few.
    """
    counts = rows.group_by("team", *(["period"] if "period" in rows.columns else [])).len().group_by("team").agg(
        pl.col("len").min()
    ).sort("len", "team", nulls_last=True)  # fmt: skip
    groups: list[tuple[list[str | None], int]] = []
    for team, n in counts.rows():
        if groups and groups[-1][1] < LEAST:
            groups[-1] = ([*groups[-1][0], team], groups[-1][1] + n)
        else:
            groups.append(([team], n))
    if len(groups) > 1 and groups[-1][1] < LEAST:
        last = groups.pop()
        groups[-1] = ([*groups[-1][0], *last[0]], groups[-1][1] + last[1])
    shown: dict[str | None, str | None] = {}
    for members, n in groups:
        name = None if members == [None] else " + ".join(sorted(each or "–" for each in members))
        shown |= dict.fromkeys(members, "" if n < LEAST else name)
    return shown
