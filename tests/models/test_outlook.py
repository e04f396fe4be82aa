"""What open deals promise: sums of chances, levers that move them, and no noise in between."""

from datetime import UTC, date, datetime
from itertools import pairwise
from math import inf
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from known import untaught
from polars.testing import assert_frame_equal

from cadran.book import SAMPLE, open_book
from cadran.book.held import Kept
from cadran.models import outlook as module
from cadran.models.levers import LEVERS
from cadran.models.outlook import Outlook
from cadran.tables.problems import Problem


class Model:
    """Chances rise with contacts and time; draws shift them by a few points."""

    hazards = SimpleNamespace()

    def incidence(self, facts, days=(inf,), instead=None):
        facts = facts if instead is None else instead
        limit = np.clip(0.2 + 0.1 * facts["n_contacts"].to_numpy(), 0, 0.9)
        return limit[:, None] * np.array([1 - 0.5 ** (each / 91) for each in days])

    def drawn(self, facts, days=(inf,), n=200, instead=None):
        shift = np.linspace(0.8, 1.2, n)[:, None, None]
        return np.clip(self.incidence(facts, days, instead)[None] * shift, 0, 1)


FACTS = pl.DataFrame(
    {"opportunity_id": ["A", "B", "C"], "amount": [100.0, None, 50.0], "n_contacts": [1, 2, 3], "age_days": [10.0] * 3,
     "waiting_hours": [None, 30.0, 100.0], "n_asked_90": [None, 1, 2], "waited_90": [None, 1.0, 9.0],
     "n_outbound_30": [0, 0, 0], "n_touches": [0, 1, 2],
     "days_since_outbound": [None, 5.0, 6.0]}
)  # fmt: skip
ALL = np.array([True, True, True])


def outlook(day=date(2026, 6, 30), facts=FACTS):
    return Outlook(Model(), facts, day, pl.DataFrame())


def test_where_no_chance_can_be_told_there_is_no_outlook(monkeypatch):
    monkeypatch.setattr(module.kept, "model", lambda book: untaught())

    with pytest.raises(Problem, match="No chance can be told"):
        module.outlook(open_book(SAMPLE).as_of(date(2026, 1, 9)))


def test_expected_wins_are_the_sum_of_chances_and_unknown_amounts_are_counted():
    told = outlook().expected(ALL, "ever")

    assert told.wins == pytest.approx(0.3 + 0.4 + 0.5)
    assert told.revenue == pytest.approx(100 * 0.3 + 50 * 0.5)
    assert (told.n_deals, told.n_unknown) == (3, 1)
    assert told.wins_low <= told.wins <= told.wins_high <= 3


def test_the_interval_of_wins_holds_chance():
    # 200 deals of chance 0.3 whatever the model: their number is binomial, standard deviation 6.5.
    facts = pl.concat([FACTS.head(1)] * 200)
    told = outlook(facts=facts).expected(np.ones(200, bool), "ever")

    assert told.wins == pytest.approx(60)
    assert told.wins_low < 60 - 1.96 * np.sqrt(200 * 0.3 * 0.7)
    assert told.wins_high > 60 + 1.96 * np.sqrt(200 * 0.3 * 0.7)


@pytest.mark.parametrize(
    ("day", "quarter", "following"),
    [
        (date(2026, 5, 10), 51, 143),
        (date(2026, 6, 30), 92, 184),
        (date(2026, 12, 31), 90, 181),
        (date(2026, 1, 1), 89, 180),
    ],
)
def test_horizons_end_on_the_last_day_of_a_quarter(day, quarter, following):
    horizons = outlook(day).horizons

    assert (horizons["quarter"], horizons["next_quarter"]) == (quarter, following)


def test_half_of_a_chance_has_come_by_the_likely_date():
    close = outlook().scores["close_date"]

    assert set(close) == {date(2026, 9, 29)}  # 91 days on, whatever the chance


def test_a_lever_starts_from_what_is_expected_now_and_adds_what_the_model_says():
    told = outlook().pulled(ALL, "contacts", "ever")

    assert told["value"].to_list() == [None, 1, 2, 3]
    assert told["wins"][0] == pytest.approx(outlook().expected(ALL, "ever").wins, rel=1e-6)
    assert told["wins_more"].to_list() == pytest.approx([0, 0.3, 0.6, 0.9], abs=1e-6)
    assert told["revenue_more"].to_list() == pytest.approx([0, 15, 30, 45], abs=1e-4)
    # As things are differs from itself by nothing, whatever the model drawn.
    assert told.row(0, named=True)["wins_more_low"] == told.row(0, named=True)["wins_more_high"] == 0


def test_a_segment_is_part_of_the_whole():
    seen = outlook()
    parts = [seen.pulled(np.array(kept), "contacts", "ever")["wins"] for kept in ([1, 0, 0], [0, 1, 1])]

    assert (parts[0] + parts[1]).to_list() == pytest.approx(
        seen.pulled(ALL, "contacts", "ever")["wins"].to_list(), rel=1e-6
    )


@pytest.fixture
def asked(monkeypatch):
    """How many deals each draw of models was asked of, how many models, and whether a lever was pulled."""
    noted, drawn = [], Model.drawn

    def watched(model, facts, days=(inf,), n=200, instead=None):
        noted.append((len(facts), n, instead is not None))
        return drawn(model, facts, days, n, instead)

    monkeypatch.setattr(Model, "drawn", watched)
    return noted


def test_any_number_of_deals_gets_every_draw_in_parts_that_fit(monkeypatch, asked):
    told = [outlook().pulled(ALL, "contacts", "ever"), outlook().scores, outlook().expected(ALL, "ever")]
    asked.clear()
    monkeypatch.setattr(module.win, "CHUNK", 2)
    monkeypatch.setattr(module, "_HELD", Kept(1))  # nothing fits

    seen = outlook()

    assert_frame_equal(seen.pulled(ALL, "contacts", "ever"), told[0])
    assert_frame_equal(seen.scores, told[1])
    assert seen.expected(ALL, "ever").wins == told[2].wins
    assert {n_deals for n_deals, *_ in asked} == {1, 2}
    assert {n for _, n, _ in asked} == {100, 200}


def test_levers_are_worked_out_before_somebody_pulls_one(monkeypatch, asked):
    seen = outlook()
    monkeypatch.setattr(module, "LEVERS", {name: LEVERS[name] for name in ("answer", "contacts")})
    seen.work_out_levers()
    n_asked = len(asked)

    for lever in ("answer", "contacts"):
        for horizon in ("quarter", "ever"):
            for kept in (ALL, ~ALL, np.array([True, False, True])):
                assert seen.pulled(kept, lever, horizon)["wins"].is_not_null().all()

    assert len(asked) == n_asked == 7 + 4
    monkeypatch.setattr(module, "BEFOREHAND", 2)
    outlook().work_out_levers()
    assert len(asked) == n_asked


def test_no_open_deal_promises_nothing():
    seen = outlook(facts=FACTS.clear())

    assert seen.expected(np.array([], bool), "ever").wins == 0
    assert seen.scores.is_empty()
    assert seen.pulled(np.array([], bool), "contacts", "ever")["wins"].to_list() == [0] * 4


def test_answering_within_a_day_ends_longer_waits_and_leaves_what_is_not_known():
    told = LEVERS["answer"].applied(FACTS, 24)

    assert told["waiting_hours"].to_list() == [None, None, None]
    assert told["waited_90"].to_list() == pytest.approx([None, 1.0, 2 * np.log1p(24)])
    assert told["n_outbound_30"].to_list() == [0, 1, 1]
    assert LEVERS["answer"].applied(FACTS, 48)["waiting_hours"].to_list() == [None, 30, None]
    assert LEVERS["answer"].applied(FACTS, None) is FACTS


@pytest.mark.parametrize(
    ("zone", "purged", "first"),
    [
        ("America/New_York", None, date(2026, 10, 7)),
        ("Europe/Paris", None, date(2026, 10, 7)),  # over the change of hour
        ("Europe/Paris", "2026-10-20", date(2026, 10, 21)),  # of before, a purge kept a part
    ],
)
def test_past_looks_at_a_deal_are_told_by_their_day_here(monkeypatch, zone, purged, first):
    def facts_at(book, pairs):
        return pairs.with_columns(opportunity_id=pl.lit("A"), stage=pl.lit("Prospect"), n_contacts=pl.lit(1))

    monkeypatch.setattr(module, "facts_at", facts_at)
    last = datetime(2026, 11, 4, 23, 59, 59, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    manifest = {"purged_before": purged} if purged else {}
    book = SimpleNamespace(moment=last, settings=SimpleNamespace(time_zone=zone), manifest=manifest)
    facts = FACTS.with_columns(age_days=pl.lit(30.0), opportunity_key=pl.lit(1))

    told = outlook(date(2026, 11, 4), facts).course(book, "A")["at_date"].to_list()

    assert (told[0], told[-1]) == (first, date(2026, 11, 4))
    assert {(after - before).days for before, after in pairwise(told)} <= {7}


def test_a_deal_says_whether_its_levers_go_beyond_what_was_seen(monkeypatch):
    seen = pl.col("n_contacts") > 4
    monkeypatch.setattr(module, "beyond", lambda model, facts: facts.select(seen).to_series().to_numpy())
    told = outlook()

    assert told.is_beyond("C", {"contacts": 2.0})
    assert not told.is_beyond("C", {"contacts": 1.0})
    assert not told.is_beyond("A", {"contacts": 2.0})
    assert not told.is_beyond("A", {})
    assert not told.is_beyond("gone", {"contacts": 2.0})
