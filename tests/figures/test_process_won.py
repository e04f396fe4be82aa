"""What won deals had: deal types apart, and the leads before them."""

from datetime import UTC, date, datetime

import polars as pl

from cadran.figures import process_won as won
from cadran.figures.blocks import Nothing, Notice
from cadran.figures.controls import read_view
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.text import words_for

EN = words_for("en")
DAY = date(2026, 6, 30)


def answered(frames, deal_type=()):
    """Answers to a reader who selected these deal types."""
    facts = Facts("B", "EUR", (), DAY, DAY, datetime(2026, 6, 30, tzinfo=UTC), "1", 0, ("deal_type",))
    view = read_view({"selection": {"deal_type": list(deal_type)}}, [], ["deal_type"], EN)
    return Answers(facts, view, EN, (DAY, DAY), {}, frames, {})


def reference(deal_type, n_won):
    row = {"fact": "pushed", "about": None, "unit": "share", "at_age_days": 30, "n_won": n_won, "n_lost": n_won, "won": 0.12,
           "won_low": 0.1, "won_high": 0.14, "lost": 0.5, "lost_low": 0.4, "lost_high": 0.6, "difference": -0.38,
           "difference_low": -0.5, "difference_high": -0.2, "is_difference": True, "n_compared": 2,
           "basis": "equal_age", "statistic": "share", "n_open": 0, "n_early": 0, "n_unknown": 0}  # fmt: skip
    return {"deal_type": deal_type} | row


def test_deal_types_are_compared_apart_and_the_filters_choose():
    frame = pl.DataFrame([reference("new", 30), reference("renewal", 20)])

    every, one = (won.reference(answered({"reference": frame}, deal_type=chosen)) for chosen in ([], ["renewal"]))

    assert every["won_share"].frame["deal_type"].to_list() == ["new"]
    assert every["won_table"].frame["deal_type"].to_list() == ["new", "renewal"]
    assert "New business" in every["won_share"].subtitle
    assert one["won_table"].frame["deal_type"].to_list() == ["renewal"]
    assert "−38.0\xa0pts <small>(−50.0" in one["won_table"].html("won_table", EN)


def test_what_leads_wait_and_become_is_told_with_its_intervals():
    ends = {f"{name}{end}": value for name in ("median_hours", "p90_hours", "within_hour_share", "within_day_share")
            for end, value in (("", 0.5), ("_low", 0.4), ("_high", None))}  # fmt: skip
    became = {
        "n_leads": 20,
        "within_days": 90,
        "conversion_rate": 0.3,
        "conversion_rate_low": 0.2,
        "conversion_rate_high": 0.4,
    }
    frames = {"lead_first_response": pl.DataFrame([{"n_leads": 20} | ends]), "lead_conversion": pl.DataFrame([became])}

    told = won.leads(answered(frames))["won_leads"].html("won_leads", EN)
    none = won.leads(answered({}))["won_leads"]

    assert "within 90" in told
    assert "30%" in told
    assert "(20% – 40%)" in told
    assert "(40% – …)" in told
    assert "of 20 leads" in told
    assert isinstance(none, Notice)


def test_what_is_known_of_no_deal_is_no_line_and_one_difference_is_singular():
    known = reference("new", 30) | {"n_compared": 1}
    unknown = known | {"fact": "n_touches", "won": None, "lost": None, "difference": None, "is_difference": None}

    table = won.reference(answered({"reference": pl.DataFrame([known, unknown])}))["won_table"]

    assert table.frame.height == 1
    assert "One difference at most" in table.subtitle


def test_facts_a_book_does_not_hold_are_said_to_be_so_and_once():
    row = reference("new", 0) | {"won": None, "lost": None, "n_early": 40, "n_unknown": 60, "is_difference": None}
    frame = pl.DataFrame([row, row | {"unit": "days", "fact": "stage_days"}])

    drawn = won.reference(answered({"reference": frame}))

    assert "does not hold these facts: 100 deals were won or lost, 40 of them before" in drawn["won_share"].text
    assert drawn["won_share"].title == "Share of deals that had it; How long it took, days"
    assert drawn["won_time"] == Nothing()
    # No fact at all of these units: too few deals, told once too.
    assert "10 of each are needed" in drawn["won_count"].text
    assert drawn["won_response"] == Nothing()


def test_what_differs_stands_first():
    same = reference("new", 30) | {"is_difference": False}
    rows = [same, same | {"fact": "n_touches"}, reference("new", 30) | {"fact": "has_senior"}]

    table = won.reference(answered({"reference": pl.DataFrame(rows)}))["won_table"]

    assert table.frame["is_difference"].to_list() == [True, False, False]
    assert table.frame["fact"].to_list()[1:] == [won.said_of(each, None, EN) for each in ("pushed", "n_touches")]
