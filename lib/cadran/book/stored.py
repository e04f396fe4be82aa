"""The rows that a version of a book holds, read group by group, to be added to."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from cadran.book.derive import ORDER, Frames
from cadran.book.folder import read_from
from cadran.tables import STORED, TABLES, VERSIONED, empty
from cadran.tables.groups import Group, bucket_of

#: The column by which the keys of a group that stand anew beside its buckets are named.
MASKS = {"deals": "opportunity_key", "accounts": "account_key", "contacts": "contact_id", "leads": "lead_id"}
#: Buckets whose changed rows stand in one file.
RUN = 16


@dataclass
class Stored:
    """One group as a version of a book holds it."""

    version: Path
    group: Group
    n_buckets: int = 1
    #: Whether keys of it stand anew in `changed/`.
    is_changed: bool = False
    #: What has been read of the changed rows, of the run of buckets looked at.
    _run: dict[tuple[str, int], pl.DataFrame] = field(default_factory=dict)

    @cached_property
    def masked(self) -> pl.DataFrame:
        """The keys that stand anew, in one column."""
        if self.group.name not in MASKS:
            return pl.DataFrame()
        mask = MASKS[self.group.name]
        if not self.is_changed:
            return empty(self.group.tables[0]).select(mask)
        with read_from(self.version):
            return pl.read_parquet(self.version / f"changed/{self.group.name}.parquet")

    def rows(self, buckets: Sequence[int], keys: pl.DataFrame | None = None) -> Frames:
        """All rows of some buckets of one run, of every table; only those of `keys` (column `MASKS`), if given."""
        return {name: self._rows(name, buckets, keys) for name in self.group.tables}

    def changed_rows(self, name: str, run: int) -> pl.DataFrame:
        """The rows of the changed keys of a run of buckets."""
        if (name, run) not in self._run:
            path = self.version / changed_file(name, run)
            self._run = {key: frame for key, frame in self._run.items() if key[1] == run}
            there = self.is_changed and path.exists()
            with read_from(self.version):
                self._run[name, run] = pl.read_parquet(path) if there else empty(name)
        return self._run[name, run]

    def find(self, buckets: Sequence[int], ids: pl.DataFrame) -> pl.DataFrame:
        """The mask of those of `ids` (column `group.key`) that some buckets of one run hold."""
        key, main = self.group.key, self.group.tables[0]
        assert key is not None
        columns = list(dict.fromkeys([key, MASKS[self.group.name]]))
        scanned = pl.concat([self._base(main, buckets), self.changed_rows(main, buckets[0] // RUN).lazy()])
        found = scanned.select(columns).filter(pl.col(key).is_in(ids[key].drop_nulls().implode()))
        with read_from(self.version):
            return found.select(columns[-1]).unique().collect(engine="streaming")

    def find_rows(self, name: str, ids: pl.Series, columns: list[str]) -> pl.DataFrame:
        """Some columns of the rows of a table, in whatever bucket, that are about `ids`, believed or taken back."""
        base = self._base(name, range(self.n_buckets))
        parts = [self._unmasked(base) if self.is_changed else base]
        parts += [pl.scan_parquet(self.version / "changed" / name / "*.parquet")] if self.is_changed else []
        with read_from(self.version):
            one_of = pl.col(TABLES[name].primary_key()[0]).is_in(ids.implode())
            return pl.concat(parts).filter(one_of).select(columns).collect(engine="streaming")

    def keys(self, name: str) -> pl.Series:
        """What `name`'s rows are about, of those that are believed."""
        key = VERSIONED.get(name) or TABLES[name].primary_key()[0]
        believed = pl.col("known_to").is_null() if "known_to" in STORED[name].column_names() else pl.lit(True)
        # What was taken back in a bucket and stands anew beside it is the same thing: no mask is needed.
        parts = [pl.scan_parquet(self.version / name / "*.parquet")]
        if self.is_changed:
            parts.append(pl.scan_parquet(self.version / "changed" / name / "*.parquet"))
        with read_from(self.version):
            return pl.concat(parts).filter(believed).select(pl.col(key).unique()).collect(engine="streaming")[key]

    def _rows(self, name: str, buckets: Sequence[int], keys: pl.DataFrame | None) -> pl.DataFrame:
        base = self._base(name, buckets)
        if self.group.name not in MASKS:
            with read_from(self.version):
                return base.collect()
        mask = MASKS[self.group.name]
        if keys is not None:
            found = keys.join(self.masked, on=mask, how="anti", nulls_equal=True)[mask]
            one_of = pl.col(mask).is_in(found.drop_nulls().implode())
            base = base.filter(one_of | pl.col(mask).is_null() if found.null_count() else one_of)
        elif self.is_changed:
            base = self._unmasked(base)
        with read_from(self.version):
            rows = base.collect(engine="streaming")
        if not self.is_changed:
            return rows
        anew = self.changed_rows(name, buckets[0] // RUN)
        if keys is not None:
            anew = anew.join(keys, on=mask, how="semi", nulls_equal=True)
        elif self.n_buckets > 1 and self.group.key:
            anew = anew.filter(bucket_of(self.group.key, self.n_buckets).is_in(list(buckets)))
        return pl.concat([rows, anew])

    def _base(self, name: str, buckets: Sequence[int]) -> pl.LazyFrame:
        files = [path for b in buckets if (path := self.version / bucket_file(name, b)).exists()]
        return pl.scan_parquet(files) if files else empty(name).lazy()

    def _unmasked(self, base: pl.LazyFrame) -> pl.LazyFrame:
        return base.join(self.masked.lazy(), on=MASKS[self.group.name], how="anti", nulls_equal=True)

    def pieces(self, name: str) -> Iterator[pl.DataFrame]:
        """All rows of a table, piece by piece, however the hash has cut them."""
        for bucket in range(self.n_buckets):
            base = self._base(name, [bucket])
            with read_from(self.version):
                rows = (self._unmasked(base) if self.is_changed else base).collect(engine="streaming")
            yield rows
        if self.is_changed:
            for run in range(-(-self.n_buckets // RUN)):
                yield self.changed_rows(name, run)


def bucket_file(name: str, bucket: int) -> str:
    """Where the rows of a bucket stand that have not changed since it was cut."""
    return f"{name}/{bucket:04}.parquet"


def changed_file(name: str, run: int) -> str:
    """Where the rows of the changed keys of a run of buckets stand."""
    return f"changed/{name}/{run:04}.parquet"


def cut_anew(old: Stored, n: int, folder: Path) -> Stored:
    """The same rows in `n` buckets, in a folder of passage: where the book has grown, or the hash is another."""
    key = old.group.key
    assert key is not None
    for name in old.group.tables:
        for piece, rows in enumerate(old.pieces(name)):
            cut = rows.with_columns(bucket_of(key, n).alias("@bucket"))
            for (bucket,), those in cut.partition_by("@bucket", as_dict=True, include_key=False).items():
                path = folder / name / f"{bucket:04}" / f"{piece:04}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                those.write_parquet(path, compression="lz4")
    return _Passage(folder, old.group, n)


class _Passage(Stored):
    """Buckets in a folder of passage, one folder of pieces each, gone once read."""

    def _rows(self, name: str, buckets: Sequence[int], keys: pl.DataFrame | None) -> pl.DataFrame:
        found: list[pl.DataFrame] = [empty(name)]
        for bucket in buckets:
            folder = self.version / name / f"{bucket:04}"
            if folder.exists():
                found.append(pl.read_parquet(folder / "*.parquet"))
                shutil.rmtree(folder)
        rows = pl.concat(found).sort(*ORDER[name], "known_from", "known_to")
        return rows if keys is None else rows.join(keys, on=MASKS[self.group.name], how="semi", nulls_equal=True)
