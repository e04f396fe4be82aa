"""Anonymous results of another tool are stored so that no answer stands beside attributes that few people share."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.book.ballots_wave import of_table
from cadran.book.unlinked import unlinked
from cadran.tables.pulse import CUTS, Answer, Comment, Invited, Question, Terms, Wave

CUT = ("region", "team", "role")
TERMS = Terms("old", {"en": "Old"}, "anonymous", cuts=CUT, crossed=(("region", "role"),))
GIVEN = ("question_id", "score", "choice")
#: How many people stand in each team of each region, and a few roles between them.
PEOPLE = {("North", "A"): 3, ("North", "B"): 9, ("South", "C"): 6, ("South", "D"): 7, ("West", "E"): 4, (None, None): 5}


@pytest.fixture
def persons():
    """Everybody, with their attributes."""
    people = [team for team, n in PEOPLE.items() for _ in range(n)]
    return [
        {"ballot": str(n), "region": region, "team": team, "role": "manager" if n % 9 == 0 else ("seller", None)[n % 2]}
        for n, (region, team) in enumerate(people)
    ]


@pytest.fixture
def wave(persons):
    """A wave as an import reads it: two questions, an option, an answer that does not apply, comments."""
    draw = random.Random(1)
    rows = [{**each, "question_id": f"q{q}", "score": draw.choice([1, 2, 3, None])} for each in persons for q in (1, 2)]
    rows += [{**each, "question_id": "day", "choice": draw.choice(["Monday", "Friday"])} for each in persons[::2]]
    said = [{**each, "question_id": "say", "text": f"It is {each['ballot']}"} for each in persons[::3]]
    said.append({"region": "East", "team": "Z", "question_id": "say", "text": "I answered nothing else"})
    frame = pl.DataFrame(rows, {"choice": pl.String, **Answer.create_empty().schema})
    return Wave(
        TERMS, "2024-05", datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 28, tzinfo=UTC), Question.create_empty(),
        Invited.create_empty(), of_table(Answer, frame),
        of_table(Comment, pl.DataFrame(said, Comment.create_empty().schema)), {"n_read": 9},
    )  # fmt: skip


def alone(wave):
    """The same, of a source that does not tell persons."""
    return replace(wave, answers=wave.answers.with_columns(ballot=pl.lit(None, pl.String)))


def members_of(wave):
    """Of each group of each cut: the values of the people in it, told by a plain loop over the notes."""
    regions = {m: row["group"] for row in wave.noted["groups"] if row["cut"] == "region" for m in row["members"]}

    def is_in(row, person):
        parent = row["parent"] is None or row["parent"] == regions.get(person["region"], person["region"])
        return parent and person[row["cut"].split(" × ")[-1]] in row["members"]

    return is_in


@pytest.mark.parametrize("of", [lambda wave: wave, alone])
def test_no_answer_stands_beside_attributes_that_fewer_than_five_share(wave, persons, of):
    found = unlinked(of(wave))
    is_in = members_of(found)

    n_groups = Counter(row["cut"] for row in found.noted["groups"])
    assert n_groups == {"region": 3, "team": 4, "role": 2, "region × role": 5}
    for row in found.noted["groups"]:
        inside = [each for each in persons if is_in(row, each)]
        assert len(inside) >= 5, row
        cut = row["cut"]
        column = cut.split(" × ")[-1]
        kept = found.answers.filter(pl.col("cut") == cut, pl.col(column).eq_missing(row["group"]))
        if row["parent"] is not None:
            kept = kept.filter(pl.col("region") == row["parent"])
        theirs = wave.answers.filter(pl.col("ballot").is_in([each["ballot"] for each in inside]))
        assert Counter(kept.select(GIVEN).rows()) == Counter(theirs.select(GIVEN).rows())
    copies = found.answers.drop_nulls("cut")
    assert copies.height == 4 * wave.answers.height
    assert copies["ballot"].is_null().all()


def test_answers_alone_hold_together_and_tell_no_group(wave):
    found = unlinked(wave).answers.filter(pl.col("cut").is_null())

    assert found.select(pl.col(CUTS).is_null().all()).row(0) == (True,) * len(CUTS)
    assert sorted(found.select(*GIVEN, "ballot").rows(), key=str) == sorted(
        wave.answers.select(*GIVEN, "ballot").rows(), key=str
    )


def test_small_teams_and_regions_are_joined_with_their_neighbours(wave):
    groups = [
        (row["parent"], row["group"]) for row in unlinked(wave).noted["groups"] if row["cut"] in ("region", "team")
    ]

    assert groups == [
        (None, "North"), (None, "South"), (None, "West + ?"), ("North", "A + B"), ("South", "C"), ("South", "D"),
        ("West + ?", "E + ?"),
    ]  # fmt: skip


def test_where_persons_are_not_told_the_question_most_answered_counts_them(wave):
    of_three = pl.col("ballot").is_in(["12", "13", "14"])  # who gave all eight answers of team C
    rows = wave.answers.filter(of_three | pl.col("team").ne_missing("C"))
    groups = unlinked(alone(replace(wave, answers=rows))).noted["groups"]

    assert rows.filter(team="C").height == 8

    assert [row["group"] for row in groups if row["cut"] == "team" and row["parent"] == "South"] == ["C + D"]


def test_the_order_of_the_rows_tells_nothing(wave):
    found, other = (
        unlinked(wave),
        unlinked(replace(wave, answers=wave.answers.sample(fraction=1, shuffle=True, seed=3))),
    )

    assert found.answers.equals(other.answers)
    assert found.noted == other.noted


def test_a_comment_stands_in_a_group_of_eight_or_in_none(wave, persons):
    found = unlinked(wave).comments
    groups = {(row["region"], row["team"]) for row in found.iter_rows(named=True)}

    assert groups == {("North", "A + B"), ("South", "C + D"), ("West + ?", "E + ?"), (None, None)}
    assert found.filter(pl.col("region").is_null())["text"].to_list() == ["I answered nothing else"]
    assert found.height == wave.comments.height
    assert found.select("role").null_count().item() == found.height


def test_without_a_tree_a_comment_stands_in_no_group(wave):
    terms = replace(wave.terms, cuts=("role",), crossed=())
    comments = wave.comments.with_columns(region=None, team=None, role=pl.lit("manager"))
    found = unlinked(replace(wave, terms=terms, comments=of_table(Comment, comments))).comments

    assert found.select(pl.col(CUTS).is_null().all()).row(0) == (True,) * len(CUTS)
