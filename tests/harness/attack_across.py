"""An attack across waves: guesses at what people answered, from tables of all waves together.

People mostly answer what they answered before, while who answers changes: so tables of several waves are sums over
changing sets of much the same answers. The guess is the best linear one: answers as a Gaussian process, alike from wave
to wave (correlation `alike` per wave), independent between people, given every exactly known sum of every wave; the
guess's own standard deviation says how sure it is. Persons, and groups of fewer than the minimum, are guessed at.

How guesses are scored: a guess is a claim when nine in ten such guesses should lie within ±10 % of the range; on one
question each person is in one claim, the surest, so that no guess counts again and again. It hits if it does lie there.
The base rate is what anybody says who reads the tables as they are meant to be read: the mean of the smallest group shown
in any wave that holds the person. Recovered is how many more claims hit than the base does of the same ones, where chance
gives such an excess less than once in a thousand times (exact McNemar test); 0 where not.
"""

from collections import Counter, defaultdict

import numpy as np
import polars as pl
from attack import attack, judged, ruled_out
from attack_bounds import NEAR, SUM
from attack_tables import Tables, knowing, truth
from pulse_companies import company
from scipy.sparse import csr_array
from scipy.stats import binomtest, norm

from cadran.measures.disclosure import release

CHANCE = 0.001


def guesses(releases, knowledge, *, alike=0.9):
    """Claims: `wave`, `question_id`, `people`, `n`, `guess`, `sure` (standard deviation), `plain` (the base's guess)."""
    told = [Tables(release, knowledge) for release in releases]
    everybody = np.unique(np.concatenate([tables.people for tables in told]))
    rows = []
    for name in dict.fromkeys(scale.name for tables in told for scale in tables.scales):
        rows += _of_question(name, told, everybody, alike)
    columns = ["wave", "question_id", "people", "n", "guess", "sure", "plain", "range"]
    types = [pl.String] * 3 + [pl.Int64] + [pl.Float64] * 4
    claims = pl.DataFrame(rows, dict(zip(columns, types, strict=True)), orient="row")
    claims, taken, kept = claims.sort("sure", "wave", "question_id", "people"), defaultdict(set), []
    for place, (name, people) in enumerate(claims.select("question_id", "people").iter_rows()):
        if taken[name].isdisjoint(people.split(",")):
            taken[name] |= set(people.split(","))
            kept.append(place)
    return claims[kept]


def scored(claims, answers):
    """How many claims, how many of them hit, how many the base hits, and what is recovered beyond chance."""
    if not len(claims):
        return {"claims": 0, "hits": 0, "base_hits": 0, "recovered": 0}
    truth = [
        np.mean([answers[wave][name][person] for person in people.split(",")])
        for wave, name, people in claims.select("wave", "question_id", "people").iter_rows()
    ]
    near = NEAR / 2 * claims["range"].to_numpy() + 1e-9
    hit, base = (np.abs(claims[column].to_numpy() - truth) <= near for column in ("guess", "plain"))
    won, lost = int((hit & ~base).sum()), int((base & ~hit).sum())
    beyond = won > lost and binomtest(won, won + lost, 0.5, alternative="greater").pvalue < CHANCE
    return {
        "claims": len(claims), "hits": int(hit.sum()), "base_hits": int(base.sum()), "recovered": won - lost if beyond else 0,
    }  # fmt: skip


def _of_question(name, told, everybody, alike):
    """Claims on one question, all waves together."""
    sets, sums, when, seen = [], [], [], {}
    for number, tables in enumerate(told):
        scale = next((scale for scale in tables.scales if scale.name == name), None)
        if scale is None:
            continue
        seen[number] = tables.seen(scale)
        known = np.zeros((len(seen[number].known), len(everybody)), np.float32)
        known[:, np.searchsorted(everybody, tables.people)] = seen[number].known
        sets.append(known)
        sums.append(seen[number].counts[:, SUM])
        when += [number] * len(known)
    holds, total, when = np.vstack(sets), np.concatenate(sums), np.array(when)
    if not len(total):
        return []
    size = holds.sum(axis=1)
    mean = total.sum() / size.sum()
    base = np.nan_to_num(_plain(holds, total), nan=mean)
    variance = _variance(next(iter(seen.values())).scale, seen)
    over = alike ** np.abs(when[:, None] - when[None, :])
    values, vectors = np.linalg.eigh(variance * (holds @ holds.T) * over)
    kept = values > 1e-5 * values.max()
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    weights = inverse @ (total - mean * size)
    rows = []
    for number, one in seen.items():
        tables, scale = told[number], one.scale
        gave = tables.gave[name]
        targets = _targets(tables, gave)
        people = np.searchsorted(everybody, tables.people)
        common = variance * (targets @ holds[:, people].T) * alike ** np.abs(when - number)[None, :]
        n = targets.sum(axis=1)
        guess = mean + common @ weights / n
        sure = np.sqrt(np.maximum(variance * n - ((common @ inverse) * common).sum(axis=1), 0)) / n
        plain = targets @ base[people] / n
        alone = n == 1
        guess, plain = np.where(alone, np.rint(guess), guess), np.where(alone, np.rint(plain), plain)
        guess = np.clip(guess, scale.low, scale.high)
        for place in np.flatnonzero(sure <= NEAR / 2 * (scale.high - scale.low) / norm.ppf(0.95)):
            names = ",".join(tables.people[targets[[place]].indices])
            told_of = (guess[place], sure[place], plain[place], float(scale.high - scale.low))
            rows.append((tables.wave, name, names, int(n[place]), *told_of))
    return rows


def _variance(scale, seen):
    """Between people, as classes shown of the largest sets tell it, each class at its middle score."""
    ends = scale.ends.mean(axis=1)
    parts = defaultdict(float)
    for one in seen.values():
        if len(one.known):
            place = one.known.sum(axis=1).argmax()
            n, (high, low) = one.known[place].sum(), one.counts[place, :2]
            for score, count in zip(ends, (high, n - high - low, low), strict=True):
                parts[score] += count
    scores, counts = np.array(list(parts)), np.array(list(parts.values()))
    return max(np.cov(scores, fweights=counts.astype(int)).item() if counts.sum() > 1 else 0, 0.05)


def _plain(holds, total):
    """For each person the mean of the smallest set shown in any wave that held them; NaN where none did."""
    size = holds.sum(axis=1)
    guess = np.full(holds.shape[1], np.nan)
    for place in np.argsort(-size, kind="stable"):
        guess[holds[place] > 0] = total[place] / size[place]
    return guess


def _targets(tables, gave):
    """Each person, and the people of each value of a cut, or of two crossed, that hold fewer than the minimum: a sparse
    matrix of targets by people."""
    people, chosen = np.flatnonzero(gave), set()
    for code in tables.codes:
        order = people[np.argsort(code[people], kind="stable")]
        for members in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
            if 1 < len(members) < tables.minimum:
                chosen.add(tuple(members.tolist()))
    rows = [(person,) for person in people.tolist()] + sorted(chosen)
    starts = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.array([person for row in rows for person in row], int)
    return csr_array((np.ones(len(columns)), columns, starts), shape=(len(rows), len(gave)))


def attacked(seed, people, mode, *, protect=True, n_waves=8, solves=1, insiders=1):
    """Every attack on the releases of an invented company, by somebody outside and by some of its people.

    Returns:
        `recovered` (values by bounds, those that only rule out left aside: `ruled_out`), `persons` (whose answer is among
        them), `comments` (whose writer is one of few), `guessed`, of which `guessed_persons` (beyond
        chance, across waves), and how many cells were told how.
    """
    open_waves = company(seed, people, n_waves)
    waves = open_waves if mode == "confidential" else company(seed, people, n_waves, mode)
    answers = truth(open_waves)
    releases = []
    for wave in waves:
        releases.append(release(wave, list(zip(waves, releases, strict=False)), protect=protect))
    told = Counter(told for each in releases for told in each.cells["told"])
    found = pl.concat(
        attack(releases, knowing(waves, answers, insider), solves=solves, answers=answers)
        for insider in (None, *lonely(releases, answers, insiders))
    ).unique(["wave", "question_id", "what", "n", "people"])
    within = judged(found, answers)["within"]
    assert within.all(), "bounds that do not hold the truth: the releases or the attack are wrong"
    nobody = ruled_out(found)
    values = found.filter(pl.col("what") != "comment").join(nobody, on=found.columns, how="anti", nulls_equal=True)
    knowledge = knowing(waves, answers)
    claims = [guesses(releases, knowledge, alike=alike) for alike in (0.9, 0.99)]
    across = [scored(each, answers) for each in claims]
    alone = [scored(each.filter(n=1), answers) for each in claims]
    return {
        "recovered": len(values), "ruled_out": len(nobody), "comments": len(found.filter(what="comment")),
        "persons": values.filter(n=1)["people"].str.split(",").explode().n_unique(),
        "guessed": max(each["recovered"] for each in across), "guessed_persons": max(each["recovered"] for each in alone),
        "claims": max(each["claims"] for each in across),
        "exact": told["exact"], "band": told["band"], "withheld": told["withheld"],
    }  # fmt: skip


def lonely(releases, answers, number):
    """The people who most often stand nearly alone with what they answered in the waves: the most dangerous insiders."""
    alone = Counter()
    for each in releases:
        for by in answers[each.wave].values():
            scores = Counter(by.values())
            for person, score in by.items():
                alone[person] += 1 / scores[score]
    return [person for person, _ in alone.most_common(number)]
