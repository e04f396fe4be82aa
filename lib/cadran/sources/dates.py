"""From text to days and moments. Each distinct text is parsed once; what can be read two ways is refused."""

import re
from collections.abc import Mapping as Dict
from datetime import UTC, date, datetime

import polars as pl

from cadran.tables.problems import Problem

MONTHS = {
    1: "january jan janvier janv",
    2: "february feb février fevrier févr fevr fév",
    3: "march mar mars",
    4: "april apr avril avr",
    5: "may mai",
    6: "june jun juin",
    7: "july jul juillet juil",
    8: "august aug août aout",
    9: "september sep sept septembre",
    10: "october oct octobre",
    11: "november nov novembre",
    12: "december dec décembre decembre déc",
}
_MONTH = {name: number for number, all_names in MONTHS.items() for name in all_names.split()}
_HOUR = (
    r"(?:(?:T|\s+|\s+à\s+|,\s*)(?<H>\d{1,2})[:h](?<M>\d{2})(?::(?<S>\d{2})(?:[.,](?<f>\d{1,9}))?)?"
    r"\s*(?<p>[AaPp])?(?:\.?[Mm]\.?)?\s*(?<z>Z|UTC|[+-]\d{2}:?\d{2})?)?$"
)
_YEAR = r"(?<y>\d{4}|\d{2})"
_DAY_FIRST = r"^(?<d>\d{1,2})[/\-](?<m>\d{1,2})[/\-]" + _YEAR + _HOUR
_MONTH_FIRST = r"^(?<m>\d{1,2})[/\-](?<d>\d{1,2})[/\-]" + _YEAR + _HOUR
#: Forms of dates that need no word from the mapping. A date between dots is day first everywhere.
_FORMS = [
    r"^(?<y>\d{4})[\-/.](?<m>\d{1,2})[\-/.](?<d>\d{1,2})" + _HOUR,
    r"^(?<d>\d{1,2})\.(?<m>\d{1,2})\." + _YEAR + _HOUR,
    r"^(?:\p{L}+\.?,?\s+)?(?<d>\d{1,2})(?:er)?[\s\-./]*(?<mon>\p{L}{3,})\.?[\s\-.,/]*" + _YEAR + _HOUR,
    r"^(?<mon>\p{L}{3,})\.?\s+(?<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?<y>\d{4})" + _HOUR,
    r"^(?<y>(?:19|20)\d{2})(?<m>\d{2})(?<d>\d{2})$",
    r"^(?<x>[2-7]\d{4})(?:\.(?<xf>\d+))?$",  # a spreadsheet's days since 1899-12-30
    r"^(?<e>[1-6]\d{12})$",  # a CRM's milliseconds since 1970-01-01
]
_SLASHED = r"^(\d{1,2})[/\-](\d{1,2})[/\-](?:\d{4}|\d{2})(?:\D.*)?$"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:(?P<t>[T ])\d{2}:\d{2}(?P<s>:\d{2}(?P<f>\.\d+)?)?(?P<z>Z|[+-]\d{2}:?\d{2})?)?$")
#: Microseconds since 1970 of the moments that `iso` gives: from 1901 on, before 2199.
_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**6 for year in (1901, 2199))
_TOKENS = {
    "YYYY": r"(?<y>\d{4})", "YY": r"(?<y>\d{2})", "MMMM": r"(?<mon>\p{L}+)\.?", "MMM": r"(?<mon>\p{L}+)\.?",
    "MM": r"(?<m>\d{1,2})", "M": r"(?<m>\d{1,2})", "DD": r"(?<d>\d{1,2})", "D": r"(?<d>\d{1,2})",
    "HH": r"(?<H>\d{1,2})", "H": r"(?<H>\d{1,2})", "hh": r"(?<H>\d{1,2})", "h": r"(?<H>\d{1,2})",
    "mm": r"(?<M>\d{2})", "ss": r"(?<S>\d{2})(?:[.,](?<f>\d{1,9}))?", "A": r"(?<p>[AaPp])\.?[Mm]\.?",
    "Z": r"(?<z>Z|UTC|[+-]\d{2}:?\d{2})",
}  # fmt: skip


def orders(texts: pl.Series) -> dict[str, str | None]:
    """Of dates like 03/04/2017 an example each: `day` (can only begin with the day), `month`, `either`, `any`."""
    slashed = texts.drop_nulls().unique(maintain_order=True).str.strip_chars()
    slashed = slashed.filter(slashed.str.contains(_SLASHED))
    parts = slashed.str.extract_groups(_SLASHED).struct.unnest()
    one, two = (parts[name].cast(pl.Int64) for name in ("1", "2"))
    tests = {
        "day": one.is_between(13, 31) & (two <= 12), "month": two.is_between(13, 31) & (one <= 12),
        "either": one != two, "any": one == one,
    }  # fmt: skip
    return {name: next(iter(slashed.filter(test).head(1)), None) for name, test in tests.items()}


def order_told(found: Dict[str, str | None], column: str) -> bool | None:
    """Whether the dates of which these are examples begin with the day; null if none tells.

    Raises:
        Problem: If some dates can only begin with the day and others only with the month.
    """
    if found["day"] and found["month"]:
        one, two = (" / ".join(re.split(r"[/\-]", str(found[name]))[:2]) for name in ("day", "month"))
        raise Problem(
            "{file}: {column} mixes dates that begin with the day ({one}/…) and with the month ({two}/…).",
            'Correct them, or write dates = "DD/MM/YYYY" (or "MM/DD/YYYY"): rows written otherwise are then set aside.',
            file="", column=column, one=one, two=two,
        )  # fmt: skip
    return True if found["day"] else False if found["month"] else None


def day_first(texts: pl.Series) -> bool | None:
    """Whether dates like 03/04/2017 begin with the day, by those that can be only one thing; null if none tells.

    Raises:
        Problem: If some dates can only begin with the day and others only with the month.
    """
    return order_told(orders(texts), texts.name)


def two_ways(found: Dict[str, str | None], column: str) -> Problem:
    """What is said of dates whose day and month cannot be told apart."""
    return Problem(
        "{file}: {column} holds dates like {value!r}: the day and the month cannot be told apart.",
        'Write dates = "DD/MM/YYYY" or dates = "MM/DD/YYYY" for the file in the mapping.',
        file="", column=column, value=found["any"],
    )  # fmt: skip


def iso(texts: pl.Series) -> pl.Series:
    """The days (Date) or moments (Datetime: UTC, or local where no zone is given) of a column written in one ISO form.

    What its first value shows is the form. Null where a text is written otherwise: see `dates` for these.
    """
    first = next(iter(texts.drop_nulls().head(1)), "")
    form = _ISO.match(first)
    if form is None:
        return pl.Series(texts.name, [None], pl.Date).new_from_index(0, len(texts))
    t, seconds, fraction, zone = form["t"], form["s"], form["f"], form["z"]
    if t is None:
        days = texts.str.to_date("%Y-%m-%d", strict=False, cache=False)
        is_sure = days.is_between(date(1900, 1, 1), date(2199, 12, 31)) & (texts.str.len_bytes() == 10)
        return days if is_sure.all() else days.set(~is_sure.fill_null(False), None)
    hours = "%H:%M" + (":%S" if seconds else "") + ("%.f" if fraction else "")
    ending = "" if zone is None else "Z" if zone == "Z" else "%#z"
    at = texts.str.to_datetime(f"%Y-%m-%d{t}{hours}{ending}", strict=False, time_unit="us", cache=False)
    if zone == "Z":
        at = at.dt.replace_time_zone("UTC")
    # The reader of the format takes a second 60 as the next minute; the earliest and last years are read in `dates`.
    since_1970 = at.to_physical()
    is_sure = since_1970.is_between(_FIRST, _LAST, closed="left")
    if texts.filter(since_1970 % 60_000_000 < 1_000_000).str.contains(":60", literal=True).any():
        is_sure &= ~texts.str.contains(":60", literal=True)
    return at if is_sure.all() else at.set(~is_sure.fill_null(False), None)


def dates(
    texts: pl.Series,
    zone: str,
    forms: tuple[str, ...] = (),
    is_day_first: bool | None = None,
    has_hours: bool | None = None,
) -> pl.DataFrame:
    """Days and moments written in `texts`.

    Args:
        texts: Text (or dates and moments already).
        zone: Time zone of moments that name none.
        forms: The only forms allowed, like DD/MM/YYYY HH:mm. Default: those that tell themselves.
        is_day_first: Whether 03/04/2017 begins with the day, where this column does not tell.
        has_hours: Whether the column has any hour but midnight. Default: whether `texts` have.

    Returns:
        One row per text: `day` (local date), `at` (UTC), `is_day` (no hour was given), `has_hour` (any but midnight).
        Null where not a date.

    Raises:
        Problem: If day and month cannot be told apart in the whole file.
    """
    if texts.dtype != pl.String:
        return _typed_dates(texts, zone, forms, is_day_first, has_hours)
    unique = texts.unique().drop_nulls().rename("text")
    patterns = [_stated(form) for form in forms] or _told(unique, is_day_first, texts.name)
    bare = pl.col("text").str.strip_chars()
    found: list[pl.DataFrame] = []
    left = unique.to_frame()
    for form in patterns:
        written = left.filter(bare.str.contains(form))
        if written.is_empty() and (found or form != patterns[-1]):
            continue
        parsed = _dated(written.with_columns(parts=bare.str.extract_groups(form)), form, zone)
        found.append(parsed.filter(pl.col("day").is_not_null()))
        left = left.join(found[-1], on="text", how="anti")
    parsed = pl.concat(found)
    parsed = parsed.with_columns(has_hour=pl.col("clock") != 0)
    if not (parsed["has_hour"].any() if has_hours is None else has_hours):
        parsed = parsed.with_columns(is_day=pl.lit(True))
    return (
        texts.rename("text")
        .to_frame()
        .join(parsed, on="text", how="left", maintain_order="left")
        .select("day", "at", "is_day", "has_hour")
    )


def _typed_dates(
    values: pl.Series, zone: str, forms: tuple[str, ...], is_day_first: bool | None, has_hours: bool | None
) -> pl.DataFrame:
    at = pl.col(values.name)
    if values.dtype == pl.Date:
        local, has_hour, is_day = at.cast(pl.Datetime("us")), pl.lit(False), pl.lit(True)
    elif isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        utc = at.cast(pl.Datetime("us", "UTC"))
        return values.to_frame().select(
            day=utc.dt.convert_time_zone(zone).dt.date(), at=utc, is_day=pl.lit(False), has_hour=pl.lit(True)
        )
    elif isinstance(values.dtype, pl.Datetime):
        local = at.cast(pl.Datetime("us"))
        has_hour = local.dt.truncate("1d") != local
        is_day = ~has_hour.any() if has_hours is None else pl.lit(not has_hours)
    else:
        return dates(values.cast(pl.String), zone, forms, is_day_first, has_hours)
    return values.to_frame().select(day=local.dt.date(), at=_utc(local, zone), is_day=is_day, has_hour=has_hour)


def _told(texts: pl.Series, is_day_first: bool | None, column: str) -> list[str]:
    found = orders(texts)
    if not found["any"]:
        return _FORMS
    first = order_told(found, column)
    first = is_day_first if first is None else first
    if first is None and found["either"]:
        raise two_ways(found, column)
    return [*_FORMS, _MONTH_FIRST if first is False else _DAY_FIRST]


def _stated(form: str) -> str:
    """The pattern of a form like DD/MM/YYYY HH:mm."""
    if form == "excel":
        return _FORMS[-2]
    tokens = re.findall("|".join(sorted(_TOKENS, key=len, reverse=True)) + "|.", form)
    return "^" + "".join(_TOKENS.get(token) or re.escape(token) for token in tokens) + "$"


def _dated(frame: pl.DataFrame, form: str, zone: str) -> pl.DataFrame:
    """`text`, `day`, `at`, `is_day`, `clock` (seconds since midnight) of the parts a form found."""
    groups = re.findall(r"\(\?<(\w+)>", form)

    def part(name: str) -> pl.Expr:
        return pl.col("parts").struct.field(name) if name in groups else pl.lit(None, pl.String)

    def number(name: str, otherwise: int | None = None) -> pl.Expr:
        return (
            part(name).cast(pl.Int32, strict=False).fill_null(otherwise)
            if otherwise is not None
            else part(name).cast(pl.Int32, strict=False)
        )

    if "e" in groups:
        local = pl.from_epoch(part("e").cast(pl.Int64, strict=False), "ms").cast(pl.Datetime("us"))
        clock = part("e").cast(pl.Int64, strict=False) // 1000 % 86400
        given = frame.select("text", local=local, zone=pl.lit("Z"), is_day=pl.lit(False), clock=clock)
    elif "x" in groups:
        day = pl.date(1899, 12, 30) + pl.duration(days=number("x"))
        seconds = ("0." + part("xf")).cast(pl.Float64, strict=False).fill_null(0) * 86400
        local = day.cast(pl.Datetime("us")) + pl.duration(seconds=seconds.round().cast(pl.Int64))
        given = frame.select(
            "text", local=local, zone=pl.lit(None, pl.String), is_day=part("xf").is_null(), clock=seconds.cast(pl.Int64)
        )
    else:
        year = number("y")
        is_short = part("y").str.len_chars() == 2
        year = pl.when(is_short & (year < 70)).then(year + 2000).when(is_short).then(year + 1900).otherwise(year)
        month = (
            part("mon").str.to_lowercase().replace_strict(_MONTH, default=None, return_dtype=pl.Int32)
            if "mon" in groups
            else number("m")
        )
        hour = number("H", 0)
        after_noon = part("p").str.to_lowercase()
        hour = pl.when(after_noon == "p").then(hour % 12 + 12).when(after_noon == "a").then(hour % 12).otherwise(hour)
        frame = frame.with_columns(year=year, month=month, d=number("d"), hour=hour)
        real = (
            pl.col("year").is_between(1900, 2199)
            & pl.col("month").is_between(1, 12)
            & (pl.col("hour") < 24)
            & (number("M", 0) < 60)
            & (number("S", 0) < 60)
        )
        first = pl.date(pl.when(real).then("year").otherwise(2000), pl.when(real).then("month").otherwise(1), 1)
        day = first + pl.duration(days=pl.col("d") - 1)
        real = real & (pl.col("d") >= 1) & (day.dt.month() == pl.col("month"))
        clock = pl.col("hour").cast(pl.Int64) * 3600 + number("M", 0) * 60 + number("S", 0)
        micros = part("f").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False).fill_null(0)
        local = pl.when(real).then(day.cast(pl.Datetime("us")) + pl.duration(seconds=clock, microseconds=micros))
        given = frame.select("text", local=local, zone=part("z"), is_day=part("H").is_null(), clock=clock)
    offset = pl.col("zone").str.extract_groups(r"([+-]\d{2}):?(\d{2})")
    hours, minutes = offset.struct.field("1"), offset.struct.field("2")
    shift = pl.duration(hours=hours.cast(pl.Int64)) + pl.duration(
        minutes=(hours.str.slice(0, 1) + minutes).cast(pl.Int64)
    )
    at = (
        pl.when(pl.col("zone").is_null())
        .then(_utc(pl.col("local"), zone))
        .otherwise((pl.col("local") - shift.fill_null(pl.duration(hours=0))).dt.replace_time_zone("UTC"))
    )
    return given.with_columns(at=at).select(
        "text", day=pl.col("at").dt.convert_time_zone(zone).dt.date(), at="at", is_day="is_day", clock="clock"
    )


def has_hours(moments: pl.Series) -> bool:
    """Whether any is not at midnight (of its own zone)."""
    some = moments.head(100)
    return bool((some.dt.truncate("1d") != some).any() or (moments.dt.truncate("1d") != moments).any())


def local_day(values: pl.Series, zone: str) -> pl.Series:
    """The day, in `zone`, of days, of moments, and of clock times of that zone."""
    if values.dtype == pl.Date:
        return values
    return (values.dt.convert_time_zone(zone) if values.dtype.time_zone else values).dt.date()  # type: ignore[attr-defined]


def utc(local: pl.Series, zone: str) -> pl.Series:
    """The moments of clock times; an hour the clock skipped is taken an hour later. Moments are given back."""
    if local.dtype.time_zone is not None:  # type: ignore[attr-defined]
        return local.dt.convert_time_zone("UTC")
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    at = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return at if at.null_count() == local.null_count() else pl.select(_utc(pl.lit(local), zone)).to_series()


def _utc(local: pl.Expr, zone: str) -> pl.Expr:
    """The same of an expression."""

    def at(time: pl.Expr) -> pl.Expr:
        return time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")

    return at(local).fill_null(at(local.dt.offset_by("1h")))
