"""A small book, the import that follows, and what a book may be after that import came to a bad end: the old, or the new."""

import random
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import crash
import days
import polars as pl

from cadran.sources.sample import invent

Rows = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Case:
    """A book as it is before an import, the mapping of that import, and the rows before and after."""

    book: Path
    mapping: Path
    old: Rows
    new: Rows
    #: Seconds that the import takes, in all and from its first change in the book's folder on.
    whole: float
    writing: float
    #: Rows of a group beyond which it is cut into buckets of so many; as usual if not given.
    bucket_rows: int | None = None

    def imports(self, book: Path, **how: object) -> tuple[int, str]:
        """Run the import to its end, as `crash.run` does."""
        return crash.run("import", self.mapping, "--book", book, bucket_rows=self.bucket_rows, **how)

    def killed(self, book: Path, rng: random.Random) -> str:
        """Kill the import, on a copy of the book at `book`, at a random instant, and say at which.

        Half of the time the instant is counted from the first change in the folder. An import that has ended before it
        is run again on a new copy, and killed sooner.
        """
        late = rng.random() < 0.5
        share = rng.random()
        status = 0
        while status >= 0:
            crash.copied(self.book, book)
            wait = share * (self.writing if late else self.whole)
            with crash.cadran("import", self.mapping, "--book", book, bucket_rows=self.bucket_rows) as process:
                if late:
                    crash.wait_for_change(book, process)
                time.sleep(wait)
                process.send_signal(signal.SIGKILL)
                process.communicate(timeout=60)
            status, share = process.returncode, 0.8 * share
        return f"{wait:.3f} s after {'its first change' if late else 'its start'}"

    def found(self, book: Path) -> str:
        """Which book stands in a folder: "old", "new", or what is wrong."""
        if wrong := crash.broken(book):
            return f"not what its manifest says: {wrong}"
        rows = crash.contents(book)
        return "old" if crash.same(rows, self.old) else "new" if crash.same(rows, self.new) else "half of one"

    def heals(self, book: Path) -> str:
        """What the next import, without any cleaning, makes of a folder: "new", or what is wrong."""
        status, said = self.imports(book)
        return f"refused: {said}" if status else self.found(book)

    def left_over(self, book: Path) -> list[str]:
        """What stands in a folder beside complete versions and the pointer."""
        return sorted(name for name in crash.listing(book) if not name.isdigit() and name != "CURRENT")


def case(folder: Path, deals: int = 40, bucket_rows: int | None = None) -> Case:
    """An invented CRM exported on two days; the first export is imported, the second is what comes next."""
    tables = invent(deals, seed=7, activities=0).tables
    before = days.export(tables, days.LAST - timedelta(days=20), folder / "before")
    mapping = days.export(tables, days.LAST, folder / "now")
    book, new = folder / "book", folder / "new"
    status, said = crash.run("import", before, "--book", book, bucket_rows=bucket_rows)
    assert status == 0, said
    crash.copied(book, new)
    start = time.monotonic()
    with crash.cadran("import", mapping, "--book", new, bucket_rows=bucket_rows) as process:
        crash.wait_for_change(new, process)
        first = time.monotonic()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    end = time.monotonic()
    return Case(book, mapping, crash.contents(book), crash.contents(new), end - start, end - first, bucket_rows)
