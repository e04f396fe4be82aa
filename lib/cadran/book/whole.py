"""The one door through which what is told to a reader of a part may learn from the whole company's book."""

from dataclasses import dataclass, replace

from cadran.book.book import Book
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Handed:
    """What a module hands on of the whole company to a reader of a part: never a row of what is others'."""

    what: str
    #: Whether it is told to those alone who are told of groups (`cadran.book.reader.RIGHTS`).
    of_groups: bool = False


_PLAN = "The company's figures and those of the reader's regions and teams, none that tells of one person"
#: Every module that learns from the whole company, and what of it a reader of a part is told.
HANDED_ON: dict[str, Handed] = {
    "book.dealings": Handed("Since when the book tells of touches, contacts, functions and levels: a moment each"),
    "book.landmarks": Handed("Of the clients of deals in scope, how many deals of their group were won, and lost"),
    "measures.one_to_ones": Handed("Of the reader's own people, who waits; hours of each manager's week, for plans"),
    "measures.signals": Handed("Since when the book tells of competitors: a moment"),
    "models.backtest": Handed("How good the win model was, in all and by bands; by region, the reader's"),
    "models.bookings": Handed(_PLAN, of_groups=True),
    "models.capacity": Handed(_PLAN, of_groups=True),
    "models.coaching": Handed("Of the reader's regions and teams, what moved on beside what was to be expected", of_groups=True),
    "models.drivers": Handed("Of released answers, what goes with eNPS, to who sees whole releases"),
    "models.entries": Handed("The chances and days expected of like deals, for `models.coaching`", of_groups=True),
    "models.forecast": Handed(_PLAN, of_groups=True),
    "models.forecast_past": Handed("How good forecasts were: of the company, and of the reader's regions", of_groups=True),
    "models.kept": Handed("The fitted win model: coefficients, and counts of stages, facts and outcomes"),
    "models.met": Handed("The share of managers' hours that one-to-ones take, for `models.capacity`", of_groups=True),
    "models.pay": Handed("What is paid to the reader's sellers: teams and splits reach across regions"),
    "models.pay_costs": Handed("What a plan may cost the company, of three sellers or more", of_groups=True),
    "models.pay_read": Handed("Whether the sellers, teams and roles that a plan names are there"),
    "models.practices": Handed("What groups that do well do otherwise: of ten sellers or more on either side", of_groups=True),
    "models.pulse_load": Handed("Load and answers of all groups, to who sees the company", of_groups=True),
    "models.regularity": Handed("How regularly people are met, of groups of five or more in the reader's regions", of_groups=True),
    "models.scenario": Handed(_PLAN, of_groups=True),
    "models.territories_proposed": Handed("The rules that hold in the reader's regions and teams", of_groups=True),
}  # fmt: skip


def whole_of(book: Book, asks: str) -> Book:
    """The whole company's book, at the same moment.

    Args:
        book: With its reader.
        asks: The `__name__` of the module that learns from it: it hands on what stands in `HANDED_ON` and no more.

    Raises:
        Problem: If that is told to no such role.
    """
    if HANDED_ON[asks.removeprefix("cadran.")].of_groups:
        check_groups(book)
    return replace(book, reader=None, viewed=None)


def check_groups(book: Book) -> None:
    """Raises Problem: If plans and models of the company, its regions and teams are not told to the book's reader."""
    if book.reader is not None and not book.reader.may("groups"):
        raise Problem(
            "What is planned and foretold of the company, its regions and teams is for those who lead them.",
            "Ask whoever leads your team.",
        )
