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

from cadran.book.pulse import LATEST
from cadran.measures.disclosure import release
from cadran.measures.disclosure_latest import release_latest
from cadran.measures.latest import latest_of, told_of_latest, told_of_wave

CHANCE = 0.001


def guesses(releases, knowledge, *, alike=0.9):
    """Claims: `wave`, `question_id`, `people`, `n`, `guess`, `sure` (standard deviation), `plain` (the base's guess)."""
    told = [Tables(release, knowledge) for release in releases]
    everybody = np.unique(np.concatenate([tables.people for tables in told]))
    rows = []
    for name in dict.fromkeys(scale.name for tables in told for scale in tables.scales):
        rows += _of_question(name, told, everybody, alike, knowledge.given)
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


def _of_question(name, told, everybody, alike, given):
    """Claims on one question, all waves together. Of latest answers, each is one of the wave it was given in."""
    sets, sums, seen, parts, n = [], [], {}, defaultdict(list), 0
    order = {tables.wave: number for number, tables in enumerate(each for each in told if each.wave not in given)}
    for tables in told:
        scale = next((scale for scale in tables.scales if scale.name == name), None)
        if scale is None:
            continue
        one = tables.seen(scale)
        known = np.zeros((len(one.known), len(everybody)), np.float32)
        known[:, np.searchsorted(everybody, tables.people)] = one.known
        sets.append(known)
        sums.append(one.counts[:, SUM])
        if tables.wave in order:
            seen[tables.wave] = tables, one
        at = given.get(tables.wave, {}).get(name, {})
        of = np.array([order.get(at.get(person, tables.wave), -1) for person in everybody])
        for wave in np.unique(of[known.any(axis=0)]):
            parts[wave].append((np.arange(n, n + len(known)), known * (of == wave)))
        n += len(known)
    holds, total = np.vstack(sets), np.concatenate(sums)
    if not len(total):
        return []
    by_wave = {
        wave: (np.concatenate([row for row, _ in some]), np.vstack([one for _, one in some]))
        for wave, some in parts.items()
    }
    size = holds.sum(axis=1)
    mean = total.sum() / size.sum()
    base = np.nan_to_num(_plain(holds, total), nan=mean)
    variance = _variance(next(iter(seen.values()))[1].scale, [one for _, one in seen.values()])
    together = np.zeros((n, n))
    for one, (rows, some) in by_wave.items():
        for other, (columns, rest) in by_wave.items():
            together[np.ix_(rows, columns)] += alike ** abs(one - other) * (some @ rest.T)
    values, vectors = np.linalg.eigh(variance * together)
    kept = values > 1e-5 * values.max()
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    weights = inverse @ (total - mean * size)
    rows = []
    for number, (tables, one) in seen.items():
        scale, gave = one.scale, tables.gave[name]
        targets = _targets(tables, gave)
        people = np.searchsorted(everybody, tables.people)
        common = np.zeros((targets.shape[0], n))
        for wave, (columns, some) in by_wave.items():
            common[:, columns] += variance * alike ** abs(wave - order[number]) * (targets @ some[:, people].T)
        n_of = targets.sum(axis=1)
        guess = mean + common @ weights / n_of
        sure = np.sqrt(np.maximum(variance * n_of - ((common @ inverse) * common).sum(axis=1), 0)) / n_of
        plain = targets @ base[people] / n_of
        alone = n_of == 1
        guess, plain = np.where(alone, np.rint(guess), guess), np.where(alone, np.rint(plain), plain)
        guess = np.clip(guess, scale.low, scale.high)
        for place in np.flatnonzero(sure <= NEAR / 2 * (scale.high - scale.low) / norm.ppf(0.95)):
            names = ",".join(tables.people[targets[[place]].indices])
            told_of = (guess[place], sure[place], plain[place], float(scale.high - scale.low))
            rows.append((tables.wave, name, names, int(n_of[place]), *told_of))
    return rows


def _variance(scale, seen):
    """Between people, as classes shown of the largest sets tell it, each class at its middle score."""
    ends = scale.ends.mean(axis=1)
    parts = defaultdict(float)
    for one in seen:
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


def attacked(seed, people, mode, *, protect=True, n_waves=8, solves=1, insiders=1, rolling=0):
    """Every attack on the releases of an invented company, by somebody outside and by some of its people.

    Args:
        seed: Of the company, of so many `people`, `mode` and `n_waves`.
        protect: Whether releases are protected.
        solves: As `attack` has it.
        insiders: How many of them.
        rolling: Through how many waves answers count in latest answers, told after each wave; 0: none are.

    Returns:
        `recovered` (values by bounds, those that only rule out left aside: `ruled_out`), `persons` (whose answer is among
        them), `comments` (whose writer is one of few), `guessed`, of which `guessed_persons` (beyond
        chance, across waves), and how many cells were told how.
    """
    open_waves = company(seed, people, n_waves)
    waves = open_waves if mode == "confidential" else company(seed, people, n_waves, mode)
    told = []
    for number, wave in enumerate(waves):
        its = release(wave, [(each.wave, each.release) for each in told], protect=protect)
        told.append(told_of_wave(wave, its))
        if rolling:
            told.append(_latest(waves[max(0, number - rolling + 1) : number + 1], told, protect))
    releases = [each.release for each in told]
    latest = [each for each in told if each.wave.wave.endswith(LATEST)]
    waves, given = [each.wave for each in told], {each.wave.wave: _given(each) for each in latest}
    answers = truth([*open_waves, *(each.wave for each in latest)])
    counted = Counter(told for each in releases for told in each.cells["told"])
    found = pl.concat(
        attack(releases, knowing(waves, answers, insider), solves=solves, answers=answers)
        for insider in (None, *lonely(releases, answers, insiders))
    ).unique(["wave", "question_id", "what", "n", "people"])
    within = judged(found, answers)["within"]
    assert within.all(), "bounds that do not hold the truth: the releases or the attack are wrong"
    nobody = ruled_out(found)
    values = found.filter(pl.col("what") != "comment").join(nobody, on=found.columns, how="anti", nulls_equal=True)
    knowledge = knowing(waves, answers, given=given)
    claims = [guesses(releases, knowledge, alike=alike) for alike in (0.9, 0.99)]
    across = [scored(each, answers) for each in claims]
    alone = [scored(each.filter(n=1), answers) for each in claims]
    return {
        "recovered": len(values), "ruled_out": len(nobody), "comments": len(found.filter(what="comment")),
        "persons": values.filter(n=1)["people"].str.split(",").explode().n_unique(),
        "guessed": max(each["recovered"] for each in across), "guessed_persons": max(each["recovered"] for each in alone),
        "claims": max(each["claims"] for each in across),
        "exact": counted["exact"], "band": counted["band"], "withheld": counted["withheld"],
    }  # fmt: skip


def _latest(waves, told, protect):
    """What is told of latest answers: without protection all of them."""
    its = release_latest(waves, told) if protect else release(latest_of(waves)[0], protect=False)
    return told_of_latest(waves, its, ())


def _given(latest):
    """By question, the wave in which each person gave their latest answer."""
    found = defaultdict(dict)
    for person, name, wave in latest.given.iter_rows():
        found[name][person] = wave.rpartition("@")[2]
    return found


def lonely(releases, answers, number):
    """The people who most often stand nearly alone with what they answered in the waves: the most dangerous insiders."""
    alone = Counter()
    for each in releases:
        for by in answers[each.wave].values():
            scores = Counter(by.values())
            for person, score in by.items():
                alone[person] += 1 / scores[score]
    return [person for person, _ in alone.most_common(number)]
