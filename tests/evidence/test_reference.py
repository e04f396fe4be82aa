"""The reference of won deals in companies where nothing tells who will win: how often it says that something differs."""

import pytest
from scipy.stats import binom

from cadran.book import open_book, write_book
from cadran.measures import MEASURES, Question
from cadran.sources.sample import invent

SEEDS, DEALS = range(101, 121), 2000


@pytest.mark.parametrize("seed", SEEDS)
def test_a_company_without_signal(ledger, seed, tmp_path):
    if ledger.find(seed=seed, deals=DEALS) is None:
        delivery = invent(deals=DEALS, seed=seed, signal=0)
        write_book(tmp_path, delivery, delivery.settings.taken)
        told = MEASURES["reference"].ask(open_book(tmp_path), Question())
        alone = told.drop_nulls(["difference_low", "difference_high"])
        ledger.add(
            seed=seed, deals=DEALS, n_compared=told["n_compared"][0], n_said=int(told["is_difference"].sum()),
            n_with_both_ends=alone.height,
            n_alone=int(((alone["difference_low"] > 0) | (alone["difference_high"] < 0)).sum()),
        )  # fmt: skip


def test_luck_is_said_to_differ_in_one_book_of_twenty_at_most(ledger):
    lines = [ledger.find(seed=seed, deals=DEALS) for seed in SEEDS]
    wrong = sum(line["n_said"] > 0 for line in lines)
    alone = sum(line["n_alone"] for line in lines) / sum(line["n_with_both_ends"] for line in lines)

    assert wrong <= binom.ppf(0.99, len(lines), 0.05)
    # Facts of one book hang together: 37 differences of 20 books tell as much as a few hundred.
    assert 0.02 <= alone <= 0.08
