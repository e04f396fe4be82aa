"""A real export, whole: the totals are counted again with the csv module alone."""

import csv
from pathlib import Path
from shutil import copytree

import polars as pl
import pytest

from cadran.sources import deliver
from cadran.sources.mapping import load_mapping

MAVEN = Path(__file__).parents[2] / "../shared/data/maven_crm"
pytestmark = pytest.mark.skipif(not MAVEN.is_dir(), reason="needs ../shared/data/maven_crm")


@pytest.fixture(scope="module")
def delivered():
    return deliver(load_mapping("maven_crm"), MAVEN)


@pytest.fixture(scope="module")
def counted():
    """Deals and amounts by outcome, by a plain loop."""
    n = {"won": 0, "lost": 0, "open": 0}
    revenue = 0.0
    with (MAVEN / "sales_pipeline.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            outcome = {"Won": "won", "Lost": "lost"}.get(row["deal_stage"], "open")
            n[outcome] += 1
            revenue += float(row["close_value"] or 0)
    return n, revenue


def test_totals_are_those_of_a_plain_loop(delivered, counted):
    now = delivered.tables["versions"].filter(pl.col("valid_to").is_null())
    by_status = dict(now["status"].cast(pl.String).value_counts().iter_rows())
    assert by_status == counted[0] == {"won": 4238, "lost": 2473, "open": 2089}
    assert now["amount"].sum() == counted[1] == 10_005_534
    assert delivered.tables["opportunities"].height == 8800
    assert delivered.tables["opportunities"]["created_at"].null_count() == 500


def test_no_row_is_lost(delivered):
    assert delivered.set_aside.is_empty()
    read = {file.file: (file.n_read, file.n_accepted, file.n_set_aside) for file in delivered.files}
    assert read == {
        "sales_pipeline.csv": (8800, 8800, 0),
        "sales_teams.csv": (35, 35, 0),
        "accounts.csv": (85, 85, 0),
    }


def test_nothing_is_known_before_it_happened(delivered):
    versions = delivered.tables["versions"]
    early = versions.filter(pl.col("status") == "open")
    assert early["amount"].null_count() == early.height
    assert versions.filter(pl.col("status") == "lost")["amount"].null_count() == 2473
    assert delivered.settings.known_at_close == ("amount",)
    assert versions["valid_from"].max() <= delivered.settings.taken


def test_misspellings_are_corrected(delivered):
    assert set(delivered.tables["opportunities"]["product"].unique()) == {
        "GTX Basic", "GTX Pro", "MG Special", "MG Advanced", "GTX Plus Pro", "GTX Plus Basic", "GTK 500",
    }  # fmt: skip
    accounts = delivered.tables["accounts"]
    assert "technology" in accounts["sector"].to_list()
    assert "Philippines" in accounts["country"].to_list()
    acme = accounts.row(by_predicate=pl.col("account_id") == "Acme Corporation", named=True)
    assert acme["annual_revenue"] == pytest.approx(1_100_040_000)


def test_both_ways_of_writing_dates_give_the_same_book(delivered, tmp_path):
    folder = Path(copytree(MAVEN, tmp_path / "maven"))
    (folder / "sales_pipeline.csv").chmod(0o644)
    folder.chmod(0o755)
    (folder / "sales_pipeline.csv").unlink()
    for other in (deliver(load_mapping("maven_crm"), folder), deliver(load_mapping("maven_crm_us_dates"), MAVEN)):
        assert other.settings == delivered.settings
        assert other.tables.keys() == delivered.tables.keys()
        for name, table in other.tables.items():
            assert table.equals(delivered.tables[name]), name
