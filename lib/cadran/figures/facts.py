"""What a page says of the book it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from cadran.figures.blocks import Footer
from cadran.text import Words


@dataclass(frozen=True)
class Facts:
    """What the page needs to know of the book it shows."""

    name: str
    currency: str
    #: Other currencies that some deal is in.
    currencies: tuple[str, ...]
    first: date
    last: date
    taken: datetime
    version: str
    n_set_aside: int
    dimensions: tuple[str, ...]
    #: Rows that a later import corrected, or entered late: the past as known then is another than as corrected.
    n_corrected: int = 0
    #: What ended before this day was purged; nothing was where it is null.
    purged_before: date | None = None
    #: Deals that the last import found new, changed, corrected in the past, ended, and unchanged: `n_new`, …
    imported: Mapping[str, int] = field(default_factory=dict)
    #: Whether its reader sees a part of the company alone.
    is_part: bool = False


def footer(facts: Facts, words: Words, *remarks: str) -> Footer:
    """Where the numbers of a page come from, and what else is to be said of them."""
    if facts.purged_before:
        day = words.date(facts.purged_before)
        remarks = (words("What ended before {day} was purged: what is counted lies after it.", day=day), *remarks)
    return Footer([
        *((remark, "") for remark in remarks),
        (words("{name}: data of {moment}", name=facts.name, moment=words.moment(facts.taken)), ""),
        (words("book {version}", version=facts.version), ""),
        (words.n("{n} row set aside", "{n} rows set aside", facts.n_set_aside), ""),
        *((told, "") for told in _imported(facts.imported, words)),
        (words("Definitions"), f"/definitions?lang={words.language}"),
    ])  # fmt: skip


def _imported(imported: Mapping[str, int], words: Words) -> list[str]:
    """What the last import changed of deals; nothing for the first, which brought them all."""
    if not any(n for name, n in imported.items() if name != "n_new"):
        return []
    told = {
        "n_new": words.n("{n} new", "{n} new", imported["n_new"]),
        "n_changed": words.n("{n} changed", "{n} changed", imported["n_changed"]),
        "n_corrected": words.n("{n} corrected in the past", "{n} corrected in the past", imported["n_corrected"]),
        "n_ended": words.n("{n} gone", "{n} gone", imported["n_ended"]),
    }
    changes = [text for name, text in told.items() if imported[name]]
    return [words("last import, deals: {changes}", changes=words.list(changes) if changes else words("no change"))]
