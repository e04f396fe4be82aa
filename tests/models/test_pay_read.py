"""What is wrong with a pay plan is told all at once: file, table, key, rule and repair."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from cadran.book import SAMPLE, open_book
from cadran.models.pay_read import load_plan, plans_of
from cadran.tables.problems import Faults
from cadran.text import words_for

GOOD = """
name = "Plan"
currency = "EUR"
starts = 2026-01-01
ends = 2026-12-31
period = "quarter"
[pay]
variable = 12000
cap = 24000
[quota]
amount = 120000
[[measures]]
name = "Sales"
[[measures.tiers]]
from = 0
to = 0.5
rate = 0.5
[[measures.tiers]]
from = 0.5
rate = 1.5
[people.r1]
base = 30000
[splits.d1]
r1 = 0.6
r2 = 0.4
"""


@pytest.fixture(scope="module")
def book(make_book):
    reps = [{"rep_id": rep, "valid_from": "2020-01-01", "team": "North", "role": "seller"} for rep in ("r1", "r2")]
    return make_book([{"opportunity_id": "d1", "status": "won", "amount": 10.0, "rep_id": "r1"}], reps=reps)


@pytest.fixture
def read(book, tmp_path):
    def from_text(text):
        (tmp_path / "pay.toml").write_text(text, "utf-8")
        return load_plan(tmp_path / "pay.toml", book)

    return from_text


def test_a_plan_says_what_its_file_does(read):
    plan = read(GOOD)

    assert (plan.variable, plan.cap, plan.quota) == (1_200_000, 2_400_000, 12_000_000)
    assert [(each.start, each.end, each.rate) for each in plan.measures[0].tiers] == [
        (0, Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 2), None, Fraction(3, 2)),
    ]  # fmt: skip
    assert plan.splits == {"d1": {"r1": Fraction(3, 5), "r2": Fraction(2, 5)}}
    assert plan.periods()[-1] == (date(2026, 10, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("from = 0.5", "from = 0.6", "measures[1].tiers", "gap"),
        ("from = 0.5", "from = 0.4", "measures[1].tiers", "overlap"),
        ("from = 0\n", "from = 0.1\n", "measures[1].tiers", "Nothing is said below 0.1"),
        ("rate = 1.5", "to = 2\nrate = 1.5", "measures[1].tiers", "Nothing is said from 2"),
        ("to = 0.5", "to = 0", "measures[1].tiers[1].to", "where it begins or before"),
        ("rate = 1.5", "rate = -1.5", "measures[1].tiers[2].rate", "below 0"),
        ("rate = 1.5", 'rate = "-1/2"', "measures[1].tiers[2].rate", "below 0"),
        ("rate = 1.5", "rate = nan", "measures[1].tiers[2].rate", "no number"),
        ("cap = 24000", "cap = 11000", "pay.cap", "below the variable"),
        ("variable = 12000", 'variable = "a lot"', "pay.variable", "no number"),
        ("variable = 12000", "variable = true", "pay.variable", "no number"),
        ("variable = 12000", "variable = 12000.005", "pay.variable", "parts of a cent"),
        ("variable = 12000", "", "pay.variable", "variable of 0"),
        ("amount = 120000", "", "quota", "none is said"),
        ("amount = 120000", "amount = 0", "quota.amount", "no quota"),
        ("amount = 120000", "amount = 120000\nseasons = [0.5, 0.6]", "quota.seasons", "4 shares"),
        ("2026-12-31", "2025-12-31", "ends", "before it begins"),
        ("2026-12-31", "2026-12-30", "ends", "last day of a month"),
        ("2026-12-31", "2026-11-30", "ends", "whole number of periods"),
        ("2026-12-31", "2027-12-31", "ends", "24 months"),
        ("ends = 2026-12-31", "ends = 2028-02-28", "ends", "2028-02-29"),
        ("2026-01-01", "2026-01-15", "starts", "first day of a month"),
        ("starts = 2026-01-01", 'starts = "2026-01-01"', "starts", "no day"),
        ('"EUR"', '"USD"', "currency", "in USD, the book counts in EUR"),
        ('"quarter"', '"week"', "period", "unknown"),
        ("[people.r1]", "[people.r9]", "people.r9", "no rep r9"),
        ("base = 30000", "starts = 2026-05-01\nends = 2026-04-01", "people.r1.ends", "before it begins"),
        ("r2 = 0.4", "r9 = 0.4", "splits.d1.r9", "no rep r9"),
        ("r2 = 0.4", "r2 = 0.5", "splits.d1", "add up to 1.1"),
        ("[splits.d1]", "[splits.d9]", "splits.d9", "no deal d9"),
        ("cap = 24000", "capp = 24000", "pay.capp", "no key of the table"),
        ('name = "Sales"', 'name = "Sales"\nweight = 0.8', "measures", "weights add up to 0.8"),
        ('name = "Sales"', 'name = "Sales"\nwhere = { deal_type = ["gift"] }', "measures[1].where.deal_type", "unknown"),
        ("amount = 120000", 'amount = 120000\nfrom = "targets"', "quota.amount", "an amount is said too"),
        ("[pay]", '[who]\nroles = ["seller"]\nreps = ["r1"]\n[pay]', "who.roles", "roles are said too"),
        ("[people.r1]", "[clawback]\nwithin_days = 180.5\n[people.r1]", "clawback.within_days", "no whole number"),
        ("[pay]", '[who]\nroles = ["juggler"]\n[pay]', "who.roles", "unknown"),
    ],
)  # fmt: skip
def test_a_fault_names_its_key_and_its_rule_in_both_languages(read, old, new, key, said):
    assert old in GOOD
    with pytest.raises(Faults) as caught:
        read(GOOD.replace(old, new, 1))

    told = [fault.told(str) for fault in caught.value.faults]
    mine = [each for each in told if each.startswith(f"pay.toml: {key}: ") and said in each]
    assert mine, told
    assert "\n" in mine[0], "a repair stands under it"
    french = caught.value.told(words_for("fr"))
    assert french.count("\n") == caught.value.told(str).count("\n")
    assert french != caught.value.told(str)


def test_all_faults_are_told_together(read):
    wrong = (
        GOOD.replace("rate = 1.5", "rate = -1")
        .replace("from = 0.5", "from = 0.6")
        .replace("[people.r1]", "[people.r9]")
    )
    with pytest.raises(Faults) as caught:
        read(wrong.replace('"EUR"', '"USD"'))

    assert len(caught.value.faults) == 4


def test_the_plan_of_the_documentation_can_be_used(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "pay.md").read_text("utf-8")
    (tmp_path / "pay.toml").write_text(text.split("```toml\n")[1].split("```")[0], "utf-8")
    plan = load_plan(tmp_path / "pay.toml", open_book(SAMPLE))

    assert plan.splits["D005469"] == {"R129": Fraction(3, 5), "R012": Fraction(2, 5)}


def test_the_plans_of_the_sample_can_be_used_its_own_first():
    plans, faults = plans_of(open_book(SAMPLE))

    assert list(plans) == ["pay", "pay_2027"]
    assert faults == ()
