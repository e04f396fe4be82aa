"""The figures of the Sales process page: valid charts in both languages, and what they make of their rows."""

import json
import re
from datetime import date

import polars as pl
import pytest

from cadran.figures.blocks import Levers, Nothing
from cadran.figures.bubble import bubbles
from cadran.figures.controls import Choice, read_view
from cadran.figures.figure import WIDTH, compiled
from cadran.figures.opportunities import win_rate_by
from cadran.figures.page import ALONE_IN_ROW, Page
from cadran.figures.process_map import curves
from cadran.text import words_for

HOURS = Choice("hours", "Hours", {"5": "5 hours", "40": "40 hours"}, "40", slides=True, is_local=True)
EN = words_for("en")


@pytest.mark.parametrize(("build", "faded"), [(bubbles, 0.3), (win_rate_by, 0.35)])
def test_what_is_excluded_fades(build, faded):
    fields = {"by": "region"} if build is win_rate_by else {}
    vega = json.loads(compiled(build.__wrapped__, tuple(fields.items()), "en", "EUR").vega)

    scale = next(each for each in vega["scales"] if each["name"].endswith("opacity"))
    # A "point" scale would read these as the ends of a range, and fade nothing.
    assert scale["type"] == "ordinal"
    assert dict(zip(scale["domain"], scale["range"], strict=True))["excluded"] == faded


def test_flows_run_on_skip_and_turn_back():
    flows = pl.DataFrame(
        {
            "from_stage": ["A", "A", "C", None, "A", "A"],
            "to_stage": ["B", "C", "A", "A", None, "Z"],
            "n": [5, 2, 1, 9, 3, 1],
        }
    )

    points = curves(flows, ["A", "B", "C"])

    ways = points.group_by("from_stage", "to_stage", "kind", maintain_order=True).agg(
        pl.col("x").max().alias("right"), pl.col("x").min().alias("left"), pl.col("y").first(), end=pl.col("y").last()
    )
    assert ways.select("from_stage", "to_stage", "kind").rows() == [
        ("A", "B", "on"),
        ("A", "C", "skip"),
        ("C", "A", "back"),
    ]
    on, skip, back = ways.rows(named=True)
    assert on["left"] == on["right"]
    assert skip["right"] > on["right"] > back["left"]
    assert skip["y"] < skip["end"]
    assert back["y"] > back["end"]


def test_an_unknown_amount_is_hollow_and_a_click_opens():
    deals = pl.DataFrame(
        {
            "opportunity_id": ["D1", "D2"], "client": ["X", None], "stage": ["A", "A"], "amount": [1000.0, None],
            "probability": [0.2, 0.6], "probability_low": [0.1, 0.5], "probability_high": [0.3, 0.7],
            "close_date": [date(2026, 7, 1), date(2026, 9, 1)], "action": ["push", "watch"], "state": ["possible"] * 2,
            "action_label": ["Push", "Watch"],
        }
    )  # fmt: skip

    drawn = bubbles(deals, words=EN, title="", dimension="opportunity_id")

    assert [row["key"] for row in json.loads(drawn.rows()["rows"])] == ["D1", "D2"]
    filled = re.findall(r'fill-opacity="([\d.]+)"', drawn.picture())
    assert {"0.55", "0"} <= set(filled)


def test_a_local_slider_stands_in_its_block_and_not_in_the_bar():
    page = Page("Title", EN, [HOURS], places=(("hours",),))
    page.show({"hours": Levers([HOURS], page.first.controls)})

    bar, block = page.html().split("<main>")
    assert 'data-control="hours"' not in bar
    assert 'data-control="hours"' in block
    before = page.content["slots"]["hours"]
    page.view = {**page.view, "controls": {"hours": "5"}, "moving": "hours", "seq": 1}
    page.show({"hours": Levers([HOURS], page.first.controls)})
    # The markup does not change under the hand that holds the slider, and nothing else is marked as stale.
    assert page.content["slots"]["hours"] == before
    assert page.content["stale"] == []
    assert page.content["view"]["controls"] == {"hours": "5"}


@pytest.mark.parametrize(("sent", "held"), [("5", "5"), ("7", "40"), (9999, "40"), (None, "40")])
def test_a_slider_is_held_to_its_steps(sent, held):
    assert read_view({"controls": {"hours": sent}}, [HOURS], [], EN)["hours"] == held


def test_a_part_is_made_anew_for_another_question_only():
    page = Page("Title", EN, [HOURS])
    first, second = (read_view({"controls": {"hours": each}, "seq": 3}, [HOURS], [], EN) for each in ("5", "40"))

    assert page.is_new("list", first.only("hours"))
    assert not page.is_new("list", first.only("hours"))
    assert page.is_new("list", second.only("hours"))
    assert page.is_new("room", first.without("hours"))
    assert not page.is_new("room", second.without("hours"))


def test_what_answered_another_question_is_stale_until_it_is_filled():
    page = Page("Title", EN, [HOURS], places=(("a",), ("b",)))
    page.show({"a": Nothing(), "b": Nothing()})

    stale = []
    for blocks, is_other in (({"a": Nothing()}, True), ({}, False), ({"b": Nothing()}, False)):
        page.show(blocks, is_other=is_other)
        stale.append(page.content["stale"])

    assert stale == [["b"], ["b"], []]


def test_what_is_coming_is_asked_for_again():
    page = Page("Title", EN)
    page.show({}, is_coming=True)
    assert page.content["is_coming"]
    page.show({})
    assert not page.content["is_coming"]


def test_what_holds_nothing_for_now_is_no_box_that_waits():
    page = Page("Title", EN, places=(("here",), ("later",)))
    page.show({"here": Nothing()})

    assert re.findall(r'data-slot="(\w+)" aria-busy', page.picture()) == ["later"]
    assert re.findall(r'data-slot="(\w+)" aria-busy', page.frame) == ["here", "later"]


def test_a_figure_alone_in_its_row_is_drawn_as_wide_as_the_row():
    rates = {
        "region": "N",
        "n_won": 5,
        "n_lost": 5,
        "n_closed": 10,
        "win_rate": 0.5,
        "win_rate_low": 0.2,
        "win_rate_high": 0.8,
    }
    drawn = win_rate_by(pl.DataFrame([rates]), words=EN, title="", by="region")
    pictures = []
    for places in ((("figure",),), (("figure", "other"),)):
        page = Page("Title", EN, places=places)
        page.show({"figure": drawn})
        pictures.append(int(re.search(r'<svg[^>]* width="(\d+)"', page.picture())[1]))

    assert pictures == [ALONE_IN_ROW, WIDTH]


def test_unknown_amounts_alone_are_small():
    vega = json.loads(compiled(bubbles.__wrapped__, (), "en", "EUR").vega)

    scale = next(each for each in vega["scales"] if each["name"].endswith("size"))
    # Of no amount at all the domain would be a point, and every deal be drawn of a middling size.
    assert [0, 1] in scale["domain"]["fields"]
