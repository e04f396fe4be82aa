"""Whose move it is while deals are in each stage of the pipeline: ours, the client's, or nobody has moved yet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.measures.catalogue import Need, Question, Rival, measure
from cadran.measures.counting import LEAST_FOR_INTERVAL, Z95, count, grouped, small, total
from cadran.measures.lines import every_line
from cadran.measures.visits import NEEDS_STAGES, open_stages, period_of, visits
from cadran.tables.measured.audit import WaitingOn

#: The sides, in the order in which touches of one instant prevail.
SIDES = ("nobody", "unknown", "client", "us")
_NOBODY, _UNKNOWN, _CLIENT, _US = range(4)
#: Microseconds.
_DAY = 86_400_000_000
_DEAL = "opportunity_key"


def spells(book: Book, question: Question) -> nw.LazyFrame:
    """The stretches of the period that deals spent in an open stage with the next move at one side.

    The side is that of the last touch that a human made on the deal: the client's if it went to the client, ours if it
    came from the client and has no reply, unknown if it says not which; nobody's before the first. Of touches of one
    instant, the one without a reply prevails.

    Returns:
        One row per stretch: the columns of `by`, `opportunity_key`, `entered_stage`, `side` (its place in `SIDES`),
        `days` within the period, `is_now` (whether it lasts at the moment), `side_days` (since the side became so
        until the end of the stretch), and `amount_then`, the amount at the end of the stay, null where unknown.
    """
    stays = visits(book, replace(question, since=None, until=None), _DEAL)
    stays = stays.with_columns(until=nw.coalesce(nw.col("ended"), nw.lit(book.moment)))
    stays = book.engine.microseconds(stays, {"stay": "since", "over": "until"})
    told = _sides(_marks(stays, _touches(book)))
    since, until = (_microseconds(instant) for instant in period_of(question, book))
    begins, ends = nw.col("at"), nw.coalesce(nw.col("upto"), nw.col("at"))
    begins = nw.max_horizontal(begins, nw.lit(since)) if since is not None else begins
    ends = nw.min_horizontal(ends, nw.lit(until)) if until is not None else ends
    spent = nw.when(ends > begins).then(ends - begins).otherwise(0) / _DAY
    is_now = nw.col("upto").is_null() & nw.col("ended").is_null()
    there = told.join(stays, on=[_DEAL, "stay"]).filter((nw.col("at") < nw.col("over")) | is_now)
    timed = there.with_columns(days=spent, is_now=is_now, side_days=(nw.col("at") - nw.col("side_since")) / _DAY)
    columns = dict.fromkeys(
        (*question.by, _DEAL, "entered_stage", "side", "days", "is_now", "side_days", "amount_then")
    )
    return timed.filter((nw.col("days") > 0) | nw.col("is_now")).select(*columns)


def _microseconds(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - EPOCH) // timedelta(microseconds=1)


def _touches(book: Book) -> nw.LazyFrame:
    """Whose move it is from each human touch on: `opportunity_key`, `at` (microseconds), `side`."""
    is_own_task = (nw.col("kind") == "task") & nw.col("direction").is_null()
    is_touch = ~nw.col("is_automatic").fill_null(False) & ~nw.col(_DEAL).is_null() & ~is_own_task
    human = book.table("activities").filter(is_touch)
    timed = book.engine.microseconds(human, {"touched": "at", "replied": "answered_at"})
    is_in, is_out = nw.col("direction") == "inbound", nw.col("direction") == "outbound"
    side = nw.when(is_in).then(nw.lit(_US)).otherwise(nw.when(is_out).then(nw.lit(_CLIENT)).otherwise(nw.lit(_UNKNOWN)))
    replied = timed.filter(~nw.col("replied").is_null()).select(_DEAL, at="replied", side=nw.lit(_CLIENT))
    is_answered_then = (is_in & (nw.col("replied") == nw.col("touched"))).fill_null(False)
    spoke = timed.filter(~is_answered_then).select(_DEAL, at="touched", side=side)
    return nw.concat([spoke, replied])


def _marks(stays: nw.LazyFrame, touches: nw.LazyFrame) -> nw.LazyFrame:
    """Every instant at which a deal of `stays` came to a stage, left one, or was touched: `at`, with the stay that
    began then (`stay`) and the side of a touch (`side`), -1 where none did."""
    none = nw.lit(-1).cast(nw.Int64)
    came = stays.select(_DEAL, at="stay", stay="stay", side=none)
    left = stays.select(_DEAL, at="over", stay=none, side=none)
    touched = touches.join(stays.select(_DEAL).unique(), on=_DEAL, how="semi")
    touched = touched.select(_DEAL, at="at", stay=none, side=nw.col("side").cast(nw.Int64))
    marks = nw.concat([came, left, touched])
    return marks.group_by(_DEAL, "at").agg(nw.col("stay").max(), nw.col("side").max())


def _sides(marks: nw.LazyFrame) -> nw.LazyFrame:
    """The stretches from each mark to the next, `upto` (null for the last): the stay, the side, and since when."""

    def over(expr: nw.Expr) -> nw.Expr:
        return expr.over(_DEAL, order_by="at")

    # The last touch so far is the greatest number so far, its instant coming before its side.
    touch = nw.when(nw.col("side") >= 0).then(nw.col("at") * 4 + nw.col("side")).otherwise(-1)
    running = marks.with_columns(touch=touch).with_columns(
        stay=over(nw.col("stay").cum_max()), touch=over(nw.col("touch").cum_max()), upto=over(nw.col("at").shift(-1))
    )
    sided = running.with_columns(side=nw.when(nw.col("touch") >= 0).then(nw.col("touch") % 4).otherwise(_NOBODY))
    before = sided.with_columns(before=over(nw.col("side").shift(1)))
    turned = nw.when((nw.col("before") == nw.col("side")).fill_null(False)).then(-1).otherwise(nw.col("at"))
    return before.with_columns(turned=turned).with_columns(side_since=over(nw.col("turned").cum_max()))


def _our_share_by_deal(book: Book, question: Question) -> float | None:
    """The mean over deals of the share of their days that waited on us."""
    days, ours = nw.col("days"), nw.when(nw.col("side") == _US).then(nw.col("days")).otherwise(0.0)
    each = spells(book, replace(question, by=())).group_by(_DEAL).agg(days.sum(), ours=ours.sum())
    told = each.filter(days > 0).select((nw.col("ours") / days).mean().alias("share"))
    found: float | None = book.collect(told)["share"][0]
    return found


@measure(
    title="Who deals wait on",
    definition=(
        "The days that deals spent in each open stage in the period, by whose move it was: ours after a touch from the "
        "client without a reply, the client's after one of ours, nobody's before the first, unknown after one that "
        "says not who spoke. What a machine sent, or a task of ours, does not count; the last touch before the stage does. "
        "Share of all "
        "days in the stage; interval: linearised variance of a ratio with deals as clusters, on Wilson's scale, 95 %, "
        "from 10 deals on. With it the deals there at the as-of date, and for how long it has been so. Who spoke last "
        "is not who is to blame: a deal may rest by agreement."
    ),
    unit="days; share, 0 to 1",
    source=(
        "Cochran (1977), Sampling Techniques, section 6.4; Wilson (1927), JASA 22(158); Kish (1965), Survey Sampling: "
        "effective sample size"
    ),
    returns=WaitingOn,
    needs=(*NEEDS_STAGES, Need("direction", table="activities", once_is_enough=True)),
    answer=lambda book, question: waiting_on(spells(book, question), question.by, book=book, **question.chosen()),
    rivals=(
        Rival(
            "Mean over deals of our share",
            "Each deal weighs alike, one of two days as one of two years. All stages together.",
            _our_share_by_deal,
        ),
    ),
)
def waiting_on(stretches: nw.LazyFrame, by: Sequence[str] = (), *, book: Book) -> nw.LazyFrame:
    """How long deals waited in each stage, on whom, and how many wait now.

    Args:
        stretches: One row per stretch, from `spells`.
        by: Columns to group on. Empty gives one row per stage and side.
        book: For the order of the stages.

    Returns:
        One row per group, open stage and side, sorted by `by`, then in the order of the pipeline, us, client, nobody,
        unknown, as `WaitingOn` has it. A share is null where no day was spent; its interval also under 10 deals.
    """
    lines = open_stages(book).select(entered_stage="stage").join(pl.DataFrame({"side": _SHOWN}), how="cross")
    side, days = nw.col("side"), nw.col("days")
    per_deal = stretches.group_by(*by, _DEAL, "entered_stage").agg(
        days.sum().alias("all"), *(total(side == SIDES.index(name), "days", name) for name in SIDES)
    )
    sums = [nw.col("all").sum(), (nw.col("all") * nw.col("all")).sum().alias("all_2"), count(nw.col("all") > 0, "n")]
    for name in SIDES:
        own = nw.col(name)
        sums += [own.sum(), (own * own).sum().alias(f"{name}_2"), (own * nw.col("all")).sum().alias(f"{name}_all")]
        sums += [count(own > 0, f"n_{name}")]
    counted = small(grouped(per_deal, [*by, "entered_stage"], *sums))
    sides = [
        counted.select(
            *by, "entered_stage", "all", "all_2", side=pl.lit(name), n_deals_stage="n", n_deals=f"n_{name}", days=name,
            squares=f"{name}_2", products=f"{name}_all",
        )
        for name in SIDES
    ]  # fmt: skip
    full = every_line(pl.concat(sides), by, lines).join(
        _now(stretches, by), on=[*by, "entered_stage", "side"], how="left", nulls_equal=True, maintain_order="left"
    )
    shared = _with_interval(full.with_columns(pl.col("n_open").fill_null(0)))
    return nw.from_native(shared.lazy()).select(*by, *WaitingOn.column_names())


_SHOWN = ("us", "client", "nobody", "unknown")


def _now(stretches: nw.LazyFrame, by: Sequence[str]) -> pl.DataFrame:
    """The deals in each stage at the moment, by side: how many, for how long, and their known amounts."""
    amount, waited = nw.col("amount_then"), nw.col("side_days")
    told = grouped(
        stretches.filter(nw.col("is_now")),
        [*by, "entered_stage", "side"],
        nw.len().cast(nw.Int64).alias("n_open"),
        total(~amount.is_null(), "amount_then", "amount"),
        count(~amount.is_null(), "n_known"),
        waited.median().alias("median_days"),
        waited.quantile(0.9, "linear").alias("p90_days"),
    )
    named = pl.col("side").replace_strict(range(len(SIDES)), SIDES, return_dtype=pl.String)
    return small(told).with_columns(side=named, amount_open=pl.when(pl.col("n_known") > 0).then("amount"))


def _with_interval(sums: pl.DataFrame) -> pl.DataFrame:
    """Add `days_share` and the ends of its interval, from sums over deals of days, their squares and products.

    The share is a ratio of sums, Σd ÷ Σt. Its variance, linearised: n ÷ (n − 1) × Σ(d − share × t)² ÷ (Σt)². The
    interval is Wilson's, for as many deals as would give a plain share that variance.
    """
    n, share = pl.col("n_deals_stage"), pl.col("days_share")
    shared = sums.with_columns(days_share=pl.when(pl.col("all") > 0).then((pl.col("days") / pl.col("all")).clip(0, 1)))
    residual = pl.col("squares") - 2 * share * pl.col("products") + share**2 * pl.col("all_2")
    variance = (n / (n - 1) * residual / pl.col("all") ** 2).alias("variance")
    spread = share * (1 - share)
    is_spread = (spread > 1e-12) & (pl.col("variance") > 1e-15)
    sized = shared.with_columns(variance).with_columns(
        m=pl.when(n >= LEAST_FOR_INTERVAL).then(pl.when(is_spread).then(spread / pl.col("variance")).otherwise(n))
    )
    m, scale = pl.col("m"), 1 + Z95**2 / pl.col("m")
    middle, half = share + Z95**2 / (2 * m), Z95 * (spread / m + Z95**2 / (4 * m * m)).sqrt()
    return sized.with_columns(
        days_share_low=((middle - half) / scale).clip(0, 1), days_share_high=((middle + half) / scale).clip(0, 1)
    )
