"""Surveys to be answered, and somebody who asks the page that shows them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import polars as pl
from awaited import awaited

from cadran.book.ballots import Ballots
from cadran.tables.pulse import Question, Terms

OPENED, CLOSES = datetime(2026, 11, 2, 8, tzinfo=UTC), datetime(2026, 12, 4, 17, tzinfo=UTC)
HERE = "http://127.0.0.1"
TERMS = Terms(
    "team", {"en": "How is the <sales> team?", "fr": "Comment va l’équipe ?"}, "anonymous",
    controller="Acme SAS", purpose={"en": "To see what hinders us.", "fr": "Voir ce qui nous freine."},
    contact="dpo@acme.example", retention_months=18, minimum=6,
)  # fmt: skip
_LIKELY = (["Not at all likely", "Extremely likely"], ["Pas du tout probable", "Tout à fait probable"])
_AGREE = (
    ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"],
    [
        "Pas du tout d’accord",
        "Plutôt pas d’accord",
        "Ni d’accord ni pas d’accord",
        "Plutôt d’accord",
        "Tout à fait d’accord",
    ],
)


def question(
    name: str,
    kind: str,
    scale: tuple[int, int, int, int] | None = None,
    labels: tuple[list[str], list[str]] | None = None,
) -> dict[str, Any]:
    """A question as a row of `Question`; `scale` is lowest, unfavourable to, favourable from, highest."""
    low, unfavourable, favourable, high = scale or (None,) * 4
    return {
        "question_id": name, "kind": kind, "text_en": f"About {name}?", "text_fr": f"À propos de {name} ?",
        "dimension": None, "is_reversed": False, "low": low, "high": high, "favourable_from": favourable,
        "unfavourable_to": unfavourable, "labels_en": labels and labels[0], "labels_fr": labels and labels[1],
    }  # fmt: skip


#: One of each kind.
QUESTIONS = pl.DataFrame(
    [
        question("enps", "enps_0_10", (0, 6, 9, 10), _LIKELY),
        question("seed", "enps_1_10", (1, 6, 9, 10), _LIKELY),
        question("load", "agreement", (1, 2, 4, 5), _AGREE),
        question("tools", "agreement", (1, 2, 4, 5), (_AGREE[0][::4], _AGREE[1][::4])),
        question("time", "choice", None, (["Clients", "Data entry", "Meetings"], ["Clients", "Saisie", "Réunions"])),
        question("more", "comment"),
    ],
    Question.create_empty().schema,
)


def opened_in(ballots: Ballots, n: int = 6, terms: Terms = TERMS, questions: pl.DataFrame = QUESTIONS) -> list[str]:
    """The tokens of the links of `n` people, for whom a wave was opened."""
    invited = pl.DataFrame({"person": [f"p{i}@acme.example" for i in range(n)]})
    invited = invited.with_columns(region=pl.lit("North"), team=pl.lit("A"))
    tokens = ballots.open_wave(terms, "2026-11", questions, invited, OPENED, CLOSES, "digest")
    return tokens["token"].to_list()


@contextmanager
def opened(
    folder: Path, terms: Terms = TERMS, questions: pl.DataFrame = QUESTIONS
) -> Iterator[tuple[Ballots, list[str]]]:
    """A store with a wave open in it, and the tokens of its links."""
    with Ballots(folder / "ballots.sqlite") as ballots:
        yield ballots, opened_in(ballots, terms=terms, questions=questions)


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The page."""
        return self.body.decode()


def ask(
    app: Any,
    path: str,
    form: Mapping[str, str] | bytes | None = None,
    address: str = "192.0.2.1",
    method: str | None = None,
    **headers: str,
) -> Answered:
    """Ask an ASGI application in this process: a page, or with a `form`, send it as a browser without scripts would."""
    body = form if isinstance(form, bytes) else urlencode(form or {}).encode()
    sent = {"Host": urlsplit(HERE).netloc}
    if form is not None:
        sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null", "Sec-Fetch-Site": "same-origin"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    plain, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": method or ("GET" if form is None else "POST"), "path": plain, "raw_path": plain.encode(),
        "query_string": query.encode(), "client": (address, 5000), "server": ("127.0.0.1", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items() if value],
    }  # fmt: skip
    told: list[dict[str, Any]] = []

    async def run() -> None:
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        try:
            await app(scope, receive, send)
        except Exception:
            if not told:  # a fault is raised again once it was answered
                raise

    awaited(run())
    start = told[0]
    return Answered(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(each.get("body", b"") for each in told[1:]),
    )
