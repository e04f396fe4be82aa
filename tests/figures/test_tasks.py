"""What to do about open deals, in words: every lever, group and fact has some, in both languages."""

from types import SimpleNamespace

import polars as pl
import pytest

from cadran.figures import columns_score, tasks
from cadran.figures.process_open import tasks as list_of
from cadran.models.gaps import PULLS
from cadran.models.reasons import GROUPS
from cadran.tables.measured.actions import ACTIONS, LEVERS, Action, Reason
from cadran.text import words_for


def test_nothing_is_without_words():
    assert list(tasks.ACTIONS) == ACTIONS
    assert list(tasks.LEVERS) == LEVERS
    assert set(tasks.HAD) == set(PULLS)
    assert set(tasks.GROUPS) == set(GROUPS.values())
    assert set(columns_score.FACTS) >= set(GROUPS) - {"stage_position", "stage_probability"}


def test_all_of_it_exists_in_french():
    titles = [title for title, _ in columns_score.FACTS.values()]
    said = [tasks.ACTIONS, tasks.LEVERS, tasks.HAD, tasks.GROUPS]
    french = words_for("fr").catalogue

    assert {text for each in said for text in each.values()} | {*titles} <= set(french)


def row(schema, **told):
    return pl.DataFrame([dict.fromkeys(schema.column_names()) | told], schema=schema.create_empty().schema).row(
        0, named=True
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"lever": "meet", "action": "push", "gain": 0.1, "won_share": 0.48}, "48% had met more in the last 30 days"),
        ({"lever": "stop", "action": "leave", "high": 0.004, "hours_left": 2.0}, "to be confirmed by a person"),
        (
            {"lever": "stop", "action": "leave", "high": 0.004, "hours_left": 2.0, "is_assumed": False},
            "won deals still took",
        ),
        (
            {"lever": "stop", "action": "leave", "high": 0.004, "hours_left": 8.0, "is_assumed": True},
            "is an assumption",
        ),
        ({"lever": "answer", "action": "secure", "signals": ["client_waits"]}, "Signals: The client waits"),
        (
            {"lever": "contact", "action": "push", "gain": 0.1, "won_share": 0.5, "extrapolates": True},
            "held to the limit",
        ),
    ],
)
def test_why_it_is_proposed(told, said):
    assert said in tasks.why(row(Action, **{"signals": [], **told}), words_for("en"))


@pytest.mark.parametrize(
    ("fact", "value", "typical", "said"),
    [
        ("mean_log_wait", "3.258", "1.386", "The client's usual wait 25 h, typically 3 h"),  # log1p of hours
        ("waited_90", "8.2", "3.1", "pts): Time the client waited in 90 days, more than typically"),
        ("waited_90", "3.1", "8.2", "pts): Time the client waited in 90 days, no more than typically"),
        ("deal_type", "renewal", "new", "Deal type Renewal, typically New business"),
        ("competitor", "Acme", None, "Competitor Acme, typically none"),
        ("has_decision_maker", "true", "false", "Decision maker involved yes, typically no"),
        ("amount", "1500", "90000", "Amount 1.5 k€, typically 90 k€"),
        ("share_in_a_day", "0.25", "1.0", "Answered within a day 25%, typically 100%"),
    ],
)
def test_a_reason_is_said_in_the_units_of_its_fact(fact, value, typical, said):
    told = {"group": GROUPS[fact], "fact": fact, "value": value, "typical": typical}
    told |= {"change": 0.051, "change_low": 0.01, "change_high": 0.09}

    assert said in tasks.reason(row(Reason, **told), words_for("en"), "EUR").replace("\xa0", " ").replace("\u202f", "")


@pytest.mark.parametrize(
    ("lever", "said"), [(None, "hours change nothing"), ("meet", "Nothing of use fits into 20 hours.")]
)
def test_where_no_deal_has_a_lever_hours_are_said_to_change_nothing(lever, said):
    told = row(Action, lever=lever, action="watch", fits=False)
    actions = pl.DataFrame([told], schema=Action.create_empty().schema | {"fits": pl.Boolean})
    answers = SimpleNamespace(words=words_for("en"), view={"hours": "20"})

    assert said in list_of(answers, actions.with_columns(fits=pl.lit(False)), pl.DataFrame())["actions"].text
