"""`cadran audit process`: from a CRM, from a bare log of events, and from books that lack almost everything."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from cadran.cli_audit import _parts
from cadran.measures import MEASURES
from cadran.text import words_for

PARTS = ["funnel", "dwell", "paths", "rework", "flows", "waits", "bottlenecks", "early_late"]
LOG = """
name = "Permits"
taken = 2024-12-31
[files]
deals = "log.csv"
[events]
file = "deals"
case = "case"
activity = "what"
at = "when"
stages = { "Receive" = "Received", "Examine" = "Examined", "Sign" = "Signed off" }
outcomes = { "Grant" = "won", "Refuse" = "lost" }
"""

OUT = ("Grant", "Refuse")


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """A folder of its own, in English."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CADRAN_LANG", "en")
    monkeypatch.delenv("CADRAN_BOOK", raising=False)


def imported(run, tmp_path, rows, mapping=LOG):
    (tmp_path / "log.csv").write_text("case,what,when\n" + "".join(f"{','.join(row)}\n" for row in rows))
    (tmp_path / "log.toml").write_text(mapping)
    status, _, complaint = run("import", "log.toml")
    assert status == 0, complaint


def audited(run, *arguments):
    status, told, complaint = run("audit", "process", "--format", "json", *arguments)
    assert (status, complaint) == (0, "")
    return json.loads(told)


def life(pick, case):
    at, rows = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=pick.randrange(6000)), []
    for what in ["Receive", "Examine", *(["Receive", "Examine"] if pick.random() < 0.3 else []), "Sign", "Grant"]:
        if pick.random() < 0.15:
            return [*rows, (case, "Refuse", f"{at:%Y-%m-%d %H:%M}")]
        rows.append((case, what, f"{at:%Y-%m-%d %H:%M}"))
        at += timedelta(hours=pick.randint(20, 700))
    return rows


def test_a_log_of_events_alone_is_audited(run, tmp_path):
    pick = Random(4)
    rows = [row for number in range(80) for row in life(pick, f"C{number}") if row[2] < "2024-12-31"]
    imported(run, tmp_path, rows)

    told = audited(run)

    assert [name for name in told if name in PARTS] == PARTS
    assert set(told["refused"]) == {"waits", "early_late"}
    assert "direction (activities) 0/1" in told["refused"]["waits"]
    assert [row["entered_stage"] for row in told["funnel"]] == ["Received", "Examined", "Signed off", None]
    # A case whose first event is its outcome was in the first stage an instant before.
    assert told["funnel"][0]["n_reached"] == len({case for case, *_ in rows})
    received, closed = (
        Counter(case for case, what, _ in rows if what == "Receive"),
        {row[0] for row in rows if row[1] in OUT},
    )
    assert told["rework"][0]["n_returning"] == sum(received[case] > 1 for case in closed)
    assert {row["amount"] for row in told["flows"]} == {None}
    assert told["paths"][0]["path"] == "Received → Examined → Signed off"
    status, screen, _ = run("audit", "process")
    assert status == 0
    assert "Permits" in screen
    assert "Who deals wait on: not to be had on this book, direction (activities) 0/1 filled." in screen


def test_a_reason_why_parts_cannot_be_told_is_said_once(run, tmp_path):
    states = LOG[: LOG.index("[events]")] + '[deals]\nfile = "deals"\nopportunity_id = "case"\nstage = "what"\n'
    stages = [
        f'[[stages]]\nstage = "{name}"\nkind = "{kind}"\n' for name, kind in (("Receive", "open"), ("Grant", "won"))
    ]
    mapping = states + 'created_at = "when"\nclosed_at = "when"\n' + "".join(stages)
    imported(run, tmp_path, [(f"C{n}", "Receive", "2024-05-05") for n in range(20)], mapping)

    _, screen, _ = run("audit", "process")

    said = "Stage funnel, Time in stage, Paths, Rework, Flows between stages, Who deals wait on and Bottlenecks: not to be had"
    assert f"{said} on this book.\n" in screen
    assert "filled." not in screen  # no column of ours is named where no field of theirs is missing
    assert (screen.count("A book made of one export"), screen.count("Early and late deals")) == (1, 1)


def one_stage(rows):
    return [row for row in rows if row[1] not in ("Examine", "Sign")]


def same_day(rows):
    return [(case, what, "2024-05-05") for case, what, _ in rows]


CASES = {
    "twelve deals": lambda rows: [row for row in rows if int(row[0][1:]) < 12],
    "one stage": one_stage,
    "no won": lambda rows: [row for row in rows if row[1] != "Grant"],
    "no lost": lambda rows: [row for row in rows if row[1] != "Refuse"],
    "all dates equal": same_day,
    "one event": lambda rows: rows[:1],
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_told_never_a_traceback(run, tmp_path, case):
    pick = Random(4)
    rows = [row for number in range(40) for row in life(pick, f"C{number}") if row[2] < "2024-12-31"]
    imported(run, tmp_path, CASES[case](rows))

    told = audited(run)

    for name in PARTS:
        assert (told[name] is None) == (name in told["refused"])
    if told["bottlenecks"]:
        assert {bool(row["reason"]) for row in told["bottlenecks"]} == {True}


def test_stages_renamed_mid_way_and_moves_against_the_pipeline(run, tmp_path):
    told_of = {"Sign": "02", "Receive": "09", "Old exam": "15", "Examine": "20", "Grant": "27"}
    rows = [(f"C{n}", what, f"2024-0{n % 6 + 1}-{day}") for n in range(20) for what, day in told_of.items()]
    renamed = LOG.replace('"Examine" = "Examined"', '"Examine" = "Examined", "Old exam" = "Looked at"')
    imported(run, tmp_path, rows, renamed)

    told = audited(run)

    assert told["paths"][0]["path"] == "Signed off → Received → Looked at → Examined"
    assert next(row for row in told["funnel"] if row["entered_stage"] == "Signed off")["n_back"] == 20
    assert [row["is_back"] for row in told["flows"] if row["from_stage"] == "Signed off"] == [True]


def test_the_sample_in_every_form(run):
    told = audited(run, "--from", "2026-01-01", "--where", "region=Nord", "--by", "segment", "--as-of", "2026-05-31")
    assert (told["since"], told["until"], told["as_of"], told["by"]) == ("2026-01-01", None, "2026-05-31", ["segment"])
    assert told["refused"] == {}
    assert {row["segment"] for row in told["waits"]} == {"Enterprise", "Mid-market", "SMB"}

    status, rows, _ = run("audit", "process", "--format", "csv", "--part", "early_late")
    assert status == 0
    assert [row["timing"] for row in csv.DictReader(io.StringIO(rows))] == ["by_then", "later"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "csv"], "Name one of them: --part funnel | dwell"),
        (["--part", "weather"], "The audit has no part weather."),
        (["--by", "nothing"], "Deals have no column nothing."),
        (["--where", "region=Nowhere"], "No row has Nowhere as region."),
        (["--from", "2026-05-01", "--until", "2026-04-01"], "The period begins on 1 May 2026"),
    ],
)
def test_what_is_not_understood_is_said(run, arguments, said):
    status, _, complaint = run("audit", "process", *arguments)
    assert status == 1
    assert said in " ".join(complaint.split())


def test_in_french(run, monkeypatch):
    monkeypatch.setenv("CADRAN_LANG", "fr")
    status, told, _ = run("audit", "process", "--part", "waits", "--part", "early_late", "--from", "2026-01-01")
    assert status == 0
    for words in (
        "Audit du processus de vente",
        "Qui les affaires attendent",
        "Personne encore",
        "Plus tard, ou pas encore",
    ):
        assert words in told


def test_lengths_of_a_table_are_all_in_days(run):
    _, told, _ = run("audit", "process", "--part", "bottlenecks", "--part", "dwell", "--part", "rework")

    assert " d (" in told
    assert not any(unit in told for unit in (" h ", "\u00a0h", "\u00a0day"))


def test_the_columns_of_every_part_are_those_of_its_measure():
    for part in _parts(words_for("en")).values():
        columns = set(MEASURES[part.measure].returns.column_names())
        assert {*part.columns, *dict(part.nulls), *dict(part.counts), *dict(part.counts).values()} <= columns


def test_no_day_later_than_the_book_is_answered(run):
    status, _, complaint = run("audit", "process", "--as-of", f"{date(2031, 1, 1)}")
    assert status == 1
    assert "knows nothing after" in complaint


def test_a_stage_that_changed_its_name_is_asked_about_and_mends_by_the_mapping(run, tmp_path, monkeypatch):
    pick = Random(4)
    rows = [row for number in range(120) for row in life(pick, f"C{number}") if row[2] < "2024-12-31"]
    rows = [(case, "Assess" if what == "Examine" and at >= "2024-06-01" else what, at) for case, what, at in rows]
    counted = Counter(what for _, what, _ in rows)
    since = min(at for _, what, at in rows if what == "Assess")[:10]
    imported(run, tmp_path, rows, LOG.replace('"Sign" =', '"Assess" = "Assessed", "Sign" ='))

    told = audited(run)["renamed"]

    assert told == [
        {
            "old_stage": "Examined", "new_stage": "Assessed", "since": since,
            "n_old": counted["Examine"], "n_new": counted["Assess"],
        }
    ]  # fmt: skip
    assert 'values = { "Examined" = "Assessed" }' in run("audit", "process", "--part", "funnel")[1]
    _, table, beside = run("audit", "process", "--part", "funnel", "--format", "csv")
    assert ("Renamed?" in table, "Renamed?" in beside) == (False, True)
    monkeypatch.setenv("CADRAN_LANG", "fr")
    assert "Renommée" in run("audit", "process", "--part", "funnel")[1]

    mended = LOG.replace('"Examined"', '"Assessed"').replace('"Sign" =', '"Assess" = "Assessed", "Sign" =')
    imported(run, tmp_path, rows, mended)

    assert audited(run)["renamed"] == []
    assert audited(run)["dwell"][1]["n_entered"] == counted["Examine"] + counted["Assess"]


@pytest.mark.parametrize(("days", "asked"), [(0, 0), (1, 1)])
def test_two_names_used_within_a_month_are_not_taken_for_one(run, tmp_path, days, asked):
    """Cases typed in one morning, those of its first hour examined, the others assessed; and one case a day instead."""
    rows = [
        (
            f"C{n}",
            what,
            f"{datetime(2024, 3, 1, 8 + n // 20, n, tzinfo=UTC) + timedelta(days=days * n, minutes=step):%Y-%m-%d %H:%M}",
        )
        for n in range(40)
        for step, what in enumerate(["Receive", "Examine" if n < 20 else "Assess", "Sign", "Grant"])
    ]
    imported(run, tmp_path, rows, LOG.replace('"Sign" =', '"Assess" = "Assessed", "Sign" ='))

    assert len(audited(run)["renamed"]) == asked


def test_two_stages_one_after_the_other_in_time_are_not_taken_for_one(run, tmp_path):
    """Cases that all begin in spring and are all signed in autumn: one stage stops when the next begins."""
    rows = [
        (f"C{n}", what, f"2024-{month:02}-{n + 1:02}")
        for n in range(25)
        for what, month in (("Receive", 3), ("Examine", 4), ("Sign", 5), ("Grant", 6))
    ]
    imported(run, tmp_path, rows)

    assert audited(run)["renamed"] == []
