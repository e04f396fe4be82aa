"""First sights: each app's own first output as HTML, made before anybody asks."""

import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from cadran.figures.page import Page
from cadran.publish.apps import App
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class FirstSight:
    """What an app shows before the reader has set anything."""

    #: The page's markup; None for a notebook that is no `Page`.
    html: str | None


class FirstSights:
    """The first sight of each app, language and version of the book: made once, the newest version kept.

    `version` tells the book's version of the moment. Making one runs the notebook as the live page does. `complain` is
    told of each notebook that fails, once a version.
    """

    def __init__(self, is_page: Mapping[str, bool], version: Callable[[], str], complain: Callable[[Problem], object]):
        self._version, self.complain = version, complain
        self._complained: set[tuple[str, str]] = set()
        self._made: dict[tuple[str, str, str], Future[FirstSight | Problem]] = {}
        #: Whether an app's notebook is a `Page`, whatever the version of the book. Known once it has run, or before.
        self.is_page = dict(is_page)
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def make(self, app: App, language: str) -> FirstSight | Problem:
        """The first sight, or what is wrong with the notebook, waiting until it is known."""
        return self._future(app, language).result()

    def made(self, app: App, language: str) -> FirstSight | Problem | None:
        """The same if it is ready; otherwise it is begun, for those who come later."""
        future = self._future(app, language)
        return future.result() if future.done() else None

    def begin(self, app: App, languages: Sequence[str]) -> None:
        """Make them without waiting."""
        for language in languages:
            self._future(app, language)

    def close(self) -> None:
        """Make no more."""
        with self._lock:
            for future in self._made.values():
                future.cancel()

    def _future(self, app: App, language: str) -> Future[FirstSight | Problem]:
        key = (app.name, language, self._version())
        with self._lock:
            if key not in self._made:
                self._made = {old: made for old, made in self._made.items() if old[:2] != key[:2]}
                future = self._made[key] = Future()
                threading.Thread(target=self._work, args=(future, app, key), daemon=True).start()
            return self._made[key]

    def _work(self, future: Future[FirstSight | Problem], app: App, key: tuple[str, str, str]) -> None:
        """Run one app after the other, in a thread that keeps nobody from leaving."""
        name, language, version = key
        with self._one_at_a_time:
            if not future.set_running_or_notify_cancel():
                return
            try:
                made = self._run(app, language)
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
    try:
        outputs, _ = _load(app.notebook).app.run(defs={"query": {"lang": language}})
    except Problem as problem:
        return problem
    except Exception as error:
        return Problem(
            "The notebook {name} fails: {kind}: {said}",
            "Run `python {path}` to see where, and correct it.",
            name=app.name, kind=type(error).__name__, said=error, path=app.notebook,
        )  # fmt: skip
    page = next((found for each in outputs if isinstance(found := getattr(each, "widget", each), Page)), None)
    return FirstSight(None) if page is None else FirstSight(page.picture())


def _load(notebook: Path) -> Any:
    """A notebook as a module of its own, loaded anew."""
    spec = importlib.util.spec_from_file_location(f"cadran_app_{notebook.stem}", notebook)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
