"""The Pulse page: what can be set on it, its uses, where its parts stand, and what is said around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cadran.figures.blocks import Block, Contents, Footer, Heading, Levers, Nothing, Notice
from cadran.figures.columns import label
from cadran.figures.controls import Choice, Control, View
from cadran.figures.figure import Figure
from cadran.figures.page import Page
from cadran.figures.pulse_words import subject
from cadran.figures.scenes import Scenes
from cadran.figures.veil import stand_ins, veiled
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY, ENPS, SCORED, Release
from cadran.text import Words

PLACES = (
    ("contents",), ("scenes",), ("sentences",), ("headlines",),
    ("h_how",), ("trend", "moved"), ("latest",), ("answers",),
    ("h_sure",), ("answered",), ("index",),
    ("h_where",), ("heat",), ("asked",), ("groups",),
    ("h_why",), ("drivers", "priorities"), ("levers",), ("if_told",), ("load",),
    ("h_said",), ("said",),
    ("h_promised",), ("promised",), ("talks", "guide"),
    ("h_beside",), ("beside",),
    ("footer",),
)  # fmt: skip
#: The scenes a presenter steps through -> title, the places shown.
SCENES: dict[str, tuple[str, tuple[str, ...]]] = {
    "how": ("How we are", ("sentences", "trend", "moved", "latest")),
    "answers": ("What was answered", ("answers",)),
    "where": ("Where", ("heat", "asked")),
    "why": ("What goes with it", ("drivers", "priorities")),
    "if": ("What if", ("levers", "if_told")),
    "said": ("What was written", ("said",)),
    "promised": ("What we promised", ("promised",)),
}
USES = {"read": "Whole page", "present": "Presentation"}
#: Columns of the book's sellers by which a group that bears a person's name is known.
NAMES = ("rep_id", "name", "manager_id", "region", "team")
#: Between the two columns of a cut that is crossed.
TIMES = " × "
#: Points by which the answers to a question may rise in the what-if.
RISES = ("0", "0.25", "0.5", "0.75", "1")
#: Letters of a question that is of no dimension, where it has to have a short name.
BRIEF = 22
#: Controls of the what-if.
IF = ("rise_of", "rise")


@dataclass(frozen=True)
class Answers:
    """What was released of a wave, what is set on the page, and the frames that measures and models answered."""

    release: Release
    view: View
    words: Words
    #: Of the book.
    time_zone: str = "UTC"
    frames: Mapping[str, Any] = field(default_factory=dict)
    #: What was released of all waves: a promise may be about a question that this one did not ask.
    releases: Sequence[Release] = ()

    def frame(self, name: str) -> Any:
        """What was answered under a name: a frame, or the problem that kept it from being answered."""
        return self.frames[name]

    def having(self, frames: Mapping[str, Any]) -> "Answers":
        """These answers and more."""
        return replace(self, frames={**self.frames, **frames})

    @cached_property
    def texts(self) -> dict[str, str]:
        """The wording of each question in the reader's language: as this wave asked it, or the last that did."""
        asked = pl.concat(each.questions for each in (*self.releases, self.release))
        return dict(asked.select("question_id", f"text_{self.words.language}").iter_rows())

    @property
    def names(self) -> dict[str, str]:
        """A short name of each question that is scored: what it is about, numbered where several are, or how it begins."""
        asked = self.release.questions.filter(pl.col("kind").is_in(SCORED), ~pl.col("kind").is_in(ENPS))
        many, place = pl.len().over("dimension") > 1, pl.int_range(1, pl.len() + 1).over("dimension")
        rows = asked.select("question_id", "dimension", many=many, place=place).rows()
        return {
            each: f"{subject(of, self.words)}{f' {place}' * many}" if of else short(self.texts[each], BRIEF)
            for each, of, many, place in rows
        }

    @property
    def by(self) -> tuple[str, ...]:
        """The columns of the cut that groups are of, two where it is crossed; none where the company alone is shown."""
        return tuple(self.view["by"].split(TIMES)) if "by" in self.view.controls else ()

    @property
    def group(self) -> str:
        """What such a group is called within a sentence: "region"."""
        return _cut(self.view["by"], self.words).lower() if self.by else ""

    @property
    def about(self) -> str:
        """The question that is followed over time and across groups: the one chosen, where this wave asked it."""
        asked = self.release.questions.filter(pl.col("kind").is_in(SCORED))["question_id"].to_list()
        return self.view["about"] if self.view["about"] in asked else next(iter(asked), "")

    @property
    def is_enps(self) -> bool:
        """Whether that question is one of eNPS."""
        return bool(self.release.questions.filter(pl.col("question_id") == self.about)["kind"].is_in(ENPS).any())

    def draw(
        self, frame: Any, drawn: Any, title: str, subtitle: str, known: str = "", **settings: Any
    ) -> Block | Figure:
        """A figure, or what is said where there is nothing to draw or the question was refused.

        `known` names the columns without any of which there is nothing to draw.
        """
        if isinstance(frame, Problem):
            return Notice(frame.told(self.words), title, "little")
        columns = known.split()
        if frame.is_empty() or (columns and not any(frame[each].count() for each in columns)):
            why = next(iter(frame["reason"].drop_nulls()), "") if "reason" in frame.columns else ""
            return Notice(self.words(why or "Nothing of it is told for this wave."), title, "empty")
        return drawn(frame, words=self.words, title=title, subtitle=subtitle, **settings)  # type: ignore[no-any-return]


def waves_of(releases: Sequence[Release]) -> dict[str, Release]:
    """The waves by name, the earliest first."""
    return {each.name: each for each in releases}


def open_page(
    releases: Sequence[Release],
    words: Words,
    query: Mapping[str, str | list[str]],
    stands: Mapping[str, str] | None = None,
    may_unmask: bool = True,
) -> Page:
    """The page before anything is computed.

    Args:
        releases: What was released, the earliest wave first.
        words: The reader's.
        query: Of the address.
        stands: What stands, in front of others, for groups that are named after a person.
        may_unmask: Whether its reader sees more than what is presented.
    """
    if not releases:
        return Page(words("Pulse"), words, (), (), (("sentences",), ("footer",)), query)
    last = releases[-1]
    is_one = len({each.terms.survey for each in releases}) == 1
    waves = {
        each.name: each.wave if is_one else f"{each.wave} · {each.terms.title[words.language]}" for each in releases
    }
    cuts = {name: _cut(name, words) for each in releases for name in each.groups["cut"].unique(maintain_order=True)}
    cuts.pop(COMPANY, None)
    asked: dict[str, str] = {}
    for each in releases:
        for row in each.questions.filter(pl.col("kind").is_in(SCORED)).iter_rows(named=True):
            asked[row["question_id"]] = short(row[f"text_{words.language}"])
    about = last.questions.filter(pl.col("kind") == "agreement").select(pl.coalesce("dimension", "question_id"))
    raised = {name: subject(name, words) for name in about.to_series().unique(maintain_order=True)}
    raised = raised or {"": "–"}
    rises = {rise: words("+{n} points", n=words.number(float(rise), 2)) for rise in RISES}
    uses = {use: words(text) for use, text in USES.items() if may_unmask or use == "present"}
    asks = words("Leave the presentation? The whole page comes back, with groups by name.")
    scenes = {name: words(title) for name, (title, _) in SCENES.items()}
    controls: list[Control] = [
        Choice("use", words("Show as"), uses, next(iter(uses)), shortcut="u", held="present", asks=asks),
        Choice("wave", words("Wave"), waves, last.name, shortcut="w"),
        *([Choice("by", words("Group by"), cuts, next(iter(cuts)), shortcut="g")] if cuts else []),
        Choice("about", words("Question followed"), asked, next(iter(asked)), shortcut="q"),
        Choice("scene", words("Scene"), scenes, next(iter(scenes)), is_local=True),
        Choice("rise_of", words("If answers rose on"), raised, next(iter(raised)), is_local=True),
        Choice("rise", words("by"), rises, "0.5", slides=True, is_local=True),
    ]

    def veil(view: View, block: Block | Figure) -> Block | Figure:
        return veiled(block, stands or {}) if view["use"] == "present" else block

    def onlooked(view: View) -> frozenset[str] | None:
        return shown(view) if view["use"] == "present" else None

    return Page(words("Pulse"), words, controls, (), PLACES, query, veil=veil, onlooked=onlooked)


def stands_of(reps: pl.DataFrame, releases: Sequence[Release], words: Words) -> dict[str, str]:
    """What stands, in front of others, for regions and teams that are named after a person.

    Args:
        reps: Rows of the book's sellers: the columns of `NAMES`.
        releases: Whose groups are meant: what they were made of, joined or not.
        words: The reader's.
    """
    persons = pl.concat([reps[name] for name in ("rep_id", "name", "manager_id")])
    members = {name: reps[name].to_list() for name in ("region", "team")}
    for release in releases:
        for row in release.groups.select("cut", "members").iter_rows(named=True):
            if row["cut"] in members:
                members[row["cut"]] += row["members"]
    return stand_ins(members, persons, words)


def _cut(name: str, words: Words) -> str:
    return TIMES.join(label(each, words) for each in name.split(TIMES))


def short(text: str, most: int = 60) -> str:
    """A text cut at a greatest length, so that no figure cuts it by the width of its letters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def asked_of(view: View) -> tuple[object, ...]:
    """What most parts of the page are made for: all that is set but what moves one part alone, and the tables shown."""
    return view.without(*IF, "scene"), view.behind


def shown(view: View) -> frozenset[str]:
    """The places that this use of the page shows."""
    every = frozenset(slot for row in PLACES for slot in row)
    if view["use"] == "present":
        return every & {"scenes", "footer", *SCENES[view["scene"]][1]}
    return every - {"scenes"}


def wants(view: View, *slots: str) -> bool:
    """Whether this use of the page shows one of these places."""
    return not shown(view).isdisjoint(slots)


def only(view: View, blocks: Mapping[str, Any]) -> dict[str, Block | Figure]:
    """Of these blocks, those in places that this use shows."""
    seen = shown(view)
    return {slot: block for slot, block in blocks.items() if slot in seen}


def headings(words: Words) -> dict[str, Heading]:
    """The parts of the page."""
    return {
        "h_how": Heading("how", words("How we are")),
        "h_sure": Heading("sure", words("How sure")),
        "h_where": Heading(
            "where",
            words("Where"),
            words(
                "Groups large enough alone or merged; one that is missing is told only within its larger group. Nobody can be "
                "singled out."
            ),
        ),
        "h_why": Heading("why", words("What goes with it"), words("What goes together need not be cause and effect.")),
        "h_said": Heading("said", words("What was written")),
        "h_promised": Heading("promised", words("What we promised")),
        "h_beside": Heading("beside", words("What others found"), words("As context, never as a target.")),
    }


def frame_of(page: Page, answers: Answers, remarks: Sequence[str] = ()) -> dict[str, Block | Figure]:
    """What stands around the parts, and nothing in the places that this use of the page does not show."""
    words, view = page.words, answers.view
    parts, seen = headings(words), shown(view)
    around: dict[str, Block | Figure] = {
        "contents": Contents(tuple(parts.values())),
        "scenes": Scenes(view["scene"], tuple((name, words(title)) for name, (title, _) in SCENES.items())),
        **parts,
        "footer": footer(answers, remarks),
    }
    is_turned = page.is_new("use", view["use"]) and bool(page.blocks)
    hidden = [slot for row in PLACES for slot in row if slot not in seen or (is_turned and slot not in around)]
    page.forget(hidden)
    return {**only(view, around), **dict.fromkeys(hidden, Nothing())}


def levers(page: Page) -> Levers:
    """The controls of the what-if."""
    of = {control.name: control for control in page.controls}
    said = page.words("What goes with it in this wave, of people alike in all else that was asked.")
    return Levers([of[name] for name in IF], page.first.controls, page.words("What if"), said)


def footer(answers: Answers, remarks: Sequence[str] = ()) -> Footer:
    """What was declared of the survey, when the wave closed, and where the numbers are defined."""
    words, release = answers.words, answers.release
    terms, closed = release.terms, release.closed_at.astimezone(ZoneInfo(answers.time_zone))
    mode = {
        "anonymous": words("anonymous: nothing links anybody's answers from one wave to the next"),
        "confidential": words("confidential: answers are kept under a pseudonym"),
    }[terms.mode]
    return Footer([
        *((remark, "") for remark in remarks),
        (f"{terms.title[words.language]} · {release.wave}", ""),
        (words("closed on {day}", day=words.date(closed.date())), ""),
        (mode, ""),
        (words("no group of fewer than {n} answers is shown", n=terms.minimum), ""),
        (words("Definitions"), f"/definitions?lang={words.language}"),
    ])  # fmt: skip


def nothing(page: Page, problem: Problem | None) -> None:
    """Say that no survey was released, and what would change that."""
    words = page.words
    said = words(
        "No survey has closed yet. `cadran survey new` begins one; `cadran import` reads the results of another tool."
    )
    text = problem.told(words) if problem else said
    link = Footer([(words("Definitions"), f"/definitions?lang={words.language}")])
    page.show({"sentences": Notice(text, kind="little" if problem else "empty"), "footer": link})
