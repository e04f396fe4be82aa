"""Only the page that is seen travels; what is exported is whole, and harmless in a spreadsheet."""

import csv
import io
from datetime import date

import polars as pl
import pytest

from cadran.figures.columns import cell
from cadran.figures.controls import TableView
from cadran.figures.table import PAGE, Table, as_csv, as_xlsx
from cadran.text import UNKNOWN, words_for

FRAME = pl.DataFrame(
    {
        "opportunity_id": [f"D{i:03}" for i in range(100)],
        "status": ["won", "lost"] * 50,
        "amount": [float(i * 7 % 100) for i in range(99)] + [None],
    }
)


def table(language="en", frame=FRAME, **view):
    return Table(frame, "Deals", words_for(language), "EUR", TableView(**view), key="opportunity_id")


def test_only_one_page_is_written():
    html = table().html("deals", words_for("en"))

    assert html.count("<tr>") == PAGE + 1
    assert "100 rows" in html
    assert "page 1 of 7" in html


def test_a_page_beyond_the_last_shows_the_last():
    assert "D099" in table(page=999).html("deals", words_for("en"))


@pytest.mark.parametrize(("sort", "first"), [("amount", 0.0), ("-amount", 99.0)])
def test_sorting_leaves_the_unknown_at_the_end(sort, first):
    found = table(sort=sort).found()

    assert found["amount"][0] == first
    assert found["amount"][-1] is None


def test_searching_is_literal_and_blind_to_case():
    assert table(search="d01").found().height == 10
    assert table(search=".*").found().is_empty()


def test_a_column_that_does_not_exist_sorts_nothing():
    assert table(sort="password").found().equals(FRAME)


def test_what_a_cell_holds_is_text_and_never_markup():
    hostile = FRAME.with_columns(opportunity_id=pl.lit("<img src=x onerror=alert(1)>"))

    assert "<img" not in table(frame=hostile).html("deals", words_for("en"))


def test_csv_opens_in_a_french_spreadsheet():
    text = as_csv(FRAME.head(2).with_columns(amount=pl.Series([1.5, None])), words_for("fr")).decode("utf-8-sig")

    assert text == "Affaire;Statut;Montant\r\nD000;Gagnée;1,5\r\nD001;Perdue;\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(text):
    frame = pl.DataFrame({"client": [text, "Ordinary"]})

    rows = list(csv.reader(io.StringIO(as_csv(frame, words_for("en")).decode("utf-8-sig"))))
    workbook = pl.read_excel(io.BytesIO(as_xlsx(frame, words_for("en"), "x")))

    assert rows[1:] == [["'" + text], ["Ordinary"]]
    assert workbook["Client"].to_list() == [text, "Ordinary"]


def test_excel_keeps_numbers_dates_and_every_row():
    frame = FRAME.with_columns(closed_date=pl.date(2026, 1, 31))

    workbook = pl.read_excel(io.BytesIO(as_xlsx(frame, words_for("en"), "Deals: [all]")))

    assert workbook.height == 100
    assert workbook.schema["Amount"].is_numeric()
    assert workbook.schema["Closed"] == pl.Date


def test_an_interval_stands_beside_its_value_and_is_exported_apart():
    rates = pl.DataFrame(
        {"region": ["N", "S"], "win_rate": [0.5, 0.2], "win_rate_low": [0.4, None], "win_rate_high": [0.6, None]}
    )

    shown = Table(rates, "Rates", words_for("en"), "EUR")

    html = shown.html("rates", words_for("en"))
    assert html.count("<th") - html.count("<thead") == 2
    assert "50.0% <small>(40.0% – 60.0%)</small>" in html
    assert "20.0%</td>" in html
    assert shown.found().select(shown.shown).columns == rates.columns


def test_a_table_of_one_page_is_not_searched():
    assert "type=search" in table().html("deals", words_for("en"))
    assert "type=search" not in table(frame=FRAME.head(3)).html("deals", words_for("en"))
    assert "type=search" in table(frame=FRAME.head(3), search="x").html("deals", words_for("en"))


def test_a_column_has_one_unit_a_quarter_its_name_and_all_the_others_no_rank():
    words = words_for("en")

    def said(column, value):
        return cell(column, value, words, "EUR").replace("\u00a0", " ")

    assert [said("mean_days", days) for days in (0.5, 1.5, 3.5)] == ["0.50 days", "1.5 days", "3.5 days"]
    assert [said(column, date(2026, 4, 1)) for column in ("best_quarter", "closed_quarter")] == ["Q2 2026"] * 2
    assert [said("rank", place) for place in (1, 0)] == ["1", UNKNOWN]
