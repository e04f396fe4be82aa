"""From slices of the invented market to the parts of a delivery: spilled, numbered together, told bucket by bucket."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from cadran.sources.sample import organisation, tables
from cadran.sources.sample.accounts import accounts
from cadran.sources.sample.clock import MIDNIGHT, Ints
from cadran.sources.sample.conduct import DIRECTIONS, KINDS
from cadran.sources.sample.draws import Draws
from cadran.sources.sample.history import History
from cadran.sources.sample.staff import Staff
from cadran.sources.sample.targets import targets
from cadran.sources.spill import workspace
from cadran.tables import TABLES
from cadran.tables.delivery import Part
from cadran.tables.groups import GROUPS, Group, bucket_of, n_buckets

#: Rows of a group that are cut into buckets at once.
_WAVE = 2_000_000
#: No touch is as old as this second.
_FIRST = int(MIDNIGHT[0]) - 86_400
_OWN_IDS = {"leads": ("lead_id", "L"), "activities": ("activity_id", "T")}


def parts(slices: Iterable[History], staff: Staff, draws: Draws) -> Iterator[Part]:
    """The company, group by group and bucket by bucket, in memory that does not grow with the rows of a table.

    Deals, touches and leads are numbered over the whole market in the order in which they came, so that how it is
    sliced changes nothing. Until then the rows wait in temporary files, some 250 bytes a deal without its touches.
    """
    with workspace() as folder:
        spilled = Spilled(folder)
        won = [spilled.add(history, staff, draws) for history in slices]
        spilled.number()
        at, amounts, teams = map(np.concatenate, zip(*won, strict=True))
        plan = {
            "stages": organisation.stages(),
            "reps": organisation.reps(staff, draws),
            "targets": targets(spilled.rows["opportunities"], at, amounts, teams),
            "actions": organisation.actions(),
        }
        yield Part("plan", {name: _typed(name, frame) for name, frame in plan.items()})
        for group in GROUPS[1:]:
            yield from spilled.buckets(group)


class Spilled:
    """The tables of every slice, on disk; there deals go by their number in the slice."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.n_slices = 0
        self.rows = {name: 0 for group in GROUPS for name in group.tables}
        self._created: list[tuple[Ints, Ints]] = []
        self._raised: list[tuple[Ints, Ints]] = []
        #: Number over the whole market of each deal, lead and touch of each slice.
        self._numbers: dict[str, list[Ints]] = {}

    def add(self, history: History, staff: Staff, draws: Draws) -> tuple[Ints, np.ndarray, Ints]:
        """Keep one slice. Returns its wins: instant, amount, team."""
        told = {
            "accounts": accounts(history, draws),
            "contacts": tables.contacts(history, draws),
            "opportunities": tables.opportunities(history),
            "versions": tables.versions(history, staff),
            "deal_contacts": tables.deal_contacts(history, draws),
            "activities": tables.activities(history, staff),
            "leads": tables.leads(history, staff),
        }
        for name, frame in told.items():
            self.rows[name] += frame.height
            frame.write_ipc(self._slice(name, self.n_slices), compression="zstd")
        self.n_slices += 1
        self._created.append((history.deals["key"].copy(), history.deals["created"].copy()))
        self._raised.append((history.leads["prospect"].copy(), history.leads["created"].copy()))
        return tables.wins(history, staff)

    def number(self) -> None:
        """Number deals, leads and touches over all slices, in the order in which they came."""
        self._numbers = {"deals": _ranks(self._created), "leads": _ranks(self._raised)}
        self._numbers["activities"] = _ranks([(self._touched(i),) for i in range(self.n_slices)])
        self._created, self._raised = [], []

    def buckets(self, group: Group) -> Iterator[Part]:
        """The rows of a group, bucket by bucket, each table sorted by its key."""
        assert group.key
        n = n_buckets(sum(self.rows[name] for name in group.tables))
        waves = self._cut(group.tables, group.key, n)
        for bucket in range(n):
            yield Part(
                group.name,
                {name: self._gathered(name, bucket, waves) for name in group.tables},
                bucket=bucket,
                n_buckets=n,
            )

    def _cut(self, names: tuple[str, ...], key: str, n: int) -> int:
        """Write every bucket of some tables in as many files as there were waves, and return how many."""
        wave, height = 0, 0
        waiting: dict[str, list[pl.DataFrame]] = {name: [] for name in names}
        for number in range(self.n_slices):
            for name in names:
                waiting[name].append(self._named(name, number))
                height += waiting[name][-1].height
            if height < _WAVE and number + 1 < self.n_slices:
                continue
            for name, frames in waiting.items():
                cut = (
                    pl.concat(frames)
                    .with_columns(bucket=bucket_of(key, n))
                    .partition_by("bucket", as_dict=True, include_key=False)
                )
                for (bucket,), rows in cut.items():
                    rows.write_ipc(self._bucket(name, bucket, wave), compression="zstd")
                frames.clear()
            wave, height = wave + 1, 0
        return wave

    def _gathered(self, name: str, bucket: int, waves: int) -> pl.DataFrame:
        files = [path for wave in range(waves) if (path := self._bucket(name, bucket, wave)).exists()]
        rows = [_typed(name, TABLES[name].create_empty()), *map(pl.read_ipc, files)]
        for path in files:
            path.unlink()
        return pl.concat(rows).sort(TABLES[name].primary_key())

    def _named(self, name: str, number: int) -> pl.DataFrame:
        """The rows of one slice with their identifiers."""
        path = self._slice(name, number)
        frame = pl.read_ipc(path)
        path.unlink()
        if "number" in frame.columns:
            deal = frame["number"].to_numpy()
            known = np.where(deal < 0, -1, self._numbers["deals"][number][deal])
            frame = frame.with_columns(tables.ids("D", known).alias("opportunity_id"))
        if name in _OWN_IDS:
            own, prefix = _OWN_IDS[name]
            frame = frame.with_columns(tables.ids(prefix, self._numbers[name][number]).alias(own))
        return _typed(name, frame)

    def _touched(self, number: int) -> Ints:
        """One whole number for each touch of a slice, in the order in which touches are numbered."""
        columns = ["at", "number", "direction", "kind"]
        frame = pl.read_ipc(self._slice("activities", number), columns=columns)
        since = (frame["at"].dt.epoch("s") - _FIRST).to_numpy()
        direction = frame["direction"].cast(pl.Enum(DIRECTIONS)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
        kind = frame["kind"].cast(pl.Enum(KINDS)).to_physical().cast(pl.Int64).to_numpy()
        deal = self._numbers["deals"][number][frame["number"].to_numpy()]
        return np.asarray((since << 35) | (deal << 5) | ((direction + 1) << 3) | kind)

    def _slice(self, name: str, number: int) -> Path:
        return self.folder / f"{name}-slice-{number}.arrow"

    def _bucket(self, name: str, bucket: int, wave: int) -> Path:
        return self.folder / f"{name}-bucket-{bucket}-{wave}.arrow"


def _ranks(slices: Sequence[tuple[np.ndarray, ...]]) -> list[Ints]:
    """The rank of each row among those of all slices, from 0; the last key given counts first, as in `lexsort`."""
    order = np.lexsort([np.concatenate(key) for key in zip(*slices, strict=True)])
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return np.split(ranks, np.cumsum([len(keys[0]) for keys in slices])[:-1])


def _typed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of its table, in their order and types."""
    columns = {name: column.dtype for name, column in TABLES[table].columns().items()}
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in columns.items())
