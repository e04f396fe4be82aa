"""A pay plan: what it counts, what it pays for that, and when. How one is written is told in docs/pay.md."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from cadran.measures.periods import month_after

#: Months of each kind of period; a year is as long as the plan.
PERIODS = {"month": 1, "quarter": 3, "year": 12}
#: Of what attainment is told: the period by itself, the plan so far, or the whole plan.
ATTAINMENTS = ("period", "year_to_date", "year")
#: What a measure may be limited to.
COLUMNS = ("deal_type", "product", "segment", "sector", "lead_source", "country")


@dataclass(frozen=True)
class Tier:
    """One stretch of attainment, `start` included and `end` not: a share of the quota, or an amount in cents."""

    start: Fraction
    end: Fraction | None
    #: Of the amount credited, or shares of the variable per share of the quota.
    rate: Fraction
    #: Whether the rate goes for everything from the first unit on, once the tier is reached.
    is_from_first: bool = False
    #: Paid once the tier is reached, in cents.
    bonus: int = 0


@dataclass(frozen=True)
class Measure:
    """What is counted, and what it pays."""

    name: str
    tiers: tuple[Tier, ...]
    #: Share of the variable that it pays; None where its rates are of the amount credited.
    weight: Fraction | None = None
    #: The share of the quota that it is held to.
    quota_share: Fraction = Fraction(1)
    #: Whether tiers are shares of the quota, not amounts.
    is_on_quota: bool = True
    is_of_team: bool = False
    #: Whether deals are counted, in hundredths, not their amounts in cents.
    is_of_deals: bool = False
    #: The values that each column of a deal may have.
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Person:
    """What a plan says of one rep alone: yearly amounts in cents, first and last day."""

    quota: int | None = None
    base: int | None = None
    variable: int | None = None
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True)
class PayPlan:
    """A pay plan. Amounts are in cents: of a year, but for the draw, which is of a month."""

    name: str
    starts: date
    ends: date
    measures: tuple[Measure, ...]
    currency: str = "EUR"
    notified: date | None = None
    period: str = "quarter"
    attainment: str = "period"
    base: int = 0
    variable: int = 0
    cap: int | None = None
    quota: int | None = None
    is_quota_from_targets: bool = False
    is_prorated: bool = True
    #: Share of the plan's quota by period; by length where empty.
    seasons: tuple[Fraction, ...] = ()
    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    reps: tuple[str, ...] = ()
    people: dict[str, Person] = field(default_factory=dict)
    #: Deal -> rep -> share.
    splits: dict[str, dict[str, Fraction]] = field(default_factory=dict)
    clawback_days: int | None = None
    draw: int = 0
    #: Months from being hired for which it is paid; None for the whole plan.
    draw_months: int | None = None
    is_draw_recoverable: bool = False

    @property
    def months(self) -> int:
        """Whole months of the plan."""
        return 12 * (self.ends.year - self.starts.year) + self.ends.month - self.starts.month + 1

    @property
    def period_months(self) -> int:
        """Months of one period."""
        return self.months if self.period == "year" else PERIODS[self.period]

    def periods(self) -> list[tuple[date, date]]:
        """First and last day of each period."""
        firsts = [month_after(self.starts, n) for n in range(0, self.months, self.period_months)]
        return [(first, month_after(first, self.period_months) - timedelta(1)) for first in firsts]

    @property
    def of_deals(self) -> frozenset[str]:
        """Names of the measures that count deals, not amounts."""
        return frozenset(measure.name for measure in self.measures if measure.is_of_deals)

    @property
    def needs_quota(self) -> bool:
        """Whether any measure is held to a quota."""
        return any(each.is_on_quota or each.weight is not None for each in self.measures)
