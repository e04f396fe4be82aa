"""From facts of deals to the numbers a model reads, learnt once and applied to any later facts."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

#: Deals a value of a category needs to be told apart; the rarer ones are one value together.
FEW = 20
#: Values of a category told apart at most, the most frequent ones: scikit-learn takes 255, a logit gets slow.
MOST = 60
#: Shares of the known values between which a number is held: beyond, too little has been seen.
HELD = (0.005, 0.995)
#: Where a bent number may bend: shares of its known values.
KNOTS = (1 / 3, 2 / 3)

Scale = Callable[[pl.Expr], pl.Expr]


def _log(value: pl.Expr) -> pl.Expr:
    return value.clip(lower_bound=0).log1p()


def _both_ways(value: pl.Expr) -> pl.Expr:
    return value.sign() * value.abs().log1p()


def _plain(value: pl.Expr) -> pl.Expr:
    return value


#: Facts that are numbers: the scale they are read on, and whether their effect may bend.
NUMBERS: dict[str, tuple[Scale, bool]] = {
    "age_days": (_log, True),
    "amount": (_log, True),
    "amount_change": (_both_ways, False),
    "employees": (_log, False),
    "annual_revenue": (_log, False),
    "n_won_before": (_log, False),
    "n_lost_before": (_log, False),
    "stage_position": (_plain, False),
    "stage_days": (_log, True),
    "n_pushes": (_log, False),
    "n_reopened": (_log, False),
    "n_back": (_log, False),
    "days_to_expected": (_both_ways, True),
    "n_contacts": (_log, True),
    "n_functions": (_log, False),
    "has_senior": (_plain, False),
    "has_decision_maker": (_plain, False),
    "n_inbound_30": (_log, False),
    "n_outbound_30": (_log, False),
    "n_meetings_30": (_log, False),
    "n_meetings": (_log, False),
    "n_touches": (_log, False),
    "days_since_inbound": (_log, True),
    "days_since_outbound": (_log, False),
    "days_since_meeting": (_log, False),
    "n_asked": (_log, False),
    "n_asked_90": (_log, False),
    "waited_90": (_plain, False),
    "waiting_hours": (_log, False),
}
#: Facts that a team's levers move, and how many times less they are held back: a penalty that shrinks what little is
#: known of them would promise too little, and too surely.
PULLED, PULLED_SIZE = ("n_contacts", "has_senior", "has_decision_maker", "waited_90", "n_meetings_30"), 5.0
#: Facts that count what was done over so many days until now, where no other fact keeps what was done before.
WINDOWS = {"n_asked_90": 90.0, "waited_90": 90.0}
#: Facts that are one of several values. Never the seller.
CATEGORIES = (
    "deal_type", "product", "lead_source", "forecast_category", "sector", "segment", "account_region", "country",
    "region", "team", "stage", "competitor",
)  # fmt: skip
#: Facts that a type of deal may weigh otherwise than another.
BY_TYPE = ("n_contacts", "has_senior", "has_decision_maker", "waited_90", "n_meetings", "age_days", "stage_position")


def _size(fact: str) -> float:
    return PULLED_SIZE if fact in PULLED else 1.0


@dataclass(frozen=True)
class Number:
    """A fact that is a number: how it is brought to like units, its knots, and the values seen."""

    fact: str
    #: Least and greatest value seen, and those it is held between: the rarest say nothing sure.
    seen: tuple[float, float]
    low: float
    high: float
    mean: float
    spread: float
    knots: tuple[float, ...]
    is_ever_unknown: bool

    def columns(self) -> list[str]:
        """Names of the columns it makes."""
        bends = [f"{self.fact} beyond {knot:.3g}" for knot in self.knots]
        return [self.fact, *bends, *([f"{self.fact} unknown"] if self.is_ever_unknown else [])]

    def scaled(self, facts: pl.DataFrame) -> pl.Series:
        """(n,) on its scale, null where unknown."""
        return facts.select(self._scale()).to_series()

    def read(self) -> pl.Expr:
        """On its scale, held to what tells, null where unknown."""
        return self._scale().clip(self.low, self.high)

    def _scale(self) -> pl.Expr:
        return NUMBERS[self.fact][0](pl.col(self.fact).cast(pl.Float64))

    def encode(self, read: np.ndarray) -> np.ndarray:
        """(n, columns) in spreads from the mean; an unknown value is the mean, and says so in a column of its own."""
        value = (read - self.mean) / self.spread
        is_unknown = np.isnan(value)
        value = np.where(is_unknown, 0, value)
        bends = [np.where(is_unknown, 0, np.maximum(value - knot, 0)) for knot in self.knots]
        return _size(self.fact) * np.column_stack([value, *bends, *([is_unknown] if self.is_ever_unknown else [])])


@dataclass(frozen=True)
class Category:
    """A fact that is one of several values: those told apart, each with its share of the deals."""

    fact: str
    values: tuple[str, ...]
    shares: tuple[float, ...]

    def columns(self) -> list[str]:
        """Names of the columns it makes."""
        return [f"{self.fact} = {value}" for value in self.values]

    def read(self) -> pl.Expr:
        """Place of each value among `values`, -1 for any other."""
        order = dict(zip(self.values, range(len(self.values)), strict=True))
        return _said(self.fact).replace_strict(order, default=order.get(OTHER, -1), return_dtype=pl.Int64)

    def encode(self, read: np.ndarray) -> np.ndarray:
        """(n, columns): 1 for the value, less its share; a value never met is what deals are on average."""
        codes = read[:, None]
        return np.where(codes < 0, 0, (codes == np.arange(len(self.values))) - np.array(self.shares))


OTHER, UNKNOWN = "(other)", "(unknown)"


def _said(fact: str) -> pl.Expr:
    return pl.col(fact).cast(pl.String).fill_null(UNKNOWN)


@dataclass(frozen=True)
class Design:
    """How facts become columns. Made by `learn`."""

    parts: tuple[Number | Category, ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts it reads."""
        return tuple(part.fact for part in self.parts)

    def columns(self) -> list[str]:
        """Names of the columns of `encode`."""
        plain = [name for part in self.parts for name in part.columns()]
        return plain + [f"{fact} × {kind}" for kind, fact in self._by_type()]

    def of_facts(self) -> list[str]:
        """The fact each column of `encode` comes from."""
        plain = [part.fact for part in self.parts for _ in part.columns()]
        return plain + [fact for _, fact in self._by_type()]

    def encode(self, facts: pl.DataFrame) -> np.ndarray:
        """(n, p) float32 columns of like units, without missing values."""
        read = self._read(facts)
        made = {part.fact: part.encode(read[part.fact].to_numpy()) for part in self.parts}
        crossed = [made["deal_type"][:, place] * made[fact][:, 0] / _size(fact) for place, fact in self._crossings()]
        blocks = [*made.values(), *(each[:, None] for each in crossed)]
        return np.hstack([np.zeros((len(facts), 0)), *blocks]).astype(np.float32)

    def plain(self, facts: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """(n, facts) numbers, NaN where unknown, and categories as codes, NaN for values never met; which are codes."""
        read, is_code = self._read(facts), np.array([isinstance(part, Category) for part in self.parts])
        columns = [
            _coded(each.to_numpy()) if code else each.to_numpy() for each, code in zip(read, is_code, strict=True)
        ]
        return np.column_stack([np.zeros((len(facts), 0)), *columns]), is_code

    def _read(self, facts: pl.DataFrame) -> pl.DataFrame:
        # All at once: of a plan for each, most of the time would go by before it runs.
        return facts.select(part.read() for part in self.parts)

    def _by_type(self) -> list[tuple[str, str]]:
        kinds = self._kinds()
        return [(kinds[place], fact) for place, fact in self._crossings()]

    def _crossings(self) -> list[tuple[int, str]]:
        kinds = range(1, len(self._kinds()))
        return [(place, fact) for fact in BY_TYPE if fact in self.facts for place in kinds]

    def _kinds(self) -> tuple[str, ...]:
        return next((part.values for part in self.parts if isinstance(part, Category) and part.fact == "deal_type"), ())


def _coded(codes: np.ndarray) -> np.ndarray:
    return np.where(codes < 0, np.nan, codes)


def learn(facts: pl.DataFrame, deal: np.ndarray, left_out: Collection[str] = ()) -> Design:
    """The design of the facts that say anything: known somewhere, and not the same everywhere.

    Args:
        facts: As `facts_at` gives them.
        deal: Whose each row is: a category's value must be met in `FEW` deals.
        left_out: Facts not to read, such as suspected leaks.
    """
    known = [name for name in facts.columns if name not in left_out]
    numbers = [_number(facts, name) for name in NUMBERS if name in known]
    categories = [_category(facts, name, deal) for name in CATEGORIES if name in known]
    return Design(tuple(part for part in (*numbers, *categories) if part is not None))


def _number(facts: pl.DataFrame, name: str) -> Number | None:
    scale, may_bend = NUMBERS[name]
    scaled = facts.select(scale(pl.col(name).cast(pl.Float64))).to_series()
    value = scaled.drop_nulls().to_numpy()
    if not len(value):
        return None
    seen = float(value.min()), float(value.max())
    low, high = (float(edge) for edge in np.quantile(value, HELD))
    held = np.clip(value, low, high)
    mean, spread = float(held.mean()), float(held.std())
    is_ever_unknown = FEW <= scaled.null_count() <= len(scaled) - FEW
    if spread <= 1e-9 * (1 + abs(mean)):
        return Number(name, seen, low, high, mean, 1.0, (), True) if is_ever_unknown else None
    bends = np.unique((np.quantile(held, KNOTS) - mean) / spread) if may_bend else ()
    edges = (np.array([held.min(), held.max()]) - mean) / spread
    inside = tuple(float(knot) for knot in bends if edges[0] + 0.05 < knot < edges[1] - 0.05)
    return Number(name, seen, low, high, mean, spread, inside, is_ever_unknown)


def _category(facts: pl.DataFrame, name: str, deal: np.ndarray) -> Category | None:
    said = facts.select(value=_said(name), deal=pl.Series(deal))
    n_deals = said.group_by("value").agg(pl.col("deal").n_unique()).sort("deal", "value", descending=[True, False])
    frequent = n_deals.filter(pl.col("deal") >= FEW, pl.col("value") != OTHER)["value"].head(MOST).to_list()
    rest = said.filter(~pl.col("value").is_in(frequent))
    if rest["deal"].n_unique() >= FEW:
        frequent.append(OTHER)
    if len(frequent) < 2:
        return None
    counts = said["value"].replace_strict({v: v for v in frequent}, default=OTHER).value_counts()
    shares = dict(counts.select("value", pl.col("count") / len(said)).iter_rows())
    return Category(name, tuple(frequent), tuple(shares[value] for value in frequent))
