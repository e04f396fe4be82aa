"""Nobody is taken for the analyst where readers sign in."""

import pytest

from cadran.book.reader import Reader
from cadran.publish import reading
from cadran.publish.reading import published_book, reading_as, told_reader
from cadran.tables.problems import Problem

ANA = Reader("ana", "manager", frozenset({"Nord"}), frozenset({"Lille"}), "fr")


@pytest.fixture
def closed(monkeypatch, book):
    """A process that publishes the tiny book to known readers alone."""
    monkeypatch.setenv("CADRAN_BOOK", str(book))
    reading.publish(to_known=True)
    yield
    reading.publish(to_known=False)


def test_without_sign_in_the_whole_book_is_read(monkeypatch, book):
    monkeypatch.setenv("CADRAN_BOOK", str(book))

    assert published_book().reader is None


def test_where_readers_sign_in_somebody_has_to(closed):
    with pytest.raises(Problem, match="Nobody is signed in"):
        published_book()
    with reading_as(ANA):
        assert published_book().reader == ANA.nobody
    with pytest.raises(Problem, match="Nobody is signed in"):
        published_book()


def test_who_a_page_is_told_it_is_read_by_is_who_signed_in(closed, monkeypatch):
    class Request:
        user = told_reader(ANA)

    class Meta:
        request = Request

    monkeypatch.setattr("marimo.app_meta", Meta)
    assert published_book().reader == ANA.nobody
    Request.user = {"is_authenticated": True, "username": "ana"}  # as marimo tells of others
    with pytest.raises(Problem, match="Nobody is signed in"):
        published_book()
