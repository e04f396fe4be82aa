"""What a respondent's form may hold, and what it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from cadran.book.ballots_given import MOST_SIGNS
from cadran.book.masking import cleaned
from cadran.tables.problems import Problem
from cadran.tables.pulse import SCORED
from cadran.text import LANGUAGES

#: The most bytes of a form.
MOST_BYTES = 64 * 1024
#: What stands before the name of a question in the name of its field.
PREFIX = "a."
#: The field that asks for the same form in another language, and sends nothing.
SWITCH = "lang"
#: What is chosen to give no answer.
NONE = "-"

Question = Mapping[str, Any]


class Unfit(Exception):
    """A form that this page never made: no answer of a person is corrected by telling them what is wrong with it."""


@dataclass(frozen=True)
class Sent:
    """A form as it came back."""

    #: Question -> what was entered, as text.
    entered: Mapping[str, str]
    #: Question -> score, option in English, comment, or null: no answer.
    answers: dict[str, int | str | None] = field(default_factory=dict)
    #: Question -> what is wrong with its answer.
    wrong: dict[str, Problem] = field(default_factory=dict)
    #: The language asked for in place of sending.
    switch: str | None = None


def read_form(body: bytes, questions: Sequence[Question]) -> Sent:
    """Read a form (`application/x-www-form-urlencoded`, UTF-8).

    Args:
        body: What was sent.
        questions: The questions of the wave, as rows of `tables.pulse.Question`.

    Raises:
        Unfit: If it is no form, or has a field that was not asked, or one twice.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=64)
    except (ValueError, UnicodeError):
        raise Unfit from None
    fields = dict(pairs)
    names = {PREFIX + each["question_id"]: each for each in questions}
    if len(fields) < len(pairs) or fields.keys() - names.keys() - {SWITCH} or fields.get(SWITCH, "en") not in LANGUAGES:
        raise Unfit
    entered = {each["question_id"]: cleaned(fields[name]) for name, each in names.items() if name in fields}
    sent = Sent(entered, switch=fields.get(SWITCH))
    for each in questions:
        name = each["question_id"]
        try:
            sent.answers[name] = _answer(each, entered.get(name, NONE))
        except Problem as problem:
            sent.wrong[name] = problem
    return sent


def _answer(question: Question, text: str) -> int | str | None:
    if question["kind"] == "comment":
        return _comment(text)
    if text in (NONE, ""):
        return None
    if question["kind"] in SCORED:
        return _score(text, question["low"], question["high"])
    return _option(text, question["labels_en"] or [])


def _score(text: str, low: int, high: int) -> int:
    if text in map(str, range(low, high + 1)):
        return int(text)
    raise Problem("Choose a number from {low} to {high}.", "", low=low, high=high)


def _option(text: str, options: Sequence[str]) -> str:
    """Options are sent by their position, which is the same in every language."""
    if text in map(str, range(len(options))):
        return options[int(text)]
    raise Problem("Choose one of the options.", "")


def _comment(text: str) -> str | None:
    if len(text) > MOST_SIGNS:
        raise Problem(
            "This has {n} characters; at most {most} can be sent.", "", n=len(text), most=MOST_SIGNS
        )  # fmt: skip
    return text if text not in ("", NONE) else None
