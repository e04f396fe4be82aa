"""The process audit against plain loops over the lives of 150 invented deals, statsmodels, and counts by hand."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median

import numpy as np
import pytest
from statsmodels.api import WLS
from statsmodels.duration.survfunc import CumIncidenceRight
from statsmodels.stats.proportion import proportion_confint

from cadran.measures import MEASURES, Question

OPEN = ["Lead", "Demo", "Offer", "Deal"]
STAGES = [
    {"stage": name, "position": place, "kind": name.lower() if place > 3 else "open", "is_qualified": True}
    for place, name in enumerate([*OPEN, "Won", "Lost", "Disqualified"])
]
TAKEN = datetime(2026, 6, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERIOD = {"since": date(2026, 2, 1), "until": date(2026, 5, 31)}


def lived(pick):
    """The moves of one deal, (when, stage, status): on, back, over a stage, closed in a stage or beside it, reopened."""
    at, stage, status = datetime(2026, 1, 1, tzinfo=UTC) + pick.randrange(3000) * HOUR, pick.choice(OPEN[:2]), "open"
    story = []
    while at <= TAKEN:
        story.append((at, stage, status))
        at += pick.randint(1, 700) * HOUR
        if status != "open":
            if pick.random() > 0.15:
                break
            stage, status = pick.choice(OPEN), "open"
        elif pick.random() < 0.3:
            status = pick.choice(["won", "lost", "lost", "disqualified"])
            stage = status.title() if pick.random() < 0.7 else stage
        else:
            stage = pick.choice([name for name in OPEN if name != stage])
    return story


@pytest.fixture(scope="module")
def stories():
    pick = Random(3)
    return {f"d{number:03}": lived(pick) for number in range(150)}


@pytest.fixture(scope="module")
def touches(stories):
    """Touches on even hours that say who spoke, some by a machine, and on odd ones some that do not."""
    pick, rows = Random(5), []
    for number in range(900):
        deal, hour = pick.choice([*stories]), pick.randrange(2160)
        kind, direction = pick.choice([("email", "inbound"), ("call", "outbound"), ("meeting", None), ("task", None)])
        at = datetime(2026, 1, 1, tzinfo=UTC) + (2 * hour + (direction is None)) * HOUR
        row = {"activity_id": f"t{number}", "opportunity_id": deal, "kind": kind, "direction": direction, "at": at}
        rows.append(row | {"is_automatic": pick.random() < 0.1})
    return rows


@pytest.fixture(scope="module")
def full(make_book, stories, touches):
    versions = [
        {"opportunity_id": deal, "valid_from": at, "stage": stage, "status": status, "amount": 10.0 * number or None}
        for number, (deal, story) in enumerate(stories.items())
        for at, stage, status in story
    ]
    deals = [{"opportunity_id": deal, "created_at": story[0][0]} for deal, story in stories.items()]
    return make_book(opportunities=deals, versions=versions, stages=STAGES, activities=touches)


@pytest.fixture(scope="module", params=[None, date(2026, 4, 20)], ids=["now", "then"])
def book(request, full):
    return full.as_of(request.param) if request.param else full


def known(stories, moment):
    return {deal: own for deal, story in stories.items() if (own := [move for move in story if move[0] <= moment])}


def visits_of(story):
    """(stage, since, ended, to_stage, closed_as) of each visit to an open stage."""
    found = []
    for (at, stage, status), after in zip(story, [*story[1:], None], strict=True):
        if status == "open":
            closes = after is not None and after[2] != "open"
            to = after[1] if after and not closes else None
            found.append((stage, at, after and after[0], to, after[2] if after and closes else None))
    return found


def in_period(at):
    return PERIOD["since"] <= at.date() <= PERIOD["until"]


def ask(book, name, **more):
    return MEASURES[name].ask(book, Question(**PERIOD, **more)).rows(named=True)


def test_funnel(book, stories):
    made = {deal: story for deal, story in known(stories, book.moment).items() if in_period(story[0][0])}
    been = {deal: {visit[0] for visit in visits_of(story)} for deal, story in made.items()}
    status = {deal: story[-1][2] for deal, story in made.items()}
    for deal, state in status.items():
        been[deal] |= {"won"} if state == "won" else set()
    line = [*OPEN, "won"]
    for row in ask(book, "stage_funnel"):
        name = row["entered_stage"] or "won"
        place = line.index(name)
        here = {deal for deal in made if name in been[deal]}
        beyond = {deal for deal in made if been[deal] & set(line[place + 1 :])}
        before = {deal for deal in made if place == 0 or line[place - 1] in been[deal]}
        pending = {deal for deal in set(made) - here - beyond if status[deal] == "open"}
        back = [
            deal
            for deal, story in made.items()
            if any(v[0] == name and v[3] and OPEN.index(v[3]) <= OPEN.index(v[0]) for v in visits_of(story))
        ]
        counts = ("n_deals", "n_reached", "n_pending", "n_previous", "n_from_previous", "n_skipped", "n_back")
        told = (made, here, pending, before, before & here, beyond - here, back)
        assert [row[count] for count in counts] == [len(each) for each in told], name
        assert row["n_pending_previous"] == len(before & pending)
        ends = proportion_confint(len(before & here), len(before), method="wilson")
        assert (row["previous_share_low"], row["previous_share_high"]) == pytest.approx(ends)
        assert row["expected_share"] == pytest.approx(expected(made, name, status, book.moment))


def expected(made, name, status, moment):
    """The share that statsmodels expects to come to a stage, or to win."""
    times, codes = [], []
    for deal, story in made.items():
        until = story[-1][0] if status[deal] != "open" else moment
        came = [visit[1] for visit in visits_of(story) if visit[0] == name]
        came = [until] if name == "won" and status[deal] == "won" else came
        times.append(((came[0] if came else until) - story[0][0]).days)
        codes.append(1 if came else 2 if status[deal] != "open" else 0)
    # With weights it leaves out the standard errors, which divide by nobody at the end.
    return CumIncidenceRight(np.array(times, float), np.array(codes), freq_weights=np.ones(len(times))).cinc[0][-1]


def closed_in(stories, moment):
    return {
        deal: story
        for deal, story in known(stories, moment).items()
        if story[-1][2] != "open" and in_period(next(m[0] for m in reversed(story) if m[2] != "open"))
    }


def test_paths(book, stories):
    closed = closed_in(stories, book.moment)
    walked = {deal: " → ".join(visit[0] for visit in visits_of(story)) for deal, story in closed.items()}
    ranked = sorted(Counter(walked.values()).items(), key=lambda each: (-each[1], each[0]))
    rows = ask(book, "path_variants", options={"top": 4})
    assert [(row["path"], row["n_deals"]) for row in rows[:-1]] == ranked[:4]
    assert (rows[-1]["rank"], rows[-1]["n_variants"]) == (0, len(ranked) - 4)
    assert sum(row["n_deals"] for row in rows) == len(closed)
    for row in rows:
        told = {path for path, _ in (ranked[4:] if row["path"] is None else [(row["path"], 0)])}
        own = [deal for deal, path in walked.items() if path in told]
        ends = Counter(closed[deal][-1][2] for deal in own)
        assert [row[f"n_{end}"] for end in ("won", "lost", "disqualified")] == [
            ends[end] for end in ("won", "lost", "disqualified")
        ]
        days = [(closed[deal][-1][0].date() - closed[deal][0][0].date()).days for deal in own]
        assert row["median_days"] == median(days)
        assert row["deals_share"] == pytest.approx(len(own) / len(closed))


def test_rework(book, stories):
    closed = closed_in(stories, book.moment)
    rows = ask(book, "rework")
    assert [row["entered_stage"] for row in rows] == [*OPEN, None]
    for row in rows:
        lives = []
        for story in closed.values():
            turns, again, extra, returns, came = Counter(), None, timedelta(), 0, False
            for stage, since, ended, *_ in visits_of(story):
                turns[stage] += 1
                if row["entered_stage"] in (None, stage):
                    came = True
                    if turns[stage] > 1:
                        again, extra, returns = again or since, extra + (ended - since), returns + 1
            if came:
                began, over = story[0][0], visits_of(story)[-1][2]
                age = None if again is None else (again - began).days
                lives.append((age, (over - began).days, extra / timedelta(days=1), returns, story[-1][2]))
        back = [life for life in lives if life[0] is not None]
        assert (row["n_deals"], row["n_returning"]) == (len(lives), len(back))
        assert row["n_returns"] == sum(life[3] for life in back)
        assert row["extra_days"] == pytest.approx(sum(life[2] for life in back))
        if not back:
            continue
        landmark = median(life[0] for life in back)
        stood = [life for life in lives if life[1] > landmark and life[4] != "disqualified"]
        by_then = [life[4] == "won" for life in stood if life[0] is not None and life[0] <= landmark]
        not_yet = [life[4] == "won" for life in stood if life[0] is None or life[0] > landmark]
        assert (row["n_closed_returned"], row["n_won_returned"]) == (len(by_then), sum(by_then))
        assert (row["n_closed_others"], row["n_won_others"]) == (len(not_yet), sum(not_yet))


def test_flows(book, stories):
    moves = defaultdict(list)
    numbers = {deal: number for number, deal in enumerate(stories)}
    for deal, story in known(stories, book.moment).items():
        own, number = visits_of(story), numbers[deal]
        for before, (stage, since, ended, to, closed_as) in zip([None, *own], own, strict=False):
            if not in_period(since):
                continue
            days = ((ended or book.moment) - since) / timedelta(days=1)
            amount = None if number == 0 else 10.0 * number
            moves[stage, to, closed_as or ("open" if to else "still_there")].append((deal, days, amount))
            if before is None or before[3] is None:
                moves[None, stage, "open"].append((deal, None, None))
    rows = ask(book, "stage_flows")
    assert len(rows) == len(moves)
    for row in rows:
        told = moves[row["from_stage"], row["to_stage"], row["to_kind"]]
        assert (row["n_moves"], row["n_deals"]) == (len(told), len({deal for deal, *_ in told}))
        days, amounts = ([each[n] for each in told if each[n] is not None] for n in (1, 2))
        assert row["median_days"] == (pytest.approx(median(days)) if days else None)
        assert row["amount"] == (sum(amounts) if amounts else None)
        places = [OPEN.index(name) if name else None for name in (row["from_stage"], row["to_stage"])]
        assert row["is_back"] == (None not in places and places[1] <= places[0])
        last = 4 if row["to_kind"] == "won" else places[1]
        assert row["is_skip"] == (None not in (places[0], last) and last > places[0] + 1)
    entered = {row["entered_stage"]: row["n_entered"] for row in ask(book, "stage_conversion")}
    for stage, n in entered.items():
        assert sum(row["n_moves"] for row in rows if row["from_stage"] == stage) == n


def test_whom_deals_wait_on_hour_by_hour(book, stories, touches):
    first = datetime(2026, 2, 1, tzinfo=UTC)
    after = min(datetime(2026, 6, 1, tzinfo=UTC), book.moment + timedelta(microseconds=1))
    said = defaultdict(list)
    for row in sorted(touches, key=lambda row: (row["at"], row["activity_id"])):
        if not row["is_automatic"] and row["kind"] != "task" and row["at"] <= book.moment:
            side = {"inbound": "us", "outbound": "client", None: "unknown"}[row["direction"]]
            said[row["opportunity_id"]].append((row["at"], side))
    hours, now = defaultdict(Counter), Counter()
    for deal, story in known(stories, book.moment).items():
        for stage, since, ended, *_ in visits_of(story):
            at = since
            while at < (ended or after):
                if first <= at < after:
                    hours[stage, deal][([side for when, side in said[deal] if when <= at] or ["nobody"])[-1]] += 1
                at += HOUR
            now[stage, ([side for _, side in said[deal]] or ["nobody"])[-1]] += ended is None
    for row in ask(book, "waiting_on"):
        stage, side = row["entered_stage"], row["side"]
        own = [counts for (where, _), counts in hours.items() if where == stage and counts]
        assert row["days"] == pytest.approx(sum(counts[side] for counts in own) / 24, abs=1e-6)
        assert row["n_deals"] == sum(counts[side] > 0 for counts in own)
        assert (row["n_deals_stage"], row["n_open"]) == (len(own), now[stage, side])
        all_of_it = np.array([counts.total() for counts in own], float)
        part = np.array([counts[side] for counts in own]) / all_of_it
        fit = WLS(part, np.ones(len(own)), weights=all_of_it).fit(cov_type="HC1")
        share, m = fit.params[0], len(own)
        if 0 < share < 1:
            m = share * (1 - share) / fit.bse[0] ** 2
        ends = proportion_confint(share * m, m, method="wilson")
        assert [row[f"days_share{end}"] for end in ("", "_low", "_high")] == pytest.approx([share, *ends], abs=1e-6)


def test_deals_that_were_there_before_the_book_followed_them_are_counted_apart(make_book):
    days = {
        "2026-03-01": ["Lead"],
        "2026-04-01": ["Demo", "Lead"],
        "2026-05-01": ["Won", "Demo"],
        "2026-06-01": ["Won", "Won"],
    }
    book = None
    for day, seen in days.items():
        now = [
            {
                "opportunity_id": f"d{n}",
                "valid_from": day,
                "stage": stage,
                "status": "won" if stage == "Won" else "open",
            }
            for n, stage in enumerate(seen)
        ]
        deals = [{"opportunity_id": f"d{n}", "created_at": f"2026-0{2 + n}-20"} for n in range(len(seen))]
        book = make_book(
            opportunities=deals, versions=now, stages=STAGES, taken=f"{day}T12:00:00", histories=(), after=book
        )

    told = {
        name: MEASURES[name].ask(book, Question()).row(0, named=True)
        for name in ("path_variants", "stage_funnel", "rework")
    }

    assert (told["path_variants"]["path"], told["path_variants"]["n_deals"]) == ("Lead → Demo", 1)
    assert {name: row["n_unknown"] for name, row in told.items()} == dict.fromkeys(told, 1)
    assert {name: row["n_deals"] for name, row in told.items()} == dict.fromkeys(told, 1)
