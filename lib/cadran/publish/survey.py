"""The page on which the invited answer, at `/s/{token}`: apart from the managers' pages, without sign-in, cookie or log."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from math import ceil
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cadran.book import Book
from cadran.book.ballots import Asked, Ballots, Refused, ballots_of
from cadran.book.pulse import FOLDER
from cadran.publish.forms import NoForm, TooLong, body_of
from cadran.publish.limits import Buckets, origin_of
from cadran.publish.refusals import words_of
from cadran.publish.survey_form import MOST_BYTES, MOST_SIGNS, Question, Unfit, read_form
from cadran.publish.survey_page import form_page, message_page, policy, thanks_page
from cadran.publish.together import Together
from cadran.tables.problems import Problem
from cadran.tables.pulse import Terms
from cadran.text import LANGUAGES, Words, words_for

#: Requests at once and then per second: from one address, behind which an office of 200 may stand, and with one link.
PER_ADDRESS, PER_LINK = (1200, 20.0), (30, 0.5)
#: Seconds after which to ask again while the answers cannot be reached.
LATER = 5
#: A survey of nobody.
_NOBODY = Terms("", {}, "anonymous")


class Respondents:
    """The respondents' page on a store of answers.

    Args:
        ballots: Gives the surveys, their links and the answers; asked once, by the first respondent.
        clock: Tells the time, with its zone.
        zone: The time zone closing dates are told in.
        complain: Told when the store fails; never of a link or of an answer.
    """

    def __init__(
        self,
        ballots: Callable[[], Ballots],
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        complain: Callable[[Problem], object],
    ):
        self.ballots, self.clock, self.zone, self.complain = cache(ballots), clock, zone, complain
        self._addresses, self._links = Buckets(*PER_ADDRESS), Buckets(*PER_LINK)
        self._waves: dict[tuple[str, str, str], _Wave] = {}
        self._asking = Together(lambda tokens: self.ballots().asked_all(tokens, self.clock()))
        self._answering = Together(lambda given: self.ballots().answer_all(given, self.clock()))

    def asgi(self) -> Starlette:
        """The page, to be mounted at `/s`."""
        return Starlette(
            routes=[Route("/{token}", self.answer, methods=["GET", "POST"])],
            exception_handlers={HTTPException: self._not_a_page, Exception: self._fault},
        )

    def warm_up(self) -> None:
        """Have done what is slow once, before anybody asks: reading the words, and how numbers and moments are written."""
        for words in map(words_for, LANGUAGES):
            thanks_page(words, _NOBODY, self.clock())

    async def answer(self, request: Request) -> Response:
        """The form, what became of what was sent, or why it is refused."""
        words, token = words_of(request), request.path_params["token"]
        if wait := self._wait(request, token):
            return refusal(words, "too many", wait)
        try:
            if request.method != "POST":
                return await self._show(token, words)
            return await self._take(token, await body_of(request, MOST_BYTES), words, "x-again" in request.headers)
        except Refused as refused:
            return refusal(words, refused.why, is_over=True, is_read=request.method != "POST")
        except (NoForm, Unfit):
            return refusal(words, "unfit")
        except TooLong:
            return refusal(words, "too long")
        except Problem as problem:
            self.complain(problem)
            return refusal(words, "not now", LATER)

    async def _show(self, token: str, words: Words) -> Response:
        return _html(self._wave(await self._asking(token), words).form)

    async def _take(self, token: str, body: bytes, words: Words, is_again: bool) -> Response:
        """Read the form and keep its answers.

        Whoever sends again because no word came back may find the link used: their answers have arrived.
        """
        try:
            wave = self._wave(asked := await self._asking(token), words)
            sent = read_form(body, wave.questions)
            if sent.switch:
                words = words_for(sent.switch)
                return _html(form_page(words, asked.terms, wave.questions, wave.closes, sent), is_one=True)
            if sent.wrong or all(each is None for each in sent.answers.values()):
                return _html(form_page(words, asked.terms, wave.questions, wave.closes, sent), 422, is_one=True)
            await self._answering((token, sent.answers))
        except Refused as refused:
            if is_again and refused.why == "used":
                return refusal(words, "arrived", is_over=True)
            raise
        return _html(wave.thanks)

    def _wave(self, asked: Asked, words: Words) -> "_Wave":
        name = asked.terms.survey, asked.wave, words.language
        if name not in self._waves:
            questions, closes = asked.questions.rows(named=True), asked.closes_at.astimezone(self.zone)
            form = form_page(words, asked.terms, questions, closes)
            self._waves[name] = _Wave(questions, closes, form, thanks_page(words, asked.terms, closes))
        return self._waves[name]

    def _wait(self, request: Request, token: str) -> int:
        """Whole seconds to wait before the next request; 0 if this one may pass."""
        at = self.clock().timestamp()
        host = request.client.host if request.client else ""
        return ceil(
            self._addresses.wait(origin_of(host), at) or self._links.wait(sha256(token.encode()).hexdigest(), at)
        )

    async def _not_a_page(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refusal(words_of(request), "unknown", status=error.status_code, headers=error.headers)

    async def _fault(self, request: Request, _error: Exception) -> Response:
        return refusal(words_of(request), "not now", LATER, status=500)


def respondents_of(
    book: Book, clock: Callable[[], datetime], complain: Callable[[Problem], object], address: str | None = None
) -> Respondents:
    """The respondents' page of a book; `address` is that of a PostgreSQL database that holds its ballots, if one does."""
    folder = book.version.parent

    def ballots() -> Ballots:
        if address is None and not (folder / FOLDER / "ballots.sqlite").exists():
            raise Refused("unknown")  # no survey was opened yet: a visit makes no store
        return ballots_of(folder, address)

    return Respondents(ballots, clock, ZoneInfo(book.settings.time_zone), complain)


@dataclass(frozen=True)
class _Wave:
    """What of a wave is the same for everybody, in one language: made once, since nothing of it changes while it is open."""

    questions: Sequence[Question]
    closes: datetime
    form: str
    thanks: str


def refusal(
    words: Words,
    why: str,
    wait: int = 0,
    is_over: bool = False,
    status: int = 0,
    is_read: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page that says what is the matter, in place of the form.

    Args:
        words: The reader's words.
        why: `Refused.why`, or what was wrong with the request.
        wait: Seconds after which to ask again; 0 where that would not help.
        is_over: Whether nothing can be sent with the link any more: the device deletes what it kept.
        status: The status, where it is not the one that goes with `why`.
        is_read: Whether the page was only asked for, and may be in another language.
        headers: Headers to add.
    """
    usual, title, said = _refused(words, why, wait)
    told = {"Retry-After": str(wait)} if wait else {}
    page = message_page(words, title, said, is_over, switch=is_read)
    return _html(page, status or usual, {**told, **(headers or {})})


def _refused(words: Words, why: str, wait: int) -> tuple[int, str, list[str]]:
    match why:
        case "arrived":
            return 410, words("Your answers have arrived"), [
                words("The word that they had was lost on the way; since you sent them, your link reads as used, "
                      "and it works only once."),
                words("There is nothing more to do. You can close this page."),
            ]  # fmt: skip
        case "used":
            return 410, words("This link has been used"), [
                words("Answers were sent with it. If you sent them, they have arrived: there is nothing more to do."),
                words("Each link works once, so that nobody answers twice and nobody reads what was sent. "
                      "If it was not you, tell whoever invited you."),
            ]  # fmt: skip
        case "expired":
            return 410, words("This survey has ended"), [
                words("The time to answer is over. The next one comes with a link of its own."),
            ]  # fmt: skip
        case "closed":
            return 410, words("This survey is closed"), [
                words("Its answers are no longer taken. The next one comes with a link of its own."),
            ]  # fmt: skip
        case "too many":
            return 429, words("Too many requests from here"), [
                words("Nothing was sent. Try again in {n} s: go back one page to find what you entered.", n=wait),
            ]  # fmt: skip
        case "too long":
            return 413, words("This is too long to be sent"), [
                words("Nothing was sent. A comment holds at most {n} characters: go back one page and shorten it.",
                      n=words.number(MOST_SIGNS)),
            ]  # fmt: skip
        case "unfit":
            return 400, words("This is not the form of this survey"), [
                words("Nothing was sent. Open the link of your invitation again, and answer there."),
            ]  # fmt: skip
        case "not now":
            return 503, words("The survey cannot be reached just now"), [
                words("If you were sending, try again in a minute: should your answers have arrived already, "
                      "the page will say so."),
            ]  # fmt: skip
    return 404, words("This link leads to no survey"), [
        words("Long links are sometimes cut in two by the message they stand in: open it from the invitation again, "
              "or copy it whole."),
        words("If that does not help, ask whoever invited you for another link."),
    ]  # fmt: skip


def _html(page: str, status: int = 200, headers: Mapping[str, str] | None = None, is_one: bool = False) -> Response:
    """A page with the headers of all; `is_one` where it holds what one person entered, of which nothing is remembered."""
    kept = {
        "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow", "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": policy(), "Vary": "Accept-Encoding, Accept-Language",
    }  # fmt: skip
    return (HTMLResponse if is_one else _Common)(page, status, headers={**kept, **(headers or {})})


class _Common(HTMLResponse):
    """A page that is the same for everybody: compressed once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            self.body = _compressed(bytes(self.body))
            self.headers.update({"Content-Encoding": "gzip", "Content-Length": str(len(self.body))})
        await super().__call__(scope, receive, send)


@lru_cache(maxsize=64)
def _compressed(page: bytes) -> bytes:
    return gzip.compress(page, 9)
