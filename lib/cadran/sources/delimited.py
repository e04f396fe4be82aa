"""Delimited text (CSV, TSV) in blocks: cut at line ends that stand outside quotation marks, each block parsed alone."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl

from cadran.sources.encoding import Text
from cadran.sources.feeds import File
from cadran.sources.place import FILE, LINE, RAGGED, ROW, Block, blank_to_null, no_duplicates
from cadran.tables.problems import Problem

#: Bytes read at once. Of larger blocks the memory is given back and asked for again each time.
BLOCK_BYTES = 2**24
#: Bytes of one row, counted in blocks, beyond which its quotation mark is taken as never closed.
_LONGEST = 16
#: Line ends tried from the end of a block, before quotation marks are taken at their word.
_TRIES = 1000
_SPARE = [f"@spare{i}" for i in range(4)]


@dataclass(frozen=True)
class Delimited:
    """A delimited file: its header, its separator, and where its rows begin."""

    name: str
    text: Text
    separator: str
    header: list[str]
    #: Byte at which the first row begins, and its line.
    start: int
    line: int

    def n_rows(self) -> int:
        """About how many rows there are, by the length of the first ones."""
        with self.text.path.open("rb") as opened:
            opened.seek(self.start)
            head = opened.read(2**20)
        size = self.text.path.stat().st_size - self.start
        if len(head) < size:
            return size * head.count(b"\n") // len(head)
        return head.count(b"\n") + (not head.endswith(b"\n"))

    def blocks(self) -> Iterator[Block]:
        """The rows, a block at a time."""
        with self.text.path.open("rb") as opened:
            opened.seek(self.start)
            start, line, rest = self.start, self.line, b""
            while data := rest + opened.read(max(BLOCK_BYTES - len(rest), BLOCK_BYTES // 8)):
                is_end = opened.peek(1) == b"" if hasattr(opened, "peek") else False  # type: ignore[attr-defined]
                end = len(data) if is_end else self._end(data)
                if not end:  # a row longer than what was read
                    if len(data) > _LONGEST * BLOCK_BYTES:
                        raise _never_closed(self.name, line)
                    rest = data
                    continue
                rest, data = data[end:], data[:end]
                yield Block(self.name, _Lines(self, start, end, line).load, data)
                start, line = start + end, line + _count(data, "\n")

    def _end(self, data: bytes) -> int:
        """Where the last whole row of `data` ends."""
        if b'"' not in data:
            return data.rfind(b"\n") + 1
        at, odd = len(data), data.count(b'"') % 2
        for _ in range(_TRIES):
            before = data.rfind(b"\n", 0, at)
            if before < 0:
                return 0
            odd ^= data.count(b'"', before, at) % 2
            if not odd:
                return before + 1
            at = before
        return self._end_by_reading(data)

    def _end_by_reading(self, data: bytes) -> int:
        """The same where quotation marks stand inside cells: told by reading every cell."""
        ends = list(islice(_row_ends(data, self.separator), 1, None))
        return ends[-2] if len(ends) > 1 else 0


def delimited(file: File, name: str, text: Text, separator: str | None) -> Delimited:
    """The form of a delimited file, told by its head where the mapping does not say.

    Raises:
        Problem: If it has no header, or its header names a column twice.
    """
    header_line = file.header_line or 1
    with text.path.open("rb") as opened:
        opened.seek(text.start)
        head = opened.read(2**20)
    if declared := re.match(rb"sep=(.)\r?\n", head):  # written by spreadsheets
        separator, header_line = separator or declared[1].decode(), header_line + (file.header_line is None)
    start = 0
    for _ in range(header_line - 1):
        start = head.find(b"\n", start) + 1
    head = head[start:]
    said = _with_plain_line_ends(head.decode("utf-8", errors="ignore"))
    separator = separator or _separator(said)
    reader = csv.reader(io.StringIO(said), delimiter=separator)
    header = [cell.replace(_NO_LINE_END, " ").strip() or f"column {i}" for i, cell in enumerate(next(reader, []), 1)]
    if not header:
        raise Problem("{file} is empty.", "Export it again.", file=name)
    no_duplicates(header, name)
    body = 0
    for _ in range(reader.line_num):
        body = head.find(b"\n", body) + 1 or len(head)
    return Delimited(name, text, separator, header, text.start + start + body, header_line + reader.line_num)


def _separator(text: str) -> str:
    """The sign that cuts the first rows into the same number of cells, the largest number if several do."""

    def score(sign: str) -> tuple[int, int]:
        rows = [len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=sign), 50) if row]
        return (sum(n == rows[0] for n in rows) if rows and rows[0] > 1 else 0), rows[0] if rows else 0

    return max([",", ";", "\t", "|"], key=score)


@dataclass(frozen=True)
class _Lines:
    """Bytes `start` to `start + length` of a delimited file; the first of its lines is `line`."""

    of: Delimited
    start: int
    length: int
    line: int

    def load(self, columns: Sequence[str] | None = None, data: bytes | None = None) -> pl.DataFrame:
        """Its rows: `columns` (all where none are named) as text, and their place, `ROW` counted from this block's."""
        if data is None:
            with self.of.text.path.open("rb") as opened:
                opened.seek(self.start)
                data = opened.read(self.length)
        own = self.of.header
        if columns is not None and b'"' not in data:
            # Whether a row is blank or ragged can mostly be told without its other columns.
            wanted = [name for name in own if name in columns or name == own[0]]
            frame = self._parsed(data, [*wanted, *_SPARE])
            n_cuts = _count(data, self.of.separator)
            whole = n_cuts == frame.height * (len(own) - 1) and _all_null(frame, _SPARE)
            if whole and not _may_be_blank(frame.drop(_SPARE), own[0]):
                place = pl.lit(self.of.name).alias(FILE), pl.int_range(1, pl.len() + 1).alias(ROW)
                no_line = pl.lit(None, pl.Int64).alias(LINE), pl.lit(False).alias(RAGGED)
                return frame.select(*(name for name in wanted if name in columns), *place, *no_line)
        return self._whole(data, columns)

    def _whole(self, data: bytes, columns: Sequence[str] | None) -> pl.DataFrame:
        """With every column: which rows are blank, which ragged, and on which line each begins."""
        own, separator = self.of.header, self.of.separator
        try:
            frame = self._parsed(data, [*own, *_SPARE])
        except pl.exceptions.PolarsError:
            frame = self._read_cell_by_cell(data)
        quoted = b'"' in data
        texts = [pl.col(name) for name in frame.columns]
        inner_lines = pl.sum_horizontal(c.str.count_matches("\n", literal=True).fill_null(0) for c in texts)
        inner_cuts = pl.sum_horizontal(c.str.count_matches(separator, literal=True).fill_null(0) for c in texts)
        lines = pl.int_range(self.line, pl.len() + self.line).cast(pl.Int64)
        if quoted:
            lines = lines + inner_lines.cum_sum().shift(1, fill_value=0)
        n_cuts = data.count(separator.encode()) - (frame.select(inner_cuts.sum()).item() if quoted else 0)
        frame = frame.with_columns(lines.alias(LINE)).with_columns(blank_to_null([*own, *_SPARE]))
        n_blank = frame.select(pl.all_horizontal(pl.exclude(LINE).is_null()).sum()).item()
        whole = n_cuts == (frame.height - n_blank) * (len(own) - 1) and _all_null(frame, _SPARE)
        odd = [] if whole else self._odd(data)
        is_odd = pl.int_range(pl.len()).is_in(odd) if odd else pl.lit(False)
        rows = frame.with_columns(is_odd.alias(RAGGED))
        rows = rows.filter(~pl.all_horizontal(pl.exclude(LINE, RAGGED).is_null()) | pl.col(RAGGED))
        kept = own if columns is None else [name for name in own if name in columns]
        return rows.select(
            *kept, pl.lit(self.of.name).alias(FILE), pl.int_range(1, pl.len() + 1).alias(ROW), LINE, RAGGED
        )

    def _parsed(self, data: bytes, columns: Sequence[str]) -> pl.DataFrame:
        names = [*self.of.header, *_SPARE]
        separator = self.of.separator
        first = separator.join('"' + name.replace('"', '""') + '"' for name in names).encode() + b"\n"
        return pl.read_csv(
            first + data, separator=separator, infer_schema=False, truncate_ragged_lines=True, columns=list(columns)
        )

    def _odd(self, data: bytes) -> list[int]:
        """Numbers of the rows that have not as many cells as the header."""
        n = len(self.of.header)
        return [
            i
            for i, row in enumerate(_cells(data, self.of.separator))
            if row and len(row) != n and (len(row) < n or any(row[n:]))
        ]

    def _read_cell_by_cell(self, data: bytes) -> pl.DataFrame:
        """The same rows where quotation marks stand inside cells, or one is never closed (which is refused)."""
        *_, (start, last_line) = [(0, 0), *_row_starts(data, self.of.separator)]
        last = data[start:]
        if last.count(b'"') % 2 and re.search(rb"(?:^|" + re.escape(self.of.separator.encode()) + rb')"', last):
            raise _never_closed(self.of.name, self.line + last_line)
        names = [*self.of.header, *_SPARE]
        cells = [
            [cell or None for cell in row[: len(names)]] + [None] * (len(names) - len(row))
            for row in _cells(data, self.of.separator)
        ]
        return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row")


def _count(data: bytes, sign: str) -> int:
    """How often a sign (ASCII) stands in bytes: `bytes.count` takes three times as long, and holds up other threads."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord(sign)))


def _all_null(frame: pl.DataFrame, columns: Sequence[str]) -> bool:
    return all(frame[name].null_count() == frame.height for name in columns)


def _may_be_blank(frame: pl.DataFrame, first: str) -> bool:
    """Whether a row may be blank: its first cell is, and so is every other cell that was read."""
    is_blank = pl.col(first).is_null() | pl.col(first).str.contains(r"^\s")
    few = frame.filter(is_blank)
    others = pl.all_horizontal(pl.all().str.strip_chars().fill_null("") == "")
    return few.height > 0 and bool(few.select(others.any()).item())


_NO_LINE_END = "\ue000"
csv.field_size_limit(2**31 - 1)


def _with_plain_line_ends(text: str) -> str:
    """The text with \\n alone at the end of its lines; a \\r elsewhere, which the csv module refuses, as another sign."""
    return text.replace("\r\n", "\n").replace("\r", _NO_LINE_END)


def _cells(data: bytes, separator: str) -> Iterator[list[str]]:
    """The cells of each row, as the standard library reads them."""
    text = _with_plain_line_ends(data.decode("utf-8"))
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        yield [cell.replace(_NO_LINE_END, "\r") for cell in row]


def _row_starts(data: bytes, separator: str) -> Iterator[tuple[int, int]]:
    """Byte, and number of lines before it, at which each row begins."""
    at = n_lines = 0

    def lines() -> Iterator[str]:
        nonlocal at, n_lines
        for line in io.BytesIO(data):
            at, n_lines = at + len(line), n_lines + 1
            yield line.decode("utf-8", errors="replace").rstrip("\r\n").replace("\r", _NO_LINE_END) + "\n"

    before = (0, 0)
    for _ in csv.reader(lines(), delimiter=separator):
        yield before
        before = at, n_lines


def _row_ends(data: bytes, separator: str) -> Iterator[int]:
    yield from (start for start, _ in _row_starts(data, separator))


def _never_closed(name: str, line: int) -> Problem:
    return Problem(
        "{file}: a quotation mark opened in line {line:,} is never closed.",
        "Close it there, or double the marks inside the text.",
        file=name, line=line,
    )  # fmt: skip
