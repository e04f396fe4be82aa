"""Load beside pulse: whether groups answer otherwise after weeks that weighed more on them. Released groups alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.one_to_ones import one_to_ones
from cadran.book.pulse import pulse_of
from cadran.book.whole import whole_of
from cadran.measures import MEASURES, Question
from cadran.measures.counting import count, grouped, small
from cadran.measures.one_to_ones import people
from cadran.measures.periods import add_months, first_day, month_after, seen_on
from cadran.measures.releases import released
from cadran.measures.signals_learnt import in_polars
from cadran.measures.staff import LEAST_PERSONS, Staff
from cadran.models.within import within
from cadran.tables.measured.pulse_load import Beside, LoadLink
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY, ENPS, SCORED, TREE, Release

Level = Literal["region", "team"]
#: Weeks before a wave opens that are looked at; at most.
WEEKS, MOST_WEEKS = 4, 26
#: Groups, waves and degrees of freedom under which nothing is told: docs/drivers.md shows what fewer tell.
LEAST_GROUPS, LEAST_WAVES, LEAST_FREEDOM = 4, 3, 2.0
#: Share of a group's people met in one-to-ones as agreed: of many groups together only, as of one it may be one manager's.
MET = "on_rhythm_share"
FACTORS = ("open_per_head", "overdue_per_head", "pushed_share", "after_hours_share", "missed_share", MET)
OUTCOMES = ("favourable", "enps")
_DAY = timedelta(days=1)

FEW_GROUPS = "Too few groups were released in several waves: it takes four, in three waves."
NO_CHANGE = "Nothing of it changed within groups from wave to wave otherwise than for all."
ONE_GROUP = "What changed, changed in one or two groups: nothing can be told from so few."


@dataclass(frozen=True)
class PulseLoad:
    """Load beside pulse: frames as `cadran.tables.measured.pulse_load` has them."""

    level: Level
    weeks: int
    #: One row per group and wave.
    rows: pl.DataFrame
    links: pl.DataFrame


def pulse_load(book: Book, level: Level = "team", weeks: int = WEEKS, survey: str | None = None) -> PulseLoad:
    """What weighed on groups in the weeks before waves, beside what they answered: within groups, over time.

    Args:
        book: At its moment.
        level: "team" or "region".
        weeks: How many weeks before a wave opened; nothing later is looked at.
        survey: Which; by default the one released last.

    Raises:
        Problem: If the reader does not see the company, no wave was released of which the book knows the weeks before, or
            too few groups and waves were to tell anything.
    """
    if book.reader is not None and book.reader.is_limited:
        raise Problem("Load beside pulse is told of all groups together.", "Ask somebody who may read all of them.")
    if not 1 <= weeks <= MOST_WEEKS:
        raise Problem("{weeks} weeks before a wave cannot be looked at.", "Ask for 1 to {most}.", weeks=weeks,
                      most=MOST_WEEKS)  # fmt: skip
    whole = in_polars(whole_of(book, __name__))
    releases = [each for each in released(whole) if survey in (None, each.terms.survey)]
    # Of a wave whose answers were kept as long as they may be, nobody knows any more when it opened.
    there = set(pulse_of(whole).wave_names())
    names = [each.name for each in releases if each.terms.survey == releases[-1].terms.survey and each.name in there]
    return _pulse_load(whole, level, weeks, tuple(names))


@lru_cache(maxsize=16)
def _pulse_load(whole: Book, level: Level, weeks: int, names: tuple[str, ...]) -> PulseLoad:
    """The same, of waves that were released: those never change."""
    releases = [each for each in released(whole) if each.name in names]
    parts = [part for each in releases for part in _of_wave(whole, each, level, weeks)]
    rows = pl.DataFrame(parts, schema={**Beside.create_empty().schema, MET: pl.Float64}, orient="row")
    if rows.is_empty():
        raise Problem(
            "No group was released in a wave of which this book knows the {weeks} weeks before.",
            "Release the waves (`cadran audit pulse`), or import data that reach as far; names of regions and teams have to "
            "be those of the staff.", weeks=weeks,
        )  # fmt: skip
    links = _links(rows)
    if links["effect"].null_count() == links.height:
        n = rows.select(pl.struct("parent", "group").n_unique()).item()
        raise Problem(
            "{n} groups in {waves} waves are too few to say what goes with their answers.",
            "It takes {least} groups, in {least_waves} waves each: ask by region, or again after the next waves.",
            n=n, waves=rows["wave"].n_unique(), least=LEAST_GROUPS, least_waves=LEAST_WAVES,
        )  # fmt: skip
    return PulseLoad(level, weeks, rows.drop(MET), links)


def _of_wave(book: Book, release: Release, level: Level, weeks: int) -> Iterator[dict[str, Any]]:
    """The groups of one wave, each with its answers and its load."""
    opened = pulse_of(book).wave(release.name).opened_at.astimezone(ZoneInfo(book.settings.time_zone)).date()
    until = opened - _DAY
    since, first = opened - timedelta(weeks=weeks), first_day(book)
    if first is None or since < first or until > book.day:
        return
    parents = {
        row["group"]: row["members"] for row in release.groups.filter(pl.col("cut") == TREE[0]).iter_rows(named=True)
    }
    groups = release.groups.filter(pl.col("cut") == level)
    load = _Load(seen_on(book, until), since, until, level)
    for row in groups.iter_rows(named=True):
        regions = row["members"] if level == "region" else parents.get(row["parent"], [row["parent"]])
        where = {"region": tuple(regions)} | ({"team": tuple(row["members"])} if level == "team" else {})
        told = load.of(where)
        if told["n_sellers"] >= LEAST_PERSONS:
            answered = _answered(release, level, row["parent"], row["group"])
            yield {"survey": release.terms.survey, "wave": release.wave, "level": level, "parent": row["parent"],
                   "group": row["group"], "since": since, "until": until, **told, **answered}  # fmt: skip


def _answered(release: Release, level: Level, parent: str | None, group: str) -> dict[str, float | None]:
    """What a group answered, of the cells that are told exactly."""
    scored = release.questions.filter(pl.col("kind").is_in(SCORED)).select("question_id", "kind")
    exact = release.cells.filter(pl.col("told") == "exact", pl.col("n") > 0).join(scored, on="question_id")
    own = exact.filter(
        pl.col("cut") == level, pl.col("parent").eq_missing(pl.lit(parent, pl.String)), pl.col("group") == group
    )
    company = exact.filter(pl.col("cut") == COMPANY).select("question_id", all=pl.col("n_high") / pl.col("n"))
    shares = own.filter(~pl.col("kind").is_in(ENPS)).join(company, on="question_id")
    enps = own.filter(pl.col("kind").is_in(ENPS)).select(100 * (pl.col("n_high") - pl.col("n_low")) / pl.col("n"))
    return {
        "favourable": shares.select((pl.col("n_high") / pl.col("n") - pl.col("all")).mean()).item(),
        "enps": enps.to_series().first(),  # type: ignore[dict-item]
    }


class _Load:
    """What weighed on groups in some weeks, as known at their end."""

    def __init__(self, view: Book, since: date, until: date, level: Level):
        self.view, self.since, self.until = view, since, until
        self.by = ("region",) if level == "region" else ("region", "team")
        self.sellers = Staff.of(view).sellers(until)
        is_overdue = (nw.col("expected_close_date") < until).fill_null(False)
        deals = view.deals(["status", "expected_close_date", *self.by]).filter(nw.col("status") == "open")
        told = deals.with_columns(is_open=nw.lit(True), is_overdue=is_overdue)
        counts = [count(nw.col("is_open"), "n_open"), count(nw.col("is_overdue"), "n_overdue")]
        self.open = small(grouped(told, self.by, *counts))
        self.pushed = self._asked("pushes", Question(self.by, since=since, until=until))
        self.touched = self._asked("activity_load", Question(self.by, since=since, until=until))
        last = month_after(until + _DAY, 0)
        months = Question(self.by, since=add_months(last, -3), until=last - _DAY, options={"every": "month"})
        self.signed = self._asked("attainment", months) if first_day(view) else None
        met = one_to_ones(view, until)
        self.met = people(view, until).filter(pl.col("is_on_rhythm").is_not_null()) if met.height else None

    def of(self, where: dict[str, tuple[str | None, ...]]) -> dict[str, Any]:
        """What weighed on one group."""
        heads = _kept(self.sellers, where).height
        stock = _kept(self.open, where)
        pushed = None if self.pushed is None else _kept(self.pushed, where)
        met = None if self.met is None else _kept(self.met, where)
        return {
            "n_sellers": heads, "open_per_head": _ratio(stock["n_open"].sum(), heads),
            "overdue_per_head": _ratio(stock["n_overdue"].sum(), heads),
            "pushed_share": None if pushed is None else _ratio(pushed["n_pushed"].sum(), pushed["n_deals"].sum()),
            "after_hours_share": self._after_hours(where), "missed_share": self._missed(where),
            MET: None if met is None else _ratio(met["is_on_rhythm"].sum(), met.height),
        }  # fmt: skip

    def _after_hours(self, where: dict[str, tuple[str | None, ...]]) -> float | None:
        if self.touched is None:
            return None
        own = _kept(self.touched, where)
        if own["n_after_hours"].null_count() and any(len(each) > 1 for each in where.values()):
            # Teams too small to be told of by themselves, in a group that is large enough: asked for together.
            asked = self._asked("activity_load", Question((), where, since=self.since, until=self.until))
            own = own if asked is None else asked
        if own["n_after_hours"].null_count():
            return None
        return _ratio(own["n_after_hours"].sum(), own["n_touches"].sum())

    def _missed(self, where: dict[str, tuple[str | None, ...]]) -> float | None:
        if self.signed is None:
            return None
        own = _kept(self.signed, where).filter("is_whole")
        target = own["target"].sum()
        if own.is_empty() or own["target"].null_count() or own["n_won_unknown"].sum() or not target:
            return None
        return max(0.0, 1 - float(own["amount_won"].sum()) / float(target))

    def _asked(self, name: str, question: Question) -> pl.DataFrame | None:
        """A measure's answer; none where this book cannot give it."""
        measure = MEASURES[name]
        try:
            measure.check(self.view, question)
            return measure.ask(self.view, question)
        except Problem:
            return None


def _kept(rows: pl.DataFrame, where: dict[str, tuple[str | None, ...]]) -> pl.DataFrame:
    return rows.filter(*(pl.col(name).is_in(list(values), nulls_equal=True) for name, values in where.items()))


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None


def _links(rows: pl.DataFrame) -> pl.DataFrame:
    asked = (_link(rows, outcome, factor) for outcome in OUTCOMES for factor in FACTORS)
    told = [each for each in asked if each is not None]
    n = sum(each["effect"] is not None for each in told)
    types = dict(LoadLink.create_empty().schema)
    wide = [each.pop("found") for each in told]
    for each, found in zip(told, wide, strict=True):
        each["n_compared"] = n
        if found is not None:
            low, high = found.limits(0.05 / n)
            each["is_link"] = not low <= 0 <= high
    return pl.DataFrame(told, schema=types, orient="row")


def _link(rows: pl.DataFrame, outcome: str, factor: str) -> dict[str, Any] | None:
    """One factor beside one outcome; none where the book tells nothing of either."""
    known = rows.filter(pl.col(outcome).is_not_null(), pl.col(factor).is_not_null())
    if known.is_empty():
        return None
    named = known.with_columns(name=pl.struct("parent", "group").rank("dense"))
    named = named.filter(pl.len().over("name") > 1)
    n_groups, n_waves = named["name"].n_unique(), named["wave"].n_unique()
    row: dict[str, Any] = {"outcome": outcome, "factor": factor, "n_groups": n_groups, "n_waves": n_waves,
                           "n": named.height, "effect": None, "found": None}  # fmt: skip
    if n_groups < LEAST_GROUPS or n_waves < LEAST_WAVES:
        return row | {"reason": FEW_GROUPS}
    scale = 100.0 if outcome == "favourable" else 1.0
    found = within(scale * named[outcome].to_numpy(), named[factor].to_numpy(), named["name"].to_numpy(),
                   named["wave"].rank("dense").to_numpy())  # fmt: skip
    if found is None:
        return row | {"reason": NO_CHANGE}
    if found.freedom < LEAST_FREEDOM:
        return row | {"reason": ONE_GROUP}
    low, high = found.limits()
    return row | {
        "typical_change": found.spread, "effect": found.slope * found.spread, "effect_low": low * found.spread,
        "effect_high": high * found.spread, "smallest_effect": found.smallest() * found.spread, "freedom": found.freedom,
        "found": found,
    }  # fmt: skip
