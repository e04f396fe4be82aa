"""A book made from a database is the book made from files; read since the last import, the book made from everything."""

import days
import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.book.store import read_manifest, since
from cadran.cli import main
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping

DAYS = days.last_days(3)
MARKED = ("deals", "leads", "clients")


@pytest.fixture(scope="module")
def company():
    """A small invented company."""
    return days.company(40)[0]


@pytest.fixture(scope="module")
def from_files(company, tmp_path_factory):
    """Its book, made of what its CRM exports at the end of each of three days; and the last of its mappings."""
    folder = tmp_path_factory.mktemp("files")
    return days.by_export(company, DAYS, folder), (folder / str(days.LAST) / "crm.toml").read_text(encoding="utf-8")


@pytest.fixture
def imported(crm, company, from_files, tmp_path):
    """Fills the database as the CRM was at the end of a day, and imports it; gives the book and what was delivered."""
    _, text = from_files
    for name in ("deals", "clients", "users", "leads"):
        mark = ', watermark = "modified"' if name in MARKED else ""
        text = text.replace(f'{name} = "{name}.csv"', f'{name} = {{ database = "crm", table = "{name}"{mark} }}')
    held = {}

    def imported(day, book, everything=False):
        for name, frame in days._files(days.known(company, days.end_of(day))).items():
            if name in MARKED:
                ago = pl.duration(hours=pl.int_range(pl.len()))
                first = frame.with_columns(modified=pl.lit(days.end_of(day)) - ago)
                frame = frame.join(held.get(name, first), on=frame.columns, how="left", nulls_equal=True)
                frame = frame.with_columns(pl.col("modified").fill_null(days.end_of(day)))
            held[name] = frame
            crm.write(name, frame)
        mapping = tmp_path / "crm.toml"
        said = text.replace(f"taken = {days.LAST}", f"taken = {day}")
        mapping.write_text(f"{said}\n[databases.crm]\n{crm.section}\n", encoding="utf-8")
        known = None if everything else since(tmp_path / book)
        delivery = deliver(load_mapping(mapping), since=known)
        write_book(tmp_path / book, delivery, days.end_of(day))
        return open_book(tmp_path / book), delivery

    return imported


def test_day_by_day_since_the_last_import_makes_the_book_of_the_files(imported, from_files):
    by_files, _ = from_files
    deliveries = []
    for day in DAYS:
        book, delivery = imported(day, "book")
        deliveries.append(delivery)

    one, other = days.rows(by_files), days.rows(book)
    for name in one:
        assert one[name].equals(other[name]), name
    assert [d.noted.rows() for d in deliveries] == [[]] * 3
    n_deals = [sum(f.n_read for f in d.files if f.table == "opportunities") for d in deliveries]
    assert 0 < n_deals[1] < n_deals[0] / 2  # only what changed, and the ties
    assert [d.partial for d in deliveries] == [
        frozenset(),
        {"accounts", "deals", "leads"},
        {"accounts", "deals", "leads"},
    ]


@pytest.mark.parametrize("crm", ["postgresql"], indirect=True)
def test_everything_again_makes_the_same_book(imported):
    for day in DAYS[:2]:
        some, _ = imported(day, "some")
    imported(DAYS[0], "all", everything=True)
    whole, delivery = imported(DAYS[1], "all", everything=True)

    assert delivery.partial == frozenset()
    one, other = days.rows(some), days.rows(whole)
    for name in one:
        assert one[name].equals(other[name]), name


HISTORY = """
name = "History"
taken = {day}
time_zone = "Europe/Paris"
stages = [
{stages}
]
[databases.crm]
{section}
[files]
heads = {{ database = "crm", table = "heads", watermark = "modified" }}
history = {{ database = "crm", table = "history", watermark = "modified" }}
reps = {{ database = "crm", table = "reps" }}
accounts = {{ database = "crm", table = "accounts" }}
[reps]
file = "reps"
rep_id = "rep_id"
[accounts]
file = "accounts"
account_id = "account_id"
[opportunities]
file = "heads"
opportunity_id = "opportunity_id"
account_id = "account_id"
created_at = "created_at"
[versions]
file = "history"
opportunity_id = "opportunity_id"
valid_from = "valid_from"
stage = "stage"
rep_id = "rep_id"
amount = "amount"
"""


def test_of_a_history_all_rows_of_what_changed_are_read(crm, company, tmp_path):
    """A new version of a deal brings its whole past, and the deal itself, though these rows did not change."""
    stages = ",\n".join(
        f'{{ stage = "{s}", kind = "{k}" }}' for s, k in company["stages"].select("stage", "kind").rows()
    )
    for name in ("reps", "accounts"):
        crm.write(name, company[name].select(name.removesuffix("s") + "_id").unique())
    delivered = {}
    for day in DAYS[1:]:
        now = days.known(company, days.end_of(day))
        heads = now["opportunities"].select("opportunity_id", "account_id", "created_at", modified="created_at")
        history = now["versions"].select(
            "opportunity_id", "valid_from", "stage", "rep_id", "amount", modified="valid_from"
        )
        crm.write("heads", heads)
        crm.write("history", history)
        path = tmp_path / "crm.toml"
        path.write_text(HISTORY.format(day=day, stages=stages, section=crm.section), encoding="utf-8")
        for book in ("some", "all"):
            known = since(tmp_path / book) if book == "some" else None
            delivered[book] = deliver(load_mapping(path), since=known)
            write_book(tmp_path / book, delivered[book], days.end_of(day))

    one, other = (days.rows(open_book(tmp_path / book)) for book in ("some", "all"))
    for name in one:
        assert one[name].equals(other[name]), name
    some, whole = delivered["some"].tables["versions"], delivered["all"].tables["versions"]
    assert 0 < some.height < whole.height
    assert some.sort(pl.all()).equals(whole.join(some, on="opportunity_id", how="semi").sort(pl.all()))


@pytest.mark.parametrize("crm", ["postgresql"], indirect=True)
def test_the_command_reads_what_is_new_and_keeps_no_secret(crm, tmp_path, monkeypatch, capsys):
    crm.run(
        "create table deals (id int, stage text, created timestamptz, closed date, modified timestamptz)",
        "insert into deals values (1, 'Lead', '2024-01-01', null, '2024-01-01')",
        "insert into deals values (2, 'Won', '2024-01-01', '2024-02-01', '2024-02-01')",
        "grant select on deals to locked",
    )
    (tmp_path / "crm.toml").write_text(f"""
taken = "now"
stages = [ {{ stage = "Lead", kind = "open" }}, {{ stage = "Won", kind = "won" }} ]
[files.deals]
database = "crm"
table = "deals"
watermark = "modified"
[deals]
file = "deals"
opportunity_id = "id"
stage = "stage"
created_at = "created"
closed_at = "closed"
[databases.crm]
{crm.section}
""")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)
    monkeypatch.setenv("CADRAN_CRM_ADDRESS", crm.address.replace("postgres:@", "locked:p%40ss%20word@"))
    monkeypatch.chdir(tmp_path)

    def run(*more):
        monkeypatch.setattr("sys.argv", ["cadran", "import", "crm.toml", *more])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return "".join(capsys.readouterr())

    said = run() + run() + run("--full")
    read = [read_manifest(version)["files"][0]["n_read"] for version in sorted((tmp_path / "book").glob("0*"))]
    assert read == [2, 1, 2]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "book").rglob("*") if path.is_file())
    for secret in ("p%40ss", "p@ss word", "locked"):
        assert secret not in said
        assert secret.encode() not in kept
