"""Links looked up, and answers taken in: those of many people at once, in one transaction rather than two hundred."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from cadran.book.ballots_box import Box, Opened
from cadran.book.ballots_given import given_by
from cadran.book.ballots_links import Refused, hash_of
from cadran.book.ballots_store import Transaction

_USED = """
    select closed_at, substr(state, 1, cast(n_invited as integer))
    from waves left join boxes using (wave_id) where wave_id = ?
"""
#: By `question_id`: a score, an option as `labels_en` has it, or a text; None is no answer.
Answers = Mapping[str, int | str | None]


def looked_up(
    run: Transaction, tokens: Sequence[str], now: datetime, opened: Callable[[str], Opened]
) -> list[tuple[Opened, int] | Refused]:
    """Of each link its wave and the place of its person; or why it opens nothing.

    Args:
        run: A transaction.
        tokens: The secrets of the links; a thousand at most.
        now: When.
        opened: Gives a wave by its `wave_id`.
    """
    hashes = [hash_of(token) for token in tokens]
    known = f"select hash, wave_id, place from links where hash in ({', '.join('?' * len(hashes))})"
    places = {bytes(each): (name, place) for each, name, place in run(known, *hashes)}
    used = {name: run(_USED, name)[0] for name in {name for name, _ in places.values()}}

    def told(link: bytes) -> tuple[Opened, int] | Refused:
        if link not in places:
            return Refused("unknown")
        name, place = places[link]
        closed_at, flags = used[name]
        if closed_at:
            return Refused("closed")
        if flags[place]:
            return Refused("used")
        wave = opened(name)
        return Refused("expired", closes_at=wave.closes_at) if now > wave.closes_at else (wave, place)

    return [told(each) for each in hashes]


def taken(
    run: Transaction,
    held: str,
    entries: Sequence[tuple[str, Answers]],
    now: datetime,
    opened: Callable[[str], Opened],
) -> list[Exception | None]:
    """Put in what several people answer; of each, why it was not taken, if it was not.

    Args:
        run: A transaction that writes.
        held: As `Store.held`.
        entries: Of each the secret of their link, and their answers.
        now: When.
        opened: Gives a wave by its `wave_id`.
    """
    boxes: dict[str, Box | None] = {}
    links = looked_up(run, [token for token, _ in entries], now, opened)

    def put(link: tuple[Opened, int] | Refused, answers: Answers) -> Exception | None:
        if isinstance(link, Refused):
            return link
        wave, place = link
        try:
            given = given_by(wave, place, answers)
        except Exception as error:  # what one of them sends keeps nobody else out
            return error
        if wave.wave_id not in boxes:
            boxes[wave.wave_id] = _box(run, held, wave)
        box = boxes[wave.wave_id]
        if box is None:
            return Refused("closed")
        if box.used[place]:
            return Refused("used")
        box.put(given)
        return None

    outcomes = [put(link, answers) for link, (_, answers) in zip(links, entries, strict=True)]
    for box in filter(None, boxes.values()):
        state = box.state()
        for comments in box.written():
            run("update boxes set state = ?, comments = ? where wave_id = ?", state, comments, box.wave.wave_id)
    return outcomes


def _box(run: Transaction, held: str, wave: Opened) -> Box | None:
    """The box of a wave, which nobody else changes meanwhile; None once the wave is closed."""
    sql = f"select closed_at, state, comments from waves join boxes using (wave_id) where wave_id = ?{held}"
    for closed_at, state, comments in run(sql, wave.wave_id):
        return None if closed_at else Box(wave, state, comments)
    return None
