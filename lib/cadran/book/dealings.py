"""Who was involved in deals, the touches they had had, and how long clients had waited, each at a moment of its own."""

from functools import reduce

import polars as pl

from cadran.book.book import Book
from cadran.book.moments import beside, latest, once_told, rows, told_since
from cadran.book.whole import whole_of

#: Words of a contact's seniority (plain letters, lower case) that stand for those who direct, in English and French.
SENIOR = (
    r"\b(executives?|exec|c level|c suite|c[a-z]{1,2}o|chief|president|presidente|[se]?vp|head|directors?|owner|"
    r"(co)?founder|partner|board|general manager|"
    r"dirigeante?s?|directeurs?|directrices?|direction|dg|pdg|gerante?|fondateur|fondatrice|proprietaire|comex|codir)\b"
)
#: Words that make an assistant, or a seller, of them.
NOT_SENIOR = r"\b(assistante?|secretary|secretaire|account executive)\b"
#: Words of the part that a contact plays in a deal that stand for those who decide, in English and French.
DECIDES = (
    r"\b(decision ?makers?|decider|economic (buyer|decision)|executive sponsor|budget holder|approver|signatory|"
    r"decideurs?|decideuse|decisionnaires?|decisionnel|signataires?|approbateur|donneur d ordre|detenteur du budget)\b"
)
_DEAL = "opportunity_key"
_MONTH, _DAY = pl.duration(days=30), pl.duration(days=1)
_PER_DAY, _PER_HOUR = 86_400_000_000, 3600


def people(book: Book, asked: pl.DataFrame) -> pl.DataFrame:
    """Who was involved in each deal, with the function and seniority they were then known to have.

    Args:
        book: Read by polars.
        asked: One row per question: `row`, `opportunity_key`, `at`.

    Returns:
        A row per question: `row`, and the facts of the group "people".
    """
    parts = rows(book, "deal_contacts", _DEAL, "contact_id", "role", "since")
    contacts = rows(book, "contacts", "contact_id", "valid_from", "job_function", "seniority")
    involved = beside(asked, parts, _DEAL, "since").rename({"row": "deal"}).with_row_index("row")
    known = involved.join(latest(involved, contacts, "contact_id"), on="row", how="left")
    directs = _says("seniority", SENIOR) & ~_says("seniority", NOT_SENIOR)
    counted = known.group_by("deal").agg(
        n_contacts=pl.len().cast(pl.Int64),
        n_functions=pl.col("job_function").drop_nulls().n_unique().cast(pl.Int64),
        has_senior=directs.any(),
        has_decision_maker=_says("role", DECIDES).any(),
    )
    facts = asked.join(counted, left_on="row", right_on="deal", how="left").with_columns(
        pl.col("n_contacts", "n_functions").fill_null(0), pl.col("has_senior", "has_decision_maker").fill_null(False)
    )
    told_of = whole_of(book, __name__)
    since = told_since(
        rows(told_of, "deal_contacts", "role", "since"), "since",
        n_contacts=pl.lit(True), has_decision_maker=pl.col("role").is_not_null(),
    ) | told_since(
        rows(told_of, "contacts", "valid_from", "job_function", "seniority"), "valid_from",
        n_functions=pl.col("job_function").is_not_null(), has_senior=pl.col("seniority").is_not_null(),
    )  # fmt: skip
    return reduce(lambda told, name: once_told(told, since[name], name), since, facts).drop(_DEAL, "at")


def _says(column: str, words: str) -> pl.Expr:
    plain = pl.col(column).str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    return plain.str.replace_all(r"[^a-z0-9]+", " ").str.contains(words).fill_null(False)


def touches(book: Book, asked: pl.DataFrame) -> pl.DataFrame:
    """The touches that each deal had had, and the waits of its client.

    A touch is between people: what a machine sent is none, nor is a task without a direction, which is internal. A
    wait is as in the measure `response_time`: it begins with an inbound touch while none before it waits for its
    reply, and ends with that reply; while there is none it has lasted until the moment. Hours are whole seconds.

    Args:
        book: Read by polars.
        asked: One row per question: `row`, `opportunity_key`, `at`.

    Returns:
        A row per question: `row`, and the facts of the groups "activity" and "response".
    """
    is_human = ~pl.col("is_automatic").fill_null(False)
    is_internal = ((pl.col("kind") == "task") & pl.col("direction").is_null()).fill_null(False)
    direction = pl.col("direction")

    def of(book: Book) -> pl.LazyFrame:
        found = rows(
            book, "activities", _DEAL, "activity_id", "kind", "direction", "is_automatic", "at", "answered_at"
        ).filter(is_human, ~is_internal, pl.col(_DEAL).is_not_null())
        return found.with_columns(
            is_inbound=(direction == "inbound").fill_null(False),
            is_outbound=(direction == "outbound").fill_null(False),
            is_meeting=pl.col("kind").is_in(["meeting", "demo"]),
        ).rename({"at": "on"}).drop("kind", "direction", "is_automatic")  # fmt: skip

    found = of(book)
    had = beside(asked, found, _DEAL, "on")
    whats = ("inbound", "outbound", "meeting")
    is_recent = pl.col("on") > pl.col("at") - _MONTH
    marked = had.select(
        "row", "is_meeting",
        *((pl.col(f"is_{what}") & is_recent).alias(f"n_{what}_30") for what in whats),
        *(pl.when(f"is_{what}").then("on").alias(f"days_since_{what}") for what in whats),
    )  # fmt: skip
    counted = marked.group_by("row").agg(
        pl.col("^n_.*_30$").sum(),
        pl.col("is_meeting").sum().alias("n_meetings"),
        pl.len().alias("n_touches"),
        pl.col("^days_since_.*$").max(),
    )
    facts = asked.join(counted.rename({"n_meeting_30": "n_meetings_30"}), on="row", how="left")
    facts = facts.join(_waits(had.filter("is_inbound")), on="row", how="left").with_columns(
        pl.col("^n_.*$").fill_null(0).cast(pl.Int64),
        pl.col("waited_90").fill_null(0.0),
        *(_days(f"days_since_{what}").alias(f"days_since_{what}") for what in whats),
    )
    since = told_since(
        of(whole_of(book, __name__)),
        "on",
        any=pl.lit(True),
        inbound=pl.col("is_inbound"),
        outbound=pl.col("is_outbound"),
    )
    facts = once_told(facts, since["any"], "n_touches", "n_meetings", "n_meetings_30")
    facts = once_told(facts, since["inbound"], "n_inbound_30", "n_asked", "n_asked_90", "waited_90")
    return once_told(facts, since["outbound"], "n_outbound_30").drop(_DEAL, "at")


def _days(instant: str) -> pl.Expr:
    return (pl.col("at") - pl.col(instant)).dt.total_microseconds() / _PER_DAY


def _waits(asked: pl.DataFrame) -> pl.DataFrame:
    """The facts of the group "response" of each `row` with an inbound touch."""
    is_answered = (pl.col("answered_at") <= pl.col("at")).fill_null(False)
    ordered = asked.sort("row", "on", "activity_id").with_columns(is_answered=is_answered)
    until = pl.when("is_answered").then("answered_at").otherwise(pl.col("at") + pl.duration(microseconds=1))
    ordered = ordered.with_columns(until=until).with_columns(before=pl.col("until").cum_max().shift().over("row"))
    before = pl.col("before")
    begins = before.is_null() | ((before <= pl.col("on")) & (before < pl.col("until")))
    end = pl.when("is_answered").then("answered_at").otherwise("at")
    hours = (end - pl.col("on")).dt.total_seconds() / _PER_HOUR
    waits = ordered.filter(begins).with_columns(hours=hours)
    is_recent = pl.col("on") > pl.col("at") - 3 * _MONTH
    in_a_day = pl.col("is_answered") & (pl.col("hours") <= 24)
    return waits.group_by("row").agg(
        n_asked=pl.len(),
        n_asked_90=is_recent.sum(),
        waited_90=pl.col("hours").log1p().filter(is_recent).sum(),
        mean_log_wait=pl.col("hours").log1p().mean(),
        waiting_hours=pl.col("hours").filter(~pl.col("is_answered")).max(),
        share_in_a_day=in_a_day.filter(pl.col("on") <= pl.col("at") - _DAY).mean(),
    )
