"""Which rules cannot hold together, by name, and what would repair it."""

import math
from dataclasses import replace

import numpy as np

from cadran.models.territories_bound import Room, room
from cadran.models.territories_case import NOBODY, ROUNDING, Case
from cadran.tables.problems import Problem

#: So many names are told, and so many of those that a repair is about; the others are counted.
MOST_NAMES, MOST_TO_MEND = 5, 40


def settle(case: Case) -> tuple[Case, list[Problem]]:
    """What cannot hold together, and the nearest question that can: whoever a conflict leaves outside the band is taken
    out, and the others are evened out among themselves.

    Accounts larger than anybody's band stay where they are. Whole accounts may still fail to fit: this finds what is
    impossible even if they could be split.
    """
    problems: list[Problem] = []
    told = False
    for _ in range(2 * len(case.rep_ids) + 2):
        case, large = _too_large(case)
        found = room(case)
        if not (found.above.any() or found.below.any()):
            return case, problems
        overfull = np.flatnonzero(case.kept - case.high > ROUNDING * case.target.max())
        crowded = _crowded(case, found, overfull)
        starved = (
            [] if len(overfull) or crowded else [_closure(case, found, set(map(int, np.flatnonzero(found.below))))]
        )
        if not told:
            problems += _large(case, large, overfull)
            problems += [_overfull(case, int(rep)) for rep in overfull if not (large & (case.fixed == rep)).any()]
            problems += [_too_many(case, kinds, reps) for kinds, reps in crowded]
            problems += [_too_little(case, reps) for _, reps in starved]
            told = True
        case = _apart(case, overfull, [*crowded, *starved])
    return replace(case, low=case.low - found.below, high=case.high + found.above), problems


def _apart(case: Case, overfull: np.ndarray, sets: list[tuple[set[int], set[int]]]) -> Case:
    """Sellers who carry too much anyway get nothing more; others who cannot share with the rest share among themselves."""
    group, pool = case.group.copy(), case.pool.copy()
    is_done = (case.low == case.kept) & (case.high == case.kept)
    for rep in overfull:
        group[rep] = group.max() + 1
    for kinds, reps in sets:
        rest = [rep for rep in reps if rep not in overfull and not is_done[rep]]
        label = group.max() + 1
        group[rest], pool[list(kinds)] = label, label
    made = case.banded(group, pool)
    stands = is_done.copy()
    stands[overfull] = True
    return replace(made, low=np.where(stands, case.kept, made.low), high=np.where(stands, case.kept, made.high))


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
            "So not everybody can be brought within the band: with the others evened out among themselves, {n} remain "
            "outside, {rep} farthest ({share:.1f}% from the mean).",
            "Mend what is named above, or allow ± {wide:.1f}%." if off[worst] < 0.999 else "Mend what is named above.", **told,
        )  # fmt: skip
    if is_impossible:
        return Problem(
            "Accounts are whole: no sharing out of them brings everybody within the band. The nearest leaves {n} outside, "
            "{rep} farthest ({share:.1f}% from the mean).",
            "Write the largest accounts under `apart`, free some that are `locked`, or widen the tolerance (here: ± {wide:.1f}%).",
            **told,
        )  # fmt: skip
    return Problem(
        "No rule forbids it, but no way was found in {seconds:.0f} s to bring everybody within the band: {n} remain "
        "outside, {rep} farthest ({share:.1f}% from the mean).",
        "Give more time, allow ± {wide:.1f}%, or free some accounts that are `locked`.", **told,
    )  # fmt: skip


def placeable(case: Case) -> tuple[Case, list[Problem]]:
    """The question without the accounts that nobody present may take, and which these are. They stay where they are, and
    weigh there; those of nobody weigh nowhere."""
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
    return replace(case, fixed=fixed[kept], **parts).banded(case.group, case.pool), problems


def _too_large(case: Case) -> tuple[Case, np.ndarray]:
    """Accounts larger than any band that may take them: they stay, or go to who has the most room."""
    room = np.where(case.can, case.high - case.kept, -np.inf)
    allowed = room[case.kind]
    stays = np.flatnonzero(case.may_stay)
    allowed[stays, case.owner[stays]] = (case.high - case.kept)[case.owner[stays]]
    large = case.is_free & (case.weight > allowed.max(axis=1, initial=-np.inf) + ROUNDING * case.target.max())
    best = np.argmax(room[case.kind], axis=1)
    at = np.where(case.may_stay, case.owner, best)
    fixed_large = ~case.is_free & (case.weight > case.high.max(initial=0.0) + ROUNDING * case.target.max())
    return replace(case, fixed=np.where(large, at, case.fixed)), large | fixed_large


def _large(case: Case, large: np.ndarray, overfull: np.ndarray) -> list[Problem]:
    """Accounts that make a seller exceed the band, as they would anybody."""
    those = np.flatnonzero(large & np.isin(case.fixed, overfull))
    if not len(those):
        return []
    those = those[np.argsort(-case.weight[those], kind="stable")]
    names = [f"{case.account_ids[each]} ({case.rep_ids[case.fixed[each]]})" for each in those]
    return [Problem(
        "Each of these accounts is too large for anybody's band (the seller who has it): {accounts}.",
        "Write `large_apart = true`, and they count for nothing; or share them between several sellers in the CRM.",
        accounts=_names(np.array(names)),
    )]  # fmt: skip


def _overfull(case: Case, rep: int) -> Problem:
    """A seller whose fixed accounts alone are more than the band."""
    own = np.flatnonzero(case.fixed == rep)
    own = own[np.argsort(-case.weight[own], kind="stable")]
    if not case.target[rep]:
        return Problem(
            "{rep} leaves, and yet must keep {accounts}.", "Take them off `locked` or `named`: somebody else can have them.",
            rep=case.rep_ids[rep], accounts=_names(case.account_ids[own]),
        )  # fmt: skip
    enough = np.cumsum(case.weight[own]) >= case.kept[rep] - case.high[rep]
    return Problem(
        "{rep} must keep {n} accounts ({accounts}), which alone are {share:.1f}% above the mean.",
        "Take {free} off `locked` or `named`: the fewest that bring {rep} within the band.",
        rep=case.rep_ids[rep], n=len(own), accounts=_names(case.account_ids[own]),
        share=_percent(case.kept[rep] / case.target[rep] - 1),
        free=_names(case.account_ids[own[: int(np.argmax(enough)) + 1]], MOST_TO_MEND),
    )  # fmt: skip


def _crowded(case: Case, found: Room, overfull: np.ndarray) -> list[tuple[set[int], set[int]]]:
    """Kinds of accounts that are more than those who may take them can carry, with these."""
    over = np.setdiff1d(np.flatnonzero(found.above), overfull)
    sets = []
    while len(over):
        kinds, reps = _closure(case, found, {int(over[0])})
        over = np.setdiff1d(over, list(reps))
        sets.append((kinds, reps - set(map(int, overfull))))
    return sets


def _too_many(case: Case, kinds: set[int], reps: set[int]) -> Problem:
    takers = sorted(reps)
    load = case.free[list(kinds)].sum() + case.kept[takers].sum()
    return Problem(
        "Only {reps} may take the accounts of {kinds}: with what they must keep that is {share:.1f}% above the mean.",
        "Let somebody else take some of them: a language or a region of a seller; or take accounts off `locked`.",
        reps=_names(case.rep_ids[takers]), kinds="; ".join(_kind(case, kind) for kind in sorted(kinds)),
        share=_percent(load / max(case.target[takers].sum(), 1e-300) - 1),
    )  # fmt: skip


def _too_little(case: Case, reps: set[int]) -> Problem:
    return Problem(
        "Of what {reps} may take there is too little to bring them up to the band.",
        "Let them take more: a language, a region, fewer `locked` accounts of others; or a smaller `share`.",
        reps=_names(case.rep_ids[sorted(reps)]),
    )  # fmt: skip


def _closure(case: Case, found: Room, reps: set[int]) -> tuple[set[int], set[int]]:
    """The kinds that these sellers take, or of which others could spare them none; who else takes those; and so on."""
    kinds: set[int] = set()
    is_short = bool(found.below[list(reps)].any())
    while True:
        mine = case.can if is_short else found.flow > 0
        more = {int(kind) for kind in np.flatnonzero(mine[:, list(reps)].any(axis=1) & (case.free > 0))} - kinds
        if not more:
            return kinds, reps
        kinds |= more
        theirs = found.flow > 0 if is_short else case.can
        reps = reps | {int(rep) for rep in np.flatnonzero(theirs[list(kinds)].any(axis=0))}


def _kind(case: Case, kind: int) -> str:
    return " ".join(part for part in case.kinds[kind] if part) or "–"


def _names(ids: np.ndarray, most: int = MOST_NAMES) -> str:
    told = ", ".join(str(each) for each in ids[:most])
    return f"{told}, … ({len(ids)})" if len(ids) > most else told


def _percent(share: float) -> float:
    return float(share) * 100
