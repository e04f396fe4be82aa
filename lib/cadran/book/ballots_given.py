"""What a person gives, checked against what was asked before any of it is kept."""

from collections.abc import Mapping
from typing import Any

from cadran.book.ballots_box import Given, Opened
from cadran.book.masking import cleaned, masked
from cadran.tables.problems import Problem
from cadran.tables.pulse import SCORED

#: The most signs of a comment.
MOST_SIGNS = 2000


def given_by(wave: Opened, place: int, answers: Mapping[str, int | str | None]) -> Given:
    """The answers of one person as they are kept: numbers of answers, and texts in which nobody is named.

    Raises:
        Problem: If an answer is none that its question has, or nothing is answered.
    """
    for name in answers:
        if name not in wave.asked:
            raise Problem("There is no question {question} in this survey.", "Load the page again.", question=name)
    codes, comments = bytearray(len(wave.asked)), []
    for number, (name, question) in enumerate(wave.asked.items()):
        value = answers.get(name)
        if question["kind"] == "comment":
            if text := _text(question, value):
                comments.append((number, masked(text, wave.hidden)))
        elif value is not None:
            codes[number] = _code(question, value)
    if not any(codes) and not comments:
        raise Problem("No question is answered yet.", "Answer one at least: the link can be used once only.")
    return Given(place, bytes(codes), comments)


def _code(question: Mapping[str, Any], value: int | str) -> int:
    """The number of an answer among those its question has, from 1."""
    if question["kind"] in SCORED:
        if type(value) is not int or not question["low"] <= value <= question["high"]:
            raise Problem(
                "The answer to {question} is {value}, which is no score from {low} to {high}.",
                "Choose one of the scores shown, or leave the question out.",
                question=question["question_id"], value=_short(value), low=question["low"], high=question["high"],
            )  # fmt: skip
    elif value not in question["values"]:
        raise Problem(
            "The answer to {question} is {value}, which is none of its options: {options}.",
            "Choose one of the options shown, or leave the question out.",
            question=question["question_id"], value=_short(value), options=", ".join(question["values"]),
        )  # fmt: skip
    return int(question["values"].index(value)) + 1


def _text(question: Mapping[str, Any], value: int | str | None) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Problem(
            "The answer to {question} is {value}, which is no text.", "Write a text, or leave the question out.",
            question=question["question_id"], value=_short(value),
        )  # fmt: skip
    if len(value) > MOST_SIGNS:
        raise Problem(
            "The answer to {question} has {n} signs; {most} are the most.", "Shorten it.",
            question=question["question_id"], n=len(value), most=MOST_SIGNS,
        )  # fmt: skip
    return cleaned(value)


def _short(value: object) -> str:
    return str(value)[:40]
