"""Deals: what never changes about one, what did, who is involved, and the stages it crosses."""

import dataframely as dy
import polars as pl

from cadran.tables.ends import Believed, end_reason, merged_into

STATUSES = ["open", "won", "lost", "disqualified"]
CLOSED = ["won", "lost", "disqualified"]
#: The loss reason of a deal that ended without a decision: lost, but shown apart.
NO_DECISION = "No decision"
DEAL_TYPES = ["new", "expansion", "renewal"]
FORECAST_CATEGORIES = ["pipeline", "best_case", "commit", "closed", "omitted"]
#: An amount beyond this in the reporting currency is a typing error, not a deal.
ABSURD_AMOUNT = 1e10


class Stage(dy.Schema):
    """One stage of the pipeline, in its order."""

    stage = dy.String(primary_key=True, description="Name of the stage, as the team says it")
    position = dy.Int64(nullable=False, min=0, description="Place in the order of the pipeline, from 0")
    kind = dy.Enum(STATUSES, nullable=False, description="What a deal in this stage is")
    is_qualified = dy.Bool(nullable=False, description="Whether a deal here counts as a qualified opportunity")
    probability = dy.Float64(
        nullable=True, min=0, max=1, description="The CRM's own chance of winning from here", metadata={"unit": "share"}
    )


class Opportunity(dy.Schema):
    """What never changes about a deal."""

    opportunity_id = dy.String(primary_key=True, description="The source's identifier of the deal")
    account_id = dy.String(nullable=True, description="The client or prospect; null where the source does not say")
    deal_type = dy.Enum(DEAL_TYPES, nullable=True, description="New business, expansion or renewal")
    product = dy.String(nullable=True, description="What is sold")
    lead_source = dy.String(nullable=True, description="Where the deal came from")
    created_at = dy.Datetime(
        nullable=True, time_zone="UTC", description="When the deal was created; null where the source does not say"
    )
    merged_into = merged_into()


class StoredOpportunity(Opportunity, Believed):
    """An opportunity as the book keeps it, with what was derived once at import."""

    opportunity_key = dy.Int64(nullable=False, description="The book's own number of the deal, for joins")
    account_key = dy.Int64(nullable=True, description="The book's own number of the account, for joins")
    created_date = dy.Date(nullable=True, description="Day of creation in the book's time zone")
    created_day = dy.Int64(nullable=True, description="`created_date` counted in days from 1970-01-01")


class Version(dy.Schema):
    """What a deal was, from one instant until the next change."""

    opportunity_id = dy.String(primary_key=True, description="The deal")
    valid_from = dy.Datetime(primary_key=True, time_zone="UTC", description="When this became what the deal is")
    valid_to = dy.Datetime(
        nullable=True, time_zone="UTC", description="When it stopped; null while this is what the deal is"
    )
    rep_id = dy.String(nullable=True, description="The seller who owns the deal")
    stage = dy.String(nullable=False, description="The stage the deal is in")
    status = dy.Enum(STATUSES, nullable=False, description="Open, won, lost or disqualified")
    amount = dy.Float64(
        nullable=True,
        min=0,
        max=ABSURD_AMOUNT,
        description="Signed or asked value, excluding tax; null where unknown",
        metadata={"unit": "reporting currency"},
    )
    currency = dy.String(nullable=True, description="Currency the source gives the amount in (ISO 4217)")
    rate = dy.Float64(
        nullable=True, min_exclusive=0, description="Reporting currency per unit of the source's currency"
    )
    original_amount = dy.Float64(
        nullable=True, description="Amount as the source gives it", metadata={"unit": "the source's currency"}
    )
    expected_close_date = dy.Date(nullable=True, description="Day the seller expects to close")
    forecast_category = dy.Enum(FORECAST_CATEGORIES, nullable=True, description="The seller's own forecast call")
    competitor = dy.String(nullable=True, description="Main rival on the deal")
    loss_reason = dy.String(nullable=True, description="Why it was lost or disqualified")
    end_reason = end_reason()

    @dy.rule()
    def a_version_ends_after_it_begins(cls) -> pl.Expr:
        return cls.valid_to.col.is_null() | (cls.valid_to.col > cls.valid_from.col)

    @dy.rule()
    def what_is_no_longer_there_has_an_end(cls) -> pl.Expr:
        return cls.end_reason.col.is_null() | cls.valid_to.col.is_not_null()

    @dy.rule()
    def an_amount_in_a_foreign_currency_has_a_rate(cls) -> pl.Expr:
        return cls.amount.col.is_not_null() | cls.original_amount.col.is_null()


class StoredVersion(Version, Believed):
    """A version as the book keeps it. Derived once, so that every as-of question is a plain filter."""

    opportunity_key = dy.Int64(nullable=False, description="The book's own number of the deal, for joins")
    rep_key = dy.Int64(nullable=True, description="The book's own number of the seller, for joins")
    account_key = dy.Int64(nullable=True, description="`account_key` of the deal, repeated so as to need no join")
    created_day = dy.Int64(nullable=True, description="`created_day` of the deal, repeated so as to need no join")
    status_since = dy.Datetime(nullable=False, time_zone="UTC", description="When the deal last came to this status")
    status_since_date = dy.Date(nullable=False, description="Day of `status_since` in the book's time zone")
    status_since_day = dy.Int64(nullable=False, description="`status_since_date` counted in days from 1970-01-01")
    stage_since = dy.Datetime(nullable=False, time_zone="UTC", description="When it last came to this stage")
    next_stage = dy.String(
        nullable=True, description="The stage it moved to when this version ended; null if it stayed"
    )
    n_pushes = dy.Int64(nullable=False, min=0, description="Times the expected close moved to a later month so far")
    n_reopened = dy.Int64(nullable=False, min=0, description="Times a closed deal was opened again so far")


class DealContact(dy.Schema):
    """A person at the client who is involved in a deal."""

    opportunity_id = dy.String(primary_key=True, description="The deal")
    contact_id = dy.String(primary_key=True, description="The person")
    role = dy.String(nullable=True, description="Part played: decision maker, user, buyer, …")
    since = dy.Datetime(nullable=True, time_zone="UTC", description="Since when; null where the source does not say")


class StoredDealContact(DealContact, Believed):
    """A part in a deal as the book keeps it."""

    opportunity_key = dy.Int64(nullable=False, description="The book's own number of the deal, for joins")
