"""A survey as its TOML file has it: what is declared of it, what it asks, and what of that each wave asks.

The format is told in docs/surveys.md.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import polars as pl

from cadran.sources.question import both, library, name_of, read_question
from cadran.sources.wording import Finding, review
from cadran.tables.problems import Faults, Problem
from cadran.tables.pulse import (
    COMMENTS_MINIMUM,
    CUTS,
    ENPS,
    FLOOR,
    MINIMUM,
    MOST_QUESTIONS,
    ROLLING,
    TREE,
    Cadence,
    Mode,
    Question,
    Terms,
)
from cadran.tables.toml_file import Section, read_toml

#: When a question is asked: in every wave, or once in each cycle of waves.
EVERY = ("wave", "cycle")
#: The longest time answers are kept, in months.
MOST_MONTHS = 60
#: Words a minute that a person reads silently (Brysbaert 2019, doi:10.1016/j.jml.2019.104047); the rest is our reckoning:
#: seconds to choose an answer, to write a comment, and to begin.
READ, CHOOSE, WRITE, BEGIN = 238, 3, 20, 5


class Refused(Faults):
    """All that keeps a survey from opening, and what may be worded better beside."""

    def __init__(self, faults: Sequence[Problem], remarks: Sequence[Finding]):
        self.remarks = tuple(remarks)
        super().__init__(faults)


@dataclass(frozen=True)
class Questionnaire:
    """A survey that may open."""

    terms: Terms
    #: All its questions, as `Question`, in the order they are asked.
    questions: pl.DataFrame
    #: The ids of those that every wave asks.
    always: tuple[str, ...]
    #: The most questions of one wave.
    per_wave: int
    #: What may be worded better, for a person to judge.
    remarks: tuple[Finding, ...]
    #: The file as it was read.
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of what respondents were told and are asked: comments and spaces of the file, and its name, are none of it."""
        told = [asdict(self.terms), self.questions.to_dicts(), self.always, self.per_wave]
        return sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    @property
    def cycle(self) -> int:
        """In how many waves each question is asked once at least."""
        n_turning = self.questions.height - len(self.always)
        return max(1, -(-n_turning // max(1, self.per_wave - len(self.always))))

    def questions_of(self, number: int) -> pl.DataFrame:
        """What a wave asks.

        The questions that turn are dealt out dimension by dimension, like cards: each wave of a cycle gets as many as any
        other, and as many of each dimension, to within one.

        Args:
            number: How many waves of the survey went before it: 0 for the first.

        Returns:
            As `Question`, at most `per_wave` rows, in the order of the file.
        """
        dimensions = self.questions["dimension"].unique(maintain_order=True).to_list()
        turning = [
            row["question_id"]
            for dimension in dimensions
            for row in self.questions.iter_rows(named=True)
            if row["dimension"] == dimension and row["question_id"] not in self.always
        ]
        asked = [*self.always, *turning[number % self.cycle :: self.cycle]]
        return self.questions.filter(pl.col("question_id").is_in(asked))


def seconds(questions: pl.DataFrame, language: str) -> float:
    """About how long a person takes to answer, in seconds: reading at 238 words a minute, and choosing.

    Args:
        questions: As `Question`.
        language: Of which wording.
    """
    words = sum(len(text.split()) for text in questions[f"text_{language}"])
    choices = questions["labels_" + language].filter(questions["kind"] == "choice").explode().drop_nulls()
    words += sum(len(text.split()) for text in choices)
    n_comments = int((questions["kind"] == "comment").sum())
    return BEGIN + words / READ * 60 + CHOOSE * (questions.height - n_comments) + WRITE * n_comments


def load_questionnaire(path: Path) -> Questionnaire:
    """Read and check a survey.

    Args:
        path: Its TOML file.

    Raises:
        Problem: If there is no such file, or it is no TOML.
        Refused: With everything that keeps it from opening, each with file, key and repair.
    """
    told = read_toml(path)
    terms = _terms(told)
    remarks: list[Finding] = []
    rows, always = _questions(told, remarks)
    per_wave = _per_wave(told, len(rows), len(always), terms.cadence)
    told.close()
    if told.faults:
        raise Refused(told.faults, remarks)
    questions = Question.validate(pl.DataFrame(rows, schema=Question.create_empty().schema))
    text = path.read_text("utf-8-sig")
    return Questionnaire(terms, questions, tuple(always), per_wave, tuple(remarks), text)


def _terms(told: Section) -> Terms:
    minimum = told.whole("minimum", MINIMUM, least=FLOOR)
    cuts = _distinct(told, "cuts", told.texts("cuts", among=CUTS) if told.has("cuts") else list(TREE))
    return Terms(
        survey=name_of(told, "survey"),
        title=both(told, "title"),
        mode=told.text("mode", among=get_args(Mode)),  # type: ignore[arg-type]
        cadence=told.text("cadence", among=get_args(Cadence)),  # type: ignore[arg-type]
        controller=_filled(told, "controller"),
        purpose=both(told, "purpose"),
        retention_months=told.whole("retention_months", least=1, most=MOST_MONTHS),
        contact=_filled(told, "contact"),
        minimum=minimum,
        comments_minimum=told.whole("comments_minimum", max(minimum, COMMENTS_MINIMUM), least=minimum),
        cuts=(*(each for each in TREE if each in cuts), *(each for each in cuts if each not in TREE)),
        crossed=tuple(_crossed(told, cuts)),
        rolling=_rolling(told),
    )


def _rolling(told: Section) -> int:
    """Through how many waves an answer counts; 0 if the file does not ask for a rolling score."""
    if not told.has("rolling"):
        return 0
    if told.values.get("mode") == "anonymous":
        told.fault("Nothing tells which answer of an anonymous survey is a person's latest.",
                   "Take rolling out, or make the survey confidential before it opens.", "rolling")  # fmt: skip
    least, most = ROLLING
    return told.whole("rolling", least=least, most=most)


def _filled(told: Section, key: str) -> str:
    """What the law asks to be told to who answers, and nobody else can say."""
    text = told.text(key).strip()
    if not text and isinstance(told.values.get(key), str):
        told.fault("It is empty.", "Respondents must be told: who answers for the data, and whom to ask.", key)
    return text


def _distinct(told: Section, key: str, names: list[str]) -> list[str]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        told.fault("{name} stands twice.", "Name each once.", key, name=twice)
    return names


def _crossed(told: Section, cuts: list[str]) -> Iterator[tuple[str, str]]:
    pairs = told.pairs("crossed", among=CUTS)
    _distinct(told, "crossed", [" × ".join(sorted(pair)) for pair in pairs])
    for pair in pairs:
        if set(pair) == set(TREE) or len(set(pair)) < 2:
            told.fault("{pair} is no crossed table.", "Cross two cuts: a team stands in its region already.", "crossed",
                       pair=" × ".join(pair))  # fmt: skip
        elif missing := [each for each in pair if each not in cuts]:
            told.fault("{name} is crossed, but is no cut of this survey.", "Add it to cuts, or leave the table out.",
                       "crossed", name=missing[0])  # fmt: skip
        else:
            yield pair


def _questions(told: Section, remarks: list[Finding]) -> tuple[list[dict[str, Any]], list[str]]:
    """The questions, and the ids of those that every wave asks. What is refused becomes a fault, the rest a remark."""
    rows: dict[str, dict[str, Any]] = {}
    always = []
    for each in told.sections("questions"):
        every = each.text("every", "", among=EVERY) if each.has("every") else ""
        row = _item(each) if each.has("item") else _own(each, remarks)
        if (name := row["question_id"]) in rows:
            each.fault("{name} stands twice.", "Name each once.", "item" if each.has("item") else "id", name=name)
        elif name:
            rows[name] = row
            always += [name] if (every or EVERY[row["kind"] not in ENPS]) == EVERY[0] else []
    if {row["kind"] for row in rows.values()} >= set(ENPS):
        told.fault("The two scales of eNPS cannot be told together.", "Ask on one of them.", "questions")
    return list(rows.values()), always


def _item(told: Section) -> dict[str, Any]:
    """A question of the library, which has a wording of its own: nothing more can be said of it."""
    name = told.text("item", among=tuple(library()))
    told.close()
    return library().get(name, {"question_id": "", "kind": ""})


def _own(told: Section, remarks: list[Finding]) -> dict[str, Any]:
    row = read_question(told)
    if row["question_id"] in library():
        told.fault("{name} is a question of the library, which is worded otherwise.",
                   "Write item = {name} alone, or give yours another id.", "id", name=row["question_id"])  # fmt: skip
    for finding in review(row, f"{told.file}: {told.name}"):
        (told.faults if finding.is_refused else remarks).append(finding)  # type: ignore[attr-defined]
    return row


def _per_wave(told: Section, n: int, n_always: int, cadence: Cadence) -> int:
    """The most questions of one wave. More than may be asked at once are spread over waves only if the file says so."""
    per_wave = told.whole("per_wave", MOST_QUESTIONS, least=1, most=MOST_QUESTIONS)
    if not n:
        told.fault("It asks nothing.", "Add a question: [[questions]], then item = or id =.", "questions")
    elif n > MOST_QUESTIONS and not told.has("per_wave"):
        told.fault("It has {n} questions, and a wave asks {most} at most.",
                   "Remove some, or write per_wave = {most}, to spread them over several waves.", "questions",
                   n=n, most=MOST_QUESTIONS)  # fmt: skip
    elif n_always > per_wave or n_always == per_wave < n:
        told.fault("{always} of {n} questions are asked in every wave, and a wave asks {most} at most: there is no room.",
                   "Let more of them turn: every = cycle.", "per_wave", always=n_always, n=n, most=per_wave)  # fmt: skip
    elif n > per_wave and cadence == "once":
        told.fault("It has {n} questions, and its one wave asks {most} at most.", "Remove some, or choose a cadence.",
                   "per_wave", n=n, most=per_wave)  # fmt: skip
    return per_wave
