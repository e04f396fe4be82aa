"""Releases of pulse surveys, made by hand: as many answers of each kind as a test says."""

from datetime import UTC, datetime

import polars as pl

from cadran.tables.pulse import COMPANY, Cell, Comment, Group, Question, Release, Terms

SCALE = ("low", "high", "unfavourable_to", "favourable_from")
#: Of each kind of question, its scale, and the score given by who is low, in the middle and high.
KINDS = {
    "enps_0_10": ((0, 10, 6, 9), (5, 7, 9)),
    "enps_1_10": ((1, 10, 6, 9), (5, 7, 9)),
    "agreement": ((1, 5, 2, 4), (2, 3, 5)),
}
QUESTIONS = {"recommend": ("enps_0_10", None), "tools": ("agreement", "tools"), "speed": ("agreement", "tools")}
TERMS = Terms("pulse", {"en": "Pulse", "fr": "Pouls"}, "anonymous", cuts=("region", "team", "role"))
NOT_TOLD = "Too few."


def asked(questions=QUESTIONS, turned=()):
    """The frame of questions, by name: kind and dimension."""
    rows = [
        {"question_id": name, "kind": kind, "text_en": name, "text_fr": name, "dimension": dimension,
         "is_reversed": name in turned, **dict(zip(SCALE, KINDS[kind][0], strict=True))}
        for name, (kind, dimension) in questions.items()
    ]  # fmt: skip
    return Question.validate(pl.DataFrame(rows, Question.create_empty().schema, orient="row"))


def release(month, groups, questions=QUESTIONS, terms=TERMS, turned=()):
    """What is released of the wave of a month of 2026.

    Args:
        month: 1 to 12; it closes on its 20th.
        groups: By group, what is told of each question: (high, middle, low), or ("band", n, least, greatest), or None.
            A group is named "" for the company, "region:North", "team:North/Lille", "region × role:North/Sales"; after
            it, in brackets, how many were invited: "region:North (20)".
        questions: Kind and dimension, by name.
        terms: Of the survey.
        turned: Which of them are reversed.
    """
    told_groups, told_cells = [], []
    for written, told in groups.items():
        name, _, invited = written.partition(" (")
        cut, _, path = name.partition(":")
        parent, _, group = path.rpartition("/")
        of = {"cut": cut or COMPANY, "parent": parent or None, "group": group or None}
        n_answered = max((sum(each) for each in told.values() if each and each[0] != "band"), default=None)
        n_invited = int(invited.rstrip(")")) if invited else None
        told_groups.append(of | {"members": group.split(" + "), "n_invited": n_invited, "n_answered": n_answered})
        for question, each in told.items():
            told_cells.append({**of, "question_id": question, **_cell(each, KINDS[questions[question][0]][1])})
    closed = datetime(2026, month, 20, 18, tzinfo=UTC)
    frames = [
        schema.validate(pl.DataFrame(rows, schema.create_empty().schema, orient="row"))
        for schema, rows in ((Group, told_groups), (Cell, told_cells))
    ]
    return Release(terms, f"2026-{month:02}", closed, asked(questions, turned), *frames, Comment.create_empty())


def _cell(told, scores):
    if told is None:
        return {"told": "withheld", "reason": NOT_TOLD}
    if told[0] == "band":
        return {"told": "band", "n": told[1], "band_low": told[2], "band_high": told[3], "reason": NOT_TOLD}
    high, middle, low = told
    total = float(high * scores[2] + middle * scores[1] + low * scores[0])
    return {"told": "exact", "n": sum(told), "n_high": high, "n_middle": middle, "n_low": low, "score_sum": total}
