"""Whatever an address or a browser asks of a page, it is held to what the page allows, and what was not taken is said."""

from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.figures import definitions_page, opportunities_page, process_page, resources_page
from cadran.figures.controls import Choice, Day, Text, read_view, view_of_address
from cadran.figures.facts import Facts
from cadran.text import pick_language, words_for

FACTS = Facts("Ours", "EUR", (), date(2022, 1, 15), date(2026, 6, 30), datetime(2026, 6, 30, tzinfo=UTC), "000001", 0,
              ("region", "team"), n_corrected=3)  # fmt: skip
REACH = resources_page.Reach(("Small", "Großkunden"), ("Nord", "Île de Ré"), ("a", "b"))
ABSURD = [
    "", " ", "x" * 100_000, "-1", "1e309", "NaN", "inf", "9" * 5000, "0x10", "<script>alert(1)</script>", "' or 1=1 --",
    "../../etc/passwd", "%00", "\x00", "\u202e", "é" * 300, "null", "true", "[]", "{}", "9999-99-99", "0001-01-01",
    "9999-12-31", "2026-W01-1", "2026-02-30", "1", "keep|win=1.5|win=x|=|||", "a|" + "|".join("b=1" for _ in range(200)),
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@cache
def pages():
    """The pages whose controls stand by the book alone."""
    words = words_for("en")
    return {
        "opportunities": opportunities_page.open_page(FACTS, words, {}),
        "process": process_page.open_page(FACTS, words, {}),
        "resources": resources_page.open_page(FACTS, REACH, words, {}),
        "definitions": definitions_page.open_page(FACTS, words, {"win_rate": "Win rate"}, {}),
    }


def is_allowed(control, value):
    if isinstance(control, Choice):
        return value in control.options
    if isinstance(control, Day):
        return control.first <= date.fromisoformat(value) <= control.last
    return isinstance(control, Text) and len(value) <= control.most


def check(page, view):
    assert view.controls.keys() == {control.name for control in page.controls}
    assert all(is_allowed(control, view[control.name]) for control in page.controls)
    assert view.selection.keys() <= set(page.dimensions)
    assert all(isinstance(value, str) and len(value) <= 200 for values in view.selection.values() for value in values)
    assert all(1 <= table.page <= 10**6 and len(table.search) <= 200 for table in view.tables.values())
    assert max(map(len, (view.selection, view.tables, view.behind))) <= 500
    assert sum(map(len, view.said)) < 300 * (len(page.controls) + 2)


def read(page, raw):
    view = read_view(raw, page.controls, page.dimensions, page.words)
    check(page, view)
    return view


@pytest.mark.parametrize("name", ["opportunities", "process", "resources", "definitions"])
def test_every_control_of_an_address_is_held_and_what_is_not_taken_is_said(name):
    page = pages()[name]
    for control in page.controls:
        for value in ABSURD:
            for asked in (value, [value, value], []):
                view = read(page, view_of_address({control.name: asked}, page.controls))
                is_taken = not asked or value in ("", view[control.name]) or isinstance(control, Text)
                assert is_taken or any(control.label in said for said in view.said), (control.name, value)


@pytest.mark.parametrize("value", ABSURD)
def test_selections_tables_and_rows_of_an_address_are_held(value):
    page = pages()["process"]
    query = {"in.region": [value] * 3, "in.password": value, f"in.{value}": value, "open": value, "actions.page": value,
             "actions.sort": value, "actions.search": value, f"{value}.page": "1", value: value, "in.": value}  # fmt: skip
    view = read(page, view_of_address(query, page.controls))

    assert any("password" in said for said in view.said)
    assert view.selection.keys() == {"region"}


def test_what_cannot_be_selected_is_said_once():
    page = pages()["opportunities"]
    told = read(page, {"selection": {f"x{n}": ["y"] for n in range(50)}}).said

    assert len(told) == 1
    assert told[0].startswith("This page does not select by x0, x1 and 48 others")


@pytest.mark.parametrize("asked", [None, [], ["fr", "en"], ["xx"], "EN", ["", "en"]])
def test_a_language_that_is_none_is_english(asked):
    assert pick_language(asked, None) == "en"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["opportunities", "process", "resources", "definitions"]), JSON,
       st.dictionaries(st.sampled_from(["controls", "selection", "tables", "behind", "open", "moving", "seq"]), JSON))  # fmt: skip
def test_whatever_a_browser_sends_is_a_view(name, value, raw):
    page = pages()[name]
    read(page, raw)
    read(page, {"controls": {control.name: value for control in page.controls}, "selection": {"region": value}})
    read(page, {"tables": {"list": value}, "moving": value, "seq": value, "behind": [value] * 600, "open": value})


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=700))
def test_a_scenario_of_an_address_is_held_to_its_levers(text):
    page = pages()["resources"]
    view = read(page, {"controls": {"keep_a": text, "keep_b": f"x|win={text}|size={text}"}})

    for scenario in resources_page.scenarios(view, page.controls, page.words):
        assert len(scenario.name) <= 40
        levers = [control for control in page.controls if control.name in scenario.view.controls]
        assert all(is_allowed(control, scenario.view[control.name]) for control in levers)
