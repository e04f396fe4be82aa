"""What an import adds to what a book believed: news, corrections of the past, ends. Pure functions on the rows of keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from cadran.book.derive import ORDER, Frames, as_the_source_gave, derive
from cadran.book.merged import merged
from cadran.book.numbers import Numbers
from cadran.book.observed import observed
from cadran.book.present import ended, present
from cadran.tables import STORED, TABLES, VERSIONED, empty
from cadran.tables.delivery import MERGES
from cadran.tables.groups import Group

#: Facts that ripen, with the instant from which they are known: news after the last import, a correction before it.
RIPEN: dict[str, dict[str, str]] = {
    **{name: {"valid_to": "valid_to", "end_reason": "valid_to"} for name in VERSIONED},
    "versions": {"valid_to": "valid_to", "end_reason": "valid_to", "next_stage": "valid_to"},
    "leads": {at: at for at in ("first_response_at", "qualified_at", "rejected_at")}
    | {"opportunity_id": "qualified_at"},
    "activities": {"answered_at": "answered_at"},
}

#: When a row of a table that is not versioned began (a deal with its first version: see `_begun`).
BEGAN = {"leads": "created_at", "activities": "at", "deal_contacts": "since"}

#: Columns of a frame of activities that go from one deal to another: which, and the deal they are stored with.
MOVED = ["activity_id", "opportunity_id"]

COUNTS = ("n_new", "n_changed", "n_corrected", "n_ended")


@dataclass(frozen=True)
class Scene:
    """One import: when, and how what it tells is to be taken."""

    #: `taken` of the import.
    new: datetime
    #: `taken` of the import before it, and the day that was; none for the first.
    old: datetime | None
    old_day: date | None
    time_zone: str
    numbers: Mapping[str, Numbers]
    #: Versioned tables whose rows tell the whole past of each key they name.
    histories: frozenset[str] = frozenset()
    #: Groups, or tables, of which what is not named is as it was.
    partial: frozenset[str] = frozenset()
    #: Versioned tables whose rows tell the past, and beside it what was seen when the data was taken.
    observed: frozenset[str] = frozenset()
    #: Merges that the source tells, as `MERGES`.
    merges: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MERGES))
    #: Activities that a partial import tells of another deal than the one they are stored with, as `MOVED`.
    moved: pl.DataFrame = field(default_factory=lambda: empty("activities").select(MOVED))


@dataclass
class Added:
    """What came of an import for the keys looked at."""

    #: All their rows, believed or taken back, as the book keeps them, and those of them that were not so before.
    tables: Frames
    touched: Frames = field(default_factory=dict)
    #: By table: things new, changed, corrected, ended, living before, vanished; rows and rows with a second life more;
    #: deals there are more than before (`n_there`).
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def is_news(self) -> bool:
        """Whether any row is other than it was."""
        return any(frame.height for frame in self.touched.values())


def accumulate(group: Group, old: Frames, told: Frames, scene: Scene) -> Added:
    """Add what an import tells to what a book holds.

    Args:
        group: The group whose tables these are.
        old: All stored rows of the keys looked at, of every table of the group.
        told: What the import tells of these keys; a table that is absent is not told, and stays as it was.
        scene: The import.

    Returns:
        The rows to store, sorted; those of them that are other than they were; counts.
    """
    believed = {name: old[name].filter(pl.col("known_to").is_null()) for name in group.tables if name != "stages"}
    wanted, gone = {}, {}
    for name, rows in believed.items():
        is_partial = bool({name, group.name} & scene.partial)
        wanted[name], gone[name] = _wanted(name, rows, told.get(name), scene, is_partial)
    full = derive(wanted, scene.numbers, scene.time_zone)
    begun = _begun(full.get("versions") if scene.old else None)
    added = Added({})
    for name, rows in full.items():
        added.tables[name], added.touched[name], counts = _compared(name, old[name], believed[name], rows, begun, scene)
        added.counts[name] = counts | gone[name]
        if name == "versions":
            n_before = old[name].filter(is_there(scene.old)).height if scene.old else 0
            added.counts[name]["n_there"] = added.tables[name].filter(is_there(scene.new)).height - n_before
    if "stages" in old:
        added.tables["stages"], added.touched["stages"], added.counts["stages"] = _replaced(
            old["stages"], told.get("stages")
        )
    return added


def _wanted(
    name: str, believed: pl.DataFrame, told: pl.DataFrame | None, scene: Scene, is_partial: bool
) -> tuple[pl.DataFrame, dict[str, int]]:
    """What is to be believed from now on, in the source's columns, and how many things lived and vanished."""
    columns, key = TABLES[name].column_names(), thing(name)
    kept = {"n_living": 0, "n_vanished": 0}
    if told is None:
        return believed.select(columns), kept
    told = told.select(columns)
    if believed.is_empty():
        return told, kept
    untold = believed.join(told.select(key).unique(), on=key, how="anti", nulls_equal=True)
    untold = merged(name, untold, scene.merges, scene.new)
    if name in VERSIONED:
        again = told if name in scene.histories else present(name, believed, told, scene.new)
        again = observed(name, believed, told, scene.new) if name in scene.observed else again
        if not is_partial:
            living = ~has_ended(scene.new)
            kept = {"n_living": believed.filter(living).height, "n_vanished": untold.filter(living).height}
            untold = ended(untold, key[0], scene.new)
    else:
        again = told
        if name == "activities":
            untold = untold.join(scene.moved, on=key, how="anti")
            untold = as_the_source_gave(believed).join(untold.select(key), on=key, how="semi") if is_partial else untold
        # What a deal was stays believed: its versions say that it is gone.
        if not is_partial and name != "opportunities":
            kept = {"n_living": believed.height, "n_vanished": untold.height}
            untold = untold.clear()
    return pl.concat([again.select(columns), untold.select(columns)]), kept


def _compared(
    name: str, old: pl.DataFrame, believed: pl.DataFrame, wanted: pl.DataFrame, begun: pl.DataFrame, scene: Scene
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """The rows to store of a table; those that are other than they were; and counts."""
    columns, key = STORED[name].column_names(), thing(name)
    if old.is_empty():
        rows = wanted.with_columns(known_from=_known_from(name, begun, wanted, scene))
        # As sorted, the rows of a thing stand together; and each has one row where nothing has versions.
        n_new = rows.select(pl.col(key[0]).ne_missing(pl.col(key[0]).shift()).sum()).item()
        n_new = n_new if name in VERSIONED else rows.height
        return rows, rows, dict.fromkeys(COUNTS, 0) | {"n_new": n_new} | _more(old, rows)
    identity = [*key, "valid_from"] if name in VERSIONED else key
    soft = RIPEN.get(name, {})
    hard = [c for c in columns if c not in {*identity, *soft, "known_from", "known_to"}]
    believed, wanted = believed.with_row_index("@old"), wanted.with_row_index("@new")
    both = believed.join(wanted, on=identity, how="inner", suffix="@wanted")
    alike = pl.all_horizontal(
        pl.lit(True),
        *(pl.col(c).eq_missing(pl.col(f"{c}@wanted")) for c in hard),
        *(_by_then(c, at, "", scene).eq_missing(_by_then(c, at, "@wanted", scene)) for c, at in soft.items()),
    )
    ripened = pl.any_horizontal(pl.lit(False), *(pl.col(c).ne_missing(pl.col(f"{c}@wanted")) for c in soft))
    same = both.filter(alike).with_columns(ripened.alias("@ripened"))
    kept = same.with_columns(pl.col(f"{c}@wanted").alias(c) for c in soft).select(*columns, "@ripened")
    taken_back = believed.join(same.select("@old"), on="@old", how="anti").select(columns)
    fresh = wanted.join(same.select("@new"), on="@new", how="anti").select(columns)
    fresh = fresh.with_columns(known_from=_known_from(name, begun, fresh, scene, believed))
    touched = pl.concat([kept.filter("@ripened").select(columns), taken_back, fresh])
    if name in VERSIONED:
        # What was to begin after the last import was never seen: there is nothing to take back.
        taken_back = taken_back.filter(pl.col("valid_from") <= scene.old, pl.col("valid_from") < scene.new)
        taken_back = _ends_where_news_begins(taken_back, fresh, key[0]).select(columns)
    elif name == "activities":
        taken_back = taken_back.filter(pl.col("at") <= scene.old)  # one planned for later was never seen
    taken_back = taken_back.filter(~(pl.col("known_from") >= scene.new).fill_null(False))
    taken_back = taken_back.with_columns(known_to=_instant(scene.new))
    past = old.filter(pl.col("known_to").is_not_null())
    rows = pl.concat([past, kept.select(columns), taken_back, fresh]).sort(*ORDER[name], "known_from", "known_to")
    return rows, touched, _told(name, old, believed, rows, taken_back, fresh, touched, scene) | _more(old, rows)


def _known_from(
    name: str, begun: pl.DataFrame, rows: pl.DataFrame, scene: Scene, believed: pl.DataFrame | None = None
) -> pl.Series:
    """Since when the book knows rows that it did not have: since this import, unless they began after the last."""
    if scene.old is None:
        return pl.Series([None] * rows.height, dtype=pl.Datetime("us", "UTC"))
    late: pl.Expr
    if name in VERSIONED:
        late = pl.col("valid_from") <= scene.old
    elif name == "actions":
        late = pl.col("date") <= scene.old_day
    else:
        if name in ("opportunities", "deal_contacts"):
            rows = rows.join(begun, on="opportunity_key", how="left", maintain_order="left")
        at = [pl.col(BEGAN[name])] if name in BEGAN else []
        at += [pl.col("@begun")] if "@begun" in rows.columns else []
        late = (pl.coalesce(at) <= scene.old).fill_null(True)
    if believed is not None and name not in VERSIONED:
        seen = believed.filter(pl.col("at") <= scene.old) if name == "activities" else believed
        known = rows.select(thing(name)).join(
            seen.select(thing(name)).with_columns(pl.lit(True).alias("@known")),
            on=thing(name), how="left", maintain_order="left",
        )  # fmt: skip
        late = late | known["@known"].fill_null(False)
    return rows.select(pl.when(late).then(_instant(scene.new)).alias("x"))["x"]


def _ends_where_news_begins(taken_back: pl.DataFrame, fresh: pl.DataFrame, key: str) -> pl.DataFrame:
    """Between two imports a thing is one row: what is taken back gives way where the news of it begins."""
    news = fresh.filter(pl.col("known_from").is_null()).sort(key, "valid_from").unique(key, keep="first")
    moved = [pl.col("stage").alias("@stage")] if "next_stage" in fresh.columns else []
    joined = taken_back.join(news.select(key, pl.col("valid_from").alias("@news"), *moved), on=key, how="left")
    gives_way = (pl.col("@news") < pl.col("valid_to").fill_null(pl.col("@news") + pl.duration(days=1))).fill_null(False)
    cut = [pl.when(gives_way).then("@news").otherwise("valid_to").alias("valid_to")]
    cut.append(pl.when(~gives_way).then("end_reason").alias("end_reason"))
    if moved:
        other = pl.when(pl.col("@stage") != pl.col("stage")).then("@stage")
        cut.append(pl.when(gives_way).then(other).otherwise("next_stage").alias("next_stage"))
    return joined.with_columns(cut).drop("@news", "@stage", strict=False)


def _by_then(column: str, at: str, end: str, scene: Scene) -> pl.Expr:
    """A fact that ripens, as it was at the last import."""
    return pl.when(pl.col(f"{at}{end}") <= scene.old).then(f"{column}{end}")


def _instant(moment: datetime) -> pl.Expr:
    return pl.lit(moment).cast(pl.Datetime("us", "UTC"))


def _begun(versions: pl.DataFrame | None) -> pl.DataFrame:
    """When each deal began: with its first version."""
    if versions is None:
        return pl.DataFrame()
    return versions.group_by("opportunity_key").agg(pl.col("valid_from").min().alias("@begun"))


def _told(
    name: str, old: pl.DataFrame, believed: pl.DataFrame, rows: pl.DataFrame, taken_back: pl.DataFrame,
    fresh: pl.DataFrame, touched: pl.DataFrame, scene: Scene,
) -> dict[str, int]:  # fmt: skip
    """Things new, ended, corrected and changed: each is counted once, by the first of these that holds."""
    key = counted(name)
    some = touched.select(key).unique()
    alive = ~has_ended(scene.new) if name in VERSIONED else pl.lit(True)

    def apart(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        return frame.join(other, on=key, how="anti", nulls_equal=True)

    before, after = (
        f.join(some, on=key, how="semi", nulls_equal=True)
        for f in (believed, rows.filter(pl.col("known_to").is_null()))
    )
    late = fresh.filter(pl.col("known_from").is_not_null())
    found = {
        "n_new": apart(some, old),
        "n_ended": apart(before.filter(alive), after.filter(alive)),
        "n_corrected": pl.concat([taken_back.select(key), late.select(key)]),
        "n_changed": some,
    }
    counts, seen = {}, some.clear()
    for count, things in found.items():
        these = apart(things.select(key).unique(), seen)
        counts[count], seen = these.height, pl.concat([seen, these])
    return counts


def _more(old: pl.DataFrame, rows: pl.DataFrame) -> dict[str, int]:
    second_life = pl.col("known_from").is_not_null() | pl.col("known_to").is_not_null()
    n_second_life = rows.select(second_life.sum()).item() - old.select(second_life.sum()).item()
    return {"n_rows": rows.height - old.height, "n_second_life": n_second_life}


def _replaced(old: pl.DataFrame, told: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """The stages: those told, else those there were."""
    rows = old if told is None else told.select(old.columns).sort("stage")
    return (
        rows,
        rows.clear() if rows.equals(old) else rows,
        dict.fromkeys(COUNTS, 0) | {"n_rows": rows.height - old.height},
    )


def is_there(moment: datetime) -> pl.Expr:
    """Whether a row is what is believed of a thing at a moment: it had begun and had not ended."""
    return pl.col("known_to").is_null() & (pl.col("valid_from") <= moment) & ~has_ended(moment)


def has_ended(moment: datetime) -> pl.Expr:
    """Whether a version had ended at a moment."""
    return (pl.col("valid_to") <= moment).fill_null(False)


def thing(name: str) -> list[str]:
    """The columns that name what a row of a table is about."""
    return [VERSIONED[name]] if name in VERSIONED else [*TABLES[name].primary_key()]


def counted(name: str) -> list[str]:
    """The columns by which things are counted: an activity that goes to another deal ends with the one, and is new
    with the other, which may stand in another bucket."""
    return MOVED if name == "activities" else thing(name)
