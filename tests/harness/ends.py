"""A small book, the import that follows, and what a book may be after that import came to a bad end: the old, or the new."""

import random
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import crash
import days
import polars as pl

Rows = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Case:
    """A book as it is before an import, the mapping of that import, and the rows before and after."""

    book: Path
    mapping: Path
    old: Rows
    new: Rows
    #: Rows of a group beyond which it is cut into buckets of so many; as usual if not given.
    bucket_rows: int | None = None

    def imports(self, book: Path, **how: object) -> tuple[int, str]:
        """Run the import in a process of its own, as `crash.run` does."""
        return crash.run("import", self.mapping, "--book", book, bucket_rows=self.bucket_rows, **how)

    def imports_here(self, book: Path) -> tuple[int, str]:
        """Run the import in this process."""
        return crash.run_here("import", self.mapping, "--book", book, bucket_rows=self.bucket_rows)

    @cached_property
    def lasts(self) -> tuple[float, float]:
        """Seconds that the import takes, in all and from its first change in the book's folder on."""
        new = crash.copied(self.book, self.book.with_name("timed"))
        start = time.monotonic()
        with crash.cadran("import", self.mapping, "--book", new, bucket_rows=self.bucket_rows) as process:
            crash.wait_for_change(new, process)
            first = time.monotonic()
            process.communicate(timeout=120)
        end = time.monotonic()
        assert process.returncode == 0
        return end - start, end - first

    def killed(self, book: Path, rng: random.Random) -> str:
        """Kill the import, on a copy of the book at `book`, at a random instant, and say at which.

        Half of the time the instant is counted from the first change in the folder. An import that has ended before it
        is run again on a new copy, and killed sooner.
        """
        whole, writing = self.lasts
        late = rng.random() < 0.5
        share = rng.random()
        status = 0
        while status >= 0:
            crash.copied(self.book, book)
            wait = share * (writing if late else whole)
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
        status, said = self.imports_here(book)
        return f"refused: {said}" if status else self.found(book)

    def left_over(self, book: Path) -> list[str]:
        """What stands in a folder beside complete versions and the pointer."""
        return sorted(name for name in crash.listing(book) if not name.isdigit() and name != "CURRENT")


def case(folder: Path, deals: int = 40, bucket_rows: int | None = None) -> Case:
    """An invented CRM exported on two days; the first export is imported, the second is what comes next."""
    tables, _ = days.company(deals)
    before = days.export(tables, days.LAST - timedelta(days=20), folder / "before")
    mapping = days.export(tables, days.LAST, folder / "now")
    book, new = folder / "book", folder / "new"
    _imported(before, book, bucket_rows)
    _imported(mapping, crash.copied(book, new), bucket_rows)
    return Case(book, mapping, crash.contents(book), crash.contents(new), bucket_rows)


def _imported(mapping: Path, book: Path, bucket_rows: int | None) -> None:
    status, said = crash.run_here("import", mapping, "--book", book, bucket_rows=bucket_rows)
    assert status == 0, said
