"""`cadran report` and `cadran digest`: what they write, what they refuse, and what stays when they fail."""

import shutil

import pytest

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


def test_a_digest_needs_plain_addresses(run, tmp_path):
    status, _, told = run("digest", "--to", "anne", "--out", tmp_path / "d.eml")

    assert status == 1
    assert "anne is no e-mail address." in told
