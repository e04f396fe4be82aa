"""What goes with eNPS in one wave of a survey: which questions tell most of it, how surely. Of the company, never of a group."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.pulse import pulse_of
from cadran.book.whole import whole_of
from cadran.measures.releases import released, sees_all
from cadran.models.drivers_told import by_order, by_pairs, estimates, priorities
from cadran.tables.measured.drivers import Driver
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY, ENPS, MOST_QUESTIONS, SCORED, Release, Wave

#: People who answered all of it, in all and per question, under whom nothing is told: docs/drivers.md shows what fewer tell.
LEAST, LEAST_PER_QUESTION = 100, 15
#: People who answered otherwise than most: of fewer, what goes with their answer would be what they said.
LEAST_APART = 10
#: Answers correlated beyond this are nearly one question.
ALIKE = 0.9
#: Share of incomplete answers from which pairs of answers are looked at too.
MANY_MISSING = 0.1
#: From this rank correlation on, scores and their order are said to agree.
AGREES = 0.8


@dataclass(frozen=True)
class Drivers:
    """What goes with the outcome in one wave: frames as `cadran.tables.measured.drivers` has them."""

    #: Survey and wave; the day it closed.
    wave: str
    closed: date
    #: The question that asks for the outcome, and its scale.
    outcome: str
    kind: str
    #: People who answered anything, and all of what is compared.
    n_answered: int
    n: int
    #: Adjusted R² of all questions together, with its 95 % interval.
    r2: float
    r2_low: float
    r2_high: float
    #: Rank correlation of what the questions tell of scores with what they tell of their order; null: not told.
    agreement: float | None
    rows: pl.DataFrame
    #: `dimension`, and the points of the outcome that go with one point more on each of its questions: `slope`, its ends.
    dimensions: pl.DataFrame
    priorities: pl.DataFrame
    #: What else is to be known of it.
    notes: tuple[Problem, ...] = field(default=())

    def raised(self, rise: float) -> pl.DataFrame:
        """Points of the outcome that go with answers `rise` points higher to all questions of a dimension, the others alike:
        what is seen among people, not what raising them would do. As `Raised`, the most first."""
        ends = {name.replace("slope", "effect"): rise * pl.col(name) for name in ("slope", "slope_low", "slope_high")}
        told = self.dimensions.select("dimension", rise=pl.lit(rise), **ends)
        return told.sort("effect", descending=True)


def drivers(book: Book, wave: str | None = None, seed: int = 0) -> Drivers:
    """What goes with eNPS in a wave that was released: it goes with it, it need not cause it.

    Args:
        book: At its moment.
        wave: Its name; by default the last one released that asks for eNPS.
        seed: Of the draws.

    Raises:
        Problem: If the reader does not see the company, nothing was released, or too few answered (`of_wave`).
    """
    if not sees_all(book):
        raise Problem("What goes with eNPS is told of the whole company.", "Ask somebody who may read all of it.")
    told = {each.name: each for each in released(whole_of(book, __name__))}
    if wave is None:
        asking = [name for name, each in told.items() if each.questions["kind"].is_in(ENPS).any()]
        if not asking:
            raise Problem("No wave was released that asks for eNPS.", "Waves are released once they have closed.")
        wave = asking[-1]
    if wave not in told:
        raise Problem("{name} was not released.", "Waves that were released: {names}.", name=wave,
                      names=", ".join(told) or "-")  # fmt: skip
    pulse = pulse_of(book)
    if wave not in pulse.wave_names():
        raise Problem("The answers of {name} were purged.", "Ask about a wave whose answers are still kept.", name=wave)
    return of_wave(pulse.wave(wave), told[wave], seed)


def of_wave(wave: Wave, release: Release | None = None, seed: int = 0) -> Drivers:
    """What goes with eNPS in one wave.

    Args:
        wave: With its answers.
        release: What was released of it, for the shares of the priorities; without it they are not told.
        seed: Of the draws.

    Returns:
        Questions by how much of R² they tell, from people who answered all of them. R² and dominance are adjusted for
        what chance adds; intervals are percentiles of people drawn anew, adjusted twice, as the draw adds as much again.

    Raises:
        Problem: If answers cannot be joined by person, nothing is asked that could be an outcome, all answered it alike,
            or fewer than `LEAST`, or `LEAST_PER_QUESTION` times the questions, answered all of it.
    """
    asked = _outcome(wave)
    if release is not None and _is_withheld(release, asked["question_id"]):
        raise Problem("Of {wave} nothing is told of the whole company, and so nothing of what goes with its eNPS.",
                      "`cadran audit pulse` says why.", wave=wave.name)  # fmt: skip
    of = wave.questions.filter(pl.col("kind").is_in(SCORED) & ~pl.col("kind").is_in(ENPS))
    table = _table(wave, [*of["question_id"], asked["question_id"]])
    names, aside = _usable(table, of["question_id"].to_list(), asked["question_id"])
    if len(names) > MOST_QUESTIONS:
        raise Problem("{n} questions are too many to compare.", "A wave of {most} or fewer can be told.",
                      n=len(names), most=MOST_QUESTIONS)  # fmt: skip
    values = table.select([*names, asked["question_id"]]).cast(pl.Float64)
    whole = values.drop_nulls().to_numpy()
    n, k = len(whole), len(names)
    least = max(LEAST, LEAST_PER_QUESTION * k)
    if not k or n < least:
        raise Problem(
            "{n} people answered all of what is compared: too few to say what goes with it.",
            "It takes {least}, and {each} for each question: ask fewer questions, or wait for more answers.",
            n=n, least=least, each=LEAST_PER_QUESTION,
        )  # fmt: skip
    if _alone(pl.Series(whole[:, -1])):
        raise Problem("Nearly everybody answered {name} alike: nothing can be said to go with it.",
                      "Nothing is to be done.", name=asked["question_id"])  # fmt: skip
    about = dict(of.select("question_id", pl.coalesce("dimension", "question_id")).iter_rows())
    dimensions = list(dict.fromkeys(about[name] for name in names))
    together = np.array([[about[name] == each for name in names] for each in dimensions], float)
    told = estimates(whole, seed, together)
    slopes = {name: told.pop(name.replace("slope", "together")) for name in ("slope", "slope_low", "slope_high")}
    missing = 1 - n / max(table.filter(pl.col(asked["question_id"]).is_not_null()).height, 1)
    ordinal, agreement = by_order(whole, told["r2_share"])
    r2, r2_low, r2_high = told.pop("r2").tolist()
    others = {"ordinal_share": ordinal, "pairwise_share": by_pairs(values) if missing > MANY_MISSING else None}
    columns = told | {name: each for name, each in others.items() if each is not None}
    rows = _rows(names, of, columns, aside, _alike(whole, names))
    notes = _notes(rows, wave, asked["question_id"], n, missing, agreement, r2_low)
    return Drivers(
        wave.name, wave.closed_at.date(), asked["question_id"], asked["kind"], table.height, n, r2, r2_low,
        r2_high, agreement, rows, pl.DataFrame({"dimension": dimensions, **slopes}),
        priorities(rows, release), notes,
    )  # fmt: skip


def _outcome(wave: Wave) -> dict[str, str]:
    """The question of eNPS. No other may be chosen, nor questions left out: what differs between two answers of ours that
    rest on nearly the same people would tell of who makes the difference."""
    found = wave.questions.filter(pl.col("kind").is_in(ENPS))
    if found.is_empty():
        raise Problem("{wave} does not ask for eNPS.", "Ask it in the next wave: `cadran survey new` proposes the wording.",
                      wave=wave.name)  # fmt: skip
    return found.row(0, named=True)


def _is_withheld(release: Release, outcome: str) -> bool:
    """Whether the whole company's answers are not told: then what they go with is not told either."""
    company = release.cells.filter(pl.col("cut") == COMPANY, pl.col("question_id") == outcome)
    return company.is_empty() or (company["told"] == "withheld").any()


def _table(wave: Wave, names: Sequence[str]) -> pl.DataFrame:
    """One row per person who answered, one column per question: scores, turned where high is bad."""
    given = wave.answers.filter(pl.col("cut").is_null(), pl.col("ballot").is_not_null(), pl.col("score").is_not_null())
    if given.is_empty():
        raise Problem(
            "The answers of {wave} cannot be joined by person.",
            "Map who gave each answer (a respondent's number will do) and import it again.", wave=wave.name,
        )  # fmt: skip
    scales = wave.questions.select("question_id", "is_reversed", "low", "high")
    turned = pl.when("is_reversed").then(pl.col("low") + pl.col("high") - pl.col("score")).otherwise("score")
    scored = given.join(scales, on="question_id").with_columns(score=turned)
    if scored.select("ballot", "question_id").is_duplicated().any():
        raise Problem(
            "Somebody answered a question of {wave} twice.", "Import it again, each answer once.", wave=wave.name
        )
    empty = [pl.lit(None, pl.Int16).alias(name) for name in names if name not in set(scored["question_id"])]
    wide = scored.filter(pl.col("question_id").is_in(list(names))).pivot("question_id", index="ballot", values="score")
    return wide.with_columns(empty).select(names)


def _usable(table: pl.DataFrame, names: list[str], outcome: str) -> tuple[list[str], dict[str, str]]:
    """Questions that can be compared, and why others cannot."""
    aside: dict[str, str] = {}
    asked = table.filter(pl.col(outcome).is_not_null())
    for name in names:
        n = asked[name].count()
        reason = NO_ANSWER if not n else _alone(asked[name]) or (RARE if n < asked.height / 2 else None)
        aside |= {name: reason} if reason else {}
    while True:
        kept = [name for name in names if name not in aside]
        whole = asked.select(kept).drop_nulls()
        found = {name: reason for name in kept if (reason := _alone(whole[name]))} if whole.height else {}
        if not found:
            return kept, aside
        aside |= found


def _alone(scores: pl.Series) -> str | None:
    """Why the few who did not answer as most did would be told of."""
    apart = scores.count() - scores.drop_nulls().value_counts()["count"].max()  # type: ignore[operator]
    return None if apart >= LEAST_APART else FEW_APART if apart else CONSTANT


NO_ANSWER = "Nobody who answered the outcome answered it."
CONSTANT = "Everybody answered it alike."
FEW_APART = "Fewer than ten people answered it otherwise than the others: what goes with it would tell of them."
RARE = "Fewer than half of those who answered the outcome answered it: it would leave out the others."


def _alike(whole: np.ndarray, names: list[str]) -> dict[str, list[str]]:
    matrix = np.corrcoef(whole[:, :-1].T).reshape(len(names), len(names))
    near = np.abs(matrix) > ALIKE
    return {
        name: [other for other, is_near in zip(names, near[place], strict=True) if is_near and other != name]
        for place, name in enumerate(names)
    }


def _rows(
    names: list[str], of: pl.DataFrame, columns: dict[str, np.ndarray], aside: dict[str, str],
    alike: dict[str, list[str]],
) -> pl.DataFrame:  # fmt: skip
    types = dict(Driver.create_empty().schema)
    told = pl.DataFrame({"question_id": names, "alike": [alike[name] or None for name in names]},
                        schema_overrides={"alike": pl.List(pl.String)})  # fmt: skip
    told = told.with_columns(pl.Series(name, values, pl.Float64).round(3) for name, values in columns.items())
    told = told.sort("r2_share", "first_share", descending=True).with_columns(
        rank=pl.int_range(1, len(names) + 1),
        is_told=pl.col("dominance_low") > 0,
        sign=pl.col("correlation").sign().cast(pl.Int8),
    )
    if "ordinal_share" in told.columns:
        told = told.with_columns(ordinal_rank=pl.col("ordinal_share").rank("ordinal", descending=True).cast(pl.Int64))
    left_out = pl.DataFrame({"question_id": list(aside), "reason": list(aside.values())},
                            schema={"question_id": pl.String, "reason": pl.String})  # fmt: skip
    rows = pl.concat([told, left_out], how="diagonal").join(
        of.select("question_id", "dimension"), on="question_id", how="left", maintain_order="left"
    )
    empty = [pl.lit(None, each).alias(name) for name, each in types.items() if name not in rows.columns]
    return rows.with_columns(empty).select(pl.col(name).cast(each) for name, each in types.items())


def _notes(
    rows: pl.DataFrame, wave: Wave, outcome: str, n: int, missing: float, agreement: float | None, r2_low: float
) -> tuple[Problem, ...]:
    """What else is to be known before anything is read out of it."""
    notes, told = [], rows.filter(pl.col("rank").is_not_null())
    if r2_low <= 0:
        notes.append(Problem("Together these questions may tell nothing of {name}.",
                             "Act on nothing of this: ask again in the next wave.", name=outcome))  # fmt: skip
    if missing > MANY_MISSING:
        notes.append(Problem("Of those who answered {name}, {share:.0f} % left out some of the questions, and are left out.",
                             "Their answers, pair by pair, stand beside.", name=outcome, share=100 * missing))  # fmt: skip
    pairs = sorted({(*sorted((row["question_id"], other)),) for row in told.to_dicts() for other in row["alike"] or []})
    for one, other in pairs:
        notes.append(Problem("{one} and {other} are answered nearly alike: what they tell is shared between them.",
                             "Ask one of the two.", one=one, other=other))  # fmt: skip
    if agreement is None and told.height > 1:
        notes.append(Problem("By the order of scores alone nothing can be told here.",
                             "Read the shares with care: the check of them is missing."))  # fmt: skip
    elif agreement is not None and (agreement < AGREES or told["ordinal_rank"][0] != 1):
        notes.append(Problem("Where only the order of scores counts, the questions come in another order.",
                             "Call no question the first."))  # fmt: skip
    if told.height and told["first_share"][0] < 0.8:
        notes.append(Problem("Which question comes first is not sure: {name} does in {share:.0f} of 100 samples drawn anew.",
                             "Look at the first few together.", name=told["question_id"][0],
                             share=100 * told["first_share"][0]))  # fmt: skip
    return tuple(notes)
