"""How far to trust the probabilities: what is said of the whole company is said to be so."""

from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest

from cadran.figures.blocks import Notice
from cadran.figures.figure import Figure
from cadran.figures.process_trust import card_blocks, past_blocks, trust_sentence
from cadran.tables.measured.outlook import Drift
from cadran.tables.problems import Problem
from cadran.text import words_for

CARD = {
    "chosen": "logit", "n_won": 120, "n_ended": 300, "n_snapshots": 900, "leaks": [],
    "rungs": [{"name": "logit", "n_needed": 100, "is_tried": True, "difference": None, "error": None, "against": ""}],
    "drift": Drift.create_empty().vstack(pl.DataFrame({
        "quarter": [date(2026, 1, 1)], "n_won": [1], "n_closed": [2], "win_rate": [0.5], "win_rate_low": [0.1],
        "win_rate_high": [0.9],
    })),
}  # fmt: skip
FIGURES = ("difference", "difference_low", "difference_high", "log_loss", "brier", "auc", "average_precision",
           "calibration_slope", "calibration_intercept")  # fmt: skip
SCORES = pl.DataFrame(
    {"name": ["logit"], "chosen": [True], "n": [9], "within_days": [182.0], **{name: [0.5] for name in FIGURES}}
)
CURVE = pl.DataFrame({
    "name": ["logit"] * 2, "n": [5, 4], "n_won": [1, 2], "predicted": [0.2, 0.5], "observed": [0.2, 0.5],
    "observed_low": [0.1, 0.2], "observed_high": [0.4, 0.8],
})  # fmt: skip
SKILL = pl.DataFrame({
    "name": ["logit"], "by": ["age_days"], "group": ["< 30"], "n": [9], "skill": [0.1], "skill_low": [0.0],
    "skill_high": [0.2],
})  # fmt: skip


def rung(name, against=""):
    return {"name": name, "n_needed": 0, "is_tried": True, "against": against, "difference": -0.1, "error": 0.01}


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"rungs": [rung("stage rates", "constant"), rung("logit", "constant")]}, "better than the overall rate"),
        (
            {"rungs": [rung("logit", "stage rates"), rung("boosting", "logit")], "chosen": "boosting"},
            "better than the rate of its stage",
        ),
        ({"untold": Problem("No chance: {n}.", "Wait.", n=0)}, "No chance: 0.\nWait."),
        ({"chosen": "constant", "rungs": [rung("logit", "constant")]}, "no model beat the overall rate"),
    ],
)
def test_what_is_said_to_be_beaten_is_what_it_was_held_against(card, said):
    assert said in trust_sentence({**CARD, "untold": None, **card}, words_for("en"))


@pytest.mark.parametrize("is_part", [False, True])
@pytest.mark.parametrize(("language", "of_all"), [("en", "whole company"), ("fr", "toute l'entreprise")])
def test_who_sees_a_part_alone_is_told_that_the_card_and_the_backtest_are_of_all(language, of_all, is_part):
    answers = SimpleNamespace(
        words=words_for(language),
        facts=SimpleNamespace(is_part=is_part),
        currency="EUR",
        view=SimpleNamespace(tables={}),
    )

    drawn = card_blocks(answers, CARD) | past_blocks(
        answers, SCORES, CURVE, SKILL, "logit", date(2026, 1, 1), date(2026, 6, 30)
    )

    told = {name for name, block in drawn.items() if of_all in block.subtitle}
    assert told == ({*drawn} - {"blind"} if is_part else set())


@pytest.mark.parametrize(("chosen", "drawn"), [("logit", Figure), ("constant", Notice)])
def test_the_overall_rate_knows_nothing_early_whatever_the_noise(chosen, drawn):
    facts, view = SimpleNamespace(is_part=False), SimpleNamespace(tables={})
    answers = SimpleNamespace(words=words_for("en"), facts=facts, view=view, currency="EUR")
    skill, day = SKILL.with_columns(name=pl.lit(chosen)), date(2026, 1, 1)

    assert isinstance(past_blocks(answers, SCORES, CURVE, skill, chosen, day, day)["skill"], drawn)
