"""Random imports of a few deals, touches and leads: news, late entries, corrections, ends, and what comes back."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl

from cadran.tables import TABLES

KIND = {"Talk": "open", "Offer": "open", "Won": "won", "Lost": "lost"}


def at(day):
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)


@dataclass
class Telling:
    """One import: the moment, and what it tells of each deal, touch and lead."""

    taken: int
    deals: dict[str, list[dict]]
    accounts: dict[str, str]
    touches: dict[str, dict] = field(default_factory=dict)
    leads: dict[str, dict] = field(default_factory=dict)
    is_partial: bool = False


def some_version(random, day):
    stage = random.choice(list(KIND))
    due = random.choice([None, date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1)])
    facts = {"stage": stage, "status": KIND[stage], "amount": random.choice([None, 1.0, 2.0]), "end_reason": None}
    return facts | {"valid_from": day, "valid_to": None, "rep_id": random.choice("rs"), "expected_close_date": due}


def retold(random, versions, before, taken):
    """A deal's whole past as the next import tells it: mostly the same, often with news, at times corrected.

    Nothing happens at the very moment of an import: what begins then was seen, and is `observed`'s.
    """
    versions = [dict(v) for v in versions or []]
    what = random.random()
    if not versions or what < 0.1:
        days = sorted(random.sample(range(taken), min(random.randint(1, 3), taken)))
        return [some_version(random, day) for day in days]
    if versions[-1]["valid_to"] is not None and random.random() < 0.3:
        versions[-1] |= {"valid_to": None, "end_reason": None}
    free = sorted(set(range(before + 1, taken)) - {v["valid_from"] for v in versions})
    if what < 0.4 and free and versions[-1]["valid_to"] is None:
        versions.append(some_version(random, random.choice(free)))
    elif what < 0.5:
        random.choice(versions)["amount"] = random.choice([None, 1.0, 2.0])
    elif what < 0.55 and len(versions) > 1:
        versions.pop(random.randrange(len(versions)))
    elif what < 0.6:
        free = sorted(set(range(taken)) - {v["valid_from"] for v in versions})
        versions += [some_version(random, random.choice(free))] if free else []
    elif what < 0.7 and versions[-1]["valid_from"] < taken - 1:
        gone = random.randint(versions[-1]["valid_from"] + 1, taken - 1)
        versions[-1] |= {"valid_to": gone, "end_reason": random.choice(["deleted", "merged", None])}
    versions.sort(key=lambda v: v["valid_from"])
    for version in versions[:-1]:
        version |= {"valid_to": None, "end_reason": None}
    return versions


def now_told(random, deal, before, taken):
    """A deal as a source without history tells it: at its creation, and now or at its close."""
    if deal is None or random.random() < 0.1:
        born = some_version(random, random.randint(0, taken)) | {"stage": "Talk", "status": "open"}
        return [born]
    born, last, what = dict(deal[0]), dict(deal[-1]), random.random()
    if what < 0.4:
        return [dict(v) for v in deal]
    if what < 0.7:
        seen = some_version(random, taken)
        if seen["status"] != "open":
            seen["valid_from"] = random.randint(max(born["valid_from"] + 1, 0), max(taken, born["valid_from"] + 1))
        if seen["valid_from"] <= born["valid_from"] or seen["valid_from"] > taken:
            return [born]
        return [born, seen]
    if what < 0.8 and last["status"] != "open" and born["valid_from"] < taken:
        return [born, last | {"valid_from": random.randint(born["valid_from"] + 1, taken)}]
    if what < 0.9 and last["valid_from"] < taken and last["end_reason"] is None:
        gone = random.randint(last["valid_from"] + 1, taken)
        return [*deal[:-1], last | {"valid_to": gone, "end_reason": "deleted"}]
    return [*deal[:-1], last | {"valid_to": None, "end_reason": None, "rep_id": random.choice("rs")}]


def some_touch(random, taken, deals):
    inbound = random.random() < 0.5
    touch = {"opportunity_id": random.choice([None, *deals]), "at": random.randint(0, taken), "kind": "email"}
    return touch | {"direction": "inbound" if inbound else "outbound", "is_automatic": random.random() < 0.2}


def some_lead(random, taken):
    came = random.randint(0, taken)
    later = [None, *range(came, taken + 1)]
    lead = {"created_at": came, "first_response_at": random.choice(later), "rep_id": random.choice("rs")}
    qualified = random.choice(later)
    return lead | {"qualified_at": qualified, "opportunity_id": None if qualified is None else random.choice("ab")}


def retold_lead(random, lead, taken):
    if random.random() < 0.2:
        return some_lead(random, taken)
    lead = dict(lead)
    if lead["first_response_at"] is None and random.random() < 0.5:
        lead["first_response_at"] = random.randint(lead["created_at"], taken)
    return lead


def tellings(random, n, tell, partial=0.0):
    """A few imports of up to `n` deals, touches and leads."""
    told, days = [], sorted(random.choices(range(1, 13), k=random.randint(2, 5)))
    last: dict[str, list[dict]] = {}
    touches: dict[str, dict] = {}
    leads: dict[str, dict] = {}
    accounts: dict[str, str] = {}
    before = 0
    for day in days:
        is_partial = bool(told) and random.random() < partial
        chosen = [f"d{i}" for i in range(n) if random.random() < (0.4 if is_partial else 0.9)]
        deals = {deal: tell(random, last.get(deal), before, day) for deal in chosen}
        last |= deals
        accounts |= {deal: random.choice("xyz") for deal in chosen if deal not in accounts or random.random() < 0.1}
        new = {f"t{len(touches) + i}": some_touch(random, day, chosen or ["d0"]) for i in range(n)}
        again = {touch: touches[touch] for touch in touches if random.random() < (0.3 if is_partial else 0.95)}
        # In part told, a touch is told again, at times with another deal.
        again |= {
            t: row | {"opportunity_id": random.choice(chosen or [None])}
            for t, row in again.items()
            if random.random() < 0.1
        }
        touches |= again | new
        leads |= {lead: retold_lead(random, leads[lead], day) for lead in leads if random.random() < 0.5}
        leads |= {f"l{len(leads) + i}": some_lead(random, day) for i in range(random.randint(0, n))}
        some = {lead: leads[lead] for lead in leads if random.random() < (0.4 if is_partial else 0.95)}
        told.append(Telling(day, deals, {d: accounts[d] for d in deals}, again | new, some, is_partial))
        before = day
    return told


def typed(name, rows):
    schema = TABLES[name].create_empty().schema
    moments = [c for c, dtype in schema.items() if dtype == pl.Datetime]
    full = [{c: at(row[c]) if c in moments and row.get(c) is not None else row.get(c) for c in schema} for row in rows]
    return pl.DataFrame(full, schema=schema, orient="row")


def frames(telling):
    return {
        "opportunities": typed(
            "opportunities", [{"opportunity_id": d, "account_id": a} for d, a in telling.accounts.items()]
        ),
        "versions": typed("versions", [{"opportunity_id": d} | v for d, vs in telling.deals.items() for v in vs]),
        "deal_contacts": typed("deal_contacts", []),
        "activities": typed("activities", [{"activity_id": t} | row for t, row in telling.touches.items()]),
        "leads": typed("leads", [{"lead_id": lead} | row for lead, row in telling.leads.items()]),
    }
