"""What was promised, followed on what was released: how answers moved since, never that the promise moved them."""

import polars as pl

from cadran.book import Book
from cadran.book.promised import promises
from cadran.measures.catalogue import Question
from cadran.measures.pulse import SAME_QUESTION, cells
from cadran.measures.pulse_points import difference, ends, with_points
from cadran.measures.releases import released, sees_all
from cadran.tables.measured.promised import Followed
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY, CUTS, SCORED, Group

NONE_BEFORE = "No wave of it was released to these people when it was promised, or not exactly."
NONE_SINCE = "No wave of it was released to these people since, or not exactly."
_GROUP = ["survey", "cut", "parent", "group"]


def check_about(
    book: Book, about: str, group: str | None = None, cut: str = COMPANY
) -> tuple[str, str | None, str | None, str]:
    """Where in what was released a promise stands.

    Args:
        book: With its reader: nothing is promised to a group that they may not see.
        about: A question or a dimension.
        group: The group's name as released; null: the company.
        cut: What groups it is of.

    Returns:
        Cut, parent, group, and the survey, of the last wave released that asks it.

    Raises:
        Problem: If no released wave asks it, or the group was not released in the last that does.
    """
    for release in reversed(released(book)):
        asked = release.questions.filter(pl.col("kind").is_in(SCORED))
        if about in {*asked["question_id"], *asked["dimension"].drop_nulls()}:
            break
    else:
        known = sorted({each for one in released(book) for each in one.questions["dimension"].drop_nulls()})
        raise Problem("No wave that was released asks about {about}.", "Name a question, or one of: {names}.", about=about,
                      names=", ".join(known) or "-")  # fmt: skip
    # Crossed tables are not followed: their groups seldom stay the same.
    is_group = (pl.col("cut") == cut) & pl.col("cut").is_in([COMPANY, *CUTS])
    there = release.groups.filter(is_group, pl.col("group").eq_missing(pl.lit(group, pl.String)))
    if there.height != 1:
        names = release.groups.filter(pl.col("cut") == cut)["group"].drop_nulls()
        raise Problem(
            "{wave} was not released for {group}.", "Groups released: {names}.", wave=release.name, group=group or cut,
            names=", ".join(names) or "-",
        )  # fmt: skip
    return cut, there["parent"].item(), group, release.terms.survey


def promises_seen(book: Book) -> pl.DataFrame:
    """What was promised to the company and to the groups that the book's reader may see: `Promise`, in the order noted."""
    given = promises(book)
    if sees_all(book):
        return given
    key = ["cut", "parent", "group"]
    theirs = pl.concat(
        [Group.create_empty().select(key), *(each.groups.select(key) for each in released(book))]
    ).unique()
    return given.join(theirs, on=key, how="semi", nulls_equal=True, maintain_order="left")


def followed(book: Book) -> pl.DataFrame:
    """Every question that promises are about: its value when it was promised, its last one since, and what it moved by.

    Args:
        book: At its moment. A reader is told of the groups they may see.

    Returns:
        One row per promise and question, as `Followed`. A promise about a dimension has one row for each of its questions.
        Answers may have moved for other reasons: nothing here says that the promise moved them.
    """
    given = promises_seen(book)
    types = dict(Followed.create_empty().schema)
    if given.is_empty():
        return Followed.create_empty()
    # A reader may see no group of a cut at all: then nothing of it is followed.
    shown = {cut for release in released(book) for cut in release.groups["cut"]}
    cuts = [COMPANY, *(cut for cut in given["cut"].unique(maintain_order=True) if cut in shown and cut != COMPANY)]
    own = pl.concat([_cells(book, cut) for cut in cuts])
    asked = given.rename({"about": "_about"}).join(
        own.select("survey", "question", "dimension").unique(maintain_order=True), on="survey"
    )
    about = (pl.col("question") == pl.col("_about")) | (pl.col("dimension") == pl.col("_about")).fill_null(False)
    asked = asked.filter(about).select("promise_id", "question", "promised_on", *_GROUP)
    told = asked.join(own.filter(pl.col("told") == "exact"), on=["question", *_GROUP], nulls_equal=True).sort(
        "closed_on"
    )
    key = ["promise_id", "question"]
    before = told.filter(pl.col("closed_on") <= pl.col("promised_on")).unique(key, keep="last", maintain_order=True)
    since = told.filter(pl.col("closed_on") > pl.col("promised_on"))
    # A question asked otherwise since is another one.
    same = [name for name in SAME_QUESTION if name not in ("survey", "question")]
    since = since.join(before.select(*key, *same), on=[*key, *same], how="semi", nulls_equal=True)
    since = since.unique(key, keep="last", maintain_order=True)
    counts = ("n", "n_high", "n_middle", "n_low")
    both = asked.select(key).unique(maintain_order=True).join(
        before.select(*key, "kind", first_wave="wave", **{f"{name}_first": name for name in counts}), on=key, how="left"
    ).join(since.select(*key, "value", "wave", *counts), on=key, how="left", maintain_order="left")  # fmt: skip
    firsts = before.select(*key, "quantity", first="value", first_n="n")
    n = max(both["wave"].count(), 1)
    low, high = ends(both.rename({f"{name}": f"{name}_last" for name in counts}), "_first")
    last_low, last_high = ends(both)
    rows = both.with_columns(
        *difference(both, "_first", "moved"), *difference(both, "_first", "strict", 1 - 0.05 / n), last="value",
        last_wave="wave", last_n="n", first_low=low, first_high=high, last_low=last_low, last_high=last_high,
        n_compared=pl.lit(both["wave"].count(), pl.Int64),
    ).join(firsts, on=key, how="left", maintain_order="left")  # fmt: skip
    reason = (
        pl.when(pl.col("first").is_null())
        .then(pl.lit(NONE_BEFORE))
        .when(pl.col("last").is_null())
        .then(pl.lit(NONE_SINCE))
    )
    is_change = (pl.col("strict_low") > 0) | (pl.col("strict_high") < 0)
    rows = rows.with_columns(reason=reason, is_change=pl.when(pl.col("moved").is_not_null()).then(is_change))
    return Followed.validate(rows.select(pl.col(name).cast(each) for name, each in types.items()))


def _cells(book: Book, cut: str) -> pl.DataFrame:
    """Released cells of a cut in all waves, with their points."""
    by = () if cut == COMPANY else (cut,)
    return with_points(cells(book, Question(by), all_waves=True)).filter(pl.col("cut") == cut)
