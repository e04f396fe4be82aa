"""The command that attacks what is told of pulse surveys: each release, together with all that was told before it."""

import json
from collections import Counter
from typing import Any

import typer

from cadran.asked import BookOption, FormatOption, opened_book
from cadran.book.pulse import LATEST
from cadran.cli_audit import audit
from cadran.figures.columns import label
from cadran.measures.latest import Told, told_of_wave
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY, Release
from cadran.terminal import Format, out, reader_words
from cadran.text import Words

words = reader_words()
NOT_KEPT = "It was attacked when it was imported: who stands in which group is not kept of an anonymous survey."
PURGED = (
    "It was attacked when it was made. Since then answers it was made of were purged, so nobody can attack it again."
)
#: Breaks named one by one; of more, their number.
_NAMED = 10


@audit.command("pulse", help=words("Attack what is told of pulse surveys: nobody may be singled out."))
def audit_pulse(book: BookOption = None, format: FormatOption = Format.table) -> None:  # noqa: A002
    """Attack what is told of pulse surveys: nobody may be singled out."""
    from cadran.book.pulse import pulse_of
    from cadran.measures.disclosure import release
    from cadran.measures.disclosure_check import breaks
    from cadran.measures.disclosure_counts import is_known
    from cadran.measures.disclosure_latest import broken
    from cadran.measures.releases import told_again

    words, opened = reader_words(), opened_book(book)
    if format is Format.csv:
        raise Problem("This audit is no table.", "Ask for --format table or json.")
    pulse = pulse_of(opened)
    kept = {each.name: each for each in pulse.releases()}
    latest = {each.name.removesuffix(LATEST): each for each in pulse.latest()}
    waves = pulse.wave_names()
    gone = [its for its in (*kept.values(), *latest.values()) if its.name.removesuffix(LATEST) not in waves]
    told = [_row(its, True, PURGED, []) for its in sorted(gone, key=lambda its: its.closed_at)]
    before: list[Told] = []
    for name in waves:
        wave, earlier = pulse.wave(name), [each.pair for each in before]
        its = kept.get(name) or release(wave, earlier)
        told.append(_row(its, name in kept, None if is_known(wave) else NOT_KEPT, breaks(wave, its, earlier)))
        before.append(told_of_wave(wave, its))
        if name in latest:
            again = told_again(pulse, latest[name])
            found = [*breaks(*again.pair, [each.pair for each in before]), *broken(again, before)] if again else []
            told.append(_row(latest[name], True, None if again else PURGED, found))
            before += [again] if again else []
    if format is Format.json:
        typer.echo(json.dumps({"book": opened.settings.name, "waves": told}, ensure_ascii=False, indent=1))
    else:
        out.print(f"[bold]{words('Pulse audit')}[/] · {opened.settings.name}", highlight=False)
        if not told:
            out.print(words("No wave of a survey has closed."), style="dim")
        for row in told:
            _tell(row, words)
    if any(row["broken"] and row["is_released"] for row in told):
        raise typer.Exit(1)


def _row(its: Release, is_released: bool, left: str | None, broken: list[Any]) -> dict[str, Any]:
    """What is said of one wave; `left` says why it cannot be attacked."""
    audited = its.audited
    by_told = Counter(its.cells["told"].to_list())
    return {
        "wave": its.name, "is_released": is_released, "is_attacked": left is None, "left": left, "minimum": audited.get("minimum"),
        "n_answered": audited.get("n_respondents"),
        "n_groups": its.groups.height, "merged": [each for each in audited.get("groups", ()) if each["what"] == "merged"],
        "not_released": [each for each in audited.get("groups", ()) if each["what"] == "not released"],
        "cells": {name: by_told.get(name, 0) for name in ("exact", "band", "withheld")},
        "reasons": [each for each in audited.get("cells", ()) if each["reason"]],
        "waves_compared": audited.get("waves_compared", []), "persons_known": audited.get("persons_known"),
        "tests": audited.get("tests", {}),
        "broken": [{"test": each.test, "question_id": each.question_id, "groups": each.groups} for each in broken],
    }  # fmt: skip


def _tell(row: dict[str, Any], words: Words) -> None:
    from cadran.measures.disclosure_check import TESTS

    state = words("released") if row["is_released"] else words("not released yet")
    out.print(f"\n[bold]{row['wave']}[/] · {state}", highlight=False)
    cells, number = row["cells"], words.number
    _say(
        words("{n} people answered; {groups} groups, none of fewer than {minimum}.", n=number(row["n_answered"]),
              groups=number(row["n_groups"]), minimum=number(row["minimum"])),
        words("Cells: {exact} told exactly, {band} in bands, {withheld} withheld.",
              **{name: number(n) for name, n in cells.items()}),
    )  # fmt: skip
    for each in row["merged"]:
        _say(words("Joined, by {cut}: {group}", cut=_cut(each["cut"], words), group=each["group"]))
    for each in row["not_released"]:
        _say(words("Not told by {cut}: {why}", cut=_cut(each["cut"], words), why=words(each["why"])))
    for each in row["reasons"]:
        _say(f"{number(each['n_cells'])} × {_cut(each['cut'], words)}: {words(each['reason'])}")
    if not row["persons_known"]:
        _say(words("Who answered is not known: waves are not held against each other."))
    tests = ", ".join(f"{number(n)} {words(name)}" for name, n in row["tests"].items())
    if tests:
        _say(words("Tests: {tests}", tests=tests))
    for each in row["broken"][:_NAMED]:
        names = ", ".join(str(name or words("the company")) for _, name in each["groups"])
        out.print(
            f"{words(TESTS[each['test']])} ({each['question_id'] or '-'}; {names})", style="red", highlight=False,
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if row["left"]:
        _say(words(row["left"]))
    elif not row["broken"]:
        out.print(words("Attacked, and not broken."), style="green")
    elif row["is_released"]:
        out.print(
            words("{n} breaks. What was told cannot be taken back: ask who looked, and say so to those who answered.",
                  n=number(len(row["broken"]))),
            style="bold red", highlight=False, soft_wrap=True,
        )  # fmt: skip


def _cut(name: str, words: Words) -> str:
    """A cut, or two crossed, as readers call it."""
    return words("the company") if name == COMPANY else " × ".join(label(each, words) for each in name.split(" × "))


def _say(*sentences: str) -> None:
    for sentence in sentences:
        out.print(sentence, style="dim", highlight=False, markup=False, soft_wrap=True)
