"""Leaks planted in facts are named; strong but honest facts are not."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cadran.book import SAMPLE, open_book, write_book
from cadran.book.held import hold
from cadran.book.landmarks import facts_at, open_pairs
from cadran.models.landmarks import WON, take
from cadran.models.leaks import suspects
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.text import words_for

MAVEN = Path(__file__).parents[3] / "shared" / "data" / "maven_crm"


def closed(n=1_000, seed=1, base=0.4, **changes):
    """Past days of closed deals, two of each, with honest facts; `changes` get the outcomes and make others."""
    random = np.random.default_rng(seed)
    won = np.repeat(random.random(n) < base, 2)
    facts = pl.DataFrame({
        "opportunity_key": np.repeat(np.arange(n), 2), "opportunity_id": [f"d{each // 2}" for each in range(2 * n)],
        "at": [datetime(2026, 1, 1, tzinfo=UTC)] * (2 * n),
        "stage": np.where(random.random(2 * n) < 0.5, "Prospect", "Propose"), "age_days": random.uniform(0, 200, 2 * n),
        "amount": random.lognormal(9 + won, 1), "has_senior": random.random(2 * n) < 0.3 + 0.4 * won,
        "n_meetings": random.poisson(2 + won), "competitor": random.choice(["Acme", "Zed"], 2 * n),
        "country": random.choice([f"country {each}" for each in range(80)], 2 * n),
    })  # fmt: skip
    changed = {name: change(won, random) for name, change in changes.items()}
    return facts.with_columns(**{name: pl.Series(values, strict=False) for name, values in changed.items()}), won


def found(facts, won, **more):
    return suspects(facts, won, np.ones(len(won)), **more)


def test_honest_facts_are_not_suspected():
    assert found(*closed()) == ()
    assert found(*closed(base=0.97)) == ()  # nearly all won: so is every value
    assert found(*closed(amount=lambda won, random: random.normal(0, 1, len(won)) + 1.8 * won)) == ()  # AUC 0.90


@pytest.mark.parametrize(
    ("changes", "fact", "sign", "value", "outcome"),
    [
        (
            {"competitor": lambda won, _: np.where(won, None, "Acme").tolist()},
            "competitor", "filled in", None, "lost",
        ),
        (
            {"competitor": lambda won, random: np.where(won & (random.random(len(won)) < 0.5), None, "Acme").tolist()},
            "competitor", "blank", None, "won",
        ),
        (
            # Filled in for a fifth of the lost, and for them alone.
            {"competitor": lambda won, random: np.where(~won & (random.random(len(won)) < 0.2), "Acme", None).tolist()},
            "competitor", "filled in", None, "lost",
        ),
        (
            {"country": lambda won, random: np.where(~won & (random.random(len(won)) < 0.3), "Lost land", "France")},
            "country", "value", "Lost land", "lost",
        ),
        (  # the amount of lost deals set to 0
            {"amount": lambda won, random: random.lognormal(9, 1, len(won)) * won}, "amount", "value", "0", "lost",
        ),
        (
            {"age_days": lambda won, random: random.normal(0, 1, len(won)) + 4 * won}, "age_days", "value", None, None,
        ),
    ],
)  # fmt: skip
def test_a_planted_leak_is_named(changes, fact, sign, value, outcome):
    facts, won = closed(**changes)

    (suspect,) = found(facts, won)

    assert (suspect.fact, suspect.sign, suspect.value, suspect.outcome) == (fact, sign, value, outcome)
    for language in ("en", "fr"):
        assert fact in suspect.problem().told(words_for(language))
    assert found(facts, won, confirmed=[fact]) == ()


def test_the_auc_is_that_of_the_fact_alone():
    facts, won = closed(age_days=lambda won, random: random.normal(0, 1, len(won)) + 4 * won)

    (suspect,) = found(facts, won)

    # Two normals 4 apart: AUC = Phi(4 / sqrt 2) = 0.9977; bins and other deals' shares cost a little.
    assert suspect.auc == pytest.approx(0.9977, abs=0.004)
    assert suspect.n == 1_000


def test_chance_among_many_values_is_no_leak():
    # 30 deals a country, and a country of them all won now and then when 80 % are.
    facts, won = closed(n=2_400, base=0.8)

    assert found(facts, won) == ()


def test_a_last_stage_that_all_win_is_no_leak():
    facts, won = closed(stage=lambda won, random: np.where(won & (random.random(len(won)) < 0.3), "Signing", "Propose"))

    assert found(facts, won) == ()


def test_too_few_deals_tell_nothing():
    assert found(*closed(n=12, competitor=lambda won, _: np.where(won, None, "Acme").tolist())) == ()


def test_blank_on_open_deals_alone():
    facts, won = closed()
    blank = facts["opportunity_key"] % 3 != 0
    open_now = facts.with_columns(competitor=pl.when(~blank).then("competitor"))

    (suspect,) = found(facts, won, open_now=open_now)

    assert (suspect.fact, suspect.sign, suspect.blank_past) == ("competitor", "blank until closed", 0)
    assert suspect.blank_now == pytest.approx(2 / 3, abs=0.01)
    assert "67 %" in suspect.problem().told(str)


def test_blank_on_young_deals_because_they_are_young_is_no_leak():
    facts, won = closed()
    told = pl.when(pl.col("age_days") > 70).then("competitor").alias("competitor")
    young = facts.filter(pl.col("age_days") < 90).with_columns(told)

    assert found(facts.with_columns(told), won, open_now=young) == ()


def test_the_sample_has_none_until_one_is_planted():
    book = hold(open_book(SAMPLE))
    taken = take(book)
    past = taken.keep(taken.outcome != 0)
    won, open_now = past.outcome == WON, facts_at(book, open_pairs(book))

    assert suspects(past.facts, won, past.weight, open_now) == ()
    told = pl.when(pl.Series(won)).then(pl.lit("Referral")).otherwise("lead_source").alias("lead_source")
    (suspect,) = suspects(past.facts.with_columns(told), won, past.weight, open_now)
    assert (suspect.fact, suspect.sign) == ("lead_source", "value")


@pytest.mark.skipif(not MAVEN.exists(), reason="the export is not beside this checkout")
def test_a_client_named_only_once_a_deal_closes(tmp_path):
    """In a real export the account of 1,425 of 2,089 open deals is blank, and that of no closed one."""
    delivery = deliver(load_mapping("maven_crm"), MAVEN)
    write_book(tmp_path, delivery, written_at=delivery.settings.taken)
    book = open_book(tmp_path)
    taken = take(book)
    past = taken.keep(taken.outcome != 0)
    found = suspects(past.facts, past.outcome == WON, past.weight, facts_at(book, open_pairs(book)))

    of_client = {"sector", "country", "employees", "annual_revenue", "n_won_before", "n_lost_before"}
    assert {suspect.fact for suspect in found} == of_client
    for suspect in found:
        assert (suspect.sign, suspect.blank_past) == ("blank until closed", 0)
        assert suspect.blank_now == pytest.approx(1_425 / 2_089, abs=0.02)
    assert past.facts["amount"].null_count() == len(past)  # known only at close: refused, whatever it tells
