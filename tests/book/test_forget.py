"""A person is forgotten in every version of a book, and what was measured is measured again."""

import json
import re

import days
import polars as pl
import pyarrow as pa
import pytest

from cadran.book import forget, open_book, write_book
from cadran.book.folder import versions
from cadran.book.forgotten import FILE, forgotten
from cadran.book.rewrite import JOURNAL
from cadran.sources.sample import invent
from cadran.tables.delivery import NOTED, SET_ASIDE, Part
from cadran.tables.groups import bucket_of, group_of
from cadran.tables.problems import Problem

DAYS = days.last_days(3)
NAME = "Zoé Kérébel"
WORDS = {"rep": [NAME, "Kérébel", "K\\u00e9r\\u00e9bel"], "contact": [], "lead": []}
ZSTD = b"\x28\xb5\x2f\xfd"


@pytest.fixture(scope="module")
def company():
    """A small invented company, in which a manager is named too: its tables and settings."""
    delivery = invent(150, seed=5, activities=0.2)
    tables = dict(delivery.tables)
    rep = tables["versions"]["rep_id"].drop_nulls().mode()[0]
    is_theirs, other = pl.col("rep_id") == rep, pl.col("rep_id") != rep
    tables["reps"] = tables["reps"].with_columns(
        name=pl.when(is_theirs).then(pl.lit(NAME)).otherwise("name"),
        manager_id=pl.when(other & (pl.col("team") == pl.col("team").first())).then(pl.lit(NAME)).otherwise("manager_id"),
    )
    tables["actions"] = tables["actions"].with_columns(label=pl.col("label") + f", with {NAME}")
    return tables, delivery.settings


@pytest.fixture(scope="module")
def people(company):
    """The identifier of someone of each kind who has touches, parts or leads."""
    tables, _ = company
    return {
        "rep": tables["reps"].filter(pl.col("name") == NAME)["rep_id"][0],
        "contact": tables["deal_contacts"]["contact_id"].mode().sort()[0],
        "lead": tables["leads"]["lead_id"][0],
    }


def delivered(company, people, day, n):
    """What a source tells on a day, in `n` buckets, with a row set aside about each of the people, and a remark."""
    delivery = days.told(*company, day)
    rows = [
        {"table": "activities", "file": "a.csv", "row": 7, "id": "A7", "rule": "a rule", "repair": "a repair",
         "found": f"who = {person}", "values": json.dumps({"what": "A7", "who": person, "by": f"{NAME} (Nord)"})}
        for person in people.values()
    ]  # fmt: skip
    other = {"table": "leads", "file": "l.csv", "row": 8, "id": "L8", "rule": "a rule", "found": "x = 1", "values": "{}"}
    aside = pl.DataFrame([*rows, other], schema=SET_ASIDE)
    found = ", ".join(people.values())
    delivery.noted = pl.DataFrame([("versions", "d.csv", "not known", 3, found)], schema=NOTED, orient="row")
    parts = [Part("plan", {}, aside)]
    for part in delivery.parts:
        key = group_of(next(iter(part.tables))).key
        for bucket in range(n if key else 1):
            cut = {
                name: frame.filter(bucket_of(key, n) == bucket) if key else frame for name, frame in part.tables.items()
            }
            parts.append(Part(part.group, cut, bucket=bucket, n_buckets=n if key else 1))
    delivery.parts = parts
    return delivery


@pytest.fixture(scope="module", params=[1, 4], ids=["in one piece", "in buckets"])
def book(request, company, people, tmp_path_factory):
    """A book of three versions, some of whose files are shared."""
    folder = tmp_path_factory.mktemp("book")
    for day in DAYS:
        write_book(folder, delivered(company, people, day, request.param), days.end_of(day))
    return folder, request.param


@pytest.fixture
def copied(book, tmp_path):
    """A copy of it, in which files are shared likewise."""
    folder, n = book
    copy, made = tmp_path / "book", {}
    for path in sorted(folder.rglob("*")):
        new, number = copy / path.relative_to(folder), path.stat().st_ino
        if path.is_dir():
            new.mkdir(parents=True)
        elif number in made:
            new.hardlink_to(made[number])
        else:
            made[number] = new
            new.write_bytes(path.read_bytes())
    return copy, n


def every_byte(folder):
    """Every byte kept under a folder, and what the compressed pages among them say."""
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            yield path, raw
            for found in re.finditer(re.escape(ZSTD), raw):
                with pa.input_stream(pa.BufferReader(raw[found.start() :]), compression="zstd") as stream:
                    try:
                        yield path, stream.read()
                    except OSError:  # bytes that only look like the beginning of a page, or a page that others follow
                        continue


def naming(folder, *texts):
    """The files that say one of the texts."""
    return {str(path.relative_to(folder)) for path, said in every_byte(folder) if any(t.encode() in said for t in texts)}


@pytest.mark.parametrize("kind", ["rep", "contact", "lead"])
def test_no_byte_of_the_book_says_who_it_was(copied, people, kind):
    folder, _ = copied
    texts = [people[kind], *WORDS[kind]]
    assert len(naming(folder, *texts)) >= 6

    person, n = forget(folder, people[kind])

    assert naming(folder, *texts) == set()
    assert (person.kind, n) == (kind, 3)
    (pseudonym,) = person.ids.values()
    assert naming(folder, pseudonym)
    assert not (folder / JOURNAL).exists()
