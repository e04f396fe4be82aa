"""How good the forecast would have been: made anew on past month ends, of what was known then alone, beside its rivals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book, Reader
from cadran.book.whole import whole_of
from cadran.measures.periods import add_months, month_end
from cadran.models import win
from cadran.models.accuracy import naive_error
from cadran.models.blend import LEVELS, Q50, Blend, learn_weights, learn_widths
from cadran.models.booked import Booked, booked, deals_known
from cadran.models.forecast_plain import ets, seasonal_naive
from cadran.models.forecast_rivals import rivals
from cadran.models.forecast_scores import TOLD
from cadran.models.foresight import Foresight, foresee, summed
from cadran.models.landmarks import take
from cadran.tables.measured.forecast import QUANTILES
from cadran.tables.problems import Problem

#: Months that each forecast of the past tells.
HORIZON = 6
#: Month ends that are judged: of the first twelve, every horizon is known by now. Those before teach weights and widths.
JUDGED, BEFORE = 17, 8
#: Fewest complete months since the first signature before a forecast is tried.
LEAST_MONTHS = 3
#: Month ends after which the win model's kind is chosen anew; between, that kind is fitted anew on each.
CHOSEN_EVERY = 24
#: Futures drawn on each.
PATHS = 400
#: What a blend is made of.
PARTS = ("bookings", "series", "average")
#: The blend before its intervals were widened: what widths are learnt from.
RAW = "blend_raw"
POINTS = ("crm", "commit", "best_case", "run_rate")


@dataclass(frozen=True)
class Past:
    """What each candidate would have told on past month ends, beside what came."""

    #: First and last month end that is judged.
    since: date
    until: date
    #: As `TOLD`, of the company and the regions; month ends before `since` are there to learn from.
    told: pl.DataFrame
    #: Why candidates said nothing, on the last month end.
    silent: dict[str, Problem]

    @property
    def judged(self) -> pl.DataFrame:
        """What is judged."""
        return self.told.filter(pl.col("origin").is_between(self.since, self.until))

    def seen_by(self, reader: Reader | None) -> "Past":
        """What a reader may see of it: of the regions theirs alone. All else tells of the whole company."""
        if reader is None or not reader.is_limited:
            return self
        theirs = (pl.col("level") == "company") | pl.col("group").is_in(list(reader.regions))
        return replace(self, told=self.told.filter(theirs))

    def known_by(self, book: Book) -> "Past":
        """What of it was known at an earlier moment of its book: the forecasts made by then, beside what had come."""
        book = whole_of(book, __name__)
        told, deals = self.told.filter(pl.col("origin") <= book.day), deals_known(book)
        actual = {level: booked(book, deals, level) for level in ("company", "region")}
        return replace(self, until=min(self.until, book.day), told=_beside(told, actual))


def forecast_past(book: Book, since: date | None = None, until: date | None = None, seed: int = 0) -> Past:
    """Forecast from past month ends, and set beside it what came by the book's moment.

    On each month end everything is of `book.as_of` that day: the deals, the win model (refitted; its kind is chosen on the
    first one and every `CHOSEN_EVERY` after, trees being replaced by the logit, which costs a thirtieth), the series, the
    weights and widths of the blend (learnt from months that were over by then), and the rivals.

    Args:
        book: At its moment. The past is told of the whole company, whoever reads.
        since: Judge month ends from this day on; the `JUDGED` latest by default.
        until: And up to this day.
        seed: Of what is drawn.

    Raises:
        Problem: If the book knows no month end from which a month that is over could have been forecast.
    """
    book = whole_of(book, __name__)
    deals = deals_known(book)
    actual = {level: booked(book, deals, level) for level in ("company", "region")}
    days, first = _month_ends(book, actual["company"], since, until)
    told, silent, kind = pl.DataFrame(schema=TOLD), dict[str, Problem](), None
    for turn, day in enumerate(days):
        view = book.as_of(day)
        if turn % CHOSEN_EVERY == 0:
            kind = _kind(view, seed)
        by_then = {level: booked(view, deals_known(view), level, past.groups) for level, past in actual.items()}
        blend = learnt_by(_beside(told, by_then))
        seen = foresee(view, HORIZON, blend, kind(view) if kind else None, seed, PATHS)
        rows, silent = _told(view, seen, day, day >= first)
        told = pl.concat([told, pl.DataFrame(rows, schema=TOLD, orient="row")])
    return Past(first, days[-1], _beside(told, actual), silent)


def learnt_by(told: pl.DataFrame | None) -> Blend:
    """The blend that forecasts with what came teach."""
    told = pl.DataFrame(schema=TOLD) if told is None else told
    known = told.filter(level="company")
    keys = ["origin", "month"]
    spoken = known.filter(name=PARTS[0]).sort(keys)
    each = [
        spoken.select(keys)
        .join(known.filter(name=name), on=keys, how="left", maintain_order="left")
        .select(list(QUANTILES))
        for name in PARTS
    ]
    quantiled = np.stack([frame.to_numpy() for frame in each], axis=1)
    weights, n = learn_weights(quantiled, spoken["actual"].to_numpy(), spoken["horizon"].to_numpy(), HORIZON)
    raw = known.filter(name=RAW)
    widths, n_widths = learn_widths(raw.select(list(QUANTILES)).to_numpy(), raw["actual"].to_numpy())
    return Blend(PARTS, weights, widths, n, n_widths)


def _month_ends(book: Book, past: Booked, since: date | None, until: date | None) -> tuple[list[date], date]:
    """The month ends to forecast from, and the first of them that is judged."""
    begun = [month for month, amount in zip(past.months, past.amounts[0], strict=True) if np.isfinite(amount)]
    months = [month for month in past.months if begun and month >= add_months(begun[0], LEAST_MONTHS - 1)][:-1]
    days = [month_end(month) for month in months if until is None or month_end(month) <= until]
    judged = [day for day in days if since is None or day >= since]
    if not judged or (since and until and since > until):
        raise Problem(
            "There is no month end from which a month could have been forecast that is over by {day:%Y-%m-%d}, with "
            "{n} complete months since the first signature before it.",
            "Ask for other days with --from and --until, import an older past, or wait.",
            day=book.day, n=LEAST_MONTHS,
        )  # fmt: skip
    if since is None:
        judged = judged[-min(JUDGED, len(judged) - min(BEFORE, len(judged) // 3)) :]
    place = days.index(judged[0])
    return days[max(place - BEFORE, 0) :], judged[0]


def _kind(book: Book, seed: int) -> Callable[[Book], win.WinModel]:
    """What fits, on a later day, the kind of win model that is chosen on this one."""
    taken = take(book, seed)
    name, learnt, card = win.select(taken, seed, (), win.open_facts(book))
    name = "logit" if name == "boosting" else name

    def fitted(view: Book) -> win.WinModel:
        taken = take(view, seed)
        n_won, n_ended = win.lives(taken)
        told = replace(card, n_won=n_won, n_ended=n_ended, n_snapshots=len(taken), chained=None)
        return win.WinModel(name, learnt.hazards(name, taken, 0), taken.until, told)

    return fitted


def _told(book: Book, seen: Foresight, day: date, is_judged: bool) -> tuple[list[dict[str, Any]], dict[str, Problem]]:
    """The rows of one month end: what every candidate says, of the company and of the regions."""
    said: dict[tuple[str, str], np.ndarray] = dict(seen.told)
    said[RAW, "company"] = np.concatenate([seen.raw[:, Q50, None], seen.raw], axis=1)[None]
    silent = dict(seen.silent)
    for level, past in seen.past.items():
        said["blend", level] = summed(seen.of(level, past.groups))
        plain = {"seasonal_naive": seasonal_naive} | ({"ets": ets} if level == "company" and is_judged else {})
        for name, ask in plain.items():
            each = [np.column_stack(ask(amounts, HORIZON, LEVELS)) for amounts in past.amounts]
            said[name, level] = np.stack(each)
    deals = deals_known(book)
    for level, past in seen.past.items() if is_judged else ():
        told = rivals(book, deals, HORIZON, level)
        silent |= told.silent
        for name in POINTS:
            points = told.told.sort("month")
            known = {(group, month): value for group, month, value in points.select("group", "month", name).iter_rows()}
            mean = np.array([[known.get((group, month)) for month in seen.months] for group in past.groups], float)
            blank = np.full((*mean.shape, len(LEVELS)), np.nan)
            blank[..., Q50] = mean
            said[name, level] = np.concatenate([mean[..., None], blank], axis=-1)
    rows = []
    for (name, level), values in said.items():
        past = seen.past[level]
        scales = naive_error(past.amounts)
        for group, scale, by_month in zip(past.groups, scales, values, strict=True):
            for turn, (month, told_of) in enumerate(zip(seen.months, by_month, strict=True)):
                keys = {
                    "origin": day,
                    "level": level,
                    "group": group,
                    "month": month,
                    "horizon": turn + 1,
                    "name": name,
                }
                rows.append(keys | {"scale": scale} | dict(zip(("mean", *QUANTILES), told_of, strict=True)))
    return rows, silent


def _beside(told: pl.DataFrame, actual: Mapping[str, Booked]) -> pl.DataFrame:
    """Forecasts with what came; null where that month is not over, or not known."""
    came = [
        {"level": level, "group": group, "month": month, "actual": value}
        for level, past in actual.items()
        for group, amounts in zip(past.groups, past.amounts, strict=True)
        for month, value in zip(past.months, amounts, strict=True)
    ]
    known = pl.DataFrame(
        came, schema={name: TOLD[name] for name in ("level", "group", "month", "actual")}, orient="row"
    )
    keys = ["level", "group", "month"]
    beside = told.drop("actual").join(known, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return beside.select(list(TOLD)).with_columns(pl.col(pl.Float64).fill_nan(None))
