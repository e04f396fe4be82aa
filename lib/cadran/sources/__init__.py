"""Where rows come from, and how they are held to the tables' rules."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import polars as pl

from cadran.sources.aside import Aside
from cadran.sources.databases import Copied, copied
from cadran.sources.feeds import Mapping, histories, observed, partial
from cadran.sources.links import Known
from cadran.sources.parts import OPEN_WITH_CLOSE, Note, Parts
from cadran.sources.spill import workspace
from cadran.sources.survey import Survey, survey
from cadran.tables import groups
from cadran.tables.ahead import ahead
from cadran.tables.delivery import NOTED, Delivery, Part, Settings, Since
from cadran.tables.groups import group_of

__all__ = ["OPEN_WITH_CLOSE", "deliver"]

Progress = Callable[[str, float], None]


def deliver(
    mapping: Mapping, folder: Path | None = None, progress: Progress | None = None, since: Since | None = None
) -> Delivery:
    """Read a source into valid tables; rows that break a rule are set aside, with the rule.

    Every file is gone through once, block by block; what is more than memory should hold waits in a temporary folder.
    Small deliveries are complete when this returns. Of large ones (above `MOST_ROWS` rows) each part is made when
    `Delivery.parts` is gone through, and what is wrong with the source may be said only then.

    Args:
        mapping: From `load_mapping`.
        folder: Where the files are. Default: the mapping's own `folder`, else the mapping file's place
            (the current folder for a mapping that ships with Cadran).
        progress: Told what is being done, and the share done (0 to 1).
        since: What the book that is fed knows: where it stopped reading, how it is cut, and its keys.

    Returns:
        The tables that the mapping feeds, every row valid and every foreign key known; the rows set aside; and one
        `SourceFile` per file and table, with rows read = rows accepted + rows left out by the mapping + rows set aside.

    Raises:
        Problem: If nothing can be imported: see docs/mapping.md, "What stops an import".
    """
    said = _rising(progress or (lambda doing, share: None))
    with ExitStack() as stack:
        place = stack.enter_context(workspace())
        where = folder or home(mapping)
        copy = (
            copied(mapping, where, since or Since(), place / "copies", said) if mapping.databases else Copied(mapping)
        )
        mapping = copy.mapping
        found = survey(mapping, where, place, since, said)
        some = partial(mapping) | copy.partial
        known = Known(_held(since, some), since.is_renamed) if since and some else Known()
        parts = Parts(mapping, found, known, Aside(found, mapping))
        delivery = Delivery(
            _settings(mapping, parts), [], histories=histories(mapping), partial=some, observed=observed(mapping),
            merges=parts.merges(), watermarks=copy.watermarks, columns=copy.columns, followed_since=parts.followed_since,
        )  # fmt: skip
        delivery.parts = _gone_through(delivery, parts, found, copy, said, stack.pop_all())
    if sum(sum(file.n_rows.values()) for file in found.files.values()) <= groups.MOST_ROWS:
        delivery.parts = list(delivery.parts)
    return delivery


def _gone_through(
    delivery: Delivery, parts: Parts, found: Survey, copy: Copied, said: Progress, stack: ExitStack
) -> Iterator[Part]:
    """The parts; at their end the delivery is complete, and what was written meanwhile is gone."""
    with stack:
        yield from ahead(parts.made(said))
        is_new = bool({"deals", "opportunities"} & copy.partial)  # of a database, since the last import: may be nothing
        if not parts.n_deals and not is_new and ("deals" not in delivery.partial or parts.aside.rules):
            raise parts.aside.nothing_left()
        delivery.files = parts.aside.files()
        noted = [*_guessed(found), *copy.noted, *parts.notes(), *parts.aside.left_out()]
        delivery.noted = pl.DataFrame(noted, schema=NOTED, orient="row")
        said("done", 1.0)


def _held(since: Since, some: frozenset[str]) -> Callable[[str], pl.Series]:
    """The keys that the book holds of the tables of which only some rows are delivered."""

    def held(table: str) -> pl.Series:
        return since.keys(table) if some & {table, group_of(table).name} else pl.Series(dtype=pl.String)

    return held


def _rising(progress: Progress) -> Progress:
    """The same, its share never falling."""
    most = 0.0

    def said(doing: str, share: float) -> None:
        nonlocal most
        most = max(most, share)
        progress(doing, most)

    return said


def home(mapping: Mapping) -> Path:
    """Where the files of a mapping are, if nobody says otherwise."""
    here = Path() if mapping.is_shipped else mapping.path.parent
    return here / mapping.folder if mapping.folder else here


def _settings(mapping: Mapping, parts: Parts) -> Settings:
    return Settings(
        name=mapping.name,
        taken=parts.ground.until,
        time_zone=mapping.time_zone,
        currency=mapping.currency,
        amount_basis=mapping.amount_basis,
        fiscal_year_starts=mapping.fiscal_year_starts,
        holidays=mapping.holidays,
        known_at_close=tuple(name for name, when in parts.known_when().items() if when == "at_close"),
    )


def _guessed(found: Survey) -> list[Note]:
    return [
        ("", name, "the encoding of a file was guessed", 1, encoding)
        for file in found.files.values()
        for name, encoding in file.source.guesses.items()
    ]
