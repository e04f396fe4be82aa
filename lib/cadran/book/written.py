"""What people wrote beside a book by hand, as plans and questionnaires: where it names somebody, only they can correct it."""

from collections.abc import Iterator
from pathlib import Path

from cadran.book.individual import RECORD
from cadran.book.persons import Person

#: Folders of hand-written files, and the hand-written record.
_BY_HAND = ("plans/*.toml", "surveys/*.toml", "surveys/*.csv", RECORD)


def written_on(folder: Path, person: Person) -> Iterator[str]:
    """The files beside a book's versions, as paths from its folder, that say an identifier or name of somebody forgotten."""
    said = [each.casefold() for each in person.spellings]
    for pattern in _BY_HAND:
        for path in sorted(folder.glob(pattern)):
            text = path.read_bytes().decode("utf-8", "replace").casefold()
            if any(each in text for each in said):
                yield path.relative_to(folder).as_posix()
