"""The home page: each axis in a sentence and its headline numbers, what changed since the last visit, warnings."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cadran.access.accounts import Session
from cadran.book import Book, open_book
from cadran.book.masked import is_masked
from cadran.book.reader import Reader
from cadran.figures.facts import Facts
from cadran.figures.home import MOVED, Changes, axis_html, home
from cadran.measures.answers import Inquiry, about
from cadran.publish.apps import App
from cadran.publish.entrance import told_gone
from cadran.publish.guard import POLICY
from cadran.publish.prepared import FirstSight, FirstSights
from cadran.publish.refusals import words_of
from cadran.publish.shell import home_page
from cadran.publish.visits import KEPT, Visit, cookie_of
from cadran.text import Words

#: The page that says how numbers are defined: no axis.
GLOSSARY = "definitions"
#: Days that are told of where no visit before is known, or nothing is newer.
WEEK = timedelta(days=7)
#: Deals that are named.
NAMED = 6
#: Seconds after which the page asks again for what is not known yet.
AGAIN = 3


class Home:
    """The home page of a site.

    Args:
        book: The book's folder.
        apps: Whose pages it leads to, each reader to theirs.
        sights: What those pages show first: the numbers are the same.
        clock: Tells the time, with its zone.
        script: Address of the page's script.
        is_signed_in: Whether readers sign in here, and so have an account to see to.
        gone: Tells what of a reader's scope nobody of the book is in any more.
    """

    def __init__(
        self, book: Path, apps: Mapping[str, App], sights: FirstSights, clock: Callable[[], datetime], script: str,
        is_signed_in: bool, gone: Callable[[Reader], list[str]],
    ):  # fmt: skip
        self.book, self.apps, self.sights, self.clock, self.script = book, apps, sights, clock, script
        self.is_signed_in, self.gone = is_signed_in, gone

    async def page(self, request: Request) -> Response:
        """The page, for whoever asks."""
        session: Session | None = request.scope.get("session")
        reader, words, theme = session.reader if session else None, words_of(request), _theme(request)
        seen = await run_in_threadpool(open_book, self.book, reader=reader and reader.nobody)
        name = cookie_of(reader)
        last = Visit.read(request.cookies.get(name, ""))
        visit = Visit(self.clock(), seen.day, None).after(last)
        facts = Facts(**await run_in_threadpool(about, seen, ()))
        is_of_deals = reader is None or reader.may("deals")
        changes = await run_in_threadpool(_changes, seen, visit.before) if is_of_deals else None
        theirs = [app for app in self.apps.values() if app.is_for(reader)]
        axes = [self._axis(app, words, theme, request) for app in theirs if app.name != GLOSSARY]
        pages = {app.name: app.title for app in theirs}
        gone = await run_in_threadpool(self.gone, reader) if reader else []
        said = [told_gone(words, gone)] if gone else []
        body = home(words, facts, pages, (self.clock() - facts.taken).days, changes, said, axes, theme)
        page = home_page(
            words=words, theme=theme, body=body, script=self.script,
            signed_in=reader.id if reader and self.is_signed_in else None,
        )  # fmt: skip
        headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": POLICY}
        answer = HTMLResponse(page, headers=headers)
        answer.set_cookie(
            name, str(visit), max_age=int(KEPT.total_seconds()), path="/", httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    async def axis(self, request: Request) -> Response:
        """One axis's part of it, once it is known; 202 until then."""
        app = self.apps.get(request.path_params["name"])
        session: Session | None = request.scope.get("session")
        if app is None or not app.is_for(session.reader if session else None):
            raise HTTPException(404)
        part = self._axis(app, words_of(request), _theme(request), request)
        is_known = "aria-busy" not in part
        return HTMLResponse(part, 200 if is_known else 202, headers={"Retry-After": str(AGAIN)} if not is_known else {})

    def _axis(self, app: App, words: Words, theme: str | None, request: Request) -> str:
        session: Session | None = request.scope.get("session")
        sight = self.sights.made(app, words.language, session.reader if session else None)
        blocks = sight.lead if isinstance(sight, FirstSight) else sight
        return axis_html(words, app.name, words(app.title), theme, blocks)


def _theme(request: Request) -> str | None:
    theme = request.query_params.get("theme")
    return theme if theme in ("light", "dark") else None


def _changes(book: Book, seen: date | None) -> Changes:
    """What became of deals since the day of the data that was seen last; over a week where none was, or none is newer."""
    is_visit = seen is not None and seen < book.day
    since = seen if seen is not None and is_visit else book.day - WEEK
    inquiry = Inquiry(book, (since + timedelta(days=1), book.day))
    return Changes(
        since, is_visit, inquiry.ask("volumes"), inquiry.ask("waterfall", period=(since, book.day)),
        _largest(inquiry.deals(MOVED), inquiry.period).head(0 if is_masked(book.reader) else NAMED),
    )  # fmt: skip


def _largest(deals: pl.DataFrame, period: tuple[date, date]) -> pl.DataFrame:
    """Of the deals that came and stay open, or were closed in a period, those of the largest amounts, the last first."""
    came = (pl.col("status") == "open") & pl.col("created_date").is_between(*period)
    closed = (pl.col("status") != "open") & pl.col("closed_date").is_between(*period)
    return (
        deals.filter(came | closed, pl.col("amount") > 0)
        .with_columns(
            move=pl.when(pl.col("status") == "open").then(pl.lit("new")).otherwise("status"),
            day=pl.coalesce("closed_date", "created_date"),
        )
        .sort("amount", "opportunity_id", descending=[True, False])
        .head(NAMED)
        .sort("day", "amount", descending=True)
    )
