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


def test_options_are_those_of_the_signature():
    def share(deals, by=(), *, within_days=90): ...

    assert Question().chosen_for(share) == {"within_days": 90}
    with pytest.raises(Problem, match="no option by"):
        Question(options={"by": "region"}).chosen_for(share)


@pytest.mark.parametrize("name", MEASURES)
def test_no_measure_takes_an_option_it_does_not_know(name, make_book):
    book = make_book([{"status": "won"}, {"status": "open"}])

    with pytest.raises(Problem, match=r"no option surely_not|cannot be had"):
        MEASURES[name].ask(book, Question(options={"surely_not": 1}))
