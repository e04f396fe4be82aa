"""What a page's browser may tell it: how its reader looks at it, and that a file is asked for. All else is turned away
before marimo reads it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

#: Entries of one part of a view: a page has some hundred controls, and a selection some thousand names.
_MOST = 5_000
#: Letters of a name or a value.
_LETTERS = 1_000


class NoMessage(Exception):
    """What came is nothing that a page's browser says."""


def read_message(body: bytes) -> tuple[str, dict[str, Any]]:
    """What a browser tells a widget, under marimo's names: the widget's, and the message.

    Raises:
        NoMessage: If it is no such message.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise NoMessage from None
    if not isinstance(told, dict) or not isinstance(model := told.get("modelId"), str):
        raise NoMessage
    return model, told


def held(told: Mapping[str, Any]) -> dict[str, Any]:
    """The message of a page's browser, with nothing in it but what a page takes.

    Raises:
        NoMessage: If anything else is in it.
    """
    message = told.get("message")
    if (
        told.keys() - {"modelId", "message", "buffers"}
        or told.get("buffers", []) != []
        or not isinstance(message, dict)
    ):
        raise NoMessage
    kept: dict[str, Any]
    if message.get("method") == "update":
        state = message.get("state")
        # marimo's own front end tells all of a widget's state; a page's state but for its view is its own.
        if message.get("bufferPaths", []) != [] or not isinstance(state, dict) or state.keys() != {"view"}:
            raise NoMessage
        kept = {"method": "update", "state": {"view": _parts(state["view"], _VIEW)}, "bufferPaths": []}
    elif message.get("method") == "custom":
        kept = {"method": "custom", "content": _parts(message.get("content"), _FILE)}
    else:
        raise NoMessage
    return {"modelId": told["modelId"], "message": kept, "buffers": []}


def as_body(message: Mapping[str, Any]) -> bytes:
    """A message as it is sent on.

    Raises:
        NoMessage: If it cannot be: half of a pair of surrogates is no letter.
    """
    try:
        return json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise NoMessage from None


def _parts(value: object, known: Mapping[str, Callable[[object], bool]]) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(name in known and known[name](each) for name, each in value.items()):
        raise NoMessage
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LETTERS


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MOST and all(map(_is_text, value))


def _by_name(is_one: Callable[[object], bool]) -> Callable[[object], bool]:
    def are(value: object) -> bool:
        return isinstance(value, dict) and len(value) <= _MOST and all(map(_is_text, value)) and all(
            is_one(each) for each in value.values()
        )  # fmt: skip

    return are


def _is_table(value: object) -> bool:
    known = {"sort": _is_text_or_none, "page": _is_count, "search": _is_text_or_none}
    return isinstance(value, dict) and all(name in known and known[name](each) for name, each in value.items())


_VIEW: dict[str, Callable[[object], bool]] = {
    "controls": _by_name(_is_text_or_none), "defaults": _by_name(_is_text_or_none), "selection": _by_name(_are_texts),
    "tables": _by_name(_is_table), "behind": _are_texts, "open": _is_text_or_none, "moving": _is_text, "seq": _is_count,
}  # fmt: skip
_FILE: dict[str, Callable[[object], bool]] = {"export": _is_text, "format": _is_text, "theme": _is_text_or_none}
