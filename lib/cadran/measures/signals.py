"""Weak signals of open deals: what they show that nine won deals in ten did not, by this book's own won deals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.landmarks import facts_at, open_pairs
from cadran.book.moments import collect, once_told, rows, told_since
from cadran.book.whole import whole_of
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import count, grouped, total
from cadran.measures.signals_learnt import DEAL, LEAST_WON, active_people, habits, in_polars, quantile
from cadran.measures.visits import NEEDS_STAGES, open_stages
from cadran.tables.measured.signals import TITLES, DealSignal, Signalled, Threshold

#: A fact of a deal, and what of it a signal looks at.
_FACT = pl.col
_IS_OURS = _FACT("days_since_inbound").is_null() | (_FACT("days_since_inbound") > _FACT("days_since_outbound"))


def _filled(column: str, table: str) -> tuple[Need, ...]:
    return (Need(column, table=table, least_share=1),)


@dataclass(frozen=True)
class Signal:
    """One weak signal: what it looks at in the facts of a deal, and beyond what it shows."""

    definition: str
    unit: str
    #: Never negative where the signal can show; null where the book cannot tell.
    value: pl.Expr
    #: Share of the won deals' values that are no greater than the threshold; None where all above 0 is the signal.
    share: float | None = 0.9
    by_stage: bool = False
    #: Tables and columns that the book must have filled.
    needs: tuple[Need, ...] = ()


SIGNALS: dict[str, Signal] = {
    "stalled": Signal(
        "An open deal has been in its stage for more days than 90 % of the stays in it of won deals lasted. No "
        "threshold under 30 won deals.",
        "days", _FACT("stage_days"), by_stage=True, needs=NEEDS_STAGES,
    ),
    "client_waits": Signal(
        "The client of an open deal has been waiting for a human reply for more hours than 90 % of the waits on won "
        "deals lasted; a wait without a reply when its deal was won is censored then. No threshold under 30 won deals.",
        "hours", _FACT("waiting_hours").fill_null(pl.when(_FACT("n_asked").is_not_null()).then(0.0)),
        needs=_filled("direction", "activities"),
    ),
    "no_reply": Signal(
        "Our last touch on an open deal has stayed the last of all for more days than 90 % of our touches on won deals "
        "did, until the next touch or the win. No threshold under 30 won deals.",
        "days",
        pl.when(_IS_OURS).then(_FACT("days_since_outbound"))
        .when(_FACT("days_since_inbound").is_not_null()).then(0.0),
        needs=_filled("direction", "activities"),
    ),
    "silent_contact": Signal(
        "The client's last touch on an open deal is more days ago than 90 % of the gaps on won deals lasted, from one "
        "touch of the client to the next, or to the win. No threshold under 30 won deals.",
        "days", _FACT("days_since_inbound"), needs=_filled("direction", "activities"),
    ),
    "fewer_people": Signal(
        "The people of the client who wrote, called or met us about an open deal are fewer in the last 30 days than in "
        "the 30 before, by more than on 90 % of won deals at a moment drawn in the life of each. No threshold under 30 "
        "won deals.",
        "people", _FACT("n_fewer"), needs=_filled("contact_id", "activities"),
    ),
    "pushed_again": Signal(
        "The expected close of an open deal has moved to a later month more often than it had on 90 % of won deals by "
        "the end of their stay in the same stage. No threshold under 30 won deals.",
        "pushes", _FACT("n_pushes"), by_stage=True, needs=_filled("expected_close_date", "versions"),
    ),
    "amount_up": Signal(
        "The amount of an open deal has grown since it was first known by a greater share than on 95 % of won deals by "
        "the time they were won. No threshold under 30 won deals.",
        "share", _FACT("amount_change").clip(0), share=0.95, needs=_filled("amount", "versions"),
    ),
    "amount_down": Signal(
        "The amount of an open deal has shrunk since it was first known by a greater share than on 95 % of won deals by "
        "the time they were won. No threshold under 30 won deals.",
        "share", (-_FACT("amount_change")).clip(0), share=0.95, needs=_filled("amount", "versions"),
    ),
    "competitor": Signal(
        "A competitor is known on an open deal. What that has meant here: see what signals have told.",
        "yes", _FACT("is_rivalled").cast(pl.Float64), share=None, needs=_filled("competitor", "versions"),
    ),
    "overdue": Signal(
        "The day on which an open deal was expected to close has passed.",
        "days", (-_FACT("days_to_expected")).clip(0), share=None, needs=_filled("expected_close_date", "versions"),
    ),
}  # fmt: skip


def shown(book: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    """What deals show of each signal, each at its own moment.

    Args:
        book: A view of a book.
        pairs: `opportunity_key` and `at`, moments up to the book's.

    Returns:
        One row per pair and signal: `opportunity_key`, `opportunity_id`, `at`, `signal`, `of_stage` (the stage the
        deal was in), `stage` (that its threshold holds for, "" for all) and `value`, null where it cannot be told.
    """
    view = in_polars(book)
    fewer = active_people(view, pairs)
    told = facts_at(view, pairs).with_columns(fewer.to_series())
    named = told_since(
        rows(whole_of(view, __name__), "versions", "valid_from", "competitor"),
        "valid_from",
        any=pl.col("competitor").is_not_null(),
    )["any"]
    there = told.filter(pl.col("stage").is_not_null()).with_columns(is_rivalled=pl.col("competitor").is_not_null())
    there = once_told(there, None if "competitor" in book.settings.known_at_close else named, "is_rivalled")
    return pl.concat(
        there.select(
            DEAL, "opportunity_id", "at", signal=pl.lit(name), of_stage="stage",
            stage=pl.col("stage") if signal.by_stage else pl.lit(""), value=signal.value.cast(pl.Float64),
        )
        for name, signal in SIGNALS.items()
    )  # fmt: skip


def learnt(book: Book, until: datetime) -> pl.DataFrame:
    """The thresholds that the deals won up to a moment tell: `signal`, `stage` ("" for all) and `threshold`."""
    values = habits(book).filter(pl.col("won_at") <= until)
    found = [
        (name, stage, quantile(frame, SIGNALS[name].share or 0, with_interval=False)[0])
        for (name, stage), frame in values.group_by("signal", "stage")
    ]
    found += [(name, "", 0.0) for name, signal in SIGNALS.items() if signal.share is None]
    return pl.DataFrame(found, schema={"signal": pl.String, "stage": pl.String, "threshold": pl.Float64}, orient="row")


@lru_cache(maxsize=16)
def thresholds(book: Book) -> pl.DataFrame:
    """Where each signal begins, as the won deals of the book tell.

    Returns:
        As `Threshold` has it: a row per signal, and per open stage where it goes by stage, in the order of `SIGNALS`
        and of the pipeline. With fewer than `LEAST_WON` won deals behind it there is none, and it is said.
    """
    values, stages, zone = habits(book), open_stages(book)["stage"].to_list(), ZoneInfo(book.settings.time_zone)
    groups = dict(values.group_by("signal", "stage"))
    found = []
    for name, signal in SIGNALS.items():
        for stage in stages if signal.by_stage else [""]:
            own = groups.get((name, stage), values.clear())
            n_won, won_at = own["cluster"].n_unique(), own["won_at"].dt.convert_time_zone(str(zone)).dt.date()
            at, low, high = quantile(own, signal.share) if signal.share else (0.0, None, None)
            found.append(
                {
                    "signal": name, "stage": stage or None, "unit": signal.unit, "share": signal.share,
                    "threshold": at, "threshold_low": low, "threshold_high": high,
                    "n_won": n_won, "n_values": own.height, "learnt_since": won_at.min(), "learnt_until": won_at.max(),
                    "reason": None if at is not None else _why(n_won),
                }
            )  # fmt: skip
    return pl.DataFrame(found, schema=Threshold.create_empty().schema)


def _why(n_won: int) -> str:
    if not n_won:
        return "No won deal of the book tells of it."
    if n_won < LEAST_WON:
        return "Too few won deals tell of it: a threshold takes 30."
    return "Too few of the won deals' waits had ended to know it."


@lru_cache(maxsize=16)
def _present(book: Book) -> pl.DataFrame:
    """What each open deal shows of each signal now, beside its threshold; `shows` is null where it cannot be told."""
    at = thresholds(book).with_columns(pl.col("stage").fill_null(""), pl.col("unit").cast(pl.String))
    told = shown(book, open_pairs(book)).join(
        at.select("signal", "stage", "threshold", "unit", "n_won"), on=["signal", "stage"], how="left"
    )
    return told.with_columns(shows=pl.col("value") > pl.col("threshold"))


def signals(book: Book) -> pl.DataFrame:
    """The weak signals that open deals show, as known at the book's moment.

    Returns:
        One row per open deal and signal it shows, as `DealSignal` has it, in the order of the deals and of `SIGNALS`.

    Raises:
        Problem: If a file of the book is damaged or gone.
    """
    return _signals(book)


@lru_cache(maxsize=16)
def _signals(book: Book) -> pl.DataFrame:
    found = _present(book).filter("shows")
    since = found.join(_turns(book, found), on=[DEAL, "signal"], how="left", maintain_order="left")
    day, order = pl.col("since").dt.convert_time_zone(book.settings.time_zone).dt.date(), list(SIGNALS)
    place = pl.col("signal").replace_strict({name: number for number, name in enumerate(order)}, default=None)
    told = since.with_columns(since=day, n_won=pl.when(pl.col("signal").is_in(_CONSTANT).not_()).then("n_won"))
    types = DealSignal.create_empty().schema
    return told.sort("opportunity_id", place).select(pl.col(name).cast(kind) for name, kind in types.items())


_CONSTANT = [name for name, signal in SIGNALS.items() if signal.share is None]


def _turns(book: Book, found: pl.DataFrame) -> pl.DataFrame:
    """Since when deals show what they show: `opportunity_key`, `signal`, `since`; no row where that cannot be told."""
    # The day that a deal was expected to close it was not overdue yet.
    beyond = pl.col("value") - pl.col("threshold") - (pl.col("signal") == "overdue")
    per_unit = {"days": 86_400_000_000, "hours": 3_600_000_000}
    lasting = found.filter(pl.col("unit").is_in(list(per_unit))).with_columns(
        since=pl.col("at") - pl.duration(microseconds=beyond * pl.col("unit").replace_strict(per_unit, default=0))
    )
    key = pl.col(DEAL).cast(pl.Int64)
    told = (
        in_polars(book)
        .table("versions")
        .to_native()
        .with_columns(key)
        .filter(pl.col("status").cast(pl.String) == "open")
    )
    own = collect(told.join(found.select(DEAL).unique().lazy(), on=DEAL, how="semi")).sort(DEAL, "valid_from")
    limits = found.filter(signal="pushed_again").select(DEAL, "threshold")
    pushed = own.join(limits, on=DEAL).filter(pl.col("n_pushes") > pl.col("threshold"))
    moved = own.filter(pl.col("amount").ne_missing(pl.col("amount").shift().over(DEAL)))
    named = own.filter(pl.col("competitor").is_not_null())
    last = {
        "pushed_again": pushed.group_by(DEAL).agg(since=pl.col("valid_from").min()),
        "competitor": named.group_by(DEAL).agg(since=pl.col("valid_from").min()),
    }
    last |= {name: moved.group_by(DEAL).agg(since=pl.col("valid_from").max()) for name in ("amount_up", "amount_down")}
    turned = [each.select(DEAL, "since", signal=pl.lit(name)) for name, each in last.items()]
    return pl.concat([lasting.select(DEAL, "since", "signal"), *turned])


def _answer(name: str, function: Callable[..., nw.LazyFrame], book: Book, question: Question) -> nw.LazyFrame:
    question.chosen()
    view = in_polars(book)
    asked = (DEAL, "status", "amount", *question.columns)
    deals = question.keeps(view.deals([*asked], question.organisation)).filter(nw.col("status") == "open")
    told = _present(book).filter(signal=name).select(DEAL, shows="shows")
    shows = nw.from_native(told.lazy())
    own = deals.with_columns(nw.col(DEAL).cast(nw.Int64)).join(shows, on=DEAL, how="left")
    return function(own.select("amount", "shows", *question.by), question.by)


def _register(name: str, signal: Signal) -> None:
    def shown_by(deals: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
        """How many open deals show one signal.

        Args:
            deals: One row per open deal: `amount`, `shows` (null where it cannot be told) and the columns of `by`.
            by: Columns to group on. Empty gives one row for all.

        Returns:
            One row per group, sorted by `by`, as `Signalled` has it.
        """
        shows, unknown = nw.col("shows").fill_null(False), nw.col("amount").is_null()
        counted = grouped(
            deals, by, nw.len().cast(nw.Int64).alias("n_open"), count(~nw.col("shows").is_null(), "n_told"),
            count(shows, "n_shown"), total(shows & ~unknown, "amount", "amount_shown"),
            count(shows & unknown, "n_amount_unknown"),
        )  # fmt: skip
        n_told = nw.when(nw.col("n_told") > 0).then(nw.col("n_told"))
        return counted.with_columns(shown_share=nw.col("n_shown") / n_told).select(*by, *Signalled.column_names())

    shown_by.__name__ = f"signal_{name}"
    measure(
        title=TITLES[name], definition=signal.definition, unit="deals; reporting currency", source="Definition",
        returns=Signalled, needs=signal.needs, answer=partial(_answer, name, shown_by),
    )(shown_by)  # fmt: skip


for _name, _signal in SIGNALS.items():
    _register(_name, _signal)
