"""Each answer once: rows given twice, and answers of one respondent that contradict each other."""

import polars as pl

from cadran.sources.place import ID
from cadran.sources.rules import BROKEN
from cadran.tables.pulse import CUTS

_SAID = ("score", "choice", "comment", "is_not_applicable")
_PERSON = ("wave", "respondent")


def copies(said: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set aside what is given twice, and what contradicts itself.

    - Rows of one `answer_id` in one wave: copies but for the first if they are the same, else all.
    - Rows of one respondent in one wave, about one question (or, where a row is a respondent, about all): likewise.
    - Rows of one respondent that tell different groups of one cut in one wave: all.

    Args:
        said: A row for each answer: `ID`, `wave`, `question_id`, what was answered, keys and cuts where there are
            any; `is_wide` where its row is a respondent.

    Returns:
        The answers kept, each cut of a respondent filled where another of their rows tells it; `BROKEN` rows.
    """
    cuts = [cut for cut in CUTS if cut in said.columns]
    broken = [pl.DataFrame(schema=BROKEN)]
    if "answer_id" in said.columns:
        rows = _as_rows(said.drop_nulls("answer_id"), [c for c in ("wave", "answer_id") if c in said.columns], cuts)
        broken.append(_told(rows, "twice", "answer_differs", "answer_id"))
        said = without(said, broken[-1])
    if "respondent" in said.columns:
        persons = said.select(_PERSON).unique().with_row_index("@person")
        said = said.join(persons, on=_PERSON, how="left", nulls_equal=True, maintain_order="left")
        long = said.filter(~pl.col("is_wide") & pl.struct("@person", "question_id").is_duplicated())
        long = long.select(ID, key=pl.struct("@person", "question_id").hash(), text=pl.struct(_SAID).hash())
        wide = _as_rows(said.filter("is_wide"), ["@person"], [])
        broken += [
            _told(wide, "answered_again", "answered_twice", ""),
            _told(long, "answered_again", "answered_twice", "answer"),
        ]
        said, torn = _in_one_group(without(said, pl.concat(broken)), cuts)
        broken += torn
    return said, pl.concat(broken).unique(maintain_order=True)


def without(said: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The answers of all rows but these."""
    return said.join(rows, on=ID, how="anti", maintain_order="left") if rows.height else said


def _in_one_group(said: pl.DataFrame, cuts: list[str]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The answers of those who are in one group of each cut, each told on every row; the rows of the others."""
    if said.select("@person", *cuts).unique().height == said["@person"].n_unique():
        return said, []
    ends = [pl.col(cut).min().name.prefix("@min_") for cut in cuts] + [
        pl.col(cut).max().name.prefix("@max_") for cut in cuts
    ]
    each = said.group_by("@person").agg(ends)
    torn = []
    for cut in cuts:
        odd = each.filter(pl.col(f"@min_{cut}") != pl.col(f"@max_{cut}"))
        rows = said.join(odd, on="@person", how="semi", maintain_order="left")[ID].unique(maintain_order=True)
        torn.append(rows.to_frame().select(ID, pl.lit(cut).alias("field"), pl.lit("in_two_groups").alias("rule")))
    said = without(said, pl.concat(torn))
    told = each.select("@person", *(pl.col(f"@min_{cut}").alias(cut) for cut in cuts))
    return said.drop(cuts).join(told, on="@person", how="left", maintain_order="left"), torn


def _as_rows(said: pl.DataFrame, key: list[str], cuts: list[str]) -> pl.DataFrame:
    """A row for each of the file: its key, and all that it says, as one number each."""
    what = pl.struct("question_id", *_SAID, *cuts).hash()
    return said.group_by(ID, maintain_order=True).agg(
        key=pl.struct(key).hash().first(), text=what.sort().cast(pl.String).str.join(",")
    )


def _told(rows: pl.DataFrame, same: str, different: str, of: str) -> pl.DataFrame:
    """Of rows with one key: all but the first if they say the same, else all."""
    again = rows.filter(pl.col("key").is_duplicated())
    differs = (pl.col("text").n_unique() > 1).over("key")
    is_first = pl.col(ID) == pl.col(ID).min().over("key")
    told = again.with_columns(rule=pl.when(differs).then(pl.lit(different)).otherwise(pl.lit(same)))
    told = told.filter(differs | ~is_first)
    return told.select(ID, pl.lit(of).alias("field"), "rule")
