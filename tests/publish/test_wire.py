"""What a page's browser may say is taken; whatever else comes is not, and breaks nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.publish.wire import NoMessage, as_body, held, read_message

VIEW = {
    "controls": {"by": "region"}, "defaults": {"by": "team"}, "selection": {"region": ["Nord", ""]},
    "tables": {"list": {"sort": "-amount", "page": 2, "search": "x"}}, "behind": ["won"], "open": None, "moving": "",
    "seq": 3,
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)  # fmt: skip
PARTS = st.dictionaries(st.sampled_from([*VIEW, "x", "__class__"]), JSON)


def sent(view, **more):
    return {
        "modelId": "m",
        "message": {"method": "update", "state": {"view": view}, "bufferPaths": []},
        "buffers": [],
        **more,
    }


def taken(message):
    """What is sent on of a message; null if it is turned away."""
    try:
        _, told = read_message(json.dumps(message).encode())
        return json.loads(as_body(held(told)))
    except NoMessage:
        return None


@pytest.mark.parametrize("view", [VIEW, {}, {"controls": {"day": "2026-01-31"}, "seq": 1}])
def test_a_view_goes_on_as_it_is(view):
    assert taken(sent(view)) == sent(view)


def test_asking_for_a_file_goes_on():
    asked = {
        "modelId": "m",
        "message": {"method": "custom", "content": {"export": "won", "format": "csv", "theme": "dark"}},
    }

    assert taken(asked) == asked | {"buffers": []}


@pytest.mark.parametrize(
    "part",
    [
        {"controls": []}, {"controls": {"by": 1}}, {"controls": {"by": float("nan")}}, {"controls": {"by": "x" * 1_001}},
        {"controls": {str(n): "" for n in range(5_001)}}, {"selection": {"region": "Nord"}}, {"selection": {"region": [None]}},
        {"selection": {"region": ["x"] * 5_001}}, {"tables": {"list": {"page": 1.5}}}, {"tables": {"list": {"page": -1}}},
        {"tables": {"list": {"rows": 9}}}, {"behind": "won"}, {"behind": [[]]}, {"open": {}}, {"moving": ["x"]}, {"seq": True},
        {"seq": 2**53}, {"seq": float("inf")}, {"__class__": "x"}, {"controls": {"by": "\ud800"}},
    ],
)  # fmt: skip
def test_a_view_that_no_browser_of_ours_sends_is_turned_away(part):
    assert taken(sent(VIEW | part)) is None


@pytest.mark.parametrize(
    "message",
    [
        None, [], "x", {}, {"modelId": 1}, sent(VIEW, more=1), sent(VIEW, buffers=["eA=="]), sent([]), sent(None),
        {"modelId": "m", "message": {"method": "update", "state": {"view": {}, "frame": "x"}, "bufferPaths": []}},
        {"modelId": "m", "message": {"method": "update", "state": {"view": {}}, "bufferPaths": [["view"]]}},
        {"modelId": "m", "message": {"method": "custom", "content": {"export": ["x"], "format": "csv"}}},
        {"modelId": "m", "message": {"method": "custom", "content": {"format": {"csv": 1}}}},
        {"modelId": "m", "message": {"method": "close"}},
    ],
)  # fmt: skip
def test_a_message_that_no_browser_of_ours_sends_is_turned_away(message):
    assert taken(message) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"modelId": ' + b"9" * 10_000 + b"}", b"NaN", b'{"modelId": "\xff"}'],
)
def test_what_is_no_message_is_turned_away(body):
    with pytest.raises(NoMessage):
        read_message(body)


@settings(max_examples=300, deadline=None)
@given(JSON | PARTS.map(sent) | st.dictionaries(st.sampled_from(["modelId", "message", "buffers"]), JSON | PARTS))
def test_whatever_comes_is_a_view_or_a_file_asked_for_or_turned_away(message):
    told = taken(message)

    assert told is None or told["message"]["method"] == "custom" or told["message"]["state"].keys() == {"view"}
