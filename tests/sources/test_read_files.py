"""Files as people export them: encodings, separators, spreadsheets, several files for one table."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from cadran.sources.feeds import File
from cadran.sources.read import FILE, LINE, RAGGED, ROW, read
from cadran.tables.problems import Problem

SMALL = Path(__file__).parent / "small"
DEALS, MAPPING = (SMALL / "deals.csv").read_text(), (SMALL / "mapping.toml").read_text()
FRENCH = '''N° d'affaire;Société;Étape;Date de création;Montant signé
1;Société Générale d'Été;Gagnée;05/03/2024;1 234,50 €
2;"Crêperie; ""Chez Anaïs""";Perdue;31/01/2024;12,00 €
'''


def frame(path, **how):
    return read(File("f", (path.name,), **how), path.parent).frame.drop(FILE, ROW, LINE, RAGGED)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, ends):
    path = tmp_path / "affaires.csv"
    path.write_bytes(FRENCH.replace("\n", ends).encode(encoding))
    rows = frame(path)
    assert rows.columns == ["N° d'affaire", "Société", "Étape", "Date de création", "Montant signé"]
    assert rows["Société"].to_list() == ["Société Générale d'Été", 'Crêperie; "Chez Anaïs"']


@pytest.mark.parametrize("encoding", ["cp1250", "cp1251", "mac_roman"])
def test_a_stated_encoding_is_used(tmp_path, encoding):
    words = {"cp1250": "Łódź", "cp1251": "Сделка", "mac_roman": "Été à Noël"}[encoding]
    path = tmp_path / "deals.csv"
    path.write_bytes(f"id,name\n1,{words}\n".encode(encoding))
    assert frame(path, encoding=encoding)["name"].to_list() == [words]


def test_a_guessed_encoding_is_noted(take):
    delivered = take(DEALS.replace("Initech", "Société Générale").encode("cp1252"))
    noted = delivered.noted.select("file", "note", "found").rows()
    assert noted == [("deals.csv", "the encoding of a file was guessed", "cp1252")]
    assert "Société Générale" in delivered.tables["accounts"]["account_id"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_told(tmp_path, separator):
    path = tmp_path / "deals.csv"
    path.write_text(DEALS.replace(",", separator))
    assert frame(path).equals(frame(SMALL / "deals.csv"))


def test_a_separator_declared_as_spreadsheets_do(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text("sep=;\n" + DEALS.replace(",", ";"))
    rows = read(File("f", ("deals.csv",)), tmp_path).frame
    assert rows[LINE].to_list() == [3, 4, 5, 6]


def test_lines_above_the_header(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text("Export of 2024-12-31\n\n" + DEALS)
    assert read(File("f", ("deals.csv",), header_line=3), tmp_path).frame[LINE].to_list() == [4, 5, 6, 7]


def test_a_trailing_separator_is_no_cell(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text("a,b\n1,2,\n3,4,\n")
    rows = read(File("f", ("deals.csv",)), tmp_path).frame
    assert rows[RAGGED].to_list() == [False, False]


def test_a_french_export_in_latin_1(source, take):
    (source / "affaires.csv").write_bytes(FRENCH.encode("cp1252"))
    delivered = take(
        mapping="""
        taken = 2024-12-31
        stages = [
          { stage = "En cours", kind = "open" },
          { stage = "Gagnée", kind = "won" },
          { stage = "Perdue", kind = "lost" },
        ]
        [files]
        affaires = "affaires.csv"
        [deals]
        file = "affaires"
        opportunity_id = "N° d'affaire"
        stage = "Étape"
        created_at = "Date de création"
        closed_at = "Date de création"
        amount = "Montant signé"
        """
    )
    now = delivered.tables["versions"].filter(pl.col("valid_to").is_null()).sort("opportunity_id")
    assert now["amount"].to_list() == [1234.5, 12.0]
    assert delivered.tables["opportunities"]["created_at"].dt.date().to_list() == [date(2024, 3, 5), date(2024, 1, 31)]


def spreadsheet(path, sheets=("Deals",), above=0):
    book = xlsxwriter.Workbook(str(path))
    as_day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name in sheets:
        sheet = book.add_worksheet(name)
        for i, line in enumerate(DEALS.splitlines(), above):
            for j, cell in enumerate(line.split(",")):
                if i > above and j in (4, 5) and cell:
                    sheet.write_datetime(i, j, datetime.fromisoformat(cell), as_day)
                elif i > above and j == 6 and cell:
                    sheet.write_number(i, j, float(cell))
                else:
                    sheet.write_string(i, j, cell)
    book.close()


def parquet(path):
    day = pl.col("created", "closed").str.to_date(strict=False)
    rows = pl.read_csv(SMALL / "deals.csv", infer_schema=False).with_columns(day, pl.col("amount").cast(pl.Float64))
    rows.with_columns(pl.col("stage").cast(pl.Categorical)).write_parquet(path)


def test_excel_and_parquet_give_what_csv_gives(source, take):
    from_csv = take()
    spreadsheet(source / "deals.xlsx")
    parquet(source / "deals.parquet")
    for name in ("deals.xlsx", "deals.parquet"):
        delivered = take(mapping=MAPPING.replace("deals.csv", name))
        for table, rows in delivered.tables.items():
            assert rows.equals(from_csv.tables[table]), (name, table)


def test_rows_of_excel_and_parquet_are_placed(source, take):
    spreadsheet(source / "deals.xlsx", above=2)
    parquet(source / "deals.parquet")
    stated = MAPPING.replace('"deals.csv"', '{ path = "deals.xlsx", header_line = 3 }').replace('"Offer"', '"Demo"')
    assert take(mapping=stated).set_aside.select("row", "line").rows() == [(3, 6)]
    stated = MAPPING.replace("deals.csv", "deals.parquet").replace('"Offer"', '"Demo"')
    assert take(mapping=stated).set_aside.select("row", "line").rows() == [(3, None)]


def test_a_workbook_of_several_sheets_asks_which(source, take, refused):
    spreadsheet(source / "deals.xlsx", ("2023", "2024"))
    assert "the sheets are: 2023, 2024" in refused(mapping=MAPPING.replace("deals.csv", "deals.xlsx"))
    assert take(mapping=MAPPING.replace('"deals.csv"', '{ path = "deals.xlsx", sheet = "2024" }')).set_aside.is_empty()


def test_a_pattern_takes_every_file_and_counts_each(source, take):
    header, *rows = DEALS.splitlines()
    (source / "deals.csv").unlink()
    for year, part in (("2023", rows[:1]), ("2024", rows[1:])):
        (source / f"deals_{year}.csv").write_text("\n".join([header, *part]) + "\n")
    delivered = take(mapping=MAPPING.replace("deals.csv", "deals_*.csv"))
    counts = {file.file: file.n_read for file in delivered.files if file.table == "opportunities"}
    assert counts == {"deals_2023.csv": 1, "deals_2024.csv": 3}
    aside = take(mapping=MAPPING.replace("deals.csv", "deals_*.csv").replace('"Offer"', '"Demo"')).set_aside
    assert aside.select("file", "row", "line").rows() == [("deals_2024.csv", 2, 3)]


def test_files_of_one_pattern_have_the_same_columns(source, refused):
    (source / "deals_b.csv").write_text(DEALS.replace("amount", "value"))
    said = refused(mapping=MAPPING.replace("deals.csv", "deals*.csv"))
    assert "do not have the same columns: amount, value" in said


def test_of_alternatives_the_first_that_is_there(source, take):
    delivered = take(mapping=MAPPING.replace('"deals.csv"', '["new.csv", "deals.csv"]'))
    assert {file.file for file in delivered.files} == {"deals.csv", "reps.csv"}


def test_an_optional_file_may_be_missing(source, take):
    (source / "reps.csv").unlink()
    (source / "calls.csv").write_text("n,at,kind\n1,2024-01-11,call\n")
    mapping = MAPPING.replace('reps = "reps.csv"', 'reps = { path = "calls_*.csv", optional = true }')
    with_values = '[[reps]]\nfile = "reps"\nrep_id = "rep"\n'
    with_values += '[[reps]]\nfile = "deals"\nfrom_values = true\nrep_id = "rep"\n'
    mapping = mapping.replace('[reps]\nfile = "reps"\nrep_id = "rep"\nteam = "team"\n', with_values)
    assert take(mapping=mapping).tables["reps"]["rep_id"].to_list() == ["Ann", "Bob"]


def test_digest_is_of_the_bytes(take, source):
    import hashlib

    digest = hashlib.sha256((source / "deals.csv").read_bytes()).hexdigest()
    assert {file.sha256 for file in take().files if file.file == "deals.csv"} == {digest}


def test_a_format_that_the_name_does_not_tell(tmp_path):
    spreadsheet(tmp_path / "deals.dat")
    assert read(File("f", ("deals.dat",), format="excel"), tmp_path).frame.height == 4
    with pytest.raises(Problem):
        read(File("f", ("deals.dat",), format="parquet"), tmp_path)


def test_taken_is_the_end_of_a_day_in_the_time_zone(take):
    assert take().settings.taken == datetime(2024, 12, 31, 22, 59, 59, tzinfo=UTC)
    latest = take(mapping=MAPPING.replace("taken = 2024-12-31", 'taken = "latest date"'))
    assert latest.settings.taken == datetime(2024, 11, 5, 22, 59, 59, tzinfo=UTC)
