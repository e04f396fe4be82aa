"""Proposing a mapping for files never seen before, with the reason beside every guess."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from cadran.sources.feeds import File
from cadran.sources.guess import Seen, assigned
from cadran.sources.guess_deals import said_by_deals
from cadran.sources.guess_histories import Log, changes, dated, log
from cadran.sources.place import PLACE
from cadran.sources.propose_databases import database_at, is_address, tables_of
from cadran.sources.propose_head import Say, book_name, databases, file_line, rates, settings, stages_of, why_left
from cadran.sources.propose_histories import change_lines, event_log
from cadran.sources.propose_table import spellings, table_lines
from cadran.sources.propose_text import quoted
from cadran.sources.read import read, sheets
from cadran.sources.shape import key_of
from cadran.tables.problems import Problem

_DATABASES = {".db", ".sqlite", ".sqlite3", ".duckdb"}
_ENDINGS = {".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}


def propose(paths: Iterable[Path | str], words: Say = str) -> str:
    """The TOML of a mapping for these files, a comment at each guess.

    Args:
        paths: Files, databases (SQLite and DuckDB files, addresses of PostgreSQL), or folders of files.
        words: Gives a comment, in English, in the reader's language.

    Raises:
        Problem: If there is no file, or none that looks like deals.
    """
    found = [given for path in paths for given in _found(path)]
    if not found:
        raise Problem(
            "There is no file to look at.",
            "Name files (CSV, Parquet, Excel), databases (SQLite, DuckDB, postgresql://…), or a folder of them.",
        )
    seen, problems = [], []
    for given in found:
        try:
            some, broken = tables_of(base, given) if (base := database_at(given)) else (_sheets(Path(given)), [])
            seen += some
            problems += broken
        except Problem as problem:
            problems.append(problem)
    if problems and not seen:
        raise problems[0]
    unread = [f"# {words('not read')}: {problem.told(words)}".replace("\n", " ") for problem in problems]
    fed = assigned(seen)
    fed += dated([s for s in seen if not s.table], fed)
    if {"deals", "opportunities"}.isdisjoint(s.table for s in fed) and (events := log(seen)):
        return event_log(events, [s for s in seen if s.name != events.name], unread, words)
    if {"deals", "opportunities"}.isdisjoint(s.table for s in fed):
        raise Problem(
            "None of these files looks like deals: {names}.", "Name the file that holds one row per deal.",
            names=", ".join(s.name for s in seen) or "-",
        )  # fmt: skip
    told = changes([s for s in seen if not s.table], fed)
    left = [s for s in seen if s not in fed and s.name not in {c.name for c in told}]
    return _written(fed, told, left, unread, words)


def _found(given: Path | str) -> list[Path | str]:
    """The files and databases that a path or an address means."""
    if is_address(given):
        return [given]
    path = Path(given)
    if not path.exists():
        raise Problem("There is no file or folder {file}.", "Check the path.", file=path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [
        file
        for file in files
        if (ending := file.suffix.lower()) in _ENDINGS or ((file == path or ending in _DATABASES) and database_at(file))
    ]


def _sheets(path: Path) -> list[Seen]:
    """A file, or each sheet of a workbook that has several."""
    seen = []
    for sheet in sheets(path) or [""]:
        rows = read(File(path.stem, (path.name,), optional=True, sheet=sheet or None), path.parent).frame
        seen.append(Seen(path, rows.select(c for c in rows.columns if c not in PLACE), sheet))
    return seen


def _written(fed: list[Seen], told: list[Log], left: list[Seen], unread: list[str], words: Say) -> str:
    deals, others = fed[0], fed[1:]
    links = {"reps": "rep_id", "accounts": "account_id"}
    heads = [seen for seen in fed if seen.table in ("deals", "opportunities", "versions")]
    made = {parent: seen for parent, link in links.items() for seen in reversed(heads) if _met(seen, link, fed)}
    tables = (
        {seen.table for seen in fed} | made.keys() | ({"deals"} if "opportunities" in {s.table for s in fed} else set())
    )
    lines = [
        "# " + words("A mapping proposed by `cadran map`. Read every guess; docs/mapping.md tells the format."),
        book_name(deals.path.parent, words),
        *settings(deals, words, bool(told) or any("valid_from" in seen.fields for seen in others)),
        "",
        *stages_of(deals, words),
        *rates(deals, words),
        *databases([*fed, *told], words),
        "",
        "[files]",
        *(line for seen in [*fed, *told] for line in file_line(seen, fed, words)),
    ]
    for seen in others:
        lines += ["", *table_lines(seen, fed, left, tables, words)]
        if seen.table in made or [s.table for s in fed].count(seen.table) > 1:
            lines[lines.index(f"[{seen.table}]")] = f"[[{seen.table}]]"
    elsewhere: set[str] = set()
    for parent, named in made.items():
        link = links[parent]
        is_more = parent in {seen.table for seen in fed}
        why = (
            "deals name more than the file above holds"
            if is_more
            else "no file holds them, so one is made of each value met"
        )
        lines += [
            "",
            f"[[{parent}]]  # {words('guessed:')} {words(why)}"
            if is_more
            else f"[{parent}]  # {words('guessed:')} {words(why)}",
        ]
        lines += [f"file = {quoted(named.key)}", "from_values = true"]
        lines += [line for line in table_lines(named, fed, left, tables, words) if line.startswith(f"{link} = ")]
        more = said_by_deals(named, parent, link)
        lines += [
            f"{name} = {quoted(column)}  # {words('guessed:')} {_why_met(column, named, link, words)}"
            for name, column in more.items()
        ]
        elsewhere |= set(more.values())
    lines += ["", *table_lines(deals, fed, left, tables, words, elsewhere)]
    has_past = "versions" in tables
    lines += [line for one in told for line in change_lines(one, words, has_past and one.of == "deals")]
    lines += ["", *(f"# {s.name}: {why_left(s, fed, words)}" for s in left), *unread] if left or unread else []
    return "\n".join(lines) + "\n"


def _why_met(column: str, deals: Seen, link: str, words: Say) -> str:
    if column == deals.fields[link]:
        return words("the file holds no other name")
    met = deals.frame.select(link=deals.fields[link], said=column).drop_nulls().group_by("link")
    odd = met.agg(n=pl.col("said").n_unique()).filter(pl.col("n") > 1).height
    several = words("{n} values have several, and none is kept").format(n=odd)
    return words("the header says so") + (f"; {several}" if odd else "")


def _met(deals: Seen, link: str, fed: list[Seen]) -> bool:
    """Whether deals name reps or accounts that no file holds."""
    if link not in deals.fields:
        return False
    holder = next((seen for seen in fed[1:] if key_of(seen.table) == link), None)
    return not holder or spellings(deals.texts(link), holder.texts(link))[1] > 0
