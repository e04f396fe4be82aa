"""Accounts and the people there. Both are versioned: an enriched field must not leak into the past."""

import dataframely as dy
import polars as pl

from cadran.tables.ends import Believed, end_reason, merged_into


class Account(dy.Schema):
    """What a client or prospect was, from one instant until the next change."""

    account_id = dy.String(primary_key=True, description="The source's identifier of the account")
    valid_from = dy.Datetime(primary_key=True, time_zone="UTC", description="When this became what the account is")
    valid_to = dy.Datetime(
        nullable=True, time_zone="UTC", description="When it stopped; null while this is what the account is"
    )
    name = dy.String(nullable=True, description="Name of the company")
    sector = dy.String(nullable=True, description="Industry")
    segment = dy.String(nullable=True, description="Size class or market segment")
    region = dy.String(nullable=True, description="Commercial region the account sits in")
    country = dy.String(nullable=True, description="Country")
    employees = dy.Int64(nullable=True, min=0, description="Staff", metadata={"unit": "people"})
    annual_revenue = dy.Float64(
        nullable=True, min=0, description="Yearly turnover", metadata={"unit": "reporting currency a year"}
    )
    parent_account_id = dy.String(nullable=True, description="The account of the parent group")
    created_date = dy.Date(nullable=True, description="Day the account was opened")
    merged_into = merged_into()
    end_reason = end_reason()

    @dy.rule()
    def an_account_ends_after_it_begins(cls) -> pl.Expr:
        return cls.valid_to.col.is_null() | (cls.valid_to.col > cls.valid_from.col)


class StoredAccount(Account, Believed):
    """What an account was, as the book keeps it."""

    account_key = dy.Int64(nullable=False, description="The book's own number of the account, for joins")


class Contact(dy.Schema):
    """What a person at an account was. No name, e-mail or phone: refused at mapping."""

    contact_id = dy.String(primary_key=True, description="The source's identifier of the person")
    valid_from = dy.Datetime(primary_key=True, time_zone="UTC", description="When this became true of the person")
    valid_to = dy.Datetime(nullable=True, time_zone="UTC", description="When it stopped; null while it is true")
    account_id = dy.String(nullable=True, description="The account the person works at")
    job_function = dy.String(nullable=True, description="Function: purchasing, IT, finance, …")
    seniority = dy.String(nullable=True, description="Level: executive, director, manager, …")
    merged_into = merged_into()
    end_reason = end_reason()

    @dy.rule()
    def a_contact_ends_after_it_begins(cls) -> pl.Expr:
        return cls.valid_to.col.is_null() | (cls.valid_to.col > cls.valid_from.col)


class StoredContact(Contact, Believed):
    """What a contact was, as the book keeps it."""
