"""A report: the pages of some axes, run once for one reader and one day, and what is said around them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cadran.book import Book
from cadran.book.reader import Reader
from cadran.book.viewed import Note
from cadran.figures.bar import PAGES
from cadran.figures.blocks import Heading, Headlines, Notice, Sentences
from cadran.figures.facts import Facts
from cadran.figures.page import Page
from cadran.figures.scenes import Scenes
from cadran.measures import MEASURES
from cadran.measures.answers import about
from cadran.measures.catalogue import Measure
from cadran.measures.recorded import recording
from cadran.measures.releases import released
from cadran.publish.apps import App, shipped_apps
from cadran.publish.prepared import page_of
from cadran.publish.reading import reading_as
from cadran.reports.pictures import Pictures
from cadran.reports.shown import Shown, bar_of, remarks_of, rows_of
from cadran.tables.problems import Problem
from cadran.text import Words

#: What a report may be about; the definitions stand at the end of each.
AXES = tuple(name for name in PAGES if name != "definitions")
#: The axis that is about waves of a survey, not about a day of the book.
WAVES = "pulse"


@dataclass(frozen=True)
class Part:
    """One axis."""

    name: str
    title: str
    #: What its page was asked: period, groups, in words.
    asked: str
    rows: Sequence[Sequence[Shown]]
    #: Where its numbers come from.
    remarks: Sequence[str]
    #: What stands in each place of its page.
    blocks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> Sequence[str]:
        """What its page says first."""
        said = (shown.items for row in self.rows for shown in row if isinstance(shown, Sentences))
        return next(said, [])


@dataclass(frozen=True)
class Report:
    """What every file of a report is made of."""

    words: Words
    facts: Facts
    #: Whose numbers these are, in words.
    scope: str
    day: date
    made: datetime
    parts: Sequence[Part]
    #: The measures that stand behind its numbers, by title.
    definitions: Sequence[Measure]
    pictures: Pictures

    @property
    def title(self) -> str:
        """What it is called: by its axis, if it has one alone."""
        return self.parts[0].title if len(self.parts) == 1 else self.words("Sales operations report")

    @property
    def told(self) -> list[str]:
        """Whose numbers these are, of which day and book, and when they were told."""
        words, facts = self.words, self.facts
        return [
            self.scope,
            words("as of {day}", day=words.date(self.day)),
            words("data of {moment}", moment=words.moment(facts.taken)),
            words("book {version}", version=facts.version),
            words.n("{n} row set aside", "{n} rows set aside", facts.n_set_aside),
            words("made on {moment}", moment=words.moment(self.made.astimezone(facts.taken.tzinfo))),
        ]

    @property
    def source(self) -> str:
        """Where its numbers come from, in a line."""
        moment = self.words.moment(self.facts.taken)
        return self.words("{name}: data of {moment}", name=self.facts.name, moment=moment)


def gather(
    book: Book,
    axes: Sequence[str],
    words: Words,
    reader: Reader | None,
    day: date | None,
    made: datetime,
    pictures: Pictures,
    is_drawn: bool = True,
    queries: Mapping[str, Mapping[str, str]] | None = None,
    apps: Sequence[App] | None = None,
    tell: Callable[[str, float], object] = lambda what, share: None,
    shown: Note | None = None,
) -> Report:
    """Run the pages of the axes and take what they show.

    Args:
        book: The one that the notebooks will read; as its analyst sees it.
        axes: Names out of `AXES`.
        words: The report's language.
        reader: Whose scope it has; None: the whole company, as the analyst sees it.
        day: What was known at the end of it; the last one of the data by default.
        made: When it is made.
        pictures: Where its charts are drawn.
        is_drawn: Whether they are all needed: then each is begun as soon as its page is there.
        queries: What else is asked of a page, by axis: what stands in its address.
        apps: The notebooks; those that ship by default.
        tell: Told what is being done, and the share that is done.
        shown: Told which named persons it tells of.

    Raises:
        Problem: If an axis is unknown or not told to the reader's role, or a page fails or cannot show that day.
    """
    found = {app.name: app for app in (shipped_apps() if apps is None else apps)}
    for axis in axes:
        if axis not in AXES or axis not in found:
            raise Problem("There is no axis {name}.", "The axes are: {names}.", name=axis, names=", ".join(AXES))
    for axis in axes:
        if not found[axis].is_for(reader):
            raise Problem("{page} is not told to the role {role}.", "What is told to it: {names}.", page=words(PAGES[axis]),
                          role=reader.role if reader else "", names=", ".join(axes_of(reader, apps)))  # fmt: skip
    chosen = day or book.day
    parts = []
    with recording() as asked, reading_as(reader, shown):
        for number, axis in enumerate(dict.fromkeys(axes)):
            tell(words(PAGES[axis]), number / len(axes))
            own = (queries or {}).get(axis, {})
            parts.append(_part(book, reader, found[axis], words, None if chosen == book.day else chosen, own))
            if is_drawn:
                pictures.begin(parts[-1].rows)
    named = {each for part in parts for each in _defined(part)} | asked
    definitions = sorted((MEASURES[name] for name in named & MEASURES.keys()), key=lambda each: words(each.title))
    seen = book.scope(reader) if reader else book
    scope = told_scope(reader, words)
    return Report(words, Facts(**about(seen, ())), scope, chosen, made, tuple(parts), tuple(definitions), pictures)


def axes_of(reader: Reader | None, apps: Sequence[App] | None = None) -> list[str]:
    """The axes whose pages are for a reader.

    Args:
        reader: As for `gather`, like `apps`.
    """
    return [app.name for app in (shipped_apps() if apps is None else apps) if app.name in AXES and app.is_for(reader)]


def _part(book: Book, reader: Reader | None, app: App, words: Words, day: date | None, own: Mapping[str, str]) -> Part:
    query = {"lang": words.language, **own}
    if day is not None and app.name == WAVES:
        wave = last_wave(book.scope(reader) if reader else book, day)
        if wave is None:
            return _no_wave(day, words)
        query["wave"] = wave
    elif day is not None:
        query["as_of"] = day.isoformat()
    page = _page(app, query)
    rows, scenes = rows_of(page), page.blocks.get("scenes")
    if isinstance(scenes, Scenes) and "scene" not in query:
        pages = {name: page if name == scenes.at else _page(app, {**query, "scene": name}) for name, _ in scenes.scenes}
        told = [(Heading(name, title), rows_of(pages[name])) for name, title in scenes.scenes]
        rows = [row for heading, of_scene in told if of_scene for row in [list[Shown]([heading]), *of_scene]]
    return Part(app.name, page.title, bar_of(page, words).told(words), rows, remarks_of(page), page.blocks)


def _page(app: App, query: Mapping[str, str]) -> Page:
    """A page that shows what was asked, and all of it.

    Raises:
        Problem: If it fails, had to show something else, or did not finish.
    """
    page = page_of(app, query)
    if isinstance(page, Problem):
        raise page
    if page is None:
        raise Problem("The notebook {name} shows no page.", "End one of its cells with a page.", name=app.name)
    if page.asked.said:
        raise Problem(
            "{page}: {said}", "Ask for a day that it can show.", page=page.title, said=" ".join(page.asked.said)
        )
    if page.is_coming:
        raise Problem("{page} was not finished.", "Ask again.", page=page.title)
    return page


def last_wave(book: Book, day: date) -> str | None:
    """The name of the last wave of a survey that had closed by a day; None if none had."""
    zone = ZoneInfo(book.settings.time_zone)
    closed = [each.name for each in released(book) if each.closed_at.astimezone(zone).date() <= day]
    return closed[-1] if closed else None


def _no_wave(day: date, words: Words) -> Part:
    said = words("No wave of a survey had closed by {day}.", day=words.date(day))
    return Part(WAVES, words(PAGES[WAVES]), "", [[Notice(said, kind="empty")]], [])


def _defined(part: Part) -> list[str]:
    """The measures that the headline numbers of a part lead to."""
    numbers = (shown for row in part.rows for shown in row if isinstance(shown, Headlines))
    return [each.definition.partition("#")[2] for shown in numbers for each in shown.items]


def told_scope(reader: Reader | None, words: Words) -> str:
    """Whose numbers a reader sees."""
    if reader is None or not reader.is_limited:
        return words("Whole company")
    regions = [
        words.n("Region: {names}", "Regions: {names}", len(reader.regions), names=words.list(sorted(reader.regions)))
    ]
    teams = [words.n("Team: {names}", "Teams: {names}", len(reader.teams), names=words.list(sorted(reader.teams)))]
    sellers = [
        words.n("Seller: {names}", "Sellers: {names}", len(reader.persons), names=words.list(sorted(reader.persons)))
    ]
    return words("; ").join(
        regions * bool(reader.regions) + teams * bool(reader.teams) + sellers * bool(reader.persons)
    )
