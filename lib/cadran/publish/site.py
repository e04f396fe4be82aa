"""The site: the allow-listed notebooks on one book, read-only, and what stands before them."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import marimo
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Scope

from cadran.access.accounts import Session
from cadran.book.presented import note_unmasked
from cadran.book.reader import Reader
from cadran.figures import bundle
from cadran.figures.page import Page
from cadran.publish import reading
from cadran.publish.apps import App
from cadran.publish.asking import Asking, ByCookie, ByHeader
from cadran.publish.assets import Assets, FrontEnd
from cadran.publish.bounds import Bounds
from cadran.publish.current import Current
from cadran.publish.entrance import Entrance, told_gone
from cadran.publish.gate import ENDED, Gate
from cadran.publish.guard import LOOPBACK, POLICY, Guard
from cadran.publish.home import Home
from cadran.publish.light import lighten
from cadran.publish.live import Live, owner_of
from cadran.publish.live_pages import LivePages, managers_of
from cadran.publish.memory import Memory, default_limit
from cadran.publish.outside import Outside
from cadran.publish.parsing import take_turns
from cadran.publish.places import Places
from cadran.publish.prepared import FirstSight, FirstSights
from cadran.publish.reading import noting_for
from cadran.publish.refusals import words_of
from cadran.publish.room import RoomPages
from cadran.publish.rooms import Rooms
from cadran.publish.rooms_kept import KeptRooms
from cadran.publish.shell import plain_page, shell_page
from cadran.publish.survey import Respondents, refusal
from cadran.publish.watch import Numbers, Watch
from cadran.tables.problems import Problem
from cadran.text import LANGUAGES, Words

_JS = Path(__file__).parent / "js"
#: The scripts of pages, and what each is made of.
_SCRIPTS = {"reader": ("reader", "room"), "frame": ("frame",), "home": ("home",), "follow": ("follow",)}
_WIDGET = f"{Page.__module__}.{Page.__qualname__}"
#: Seconds a session lives on after its reader left or lost the connection.
SESSION_SECONDS = 60


def complain_here(problem: Problem) -> None:
    """Tell a problem where the server runs."""
    print(problem, file=sys.stderr)


class Site:
    """The apps on one book: their first sights, their shells and their live pages; apart from them, its surveys.

    `complain` is told of each notebook that fails, whenever it does. With an `entrance`, readers sign in, and each sees what
    is theirs.
    """

    def __init__(
        self,
        book: Path,
        apps: Sequence[App],
        complain: Callable[[Problem], object] = complain_here,
        surveys: Respondents | None = None,
        entrance: Entrance | None = None,
        outside: Outside | None = None,
        log: Callable[[str], object] | None = None,
        numbers: Numbers | None = None,
        memory: int | None = None,
        *,
        clock: Callable[[], datetime],
    ):
        self.current = Current(book)
        self.entrance, self.outside = entrance, outside
        if entrance:
            entrance.gone = self.current.gone
        self.log, self.numbers = log, numbers
        self.is_ready = False
        reading.publish(to_known=entrance is not None)
        take_turns()
        lighten(only_pages=all(app.is_page for app in apps))
        self.surveys = surveys
        os.environ["CADRAN_BOOK"] = str(book.resolve())
        self.book = book
        self.apps = {app.name: app for app in apps}
        known = {app.name: app.is_page for app in apps if app.is_page is not None}
        self.sights = FirstSights(known, self.current.seal, complain)
        self.assets = Assets()
        scripts = {
            name: self.assets.add("\n".join((_JS / f"{part}.js").read_text("utf-8") for part in parts), ".js")
            for name, parts in _SCRIPTS.items()
        }
        self.reader, self.frame = scripts["reader"], scripts["frame"]
        has_accounts = bool(entrance and not self._header)
        self.home = Home(book, self.apps, self.sights, clock, scripts["home"], has_accounts, self.current.gone)
        self.code = {_WIDGET: self.assets.add(bundle.module(), ".js")}
        self.rooms = Rooms(KeptRooms(book), clock, partial(note_unmasked, book, clock))
        Page.audience, Page.menu = self.rooms, staticmethod(lambda: self._titles(reading.who_reads()))
        site = outside.address.rstrip("/") if outside else None
        self.room_pages = RoomPages(self.rooms, scripts["follow"], self.code[_WIDGET], POLICY, self._owns, site)
        self.limit = memory or default_limit()
        self.places = Places(book, (app.notebook.parent for app in apps))

    def _note(self, sight: FirstSight, reader: Reader | None) -> None:
        """Note whom a picture shows to a reader."""
        if note := noting_for(self.book, reader):
            for kind, whom in sight.shows:
                if others := [each for each in whom if reader is None or each not in reader.persons]:
                    note(kind, others)

    def warm_up(self) -> None:
        """Make the first sights: one app's before anybody is let in, the others' while readers look at it, but for those
        that learn from the book.

        Raises:
            Problem: If no app can be shown.
        """
        # Whole before anybody comes: where altair meets it half imported, by another reader's page, it fails.
        import_module("pandas")
        if self.surveys:
            self.surveys.warm_up()
        if self.apps or not self.surveys:
            self._warm_apps()
        self.is_ready = True

    def _warm_apps(self) -> None:
        waiting = list(self.apps.values())
        while waiting:
            made = [self.sights.make(waiting[0], language, self._whole) for language in LANGUAGES]
            if not any(isinstance(each, Problem) for each in made):
                break
            del waiting[0]
        else:
            raise Problem("No page can be shown.", "Correct what is told above.")
        for app in (app for app in waiting[1:] if not app.learns):
            self.sights.begin(app, list(LANGUAGES), self._whole)

    @property
    def _whole(self) -> Reader | None:
        """For whom first sights are made before anybody asks: somebody who sees all of the book."""
        return Reader("") if self.entrance else None

    @property
    def _header(self) -> str | None:
        """In which header a proxy says who is signed in, if one does."""
        return self.outside.header if self.outside else None

    def _asking(self, entrance: Entrance) -> Asking:
        if self._header:
            return ByHeader(entrance.accounts, self._header)
        return ByCookie(entrance.accounts, entrance.clock)

    def asgi(self) -> Any:
        """The whole site, guarded."""
        self.marimo_app = self._marimo_app()
        self.pages = LivePages(self.marimo_app)
        self.memory = Memory(self.limit, self.pages, closed=self.numbers.closed_pages if self.numbers else None)
        front_end = FrontEnd(Path(marimo.__file__).parent / "_static" / "assets")
        machines = frozenset({ENDED} if self.entrance and self.entrance.provider else ())
        routes = [
            *([Mount("/s", self.surveys.asgi())] if self.surveys else []),
            *(self.entrance.routes() if self.entrance and not self._header else []),
            *(
                [Route("/", self._readable(self.home.page)), Route("/home/{name}", self._readable(self.home.axis))]
                if self.apps
                else []
            ),
            *(self.room_pages.routes() if self.apps else []),
            Route("/healthz", self.health),
            Route("/readyz", self.ready),
            Route(f"{self.assets.prefix}/{{name}}", self.assets.answer),
            *(Route(f"/{name}", self.shell) for name in self.apps),
            *(Route(f"/live/{name}/assets/{{name}}", front_end.answer) for name in self.apps),
            *(Mount(f"/live/{name}", self._live(name)) for name in self.apps),
        ]
        return Starlette(
            routes=routes,
            middleware=[
                *([Middleware(Watch, self.apps, self.numbers, self.log)] if self.log or self.numbers else []),
                Middleware(Guard, LOOPBACK | {self.outside.host}, only_https=True, machines=machines)
                if self.outside
                else Middleware(Guard, machines=machines),
                *([Middleware(Gate, self._asking(self.entrance))] if self.entrance else []),
                Middleware(Bounds),
                Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            ],
            exception_handlers={404: self.nothing_here, 500: self.broken},
            lifespan=self._lifespan,
        )

    def _marimo_app(self) -> Any:
        live = marimo.create_asgi_app(
            quiet=True, include_code=False, token=None, skew_protection=False, session_ttl=SESSION_SECONDS
        )
        for app in self.apps.values():
            live = live.with_app(path=f"/live/{app.name}", root=str(app.notebook))
        return live.build()

    def _owns(self, scope: Scope, name: str) -> bool:
        """Whether a live page is of who asks."""
        return self.pages.is_of(name, owner_of(scope))

    def _live(self, name: str) -> Live:
        is_page = partial(self.sights.is_page.get, name, True)
        return Live(
            self.marimo_app, self.pages, self.apps[name], is_page, self.current.seal_if_any, lambda: self.memory.is_full,
            self.places.hidden, self.rooms,
        )  # fmt: skip

    def _readable(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An answer out of the book, which may be away for a while."""

        async def answering(request: Request) -> Response:
            words = words_of(request)
            if self.current.seal_if_any():
                try:
                    return await answer(request)
                except Problem as problem:
                    self.sights.complain(problem)
            return self._not_now(words, words("The book cannot be read at this moment"), 503)

        return answering

    async def health(self, request: Request) -> Response:
        """That the server answers, and with which version of the book; null while it cannot be read."""
        return JSONResponse(
            {"status": "ok", "book": self.current.version_if_any()}, headers={"Cache-Control": "no-store"}
        )

    async def ready(self, request: Request) -> Response:
        """Whether readers may come: the pages are warm, and the book can be read."""
        version = self.current.version_if_any()
        is_ready = self.is_ready and version is not None
        told = {"status": "ready" if is_ready else "not ready", "book": version}
        return JSONResponse(told, 200 if is_ready else 503, headers={"Cache-Control": "no-store"})

    async def shell(self, request: Request) -> Response:
        """An app's page at once. A view other than the first one is never shown with the first one's numbers."""
        session: Session | None = request.scope.get("session")
        reader = session.reader if session else None
        app, words = self.apps[request.url.path.strip("/")], words_of(request)
        if not app.is_for(reader):
            said = [words("It tells of deals, which are not told to your role. These pages are yours:")]
            return HTMLResponse(
                plain_page(words, words("This page is not for you"), said, self._pages(words, reader)), 403
            )
        if self.memory.is_full:
            return self._no_room(words)
        if not (seal := self.current.seal_if_any()):
            return self._not_now(words, words("The book cannot be read at this moment"), 503)
        sight = self.sights.made(app, words.language, reader)
        if app.name not in self.sights.is_page:
            sight = await run_in_threadpool(self.sights.make, app, words.language, reader)
        if isinstance(sight, Problem):
            return self._not_now(words, words("This page cannot be made from this book"))
        is_page = self.sights.is_page[app.name]
        gone = await run_in_threadpool(self.current.gone, reader) if reader else []
        is_first = not request.query_params.keys() - {"lang", "theme"}
        if sight and is_first:
            await run_in_threadpool(self._note, sight, reader)
        theme = request.query_params.get("theme")
        page = shell_page(
            words=words,
            title=f"{words(app.title)} · Cadran",
            theme=theme if theme in ("light", "dark") else None,
            picture=self.places.hidden(sight.html) if sight and sight.html and is_first else None,
            live=f"/live/{app.name}/",
            script=self.reader if is_page else self.frame,
            code=self.code if is_page else {},
            signed_in=reader.id if reader and not self._header else None,
            has_rooms=is_page,
            notice=told_gone(words, gone) if gone else "",
            taken=self.current.taken(seal),
        )
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language"}
        return HTMLResponse(page, headers=headers | {"Content-Security-Policy": POLICY})

    async def nothing_here(self, request: Request, _error: Exception) -> Response:
        """An address that leads nowhere."""
        words = words_of(request)
        if not self.apps:
            return refusal(words, "unknown")
        session: Session | None = request.scope.get("session")
        reader = session.reader if session else None
        said = [words("Nothing is shown under {path}. These pages are:", path=request.url.path)]
        return HTMLResponse(plain_page(words, words("There is no such page"), said, self._pages(words, reader)), 404)

    async def broken(self, request: Request, _error: Exception) -> Response:
        """A fault of ours."""
        words = words_of(request)
        return self._not_now(words, words("Cadran could not answer"))

    def _not_now(self, words: Words, title: str, status: int = 500) -> Response:
        said = [words("Reload the page. If it happens again, the terminal where Cadran runs says why.")]
        return HTMLResponse(plain_page(words, title, said, self._pages(words)), status)

    def _no_room(self, words: Words) -> Response:
        said = [words("So many pages are open that there is no memory for another. Try again in a minute.")]
        page = plain_page(words, words("Cadran is full at this moment"), said, {})
        return HTMLResponse(page, 503, {"Retry-After": "60", "Cache-Control": "no-store"})

    def _pages(self, words: Words, reader: Reader | None = None) -> dict[str, str]:
        return {f"/{name}": words(title) for name, title in self._titles(reader).items()}

    def _titles(self, reader: Reader | None) -> dict[str, str]:
        return {app.name: app.title for app in self.apps.values() if app.is_for(reader)}

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        keeping = asyncio.create_task(self.memory.keep())
        yield
        keeping.cancel()
        self.sights.close()
        for manager in managers_of(self.marimo_app).values():
            await manager.shutdown()
