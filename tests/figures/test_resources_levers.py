"""The levers of a scenario: what is pulled, in what, how the address keeps it, and what nonsense comes to."""

from datetime import date

import pytest

from cadran.figures.controls import Text, read_view, view_of_address
from cadran.figures.page import Page
from cadran.figures.resources_levers import (
    Kept,
    Panel,
    Reach,
    as_kept,
    lever_controls,
    levers_of,
    names_of,
    scenarios,
    told,
)
from cadran.text import words_for

EN = words_for("en")
REACH = Reach(("SMB", "Mid-market"), ("Île-de-France", "Nord"), ("2025", "2026"))
CONTROLS = lever_controls(REACH, EN)
MONTHS = [date(2026, month, 1) for month in (7, 8, 9)]


def view(**query):
    return read_view(view_of_address(query, CONTROLS), CONTROLS, (), EN)


def test_nothing_pulled_is_nothing():
    assert levers_of(view(), REACH, MONTHS) == {}
    assert told(view(), CONTROLS, EN) == []


def test_levers_come_by_name_and_unit():
    pulled = view(**{"win": "1.1", "win-smb": "0.9", "size": "1.2", "answer": "4", "plan": "2025", "hires-nord": "2",
                     "from-nord": "1", "hires-ile-de-france": "1", "from-ile-de-france": "11", "arrivals-nord": "1.3"})  # fmt: skip

    assert levers_of(pulled, REACH, MONTHS) == {
        "win_odds": ((None, 1.1), ("SMB", 0.9)), "size": 1.2, "arrivals": (("Nord", 1.3),), "answer_hours": 4.0,
        "hires": (("Île-de-France", date(2026, 9, 1), 1), ("Nord", date(2026, 8, 1), 2)), "plan": "2025",
    }  # fmt: skip
    assert "Odds of winning, SMB: -10%" in [each.replace("−", "-") for each in told(pulled, CONTROLS, EN)]
    assert "Hires, Nord: 2 sellers" in told(pulled, CONTROLS, EN)


@pytest.mark.parametrize("query", [{"win": "9000"}, {"hires-nord": "-4"}, {"plan": "../etc"}, {"size": "nan"}])
def test_a_lever_is_held_to_its_steps(query):
    held = view(**query)

    assert levers_of(held, REACH, MONTHS) == {}
    assert held.said


def test_a_scenario_is_kept_in_the_address_and_read_back():
    pulled = view(**{"win-smb": "1.2", "hires-nord": "3"})

    kept = view(keep_b=f"Two in Nord|{as_kept(pulled, CONTROLS)}")
    (found,) = scenarios(kept, CONTROLS, EN)

    assert (found.name, found.place) == ("Two in Nord", "keep_b")
    assert levers_of(found.view, REACH, MONTHS) == levers_of(pulled, REACH, MONTHS)


@pytest.mark.parametrize("kept", ["", "|win=1.1", "A|win=77|no=such|=|x", "x" * 9000, "A|as_of=2020-01-01"])
def test_nonsense_kept_pulls_nothing(kept):
    assert all(levers_of(each.view, REACH, MONTHS) == {} for each in scenarios(view(keep_a=kept), CONTROLS, EN))


def test_names_in_the_address_are_plain_and_differ():
    named = Reach().named(["Nord", "nord", "Ōsaka / Est", "all", "…"])

    assert list(named.values()) == ["Nord", "nord", "Ōsaka / Est", "all", "…"]
    assert all(short.replace("-", "").isalnum() and short.isascii() for short in named)
    assert "all" not in named


def test_one_region_and_no_segment_leave_the_lever_on_all():
    names = names_of(lever_controls(Reach((), ("Nord",)), EN))

    assert {"win", "arrivals", "hires-nord"} <= {*names}
    assert not {"win_in", "arrivals_in", "plan"} & {*names}
    assert "hires_in" not in names_of(lever_controls(Reach(), EN))


def test_the_panel_stays_as_it_is_while_levers_move():
    page = Page("Title", EN, CONTROLS, places=(("levers",), ("kept",)))
    shown = []
    for win in ("1", "1.1"):
        page.view = {**page.view, "controls": {"win": win}, "moving": "win", "seq": 1}
        levers = [each for each in CONTROLS if not isinstance(each, Text)]
        page.show({"levers": Panel(levers, page.first.controls, "Levers", "")})
        shown.append(page.content["slots"]["levers"])

    assert shown[0] == shown[1]
    assert page.content["stale"] == []
    assert "hires-nord" not in page.html().split("<main>")[0]


def test_a_name_cannot_leave_its_markup():
    (each,) = scenarios(view(keep_a='<b>"x"</b>|win=1.1'), CONTROLS, EN)
    rest = dict.fromkeys(names_of(CONTROLS), "1")

    html = Kept([each], "win=1.1", rest, "Kept", ("<i>",), {"toml": b"x"}).html("kept", EN)

    assert "<b>" not in html
    assert "<i>" not in html
    assert "data-format=toml" in html
