"""What a plan pays for what was credited, line by line, in whole cents and exactly.

Rounding: every line is rounded to the cent by itself, half a cent upwards, and never again; quota, variable, cap and
draw of a period are rounded to the cent once, when they are prorated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from cadran.models.pay_plan import Measure, PayPlan, Tier

Array = np.ndarray[Any, Any]
#: One line of each payout: its step, what it is about, and what the rep of each place gets by it.
Note = Callable[["Line"], None]


@dataclass(frozen=True)
class Line:
    """A line of the payouts of one period: each array has one value per rep."""

    step: str
    period: int
    pay: Array
    measure: Measure | None = None
    #: Place of the tier among those of the measure, from 1.
    tier: int | None = None
    of_period: int | None = None
    base: Array | None = None
    quota: Array | None = None
    target: Array | None = None
    rate: Fraction | None = None


@dataclass(frozen=True)
class Roll:
    """Who is paid, and held to what: arrays of (reps, periods), in cents."""

    quota: Array
    variable: Array
    #: None where nothing caps pay.
    cap: Array | None
    draw: Array
    #: Whether the rep is there on any day of the period.
    present: Array
    #: Number of the team of each rep, as at the end of each period.
    team: Array


@dataclass(frozen=True)
class Settled:
    """Payouts: arrays of (..., reps, periods). `credited` and `quota` are those that attainment is told of."""

    pay: Array
    carried: Array
    balance: Array
    credited: Array
    quota: Array


def settle(plan: PayPlan, roll: Roll, known: Sequence[Array], note: Note = lambda line: None) -> Settled:
    """Pay each period from what was known at its end.

    What earlier periods earned is worked out anew whenever more is known of them; the difference is paid, or owed. What
    is owed is carried to the periods that follow, and no payout is below 0.

    Args:
        plan: The plan.
        roll: Who is paid.
        known: For each period to pay, what was credited as known at its end, in the period that it counts in:
            (measures + 1, reps, periods), the last for all measures together, each amount once. Whole cents; of deals
            counted, hundredths.
        note: Told every line.
    """
    shape, kind = known[0].shape[1:-1], known[0].dtype
    pay, carried, balance, earned = (np.zeros((*shape, len(known)), kind) for _ in range(4))
    owed, drawn = np.zeros(shape, kind), np.zeros(shape, kind)
    for p, credited in enumerate(known):
        if plan.attainment == "period":
            due = _period(plan, roll, credited, p, earned, known[p - 1] if p else credited, note)
        else:
            due = _to_date(plan, roll, credited, p, earned, note)
        note(Line("carried_in", p, owed))
        due = due + owed
        owed = np.minimum(due, 0)
        note(Line("carried_out", p, -owed))
        due = due - owed
        advance = np.where(due < roll.draw[:, p], roll.draw[:, p] - due, 0).astype(kind)
        back = np.minimum(drawn, np.maximum(due - roll.draw[:, p], 0))
        note(Line("draw", p, advance))
        note(Line("draw_recovered", p, -back))
        drawn = drawn + (advance if plan.is_draw_recoverable else 0) - back
        pay[..., p], carried[..., p], balance[..., p] = due + advance - back, owed, drawn
    told, held = _told(plan, roll, known)
    return Settled(pay, carried, balance, told, held)


def windows(plan: PayPlan, values: Array, p: int) -> Array:
    """What an amount of each period comes to over the periods that attainment is told of at the end of period `p`."""
    if plan.attainment == "period":
        return np.asarray(values[..., p])
    return np.asarray((values if plan.attainment == "year" else values[..., : p + 1]).sum(-1))


def earn(
    plan: PayPlan, credited: Array, quota: Array, variable: Array, cap: Array | None, note: Callable[..., None]
) -> Array:
    """What is earned by so much credited, in all measures together, up to the cap.

    Args:
        plan: The plan.
        credited: (measures or more, ...): what each measure counts.
        quota: (...) or (measures, ...): what they are held to, before their share of it.
        variable: What is shared at 100 %.
        cap: The most that is earned, or None.
        note: Told the step, and the values, of every line.
    """
    total = np.zeros(np.broadcast_shapes(credited.shape[1:], variable.shape), credited.dtype)
    for number, measure in enumerate(plan.measures):
        held = quota[number] if quota.ndim > variable.ndim else quota
        for line in tier_lines(measure, credited[number], part(held, measure.quota_share), variable):
            note(**line)
            total = total + line["pay"]
    if cap is not None:
        over = np.minimum(total, cap) - total
        note(step="cap", pay=over)
        total = total + over
    return total


def tier_lines(measure: Measure, credited: Array, quota: Array, variable: Array) -> list[dict[str, Any]]:
    """The lines of one measure: what each tier pays on its part, and the bonus of reaching it."""
    is_held = quota > 0 if measure.is_on_quota or measure.weight is not None else np.ones_like(quota, bool)
    target = variable if measure.weight is None else part(variable, measure.weight)
    parts: list[Array] = []
    lines: list[dict[str, Any]] = []
    for number, tier in enumerate(measure.tiers, 1):
        low, high = (_edge(measure, edge, quota) for edge in (tier.start, tier.end))
        is_reached = is_held & (credited >= low)
        top = credited if high is None else np.minimum(credited, high)
        mine = np.where(is_reached, top if tier.is_from_first else top - low, 0)
        if tier.is_from_first:
            parts = [np.where(is_reached, 0, each) for each in parts]
        parts.append(mine)
        if tier.bonus:
            lines.append({"step": "bonus", "measure": measure, "tier": number,
                          "pay": np.where(is_reached, tier.bonus, 0).astype(credited.dtype)})  # fmt: skip
    paid = [_tier(measure, number, tier, mine, quota, target)
            for number, (tier, mine) in enumerate(zip(measure.tiers, parts, strict=True), 1)]  # fmt: skip
    return [*paid, *lines]


def _tier(measure: Measure, number: int, tier: Tier, mine: Array, quota: Array, target: Array) -> dict[str, Any]:
    told = {"step": "tier", "measure": measure, "tier": number, "base": mine, "rate": tier.rate}
    if measure.weight is None:
        return told | {"pay": part(mine, tier.rate)}
    return told | {"pay": part(mine, tier.rate, target, quota), "quota": quota, "target": target}


def _edge(measure: Measure, edge: Fraction | None, quota: Array) -> Array | None:
    if edge is None:
        return None
    return part(quota, edge) if measure.is_on_quota else np.asarray(int(edge))


def part(whole: Array, rate: Fraction, times: Array | None = None, over: Array | None = None) -> Array:
    """whole × rate × times ÷ over. Whole numbers are rounded to the nearest, halves upwards; 0 where `over` is 0."""
    if rate == 1 and times is None and over is None:
        return whole
    kind: Any = np.int64 if _size(whole, rate, times, over) < 2**62 else object  # Python's whole numbers have no end
    top = whole.astype(kind) * rate.numerator
    bottom = np.asarray(rate.denominator, kind)
    if times is not None:
        top = top * times.astype(kind)
    if over is not None:
        top, bottom = np.where(over == 0, 0, top), bottom * np.where(over == 0, 1, over).astype(kind)
    return np.asarray((2 * top + bottom) // (2 * bottom), np.int64)


def _size(whole: Array, rate: Fraction, times: Array | None, over: Array | None) -> int:
    """The largest whole number on the way to a part."""
    most = [1 if each is None else int(np.abs(each).max(initial=0)) for each in (whole, times, over)]
    return 2 * most[0] * most[1] * rate.numerator + 2 * rate.denominator * (most[2] or 1)


def team_sums(values: Array, team: Array) -> Array:
    """What each rep's team has in all, in each period: values of (..., reps, periods), teams of (reps, periods)."""
    sums = np.empty_like(values)
    for p in range(values.shape[-1]):
        order = np.argsort(team[:, p], kind="stable")
        _, first, back = np.unique(team[order, p], return_index=True, return_inverse=True)
        total = np.add.reduceat(values[..., order, p], first, axis=-1)
        sums[..., order, p] = total[..., back]
    return sums


def _measured(plan: PayPlan, roll: Roll, credited: Array) -> tuple[Array, Array]:
    """What each measure counts for each rep, and the quota it is held to, by period: (measures, ..., reps, periods)."""
    there = np.where(roll.present, credited[:-1], 0)
    if not any(measure.is_of_team for measure in plan.measures):
        return there, roll.quota
    # Of the team, what falls into the periods in which the rep is there.
    team_quota = np.where(roll.present, team_sums(roll.quota, roll.team), 0)
    counted = [
        np.where(roll.present, team_sums(there[m], roll.team), 0) if measure.is_of_team else there[m]
        for m, measure in enumerate(plan.measures)
    ]
    quotas = [team_quota if measure.is_of_team else roll.quota for measure in plan.measures]
    return np.stack(counted), np.stack(quotas)


def _period(
    plan: PayPlan, roll: Roll, credited: Array, p: int, earned: Array, before: Array, note: Note
) -> Array:  # fmt: skip
    """What period `p` earns by itself, and what earlier ones earn more or less than was thought."""
    counted, quota = _measured(plan, roll, credited)

    def of(q: int, told: Callable[..., None]) -> Array:
        cap = None if roll.cap is None else roll.cap[:, q]
        return earn(plan, counted[..., q], quota[..., q], roll.variable[:, q], cap, told)

    earned[..., p] = of(p, lambda **told: note(Line(period=p, **told)))
    due = earned[..., p]
    if before is not credited:
        for q in range(p):
            if not np.array_equal(before[..., q], credited[..., q]):
                lines: list[dict[str, Any]] = []
                anew = of(q, lambda lines=lines, **told: lines.append(told))
                is_other = anew != earned[..., q]
                for told in lines:
                    told |= {name: np.where(is_other, told[name], 0) for name in ("pay", "base") if name in told}
                    note(Line(period=p, of_period=q, **told))
                note(Line("already_earned", p, np.where(is_other, -earned[..., q], 0), of_period=q))
                due = due + anew - earned[..., q]
                earned[..., q] = anew
    return due


def _to_date(plan: PayPlan, roll: Roll, credited: Array, p: int, earned: Array, note: Note) -> Array:
    """What the plan has earned by the end of period `p`, less what it had by the end of the one before."""
    counted, quota = _measured(plan, roll, credited)
    cap = None if roll.cap is None else windows(plan, roll.cap, p)
    sofar = counted[..., : p + 1].sum(-1)
    earned[..., p] = earn(plan, sofar, windows(plan, quota, p), windows(plan, roll.variable, p), cap,
                          lambda **told: note(Line(period=p, **told)))  # fmt: skip
    if not p:
        return earned[..., p]
    note(Line("already_earned", p, -earned[..., p - 1], of_period=p - 1))
    return earned[..., p] - earned[..., p - 1]


def _told(plan: PayPlan, roll: Roll, known: Sequence[Array]) -> tuple[Array, Array]:
    """Credited amounts and quota of each period as attainment is told, each deal once."""
    told = [np.where(roll.present, each[-1], 0) for each in known]
    credited = [
        each[..., p] if plan.attainment == "period" else each[..., : p + 1].sum(-1) for p, each in enumerate(told)
    ]
    quota = [windows(plan, roll.quota, p) for p in range(len(known))]
    return np.stack(credited, -1), np.stack(quota, -1)
