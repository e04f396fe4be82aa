"""The digest of a week: what the pages say, as mail programs and terminals show it."""

import re
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default
from html import unescape

import pytest

from cadran.book import Reader, open_book
from cadran.figures.blocks import Headlines, Notice, Sentences
from cadran.figures.table import Table
from cadran.reports.digest import digest
from cadran.reports.mail import WIDTH, as_html, as_message, as_text, check_addresses
from cadran.tables.problems import Problem
from cadran.text import words_for

from .conftest import MADE, reading


@pytest.fixture(scope="module")
def told(company):
    """`told(language, …)`: the digest of the small company."""

    def digest_it(language="en", reader=None, day=None, since=None):
        with reading(company) as book:
            return digest(book, words_for(language), reader, day, since, MADE)

    return digest_it


@pytest.fixture(scope="module")
def week(told):
    return told()


@pytest.fixture(scope="module")
def nord(told):
    return told("fr", Reader("", "manager", frozenset({"Nord"})), date(2026, 6, 15), date(2026, 6, 8))


def texts(found):
    pieces = [piece.shown for piece in (*found.changed, *found.to_do)]
    for each in pieces:
        if isinstance(each, Sentences):
            yield from each.items
        elif isinstance(each, Headlines):
            yield from (item.value for item in each.items)
        elif isinstance(each, Table):
            yield from (
                " ".join(filter(None, each.told("opportunity_id", row)))
                for row in each.found().head(5).rows(named=True)
            )


@pytest.mark.parametrize("role", ["pay", "presenter"])
def test_who_is_told_of_no_deals_gets_none_of_theirs(told, role):
    found = told(reader=Reader("", role, frozenset({"Nord"})))

    assert {part.name for part in found.report.parts} == {"resources", "pulse"}
    titles = {part.title for part in found.report.parts}
    assert {piece.axis for piece in (*found.changed, *found.to_do)} <= titles
    assert as_text(found)


def test_both_bodies_tell_what_the_pages_tell(week, nord):
    for found in (week, nord):
        bare = re.sub(r"\s+", "", as_text(found).decode())
        markup = re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", as_html(found).decode()))
        assert [each for each in texts(found) if re.sub(r"\s+", "", each) not in bare] == []
        assert len(list(texts(found))) > 8
        assert [each for each in texts(found) if re.sub(r"\s+", "", each) not in unescape(markup)] == []


def test_it_is_about_the_week_before_the_day(week):
    assert week.title.endswith(f"{words_for('en').date(week.since)} to {words_for('en').date(week.report.day)}")
    assert week.report.day - week.since == timedelta(days=7)
    assert "Period: From … until … · From: 24 Jun 2026 · Until: 30 Jun 2026" in week.report.parts[0].asked


def test_text_fits_a_terminal(week, nord):
    for found in (week, nord):
        assert max(map(len, as_text(found).decode().splitlines())) <= WIDTH


def test_html_is_fit_for_a_mail(week, nord):
    for found in (week, nord):
        body = as_html(found).decode()
        assert len(body.encode()) <= 100_000
        assert re.findall(r"<(?:script|style|img|svg|link|form)\b|\b(?:href|src|class)=|url\(", body) == []


def test_a_reader_gets_their_own(nord, company):
    book = open_book(company)
    seen = book.as_of(nord.report.day)
    deals = seen.collect(seen.deals(["opportunity_id", "region", "status"])).filter(status="open")
    named = set(re.findall(r"D\d{6}", as_text(nord).decode()))

    assert named
    assert named <= set(deals.filter(region="Nord")["opportunity_id"]) < set(deals["opportunity_id"])


def test_what_did_not_happen_is_said(nord):
    assert any(isinstance(piece.shown, Notice) and "Aucune vague" in piece.shown.text for piece in nord.changed)


def test_a_message_has_both_bodies(week):
    message = message_from_bytes(as_message(week, ["a@x.fr", "b@x.fr"], "c@x.fr"), policy=default)

    assert (message["To"], message["From"], message["Subject"]) == ("a@x.fr, b@x.fr", "c@x.fr", week.title)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == as_text(week).decode()


def test_days_have_an_order(told):
    with pytest.raises(Problem, match="Nothing lies between"):
        told(since=date(2026, 6, 30))


def test_an_address_is_one():
    check_addresses(["a.b@x.fr"])
    for wrong in ("anne", "a@x.fr\nBcc: b@x.fr", "a@x, b@y", "A <a@x.fr>"):
        with pytest.raises(Problem, match="no e-mail address"):
            check_addresses([wrong])
