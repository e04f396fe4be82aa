"""An attack on releases of pulse surveys, written without the audit that has to withstand it.

A determined insider knows everybody's attributes in each wave, who answered, even who left which question blank, the
questions and their scales, how releases are made, and their own answers; nobody else's. From one wave's tables they try:

- *difference*: any two released sets, complements and remainders of cuts among them, whose difference is small;
- *agreement*: sets where so many agree, or whose sum is so near an end, that it tells of each person or pair in them;
- *algebra*: small types and groups whose indicator is a combination of released sets;
- *bounds*: what all tables together leave possible for them, by propagation, then linear and integer programs.

What is recovered is the score or the class (high, low) of a person, or the mean or the high or low share of a group of
fewer than the minimum, known within ±10 % of its range: bounds, not guesses, so that the truth must lie within. Guesses
across waves are scored in `attack_across.py`.
"""

from itertools import combinations

import numpy as np
import polars as pl
from attack_bounds import HIGH, LOW, NEAR, SUM, Program, best, counted, propagate
from attack_tables import SLACK, Tables
from scipy.sparse import csr_array

from cadran.tables.pulse import CUTS

#: What is told of a set of people: shares that are high or low, the mean score.
WHAT = ("high", "low", "mean")


class Recovered:
    """What was recovered: of each set of people, question and kind of value, the narrowest bounds."""

    def __init__(self):
        self.rows = {}

    def add(self, attack, wave, scale, people, n, what, low, high):
        """Bounds of the value of any `n` of these people; kept if they are narrow and nothing narrower is."""
        range_ = scale.high - scale.low if what == "mean" else 1
        key = (wave, scale.name, what, n, tuple(people))
        was = self.rows.get(key)
        if high - low <= NEAR * range_ + SLACK and (was is None or was[1] - was[0] > high - low + SLACK):
            cut = {"high": scale.favourable_from, "low": scale.unfavourable_to}.get(what)
            self.rows[key] = (float(low), float(high), attack, cut)

    def frame(self):
        """One row per value recovered: `people` separated by commas, `n` of which, any, have it between low and high."""
        rows = [
            (attack, wave, name, what, cut, n, ",".join(people), low, high)
            for (wave, name, what, n, people), (low, high, attack, cut) in self.rows.items()
        ]
        columns = ["attack", "wave", "question_id", "what", "cut", "n", "people", "low", "high"]
        types = [pl.String] * 4 + [pl.Int64] * 2 + [pl.String] + [pl.Float64] * 2
        return pl.DataFrame(rows, dict(zip(columns, types, strict=True)), orient="row")


def attack(releases, knowledge, *, solves=2, answers=None):
    """All attacks on each wave of its own.

    Args:
        releases: Any number of waves' releases.
        knowledge: What the insider knows, from `knowing`.
        solves: Small groups of each wave and question for which programs are solved, those with the narrowest bounds.
        answers: The `truth`, to spare programs that could find nothing (see `Program`). It is used for nothing else.

    Returns:
        `Recovered.frame()`, sorted. That nobody of a set is low is told apart by `ruled_out`.
    """
    found = Recovered()
    for release in releases:
        tables = Tables(release, knowledge)
        _words(found, tables, release)
        for scale in tables.scales:
            seen = tables.seen(scale)
            if len(seen.known) or len(seen.loose):
                _difference(found, tables, seen)
                _agreement(found, tables, seen)
                _together(found, tables, seen, solves, answers and answers[release.wave][scale.name])
    return found.frame().sort("wave", "question_id", "people", "what")


def ruled_out(found):
    """The rows that only say that nobody is low: the class of none of them is known by it."""
    return found.filter((pl.col("what") == "low") & (pl.col("high") == 0))


def _words(found, tables, release):
    """Comments whose writer is one of few: those their group holds, without those of narrower groups that are shown."""
    labels = release.comments.select(CUTS).unique().to_dicts()
    members = {(cut, name): names for cut, name, names in tables.groups.select("cut", "group", "members").iter_rows()}
    sets = []
    for label in labels:
        held = np.ones(len(tables.people), bool)
        for cut in (cut for cut in CUTS if label[cut] is not None):
            held &= tables.who[cut].is_in(members.get((cut, label[cut]), [label[cut]]), nulls_equal=True).to_numpy()
        sets.append(held)
    for held in sets:
        narrower = [other for other in sets if (held & other).sum() == other.sum() < held.sum()]
        left = held & ~np.any(narrower, axis=0) if narrower else held
        if 0 < left.sum() < release.terms.comments_minimum:
            found.rows[tables.wave, "", "comment", 1, tuple(tables.people[left])] = (0.0, 0.0, "words", None)


def _difference(found, tables, seen):
    """Of two known sets A and B: what A − B says of the few in A alone, whatever the few in B alone answered."""
    scale, known = seen.scale, seen.known.astype(np.float32)
    size, common = known.sum(axis=1), known @ known.T
    alone, other = size[:, None] - common, size[None, :] - common
    small = (alone > 0) & (alone < tables.minimum) & (other < 3 * tables.minimum)
    a, b = np.nonzero(small)
    k, o = alone[a, b], other[a, b]
    gap = seen.counts[a] - seen.counts[b]
    ends = np.array([[0, 1], [0, 1], [scale.low, scale.high]], float)
    low = np.maximum(k[:, None] * ends[:, 0], gap + o[:, None] * ends[:, 0]) / k[:, None]
    high = np.minimum(k[:, None] * ends[:, 1], gap + o[:, None] * ends[:, 1]) / k[:, None]
    near = (high - low) <= NEAR * (ends[:, 1] - ends[:, 0]) + SLACK
    for row, what in np.argwhere(near):
        people = tables.people[seen.known[a[row]] & ~seen.known[b[row]]]
        found.add("difference", tables.wave, scale, people, len(people), WHAT[what], low[row, what], high[row, what])
    for place in np.flatnonzero(size < tables.minimum):
        people = tables.people[seen.known[place]]
        for what in range(3):
            value = seen.counts[place, what] / len(people)
            found.add("shown", tables.wave, scale, people, len(people), WHAT[what], value, value)


def _agreement(found, tables, seen):
    """Of known sets, and of what one known set leaves of another: what holds for any few of their people."""
    scale, known = seen.scale, seen.known.astype(np.float32)
    size, common = known.sum(axis=1), known @ known.T
    a, b = np.nonzero((common == size[None, :]) & (size[:, None] - size[None, :] >= tables.minimum))
    sets = np.vstack([seen.known, seen.known[a] & ~seen.known[b], seen.loose])
    low = np.vstack([seen.counts, seen.counts[a] - seen.counts[b], seen.loose_low])
    high = np.vstack([seen.counts, seen.counts[a] - seen.counts[b], seen.loose_high])
    _any_few(found, "agreement", tables, scale, sets, low, high)


def _any_few(found, attack, tables, scale, sets, low, high):
    """Of sets with bounds of what is counted of them: bounds for each of their people, else for each pair."""
    n = sets.sum(axis=1).astype(float)
    ends = scale.ends
    n_high, n_low = low[:, HIGH], low[:, LOW]
    exact = (low == high).all(axis=1)
    middle = n - n_high - n_low
    # The classes of the people of a set from the best down, each at its best or at its worst score.
    told = np.zeros((len(sets), 3), bool)

    def tell(what, k, least, most):
        range_ = scale.high - scale.low if what == SUM else 1
        near = ~told[:, what] & (n >= k) & (most - least <= k * NEAR * range_ + SLACK)
        told[:, what] |= near
        for place in np.flatnonzero(near):
            people = tables.people[sets[place]]
            found.add(attack, tables.wave, scale, people, k, WHAT[what], least[place] / k, most[place] / k)

    for k in (1, 2):
        for what in (HIGH, LOW):
            tell(what, k, np.maximum(0, k - (n - low[:, what])), np.minimum(k, high[:, what]))
        least = low[:, SUM] - np.where(exact, best(n - k, n_high, middle, ends[:, 1]), (n - k) * scale.high)
        most = high[:, SUM] - np.where(exact, best(n - k, n_low, middle, ends[::-1, 0]), (n - k) * scale.low)
        least = np.maximum(least, np.where(exact, best(k, n_low, middle, ends[::-1, 0]), k * scale.low))
        most = np.minimum(most, np.where(exact, best(k, n_high, middle, ends[:, 1]), k * scale.high))
        tell(SUM, k, least, most)


def _together(found, tables, seen, solves, answers):
    """What all sets together say of the types of people, one type being those whom no released set parts."""
    scale = seen.scale
    rows = np.vstack([seen.known, seen.loose])
    people = np.flatnonzero(rows.any(axis=0))
    types, which = np.unique(rows[:, people], axis=1, return_inverse=True)
    which = which.ravel()
    size = np.bincount(which).astype(float)
    holds = types.astype(float)
    low, high = np.vstack([seen.counts, seen.loose_low]), np.vstack([seen.counts, seen.loose_high])
    bounds = propagate(scale, holds, size, low, high)
    sets = np.zeros((len(size), len(tables.people)), bool)
    sets[which, people] = True
    _any_few(found, "bounds", tables, scale, sets, *bounds)

    targets = _targets(tables, people, which, size)
    if not targets.shape[0]:
        return
    n = targets @ size

    def tell(attack, target, what, least, most):
        named = tables.people[sets[targets[[target]].indices].any(axis=0)]
        found.add(attack, tables.wave, scale, named, len(named), WHAT[what], least / n[target], most / n[target])

    far, combine = _distance(holds[: len(seen.known)], targets)
    for target in np.flatnonzero(far < 1e-7):
        value = combine(target) @ seen.counts
        for what in range(3):
            tell("algebra", target, what, value[what], value[what])
    least, most = targets @ bounds[0], targets @ bounds[1]
    width = (most - least) / n[:, None] / np.array([1, 1, scale.high - scale.low])
    # Programs for those with the narrowest bounds, and for those nearest to being determined.
    score = np.where((width > NEAR + SLACK) & (far > 1e-7)[:, None], width, np.inf)[:, [HIGH, SUM]]
    near = np.where(np.isfinite(score), (far / n)[:, None], np.inf)
    true = None if answers is None else counted(scale, which, [answers[each] for each in tables.people[people]])
    program = Program(scale, holds, size, low, high, bounds)
    for ranked in (score, near):
        for place in np.argsort(ranked, axis=None, kind="stable")[:solves]:
            target, what = divmod(int(place), 2)
            if np.isfinite(ranked[target, what]):
                what = (HIGH, SUM)[what]
                chosen = targets[[target]].indices
                tell("programs", target, what, *program.ends(chosen, what, true))


def _targets(tables, people, which, size):
    """Small types, pairs of them, and values of a cut or of two crossed that hold few people and whole types.

    Returns:
        A sparse matrix of 0 and 1: targets by types.
    """
    few = np.flatnonzero(size < tables.minimum)
    chosen = {(int(t),) for t in few}
    if len(few) <= 200:
        chosen |= {(int(s), int(t)) for s, t in combinations(few, 2) if size[s] + size[t] < tables.minimum}
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(size)))
    for code in tables.codes:
        value = code[people]
        n = np.bincount(value)
        least, most = (end.reduceat(value[order], starts) for end in (np.minimum, np.maximum))
        whole = np.flatnonzero((least == most) & (n[least] < tables.minimum) & (size < n[least]))
        covered = np.bincount(least[whole], size[whole], len(n))
        for place in np.unique(least[whole][covered[least[whole]] == n[least[whole]]]):
            chosen.add(tuple(whole[least[whole] == place].tolist()))
    chosen = sorted(chosen)
    columns = [member for members in chosen for member in members]
    starts = np.cumsum([0, *(len(members) for members in chosen)])
    return csr_array((np.ones(len(columns)), columns, starts), shape=(len(chosen), len(size)))


def _distance(exact, targets):
    """How far each target is from a combination of the rows of `exact` (its square), and the nearest combination."""
    if not len(exact):
        return targets.sum(axis=1), None
    values, vectors = np.linalg.eigh(exact @ exact.T)
    kept = values > 1e-8 * max(1.0, values.max())
    vectors, values = vectors[:, kept], np.sqrt(values[kept])
    inside = targets @ (vectors.T @ exact / values[:, None]).T
    return targets.sum(axis=1) - (inside**2).sum(axis=1), lambda target: vectors @ (inside[target] / values)


def judged(found, answers):
    """The rows with the truth beside: least and greatest value of any `n` of the people; and whether it is within."""
    found = found.filter(pl.col("what") != "comment")
    rows = [_true_ends(row, answers[row["wave"]][row["question_id"]]) for row in found.iter_rows(named=True)]
    ends = pl.DataFrame(rows, {"true_low": pl.Float64, "true_high": pl.Float64}, orient="row")
    told = pl.concat([found, ends], how="horizontal")
    within = (pl.col("true_low") >= pl.col("low") - 1e-4) & (pl.col("true_high") <= pl.col("high") + 1e-4)
    return told.with_columns(within=within)


def _true_ends(row, by):
    scores = [by[person] for person in row["people"].split(",")]
    if row["what"] != "mean":
        cut = row["cut"]
        scores = [float(score >= cut if row["what"] == "high" else score <= cut) for score in scores]
    scores, n = sorted(scores), row["n"]
    return sum(scores[:n]) / n, sum(scores[-n:]) / n
