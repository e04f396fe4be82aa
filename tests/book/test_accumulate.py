"""Imports added to a book, against a slow loop that keeps every import's whole belief and answers from it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from cadran.book.accumulate import Scene, accumulate
from cadran.book.numbers import Numbers
from cadran.tables import STORED, TABLES
from cadran.tables.groups import group_of

DEALS, LEADS, PLAN = group_of("versions"), group_of("leads"), group_of("reps")
FACTS = ("rep_id", "stage", "status", "amount", "expected_close_date", "end_reason")
WORKED_OUT = ("status_since", "stage_since", "n_pushes", "n_reopened", "account_id")
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


# What is told ---------------------------------------------------------------------------------------------------------


def some_version(random, day):
    stage = random.choice(list(KIND))
    due = random.choice([None, date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1)])
    facts = {"stage": stage, "status": KIND[stage], "amount": random.choice([None, 1.0, 2.0]), "end_reason": None}
    return facts | {"valid_from": day, "valid_to": None, "rep_id": random.choice("rs"), "expected_close_date": due}


def retold(random, versions, before, taken):
    """A deal's whole past as the next import tells it: mostly the same, often with news, at times corrected."""
    versions = [dict(v) for v in versions or []]
    what = random.random()
    if not versions or what < 0.1:
        days = sorted(random.sample(range(taken + 1), min(random.randint(1, 3), taken + 1)))
        return [some_version(random, day) for day in days]
    if versions[-1]["valid_to"] is not None and random.random() < 0.3:
        versions[-1] |= {"valid_to": None, "end_reason": None}
    free = sorted(set(range(before + 1, taken + 1)) - {v["valid_from"] for v in versions})
    if what < 0.4 and free and versions[-1]["valid_to"] is None:
        versions.append(some_version(random, random.choice(free)))
    elif what < 0.5:
        random.choice(versions)["amount"] = random.choice([None, 1.0, 2.0])
    elif what < 0.55 and len(versions) > 1:
        versions.pop(random.randrange(len(versions)))
    elif what < 0.6:
        free = sorted(set(range(taken + 1)) - {v["valid_from"] for v in versions})
        versions += [some_version(random, random.choice(free))] if free else []
    elif what < 0.7 and versions[-1]["valid_from"] < taken:
        gone = random.randint(versions[-1]["valid_from"] + 1, taken)
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
        # In part told, a touch is told again with its deal only.
        touches |= new
        leads |= {lead: retold_lead(random, leads[lead], day) for lead in leads if random.random() < 0.5}
        leads |= {f"l{len(leads) + i}": some_lead(random, day) for i in range(random.randint(0, n))}
        some = {lead: leads[lead] for lead in leads if random.random() < (0.4 if is_partial else 0.95)}
        told.append(Telling(day, deals, {d: accounts[d] for d in deals}, again | new, some, is_partial))
        before = day
    return told


# The book -------------------------------------------------------------------------------------------------------------


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


def imported(told, histories=frozenset({"versions"})):
    """The stored tables after each import."""
    stored = {name: STORED[name].create_empty() for name in (*DEALS.tables, "leads")}
    books, numbers, old = [], {kind: Numbers(kind) for kind in ("account", "rep", "opportunity")}, None
    for telling in told:
        partial = frozenset({"deals", "leads"}) if telling.is_partial else frozenset()
        scene = Scene(at(telling.taken), old, old and old.date(), "UTC", numbers, histories=histories, partial=partial)
        tables = frames(telling)
        for group in (DEALS, LEADS):
            before = {name: stored[name] for name in group.tables}
            added = accumulate(group, before, {name: tables[name] for name in group.tables}, scene)
            stored |= added.tables
        books.append(dict(stored))
        old = at(telling.taken)
    return books


def known(rows, moment, corrected=False):
    """The reading rule, by hand."""
    if corrected:
        return rows.filter(pl.col("known_to").is_null())
    since = pl.col("known_from").is_null() | (pl.col("known_from") <= moment)
    return rows.filter(since & (pl.col("known_to").is_null() | (pl.col("known_to") > moment)))


def versions_of(book, moment, corrected=False):
    """{(deal, valid_from): facts} as one reads it at a moment: ends, and stages to come, are hidden."""
    rows = known(book["versions"], moment, corrected).filter(pl.col("valid_from") <= moment)
    ended = pl.col("valid_to") <= moment
    rows = rows.with_columns(pl.when(ended).then(c).alias(c) for c in ("next_stage", "end_reason", "valid_to"))
    deals = known(book["opportunities"], moment, corrected).select("opportunity_key", "account_id")
    rows = rows.join(deals, on="opportunity_key", how="left")
    assert not rows.select("opportunity_id", "valid_from").is_duplicated().any()
    columns = ("valid_to", "next_stage", *FACTS, *WORKED_OUT)
    return {(r["opportunity_id"], r["valid_from"]): {c: r[c] for c in columns} for r in rows.iter_rows(named=True)}


def touches_of(book, moment, corrected=False):
    rows = known(book["activities"], moment, corrected).filter(pl.col("at") <= moment)
    rows = rows.with_columns(pl.when(pl.col("answered_at") <= moment).then("answered_at").alias("answered_at"))
    assert not rows["activity_id"].is_duplicated().any()
    return {r["activity_id"]: (r["opportunity_id"], r["at"], r["answered_at"]) for r in rows.iter_rows(named=True)}


def leads_of(book, moment, corrected=False):
    rows = known(book["leads"], moment, corrected).filter(pl.col("created_at") <= moment)
    assert not rows["lead_id"].is_duplicated().any()
    hidden = {
        "first_response_at": "first_response_at",
        "qualified_at": "qualified_at",
        "opportunity_id": "qualified_at",
    }
    rows = rows.with_columns(pl.when(pl.col(when) <= moment).then(c).alias(c) for c, when in hidden.items())
    return {r["lead_id"]: (r["created_at"], r["rep_id"], *(r[c] for c in hidden)) for r in rows.iter_rows(named=True)}


# The slow loop --------------------------------------------------------------------------------------------------------


def closed(versions):
    """Each version ends where the next begins, if not before."""
    for version, following in pairwise(versions):
        version["valid_to"] = min(version["valid_to"] or following["valid_from"], following["valid_from"])
    return versions


def vanished(versions, taken):
    versions = [dict(v) for v in versions if v["valid_from"] < taken]
    if versions and (versions[-1]["valid_to"] is None or versions[-1]["valid_to"] > taken):
        versions[-1] |= {"valid_to": taken, "end_reason": "vanished"}
    return versions


def run_start(versions):
    """Where the status of the last version began."""
    since = versions[-1]["valid_from"]
    for version in reversed(versions):
        if version["status"] != versions[-1]["status"]:
            break
        since = version["valid_from"]
    return since


def as_now(believed, told, taken):
    """The versions to believe of a deal that a source tells as it is now."""
    believed, told = [dict(v) for v in believed], [dict(v) for v in told]
    if not believed:
        return told
    last, now = believed[-1], told[-1]
    lives, is_told_alive = last["valid_to"] is None, now["valid_to"] is None
    if now["status"] != "open" and not (last["status"] == now["status"] and run_start(believed) == now["valid_from"]):
        kept = [v for v in believed if v["valid_from"] < now["valid_from"]]
        if kept and kept[-1]["status"] == now["status"]:
            start = run_start(kept)
            kept = [v for v in kept if v["valid_from"] < start]
        if not kept:
            return told
        if kept[-1]["end_reason"] is None or kept[-1]["valid_to"] > now["valid_from"]:
            kept[-1] |= {"valid_to": now["valid_from"], "end_reason": None}
        return [*kept, now]
    facts = [f for f in FACTS if f != "end_reason"]
    if is_told_alive and (not lives or any(last[f] != now[f] for f in facts)):
        start = max(taken, last["valid_from"])
        kept = [v for v in believed if v["valid_from"] < start]
        if not kept:
            return [now | {"valid_from": start}]
        if kept[-1]["valid_to"] is None or kept[-1]["valid_to"] > start:
            kept[-1] |= {"valid_to": start, "end_reason": None}
        return [*kept, now | {"valid_from": start}]
    if lives and not is_told_alive:
        end = now["valid_to"] if now["valid_to"] > last["valid_from"] else taken
        last |= {"valid_to": end if end > last["valid_from"] else None, "end_reason": now["end_reason"]}
    return believed


def beliefs(told, is_history):
    """What is believed after each import: the whole of it."""
    all_beliefs, deals, accounts, touches, leads = [], {}, {}, {}, {}
    for telling in told:
        believed = {}
        for deal in sorted({*deals, *telling.deals}):
            if deal not in telling.deals:
                believed[deal] = deals[deal] if telling.is_partial else vanished(deals[deal], telling.taken)
            elif is_history:
                believed[deal] = closed([dict(v) for v in telling.deals[deal]])
            else:
                believed[deal] = closed(as_now(deals.get(deal, []), telling.deals[deal], telling.taken))
        deals, accounts = believed, accounts | telling.accounts
        touches = (touches if telling.is_partial else {}) | telling.touches
        leads = (leads if telling.is_partial else {}) | telling.leads
        all_beliefs.append((deals, accounts, touches, leads))
    return all_beliefs


def moment_of(day):
    return None if day is None else at(day)


def by_then(day, taken):
    return at(day) if day is not None and day <= taken else None


def slow_versions(belief, day):
    deals, accounts, _, _ = belief
    answer = {}
    for deal, versions in deals.items():
        status_since = stage_since = None
        pushes = reopened = 0
        for i, version in enumerate(versions):
            before = versions[i - 1] if i else None
            reopens = before is not None and version["status"] == "open" and before["status"] != "open"
            reopened += reopens
            due, was_due = version["expected_close_date"], before and before["expected_close_date"]
            both_open = before is not None and version["status"] == before["status"] == "open"
            pushes += bool(both_open and due and was_due and (due.year, due.month) > (was_due.year, was_due.month))
            if before is None or before["status"] != version["status"]:
                status_since = version["valid_from"]
            if before is None or before["stage"] != version["stage"] or reopens:
                stage_since = version["valid_from"]
            follows = versions[i + 1]["stage"] if i + 1 < len(versions) else None
            if version["valid_from"] > day:
                continue
            is_over = version["valid_to"] is not None and version["valid_to"] <= day
            row = {f: version[f] for f in FACTS} | {"n_pushes": pushes, "n_reopened": reopened}
            row |= {"valid_to": at(version["valid_to"]) if is_over else None, "account_id": accounts[deal]}
            row |= {"next_stage": follows if is_over and follows != version["stage"] else None}
            row |= {"status_since": at(status_since), "stage_since": at(stage_since)}
            row["end_reason"] = version["end_reason"] if is_over else None
            answer[deal, at(version["valid_from"])] = row
    return answer


def slow_touches(belief, day):
    touches = belief[2]
    answer = {}
    for name, touch in touches.items():
        answers = [
            (other["at"], other_name)
            for other_name, other in touches.items()
            if touch["direction"] == "inbound" and other["direction"] == "outbound" and not other["is_automatic"]
            and touch["opportunity_id"] is not None and other["opportunity_id"] == touch["opportunity_id"]
            and (other["at"], other_name) > (touch["at"], name)
        ]  # fmt: skip
        if touch["at"] <= day:
            answer[name] = (
                touch["opportunity_id"],
                at(touch["at"]),
                by_then(min(answers)[0] if answers else None, day),
            )
    return answer


def slow_leads(belief, day):
    answer = {}
    for name, lead in belief[3].items():
        if lead["created_at"] <= day:
            qualified = by_then(lead["qualified_at"], day)
            answer[name] = (
                at(lead["created_at"]), lead["rep_id"], by_then(lead["first_response_at"], day), qualified,
                lead["opportunity_id"] if qualified else None,
            )  # fmt: skip
    return answer


def check(told, is_history):
    books = imported(told, frozenset({"versions"}) if is_history else frozenset())
    slow = beliefs(told, is_history)
    last = {telling.taken: belief for telling, belief in zip(told, slow, strict=True)}
    for fast, loop in ((versions_of, slow_versions), (touches_of, slow_touches), (leads_of, slow_leads)):
        for n, book in enumerate(books):
            for telling in told[: n + 1]:
                if telling.taken < told[n].taken or telling is told[n]:
                    then = slow[n] if telling is told[n] else last[telling.taken]
                    assert fast(book, at(telling.taken)) == loop(then, telling.taken), (fast, n, telling.taken)
        for day in range(told[-1].taken + 1):
            assert fast(books[-1], at(day), corrected=True) == loop(slow[-1], day), (fast, day)
    for book in books:
        numbers = book["opportunities"].select("opportunity_id", "opportunity_key").unique()
        assert numbers["opportunity_key"].sort().to_list() == list(range(numbers.height))
        for half in range(2 * told[-1].taken):
            rows = known(book["versions"], at(half / 2)).filter(
                pl.col("valid_from") <= at(half / 2), (pl.col("valid_to") > at(half / 2)).fill_null(True)
            )
            assert not rows["opportunity_id"].is_duplicated().any(), "two rows of one deal at one moment"
            leads_of(book, at(half / 2)), touches_of(book, at(half / 2))
        for name, rows in book.items():
            never = rows.filter(pl.col("known_from") >= pl.col("known_to"))
            assert never.is_empty(), f"{name} keeps rows that are seen at no moment"
    return books


MODES = {"histories": (retold, True), "present": (now_told, False)}
#: Smaller counterexamples are not looked for: each try adds several imports.
SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@SLOW
@given(random=st.randoms(use_true_random=False), n=st.integers(1, 3))
def test_a_few_deals_are_known_and_corrected_as_the_loop_says(mode, random, n):
    tell, is_history = MODES[mode]
    check(tellings(random, n, tell, partial=0.3), is_history)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(5))
def test_hundreds_of_deals_are_known_and_corrected_as_the_loop_says(mode, seed):
    tell, is_history = MODES[mode]
    check(tellings(Random(seed), 150, tell, partial=0.3), is_history)


@pytest.mark.parametrize("mode", MODES)
def test_an_import_that_tells_nothing_new_adds_nothing(mode):
    tell, is_history = MODES[mode]
    told = tellings(Random(5), 50, tell)
    again = replace(told[-1], taken=told[-1].taken + 1)

    *_, before, after = imported([*told, again], frozenset({"versions"} if is_history else ()))

    for name, frame in before.items():
        assert_frame_equal(after[name], frame)


def test_the_last_import_of_histories_corrected_is_that_import_alone():
    told = tellings(Random(6), 100, retold)
    everything = told[-1].deals | {d: told[0].deals[d] for d in told[0].deals if d not in told[-1].deals}
    final = replace(told[-1], deals=everything, accounts=told[0].accounts | told[-1].accounts)

    after, alone = imported([*told[:-1], final])[-1], imported([final])[-1]

    told_deals = pl.Series(list(everything)).implode()
    for name in ("versions", "opportunities"):
        corrected = after[name].filter(pl.col("known_to").is_null(), pl.col("opportunity_id").is_in(told_deals))
        kept = [c for c in STORED[name].column_names() if c[:5] != "known" and c[-4:] != "_key"]
        order = ["opportunity_id", "valid_from"][: 1 + (name == "versions")]
        assert_frame_equal(corrected.select(kept).sort(order), alone[name].select(kept).sort(order))
