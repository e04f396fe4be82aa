"""Small waves made by hand, whose every answer is known."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from cadran.tables.pulse import CUTS, Answer, Comment, Invited, Question, Terms, Wave

ASKED = Question.validate(
    pl.DataFrame(
        [
            {"question_id": "tools", "kind": "agreement", "text_en": "Tools", "text_fr": "Outils", "dimension": "tools",
             "is_reversed": False, "low": 1, "high": 5, "favourable_from": 4, "unfavourable_to": 2,
             "labels_en": ["no", "yes"], "labels_fr": ["non", "oui"]},
            {"question_id": "recommend", "kind": "enps_0_10", "text_en": "Recommend", "text_fr": "Recommander",
             "dimension": None, "is_reversed": False, "low": 0, "high": 10, "favourable_from": 9, "unfavourable_to": 6,
             "labels_en": ["no", "yes"], "labels_fr": ["non", "oui"]},
        ],
        Question.create_empty().schema,
    )
)  # fmt: skip
#: Answers that agree on nothing, over and over.
MIXED = (1, 5, 2, 4, 3, 5, 4, 1)


def wave(
    people: Mapping[str, Mapping[str, str]],
    scores: Mapping[str, Mapping[str, int]] | None = None,
    month: int = 1,
    cuts: Sequence[str] = ("region",),
    comments: Sequence[tuple[str, str]] = (),
    **terms: object,
) -> Wave:
    """A confidential wave that everybody answered.

    Args:
        people: By name, what each can be cut by.
        scores: By question, what each answered; by default the tools alone, as mixed as can be.
        month: When it was closed, which names it.
        cuts: What is released.
        comments: Who wrote what.
        terms: What else the survey declared.
    """
    scores = scores or {"tools": mixed(people)}
    rows = [{"person": name, "answered": True, **their} for name, their in people.items()]
    invited = pl.DataFrame(rows, Invited.create_empty().schema)
    given = [
        {"question_id": question, "score": score, "ballot": name, **people[name]}
        for question, theirs in scores.items()
        for name, score in theirs.items()
    ]
    written = [{"question_id": "why", "text": text, **people[name]} for name, text in comments]
    declared = Terms("s", {"en": "S", "fr": "S"}, "confidential", cuts=tuple(cuts), **terms)  # type: ignore[arg-type]
    at = datetime(2026, month, 1, tzinfo=UTC)
    return Wave(
        declared, f"2026-{month:02}", at, at.replace(day=8), ASKED.filter(pl.col("question_id").is_in(list(scores))), invited,
        pl.DataFrame(given, Answer.create_empty().schema), pl.DataFrame(written, Comment.create_empty().schema),
    )  # fmt: skip


def copied(of: Wave) -> Wave:
    """The same, as an anonymous wave stores it: answers without attributes, and for each cut a copy that tells its group."""
    bare = of.answers.with_columns(pl.lit(None, pl.String).alias(cut) for cut in CUTS)
    copies = []
    for cut in of.terms.cuts:
        kept = [cut, "region"] if cut == "team" else [cut]
        hidden = [pl.lit(None, pl.String).alias(each) for each in (*CUTS, "ballot") if each not in kept]
        copies.append(of.answers.with_columns(*hidden, cut=pl.lit(cut)))
    terms = Terms(**{**vars(of.terms), "mode": "anonymous"})
    answers = pl.concat([bare, *copies])
    return Wave(terms, of.wave, of.opened_at, of.closed_at, of.questions, of.invited, answers, of.comments)


def mixed(people: Mapping[str, object] | Sequence[str]) -> dict[str, int]:
    """Answers of people in their order, which agree on nothing."""
    return {name: MIXED[number % len(MIXED)] for number, name in enumerate(people)}


def staff(*groups: tuple[int, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """People by name: so many of each kind."""
    return {f"{number}-{each}": dict(of) for number, (n, of) in enumerate(groups) for each in range(n)}
