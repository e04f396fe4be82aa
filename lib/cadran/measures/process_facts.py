"""What each deal had collected by a moment of its own: interactions, waits, stages, people, pushes, amounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.book.known import kept_from
from cadran.book.landmarks import facts_at
from cadran.book.moments import beside, latest, rows
from cadran.measures.catalogue import Question
from cadran.measures.counting import small
from cadran.measures.response import waits
from cadran.measures.signals_learnt import in_polars
from cadran.measures.visits import visits, whole_lives
from cadran.tables.activities import DIRECTIONS, KINDS

#: Of the functions and levels of contacts, as many are told, the most frequent.
MOST_TOLD = 8
#: What contacts are grouped by: a deal counts in each function, or level, that it involves.
PEOPLE = ("job_function", "seniority")
_DEAL, _DAY, _HOUR = "opportunity_key", 86_400_000_000, 3_600_000_000

#: A fact, and the stage, kind, direction, function or level it is about; None for all.
Named = tuple[str, str | None]


@dataclass(frozen=True)
class Collected:
    """What deals had collected, each by its own moment."""

    #: One row per deal: `opportunity_key`, and what `facts_at` says.
    told: pl.DataFrame
    #: By fact: one row per deal of which it is known: `opportunity_key`, `value` (0 and 1 for no and yes).
    values: dict[Named, pl.DataFrame]
    #: By fact: one row per wait or stay: `opportunity_key`, `value` (hours, days), `has_happened` by the moment.
    times: dict[Named, pl.DataFrame]
    #: One row per deal and sort of contact involved: `opportunity_key` and `PEOPLE`.
    people: pl.DataFrame


def cohort(book: Book, question: Question, age_days: int | None, columns: Iterable[str]) -> pl.DataFrame:
    """The deals created in the period, and up to when the facts of each are told.

    Args:
        book: The book, whose moment ends what is followed.
        question: Its period and organisation.
        age_days: The age at which deals are compared; None for whole lives.
        columns: Further columns of deals.

    Returns:
        One row per deal, by key: its keys, `status`, `columns`, `cycle_days`, and `client_number` (deals without a
        client have one each).
        `at`, `at_us`: up to when its facts are told: when it reached the age; or when it closed, or the book ends, if
        that was before, or over whole lives.
        `is_compared`: it was open at that age, or closed over whole lives. `is_early`: it closed before that age.
        `followed_days`, `lived_days`: how long it was followed from that age on, and from its creation on; null where
        its creation is not known, lies before what a purge kept, or it has not reached the age.
    """
    asked = (_DEAL, "opportunity_id", "status", "created_at", "created_date", "closed_at", "cycle_days", "group_id")
    deals = book.deals([*dict.fromkeys((*asked, *columns))], question.organisation)
    deals = deals.filter(question.days("created_date")) if question.since or question.until else deals
    timed = small(book.engine.microseconds(deals, {"created_us": "created_at", "closed_us": "closed_at"})).sort(_DEAL)
    now = (book.moment - EPOCH) // timedelta(microseconds=1)
    created, ended = pl.col("created_us"), pl.coalesce("closed_us", pl.lit(now))
    # Deals that closed before what a purge kept are gone: of those begun before, only the slow are left.
    first_kept = kept_from(book)
    kept = -(2**62) if first_kept is None else (first_kept - EPOCH) // timedelta(microseconds=1)
    begins = created if age_days is None else created + age_days * _DAY
    at_us = ended if age_days is None else pl.min_horizontal(begins, ended)
    timed = timed.with_columns(
        pl.max_horizontal(at_us, pl.lit(kept)).alias("at_us"),
        client_number=pl.coalesce("group_id", pl.lit("deal ") + pl.col("opportunity_id")).rank("dense").cast(pl.Int64)
        - 1,
        followed_days=pl.when((begins >= kept) & (begins <= now)).then((ended - begins).clip(0)) / _DAY,
        lived_days=pl.when(created >= kept).then((ended - created).clip(0)) / _DAY,
        is_early=(pl.col("closed_us") <= begins).fill_null(False) & pl.lit(age_days is not None),
    )
    timed = timed.with_columns(at=pl.from_epoch("at_us", "us").dt.replace_time_zone("UTC"))
    was_open = pl.lit(True) if age_days is None else _is_among(_open_then(book, timed.select(_DEAL, "at")))
    return timed.with_columns(is_compared=pl.col("followed_days").is_not_null() & ~pl.col("is_early") & was_open)


def _open_then(book: Book, asked: pl.DataFrame) -> pl.DataFrame:
    """The deals that were open at their moment."""
    told = rows(in_polars(book), "versions", _DEAL, "valid_from", "valid_to", "status")
    past = beside(asked.with_row_index("row"), told, _DEAL, "valid_from")
    still = pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("at"))
    return past.filter(still & (pl.col("status").cast(pl.String) == "open")).select(_DEAL).unique()


def collected(book: Book, deals: pl.DataFrame) -> Collected:
    """What each deal had collected by its moment, nothing later.

    Args:
        book: The book.
        deals: One row per deal: `opportunity_key`, `opportunity_id`, `at` (its moment) and `at_us`, that moment in
            microseconds since 1970.
    """
    told = facts_at(book, deals.select(_DEAL, "at"))
    asked = deals.select(_DEAL, "at").with_row_index("row")
    involved = _people(book, asked)
    stays, came = _stages(book, deals)
    waited = _waits(book, deals)
    has = {
        "n_contacts": pl.col("n_contacts"), "n_functions": pl.col("n_functions"),
        "has_senior": pl.col("has_senior"), "has_decision_maker": pl.col("has_decision_maker"),
        "pushed": pl.col("n_pushes") > 0, "amount_up": pl.col("amount_change") > 1e-9,
        "amount_down": pl.col("amount_change") < -1e-9,
    }  # fmt: skip
    values: dict[Named, pl.DataFrame] = {(fact, None): _known(told, value) for fact, value in has.items()}
    values |= came | _touches(book, asked, told)
    for fact, column in {"has_function": "job_function", "has_seniority": "seniority"}.items():
        values |= {(fact, about): frame for about, frame in _involving(involved, column).items()}
    of_waits = ("response_hours", "response_p90_hours", "response_hour", "response_day")
    return Collected(told, values, stays | {(fact, None): waited for fact in of_waits}, involved)


def _known(told: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    return told.select(_DEAL, value=value.cast(pl.Float64)).drop_nulls("value")


def _touches(book: Book, asked: pl.DataFrame, told: pl.DataFrame) -> dict[Named, pl.DataFrame]:
    """Interactions of each deal until its moment, as `facts_at` counts them: in all, by kind and by direction."""
    done = rows(in_polars(book), "activities", _DEAL, "kind", "direction", "is_automatic", "at").rename({"at": "on"})
    kind, direction = pl.col("kind").cast(pl.String), pl.col("direction").cast(pl.String)
    is_internal = ((kind == "task") & direction.is_null()).fill_null(False)
    human = done.filter(~pl.col("is_automatic").fill_null(False), ~is_internal, pl.col(_DEAL).is_not_null())
    had = beside(asked, human.with_columns(kind, direction), _DEAL, "on")
    found: dict[Named, pl.DataFrame] = {("n_touches", None): _known(told, pl.col("n_touches"))}
    for column, names, known in (("kind", KINDS, "n_touches"), ("direction", DIRECTIONS, "n_inbound_30")):
        there = set(had[column])
        everyone = told.filter(pl.col(known).is_not_null()).select(_DEAL)
        for name in (name for name in names if name in there):
            counted = had.filter(pl.col(column) == name).group_by(_DEAL).agg(n=pl.len())
            every = everyone.join(counted, on=_DEAL, how="left", maintain_order="left")
            found["n_touches", name] = _known(every, pl.col("n").fill_null(0))
    return found


def _waits(book: Book, deals: pl.DataFrame) -> pl.DataFrame:
    """The waits of clients begun by the moment of their deal: hours to the reply, or to that moment without one."""
    begun = small(waits(book, Question())).join(deals, on=_DEAL).sort(_DEAL, "age_hours")
    now_us = pl.lit(book.moment).cast(pl.Datetime("us", "UTC")).cast(pl.Int64)
    followed = pl.col("age_hours") - (now_us - pl.col("at_us")) / _HOUR
    timed = begun.with_columns(followed=followed).filter(pl.col("followed") >= 0)
    replied = pl.col("response_hours")
    return timed.select(
        _DEAL,
        value=pl.min_horizontal(replied, "followed"),
        has_happened=(replied <= pl.col("followed")).fill_null(False),
    )


def _stages(book: Book, deals: pl.DataFrame) -> tuple[dict[Named, pl.DataFrame], dict[Named, pl.DataFrame]]:
    """Stays in each open stage begun by the moment of their deal, and whether it had come there, by stage; nothing of
    deals whose stages the book did not see from the first on."""
    seen = whole_lives(book, book.deals(["opportunity_id"])).filter(nw.col("is_whole"))
    whole = deals.join(small(seen.select("opportunity_id")), on="opportunity_id", how="semi")
    stays = small(visits(book, Question(by=("opportunity_id",)))).join(whole, on="opportunity_id")
    since, ended = (pl.col(name).cast(pl.Datetime("us", "UTC")).cast(pl.Int64) for name in ("since", "ended"))
    begun = stays.filter(since <= pl.col("at_us")).sort(_DEAL, "since")
    timed = begun.select(
        _DEAL, "entered_stage", value=(pl.min_horizontal(ended, "at_us") - since) / _DAY,
        has_happened=(ended <= pl.col("at_us")).fill_null(False),
    )  # fmt: skip
    stages = small(book.table("stages").filter(nw.col("kind") == "open")).sort("position", "stage")["stage"].to_list()
    lasted: dict[Named, pl.DataFrame] = {
        ("stage_days", stage): timed.filter(pl.col("entered_stage") == stage).drop("entered_stage") for stage in stages
    }
    came: dict[Named, pl.DataFrame] = {
        ("stage_reached", stage): _known(whole, _is_among(lasted["stage_days", stage])) for stage in stages[1:]
    }
    return lasted, came


def _is_among(deals: pl.DataFrame) -> pl.Expr:
    return pl.col(_DEAL).is_in(deals[_DEAL].unique().implode())


def _people(book: Book, asked: pl.DataFrame) -> pl.DataFrame:
    """Who was involved in each deal at its moment, with the function and level they were then known to have."""
    book = in_polars(book)
    parts = rows(book, "deal_contacts", _DEAL, "contact_id", "since")
    contacts = rows(book, "contacts", "contact_id", "valid_from", *PEOPLE)
    involved = beside(asked, parts, _DEAL, "since").drop("row").with_row_index("row")
    known = involved.join(latest(involved, contacts, "contact_id"), on="row", how="left")
    return known.select(_DEAL, *PEOPLE).unique().sort(_DEAL, *PEOPLE)


def _involving(involved: pl.DataFrame, column: str) -> dict[str, pl.DataFrame]:
    """Whether each deal involves a function, or a level, by the most frequent; nothing of deals that know none."""
    known = involved.select(_DEAL, about=column).drop_nulls().unique()
    ranked = known.group_by("about").len().sort("len", "about", descending=[True, False])
    deals = known.select(_DEAL).unique().sort(_DEAL)
    return {
        about: _known(deals, _is_among(known.filter(about=about))) for about in sorted(ranked["about"].head(MOST_TOLD))
    }
