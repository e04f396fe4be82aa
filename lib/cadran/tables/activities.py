"""Touches between sellers and clients, and hands raised."""

import dataframely as dy
import polars as pl

from cadran.tables.ends import Believed

KINDS = ["email", "call", "meeting", "demo", "message", "task", "other"]
DIRECTIONS = ["inbound", "outbound"]


class Activity(dy.Schema):
    """One touch: an e-mail, a call, a meeting. Never its text."""

    activity_id = dy.String(primary_key=True, description="The source's identifier of the touch")
    opportunity_id = dy.String(nullable=True, description="The deal it was about")
    contact_id = dy.String(nullable=True, description="The person at the client")
    rep_id = dy.String(nullable=True, description="The seller")
    kind = dy.Enum(KINDS, nullable=False, description="What sort of touch")
    direction = dy.Enum(DIRECTIONS, nullable=True, description="From the client (inbound) or to the client (outbound)")
    is_automatic = dy.Bool(nullable=True, description="Sent by a machine: never counts as a human answer")
    at = dy.Datetime(nullable=False, time_zone="UTC", description="When it took place")
    answered_at = dy.Datetime(
        nullable=True, time_zone="UTC", description="First human outbound touch on the same deal after an inbound one"
    )
    duration_minutes = dy.Float64(nullable=True, min=0, description="How long it took", metadata={"unit": "minutes"})

    @dy.rule()
    def an_answer_comes_after_the_question(cls) -> pl.Expr:
        return cls.answered_at.col.is_null() | (cls.answered_at.col >= cls.at.col)


class StoredActivity(Activity, Believed):
    """A touch as the book keeps it."""

    opportunity_key = dy.Int64(nullable=True, description="The book's own number of the deal, for joins")


class Lead(dy.Schema):
    """A hand raised: someone who may become a qualified opportunity."""

    lead_id = dy.String(primary_key=True, description="The source's identifier of the lead")
    source = dy.String(nullable=True, description="Where the lead came from")
    created_at = dy.Datetime(nullable=False, time_zone="UTC", description="When the hand was raised")
    first_response_at = dy.Datetime(nullable=True, time_zone="UTC", description="First human answer; null if none yet")
    qualified_at = dy.Datetime(nullable=True, time_zone="UTC", description="When it became an opportunity")
    rejected_at = dy.Datetime(nullable=True, time_zone="UTC", description="When it was given up for good")
    rep_id = dy.String(nullable=True, description="The seller who has it")
    opportunity_id = dy.String(nullable=True, description="The opportunity it became")

    @dy.rule()
    def a_lead_is_answered_after_it_was_raised(cls) -> pl.Expr:
        return cls.first_response_at.col.is_null() | (cls.first_response_at.col >= cls.created_at.col)

    @dy.rule()
    def a_lead_is_qualified_after_it_was_raised(cls) -> pl.Expr:
        return cls.qualified_at.col.is_null() | (cls.qualified_at.col >= cls.created_at.col)


class StoredLead(Lead, Believed):
    """A lead as the book keeps it, with what was derived once at import."""

    created_date = dy.Date(nullable=False, description="Day of `created_at` in the book's time zone")
