"""Proposing a mapping for files never seen before, with the reason beside every guess."""

import json
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

import dataframely as dy
import polars as pl

from cadran.sources.dates import dates
from cadran.sources.feeds import File, column_of
from cadran.sources.guess import Seen, assigned, few, overlap, refusal
from cadran.sources.guess_deals import (
    amounts,
    begins_in,
    last_day,
    meanings,
    open_have_dates,
    said_by_deals,
    stages,
    told_elsewhere,
    undecided,
)
from cadran.sources.headers import DELETED, plain
from cadran.sources.read import PLACE, read, sheets
from cadran.sources.shape import key_of
from cadran.tables import FOREIGN_KEYS, TABLES
from cadran.tables.deals import NO_DECISION
from cadran.tables.problems import Problem

#: Gives a sentence in the reader's language.
Say = Callable[[str], str]
_ENDINGS = {".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
#: Fields by which a column of another file can be brought.
_LINKS = ["product", "opportunity_id", "account_id", "rep_id", "contact_id"]
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}


def propose(paths: Iterable[Path], words: Say = str) -> str:
    """The TOML of a mapping for these files, a comment at each guess.

    Args:
        paths: Files, or folders of files.
        words: Gives a comment, in English, in the reader's language.

    Raises:
        Problem: If there is no file, or none that looks like deals.
    """
    paths = list(paths)
    for path in paths:
        if not path.exists():
            raise Problem("There is no file or folder {file}.", "Check the path.", file=path)
    found = [f for path in paths for f in (sorted(path.iterdir()) if path.is_dir() else [path])]
    found = [path for path in found if path.suffix.lower() in _ENDINGS]
    if not found:
        raise Problem("There is no file to look at.", "Name files (CSV, Parquet, Excel), or a folder of them.")
    seen, unread = [], []
    for path in found:
        try:
            for sheet in sheets(path) or [""]:
                rows = read(File(path.stem, (path.name,), optional=True, sheet=sheet or None), path.parent).frame
                seen.append(Seen(path, rows.select(c for c in rows.columns if c not in PLACE), sheet))
        except Problem as problem:
            if len(found) == 1:
                raise
            unread.append(f"# {words('not read')}: {problem.told(words)}".replace("\n", " "))
    fed = assigned(seen)
    if {"deals", "opportunities"}.isdisjoint(s.table for s in fed):
        names = ", ".join(s.name for s in seen) or ", ".join(path.name for path in found)
        raise Problem(
            "None of these files looks like deals: {names}.", "Name the file that holds one row per deal.", names=names
        )
    return _written(fed, [s for s in seen if s not in fed], unread, words)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _written(fed: list[Seen], left: list[Seen], unread: list[str], words: Say) -> str:
    deals, others = fed[0], fed[1:]
    links = {"reps": "rep_id", "accounts": "account_id"}
    heads = [seen for seen in fed if seen.table in ("deals", "opportunities", "versions")]
    made = {parent: seen for parent, link in links.items() for seen in heads if _met(seen, link, fed)}
    tables = (
        {seen.table for seen in fed} | made.keys() | ({"deals"} if "opportunities" in {s.table for s in fed} else set())
    )
    lines = [
        "# " + words("A mapping proposed by `cadran map`. Read every guess; docs/mapping.md tells the format."),
        f"name = {_quoted(deals.path.parent.resolve().name)}",
        *_settings(deals, words),
        "",
        *_stages(deals, words),
        *_rates(deals, words),
        "",
        "[files]",
        *(line for seen in fed for line in _file(seen, fed, words)),
    ]
    for seen in others:
        lines += ["", *_table(seen, fed, left, tables, words)]
        if seen.table in made:
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
        lines += [f"file = {_quoted(named.key)}", "from_values = true"]
        lines += [line for line in _table(named, fed, left, tables, words) if line.startswith(f"{link} = ")]
        more = said_by_deals(named, parent, link)
        lines += [
            f"{name} = {_quoted(column)}  # {words('guessed:')} {_why_met(column, named, link, words)}"
            for name, column in more.items()
        ]
        elsewhere |= set(more.values())
    lines += ["", *_table(deals, fed, left, tables, words, elsewhere)]
    lines += ["", *(f"# {s.name}: {_why_left(s, fed, words)}" for s in left), *unread] if left or unread else []
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
    return not holder or _spellings(deals.texts(link), holder.texts(link))[1] > 0


def _settings(deals: Seen, words: Say) -> list[str]:
    """When the data was taken, its time zone and its currency."""
    last = last_day(deals)
    first = (
        f"taken = {last}  # {words('guessed:')} {words('the last day on which a deal was created or closed')}"
        if last
        else f'taken = "latest date"  # {words("guessed:")} {words("no close date tells; better write the day of the export")}'
    )
    lines = [
        first,
        f'time_zone = "UTC"  # {words("guessed:")} {words("nothing tells; write yours if hours matter, like Europe/Paris")}',
    ]
    if "currency" in deals.fields:
        met = deals.texts("currency").str.to_uppercase().value_counts(sort=True).to_series(0).to_list()
        lines.append(f"currency = {_quoted(met[0])}  # {words('guessed:')} {words('the most frequent')}")
        return lines
    signs = (
        deals.texts("amount").str.extract(r"([€$£¥₹])").drop_nulls()
        if "amount" in deals.fields
        else pl.Series([], dtype=pl.String)
    )
    if len(signs):
        sign = signs.mode()[0]
        why = words("{sign} stands beside amounts").format(sign=sign)
        return [*lines, f"currency = {_quoted(_SIGNS[sign])}  # {words('guessed:')} {why}"]
    return [*lines, f'currency = "EUR"  # {words("guessed:")} {words("nothing tells")}']


def _rates(deals: Seen, words: Say) -> list[str]:
    if "currency" not in deals.fields:
        return []
    first, *others = deals.texts("currency").str.to_uppercase().value_counts(sort=True).to_series(0)
    rates = [
        f"# {other} = 0.0  # {words('to complete: {first} for one {other}').format(first=first, other=other)}"
        for other in others
    ]
    return ["", "[rates]", *rates] if rates else []


def _stages(deals: Seen, words: Say) -> list[str]:
    kinds, why = stages(deals)
    lines = [f"# {words('guessed:')} {words(why)}", "stages = ["]
    begins = begins_in(deals, [stage for stage, kind in kinds.items() if kind == "open"])
    for stage, kind in kinds.items():
        mark = ", at_creation = true" if stage == begins else ""
        note = f"  # {words('guessed:')} {words('earlier stages have no creation date')}" if mark else ""
        lines.append(f'  {{ stage = {_quoted(stage)}, kind = "{kind}"{mark} }},{note}')
    missing = [kind for kind in ("open", "won", "lost") if kind not in kinds.values()]
    lines += [
        f'  # {{ stage = "…", kind = "{kind}" }},  # {words("to complete: no stage looks {kind}").format(kind=kind)}'
        for kind in missing
    ]
    return [*lines, "]"]


def _table(
    seen: Seen, fed: list[Seen], left: list[Seen], tables: set[str], words: Say, elsewhere: Iterable[str] = ()
) -> list[str]:
    """One table of the mapping: its fields with their reasons, then what is refused or not used."""
    lines = [f"[{seen.table}]", f"file = {_quoted(seen.key)}"]
    deleted = next((c for c in seen.frame.columns if plain(c) in DELETED), None)
    if deleted:
        kept = seen.frame[deleted].cast(pl.String).str.to_lowercase().is_in(["false", "0", "non", "no"])
        only = f'only = {{ {_bare(deleted)} = ["false", "0", "no", "non", ""] }}'
        gone = words("to decide: all {n} rows are marked as deleted; this would leave none").format(n=kept.len())
        lines.append(
            f"{only}  # {words('guessed:')} {words('rows marked as deleted are left out')}"
            if kept.any()
            else f"# {only}  # {gone}"
        )
    for name, column in seen.fields.items():
        if _parent(seen.table, name) not in (None, *tables):
            lines.append(f"# {name} = {_quoted(column)}  # {words('nothing feeds it')}")
            continue
        kind = column_of(seen.table, name)
        if isinstance(kind, dy.Enum) and not any(meanings(seen, name, list(kind.categories)).values()):
            lines.append(
                f"# {name} = {_quoted(column)}  # {words('to complete with `values`:')} {', '.join(kind.categories)}"
            )
            continue
        said, reasons = _details(seen, name, fed, left, words)
        reasons.insert(0, words(seen.reasons[name]))
        spec = _quoted(column) if not said else f"{{ column = {_quoted(column)}, {', '.join(said)} }}"
        lines.append(f"{name} = {spec}  # {words('guessed:')} {'; '.join(reasons)}")
    if (
        seen.table == "deals"
        and "expected_close_date" not in seen.fields
        and "closed_at" in seen.fields
        and open_have_dates(seen)
    ):
        why = words("open deals have this date too")
        lines.append(f"expected_close_date = {_quoted(seen.fields['closed_at'])}  # {words('guessed:')} {why}")
    if seen.table == "deals":
        lines += _undecided(seen, words)
    parts = {plain(c): c for c in seen.frame.columns}
    if seen.table == "reps" and "name" not in seen.fields and {"first_name", "last_name"} <= parts.keys():
        names = [parts["first_name"], parts["last_name"]]
        elsewhere = [*elsewhere, *names]
        lines.append(
            f"name = [{', '.join(map(_quoted, names))}]  # {words('guessed:')} {words('because the headers say so')}"
        )
    if seen.table == "deals" and "closed_at" not in seen.fields:
        lines.append(f'# closed_at = "…"  # {words("to complete: which column tells when a deal was won or lost?")}')
    rest = [c for c in seen.frame.columns if c not in (*seen.fields.values(), *elsewhere, deleted)]
    refused = {column: reason for column in rest if (reason := refusal(column, seen.frame[column]))}
    by_reason = {why: [_quoted(c) for c, said in refused.items() if said == why] for why in refused.values()}
    lines += [f"# {words('refused')} ({words(why)}): {', '.join(columns)}" for why, columns in by_reason.items()]
    unused = [_quoted(c) for c in rest if c not in refused]
    return lines + ([f"# {words('not used')}: {', '.join(unused)}"] if unused else [])


def _undecided(deals: Seen, words: Say) -> list[str]:
    """Stages that say a deal ended without a decision, made its loss reason where no column gives one."""
    column = deals.fields["stage"]
    values = few(deals.frame[column])
    stages = undecided(values)
    if not stages:
        return []
    if "loss_reason" in deals.fields:
        said = words("deals in {stages} keep their own loss reason; `values` can make it No decision")
        return ["# " + said.format(stages=", ".join(map(_quoted, stages)))]
    others = ", ".join(_quoted(value) for value in values if value not in stages)
    said = f"column = {_quoted(column)}, missing = [{others}], {_values(dict.fromkeys(stages, NO_DECISION))}"
    return [f"loss_reason = {{ {said} }}  # {words('guessed:')} {words('such a stage says that nothing was decided')}"]


def _parent(table: str, name: str) -> str | None:
    parts = ("opportunities", "versions") if table == "deals" else (table,)
    parent = next((FOREIGN_KEYS[part, name][0] for part in parts if (part, name) in FOREIGN_KEYS), None)
    return {"opportunities": "deals", "stages": None}.get(parent or "", parent)


def _details(seen: Seen, name: str, fed: list[Seen], left: list[Seen], words: Say) -> tuple[list[str], list[str]]:
    """Keys beside `column` that the contents call for, and why."""
    said, reasons = [], []
    parent = next((s for s in fed if s is not seen and s.table == _parent(seen.table, name)), None)
    if parent:
        share = overlap(seen.texts(name), parent.texts(key_of(parent.table)))
        reasons.append(words("{share:.0%} of its values are in {file}").format(share=share, file=parent.name))
        pairs, unknown = _spellings(seen.texts(name), parent.texts(key_of(parent.table)))
        if pairs:
            said.append(_values(pairs))
        if unknown and seen.table != "deals" and name not in TABLES[seen.table].primary_key():
            said.append('unknown = "keep as null"')
        if unknown:
            odd = _odd(seen, name, parent)
            reasons.append(words("{n} values are not, like {example}").format(n=unknown, example=odd))
    if name == "product":
        lists = [(s, c) for s in left if not s.table for c in s.frame.columns]
        lists = [(s, c) for s, c in lists if overlap(seen.texts(name), s.frame[c]) > 0.5]
        for other, column in lists[:1]:
            pairs, _ = _spellings(seen.texts(name), other.frame[column].cast(pl.String).str.strip_chars().drop_nulls())
            if pairs:
                said.append(_values(pairs))
                reasons.append(f"{other.path.name} spells them so")
    if name == "amount" and seen.table == "deals":
        zeroed, only_closed = amounts(seen)
        if zeroed:
            said.append('missing = "0"')
            reasons.append(words("lost deals all have 0, which says nothing"))
        if only_closed:
            said.append('known = "at_close"')
            reasons.append(words("open deals have none"))
    if name == "loss_reason" and (open_ := undecided(few(seen.frame[seen.fields[name]]))):
        said.append(_values(dict.fromkeys(open_, NO_DECISION)))
        reasons.append(words("No decision marks the deals that ended without one"))
    if isinstance(kind := column_of(seen.table, name), dy.Enum):
        meant = meanings(seen, name, list(kind.categories))
        pairs = {value: meaning for value, meaning in meant.items() if meaning and plain(value) != meaning}
        others = [value for value, meaning in meant.items() if not meaning]
        said += [_values(pairs)] if pairs else []
        if others:
            said.append(f"missing = [{', '.join(map(_quoted, others))}]")
            reasons.append(words("values that say nothing known are left out"))
    return said, reasons


def _odd(seen: Seen, name: str, parent: Seen) -> str:
    known = parent.texts(key_of(parent.table)).unique()
    return _quoted(seen.texts(name).filter(~seen.texts(name).is_in(known.implode())).sort()[0])


def _spellings(texts: pl.Series, known: pl.Series) -> tuple[dict[str, str], int]:
    """Values that are another spelling of a known one, and how many others are unknown."""
    there = known.unique().to_list()
    own = texts.unique()
    lost = own.filter(~own.is_in(there)).sort().to_list()
    if len(lost) > 50:
        return {}, len(lost)
    simple = {plain(value).replace("_", ""): value for value in there}
    pairs = {v: simple.get(plain(v).replace("_", "")) or "".join(get_close_matches(v, there, 1, 0.9)) for v in lost}
    return {v: meant for v, meant in pairs.items() if meant}, sum(not meant for meant in pairs.values())


def _values(pairs: dict[str, str]) -> str:
    return f"values = {{ {', '.join(f'{_bare(a)} = {_quoted(b)}' for a, b in pairs.items())} }}"


def _bare(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _why_left(seen: Seen, fed: list[Seen], words: Say) -> str:
    """What a file that feeds no table may be for."""
    if seen.table:
        return f"not used: {seen.table}, in another writing"
    links = [(other, name) for other in fed for name in _LINKS if name in other.fields]
    for other, name in links:
        values = other.texts(name)
        for column in seen.frame.columns if values.n_unique() > 2 else ():
            if overlap(values, seen.frame[column]) > 0.5:
                mapped = _bare(other.fields[name])
                join = f'{{ column = "…", from = {_quoted(seen.key)}, on = {{ {mapped} = {_quoted(column)} }} }}'
                return f"not used; its {column} is {name} of [{other.table}]: a column of it can be brought by {join}"
    return words("not used: it feeds no table that was recognised")


def _file(seen: Seen, fed: list[Seen], words: Say) -> list[str]:
    paths = [_quoted(name) for name in (seen.path.name, *seen.same_as)]
    if len(paths) > 1:
        why = words("they hold the same rows; the first that is there is read")
        return [f"{seen.key} = [{', '.join(paths)}]  # {words('guessed:')} {why}"]
    asked = _ask(seen)
    sheet = f", sheet = {_quoted(seen.sheet)}" if seen.sheet else ""
    if not asked:
        return [f"{seen.key} = {{ path = {paths[0]}{sheet} }}" if sheet else f"{seen.key} = {paths[0]}"]
    told = {first: other for other in fed if (first := told_elsewhere(other)) is not None}
    if len(told) == 1:
        ((first, other),) = told.items()
        form = "DD/MM/YYYY" if first else "MM/DD/YYYY"
        why = f"{asked} cannot tell, and {other.path.name} writes so"
        return [f'{seen.key} = {{ path = {paths[0]}{sheet}, dates = "{form}" }}  # {words("guessed:")} {why}']
    return [
        f"{seen.key} = {{ path = {paths[0]}{sheet} }}",
        f'# to say: day or month first in {asked}? Add dates = "DD/MM/YYYY" or "MM/DD/YYYY" to the line above',
    ]


def _ask(seen: Seen) -> str:
    """The column whose dates can be read two ways, if there is one."""
    for name, column in seen.fields.items():
        if isinstance(column_of(seen.table, name), dy.Date | dy.Datetime) and seen.frame.schema[column] == pl.String:
            try:
                dates(seen.frame[column], "UTC", is_day_first=told_elsewhere(seen))
            except Problem:
                return column
    return ""
