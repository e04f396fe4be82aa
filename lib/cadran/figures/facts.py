"""What a page says of the book it shows."""

from dataclasses import dataclass
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


def footer(facts: Facts, words: Words, *remarks: str) -> Footer:
    """Where the numbers of a page come from, and what else is to be said of them."""
    return Footer([
        *((remark, "") for remark in remarks),
        (words("{name}: data of {moment}", name=facts.name, moment=words.moment(facts.taken)), ""),
        (words("book {version}", version=facts.version), ""),
        (words.n("{n} row set aside", "{n} rows set aside", facts.n_set_aside), ""),
        (words("Opportunities"), f"/opportunities?lang={words.language}"),
        (words("Definitions"), f"/definitions?lang={words.language}"),
    ])  # fmt: skip
