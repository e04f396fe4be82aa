"""A source too large for memory: cut into blocks and buckets it gives what it gives in one piece."""

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from cadran.sources import delimited, deliver, spill
from cadran.sources.mapping import load_mapping
from cadran.tables import groups
from cadran.tables.delivery import Since
from cadran.tables.problems import Problem

MAPPING = """
taken = "latest date"
time_zone = "Europe/Paris"
stages = [
  { stage = "Offer", kind = "open" }, { stage = "Deal", kind = "open" },
  { stage = "Won", kind = "won" }, { stage = "Lost", kind = "lost" },
]
[files]
heads = "heads.csv"
moves = "moves_*.csv"
people = "people.csv"
calls = "calls.csv"
leads = "leads.csv"
[[reps]]
file = "moves"
from_values = true
rep_id = "owner"
[accounts]
file = "heads"
from_values = true
account_id = "client"
sector = "sector"
[contacts]
file = "people"
contact_id = "id"
account_id = { column = "client", unknown = "keep as null" }
[opportunities]
file = "heads"
opportunity_id = "id"
account_id = "client"
created_at = "created"
[versions]
file = "moves"
only = { kept = ["yes"] }
opportunity_id = "id"
valid_from = "since"
rep_id = "owner"
stage = "stage"
amount = "amount"
expected_close_date = "expected"
[activities]
file = "calls"
deleted = { who = "P7" }
activity_id = "n"
opportunity_id = "deal"
contact_id = "who"
at = "at"
kind = { constant = "call" }
[leads]
file = "leads"
lead_id = "id"
created_at = "at"
opportunity_id = "deal"
"""


@pytest.fixture
def crm(tmp_path):
    """A CRM of some hundred deals, with faults of many kinds in it."""
    draw = random.Random(1)
    day = datetime(2024, 1, 1, tzinfo=UTC)

    def at(form="%Y-%m-%d %H:%M:%S"):
        return (day + timedelta(seconds=draw.randrange(86400 * 300))).strftime(form)

    deals = [f"D{n:04}" for n in range(300)]
    heads = [f'{d},"C{draw.randrange(2000)}, SA",S{draw.randrange(3)},{at("%d/%m/%Y")}' for d in deals]
    heads += [heads[5], "D0007,C1,S1,02/01/2024", ",C2,S1,02/01/2024", "D9999,C1", "\n"]
    moves = [
        f"{draw.choice(deals)},{at()},R{draw.randrange(9)},{draw.choice(['Offer', 'Deal', 'Won', 'Lost'])},"
        f"{draw.choice(['12,5', '1 234', '7', '', 'x' if n % 97 == 0 else '3'])!r},".replace("'", '"')
        + f"{at('%Y-%m-%d')},{'no' if n % 50 == 0 else 'yes'}"
        for n in range(1200)
    ]
    moves += [moves[3], f"D0011,{at()},R1,Nowhere,1,2024-01-01,yes", "D0012,soon,R1,Deal,1,2024-01-01,yes", "D0013,a"]
    people = [f'P{n},"C{draw.randrange(2050)}, SA"' for n in range(300)]
    calls = [f"A{n},{draw.choice([*deals, '', 'D8888'])},P{draw.randrange(310)},{at()}" for n in range(500)]
    calls += [calls[9], f"A10,D0100,P1,{at()}", f"A11,,P1,{at()}"]
    leads = [f"L{n},{at()},{draw.choice([*deals, ''])}" for n in range(300)]
    files = {
        "heads": ("id,client,sector,created", heads), "moves_1": ("id,since,owner,stage,amount,expected,kept", moves[:700]),
        "moves_2": ("id,since,owner,stage,amount,expected,kept", moves[700:]), "people": ("id,client", people),
        "calls": ("n,deal,who,at", calls), "leads": ("id,at,deal", leads),
    }  # fmt: skip
    for name, (header, rows) in files.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "crm.toml").write_text(MAPPING)
    return tmp_path


@pytest.fixture
def short_crm(crm):
    """The same of a hundred rows a file, for blocks of 2 kB."""
    for path in crm.glob("*.csv"):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:101]))
    return crm


def taken_in(folder, since=None):
    delivery = deliver(load_mapping(folder / "crm.toml"), since=since)
    tables = {name: frame.sort(frame.columns) for name, frame in delivery.tables.items()}
    return delivery, tables, delivery.set_aside.sort("table", "file", "row")


@pytest.mark.parametrize("most_bytes", [2**30, 1])
def test_blocks_and_buckets_change_nothing(crm, monkeypatch, most_bytes):
    whole, tables, aside = taken_in(crm)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 12_000)
    monkeypatch.setattr(groups, "MOST_ROWS", 250)
    monkeypatch.setattr(groups, "BUCKET_ROWS", 270)
    monkeypatch.setattr(spill, "MOST_BYTES", most_bytes)
    cut = deliver(load_mapping(crm / "crm.toml"))
    parts = list(cut.parts)
    cut.parts = parts
    assert {part.group: part.n_buckets for part in parts} == {
        "plan": 1,
        "accounts": 2,
        "contacts": 2,
        "deals": 8,
        "leads": 2,
    }
    assert_everything_of_one_key_is_in_one_bucket(parts, 8)
    for name, frame in cut.tables.items():
        assert frame.sort(frame.columns).equals(tables[name]), name
    assert tables["versions"].height > 500
    assert cut.set_aside.sort("table", "file", "row").equals(aside)
    assert aside["rule"].n_unique() > 8
    assert cut.files == whole.files
    of_p7 = sum(",P7," in line for line in (crm / "calls.csv").read_text().splitlines())
    assert [file.n_left_out for file in whole.files if file.n_left_out] == [14, 10, of_p7]
    assert not aside["values"].str.contains('"who":"P7"').any()
    assert cut.noted.sort("note", "file").equals(whole.noted.sort("note", "file"))
    assert cut.settings == whole.settings


def assert_everything_of_one_key_is_in_one_bucket(parts, n_buckets):
    found = {}
    for part in parts:
        if part.group == "deals" and part.tables:
            for table in ("opportunities", "versions", "activities"):
                for deal in part.tables[table]["opportunity_id"].drop_nulls().unique():
                    assert found.setdefault(deal, part.bucket) == part.bucket
    assert len(set(found.values())) == n_buckets


def test_a_book_already_cut_is_cut_no_coarser(crm):
    delivery, tables, _ = taken_in(crm, Since(n_buckets={"deals": 4}))
    assert {part.n_buckets for part in delivery.parts if part.group == "deals"} == {4}
    assert tables["versions"].equals(taken_in(crm)[1]["versions"])


def test_nothing_is_left_behind_in_the_temporary_folder(crm, monkeypatch, tmp_path_factory):
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr(spill, "MOST_BYTES", 1)
    monkeypatch.setattr(groups, "MOST_ROWS", 50)
    parts = iter(deliver(load_mapping(crm / "crm.toml")).parts)
    next(parts)
    assert list(place.iterdir())
    parts.close()
    assert not list(place.iterdir())
    (crm / "moves_2.csv").write_text("id,since\n")
    with pytest.raises(Problem):
        deliver(load_mapping(crm / "crm.toml"))
    assert not list(place.iterdir())


def test_a_comma_told_by_the_last_block_holds_for_the_first(short_crm, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 2000)
    lines = [f'D{n:04},2024-01-0{n % 9 + 1} 10:00:00,R1,Offer,"1.250",2024-02-01,yes' for n in range(100)]
    lines.append('D0100,2024-01-01 10:00:00,R1,Offer,"12,5",2024-02-01,yes')
    header = "id,since,owner,stage,amount,expected,kept"
    (short_crm / "moves_1.csv").write_text("\n".join([header, *lines]) + "\n")
    (short_crm / "moves_2.csv").unlink()
    versions = taken_in(short_crm)[1]["versions"]
    assert versions.filter(pl.col("opportunity_id") != "D0100")["amount"].unique().to_list() == [1250.0]


def test_a_date_order_told_by_the_last_block_holds_for_the_first(short_crm, monkeypatch):
    heads = [f"D{n:04},C1,S1,{n % 12 + 1:02}/03/2024" for n in range(96)]
    for last, first in (("28/02/2024", (2024, 3, 1)), ("02/28/2024", (2024, 1, 3))):
        (short_crm / "heads.csv").write_text(
            "\n".join(["id,client,sector,created", *heads, f"D0300,C1,S1,{last}"]) + "\n"
        )
        monkeypatch.setattr(delimited, "BLOCK_BYTES", 2000)
        created = taken_in(short_crm)[1]["opportunities"]["created_at"].dt.convert_time_zone("Europe/Paris").dt.date()
        assert created.min().timetuple()[:3] == first
    (short_crm / "heads.csv").write_text("\n".join(["id,client,sector,created", *heads]) + "\n")
    with pytest.raises(Problem, match="cannot be told apart"):
        taken_in(short_crm)


def test_an_e_mail_in_any_block_is_refused(short_crm, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 2000)
    with (short_crm / "moves_2.csv").open("a") as file:
        file.write("D0001,2024-01-01,ann@example.com,Offer,1,2024-01-01,yes\n")
    with pytest.raises(Problem, match="e-mail addresses"):
        taken_in(short_crm)


def test_a_missing_rate_is_told_of_all_deals(crm, monkeypatch):
    mapping = MAPPING.replace(
        'amount = "amount"', 'amount = "amount"\ncurrency = { column = "kept", values = { yes = "CHF" } }'
    )
    (crm / "crm.toml").write_text(mapping)
    said = []
    for most in (2_000_000, 250):
        monkeypatch.setattr(groups, "MOST_ROWS", most)
        monkeypatch.setattr(groups, "BUCKET_ROWS", 1000)
        with pytest.raises(Problem, match=r"2\d\d deals are in CHF") as caught:
            list(deliver(load_mapping(crm / "crm.toml")).parts)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_the_pile_gives_back_what_was_set_down(tmp_path):
    pile = spill.Pile(tmp_path / "pile", spill.Room(200))
    for n in range(20):
        pile.add(spill.cut(pl.DataFrame({"n": [n, n + 1]}), pl.Series([n % 3, (n + 1) % 3]), 3))
    assert pile.held() == [0, 1, 2]
    assert list((tmp_path / "pile").iterdir())
    assert sorted(n for key in pile.held() for n in pile.take(key)["n"]) == sorted([*range(20), *range(1, 21)])
    assert pile.held() == []
    assert not list((tmp_path / "pile").iterdir())
