"""How each table is seen at a book's moment, and what of it a reader with regions or teams may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import narwhals as nw

from cadran.book.removed import start_of

if TYPE_CHECKING:
    from cadran.book.book import Book


def hide_later(frame: nw.LazyFrame, moment: datetime, *instants: str) -> nw.LazyFrame:
    """Instants after a moment become null: they are still to come."""
    return frame.with_columns(*(nw.when(nw.col(name) <= moment).then(nw.col(name)).alias(name) for name in instants))


def followed_since(book: Book) -> datetime | None:
    """The moment from which a book sees deals move between stages; None where it knows their whole past.

    A source with one row per deal tells the stage of the day: what was crossed before the first import is not known.
    Nor is what was crossed before a history begins, as one that a CRM keeps since last year.
    """
    manifest = book.manifest
    if "versions" not in manifest["histories"]:
        return datetime.fromisoformat(manifest["first_taken"]) + timedelta(microseconds=1)
    since = manifest.get("followed_since")
    return datetime.fromisoformat(since) if since else None


def kept_from(book: Book) -> datetime | None:
    """The moment from which a book tells of all deals; None for ever. Of what ended before, a purge kept nothing."""
    day = book.manifest.get("purged_before")
    return start_of(date.fromisoformat(day), book.settings.time_zone) if day else None


def _known_leads(leads: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    qualified = nw.col("qualified_at") <= book.moment
    return hide_later(
        leads.filter(nw.col("created_at") <= book.moment).with_columns(
            nw.when(qualified).then(nw.col("opportunity_id")).alias("opportunity_id")
        ),
        book.moment, "first_response_at", "qualified_at", "rejected_at",
    )  # fmt: skip


def _known_activities(activities: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    return hide_later(activities.filter(nw.col("at") <= book.moment), book.moment, "answered_at")


def _known_opportunities(opportunities: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    began = book._scan("versions").filter(nw.col("valid_from") <= book.moment).select("opportunity_key").unique()
    return opportunities.join(began, on="opportunity_key", how="semi")


def _known_deal_contacts(involved: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    return _known_opportunities(involved.filter(nw.col("since").is_null() | (nw.col("since") <= book.moment)), book)


#: How to see a table that is not versioned as it was known at a moment.
KNOWN: dict[str, Callable[[nw.LazyFrame, Book], nw.LazyFrame]] = {
    "opportunities": _known_opportunities,
    "deal_contacts": _known_deal_contacts,
    "leads": _known_leads,
    "activities": _known_activities,
    "actions": lambda actions, book: actions.filter(nw.col("date") <= book.day),
}


def _of_their_deals(frame: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    return frame.join(book.deals(["opportunity_key"]), on="opportunity_key", how="semi")


def _of_their_sellers(frame: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    return frame.filter(nw.col("rep_id").is_in(book._rep_ids or []))


def _of_their_accounts(frame: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    return frame.join(book.deals(["account_id"]).unique(), on="account_id", how="semi")


def _of_their_goals(frame: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    reader = book.reader
    assert reader is not None
    return frame.filter(
        ((nw.col("scope") == "region") & nw.col("scope_id").is_in(list(reader.regions)))
        | ((nw.col("scope") == "team") & nw.col("scope_id").is_in(list(reader.teams)))
        | ((nw.col("scope") == "rep") & nw.col("scope_id").is_in(book._rep_ids or []))
    )


def _of_their_scope(actions: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    """What was done to the whole company, or to a region, a team or a seller whose deals they see."""
    sellers = book._sellers
    assert sellers is not None
    kept = nw.col("scope") == "company"
    for scope, name in (("region", "region"), ("team", "team"), ("rep", "rep_id")):
        kept |= (nw.col("scope") == scope) & nw.col("scope_id").is_in(sellers[name].drop_nulls().unique().to_list())
    return actions.filter(kept)


#: How to keep of a table what a reader with regions or teams may see.
SCOPED: dict[str, Callable[[nw.LazyFrame, Book], nw.LazyFrame]] = {
    "opportunities": _of_their_deals,
    "versions": _of_their_deals,
    "deal_contacts": _of_their_deals,
    "activities": _of_their_deals,
    "leads": _of_their_sellers,
    "reps": _of_their_sellers,
    "accounts": _of_their_accounts,
    "contacts": _of_their_accounts,
    "targets": _of_their_goals,
    "actions": _of_their_scope,
}
