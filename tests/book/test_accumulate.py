"""Imports added to a book, against a slow loop that keeps every import's whole belief and answers from it."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tellings import at, frames, now_told, retold, tellings

from cadran.book.accumulate import Scene, accumulate
from cadran.book.numbers import Numbers
from cadran.tables import STORED
from cadran.tables.groups import group_of

DEALS, LEADS = group_of("versions"), group_of("leads")
FACTS = ("rep_id", "stage", "status", "amount", "expected_close_date", "end_reason")
WORKED_OUT = ("status_since", "stage_since", "n_pushes", "n_reopened", "account_id")


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
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@SLOW
@given(random=st.randoms(use_true_random=False), n=st.integers(1, 3))
def test_a_few_deals_are_known_and_corrected_as_the_loop_says(mode, random, n):
    tell, is_history = MODES[mode]
    check(tellings(random, n, tell, partial=0.3), is_history)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_hundreds_of_deals_are_known_and_corrected_as_the_loop_says(mode, seed):
    tell, is_history = MODES[mode]
    check(tellings(Random(seed), 120, tell, partial=0.3), is_history)


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
