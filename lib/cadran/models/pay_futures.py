"""What a plan pays in many futures at once: the steps of `pay_earned`, without rounding and without lines, and fast.

Pay is a broken line of what is credited: at each tier its slope changes, and it jumps where a tier counts from the first
unit or brings a bonus. So a future costs a few products, not a tier's every line.
"""

from collections.abc import Sequence

import numpy as np

from cadran.models.pay_earned import Array, Roll, team_sums, windows
from cadran.models.pay_plan import Measure, PayPlan


def earned(measure: Measure, credited: Array, quota: Array, variable: Array) -> Array:
    """What one measure earns, in cents.

    Args:
        measure: The measure.
        credited: (..., reps) cents; of deals counted, hundredths.
        quota: (reps,) or a number: what they are held to, before the measure's share of it.
        variable: (reps,) or a number: what is shared at 100 %, before its weight.
    """
    held = np.asarray(quota * float(measure.quota_share), float)
    is_held = held > 0 if measure.is_on_quota or measure.weight is not None else np.ones_like(held, bool)
    unit = np.ones_like(held)
    if measure.weight is not None:
        unit = np.divide(variable * float(measure.weight), held, out=np.zeros_like(held), where=is_held)
    total = np.zeros(np.broadcast_shapes(credited.shape, held.shape))
    reached, slope, low = np.zeros_like(held), np.zeros_like(held), np.zeros_like(held)  # the line so far
    for tier in measure.tiers:
        start = held * float(tier.start) if measure.is_on_quota else np.full_like(held, float(tier.start))
        reached = reached + slope * (start - low)
        steeper = np.where(is_held, unit * float(tier.rate), 0.0)
        jump = np.where(is_held, (steeper * start - reached if tier.is_from_first else 0.0) + tier.bonus, 0.0)
        if tier.start == 0:
            total += credited * steeper
        elif (steeper != slope).any():
            total += np.maximum(credited - start, 0.0) * (steeper - slope)
        if jump.any():
            total += (credited >= start) * jump
        reached, slope, low = reached + jump, steeper, start
    return total


def paid(plan: PayPlan, roll: Roll, so_far: Array, simulated: Sequence[Array], first: int) -> Array:
    """Pay every period from `first` on in each future.

    Args:
        plan: The plan.
        roll: Who is paid; with quotas as a lever leaves them.
        so_far: (measures or more, reps, periods) what is credited already, as `settle` has it.
        simulated: For each measure: (periods from first on, paths, reps) what is credited besides, in cents.
        first: The first period with anything simulated.

    Returns:
        The same shape: pay, in cents.
    """
    has_team = any(each.is_of_team for each in plan.measures)
    team_quota = np.where(roll.present, team_sums(roll.quota, roll.team), 0) if has_team else roll.quota
    owed, drawn, before = (np.zeros(roll.quota.shape[0]) for _ in range(3))
    sums: list[Array] = [np.zeros(1)] * len(plan.measures)
    pays: list[Array] = []
    for p in range(first + len(simulated[0])):
        here = [
            _credited(roll, so_far[m], simulated[m], p, first, each.is_of_team) for m, each in enumerate(plan.measures)
        ]
        sums = here if plan.attainment == "period" else [a + b for a, b in zip(sums, here, strict=True)]
        variable = windows(plan, roll.variable, p).astype(float)
        due = np.zeros(1)
        for measure, credited in zip(plan.measures, sums, strict=True):
            due = due + earned(
                measure, credited, windows(plan, team_quota if measure.is_of_team else roll.quota, p), variable
            )
        if roll.cap is not None:
            due = np.minimum(due, windows(plan, roll.cap, p))
        if plan.attainment != "period":
            due, before = due - before, due
        due = due + owed
        owed = np.minimum(due, 0.0)
        due = due - owed
        draw = roll.draw[:, p]
        if draw.any() or plan.is_draw_recoverable:
            advance, back = np.maximum(draw - due, 0.0), np.minimum(drawn, np.maximum(due - draw, 0.0))
            drawn = drawn + (advance if plan.is_draw_recoverable else 0.0) - back
            due = due + advance - back
        if p >= first:
            pays.append(np.broadcast_to(due, simulated[0].shape[1:]))
    return np.stack(pays)


def _credited(roll: Roll, so_far: Array, simulated: Array, p: int, first: int, is_of_team: bool) -> Array:
    """What a measure counts in one period, for each rep or for their team: (reps,) before anything is simulated."""
    known = so_far[:, p] if p < first else simulated[p - first] + so_far[:, p]
    there = known if (is_all := roll.present[:, p].all()) else known * roll.present[:, p]
    if not is_of_team:
        return there
    team = team_sums(there[..., None], roll.team[:, p : p + 1])[..., 0]
    return team if is_all else team * roll.present[:, p]
