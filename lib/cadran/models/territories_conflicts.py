"""Which rules cannot hold together, by name, and what would repair it."""

import math
from dataclasses import replace

import numpy as np

from cadran.models.territories_bound import Room, room
from cadran.models.territories_case import NOBODY, ROUNDING, Case
from cadran.tables.problems import Problem

#: So many names are told; the others are counted.
MOST_NAMES = 5


def settle(case: Case) -> tuple[Case, list[Problem]]:
    """What cannot hold together, and the nearest question that can: bands widened no more than they must be.

    Accounts that nobody may take stay where they are; so do accounts larger than anybody's band. Whole accounts may
    still fail to fit: this finds what is impossible even if they could be split.
    """
    case, problems = _unplaceable(case)
    case, large = _too_large(case)
    found = room(case)
    if not (found.above.any() or found.below.any()):
        return case, problems
    fixed = case.loads(np.where(case.is_free, NOBODY, case.fixed))
    overfull = np.flatnonzero(fixed - case.high > ROUNDING * case.target.max())
    problems += [_overfull(case, int(rep), large, fixed[rep]) for rep in overfull]
    problems += _crowded(case, found, overfull, fixed)
    problems += [] if problems else _starved(case, found)
    return case.widened(case.low - found.below, case.high + found.above), problems


def unfinished(case: Case, load: np.ndarray, is_known: bool, is_impossible: bool, seconds: float) -> Problem | None:
    """That some remain outside the band, and why; None where nobody does.

    Args:
        case: The question as it was asked.
        load: (m,) what each seller carries in the end.
        is_known: Whether it was told already which rules cannot hold together.
        is_impossible: Whether it was proved that whole accounts cannot be shared out so.
        seconds: How long was looked.
    """
    present = case.target > 0
    off = np.where(present, np.abs(load / np.where(present, case.target, 1) - 1), 0.0)
    outside = np.flatnonzero(present & (case.excess(load) != 0))
    if not len(outside):
        return None
    worst = int(outside[np.argmax(off[outside])])
    told = {
        "n": len(outside), "rep": case.rep_ids[worst], "wide": math.ceil(off[worst] * 1000 - 1e-6) / 10,
        "share": _percent(load[worst] / case.target[worst] - 1), "seconds": seconds,
    }  # fmt: skip
    if is_known:
        return Problem(
            "So not everybody can be brought within the band: the nearest sharing out leaves {n} outside, {rep} farthest "
            "({share} from the mean).",
            "Mend what is named above, or allow ± {wide} %." if off[worst] < 0.999 else "Mend what is named above.", **told,
        )  # fmt: skip
    if is_impossible:
        return Problem(
            "Accounts are whole: no sharing out of them brings everybody within the band. The nearest leaves {n} outside, "
            "{rep} farthest ({share} from the mean).",
            "Write the largest accounts under `apart`, free some that are `locked`, or widen the tolerance (here: ± {wide} %).",
            **told,
        )  # fmt: skip
    return Problem(
        "No rule forbids it, but no way was found in {seconds:.0f} s to bring everybody within the band: {n} remain "
        "outside, {rep} farthest ({share} from the mean).",
        "Give more time, allow ± {wide} %, or free some accounts that are `locked`.", **told,
    )  # fmt: skip


def _unplaceable(case: Case) -> tuple[Case, list[Problem]]:
    """Accounts that nobody present may take stay where they are, or nowhere."""
    lost = case.must_move & ~case.can[case.kind].any(axis=1)
    problems = []
    for kind in np.unique(case.kind[lost]):
        ids = case.account_ids[lost & (case.kind == kind)]
        problems.append(Problem(
            "Nobody present may take the accounts of {kind}: {accounts}.",
            "Let somebody take them: a language or a region of a seller, or `named`.",
            kind=_kind(case, kind), accounts=_names(ids),
        ))  # fmt: skip
    has_owner = lost & (case.owner != NOBODY)
    kept = ~lost | has_owner
    fixed = np.where(has_owner, case.owner, case.fixed)
    parts = {name: getattr(case, name)[kept] for name in ("account_ids", "weight", "owner", "kind")}
    return replace(case, fixed=fixed[kept], **parts), problems


def _too_large(case: Case) -> tuple[Case, np.ndarray]:
    """Accounts larger than any band that may take them: they stay, or go to who has the most room."""
    fixed = case.loads(np.where(case.is_free, NOBODY, case.fixed))
    room = np.where(case.can, case.high - fixed, -np.inf)
    allowed = room[case.kind]
    stays = np.flatnonzero(case.may_stay)
    allowed[stays, case.owner[stays]] = (case.high - fixed)[case.owner[stays]]
    large = case.is_free & (case.weight > allowed.max(axis=1, initial=-np.inf) + ROUNDING * case.target.max())
    best = np.argmax(room[case.kind], axis=1)
    at = np.where(case.may_stay, case.owner, best)
    fixed_large = ~case.is_free & (case.weight > case.high.max(initial=0.0) + ROUNDING * case.target.max())
    return replace(case, fixed=np.where(large, at, case.fixed)), large | fixed_large


def _overfull(case: Case, rep: int, large: np.ndarray, load: float) -> Problem:
    """A seller whose fixed accounts alone are more than the band."""
    own = np.flatnonzero(case.fixed == rep)
    own = own[np.argsort(-case.weight[own], kind="stable")]
    if not case.target[rep]:
        return Problem(
            "{rep} leaves, and yet must keep {accounts}.", "Take them off `locked` or `named`: somebody else can have them.",
            rep=case.rep_ids[rep], accounts=_names(case.account_ids[own]),
        )  # fmt: skip
    share = _percent(load / case.target[rep] - 1)
    if large[own].any():
        return Problem(
            "{accounts} is too large for anybody's band: {rep}, who has it, is {share} from the mean with what is fixed.",
            "Write it under `apart`, and it counts for nothing; or share it between two sellers in the CRM.",
            accounts=_names(case.account_ids[own[large[own]]]), rep=case.rep_ids[rep], share=share,
        )  # fmt: skip
    enough = np.cumsum(case.weight[own]) >= load - case.high[rep]
    return Problem(
        "{rep} must keep {n} accounts ({accounts}), which alone are {share} from the mean.",
        "Take {free} off `locked` or `named`: the fewest that bring {rep} within the band.",
        rep=case.rep_ids[rep], n=len(own), accounts=_names(case.account_ids[own]), share=share,
        free=_names(case.account_ids[own[: int(np.argmax(enough)) + 1]]),
    )  # fmt: skip


def _crowded(case: Case, found: Room, overfull: np.ndarray, fixed: np.ndarray) -> list[Problem]:
    """Kinds of accounts that are more than those who may take them can carry."""
    over = np.setdiff1d(np.flatnonzero(found.above > 0), overfull)
    problems = []
    while len(over):
        kinds, reps = _closure(case, found, {int(over[0])})
        over = np.setdiff1d(over, list(reps))
        if not kinds:
            continue
        takers = sorted(reps)
        load = case.weight[case.is_free & np.isin(case.kind, list(kinds))].sum() + fixed[takers].sum()
        problems.append(Problem(
            "Only {reps} may take the accounts of {kinds}: with what they must keep that is {share} from the mean.",
            "Let somebody else take some of them: a language or a region of a seller; or take accounts off `locked`.",
            reps=_names(case.rep_ids[takers]), kinds="; ".join(_kind(case, kind) for kind in sorted(kinds)),
            share=_percent(load / max(case.target[takers].sum(), 1e-300) - 1),
        ))  # fmt: skip
    return problems


def _starved(case: Case, found: Room) -> list[Problem]:
    """Sellers for whom there are not enough accounts that they may take."""
    return [
        Problem(
            "{rep} cannot be brought up to the band: of what {rep} may take there is too little.",
            "Let {rep} take more: a language, a region, fewer `locked` accounts of others; or a smaller `share`.",
            rep=case.rep_ids[rep],
        )
        for rep in np.flatnonzero(found.below > 0)
    ]  # fmt: skip


def _closure(case: Case, found: Room, reps: set[int]) -> tuple[set[int], set[int]]:
    """The kinds that fill these sellers, who else may take them, what fills those, and so on: all of them full."""
    kinds: set[int] = set()
    while True:
        more = {int(kind) for kind in np.flatnonzero((found.flow[:, list(reps)] > 0).any(axis=1))} - kinds
        if not more:
            return kinds, reps
        kinds |= more
        reps = reps | {int(rep) for rep in np.flatnonzero(case.can[list(kinds)].any(axis=0))}


def _kind(case: Case, kind: int) -> str:
    return " ".join(part for part in case.kinds[kind] if part) or "–"


def _names(ids: np.ndarray) -> str:
    told = ", ".join(str(each) for each in ids[:MOST_NAMES])
    return f"{told}, … ({len(ids)})" if len(ids) > MOST_NAMES else told


def _percent(share: float) -> str:
    return f"{share * 100:+.1f} %"
