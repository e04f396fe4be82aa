"""A person in what stands beside a book's versions: surveys, one-to-ones, promises. Told, and forgotten.

Surveys know people by a pseudonym that the survey's key makes of the identifier they were invited or imported under. Where
the key is gone nobody is found; nor is anybody among the answers of an anonymous wave, for nothing links them to one.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book import one_to_ones, presented, promised
from cadran.book.account_file import accounts_of, end_accounts
from cadran.book.ballots import FILE, ballots_of
from cadran.book.ballots_open import pseudonyms_of
from cadran.book.folder import OLD, alone, flush, told_of
from cadran.book.lines import lines
from cadran.book.persons import Person, blanked, holding
from cadran.book.pseudonyms import key_of
from cadran.book.pulse import FOLDER, Pulse, survey_of
from cadran.book.pulse_forgotten import Renamed, forgotten_of, persons_of, remember, renamed
from cadran.book.views import Views
from cadran.tables.one_to_ones import OneToOne
from cadran.tables.pulse import CUTS, Wave

#: Somebody of the company whom its systems do not list as a seller: who was invited to a survey, sees to a promise, …
EMPLOYEE = "employee"
#: Whom what stands beside a book's versions may name.
KINDS = ("rep", EMPLOYEE)
#: What stands in place of who else is named.
OTHER = "(another person)"
_GIVEN = ("question_id", "score", "choice")
Row = dict[str, Any]


@dataclass(frozen=True)
class _Met:
    """That a survey knows somebody by a pseudonym, in one wave."""

    survey: str
    wave: str
    mode: str
    name: str
    is_kept: bool
    #: Null where it is not known who was invited.
    was_invited: bool | None
    answered: bool
    #: `_GIVEN`, and the attributes kept beside; no rows of an anonymous wave.
    answers: pl.DataFrame
    questions: pl.DataFrame


def is_beside(folder: Path, identifier: str, ballots: str | None = None) -> bool:
    """Whether surveys, one-to-ones, promises, accounts, presentations or the log of views know somebody by an identifier.

    Args:
        folder: The book's folder.
        identifier: As they were invited, imported or noted.
        ballots: Address of the PostgreSQL database of open waves, if they are in one.
    """
    noted = (_one_to_ones, _promises, accounts_of, presented.rooms_of, presented.unmasked_by)
    is_noted = any(told(folder, [identifier]) for told in noted) or any(t.height for t in _views(folder, [identifier]))
    return is_noted or any(_met(folder, [identifier], ballots))


def told_beside(folder: Path, spellings: Iterable[str], ballots: str | None = None) -> dict[str, pl.DataFrame]:
    """What surveys, one-to-ones and promises hold on somebody; other people are not named, but for who leads them.

    Args:
        folder: The book's folder.
        spellings: Identifiers and names of theirs.
        ballots: As in `is_beside`.

    Returns:
        By name, tables that have rows: `surveys` (the waves they were invited to, and whether they answered);
        `survey_answers` (what they answered in confidential ones); `one_to_ones`; `promises`; `accounts` (of those who
        may read the book); `rooms` and `unmasked` (of presentations: rooms of theirs, and when they had names shown again);
        `viewed` (when something about them was shown to another, of what role, and why); `views` (when they looked at what
        of others).
    """
    spellings = list(spellings)
    met = [each for _, each in _met(folder, spellings, ballots)]
    waves = [{"survey": m.survey, "wave": m.wave, "mode": m.mode, "is_closed": m.is_kept,
              "was_invited": m.was_invited, "answered": m.answered} for m in met]  # fmt: skip
    said = [
        m.answers.join(m.questions.select("question_id", "text_en", "text_fr"), on="question_id", how="left").select(
            pl.lit(m.survey).alias("survey"), pl.lit(m.wave).alias("wave"), "question_id", "text_en", "text_fr", "score",
            "choice", *CUTS,
        )
        for m in met
    ]  # fmt: skip
    types = {name: pl.String if each == pl.Date else each for name, each in OneToOne.create_empty().schema.items()}
    accounts = accounts_of(folder, spellings)
    names = [*spellings, *(each["account"] for each in accounts)]
    viewed, views = _views(folder, names)
    tables = {
        "accounts": pl.DataFrame(accounts, infer_schema_length=None),
        "rooms": pl.DataFrame(presented.rooms_of(folder, names)),
        "unmasked": pl.DataFrame(presented.unmasked_by(folder, names)),
        "viewed": viewed,
        "views": views,
        "surveys": pl.DataFrame(waves, infer_schema_length=None),
        "survey_answers": pl.concat(said) if said else pl.DataFrame(),
        "one_to_ones": pl.DataFrame(_one_to_ones(folder, spellings), {**types, "noted_at": pl.String}),
        "promises": pl.DataFrame(_promises(folder, spellings), infer_schema_length=None),
    }
    return {name: rows for name, rows in tables.items() if rows.height}


def has_surveys(folder: Path) -> bool:
    """Whether surveys stand beside a book: closed waves, or open ones."""
    return bool(Pulse(folder / FOLDER).wave_names()) or (folder / FOLDER / FILE).exists()


def drawn(folder: Path, spellings: Iterable[str], ballots: str | None = None) -> dict[str, list[Row]]:
    """By survey, the pseudonyms that will stand in place of somebody's, as JSON keeps them.

    What they said goes from a confidential wave of which nothing was told yet. Once something was, it stays, and names
    nobody: without it every figure told of the wave would change by exactly what they said, and who compares the two would
    know it.
    """
    pulse = Pulse(folder / FOLDER)
    untold = set(pulse.unreleased())
    found: dict[str, dict[str, Renamed]] = {}
    for known, met in _met(folder, spellings, ballots):
        person = found.setdefault(met.survey, {}).setdefault(known.was, known)
        name = f"{met.survey}@{met.wave}"
        goes = met.mode == "confidential" and met.answered and (not met.is_kept or name in untold)
        found[met.survey][known.was] = replace(
            person,
            removed=(*person.removed, name) if goes else person.removed,
            renamed=person.renamed if goes else (*person.renamed, name),
        )
    return {survey: [asdict(each) for each in people.values()] for survey, people in found.items()}


def forget_beside(folder: Path, person: Person, told: Mapping[str, list[Row]]) -> None:
    """Have accounts, presentations, the log of views, surveys, one-to-ones and promises know somebody no more. Done again it
    does no harm.

    Args:
        folder: The book's folder.
        person: The person with their pseudonyms.
        told: As `drawn` gives it.
    """
    _forget_accounts(folder, person)
    place = folder / FOLDER
    if not place.exists():
        return
    surveys = {survey: renamed(rows) for survey, rows in told.items()}
    with alone(place):
        pulse = Pulse(place)
        _tidy(place)
        for survey, people in surveys.items():
            remember(place, survey, people)  # first: a wave that is kept meanwhile names them no more either
        for name in pulse.wave_names():
            if any(name in each.waves for people in surveys.values() for each in people):
                pulse.forget_in_wave(name)
        if (place / FILE).exists():
            forget_in_ballots(folder, told)
        _forget_aside(place, person)
    for spelling, pseudonym in person.spellings.items():
        one_to_ones.forgotten(folder, spelling, pseudonym)
        promised.forgotten(folder, spelling, pseudonym)


def forget_in_ballots(folder: Path, told: Mapping[str, list[Row]], address: str | None = None) -> None:
    """The same in the waves that are open: in the book's folder, or in the database at an address."""
    names = {survey: {each.was: each.now for each in renamed(rows)} for survey, rows in told.items()}
    with ballots_of(folder, address) as store:
        store.forget(names, Pulse(folder / FOLDER).keep_wave)


def _met(folder: Path, spellings: Iterable[str], ballots: str | None) -> Iterator[tuple[Renamed, _Met]]:
    """Each wave that knows somebody, and by which pseudonym; not those that forgot them."""
    pulse = Pulse(folder / FOLDER)
    spellings, people = list(spellings), dict[str, list[Renamed]]()
    for path in sorted((pulse.folder / "keys").glob("*.key")):
        survey = path.name.removesuffix(".key")
        before = {each.was: each for each in forgotten_of(pulse.folder, survey)}
        names = dict.fromkeys(pseudonyms_of(key_of(pulse.folder, survey), spellings))
        people[survey] = [before.get(name) or Renamed(name, secrets.token_hex(16)) for name in names]
    if not people:
        return
    kept = pulse.wave_names()
    met = [each for name in kept for each in _in_wave(pulse, name, people)]
    if ballots or (pulse.folder / FILE).exists():
        met += [each for each in _in_ballots(folder, ballots, people) if f"{each.survey}@{each.wave}" not in kept]
    for each in met:
        known = next(p for p in people[each.survey] if each.name in (p.was, p.now))
        if each.name == known.was or f"{each.survey}@{each.wave}" not in known.waves:
            yield known, each


def _in_wave(pulse: Pulse, name: str, people: Mapping[str, list[Renamed]]) -> Iterator[_Met]:
    survey = survey_of(name)
    if survey not in people:
        return
    wave: Wave = pulse.wave(name)
    for person in persons_of(wave) & {n for each in people[survey] for n in (each.was, each.now)}:
        invited = wave.invited.filter(person=person)
        is_theirs = (pl.col("ballot") == person) & (wave.terms.mode == "confidential")
        answers = wave.answers.filter(is_theirs.fill_null(False)).select(*_GIVEN, *CUTS)
        has_answered = bool(invited["answered"].any()) or answers.height > 0
        yield _Met(
            survey, wave.wave, wave.terms.mode, person, True, bool(invited.height) if wave.invited.height else None,
            has_answered, answers, wave.questions,
        )  # fmt: skip


def _in_ballots(folder: Path, address: str | None, people: Mapping[str, list[Renamed]]) -> Iterator[_Met]:
    names = {survey: {name for each in all_ for name in (each.was, each.now)} for survey, all_ in people.items()}
    with ballots_of(folder, address) as store:
        found = store.invitations(names)
    for each in found:
        wave = each.wave
        own = wave.invited.filter(person=each.person).select(CUTS)
        schema = {"question_id": pl.String, "score": pl.Int16, "choice": pl.String}
        answers = pl.DataFrame(each.answers, schema, orient="row").join(own, how="cross")
        yield _Met(
            wave.terms.survey,
            wave.wave,
            wave.terms.mode,
            each.person,
            False,
            True,
            each.answered,
            answers,
            wave.questions,
        )


def _one_to_ones(folder: Path, spellings: Iterable[str]) -> list[Row]:
    """Theirs, with who leads them; those with whom they lead, without saying who."""
    known, found = set(spellings), []
    for row in lines(folder / FOLDER / one_to_ones.FILE):
        if row["person"] in known:
            found.append(row)
        elif row["manager"] in known:
            found.append({**row, "person": OTHER})
    return found


def _promises(folder: Path, spellings: Iterable[str]) -> list[Row]:
    """The promises they see to, each with what was noted of it."""
    known, found = set(spellings), dict[str, Row]()
    for row in lines(folder / FOLDER / promised.FILE):
        if row.get("owner") in known:
            found[row["promise_id"]] = dict.fromkeys(promised.Promise.column_names())
        if row["promise_id"] in found:
            found[row["promise_id"]].update({k: v for k, v in row.items() if k in promised.Promise.column_names()})
    return list(found.values())


def _views(folder: Path, names: Iterable[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """When something about a person was shown, by the role of whom it was shown to; and what they were shown of others."""
    log, theirs = Views(folder).all(), list(names)
    known = pl.Series([each.casefold() for each in theirs], dtype=pl.String)
    is_who = pl.col("who").str.to_lowercase().is_in(known.implode())
    viewed = log.filter(pl.col("whom").is_in(theirs)).select("at", "role", "kind", "grounds")
    return viewed, log.filter(is_who).select("at", "kind", "grounds", whom=pl.lit(OTHER)).unique(maintain_order=True)


def _forget_accounts(folder: Path, person: Person) -> None:
    """End somebody's accounts and rooms; in the log of views, and of names shown again, the pseudonym stands for them."""
    if not person.ids:
        return  # known by the pseudonyms of surveys alone: forgotten again, in a book put back
    stands = next(iter(person.ids.values()))
    accounts = {each["account"]: stands for each in accounts_of(folder, person.spellings)}
    Views(folder).renamed(accounts | person.spellings)
    presented.forgotten(folder, accounts | person.spellings)
    end_accounts(folder, person.spellings)


def _forget_aside(place: Path, person: Person) -> None:
    """Have the rows set aside from imported surveys that hold somebody lose what stood there."""
    for path in (place / "set_aside").glob("[!.]*.parquet"):
        rows = pl.read_parquet(path)
        if not rows.select(holding(person).any()).item():
            continue
        with told_of(path.parent):
            blanked(rows, holding(person)).write_parquet(draft := path.with_name(f".{path.name}"), compression="zstd")
            flush(draft)
            os.replace(draft, path)
            flush(path.parent)


def _tidy(place: Path) -> None:
    """Remove what interruptions left of waves, which may name somebody; a wave out of its place goes back."""
    waves = place / "waves"
    for old in waves.glob(OLD.format("*")):
        wave = old.with_name(old.name[1:].removesuffix(OLD.format("")[1:]))
        if not wave.exists():
            old.rename(wave)
    for path in waves.glob(".*"):
        shutil.rmtree(path)
    for path in (place / "set_aside").glob(".*.parquet"):
        path.unlink()
