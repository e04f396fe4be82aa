"""Pulse surveys: what is asked, who was invited, what came back, and what of it is released."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import dataframely as dy
import polars as pl

#: What respondents can be cut by. `region` and `team` are the tree: a team stands in its region.
CUTS = ("region", "team", "department", "role", "tenure", "site", "contract", "country")
#: The nested cut: company > region > team.
TREE = ("region", "team")
#: The name of the cut that holds everybody.
COMPANY = "company"
#: The fewest respondents of a group that is shown, unless a survey says more; no survey can say less than the floor.
MINIMUM, FLOOR = 5, 3
#: The fewest respondents of a group whose comments are shown.
COMMENTS_MINIMUM = 8
#: The most questions of one wave.
MOST_QUESTIONS = 10
#: The waves through which an answer may count in a rolling score.
ROLLING = (2, 12)

#: anonymous: nothing links a person's answers across waves. confidential: a pseudonym does, its key held apart.
Mode = Literal["anonymous", "confidential"]
Cadence = Literal["weekly", "monthly", "quarterly", "once"]
#: The kinds of question. The two scales of eNPS are never pooled.
KINDS = ("enps_0_10", "enps_1_10", "agreement", "choice", "comment")
ENPS = KINDS[:2]
#: Kinds that have a score.
SCORED = KINDS[:3]
#: From which score on a person promotes, and up to which they detract, on both scales.
PROMOTES, DETRACTS = 9, 6
#: How much of a cell is told: its counts, a band of its favourable share, or nothing.
TOLD = ("exact", "band", "withheld")


class Question(dy.Schema):
    """A question as one wave asked it."""

    question_id = dy.String(primary_key=True, description="Name of the question, the same in every wave that asks it")
    kind = dy.String(nullable=False, description="enps_0_10, enps_1_10, agreement, choice or comment")
    text_en = dy.String(nullable=False, description="Wording in English")
    text_fr = dy.String(nullable=False, description="Wording in French")
    dimension = dy.String(nullable=True, description="What it is about: workload, tools, manager, …; null for eNPS")
    is_reversed = dy.Bool(nullable=False, description="Whether a high score is bad")
    low = dy.Int16(nullable=True, description="Lowest score; null without a scale")
    high = dy.Int16(nullable=True, description="Highest score")
    favourable_from = dy.Int16(nullable=True, description="Lowest score that is favourable, once turned if reversed")
    unfavourable_to = dy.Int16(nullable=True, description="Highest score that is unfavourable, once turned")
    labels_en = dy.List(
        dy.String(nullable=False),
        nullable=True,
        description="Of a scale: its two ends, or each point; of a choice: its options",
    )
    labels_fr = dy.List(dy.String(nullable=False), nullable=True, description="The same, in French")

    @dy.rule()
    def a_kind_is_one_of_the_list(cls) -> pl.Expr:
        return cls.kind.col.is_in(KINDS)

    @dy.rule()
    def a_scored_question_has_a_scale_and_its_cuts(cls) -> pl.Expr:
        cuts = [cls.low.col, cls.unfavourable_to.col, cls.favourable_from.col, cls.high.col]
        ordered = (cuts[0] <= cuts[1]) & (cuts[1] < cuts[2]) & (cuts[2] <= cuts[3])
        return ~cls.kind.col.is_in(SCORED) | ordered.fill_null(False)


class _Cut(dy.Schema):
    region = dy.String(nullable=True, description="Sales region")
    team = dy.String(nullable=True, description="Team, within its region")
    department = dy.String(nullable=True, description="Department")
    role = dy.String(nullable=True, description="Role")
    tenure = dy.String(nullable=True, description="Time in the company, as a band")
    site = dy.String(nullable=True, description="Place of work")
    contract = dy.String(nullable=True, description="Kind of contract")
    country = dy.String(nullable=True, description="Country")


class Invited(_Cut):
    """A person invited to one wave, as they were when it opened."""

    person = dy.String(primary_key=True, description="Pseudonym, the same in every wave; its key is held apart")
    answered = dy.Bool(nullable=False, description="Whether they answered; never what")


class Answer(_Cut):
    """One answer to one question.

    Of a confidential wave a row tells an answer with the attributes of who gave it (`cut` null).
    Of an anonymous wave no row tells both: rows without attributes hold a ballot together (`ballot`), and for each cut
    there is a further copy of each answer that tells its group of that cut alone (`cut`; no `ballot`), which nothing joins
    to the others. Rows whose `cut` is null are each answer once.
    """

    question_id = dy.String(nullable=False, description="The question")
    score = dy.Int16(nullable=True, description="What was answered, as it was; null: not applicable, or a choice")
    choice = dy.String(nullable=True, description="The option chosen, as `labels_en` has it")
    ballot = dy.String(nullable=True, description="What was answered together; a pseudonym where confidential")
    cut = dy.String(nullable=True, description="The cut this copy is for; null for the answer itself")


class Comment(_Cut):
    """What was written, with at most the group it may be shown in."""

    question_id = dy.String(nullable=False, description="The question")
    text = dy.String(nullable=False, description="The text, names and numbers masked")


@dataclass(frozen=True)
class Terms:
    """What was declared of a survey before it opened, and holds for all its waves."""

    survey: str
    title: Mapping[str, str]
    mode: Mode
    cadence: Cadence = "monthly"
    #: Who answers for the data, what for, for how many months it is kept, and whom to ask for one's rights.
    controller: str = ""
    purpose: Mapping[str, str] = field(default_factory=dict)
    retention_months: int = 12
    contact: str = ""
    minimum: int = MINIMUM
    comments_minimum: int = COMMENTS_MINIMUM
    #: One-way cuts released, in their fixed order; the tree (`region`, then `team`) stands first where it is named.
    cuts: tuple[str, ...] = TREE
    #: Crossed tables, opt-in: each a pair of cuts.
    crossed: tuple[tuple[str, str], ...] = ()
    #: Through how many waves an answer counts as its person's latest one; 0: no rolling score is made.
    rolling: int = 0


@dataclass(frozen=True)
class Wave:
    """One wave of a survey, closed: nothing in it changes any more."""

    terms: Terms
    #: Its name, which sorts by time: "2026-05", "2026-W21".
    wave: str
    opened_at: datetime
    closed_at: datetime
    questions: pl.DataFrame
    #: As `Invited`; no rows where it is not known who was invited.
    invited: pl.DataFrame
    answers: pl.DataFrame
    comments: pl.DataFrame
    #: How it was collected or read: rows read, duplicates, set aside, not applicable, …
    noted: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Survey and wave, as its folder is called."""
        return f"{self.terms.survey}@{self.wave}"


class Group(dy.Schema):
    """A group of respondents that is shown in one wave: one or several merged, large enough."""

    cut = dy.String(nullable=False, description="company, one of the cuts, or two of them crossed: region × role")
    parent = dy.String(nullable=True, description="Of a team: the group of regions it stands in")
    group = dy.String(nullable=True, description="Its name; merged groups are joined by ' + '; null: the company")
    members = dy.List(dy.String(nullable=True), nullable=False, description="The values merged; null: not known")
    n_invited = dy.Int64(nullable=True, description="Persons invited; null where not known, or not told")
    n_answered = dy.Int64(nullable=True, description="Persons who answered; null where not told")

    @dy.rule()
    def a_group_is_told_once(cls) -> pl.Expr:
        return ~pl.struct("cut", "parent", "group").is_duplicated()


class Cell(dy.Schema):
    """What is released of one question in one group of one wave.

    High is promoters, or favourable; low is detractors, or unfavourable; reversed questions are turned first, so that
    high is good and `score_sum` sums turned scores.
    """

    cut = dy.String(nullable=False, description="As in `Group`")
    parent = dy.String(nullable=True, description="As in `Group`")
    group = dy.String(nullable=True, description="As in `Group`")
    question_id = dy.String(nullable=False, description="The question")
    told = dy.String(nullable=False, description="exact: counts; band: of the high share alone; withheld: nothing")
    n = dy.Int64(nullable=True, description="Scores given; null where withheld")
    n_high = dy.Int64(nullable=True, description="Promoters, or favourable; null unless exact, as the next ones")
    n_middle = dy.Int64(nullable=True, description="Passives, or neutral")
    n_low = dy.Int64(nullable=True, description="Detractors, or unfavourable")
    score_sum = dy.Float64(nullable=True, description="Sum of the scores, turned")
    band_low = dy.Float64(nullable=True, description="Least high share, where a band is told")
    band_high = dy.Float64(nullable=True, description="Greatest high share, where a band is told")
    reason = dy.String(nullable=True, description="Why it is not told exactly, as a sentence")

    @dy.rule()
    def a_cell_is_told_once(cls) -> pl.Expr:
        return ~pl.struct("cut", "parent", "group", "question_id").is_duplicated()


@dataclass(frozen=True)
class Release:
    """What is released of one wave: never made twice, never changed."""

    terms: Terms
    wave: str
    closed_at: datetime
    questions: pl.DataFrame
    #: As `Group` and `Cell`.
    groups: pl.DataFrame
    cells: pl.DataFrame
    #: As `Comment`, shuffled: of groups large enough alone.
    comments: pl.DataFrame
    #: What the audit looked at and found, and what was merged, banded or withheld for it.
    audited: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Survey and wave, as its folder is called."""
        return f"{self.terms.survey}@{self.wave}"
