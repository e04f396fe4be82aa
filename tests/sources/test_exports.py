"""Exports shaped as Salesforce and HubSpot give them, with their history, deleted and merged rows, by the ready mappings."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.measures import MEASURES, Question
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.sources.rules import LEFT_OUT

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def export(name):
    folder = DATA / f"{name}_export"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: clone the practice data beside the repository")
    return folder


def delivered(name):
    found = deliver(load_mapping(name), export(name))
    assert all(file.n_read == file.n_accepted + file.n_left_out + file.n_set_aside for file in found.files)
    assert sum(file.n_set_aside for file in found.files) == found.set_aside.height
    return found


def life(found, deal):
    own = found.tables["versions"].filter(opportunity_id=deal).sort("valid_from")
    return own.select("valid_from", "valid_to", "status", "amount", "end_reason").rows()


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_salesforce_deals_live_until_they_were_deleted():
    """Every opportunity of the export is marked deleted; its history begins when it was already closed."""
    found = delivered("salesforce")
    assert life(found, "006q000000HddohAAB") == [
        (at("2018-12-19 19:51:13"), at("2018-12-19 19:51:14"), "open", None, None),
        (at("2018-12-19 19:51:14"), at("2019-10-17 21:10:19"), "won", 24_120_000.0, "deleted"),
    ]
    # Still open when its history begins, already deleted then: what it was is known at its very end only.
    assert life(found, "006q000000HdOhuAAF") == [
        (at("2018-12-18 17:56:05"), at("2019-04-03 18:36:05"), "open", None, None),
        (at("2019-04-03 18:36:05"), at("2019-04-03 18:36:06"), "open", 210_000.0, "deleted"),
    ]
    assert found.tables["opportunities"].height == 9
    assert found.set_aside.select("file", "row", "rule").sort("file").rows() == [
        ("sf_opportunity_data.csv", 5, "a deal closes on or after its creation"),
        ("sf_opportunity_history_data.csv", 5, "every version belongs to a known deal"),
    ]


def test_salesforce_accounts_end_deleted_or_merged_and_stages_tell_their_kind_by_their_rows():
    found = delivered("salesforce")
    ends = dict(found.tables["accounts"].select("account_id", "end_reason").rows())
    assert ends["0015500000Xyy06AAB"] is None
    assert ends["0015500000Ygpq1AAB"] == "merged"
    assert sorted(map(str, ends.values())) == ["None", *["deleted"] * 8, "merged"]
    assert found.tables["accounts"].filter(end_reason="merged")["merged_into"].to_list() == ["L4izOo4yZpLq5io5YM8pvA=="]
    # One row says 1000 %: a stage's probability is what most of its rows say.
    stages = found.tables["stages"].sort("position").select("kind", "probability").rows()
    assert stages == [("open", 0.65), ("won", 1.0), ("lost", 0.0)]
    assert found.histories == {"accounts", "contacts", "versions"}


def test_salesforce_takes_neither_texts_nor_people():
    found = delivered("salesforce")
    texts = " ".join(str(table.rows()) for name, table in found.tables.items() if name != "reps")
    texts += str(found.set_aside.rows())
    for never in ("subject", "description", "Yellen", "Powell", "@google", "Croc", "gmail"):
        assert never not in texts, never
    assert found.tables["activities"].group_by("kind").len().sort("kind").rows() == [
        ("call", 6), ("meeting", 4), ("task", 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "open_", "won", "lost"),
    [("2018-11-30", 0, 0, 2), ("2018-12-31", 1, 4, 4), ("2019-06-30", 0, 2, 0), ("2020-01-01", 0, 0, 0)],
)
def test_salesforce_as_it_was_known(tmp_path, day, open_, won, lost):
    told = delivered("salesforce")
    write_book(tmp_path, told, written_at=told.settings.taken)
    found = MEASURES["volumes"].ask(open_book(tmp_path).as_of(at(day + " 23:59:59")), Question())
    assert found.select("n_open", "n_won", "n_lost").row(0) == (open_, won, lost)


def test_hubspot_deals_and_those_that_only_their_history_knows():
    found = delivered("hubspot")
    versions = found.tables["versions"]
    assert found.tables["opportunities"].height == 44 + 14
    assert versions.filter(stage="No stage").height == 44
    gone = versions.filter(end_reason="vanished")
    assert gone.height == 14
    assert gone["valid_to"].unique().to_list() == [found.settings.taken]
    # "2021-01-07 6:49:18", with an open end of 2050-01-01
    assert versions.filter(opportunity_id="3954699413")["valid_from"].item() == at("2021-01-07 06:49:18")
    assert versions["rep_id"].null_count() == 22 + 14
    assert any("known by its history alone" in note for note in found.noted["note"])


def test_hubspot_teams_are_the_primary_ones_by_name():
    found = delivered("hubspot")
    teams = found.tables["reps"].drop_nulls("team").sort("rep_id").select("rep_id", "team").rows()
    assert teams == [("35252170", "team_01"), ("40706000", "team_02")]  # the latter has a second team
    assert (98, "reps") in found.noted.filter(pl.col("note").str.contains("`team`")).select("n", "table").rows()


def test_hubspot_rows_are_set_aside_with_a_reason():
    found = delivered("hubspot")
    n = {file.file: (file.n_read, file.n_set_aside) for file in found.files if file.n_set_aside}
    assert n == {
        "deal_contact_data.csv": (11, 11),  # of deals and contacts that the export does not hold
        "engagement_meeting_data.csv": (100, 7),  # in January 1970
    }
    assert found.tables["activities"].filter(kind="meeting")["at"].min() == at("2018-06-12 20:00:00")
    left_out = {file.file: (file.n_read, file.n_left_out) for file in found.files if file.n_left_out}
    assert left_out == {  # the names of properties are hashed
        "deal_property_history_data.csv": (100, 100),
        "company_property_history_data.csv": (100, 100),
    }
    said = found.noted.filter(pl.col("note") == LEFT_OUT["all"])
    assert sorted(said["file"]) == sorted(left_out)
    assert set(said["found"]) == {""}


def test_hubspot_merges_end_what_they_name(tmp_path):
    """The merged deals of the folder are not in its deals: here they are, with a history of properties by name."""
    folder = export("hubspot")
    deals = pl.read_csv(folder / "deal_data.csv", infer_schema=False)
    one, other, third = deals["deal_id"][:3]
    born = deals["property_createdate"][1]
    deals.write_csv(tmp_path / "deal_data.csv")
    moments = ["2020-03-01 10:00:00.5", "2020-04-01 10:00:00"]
    history = {"deal_id": [other] * 2, "timestamp": moments, "name": ["amount"] * 2, "value": ["100", "250.5"]}
    pl.DataFrame(history).write_csv(tmp_path / "deal_property_history_data.csv")
    pl.DataFrame({"deal_id": [one], "merged_deal_id": [third]}).write_csv(tmp_path / "merged_deal_data.csv")
    found = deliver(load_mapping("hubspot"), tmp_path)
    assert [(row[0], row[3]) for row in life(found, other)] == [
        (at(born), None),
        (at("2020-03-01 10:00:00.5"), 100.0),
        (at("2020-04-01 10:00:00"), 250.5),
    ]
    assert life(found, third)[-1][-1] == "merged"
    assert dict(found.tables["opportunities"].select("opportunity_id", "merged_into").rows())[third] == one
