"""A pay plan settled by a plain loop over reps and periods, in Python's own exact fractions: slow, and easy to check."""

from fractions import Fraction
from math import floor


def cent(value):
    """To the nearest whole, halves upwards."""
    return floor(Fraction(value) + Fraction(1, 2))


def earned(measure, credited, quota, variable):
    """What one measure pays: tier by tier, each rounded by itself."""
    held = cent(quota * measure.quota_share)
    needs = measure.is_on_quota or measure.weight is not None
    if needs and held <= 0:
        return 0
    parts, bonus = [], 0
    for tier in measure.tiers:
        low = cent(held * tier.start) if measure.is_on_quota else int(tier.start)
        high = None if tier.end is None else cent(held * tier.end) if measure.is_on_quota else int(tier.end)
        if credited < low:
            parts.append(0)
            continue
        top = credited if high is None else min(credited, high)
        if tier.is_from_first:
            parts = [0] * len(parts)
        parts.append(top if tier.is_from_first else top - low)
        bonus += tier.bonus
    if measure.weight is None:
        return bonus + sum(cent(part * tier.rate) for part, tier in zip(parts, measure.tiers, strict=True))
    target = cent(variable * measure.weight)
    paid = (cent(tier.rate * part * target / held) for part, tier in zip(parts, measure.tiers, strict=True))
    return bonus + sum(paid)


def settle(plan, roll, known):
    """Payouts, what is carried, and the draws not recovered: lists by rep and period."""
    n_reps, n = len(roll["quota"]), len(known)
    pays, carried, balances = ([[0] * n for _ in range(n_reps)] for _ in range(3))
    spans = {
        "period": lambda p: [p],
        "year_to_date": lambda p: range(p + 1),
        "year": lambda p: range(len(roll["quota"][0])),
    }
    span = spans[plan.attainment]

    def own(measure_number, credited, rep, q):
        """What a measure counts for a rep in one period, and the quota it is held to."""
        team = plan.measures[measure_number].is_of_team
        if team and not roll["present"][rep][q]:
            return 0, 0
        reps = range(n_reps) if team else [rep]
        mates = [each for each in reps if not team or roll["team"][each][q] == roll["team"][rep][q]]
        there = [each for each in mates if roll["present"][each][q]]
        return sum(credited[measure_number][each][q] for each in there), sum(roll["quota"][each][q] for each in mates)

    def due(credited, rep, counted, held):
        total = 0
        for number, measure in enumerate(plan.measures):
            x = sum(own(number, credited, rep, q)[0] for q in counted)
            quota = sum(own(number, credited, rep, q)[1] for q in held)
            total += earned(measure, x, quota, sum(roll["variable"][rep][q] for q in held))
        return total if roll["cap"] is None else min(total, sum(roll["cap"][rep][q] for q in held))

    for rep in range(n_reps):
        owed = drawn = paid = 0
        for p in range(n):
            if plan.attainment == "period":
                now = sum(due(known[p], rep, [q], [q]) for q in range(p + 1))
            else:
                now = due(known[p], rep, range(p + 1), span(p))
            amount, paid = now - paid + owed, now
            owed = min(amount, 0)
            amount -= owed
            draw = roll["draw"][rep][p]
            advance, back = max(draw - amount, 0), min(drawn, max(amount - draw, 0))
            drawn += (advance if plan.is_draw_recoverable else 0) - back
            pays[rep][p], carried[rep][p], balances[rep][p] = amount + advance - back, owed, drawn
    return pays, carried, balances
