"""Bad input: the import is refused, or rows are set aside with file, row, rule and repair; no row is ever lost."""

from pathlib import Path
from shutil import copytree

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.sources.rules import LEFT_OUT, messages
from cadran.tables.problems import Problem
from cadran.text import words_for

SMALL = Path(__file__).parent / "small"
DEALS, MAPPING = (SMALL / "deals.csv").read_text(), (SMALL / "mapping.toml").read_text()


def rows(delivery):
    return delivery.set_aside.select("file", "row", "line", "id", "rule", "found").rows()


def one(delivery):
    assert delivery.set_aside.height == 1
    return delivery.set_aside.row(0, named=True)


# What stops an import.


def test_missing_file_is_named_with_what_resembles_it(source, refused):
    (source / "reps.csv").rename(source / "rep.csv")
    said = refused()
    assert "reps.csv is not in" in said
    assert "Is it rep.csv?" in said


def test_missing_folder(source):
    with pytest.raises(Problem, match="no folder"):
        deliver(load_mapping(source / "mapping.toml"), source / "nowhere")


def test_stated_encoding_that_is_wrong(refused):
    mapping = MAPPING.replace('deals = "deals.csv"', 'deals = { path = "deals.csv", encoding = "utf-8" }')
    said = refused(DEALS.replace("Initech", "Société").encode("cp1252"), mapping)
    assert "deals.csv is not written in utf-8: line 4 cannot be read." in said


def test_stated_latin_1_on_utf_8_is_refused_rather_than_garbled(refused):
    mapping = MAPPING.replace('deals = "deals.csv"', 'deals = { path = "deals.csv", encoding = "latin-1" }')
    assert "written in UTF-8, not in latin-1" in refused(DEALS.replace("Initech", "Société"), mapping)


@pytest.mark.parametrize("empty", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_empty_file(refused, empty):
    assert "deals.csv is empty" in refused(empty)


def test_header_without_rows(refused):
    for blank in ("", "\n\n", ",,,,,,\n"):
        assert "deals.csv has a header and no rows." in refused(DEALS.splitlines()[0] + "\n" + blank)


def test_duplicate_headers_are_named_with_their_places(refused):
    assert "the header names 'rep' more than once (columns 3, 4)" in refused(DEALS.replace("stage,", "rep,", 1))


def test_renamed_column_is_named_with_what_resembles_it(refused):
    said = refused(DEALS.replace("closed,", "closed_on,", 1))
    assert "deals.csv has no column 'closed', which the mapping names in [deals] closed_at." in said
    assert "Was it renamed to 'closed_on'?" in said


@pytest.mark.parametrize(("name", "kind"), [("deals.parquet", "Parquet"), ("deals.xlsx", "Excel")])
def test_corrupt_file(source, refused, name, kind):
    (source / name).write_bytes(b"PAR1 this is no such file")
    assert f"{name} cannot be opened as {kind}" in refused(None, MAPPING.replace("deals.csv", name))


def test_quotation_mark_never_closed(refused):
    said = refused(DEALS.replace("D3,Initech", 'D3,"Initech'))
    assert "a quotation mark opened in line 4 is never closed" in said


def test_two_currencies_without_a_rate(refused):
    deals = DEALS.replace("amount", "amount,currency").replace("1000", "1000,USD").replace("500", "500,EUR")
    said = refused(deals.replace("750", "750,").replace(",,,\n", ",,,,\n"), MAPPING + 'currency = "currency"\n')
    assert "1 deals are in USD, which has no rate to EUR on 2024-03-01" in said
    assert "[rates]\nUSD = " in said


def test_amounts_written_in_another_currency_than_the_books(refused):
    assert "writes amounts in $; the book counts in EUR" in refused(DEALS.replace("1000", "$1000"))


def test_dates_that_can_be_read_two_ways(refused):
    deals = "id,client,rep,stage,created,closed,amount\nD1,Acme,Ann,Won,03/04/2024,05/06/2024,10\n"
    said = refused(deals)
    assert "deals.csv: created holds dates like '03/04/2024'" in said.replace("created_at", "created")
    assert 'dates = "DD/MM/YYYY"' in said


def test_dates_that_mix_two_orders(refused):
    deals = "id,client,rep,stage,created,closed,amount\nD1,Acme,Ann,Won,31/01/2024,05/06/2024,10\n"
    said = refused(deals + "D2,Acme,Ann,Won,01/31/2024,05/06/2024,10\n")
    assert "mixes dates that begin with the day (31 / 01/…) and with the month (01 / 31/…)" in said


def test_numbers_that_can_be_read_two_ways(refused):
    said = refused(DEALS.replace("1000", '"1,000"').replace("500", '"2,500"'))
    assert "numbers like" in said
    assert 'decimal = ","' in said


def test_personal_data_is_refused_unless_allowed(take, refused):
    deals = DEALS.replace("Ann", "ann@example.com").replace("Bob", "bob@example.com")
    said = refused(deals)
    assert "rep holds e-mail addresses, which never enter a book" in said


def test_nothing_left_says_why(refused):
    said = refused(DEALS.replace("Ann", "Zoe").replace("Bob", "Yan"))
    assert "All 4 deals were set aside; most often: every deal belongs to a known rep" in said
    assert "deals.csv, row 1: rep = Zoe" in said


# What sets rows aside.


def test_unparsable_date_in_row_51234(take):
    lines = [f"D{i},Acme,Ann,Won,2024-01-10,2024-03-01,10" for i in range(1, 60_001)]
    lines[51_233] = lines[51_233].replace("2024-03-01", "2024-13-45")
    delivered = take(DEALS.splitlines()[0] + "\n" + "\n".join(lines) + "\n")

    aside = one(delivered)
    assert (aside["file"], aside["row"], aside["line"], aside["id"]) == ("deals.csv", 51_234, 51_235, "D51234")
    assert aside["rule"].splitlines()[0] == "`closed_at` is a date"
    assert aside["found"] == "closed = 2024-13-45"
    assert "`dates` in the mapping" in aside["repair"]
    assert delivered.tables["opportunities"].height == 59_999


CASES = [
    ("stage absent from the mapping", ("Offer", "Demo"), "every deal is in a stage of the mapping", "stage = Demo"),
    ("unknown rep", ("Initech,Ann", "Initech,Zoe"), "every deal belongs to a known rep", "rep = Zoe"),
    ("close before creation", ("2024-02-20", "2024-01-20"), "a deal closes on or after its creation", None),
    ("closed without a date", ("2024-02-20", ""), "a closed deal has a close date", "closed = "),
    ("negative amount", ("750", "-750"), "`amount` is at least 0", "amount = -750"),
    ("absurd amount", ("750", "99999999999"), "`amount` is at most 10,000,000,000", "amount = 99999999999"),
    ("unparsable number", ("750", "7x50"), "`amount` is a number", "amount = 7x50"),
    ("no identifier", ("D3", ""), "`opportunity_id` is given", "id = "),
    ("created after the export", ("2024-11-05", "2025-11-05"), "a deal is created before the data was taken", None),
    ("closed after the export", ("2024-02-20", "2025-02-20"), "a deal closes before the data was taken", None),
    ("too few cells", ("2024-11-05,,750", "2024-11-05"), "every row has as many cells as the header", ""),
    ("too many cells", ("750", "750,9,9"), "every row has as many cells as the header", ""),
]


@pytest.mark.parametrize(("change", "rule", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_row_that_breaks_a_rule_is_set_aside_and_the_others_go_on(take, change, rule, found):
    delivered = take(DEALS.replace(*change, 1))

    aside = one(delivered)
    assert aside["rule"] == rule
    assert aside["repair"]
    if found is not None:
        assert aside["found"] == found
    assert delivered.tables["opportunities"].height == 3
    assert set(delivered.tables["versions"]["opportunity_id"]) == set(
        delivered.tables["opportunities"]["opportunity_id"]
    )


def test_a_row_that_breaks_several_rules_is_set_aside_once_with_all_of_them(take):
    aside = one(take(DEALS.replace("D3,Initech,Ann,Offer,2024-11-05,,750", "D3,Initech,Zoe,Demo,2024-99-05,,-7")))
    assert aside["rule"].splitlines() == [
        "`created_at` is a date",
        "`amount` is at least 0",
        "every deal is in a stage of the mapping",
        "every deal belongs to a known rep",
    ]
    assert "created = 2024-99-05" in aside["found"].splitlines()


def test_the_same_row_twice_is_kept_once(take):
    delivered = take(DEALS + DEALS.splitlines()[1] + "\n")
    assert rows(delivered) == [("deals.csv", 5, 6, "D1", "the same row is given once", "id = D1")]


def test_rows_that_differ_under_one_identifier_are_all_set_aside(take):
    delivered = take(DEALS + "D1,Acme,Ann,Won,2024-01-10,2024-03-01,9999\n")
    assert [row[1] for row in rows(delivered)] == [1, 5]
    assert set(delivered.set_aside["rule"]) == {"each `opportunity_id` stands on one row of opportunities"}


def test_what_depends_on_a_row_set_aside_goes_with_it(source, take):
    (source / "calls.csv").write_text("n,deal,at,kind\n1,D1,2024-01-11,Call\n2,D3,2024-11-06,call\n3,,2024-11-06,Fax\n")
    calls = '[activities]\nfile = "calls"\nactivity_id = "n"\nopportunity_id = "deal"\nat = "at"\nkind = "kind"\n'
    mapping = MAPPING.replace("[files]", '[files]\ncalls = "calls.csv"') + calls
    delivered = take(DEALS.replace("750", "-750"), mapping)
    found = delivered.set_aside.select("table", "row", "rule").sort("table", "row").rows()
    assert found == [
        ("activities", 2, "every activity is about a known deal"),
        ("activities", 3, "`kind` is one of email, call, meeting, demo, message, task, other"),
        ("opportunities", 3, "`amount` is at least 0"),
    ]


def test_an_unknown_rep_may_be_kept_as_null_and_is_noted(take):
    mapping = MAPPING.replace("[deals]\n", "[deals]\n").replace(
        'rep_id = "rep"\nstage', 'rep_id = { column = "rep", unknown = "keep as null" }\nstage'
    )
    delivered = take(DEALS.replace("Initech,Ann", "Initech,Zoe"), mapping)
    assert delivered.set_aside.is_empty()
    assert delivered.noted.select("note", "n", "found").rows() == [
        ("an unknown `rep_id` was taken as not given", 1, "Zoe")
    ]
    assert delivered.tables["versions"].filter(pl.col("opportunity_id") == "D3")["rep_id"].to_list() == [None, None]


def test_an_open_deal_with_a_close_date_is_noted(take):
    delivered = take(DEALS.replace("2024-11-05,,", "2024-11-05,2024-12-24,"))
    assert delivered.set_aside.is_empty()
    assert delivered.noted.select("file", "note", "n", "found").rows() == [
        ("deals.csv", "the close date of an open deal was not used", 1, "2024-12-24")
    ]


def test_rows_the_mapping_leaves_out_are_counted(take):
    mapping = MAPPING.replace('[deals]\nfile = "deals"', '[deals]\nfile = "deals"\nonly = { client = "acme" }')
    delivered = take(None, mapping)
    deals = next(file for file in delivered.files if file.file == "deals.csv")
    assert (deals.n_read, deals.n_accepted, deals.n_left_out, deals.n_set_aside) == (4, 2, 2, 0)
    assert delivered.tables["opportunities"]["opportunity_id"].sort().to_list() == ["D1", "D2"]
    assert delivered.noted.rows() == [("deals", "deals.csv", LEFT_OUT["only"], 2, "")]
    assert delivered.set_aside.is_empty()  # nothing of such a row is kept


def test_a_mapping_that_leaves_out_every_deal_is_refused(refused):
    mapping = MAPPING.replace('[deals]\nfile = "deals"', '[deals]\nfile = "deals"\nonly = { client = "Nobody" }')
    assert "The mapping leaves out every deal.\nCorrect `only`" in refused(None, mapping)


def test_values_are_the_row_as_read(take):
    aside = one(take(DEALS.replace("750", "-750")))
    assert '"id":"D3"' in aside["values"]
    assert '"amount":"-750"' in aside["values"]


DAMAGE = st.tuples(
    st.sampled_from(["D7", "D8", "D9", "", "Dé"]),
    st.sampled_from(["Acme", "", "Initech", '"A, B"', '"two\nlines"']),
    st.sampled_from(["Ann", "Bob", "", "Zoe"]),
    st.sampled_from(["Won", "Lost", "Offer", "Lead", "", "Demo"]),
    st.sampled_from(["2024-01-10", "", "2024-02-30", "soon", "2030-01-01"]),
    st.sampled_from(["2024-03-01", "", "2023-01-01", "2024-1-1"]),
    st.sampled_from(["100", "", "-1", "1e3", "x", "1e12", "0.5", "1,2,3"]),
)


@settings(max_examples=12, deadline=None)
@given(damaged=st.lists(DAMAGE, max_size=12), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_no_row_is_ever_lost(tmp_path_factory, damaged, encoding):
    folder = Path(copytree(SMALL, tmp_path_factory.mktemp("damaged") / "small"))
    text = DEALS + "".join(",".join(row) + "\n" for row in damaged)
    (folder / "deals.csv").write_bytes(text.encode(encoding))
    delivered = deliver(load_mapping(folder / "mapping.toml"))

    deals = next(file for file in delivered.files if file.table == "opportunities")
    aside = delivered.set_aside
    assert deals.n_read == 4 + len(damaged)
    assert deals.n_accepted == delivered.tables["opportunities"].height
    assert deals.n_set_aside == aside.height == deals.n_read - deals.n_accepted
    assert aside["row"].n_unique() == aside.height
    assert all(aside["rule"])
    assert all(aside["repair"])
    assert set(delivered.tables["versions"]["opportunity_id"]) == set(
        delivered.tables["opportunities"]["opportunity_id"]
    )


def test_line_is_exact_after_line_ends_inside_quotes(take):
    deals = DEALS.replace("D1,Acme", 'D1,"Acme\nof\r\nParis"').replace("750", "-750")
    aside = one(take(deals))
    assert (aside["row"], aside["line"]) == (3, 6)
    assert deals.splitlines()[aside["line"] - 1].startswith("D3")


def test_blank_lines_are_no_rows_but_count_as_lines(take):
    aside = one(take(DEALS.replace("D3,", "\n\nD3,").replace("750", "-750")))
    assert (aside["row"], aside["line"]) == (3, 6)


def test_progress_is_told_from_0_to_1(source: Path):
    told = []
    deliver(load_mapping(source / "mapping.toml"), progress=lambda doing, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_messages_name_file_row_rule_and_repair(take):
    aside = take(DEALS.replace("750", "-750").replace("Bob,Lost", "Zoe,Lost")).set_aside
    assert messages(aside, words_for("en")) == [
        "1 × rule broken: every deal belongs to a known rep. deals.csv, row 2 (line 3): rep = Zoe\n"
        '  Add it to its file, correct it, or write unknown = "keep as null" in the mapping.',
        "1 × rule broken: `amount` is at least 0. deals.csv, row 3 (line 4): amount = -750\n  Correct the value at the source.",
    ]
    assert (
        "règle non respectée\u00a0: chaque affaire appartient à un commercial connu"
        in messages(aside, words_for("fr"))[0]
    )


def test_messages_list_what_stood_there(take):
    stages = ["Demo"] * 3 + ["Négo"] * 2 + ["open"]
    deals = DEALS + "".join(f"E{n},Acme,Ann,{stage},2024-01-10,,1\n" for n, stage in enumerate(stages))
    (said,) = messages(take(deals).set_aside, words_for("en"))
    assert said.startswith("6 × rule broken: every deal is in a stage of the mapping. deals.csv, row 5 (line 6): ")
    assert "\n  Found: stage = Demo (3), stage = Négo (2), stage = open (1)\n" in said


def test_several_blank_identifiers_are_not_given(take):
    aside = take(DEALS.replace("D3,", ",").replace("D4,", ",")).set_aside
    assert aside["rule"].to_list() == ["`opportunity_id` is given"] * 2


def test_a_ragged_row_has_no_other_fault(take):
    aside = one(take(DEALS.replace("D3,Initech,Ann,Offer,2024-11-05,,750", "D3,Initech,Zoe,Demo,soon")))
    assert aside["rule"] == "every row has as many cells as the header"
