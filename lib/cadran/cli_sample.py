"""What an invented company is asked beside its deals: surveys, one-to-ones, promises. Sources and book meet here."""

from datetime import UTC, date, datetime, time

from cadran.book import Book
from cadran.book.one_to_ones import agree, led, noted
from cadran.book.promised import done, promise, told
from cadran.book.pulse import pulse_of
from cadran.measures.promised import check_about
from cadran.measures.releases import released
from cadran.sources.sample.pulse import waves
from cadran.sources.sample.talks import MINUTES, PROMISES, RHYTHM_DAYS, SINCE, one_to_ones


def ask_staff(book: Book, seed: int) -> None:
    """Keep the waves of the invented survey with what is released of them, one-to-ones, and what was promised."""
    for wave in waves(seed):
        pulse_of(book).keep_wave(wave)
    last = released(book)[-1]
    agree(book, RHYTHM_DAYS, MINUTES, _instant(SINCE))
    noted(book, one_to_ones(led(book), seed), None)
    for about, team, action, owner, on, due, told_on, done_on in PROMISES:
        at = _instant(on)
        there = team is not None and team in last.groups["group"]
        cut, parent, group, survey = check_about(book, about, *((team, "team") if there else ()))
        name = promise(book, survey, about, action, owner, due, at, (cut, parent, group))
        for note, day in ((told, told_on), (done, done_on)):
            if day:
                note(book, name, day, _instant(day))


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)
