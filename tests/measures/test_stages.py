"""Stages: what becomes of entries, and how long visits last, against a slow loop and statsmodels."""

import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from cadran.book import Reader
from cadran.measures import MEASURES, Question, availability
from cadran.tables.problems import Problem

OPEN = ["Lead", "Demo", "Offer", "Deal"]
STAGES = [
    {"stage": name, "position": place, "kind": name.lower() if place > 3 else "open", "is_qualified": True}
    for place, name in enumerate([*OPEN, "Won", "Lost", "Disqualified"])
]
COUNTS = ["n_entered", "n_forward", "n_won", "n_back", "n_lost", "n_disqualified", "n_still_there"]
APART = ["n_skipping", "n_passed_over"]


def told(*stories, **more):
    """Tables of a book, from one list of (day or moment, stage) a deal; a stage "Lost@Demo" is lost in Demo."""
    versions = []
    for number, story in enumerate(stories):
        for at, stage in story:
            status, _, stays = stage.partition("@")
            status = status.lower() if status in ("Won", "Lost", "Disqualified") else "open"
            versions.append(
                {"opportunity_id": f"d{number}", "valid_from": at, "stage": stays or stage, "status": status, **more}
            )
    opportunities = [{"opportunity_id": f"d{number}", "product": "AB"[number % 2]} for number in range(len(stories))]
    return {"versions": versions, "opportunities": opportunities, "stages": STAGES}


def ask(book, name, **question):
    return MEASURES[name].ask(book, Question(**question))


def counts(frame, columns=COUNTS):
    return {row[0]: list(row[1:]) for row in frame.select("entered_stage", *columns).iter_rows()}


def test_every_way_out_of_a_stage(make_book):
    book = make_book(
        **told(
            [("2026-01-05", "Lead"), ("2026-01-09", "Demo"), ("2026-01-20", "Offer"), ("2026-02-02", "Won")],
            [("2026-01-06", "Lead"), ("2026-01-10", "Demo"), ("2026-01-22", "Lead"), ("2026-01-25", "Demo")],
            [("2026-01-07", "Lead"), ("2026-01-08", "Lost@Lead")],
            [("2026-01-07", "Lead"), ("2026-01-12", "Deal"), ("2026-01-30", "Disqualified")],
            [("2026-01-07", "Demo"), ("2026-02-01", "Won")],
        )
    )

    measured = ask(book, "stage_conversion")

    assert counts(measured) == {
        "Lead": [5, 4, 0, 0, 1, 0, 0],
        "Demo": [4, 1, 1, 1, 0, 0, 1],
        "Offer": [1, 0, 1, 0, 0, 0, 0],
        "Deal": [1, 0, 0, 0, 0, 1, 0],
    }
    # Lead → Deal skipped Demo and Offer; Demo → Won skipped Offer and Deal; Offer → Won skipped Deal.
    assert counts(measured, APART) == {"Lead": [1, 0], "Demo": [1, 1], "Offer": [1, 2], "Deal": [0, 2]}
    low, high = proportion_confint(4, 5, method="wilson")
    assert measured.row(0, named=True)["forward_share"] == 4 / 5
    assert measured.select("forward_share_low", "forward_share_high").row(0) == pytest.approx((low, high))


def test_several_versions_of_one_stage_are_one_visit(make_book):
    tables = told([("2026-01-05", "Lead"), ("2026-01-09", "Demo"), ("2026-01-20", "Lost")])
    extra = {"opportunity_id": "d0", "status": "open"}
    tables["versions"] += [
        extra | {"valid_from": "2026-01-06", "stage": "Lead", "amount": 5.0},
        extra | {"valid_from": "2026-01-07", "stage": "Lead", "amount": 6.0},
        extra | {"valid_from": "2026-01-15", "stage": "Demo", "amount": 7.0},
        extra | {"valid_from": "2026-01-25", "stage": "Lost", "status": "lost", "amount": 8.0},
    ]
    book = make_book(**tables)

    assert counts(ask(book, "stage_conversion"))["Lead"] == [1, 1, 0, 0, 0, 0, 0]
    assert counts(ask(book, "stage_conversion"))["Demo"] == [1, 0, 0, 0, 1, 0, 0]
    dwell = ask(book, "stage_dwell").filter(entered_stage="Demo")
    assert dwell.select("n_left", "dwell_median_days").rows() == [(1, 11.0)]


def test_a_deal_opened_again_enters_again(make_book):
    story = [("2026-01-05", "Demo"), ("2026-01-10", "Lost@Demo"), ("2026-02-01", "Demo"), ("2026-02-09", "Won")]

    measured = ask(make_book(**told(story)), "stage_conversion")

    assert counts(measured)["Demo"] == [2, 0, 1, 0, 1, 0, 0]


def test_nothing_not_yet_known_counts(make_book):
    story = [("2026-01-05", "Lead"), ("2026-02-10", "Demo"), ("2026-03-01", "Lost")]
    book = make_book(**told(story, [("2026-01-05", "Lead"), ("2026-01-06", "Demo")]))

    then = book.as_of(date(2026, 1, 31))

    assert counts(ask(then, "stage_conversion"))["Lead"] == [2, 1, 0, 0, 0, 0, 1]
    # 26 days and 23 hours after it came, at the end of the day, the first deal was still there.
    rivals = {rival.name: rival.value(then, Question()) for rival in MEASURES["stage_dwell"].rivals}
    assert rivals["Median of the visits that ended"] == 1
    assert rivals["Median age of the visits that last"] == pytest.approx(26 + 23 / 24)


def test_the_days_of_a_period_are_those_of_the_book(make_book):
    stories = [
        [("2026-01-31T22:59:00", "Lead")],
        [("2026-01-31T23:00:00", "Lead"), ("2026-02-28T23:00:00", "Demo")],
        [("2026-02-28T22:59:00", "Lead")],
    ]
    tables = told(*stories)
    tables["versions"].append({"opportunity_id": "d0", "valid_from": "2026-06-01", "stage": "Demo", "status": "open"})
    book = make_book(**tables, settings={"time_zone": "Europe/Paris"})

    february = ask(book, "stage_conversion", since=date(2026, 2, 1), until=date(2026, 2, 28))

    assert counts(february, ["n_entered"]) == {"Lead": [2], "Demo": [0], "Offer": [0], "Deal": [0]}


def test_deals_that_are_gone_are_left_out(make_book):
    tables = told([("2026-01-05", "Lead"), ("2026-01-09", "Demo")], [("2026-01-05", "Lead"), ("2026-01-09", "Demo")])
    tables["versions"][-1] |= {"valid_to": "2026-02-01", "end_reason": "deleted"}
    book = make_book(**tables)

    assert counts(ask(book, "stage_conversion"), ["n_entered"])["Lead"] == [1]
    assert counts(ask(book.as_of(date(2026, 1, 31)), "stage_conversion"), ["n_entered"])["Lead"] == [2]


def test_a_reader_sees_their_own(make_book):
    mine = told([("2026-01-05", "Lead"), ("2026-01-09", "Demo")], rep_id="r1")
    mine["versions"] += [
        {"opportunity_id": "x", "valid_from": day, "stage": stage, "status": "open", "rep_id": "r2"}
        for day, stage in [("2026-01-05", "Lead"), ("2026-01-09", "Offer")]
    ]
    mine["opportunities"].append({"opportunity_id": "x"})
    reps = [{"rep_id": f"r{n}", "valid_from": "2026-01-01", "region": f"R{n}"} for n in (1, 2)]
    book = make_book(**mine, reps=reps)

    scoped = book.scope(Reader("m", regions=frozenset(["R1"])))

    assert counts(ask(scoped, "stage_conversion"), ["n_entered"]) == {
        "Lead": [1],
        "Demo": [1],
        "Offer": [0],
        "Deal": [0],
    }
    by_region = ask(book, "stage_conversion", by=("region",), where={"status": ("open",)})
    assert by_region.filter(pl.col("n_entered") > 0).select("region", "entered_stage").rows() == [
        ("R1", "Lead"), ("R1", "Demo"), ("R2", "Lead"), ("R2", "Offer"),
    ]  # fmt: skip


def test_a_book_of_present_states_says_what_it_cannot_know(make_book):
    seen = told(
        [("2026-01-05", "Lead"), ("2026-06-30T12:00", "Offer")], [("2026-01-05", "Lead"), ("2026-03-05", "Won")]
    )

    once = make_book(**seen, histories=())

    for name in ("stage_conversion", "stage_dwell"):
        with pytest.raises(Problem, match="does not know the stages its deals have crossed"):
            ask(once, name)
        assert availability(once, [MEASURES[name]])["available"].to_list() == ["impossible"]


def test_stages_are_followed_from_the_first_import_on(make_book, monkeypatch):
    later = told(
        [("2026-01-05", "Lead"), ("2026-05-31T12:00", "Offer"), ("2026-06-02", "Deal"), ("2026-06-09", "Won")],
        [("2026-06-03", "Lead"), ("2026-06-05", "Demo")],
    )
    book = make_book(**later, histories=())
    monkeypatch.setitem(book.manifest, "first_taken", "2026-05-31T12:00:00+00:00")

    measured = ask(book, "stage_conversion")

    assert counts(measured, ["n_entered"]) == {"Lead": [1], "Demo": [1], "Offer": [0], "Deal": [1]}
    assert measured["followed_since"].unique().to_list() == [date(2026, 5, 31)]


def test_what_was_before_a_history_begins_is_not_counted(make_book, monkeypatch):
    # The first version of each was put in from its creation and close date: its history begins later.
    stories = [[("2025-01-05", "Lead"), ("2025-03-01", "Won")], [("2025-01-05", "Lead"), ("2026-02-01", "Offer")]]
    book = make_book(**told(*stories, [("2026-02-03", "Lead"), ("2026-02-05", "Demo")]))
    monkeypatch.setitem(book.manifest, "followed_since", "2026-02-01T00:00:00+00:00")

    measured = ask(book, "stage_conversion")

    assert counts(measured, ["n_entered"]) == {"Lead": [1], "Demo": [1], "Offer": [1], "Deal": [0]}
    assert measured["followed_since"].unique().to_list() == [date(2026, 2, 1)]


def invented(seed, n=150):
    """Deals that go to and fro between stages, with several versions of each."""
    rng, stories = random.Random(seed), []
    for _ in range(n):
        at, stage, story = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(3000)), 0, []
        for _ in range(rng.randint(1, 9)):
            stage = min(max(stage + rng.choice([0, 0, 1, 1, 1, 2, 3, -1]), 0), 3)
            closed = rng.choice(["Won", "Lost", "Disqualified", f"Lost@{OPEN[stage]}", f"Won@{OPEN[stage]}"])
            if at <= datetime(2026, 6, 30, 21, tzinfo=UTC):
                story.append((at, closed if rng.random() < 0.12 else OPEN[stage]))
            at += timedelta(hours=rng.randrange(1, 900))
        stories.append(story)
    return stories


def slow_visits(stories, end):
    """(deal, stage, hours, fate, skipped stages) of each visit, walking through each deal's story."""
    for number, story in enumerate(stories):
        story = [(at, stage) for at, stage in story if at <= end]
        place = 0
        while place < len(story):
            began, stage = story[place]
            ahead = place + 1
            while ahead < len(story) and story[ahead][1] == stage:
                ahead += 1
            place = ahead
            if stage not in OPEN:
                continue
            at, to = story[ahead] if ahead < len(story) else (end, None)
            hours = (at.replace(minute=0, second=0, microsecond=0) - began) / timedelta(hours=1)
            if to is None or to.partition("@")[0] not in OPEN:
                fate = "still_there" if to is None else to.partition("@")[0].lower()
            else:
                fate = "forward" if OPEN.index(to) > OPEN.index(stage) else "back"
            last = {"forward": to, "won": None}.get(fate, stage)
            skipped = OPEN[OPEN.index(stage) + 1 : OPEN.index(last) if last else None]
            yield number, stage, hours, fate, skipped


@pytest.mark.parametrize("day", [date(2026, 4, 30), date(2026, 6, 30)])
def test_is_what_a_slow_loop_finds(make_book, on_duckdb, day):
    stories = invented(seed=3)
    book = make_book(**told(*stories), taken="2026-06-30T21:00").as_of(day)
    visits = list(slow_visits(stories, book.moment))

    measured = ask(book, "stage_conversion")
    dwell = ask(book, "stage_dwell")

    slow = {
        stage: [
            sum(visit[1] == stage for visit in visits),
            *(sum(v[1] == stage and f"n_{v[3]}" == name for v in visits) for name in COUNTS[1:]),
        ]
        for stage in OPEN
    }
    assert counts(measured) == slow
    assert counts(measured, APART) == {
        stage: [sum(v[1] == stage and bool(v[4]) for v in visits), sum(stage in v[4] for v in visits)] for stage in OPEN
    }
    for row in dwell.iter_rows(named=True):
        its = [visit for visit in visits if visit[1] == row["entered_stage"]]
        theirs = SurvfuncRight(np.array([v[2] / 24 for v in its]), np.array([v[3] != "still_there" for v in its]))
        for name, share in {"p25": 0.25, "median": 0.5, "p75": 0.75}.items():
            days, low, high = (row[f"dwell_{name}_days{end}"] for end in ("", "_low", "_high"))
            assert theirs.quantile(share) == pytest.approx(np.nan if days is None else days, nan_ok=True)
            assert (low or 0) <= (days or 10**6) <= (high or 10**6)
    by_product = ask(book, "stage_conversion", by=("product",))
    assert by_product.group_by("entered_stage").agg(pl.col("n_entered").sum()).sort("entered_stage").rows() == sorted(
        (stage, numbers[0]) for stage, numbers in slow.items()
    )
    assert ask(on_duckdb(book), "stage_conversion", by=("product",)).equals(by_product)
    assert ask(on_duckdb(book), "stage_dwell").equals(dwell)


def test_rivals(make_book):
    stories = [[("2026-01-05", "Lead"), ("2026-01-09", "Demo")], [("2026-01-05", "Lead")], [("2026-01-05", "Lead")]]
    book = make_book(**told(*stories))

    rivals = {rival.name: rival.value(book, Question()) for rival in MEASURES["stage_conversion"].rivals}

    assert ask(book, "stage_conversion")["forward_share"][0] == pytest.approx(1 / 3)
    assert rivals == {"Moved on, of those that left": 1.0, "Stages side by side": 0.5}
