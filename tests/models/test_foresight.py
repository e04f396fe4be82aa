"""Forecasts of short, young, closed, empty and changed pasts, from the deals to the company: ordinary, and said."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import signed
from polars.testing import assert_frame_equal

from cadran.book import Reader
from cadran.models import forecast_past as module
from cadran.models.blend import Blend
from cadran.models.forecast import forecast
from cadran.models.forecast_past import forecast_past, learnt_by
from cadran.models.forecast_scores import scores
from cadran.models.foresight import foresee
from cadran.models.kept_forecasts import past_forecasts
from cadran.tables.problems import Problem

DAY = date(2026, 6, 30)
EQUAL = Blend(("bookings", "series", "average"), np.full((6, 3), 1 / 3), (1.0, 1.0), 0, 0)


@pytest.fixture(autouse=True)
def few_futures(monkeypatch):
    """Two month ends are judged, after one to learn from, each by a hundred futures."""
    for name, few in (("PATHS", 100), ("JUDGED", 2), ("BEFORE", 1)):
        monkeypatch.setattr(module, name, few)


def company(first, n_months, per_month=5, rep_ids=("r1", "r2", "r3", "r4"), amount=1000.0, seed=0):
    """Deals created evenly, two in five won about 25 days later, up to the book's day."""
    rng, deals = np.random.default_rng(seed), []
    for turn in range(n_months * per_month):
        created = first + timedelta(days=int(turn * 30.4 / per_month))
        closed = created + timedelta(days=int(rng.integers(5, 45)))
        row = {
            "created": created,
            "amount": amount * float(rng.lognormal(0, 0.5)),
            "rep_id": rep_ids[turn % len(rep_ids)],
        }
        if closed <= DAY:
            row |= {"status": "won" if rng.random() < 0.4 else "lost", "closed": closed}
        deals.append(row)
    return deals


def seen_of(tmp_path, deals, **more):
    return foresee(signed.book(tmp_path / "book", deals, **more), 3, EQUAL)


def test_half_a_year_is_told_with_what_it_teaches(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LEAST_MONTHS", 4)
    book = signed.book(tmp_path / "book", company(date(2026, 1, 1), 6))
    told = forecast(book)
    table = told.table()

    assert told.chosen == "blend"
    assert told.past is not None
    assert table["mean"].is_between(500, 10_000).all()
    assert (table["high"] > 1.5 * table["q50"]).all(), "so little is known that the interval is wide"
    assert set(told.rivals().silent) >= {"crm", "commit"}
    assert table["last_year"].null_count() == 6
    by_region = told.table("region").group_by("period", maintain_order=True).agg(pl.col("mean").sum())
    assert by_region["mean"].to_list() == pytest.approx(table["mean"].to_list())
    # Kept: the same question is read again.
    assert past_forecasts(book).told.equals(told.past.told)
    north = past_forecasts(book.scope(Reader("x", regions=frozenset(["North"]))))
    assert north.told["group"].unique().sort().to_list() == [None, "North"]


def test_a_first_month_is_no_past_to_learn_from_and_says_so(tmp_path):
    book = signed.book(tmp_path / "book", company(date(2026, 5, 10), 2, per_month=20))
    told = forecast(book)

    assert told.past is None
    assert "month end" in str(told.why_no_past)
    assert told.blend.n == 0
    assert np.isfinite(told.table()["mean"].to_numpy()).all()


def test_without_any_deal_or_past_nothing_is_told(tmp_path):
    with pytest.raises(Problem):
        forecast(signed.book(tmp_path / "book", [{"created": date(2026, 6, 20)}]))


def test_without_lost_deals_the_series_alone_tells_and_is_shared_by_what_each_signed(tmp_path):
    seen = seen_of(
        tmp_path, signed.monthly([100] * 14, date(2025, 5, 1)) + signed.monthly([50] * 14, date(2025, 5, 1), "r3")
    )

    assert set(seen.silent) == {"bookings"}
    north, south = seen.of("region").mean(axis=(0, 2))
    assert north / south == pytest.approx(2)
    assert seen.paths.sum(axis=1).mean() == pytest.approx(150, rel=0.15)


def test_a_region_that_closed_brings_nothing_and_a_new_one_what_its_deals_bring(tmp_path):
    old = company(date(2024, 7, 1), 12, rep_ids=("r3", "r4"))
    both = company(date(2024, 7, 1), 24, rep_ids=("r1",)) + old
    new = company(date(2026, 4, 1), 3, rep_ids=("r5",), seed=4)
    sellers = signed.SELLERS | {"r5": ("West", "W1")}
    seen = seen_of(tmp_path, [*both, *new], sellers=sellers)
    named = dict(
        zip(("North", "South", "West"), seen.of("region", ("North", "South", "West")).mean(axis=(0, 2)), strict=True)
    )

    assert named["South"] < 0.1 * named["North"]
    assert named["West"] > 0.2 * named["North"]


def test_months_without_a_signature_are_0_and_a_path_may_be(tmp_path):
    deals = [each for each in company(date(2025, 1, 1), 18, per_month=1) if each["amount"] > 0]
    seen = seen_of(tmp_path, deals)

    assert (seen.past["company"].amounts == 0).any()
    assert np.quantile(seen.paths.sum(axis=1), 0.1) < np.quantile(seen.paths.sum(axis=1), 0.9)
    assert (seen.paths >= 0).all()


def test_a_regime_that_changed_is_followed(tmp_path):
    before = company(date(2025, 1, 1), 13, amount=4000.0)
    after = company(date(2026, 2, 1), 5, amount=500.0, seed=2)
    seen = seen_of(tmp_path, [*before, *after])
    past = seen.past["company"].amounts[0]

    assert seen.paths.sum(axis=1).mean() < 0.6 * np.nanmean(past[:12])


def test_the_month_under_way_is_told_by_deals_and_holds_what_is_won(tmp_path):
    deals = [each for each in company(date(2025, 1, 1), 17) if each["created"] < date(2026, 5, 20)]
    book = signed.book(tmp_path / "book", deals).as_of(date(2026, 5, 20))
    seen = foresee(book, 2, EQUAL)

    assert seen.months[0] == date(2026, 5, 1)
    assert seen.won[:, 0].sum() > 0
    assert (seen.paths[:, :, 0] >= seen.won[:, 0] - 1e-9).all()
    assert np.allclose(
        np.sort(seen.paths[:, :, 0].sum(axis=1)), np.sort(seen.source.drawn(n=400).bookings[:, :, 0].sum(axis=1))
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return signed.book(tmp_path_factory.mktemp("past") / "book", company(date(2025, 1, 1), 18))


@pytest.fixture(scope="module")
def learnt():
    """What each blend was learnt from."""
    return []


@pytest.fixture(scope="module")
def past(book, learnt):
    """The last two month ends that can be judged, after one to learn from."""
    asked = module.learnt_by
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "PATHS", 100)
        patched.setattr(module, "BEFORE", 1)
        patched.setattr(module, "learnt_by", lambda told: learnt.append(told) or asked(told))
        return forecast_past(book, since=date(2026, 4, 1))


def test_a_past_month_end_learns_nothing_from_later_months(past, learnt):
    assert (past.since, past.until) == (date(2026, 4, 30), date(2026, 5, 31))
    days = [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]
    assert len(learnt) == 3
    for day, told in zip(days, learnt, strict=True):
        assert (told.filter(told["actual"].is_not_null())["month"] <= day).all()
        assert (told["origin"] < day).all()
    assert learnt[-1]["actual"].is_not_null().any()


def test_what_came_is_beside_it_and_what_is_not_over_counts_nowhere(past):
    known = past.judged.filter(name="blend", level="company", origin=date(2026, 5, 31))

    assert known["actual"].is_not_null().to_list() == [True] + [False] * 5
    assert scores(past.judged.filter(level="company"), "blend").filter("chosen")["n"][0] == 2 + 1


def test_a_past_forecast_is_the_same_whatever_came_later(past, book, monkeypatch):
    monkeypatch.setattr(module, "BEFORE", 0)
    again = forecast_past(book.as_of(date(2026, 4, 30)), since=date(2026, 3, 1))

    keys = {"name": "bookings", "level": "region", "origin": date(2026, 3, 31)}
    assert again.told.filter(**keys)["q90"].to_list() == past.told.filter(**keys)["q90"].to_list()


def test_of_what_was_known_on_an_earlier_day_it_learns_the_same_as_then(past, book, learnt):
    day = date(2026, 5, 31)
    then = past.known_by(book.as_of(day)).told

    assert_frame_equal(then.filter(pl.col("origin") < day), learnt[-1])
    assert then.filter(pl.col("origin") == day)["actual"].null_count() > 0
    assert past.known_by(book.as_of(date(2026, 4, 30))).told["origin"].max() == date(2026, 4, 30)


def test_regions_of_the_past_add_up_in_their_means(past):
    told = past.told.filter(name="blend").group_by("level", "origin", "month").agg(pl.col("mean").sum())
    company, regions = (told.filter(level=level).sort("origin", "month")["mean"] for level in ("company", "region"))

    assert len(company) == 18
    assert regions.to_list() == pytest.approx(company.to_list())


@pytest.mark.parametrize("asked", [{"since": date(2026, 6, 1)}, {"until": date(2025, 1, 1)}])
def test_days_without_a_month_that_is_over_are_refused(book, asked):
    with pytest.raises(Problem, match="no month end"):
        forecast_past(book, **asked)


def test_without_a_past_the_parts_weigh_as_before_any_was_seen():
    blend = learnt_by(None)

    assert blend.weights == pytest.approx(np.tile([0.5, 0.25, 0.25], (6, 1)), abs=0.03)
    assert blend.widths == (1.0, 1.0)


def test_deals_to_come_bring_what_is_expected_of_them_whatever_luck_open_ones_have(tmp_path):
    """One open deal worth all others: how often it is won in the futures drawn is nothing that new deals bring."""
    past = company(date(2025, 7, 1), 12)
    large, small = (
        seen_of(tmp_path / str(amount), [*past, {"amount": amount, "created": date(2026, 6, 1)}])
        for amount in (1e7, 1e3)
    )

    assert large.source is not None
    np.testing.assert_allclose(large.coming, small.coming)
    assert (large.coming.sum(axis=0) > 0).all()
    assert small.coming.sum() == pytest.approx((small.source.drawn().bookings - small.won).sum(axis=(1, 2)).mean()
                                               - small.chances.sum(axis=1) @ small.stock["amount"].to_numpy(), rel=0.2)  # fmt: skip


def test_the_series_and_the_mean_of_two_years_are_a_blend_without_deals(tmp_path):
    """None was lost, so that no chance can be told: what is told to readers is what is judged."""
    each = [signed.monthly([500, 1500] * 6, date(2025, 7, 1), rep) for rep in ("r1", "r3")]
    told = forecast(signed.book(tmp_path, [deal for deals in each for deal in deals]))

    assert "bookings" in told.seen.silent
    assert told.chosen == "blend"
    assert told.came(1).height == told.judged.filter(name="blend", horizon=1).height > 0
    mean, series = (told.seen.told[name, "company"][0, 0, 0] for name in ("average", "series"))
    assert min(mean, series) < told.table(horizon=1)["mean"][0] < max(mean, series), "neither is told alone"
