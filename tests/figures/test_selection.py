"""Selected, possible, excluded: as Qlik users know it."""

import polars as pl
import pytest

from cadran.figures.selection import as_where, states, with_states

DEALS = pl.DataFrame(
    [
        ("North", "Retail"),
        ("North", "Health"),
        ("South", "Retail"),
        ("South", None),
        (None, "Energy"),
    ],
    schema=["region", "sector"],
    orient="row",
)


def told(selected, dimension):
    return {value: (n, state) for value, n, state in states(DEALS, selected, ["region", "sector"])[dimension].rows()}


def test_nothing_selected_leaves_every_value_possible():
    assert told({}, "region") == {"North": (2, "possible"), "South": (2, "possible"), None: (1, "possible")}


def test_a_selection_excludes_values_of_other_dimensions_only():
    selected = {"region": ["North"]}

    assert told(selected, "region") == {"North": (2, "selected"), "South": (2, "possible"), None: (1, "possible")}
    assert told(selected, "sector") == {
        "Retail": (1, "possible"),
        "Health": (1, "possible"),
        "Energy": (0, "excluded"),
        None: (0, "excluded"),
    }


def test_unknown_can_be_selected():
    assert told({"sector": [""]}, "region") == {
        "North": (0, "excluded"),
        "South": (1, "possible"),
        None: (0, "excluded"),
    }
    assert as_where({"sector": ("", "Retail")}) == {"sector": (None, "Retail")}


@pytest.mark.parametrize("selected", [{}, {"region": ["North"]}, {"region": ["South", ""], "sector": ["Retail"]}])
def test_counts_are_those_of_a_plain_loop(selected):
    for dimension in ("region", "sector"):
        slow = {}
        for deal in DEALS.to_dicts():
            fits = all((deal[c] or "") in v for c, v in selected.items() if c != dimension)
            slow[deal[dimension]] = slow.get(deal[dimension], 0) + fits
        assert {value: n for value, (n, _) in told(selected, dimension).items()} == slow


def test_no_deals_at_all():
    assert states(DEALS.clear(), {"region": ["North"]}, ["region"])["region"].is_empty()


def test_a_figure_keeps_a_line_for_what_is_excluded():
    measured = pl.DataFrame({"sector": ["Retail"], "n": [1]})
    of = states(DEALS, {"region": ["North"]}, ["sector"])["sector"]

    shown = with_states(measured, "sector", of, ())

    assert shown.rows() == [
        ("Energy", None, "excluded"),
        ("Health", None, "possible"),
        ("Retail", 1, "possible"),
        (None, None, "excluded"),
    ]
