"""A person is forgotten in every version of a book, and what was measured is measured again."""

import json
import random
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import crash
import days
import polars as pl
import pyarrow as pa
import pytest

from cadran.book import forget, open_book, write_book
from cadran.book.draft import digest
from cadran.book.folder import versions
from cadran.book.forgotten import FILE, forgotten
from cadran.book.persons import Person
from cadran.book.rewrite import JOURNAL
from cadran.tables.delivery import NOTED, SET_ASIDE, Part
from cadran.tables.problems import Problem

DAYS = days.last_days(3)
NAME = "Zoé Kérébel"
WORDS = {"rep": [NAME, "Kérébel", "K\\u00e9r\\u00e9bel"], "contact": [], "lead": []}
ZSTD = b"\x28\xb5\x2f\xfd"


@pytest.fixture(scope="module")
def company():
    """A small invented company, in which a manager is named too: its tables and settings."""
    tables, settings = days.company(40)
    rep = tables["versions"]["rep_id"].drop_nulls().mode()[0]
    is_theirs, other = pl.col("rep_id") == rep, pl.col("rep_id") != rep
    tables["reps"] = tables["reps"].with_columns(
        name=pl.when(is_theirs).then(pl.lit(NAME)).otherwise("name"),
        manager_id=pl.when(other & (pl.col("team") == pl.col("team").first()))
        .then(pl.lit(NAME))
        .otherwise("manager_id"),
    )
    tables["actions"] = tables["actions"].with_columns(label=pl.col("label") + f", with {NAME}")
    return tables, settings


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
    other = {
        "table": "leads",
        "file": "l.csv",
        "row": 8,
        "id": "L8",
        "rule": "a rule",
        "found": "x = 1",
        "values": "{}",
    }
    aside = pl.DataFrame([*rows, other], schema=SET_ASIDE)
    found = ", ".join(people.values())
    delivery.noted = pl.DataFrame([("versions", "d.csv", "not known", 3, found)], schema=NOTED, orient="row")
    delivery.parts = [Part("plan", {}, aside), *days.in_buckets(delivery.parts, n)]
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
    return crash.copied(folder, tmp_path / "book"), n


def every_byte(folder):
    """Every byte kept under a folder, and what the compressed pages among them say."""
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            yield path, raw
            for found in re.finditer(re.escape(ZSTD), raw):
                frame = zstd_frame(raw[found.start() :])
                with pa.input_stream(pa.BufferReader(frame), compression="zstd") as stream:
                    yield path, stream.read()


def zstd_frame(raw):
    """The bytes of the one frame that stands at the beginning of some (RFC 8878, section 3.1.1)."""
    flags = raw[4]
    is_single, has_checksum, size_flag, dictionary = flags >> 5 & 1, flags >> 2 & 1, flags >> 6, flags & 3
    at = 5 + (not is_single) + (0, 1, 2, 4)[dictionary] + ((1 if is_single else 0), 2, 4, 8)[size_flag]
    while True:
        block = int.from_bytes(raw[at : at + 3], "little")
        is_last, kind, size = block & 1, block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == 1 else size)
        if is_last:
            return raw[: at + 4 * has_checksum]


def naming(folder, *texts):
    """The files that say one of the texts."""
    return {
        str(path.relative_to(folder)) for path, said in every_byte(folder) if any(t.encode() in said for t in texts)
    }


@dataclass(frozen=True)
class Gone:
    """A book from which people were forgotten, one after the other."""

    folder: Path
    n_buckets: int
    #: By kind: who it was, in how many versions, and the files that named them before.
    people: dict[str, tuple[Person, int, set[str]]]


@pytest.fixture(scope="module")
def gone(book, people, tmp_path_factory):
    """A copy of the book from which all three were forgotten. For who reads it only: one for all."""
    named = {kind: naming(book[0], person, *WORDS[kind]) for kind, person in people.items()}
    folder = crash.copied(book[0], tmp_path_factory.mktemp("gone") / "book")
    return Gone(folder, book[1], {kind: (*forget(folder, people[kind]), named[kind]) for kind in people})


@pytest.mark.parametrize("kind", ["rep", "contact", "lead"])
def test_no_byte_of_the_book_says_who_it_was(gone, people, kind):
    person, n, named_before = gone.people[kind]

    assert len(named_before) >= 6
    assert naming(gone.folder, people[kind], *WORDS[kind]) == set()
    assert (person.kind, n) == (kind, 3)
    (pseudonym,) = person.ids.values()
    assert naming(gone.folder, pseudonym)
    assert not (gone.folder / JOURNAL).exists()


def measured(folder):
    """What some measures say of a book, whoever the sellers are."""
    book = open_book(folder)
    names = ["volumes", "win_rate", "waterfall", "lead_conversion"]
    asked = [(name, question) for name, question in days.questions(days.LAST, names) if "seller" not in question.by]
    by_owner = book.collect(book.deals(["rep_id", "team", "region", "amount"])).drop("rep_id").sort(pl.all())
    return days.answers(book, asked), by_owner


def test_what_was_measured_is_measured_again(book, gone):
    (before, deals_before) = measured(book[0])

    (after, deals_after) = measured(gone.folder)

    assert days.differences(before, after) == []
    assert deals_before.equals(deals_after)


def test_the_pseudonym_is_the_same_everywhere_and_nothing_describes_the_person(book, gone, people):
    owned = [version_rows(book[0], v, "versions").filter(rep_id=people["rep"]).height for v in versions(book[0])]
    folder, (person, *_) = gone.folder, gone.people["rep"]

    (pseudonym,) = person.ids.values()
    assert re.fullmatch(r"forgotten-[0-9a-f]{16}", pseudonym)
    for version, n in zip(versions(folder), owned, strict=True):
        assert version_rows(folder, version, "versions").filter(rep_id=pseudonym).height == n > 0
        reps = version_rows(folder, version, "reps")
        own = reps.filter(rep_id=pseudonym)
        assert own.select("name", "hired_date", "left_date").null_count().row(0) == (own.height,) * 3
        assert own["team"].null_count() == 0
        assert reps.filter(manager_id=pseudonym).height > 0
        labels = pl.read_parquet(version / "actions" / "*.parquet")["label"]
        assert labels.str.ends_with(f", with {pseudonym}").all()
        found = json.loads((version / "manifest.json").read_text())["noted"][0]["found"]
        assert found.split(", ")[0] == pseudonym


def version_rows(folder, version, table):
    """All rows of a table of one version."""
    settings = json.loads((version / "manifest.json").read_text())["settings"]
    book = open_book(folder)
    return book.collect(type(book)(version, pl.Series([settings["taken"]]).str.to_datetime()[0])._stored(table))


def test_a_row_set_aside_keeps_its_place_and_rule_and_says_that_somebody_was_forgotten(copied, people):
    folder, _ = copied

    forget(folder, people["contact"])

    aside = pl.read_parquet(versions(folder)[0] / "set_aside" / "*.parquet")
    gone = aside.filter(pl.col("found") == "forgotten").row(0, named=True)
    assert (gone["file"], gone["row"], gone["rule"], gone["id"]) == ("a.csv", 7, "a rule", None)
    assert gone["values"] == '"forgotten"'
    assert aside.filter(pl.col("found") == "x = 1").height == 1
    assert aside.filter(pl.col("found").str.contains(people["rep"])).height == 1


def test_a_later_import_does_not_bring_them_back(gone, company, people, tmp_path):
    folder = crash.copied(gone.folder, tmp_path / "book")

    write_book(folder, delivered(company, people, days.LAST, gone.n_buckets), days.end_of(days.LAST))

    manifest = open_book(folder).manifest
    counts = [counts for name, counts in manifest["import"].items() if name not in ("stages", "calendar")]
    assert {(c["n_new"], c["n_changed"], c["n_corrected"], c["n_ended"]) for c in counts} == {(0, 0, 0, 0)}
    for kind, (person, *_) in gone.people.items():
        assert naming(folder, people[kind], *WORDS[kind]) == set()
        assert forgotten(folder).pseudonym(kind, people[kind]) == person.ids[people[kind]]
        assert people[kind] not in (folder / FILE).read_text()


def test_a_book_begun_again_does_not_bring_them_back(gone, company, people, tmp_path):
    folder = crash.copied(gone.folder, tmp_path / "book")

    write_book(folder, delivered(company, people, days.LAST, gone.n_buckets), days.end_of(days.LAST), anew=True)

    assert naming(folder, *people.values(), NAME) == set()


def test_files_that_versions_share_are_shared_again(book, gone):
    def shared(folder):
        return [path.relative_to(folder) for path in folder.rglob("*.parquet") if path.stat().st_nlink > 1]

    assert shared(book[0])
    assert shared(gone.folder) == shared(book[0])


def test_the_checksums_are_those_of_the_new_files(gone):
    for version in versions(gone.folder):
        sums = json.loads((version / "manifest.json").read_text())["sha256"]
        assert sums == {
            path.relative_to(version).as_posix(): digest(path) for path in sorted(version.rglob("*.parquet"))
        }


def test_contacts_that_were_merged_into_one_another_are_one_person(company, people, tmp_path):
    tables, settings = company
    ids = tables["contacts"]["contact_id"].unique().sort()
    merged = pl.when(pl.col("contact_id") == ids[0]).then(pl.lit(ids[1])).otherwise("merged_into").alias("merged_into")
    told = {**tables, "contacts": tables["contacts"].with_columns(merged)}
    write_book(tmp_path, days.told(told, settings, days.LAST), days.end_of(days.LAST))

    person, _ = forget(tmp_path, ids[1])

    assert sorted(person.ids) == [ids[0], ids[1]]
    assert naming(tmp_path, ids[0], ids[1]) == set()


def test_an_identifier_of_several_kinds_asks_which(company, people, tmp_path):
    tables, settings = company
    twice = (
        pl.when(pl.col("lead_id") == people["lead"]).then(pl.lit(people["rep"])).otherwise("lead_id").alias("lead_id")
    )
    told = {**tables, "leads": tables["leads"].with_columns(twice)}
    write_book(tmp_path, days.told(told, settings, days.LAST), days.end_of(days.LAST))

    with pytest.raises(Problem, match=r"several kinds: rep, lead[\s\S]*--kind"):
        forget(tmp_path, people["rep"])
    forget(tmp_path, people["rep"], "lead")

    rows = open_book(tmp_path).table("leads").to_native().collect()
    assert people["rep"] not in rows["lead_id"]
    assert people["rep"] in rows["rep_id"]


def test_nobody_is_told_who_else_there_is(copied, people):
    folder, _ = copied

    with pytest.raises(Problem, match="knows a person") as told:
        forget(folder, people["rep"][:-1])

    assert people["rep"] not in str(told.value)


def test_two_reps_of_one_name_keep_their_managers_name(company, people, tmp_path):
    tables, settings = company
    named = tables["reps"].with_columns(name=pl.lit(NAME))
    write_book(tmp_path, days.told({**tables, "reps": named}, settings, days.LAST), days.end_of(days.LAST))

    person, _ = forget(tmp_path, people["rep"])

    assert person.names == {}
    reps = pl.read_parquet(open_book(tmp_path).version / "reps" / "*.parquet")
    assert reps.filter(manager_id=NAME).height > 0


def is_whole(version, identifier):
    """Whether a version is the old one or the new, with all its files: a pseudonym and the person never meet in one."""
    sums = json.loads((version / "manifest.json").read_text())["sha256"]
    has_all = all(digest(version / name) == checksum for name, checksum in sums.items())
    return has_all and not (naming(version, identifier) and naming(version, "forgotten-"))


def test_struck_at_any_step_it_is_finished_by_the_next_run(copied, people, tmp_path):
    folder, n = copied
    steps = crash.steps()
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    steps.watch(whole)
    forget(whole, people["rep"])
    n_steps = steps.n
    steps.watch("")
    assert n_steps > 100

    # Three of a whole book, three others of one in buckets.
    for nth in random.Random(n).sample(range(1, n_steps), 3):
        tried = tmp_path / f"struck {nth}"
        shutil.copytree(folder, tried)
        steps.watch(tried, nth)
        with pytest.raises(crash.Struck):
            forget(tried, people["rep"])
        assert all(is_whole(version, people["rep"]) for version in versions(tried))
        assert open_book(tried).version.name == "000003"

        with suppress(Problem):  # nobody is known by it any more, if the work was done but for the last step
            forget(tried, people["rep"])

        assert naming(tried, people["rep"], *WORDS["rep"]) == set()
        assert [path.name for path in tried.iterdir() if path.name[0] == "."] == []
        assert not (tried / JOURNAL).exists()


def test_an_import_finishes_what_was_interrupted(copied, company, people):
    folder, n = copied
    crash.steps().watch(folder / ".000002.rewritten", 5)
    with pytest.raises(crash.Struck):
        forget(folder, people["rep"])

    write_book(folder, delivered(company, people, days.LAST, n), days.end_of(days.LAST))

    assert naming(folder, people["rep"], *WORDS["rep"]) == set()


@pytest.mark.parametrize("book", [4], ids=["in buckets"], indirect=True)
def test_killed_for_good_it_is_finished_by_the_next_run(copied, people):
    folder, _ = copied
    status, _ = crash.run("forget", people["rep"], "--book", folder, nth=5, watched=folder / ".000002.rewritten")
    assert status == -9
    assert (folder / JOURNAL).exists()

    status, said = crash.run_here("forget", people["rep"], "--book", folder)

    assert status == 0
    assert "Forgotten in 2 versions of the book" in said
    assert naming(folder, people["rep"], *WORDS["rep"]) == set()


def test_no_answer_given_before_is_remembered(copied, people):
    folder, _ = copied
    before = open_book(folder)
    assert before == open_book(folder)

    forget(folder, people["rep"])

    assert open_book(folder) != before
    assert open_book(folder).version == before.version


def test_interrupted_by_hand_it_says_how_to_go_on(copied, people, monkeypatch):
    folder, _ = copied
    with monkeypatch.context() as broken:
        broken.setattr("cadran.book.rewrite.seal", interrupt)
        with pytest.raises(Problem, match="same command again"):
            forget(folder, people["rep"])

    person, n = forget(folder, people["rep"])

    assert (list(person.ids), n) == ([people["rep"]], 3)
    assert naming(folder, people["rep"], *WORDS["rep"]) == set()


def interrupt(*_):
    raise KeyboardInterrupt
