"""One table of a proposed mapping: each field with the reason of the guess, then what is refused or not used."""

from collections.abc import Iterable
from difflib import get_close_matches

import dataframely as dy
import polars as pl

from cadran.sources.feeds import column_of
from cadran.sources.guess import Seen, few, overlap, refusal
from cadran.sources.guess_deals import amounts, meanings, open_have_dates, undecided
from cadran.sources.headers import DELETED, plain
from cadran.sources.propose_head import Say
from cadran.sources.propose_text import bare, quoted, synonyms
from cadran.sources.shape import key_of
from cadran.tables import FOREIGN_KEYS, TABLES
from cadran.tables.deals import NO_DECISION


def table_lines(
    seen: Seen, fed: list[Seen], left: list[Seen], tables: set[str], words: Say, elsewhere: Iterable[str] = ()
) -> list[str]:
    """One table of the mapping: its fields with their reasons, then what is refused or not used."""
    lines = [f"[{seen.table}]", f"file = {quoted(seen.key)}"]
    deleted = next((c for c in seen.frame.columns if plain(c) in DELETED), None)
    if deleted and seen.table != "events":
        marks = seen.frame[deleted].cast(pl.String).str.to_lowercase().str.strip_chars().unique().drop_nulls().sort()
        marks = marks.filter(~marks.is_in(["false", "0", "non", "no", ""]).fill_null(False))
        said = ", ".join(map(quoted, marks if len(marks) else ["true"]))
        why = words("rows marked as deleted are taken in, and end")
        lines.append(f"deleted = {{ {bare(deleted)} = [{said}] }}  # {words('guessed:')} {why}")
    for name, column in seen.fields.items():
        if _parent(seen.table, name) not in (None, *tables):
            lines.append(f"# {name} = {quoted(column)}  # {words('nothing feeds it')}")
            continue
        kind = column_of(seen.table, name)
        if isinstance(kind, dy.Enum) and not any(meanings(seen, name, list(kind.categories)).values()):
            lines.append(
                f"# {name} = {quoted(column)}  # {words('to complete with `values`:')} {', '.join(kind.categories)}"
            )
            continue
        details, reasons = _details(seen, name, fed, left, words)
        reasons.insert(0, words(seen.reasons[name]))
        spec = quoted(column) if not details else f"{{ column = {quoted(column)}, {', '.join(details)} }}"
        lines.append(f"{name} = {spec}  # {words('guessed:')} {'; '.join(reasons)}")
    if (
        seen.table == "deals"
        and "expected_close_date" not in seen.fields
        and "closed_at" in seen.fields
        and open_have_dates(seen)
    ):
        why = words("open deals have this date too")
        lines.append(f"expected_close_date = {quoted(seen.fields['closed_at'])}  # {words('guessed:')} {why}")
    if seen.table == "deals":
        lines += _undecided(seen, words)
    parts = {plain(c): c for c in seen.frame.columns}
    if seen.table == "reps" and "name" not in seen.fields and {"first_name", "last_name"} <= parts.keys():
        names = [parts["first_name"], parts["last_name"]]
        elsewhere = [*elsewhere, *names]
        lines.append(
            f"name = [{', '.join(map(quoted, names))}]  # {words('guessed:')} {words('because the headers say so')}"
        )
    if seen.table == "deals" and "closed_at" not in seen.fields:
        lines.append(f'# closed_at = "…"  # {words("to complete: which column tells when a deal was won or lost?")}')
    rest = [c for c in seen.frame.columns if c not in (*seen.fields.values(), *elsewhere, deleted)]
    refused = {column: reason for column in rest if (reason := refusal(column, seen.frame[column]))}
    by_reason = {why: [quoted(c) for c, said in refused.items() if said == why] for why in refused.values()}
    lines += [f"# {words('refused')} ({words(why)}): {', '.join(columns)}" for why, columns in by_reason.items()]
    unused = [quoted(c) for c in rest if c not in refused]
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
        return ["# " + said.format(stages=", ".join(map(quoted, stages)))]
    others = ", ".join(quoted(value) for value in values if value not in stages)
    said = f"column = {quoted(column)}, missing = [{others}], {synonyms(dict.fromkeys(stages, NO_DECISION))}"
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
        pairs, unknown = spellings(seen.texts(name), parent.texts(key_of(parent.table)))
        if pairs:
            said.append(synonyms(pairs))
        if unknown and seen.table != "deals" and name not in TABLES[seen.table].primary_key():
            said.append('unknown = "keep as null"')
        if unknown:
            odd = _odd(seen, name, parent)
            reasons.append(words("{n} values are not, like {example}").format(n=unknown, example=odd))
    if name == "product":
        lists = [(s, c) for s in left if not s.table for c in s.frame.columns]
        lists = [(s, c) for s, c in lists if overlap(seen.texts(name), s.frame[c]) > 0.5]
        for other, column in lists[:1]:
            pairs, _ = spellings(seen.texts(name), other.frame[column].cast(pl.String).str.strip_chars().drop_nulls())
            if pairs:
                said.append(synonyms(pairs))
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
        said.append(synonyms(dict.fromkeys(open_, NO_DECISION)))
        reasons.append(words("No decision marks the deals that ended without one"))
    if isinstance(kind := column_of(seen.table, name), dy.Enum):
        meant = meanings(seen, name, list(kind.categories))
        pairs = {value: meaning for value, meaning in meant.items() if meaning and plain(value) != meaning}
        others = [value for value, meaning in meant.items() if not meaning]
        said += [synonyms(pairs)] if pairs else []
        if others:
            said.append(f"missing = [{', '.join(map(quoted, others))}]")
            reasons.append(words("values that say nothing known are left out"))
    return said, reasons


def _odd(seen: Seen, name: str, parent: Seen) -> str:
    known = parent.texts(key_of(parent.table)).unique()
    return quoted(seen.texts(name).filter(~seen.texts(name).is_in(known.implode())).sort()[0])


def spellings(texts: pl.Series, known: pl.Series) -> tuple[dict[str, str], int]:
    """Values that are another spelling of a known one, and how many others are unknown."""
    there = known.unique().to_list()
    own = texts.unique()
    lost = own.filter(~own.is_in(there)).sort().to_list()
    if len(lost) > 50:
        return {}, len(lost)
    simple = {plain(value).replace("_", ""): value for value in there}
    pairs = {v: simple.get(plain(v).replace("_", "")) or "".join(get_close_matches(v, there, 1, 0.9)) for v in lost}
    return {v: meant for v, meant in pairs.items() if meant}, sum(not meant for meant in pairs.values())
