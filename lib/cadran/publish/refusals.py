"""In which words one who asks is told something, and how a request is refused before a page sees it."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from cadran.text import Words, pick_language, words_for


def words_of(request: Request) -> Words:
    """The words that a page's address asks for, or its browser."""
    return words_for(pick_language(request.query_params.get("lang"), request.headers.get("accept-language")))


def browser_words(scope: Scope) -> Words:
    """The words that a browser asks for."""
    return words_for(pick_language(None, Headers(scope=scope).get("accept-language")))


async def refuse(
    status: int, said: str, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a status and a sentence; a websocket is closed."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(said, status, headers)(scope, receive, send)
