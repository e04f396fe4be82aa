"""A small wave to collect: sixty people in two regions, a score, an option and a text."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from cadran.tables.pulse import Question, Terms

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
CLOSES = NOW + timedelta(days=10)
TERMS = Terms(
    "pulse", {"en": "Pulse", "fr": "Pouls"}, "anonymous", controller="Example", cuts=("region", "team", "role")
)
_SCALE = {"low": 1, "high": 5, "unfavourable_to": 2, "favourable_from": 4}
QUESTIONS = pl.DataFrame(
    [
        {"question_id": "recommend", "kind": "enps_0_10", "low": 0, "high": 10, "unfavourable_to": 6, "favourable_from": 9},
        {"question_id": "tools", "kind": "agreement", **_SCALE},
        {"question_id": "place", "kind": "choice", "labels_en": ["Office", "Home"], "labels_fr": ["Bureau", "Maison"]},
        {"question_id": "words", "kind": "comment"},
    ],
    {**Question.create_empty().schema},
).with_columns(text_en="question_id", text_fr="question_id", is_reversed=False)  # fmt: skip


def people(n=60):
    """Who is invited: teams of ten in two regions, and in each region one of two."""
    team = [f"T{k // 10}" if k % 30 > 1 else f"t{k // 30}" for k in range(n)]
    return pl.DataFrame(
        {
            "person": [f"p{k}@example.com" for k in range(n)],
            "region": ["North" if k < n // 2 else "South" for k in range(n)],
            "team": team,
            "role": [["seller", "manager", None][min(k % 13, 2)] for k in range(n)],
        }
    )


def opened(store, terms=TERMS, wave="2026-05", invited=None, questions=QUESTIONS, digest="d"):
    """Opens the wave; gives the links."""
    return store.open_wave(terms, wave, questions, people() if invited is None else invited, NOW, CLOSES, digest)


def answers(number):
    """What one of them answers: the same for the same number."""
    rng = random.Random(number)
    given = {
        "recommend": rng.randrange(11),
        "tools": rng.randrange(1, 6),
        "place": rng.choice(["Office", "Home", None]),
    }
    return given | {"words": f"Fewer forms, number {number}. " * rng.randrange(1, 80) if rng.random() < 0.5 else None}


def collected(store, keep=None, terms=TERMS):
    """The whole wave, forty of sixty having answered."""
    for number, token in enumerate(opened(store, terms)["token"][:40]):
        store.answer(token, answers(number), NOW)
    return store.close(terms.survey, "2026-05", NOW + timedelta(days=5), keep)


def replaced(**terms):
    """What is declared, otherwise."""
    return replace(TERMS, **terms)
