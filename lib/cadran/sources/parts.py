"""The parts of a delivery: each bucket of each group parsed, shaped, held to the rules and linked, in order."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from cadran.sources.aside import Aside
from cadran.sources.events import never
from cadran.sources.feeds import OF, Mapping, parts
from cadran.sources.fields import Fed
from cadran.sources.links import Known, orphans, unknown_to_null, without
from cadran.sources.lives import with_status
from cadran.sources.place import ID
from cadran.sources.rules import breaches, broken
from cadran.sources.shape import (
    Ground,
    NoRate,
    _spans,
    earliest,
    gathered,
    left_behind,
    merges_of,
    only_new,
    shaped,
    taken,
)
from cadran.sources.stages import stages, untold
from cadran.sources.survey import NAME, Survey, Told, group, rows_of
from cadran.tables import FOREIGN_KEYS, TABLES
from cadran.tables.delivery import MERGES, Part
from cadran.tables.groups import GROUPS, Group

#: A row of `NOTED`.
Note = tuple[str, str, str, int, str]
OPEN_WITH_CLOSE = "the close date of an open deal was not used"


@dataclass
class Parts:
    """What turns the rows of a survey into parts; `notes` and `aside` are complete when the parts are at their end."""

    mapping: Mapping
    survey: Survey
    known: Known
    aside: Aside
    ground: Ground = field(init=False)
    #: The first moment that a history of deals tells of: what it has of before is put in from their present rows.
    followed_since: datetime | None = field(init=False)
    #: By table, file and note: how many rows, and values met.
    _noted: dict[tuple[str, str, str], tuple[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: (0, set()))
    )
    n_deals: int = 0

    def __post_init__(self) -> None:
        """Find out the stages, when the data was taken, and the first moment anything happened."""
        looked = [(told.feed, told.pile.look(0), told.reading) for told in self._feeds("stages") if told.pile.held()]
        said = only_new([Fed(feed, *reading.fields(kept)) for feed, kept, reading in looked])
        known, first = stages(self.mapping, pl.concat([fed.fields for fed in said], how="diagonal") if said else None)
        spans = {told.number: self._spans(told, known) for told in self.survey.feeds}
        touches = {told.number for told in self._feeds("activities")}  # a meeting may be planned
        happened = [at for number, own in spans.items() if number not in touches for span in own for at in span if at]
        every = [at for own in spans.values() for span in own for at in span if at]
        until = taken(self.mapping, _moments(happened or every))
        self.ground = Ground(known, first, until, earliest(_moments(every), until))
        told = {each.number: each.feed for each in self.survey.feeds}
        past = [n for n, feed in told.items() if feed.table != "deals" and "versions" in parts(feed)]
        self.followed_since = min((at for n in past for at, _ in spans[n] if at), default=None)

    def known_when(self) -> dict[str, str]:
        """When each field of deals is known."""
        return {f.name: f.known for told in self._feeds("deals") for f in told.feed.fields.values()}

    def merges(self) -> pl.DataFrame:
        """Merges told of things of any group, as `MERGES`."""
        found = [pl.DataFrame(schema=MERGES)]
        for of in OF["merges"]:
            feeds = [told for told in self._feeds("merges") if told.feed.of == of]
            rows = [told.reading.fields(told.pile.look(key))[0] for told in feeds for key in told.pile.held()]
            if rows:
                own, _ = merges_of(pl.concat(rows, how="diagonal_relaxed"), self.mapping, of)
                found.append(own.select(pl.lit(of).alias("table"), "key", "into", "at"))
        return pl.concat(found)

    def notes(self) -> list[Note]:
        """What was taken in with a change, as rows of `NOTED`."""
        for told in self.survey.feeds:
            for remark, (n, met) in told.reading.remarks.items():
                file = ", ".join(self.survey.files[told.feed.file].source.digests)
                self._note((told.feed.table, file, remark), n, met)
        for log in self._feeds("events"):
            for note in never([told.feed for told in self.survey.feeds], self.ground.stages):
                file = ", ".join(self.survey.files[log.feed.file].source.digests)
                self._note(("opportunities", file, note), self.n_deals, {*log.feed.stages})
        return [
            (table, file, note, n, ", ".join(map(str, sorted(values)[:most])))
            for (table, file, note), (n, values) in self._noted.items()
            for most in [5 if note == OPEN_WITH_CLOSE else 10]
        ]

    def made(self, said: Callable[[str, float], None]) -> Iterator[Part]:
        """Every part."""
        for i, own in enumerate(GROUPS):
            feeds = [told for told in self.survey.feeds if group(told.feed) is own]
            n = self.survey.n_buckets[own.name]
            without_rate: list[NoRate] = []
            for bucket in range(n) if feeds or own.name == "plan" else ():
                said(own.name, 0.6 + 0.4 * (i + bucket / n) / len(GROUPS))
                try:
                    part = self._part(own, feeds, bucket, n)
                except NoRate as problem:  # told once, with the deals of all buckets
                    without_rate.append(problem)
                if not without_rate:
                    yield part
            if without_rate:
                raise NoRate.together(self.mapping, without_rate)
            for told in feeds:
                for frame in self.aside.frames(told):
                    yield Part(own.name, {}, frame, 0, n)

    def _part(self, own: Group, feeds: list[Told], bucket: int, n: int) -> Part:
        feds = []
        for told in feeds:
            kept = rows_of(told, bucket)
            if kept.width:
                fields, wrong = told.reading.fields(kept)
                mine = told.broken.take(bucket)
                wrong = pl.concat([mine, wrong]) if mine.width else wrong
                feds.append(Fed(told.feed, fields, wrong))
        feds = only_new(feds)
        for told in feeds:
            for fed in feds:
                if fed.feed is told.feed and told.feed.from_values:
                    self.aside.count(told, fed.fields)
        rows, tables, bad = self._shaped(own, feds)
        tables = {table: _fitted(table, rows) for table, rows in tables.items()}
        bad = pl.concat([bad, *(breaches(table, rows) for table, rows in tables.items())])
        if "activities" in tables and len(self.survey.scattered):
            again = tables["activities"].filter(pl.col(NAME).is_in(self.survey.scattered.implode()))
            bad = pl.concat([bad, broken(again[ID], NAME, "activities|primary_key")])
        kept_null = self._kept_null(feds)
        tables, lost = unknown_to_null(tables, bad, kept_null, self.known)
        self._note_unknown(lost, feeds)
        bad = pl.concat([bad, orphans(tables, bad, kept_null, self.known)])
        good = {table: rows.drop(ID) for table, rows in without(tables, bad).items()}
        bad = pl.concat([bad, left_behind(rows, good, bad)])
        for told in feeds:
            self.aside.add(told, bad)
        self.known.add(good)
        for note, n_met, names in untold(good["versions"], self.ground.stages) if "versions" in good else ():
            self._note(("opportunities", "", note), n_met, names)
        self.n_deals += good["opportunities"].height if "opportunities" in good else 0
        return Part(own.name, good, bucket=bucket, n_buckets=n)

    def _shaped(
        self, own: Group, feds: list[Fed]
    ) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame], pl.DataFrame]:
        """The rows of a bucket, the tables made of them, and what was wrong with its rows."""
        rows, twice = gathered(feds)
        bad = pl.concat([*(fed.broken for fed in feds), twice])
        if "deals" in rows:
            self._note_open_with_close(with_status(rows["deals"], self.ground.stages), feds)
        rows.pop("stages", None)
        if own.name == "plan":
            rows["stages"] = self.ground.stages
        tables, wrong, notes = shaped(rows, self.mapping, self.ground, bad)
        for table, file, note, n, found in notes:
            self._note((table, file, note), n, set(found.split(", ")))
        return rows, tables, pl.concat([bad, wrong])

    def _feeds(self, table: str) -> list[Told]:
        return [told for told in self.survey.feeds if told.feed.table == table]

    def _spans(self, told: Told, known: pl.DataFrame) -> list[tuple[datetime | None, datetime | None]]:
        """The first and last moment of every dated field of a feed."""
        reading, table = told.reading, told.feed.table
        dated = [name for name, column in reading.columns.items() if column.kind.dtype == pl.Datetime]
        names = [*dated, *(n for n in ("stage", "status") if table == "deals" and n in reading.columns)]
        found = []
        for bucket in told.pile.held() if dated else ():
            rows, _ = reading.fields(told.pile.look(bucket, reading.kept_as(names)), names)
            found += _spans({table: with_status(rows, known) if table == "deals" else rows})
        return found

    def _kept_null(self, feds: list[Fed]) -> list[tuple[str, str]]:
        said = [(fed.feed, f.name) for fed in feds for f in fed.feed.fields.values() if f.unknown == "keep as null"]
        named = [(part, {"resource": "rep_id"}.get(name, name)) for feed, name in said for part in parts(feed)]
        return [reference for reference in named if reference in FOREIGN_KEYS]

    def _note(self, key: tuple[str, str, str], n: int, values: set[str]) -> None:
        if n:
            before, met = self._noted[key]
            self._noted[key] = before + n, set(sorted(met | values)[:10])

    def _note_unknown(self, lost: dict[tuple[str, str], pl.DataFrame], feeds: list[Told]) -> None:
        for (table, name), rows in lost.items():
            for told in feeds:
                own = rows.filter(pl.col(ID).is_between(told.first_id, told.first_id + 2**40 - 1))
                file = ", ".join(self.survey.files[told.feed.file].source.digests)
                values = set(own["value"].unique())
                self._note((table, file, f"an unknown `{name}` was taken as not given"), own[ID].n_unique(), values)

    def _note_open_with_close(self, deals: pl.DataFrame, feds: list[Fed]) -> None:
        """Note deals still open whose close date says nothing yet."""
        if "closed_at" not in deals.columns:
            return
        odd = deals.filter(pl.col("status") == "open", pl.col("closed_at").is_not_null()).select(
            ID, day="@closed_at_day"
        )
        mapped = [(fed, fed.feed.fields.get("closed_at")) for fed in feds if fed.feed.table == "deals"]
        expected = {f.column for fed, _ in mapped if (f := fed.feed.fields.get("expected_close_date"))}
        for fed, said in mapped:
            if said and said.column not in expected:
                told = next(told for told in self.survey.feeds if told.feed is fed.feed)
                for file, days in self.aside.by_file(told, odd.join(fed.fields.select(ID), on=ID, how="semi")):
                    found = {str(day) for day in days["day"].drop_nulls().unique() if isinstance(day, date)}
                    self._note(("opportunities", file, OPEN_WITH_CLOSE), days.height, found)


def _moments(found: list[datetime]) -> dict[str, pl.DataFrame]:
    return {"": pl.DataFrame({"at": found}, schema={"at": pl.Datetime("us", "UTC")})}


def _fitted(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Exactly the columns of the table, null where the source has none, and `ID`."""
    schema = TABLES[table].create_empty().schema
    return rows.select(
        *(pl.col(n).cast(d) if n in rows.columns else pl.lit(None, d).alias(n) for n, d in schema.items()), ID
    )
