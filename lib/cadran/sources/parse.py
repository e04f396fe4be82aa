"""From text to numbers, yes or no, words; and what the columns of a file tell about how it is written."""

import re
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

import polars as pl

from cadran.tables.problems import Problem

_YES = ["true", "t", "yes", "y", "1", "oui", "o", "vrai", "x"]
_NO = ["false", "f", "no", "n", "0", "non", "faux"]
_EMAIL = r"[^@\s<>(,;:]+@[^@\s]+\.[A-Za-z]{2,}"
_PHONE = r"^(?:\+\d[\d .()\-]{7,}|0[1-9](?:[ .\-]?\d{2}){4}|\(\d{3}\) ?\d{3}[\-. ]\d{4}|\d{3}[\-. ]\d{3}[\-. ]\d{4})$"
_SIGNS = r"[\s\u00a0\u202f\u2009'’€$£¥₹]|(?i:EUR|USD|GBP|CHF|CAD|AUD|JPY)"


@dataclass(frozen=True)
class Writing:
    """How a file writes dates and numbers: as stated, and as its columns tell. Null where neither says."""

    forms: tuple[str, ...] = ()
    decimal: str | None = None
    is_day_first: bool | None = None
    told_decimal: str | None = None


def marks(texts: pl.Series) -> dict[str, str | None]:
    """What numbers tell of the decimal mark: an example each.

    `both ,` and `both .` (1.234,56 and 1,234.56), `plain ,` (12,5), `thousands ,` (1,234,567), `plain .`,
    `thousands .`, `either` (1,234: a mark before exactly three digits).
    """
    said = texts.drop_nulls().unique(maintain_order=True)
    bare = said.str.replace_all(_SIGNS, "").str.strip_chars("()%+-−")
    both = bare.str.contains(r"^-?\d{1,3}(?:(?:\.\d{3})+,|(?:,\d{3})+\.)\d*$")
    last = bare.str.extract(r"([.,])\d*$")
    tests = {"either": bare.str.contains(r"^-?\d{1,3}[.,]\d{3}$")}
    for mark in ",.":
        sign = re.escape(mark)
        plain = rf"^-?\d+{sign}(?:\d{{1,2}}|\d{{4,}})$|^-?(?:0|\d{{4,}}){sign}\d+$"
        tests[f"both {mark}"] = both & (last == mark)
        tests[f"plain {mark}"] = bare.str.contains(plain)
        tests[f"thousands {mark}"] = bare.str.contains(rf"{sign}\d{{3}}{sign}")
    return {name: next(iter(said.filter(test).head(1)), None) for name, test in tests.items()}


def mark_told(found: Dict[str, str | None], column: str) -> str | None:
    """The decimal mark that the numbers of which these are examples tell; null if none does.

    Raises:
        Problem: If some tell a comma and others a point.
    """
    one, two = found["both ,"], found["both ."]
    if one and two:
        raise Problem(
            "{file}: {column} mixes numbers whose decimal mark is a comma ({one}) and a point ({two}).",
            'Correct them, or write decimal = "," (or "."): rows written otherwise are then set aside.',
            file="", column=column, one=one, two=two,
        )  # fmt: skip
    if one or two:
        return "," if one else "."
    for mark, other in ((",", "."), (".", ",")):
        if found[f"plain {mark}"]:
            return mark
        if found[f"thousands {mark}"]:
            return other
    return None


def decimal_mark(texts: pl.Series) -> str | None:
    """The decimal mark that numbers like 1 234,56 or 1,234.56 tell; null if none does.

    Raises:
        Problem: If some tell a comma and others a point.
    """
    return mark_told(marks(texts), texts.name)


def two_ways(value: str, column: str) -> Problem:
    """What is said of a column whose every mark stands before exactly three digits: 1,234 may be 1234 or 1.234."""
    return Problem(
        "{file}: {column} holds numbers like {value!r}: the mark may be a decimal point or part thousands.",
        'Write decimal = "," or decimal = "." for the file in the mapping.',
        file="", column=column, value=value,
    )  # fmt: skip


def plain(texts: pl.Series) -> pl.Series:
    """The numbers written with digits and at most a point; null where a text is not so: see `numbers` for these."""
    value = texts.cast(pl.Float64, strict=False)
    return value if value.is_finite().all() else value.set(~value.is_finite().fill_null(False), None)


def numbers(texts: pl.Series, how: Writing) -> pl.Series:
    """Numbers written in `texts`: thousands, currency signs, (negative) and per cent understood. Null where not one.

    Raises:
        Problem: If every mark stands before exactly three digits, so that 1,234 may be 1234 or 1.234.
    """
    if texts.dtype != pl.String:
        return texts.cast(pl.Float64, strict=False)
    unique = texts.unique().drop_nulls()
    bare = unique.str.replace_all(_SIGNS, "").str.replace(r"^\((.*)\)$", "-$1").str.replace(r"^([\d.,]+)-$", "-$1")
    bare = bare.str.replace("−", "-", literal=True).str.strip_prefix("+")
    mark = how.decimal or decimal_mark(unique) or how.told_decimal
    marked = unique.filter(bare.str.contains(r"^-?\d{1,3}[.,]\d{3}$"))
    if mark is None and len(marked):
        raise two_ways(marked[0], texts.name)
    point, group = (",", r"\.") if mark == "," else (r"\.", ",")
    is_number = bare.str.contains(rf"^-?(?:\d{{1,3}}(?:{group}\d{{3}})+|\d*)(?:{point}\d*)?(?:[eE][+-]?\d+)?%?$")
    plain = bare.str.replace_all(group, "").str.replace(point, ".")
    share = pl.when(plain.str.ends_with("%")).then(0.01).otherwise(1.0)
    value = pl.when(is_number).then(plain.str.strip_chars_end("%").cast(pl.Float64, strict=False)) * share
    return _back(texts, unique, pl.select(value).to_series())


def in_file(problem: Problem, file: str) -> Problem:
    """The same problem, with the file it was met in."""
    return Problem(problem.what, problem.repair, **{**problem.values, "file": file})


def signs(texts: pl.Series) -> set[str]:
    """The currency signs written beside numbers."""
    found = texts.drop_nulls().unique().str.extract(r"([€$£¥₹]|\b(?:EUR|USD|GBP|CHF|CAD|AUD|JPY)\b)")
    return set(found.drop_nulls())


def foreign(found: set[str], currency: str) -> str | None:
    """The first of these currency signs that is not that of `currency`; null if all are."""
    known = {"€": ["EUR"], "£": ["GBP"], "$": ["USD", "CAD", "AUD"], "¥": ["JPY", "CNY"], "₹": ["INR"]}
    return next((sign for sign in sorted(found) if currency not in known.get(sign, [sign])), None)


def yes_no(texts: pl.Series) -> pl.Series:
    """True or false, said in English, French or 1 and 0. Null where neither."""
    known = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
    return _meant(texts, lambda said: said.str.to_lowercase(), known, pl.Boolean())


def one_of(texts: pl.Series, allowed: list[str]) -> pl.Series:
    """The allowed value that a text means, whatever its case, spaces and hyphens. Null where none."""
    as_written = texts.cast(pl.String).cast(pl.Enum(allowed), strict=False)
    if as_written.null_count() == texts.null_count():
        return as_written
    known = {value: value for value in allowed}
    plain = r"[\s\-]+"
    return _meant(texts, lambda said: said.str.to_lowercase().str.replace_all(plain, "_"), known, pl.Enum(allowed))


def _meant(
    texts: pl.Series, said: Callable[[pl.Series], pl.Series], known: Dict[str, Any], dtype: pl.DataType
) -> pl.Series:
    """What texts mean, each different one looked at once."""
    texts = texts.cast(pl.String)
    each = texts.unique().drop_nulls()
    meant = said(each).replace_strict(dict(known), default=None, return_dtype=dtype)
    return texts.replace_strict(each, meant, default=None, return_dtype=dtype)


def looks_personal(texts: pl.Series) -> str | None:
    """`e-mail addresses` if any value holds one; `phone numbers` if at least 5 % of the distinct values are one."""
    said = texts.drop_nulls()
    if said.dtype != pl.String or said.is_empty():
        return None
    said = said.unique()
    if said.str.contains("@", literal=True).any() and said.str.contains(_EMAIL).any():
        return "e-mail addresses"
    return "phone numbers" if said.str.contains(_PHONE).sum() >= 0.05 * len(said) else None


def _back(texts: pl.Series, unique: pl.Series, values: pl.Series) -> pl.Series:
    """The values of the distinct texts, put back in the place of each text."""
    table = pl.DataFrame({"text": unique, "value": values})
    return texts.rename("text").to_frame().join(table, on="text", how="left", maintain_order="left")["value"]
