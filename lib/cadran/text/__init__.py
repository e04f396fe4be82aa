"""Words, numbers, money and dates as a reader of French or English expects them."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, get_currency_symbol

__all__ = ["LANGUAGES", "UNKNOWN", "Words", "pick_language", "words_for"]

#: The languages a reader may ask for, the default first, with the locale of their numbers and dates.
LANGUAGES = {"en": "en_GB", "fr": "fr_FR"}
#: What stands where a value is not known.
UNKNOWN = "–"
_NARROW, _HARD = "\u202f", "\u00a0"
_SCALES = {"en": ("k", "M", "bn"), "fr": ("k", "M", "Md")}

Number = float | int | None


@dataclass(frozen=True)
class Words:
    """What a reader of one language sees. Called with an English sentence, gives it in that language."""

    language: str
    catalogue: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, msgid: str, **values: object) -> str:
        """The sentence in this language (in English where no translation exists), with its `{values}` filled in."""
        text = self.catalogue.get(msgid, (msgid,))[0]
        return text.format(**values) if values else text

    def n(self, singular: str, plural: str, n: float, **values: object) -> str:
        """The sentence for `n` things; `{n}` in it is written as this language writes numbers."""
        one, many = self.catalogue.get(singular, (singular, plural))[:2]
        is_one = abs(n) < 2 if self.language == "fr" else n == 1
        return (one if is_one else many).format(n=self.number(n), **values)

    @property
    def locale(self) -> Locale:
        """The Babel locale of numbers and dates."""
        return Locale.parse(LANGUAGES[self.language])

    def number(self, x: Number, digits: int | None = None) -> str:
        """`x` with this language's separators; `digits` decimals (default: as many as it has, at most 3)."""
        return UNKNOWN if _is_unknown(x) else _decimal(x, digits, self.language)

    def compact(self, x: Number) -> str:
        """`x` with 3 significant digits: 1234567 is "1.23 M"."""
        return UNKNOWN if _is_unknown(x) else _HARD.join(part for part in self._scaled(float(x or 0)) if part)

    def money(self, x: Number, currency: str, compact: bool = True) -> str:
        """An amount in `currency` (ISO 4217): compact ("4.2 M€") or exact to the unit."""
        if _is_unknown(x):
            return UNKNOWN
        if not compact:
            return _money(round(float(x or 0)), currency, self.language)
        mantissa, scale = self._scaled(float(x or 0))
        before, after = self.around(currency)
        return f"{before}{mantissa}{_HARD if scale or after else ''}{scale}{after}"

    def cents(self, x: Number, currency: str) -> str:
        """An amount in `currency`, to the cent."""
        return UNKNOWN if _is_unknown(x) else format_currency(x or 0.0, currency, locale=self.locale).replace("-", "−")

    def symbol(self, currency: str) -> str:
        """The sign of a currency: "€"."""
        return get_currency_symbol(currency, locale=self.locale)

    def around(self, currency: str) -> tuple[str, str]:
        """What stands before and after a compact amount: "4.2 M€", "US$4.2 M"."""
        symbol = self.symbol(currency)
        return ("", symbol) if self.language == "fr" or symbol == "€" else (symbol, "")

    def percent(self, x: Number, digits: int = 0, sign: bool = False) -> str:
        """A share, 0 to 1, in per cent; `sign` puts a + before a gain."""
        if _is_unknown(x):
            return UNKNOWN
        text = f"{self._signed(float(x or 0) * 100, digits, sign)}"
        return f"{text}{_NARROW}%" if self.language == "fr" else f"{text}%"

    def signed(self, x: Number, digits: int = 0) -> str:
        """A number with its sign, also of a gain: "+3"."""
        return UNKNOWN if _is_unknown(x) else self._signed(float(x or 0), digits, True)

    def points(self, x: Number, digits: int = 0) -> str:
        """The difference of two shares, in percentage points, with its sign: "+3 pts", "+1 pt"."""
        if _is_unknown(x):
            return UNKNOWN
        points = float(x or 0) * 100
        size = abs(round(points, digits))
        is_one = size < 2 if self.language == "fr" else size == 1
        return f"{self._signed(points, digits, True)}{_HARD}{'pt' if is_one else 'pts'}"

    def days(self, x: Number, in_hours: bool = True) -> str:
        """A duration given in days, in days or, under two, in hours; never so in a column, which has one unit."""
        if x is None or _is_unknown(x):
            return UNKNOWN
        if in_hours and 0 < abs(x) < 2 and x != int(x):
            return f"{self.number(x * 24, 0)}{_HARD}h"
        digits = 0 if abs(x) >= 10 or x == int(x) else 1 if abs(x) >= 1 else 2
        unit = self.n("day", "days", x)
        return f"{self.number(x, digits)}{_HARD}{unit}"

    def date(self, d: dt.date | None) -> str:
        """A day: "30 Jun 2026"."""
        return UNKNOWN if d is None else _date(d, self.language)

    def month(self, d: dt.date | None) -> str:
        """A month: "Jun 2026"."""
        return UNKNOWN if d is None else _date(d, self.language, "MMM y")

    def quarter(self, d: dt.date | None) -> str:
        """A quarter of the calendar, by its first day: "Q2 2026"."""
        return UNKNOWN if d is None else _date(d, self.language, "QQQ y")

    def day(self, d: dt.date | None) -> str:
        """A day without its year: "30 Jun"."""
        return UNKNOWN if d is None else _date(d, self.language, "d MMM")

    def moment(self, at: dt.datetime | None) -> str:
        """An instant, to the minute, in the time zone it carries: "30 Jun 2026 06:00"."""
        return UNKNOWN if at is None else f"{self.date(at.date())} {at:%H:%M}"

    def value(self, value: object, spec: str = "") -> str:
        """A value of a sentence as this language writes it: dates and numbers in its form, whatever else as `format` does.

        Args:
            value: A day, an instant, a number, or anything.
            spec: As in `format`: of an instant whether its hour is told (`%H`), of a number its decimals (`.1f`).
        """
        if isinstance(value, dt.datetime) and "%H" in spec:
            return self.moment(value)
        if isinstance(value, dt.date):
            return self.date(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            digits = re.search(r"\.(\d+)f", spec)
            return self.number(value, int(digits[1]) if digits else None)
        return format(value, spec)

    def list(self, items: Sequence[str]) -> str:
        """ "a, b and c"."""
        return format_list(items, locale=self.locale) if items else UNKNOWN

    def _scaled(self, x: float) -> tuple[str, str]:
        scale, power = "", 0
        for name, exponent in zip(_SCALES[self.language], (3, 6, 9), strict=True):
            if float(f"{abs(x):.3g}") >= 10**exponent:
                scale, power = name, exponent
        return _decimal(float(f"{x / 10**power:.3g}"), None, self.language), scale

    def _signed(self, x: float, digits: int, sign: bool) -> str:
        rounded = round(x, digits) or 0.0
        return f"{'+' if sign and rounded > 0 else ''}{self.number(rounded, digits)}"


def words_for(language: str) -> Words:
    """The words of a language ("fr", "en"); English for any other."""
    return _words(language if language in LANGUAGES else "en")


def pick_language(query: str | Sequence[str] | None, accept_language: str | None) -> str:
    """The language asked for in the address (the last, if several are), else the browser's first that we have, else English."""
    asked = query if isinstance(query, str) or not query else query[-1]
    if isinstance(asked, str) and asked in LANGUAGES:
        return asked
    wished = [part.partition(";q=") for part in (accept_language or "").replace(" ", "").split(",")]
    ranked = sorted(wished, key=lambda wish: -_weight(wish[2]))
    return next((code for name, _, _ in ranked if (code := name[:2].lower()) in LANGUAGES), "en")


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.\d{1,3})?", text) else (0.0 if text else 1.0)


@lru_cache
def _words(language: str) -> Words:
    return Words(language, _catalogue(language))


def _catalogue(language: str) -> dict[str, tuple[str, ...]]:
    """Every translated sentence of a language, from its `.po` files."""
    texts: dict[str, tuple[str, ...]] = {}
    for path in sorted((Path(__file__).parent / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
                msgid = message.id[0] if isinstance(message.id, tuple | list) else message.id
                if msgid and all(forms):
                    texts[msgid] = tuple(_typeset(str(form)) for form in forms)
    return texts


def _typeset(text: str) -> str:
    """French spaces: a narrow no-break one before ; ! ? % and inside « », a no-break one before a colon."""
    text = re.sub(r" ([;!?%»])", rf"{_NARROW}\1", text)
    return re.sub(r" :", f"{_HARD}:", re.sub(r"« ", f"«{_NARROW}", text))


def _is_unknown(x: Number) -> bool:
    return x is None or x != x or abs(x) == float("inf")


@lru_cache(maxsize=65_536)
def _decimal(x: float, digits: int | None, language: str) -> str:
    pattern = "#,##0.###" if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(x, pattern, locale=LANGUAGES[language]).replace("-", "−")


@lru_cache(maxsize=65_536)
def _money(x: float, currency: str, language: str) -> str:
    text = format_currency(x, currency, locale=LANGUAGES[language], currency_digits=False, decimal_quantization=True)
    return re.sub(r"[.,]00(?=\D*$)", "", text).replace("-", "−")


@lru_cache(maxsize=16_384)
def _date(d: dt.date, language: str, pattern: str = "medium") -> str:
    return format_date(d, pattern, locale=LANGUAGES[language])
