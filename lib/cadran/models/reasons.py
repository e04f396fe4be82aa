"""Why the win model holds a deal likely or not, and what of its facts made that change since an earlier day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.landmarks import FACTS, facts_at, open_pairs
from cadran.measures.changed import changed_since
from cadran.models.hazards import interval_95
from cadran.models.ladder import SIMPLE
from cadran.models.typical import beside
from cadran.models.win import DRAWS, WinModel
from cadran.tables.measured.actions import Moved, Reason

#: Probabilities nearer than this are the same.
SAME = 1e-6
#: Groups of facts as in the book, but that growing older is told apart from what the deal is.
GROUPS: dict[str, str] = FACTS | {"age_days": "age"}
#: The stage itself, which is what others are compared at.
_AT_STAGE = ("stage", "stage_position", "stage_probability")
#: What `changed_since` names otherwise than `FACTS`.
_NAMED = {"expected_close_date": "stage"}


def chances(model: WinModel, facts: pl.DataFrame, n: int = DRAWS, kept_up: pl.DataFrame | None = None) -> np.ndarray:
    """(1 + n, deals): the chance that each is ever won, by the model itself and then by models as likely.

    `kept_up` are facts that take the place of others from now on, and last.
    """
    itself = model.incidence(facts, instead=kept_up)[None, :, 0]
    return np.vstack([itself, model.drawn(facts, n=n, instead=kept_up)[..., 0]])


def tells(model: WinModel) -> bool:
    """Whether a model tells deals of one stage apart: the simple rates know neither reasons nor levers."""
    return model.chosen not in SIMPLE


def reasons(model: WinModel, facts: pl.DataFrame, middles: pl.DataFrame, most: int = 3) -> pl.DataFrame:
    """The groups of facts that move each deal's probability most away from what is typical at its stage.

    One group at a time is set to the median, or most frequent value, of the deals that were open in the same stage,
    won or not, today and every four weeks of the last two years. That is the same change of facts, and the same unit,
    as a lever's. What moves together need not cause, and the groups need not add up.

    Args:
        model: The simple rates know no reason: all deals, or all of a stage, are alike to them.
        facts: As `facts_at` gives them at the model's moment.
        middles: As `cadran.models.typical.typical` gives them.
        most: Groups told of each deal, at most.

    Returns:
        As `Reason` has it, deal by deal in their order, what moves most first.
    """
    if not tells(model) or facts.is_empty():
        return Reason.create_empty()
    typical, itself, groups = beside(facts, middles), chances(model, facts), _groups(_AT_STAGE)
    gaps = np.stack([itself - chances(model, _set(facts, typical, names)) for names in groups.values()])
    size = np.abs(gaps[:, 0])
    place = np.argsort(-size, axis=0, kind="stable")[:most]
    turn, deal = np.nonzero(np.take_along_axis(size, place, axis=0) > SAME)
    group = place[turn, deal]
    low, high = interval_95(gaps[:, 1:][group, :, deal], axis=1) if len(deal) else (np.zeros(0), np.zeros(0))
    change = gaps[group, 0, deal]
    names = np.array(list(groups))[group]
    told = pl.DataFrame({
        "deal": deal, "rank": turn + 1, "group": names, "change": change,
        "change_low": np.minimum(low, change), "change_high": np.maximum(high, change),
    })  # fmt: skip
    told = told.join(_leading(model, facts, typical, itself[0], told), on=["deal", "group"], how="left")
    named = told.sort("deal", "rank").with_columns(
        facts["opportunity_id"].gather(told.sort("deal", "rank")["deal"]),
        *(typical[name].gather(told.sort("deal", "rank")["deal"]) for name in ("of_stage", "n_looks")),
    )
    return _as(Reason, named)


def _groups(without: Sequence[str] = ()) -> dict[str, list[str]]:
    """Group -> its facts."""
    groups: dict[str, list[str]] = {}
    for name, group in GROUPS.items():
        if name not in without:
            groups.setdefault(group, []).append(name)
    return groups


def _set(facts: pl.DataFrame, other: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return facts.with_columns(other[name].cast(facts.schema[name]) for name in names)


def _leading(
    model: WinModel, facts: pl.DataFrame, typical: pl.DataFrame, itself: np.ndarray, told: pl.DataFrame
) -> pl.DataFrame:
    """Of each group told of a deal, the fact that alone moves it most: `deal`, `group`, `fact`, `value`, `typical`."""
    tried = []
    for name, group in GROUPS.items():
        if name in _AT_STAGE:
            continue
        deal = told.filter(group=group)["deal"]
        of_deal, usual = facts[name].gather(deal), typical[name].gather(deal).cast(facts.schema[name])
        differs = of_deal.ne_missing(usual)
        if differs.any():
            asked = facts[deal.filter(differs)].with_columns(usual.filter(differs).alias(name))
            texts = {"value": _text(of_deal.filter(differs)), "typical": _text(usual.filter(differs))}
            row = pl.DataFrame({"deal": deal.filter(differs), **texts}).with_columns(
                group=pl.lit(group), fact=pl.lit(name)
            )
            tried.append((asked, row))
    if not tried:
        named = ("group", "fact", "value", "typical")
        return pl.DataFrame(schema={"deal": pl.Int64, **dict.fromkeys(named, pl.String)})
    asked, rows = pl.concat([asked for asked, _ in tried]), pl.concat([row for _, row in tried])
    size = np.abs(itself[rows["deal"].to_numpy()] - model.incidence(asked)[:, 0])
    moved = rows.with_columns(size=pl.Series(size)).filter(pl.col("size") > SAME)
    return moved.sort("size", descending=True, maintain_order=True).unique(["deal", "group"], keep="first").drop("size")


def _text(values: pl.Series) -> pl.Series:
    return (values.round(2) if values.dtype.is_float() else values).cast(pl.String)


def moved(model: WinModel, book: Book, earlier: Book) -> pl.DataFrame:
    """As `moves` gives it: `Moved` alone."""
    return moves(model, book, earlier).parts


@dataclass(frozen=True)
class Moves:
    """What changed since an earlier day on the deals open then and now."""

    #: As `Moved` has it.
    parts: pl.DataFrame
    #: The deals, and (1 + draws, deals) by how much the probability of each changed, by the model and models as likely.
    deals: pl.Series
    drawn: np.ndarray

    def together(self, deals: Sequence[str]) -> dict[str, Any]:
        """What some of the deals make together: `n`, by how much their expected wins changed as `change` with `low` and
        `high` (95 %, the model's doubt alone), and `groups`, each with its part, the largest first."""
        kept = self.deals.is_in(list(deals)).to_numpy()
        change = self.drawn[:, kept].sum(axis=1)
        low, high = interval_95(change[1:]).tolist()
        parts = (
            self.parts.filter(pl.col("opportunity_id").is_in(list(deals))).group_by("group").agg(pl.col("part").sum())
        )
        ends = {"low": min(low, change[0]), "high": max(high, change[0])}
        groups = parts.sort(-pl.col("part").abs(), "group").rows()
        return {"n": int(kept.sum()), "change": change[0], **ends, "groups": groups}


def moves(model: WinModel, book: Book, earlier: Book) -> Moves:
    """By how much the probability of each deal changed since an earlier day, and which facts it changed with.

    Both are what the model of now tells, in the season of now: of the facts of that day, and of those of now. So that
    a model fitted anew makes no change; what changed is what is known of the deal. The whole is shared out among the
    groups of facts by changing one after the other to what it is now, in one order and in the reverse, and taking the
    mean: the parts of a deal add up to its change.

    Args:
        model: Of the book at its moment.
        book: At its moment; the deals are those open then and on the earlier day.
        earlier: An earlier view of the same version.

    Returns:
        The parts deal by deal, the largest first; groups that changed nothing are left out.

    Raises:
        Problem: If the other view is not an earlier one of the same version.
    """
    told = changed_since(book, earlier)
    pairs = open_pairs(book).join(open_pairs(earlier).select("opportunity_key"), on="opportunity_key", how="semi")
    now, then = facts_at(book, pairs), _at(earlier, pairs)
    there = now["opportunity_id"].is_not_null() & then["opportunity_id"].is_not_null()
    now, then = now.filter(there), then.filter(there)
    if now.is_empty():
        return Moves(Moved.create_empty(), now["opportunity_id"], np.zeros((1 + DRAWS, 0)))
    drawn = chances(model, now) - chances(model, then)
    groups, (low, high) = _groups(), interval_95(drawn[1:])
    parts = (_in_order(model, then, now, groups) + _in_order(model, then, now, dict(reversed(groups.items())))) / 2
    before, after = (model.incidence(facts)[:, 0] for facts in (then, now))
    whole = {
        "probability_before": before, "probability": after, "change": after - before,
        "change_low": np.minimum(low, after - before), "change_high": np.maximum(high, after - before),
    }  # fmt: skip
    rows = pl.concat(
        pl.DataFrame({"opportunity_id": now["opportunity_id"], "part": part, **whole}).with_columns(group=pl.lit(group))
        for group, part in zip(groups, parts, strict=True)
    )
    group_of = pl.col("what").replace_strict(GROUPS | _NAMED, default=None, return_dtype=pl.String)
    what = told.with_columns(group=group_of).group_by("opportunity_id", "group", maintain_order=True).agg("what")
    named = rows.filter(pl.col("part") != 0).join(what, on=["opportunity_id", "group"], how="left")
    order = now["opportunity_id"]
    place = pl.col("opportunity_id").replace_strict(order, pl.Series(range(len(order))), default=None)
    named = named.with_columns(pl.col("what").fill_null([])).sort(place, -pl.col("part").abs(), "group")
    return Moves(_as(Moved, named), order, drawn)


def _at(earlier: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    return facts_at(earlier, pairs.with_columns(at=pl.lit(earlier.moment).cast(pairs.schema["at"])))


def _in_order(model: WinModel, then: pl.DataFrame, now: pl.DataFrame, groups: dict[str, list[str]]) -> np.ndarray:
    """(groups, n) the change at each step from then to now, in the order of `GROUPS` whatever the order of steps."""
    facts, told, steps = then, model.incidence(then)[:, 0], {}
    for group, names in groups.items():
        facts = _set(facts, now, names)
        after = model.incidence(facts)[:, 0]
        steps[group], told = after - told, after
    return np.stack([steps[group] for group in _groups()])


def _as(schema: type[Reason] | type[Moved], frame: pl.DataFrame) -> pl.DataFrame:
    types = schema.create_empty().schema
    return frame.select(pl.col(name).cast(kind) for name, kind in types.items())
