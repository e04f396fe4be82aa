"""What a question about pulse surveys reads, and the scores told of it."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from told import NOT_TOLD, QUESTIONS, TERMS, asked, release

from cadran.book import SAMPLE, open_book
from cadran.book.pulse import pulse_of
from cadran.measures import MEASURES, Question, availability, pulse, pulse_compared, pulse_dimensions, reliability
from cadran.measures.enps_interval import enps_interval, share_interval
from cadran.measures.pulse import PULSE
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Comment, Invited, Wave
from cadran.text import words_for

NORTH = {"recommend": (6, 3, 3), "tools": ("band", 12, 0.8, 1.0), "speed": None}
COMPANY = {"recommend": (20, 15, 9), "tools": (30, 4, 6), "speed": (12, 12, 12)}


@pytest.fixture(scope="module")
def told(make_book):
    """A book with these releases, and how to ask it."""

    def made(*releases, taken=None):
        book = make_book(**({"taken": taken} if taken else {}))
        for each in releases:
            pulse_of(book).keep_release(each)
        return lambda name, by=(), **question: MEASURES[name].ask(book, Question(by=by, **question))

    return made


@pytest.fixture(scope="module")
def ask(told):
    """Two waves: the second with a merged region, teams within it, and a crossed table."""
    terms = replace(TERMS, crossed=(("region", "role"),))
    second = {
        " (50)": COMPANY,
        "region:North (15)": NORTH,
        "region:East + West (35)": {"recommend": (14, 12, 6), "tools": (25, 2, 4), "speed": (10, 9, 8)},
        "team:East + West/Lille (9)": {"recommend": (4, 3, 1), "tools": (6, 1, 1), "speed": (4, 2, 2)},
        "region × role:North/Sales": {"recommend": (3, 2, 1), "tools": (4, 1, 1), "speed": (2, 2, 2)},
    }
    return told(release(4, {"": {"tools": (10, 10, 10)}}, terms=terms), release(5, second, terms=terms))


def test_the_last_wave_that_asked_answers(ask):
    assert ask("enps")["asked_in"].to_list() == ["pulse@2026-05"]
    assert ask("favourable_share", ("wave",)).select("wave", "question_id").rows() == [
        ("2026-04", "tools"), ("2026-05", "tools"), ("2026-05", "speed"),
    ]  # fmt: skip
    assert ask("favourable_share", where={"wave": ("2026-04",)})["n_scores"].to_list() == [30]
    assert ask("favourable_share", until=date(2026, 4, 30))["n_favourable"].to_list() == [10]
    assert ask("favourable_share", since=date(2026, 4, 20))["asked_in"].n_unique() == 2


def test_a_wave_that_closed_after_the_moment_is_not_there(make_book):
    book = make_book([{"created": "2026-01-01"}])
    for month in (4, 5):
        pulse_of(book).keep_release(release(month, {"": COMPANY}))

    assert MEASURES["enps"].ask(book.as_of(date(2026, 5, 19)), Question())["asked_in"].to_list() == ["pulse@2026-04"]


def test_enps_with_its_counts_and_intervals(ask):
    row = ask("enps").row(0, named=True)

    assert (row["n_promoters"], row["n_passives"], row["n_detractors"], row["n_scores"]) == (20, 15, 9, 44)
    assert row["enps"] == pytest.approx(25)
    assert (row["enps_low"], row["enps_high"]) == pytest.approx(tuple(float(e) for e in enps_interval(20, 15, 9)))
    assert row["enps_low"] < row["enps_all_low"] < 25 < row["enps_all_high"] < row["enps_high"]
    assert (row["scale"], row["told"], row["reason"]) == ("0–10", "exact", None)


def test_two_scales_are_never_pooled(told):
    questions = QUESTIONS | {"recommend_10": ("enps_1_10", None)}
    both = {" (10)": {"recommend": (4, 1, 1), "recommend_10": (1, 1, 4)}}
    asked_twice = told(release(5, both, questions))

    rows = asked_twice("enps")
    assert rows.select("question_id", "scale", "enps").rows() == [
        ("recommend", "0–10", 50.0), ("recommend_10", "1–10", -50.0),
    ]  # fmt: skip
    assert asked_twice("participation").select("enps_worst", "enps_best").row(0) == (None, None)


def test_shares_of_each_question(ask):
    row = ask("favourable_share", where={"question": ("tools",)}).row(0, named=True)

    assert (row["favourable_share"], row["neutral_share"], row["unfavourable_share"]) == (0.75, 0.1, 0.15)
    assert (row["favourable_share_low"], row["favourable_share_high"]) == pytest.approx(
        tuple(float(end) for end in share_interval(30, 40))
    )
    assert row["favourable_all_share_low"] >= 30 / 50
    assert row["favourable_all_share_high"] <= 40 / 50
    assert row["mean_score"] == pytest.approx((30 * 5 + 4 * 3 + 6 * 2) / 40)
    assert row["mean_score_low"] < row["mean_score"] < row["mean_score_high"] <= 5
    assert (row["of_dimension"], row["is_reversed"]) == ("tools", False)


def test_a_cell_not_told_exactly_is_null_with_its_reason(ask):
    rows = {row["question_id"]: row for row in ask("favourable_share", where={"region": ("North",)}).to_dicts()}

    band, hidden = rows["tools"], rows["speed"]
    assert (band["told"], band["n_scores"], band["band_low"], band["band_high"]) == ("band", 12, 0.8, 1.0)
    assert (hidden["told"], hidden["n_scores"]) == ("withheld", None)
    for row in (band, hidden):
        assert row["reason"] == NOT_TOLD
        numbers = (
            "favourable_share",
            "favourable_share_low",
            "favourable_all_share_high",
            "mean_score",
            "mean_score_low",
        )
        assert [row[name] for name in (*numbers, "n_favourable")] == [None] * 6


def test_groups_of_one_cut_under_their_merged_names(ask):
    assert ask("enps", ("region",))["region"].to_list() == ["East + West", "North"]
    teams = ask("enps", ("region", "team"))
    assert teams.select("region", "team", "within").rows() == [("East + West", "Lille", "East + West")]
    assert ask("enps", ("team",), where={"region": ("East + West",)})["n_scores"].to_list() == [8]
    crossed = ask("enps", ("role", "region"))
    assert crossed.select("role", "region", "n_scores").rows() == [("Sales", "North", 6)]


def test_one_cut_at_a_time(ask):
    with pytest.raises(Problem, match="one cut at a time, so that nobody can be singled out; asked for: team, role"):
        ask("enps", ("team", "role"))
    with pytest.raises(Problem, match="one cut at a time"):
        ask("enps", ("role",), where={"team": ("Lille",)})
    with pytest.raises(Problem, match=r"What is asked for is not told by site.\nIts cuts .*: region, team, role"):
        ask("enps", ("site",))
    with pytest.raises(Problem, match="pulse@2026-05 tells nothing by role: merging its small groups left one"):
        ask("enps", ("role",))
    with pytest.raises(Problem, match="no column seller"):
        ask("enps", ("seller",))
    with pytest.raises(Problem, match="not today's"):
        ask("enps", organisation="today")


def test_a_part_of_a_merged_group_is_no_value(make_book):
    book = make_book()
    pulse_of(book).keep_release(release(5, {"": COMPANY, "region:East + West": NORTH}))

    with pytest.raises(Problem, match=r"No row has East as region.\nKnown values: East \+ West"):
        MEASURES["enps"].check(book, Question(where={"region": ("East",)}))
    MEASURES["enps"].check(book, Question(where={"region": ("East + West",), "question": ("recommend",)}))


def test_participation_with_what_the_silent_could_make_of_it(ask):
    row = ask("participation").row(0, named=True)

    assert (row["n_invited"], row["n_answered"], row["participation_share"]) == (50, 44, 0.88)
    assert (row["participation_share_low"], row["participation_share_high"]) == pytest.approx(
        tuple(float(end) for end in share_interval(44, 50))
    )
    assert row["enps_worst"] == pytest.approx(100 * (20 - 9 - 6) / 50)
    assert row["enps_best"] == pytest.approx(100 * (20 + 6 - 9) / 50)
    assert row["favourable_worst_share"] == pytest.approx((30 / 50 + 12 / 50) / 2)
    assert row["favourable_best_share"] == pytest.approx((40 / 50 + 26 / 50) / 2)
    north = ask("participation", ("region",), where={"region": ("North",)}).row(0, named=True)
    assert (north["participation_share"], north["favourable_worst_share"]) == (12 / 15, None)


def test_nobody_known_to_be_invited(told):
    row = told(release(5, {"": COMPANY}))("participation").row(0, named=True)

    assert (row["n_answered"], row["n_invited"], row["participation_share"], row["enps_worst"]) == (
        44,
        None,
        None,
        None,
    )


def test_a_dimension_is_the_mean_of_its_questions(ask):
    row = ask("dimension_index").row(0, named=True)

    tools, speed = (30 * 5 + 4 * 3 + 6 * 2) / 40, (12 * 5 + 12 * 3 + 12 * 2) / 36
    assert row["index"] == pytest.approx(((tools - 1) + (speed - 1)) / 2 / 4 * 100)
    assert row["favourable_share"] == pytest.approx((0.75 + 1 / 3) / 2)
    assert row["favourable_share_low"] == pytest.approx(
        np.mean([float(share_interval(30, 40)[0]), float(share_interval(12, 36)[0])])
    )
    assert (row["of_dimension"], row["n_items"], row["items"], row["n_scores"]) == ("tools", 2, "tools · speed", 36)
    assert (row["alpha"], row["undefined"]) == (None, pulse_dimensions.NO_BALLOTS)
    north = ask("dimension_index", ("region",), where={"region": ("North",)}).row(0, named=True)
    assert (north["index"], north["reason"]) == (None, pulse_dimensions.NOT_ALL_TOLD)
    east = ask("dimension_index", ("region",), where={"region": ("East + West",)}).row(0, named=True)
    assert (east["alpha"], east["undefined"]) == (None, pulse_dimensions.OF_COMPANY_ONLY)


def test_reliability_of_the_answers_given_together(make_book):
    """Of 40 persons, one of whom scored one question alone; the reversed question is turned, copies by cut are left out."""
    random = np.random.default_rng(4)
    mood = random.normal(size=40)
    scores = {
        name: np.clip(np.round(3 + mood + random.normal(size=40) * 0.7), 1, 5).astype(int)
        for name in ("tools", "speed")
    }
    rows = [
        {"question_id": name, "score": int(6 - score if name == "speed" else score), "ballot": f"b{number}"}
        for name in scores
        for number, score in enumerate(scores[name])
        if not (name == "speed" and number == 39)
    ]
    rows += [row | {"ballot": None, "cut": "region", "region": "North"} for row in rows]
    answers = Answer.validate(pl.DataFrame(rows, Answer.create_empty().schema, orient="row"))
    done = release(5, {"": {"tools": (20, 10, 10), "speed": (20, 10, 9)}}, turned=("speed",))
    wave = Wave(TERMS, done.wave, done.closed_at, done.closed_at, asked(turned=("speed",)), Invited.create_empty(),
                answers, Comment.create_empty())  # fmt: skip
    book = make_book()
    pulse_of(book).keep_wave(wave)
    pulse_of(book).keep_release(done)

    row = MEASURES["dimension_index"].ask(book, Question()).row(0, named=True)

    both = np.column_stack([scores["tools"], scores["speed"]])[:39]
    assert row["n_complete"] == 39
    assert row["alpha"] == pytest.approx(reliability.alpha(np.cov(both, rowvar=False)))
    assert row["alpha_low"] < row["alpha"] < row["alpha_high"]
    assert row["undefined"] == reliability.TWO_ITEMS


def test_a_book_without_a_survey_says_so_and_what_to_do(make_book):
    book = make_book()

    with pytest.raises(Problem, match=r"eNPS cannot be had on this book: waves \(closed\) 0/1 filled.\nRun a survey"):
        MEASURES["enps"].ask(book, Question())
    assert availability(book, [MEASURES["enps"]]).rows() == [("enps", "impossible", "waves (closed) 0/1")]
    pulse_of(book).keep_release(release(5, {"": COMPANY}))
    assert availability(book, [MEASURES["enps"]])["available"].to_list() == ["available"]


def test_a_day_before_the_first_wave_is_named():
    early = open_book(SAMPLE).as_of(date(2025, 1, 31))

    with pytest.raises(Problem, match=r"waves \(closed by 2025-01-31\) 0/12 filled"):
        MEASURES["enps"].ask(early, Question())


def test_no_measure_tells_more_than_was_released(ask):
    """Nothing of a withheld cell, and of a banded one the band alone, in any measure."""
    asked_of_questions = [
        name
        for name, each in MEASURES.items()
        if each.subject is PULSE and "question_id" in each.returns.column_names()
    ]
    assert len(asked_of_questions) == 5
    for name in asked_of_questions:
        rows = ask(name, ("region", "question"), where={"region": ("North",)}).filter(
            pl.col("question_id") != "recommend"
        )
        assert (rows.height == 2) == (name != "enps")
        for row in rows.to_dicts():
            told_of = {key for key, value in row.items() if isinstance(value, float)}
            assert told_of <= {"band_low", "band_high"}, name


def test_sentences_beside_numbers_have_their_french():
    french = words_for("fr").catalogue
    said = [PULSE.no_column, pulse.REPAIR, pulse_compared.TOO_FEW_GROUPS, pulse_compared.NOTHING_SHOWS]
    said += [pulse_dimensions.NOT_ALL_TOLD, pulse_dimensions.NO_BALLOTS, pulse_dimensions.OF_COMPANY_ONLY]
    said += [reliability.ONE_ITEM, reliability.TOO_FEW, reliability.NO_SPREAD, reliability.OPPOSED]
    said += [reliability.TWO_ITEMS, reliability.NO_FACTOR]

    assert [text for text in said if text not in french] == []


def test_frames_can_be_written_as_json(ask):
    assert json.loads(ask("enps").write_json())[0]["enps"] == 25
