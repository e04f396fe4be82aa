"""The forecast of signed revenue: company, regions, teams and sellers by month or quarter, beside what others say of it."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import check_active, is_active
from cadran.book.whole import whole_of
from cadran.measures.catalogue import Question
from cadran.measures.periods import add_months, month_end, start_of
from cadran.measures.targets import targets_for
from cadran.models.behind import behind
from cadran.models.behind import told as told_by
from cadran.models.blend import Blend, quantiles
from cadran.models.booked import LEVELS, booked, by_level, deals_known
from cadran.models.forecast_past import Past, learnt_by
from cadran.models.forecast_rivals import NAMES, Rivals, rivals
from cadran.models.forecast_scores import scores
from cadran.models.foresight import Foresight, by_group, foresee
from cadran.models.kept_forecasts import past_forecasts
from cadran.models.one_person import check_whole, in_scope, named
from cadran.tables.measured import forecast as tables
from cadran.tables.problems import Problem

#: Months drawn, and months told where nobody says how many: as many as the past is judged over.
MONTHS, HORIZON = 12, 6
#: Months in a period, by its name.
EVERY = {"month": 1, "quarter": 3}
#: Months of the past that are shown before a forecast.
SHOWN = 24


@dataclass(frozen=True)
class Forecast:
    """Futures of a book at its moment, and what was learnt of such forecasts from its past."""

    book: Book
    seen: Foresight
    blend: Blend
    #: What such forecasts were worth; None where the past is too short, as `why_no_past` says.
    past: Past | None
    why_no_past: Problem | None
    #: Never another reader's: one with another book begins anew.
    _rivals: dict[str, Rivals] = field(init=False, default_factory=dict, repr=False, compare=False)

    @property
    def chosen(self) -> str:
        """Who tells it: the blend, or the only part that spoke."""
        parts = [name for name in ("bookings", "series") if name not in self.seen.silent]
        has_mean = bool(np.isfinite(self.seen.told.get(("average", "company"), np.nan)).all())
        return "blend" if len(parts) + has_mean > 1 else parts[0]

    @cached_property
    def deals(self) -> pl.DataFrame:
        """The deals a reader may see, groups named as in `sellers`.

        Raises:
            Problem: As `sellers`.
        """
        return _named(deals_known(self.book), self._names)

    @cached_property
    def sellers(self) -> pl.DataFrame:
        """`rep_id`, `team`, `region` of each, and `row`, its place in the futures: those a reader may see. Groups that would
        tell of one person, by themselves or taken off others, have no name, unless persons may be rated.

        Raises:
            Problem: If a reader of a part sees one person alone, and persons may not be rated.
        """
        return _named(self._theirs, self._names)

    @cached_property
    def _theirs(self) -> pl.DataFrame:
        sellers = self.seen.sellers.with_row_index("row")
        return sellers.filter(in_scope(sellers, self.book))

    @cached_property
    def _names(self) -> dict[str, list[str]] | None:
        """The regions and teams that may be named; None for all."""
        return None if is_active(self.book) else named(self._theirs, self.book)

    def periods(self, every: str = "month", horizon: int = HORIZON) -> list[tuple[date, date]]:
        """First and last day of the periods told: those that end within so many months, that under way first; maybe none.

        Raises:
            Problem: If `every` is no period, or the horizon is beyond what is drawn.
        """
        check_asked(self.book, "company", every, horizon)
        last = add_months(self.seen.months[0], horizon - 1)
        begins, told = start_of(self.seen.months[0], every), list[tuple[date, date]]()
        while (until := month_end(add_months(begins, EVERY[every] - 1))) <= month_end(last):
            told.append((begins, until))
            begins = add_months(begins, EVERY[every])
        return told

    def table(
        self, by: str = "company", every: str = "month", horizon: int = HORIZON, target: float | None = None
    ) -> pl.DataFrame:
        """The forecast of each group and period, as `cadran.tables.measured.forecast.Forecast` has it.

        Args:
            by: "company", "region", "team", or "rep": persons, where they may be rated.
            every: "month" or "quarter": what was signed in its months that are over counts in it.
            horizon: Months ahead within which periods end.
            target: A goal of each period in place of the book's, for the company alone.

        Raises:
            Problem: If persons may not be rated, or there is no such grain or period.
        """
        groups, rows = self.groups(by), []
        for begins, until in self.periods(every, horizon):
            totals, won, wins = self.futures(by, groups, begins, until)
            goals = self.goals(by, begins, until, target)
            told = np.column_stack([totals.mean(axis=0), quantiles(totals)])
            for place, group in enumerate(groups):
                goal = goals.get(group)
                rows.append({
                    "level": by, "group": group, "period": begins, "until": until, "won": won[place], "target": goal,
                    "n_wins": None if wins is None else wins[place],
                    "p_target": None if goal is None else float((totals[:, place] >= goal).mean()),
                } | dict(zip(("mean", *tables.QUANTILES), told[place].tolist(), strict=True)))  # fmt: skip
        frame = pl.DataFrame(
            rows, schema={name: kind for name, kind in _SCHEMA.items() if name not in NAMES}, orient="row"
        )
        beside = self._beside(by, every, horizon)
        if by == "rep":
            self.book.note("rating", groups)
        keys = ["group", "period"]
        return frame.join(beside, on=keys, how="left", nulls_equal=True, maintain_order="left").select(list(_SCHEMA))

    def made(self, every: str = "month", horizon: int = HORIZON) -> pl.DataFrame:
        """What the mean of the company's forecast is made of: `cadran.tables.measured.forecast.Made`."""
        lines = list[tuple[date, date, str, float]]()
        for begins, until in self.periods(every, horizon):
            totals, won, _ = self.futures("company", (None,), begins, until)
            parts = {"won": float(won[0])}
            if "bookings" not in self.seen.silent:
                here, rows = self.turns(begins, until), self.sellers["row"].to_numpy()
                mine = np.isin(self.seen.stock["row"].to_numpy(), rows)
                amounts = self.seen.stock["amount"].to_numpy()[mine]
                parts["open"] = float(self.seen.chances[mine][:, here].sum(axis=1) @ amounts)
                parts["arrivals"] = float(self.seen.coming[rows][:, here].sum())
            parts["series"] = float(totals.mean()) - sum(parts.values())
            lines += [(begins, until, part, value) for part, value in parts.items()]
        schema = {"period": pl.Date, "until": pl.Date, "part": pl.String, "bookings": pl.Float64}
        return pl.DataFrame(lines, schema=schema, orient="row")

    def signed(self, by: str = "company", months: int = SHOWN) -> pl.DataFrame:
        """What was signed in the last complete months: `cadran.tables.measured.forecast.Signed`."""
        past = booked(self.book, self.deals, by, self.groups(by))
        rows = [
            (by, group, month, month_end(month), float(amount) if np.isfinite(amount) else None)
            for group, amounts in zip(past.groups, past.amounts, strict=True)
            for month, amount in list(zip(past.months, amounts, strict=True))[-months:]
        ]
        schema = {"level": pl.String, "group": pl.String, "period": pl.Date, "until": pl.Date, "bookings": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def judged(self) -> pl.DataFrame:
        """What was forecast of the company on past days, as `cadran.models.forecast_scores.TOLD` has it.

        Raises:
            Problem: If the past is too short, or tells of one person.
        """
        if not is_active(self.book):
            check_whole(self.seen.sellers, self.book)
        if self.past is None:
            assert self.why_no_past is not None
            raise self.why_no_past
        return self.past.judged.filter(pl.col("level") == "company")

    def scores(self) -> pl.DataFrame:
        """What forecasts of the company were worth: `cadran.tables.measured.forecast.Score`."""
        return scores(self.judged, self.chosen)

    def came(self, ahead: int) -> pl.DataFrame:
        """What was told of each month so many months ahead, and what came: `cadran.tables.measured.forecast.Came`."""
        mine = self.judged.filter(pl.col("name") == self.chosen, pl.col("horizon") == ahead)
        return mine.sort("month").select(tables.Came.column_names())

    def rivals(self, by: str = "company") -> Rivals:
        """What stands beside it, and why some of it is silent."""
        check_asked(self.book, by)
        if by not in self._rivals:
            self._rivals[by] = rivals(self.book, self.deals, MONTHS, by)
        return self._rivals[by]

    def groups(self, by: str) -> tuple[str | None, ...]:
        """Names of the groups of a grain.

        Raises:
            Problem: If there is no such grain, or what is asked for is one person's, and persons may not be rated.
        """
        check_asked(self.book, by)
        sellers = self.sellers
        return (None,) if by == "company" else tuple(by_level(sellers, by)["group"].unique().sort(nulls_last=True))

    def turns(self, begins: date, until: date) -> list[int]:
        """Places of the months told that lie in a period."""
        return [place for place, month in enumerate(self.seen.months) if begins <= month <= until]

    def futures(
        self, by: str, groups: Sequence[str | None], begins: date, until: date
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(paths, groups) signed revenue of a period, (groups,) signed in it so far, (groups,) wins expected in it."""
        here, rows = self.turns(begins, until), self.sellers["row"].to_numpy()
        over = self.deals.filter(pl.col("status") == "won", pl.col("closed_date").is_between(begins, until))
        before = by_level(over.filter(pl.col("closed_date") < self.seen.months[0]), by)
        sums = {group: (total, n) for group, total, n in
                before.group_by("group").agg(pl.col("amount").sum(), pl.len()).iter_rows()}  # fmt: skip
        signed, n = (np.array([float(sums.get(group, (0.0, 0))[which]) for group in groups]) for which in (0, 1))
        ours = self.seen.paths[:, rows][:, :, here].sum(axis=2, keepdims=True)
        totals = by_group(ours, self.sellers, by, groups)[..., 0] + signed
        won = (
            by_group(self.seen.won[rows][:, here].sum(axis=1)[None, :, None], self.sellers, by, groups)[0, :, 0]
            + signed
        )
        if self.seen.wins is None:
            return totals, won, None
        wins = by_group(self.seen.wins[rows][:, here].sum(axis=1)[None, :, None], self.sellers, by, groups)[0, :, 0]
        return totals, won, wins + n

    def goals(self, by: str, begins: date, until: date, target: float | None = None) -> dict[str | None, float]:
        """The target of each group that has one; of the company that which is given."""
        if target is not None and by == "company":
            return {None: target}
        column, reader = LEVELS[by], self.book.reader
        if not column and reader is not None and reader.regions and reader.teams:
            return {}  # goals of regions and of teams are set apart, and may be of the same deals
        goals = targets_for(self.book, Question(by=(column,) if column else ()), begins, until)
        if column:
            return dict(goals.iter_rows())
        return {None: goals["target"][0]} if goals.height else {}

    def _beside(self, by: str, every: str, horizon: int) -> pl.DataFrame:
        """What the rivals say of each group and period: of months that are over, what was signed."""
        told = self.rivals(by).told.drop("won")
        first = start_of(self.seen.months[0], every)
        past = booked(self.book, self.deals, by)
        over = [month for month in past.months if first <= month < self.seen.months[0]]
        rows = []
        for group, amounts in zip(past.groups, past.amounts, strict=True):
            known = dict(zip(past.months, amounts.tolist(), strict=True))
            rows += [(group, month, known[month], known.get(add_months(month, -12))) for month in over]
        elapsed = pl.DataFrame(
            rows, schema={"group": pl.String, "month": pl.Date, "signed": pl.Float64, "last_year": pl.Float64}, orient="row"
        ).fill_nan(None)  # fmt: skip
        same = (pl.col("signed").fill_null(0.0).alias(name) for name in NAMES if name != "last_year")
        told = pl.concat([told, elapsed.with_columns(*same).select(told.columns)])
        period = pl.col("month").dt.truncate("1q" if every == "quarter" else "1mo").alias("period")
        # Of a quarter in which the book begins, its first months are not known.
        whole = (pl.when(pl.col(name).count() == EVERY[every]).then(pl.col(name).sum()).alias(name) for name in NAMES)
        return told.group_by("group", period).agg(*whole)


def check_asked(book: Book, by: str = "company", every: str = "month", horizon: int = HORIZON) -> None:
    """Refuse what is not told, before it is worked out.

    Raises:
        Problem: If persons may not be rated, or there is no such grain, period or horizon.
    """
    if by not in LEVELS:
        raise Problem("A forecast cannot go by {by}.", "Ask by one of {names}.", by=by, names=", ".join(LEVELS))
    if every not in EVERY:
        raise Problem("A forecast cannot go by {every}.", "Ask for every month or quarter.", every=every)
    check_horizon(horizon)
    if by == "rep":
        check_active(book)


def check_horizon(months: int) -> None:
    """That so many months ahead are told.

    Raises:
        Problem: If they are not.
    """
    if not 1 <= months <= MONTHS:
        raise Problem("{n} months ahead is not told.", "Ask for 1 to {most} months.", n=months, most=MONTHS)


def forecast(book: Book, seed: int = 0, later: Book | None = None) -> Forecast:
    """Forecast the months to come, as the book knows at its moment: the backtest teaches how to weigh and how wide to tell.

    Args:
        book: At its moment.
        seed: Of what is drawn.
        later: The same book at a later moment, of which the past is told already: as far as it was known at this moment,
            it teaches here too, where it reaches back beyond it.

    Raises:
        Problem: If neither deals nor the past tell anything.
    """
    whole = whole_of(book, __name__)
    past, why = None, None
    try:
        past = past_forecasts(whole if later is None else later, seed=seed)
        if later is not None:
            past = past.known_by(whole) if past.since < whole.day else past_forecasts(whole, seed=seed)
    except Problem as problem:
        why = problem
    blend = learnt_by(past.told if past else None)
    return Forecast(book, foresee(whole, MONTHS, blend, seed=seed), blend, past, why)


def foretold(book: Book, wait: bool = True, later: Book | None = None) -> Forecast | None:
    """The forecast of a book: worked out once for all who ask, behind the page; None while it is not there.

    Args:
        book: At its moment.
        wait: Whether to wait for it.
        later: As `forecast` takes it.

    Raises:
        Problem: As `forecast`.
    """
    whole = told_by(_begun(_whole(book), later and _whole(later)), wait)
    if whole is None:
        return None
    return replace(whole, book=book, past=whole.past and whole.past.seen_by(book.reader))


@lru_cache(maxsize=8)
def _begun(book: Book, later: Book | None) -> Future[Forecast]:
    return behind(lambda: forecast(book, later=later))


def _whole(book: Book) -> Book:
    return replace(whole_of(book, __name__), rates_persons=False)


def _named(frame: pl.DataFrame, names: dict[str, list[str]] | None) -> pl.DataFrame:
    """A frame in which only these regions and teams have a name."""
    for level, told in (names or {}).items():
        frame = frame.with_columns(pl.when(pl.col(level).is_in(told)).then(level))
    return frame


_SCHEMA = {name: column.dtype for name, column in tables.Forecast.columns().items()} | {
    "level": pl.String, "group": pl.String, "period": pl.Date, "until": pl.Date
}  # fmt: skip
