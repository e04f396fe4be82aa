"""Asking a measure: what is not understood is said, never guessed."""

import pytest

from cadran.measures import MEASURES, Question
from cadran.tables.problems import Problem


def test_options_are_known_and_of_their_kind():
    asked = Question(options={"months": 3, "action": 7})

    assert asked.chosen(months=6, action=str, every="month") == {"months": 3, "action": "7", "every": "month"}
    with pytest.raises(Problem, match="no option months"):
        asked.chosen(every="month")
    with pytest.raises(Problem, match="Write it as 6"):
        Question(options={"months": "three"}).chosen(months=6)


@pytest.fixture(scope="module")
def book(make_book):
    """A deal won and one lost, and a lead."""
    return make_book(
        [{"status": s, "account_id": "a", "amount": 1} for s in ("won", "lost")],
        leads=[{"lead_id": "l", "created_at": "2026-01-01", "qualified_at": "2026-01-02"}],
    )


@pytest.mark.parametrize("low", [0, -5])
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("win_rate_by_cohort", "age_days"),
        ("win_rate_by_value", "resamples"),
        ("concentration_index", "top"),
        ("lead_conversion", "within_days"),
    ],
)
def test_an_option_under_its_least_value_is_refused(name, option, low, book):
    with pytest.raises(Problem, match=f"{low} is no value of the option {option}.\nGive 1 or more"):
        MEASURES[name].ask(book, Question(options={option: low}))


def test_only_a_seed_may_be_zero():
    for seed in (0, 20260630):
        assert Question(options={"seed": seed}).chosen(seed=0) == {"seed": seed}
    with pytest.raises(Problem, match="Give 1 or more"):
        Question(options={"months": 0}).chosen(months=6, action=str)
    with pytest.raises(Problem, match="Give 10000 or less"):
        Question(options={"months": 999_999}).chosen(months=6, action=str)
    with pytest.raises(Problem, match="Give 0 or more"):
        Question(options={"seed": -1}).chosen(seed=0)


def test_options_are_those_of_the_signature():
    def share(deals, by=(), *, within_days=90): ...

    assert Question().chosen_for(share) == {"within_days": 90}
    with pytest.raises(Problem, match="no option by"):
        Question(options={"by": "region"}).chosen_for(share)


@pytest.mark.parametrize("name", MEASURES)
def test_no_measure_takes_an_option_it_does_not_know(name, book):
    with pytest.raises(Problem, match=r"no option surely_not|cannot be had"):
        MEASURES[name].ask(book, Question(options={"surely_not": 1}))
