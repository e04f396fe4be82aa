from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations, permutations

import numpy as np
import polars as pl
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from cadran.models.dominance import correlations, dominance, drawn, explained
from cadran.models.drivers import CONSTANT, FEW_APART, NO_ANSWER, RARE, of_wave
from cadran.models.drivers_told import by_order, estimates
from cadran.models.ordinal import fit_ordinal
from cadran.tables.measured.drivers import Driver, Priority
from cadran.tables.problems import Problem
from cadran.tables.pulse import Answer, Cell, Comment, Group, Invited, Question, Release, Terms, Wave

NAMES = ("tools", "workload", "pay")
CLOSED = datetime(2026, 5, 8, tzinfo=UTC)


def answers(n=300, seed=4, strength=(0.9, 0.5, 0.0), shared=0.4):
    """(people, questions + 1) scores of 1 to 5, and of 0 to 10 for the outcome."""
    rng = np.random.default_rng(seed)
    felt = np.sqrt(shared) * rng.normal(size=(n, 1)) + np.sqrt(1 - shared) * rng.normal(size=(n, len(strength)))
    outcome = felt @ np.array(strength) + rng.normal(size=n)
    return np.column_stack([np.clip(np.round(3.4 + felt), 1, 5), np.clip(np.round(6.5 + 2 * outcome), 0, 10)])


def wave(scores, names=NAMES, is_reversed=()):
    """A wave in which each row is a person; NaN: not answered."""
    asked = {
        "question_id": [*names, "recommend"], "kind": ["agreement"] * len(names) + ["enps_0_10"],
        "text_en": ["?"] * (len(names) + 1), "text_fr": ["?"] * (len(names) + 1), "dimension": [*names, None],
        "is_reversed": [name in is_reversed for name in names] + [False],
        "low": [1] * len(names) + [0], "high": [5] * len(names) + [10],
        "favourable_from": [4] * len(names) + [9], "unfavourable_to": [2] * len(names) + [6],
        "labels_en": None, "labels_fr": None,
    }  # fmt: skip
    rows = [
        {"question_id": name, "score": int(score), "ballot": f"b{person:04}"}
        for person, row in enumerate(scores)
        for name, score in zip([*names, "recommend"], row, strict=True)
        if not np.isnan(score)
    ]
    types = dict(Answer.create_empty().schema)
    return Wave(
        Terms("pulse", {"en": "Pulse"}, "anonymous"), "2026-05", CLOSED, CLOSED,
        Question.validate(pl.DataFrame(asked, schema=dict(Question.create_empty().schema))), Invited.create_empty(),
        pl.DataFrame(rows, schema=types), Comment.create_empty(),
    )  # fmt: skip


def release(of, **cells):
    """What is released of the company: (told, n, high) or (band, low, high) by question."""
    types = dict(Cell.create_empty().schema)
    rows = [
        {"cut": "company", "question_id": name, "told": told}
        | ({"n": one, "n_high": other} if told == "exact" else {"band_low": one, "band_high": other})
        for name, (told, one, other) in cells.items()
    ]
    return Release(of.terms, of.wave, of.closed_at, of.questions, Group.create_empty(), pl.DataFrame(rows, schema=types),
                   of.comments)  # fmt: skip


def test_published_example_of_dominance_analysis():
    """Azen & Budescu (2003), Psychological Methods 8(2), table 3: additional contributions by size of subset."""
    matrix = np.array([
        [1.0, 0.8, 0.1, 0.3, 0.6], [0.8, 1.0, 0.1, 0.1, 0.3], [0.1, 0.1, 1.0, 0.5, 0.4], [0.3, 0.1, 0.5, 1.0, 0.5],
        [0.6, 0.3, 0.4, 0.5, 1.0],
    ])  # fmt: skip
    by_size = np.array([
        [0.360, 0.090, 0.160, 0.250], [0.300, 0.074, 0.095, 0.152], [0.263, 0.069, 0.063, 0.073],
        [0.246, 0.071, 0.061, 0.010],
    ])  # fmt: skip

    assert dominance(matrix) == pytest.approx(by_size.mean(axis=0), abs=0.001)


def test_dominance_is_what_a_question_adds_over_all_orders_of_asking():
    matrix = np.corrcoef(answers(strength=(0.9, 0.5, 0.0, 0.3, -0.4)).T)

    def r2(chosen):
        each = list(chosen)
        return matrix[-1, each] @ np.linalg.solve(matrix[np.ix_(each, each)], matrix[each, -1]) if each else 0.0

    slow = np.zeros(5)
    orders = list(permutations(range(5)))
    for order in orders:
        for place, question in enumerate(order):
            slow[question] += (r2(order[: place + 1]) - r2(order[:place])) / len(orders)

    assert dominance(matrix) == pytest.approx(slow, abs=1e-12)
    for chosen in combinations(range(5), 3):
        assert explained(matrix)[sum(1 << each for each in chosen)] == pytest.approx(r2(chosen), abs=1e-12)


def test_two_questions_that_are_one_share_what_they_tell():
    values = answers()[:, [0, 0, 1, 3]]

    once, twice = dominance(np.corrcoef(answers()[:, [0, 1, 3]].T)), dominance(np.corrcoef(values.T))

    assert twice[0] == pytest.approx(twice[1])
    assert twice.sum() == pytest.approx(once.sum())


def test_samples_drawn_anew_are_those_of_people():
    values = answers(40) - 3.0
    moments = np.concatenate(list(drawn(values, 3, np.random.default_rng(1))))
    picked = np.random.default_rng(1).integers(0, 40, (3, 40))
    expected = [np.corrcoef(values[each].T) for each in picked]

    assert correlations(moments) == pytest.approx(np.array(expected), abs=1e-12)


def test_proportional_odds_as_statsmodels_fits_them():
    values = answers()

    own = fit_ordinal(values[:, :-1] - 3, values[:, -1])
    other = OrderedModel(values[:, -1], values[:, :-1] - 3, distr="logit").fit(method="bfgs", disp=0, gtol=1e-8)

    assert own is not None
    assert own.slopes == pytest.approx(other.params[:3], abs=1e-5)
    assert own.log_likelihood == pytest.approx(other.llf, abs=1e-6)
    assert np.sqrt(np.diag(np.linalg.inv(own.information))) == pytest.approx(other.bse[:3], rel=1e-4)


def test_the_order_of_scores_alone_tells_what_all_subsets_fitted_anew_tell():
    values = answers()

    def told(chosen):
        return fit_ordinal(values[:, list(chosen)] - 3, values[:, -1]).log_likelihood if chosen else alone

    levels = np.unique(values[:, -1], return_counts=True)[1]
    alone = float((levels * np.log(levels / levels.sum())).sum())
    slow = np.zeros(3)
    for order in permutations(range(3)):
        for place, question in enumerate(order):
            slow[question] += (told(sorted(order[: place + 1])) - told(sorted(order[:place]))) / 6

    shares, agreement = by_order(values, slow)

    assert shares == pytest.approx(slow / slow.sum(), abs=0.03)
    assert agreement == pytest.approx(1.0)


def test_nothing_is_likeliest_where_a_question_parts_high_from_low():
    scores = np.array([1.0] * 20 + [2.0] * 20)

    assert fit_ordinal(scores[:, None] - 1.5, scores) is None


def test_estimates_are_those_of_least_squares():
    values = answers()

    told = estimates(values, 0)

    with_one = np.column_stack([np.ones(300), values[:, :-1]])
    slopes, left = np.linalg.lstsq(with_one, values[:, -1])[:2]
    r2 = 1 - left[0] / ((values[:, -1] - values[:, -1].mean()) ** 2).sum()
    assert told["slope"] == pytest.approx(slopes[1:])
    assert told["r2"][0] == pytest.approx(1 - (1 - r2) * 299 / 296)
    assert told["dominance"].sum() == pytest.approx(told["r2"][0])
    assert told["correlation"] == pytest.approx(np.corrcoef(values.T)[:-1, -1])
    assert told["r2_share"].sum() == pytest.approx(1)
    for name in ("dominance", "r2_share", "correlation", "slope"):
        assert (told[f"{name}_low"] < told[name]).all()
        assert (told[f"{name}_high"] > told[name]).all()


def test_questions_that_rise_together_add_up_and_their_interval_knows_that_they_hang_together():
    values = answers()

    told = estimates(values, 0, together=np.array([[1.0, 1, 0], [0, 0, 1]]))
    alone = estimates(values, 0)

    assert told["together"] == pytest.approx([alone["slope"][:2].sum(), alone["slope"][2]])
    assert told["together_low"][1] == pytest.approx(alone["slope_low"][2])
    # Two that are answered alike: what the one gains in a draw the other loses.
    assert told["together_low"][0] > alone["slope_low"][:2].sum()
    assert of_wave(wave(values)).raised(0.5)["effect"].sum() == pytest.approx(0.5 * alone["slope"].sum(), abs=2e-3)


def test_the_strongest_question_comes_first_and_one_that_tells_nothing_is_not_told():
    found = of_wave(wave(answers(strength=(0.2, 0.9, 0.0), shared=0.0)))

    Driver.validate(found.rows)
    assert found.rows["question_id"][0] == "workload"
    assert found.rows["rank"].to_list() == [1, 2, 3]
    assert found.rows.filter(question_id="workload")["is_told"].item() is True
    assert found.rows.filter(question_id="pay")["is_told"].item() is False
    assert (found.n, found.n_answered) == (300, 300)
    assert found.r2_low < found.r2 < found.r2_high


def test_a_reversed_question_is_turned_before_it_is_compared():
    values = answers()
    turned = values.copy()
    turned[:, 1] = 6 - turned[:, 1]

    plain, other = of_wave(wave(values)), of_wave(wave(turned, is_reversed=("workload",)))

    assert other.rows.equals(plain.rows)
    assert set(plain.rows["sign"]) == {1}


def test_answers_left_out_are_counted_and_looked_at_in_pairs():
    values = answers()
    values[:60, 2] = np.nan

    found = of_wave(wave(values))

    assert (found.n, found.n_answered) == (240, 300)
    assert found.rows["pairwise_share"].sum() == pytest.approx(1, abs=0.002)
    assert any("20 %" in str(note) for note in found.notes)
    assert of_wave(wave(answers())).rows["pairwise_share"].null_count() == 3


def test_questions_that_cannot_be_compared_are_set_aside_with_the_reason():
    values = np.column_stack(
        [answers()[:, 0], np.full(300, 4), np.full(300, 4), *[np.full(300, np.nan)] * 2, answers()[:, 3]]
    )
    values[:9, 2] = 1
    values[:100, 4] = answers()[:100, 1]

    found = of_wave(wave(values, ("tools", "same", "few", "nobody", "rare")))

    assert dict(found.rows.filter(pl.col("rank").is_null()).select("question_id", "reason").iter_rows()) == {
        "same": CONSTANT, "few": FEW_APART, "nobody": NO_ANSWER, "rare": RARE,
    }  # fmt: skip
    assert (found.n, found.rows["question_id"][0]) == (300, "tools")


def test_what_only_few_answered_otherwise_once_others_left_out_is_set_aside():
    values = answers()
    values[:, 2] = 4
    values[:14, 2] = 2
    values[:6, 0] = np.nan

    found = of_wave(wave(values))

    assert found.rows.filter(question_id="pay")["reason"].item() == FEW_APART


def test_questions_answered_alike_are_named():
    values = answers()
    values[:, 1] = values[:, 0]

    found = of_wave(wave(values))

    assert found.rows.filter(question_id="tools")["alike"].to_list() == [["workload"]]
    assert any("tools and workload are answered nearly alike" in str(note) for note in found.notes)


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (answers(99), "99 people answered all"),
        (np.column_stack([answers()[:, :3], np.full(300, 8)]), "Nearly everybody answered recommend alike"),
        (np.column_stack([np.full((300, 3), 4), answers()[:, 3]]), "300 people answered all"),
    ],
)
def test_too_little_is_refused(scores, sentence):
    with pytest.raises(Problem, match=sentence):
        of_wave(wave(scores))


def test_fifteen_people_a_question_are_asked_for():
    values = np.column_stack([np.random.default_rng(2).integers(1, 6, (140, 9)), answers(140)[:, -1]])

    assert of_wave(wave(values[:, 1:], [f"q{n}" for n in range(8)])).n == 140
    with pytest.raises(Problem, match="It takes 150"):
        of_wave(wave(np.column_stack([values[:, :1], values]), [f"q{n}" for n in range(10)]))


def test_answers_that_cannot_be_joined_or_were_given_twice_are_refused():
    of = wave(answers())

    with pytest.raises(Problem, match="cannot be joined by person"):
        of_wave(replace(of, answers=of.answers.with_columns(ballot=pl.lit(None, pl.String))))
    with pytest.raises(Problem, match="twice"):
        of_wave(replace(of, answers=pl.concat([of.answers, of.answers.head(1)])))
    with pytest.raises(Problem, match="does not ask for eNPS"):
        of_wave(replace(of, questions=of.questions.filter(pl.col("kind") == "agreement")))


def test_copies_of_answers_for_a_cut_are_not_counted_again():
    of = wave(answers())
    copies = of.answers.with_columns(cut=pl.lit("region"), region=pl.lit("North"), ballot=pl.lit(None, pl.String))

    assert of_wave(replace(of, answers=pl.concat([of.answers, copies]))).rows.equals(of_wave(of).rows)


def test_priorities_put_low_shares_beside_strong_questions():
    of = wave(answers(strength=(0.9, 0.1, 0.8), shared=0.1))
    told = release(
        of,
        recommend=("exact", 300, 90),
        tools=("exact", 300, 90),
        workload=("exact", 300, 120),
        pay=("band", 0.95, 1.0),
    )

    found = of_wave(of, told).priorities

    Priority.validate(found)
    quadrants = dict(found.select("question_id", "quadrant").iter_rows())
    assert quadrants == {"tools": "act", "workload": "watch", "pay": "keep"}
    assert found.filter(question_id="tools").select("favourable_share", "is_sure").row(0) == (0.3, True)
    withheld = release(
        of,
        recommend=("exact", 300, 90),
        tools=("exact", 300, 90),
        workload=("withheld", None, None),
        pay=("exact", 300, 200),
    )
    assert of_wave(of, withheld).priorities.filter(question_id="workload")["quadrant"].item() is None


def test_questions_that_tell_nothing_are_not_made_to_by_chance():
    values = np.column_stack([np.random.default_rng(8).integers(1, 6, (140, 9)), answers(140)[:, -1]])

    found = of_wave(wave(values, [f"q{n}" for n in range(9)]))

    assert found.r2_low == 0
    assert (found.rows["dominance_low"] < 0).all()
    assert any("may tell nothing of recommend" in str(note) for note in found.notes)
