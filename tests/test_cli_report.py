"""`cadran report` and `cadran digest`: what they write, what they refuse, and what stays when they fail."""

import shutil
from datetime import UTC, datetime

import pytest

from cadran.access.accounts import Accounts
from cadran.access.guests import Guests
from cadran.book import Reader
from cadran.book.views import Views
from cadran.tables.problems import Problem


@pytest.fixture
def report(small_company, run, monkeypatch):
    """Run `cadran report` on the small company."""
    monkeypatch.setenv("CADRAN_BOOK", str(small_company))
    return lambda *arguments: run("report", *arguments)


def test_several_files_of_one_run(report, tmp_path):
    files = [tmp_path / f"r.{ending}" for ending in ("html", "pdf", "pptx", "xlsx")]

    status, out, _ = report("pulse", "--lang", "fr", *(each for file in files for each in ("--out", file)))

    assert (status, out) == (0, "")
    assert [file.read_bytes()[:4] for file in files] == [b"<!do", b"%PDF", b"PK\x03\x04", b"PK\x03\x04"]
    assert '<html lang="fr">' in files[0].read_text("utf-8")


def test_what_was_there_stays_when_a_page_fails(report, tmp_path, monkeypatch):
    def fails(app, query):
        return Problem("The notebook {name} fails.", "", name=app.name)

    monkeypatch.setattr("cadran.reports.gathered.page_of", fails)
    (tmp_path / "r.html").write_bytes(b"old")

    status, _, told = report("pulse", "--out", tmp_path / "r.html", "--out", tmp_path / "r.pdf")

    assert status == 1
    assert "The notebook pulse fails." in told
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"r.html": b"old"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("weather", "--out", "r.pdf"), "no axis weather"),
        (("pulse", "--out", "r.doc"), "ends in nothing"),
        (("pulse", "--out", "missing/r.pdf"), "no folder missing"),
        (("pulse", "--out", "r.pdf", "--as-of", "1999-01-01"), "This book begins on"),
        (("pulse", "--out", "r.pdf", "--as-of", "2999-01-01"), "knows nothing after"),
        (("pulse", "--out", "r.pdf", "--scope", "Nord"), "Nord is no scope"),
        (("pulse", "--out", "r.pdf", "--scope", "region:Atlantis"), "No region is called Atlantis"),
        (("pulse", "--out", "r.pdf", "--scope", "user:anne"), "Nobody has an account called anne"),
        (("pulse", "--out", "r.pdf", "--scope", "user:a", "--scope", "team:b"), "a scope of its own"),
    ],
)
def test_bad_input_is_told(report, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)

    status, _, told = report(*arguments)

    assert status == 1
    assert said in told
    assert list(tmp_path.iterdir()) == []


def test_an_account_has_its_own_scope(tmp_path, small_company, run, monkeypatch):
    book = tmp_path / "book"
    shutil.copytree(small_company, book, ignore=shutil.ignore_patterns("pulse"))
    monkeypatch.setenv("CADRAN_BOOK", str(book))
    run("user", "add", "anne", "--role", "manager", "--region", "Nord")

    status, _, _ = run("report", "opportunities", "--scope", "user:anne", "--lang", "en", "--out", tmp_path / "r.html")

    assert status == 0
    assert "<li>Region: Nord</li>" in (tmp_path / "r.html").read_text("utf-8")


@pytest.fixture
def own(tmp_path, small_company, run, monkeypatch):
    """A copy of the small company with accounts, and a guest of a provider."""
    book = tmp_path / "book"
    shutil.copytree(small_company, book)
    monkeypatch.setenv("CADRAN_BOOK", str(book))
    run("user", "add", "paula", "--role", "pay", "--region", "Nord")
    guests = Guests(Accounts(book), "https://login.example", "terms")
    guests.enter("u1", Reader("eve@x.fr", "manager", frozenset({"Nord"})), datetime.now(UTC), None, "")
    return book


def test_an_account_gets_the_pages_of_its_role_and_no_other(own, run, tmp_path):
    for command in (("report", "pulse", "process"), ("report", "opportunities")):
        status, _, told = run(*command, "--scope", "user:paula", "--out", tmp_path / "r.html")
        assert (status, "is not told to the role pay" in told) == (1, True)
    assert not (tmp_path / "r.html").exists()


def test_a_guest_of_a_provider_has_a_scope_until_they_are_removed(own, run, tmp_path, monkeypatch):
    def gathered(book, axes, words, reader, *_, shown, **__):
        shown("load", ["R001"])
        raise Problem("{names}", "", names=f"{reader.id} {sorted(reader.regions)}")

    monkeypatch.setattr("cadran.reports.gathered.gather", gathered)
    monkeypatch.setattr("cadran.asked.who_asks", lambda: "root")

    _, _, told = run("report", "pulse", "--scope", "user:EVE@x.fr", "--out", tmp_path / "r.html")

    assert "eve@x.fr ['Nord']" in told
    # Noted: whoever makes it, and whom it is made for.
    assert Views(own).all().select("who", "role", "whom", "grounds").rows() == [
        ("eve@x.fr", "manager", "R001", "leads Nord"),
        ("root", "analyst", "R001", "whole company"),
    ]
    run("user", "remove", "eve@x.fr")
    status, _, told = run("report", "pulse", "--scope", "user:eve@x.fr", "--out", tmp_path / "r.html")
    assert (status, "was removed" in told) == (1, True)


def test_a_digest_needs_plain_addresses(run, tmp_path):
    status, _, told = run("digest", "--to", "anne", "--out", tmp_path / "d.eml")

    assert status == 1
    assert "anne is no e-mail address." in told
