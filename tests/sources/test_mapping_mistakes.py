"""Mistakes in a mapping: each is told with the file, the key and the repair. And the format is documented whole."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from cadran.sources.feeds import KEYS, mappable
from cadran.sources.mapping import load_mapping, names
from cadran.sources.survey_mapping import SurveyMapping, load_any_mapping
from cadran.tables import TABLES
from cadran.tables.problems import Problem

MAPPING = (Path(__file__).parent / "small" / "mapping.toml").read_text()
DOCUMENT = Path(__file__).parents[2] / "docs" / "mapping.md"
LIST = MAPPING[MAPPING.index("stages = [") : MAPPING.index("[files]")]

MISTAKES = [
    ('taken = 2024-12-31\n', "", "mapping.toml does not say when the data was taken.", 'taken = "latest date"'),
    ("taken = 2024-12-31", 'taken = "yesterday"', "taken cannot be 'yesterday'", "latest date"),
    ("time_zone", "timezone", "there is no key 'timezone'.", "Did you mean 'time_zone'?"),
    ("Europe/Paris", "Europe/Pari", "time_zone cannot be 'Europe/Pari'", "Did you mean 'Europe/Paris'?"),
    ('"EUR"', '"euro"', "'euro' is not a currency", "EUR"),
    ('currency = "EUR"', "currency = 3", "currency cannot be 3.", 'Write it like "text".'),
    ('currency = "EUR"', "fiscal_year_starts = 13", "fiscal_year_starts cannot be '13'", ""),
    ('currency = "EUR"', 'amount_basis = "yearly"', "amount_basis cannot be 'yearly'", "total, annual"),
    ('currency = "EUR"', "rates = { USD = -1 }", "rates.USD needs a rate above 0", "0.92"),
    ('currency = "EUR"', "rates = { USD = [{ rate = 1 }] }", "rates.USD needs a rate above 0", "from"),
    ("[deals]\n", "[deal]\n", "there is no key 'deal'.", "Did you mean 'deals'?"),
    ("created_at", "creatd_at", "there is no key '[deals]: creatd_at'.", "Did you mean 'created_at'?"),
    ('file = "reps"', 'file = "rep"', "[reps] file cannot be 'rep'", "Did you mean 'reps'?"),
    ('file = "reps"\n', "", "[reps] does not say which file feeds it.", 'file = "NAME"'),
    ('stage = "stage"\n', "", "[deals] lacks stage.", 'stage = "COLUMN"'),
    ('closed_at = "closed"\n', "", "[deals] lacks closed_at.", "won or lost"),
    ('kind = "won"', 'kind = "wno"', "stages[3]: kind cannot be 'wno'", "Did you mean 'won'?"),
    ('kind = "won"', 'kind = "lost"', "no stage is of kind won.", "Complete the list"),
    ('stage = "Offer"', 'stage = "Lead"', "the stage 'Lead' stands twice in stages.", "Remove one."),
    (LIST, "", "mapping.toml does not give the stages.", 'stages = [ { stage = "NAME", kind = "open" }, … ]'),
    ('kind = "open" },', 'kind = "open", probability = 20 },', "a probability is 0 to 1", "0.2"),
    ('kind = "won"', 'kind = "won", at_creation = true', "at_creation is for one open stage", ""),
    ('"deals.csv"', '{ pth = "deals.csv" }', "there is no key 'files.deals: pth'.", "Did you mean 'path'?"),
    ('"deals.csv"', '{ format = "csv" }', "files.deals has no path.", 'path = "FILE.csv"'),
    ('"deals.csv"', '{ path = "deals.csv", format = "xml" }', "files.deals: format cannot be 'xml'", "parquet"),
    ('"deals.csv"', '{ path = "deals.csv", separator = "::" }', "a separator is one sign", ""),
    ('amount = "amount"', "amount = { scale = 2 }", "[deals] amount needs either a column or a constant.", ""),
    ('amount = "amount"', 'amount = { column = "a", known = "at_end" }', "known cannot be 'at_end'", ""),
    ('stage = "stage"', 'stage = { column = "s", known = "at_close" }', "[deals] stage takes no `known`.", ""),
    ('"client"\nrep', '{ column = "c", known = "at_export" }\nrep', "account_id never changes", ""),
    ('team = "team"', 'team = { column = "t", unknown = "set aside" }', "team refers to no other table.", ""),
    ('team = "team"', 'team = { column = "t", from = "deals" }', "needs both `from` and `on`", ""),
    ('team = "team"', 'team = { column = "t", from = "dels", on = "x" }', "'dels'", "Did you mean 'deals'?"),
    ('[reps]\nfile = "reps"\nrep_id = "rep"\nteam = "team"\n', "", "rep_id refers to reps, which nothing feeds.",
     '[reps]\nfile = "deals"\nfrom_values = true\nrep_id = "rep"'),
    ('[deals]\nfile', '[opportunities]\nfile', "there is no key '[opportunities]: rep_id'.", ""),
    ("[deals]", "[deals", "mapping.toml is not valid TOML", "Correct it there."),
]  # fmt: skip


def mistake(tmp_path, text):
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problem) as caught:
        load_mapping(path)
    return str(caught.value)


@pytest.mark.parametrize(("old", "new", "what", "repair"), MISTAKES)
def test_a_mistake_is_told_with_its_repair(tmp_path, old, new, what, repair):
    assert old in MAPPING
    said = mistake(tmp_path, MAPPING.replace(old, new, 1))
    assert said.startswith("mapping.toml")
    assert what in said
    assert repair in said


PASTS = {
    "[versions]": 'opportunity_id = "id"\nvalid_from = "created"\nstage = "stage"\n',
    "[[changes]]": 'key = "id"\nat = "created"\nfield = { constant = "stage" }\nvalue = "stage"\n',
    "[events]": 'case = "id"\nactivity = "stage"\nat = "created"\nstages = { Lead = "Lead" }\n',
}


@pytest.mark.parametrize(("one", "other"), [*combinations(PASTS, 2)])
def test_the_past_of_deals_is_told_by_one_kind_of_section(tmp_path, one, other):
    said = mistake(tmp_path, MAPPING + "".join(f'{name}\nfile = "deals"\n{PASTS[name]}' for name in (one, other)))
    assert said.startswith(f"mapping.toml: {one}")
    assert f"and {other}" in said
    assert "both tell the past of deals" in said
    assert "Keep the one that tells more" in said


def test_several_files_of_one_kind_may_tell_the_past_and_changes_of_clients_beside_versions(tmp_path):
    (tmp_path / "mapping.toml").write_text(
        MAPPING
        + f'[[versions]]\nfile = "deals"\n{PASTS["[versions]"]}' * 2
        + '[[changes]]\nof = "accounts"\nfile = "deals"\nkey = "client"\nat = "created"\n'
        + 'field = { constant = "sector" }\nvalue = "stage"\n'
    )
    assert len(load_mapping(tmp_path / "mapping.toml").feeds) == 6


def test_the_small_mapping_is_right(tmp_path):
    (tmp_path / "mapping.toml").write_text(MAPPING)
    mapping = load_mapping(tmp_path / "mapping.toml")
    assert [feed.table for feed in mapping.feeds] == ["deals", "reps", "accounts"]
    assert [stage.stage for stage in mapping.stages] == ["Lead", "Offer", "Won", "Lost"]


def test_names_of_mappings_that_ship():
    assert "maven_crm" in names()
    found = [load_any_mapping(name) for name in names()]
    assert all((each.source if isinstance(each, SurveyMapping) else each).is_shipped for each in found)


def test_an_unknown_name_is_told_with_what_resembles_it():
    with pytest.raises(Problem, match="Did you mean 'maven_crm'"):
        load_mapping("maven_cmr")
    with pytest.raises(Problem, match=r"no mapping nowhere\.toml"):
        load_mapping("nowhere.toml")


def test_a_mapping_may_extend_another(tmp_path):
    (tmp_path / "base.toml").write_text(MAPPING)
    (tmp_path / "mine.toml").write_text('extends = "base.toml"\ncurrency = "USD"\n[files]\ndeals = "other.csv"\n')
    mapping = load_mapping(tmp_path / "mine.toml")
    assert (mapping.currency, mapping.time_zone) == ("USD", "Europe/Paris")
    assert mapping.files["deals"].path == ("other.csv",)
    assert mapping.files["reps"].path == ("reps.csv",)
    (tmp_path / "base.toml").write_text('extends = "mine.toml"\n')
    with pytest.raises(Problem, match="in a circle"):
        load_mapping(tmp_path / "mine.toml")


def test_every_key_and_field_is_documented():
    text = DOCUMENT.read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE))
    keys = {key for section in KEYS.values() for key in section}
    assert keys - documented == set()
    named = set(re.findall(r"`([a-z_]+)`", text))
    fields = {field for table in ("deals", *TABLES) if table != "calendar" for field in mappable(table)}
    assert fields - named == set()


def test_every_example_in_the_document_is_a_right_mapping(tmp_path):
    text = DOCUMENT.read_text(encoding="utf-8")
    whole = [block for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL) if "taken =" in block]
    assert len(whole) >= 2
    for block in whole:
        (tmp_path / "example.toml").write_text(block, encoding="utf-8")
        load_mapping(tmp_path / "example.toml")


def test_no_field_is_called_like_a_key_of_its_table():
    for table in ("deals", *TABLES):
        assert not set(mappable(table)) & KEYS["a table"].keys()


def blocks():
    text = DOCUMENT.read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.strip().splitlines()[0])
def test_what_is_shown_is_right(tmp_path, block):
    """Whole mappings load; parts of one load below the parts they leave out."""
    path = tmp_path / "shown.toml"
    if "taken" not in block:
        named = {*re.findall(r'^file = "(\w+)"', block, flags=re.MULTILINE)}
        files = "".join(f'{name} = "{name}.csv"\n' for name in sorted(named))
        deals = "" if "[deals]" in block else '[deals]\nfile = "deals"\nopportunity_id = "Id"\nstage = "Stage"\n'
        deals = deals and f"{deals}closed_at = 'Closed'\n"
        stages = 'stages = [{ stage = "Open", kind = "open" }, { stage = "Won", kind = "won" }]\n'
        files += "" if "deals" in named else 'deals = "deals.csv"\n'
        block = f"taken = 2024-12-31\n{stages}[files]\n{files}{deals}{block}"
    path.write_text(block, encoding="utf-8")
    assert load_mapping(path).feeds


CHANGES = (
    '[[changes]]\nof = "deals"\nfile = "deals"\nkey = "id"\nat = "on"\nfield = { constant = "stage" }\nvalue = "to"\n'
)
MERGES = '[[merges]]\nof = "accounts"\nfile = "deals"\nkey = "gone"\ninto = "kept"\n'


@pytest.mark.parametrize(
    ("section", "old", "new", "what", "repair"),
    [
        (CHANGES, '"deals"', '"deal"', "[changes] of cannot be 'deal'.", "Did you mean 'deals'?"),
        (CHANGES, '"deals"', '"targets"', "[changes] field cannot be 'stage'.", ""),
        (CHANGES, 'constant = "stage"', 'column = "f", values = { A = "amout" }', "'amout'", "Did you mean 'amount'?"),
        (CHANGES, 'value = "to"\n', "", "[changes] lacks value.", 'value = "COLUMN"'),
        (CHANGES, 'constant = "stage"', 'column = "f", split = ";"', "takes no `split`", "[[merges]]"),
        (MERGES, '"accounts"', '"reps"', "[merges] of cannot be 'reps'.", "deals, accounts, contacts"),
        (MERGES, 'into = "kept"\n', "", "[merges] lacks into.", 'into = "COLUMN"'),
        ('[reps]\nfile = "reps"\nabsent = "left"\nrep_id = "rep"\n', "", "", "absent cannot be 'left'.", "gone, kept"),
    ],
)
def test_a_mistake_in_a_history_is_told(tmp_path, section, old, new, what, repair):
    mapping = MAPPING
    if section.startswith("[reps]"):
        mapping, section = MAPPING.replace('[reps]\nfile = "reps"\n', '[reps]\nfile = "reps"\nabsent = "left"\n'), ""
    said = mistake(tmp_path, f"{mapping}\n{section.replace(old, new, 1) if old else section}")
    assert what in said
    assert repair in said
