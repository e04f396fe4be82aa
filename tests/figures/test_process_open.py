"""The first words of the page: what is expected, and of which deals nothing is."""

from types import SimpleNamespace

import polars as pl
import pytest

from cadran.figures.process_open import first_words
from cadran.tables.measured.outlook import Expected
from cadran.text import words_for

CARD = {"chosen": "constant", "untold": None, "n_won": 120, "n_ended": 200, "rungs": []}


def said(n_told: int, n_untold: int):
    listed = pl.DataFrame({
        "probability": [0.5] * n_told + [None] * n_untold, "action": "watch", "fits": False,
    }, schema_overrides={"probability": pl.Float64})  # fmt: skip
    frames = {"actions": listed, "dwell": pl.DataFrame({"dwell_median_days": []}), "rate": pl.DataFrame()}
    answers = SimpleNamespace(
        words=words_for("en"), view={"horizon": "ever", "hours": "40"}, frame=frames.get, one=lambda name: {},
        money=lambda amount: "€1", exact=lambda amount: "€1",
    )  # fmt: skip
    expected = Expected(n_told, n_told / 2, 0.0, float(n_told), 1.0, 0.0, 1.0, 0)
    words = first_words(answers, expected, CARD, None)
    return " ".join(words["sentences"].items), words["headlines"].items[0]


@pytest.mark.parametrize(
    ("n_told", "n_untold", "parts", "open_now", "basis"),
    [
        (4, 0, ["Of 4 open deals, 2 are"], "4", "0 amounts unknown"),
        (4, 5, ["Of 4 open deals, 2 are", "No chance is told of 5 more"], "9", "4 with a chance"),
        (0, 5, ["No chance is told of 5 more"], "5", "0 with a chance"),
        (0, 0, ["No deal is open here."], "0", "0 amounts unknown"),
    ],
)
def test_deals_without_a_chance_are_counted_and_told(n_told, n_untold, parts, open_now, basis):
    sentences, tile = said(n_told, n_untold)

    assert all(part in sentences for part in parts)
    assert ("No chance is told" in sentences) == (n_untold > 0)
    assert ("No deal is open" in sentences) == (n_told + n_untold == 0)
    assert (tile.value, tile.basis) == (open_now, basis)
