"""Each person's latest answers, against a plain loop."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
from disclosed import ASKED, staff, wave

from cadran.measures.latest import latest_of

NORTH, SOUTH = {"region": "North"}, {"region": "South"}


def month(number, people, scores):
    made = wave(people, scores, month=number)
    return replace(made, opened_at=made.closed_at - timedelta(days=7))


def told(latest):
    made, given = latest
    rows = made.answers.join(given, on=["ballot", "question_id"])
    return {
        (row["ballot"], row["question_id"]): (row["score"], row["asked_in"], row["region"]) for row in rows.to_dicts()
    }


def test_each_counts_with_the_answer_given_last_where_they_stand_now():
    first = month(1, {"a": NORTH, "b": NORTH, "c": NORTH}, {"tools": {"a": 1, "b": 2, "c": 3}, "recommend": {"a": 9}})
    second = month(2, {"a": SOUTH, "b": NORTH, "d": NORTH}, {"tools": {"a": 5, "d": 4}})

    assert told(latest_of([first, second])) == {
        ("a", "tools"): (5, "s@2026-02", "South"),
        ("b", "tools"): (2, "s@2026-01", "North"),
        ("d", "tools"): (4, "s@2026-02", "North"),
        ("a", "recommend"): (9, "s@2026-01", "South"),  # not asked again
    }  # c has left


def test_it_agrees_with_a_plain_loop_over_many_waves():
    people = staff((6, NORTH), (6, SOUTH))
    waves = []
    for number in range(1, 6):
        answered = {name: place for place, name in enumerate(people) if place % 4 != number % 4}
        scores = {name: (number + place) % 5 + 1 for name, place in answered.items()}
        waves.append(month(number, people, {"tools": scores}))

    expected = {}
    for each in waves[1:4]:
        for row in each.answers.to_dicts():
            expected[row["ballot"], "tools"] = (row["score"], each.name, row["region"])
    assert told(latest_of(waves[1:4])) == expected


def test_an_answer_on_another_scale_is_another_questions():
    people = {"a": NORTH, "b": NORTH}
    first = month(1, people, {"tools": {"a": 1, "b": 2}})
    wider = ASKED.filter(question_id="tools").with_columns(
        high=pl.lit(7, pl.Int16), favourable_from=pl.lit(6, pl.Int16)
    )
    second = replace(month(2, people, {"tools": {"a": 7}}), questions=wider)

    assert told(latest_of([first, second])) == {("a", "tools"): (7, "s@2026-02", "North")}


def test_who_is_to_be_left_out_is():
    first = month(1, {"a": NORTH, "b": NORTH}, {"tools": {"a": 1, "b": 2}})

    assert told(latest_of([first], without=["a"])) == {("b", "tools"): (2, "s@2026-01", "North")}


def test_where_nobody_knows_who_was_invited_all_who_answered_count():
    waves = [
        replace(month(number, people, {"tools": dict.fromkeys(people, number)}), invited=wave({}).invited)
        for number, people in ((1, {"a": NORTH, "b": NORTH}), (2, {"a": SOUTH}))
    ]

    assert told(latest_of(waves)) == {
        ("a", "tools"): (2, "s@2026-02", "South"),
        ("b", "tools"): (1, "s@2026-01", "North"),
    }
