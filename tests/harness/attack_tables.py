"""What an insider sees of released pulse tables: sets of people, and what is told of each."""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import polars as pl

from cadran.tables.pulse import CUTS, SCORED

SLACK = 1e-6


@dataclass(frozen=True)
class Knowledge:
    """What is known beforehand, by wave: `Invited`, who gave a score to which question, and one's own scores, turned."""

    invited: dict[str, pl.DataFrame]
    gave: dict[str, dict[str, frozenset]]
    own: dict[str, dict[str, int]] = field(default_factory=dict)
    insider: str | None = None
    #: Of tables of latest answers: by wave and question, the wave in which each person gave theirs.
    given: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)


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


def knowing(waves, answers, insider=None, given=None):
    """The knowledge of an insider of these waves, whose `truth` is `answers`; `given` as `Knowledge` has it."""
    gave = {wave: {name: frozenset(by) for name, by in told.items()} for wave, told in answers.items()}
    own = {
        wave: {name: by[insider] for name, by in told.items() if insider in by} for wave, told in answers.items()
    }  # fmt: skip
    return Knowledge({wave.wave: wave.invited for wave in waves}, gave, own, insider, given or {})


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
            name: self.who["person"].is_in(list(by - {knowledge.insider})).to_numpy()
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
