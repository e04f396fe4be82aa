"""What a command is asked that it cannot do, or would do nothing with: said, never passed over."""

import pytest


@pytest.fixture
def english(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")


@pytest.mark.parametrize("command", [("forecast",), ("plan", "territories"), ("plan", "hires"), ("measure", "load")])
def test_a_book_tells_nothing_of_the_days_before_it(run, english, monkeypatch, command):
    status, told, complained = run(*command, "--as-of", "2021-06-30")

    assert (status, told) == (1, "")
    assert "This book begins on 1 Jul 2021; it cannot say what was known on 30 Jun 2021." in complained
    monkeypatch.setenv("CADRAN_LANG", "fr")
    assert "Demandez le 1 juil. 2021 ou une date plus récente." in run(*command, "--as-of", "2021-06-30")[2]


def test_the_first_day_of_a_book_can_be_asked_for(run, english):
    assert run("measure", "load", "--as-of", "2021-07-01")[0] == 0


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        (("forecast", "--made", "--by", "region"), "--by"),
        (("forecast", "--made", "--target", "100"), "--target"),
        (("forecast", "--calls", "--every", "quarter"), "--every"),
        (("forecast", "--changed-since", "2026-06-01", "--horizon", "3"), "--horizon"),
        (("scenario", "--of", "pay"), "--of"),
        (("plan", "hires", "--show", "timing"), "--show"),
    ],
)
def test_an_option_that_would_do_nothing_is_said(run, english, asked, option):
    status, told, complained = run(*asked)

    assert (status, told) == (1, "")
    assert f"{option} says nothing" in complained
    assert "Leave it out." in complained


def test_a_goal_is_a_finite_amount(run, english):
    assert "is no goal" in run("forecast", "--target", "inf")[2]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("measure", "load", "--from", "2010-01-01", "--until", "2010-12-31"), "This book begins on 1 Jul 2021"),
        (("backtest", "forecast", "--from", "2026-05-01", "--until", "2026-01-01"), "Swap --from and --until."),
        (("backtest", "win", "--from", "2026-05-01", "--until", "2026-01-01"), "Swap --from and --until."),
        (("plan", "territories", "--tolerance", "-1"), "The tolerance is −1."),
    ],
)
def test_a_question_without_an_answer_is_said_to_be_one(run, english, asked, said):
    status, told, complained = run(*asked)

    assert (status, told) == (1, "")
    assert said in complained
