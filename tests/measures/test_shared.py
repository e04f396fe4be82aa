"""What is made for a view is every reader's of the same scope, version and language, and nobody else's."""

import threading
from dataclasses import replace

import pytest

from cadran.book import SAMPLE, open_book
from cadran.book.reader import Reader
from cadran.measures.shared import Shared

NORD = Reader("", "manager", frozenset({"Nord"}))


@pytest.fixture
def book():
    return open_book(SAMPLE, NORD)


def test_it_is_made_once_for_all_who_look_at_the_same(book):
    made = []
    for noting in (None, lambda *_: None):
        told = Shared(replace(book, viewed=noting), "a view of this test", "en")
        told("part", lambda: made.append("once") or {"block": 1})

    assert made == ["once"]


@pytest.mark.parametrize(
    "other",
    [
        lambda book, own: Shared(open_book(SAMPLE), own.view, own.language),
        lambda book, own: Shared(open_book(SAMPLE, replace(NORD, role="presenter")), own.view, own.language),
        lambda book, own: Shared(open_book(SAMPLE, replace(NORD, persons=frozenset({"R129"}))), own.view, own.language),
        lambda book, own: Shared(replace(book, seal="another"), own.view, own.language),
        lambda book, own: Shared(replace(book, rates_persons=True), own.view, own.language),
        lambda book, own: replace(own, view="another"),
        lambda book, own: replace(own, language="fr"),
        lambda book, own: replace(own, beside=(("pay.toml", 1),)),
    ],
)
def test_it_is_not_for_another_scope_version_view_or_language(book, other):
    own = Shared(book, "a view of this test too", "en")
    first = own("part", object)

    assert own("part", object) is first
    assert other(book, own)("part", object) is not first
    assert own("another part", object) is not first


def test_of_those_who_ask_at_once_one_makes_it(book):
    told, made, begun = Shared(book, "asked at once", "en"), [], threading.Barrier(4)

    def ask():
        begun.wait()
        told("part", lambda: made.append(1) or made)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert made == [1]


def test_what_could_not_be_made_is_tried_again(book):
    told = Shared(book, "fails at first", "en")
    with pytest.raises(ZeroDivisionError):
        told("part", lambda: 1 // 0)

    assert told("part", lambda: "made") == "made"
