"""Where deals wait: what a book cannot tell is said once."""

from datetime import UTC, date, datetime

from cadran.figures import process_where as where
from cadran.figures.blocks import Nothing
from cadran.figures.controls import read_view
from cadran.figures.facts import Facts
from cadran.figures.opportunities_answers import Answers
from cadran.tables.problems import Problem
from cadran.text import words_for

EN = words_for("en")
DAY = date(2026, 6, 30)
REPAIR = "Import their history."


def test_how_to_repair_a_book_is_said_once():
    of = {
        "conversion": "A",
        "dwell": "B",
        "flows": "C",
        "waiting": "D",
        "bottlenecks": "E",
        "rework": "F",
        "variants": "G",
    }
    frames = {name: Problem(f"{what} cannot be had.", REPAIR) for name, what in of.items()}
    frames["close_timing"] = Problem("H cannot be had.", "Map the field.")
    facts = Facts("B", "EUR", (), DAY, DAY, datetime(2026, 6, 30, tzinfo=UTC), "1", 0, ())
    answers = Answers(facts, read_view({}, [], [], EN), EN, (DAY, DAY), {}, frames, {})

    stages, waits = where.stages(answers), where.waits(answers)

    assert [slot for slot, block in stages.items() if not isinstance(block, Nothing)] == ["funnel"]
    assert stages["funnel"].text == f"A cannot be had.\n{REPAIR}"
    assert {slot: block.text for slot, block in waits.items()} == {
        "waiting": "D cannot be had.", "bottlenecks": "E cannot be had.", "rework": "F cannot be had.",
        "variants": "G cannot be had.", "early_late": "H cannot be had.\nMap the field.",
    }  # fmt: skip
