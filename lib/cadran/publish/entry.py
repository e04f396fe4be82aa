"""What the pages of signing in have in common."""

import re
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from cadran.text import Words

#: Where one may be sent after signing in: a page of ours.
_PAGE = re.compile(r"/[\w-]*(\?[^\s\\#]*)?", re.ASCII)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def page_of(asked: str | None) -> str:
    """The page to be sent to, if it is one of ours, else the first one."""
    return asked if asked and _PAGE.fullmatch(asked) else "/"


def switch(words: Words, path: str, to: str = "") -> tuple[str, str, str]:
    """The address of the same page in the other language, that language, and its name."""
    other = "en" if words.language == "fr" else "fr"
    query = f"&next={quote(to, safe='')}" if to else ""
    return f"{path}?lang={other}{query}", other, {"en": "English", "fr": "Français"}[other]


def answer_page(page: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A page that loads nothing, stands in no frame and is kept nowhere."""
    kept = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY, "X-Frame-Options": "DENY"}
    return HTMLResponse(page, status, headers={**kept, **(headers or {})})
