"""From a file to rows, block by block, each with its place. Nothing is interpreted here but the file's form."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fastexcel
import polars as pl

from cadran.sources.delimited import delimited
from cadran.sources.encoding import as_utf8
from cadran.sources.feeds import File
from cadran.sources.place import (
    FILE,
    ID,
    LINE,
    PLACE,
    RAGGED,
    ROW,
    Block,
    blank_to_null,
    no_duplicates,
    same_columns,
)
from cadran.sources.spill import is_no_room
from cadran.tables.problems import Problem

__all__ = ["FILE", "ID", "LINE", "PLACE", "RAGGED", "ROW", "Rows", "Source", "find", "kind_of", "read", "sheets"]

#: Rows of a Parquet file read at once.
_BLOCK_ROWS = 500_000


@dataclass(frozen=True)
class Rows:
    """Rows as read: text (typed in Parquet), `PLACE` beside. `digests` and `guesses` are by file name."""

    frame: pl.DataFrame
    digests: dict[str, str]
    guesses: dict[str, str]

    @property
    def columns(self) -> list[str]:
        """Columns of the file, without the place."""
        return [c for c in self.frame.columns if c not in PLACE]


@dataclass
class Source:
    """One file of the mapping (all the files its path means), opened: its columns, and its rows block by block.

    `blocks` may be gone through as often as needed.
    """

    columns: list[str]
    #: About how many rows there are.
    n_rows: int
    _parts: list[Callable[[], Iterator[Block]]]
    #: By file name.
    digests: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)

    def blocks(self) -> Iterator[Block]:
        """Every block of every file, in order."""
        for part in self._parts:
            yield from part()


def opened(file: File, folder: Path, workspace: Path) -> Source:
    """Open a file of the mapping.

    Args:
        file: What the mapping says of it.
        folder: Where the files are.
        workspace: A folder for what has to be written meanwhile.

    Raises:
        Problem: If it is missing, empty, corrupt or in another encoding, or its header names a column twice.
    """
    source = Source([], 0, [])
    types: list[pl.DataFrame] = []
    for path in find(file, folder):
        try:
            part = _one(file, path, workspace)
        except OSError as error:
            if is_no_room(error):
                raise
            told = {"file": path.name, "reason": error.strerror}
            raise Problem("{file} cannot be read ({reason}).", "Check who may read it.", **told) from None
        no_duplicates(part.columns, path.name)
        if source.digests:
            same_columns(source.columns, part.columns, path.name, next(iter(source.digests)))
        else:
            source.columns = part.columns
        source.n_rows += part.n_rows
        source.digests[path.name] = part.sha256
        source.guesses |= {path.name: part.guess} if part.guess else {}
        source._parts.append(part.blocks)
        types.append(part.types)
    if len({tuple(part.schema.items()) for part in types}) > 1:
        _same_types(source, types)
    return source


def read(file: File, folder: Path) -> Rows:
    """Every row of `file` in `folder`, in memory.

    A blank line is no row. A row whose number of cells is not the header's is flagged `RAGGED`.

    Raises:
        Problem: If the file is missing, empty, without rows, undecodable, corrupt, or its header names a column twice.
    """
    with TemporaryDirectory() as workspace:
        source = opened(file, folder, Path(workspace))
        frames: list[pl.DataFrame] = []
        n_rows: dict[str, int] = dict.fromkeys(source.digests, 0)
        for block in source.blocks():
            frame = block.load(None, block.data)
            frames.append(frame.with_columns(pl.col(ROW) + n_rows[block.file]))
            n_rows[block.file] += frame.height
        must_have_rows(file, n_rows)
    return Rows(pl.concat(frames) if frames else pl.DataFrame(), source.digests, source.guesses)


def must_have_rows(file: File, n_rows: dict[str, int]) -> None:
    """Raise a `Problem` if a file that is not optional has no rows."""
    for name, n in n_rows.items():
        if not n and not file.optional:
            raise Problem("{file} has a header and no rows.", "Export it again, with its rows.", file=name)


def find(file: File, folder: Path) -> list[Path]:
    """Files that `file.path` means: of several alternatives the first that is there, of a pattern every match."""
    for alternative in file.path:
        pattern = any(sign in alternative for sign in "*?[")
        found = sorted(folder.glob(alternative)) if pattern else [folder / alternative]
        if found := [path for path in found if path.is_file()]:
            return found
    if file.optional:
        return []
    there = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    close = get_close_matches(file.path[0], there, 1)
    what = "{file} is not in {folder}." if folder.is_dir() else "There is no folder {folder}, where {file} should be."
    repair = (
        "Is it {close}? If so, rename it, or write that name."
        if close
        else "Put it there, or name its folder with --from."
    )
    raise Problem(what, repair, file=" / ".join(file.path), folder=folder.resolve(), close=close and close[0])


def kind_of(path: Path) -> str:
    """Format that the name of a file tells: csv, tsv, parquet or excel."""
    excel = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
    ending = path.suffix.lower()
    return "excel" if ending in excel else {".parquet": "parquet", ".tsv": "tsv"}.get(ending, "csv")


def sheets(path: Path) -> list[str]:
    """Names of the sheets of a workbook that has several; none otherwise.

    Raises:
        Problem: If it cannot be opened.
    """
    if kind_of(path) != "excel":
        return []
    listed = _opened(lambda: pl.DataFrame({"name": fastexcel.read_excel(path).sheet_names}), path, "Excel")
    return listed["name"].to_list() if listed.height > 1 else []


@dataclass(frozen=True)
class _Part:
    """One file: what there is to know of it before its rows."""

    columns: list[str]
    n_rows: int
    sha256: str
    guess: str | None
    #: No rows, the columns with their types.
    types: pl.DataFrame
    blocks: Callable[[], Iterator[Block]]


def _one(file: File, path: Path, workspace: Path) -> _Part:
    if path.stat().st_size == 0:
        raise Problem("{file} is empty.", "Export it again.", file=path.name)
    kind = file.format or kind_of(path)
    if kind in ("parquet", "excel"):
        with path.open("rb") as bytes_:
            digest = file_digest(bytes_, "sha256").hexdigest()
        whole = _parquet(path) if kind == "parquet" else _excel(file, path)
        types, n_rows, blocks = whole
        return _Part(types.columns, n_rows, digest, None, types, blocks)
    text = as_utf8(file, path, lambda: workspace / f"{len(list(workspace.iterdir()))}.txt")
    form = delimited(file, path.name, text, "\t" if kind == "tsv" else file.separator)
    types = pl.DataFrame(schema=dict.fromkeys(form.header, pl.String))
    return _Part(form.header, form.n_rows(), text.sha256, text.guess, types, form.blocks)


def _opened(open_: Callable[[], Any], path: Path, kind: str) -> Any:
    try:
        return open_()
    except (pl.exceptions.PolarsError, fastexcel.FastExcelError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Problem(
            "{file} cannot be opened as {kind} ({reason}).",
            "Export it again, or correct its format in the mapping.",
            file=path.name, kind=kind, reason=reason,
        ) from None  # fmt: skip


_Whole = tuple[pl.DataFrame, int, Callable[[], Iterator[Block]]]


def _parquet(path: Path) -> _Whole:
    rows = pl.scan_parquet(path, glob=False)
    types = _opened(lambda: rows.head(0).collect(), path, "Parquet")
    n_rows = int(_opened(lambda: rows.select(pl.len()).collect().item(), path, "Parquet"))
    worded = [name for name, dtype in types.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]

    def load(start: int) -> Any:
        def loaded(columns: Sequence[str] | None = None, data: None = None) -> pl.DataFrame:
            wanted = [name for name in types.columns if columns is None or name in columns]
            part = (
                rows.select(wanted)
                .slice(start, _BLOCK_ROWS)
                .with_columns(pl.col(set(worded) & set(wanted)).cast(pl.String))
            )
            frame = _opened(part.collect, path, "Parquet")
            if len(wanted) < types.width and frame.select(pl.all_horizontal(pl.all().is_null()).any()).item():
                whole = loaded()  # only its other columns tell whether such a row is blank
                return whole.select(*wanted, *PLACE)
            frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
            return _placed(frame, path.name, pl.lit(None, pl.Int64))

        return loaded

    def blocks() -> Iterator[Block]:
        for start in range(0, n_rows, _BLOCK_ROWS):
            yield Block(path.name, load(start))

    return types.with_columns(pl.col(worded).cast(pl.String)), n_rows, blocks


def _excel(file: File, path: Path) -> _Whole:
    book = _opened(lambda: fastexcel.read_excel(path), path, "Excel")
    sheet = file.sheet or (book.sheet_names[0] if len(book.sheet_names) == 1 else None)
    if sheet not in book.sheet_names:
        what = "{file} has no sheet called {sheet}." if sheet else "{file} has several sheets."
        repair = 'Write sheet = "NAME" in the mapping; the sheets are: {names}.'
        raise Problem(what, repair, file=path.name, sheet=sheet, names=", ".join(book.sheet_names))
    header = (file.header_line or 1) - 1
    load = book.load_sheet
    rows = _opened(lambda: load(sheet, header_row=None, skip_rows=header, dtypes="string").to_polars(), path, "Excel")
    if rows.is_empty():
        raise Problem("{file} is empty.", "Export it again.", file=path.name)
    names = [name if name is not None else f"column {i}" for i, name in enumerate(rows.row(0), 1)]
    no_duplicates(names, path.name)
    texts = rows[1:].rename(dict(zip(rows.columns, names, strict=True))).with_columns(blank_to_null(names))
    texts = texts.with_columns((pl.int_range(2, pl.len() + 2).cast(pl.Int64) + header).alias(LINE))
    texts = texts.filter(~pl.all_horizontal(pl.exclude(LINE).is_null()))
    frame = _placed(texts.drop(LINE), path.name, texts[LINE])

    def loaded(columns: Sequence[str] | None = None, data: None = None) -> pl.DataFrame:
        return frame if columns is None else frame.select(*(name for name in names if name in columns), *PLACE)

    return frame.drop(PLACE).clear(), frame.height, lambda: iter([Block(path.name, loaded)])


def _placed(frame: pl.DataFrame, name: str, line: pl.Expr | pl.Series) -> pl.DataFrame:
    place = pl.lit(name).alias(FILE), pl.int_range(1, pl.len() + 1).alias(ROW)
    line = line.alias(LINE) if isinstance(line, pl.Expr) else pl.lit(line).alias(LINE)
    return frame.with_columns(*place, line, pl.lit(False).alias(RAGGED))


def _same_types(source: Source, types: list[pl.DataFrame]) -> None:
    """Files of one form whose columns have different types: all are read as the type that holds both."""
    order = types[0].columns
    common = pl.concat([part.select(order) for part in types], how="vertical_relaxed").schema
    parts = source._parts

    def cast(blocks: Callable[[], Iterator[Block]]) -> Callable[[], Iterator[Block]]:
        def load(block: Block) -> Any:
            def loaded(columns: Sequence[str] | None = None, data: Any = None) -> pl.DataFrame:
                frame = block.load(columns, data)
                own: dict[Any, Any] = {name: dtype for name, dtype in common.items() if name in frame.columns}
                return frame.cast(own).select(*own, *PLACE)

            return loaded

        return lambda: (Block(block.file, load(block), block.data) for block in blocks())

    source._parts = [cast(part) for part in parts]
