"""What sellers did, as far as it was logged: touches, the hours they took, and how many fell outside working hours."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import count, grouped, small, total
from cadran.measures.hours import USUAL, span_of
from cadran.measures.periods import spans
from cadran.measures.staff import LEAST_PERSONS, SELLERS, Staff, check_places
from cadran.measures.visits import midnight
from cadran.tables.measured.resources import ActivityLoad

_DAY = 86_400_000_000
_COUNTS = ("n_touches", "n_timed", "n_after_hours", "minutes")


@measure(
    title="Activity load",
    definition=(
        "Touches logged in each month (option every: week, quarter) of the sellers present at its end, what a machine sent "
        "left out, and the hours of those that were timed; both per seller. A seller counts where they are at the end of "
        "the month. Outside working hours (option hours: 9-18 on the book's business days, in its time zone): of groups of "
        "five sellers or more, never of a person. Without dates: the last twelve months."
    ),
    unit="touches; hours; share, 0 to 1",
    source="Definition",
    returns=ActivityLoad,
    needs=(Need("rep_id", table="activities", least_share=0.01),),
    subject=SELLERS,
    answer=lambda book, question: activity_load(book, question, **question.chosen(every="month", hours=USUAL)),
)
def activity_load(book: Book, question: Question, every: str = "month", hours: str = USUAL) -> nw.LazyFrame:
    """Touches and timed hours of each group in each period, and per seller.

    Args:
        book: At its moment.
        question: Groups and filter are of people: region, team.
        every: week, month or quarter.
        hours: The working hours of a business day.

    Returns:
        One row per group and period in which somebody sold or was in touch, as `ActivityLoad` has it.
    """
    check_places(question)
    told, by = spans(book, question, every, 12), list(question.by)
    counted = small(_per_person(book, told, hours))
    staff, parts = Staff.of(book, question.organisation), []
    for number, span in enumerate(told.rows(named=True)):
        people = staff.on(span["until"])
        done = counted.filter(pl.col("span") == number).drop("span")
        everybody = people.join(done, on="rep_id", how="full", coalesce=True)
        for column, values in question.where.items():
            everybody = everybody.filter(pl.col(column).is_in(list(values), nulls_equal=True))
        everybody = everybody.with_columns(pl.col(_COUNTS).fill_null(0), pl.col("is_seller").fill_null(False))
        sums = _sums()
        rows = everybody.group_by(by).agg(**sums) if by else everybody.select(**sums)
        parts.append(rows.with_columns(pl.lit(span[name]).alias(name) for name in ("period", "until", "is_whole")))
    rows = pl.concat(parts).filter(pl.sum_horizontal("n_sellers", "n_touches", "n_others") > 0 if by else True)
    return nw.from_native(_told(rows).sort([*by, "period"]).lazy()).select(*by, *ActivityLoad.column_names())


def _sums() -> dict[str, pl.Expr]:
    sells = pl.col("is_seller")
    theirs = {name: pl.col(name).filter(sells).sum() for name in _COUNTS}
    return theirs | {"n_sellers": sells.sum(), "n_others": pl.col("n_touches").filter(~sells).sum()}


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what is per seller, and nothing of working hours where too few sellers would be told of."""
    n, is_group = pl.col("n_sellers"), pl.col("n_sellers") >= LEAST_PERSONS
    rows = rows.with_columns(pl.col("^n_.*$").cast(pl.Int64)).with_columns(
        timed_hours=pl.when(pl.col("n_timed") > 0).then(pl.col("minutes") / 60),
        n_after_hours=pl.when(is_group).then("n_after_hours"),
    )
    per = {name: pl.when(n > 0).then(pl.col(whole) / n) for name, whole in
           {"touches_per_seller": "n_touches", "timed_hours_per_seller": "timed_hours"}.items()}  # fmt: skip
    touched = pl.when(pl.col("n_touches") > 0).then("n_touches")
    return rows.with_columns(**per, after_hours_share=pl.col("n_after_hours") / touched)


def _per_person(book: Book, told: pl.DataFrame, hours: str) -> nw.LazyFrame:
    """Touches of each person in each span, by its place in `told`."""
    first, last = told["since"][0], told["until"][-1]
    starts = [_us(midnight(day, book)) for day in told["since"]]
    over = _us(midnight(last + timedelta(days=1), book))
    human = ~nw.col("is_automatic").fill_null(False)
    done = book.engine.microseconds(book.table("activities").filter(human), {"us": "at"})
    done = done.filter(nw.col("us") >= starts[0], nw.col("us") < over)
    place = sum((nw.col("us") >= start).cast(nw.Int64) for start in starts[1:])
    timed = ~nw.col("duration_minutes").is_null()
    local = done.with_columns(span=nw.lit(0) + place, local=nw.col("us") + _offset(book, first, last))
    marked = local.with_columns(is_timed=timed, is_outside=~_at_work(book, first, last, hours))
    return grouped(
        marked,
        ["rep_id", "span"],
        nw.len().cast(nw.Int64).alias("n_touches"),
        count(nw.col("is_timed"), "n_timed"),
        count(nw.col("is_outside"), "n_after_hours"),
        total(nw.col("is_timed"), "duration_minutes", "minutes"),
    )


def _us(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def _offset(book: Book, first: date, last: date) -> nw.Expr:
    """What the clocks of the book are ahead of UTC, microseconds: no engine but polars knows them all."""
    zone, days = ZoneInfo(book.settings.time_zone), (last - first).days + 2
    ahead = nw.lit(0)
    before = 0
    for day in (first + timedelta(days=n) for n in range(days)):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        now = int((noon.utcoffset() or timedelta(0)) / timedelta(microseconds=1))
        if now != before:
            # Clocks change at night: the few hours before are told by those of the day.
            ahead = ahead + (nw.col("us") >= _us(midnight(day, book))).cast(nw.Int64) * (now - before)
            before = now
    return ahead


def _at_work(book: Book, first: date, last: date, hours: str) -> nw.Expr:
    """Whether a touch took place in working hours, by the clock and the calendar of the book."""
    opening, closing = (each // timedelta(microseconds=1) for each in span_of(hours))
    days = book.table("calendar").filter(nw.col("is_business_day"), nw.col("date").is_between(first, last))
    numbers = [(day - date(1970, 1, 1)).days for day in small(days.select("date"))["date"]]
    clock = nw.col("local") % _DAY
    return (nw.col("local") // _DAY).is_in(numbers) & (clock >= opening) & (clock < closing)
