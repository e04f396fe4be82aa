"""From what happened in the invented company to the rows of its CRM."""

import numpy as np
import polars as pl

from cadran.sources.sample import planted
from cadran.sources.sample.clock import START, TAKEN, Ints, day_at
from cadran.sources.sample.conduct import DIRECTIONS, KINDS
from cadran.sources.sample.draws import Draws, Floats
from cadran.sources.sample.history import History
from cadran.sources.sample.market import (
    COMPETITORS,
    CURRENCIES,
    FUNCTIONS,
    N_CONTACTS,
    PRODUCTS,
    SENIORITIES,
    SOURCES,
    people,
    rate_at,
)
from cadran.sources.sample.organisation import rep_ids
from cadran.sources.sample.pipeline import CATEGORIES, REASONS
from cadran.sources.sample.staff import Staff
from cadran.tables.deals import DEAL_TYPES, STATUSES

_DAY = 86_400
_END = int(TAKEN.timestamp())


def instants(seconds: Ints) -> pl.Series:
    """UTC seconds as instants; 0 is null."""
    whole = pl.Series(seconds, dtype=pl.Int64)
    return (whole.set(whole == 0, None) * 1_000_000).cast(pl.Datetime("us", "UTC"))


def dates(days: Ints) -> pl.Series:
    """Days of the run as dates."""
    return pl.Series(days + (START - START.replace(1970, 1, 1)).days, dtype=pl.Int32).cast(pl.Date)


def labels(names: list[str], index: Ints) -> pl.Series:
    """The name at each index; null where it is negative."""
    chosen = pl.Series(index, dtype=pl.Int64)
    return pl.Series(names, dtype=pl.String).gather(chosen.set(chosen < 0, None).cast(pl.UInt32))


def ids(prefix: str, numbers: Ints) -> pl.Series:
    """Identifiers such as D000123, numbered from 1; null where the number is negative."""
    chosen = pl.Series(numbers, dtype=pl.Int64)
    text = (chosen.set(chosen < 0, None) + 1).cast(pl.String).str.zfill(6)
    return (pl.Series([prefix]) + text).set(chosen < 0, None)


def contact_ids(prospects: Ints, persons: Ints) -> pl.Series:
    """Identifier of a person: the prospect's, and the place there."""
    return ids("C", np.where(persons < 0, -1, prospects * 10 + persons))


def amounts(versions: np.ndarray) -> tuple[Floats, Floats]:
    """Exchange rate and amount in euros of each version, at the rate of its quarter; NaN where unknown."""
    rate = rate_at(versions["currency"], day_at(versions["at"]))
    known = np.where(versions["is_amount_known"], versions["amount"], np.nan)
    return rate, np.round(known * rate, 2)


def _place(history: History, rows: np.ndarray) -> Ints:
    """Where the prospect of each row stands in the slice."""
    return np.asarray(rows["prospect"] - history.market.index[0])


def opportunities(history: History) -> pl.DataFrame:
    """What never changes about each deal."""
    deals = history.deals
    return pl.DataFrame(
        {
            "number": deals["number"],
            "account_id": ids("A", deals["prospect"]),
            "deal_type": labels(DEAL_TYPES, deals["kind"]),
            "product": labels(PRODUCTS, deals["product"]),
            "lead_source": labels(SOURCES, deals["source"]),
            "created_at": instants(deals["created"]),
        }
    )


def versions(history: History, staff: Staff) -> pl.DataFrame:
    """What each deal was, from one instant until the next change."""
    rows = history.versions
    rate, amount = amounts(rows)
    original = np.where(rows["is_amount_known"], rows["amount"], np.nan)
    return pl.DataFrame(
        {
            "number": rows["number"],
            "valid_from": instants(rows["at"]),
            "rep_id": labels(rep_ids(staff), rows["rep"]),
            "stage": labels(planted.STAGES, rows["stage"]),
            "status": labels(STATUSES, rows["status"]),
            "amount": pl.Series(amount).fill_nan(None),
            "currency": labels(CURRENCIES, rows["currency"]),
            "rate": rate,
            "original_amount": pl.Series(original).fill_nan(None),
            "expected_close_date": dates(rows["expected"]),
            "forecast_category": labels(CATEGORIES, rows["category"]),
            "competitor": labels(COMPETITORS, rows["rival_recorded"]),
            "loss_reason": labels(REASONS, rows["reason"]),
        }
    )


def deal_contacts(history: History, draws: Draws) -> pl.DataFrame:
    """Who is involved in each deal, since when, and in which part; the part is noted less where effort is low."""
    rows = history.involved
    function, seniority = (trait[_place(history, rows), rows["person"]] for trait in people(history.market, draws))
    part = np.where(seniority >= 2, 0, np.where(function == FUNCTIONS.index("Purchasing"), 1, 2 + (seniority == 0)))
    key = history.deals["key"][rows["number"]]
    noted = draws.uniform("part noted", key) < 0.75 + 0.15 * np.clip(rows["effort"], -2, 1)
    return pl.DataFrame(
        {
            "number": rows["number"],
            "contact_id": contact_ids(rows["prospect"], rows["person"]),
            "role": labels(["Decision maker", "Buyer", "Influencer", "User"], np.where(noted, part, -1)),
            "since": instants(rows["at"]),
        }
    )


def contacts(history: History, draws: Draws) -> pl.DataFrame:
    """What is known of the people met: from the first deal on, seniority sometimes later, sometimes never."""
    rows = history.involved[np.argsort(history.involved["at"], kind="stable")]
    code = rows["prospect"] * N_CONTACTS + rows["person"]
    _, first = np.unique(code, return_index=True)
    rows, key = rows[first], code[first].astype(np.uint64)
    function, seniority = (trait[_place(history, rows), rows["person"]] for trait in people(history.market, draws))
    chance = draws.uniform("seniority noted", key)
    noted = chance < np.clip(0.72 + 0.16 * rows["effort"], 0.25, 0.97)
    later = rows["at"] + ((20 + 300 * draws.uniform("noted later", key)) * _DAY).astype(np.int64)
    enriched = ~noted & (chance < 0.88) & (later <= _END)

    def as_of(at: Ints, is_known: np.ndarray, chosen: np.ndarray) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "contact_id": contact_ids(rows["prospect"], rows["person"]),
                "valid_from": instants(at),
                "account_id": ids("A", rows["prospect"]),
                "job_function": labels(FUNCTIONS, function),
                "seniority": labels(SENIORITIES, np.where(is_known, seniority, -1)),
            }
        ).filter(pl.Series(chosen))

    everyone = np.ones(len(rows), dtype=bool)
    return pl.concat([as_of(rows["at"], noted, everyone), as_of(later, everyone, enriched)])


def leads(history: History, staff: Staff) -> pl.DataFrame:
    """Every raised hand, and what became of it."""
    rows = history.leads
    first = np.full(len(history.market.index), -1, dtype=np.int64)
    deals = history.deals[::-1]
    first[_place(history, deals)] = deals["number"]
    opened = np.where(rows["qualified"] > 0, first[_place(history, rows)], -1)
    return pl.DataFrame(
        {
            "source": labels(SOURCES, rows["source"]),
            "created_at": instants(rows["created"]),
            "first_response_at": instants(rows["answered"]),
            "qualified_at": instants(rows["qualified"]),
            "rejected_at": instants(rows["rejected"]),
            "rep_id": labels(rep_ids(staff), rows["rep"]),
            "number": opened,
        }
    )


def activities(history: History, staff: Staff) -> pl.DataFrame:
    """Every touch. When it was answered follows from the others."""
    rows = history.activities
    minutes = pl.Series(rows["minutes"], dtype=pl.Float64)
    return pl.DataFrame(
        {
            "number": rows["number"],
            "contact_id": contact_ids(rows["prospect"], rows["person"]),
            "rep_id": labels(rep_ids(staff), rows["rep"]),
            "kind": labels(KINDS, rows["kind"]),
            "direction": labels(DIRECTIONS, rows["direction"]),
            "is_automatic": rows["is_automatic"],
            "at": instants(rows["at"]),
            "duration_minutes": minutes.set(minutes == 0, None),
        }
    )


def wins(history: History, staff: Staff) -> tuple[Ints, Floats, Ints]:
    """Instant, amount in euros (NaN where unknown) and team of each win."""
    won = history.versions[history.versions["status"] == planted.WON]
    team_of_seat = np.array([-1 if seat.team is None else seat.team for seat in staff.seats])
    return won["at"], amounts(won)[1], team_of_seat[won["seat"]]
