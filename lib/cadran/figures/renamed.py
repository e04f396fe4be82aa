"""What is said of stages whose names may have changed midway. Computes no number."""

from typing import TYPE_CHECKING

import polars as pl

from cadran.text import Words

if TYPE_CHECKING:
    from cadran.figures.blocks import Block


def told_renamed(pairs: pl.DataFrame, words: Words) -> list[str]:
    """Pairs of names that may be one stage, a sentence each, and at the end how to make them one. Nothing if there are none."""
    if pairs.is_empty():
        return []
    asked = [
        words("Renamed? {old} ({n_old} entries) is no longer entered, and {new} ({n_new}) is since about {day}, in the same place.",
              old=row["old_stage"], new=row["new_stage"], n_old=words.number(row["n_old"]), n_new=words.number(row["n_new"]),
              day=words.date(row["since"]))
        for row in pairs.iter_rows(named=True)
    ]  # fmt: skip
    values = ", ".join(f'"{old}" = "{new}"' for old, new in pairs.select("old_stage", "new_stage").iter_rows())
    return [*asked, words(
        "Here they count as different stages, each with half a life. If they are one: in the mapping, add values = {values} "
        "to stage, take the old name out of the list of stages, and import again (docs/mapping.md).",
        values=f"{{ {values} }}",
    )]  # fmt: skip


def renamed(pairs: pl.DataFrame, words: Words) -> "dict[str, Block]":
    """A notice of the stages whose names may have changed."""
    from cadran.figures.blocks import Nothing, Notice  # A page's, with all that draws; the command only tells.

    told = told_renamed(pairs, words)
    return {"renamed": Notice(" ".join(told), words("Stages with two names?"), "little") if told else Nothing()}
