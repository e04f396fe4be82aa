"""Invented companies that answer a pulse survey wave after wave: the worst case for who would single people out.

Teams of one to four, a role of one person, everybody of one opinion, joiners, leavers and movers, and people who mostly
answer what they answered before.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from cadran.book.ballots_groups import comment_groups, grouped, labelled
from cadran.tables.pulse import CUTS, TREE, Answer, Comment, Invited, Question, Terms, Wave

FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
ENPS, COMMENT = "recommend", "words"
#: Names of the eight agreement questions; those of `REVERSED` are good when low, those of `AGREED` nearly unanimous.
AGREEMENT = ("tools", "workload", "pay", "manager", "process", "data", "recognition", "goals")
REVERSED, AGREED = ("workload", "process"), ("manager", "data")
TENURE = ("<1 year", "1-3 years", "3-5 years", "5-10 years", ">10 years")
SCALE = ("low", "high", "unfavourable_to", "favourable_from")
CONTRACT = ("permanent", "fixed term", "apprentice", "freelance")


def company(seed, people, n_waves=8, mode="confidential", *, crossed=()):
    """The closed waves of an invented company of about `people`, oldest first: the same for the same arguments.

    Six cuts, the tree among them; ten questions: one eNPS (0 to 10 for an even seed, 1 to 10 for an odd one), eight
    agreements (1 to 5), one comment. Both modes of a company hold the same answers: anonymous waves store them as
    `Answer` says, confidential ones each with its attributes, the pseudonym as ballot.
    """
    rng = np.random.default_rng([seed, people])
    others = rng.permutation([cut for cut in CUTS if cut not in TREE])[:4]
    cuts = TREE + tuple(cut for cut in CUTS if cut in others)
    world = _World(rng, people, cuts)
    questions, scales = _questions(seed)
    terms = Terms(
        "pulse", {"en": "Pulse", "fr": "Pouls"}, mode, controller="Example", cuts=cuts, crossed=tuple(crossed)
    )
    waves = []
    for number in range(n_waves):
        if number:
            world.move_on()
        world.answer(scales, afresh=not number)
        opened = FIRST + timedelta(days=28 * number)
        *frames, groups = world.collected(scales, terms)
        waves.append(
            Wave(
                terms, f"2026-{number + 1:02}", opened, opened + timedelta(days=7), questions, *frames, noted={"groups": groups}
            )
        )  # fmt: skip
    return waves


def turned(question, score):
    """Scores as they count: high is good."""
    return question["low"] + question["high"] - score if question["is_reversed"] else score


class _World:
    """Who is in the company, where, and what each of them would answer."""

    def __init__(self, rng, people, cuts):
        self.rng, self.cuts = rng, cuts
        # Of its own, so that both modes of a company give the same answers.
        self.unlinking = np.random.default_rng([people, len(cuts), 6])
        self.n = people + int(people * 0.25) + 4
        n_teams, n_regions = max(5, people // 11), int(np.clip(people // 35, 3, 9))
        self.region_of = rng.choice(n_regions, n_teams, p=_skewed(rng, n_regions))
        self.region_of[:n_regions] = np.arange(n_regions)
        self.country_of = np.arange(n_regions) % min(3, n_regions - 1)
        self.department_of = rng.choice(5, n_teams, p=_skewed(rng, 5))
        self.site_of = rng.integers(0, n_regions + 1, n_regions)
        self.team_names = np.array([f"R{r + 1} team {t + 1:03}" for t, r in enumerate(self.region_of)])
        tiny = rng.permutation(n_teams)[: max(3, n_teams // 8)]
        first = np.repeat(tiny, rng.integers(1, 5, len(tiny)))
        weights = rng.lognormal(0, 0.7, n_teams)
        weights[tiny] = 0
        self.weights = weights / weights.sum()
        self.team = rng.choice(n_teams, self.n, p=self.weights)
        self.team[: len(first)] = first
        self.role = rng.choice(5, self.n, p=_skewed(rng, 5)) + 1
        self.role[rng.integers(0, people)] = 0
        self.tenure = rng.choice(5, self.n, p=(0.2, 0.3, 0.2, 0.2, 0.1))
        self.contract = rng.choice(4, self.n, p=(0.86, 0.08, 0.05, 0.01))
        self.astray = rng.random((self.n, 2)) < 0.12
        self.elsewhere = rng.integers(0, (n_regions + 1, 5), (self.n, 2))
        self.unknown = rng.random(self.n) < 0.01
        self.here = np.arange(self.n) < people
        self.opinion, self.mood = rng.standard_normal(self.n), 0.5 * rng.standard_normal(n_teams)
        self.takes_part = np.where(rng.random(n_teams) < 0.2, 1.0, rng.uniform(0.55, 1, n_teams))
        self.of_one_mind = (rng.random((n_teams, 9)) < 0.15) & ~np.isin(("", *AGREEMENT), AGREED)
        self.common = rng.random((n_teams, 9))

    def move_on(self):
        """From one wave to the next: 2 % leave, 2 % join, 3 % change team, some grow older in the company."""
        rng = self.rng
        leaving = self.here & (rng.random(self.n) < 0.02)
        free = np.flatnonzero(~self.here & (np.arange(self.n) > np.flatnonzero(self.here).max()))
        joining = free[: rng.poisson(0.02 * self.here.sum())]
        self.here &= ~leaving
        self.here[joining], self.tenure[joining] = True, 0
        moving = rng.random(self.n) < 0.03
        self.team = np.where(moving, rng.choice(len(self.weights), self.n, p=self.weights), self.team)
        self.tenure = np.minimum(self.tenure + (rng.random(self.n) < 0.02), 4)

    def answer(self, scales, afresh):
        """What each would answer, in the scale as asked: nine in ten answer what they did before."""
        rng, fresh = self.rng, np.empty((self.n, len(scales)), np.int16)
        for number, question in enumerate(scales):
            low, high = question["low"], question["high"]
            at, spread = (0.97, 0.05) if question["question_id"] in AGREED else (0.72 - 0.06 * (number % 5), 0.22)
            noise = 0.7 * self.opinion + self.mood[self.team] + 0.6 * rng.standard_normal(self.n)
            level = at + spread * noise
            mind = self.of_one_mind[self.team, number]
            level = np.where(mind, self.common[self.team, number] ** 0.5, level)
            fresh[:, number] = turned(question, np.clip(np.rint(low + (high - low) * level), low, high))
        if afresh:
            self.scores = fresh
        else:
            again = rng.random(fresh.shape) < 0.9
            moved = self.of_one_mind[self.team]
            self.scores = np.where(again & ~moved, self.scores, fresh)

    def collected(self, scales, terms):
        """Invited, answers and comments of one wave, and the groups it was stored by."""
        rng = self.rng
        rate = np.clip(self.takes_part + rng.normal(0, 0.04, len(self.takes_part)) * (self.takes_part < 1), 0.55, 1)
        answered = self.here & (rng.random(self.n) < rate[self.team])
        who = self._attributes().with_columns(
            person=pl.format("p{}", pl.int_range(self.n).cast(pl.String).str.zfill(5)), answered=pl.lit(answered)
        )
        invited = _as(Invited, who.filter(pl.lit(self.here)))
        ids = pl.Series([q["question_id"] for q in scales])
        fate = rng.random(self.scores.shape)
        given, told = answered[:, None] & (fate > 0.02), fate > 0.03
        person, number = np.nonzero(given)
        answers = who[person].with_columns(
            question_id=ids.gather(number),
            score=pl.when(pl.lit(told[person, number])).then(pl.lit(self.scores[person, number])),
            ballot=pl.col("person"),
        )
        writes = np.flatnonzero(answered & (rng.random(self.n) < 0.25))
        texts = pl.Series([f"comment {number}" for number in rng.permutation(len(writes))])
        comments = who[writes].select("person", *TREE, question_id=pl.lit(COMMENT), text=texts)
        if terms.mode == "confidential":
            return invited, _as(Answer, answers), _as(Comment, comments), []
        groups = grouped(invited, terms)
        shown = comment_groups(invited, terms, groups)
        labels = invited.select("person", **{column: labelled(shown, column) for column in shown.columns})
        comments = comments.drop(TREE).join(labels, on="person").drop("person").sort("text")
        told = [row for each in groups for row in each.noted()]
        return invited, _as(Answer, self._unlinked(answers, invited, groups)), _as(Comment, comments), told

    def _attributes(self):
        region = self.region_of[self.team]
        site = np.where(self.astray[:, 0], self.elsewhere[:, 0], self.site_of[region])
        department = np.where(self.astray[:, 1], self.elsewhere[:, 1], self.department_of[self.team])
        told = pl.DataFrame(
            {
                "region": pl.Series([f"R{r + 1}" for r in range(len(self.country_of))]).gather(region),
                "team": self.team_names[self.team],
                "department": pl.Series(["sales", "service", "marketing", "finance", "IT"]).gather(department),
                "role": pl.Series(["director", "hunter", "farmer", "engineer", "support", "manager"]).gather(self.role),
                "tenure": pl.Series(TENURE).gather(self.tenure),
                "site": [f"site {s}" for s in site],
                "contract": pl.Series(CONTRACT).gather(self.contract),
                "country": pl.Series(["France", "Belgium", "Spain"]).gather(self.country_of[region]),
            }
        )
        told = told.with_columns(site=pl.when(~pl.lit(self.unknown)).then("site"))
        return told.with_columns(pl.lit(None, pl.String).alias(cut) for cut in CUTS if cut not in self.cuts)

    def _unlinked(self, answers, invited, groups):
        """Each answer once without attributes, its ballot new, and once per cut with its stored group alone."""
        rng = self.unlinking
        people = answers["person"].unique(maintain_order=True)
        ballots = pl.DataFrame({"person": people, "ballot": [f"b{b:05}" for b in rng.permutation(len(people))]})
        given = answers.select("person", "question_id", "score")
        kept = [given.join(ballots, on="person").drop("person").sort("ballot", "question_id")]
        for each in groups:
            labels = invited.select("person", **{column: labelled(each, column) for column in each.columns})
            copy = given.join(labels, on="person").drop("person").with_columns(cut=pl.lit(each.cut))
            kept.append(copy[rng.permutation(len(copy))])
        return pl.concat(kept, how="diagonal")


def _skewed(rng, n):
    weights = (1 / np.arange(1, n + 1)) * rng.uniform(0.7, 1.3, n)
    return weights / weights.sum()


def _questions(seed):
    """The questions as a frame, and those with a scale as rows."""
    bottom = seed % 2
    rows = [
        {"question_id": ENPS, "kind": f"enps_{bottom}_10", "low": bottom, "high": 10, "unfavourable_to": 6, "favourable_from": 9}
    ]  # fmt: skip
    for name in AGREEMENT:
        scale = {"low": 1, "high": 5, "unfavourable_to": 2, "favourable_from": 4}
        rows.append({"question_id": name, "kind": "agreement", "dimension": name, **scale})
    rows.append({"question_id": COMMENT, "kind": "comment"})
    for row in rows:
        row |= {
            "is_reversed": row["question_id"] in REVERSED,
            "text_en": row["question_id"],
            "text_fr": row["question_id"],
        }
    frame = pl.DataFrame(rows, schema_overrides=dict.fromkeys(SCALE, pl.Int16))
    return _as(Question, frame), rows[:-1]


def _as(schema, frame):
    """A frame with all columns of a table, in their order and types."""
    empty = schema.create_empty()
    return pl.concat(
        [empty, frame.select(c for c in frame.columns if c in empty.columns)], how="diagonal_relaxed"
    ).cast(dict(empty.schema))
