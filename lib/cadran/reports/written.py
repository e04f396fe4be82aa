"""Writing the files of a report: all of them whole, or none."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cadran.tables.problems import Problem

Make = Callable[[Any], bytes]


def check_places(paths: Sequence[Path], makers: Mapping[str, Any]) -> None:
    """That files can be written there, before anything is worked out.

    Args:
        paths: Where to.
        makers: What can be made, by ending.

    Raises:
        Problem: If an ending is none of these, a folder is missing or cannot be written, or two files are one.
    """
    for path in paths:
        if path.suffix.lower() not in makers:
            raise Problem(
                "{path} ends in nothing that can be made.",
                "The endings are: {names}.",
                path=path,
                names=", ".join(makers),
            )
        if path.is_dir():
            raise Problem("{path} is a folder.", "Name a file.", path=path)
        if not path.parent.is_dir():
            raise Problem("There is no folder {folder}.", "Make it, or name another file.", folder=path.parent)
        if not os.access(path.parent, os.W_OK):
            raise Problem("The folder {folder} cannot be written.", "Name another file.", folder=path.parent)
    if len({path.resolve() for path in paths}) < len(paths):
        raise Problem("Two files have one name.", "Give each --out its own.")


def write(paths: Sequence[Path], makers: Mapping[str, Make], what: Any, tell: Callable[[str, float], object]) -> None:
    """Make every file beside its place, then put all in their places.

    What was there stays as it is until everything is made and written.

    Args:
        paths: Where to; `check_places` found them fit.
        makers: What makes the bytes of a file, by its ending.
        what: What they are made of.
        tell: Told which file is being made, and the share that is done.

    Raises:
        Problem: If a file cannot be written.
    """
    drafts: dict[Path, Path] = {}
    try:
        for number, path in enumerate(paths):
            tell(path.name, number / len(paths))
            content = makers[path.suffix.lower()](what)
            place = path.resolve()
            drafts[place] = place.with_name(f".{place.name}.{os.getpid()}")
            with drafts[place].open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for place, draft in drafts.items():
            draft.replace(place)
    except OSError as error:
        raise Problem(
            "The file cannot be written: {said}",
            "Make room, or name another file; what was there is as it was.",
            said=error,
        ) from None
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)
