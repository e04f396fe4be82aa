"""A book as it was known at one moment, and what of it one reader may see."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import store
from cadran.book.engines import POLARS, Engine, collect, scan
from cadran.book.known import KNOWN, SCOPED, hide_later
from cadran.book.masked import is_masked, masked
from cadran.book.reach import Reach, among, reach_of
from cadran.book.reader import Reader
from cadran.book.removed import check_kept
from cadran.book.stored import MASKS
from cadran.tables import STORED, VERSIONED
from cadran.tables.deals import CLOSED, NO_DECISION
from cadran.tables.delivery import Settings
from cadran.tables.groups import GROUPS
from cadran.tables.problems import Problem

Organisation = Literal["as_was", "today"]

_PERIODS = {"month": "1mo", "quarter": "1q", "year": "1y"}
_BY_CALENDAR = ("week", "fiscal_year")
_FROM_OPPORTUNITY = ("account_id", "deal_type", "product", "lead_source", "created_at", "created_date", "created_day")
#: Those of them that stand beside each version, or are found by a number that does.
_REPEATED = ("account_id", "created_day")
_FROM_REP = {"seller": "name", "team": "team", "region": "region", "manager_id": "manager_id"}
_FROM_ACCOUNT = {
    "client": "name",
    "sector": "sector",
    "segment": "segment",
    "account_region": "region",
    "country": "country",
    "parent_account_id": "parent_account_id",
}
_FROM_STAGE = {"stage_position": "position", "stage_probability": "probability", "is_qualified": "is_qualified"}
_FROM_VERSION = (
    "opportunity_id", "valid_from", "rep_id", "stage", "status", "amount", "currency", "rate", "original_amount",
    "expected_close_date", "forecast_category", "competitor", "loss_reason", "stage_since", "n_pushes", "n_reopened",
)  # fmt: skip
_WORKED_OUT = (
    "closed_at",
    "closed_date",
    "cycle_days",
    "age_days",
    "is_no_decision",
    "group_id",
    "in_scope",
    "n_contacts",
)
_DATES = ("created", "closed", "expected")

#: Every column `Book.deals` can give, in order.
DEAL_COLUMNS: tuple[str, ...] = (
    *_FROM_VERSION,
    *_FROM_OPPORTUNITY,
    *_WORKED_OUT,
    *_FROM_REP,
    *_FROM_ACCOUNT,
    *_FROM_STAGE,
    *(f"{what}_{period}" for what in _DATES for period in (*_PERIODS, *_BY_CALENDAR)),
)

#: The table, and its column, that keep what a column of the deals has been at any time.
HISTORY: dict[str, tuple[str, str]] = {
    **{name: ("versions", name) for name in _FROM_VERSION},
    **{name: ("reps", source) for name, source in _FROM_REP.items()},
    **{name: ("accounts", source) for name, source in _FROM_ACCOUNT.items()},
}


@dataclass(frozen=True)
class Book:
    """One version of a book, seen from one moment by one reader.

    Everything later than the moment does not exist here: later versions, closings, answers. No reader
    means the analyst at the command line or in the editor, who sees all.
    """

    version: Path
    moment: datetime
    reader: Reader | None = None
    #: Whether the past is told as it was corrected since, instead of as it was known then.
    corrected: bool = False
    engine: Engine = POLARS
    #: Checksum of its manifest: a version from which somebody was forgotten is another, and no answer is remembered.
    seal: str = ""
    #: Whether named persons may be rated: see `cadran.book.individual`.
    rates_persons: bool = False
    #: Notes who is shown what of named persons (`cadran.book.viewed`). No answer hangs on it.
    viewed: Callable[[str, Sequence[str]], None] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """How this version was made: files read, rows set aside, settings."""
        return store.read_manifest(self.version)

    @cached_property
    def settings(self) -> Settings:
        """What holds for the whole book."""
        stored = self.manifest["settings"]
        return Settings(
            **stored
            | {"taken": datetime.fromisoformat(stored["taken"]), "known_at_close": tuple(stored["known_at_close"])}
        )

    @property
    def day(self) -> date:
        """The day of the moment, in the book's time zone."""
        return self.moment.astimezone(ZoneInfo(self.settings.time_zone)).date()

    def as_of(self, moment: date | datetime, corrected: bool | None = None) -> "Book":
        """The book as it was known at a moment; a date means the end of that day in the book's time zone.

        Args:
            moment: No later than the data.
            corrected: Whether what later imports corrected, or entered late, is told as it is believed now. By
                default as this book does.

        Raises:
            Problem: If the moment is later than the data, or before the first day that a purge kept.
        """
        if not isinstance(moment, datetime):
            zone = ZoneInfo(self.settings.time_zone)
            next_day = datetime.combine(moment + timedelta(days=1), time(), zone).astimezone(UTC)
            is_last = moment == self.settings.taken.astimezone(zone).date()
            moment = self.settings.taken if is_last else next_day - timedelta(microseconds=1)
        if moment > self.settings.taken:
            raise Problem(
                "This book knows nothing after {taken:%Y-%m-%d}; it cannot say what was known on {asked:%Y-%m-%d}.",
                "Ask for {taken:%Y-%m-%d} or an earlier date.",
                taken=self.settings.taken, asked=moment,
            )  # fmt: skip
        check_kept(self.manifest, moment)
        return replace(self, moment=moment, corrected=self.corrected if corrected is None else corrected)

    def scope(self, reader: Reader) -> "Book":
        """The book as `reader` may see it: deals whose owner is in the reader's regions or teams at the moment."""
        return replace(self, reader=reader)

    def note(self, kind: str, persons: Iterable[str | None]) -> None:
        """Note that the reader is shown something about named persons, themselves left out.

        Args:
            kind: A word of `cadran.book.views.KINDS`.
            persons: Identifiers of sellers, or their names.

        Raises:
            Problem: If it cannot be noted; then it must not be shown.
        """
        if self.viewed is None or not (named := {each for each in persons if each}):
            return
        known = dict(
            self.collect(
                self.table("reps").select("name", "rep_id").filter(nw.col("name").is_in(sorted(named)))
            ).iter_rows()
        )
        whom = {known.get(each, each) for each in named} - (self.reader.persons if self.reader else set())
        if whom:
            self.viewed(kind, sorted(whom))

    def collect(self, frame: nw.LazyFrame) -> pl.DataFrame:
        """Run a plan. The one place where data becomes a frame in memory.

        Raises:
            Problem: If a file of the book is damaged or gone.
        """
        return collect(frame)

    def table(self, name: str) -> nw.LazyFrame:
        """One table of `cadran.tables.STORED` as it was known at the moment: for what changes, its whole history.

        Raises:
            Problem: If there is no such table.
        """
        if name not in STORED:
            raise Problem("There is no table {name}.", "The tables are: {names}.", name=name, names=", ".join(STORED))
        frame = self._scan(name)
        if name in VERSIONED:
            frame = self._known_versions(frame)
        elif name in KNOWN:
            frame = KNOWN[name](frame, self)
        in_scope = SCOPED.get(name)
        return in_scope(frame, self) if in_scope and self._rep_ids is not None else frame

    def deals(
        self,
        columns: Iterable[str] | None = None,
        organisation: Organisation = "as_was",
        other: "Book | None" = None,
    ) -> nw.LazyFrame:
        """One row per deal known at the moment, with only the tables joined that `columns` need.

        Args:
            columns: Names out of `DEAL_COLUMNS`, all of them by default; also the book's own `opportunity_key`.
                Asking for `in_scope` by name gives with that flag, besides the reader's deals, those that were theirs at some
                other moment: of them only how they stand, which is what became of what was theirs.
            organisation: "as_was" gives each deal the team, region and client of the day it closed, or of the
                moment while it is open; "today" applies those of the data's last day to the past.
            other: Another view of this book. Then only what differs between the two is given, and the open deals that
                both see alike: a row per deal and version, with the flags `seen` and `seen_by_other`.

        Returns:
            One row per deal. `cycle_days` is from creation to closing, `age_days` from creation to the moment
            for open deals (days, whole). Amounts are in the reporting currency, null where unknown. A client
            without a name goes by its identifier.

        Raises:
            Problem: If a column is none of `DEAL_COLUMNS`.
        """
        wanted = list(dict.fromkeys(DEAL_COLUMNS if columns is None else columns))
        for column in wanted:
            if column not in (*DEAL_COLUMNS, "opportunity_key"):
                raise Problem(
                    "Deals have no column {column}.",
                    "The columns are: {names}.", column=column, names=", ".join(DEAL_COLUMNS),
                )  # fmt: skip
        asked = set(wanted)
        deals = self._named(
            "versions", self._stored("versions").filter(self._sees()) if other is None else self._beside(other)
        )
        has_former = columns is not None and "in_scope" in asked and self._rep_ids is not None
        if self._rep_ids is not None and not has_former:
            deals = deals.filter(self._in_scope())
        if "in_scope" in asked:
            deals = deals.with_columns(in_scope=self._in_scope())
        closed = nw.col("status").is_in(CLOSED)
        deals = deals.with_columns(
            closed_at=nw.when(closed).then(nw.col("status_since")),
            closed_date=nw.when(closed).then(nw.col("status_since_date")),
            closed_day=nw.when(closed).then(nw.col("status_since_day")),
            is_no_decision=(nw.col("status") == "lost") & (nw.col("loss_reason") == NO_DECISION).fill_null(False),
        )
        today = (self.day - date(1970, 1, 1)).days
        deals = deals.with_columns(
            cycle_days=nw.col("closed_day") - nw.col("created_day"),
            age_days=nw.when(nw.col("status") == "open").then(today - nw.col("created_day")),
        )
        if asked & _NEEDS_OPPORTUNITY:
            facts = [name for name in _FROM_OPPORTUNITY if name not in _REPEATED]
            told = self._scan("opportunities").select("opportunity_key", *facts)
            deals = deals.join(told, on="opportunity_key")
        if asked & set(_FROM_REP):
            deals = self._with_rep(deals, "rep_key", organisation)
        if asked & {*_FROM_ACCOUNT, "account_id", "group_id"}:
            deals = self._with_account(deals, asked, organisation)
        if asked & set(_FROM_STAGE):
            stages = self._scan("stages").select("stage", **{new: nw.col(old) for new, old in _FROM_STAGE.items()})
            deals = deals.join(stages, on="stage", how="left")
        if "n_contacts" in asked:
            known = nw.col("since").is_null() | (nw.col("since") <= self.moment)
            counted = self._scan("deal_contacts").filter(known).group_by("opportunity_key").agg(n_contacts=nw.len())
            deals = deals.join(counted, on="opportunity_key", how="left")
            deals = deals.with_columns(nw.col("n_contacts").fill_null(0))
        deals = self._with_periods(deals, asked)
        late = asked & set(self.settings.known_at_close)
        wanted += ["seen", "seen_by_other"] if other else []
        told = deals.select(*(nw.when(closed).then(nw.col(n)).alias(n) if n in late else nw.col(n) for n in wanted))
        if not has_former:
            return told
        hidden = [name for name in wanted if name not in _OF_FORMER]
        return told.with_columns(nw.when(nw.col("in_scope")).then(nw.col(name)).alias(name) for name in hidden)

    def _scan(self, name: str) -> nw.LazyFrame:
        """The rows of a table that the book believed at its moment, or believes now if it tells the past corrected."""
        rows = self._named(name, self._stored(name))
        if name not in self.manifest.get("corrected", {}):
            return rows
        if not self.corrected:
            began = nw.col("known_from").is_null() | (nw.col("known_from") <= self.moment)
            rows = hide_later(rows.filter(began), self.moment, "known_to")
        stands = rows.filter(nw.col("known_to").is_null())
        if name != "opportunities":
            return stands
        # A deal that vanished was there before: its versions end, and its facts are those last believed.
        deal = "opportunity_key"
        past = rows.filter(~nw.col("known_to").is_null()).join(stands.select(deal), on=deal, how="anti")
        last = past.group_by(deal).agg(nw.col("known_to").max())
        return nw.concat([stands, past.join(last, on=[deal, "known_to"], how="semi")])

    def _named(self, name: str, rows: nw.LazyFrame) -> nw.LazyFrame:
        """Rows of a table, its clients and people told as the reader may know them."""
        return masked(as_text(rows), name, self) if is_masked(self.reader) else as_text(rows)

    def _stored(self, name: str) -> nw.LazyFrame:
        """Every row of a table that its reader may ever see, believed or taken back."""
        rows = self._all(name)
        return rows if self._reach is None else self._reach.keeps(name, rows)

    def _accounts(self) -> nw.LazyFrame:
        """The number and the identifier of each account within reach."""
        rows = self._read("numbers/account.parquet")
        return rows if self._reach is None else among(rows, "account_key", self._reach.accounts)

    def _all(self, name: str) -> nw.LazyFrame:
        """Every row of a table. Of what changed since the buckets were cut, only the new."""
        rows = self._read(f"{name}/*.parquet")
        if name not in self._changed:
            return rows
        group, key = self._changed[name]
        # Activities without a deal are masked as one: a join never finds null.
        masked = nw.col(key).fill_null(-1) if name == "activities" else nw.col(key)
        mask = self._read(f"changed/{group}.parquet").select(masked=masked)
        kept = rows.with_columns(masked=masked).join(mask, on="masked", how="anti").drop("masked")
        return nw.concat([kept, self._read(f"changed/{name}/*.parquet")])

    def _read(self, files: str) -> nw.LazyFrame:
        return scan(self.engine, self.version, files)

    @cached_property
    def _changed(self) -> dict[str, tuple[str, str]]:
        """Tables of which some keys are stored anew beside the buckets: their group, and the column of these keys."""
        changed = self.manifest.get("changed", ())
        return {
            name: (group.name, MASKS[group.name]) for group in GROUPS if group.name in changed for name in group.tables
        }

    def _sees(self) -> nw.Expr:
        """Which versions are what a deal is at the moment, as far as the book believed or believes."""
        seen = (nw.col("valid_to") > self.moment) | nw.col("valid_to").is_null()
        if self.moment < self.settings.taken:  # an import sets aside what begins later than the data was taken
            seen = seen & (nw.col("valid_from") <= self.moment)
        if "versions" not in self.manifest.get("corrected", {}):
            return seen
        stands = nw.col("known_to").is_null()
        if self.corrected:
            return seen & stands
        began = nw.col("known_from").is_null() | (nw.col("known_from") <= self.moment)
        return seen & began & (stands | (nw.col("known_to") > self.moment))

    def _beside(self, other: "Book") -> nw.LazyFrame:
        """The versions that one view sees and the other does not, and the open ones that both see."""
        seen, seen_by_other = self._sees(), other._sees()
        is_asked = (seen != seen_by_other) | (seen & (nw.col("status") == "open"))
        return self._stored("versions").filter(is_asked).with_columns(seen=seen, seen_by_other=seen_by_other)

    def _known_versions(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        ended = nw.col("valid_to") <= self.moment
        known = frame.filter(nw.col("valid_from") <= self.moment)
        ends = [name for name in ("valid_to", "end_reason", "next_stage") if name in known.collect_schema()]
        return known.with_columns(*(nw.when(ended).then(nw.col(name)).alias(name) for name in ends))

    def _with_account(self, deals: nw.LazyFrame, asked: set[str], organisation: Organisation) -> nw.LazyFrame:
        """Join the identifier of the client, and what was told of it."""
        accounts = self._named("numbers", self._accounts())
        if not asked & {*_FROM_ACCOUNT, "group_id"}:
            return deals.join(accounts, on="account_key", how="left")
        told = self._told("accounts", "account_key", _FROM_ACCOUNT, organisation)
        named = accounts.join(told, on="account_key", how="left").with_columns(
            client=nw.coalesce("client", "account_id"), group_id=nw.coalesce("parent_account_id", "account_id")
        )
        return self._joined(deals, named, "account_key")

    def _with_rep(self, rows: nw.LazyFrame, key: str, organisation: Organisation) -> nw.LazyFrame:
        """Join what was told of the seller. One without a name, as who asked to be forgotten, goes by identifier."""
        told = self._told("reps", key, _FROM_REP, organisation)
        return self._joined(rows, told, key).with_columns(seller=nw.coalesce("seller", "rep_id"))

    def _told(self, table: str, key: str, names: dict[str, str], organisation: Organisation) -> nw.LazyFrame:
        """What `table` said of each key, `since` when and `until` when. A version stands until the next: who left, or
        was deleted, still names the deals of then. The first stands since ever."""
        known, begins = self._scan(table), nw.col("valid_from")
        if organisation == "as_was":
            known = known.filter(begins <= self.moment)
        facts = {new: nw.col(old) for new, old in names.items()}
        if self.manifest["n_keys"][table] == self.manifest["rows"][table]:
            return known.select(key, **facts)  # nothing has changed yet
        told = known.with_columns(
            since=nw.when(begins > begins.min().over(key)).then(begins),
            until=begins.shift(-1).over(key, order_by="valid_from"),
        ).select(key, "since", "until", **facts)
        return told if organisation == "as_was" else told.filter(nw.col("until").is_null()).drop("since", "until")

    def _joined(self, rows: nw.LazyFrame, told: nw.LazyFrame, key: str) -> nw.LazyFrame:
        """Join what stood when a deal closed, or at the moment while it is open."""
        joined = rows.join(told, on=key, how="left")
        if "since" not in told.collect_schema():
            return joined
        since, until, at = nw.col("since"), nw.col("until"), nw.coalesce(nw.col("closed_at"), nw.lit(self.moment))
        stands = (since.is_null() | (since <= at)) & (until.is_null() | (until > at))
        return joined.filter(stands).drop("since", "until")

    def _with_periods(self, deals: nw.LazyFrame, asked: set[str]) -> nw.LazyFrame:
        for what in _DATES:
            day = "expected_close_date" if what == "expected" else f"{what}_date"
            for period, step in _PERIODS.items():
                if f"{what}_{period}" in asked:
                    deals = deals.with_columns(nw.col(day).dt.truncate(step).cast(nw.Date).alias(f"{what}_{period}"))
            if by_calendar := [period for period in _BY_CALENDAR if f"{what}_{period}" in asked]:
                days = self._scan("calendar").select(
                    nw.col("date").alias(day), *(nw.col(period).alias(f"{what}_{period}") for period in by_calendar)
                )
                deals = deals.join(days, on=day, how="left")
        return deals

    @cached_property
    def _reach(self) -> Reach | None:
        return reach_of(self)

    @cached_property
    def _sellers(self) -> pl.DataFrame | None:
        """(`rep_id`, `region`, `team`) of the sellers who are the reader's at the moment; None for everybody."""
        if self.reader is None or not self.reader.is_limited:
            return None
        known = self._scan("reps").filter(nw.col("valid_from") <= self.moment)
        last = known.filter(nw.col("valid_from") == nw.col("valid_from").max().over("rep_id"))
        return self.collect(last.filter(self.reader.has()).select("rep_id", "region", "team"))

    @property
    def _rep_ids(self) -> list[str] | None:
        return None if self._sellers is None else self._sellers["rep_id"].to_list()

    def _in_scope(self) -> nw.Expr:
        return nw.lit(True) if self._rep_ids is None else nw.col("rep_id").is_in(self._rep_ids).fill_null(False)


#: What is told of a deal that was in scope at another moment and is not now.
_OF_FORMER = (
    "opportunity_id", "opportunity_key", "status", "forecast_category", "n_pushes", "in_scope", "seen", "seen_by_other",
)  # fmt: skip
_NEEDS_OPPORTUNITY = {*_FROM_OPPORTUNITY, *(f"created_{period}" for period in (*_PERIODS, *_BY_CALENDAR))} - {
    *_REPEATED
}


def as_text(frame: nw.LazyFrame) -> nw.LazyFrame:
    """Words out of a list as plain text: every engine sorts and compares that alike."""
    return frame.with_columns(nw.selectors.enum().cast(nw.String))
