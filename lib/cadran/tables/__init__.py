"""What one valid row is: types, units, keys and rules. The rule's name is the sentence a reader sees."""

from functools import cache

import dataframely as dy
import polars as pl

from cadran.tables.accounts import Account, Contact, StoredAccount, StoredContact
from cadran.tables.activities import Activity, Lead, StoredActivity, StoredLead
from cadran.tables.deals import (
    DealContact,
    Opportunity,
    Stage,
    StoredDealContact,
    StoredOpportunity,
    StoredVersion,
    Version,
)
from cadran.tables.people import Rep, StoredRep
from cadran.tables.plans import Action, Day, StoredAction, StoredTarget, Target

__all__ = ["FOREIGN_KEYS", "STORED", "TABLES", "VERSIONED", "empty"]

#: Every table of a book, in the order in which a row of one may refer to a row of another.
TABLES: dict[str, type[dy.Schema]] = {
    "calendar": Day,
    "stages": Stage,
    "reps": Rep,
    "accounts": Account,
    "contacts": Contact,
    "opportunities": Opportunity,
    "versions": Version,
    "deal_contacts": DealContact,
    "leads": Lead,
    "activities": Activity,
    "targets": Target,
    "actions": Action,
}

#: The same tables as the book keeps them, with the columns derived at import.
STORED: dict[str, type[dy.Schema]] = TABLES | {
    "reps": StoredRep,
    "accounts": StoredAccount,
    "contacts": StoredContact,
    "opportunities": StoredOpportunity,
    "versions": StoredVersion,
    "deal_contacts": StoredDealContact,
    "leads": StoredLead,
    "activities": StoredActivity,
    "targets": StoredTarget,
    "actions": StoredAction,
}

#: (table, column) -> (table, column) that must hold the same value, unless null.
FOREIGN_KEYS: dict[tuple[str, str], tuple[str, str]] = {
    ("contacts", "account_id"): ("accounts", "account_id"),
    ("opportunities", "account_id"): ("accounts", "account_id"),
    ("versions", "opportunity_id"): ("opportunities", "opportunity_id"),
    ("versions", "stage"): ("stages", "stage"),
    ("versions", "rep_id"): ("reps", "rep_id"),
    ("deal_contacts", "opportunity_id"): ("opportunities", "opportunity_id"),
    ("deal_contacts", "contact_id"): ("contacts", "contact_id"),
    ("leads", "rep_id"): ("reps", "rep_id"),
    ("leads", "opportunity_id"): ("opportunities", "opportunity_id"),
    ("activities", "opportunity_id"): ("opportunities", "opportunity_id"),
    ("activities", "contact_id"): ("contacts", "contact_id"),
    ("activities", "rep_id"): ("reps", "rep_id"),
}

#: Tables whose rows change, with the column that names the thing they are versions of.
VERSIONED: dict[str, str] = {
    "reps": "rep_id",
    "accounts": "account_id",
    "contacts": "contact_id",
    "versions": "opportunity_id",
    "targets": "target_id",
}


@cache
def empty(name: str) -> pl.DataFrame:
    """A table as the book keeps it, without rows: made once, for it takes as long as reading a small one."""
    return STORED[name].create_empty()
