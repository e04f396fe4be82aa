"""A report is what the pages show, to its reader, on its day; a page that fails makes none."""

import io
import re
import zipfile
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from cadran.book import Reader, open_book
from cadran.figures.blocks import Heading, Notice
from cadran.figures.table import Table
from cadran.publish.apps import App
from cadran.reports.gathered import AXES, axes_of
from cadran.reports.html import html
from cadran.reports.workbook import workbook
from cadran.tables.problems import Problem


def rows(report):
    return [each for part in report.parts for row in part.rows for each in row]


def test_axes_stand_in_the_order_asked_and_once(gathered):
    found = gathered(("pulse", "opportunities", "pulse"))

    assert [part.name for part in found.parts] == ["pulse", "opportunities"]


def test_it_defines_what_it_asked_for(english):
    names = {each.name for each in english.definitions}

    assert {"win_rate", "waterfall", "enps", "favourable_share"} <= names
    assert "stage_funnel" not in names


def test_it_says_how_its_pages_were_asked(english):
    assert (
        english.parts[0].asked
        == "Period: Last 12 months · Group by: Region · Show: Amounts, EUR · Organisation: Organisation as it was"
    )


def test_a_reader_gets_their_own(gathered):
    found = gathered(("opportunities",), reader=Reader("", "manager", frozenset({"Nord"})))
    deals = next(each for each in rows(found) if isinstance(each, Table))
    whole = next(each for each in rows(gathered(("opportunities",))) if isinstance(each, Table))

    assert found.scope == "Region: Nord"
    assert 0 < deals.frame.height < whole.frame.height
    assert set(deals.frame["region"]) == {"Nord"}


ROLES = {
    "seller": Reader("", "seller", persons=frozenset({"R001"})),
    "pay": Reader("", "pay", frozenset({"Nord"})),
    "people": Reader("", "people"),
    "presenter": Reader("", "presenter", frozenset({"Nord"})),
}


@pytest.mark.parametrize(
    ("role", "theirs"),
    [("seller", AXES), ("people", AXES), ("pay", ("resources", "pulse")), ("presenter", ("resources", "pulse"))],
)
def test_a_reader_gets_the_pages_of_their_role_and_no_other(gathered, role, theirs):
    assert set(axes_of(ROLES[role])) == set(theirs)
    for axis in set(AXES) - set(theirs):
        with pytest.raises(Problem, match=f"is not told to the role {role}"):
            gathered(("pulse", axis), reader=ROLES[role])


def test_a_seller_s_report_says_whose_it_is_and_whom_it_shows_is_told(gathered):
    told = []
    found = gathered(("opportunities",), reader=ROLES["seller"], shown=lambda *each: told.append(each))

    assert found.scope == "Seller: R001"
    assert told == []  # themselves alone
    nord, by = Reader("", "manager", frozenset({"Nord"})), {"resources": {"by": "seller"}}
    gathered(("resources",), reader=nord, queries=by, shown=lambda *each: told.append(each))
    assert {kind for kind, _ in told} == {"load"}


def test_a_presenter_s_report_names_nobody(gathered, company):
    book = open_book(company)
    rows_of = [("reps", "rep_id"), ("reps", "name"), ("accounts", "account_id"), ("accounts", "name")]
    named = {name for table, column in rows_of for name in book.collect(book.table(table))[column].drop_nulls()}
    found = gathered(("resources", "pulse"), reader=ROLES["presenter"])
    scenes = [row[0].title for row in found.parts[0].rows if isinstance(row[0], Heading)]
    assert {"What is coming", "Who is loaded", "When to hire", "What pay costs"} <= {*scenes}
    sheets = zipfile.ZipFile(io.BytesIO(workbook(found)))
    texts = [html(found).decode(), *(sheets.read(name).decode() for name in sheets.namelist())]

    said = {word for text in texts for word in re.split(r"[<>]", unescape(text))}
    assert "Nord" in " ".join(said)
    assert {name for name in named if any(name in text for text in said)} == set()


def test_an_earlier_day_is_told_as_it_was_known(gathered):
    day = date(2026, 5, 31)
    found = gathered(("opportunities", "pulse"), day=day)
    deals = next(each for each in rows(found) if isinstance(each, Table))

    assert found.day == day
    assert deals.frame["closed_date"].max() <= day
    assert "2026-05" in found.parts[1].asked


def test_a_day_before_any_wave_says_so(gathered):
    [part] = gathered(("pulse",), day=date(2024, 6, 30)).parts

    assert [type(each) for row in part.rows for each in row] == [Notice]
    assert "30 Jun 2024" in part.rows[0][0].text


def test_an_axis_that_is_none_is_refused(gathered):
    with pytest.raises(Problem, match="no axis weather"):
        gathered(("opportunities", "weather"))


def test_a_day_that_a_page_cannot_show_is_refused(gathered):
    with pytest.raises(Problem, match="is not possible here"):
        gathered(("opportunities",), day=date(2001, 1, 1))


def test_a_notebook_that_fails_makes_no_report(gathered):
    broken = Path(__file__).parent.parent / "publish" / "notebooks" / "broken.py"

    with pytest.raises(Problem, match="broken"):
        gathered(("pulse", "process"), apps=[App("pulse", "Pulse", broken), App("process", "Process", broken)])


def test_a_notebook_without_a_page_makes_no_report(gathered):
    plain = Path(__file__).parent.parent / "publish" / "notebooks" / "plain.py"

    with pytest.raises(Problem, match="shows no page"):
        gathered(("pulse",), apps=[App("pulse", "Pulse", plain)])
