"""How good the win model would have been: fitted on what was known on past days, judged by what came later."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from cadran.book import Book, Reader
from cadran.book.whole import whole_of
from cadran.measures.counting import Z95
from cadran.models.card import untold
from cadran.models.chain import Chained, Fitter, chain, to_follow
from cadran.models.judged import Judged, difference, judge, reliability, skill_by
from cadran.models.ladder import STEPS, allowed
from cadran.models.landmarks import OPEN, WON, Snapshots, take
from cadran.models.leaks import Suspect
from cadran.models.rivals import RIVALS, Rival
from cadran.models.win import Learnt, choose, lives, open_facts, select, suspected
from cadran.tables.problems import Problem

#: Times that every model is fitted anew between the first and the last day.
FOLDS = 4
#: Why a candidate says nothing that the ladder does not let try.
FEW = "Too few deals had been won, or lost, on the first day."
#: Where the bands of age in which skill is told begin, in days, and those of amounts, as shares of them.
AGES, AMOUNTS = (30, 90, 180), (0.25, 0.5, 0.75)
#: Days of looks that a backtest asked for without days judges, at most.
SPAN = timedelta(days=365)


@dataclass(frozen=True)
class Backtest:
    """What each candidate and each rival would have said of the deals open between two days, beside what came."""

    since: date
    until: date
    #: What the selection would have chosen on the first day.
    chosen: str
    #: One row per candidate and rival: `name`, `chosen`, `n`, `n_won` (looks at open deals; those at deals won within
    #: `within_days`), `n_young` (looks too young to be judged), `difference` of the log loss to the
    #: constant's with its 95 % interval, the figures of `cadran.models.judged.Judged`, and `silent`: why it says
    #: nothing, null for who does.
    scores: pl.DataFrame
    #: `name`, and per bin what `cadran.models.judged.reliability` tells.
    reliability: pl.DataFrame
    #: `name`, `by` (age_days, region, amount), and per band what `cadran.models.judged.skill_by` tells.
    skill: pl.DataFrame
    #: Facts left out of all of them.
    suspects: tuple[Suspect, ...]

    def seen_by(self, reader: Reader | None) -> "Backtest":
        """What a reader may see of it: of the regions theirs alone. All else tells of the whole company."""
        if reader is None or not reader.is_limited:
            return self
        theirs = (pl.col("by") != "region") | pl.col("group").is_in(list(reader.regions))
        return replace(self, skill=self.skill.filter(theirs))


def backtest(
    book: Book,
    since: date | None = None,
    until: date | None = None,
    seed: int = 0,
    confirmed: Sequence[str] = (),
) -> Backtest:
    """Refit every candidate and rival `FOLDS` times between two days, each time on what was known then alone.

    Each look at an open deal between these days is judged by whether the deal was won within `within_days` of it
    (`cadran.models.chain.to_follow`); those too young for that are counted apart. Facts that leak the outcome at the
    book's moment are left out of all, rivals too: what leaks would be right in the past and of no use today. As the
    model learns from the whole company, so it is judged on the whole company, whoever reads.

    Args:
        book: At its moment, up to which outcomes are known.
        since: First day of the looks. By default a year before `until`, or half of the known past if that is less.
        until: Last day of the looks. By default as long ago as looks are followed.
        seed: Of the choice of looks, and of the fits.
        confirmed: Facts suspected of a leak that were found to be sound.

    Raises:
        Problem: If no chance can be told of any deal (`untold`), the days are not in order or not within the book, or
            no deal was open between them.
    """
    reader, book = book.reader, whole_of(book, __name__)
    taken = take(book, seed)
    if not all(lives(taken)) and (why := untold(choose(taken, seed, confirmed))):
        raise why
    within = to_follow(taken)
    until = until or book.day - timedelta(days=within)
    since = since or max(until - SPAN, _midway(taken, until))
    first, last = _days(book, since, until)
    found = suspected(taken, open_facts(book), confirmed)
    left_out = tuple(suspect.fact for suspect in found)
    known, looks = taken.known_on(first), taken.keep((taken.at >= first) & (taken.at < last))
    asked = looks.keep(looks.followed > within)
    if not (known.outcome != OPEN).any() or not (asked.outcome != OPEN).any():
        raise Problem(
            "Of the deals open from {since:%Y-%m-%d} to {until:%Y-%m-%d}, or before, none has closed.",
            "Ask for other days, with --from and --until.", since=since, until=until,
        )  # fmt: skip
    chosen, _, card = select(_without(known, left_out), seed, confirmed)
    rivals = {name: _fitter(rival, left_out, within) for name, rival in RIVALS.items()}
    learnt = Learnt(left_out, seed=seed)
    tried = {name: learnt.fitter(name) for name in allowed(card.n_won, card.n_ended)}
    chained = chain(taken, np.linspace(first, min(last, taken.until - within), FOLDS + 1), tried | rivals, within)
    scores = _scores(chained, chosen, (*STEPS, *RIVALS), len(looks) - len(chained.asked))
    told = Backtest(since, until, chosen, scores, _reliability(chained), _skill(chained), found)
    return told.seen_by(reader)


def _midway(taken: Snapshots, until: date) -> date:
    """Half-way between the first day a deal could be looked at and another."""
    first = date(1970, 1, 1) + timedelta(days=int(taken.at.min(initial=taken.until)))
    return min(until, first + (until - first) / 2)


def _days(book: Book, since: date, until: date) -> tuple[float, float]:
    """The beginning of the first day and the end of the last, in days from 1970."""
    if not since <= until <= book.day:
        raise Problem(
            "The days from {since:%Y-%m-%d} to {until:%Y-%m-%d} are not in order, or not before {day:%Y-%m-%d}.",
            "Ask for other days, with --from and --until.", since=since, until=until, day=book.day,
        )  # fmt: skip
    zone = ZoneInfo(book.settings.time_zone)
    ends = (datetime.combine(day, time(), zone).timestamp() for day in (since, until + timedelta(days=1)))
    first, last = (end / 86_400 for end in ends)
    return first, last


def _without(taken: Snapshots, left_out: Sequence[str]) -> Snapshots:
    """The same with some facts unknown."""
    unknown = (pl.lit(None, taken.facts.schema[fact]).alias(fact) for fact in left_out)
    return replace(taken, facts=taken.facts.with_columns(*unknown))


def _fitter(rival: Rival, left_out: Sequence[str], within: float) -> Fitter:
    """A rival as forward chaining asks for it: it learns from deals that had closed, which of them were won in time."""

    def fit(past: Snapshots) -> Callable[[Snapshots, float], np.ndarray]:
        closed = _without(past.keep(past.outcome != OPEN), left_out)
        ask = rival(closed.facts, (closed.outcome == WON) & (closed.end - closed.at <= within), closed.weight)
        return lambda asked, _: ask(_without(asked, left_out).facts)

    return fit


def _scores(chained: Chained, chosen: str, names: Sequence[str], n_young: int) -> pl.DataFrame:
    rows, weight, deal = [], chained.weight, chained.asked.deal
    for name in names:
        row = {
            "name": name,
            "chosen": name == chosen,
            "n_young": n_young,
            "within_days": chained.within,
            "silent": None if name in chained.said else chained.silent.get(name, FEW),
        }
        if name in chained.said:
            judged = judge(chained.said[name], chained.won, weight, deal)
            if name == "constant":  # it moved between the folds, which ranks no deal above another of the same day
                flat = judge(np.full(len(weight), 0.5), chained.won, weight, deal)
                judged = replace(judged, **{each: getattr(flat, each) for each in _RANKING})
            gap, error = difference(chained.losses(name), chained.losses("constant"), weight, deal)
            ends = {"difference": gap, "difference_low": gap - Z95 * error, "difference_high": gap + Z95 * error}
            row |= asdict(judged) | ends
        rows.append(row)
    return pl.DataFrame(rows, schema=_SCORES, orient="row")


def _reliability(chained: Chained) -> pl.DataFrame:
    curves = {
        name: reliability(said, chained.won, chained.weight, chained.asked.deal) for name, said in chained.said.items()
    }
    return pl.concat([curve.select(pl.lit(name).alias("name"), pl.all()) for name, curve in curves.items()])


def _skill(chained: Chained) -> pl.DataFrame:
    facts, constant = chained.asked.facts, chained.losses("constant")
    bands = {
        "age_days": _bands(facts["age_days"], AGES),
        "region": facts["region"].cast(pl.String),
        "amount": _bands(facts["amount"], [facts["amount"].quantile(share) for share in AMOUNTS]),
    }
    parts = []
    for name in chained.said:
        for by, band in bands.items():
            told = skill_by(band, chained.losses(name), constant, chained.won, chained.weight, chained.asked.deal)
            parts.append(told.select(pl.lit(name).alias("name"), pl.lit(by).alias("by"), pl.all()))
    return pl.concat(parts)


def _bands(values: pl.Series, edges: Sequence[float | None]) -> pl.Series:
    """The band of each number, bands in order; null where it is unknown."""
    starts = sorted({round(edge) for edge in edges if edge is not None})
    if not starts:
        return pl.Series([None] * len(values), dtype=pl.String)
    names = [f"< {starts[0]}", *(f"{low} – {high}" for low, high in pairwise(starts)), f"≥ {starts[-1]}"]
    place = pl.Series(np.searchsorted(starts, values.fill_null(0).to_numpy(), side="right"))
    known = pl.when(values.is_not_null()).then(place.replace_strict(dict(enumerate(names)), return_dtype=pl.String))
    return pl.select(known.cast(pl.Enum(names))).to_series()


_RANKING = [
    name for name in (each.name for each in fields(Judged)) if name.startswith(("auc", "average", "calibration_slope"))
]
_SCORES = {
    "name": pl.String, "chosen": pl.Boolean, "n": pl.Int64, "n_won": pl.Int64, "n_young": pl.Int64,
    "within_days": pl.Float64,
    **dict.fromkeys(("difference", "difference_low", "difference_high"), pl.Float64),
    **{each.name: pl.Float64 for each in fields(Judged) if each.name not in ("n", "n_won")}, "silent": pl.String,
}  # fmt: skip
