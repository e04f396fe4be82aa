"""What a wave holds, counted: who answered, by every cut, and how many gave each score of each question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, kron

from cadran.tables.pulse import COMPANY, SCORED, TREE, Wave

Array = np.ndarray[Any, Any]
#: Between the values of a merged group, for the value that is not known, and between two cuts crossed.
AND, NOT_KNOWN, TIMES = " + ", "?", " × "
#: A question that fewer of those who answered were asked, or could answer, is looked at alone: it merges no group.
ASKED_OF_MOST = 0.8
#: Up to so many kinds of people it is looked at what each learns of others by taking their own answer off.
MOST_KNOWN = 100
#: How long answers that add up to what was counted are looked for.
_NODES = 1000


@dataclass(frozen=True)
class Scale:
    """A scored question; scores are turned if it is reversed, so that high is good."""

    question_id: str
    low: int
    high: int
    unfavourable_to: int
    favourable_from: int
    is_reversed: bool

    @cached_property
    def levels(self) -> Array:
        """Every score there is."""
        return np.arange(self.low, self.high + 1)

    @cached_property
    def part(self) -> Array:
        """(levels,) of each score whether it is low (0), in the middle (1) or high (2)."""
        return (self.levels > self.unfavourable_to) * 1 + (self.levels >= self.favourable_from) * 1


@dataclass(frozen=True)
class Cut:
    """The values of one cut, as the wave stores them, in their fixed order: of a team, within its region."""

    name: str
    #: The cut whose groups its own stand in, if that is released; else the company.
    within: str
    #: (values,) label of what each value stands within, its own label, and the values that it joins.
    parents: list[str | None]
    labels: list[str | None]
    members: list[list[str | None]]
    #: (values, questions, scores) how many gave each score, the lowest score of each question first.
    counts: Array
    #: (respondents,) the value of each; (values,) how many were invited, if that is known.
    values: Array
    n_invited: Array | None


@dataclass(frozen=True)
class Counted:
    """A wave, counted."""

    scales: list[Scale]
    #: (respondents,) pseudonyms; null where waves cannot be compared person by person.
    persons: pl.Series | None
    n_respondents: int
    n_invited: int | None
    #: (questions, scores) of the company.
    counts: Array
    cuts: list[Cut]
    #: (respondents, questions) whether each answered, and the place of each score on its scale, -1 for none. Where only the
    #: numbers of groups are known, one way in which they can come about; null where none was found, and scores of more
    #: kinds of people than `MOST_KNOWN`.
    asked: Array | None
    scores: Array | None

    def cut(self, name: str) -> Cut:
        """One of the cuts."""
        return next(each for each in self.cuts if each.name == name)

    @cached_property
    def is_main(self) -> Array:
        """(questions,) whether most of those who answered gave a score."""
        n = self.counts.sum(1)
        return n >= ASKED_OF_MOST * max(n.max(initial=0), 1)


def counted(wave: Wave) -> Counted:
    """Count a wave once; everything that follows works on counts and on who is in which group.

    Answers of an anonymous wave are counted cut by cut, from the copies that tell one group alone; others from the
    attributes beside each answer.
    """
    scales = scales_of(wave.questions)
    answers = _coded(wave, scales)
    alone = answers.filter(pl.col("cut").is_null())
    stored = {row["cut"] for row in wave.noted.get("groups", ())} or set(answers["cut"].drop_nulls().unique())
    is_copied = bool(stored)
    invited = wave.invited if wave.invited.height else None
    has_ballots = alone["ballot"].null_count() == 0
    if not has_ballots:
        alone = _shared_out(
            alone, [] if is_copied else sorted({each for cut in cuts_of(wave) for each in columns_of(cut, wave)})
        )
    # Who answered: the invited; else each ballot.
    if invited is not None:
        people = invited.filter("answered")
        persons: pl.Series | None = people["person"]
    else:
        people = alone.unique("ballot", keep="first", maintain_order=True)
        persons = people["ballot"] if has_ballots and wave.terms.mode == "confidential" else None
    shape = (len(scales), max((len(each.levels) for each in scales), default=1))
    rows_of = None if is_copied else _persons_of(alone, people, persons)
    cuts = []
    for name in cuts_of(wave):
        columns = columns_of(name, wave)
        if is_copied and (name not in stored or invited is None):  # who stands in which group is not kept
            continue
        rows = answers.filter(pl.col("cut") == name) if is_copied else alone
        known = _relabelled(people, wave, name, columns) if is_copied else people
        everybody = None if invited is None else _relabelled(invited, wave, name, columns) if is_copied else invited
        cuts.append(_cut(name, columns, rows, rows_of, known, everybody, shape, wave))
    counts = np.bincount(_places(alone, shape), minlength=shape[0] * shape[1]).reshape(shape)
    scores: Array | None = None
    if rows_of is not None:
        scores = np.full((people.height, len(scales)), -1)
        scores[rows_of, alone["question"].to_numpy()] = alone["level"].to_numpy()
        asked: Array | None = scores >= 0
    else:
        asked, scores = _plausible(cuts, people.height)
    return Counted(
        scales, persons, people.height, None if invited is None else invited.height, counts, cuts, asked, scores
    )


def is_known(wave: Wave) -> bool:
    """Whether it is kept who of those who answered stands in which group: not of an anonymous wave that was imported, which
    was attacked when it was."""
    return bool(wave.invited.height) or wave.answers["cut"].null_count() == wave.answers.height


def scales_of(questions: pl.DataFrame) -> list[Scale]:
    """The scored questions, in their order."""
    return [
        Scale(
            row["question_id"],
            row["low"],
            row["high"],
            row["unfavourable_to"],
            row["favourable_from"],
            row["is_reversed"],
        )
        for row in questions.filter(pl.col("kind").is_in(SCORED)).iter_rows(named=True)
    ]


def cuts_of(wave: Wave) -> list[str]:
    """The cuts a survey releases, in their fixed order: the tree, the other cuts, those crossed."""
    terms = wave.terms
    tree = [cut for cut in TREE if cut in terms.cuts]
    return [*tree, *(cut for cut in terms.cuts if cut not in TREE), *(TIMES.join(pair) for pair in terms.crossed)]


def columns_of(name: str, wave: Wave) -> tuple[str, ...]:
    """The attributes that a cut stands on: of a team its region too, of two crossed both."""
    if TIMES in name:
        return tuple(name.split(TIMES))
    return TREE if name == TREE[1] and TREE[0] in wave.terms.cuts else (name,)


def named(members: Sequence[str | None]) -> str:
    """What a group of values is called."""
    return AND.join(NOT_KNOWN if each is None else each for each in members)


def once(members: Iterable[str | None]) -> list[str | None]:
    """Each of them once, in their order."""
    return list(dict.fromkeys(members))


def _coded(wave: Wave, scales: Sequence[Scale]) -> pl.DataFrame:
    """The scored answers: `question` is its place, `level` its score, turned, from 0."""
    asked = pl.DataFrame(
        {
            "question_id": [each.question_id for each in scales],
            "question": range(len(scales)),
            "low": [each.low for each in scales],
            "high": [each.high for each in scales],
            "is_reversed": [each.is_reversed for each in scales],
        },
        {"question_id": pl.String, "question": pl.Int32, "low": pl.Int16, "high": pl.Int16, "is_reversed": pl.Boolean},
    )
    score = pl.col("score")
    return (
        wave.answers.filter(score.is_not_null())
        .join(asked, on="question_id", how="inner", maintain_order="left")
        .filter(score.is_between("low", "high"))
        .with_columns(level=pl.when("is_reversed").then(pl.col("high") - score).otherwise(score - pl.col("low")))
        .drop("question_id", "score", "choice", "low", "high", "is_reversed")
    )


def _shared_out(answers: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Answers of which nothing tells whose they are, with ballots: of those who share all attributes there are as many people
    as answered any one question."""
    number = pl.int_range(pl.len()).over(*columns, "question").alias("number")
    return answers.with_columns(ballot=pl.struct(*columns, number).struct.json_encode())


def _places(rows: pl.DataFrame, shape: tuple[int, int]) -> Array:
    return rows["question"].to_numpy().astype(np.int64) * shape[1] + rows["level"].to_numpy()


def _cut(
    name: str,
    columns: tuple[str, ...],
    rows: pl.DataFrame,
    rows_of: Array | None,
    people: pl.DataFrame,
    invited: pl.DataFrame | None,
    shape: tuple[int, int],
    wave: Wave,
) -> Cut:
    frames = [people, *([] if rows_of is not None else [rows]), *([] if invited is None else [invited])]
    values = (
        pl.concat([each.select(columns).unique() for each in frames])
        .unique()
        .sort(columns, nulls_last=True)
        .with_row_index("value")
    )

    def coded(frame: pl.DataFrame) -> Array:
        joined = frame.select(columns).join(values, on=columns, how="left", nulls_equal=True, maintain_order="left")
        return joined["value"].to_numpy().astype(np.int64)

    of = coded(people)
    place = (coded(rows) if rows_of is None else of[rows_of]) * (shape[0] * shape[1]) + _places(rows, shape)
    counts = np.bincount(place, minlength=values.height * shape[0] * shape[1]).reshape(values.height, *shape)
    labels = values[columns[-1]].to_list()
    parents = values[columns[0]].to_list() if len(columns) > 1 else [None] * values.height
    told = {(row["cut"], row["parent"], row["group"]): list(row["members"]) for row in wave.noted.get("groups", ())}
    members = [told.get((name, parent, label), [label]) for parent, label in zip(parents, labels, strict=True)]
    n_invited = None if invited is None else np.bincount(coded(invited), minlength=values.height)
    return Cut(name, columns[0] if len(columns) > 1 else COMPANY, parents, labels, members, counts, of, n_invited)


def _relabelled(people: pl.DataFrame, wave: Wave, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """People under the labels that an anonymous wave stores: values joined when it opened go by one name."""
    found = people.select(columns)
    for depth, column in enumerate(columns):
        cut = column if depth == 0 else name
        rows = [
            (*((row["parent"],) if depth else ()), member, row["group"])
            for row in wave.noted.get("groups", ())
            if row["cut"] == cut
            for member in row["members"]
        ]
        if not rows:
            # The coarser cut was left with one group, and is not stored.
            if depth == 0 and len(columns) > 1 and wave.noted.get("groups"):
                found = found.with_columns(pl.lit(None, pl.String).alias(column))
            continue
        keys = [*columns[:depth], column]
        labels = pl.DataFrame(rows, {**dict.fromkeys(keys, pl.String), "label": pl.String}, orient="row")
        joined = found.join(labels, on=keys, how="left", nulls_equal=True, maintain_order="left")
        found = joined.with_columns(pl.col("label").alias(column)).select(columns)
    return found


def _persons_of(alone: pl.DataFrame, people: pl.DataFrame, persons: pl.Series | None) -> Array | None:
    """(answers,) who gave each, where ballots tell it."""
    names = persons if persons is not None else people["ballot"] if "ballot" in people.columns else None
    if names is None or alone["ballot"].null_count() or names.n_unique() < people.height:
        return None
    known = pl.DataFrame({"ballot": names}).with_row_index("person")
    person = alone.select("ballot").join(known, on="ballot", how="left", maintain_order="left")["person"]
    return None if person.null_count() else person.to_numpy().astype(np.int64)


def _plausible(cuts: Sequence[Cut], n_respondents: int) -> tuple[Array | None, Array | None]:
    """As `Counted.asked` and `scores`, where only the numbers of groups are known."""
    if not cuts or not n_respondents:
        return None, None
    kinds, of, n = np.unique(np.stack([cut.values for cut in cuts], 1), axis=0, return_inverse=True, return_counts=True)
    of = of.ravel()
    if len(kinds) <= MOST_KNOWN:
        scores = _agreeing(kinds, of, n, [cut.counts for cut in cuts])
        return None if scores is None else scores >= 0, scores
    asked = _agreeing(kinds, of, n, [cut.counts.sum(2, keepdims=True) for cut in cuts])
    return None if asked is None else asked >= 0, None


def _agreeing(kinds: Array, of: Array, n: Array, counts: Sequence[Array]) -> Array | None:
    """(respondents, questions) what each may have answered, -1 for nothing, so that it adds up to what was counted.

    Args:
        kinds: (kinds, cuts) the value of each kind of people in each cut.
        of: (respondents,) the kind of each; (kinds,) how many there are of each are `n`.
        n: See `of`.
        counts: Of each cut (values, questions, answers), how many gave each answer.
    """
    order = np.argsort(of, kind="stable")
    n_questions, n_answers = counts[0].shape[1:]
    in_value = csr_array(np.vstack([np.eye(len(each))[:, kinds[:, cut]] for cut, each in enumerate(counts)]))
    by_value, by_kind = kron(in_value, eye_array(n_answers)), kron(eye_array(len(kinds)), np.ones((1, n_answers)))
    found = np.empty((len(of), n_questions), int)
    for question in range(n_questions):
        told = np.concatenate([each[:, question].ravel() for each in counts])
        done = milp(
            np.zeros(len(kinds) * n_answers), integrality=np.ones(len(kinds) * n_answers),
            constraints=[LinearConstraint(by_value, told, told), LinearConstraint(by_kind, 0, n)],
            options={"node_limit": _NODES},
        )  # fmt: skip
        if done.x is None:
            return None
        gave = np.rint(done.x).astype(int).reshape(len(kinds), n_answers)
        gave = np.column_stack([gave, n - gave.sum(1)])
        found[order, question] = np.repeat(np.tile([*range(n_answers), -1], len(kinds)), gave.ravel())
    return found
