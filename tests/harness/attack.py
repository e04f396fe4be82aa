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

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from cadran.tables.pulse import CUTS, SCORED

#: How wide bounds may be to count as recovered: ±10 % of the range.
NEAR = 0.2
#: high, low, sum of scores: what is counted of a set. The middle is the rest.
HIGH, LOW, SUM = range(3)
WHAT = ("high", "low", "mean")
SLACK = 1e-6


@dataclass(frozen=True)
class Knowledge:
    """What is known beforehand, by wave: `Invited`, who gave a score to which question, and one's own scores, turned."""

    invited: dict[str, pl.DataFrame]
    gave: dict[str, dict[str, frozenset]]
    own: dict[str, dict[str, int]] = field(default_factory=dict)
    insider: str | None = None


@dataclass(frozen=True)
class Scale:
    """The scores of a question once turned, and its classes."""

    name: str
    low: int
    high: int
    unfavourable_to: int
    favourable_from: int

    @property
    def ends(self):
        """Least and greatest score of high, middle and low; the middle may be empty, and is high then."""
        middle = (self.unfavourable_to + 1, self.favourable_from - 1)
        high = (self.favourable_from, self.high)
        return np.array([high, middle if middle[0] <= middle[1] else high, (self.low, self.unfavourable_to)])


def scales(questions):
    """The scored questions of a wave."""
    scored = questions.filter(pl.col("kind").is_in(SCORED))
    names = ["question_id", "low", "high", "unfavourable_to", "favourable_from"]
    return [Scale(*row) for row in scored.select(names).iter_rows()]


def truth(waves):
    """By wave and question: what each person answered, turned. Of confidential waves."""
    told = {}
    for wave in waves:
        rows = wave.answers.filter(pl.col("cut").is_null() & pl.col("score").is_not_null())
        rows = rows.join(wave.questions.select("question_id", "low", "high", "is_reversed"), on="question_id")
        turned = pl.when("is_reversed").then(pl.col("low") + pl.col("high") - pl.col("score")).otherwise("score")
        told[wave.wave] = {scale.name: {} for scale in scales(wave.questions)}
        for name, person, score in rows.select("question_id", "ballot", turned.cast(pl.Int64)).iter_rows():
            told[wave.wave][name][person] = score
    return told


def knowing(waves, answers, insider=None):
    """The knowledge of an insider of these waves, whose `truth` is `answers`."""
    gave = {wave: {name: frozenset(by) for name, by in told.items()} for wave, told in answers.items()}
    own = {
        wave: {name: by[insider] for name, by in told.items() if insider in by} for wave, told in answers.items()
    }  # fmt: skip
    return Knowledge({wave.wave: wave.invited for wave in waves}, gave, own, insider)


class Tables:
    """One release, as sets of people: which of those who answered each group holds."""

    def __init__(self, release, knowledge):
        self.wave, self.minimum = release.wave, release.terms.minimum
        self.scales = scales(release.questions)
        self.who = knowledge.invited[release.wave].filter("answered").sort("person")
        self.people = self.who["person"].to_numpy()
        cuts = [self.who[cut].fill_null("").rank("dense").to_numpy().astype(int) for cut in CUTS]
        cuts = [cut for cut in cuts if cut.max() > 1]
        #: Numbers of the values of each cut, and of each two crossed.
        self.codes = cuts + [one * (other.max() + 1) + other for one, other in combinations(cuts, 2)]
        self.groups = release.groups
        self.holds = self._holds()
        key = ["cut", "parent", "group"]
        place = self.groups.select(*key).with_row_index("place")
        self.cells = release.cells.join(place, on=key, nulls_equal=True, how="left")
        assert self.cells["place"].null_count() == 0, "a cell of a group that is not told"
        self.own = knowledge.own.get(release.wave, {})
        self.gave = {
            name: np.isin(self.people, list(by - {knowledge.insider}))
            for name, by in knowledge.gave[release.wave].items()
        }
        self.insider = self.people == knowledge.insider

    def _holds(self):
        rows = self.groups.select("cut", "parent", "members").rows()
        members = {(cut, name): set(m) for (cut, _, m), name in zip(rows, self.groups["group"], strict=True)}
        values = {cut: self.who[cut].to_list() for cut in CUTS}

        def held(cut, names):
            return np.array([value in names for value in values[cut]], bool)

        found = []
        for cut, parent, names in rows:
            if cut == "company":
                found.append(np.ones(len(self.people), bool))
            elif cut in CUTS:
                inside = held(cut, set(names))
                found.append(inside if parent is None else inside & held("region", members["region", parent]))
            else:
                one, other = cut.split(" × ")
                pairs = {tuple(name.split(" × ")) for name in names}
                found.append(np.array([pair in pairs for pair in zip(values[one], values[other], strict=True)], bool))
        return np.array(found)

    def seen(self, scale):
        """What is told of one question, the insider's own answer taken out."""
        gave, own = self.gave[scale.name], self.own.get(scale.name)
        told = self.cells.filter(pl.col("question_id") == scale.name).sort("place")
        place = told["place"].to_numpy()
        counts = told.select("n_high", "n_low", "score_sum").to_numpy().astype(float)
        n = told["n"].to_numpy().astype(float)
        band = told.select(pl.col("band_low").fill_null(0), pl.col("band_high").fill_null(1)).to_numpy()
        low = np.column_stack([np.ceil(band[:, 0] * n - SLACK), np.zeros_like(n), n * scale.low])
        high = np.column_stack([np.floor(band[:, 1] * n + SLACK), n, n * scale.high])
        exact = ~np.isnan(counts).any(axis=1)
        low, high = np.where(exact[:, None], counts, low), np.where(exact[:, None], counts, high)
        if own is not None:
            mine = np.array([own >= scale.favourable_from, own <= scale.unfavourable_to, own])
            with_me = (self.holds[place] & self.insider).any(axis=1)
            low, high = low - np.outer(with_me, mine), high - np.outer(with_me, mine)
        told_of = ~np.isnan(n)
        sets = self.holds[place] & gave
        heads = sets.sum(axis=1) + (0 if own is None else (self.holds[place] & self.insider).any(axis=1))
        assert (heads[told_of] == n[told_of]).all(), "a cell counts others than those who gave a score"
        return Seen(
            scale, sets, exact, np.where(told_of[:, None], low, np.nan), high, self.groups["cut"].to_numpy()[place]
        )


@dataclass
class Seen:
    """Sets of people (rows: sets, columns: people), and bounds of what is counted of them; NaN where nothing is told."""

    scale: Scale
    sets: np.ndarray
    exact: np.ndarray
    low: np.ndarray
    high: np.ndarray
    cuts: np.ndarray

    def __post_init__(self):
        self._complete()
        kept = self.exact & (self.sets.sum(axis=1) > 0)
        _, first = np.unique(self.sets[kept], axis=0, return_index=True)
        place = np.flatnonzero(kept)[np.sort(first)]
        #: The sets exactly known, once each, with what is counted of them.
        self.known, self.counts = self.sets[place], self.low[place]
        loose = ~self.exact & ~np.isnan(self.low[:, 0])
        self.loose, self.loose_low, self.loose_high = self.sets[loose], self.low[loose], self.high[loose]

    def _complete(self):
        """What siblings leave of their whole, and what parts make together: until nothing is added."""
        whole = self.sets.astype(np.float32)
        size = self.sets.sum(axis=1)
        inside = (whole @ whole.T) == size[None, :]  # [a, b]: b is inside a
        parts = []
        for a in range(len(self.sets)):
            for cut in set(self.cuts):
                children = np.flatnonzero(inside[a] & (self.cuts == cut) & (size > 0) & (np.arange(len(size)) != a))
                if (
                    len(children)
                    and size[children].sum() == size[a]
                    and self.sets[children].any(axis=0).sum() == size[a]
                ):
                    parts.append((a, children))
        rests = {}
        for _ in range(4):
            before = self.exact.sum() + len(rests)
            for a, children in parts:
                dark = children[~self.exact[children]]
                if not len(dark) and not self.exact[a]:
                    self.low[a] = self.high[a] = self.low[children].sum(axis=0)
                    self.exact[a] = True
                elif len(dark) and self.exact[a]:
                    left = self.low[a] - self.low[children[self.exact[children]]].sum(axis=0)
                    if len(dark) == 1:
                        self.low[dark[0]] = self.high[dark[0]] = left
                        self.exact[dark[0]] = True
                    else:
                        rests[tuple(dark)] = left
            if self.exact.sum() + len(rests) == before:
                break
        if rests:
            self.sets = np.vstack([self.sets, *(self.sets[list(dark)].any(axis=0)[None] for dark in rests)])
            self.low = np.vstack([self.low, *rests.values()])
            self.high = np.vstack([self.high, *rests.values()])
            self.exact = np.concatenate([self.exact, np.ones(len(rests), bool)])


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


def attack(releases, knowledge, *, solves=2):
    """All attacks on each wave of its own.

    Args:
        releases: Any number of waves' releases.
        knowledge: What the insider knows, from `knowing`.
        solves: Small groups of each wave and question for which programs are solved, those with the narrowest bounds.

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
                _together(found, tables, seen, solves)
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
        least = low[:, SUM] - np.where(exact, _best(n - k, n_high, middle, ends[:, 1]), (n - k) * scale.high)
        most = high[:, SUM] - np.where(exact, _best(n - k, n_low, middle, ends[::-1, 0]), (n - k) * scale.low)
        least = np.maximum(least, np.where(exact, _best(k, n_low, middle, ends[::-1, 0]), k * scale.low))
        most = np.minimum(most, np.where(exact, _best(k, n_high, middle, ends[:, 1]), k * scale.high))
        tell(SUM, k, least, most)


def _best(k, first, second, scores):
    """Sum of k scores taken from a class of `first` people, then one of `second`, then the rest."""
    one = np.minimum(k, first)
    two = np.minimum(k - one, second)
    return one * scores[0] + two * scores[1] + (k - one - two) * scores[2]


def _together(found, tables, seen, solves):
    """What all sets together say of the types of people, one type being those whom no released set parts."""
    scale = seen.scale
    rows = np.vstack([seen.known, seen.loose])
    people = np.flatnonzero(rows.any(axis=0))
    types, which = np.unique(rows[:, people], axis=1, return_inverse=True)
    which = which.ravel()
    size = np.bincount(which).astype(float)
    holds = types.astype(float)
    low, high = np.vstack([seen.counts, seen.loose_low]), np.vstack([seen.counts, seen.loose_high])
    bounds = _propagate(scale, holds, size, low, high)
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
    for ranked in (score, near):
        for place in np.argsort(ranked, axis=None, kind="stable")[:solves]:
            target, what = divmod(int(place), 2)
            if np.isfinite(ranked[target, what]):
                what = (HIGH, SUM)[what]
                chosen = targets[[target]].indices
                tell("programs", target, what, *_solve(scale, holds, size, low, high, bounds, chosen, what))


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


def _propagate(scale, holds, size, low, high):
    """Bounds of what is counted of each type, each set's equation used in turn, until they stand still."""
    top, bottom = scale.ends[:, 1], scale.ends[:, 0]
    least = np.column_stack([np.zeros_like(size), np.zeros_like(size), size * scale.low])
    most = np.column_stack([size, size, size * scale.high])
    inside = holds.astype(bool)
    for _ in range(6):
        was = least.sum() - most.sum()
        room, need = high - holds @ least, low - holds @ most
        for what in range(3):
            most[:, what] = np.minimum(
                most[:, what], least[:, what] + np.where(inside, room[:, what, None], np.inf).min(axis=0)
            )
            least[:, what] = np.maximum(
                least[:, what], most[:, what] + np.where(inside, need[:, what, None], -np.inf).max(axis=0)
            )
        most[:, HIGH] = np.minimum(most[:, HIGH], size - least[:, LOW])
        most[:, LOW] = np.minimum(most[:, LOW], size - least[:, HIGH])
        if scale.favourable_from == scale.unfavourable_to + 1:
            least[:, HIGH] = np.maximum(least[:, HIGH], size - most[:, LOW])
            least[:, LOW] = np.maximum(least[:, LOW], size - most[:, HIGH])
        # The sum from the classes, and the classes from the sum.
        most[:, SUM] = np.minimum(most[:, SUM], _best(size, most[:, HIGH], size - most[:, HIGH] - least[:, LOW], top))
        least[:, SUM] = np.maximum(
            least[:, SUM], _best(size, most[:, LOW], size - most[:, LOW] - least[:, HIGH], bottom[::-1])
        )
        if top[0] > top[1]:
            least[:, HIGH] = np.maximum(
                least[:, HIGH], np.ceil((least[:, SUM] - top[1] * size) / (top[0] - top[1]) - SLACK)
            )
        if bottom[1] > bottom[2]:
            least[:, LOW] = np.maximum(
                least[:, LOW], np.ceil((bottom[1] * size - most[:, SUM]) / (bottom[1] - bottom[2]) - SLACK)
            )
        if least.sum() - most.sum() <= was + SLACK:
            break
    assert (least <= most + 1e-3).all(), "the tables contradict one another"
    return least, most


def _solve(scale, holds, size, low, high, bounds, members, what):
    """Least and greatest count of a union of types that all tables allow; integers where a first program comes near."""
    n_types = len(size)
    top, bottom = scale.ends[:, 1], scale.ends[:, 0]
    zero = np.zeros_like(holds)
    eye = np.eye(n_types)
    # Unknowns: high, low and sum of each type. The middle is what is left.
    free, whole = np.full(n_types, np.inf), np.where(scale.favourable_from == scale.unfavourable_to + 1, size, 0)
    blocks = [(np.hstack([holds if w == v else zero for v in range(3)]), low[:, w], high[:, w]) for w in range(3)]
    blocks += [
        (np.hstack([eye, eye, 0 * eye]), whole, size),
        (np.hstack([-(top[0] - top[1]) * eye, (top[1] - top[2]) * eye, eye]), -free, top[1] * size),
        (np.hstack([-(bottom[0] - bottom[1]) * eye, (bottom[1] - bottom[2]) * eye, eye]), bottom[1] * size, free),
    ]
    rows = csr_array(np.vstack([block for block, _, _ in blocks]))
    told = LinearConstraint(rows, *(np.concatenate([block[side] for block in blocks]) - sign * SLACK
                                    for side, sign in ((1, 1), (2, -1))))  # fmt: skip
    limits = Bounds(bounds[0].T.ravel(), np.maximum(bounds[0], bounds[1]).T.ravel())
    aim = np.zeros(3 * n_types)
    aim[np.array(members) + what * n_types] = 1
    span = size[members].sum() * (scale.high - scale.low if what == SUM else 1)
    result = (bounds[0][members, what].sum(), bounds[1][members, what].sum())
    for whole in (0, 1):
        ends = []
        for sign, other in ((1, result[0]), (-1, result[1])):
            options = {"time_limit": 2.0}
            done = milp(
                sign * aim, integrality=np.full(len(aim), whole), bounds=limits, constraints=told, options=options
            )
            assert done.status in (0, 1), f"the tables contradict one another: {done.message}"
            bound = done.mip_dual_bound if whole else done.fun
            ends.append(other if bound is None else sign * bound)
        result = (ends[0], ends[1]) if not whole else (np.ceil(ends[0] - 1e-4), np.floor(ends[1] + 1e-4))
        if result[1] - result[0] > 3 * NEAR * span or result[1] - result[0] <= NEAR * span:
            break
    return result


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
