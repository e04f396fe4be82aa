"""Ballots: collecting the answers of a wave so that the store can tell that someone answered, and never what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book.ballots_box import Box, Opened
from cadran.book.ballots_forgotten import Invitation, forget_invited, invitations
from cadran.book.ballots_links import Refused, linked
from cadran.book.ballots_open import check_unopened, opened
from cadran.book.ballots_status import opened_here
from cadran.book.ballots_store import PostgreSQL, SQLite, Store, Transaction
from cadran.book.ballots_taken import Answers, looked_up, taken
from cadran.book.ballots_wave import closed
from cadran.book.pseudonyms import key_of, key_path
from cadran.book.pulse import FOLDER
from cadran.tables.problems import Problem
from cadran.tables.pulse import Terms, Wave

__all__ = ["FILE", "Asked", "Ballots", "Refused", "ballots_of"]

#: The store of a book, in the folder that holds its surveys.
FILE = "ballots.sqlite"


@dataclass(frozen=True)
class Asked:
    """What a link asks."""

    terms: Terms
    wave: str
    questions: pl.DataFrame
    closes_at: datetime


class Ballots:
    """The waves that are open, and what was answered in them so far.

    May be used by several threads at once, and the same store by several processes. Where `with` ends, it is let go of.

    Args:
        address: An SQLite file, made if absent, or the address of a PostgreSQL database: `postgresql://…`.
        folder: The folder of the book that holds its surveys, and the keys that make pseudonyms; by default that of the
            SQLite file.

    Raises:
        Problem: If the store cannot be opened. So do all methods if it cannot be used.
    """

    def __init__(self, address: Path | str, folder: Path | None = None):
        is_server = isinstance(address, str) and address.startswith(("postgresql:", "postgres:"))
        self._store: Store = PostgreSQL(str(address)) if is_server else SQLite(Path(address))
        self._folder = folder or (Path() if is_server else Path(address).parent)
        self._known: dict[str, Opened] = {}

    def __enter__(self) -> "Ballots":
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def open_wave(
        self,
        terms: Terms,
        wave: str,
        questions: pl.DataFrame,
        invited: pl.DataFrame,
        now: datetime,
        closes_at: datetime,
        digest: str,
    ) -> pl.DataFrame:
        """Open a wave, for good: who is invited, in which team they count, and what is asked stay as they are now.

        Args:
            terms: What is declared of the survey.
            wave: Its name, which sorts by time: "2026-05".
            questions: As `tables.pulse.Question`.
            invited: `person` (an e-mail address or an identifier), a column for each cut that is known; `name` if it is
                known: comments do not show it.
            now: When it opens.
            closes_at: Until when answers are taken.
            digest: Of the file of the survey, which must not change while a wave is open.

        Returns:
            `person`, as given, and `token`, the secret of their link, which is kept nowhere.

        Raises:
            Problem: If it cannot open: too few are invited, one twice; the wave was opened before, the survey was edited
                while a wave is open, or declared otherwise in an earlier one.
        """
        with self._store.transaction() as run:
            before = run("select wave, mode, digest, closed_at from waves where survey = ?", terms.survey)
        check_unopened(terms, wave, digest, before)
        key = self._key(terms.survey, is_first=not before)
        definition = opened(terms, wave, questions, invited, now, closes_at, digest, key)
        box = Box(definition)
        row = {
            "wave_id": definition.wave_id, "survey": terms.survey, "wave": wave, "mode": terms.mode, "digest": digest,
            "opened_at": now.isoformat(), "closes_at": closes_at.isoformat(), "closed_at": "",
            "n_invited": definition.invited.height, "n_answered": 0, "definition": definition.told(),
        }  # fmt: skip
        with self._store.transaction(writes=True) as run:
            check_unopened(
                terms,
                wave,
                digest,
                run("select wave, mode, digest, closed_at from waves where survey = ?", terms.survey),
            )
            run(f"insert into waves ({', '.join(row)}) values ({', '.join('?' * len(row))})", *row.values())
            run("insert into boxes values (?, ?, ?)", definition.wave_id, box.state(), b"")
            return linked(run, box, key, invited["person"])

    def asked(self, token: str, now: datetime) -> Asked:
        """What a link asks.

        Raises:
            Refused: If it is not known, was used, or came too late.
        """
        return _one(self.asked_all([token], now))

    def asked_all(self, tokens: Sequence[str], now: datetime) -> list[Asked | Refused]:
        """What each of some links asks, or why it opens nothing."""
        with self._store.transaction() as run:
            found = looked_up(run, tokens, now, partial(self._opened, run))
        return [
            each
            if isinstance(each, Refused)
            else Asked(each[0].terms, each[0].wave, each[0].questions, each[0].closes_at)
            for each in found
        ]

    def answer(self, token: str, answers: Answers, now: datetime) -> None:
        """Take in what one person answers, and that they did: both or none. Once it returns, it is on the disk.

        Args:
            token: The secret of their link.
            answers: By `question_id`: a score, an option as `labels_en` has it, or a text; None is no answer.
            now: When.

        Raises:
            Refused: If the link is not known, was used, or came too late.
            Problem: If an answer is none that its question has; nothing is answered at all; or it could not be kept.
        """
        _one(self.answer_all([(token, answers)], now))

    def answer_all(self, entries: Sequence[tuple[str, Answers]], now: datetime) -> list[Exception | None]:
        """Take in what several people answer, in one transaction: of each what `answer` would raise, None if they are in.

        Raises:
            Problem: If they could not be kept: of none is anything in.
        """
        with self._store.transaction(writes=True) as run:
            return taken(run, self._store.held, entries, now, partial(self._opened, run))

    def unused(self, survey: str, wave: str) -> int:
        """How many of a wave's links were not used yet.

        Raises:
            Problem: If there is no such wave, or it is closed.
        """
        return self._box(survey, wave).used.count(0)

    def renew(self, survey: str, wave: str, persons: list[str]) -> pl.DataFrame:
        """A further link for each of those persons who have not answered; what was sent before stays good as well.

        Links are kept as hashes and cannot be sent again. Of the links of a person, one alone can be used.

        Args:
            survey: The survey.
            wave: The wave, open.
            persons: Who was invited, as they were called when it opened; who was not is passed over.

        Returns:
            As `open_wave`.

        Raises:
            Problem: If there is no such wave, it is closed, or the key of the survey is gone.
        """
        key, box = self._key(survey), self._box(survey, wave)
        with self._store.transaction(writes=True) as run:
            return linked(run, box, key, persons)

    def status(self, now: datetime) -> pl.DataFrame:
        """All waves, as `STATUS`: `opened_here`."""
        with self._store.transaction() as run:
            return opened_here(run, now)

    def close(self, survey: str, wave: str, now: datetime, keep: Callable[[Wave], object] | None = None) -> Wave:
        """Close a wave: no answer is taken any more. Done again, it gives the same wave.

        Args:
            survey: The survey.
            wave: The wave.
            now: When.
            keep: Keeps the wave for good, as `Pulse.keep_wave` does; its answers then leave the store. Without it they
                stay, and closing again goes on.

        Raises:
            Problem: If there is no such wave, its answers have left the store already, or it cannot be kept.
        """
        with self._store.transaction(writes=True) as run:
            found = run(
                f"select wave_id, closed_at from waves where survey = ? and wave = ?{self._store.held}", survey, wave
            )
            for name, closed_at in found:
                now = datetime.fromisoformat(closed_at) if closed_at else now
                run("update waves set closed_at = ? where wave_id = ?", now.isoformat(), name)
        box = self._box(survey, wave, is_open=False)
        made = closed(box, now)
        if keep is not None:
            keep(made)
            self._empty(box)
        return made

    def invitations(self, names: Mapping[str, set[str]]) -> list[Invitation]:
        """Where people are invited in waves that are not in the book yet, by survey their pseudonyms."""
        with self._store.transaction() as run:
            return invitations(run, names)

    def forget(self, names: Mapping[str, Mapping[str, str]], keep: Callable[[Wave], object]) -> None:
        """Have open waves know people no more (`forget_invited`), by survey the new pseudonym of each; waves whose closing
        was interrupted are closed first, and kept with `keep`."""
        rows = self.status(datetime.min.replace(tzinfo=UTC)).filter(state="closing")
        for row in rows.iter_rows(named=True):
            self.close(row["survey"], row["wave"], row["closed_at"], keep)
        with self._store.transaction(writes=True) as run:
            forget_invited(run, self._store.held, names)
        self._known.clear()
        self._store.compact()

    def _key(self, survey: str, is_first: bool = False) -> bytes:
        """The key of a survey; only its first wave makes one."""
        path = key_path(self._folder, survey)
        if not is_first and not path.exists():
            raise Problem(
                "The key of {survey} is gone: {file}.",
                "Put it back from your backup: without it nobody is the same as before. Else give the survey another name.",
                survey=survey, file=path,
            )  # fmt: skip
        return key_of(self._folder, survey)

    def _empty(self, box: Box) -> None:
        """Remove the answers of a closed wave, and who its links were for; what is left on the disk is written anew."""
        name = box.wave.wave_id
        with self._store.transaction(writes=True) as run:
            run("update waves set definition = '', n_answered = ? where wave_id = ?", box.used.count(1), name)
            run("delete from boxes where wave_id = ?", name)
            run("update links set place = -1 where wave_id = ?", name)
        self._known.pop(name, None)
        self._store.compact()

    def _opened(self, run: Transaction, name: str) -> Opened:
        """A wave as it was opened; read once, for it does not change."""
        if name not in self._known:
            self._known[name] = Opened.read(run("select definition from waves where wave_id = ?", name)[0][0])
        return self._known[name]

    def _box(self, survey: str, wave: str, is_open: bool = True) -> Box:
        with self._store.transaction() as run:
            found = run("select wave_id, closed_at from waves where survey = ? and wave = ?", survey, wave)
            if not found:
                raise Problem(
                    "No wave {wave} of {survey} was opened here.",
                    "`cadran survey status` lists the waves; those of the book alone (imported, say) take no answers.",
                    wave=wave,
                    survey=survey,
                )
            (name, closed_at), *_ = found
            held = run("select state, comments from boxes where wave_id = ?", name)
            if not held or (is_open and closed_at):
                raise Problem(
                    "Wave {wave} of {survey} is closed.", "What it told is in the book.", wave=wave, survey=survey
                )
            self._known.pop(name, None)  # somebody may have been forgotten since
            return Box(self._opened(run, name), *held[0])


def _one(outcomes: Sequence[Asked | Exception | None]) -> Any:
    """What came of the only one, raised if it failed."""
    (outcome,) = outcomes
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def ballots_of(folder: Path, address: str | None = None) -> Ballots:
    """The ballots of a book: in its folder, or in the PostgreSQL database at an address."""
    return Ballots(address or folder / FOLDER / FILE, folder / FOLDER)
