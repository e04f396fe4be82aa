"""Concentration and clients concerned, against published indices and plain loops."""

from datetime import date

import numpy as np
import pytest

from cadran.measures import MEASURES, Question
from cadran.measures.clients import client_concentration, clients_concerned, concentration_index


def won(amounts: dict, **columns) -> list[dict]:
    return [
        {"status": "won", "amount": a, "group_id": name, "account_id": name} | columns for name, a in amounts.items()
    ]


def test_herfindahl_is_the_published_one(make_deals):
    # Horizontal Merger Guidelines (2010), section 5.3, note 9: shares of 30, 30, 20 and 20 per cent give 2,600.
    deals = make_deals(won({"a": 30.0, "b": 30.0, "c": 20.0, "d": 20.0}))

    measured = concentration_index(deals, top=2).collect().to_native().row(0, named=True)

    assert measured["herfindahl"] == pytest.approx(0.26)
    assert measured["n_effective_clients"] == pytest.approx(1 / 0.26)
    assert measured["top_share"] == pytest.approx(0.6)


def test_ranking_adds_up_and_equals_a_plain_loop(make_deals):
    random = np.random.default_rng(4)
    clients = [f"c{n}" for n in random.integers(0, 9, 60)]
    amounts = random.lognormal(8, 1, 60).tolist()
    rows = [r for name, a in zip(clients, amounts, strict=True) for r in won({name: a})]

    measured = client_concentration(make_deals(rows)).collect().to_native()

    sums = {name: sum(a for c, a in zip(clients, amounts, strict=True) if c == name) for name in set(clients)}
    ranked, so_far = sorted(sums, key=lambda name: -sums[name]), 0.0
    for row, name in zip(measured.iter_rows(named=True), ranked, strict=True):
        so_far += sums[name] / sum(amounts)
        assert (row["group_id"], row["n_won"]) == (name, clients.count(name))
        assert (row["revenue"], row["cumulative_share"]) == pytest.approx((sums[name], so_far))
    assert measured["rank"].to_list() == list(range(1, len(ranked) + 1))
    assert measured["cumulative_share"][-1] == pytest.approx(1)


def test_unknown_clients_and_amounts_are_counted_apart(make_deals):
    named = won({"a": 40.0, "b": None, None: 60.0, "c": 0.0})
    rows = [*named, {"status": "won"}, {"status": "open", "amount": 9.0}]

    index = concentration_index(make_deals(rows)).collect().to_native().row(0, named=True)
    ranking = client_concentration(make_deals(rows)).collect().to_native()

    assert (index["n_clients"], index["n_won"], index["n_unknown_client"], index["n_unknown_amount"]) == (2, 2, 2, 1)
    assert (index["revenue"], index["herfindahl"], index["top_share"]) == (40, 1, 1)
    assert ranking.select("rank", "group_id", "revenue_share").rows() == [(1, "a", 1.0), (2, "c", 0.0)]


def test_without_revenue_there_is_no_share(make_deals):
    nothing = make_deals(won({"a": 0.0, "b": None}))

    assert concentration_index(nothing).collect().select("n_clients", "herfindahl", "top_share").row(0) == (
        1,
        None,
        None,
    )
    assert client_concentration(nothing).collect()["revenue_share"].to_list() == [None]
    assert concentration_index(make_deals([{"status": "lost"}])).collect().is_empty()


def test_clients_of_one_group_are_one(make_book):
    names = {"p": None, "s1": "p", "s2": "p", "z": None, "o": "elsewhere"}
    accounts = [
        {"account_id": a, "valid_from": "2025-01-01", "name": a.upper(), "parent_account_id": p}
        for a, p in names.items()
    ]
    deals = [
        {"status": "won", "created": "2026-01-01", "closed": "2026-02-01", "amount": 10.0 * n, "account_id": account}
        for n, account in enumerate(["p", "s1", "s2", "z", "o"], start=1)
    ]

    measured = MEASURES["client_concentration"].ask(make_book(deals, accounts=accounts), Question())

    assert measured.select("group_id", "client", "n_won", "revenue").rows() == [
        ("p", "P", 3, 60.0),
        ("elsewhere", "elsewhere", 1, 50.0),
        ("z", "Z", 1, 40.0),
    ]


def test_clients_concerned_counts_each_once(make_deals):
    rows = [
        ("a", "open"),
        ("a", "open"),
        ("a", "won"),
        ("b", "lost"),
        ("c", "disqualified"),
        (None, "open"),
        (None, "won"),
    ]

    measured = clients_concerned(make_deals([{"account_id": a, "status": s} for a, s in rows])).collect()

    assert measured.to_native().row(0, named=True) == {
        "n_clients": 2, "n_clients_open": 1, "n_clients_won": 1, "n_clients_lost": 1, "n_unknown": 2,
    }  # fmt: skip


def test_clients_concerned_in_a_period(make_book):
    deals = [
        {"status": "won", "created": "2025-01-01", "closed": "2025-06-01", "account_id": "a"},
        {"status": "won", "created": "2026-01-01", "closed": "2026-02-01", "account_id": "b"},
        {"created": "2025-01-01", "account_id": "c"},
    ]

    measured = MEASURES["clients_concerned"].ask(make_book(deals), Question(since=date(2026, 1, 1)))

    assert measured.select("n_clients", "n_clients_open", "n_clients_won").rows() == [(2, 1, 1)]
