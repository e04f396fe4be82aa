"""Facts to columns: by hand, and with whatever facts may bring later."""

from math import log1p

import numpy as np
import polars as pl
import pytest

from cadran.book.landmarks import FACTS
from cadran.models import design as module
from cadran.models.design import CATEGORIES, NUMBERS, learn

N = 200


def facts(n: int = N, seed: int = 0, **more) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    plain = {
        "amount": random.lognormal(9, 1, n), "age_days": random.uniform(0, 300, n),
        "has_senior": random.random(n) < 0.5, "sector": random.choice(["Retail", "Bank", "Health"], n),
        "deal_type": random.choice(["new", "renewal"], n),
    }  # fmt: skip
    return pl.DataFrame(plain | more, strict=False)


def learnt(told: pl.DataFrame, **more):
    return learn(told, np.arange(len(told)), **more)


def column(design, told, name):
    return design.encode(told)[:, design.columns().index(name)]


#: The CRM's own word, and two facts that say again what `waited_90` says, only less of what a team may change.
NOT_READ = {"stage_probability", "mean_log_wait", "share_in_a_day"}


def test_every_fact_is_read_but_few_and_never_the_seller():
    assert set(NUMBERS) | set(CATEGORIES) | NOT_READ == set(FACTS)
    assert not set(NUMBERS) & set(CATEGORIES)
    sellers = {"rep_id", "rep_key", "seller", "owner", "name", "manager_id", "opportunity_id"}
    assert not sellers & {*FACTS, *NUMBERS, *CATEGORIES}
    told = facts(rep_id=["r1", "r2"] * (N // 2), seller=["Ann", "Bob"] * (N // 2))
    assert set(learnt(told).facts) == {"amount", "age_days", "has_senior", "sector", "deal_type"}


def test_a_number_by_hand():
    amount = [float(each) for each in range(N)]
    told = facts(amount=amount)
    scaled = np.log1p(np.array(amount))
    low, high = np.quantile(scaled, [0.005, 0.995])
    held = np.clip(scaled, low, high)

    found = column(learnt(told), told, "amount")

    assert found == pytest.approx((held - held.mean()) / held.std(), abs=1e-5)
    bent = [name for name in learnt(told).columns() if name.startswith("amount beyond")]
    knots = (np.quantile(held, [1 / 3, 2 / 3]) - held.mean()) / held.std()
    for name, knot in zip(bent, knots, strict=True):
        assert column(learnt(told), told, name) == pytest.approx(np.maximum(found - knot, 0), abs=1e-5)


def test_scales_by_hand():
    told = pl.DataFrame({"amount": [-5.0, 0, 99], "days_to_expected": [-9.0, 0, 9]})

    assert told.select(NUMBERS["amount"][0](pl.col("amount")))["amount"].to_list() == [0, 0, log1p(99)]
    both = told.select(NUMBERS["days_to_expected"][0](pl.col("days_to_expected"))).to_series().to_list()
    assert both == [-log1p(9), 0, log1p(9)]


def test_an_unknown_number_is_the_mean_and_says_so():
    known = [None if each % 4 == 0 else float(each) for each in range(N)]
    told = facts(amount=known)
    design = learnt(told)

    is_unknown = column(design, told, "amount unknown")
    assert is_unknown.tolist() == [float(each is None) for each in known]
    assert (column(design, told, "amount")[is_unknown == 1] == 0).all()
    # Known of all while learning, unknown later: the mean, with no column to say so.
    whole = learnt(facts())
    later = facts(n=3).with_columns(amount=pl.lit(None, pl.Float64))
    assert "amount unknown" not in whole.columns()
    assert column(whole, later, "amount").tolist() == [0, 0, 0]


def test_a_category_by_hand():
    told = facts(sector=["Retail"] * 100 + ["Bank"] * 60 + ["Health"] * 25 + [None] * 15)
    design = learnt(told)
    part = next(part for part in design.parts if part.fact == "sector")

    # Fifteen unknown ones are too few to be told apart, and too few to be "others".
    assert dict(zip(part.values, part.shares, strict=True)) == {"Retail": 0.5, "Bank": 0.3, "Health": 0.125}
    assert column(design, told, "sector = Bank")[[0, 100, 160, 199]] == pytest.approx([-0.3, 0.7, -0.3, 0])


def test_few_deals_make_no_value_of_their_own_however_often_they_were_looked_at():
    said = ["Acme"] * 100 + ["Zed"] * 60 + ["Rare"] * 40
    deal = np.array([*range(160), *[999] * 40])
    told = facts(competitor=said)

    values = {part.fact: part.values for part in learn(told, deal).parts if part.fact == "competitor"}

    assert values == {"competitor": ("Acme", "Zed")}


def test_the_rarer_values_are_one_together():
    said = ["Acme"] * 100 + ["Zed"] * 60 + [f"rival {each}" for each in range(40)]
    told = facts(competitor=said)
    design = learnt(told)

    assert [name for name in design.columns() if "competitor" in name] == [
        "competitor = Acme", "competitor = Zed", "competitor = (other)"
    ]  # fmt: skip
    later = told.head(3).with_columns(competitor=pl.Series(["never met", None, "(other)"]))
    assert column(design, later, "competitor = (other)") == pytest.approx([0.8] * 3)


def test_values_beyond_the_most_are_others(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    told = facts(country=["FR"] * 90 + ["DE"] * 60 + ["ES"] * 50)

    part = next(part for part in learnt(told).parts if part.fact == "country")

    assert part.values == ("FR", "DE", "(other)")


def test_a_value_named_like_the_others_is_one_of_them():
    told = facts(competitor=["Acme"] * 80 + ["(other)"] * 80 + ["x"] * 40)

    design = learnt(told)

    assert [name for name in design.columns() if "competitor" in name] == [
        "competitor = Acme", "competitor = x", "competitor = (other)"
    ]  # fmt: skip
    assert column(design, told, "competitor = (other)")[100] == pytest.approx(0.6)


def test_what_says_nothing_is_no_column():
    n = 1_000
    told = facts(
        n, annual_revenue=[None] * n, employees=[50] * n, country=["FR"] * n, competitor=[None] * n,
        n_meetings=[0] * (n - 1) + [4],
    )  # fmt: skip

    assert set(learnt(told).facts) == {"amount", "age_days", "has_senior", "sector", "deal_type"}
    # The same everywhere, but not known of all: that much it says.
    partly = facts(has_decision_maker=[True] * 100 + [None] * 100)
    assert "has_decision_maker unknown" in learnt(partly).columns()


def test_columns_are_finite_whatever_comes():
    told = facts(
        competitor=["Acme", "Zed"] * (N // 2), n_meetings=[None if each % 3 else 2 + each % 5 for each in range(N)]
    )
    design = learnt(told)
    strange = pl.DataFrame({
        "amount": [None, -1e12, 1e300], "age_days": [-5.0, None, 1e9], "has_senior": [None, True, None],
        "sector": ["never met", None, ""], "deal_type": [None, "gift", "new"], "competitor": ["?", None, "Acme"],
        "n_meetings": [None, 0, 10**9],
    })  # fmt: skip
    nothing = strange.select(pl.lit(None).alias(name) for name in strange.columns).head(1)

    for later in (strange, nothing, strange.clear()):
        encoded = design.encode(later)
        assert encoded.shape == (len(later), len(design.columns()))
        assert encoded.dtype == np.float32
        assert np.isfinite(encoded).all()
        plain, is_code = design.plain(later)
        assert plain.shape == (len(later), len(design.facts))
        assert is_code.sum() == 3
        assert not np.isinf(plain).any()
    assert len(design.of_facts()) == len(design.columns()) == len(set(design.columns()))


def test_beyond_what_was_seen_it_is_held():
    told = facts()
    design = learnt(told)
    top = told["amount"].max()
    later = pl.concat([told.head(1)] * 4).with_columns(amount=pl.Series([top, top * 10, top * 1000, None]))

    held = column(design, later, "amount")
    assert held[0] == held[1] == held[2]


def test_a_type_of_deal_weighs_some_facts_otherwise():
    told = facts()
    design = learnt(told)

    kind = next(name for name in design.columns() if name.startswith("age_days ×")).removeprefix("age_days × ")
    crossed = column(design, told, f"age_days × {kind}")
    expected = column(design, told, "age_days") * column(design, told, f"deal_type = {kind}")
    assert crossed == pytest.approx(expected, abs=1e-5)


def test_what_is_left_out_is_not_read():
    assert "amount" not in learnt(facts(), left_out=["amount"]).facts
