from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from cadran.book.one_to_ones import noted, sifted
from cadran.book.reader import Reader
from cadran.measures.counting import wilson
from cadran.models.regularity import FEW, ONE_MANAGER, regularity
from cadran.tables.measured.one_to_ones import Regularity

TODAY = date(2026, 6, 30)


def staffed(make_book, teams):
    """{(region, team): {manager: people}}"""
    reps, number = [], 0
    for (region, team), managers in teams.items():
        for manager, n in managers.items():
            for _ in range(n):
                number += 1
                reps.append({"rep_id": f"p{number:02}", "manager_id": manager, "valid_from": "2026-01-01", "team": team,
                             "region": region, "role": "seller"})  # fmt: skip
    return make_book(reps=reps)


def met(book, *told):
    frame = pl.DataFrame({"person": [p for p, _ in told], "day": [d for _, d in told]}).with_columns(
        kind=pl.lit("held"), manager=pl.lit(None, pl.String), minutes=pl.lit(60), file=pl.lit("f"), row=1, line=2,
        day_told=pl.lit(""), minutes_told=pl.lit(""),
    )  # fmt: skip
    kept, aside = sifted(book, frame, TODAY)
    assert aside.is_empty()
    noted(book, kept, None)


def test_regularity_of_groups_with_several_managers(make_book):
    book = staffed(make_book, {("N", "A"): {"m1": 3, "m2": 3}, ("S", "B"): {"m3": 4, "m4": 4}})
    met(
        book,
        ("p01", date(2026, 6, 20)),
        ("p01", date(2026, 6, 6)),
        ("p04", date(2026, 6, 25)),
        ("p07", date(2026, 4, 1)),
        *((person, date(2026, 3, 2)) for person in ("p02", "p05", "p11")),
    )

    found = regularity(book, TODAY)

    Regularity.validate(found)
    assert found.select("region", "team", "n_people", "n_managers", "n_on_rhythm", "n_held", "median_gap_days").rows() == [
        (None, None, 14, 4, 2, 7, 14.0), ("N", None, 6, 2, 2, 5, 14.0), ("S", None, 8, 2, 0, 2, None),
        ("N", "A", 6, 2, 2, 5, 14.0), ("S", "B", 8, 2, 0, 2, None),
    ]  # fmt: skip
    assert found.select("on_rhythm_share_low", "on_rhythm_share_high").row(1) == pytest.approx(wilson(2 / 6, 6))


def test_neither_a_group_nor_a_difference_tells_of_one_manager(make_book):
    book = staffed(make_book, {("N", "A"): {"m1": 6}, ("N", "B"): {"m2": 3, "m3": 3}, ("S", "C"): {"m4": 3, "m5": 1}})
    met(book, *((person, date(2026, 6, 1)) for person in ("p01", "p07", "p10", "p13", "p16")))

    found = {(row["region"], row["team"]): row["reason"] for row in regularity(book, TODAY).to_dicts()}

    # Team A is one manager's; B is told only if N is not, or N less B would be A.
    assert found[("N", "A")] == ONE_MANAGER
    assert ONE_MANAGER in (found[("N", None)], found[("N", "B")])
    assert found[("S", "C")] == FEW
    assert found[(None, None)] is None
    opened = regularity(replace(book, rates_persons=True), TODAY)
    assert set(opened["reason"]) == {None, FEW}


def test_people_of_managers_who_note_none_are_in_no_group(make_book):
    book = staffed(make_book, {("N", "A"): {"m1": 3, "m2": 3}, ("S", "B"): {"m3": 4, "m4": 4}})
    met(book, ("p01", date(2026, 6, 1)), ("p04", date(2026, 6, 1)))

    assert regularity(book, TODAY).select("region", "team", "n_people").rows() == [
        (None, None, 6), ("N", None, 6), ("N", "A", 6),
    ]  # fmt: skip


def test_a_reader_of_a_region_is_told_of_it(make_book):
    book = staffed(make_book, {("N", "A"): {"m1": 3, "m2": 3}, ("S", "B"): {"m3": 4, "m4": 4}})

    met(book, *((person, date(2026, 6, 1)) for person in ("p01", "p04", "p07", "p11")))

    found = regularity(replace(book, reader=Reader("x", "manager", regions=frozenset({"S"}))), TODAY)

    assert found.select("region", "team").rows() == [("S", None), ("S", "B")]
