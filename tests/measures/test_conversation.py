from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from cadran.book.pulse import pulse_of
from cadran.measures.conversation import guide, questions
from cadran.tables.measured.one_to_ones import Prompt
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

#: Favourable of 20 by wave: in the company, in the team.
ANSWERED = [
    {"workload": (15, 14), "tools": (5, 4), "pay": (9, 8), "manager": (8, 19), "cafe": (6, 6)},
    {"workload": (10, 9), "tools": (5, 4), "pay": (9, 7), "manager": (8, 19), "cafe": (6, None)},
]


@pytest.fixture(scope="module")
def book(make_book):
    made = make_book([{"created": "2025-01-05"}])
    pulse, terms = pulse_of(made), Terms("pulse", {"en": "Pulse"}, "anonymous")
    for number, answered in enumerate(ANSWERED):
        rows = [
            {"question_id": f"q_{name}", "kind": "agreement", "dimension": name, "is_reversed": False, "text_en": "?",
             "text_fr": "?", "low": 1, "high": 5, "favourable_from": 4, "unfavourable_to": 2}
            for name in answered
        ]  # fmt: skip
        asked = pl.DataFrame(rows, schema=dict(Question.create_empty().schema))
        groups = [
            {"cut": "company", "members": []}, {"cut": "region", "group": "N + S", "members": ["N", "S"]},
            {"cut": "team", "parent": "N + S", "group": "A + B", "members": ["A", "B"]},
        ]  # fmt: skip
        cells = []
        for name, counts in answered.items():
            for group, high in zip(groups[::2], counts, strict=True):
                where = {key: group.get(key) for key in ("cut", "parent", "group")}
                told = {"told": "withheld"} if high is None else {"told": "exact", "n": 20, "n_high": high}
                cells.append(where | {"question_id": f"q_{name}"} | told)
        closed = datetime(2026, 4 + number, 20, tzinfo=UTC)
        frames = [
            pl.DataFrame(rows, schema=dict(kind.create_empty().schema))
            for rows, kind in ((groups, Group), (cells, Cell))
        ]
        pulse.keep_wave(Wave(terms, f"2026-0{4 + number}", closed - timedelta(days=7), closed, asked, Invited.create_empty(),
                             Answer.create_empty(), Comment.create_empty()))  # fmt: skip
        pulse.keep_release(Release(terms, f"2026-0{4 + number}", closed, asked, *frames, Comment.create_empty()))
    return made


def test_what_fell_comes_first_then_what_is_low(book):
    found = guide(book)

    Prompt.validate(found)
    assert found.select("dimension", "why", "favourable_share", "moved").rows() == [
        ("workload", "fell", 0.5, -0.25), ("tools", "low", 0.25, 0.0), ("cafe", "low", 0.3, 0.0),
    ]  # fmt: skip
    assert found["questions_fr"].to_list()[0] == questions()["workload"]["fr"]
    assert found["questions_en"].to_list()[2] == questions()["other"]["en"]


def test_a_manager_is_guided_by_the_closest_group_released(book):
    found = guide(book, "N", "B")

    assert set(found["group"]) == {"A + B"}
    assert found["dimension"].to_list() == ["workload", "pay", "tools"]
    assert set(guide(book, "West", "B")["cut"]) == {"company"}
    assert set(guide(book, "N", "C")["cut"]) == {"company"}


def test_every_dimension_has_two_open_questions_in_both_languages():
    for texts in questions().values():
        assert [len(texts[each]) for each in ("en", "fr")] == [2, 2]
        assert all(text.endswith("?") for each in texts.values() for text in each)


def test_nothing_released_is_nothing_to_talk_about(make_book):
    assert guide(make_book()).is_empty()
