"""The score of each person's latest answer, from waves kept in a book."""

from dataclasses import replace

import pytest
from disclosed import MIXED, mixed, staff, wave

from cadran.book.pulse import pulse_of
from cadran.measures import MEASURES, Question, availability
from cadran.measures.enps_interval import enps_interval
from cadran.tables.problems import Problem

PEOPLE = staff((30, {"region": "North"}), (30, {"region": "South"}))
NAMES = list(PEOPLE)
SILENT = NAMES[:10] + NAMES[30:40]
FIRST = {name: 10 - place % 8 for place, name in enumerate(NAMES)}
SECOND = {name: 10 - place % 5 for place, name in enumerate(NAMES) if name not in SILENT}


@pytest.fixture
def book(make_book):
    made = make_book()
    for month, recommend in ((1, FIRST), (2, SECOND)):
        pulse_of(made).keep_wave(
            wave(PEOPLE, {"recommend": recommend, "tools": mixed(recommend)}, month=month, rolling=3)
        )
    return made


def ask(book, **question):
    return MEASURES["rolling_score"].ask(book, Question(**question))


def test_it_is_the_score_of_the_latest_answers(book):
    row = ask(book).filter(question_id="recommend").row(0, named=True)

    scores = [(FIRST | SECOND)[name] for name in NAMES]
    counts = (
        sum(each >= 9 for each in scores),
        sum(7 <= each <= 8 for each in scores),
        sum(each <= 6 for each in scores),
    )
    assert (row["n_favourable"], row["n_neutral"], row["n_unfavourable"]) == counts
    assert (row["n_scores"], row["n_of_this_wave"]) == (60, 40)
    assert row["value"] == pytest.approx(100 * (counts[0] - counts[2]) / 60)
    ends = tuple(float(each[0]) for each in enps_interval(*([n] for n in counts)))
    assert (row["value_low"], row["value_high"]) == pytest.approx(ends)
    assert row["asked_in"] == "s@2026-02"


def test_waves_and_questions_are_kept_as_of_any_measure(book):
    first = ask(book, where={"wave": ("2026-01",), "question": ("tools",)})

    assert first.select("asked_in", "n_scores", "n_of_this_wave").rows() == [("s@2026-01", 60, 60)]
    assert first["value"].item() == pytest.approx(100 * sum(MIXED[place % 8] >= 4 for place in range(60)) / 60)
    assert ask(book, by=("region",))["region"].unique().sort().to_list() == ["North", "South"]


def test_the_waves_themselves_are_released_as_without_it(book, make_book):
    plain = make_book()
    for each in (pulse_of(book).wave(name) for name in pulse_of(book).wave_names()):
        pulse_of(plain).keep_wave(replace(each, terms=replace(each.terms, rolling=0)))
    question = Question(by=("region",), since=None)

    assert MEASURES["enps"].ask(plain, question).equals(MEASURES["enps"].ask(book, question))
    assert not [*pulse_of(plain).latest()]
    assert len([*pulse_of(book).latest()]) == 2


def test_it_is_made_once(book):
    first = ask(book)
    kept = [each.cells for each in pulse_of(book).latest()]

    assert ask(book).equals(first)
    assert all(one.equals(other.cells) for one, other in zip(kept, pulse_of(book).latest(), strict=True))


def test_a_book_whose_surveys_declare_none_says_so(make_book):
    made = make_book()
    pulse_of(made).keep_wave(wave(PEOPLE))

    with pytest.raises(Problem, match="rolling"):
        MEASURES["rolling_score"].ask(made, Question())
    told = availability(made, [MEASURES["rolling_score"]]).row(0, named=True)
    assert (told["available"], "rolling" in told["missing"]) == ("impossible", True)
