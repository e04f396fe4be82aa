"""Rows set aside: gathered while parts are made, then read again from their files, block by block, as they stood.

Rows that the mapping leaves out are counted only."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import polars as pl

from cadran.sources.feeds import Mapping, named
from cadran.sources.lookups import PERSONAL
from cadran.sources.place import FILE, ID
from cadran.sources.rules import LEFT_OUT, set_aside
from cadran.sources.shape import key_of
from cadran.sources.spans import Note
from cadran.sources.survey import Survey, Told
from cadran.tables.delivery import SourceFile
from cadran.tables.problems import Problem


@dataclass
class Aside:
    """What becomes of every source row, counted by feed and file."""

    survey: Survey
    mapping: Mapping
    n_read: Counter[tuple[int, str]] = field(default_factory=Counter)
    n_aside: Counter[tuple[int, str]] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, told: Told, bad: pl.DataFrame) -> None:
        """Note the `BROKEN` rows of a feed. What else is wrong with a row that is left out means nothing."""
        own = bad.filter(pl.col(ID).is_between(told.first_id, told.first_id + 2**40 - 1))
        out = own.filter(pl.col("rule").is_in(list(LEFT_OUT))).unique(ID, keep="first", maintain_order=True)
        for name, rows in self.by_file(told, out):
            for rule, n in rows["rule"].value_counts().iter_rows():
                told.left_out[name, rule] += n
        own = own.join(out, on=ID, how="anti")
        if own.height:
            own = own.with_columns(self._blocks(told, own).alias("@block"))
            parts = own.partition_by("@block", as_dict=True, include_key=False)
            told.bad.add((int(number), part) for (number,), part in parts.items())

    def by_file(self, told: Told, rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        """Rows of a feed (with their `ID`), by the file they stand in."""
        file = self.survey.files[told.feed.file]
        parts = rows.with_columns(self._blocks(told, rows).alias("@block")).partition_by("@block", as_dict=True)
        names = [file.files[int(number)] for (number,) in parts]
        for name in dict.fromkeys(names):
            yield name, pl.concat([part for n, part in zip(names, parts.values(), strict=True) if n == name])

    def count(self, told: Told, rows: pl.DataFrame) -> None:
        """Count the values met of a bucket, each at the file of its first row."""
        for name, own in self.by_file(told, rows):
            self.n_read[told.number, name] += own.height

    def _blocks(self, told: Told, rows: pl.DataFrame) -> pl.Series:
        starts = pl.Series(self.survey.files[told.feed.file].starts, dtype=pl.Int64)
        return starts.search_sorted(rows[ID] - told.first_id, side="right").cast(pl.Int64) - 1

    def frames(self, told: Told) -> Iterator[pl.DataFrame]:
        """The rows of a feed that were set aside, as `SET_ASIDE`, a block at a time."""
        feed, file = told.feed, self.survey.files[told.feed.file]
        table = "opportunities" if feed.table == "deals" else feed.table
        columns = {name: said.column for name, said in feed.fields.items()}
        wanted = set(told.bad.held())
        shown = list(named(self.mapping, feed.file))
        keys = {c for f in self.mapping.feeds if f.file == feed.file for said in f.fields.values() for c in said.on}
        for number, rows in file.rows(wanted, shown) if wanted else ():
            texts = keys & {name for name, dtype in rows.schema.items() if dtype == pl.String}
            rows = rows.with_columns(pl.when(~pl.col(c).str.contains(PERSONAL)).then(c) for c in texts)
            rows = rows.with_columns(pl.col(ID) + told.first_id)
            frame = set_aside(told.bad.take(number), table, columns, key_of(feed.table), rows)
            self._count_aside(told, frame)
            yield frame

    def files(self) -> list[SourceFile]:
        """How many rows of each file were read, accepted, set aside and left out, by feed."""
        found = []
        for told in self.survey.feeds:
            file = self.survey.files[told.feed.file]
            table = "opportunities" if told.feed.table == "deals" else told.feed.table
            for name, digest in file.source.digests.items():
                n = self.n_read[told.number, name] if told.feed.from_values else file.n_rows[name]
                m, left = self.n_aside[told.number, name], _left_out(told, name)
                found.append(SourceFile(name, table, digest, n, n - m - left, m, left))
        return found

    def left_out(self) -> list[Note]:
        """Rows that the mapping leaves out, by feed, file and rule, as rows of `NOTED`: their number and no value."""
        return [
            (told.feed.table, name, LEFT_OUT["all" if (rule, n) == ("only", n_rows[name]) else rule], n, "")
            for told in self.survey.feeds
            for n_rows in [self.survey.files[told.feed.file].n_rows]
            for (name, rule), n in told.left_out.items()
        ]

    def nothing_left(self) -> Problem:
        """What is said when every deal was set aside."""
        n = sum(self.n_aside[told.number, name] for told, name in self._deals())
        if not n and any(_left_out(told, name) for told, name in self._deals()):
            return Problem("The mapping leaves out every deal.", "Correct `only` in the mapping.")
        if not n:
            return Problem("The source holds no deal.", "Check that the files are the right ones.")
        rule = self.rules.most_common(1)[0][0]
        row = self.examples[rule]
        return NothingLeft(
            "All {n} deals were set aside; most often: {rule}. For example {file}, row {row}: {found}.",
            "",
            n=n, rule=rule, file=row["file"], row=row["row"], found=row["found"], advice=row["repair"],
        )  # fmt: skip

    def _deals(self) -> Iterator[tuple[Told, str]]:
        for told in self.survey.feeds:
            if told.feed.table in ("deals", "opportunities"):
                yield from ((told, name) for name in self.survey.files[told.feed.file].source.digests)

    def _count_aside(self, told: Told, frame: pl.DataFrame) -> None:
        for name, n in frame["file"].value_counts().iter_rows():
            self.n_aside[told.number, name] += n
        if told.feed.table in ("deals", "opportunities"):
            for rule, n in frame["rule"].value_counts().iter_rows():
                self.rules[rule] += n
                if rule not in self.examples:
                    self.examples[rule] = frame.filter(pl.col("rule") == rule).row(0, named=True)


def _left_out(told: Told, name: str) -> int:
    return sum(n for (file, _), n in told.left_out.items() if file == name)


class NothingLeft(Problem):
    """Every deal was set aside. The rule that most of them break and its repair are sentences of their own."""

    def told(self, words: Callable[[str], str]) -> str:
        said = {name: "; ".join(words(line) for line in str(text).split("\n")) for name, text in self.values.items()}
        return words(self.what).format(**said) + "\n" + said["advice"]


__all__ = ["FILE", "Aside", "NothingLeft"]
