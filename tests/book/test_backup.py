"""A book copied into one file while it is written, and put back: whole, or not at all."""

import io
import json
import shutil
import signal
import sqlite3
import tarfile
import threading
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import ballots
import crash
import days
import polars as pl
import pytest
from ballots import NOW

from cadran.access.accounts import Accounts
from cadran.access.guests import Guests
from cadran.book import backup as copying
from cadran.book import forget, individual, open_book, promised, purge, write_book
from cadran.book.archive import INDEX
from cadran.book.backup import backup
from cadran.book.ballots import ballots_of
from cadran.book.folder import versions
from cadran.book.presented import RECORD, ROOMS, note_unmasked
from cadran.book.pulse import Pulse
from cadran.book.reader import Reader
from cadran.book.restore import restore
from cadran.book.rewrite import JOURNAL
from cadran.book.views import Viewer, Views
from cadran.publish.rooms_kept import Kept, KeptRooms
from cadran.tables.problems import Problem

LATER = NOW + timedelta(days=60)
PASSWORD = "violet marble tractor seven"
CONFIDENTIAL = ballots.replaced(mode="confidential")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A book of three versions, beside which stand plans, accounts, a record, a closed wave and a promise."""
    folder = tmp_path_factory.mktemp("made") / "book"
    tables, settings = days.company(40)
    for day in days.last_days(3):
        write_book(folder, days.told(tables, settings, day), days.end_of(day))
    (folder / "plans").mkdir()
    (folder / "plans" / "pay.toml").write_text("# é\n", "utf-8")
    for name in ("ana", "bob"):
        Accounts(folder).add(Reader(name, "analyst"), PASSWORD, NOW)
    assert Accounts(folder).sign_in("ana", PASSWORD, NOW)
    guests = Guests(Accounts(folder), "https://login.example", "terms")
    guests.enter("sub-eve", Reader("eve"), NOW, "sid", "ID-TOKEN-OF-EVE")
    Views(folder).note(Viewer("ana", "analyst", {}), "load", ["R001"], NOW)
    note_unmasked(folder, lambda: NOW, "ana", "Pulse")
    KeptRooms(folder).put(Kept(b"code", b"key", "ana", NOW.timestamp(), NOW.timestamp()))
    individual.activate(folder, _activation(), datetime(2026, 5, 1, tzinfo=UTC))
    with ballots_of(folder) as store:
        links = store.open_wave(CONFIDENTIAL, "2026-05", ballots.QUESTIONS, ballots.people(), NOW, ballots.CLOSES, "d")
        for number, token in enumerate(links["token"][:40]):
            store.answer(token, ballots.answers(number), NOW)
        store.close("pulse", "2026-05", NOW + timedelta(days=5), Pulse(folder / "pulse").keep_wave)
    return folder


def _activation():
    return individual.Activation(
        "Help in time", "legitimate interest", "drive", "none", date(2026, 4, 1), 12, date(2027, 4, 1)
    )


@pytest.fixture
def book(made, tmp_path):
    return crash.copied(made, tmp_path / "book")


def listed(folder):
    """Every file of a folder with its bytes, but for what SQLite writes otherwise each time and what begins with a dot."""
    files = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in files.items()
        if ".sqlite" not in path.name and not any(part[0] == "." for part in name.parts)
    }


def rows(path):
    with closing(sqlite3.connect(path)) as run:
        assert run.execute("pragma integrity_check").fetchone() == ("ok",)
        names = [name for (name,) in run.execute("select name from sqlite_master where type = 'table' order by 1")]
        return {name: sorted(run.execute(f"select * from {name}").fetchall(), key=str) for name in names}


def test_what_is_put_back_is_what_there_was(book, tmp_path):
    made = backup(book, tmp_path / "b.tar", LATER)
    (version,) = {path.name for path in book.iterdir() if path.name == "000003"}

    told = restore(made.file, tmp_path / "new", LATER, keys=made.keys)

    assert listed(tmp_path / "new") == listed(book)
    assert (made.n_versions, told.n_versions, told.lacks_keys) == (3, 3, False)
    assert {path.stat().st_mode & 0o777 for path in (made.file, made.keys)} == {0o600}
    stores = ["accounts.sqlite", "pulse/ballots.sqlite", "views.sqlite"]
    assert {(tmp_path / "new" / name).stat().st_mode & 0o777 for name in [*stores, "pulse/keys/pulse.key"]} == {0o600}
    before, after = rows(book / stores[0]), rows(tmp_path / "new" / stores[0])
    for name, n in (("sessions", 2), ("guest_sessions", 1)):  # no session comes back, nor what a provider signed
        assert (len(before.pop(name)), after.pop(name)) == (n, [])
    assert before == after
    assert len(after["guests"]) == 1
    assert b"ID-TOKEN-OF-EVE" not in made.file.read_bytes()
    assert (tmp_path / "new" / RECORD).stat().st_mode == (book / RECORD).stat().st_mode
    assert not (tmp_path / "new" / ROOMS).exists()  # nor does a room
    assert rows(book / stores[2]) == rows(tmp_path / "new" / stores[2])
    assert rows(book / stores[1]) == rows(tmp_path / "new" / stores[1])
    # What versions share is one file there too.
    assert crash.same(crash.contents(book), crash.contents(tmp_path / "new"))
    shared = [
        len({(v / "stages/0000.parquet").stat().st_ino for v in versions(each)}) for each in (book, tmp_path / "new")
    ]
    assert shared[0] == shared[1] < 3
    assert crash.broken(tmp_path / "new") == [], version
    assert not [path for path in (tmp_path / "new").iterdir() if path.name[0] == "."]


def test_while_imports_go_on_every_copy_is_a_whole_book(tmp_path):
    tables, settings = days.company(40)
    delivered = days.last_days(40)
    folder = tmp_path / "book"
    write_book(folder, days.told(tables, settings, delivered[0]), days.end_of(delivered[0]))
    wrong, is_over = [], threading.Event()

    def importing():
        try:
            for day in delivered[1:]:
                if is_over.is_set():
                    break
                write_book(folder, days.told(tables, settings, day), days.end_of(day), keep=2)  # older ones make room
        except BaseException as error:  # told by the test
            wrong.append(error)

    thread = threading.Thread(target=importing)
    thread.start()
    copies = []
    try:
        while thread.is_alive() and len(copies) < 5:
            before = (folder / "CURRENT").read_text()
            copies.append(backup(folder, tmp_path / f"{len(copies)}.tar", LATER).file)
            while thread.is_alive() and (folder / "CURRENT").read_text() == before:
                time.sleep(0.001)
    finally:
        is_over.set()
        thread.join()
    assert wrong == []
    seen = set()
    for number, copy in enumerate(copies):
        restore(copy, there := tmp_path / f"r{number}", LATER)
        assert crash.broken(there) == []
        seen.add((there / "CURRENT").read_text())
    assert len(seen) == 5


def test_answers_given_while_it_is_copied_are_in_it_whole_or_not(tmp_path, book):
    with ballots_of(book) as store:
        tokens = list(ballots.opened(store, CONFIDENTIAL, "2026-06")["token"])
        store.answer(tokens.pop(), ballots.answers(99), NOW)
        thread = threading.Thread(
            target=lambda: [store.answer(token, ballots.answers(n), NOW) for n, token in enumerate(tokens)]
        )
        thread.start()
        made = backup(book, tmp_path / "b.tar", LATER, with_answers=True)
        thread.join()
    restore(made.file, tmp_path / "new", LATER, keys=made.keys)

    assert made.left_out == ()
    with ballots_of(tmp_path / "new") as store:
        wave = store.close("pulse", "2026-06", LATER)
    assert wave.answers["ballot"].n_unique() == wave.invited["answered"].sum()
    assert wave.answers.height > 0


@pytest.mark.parametrize("terms", [ballots.TERMS, CONFIDENTIAL], ids=["anonymous", "confidential"])
def test_two_copies_of_an_open_wave_do_not_tell_what_was_answered_between_them(tmp_path, terms):
    folder = tmp_path / "book"
    tables, settings = days.company(40)
    write_book(folder, days.told(tables, settings, days.LAST), days.end_of(days.LAST))
    with ballots_of(folder) as store:
        tokens = ballots.opened(store, terms)["token"]
        store.answer(tokens[0], ballots.answers(0), NOW)
        copies = [backup(folder, tmp_path / "1.tar", LATER)]
        store.answer(tokens[1], ballots.answers(1), NOW)
        copies.append(backup(folder, tmp_path / "2.tar", LATER))
        whole = [backup(folder, tmp_path / "3.tar", LATER, with_answers=True)]
        store.answer(tokens[2], ballots.answers(2), NOW)
        whole.append(backup(folder, tmp_path / "4.tar", LATER, with_answers=True))

    assert copies[0].left_out == ("pulse@2026-05",)
    assert copies[0].file.read_bytes() == copies[1].file.read_bytes()
    assert whole[0].file.read_bytes() != whole[1].file.read_bytes()  # what they would have told
    assert "pulse@2026-05" in restore(copies[0].file, tmp_path / "new", LATER).left_out
    with ballots_of(tmp_path / "new") as store:
        assert store.status(NOW).is_empty()


def test_keys_of_surveys_lie_apart(book, tmp_path):
    made = backup(book, tmp_path / "b.tar", LATER)
    key = (book / "pulse/keys/pulse.key").read_bytes()

    assert made.keys == tmp_path / "b.keys.tar"
    assert key not in made.file.read_bytes()
    assert key in made.keys.read_bytes()
    assert restore(made.file, tmp_path / "without", LATER).lacks_keys
    for swapped in ((made.keys, None), (made.file, made.file)):
        with pytest.raises(Problem, match="holds"):
            restore(swapped[0], tmp_path / "new", LATER, keys=swapped[1])
    assert not list((tmp_path / "new").iterdir())


def altered(data):
    """A backup that is not what was written, in one way after the other."""
    for size in (0, 100, len(data) // 3, len(data) // 2, len(data) - 12_000):
        yield f"cut to {size}", data[:size]
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names, members = tar.getnames(), [member for member in tar if member.isreg()]
    for member in [*members[::9], members[-2], members[-1]]:
        for place in (member.offset + 3, member.offset_data + member.size // 2, member.offset_data + member.size - 1):
            yield f"another byte in {member.name}", data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    for name in (INDEX, "CURRENT", names[5]):
        yield f"without {name}", repacked(data, lambda member, name=name: member.name != name)


def repacked(data, keeps, more=()):
    """The archive with some members alone, and others."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar, tarfile.open(fileobj=out, mode="w") as to:
        for member in more:
            to.addfile(member)
        for member in filter(keeps, tar):
            to.addfile(member, tar.extractfile(member) if member.isreg() else None)
    return out.getvalue()


def test_what_was_cut_short_or_altered_is_refused_and_leaves_nothing(book, tmp_path):
    data = backup(book, tmp_path / "b.tar", LATER).file.read_bytes()
    (tmp_path / "wrong.tar").write_bytes(data)
    restore(tmp_path / "wrong.tar", tmp_path / "right", LATER)
    n = 0
    for what, wrong in altered(data):
        (tmp_path / "wrong.tar").write_bytes(wrong)
        with pytest.raises(Problem, match=r"cut short or altered|is no backup"):
            pytest.fail(f"{what}: {restore(tmp_path / 'wrong.tar', tmp_path / 'new', LATER)}")
        assert list((tmp_path / "new").iterdir()) == [], what
        n += 1
    assert n > 12


@pytest.mark.parametrize("name", ["../outside", "{}/outside", "a/../../outside"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_nothing_is_written_outside_the_folder(book, tmp_path, name, kind):
    data = backup(book, tmp_path / "b.tar", LATER).file.read_bytes()
    name = name.format(tmp_path)
    member = tarfile.TarInfo(name if kind == tarfile.REGTYPE else "inside")
    member.type, member.linkname = kind, name
    (tmp_path / "b.tar").write_bytes(repacked(data, lambda _: True, [member]))

    with pytest.raises(Problem, match="is no backup"):
        restore(tmp_path / "b.tar", tmp_path / "new" / "book", LATER)

    assert not list(tmp_path.rglob("outside"))


def test_nothing_is_written_over(book, tmp_path):
    made = backup(book, tmp_path / "b.tar", LATER)

    with pytest.raises(Problem, match="is there already"):
        backup(book, tmp_path / "b.tar", LATER)
    with pytest.raises(Problem, match="in the book itself"):
        backup(book, book / "b.tar", LATER)
    with pytest.raises(Problem, match="is not empty"):
        restore(made.file, book, LATER)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(Problem, match=r"it holds thesis.txt"):
        restore(made.file, tmp_path / "mine", LATER)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    (tmp_path / "b.keys.tar").rename(tmp_path / "kept.tar")
    (tmp_path / "c.keys.tar").write_text("somebody's")
    with pytest.raises(Problem, match=r"c\.keys\.tar is there already"):
        backup(book, tmp_path / "c.tar", LATER)
    assert not (tmp_path / "c.tar").exists()


def test_a_damaged_book_is_not_taken_for_a_backup(book, tmp_path):
    path = book / "000003" / "stages" / "0000.parquet"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(Problem, match=r"is damaged: stages/0000.parquet"):
        backup(book, tmp_path / "b.tar", LATER)
    assert not list(tmp_path.glob("*.tar"))


@pytest.mark.parametrize("kind", ["a seller", "somebody surveyed"])
def test_while_somebody_is_forgotten_no_copy_is_half(book, tmp_path, monkeypatch, kind):
    (book / JOURNAL).write_text("{}")
    with pytest.raises(Problem, match="is being rewritten"):
        backup(book, tmp_path / "b.tar", LATER)
    (book / JOURNAL).unlink()
    who = open_book(book).collect(open_book(book).deals(["rep_id"]))["rep_id"][0]
    real, done = copying._pack_beside, []

    def meanwhile(packed, folder):
        real(packed, folder)
        if not done:
            done.append(forget(folder, who if kind == "a seller" else "p7@example.com"))

    monkeypatch.setattr(copying, "_pack_beside", meanwhile)
    made = backup(book, tmp_path / "b.tar", LATER)  # begun anew by itself
    restore(made.file, tmp_path / "new", LATER, keys=made.keys)
    assert listed(tmp_path / "new") == listed(book)
    assert (named(tmp_path / "new", who) == set()) == (kind == "a seller")


def named(folder, who):
    """The files of rows that name somebody."""
    found = set()
    for path in [*folder.rglob("*.parquet"), *folder.rglob("*.jsonl")]:
        text = pl.read_parquet(path).write_json() if path.suffix == ".parquet" else path.read_text("utf-8")
        if json.dumps(who)[1:-1] in text:
            found.add(path.relative_to(folder).as_posix())
    return found


@pytest.fixture
def forgot(book, tmp_path):
    """A backup, and the book from which a seller and somebody surveyed were forgotten since, who was removed, and what purged."""
    opened = open_book(book)
    who = opened.collect(opened.deals(["rep_id"]))["rep_id"].drop_nulls()[0]
    name = opened.collect(opened.table("reps")).filter(rep_id=who)["name"][0]
    promised.promise(opened, "pulse", "tools", "A better one", name, date(2027, 1, 1), NOW)
    made = backup(book, tmp_path / "b.tar", LATER)
    forget(book, who)
    forget(book, "p7@example.com")
    purge(book, date(2025, 12, 1))
    Accounts(book).remove("bob")
    individual.end(book, datetime(2026, 5, 2, tzinfo=UTC))
    return made, book, who, name


def test_whom_the_book_forgot_since_stays_forgotten(forgot, tmp_path):
    made, book, who, name = forgot
    restore(made.file, tmp_path / "without", LATER, keys=made.keys)
    assert named(tmp_path / "without", who)  # what there is to forget
    surveyed = {*Pulse(tmp_path / "without" / "pulse").wave("pulse@2026-05").invited["person"]}

    newest = backup(book, tmp_path / "newest.tar", LATER)
    for number, newer in enumerate((book, newest.file)):
        told = restore(made.file, there := tmp_path / f"with{number}", LATER, keys=newest.keys, newer=newer)

        assert told.n_forgotten >= 2
        assert named(there, who) == named(there, name) == set()
        assert crash.same(crash.contents(there), crash.contents(book))
        assert crash.broken(there) == []
        assert [account.reader.id for account in Accounts(there).all()] == ["ana", "eve"]
        assert individual.activation_of(there, date(2026, 5, 3)) is None
        now = {*Pulse(there / "pulse").wave("pulse@2026-05").invited["person"]}
        assert now == {*Pulse(book / "pulse").wave("pulse@2026-05").invited["person"]}
        assert len(surveyed - now) == 1
        assert json.loads((there / "forgotten.json").read_text()) == json.loads((book / "forgotten.json").read_text())


def test_of_another_book_nothing_is_taken(forgot, tmp_path, made):
    _, book, *_ = forgot
    other = crash.copied(made, tmp_path / "other")
    opened = open_book(other)
    forget(other, opened.collect(opened.deals(["rep_id"]))["rep_id"].drop_nulls()[-1])
    copy = backup(book, tmp_path / "c.tar", LATER)

    for older in (other, made):  # the one forgot somebody else, the other nobody yet
        with pytest.raises(Problem, match="is not of the same book"):
            restore(copy.file, tmp_path / "new", LATER, newer=older)
    with pytest.raises(Problem, match="There is no"):
        restore(copy.file, tmp_path / "new", LATER, newer=tmp_path / "nowhere")
    assert not list((tmp_path / "new").iterdir())


def test_what_surveys_keep_no_longer_is_not_brought_back(book, tmp_path):
    made = backup(book, tmp_path / "b.tar", LATER)
    months = CONFIDENTIAL.retention_months

    restore(made.file, tmp_path / "new", NOW + timedelta(days=31 * months + 40), keys=made.keys)

    assert Pulse(book / "pulse").wave_names() == ["pulse@2026-05"]
    assert Pulse(tmp_path / "new" / "pulse").wave_names() == []


def test_killed_at_any_moment_the_folder_holds_no_book_or_all_of_it(book, tmp_path):
    made = backup(book, tmp_path / "b.tar", datetime.now(UTC))
    arguments = ("restore", made.file, "--keys", made.keys, "--book")
    steps = crash.steps()
    steps.watch(tmp_path / "counted")
    restore(made.file, tmp_path / "counted", LATER, keys=made.keys)
    n, _ = steps.n, steps.watch("")
    assert n > 300
    moments = [1, 4, n // 3, n - 60, n - 25, n - 18, n - 12, n - 8, n - 5, n - 3, n - 1]
    ends = []
    for nth in moments:
        folder = tmp_path / f"killed{nth}"
        status, _ = crash.run(*arguments, folder, nth=nth, watched=folder)
        ends.append((status, (folder / "CURRENT").exists()))
        if (folder / "CURRENT").exists():
            assert listed(folder) == listed(book)
            with pytest.raises(Problem, match="is not empty"):
                restore(made.file, folder, LATER)
        else:
            restore(made.file, folder, LATER, keys=made.keys)  # what was left is no obstacle
            assert listed(folder) == listed(book)
            assert not [path for path in folder.iterdir() if path.name[0] == "."]
        shutil.rmtree(folder)
    assert {status for status, _ in ends} == {-signal.SIGKILL}
    assert {is_there for _, is_there in ends} == {True, False}


def test_struck_while_it_is_put_in_place_it_takes_all_of_it_away_again(book, tmp_path, monkeypatch):
    made = backup(book, tmp_path / "b.tar", LATER)
    real, n = Path.rename, 0

    def refused(self, target):
        nonlocal n
        n += 1
        if n == 4:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(Problem, match="Input/output error"):
        restore(made.file, tmp_path / "new", LATER)
    assert n == 4
    assert not list((tmp_path / "new").iterdir())


def test_a_full_disk_leaves_nothing(book, tmp_path):
    made = backup(book, tmp_path / "b.tar", LATER)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with crash.files_of_at_most(1000), pytest.raises(Problem, match="cannot be written"):
            restore(made.file, tmp_path / "new", LATER)
        with crash.files_of_at_most(1000), pytest.raises(Problem, match="cannot be"):
            backup(book, tmp_path / "c.tar", LATER)
    finally:
        signal.signal(signal.SIGXFSZ, before)
    assert not list((tmp_path / "new").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"b.tar", "b.keys.tar", "book", "new"}


def test_the_commands_say_what_they_did(book, tmp_path, run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "en")
    status, out, err = run("backup", "--book", book, "--out", tmp_path / "b.tar")
    assert (status, "3 versions" in out, "b.keys.tar" in err, "encrypt it" in err) == (0, True, True, True)
    status, out, err = run("restore", tmp_path / "b.tar", "--book", tmp_path / "new")
    assert (status, "3 versions of the book are in" in out, "--newer" in err, "--keys" in err) == (0, True, True, True)
    status, _, err = run("restore", tmp_path / "b.tar", "--book", book)
    assert (status, "is not empty" in err, "Traceback" in err) == (1, True, False)
