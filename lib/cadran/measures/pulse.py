"""What a question about pulse surveys reads: the cells that were released, of whole groups, one cut at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.book import Organisation
from cadran.book.pulse import pulse_of
from cadran.measures.catalogue import Question, Subject
from cadran.measures.disclosure_counts import TIMES
from cadran.measures.releases import released
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY, CUTS, ENPS, SCORED, TREE, Cell, Comment, Group, Release, Terms
from cadran.tables.pulse import Question as QuestionAsked

#: What a question may name: whose columns stand in every frame of cells.
COLUMNS = ("survey", "wave", "question", "dimension", *CUTS)
#: One question is the same in two waves if all of this is.
SAME_QUESTION = (
    "survey", "question", "kind", "low", "high", "unfavourable_to", "favourable_from", "is_reversed",
)  # fmt: skip
SAME_GROUP = ("cut", "parent", "group")


@dataclass(frozen=True)
class Known:
    """All that was released to a reader, and its cells in one frame."""

    releases: list[Release]
    cells: pl.DataFrame

    @classmethod
    def of(cls, book: Book) -> "Known":
        """Read it once, for what asks more than once."""
        found = released(book)
        return cls(found, cells_of(found, book))


def cells(
    book: Book, question: Question, kinds: Sequence[str] = SCORED, all_waves: bool = False, known: Known | None = None
) -> pl.DataFrame:
    """The released cells that a question is about.

    Args:
        book: At its moment: waves closed later are not there.
        question: `by` and `where` name at most one cut, the tree (region, team), or two that the survey crosses. `where`
            keeps whole groups as they were released. `since` and `until` are days on which waves closed.
        kinds: Kinds of question.
        all_waves: Whether waves are all those that the question keeps; the last one of each survey otherwise, unless the
            question names waves or days.
        known: What was read before.

    Returns:
        One row per wave, question and group: COLUMNS, `asked_in`, `closed_on`, `kind`, `scale`, the question's `low`,
        `high`, `unfavourable_to`, `favourable_from` and `is_reversed`, and what `Group` and `Cell` have.

    Raises:
        Problem: If it names more than one cut, or one that is not released.
    """
    known = known or Known.of(book)
    cut, releases = asked(known, question, all_waves, kinds)
    waves = pl.col("asked_in").is_in([each.name for each in releases])
    kept = [waves, pl.col("cut").is_in(cut), pl.col("kind").is_in(list(kinds)), *matches(question, question.where)]
    return known.cells.filter(*kept).sort("closed_on", "asked_in", *SAME_GROUP, "place", nulls_last=False)


def groups(book: Book, question: Question) -> pl.DataFrame:
    """The released groups that a question is about: as `cells`, without questions."""
    cut, releases = asked(Known.of(book), question, False, SCORED)
    # Questions choose the waves; a group is of none of them.
    names = [name for name in question.where if name not in ("question", "dimension")]
    found = _groups_of(releases, book).filter(pl.col("cut").is_in(cut), *matches(question, names))
    return found.sort("closed_on", "asked_in", *SAME_GROUP, nulls_last=False)


def asked(known: Known, question: Question, all_waves: bool, kinds: Sequence[str]) -> tuple[list[str], list[Release]]:
    """Which cut, under the names that releases may give it, and which waves."""
    if question.organisation == "today":
        raise Problem(
            "A survey knows its groups as they were when a wave opened, not today's.",
            "Ask without today's organisation.",
        )
    names = tuple(dict.fromkeys(column for column in question.columns if column in CUTS))
    cut, found = _cut(names), known.releases
    if cut[0] != COMPANY and not any(_declares(each, names) for each in found):
        if len(names) > 1:
            raise Problem(
                "A survey is told by one cut at a time, so that nobody can be singled out; asked for: {names}.",
                "Ask for one of them, or for region and team; a crossed table is declared in the survey, before it opens.",
                names=", ".join(names),
            )  # fmt: skip
        raise Problem(
            "What is asked for is not told by {column}.", "Its cuts are declared before it opens; these are told: {names}.",
            column=names[0], names=", ".join(dict.fromkeys(each for one in found for each in one.terms.cuts)) or "–",
        )  # fmt: skip
    # What is asked about waves and questions chooses the waves, whatever is told of a group in them.
    of_all = [pl.col("cut") == COMPANY, pl.col("kind").is_in(list(kinds))]
    kept = known.cells.filter(*of_all, *matches(question, set(question.where) - set(CUTS)))
    for day, is_in in ((question.since, pl.col("closed_on").ge), (question.until, pl.col("closed_on").le)):
        kept = kept.filter(is_in(pl.lit(day))) if day else kept
    if not (all_waves or question.since or question.until or "wave" in question.columns):
        kept = kept.filter(pl.col("closed_at") == pl.col("closed_at").max().over("survey"))
    releases = [each for each in found if each.name in set(kept["asked_in"])]
    if releases and not any(set(each.groups["cut"]) & set(cut) for each in releases):
        raise Problem(
            "{wave} tells nothing by {column}: merging its small groups left one.", "Ask without it, or of another wave.",
            wave=releases[-1].name, column=", ".join(names),
        )  # fmt: skip
    return cut, releases


def measured(rows: pl.DataFrame, question: Question, returns: Any) -> nw.LazyFrame:
    """The columns of the groups, then those a measure returns."""
    return nw.from_native(
        rows.select(*question.by, *returns.column_names()).cast(dict(returns.create_empty().schema)).lazy()
    )


def without_waves(question: Question) -> dict[str, tuple[Any, ...]]:
    """What is kept, of any wave."""
    return {name: values for name, values in question.where.items() if name != "wave"}


IS_EXACT = pl.col("told") == "exact"


def exact(rows: pl.DataFrame, *names: str) -> tuple[Any, ...]:
    """Columns of counts as arrays, nan where they are not told."""
    return tuple(rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in names)


def _declares(release: Release, names: tuple[str, ...]) -> bool:
    """Whether a survey is told by one cut, by the tree, or by two that it crosses."""
    terms = release.terms
    if len(names) == 1:
        return names[0] in terms.cuts
    return (set(names) == set(TREE) <= set(terms.cuts)) or any(set(names) == set(pair) for pair in terms.crossed)


def _cut(names: tuple[str, ...]) -> list[str]:
    """What releases may call the cut of these columns."""
    if len(names) < 2:
        return [*names] or [COMPANY]
    if set(names) == set(TREE):
        return [TREE[1]]
    return [TIMES.join(names), TIMES.join(reversed(names))]


def matches(question: Question, names: Iterable[str]) -> list[pl.Expr]:
    """Whether `where` keeps a row, column by column."""
    values = {name: pl.Series(question.where[name], dtype=pl.String).implode() for name in names}
    return [pl.col(name).is_in(kept, nulls_equal=True) for name, kept in values.items()]


def cells_of(releases: Sequence[Release], book: Book) -> pl.DataFrame:
    """The cells of releases beside what they are cells of."""
    parts = []
    for each in releases or [_NONE]:
        questions = each.questions.with_row_index("place").drop("text_en", "text_fr", "labels_en", "labels_fr")
        told = each.cells.join(each.groups.drop("members"), on=list(SAME_GROUP), how="left", nulls_equal=True)
        parts.append(_named(each, told.join(questions, on="question_id", how="left"), book))
    return pl.concat(parts).with_columns(
        **{name: _of_cut(name) for name in CUTS},
        scale=pl.format("{}–{}", "low", "high"),
        question="question_id",
        of_dimension="dimension",
        within="parent",
    )


def _groups_of(releases: Sequence[Release], book: Book) -> pl.DataFrame:
    parts = [_named(each, each.groups.drop("members"), book) for each in releases or [_NONE]]
    nothing = pl.lit(None, pl.String)
    told = {name: _of_cut(name) for name in CUTS}
    return pl.concat(parts).with_columns(**told, within="parent", question=nothing, dimension=nothing)


#: What is told where no wave was.
_NONE = Release(
    Terms("", {}, "anonymous"), "", datetime(1, 1, 2, tzinfo=UTC),
    QuestionAsked.create_empty(), Group.create_empty(), Cell.create_empty(), Comment.create_empty(),
)  # fmt: skip


def _named(release: Release, frame: pl.DataFrame, book: Book) -> pl.DataFrame:
    """With the wave."""
    closed = release.closed_at
    return frame.with_columns(
        asked_in=pl.lit(release.name), survey=pl.lit(release.terms.survey), wave=pl.lit(release.wave),
        closed_at=pl.lit(closed), closed_on=pl.lit(closed.astimezone(ZoneInfo(book.settings.time_zone)).date()),
    )  # fmt: skip


def _of_cut(name: str) -> pl.Expr:
    """The group of one cut that a row is of: itself, or what it stands within."""
    crossed = [
        TIMES.join(pair)
        for one, other in combinations(CUTS, 2)
        for pair in ((one, other), (other, one))
        if name in pair
    ]
    first = [each for each in crossed if each.startswith(name + TIMES)] + [TREE[1]] * (name == TREE[0])
    second = [each for each in crossed if each.endswith(TIMES + name)] + [name]
    cut = pl.col("cut")
    return (
        pl.when(cut.is_in(second))
        .then("group")
        .when(cut.is_in(first))
        .then("parent")
        .otherwise(pl.lit(None, pl.String))
    )


def _rows(book: Book, columns: Iterable[str], organisation: Organisation) -> nw.LazyFrame:
    """What can be asked about: every released group and question."""
    found = Known.of(book).cells.select(*dict.fromkeys(columns)).lazy()
    return nw.from_native(found)


def _lacks(book: Book) -> str:
    """That no wave has closed, where none has."""
    pulse = pulse_of(book)
    if pulse.wave_names() or any(pulse.releases()):
        return ""
    later = len(replace(pulse, until=None).wave_names())
    return f"waves (closed by {book.day}) 0/{later}" if later else "waves (closed) 0/1"


PULSE = Subject(COLUMNS, _rows, "Surveys have no column {column}.", _lacks)
#: What repairs a book without a survey.
REPAIR = (
    "Run a survey (`cadran survey new`, `check`, `open`, `close`), or import the results of one: what can be told of a "
    "wave is told once it has closed."
)
KINDS_OF_SHARE = tuple(kind for kind in SCORED if kind not in ENPS)
