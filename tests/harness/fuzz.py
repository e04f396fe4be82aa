"""One damaged file of a source: either the import is refused with a sentence, or no row is lost and a book comes of it."""

import random
import shutil
import traceback
from pathlib import Path
from typing import Any

from mutate import mutated

from cadran.book import open_book, write_book
from cadran.measures import MEASURES, Question
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.tables.problems import Problem
from cadran.text import words_for

FILES = ["deals.csv", "deals.csv", "clients.csv", "users.csv", "leads.csv"]


def once(source: Path, folder: Path, seed: int) -> dict[str, Any]:
    """Damage one file of a source, and import it.

    Args:
        source: A folder as `days.export` writes it. Left as it is.
        folder: A folder of its own for the damaged copy and the book; emptied first.
        seed: Decides on the file and the damage.

    Returns:
        `file`, `damage` (names), and `outcome`: "refused" with `said`, "taken" with the rows `read`, or "wrong" with
        `said`, which must not occur.
    """
    rng = random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder / "source")
    name = rng.choice(FILES)
    path = folder / "source" / name
    data, damage = mutated(path.read_bytes(), rng)
    path.write_bytes(data)
    return {"file": name, "damage": damage} | _imported(folder, name, data)


def _imported(folder: Path, name: str, data: bytes) -> dict[str, Any]:
    try:
        delivery = deliver(load_mapping(folder / "source" / "crm.toml"))
        write_book(folder / "book", delivery, delivery.settings.taken)
        book = open_book(folder / "book")
        lost = _lost(book, name, data)
        MEASURES["volumes"].ask(book, Question())
    except Problem as problem:
        said = [problem.told(words_for(language)) for language in ("en", "fr")]
        is_clear = all(each.strip() and "Traceback" not in each and "{" not in each.split("\n")[0] for each in said)
        return {"outcome": "refused" if is_clear else "wrong", "said": said[0][:300]}
    except BaseException:
        return {"outcome": "wrong", "said": traceback.format_exc()[-2000:]}
    read = sum(file["n_read"] for file in book.manifest["files"])
    return {"outcome": "wrong", "said": lost} if lost else {"outcome": "taken", "read": read}


def _lost(book: Any, name: str, data: bytes) -> str:
    """What does not add up in the rows read, accepted, left out and set aside; empty where all does."""
    files = book.manifest["files"]
    for file in files:
        if file["n_read"] != file["n_accepted"] + file["n_left_out"] + file["n_set_aside"]:
            return f"{file}: read is not accepted + left out + set aside"
        kept = {"opportunities": "opportunities", "leads": "leads"}.get(file["table"])
        held = book.collect(book._stored(kept)).height if kept else file["n_accepted"]
        if held != file["n_accepted"]:
            return f"{file}: {held} rows stand in the book"
    there = _lines(data)
    damaged = [file for file in files if file["file"] == name]
    if there is not None and [file["n_read"] for file in damaged] != [there]:
        return f"{damaged}: {there} rows stand in the file"
    return ""


def _lines(data: bytes) -> int | None:
    """The rows of a plain file, counted without Cadran; null where what a row is could be disputed."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = set(map(chr, range(32, 127))) - {'"'} | {"\n"}
    if any(sign not in plain and not sign.isalpha() for sign in text) or "," not in text.partition("\n")[0]:
        return None
    return sum(bool(line.strip()) for line in text.split("\n")) - 1
