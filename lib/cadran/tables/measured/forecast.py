"""What the forecast of signed revenue returns, what was forecast before, and how good it was."""

import dataframely as dy

LEVELS = ("company", "region", "team", "rep")
#: What a month of forecast is made of.
PARTS = ("won", "open", "arrivals", "series")
#: Quantiles of a forecast by the columns that hold them.
QUANTILES = {
    "low": 0.025, "q05": 0.05, "q10": 0.1, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q90": 0.9, "q95": 0.95, "high": 0.975,
}  # fmt: skip
#: Who forecasts, and what stands beside a forecast.
CANDIDATES = (
    "blend", "bookings", "series", "average", "seasonal_naive", "ets", "crm", "commit", "best_case", "run_rate",
)  # fmt: skip
#: Why a forecast is not what it was, in order, between "opening" and "closing"; they add up to the change exactly.
CAUSES = ("won", "lost", "new", "chance_up", "chance_down", "amount", "arrivals", "win_model", "series")


def _money(description: str, nullable: bool = True) -> dy.Float64:
    return dy.Float64(nullable=nullable, description=description, metadata={"unit": "reporting currency"})


class _OfGroup(dy.Schema):
    """Whom it tells of, and of which months."""

    level = dy.Enum(LEVELS, nullable=False, description="How fine the group is")
    group = dy.String(nullable=True, description="The region, team or seller; null for the company, and where unknown")
    period = dy.Date(nullable=False, description="First day of the month or quarter")
    until = dy.Date(nullable=False, description="Its last day")


class _Quantiles(dy.Schema):
    """What signed revenue stays below with these probabilities."""

    low = _money("Below it once in 40: lower end of the 95 % interval")
    q05 = _money("Below it once in 20")
    q10 = _money("Below it once in 10: lower end of the 80 % interval")
    q25 = _money("Below it once in 4")
    q50 = _money("As often below as above")
    q75 = _money("Above it once in 4")
    q90 = _money("Above it once in 10: upper end of the 80 % interval")
    q95 = _money("Above it once in 20")
    high = _money("Above it once in 40: upper end of the 95 % interval")


class Forecast(_OfGroup, _Quantiles):
    """Signed revenue to come by group and period, its target, and what others say of it. What is already won counts."""

    won = _money("Signed in it so far", nullable=False)
    mean = _money("What is to be expected; groups add up to the company")
    n_wins = dy.Float64(nullable=True, min=0, description="Deals expected to be won in it, those won so far included")
    target = _money("The goal as it stands; null where none is set, or it does not cover the period")
    p_target = dy.Float64(nullable=True, min=0, max=1, description="Chance to reach the target")
    crm = _money("Amount × probability of the stage of deals expected to close in it, and what is won")
    commit = _money("What sellers commit to for it, and what is won")
    best_case = _money("What sellers commit to or see as the best case, and what is won")
    last_year = _money("Signed in the same months of the year before")
    run_rate = _money("As much a month as in the last three complete ones")


class Made(dy.Schema):
    """What the company's forecast of a month or quarter is made of: means that add up to its mean."""

    period = dy.Date(nullable=False)
    until = dy.Date(nullable=False)
    part = dy.Enum(PARTS, nullable=False, description="Signed, open deals, deals still to be created, the series' say")
    bookings = _money("Signed revenue to be expected of it; the series' say may be below 0", nullable=False)


class Signed(_OfGroup):
    """What was signed in a month that is over."""

    bookings = _money("Signed revenue; null before the group signed for the first time")


class Needed(_OfGroup):
    """How much more open pipeline would bring the chance to reach a target to a level."""

    target = _money("The goal")
    p_target = dy.Float64(nullable=True, min=0, max=1, description="Chance to reach it as things are")
    p_wanted = dy.Float64(nullable=False, min=0, max=1, description="Chance wanted")
    pipeline_now = _money("Open deals at what they would be signed for; null for a period yet to begin")
    worth = dy.Float64(nullable=True, min=0, description="Signed in the period per unit of open pipeline, on average")
    gap = _money(
        "Open pipeline to be there beyond what is expected, today or when the period begins; 0 where the chance is there"
    )
    pipeline_needed = _money("Open pipeline now, and what is to be added; null for a period yet to begin")
    reason = dy.String(nullable=True, description="Why it cannot be told")


class Called(_OfGroup, _Quantiles):
    """A forecast that was made, and what came."""

    called_date = dy.Date(nullable=False, description="The day of the data it was made on")
    version = dy.String(nullable=False, description="Version of the book")
    candidate = dy.Enum(CANDIDATES, nullable=False, description="Who made it")
    horizon_months = dy.Int64(
        nullable=False, min=1, description="Months from the day to the period's end, begun ones counted"
    )
    mean = _money("What was expected")
    target = _money("The goal as it stood")
    actual = _money("What was signed; null while the period is not over, or where the book no longer knows it")
    error = _money("Median less actual")
    is_within_80 = dy.Bool(nullable=True, description="Whether the 80 % interval held it")
    is_within_95 = dy.Bool(nullable=True, description="Whether the 95 % interval held it")


class Score(dy.Schema):
    """How good a candidate's forecasts were, made on past days and judged by what came."""

    name = dy.Enum(CANDIDATES, nullable=False, description="Who forecast")
    chosen = dy.Bool(nullable=False, description="Whether it is what `cadran forecast` tells")
    n = dy.Int64(nullable=False, min=0, description="Forecasts judged: days × months told")
    n_origins = dy.Int64(nullable=False, min=0, description="Days they were made on")
    wape = dy.Float64(nullable=True, min=0, description="Σ|forecast − actual| ÷ Σ|actual|, by the median")
    wape_low = dy.Float64(nullable=True)
    wape_high = dy.Float64(nullable=True)
    difference = dy.Float64(nullable=True, description="Its WAPE less that of the chosen one: above 0, it was worse")
    difference_low = dy.Float64(nullable=True, description="Lower end of the 95 % interval")
    difference_high = dy.Float64(nullable=True, description="Upper end of the 95 % interval")
    mase = dy.Float64(
        nullable=True, min=0, description="Mean error ÷ that of the same month a year before, in the past known"
    )
    pinball = dy.Float64(nullable=True, min=0, description="Mean pinball loss over the 5–95 % quantiles ÷ mean actual")
    bias = dy.Float64(nullable=True, description="Σ(mean − actual) ÷ Σ actual: above 0, too much was forecast")
    coverage_80 = dy.Float64(nullable=True, min=0, max=1, description="Share of actuals within the 80 % interval")
    coverage_95 = dy.Float64(nullable=True, min=0, max=1, description="Share of actuals within the 95 % interval")
    reason = dy.String(nullable=True, description="Why nothing can be told of it")


class Changed(dy.Schema):
    """Why the mean of a forecast is not what it was: the opening and the causes add up to the closing exactly."""

    cause = dy.Enum(("opening", *CAUSES, "closing"), nullable=False)
    bookings = _money("The forecast; of a cause: what it added or took away", nullable=False)
    n_deals = dy.Int64(nullable=True, min=0, description="Deals behind it; null where none stands for it")


class Came(_Quantiles):
    """A forecast made anew on a past day, of what was known then, and what came."""

    origin = dy.Date(nullable=False, description="The day it was made on")
    month = dy.Date(nullable=False, description="First day of the month told")
    actual = _money("What was signed in it; null while it is not over")
