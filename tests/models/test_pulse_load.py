from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from cadran.book.pulse import pulse_of
from cadran.book.reader import Reader
from cadran.models.pulse_load import FEW_GROUPS, pulse_load
from cadran.models.within import within
from cadran.tables.measured.pulse_load import Beside, LoadLink
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

TEAMS = {"A": "N", "B": "N", "C": "S", "D": "S", "E1": "S", "E2": "S"}
OPENED = [datetime(2026, month, 10, 9, tzinfo=UTC) for month in (2, 3, 4, 5)]
#: Deals open per seller of each team before each wave.
OPEN = {
    "A": (1, 2, 3, 2),
    "B": (2, 2, 1, 1),
    "C": (1, 1, 2, 3),
    "D": (3, 2, 2, 1),
    "E1": (1, 3, 1, 2),
    "E2": (1, 3, 1, 2),
}


def panel(n_groups, n_times, rng, slope=0.0):
    """(outcome, predictor, group, time): each group's rows alike in both, some groups noisier."""
    group, time = np.repeat(np.arange(n_groups), n_times), np.tile(np.arange(n_times), n_groups)
    walk = np.cumsum(rng.normal(size=(n_groups, n_times)), axis=1)
    noise = rng.normal(size=(n_groups, n_times)) + 0.7 * rng.normal(size=(n_groups, 1)) * np.arange(n_times)
    fixed = rng.normal(size=(n_groups, 1)) + rng.normal(size=(1, n_times))
    return (slope * walk + noise + fixed).ravel(), walk.ravel(), group, time


def test_the_slope_is_that_of_least_squares_with_groups_and_moments():
    outcome, predictor, group, time = panel(6, 5, np.random.default_rng(1), 0.5)
    keep = np.arange(30) != 7
    outcome, predictor, group, time = (each[keep] for each in (outcome, predictor, group, time))

    found = within(outcome, predictor, group, time)

    dummies = [(each[:, None] == np.unique(each)[None, 1:]).astype(float) for each in (group, time)]
    fitted = sm.OLS(outcome, np.column_stack([predictor, np.ones(29), *dummies])).fit()
    assert found.slope == pytest.approx(fitted.params[0])
    assert (found.n_groups, found.n_times, found.n) == (6, 5, 29)


def test_the_error_is_that_of_slopes_drawn_anew_and_intervals_hold_the_truth():
    rng = np.random.default_rng(2)
    told = [within(*panel(8, 4, rng, 0.5)) for _ in range(300)]

    held = np.mean([low <= 0.5 <= high for low, high in (each.limits() for each in told)])
    assert held >= 0.92
    assert np.mean([each.error**2 for each in told]) == pytest.approx(np.var([each.slope for each in told]), rel=0.25)
    assert all(each.smallest() > each.limits()[1] - each.slope for each in told)


def test_errors_are_unbiased_where_all_is_alike():
    """Bell & McCaffrey (2002): under independent errors of one size CR2 has no bias."""
    rng = np.random.default_rng(3)
    predictor, group, time = panel(5, 4, rng)[1:]
    told = [within(rng.normal(size=20), predictor, group, time) for _ in range(1500)]

    assert np.mean([each.error**2 for each in told]) == pytest.approx(np.var([each.slope for each in told]), rel=0.1)


def test_what_changes_for_all_at_once_or_never_tells_nothing():
    outcome, _, group, time = panel(5, 4, np.random.default_rng(4))

    assert within(outcome, group + 2.0 * time, group, time) is None
    assert within(group.astype(float), outcome, group, time) is None
    assert within(outcome[:4], outcome[4:8], np.arange(4), np.zeros(4)) is None


@pytest.fixture(scope="module")
def book(make_book):
    """Five groups of teams, one of them two teams of three, in four waves; load moves from wave to wave."""
    reps, deals = [], []
    for team, region in TEAMS.items():
        for number in range(3 if team in ("E1", "E2") else 5):
            rep = f"{team}{number}"
            reps.append({"rep_id": rep, "team": team, "region": region, "role": "seller", "valid_from": "2025-01-01"})
            for wave, opened in enumerate(OPENED):
                created = opened.date() - timedelta(days=20)
                deal = {
                    "rep_id": rep, "created": created.isoformat(), "status": "lost",
                    "closed": (opened.date() + timedelta(days=3)).isoformat(), "expected_close_date": created,
                }  # fmt: skip
                deals += [deal] * OPEN[team][wave]
    deals.append({"rep_id": "A0", "created": "2025-06-01", "status": "lost", "closed": "2025-07-01"})
    made = make_book(deals, reps=reps)
    keep(made)
    return made


def keep(book, slope=-8, names=("A", "B", "C", "D", "E1 + E2")):
    """Waves and releases in which each group's favourable share falls with its load."""
    asked = pl.DataFrame(
        [{"question_id": "workload", "kind": "agreement", "is_reversed": False, "low": 1, "high": 5, "favourable_from": 4,
          "unfavourable_to": 2, "text_en": "?", "text_fr": "?"},
         {"question_id": "recommend", "kind": "enps_0_10", "is_reversed": False, "low": 0, "high": 10, "favourable_from": 9,
          "unfavourable_to": 6, "text_en": "?", "text_fr": "?"}],
        schema=dict(Question.create_empty().schema),
    )  # fmt: skip
    terms, pulse = Terms("pulse", {"en": "Pulse"}, "anonymous"), pulse_of(book)
    for number, opened in enumerate(OPENED):
        name, closed = f"2026-{number + 2:02}", opened + timedelta(days=7)
        pulse.keep_wave(Wave(terms, name, opened, closed, asked, Invited.create_empty(), Answer.create_empty(),
                             Comment.create_empty()))  # fmt: skip
        groups = [{"cut": "company", "members": []}]
        groups += [{"cut": "region", "group": each, "members": [each]} for each in ("N", "S")]
        cells = [{"cut": "company", "question_id": "workload", "told": "exact", "n": 100, "n_high": 50 - number}]
        for each in names:
            members, parent = each.split(" + "), TEAMS[each.split(" + ")[0]]
            groups.append({"cut": "team", "parent": parent, "group": each, "members": members})
            high = 60 + slope * OPEN[members[0]][number] + 3 * names.index(each) - number
            cells.append({"cut": "team", "parent": parent, "group": each, "question_id": "workload", "told": "exact",
                          "n": 100, "n_high": high, "n_low": 10})  # fmt: skip
            cells.append(
                {"cut": "team", "parent": parent, "group": each, "question_id": "recommend", "told": "withheld"}
            )
        frames = [
            pl.DataFrame(rows, schema=dict(schema.create_empty().schema))
            for rows, schema in ((groups, Group), (cells, Cell))
        ]
        pulse.keep_release(Release(terms, name, closed, asked, *frames, Comment.create_empty()))


def test_load_is_that_of_the_weeks_before_the_wave_of_the_whole_merged_group(book):
    found = pulse_load(book)

    Beside.validate(found.rows)
    LoadLink.validate(found.links)
    assert found.rows.height == 20
    row = found.rows.filter(wave="2026-03", group="E1 + E2").row(0, named=True)
    assert (row["since"], row["until"]) == (date(2026, 2, 10), date(2026, 3, 9))
    assert (row["n_sellers"], row["open_per_head"], row["overdue_per_head"]) == (6, 3.0, 3.0)
    assert row["favourable"] == pytest.approx((60 - 24 + 12 - 1) / 100 - 0.49)
    assert found.rows["enps"].null_count() == 20


def test_the_planted_link_is_found_within_groups(book):
    links = pulse_load(book).links

    link = links.filter(factor="open_per_head", outcome="favourable").row(0, named=True)
    assert link["effect"] / link["typical_change"] == pytest.approx(-8, abs=1e-6)
    assert (link["n_groups"], link["n_waves"], link["n"]) == (5, 4, 20)
    assert set(links["outcome"]) == {"favourable"}
    assert link["is_link"] is True


def test_too_few_groups_or_waves_are_refused_with_what_it_takes(book):
    with pytest.raises(Problem, match="No group was released"):
        pulse_load(book.as_of(date(2026, 2, 12)))
    with pytest.raises(Problem, match="2 groups in 4 waves are too few"):
        pulse_load(book, "region")
    may = book.as_of(date(2026, 3, 20))
    with pytest.raises(Problem, match="5 groups in 2 waves are too few"):
        pulse_load(may)
    with pytest.raises(Problem, match="0 weeks"):
        pulse_load(book, weeks=0)
    with pytest.raises(Problem, match="all groups together"):
        pulse_load(replace(book, reader=Reader("m", "manager", regions=frozenset({"N"}))))
    assert "four" in FEW_GROUPS


def test_nothing_after_the_wave_opened_is_looked_at(book):
    early = pulse_load(book.as_of(date(2026, 5, 20))).rows

    assert early.equals(pulse_load(book).rows)
