"""Pay as a function of attainment: where it jumps, where it is flat, and whether holding a deal back pays."""

from dataclasses import replace
from datetime import timedelta

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.models.pay import Payroll
from cadran.models.pay_earned import Array
from cadran.models.pay_futures import earned
from cadran.models.pay_plan import Measure, PayPlan
from cadran.models.pay_shown import typed
from cadran.tables.measured.pay import PayCurve, PayHeld
from cadran.tables.problems import Problem

#: How far attainment is told, and by which step.
FURTHEST, STEP = 2.0, 0.01
#: A hair of attainment: what lies just before a point.
_HAIR = 1e-7
#: Pay in cents that is no jump, and pay per unit credited that is none.
_LEAST_JUMP, _LEAST_RATE = 1.0, 1e-9


def reference(plan: PayPlan, quota: float | None = None) -> float:
    """The quota, in cents, that the curve of a plan is told for: of one period, or of the plan where attainment is to date.

    Args:
        plan: The plan.
        quota: A yearly quota in the plan's currency; that of the plan by default.

    Raises:
        Problem: If no quota is known: the plan names none for all, and none is given.
    """
    yearly = plan.quota if quota is None else 100 * quota
    if not yearly:
        raise Problem("The plan {plan} names no quota for all: attainment has no scale.",
                      "Give a yearly quota to tell its curve for.", plan=plan.name)  # fmt: skip
    return yearly * months_told(plan) / 12


def usual_quota(paid: Payroll) -> float | None:
    """The quota of a year, in the plan's currency, that the curve of a plan without one for all is told for: the median
    of those who are there in every period settled. None where nobody is held to one."""
    roll, n = paid.staff.roll, len(paid.periods)
    whole = roll.quota[:, :n][roll.present[:, :n].all(1)].sum(1) * 12 / (n * paid.plan.period_months) / 100
    return float(np.median(whole)) if len(whole) and whole.max() > 0 else None


def usual_deal(book: Book) -> float | None:
    """The median amount of the deals won in the year before the book's moment; None where none is known."""
    won = (nw.col("status") == "won") & (nw.col("closed_date") > book.day - timedelta(365))
    found = small(book.deals(["status", "closed_date", "amount"]).filter(won))["amount"].drop_nulls().to_numpy()
    return float(np.median(found)) if len(found) else None


def curve(plan: PayPlan, quota: float | None = None, measure: str | None = None) -> pl.DataFrame:
    """Pay at each attainment from 0 to 200 %, for somebody who is there all the time.

    Told for one period where attainment is of the period, else for the whole plan. At a jump there are two rows: the
    pay just before it, then the pay there.

    Args:
        plan: The plan.
        quota: A yearly quota in the plan's currency; that of the plan by default.
        measure: The measure that moves, the others staying at 100 %; all together by default.

    Returns:
        Rows as `PayCurve`, in order.

    Raises:
        Problem: If no quota is known, or there is no such measure.
    """
    names = [each.name for each in plan.measures]
    if measure is not None and measure not in names:
        raise Problem("The plan {plan} has no measure {measure}.", "Its measures are: {names}.",
                      plan=plan.name, measure=measure, names=", ".join(names))  # fmt: skip
    whole = reference(plan, quota)
    moving = [measure is None or each == measure for each in names]
    edges = _edges(plan, whole, moving)
    grid = np.arange(0, FURTHEST + STEP / 2, STEP).round(6)
    points = np.unique(np.concatenate([grid, list(edges)]))
    capped = _cap_at(plan, points, whole, moving)
    if capped is not None:
        edges |= {capped: "cap"}
        points = np.unique(np.append(points, capped))
    pay, before, after = (_pay(plan, points + hair, whole, moving) for hair in (0, -_HAIR, _HAIR))
    before[0] = pay[0]
    is_cliff = pay - before > _LEAST_JUMP
    rate = (after - pay) / (_HAIR * whole)
    rows = pl.DataFrame(
        {"attainment": points, "pay": pay / 100, "before": before / 100, "marginal_rate": rate.clip(0), "is_cliff": is_cliff,
         "is_flat": rate < _LEAST_RATE, "at": [edges.get(point) for point in points.tolist()]},
    )  # fmt: skip
    jumps = rows.filter("is_cliff").with_columns(
        pay="before", is_cliff=False, is_flat=False, marginal_rate=None, at=None
    )
    told = pl.concat([jumps, rows], how="vertical_relaxed").sort("attainment", maintain_order=True)
    return typed(PayCurve, [told.with_columns(plan=pl.lit(plan.name), measure=pl.lit(measure, pl.String))])


def flat_zones(told: pl.DataFrame) -> list[tuple[float, float]]:
    """From and to which attainment a further unit credited pays nothing, from a curve; the last may have no end here."""
    zones: list[tuple[float, float]] = []
    rows = told.filter(pl.col("marginal_rate").is_not_null()).select("attainment", "is_flat").rows()
    for (point, is_flat), following in zip(rows, [*rows[1:], None], strict=True):
        if is_flat and following:
            end = following[0]
            zones = [*zones[:-1], (zones[-1][0], end)] if zones and zones[-1][1] == point else [*zones, (point, end)]
    return zones


def held(plan: PayPlan, deal: float, quota: float | None = None, following: float = 1.0) -> pl.DataFrame:
    """What a deal pays now, and what it would pay if it were held back, by attainment without it.

    Held to the next period where attainment is of the period; where it is to date, a deal held within the plan is paid
    all the same at its end, so it is held to the next plan.

    Args:
        plan: The plan.
        deal: The amount of the deal.
        quota: A yearly quota in the plan's currency; that of the plan by default.
        following: The attainment that the next period, or plan, reaches without the deal.

    Returns:
        Rows as `PayHeld`, by attainment from 0 to 200 %.

    Raises:
        Problem: If no quota is known.
    """
    whole = reference(plan, quota)
    moving = [True] * len(plan.measures)
    points, more = np.arange(0, FURTHEST + 0.025, 0.05).round(6), 100 * deal / whole
    now = _pay(plan, points + more, whole, moving) - _pay(plan, points, whole, moving)
    then = np.diff(_pay(plan, np.array([following, following + more]), whole, moving))[0]
    rows = pl.DataFrame({"attainment": points, "now_pay": now / 100}).with_columns(
        plan=pl.lit(plan.name), deal_amount=pl.lit(float(deal)), held_pay=pl.lit(then / 100)
    )
    return typed(PayHeld, [rows.with_columns(gain_pay=pl.col("held_pay") - pl.col("now_pay"))])


def months_told(plan: PayPlan) -> int:
    """Months that the curve of a plan is told for: those of a period, or of the plan where attainment is to date."""
    return plan.period_months if plan.attainment == "period" else plan.months


def _pay(plan: PayPlan, points: Array, whole: float, moving: list[bool]) -> Array:
    """Pay in cents at each attainment."""
    variable, total = np.asarray(plan.variable * months_told(plan) / 12), np.zeros_like(points)
    for measure, moves in zip(plan.measures, moving, strict=True):
        credited = (points if moves else np.ones_like(points)) * whole * float(measure.quota_share)
        total += earned(measure, credited, np.asarray(whole), variable)
    return total if plan.cap is None else np.minimum(total, plan.cap * months_told(plan) / 12)


def _edges(plan: PayPlan, whole: float, moving: list[bool]) -> dict[float, str]:
    """The attainments at which a tier begins, up to the furthest told."""
    return {
        at: f"{measure.name}: {number}"
        for measure, moves in zip(plan.measures, moving, strict=True) if moves
        for number, tier in enumerate(measure.tiers, 1)
        if 0 < (at := round(_at(measure, float(tier.start), whole), 9)) <= FURTHEST
    }  # fmt: skip


def _at(measure: Measure, start: float, whole: float) -> float:
    return start if measure.is_on_quota else start / (whole * float(measure.quota_share))


def _cap_at(plan: PayPlan, points: Array, whole: float, moving: list[bool]) -> float | None:
    """The attainment at which the cap is reached: between two points pay is a straight line."""
    if plan.cap is None:
        return None
    cap = plan.cap * months_told(plan) / 12
    pay = _pay(_uncapped(plan), points, whole, moving)
    over = np.flatnonzero(pay > cap)
    if not len(over) or over[0] == 0:
        return None
    low, high = points[over[0] - 1], points[over[0]]
    below, above = pay[over[0] - 1], _pay(_uncapped(plan), np.array([high - _HAIR]), whole, moving)[0]
    return round(float(high if above <= cap else low + (high - low) * (cap - below) / (above - below)), 9)


def _uncapped(plan: PayPlan) -> PayPlan:
    return replace(plan, cap=None)
