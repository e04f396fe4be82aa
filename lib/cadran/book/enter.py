"""One group of tables of an import, entered into the version being written: bucket by bucket, each freed once written."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from pathlib import Path
from shutil import rmtree

import polars as pl

from cadran.book.accumulate import MOVED, Added, Scene, accumulate
from cadran.book.derive import ORDER, Frames, spoken_days
from cadran.book.draft import Draft
from cadran.book.stored import MASKS, RUN, Stored, bucket_file, changed_file, cut_anew
from cadran.tables import TABLES, empty
from cadran.tables.ahead import ahead
from cadran.tables.delivery import Part
from cadran.tables.groups import Group, bucket_of

#: Share of the keys of a group that may stand anew beside its buckets before these are written anew.
MOST_CHANGED = 0.1


@dataclass
class Entered:
    """What became of a group."""

    n_buckets: int = 1
    #: Keys that stand anew beside the buckets.
    n_masked: int = 0
    #: By table: what `Added.counts` counts, over all buckets.
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)

    def add(self, added: Added) -> None:
        """Count the rows of a bucket."""
        for name, counts in added.counts.items():
            total = self.counts.setdefault(name, {})
            for what, n in counts.items():
                total[what] = total.get(what, 0) + n


def enter(
    group: Group, parts: Iterable[Part], old: Stored | None, sums: dict[str, str], draft: Draft, scene: Scene,
    n_keys: int = 0, is_cut_elsewise: bool = False,
) -> Entered:  # fmt: skip
    """Write one group of a version: what the version before held, and what an import tells.

    Args:
        group: The group.
        parts: Its parts of the delivery, bucket by bucket.
        old: What the version before holds of it; none for a first import.
        sums: Checksums of the files of the version before.
        draft: The version being written.
        scene: The import.
        n_keys: How many keys the version before holds.
        is_cut_elsewise: Whether the hash that cut the version before is not today's.
    """
    # Rows set aside come as parts of their own, without tables.
    parts = (part for part in parts if part.tables)
    if old and not scene.partial.isdisjoint({group.name, "activities"}) and "activities" in group.tables:
        parts, activities = _put_by(parts, draft.path / ".told")
        scene = replace(scene, moved=_moved(old, activities))
    first = next(parts, None)
    n = max(first.n_buckets if first else 1, old.n_buckets if old else 1)
    told = _by_bucket(first, parts, n, group)
    if old and n > 1 and (n != old.n_buckets or is_cut_elsewise):
        passage = draft.path / ".cut"
        entered = _write_anew(cut_anew(old, n, passage), told, None, draft, scene)
        rmtree(passage)
        return entered
    if old is None or n == 1:
        return _write_anew(old or Stored(draft.path / "nothing", group, n), told, sums if old else None, draft, scene)
    return _write_beside(old, told, sums, draft, scene, n_keys)


def _put_by(parts: Iterator[Part], folder: Path) -> tuple[Iterator[Part], pl.DataFrame]:
    """The parts, to be gone through once more, and the activities that they tell."""
    folder.mkdir()
    told = [TABLES["activities"].create_empty().select(MOVED)]
    heads: list[Part] = []
    for part in parts:
        for name, frame in part.tables.items():
            frame.write_ipc(folder / f"{len(heads)}.{name}", compression="lz4")
            if name == "activities":
                told.append(frame.select(MOVED))
        heads.append(replace(part, tables=dict.fromkeys(part.tables, pl.DataFrame())))

    def again() -> Iterator[Part]:
        for number, head in enumerate(heads):
            files = {name: folder / f"{number}.{name}" for name in head.tables}
            yield replace(head, tables={name: pl.read_ipc(file) for name, file in files.items()})
        rmtree(folder)

    return again(), pl.concat(told)


def _moved(old: Stored, told: pl.DataFrame) -> pl.DataFrame:
    """Those of the activities told that the version before holds of another deal, with that deal."""
    stored = old.find_rows("activities", told["activity_id"], MOVED)
    both = stored.join(told, on="activity_id", suffix="@told")
    return both.filter(pl.col("opportunity_id").ne_missing(pl.col("opportunity_id@told"))).select(MOVED)


def _by_bucket(first: Part | None, parts: Iterator[Part], n: int, group: Group) -> Iterator[Frames]:
    """What is told of each bucket, in order."""
    if first is None:
        yield from ({} for _ in range(n))
        return
    if first.n_buckets == n:
        waiting = chain([first], parts)
        part = next(waiting, None)
        for bucket in range(n):
            told: Frames = {}
            while part is not None and part.bucket == bucket:
                told |= {name: pl.concat([*_given(told, name), frame]) for name, frame in part.tables.items()}
                part = next(waiting, None)
            yield told
        if part is not None:
            raise ValueError(f"Bucket {part.bucket} of {group.name} came out of order.")
        return
    assert group.key is not None
    whole: dict[str, list[pl.DataFrame]] = {}
    for part in chain([first], parts):
        for name, frame in part.tables.items():
            whole.setdefault(name, []).append(frame.with_columns(bucket_of(group.key, n).alias("@bucket")))
    frames = {name: pl.concat(found) for name, found in whole.items()}
    for bucket in range(n):
        yield {name: frame.filter(pl.col("@bucket") == bucket).drop("@bucket") for name, frame in frames.items()}


def _given(frames: Frames, name: str) -> list[pl.DataFrame]:
    return [frames[name]] if name in frames else []


def _write_anew(
    old: Stored, told: Iterator[Frames], sums: dict[str, str] | None, draft: Draft, scene: Scene
) -> Entered:
    """Write every bucket, while the next is made; one without news is the file it was, if `sums` knows it."""
    entered = Entered(old.n_buckets)
    made = (_added(old.group, old.rows([bucket]), those, scene) for bucket, those in enumerate(told))
    with closing(ahead(made)) as all_added:
        for bucket, added in enumerate(all_added):
            entered.add(added)
            entered.days += spoken_days(added.tables)
            for name, frame in added.tables.items():
                file = bucket_file(name, bucket)
                if sums and file in sums and not added.is_news:
                    draft.link(old.version, file, sums[file])
                else:
                    draft.write(file, frame)
    return entered


def _added(group: Group, old: Frames, told: Frames, scene: Scene) -> Added:
    """All rows of a bucket after the import. Where only some keys are told, the others are not looked at."""
    if not (group.name in scene.partial and group.name in MASKS):
        _number_deals(old, scene)
        return accumulate(group, old, told, scene)
    mask = MASKS[group.name]
    ids = _ids(group, told, scene)
    main = old[group.tables[0]].join(ids, on=group.key, how="semi")
    keys = _with_none(main.select(mask).unique(), ids, group)
    looked_at = {name: frame.join(keys, on=mask, how="semi", nulls_equal=True) for name, frame in old.items()}
    _number_deals(old, scene)
    added = accumulate(group, looked_at, told, scene)
    for name, frame in added.tables.items():
        rest = old[name].join(keys, on=mask, how="anti", nulls_equal=True)
        added.tables[name] = pl.concat([rest, frame]).sort(*ORDER[name], "known_from", "known_to")
    return added


def _write_beside(
    old: Stored, told: Iterator[Frames], sums: dict[str, str], draft: Draft, scene: Scene, n_keys: int
) -> Entered:
    """Leave the buckets as they are, and write the keys that changed beside them."""
    group, n, mask = old.group, old.n_buckets, MASKS[old.group.name]
    entered = Entered(n)
    masked = [old.masked]
    for name in group.tables:
        for bucket in range(n):
            draft.link(old.version, bucket_file(name, bucket), sums[bucket_file(name, bucket)])
    for run, first in enumerate(range(0, n, RUN)):
        buckets = list(range(first, min(first + RUN, n)))
        news: dict[str, list[pl.DataFrame]] = {name: [] for name in group.tables}
        touched = [old.masked.clear()]
        for added in _run(old, buckets, told, scene):
            entered.add(added)
            keys = pl.concat([frame.select(mask) for frame in added.touched.values()]).unique()
            touched.append(keys)
            for name, frame in added.tables.items():
                news[name].append(frame.join(keys, on=mask, how="semi", nulls_equal=True))
        _write_run(old, run, pl.concat(touched), news, sums, draft, entered)
        masked += touched
    keys = pl.concat(masked).unique().sort(mask)
    entered.n_masked = keys.height
    if keys.height:
        draft.write(f"changed/{group.name}.parquet", keys)
    if keys.height > MOST_CHANGED * n_keys:
        _write_buckets(Stored(draft.path, group, n, is_changed=True), draft)
        entered.n_masked = 0
    return entered


def _run(old: Stored, buckets: list[int], told: Iterator[Frames], scene: Scene) -> Iterator[Added]:
    """What an import adds to a run of buckets: at once if it tells of some keys, else bucket by bucket."""
    group = old.group
    if group.name not in scene.partial:
        for bucket in buckets:
            rows = old.rows([bucket])
            _number_deals(rows, scene)
            yield accumulate(group, rows, next(told), scene)
        return
    those = [next(told) for _ in buckets]
    together = {
        name: pl.concat([frames[name] for frames in those if name in frames])
        for name in group.tables
        if any(name in frames for frames in those)
    }
    ids = _ids(group, together, scene)
    if ids.is_empty():
        return
    rows = old.rows(buckets, _with_none(old.find(buckets, ids), ids, group))
    _number_deals(rows, scene)
    yield accumulate(group, rows, together, scene)


def _write_run(
    old: Stored, run: int, touched: pl.DataFrame, news: dict[str, list[pl.DataFrame]], sums: dict[str, str],
    draft: Draft, entered: Entered,
) -> None:  # fmt: skip
    for name, frames in news.items():
        file = changed_file(name, run)
        if touched.is_empty():
            if file in sums:
                draft.link(old.version, file, sums[file])
            continue
        mask = MASKS[old.group.name]
        still = old.changed_rows(name, run).join(touched, on=mask, how="anti", nulls_equal=True)
        rows = pl.concat([still, *frames]).sort(*ORDER[name], "known_from", "known_to")
        entered.days += spoken_days({name: rows})
        draft.write(file, rows)


def _write_buckets(written: Stored, draft: Draft) -> None:
    """Write the buckets with what stands beside them, which is removed."""
    for bucket in range(written.n_buckets):
        for name, frame in written.rows([bucket]).items():
            draft.write(bucket_file(name, bucket), frame.sort(*ORDER[name], "known_from", "known_to"))
    draft.remove(f"changed/{written.group.name}.parquet", *(f"changed/{name}" for name in written.group.tables))


def _ids(group: Group, told: Frames, scene: Scene) -> pl.DataFrame:
    """The keys that an import names, and those it takes activities from."""
    assert group.key is not None
    nothing = empty(group.tables[0]).select(group.key)
    moved = [scene.moved.select(group.key)] if "activities" in group.tables else []
    return pl.concat([nothing, *moved, *(frame.select(group.key) for frame in told.values())]).unique()


def _with_none(keys: pl.DataFrame, ids: pl.DataFrame, group: Group) -> pl.DataFrame:
    """Activities without a deal are one key, null."""
    has_none = group.key is not None and ids[group.key].null_count() > 0
    return pl.concat([keys, pl.DataFrame({keys.columns[0]: [None]}, schema=keys.schema)]) if has_none else keys


def _number_deals(old: Frames, scene: Scene) -> None:
    """Deals have the numbers they had."""
    if "opportunities" in old:
        scene.numbers["opportunity"].known = old["opportunities"].select("opportunity_id", "opportunity_key").unique()
