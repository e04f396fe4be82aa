"""First sights: each app's own first output as HTML, made before anybody asks."""

import importlib.util
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from cadran.book.reader import Reader
from cadran.figures.blocks import Block, Headlines, Notice, Sentences
from cadran.figures.page import Page
from cadran.publish.apps import App
from cadran.publish.reading import reading_as
from cadran.tables.problems import Problem

#: First sights that are kept: those asked for last.
MOST = 200
#: The places of what a page says first.
LEAD = ("sentences", "headlines")
#: App, language, version of the book, and the scope as a reader whom nobody is; None where nobody signs in.
_Key = tuple[str, str, str, Reader | None]


@dataclass(frozen=True)
class FirstSight:
    """What an app shows before the reader has set anything."""

    #: The page's markup; None for a notebook that is no `Page`.
    html: str | None
    #: What the page says first: its sentences and headline numbers, by their places.
    lead: Mapping[str, Block] = field(default_factory=dict)
    #: Named persons whom it tells of: what (`cadran.book.views.KINDS`), and whom.
    shows: tuple[tuple[str, tuple[str, ...]], ...] = ()


class FirstSights:
    """The first sight of each app, language, version of the book and scope: made once, the newest version kept.

    `version` tells the book's version of the moment. Making one runs the notebook as the live page does, for somebody of
    that scope whom nobody is: what is one reader's own is in no first sight. `complain` is told of each notebook that
    fails, once a version.
    """

    def __init__(self, is_page: Mapping[str, bool], version: Callable[[], str], complain: Callable[[Problem], object]):
        self._version, self.complain = version, complain
        self._complained: set[tuple[str, str]] = set()
        self._made: OrderedDict[_Key, Future[FirstSight | Problem]] = OrderedDict()
        #: Whether an app's notebook is a `Page`, whatever the version of the book. Known once it has run, or before.
        self.is_page = dict(is_page)
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def make(self, app: App, language: str, reader: Reader | None = None) -> FirstSight | Problem:
        """The first sight, or what is wrong with the notebook, waiting until it is known."""
        return self._future(app, language, reader).result()

    def made(self, app: App, language: str, reader: Reader | None = None) -> FirstSight | Problem | None:
        """The same if it is ready; otherwise it is begun, for those who come later."""
        future = self._future(app, language, reader)
        return future.result() if future.done() else None

    def begin(self, app: App, languages: Sequence[str], reader: Reader | None = None) -> None:
        """Make them without waiting."""
        for language in languages:
            self._future(app, language, reader)

    def close(self) -> None:
        """Make no more."""
        with self._lock:
            for future in self._made.values():
                future.cancel()

    def _future(self, app: App, language: str, reader: Reader | None) -> Future[FirstSight | Problem]:
        nobody = reader and replace(reader.nobody, language=language)
        key = (app.name, language, self._version(), nobody)
        with self._lock:
            if key not in self._made:
                for old in [old for old in self._made if old[:2] == key[:2] and old[2] != key[2]]:
                    del self._made[old]
                future = self._made[key] = Future()
                threading.Thread(target=self._work, args=(future, app, key), daemon=True).start()
            self._made.move_to_end(key)
            while len(self._made) > MOST:
                self._made.popitem(last=False)[1].cancel()
            return self._made[key]

    def _work(self, future: Future[FirstSight | Problem], app: App, key: _Key) -> None:
        """Run one app after the other, in a thread that keeps nobody from leaving."""
        name, language, version, reader = key
        with self._one_at_a_time:
            if not future.set_running_or_notify_cancel():
                return
            try:
                shows: list[tuple[str, tuple[str, ...]]] = []
                with reading_as(reader, lambda kind, whom: shows.append((kind, tuple(whom)))):
                    made = self._run(app, language)
                if isinstance(made, FirstSight):
                    made = replace(made, shows=tuple(dict.fromkeys(shows)))
                if isinstance(made, Problem) and (name, version) not in self._complained:
                    self._complained.add((name, version))
                    self.complain(made)
                future.set_result(made)
            except BaseException as error:
                future.set_exception(error)
                raise

    def _run(self, app: App, language: str) -> FirstSight | Problem:
        sight = first_sight(app, language)
        if isinstance(sight, FirstSight):
            self.is_page[app.name] = sight.html is not None
        return sight


def first_sight(app: App, language: str) -> FirstSight | Problem:
    """Run a notebook from its first cell and take its page, or what it fails with."""
    page = page_of(app, {"lang": language})
    if isinstance(page, Problem):
        return page
    if page is None:
        return FirstSight(None)
    lead = {slot: block for slot in LEAD if isinstance(block := page.blocks.get(slot), Sentences | Headlines | Notice)}
    picture = page.picture()
    page.close()
    return FirstSight(picture, lead)


def page_of(app: App, query: Mapping[str, str]) -> Page | Problem | None:
    """The page of a notebook run from its first cell for an address's query, or what it fails with.

    None for a notebook that shows no `Page`.
    """
    try:
        outputs, _ = _load(app.notebook).app.run(defs={"query": dict(query)})
    except Problem as problem:
        return problem
    except Exception as error:
        return Problem(
            "The notebook {name} fails: {kind}: {said}",
            "Run `python {path}` to see where, and correct it.",
            name=app.name, kind=type(error).__name__, said=error, path=app.notebook,
        )  # fmt: skip
    return next((found for each in outputs if isinstance(found := getattr(each, "widget", each), Page)), None)


def _load(notebook: Path) -> Any:
    """A notebook as a module of its own, loaded anew."""
    spec = importlib.util.spec_from_file_location(f"cadran_app_{notebook.stem}", notebook)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
