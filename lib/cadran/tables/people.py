"""The sales organisation. Versioned, so that a reorganisation does not rewrite last year."""

import dataframely as dy
import polars as pl

from cadran.tables.ends import Believed, end_reason


class Rep(dy.Schema):
    """What a member of the sales staff was, from one instant until the next change."""

    rep_id = dy.String(primary_key=True, description="The source's identifier of the person")
    valid_from = dy.Datetime(primary_key=True, time_zone="UTC", description="When this became true of the person")
    valid_to = dy.Datetime(nullable=True, time_zone="UTC", description="When it stopped; null while it is true")
    name = dy.String(nullable=True, description="Name shown to colleagues")
    team = dy.String(nullable=True, description="Team")
    region = dy.String(nullable=True, description="Sales region")
    manager_id = dy.String(nullable=True, description="The manager (a `rep_id`, or a name where managers do not sell)")
    role = dy.String(nullable=True, description="Role: seller, manager, support, …")
    hired_date = dy.Date(nullable=True, description="First day in the company")
    left_date = dy.Date(nullable=True, description="Last day in the company; null while employed")
    end_reason = end_reason()

    @dy.rule()
    def a_rep_ends_after_it_begins(cls) -> pl.Expr:
        return cls.valid_to.col.is_null() | (cls.valid_to.col > cls.valid_from.col)

    @dy.rule()
    def nobody_leaves_before_being_hired(cls) -> pl.Expr:
        return cls.left_date.col.is_null() | cls.hired_date.col.is_null() | (cls.left_date.col >= cls.hired_date.col)


class StoredRep(Rep, Believed):
    """What a seller was, as the book keeps it."""

    rep_key = dy.Int64(nullable=False, description="The book's own number of the seller, for joins")
