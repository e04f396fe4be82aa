"""What a proposed mapping says before its tables: settings, stages, files; and what a file left over may be for."""

import re
from collections.abc import Callable
from pathlib import Path

import dataframely as dy
import polars as pl

from cadran.sources.dates import dates
from cadran.sources.feeds import column_of
from cadran.sources.guess import Seen, overlap
from cadran.sources.guess_deals import begins_in, last_day, stages, told_elsewhere
from cadran.sources.propose_text import bare, quoted
from cadran.tables.problems import Problem

#: Gives a sentence in the reader's language.
Say = Callable[[str], str]
#: Fields by which a column of another file can be brought.
_LINKS = ["product", "opportunity_id", "account_id", "rep_id", "contact_id"]
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}


def book_name(folder: Path, words: Say) -> str:
    """The name of the book: that of the folder without a date; of one that is nothing but a date, its parent's."""
    folder = folder.resolve()
    bare = [
        re.sub(r"[-_. ]*(19|20)\d\d([-_.]?\d\d){0,2}(?!\d)[-_. ]*", " ", f.name).strip()
        for f in (folder, *folder.parents)
    ]
    name = next((name for name in bare if re.search(r"[^\W\d_]", name)), folder.name)
    why = words("the folder's name; write the company's, and keep it: an import under another name is refused")
    return f"name = {quoted(name)}  # {words('guessed:')} {why}"


def settings(deals: Seen, words: Say, has_history: bool) -> list[str]:
    """When the data was taken, its time zone and its currency."""
    last = None if has_history else last_day(deals)
    why = "the last day of the histories; better write the day of the export"
    why = why if has_history else "no close date tells; better write the day of the export"
    first = (
        f"taken = {last}  # {words('guessed:')} {words('the last day on which a deal was created or closed')}"
        if last
        else f'taken = "latest date"  # {words("guessed:")} {words(why)}'
    )
    if deals.database:
        why = "the clock of the database when it is read; of an old copy, write the day it was made"
        first = f'taken = "now"  # {words("guessed:")} {words(why)}'
    zone = words(
        "nothing tells; write yours, like Europe/Paris, only if hours are written in it: many systems export UTC"
    )
    lines = [first, f'time_zone = "UTC"  # {words("guessed:")} {zone}']
    if "currency" in deals.fields:
        met = deals.texts("currency").str.to_uppercase().value_counts(sort=True).to_series(0).to_list()
        lines.append(f"currency = {quoted(met[0])}  # {words('guessed:')} {words('the most frequent')}")
        return lines
    signs = (
        deals.texts("amount").str.extract(r"([€$£¥₹])").drop_nulls()
        if "amount" in deals.fields
        else pl.Series([], dtype=pl.String)
    )
    if len(signs):
        sign = signs.mode()[0]
        why = words("{sign} stands beside amounts").format(sign=sign)
        return [*lines, f"currency = {quoted(_SIGNS[sign])}  # {words('guessed:')} {why}"]
    return [*lines, f'currency = "EUR"  # {words("guessed:")} {words("nothing tells")}']


def rates(deals: Seen, words: Say) -> list[str]:
    """A line to complete for the rate of each currency but the most frequent; none where no column tells it."""
    if "currency" not in deals.fields:
        return []
    first, *others = deals.texts("currency").str.to_uppercase().value_counts(sort=True).to_series(0)
    rates = [
        f"# {other} = 0.0  # {words('to complete: {first} for one {other}').format(first=first, other=other)}"
        for other in others
    ]
    return ["", "[rates]", *rates] if rates else []


def stages_of(deals: Seen, words: Say) -> list[str]:
    """The stages in their order, each with its kind, and a line to complete for each kind that none looks like."""
    kinds, why = stages(deals)
    lines = [f"# {words('guessed:')} {words(why)}", "stages = ["]
    begins = begins_in(deals, [stage for stage, kind in kinds.items() if kind == "open"])
    for stage, kind in kinds.items():
        mark = ", at_creation = true" if stage == begins else ""
        note = f"  # {words('guessed:')} {words('earlier stages have no creation date')}" if mark else ""
        lines.append(f'  {{ stage = {quoted(stage)}, kind = "{kind}"{mark} }},{note}')
    missing = [kind for kind in ("open", "won", "lost") if kind not in kinds.values()]
    lines += [
        f'  # {{ stage = "…", kind = "{kind}" }},  # {words("to complete: no stage looks {kind}").format(kind=kind)}'
        for kind in missing
    ]
    return [*lines, "]"]


def databases(seen: list[Seen], words: Say) -> list[str]:
    """Where the databases are that tables stand in. An address stays out of a mapping."""
    lines = []
    for base in dict.fromkeys(one.database for one in seen if one.database):
        why = words("the name of an environment variable: put the address there, never here")
        where = f"path = {quoted(base.path)}" if base.path else f'address_from = "{base.address_from}"  # {why}'
        lines += ["", f"[databases.{base.name}]", f'kind = "{base.kind}"', where]
    return lines


def file_line(seen: Seen, fed: list[Seen], words: Say) -> list[str]:
    """How a file is named and written, and what must be said of its dates."""
    paths = [quoted(name) for name in (seen.path.name, *seen.same_as)]
    if len(paths) > 1 and not seen.database:
        why = words("they hold the same rows; the first that is there is read")
        return [f"{seen.key} = [{', '.join(paths)}]  # {words('guessed:')} {why}"]
    asked = _ask(seen)
    place = f"path = {paths[0]}" + (f", sheet = {quoted(seen.sheet)}" if seen.sheet else "")
    if seen.database:
        place = f'database = "{seen.database.name}", table = {quoted(seen.sheet)}'
    if not asked:
        return [f"{seen.key} = {{ {place} }}" if seen.sheet else f"{seen.key} = {paths[0]}"]
    told = {first: other for other in fed if (first := told_elsewhere(other)) is not None}
    if len(told) == 1:
        ((first, other),) = told.items()
        form = "DD/MM/YYYY" if first else "MM/DD/YYYY"
        why = f"{asked} cannot tell, and {other.path.name} writes so"
        return [f'{seen.key} = {{ {place}, dates = "{form}" }}  # {words("guessed:")} {why}']
    return [
        f"{seen.key} = {{ {place} }}",
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


def why_left(seen: Seen, fed: list[Seen], words: Say) -> str:
    """What a file that feeds no table may be for."""
    if seen.table:
        return f"not used: {seen.table}, in another writing"
    links = [(other, name) for other in fed for name in _LINKS if name in other.fields]
    for other, name in links:
        values = other.texts(name)
        for column in seen.frame.columns if values.n_unique() > 2 else ():
            if overlap(values, seen.frame[column]) > 0.5:
                mapped = bare(other.fields[name])
                join = f'{{ column = "…", from = {quoted(seen.key)}, on = {{ {mapped} = {quoted(column)} }} }}'
                return f"not used; its {column} is {name} of [{other.table}]: a column of it can be brought by {join}"
    return words("not used: it feeds no table that was recognised")
