"""What of a page a report holds."""

import polars as pl
import pytest

from cadran.figures.blocks import Contents, Heading, Levers, Nothing, Notice, Sentences
from cadran.figures.controls import Choice
from cadran.figures.page import Page
from cadran.figures.table import Table
from cadran.reports.shown import Settings, rows_of
from cadran.text import words_for

WORDS = words_for("en")


def page(places, blocks, controls=()):
    made = Page("Page", WORDS, controls, (), places)
    made.show(blocks)
    return made


def test_headings_that_head_nothing_are_left_out():
    heads = {f"h{n}": Heading(f"h{n}", f"Part {n}") for n in range(3)}
    places = (("h0",), ("gone",), ("h1",), ("said",), ("h2",), ("contents",))
    blocks = {**heads, "gone": Nothing(), "said": Sentences(["Said."]), "contents": Contents([])}

    assert rows_of(page(places, blocks)) == [[heads["h1"]], [blocks["said"]]]


def test_a_table_too_wide_to_stand_beside_has_its_own_row():
    frame = pl.DataFrame({f"column_number_{n}": ["some text"] for n in range(9)})
    notice, wide = Notice("Why."), Table(frame, "Wide", WORDS, "EUR")
    narrow = Table(frame.select("column_number_0"), "Narrow", WORDS, "EUR")

    assert rows_of(page((("a", "b"),), {"a": notice, "b": wide})) == [[notice], [wide]]
    assert rows_of(page((("a", "b"),), {"a": notice, "b": narrow})) == [[notice, narrow]]


def test_controls_are_told_by_what_they_are_set_to():
    hours = Choice("hours", "Hours", {"20": "20 hours", "40": "40 hours"}, "40", is_local=True)
    other = Choice("other", "Other", {"a": "A"}, "a", is_local=True, when="hours=20")
    levers = Levers([hours, other], {"hours": "40", "other": "a"}, "What if")

    [[told]] = rows_of(page((("levers",),), {"levers": levers}, [hours, other]))

    assert told == Settings("What if", "", [("Hours", "40 hours")])
    assert told.told(WORDS) == "Hours: 40 hours"


def test_a_block_that_nobody_decided_on_is_refused():
    class Other:
        def html(self, slot, words):
            return ""

    with pytest.raises(TypeError, match="Other"):
        rows_of(page((("a",),), {"a": Other()}))
