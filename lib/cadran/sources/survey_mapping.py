"""A mapping of survey results, a TOML file, and what is wrong with it. The format is told in docs/survey_results.md."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cadran.sources.feeds import KEYS, LATEST, RESULTS, Feed, Mapping
from cadran.sources.mapping import Check, find_mapping, load_mapping, toml_of
from cadran.sources.survey_questions import Asked, questions
from cadran.sources.survey_vocabulary import RESULT_KEYS
from cadran.sources.survey_waves import period, sorts_by_time
from cadran.sources.told import texts
from cadran.tables.pulse import COMMENTS_MINIMUM, CUTS, FLOOR, MINIMUM, ROLLING, Terms

__all__ = ["SurveyMapping", "load_any_mapping"]

_MODES = ("anonymous", "confidential")
_CADENCES = ("weekly", "monthly", "quarterly", "once")
#: Fields of each form of results, beside the cuts.
FIELDS = {
    "answers": ("question", "answer", "comment", "answer_id", "respondent", "wave", "answered_at"),
    "responses": ("respondent", "wave", "answered_at"),
}
#: Fields that name somebody or hold what people wrote: never kept as they are, and so not refused.
COVERED = ("respondent", "answer", "comment", "question", "answer_id")


@dataclass(frozen=True)
class SurveyMapping:
    """A mapping of survey results, checked."""

    #: Its files and feeds, read as those of any mapping.
    source: Mapping
    terms: Terms
    questions: tuple[Asked, ...]
    #: First and last day of the waves that are stated.
    waves: Dict[str, tuple[date, date]] = field(default_factory=dict)
    #: When the data was taken, if that is stated.
    taken: date | datetime | None = None

    def at(self, taken: date | datetime) -> "SurveyMapping":
        """The same, of data taken at another moment."""
        return replace(self, taken=taken)


def load_any_mapping(name_or_path: str | Path) -> Mapping | SurveyMapping:
    """Read and check a mapping: of survey results if it has a `[survey]`, else of deals.

    Raises:
        Problem: With the file, the key, and what to write instead.
    """
    path, is_shipped = find_mapping(str(name_or_path))
    raw = toml_of(path)
    if "survey" not in raw:
        return load_mapping(name_or_path)
    return _of_survey(Check(path.name, {**KEYS, **RESULT_KEYS}), raw, path, is_shipped)


def _of_survey(check: Check, raw: dict[str, Any], path: Path, is_shipped: bool) -> SurveyMapping:
    check.keys(raw, "a mapping of survey results", "")
    check.settings({"taken": LATEST, **raw})
    files = {name: check.one_file(name, said, {}) for name, said in raw.get("files", {}).items()}
    feeds = [
        _feed(check, table, section, files)
        for table in RESULTS
        for section in (raw[table] if isinstance(raw.get(table), list) else [raw[table]] if table in raw else [])
    ]
    if not feeds:
        repair = "Write [answers] (one row per answer) or [responses] (one row per respondent), each with its `file`."
        check.fail("{file} says nowhere where the answers are.", repair)
    source = Mapping(
        path=path, is_shipped=is_shipped, name=raw.get("name", path.stem), taken=raw.get("taken", LATEST),
        time_zone=raw.get("time_zone", "UTC"), currency=raw.get("currency", "EUR"), amount_basis="total",
        fiscal_year_starts=raw.get("fiscal_year_starts", 1), holidays=raw.get("holidays"), folder=raw.get("folder"),
        rates={}, stages=(), files=files, feeds=tuple(feeds),
    )  # fmt: skip
    terms = _terms(check, raw["survey"], path, feeds)
    taken = raw.get("taken")
    return SurveyMapping(
        source, terms, questions(check, raw), _waves(check, raw.get("waves", {})),
        taken if isinstance(taken, date) else None,
    )  # fmt: skip


def _feed(check: Check, table: str, section: Any, files: dict[str, Any]) -> Feed:
    where = f"[{table}]"
    fields = (*FIELDS[table], *CUTS)
    check.keys(section, "survey results", where, fields)
    if "file" not in section:
        check.fail("{file}: [{where}] does not say which file feeds it.", 'Write file = "NAME".', where=table)
    check.member(section["file"], files, f"{where} file")
    made = {
        name: check.one_field(table, name, said, files)
        for name, said in section.items()
        if name not in check.vocabulary["survey results"]
    }
    made = {name: replace(said, personal="allowed") if name in COVERED else said for name, said in made.items()}
    for name in ("question", "answer") if table == "answers" else ():
        if name not in made:
            check.fail("{file}: [{where}] lacks {key}.", 'Write {key} = "COLUMN".', where=table, key=name)
    if not {"wave", "answered_at"} & made.keys():
        repair = 'Write wave = {{ constant = "2024" }}, or wave = "COLUMN", or answered_at = "COLUMN" (a date).'
        check.fail("{file}: {where} does not tell the wave of an answer.", repair, where=where)
    only = {column: texts(values) for column, values in section.get("only", {}).items()}
    return Feed(table, section["file"], made, only=only)


def _terms(check: Check, said: Any, path: Path, feeds: list[Feed]) -> Terms:
    check.keys(said, "a survey", "survey")
    name = said.get("survey", path.stem)
    if not name or any(sign in name for sign in "@/\\ .") or not name.isascii():
        repair = 'Write letters, figures, - and _ only, like survey = "engagement".'
        check.fail("{file}: {value!r} is no name of a survey.", repair, value=name)
    if "mode" not in said:
        repair = 'Write mode = "anonymous" or mode = "confidential" under [survey], as respondents were told.'
        check.fail("{file} does not say whether the survey was anonymous or confidential.", repair)
    if "retention_months" not in said:
        repair = (
            "Write retention_months = 24 under [survey], counted from the close of a wave, as respondents were told."
        )
        check.fail("{file} does not say how long answers are kept.", repair)
    check.member(said["mode"], _MODES, "survey: mode")
    check.member(said.get("cadence", "once"), _CADENCES, "survey: cadence")
    for key in ("minimum", "comments_minimum"):
        if said.get(key, FLOOR) < FLOOR:
            check.fail("{file}: no group under {floor} is ever shown.", "Write {floor} or more.", floor=FLOOR)
    mapped = {name for feed in feeds for name in feed.fields if name in CUTS}
    cuts = tuple(said.get("cuts", [cut for cut in CUTS if cut in mapped]))
    for cut in cuts:
        check.member(cut, CUTS, "survey: cuts")
        if cut not in mapped:
            repair = 'Write {cut} = "COLUMN" in [answers], or take it out of `cuts`.'
            check.fail("{file}: the cut {cut} is in no column.", repair, cut=cut)
    crossed = tuple((one, other) for one, other in said.get("crossed", []))
    for cut in sorted(mapped - {*cuts, *(cut for pair in crossed for cut in pair)}):
        repair = "Add it to `cuts`, or take it out of the mapping: what is not shown is not kept."
        check.fail("{file}: {cut} is read and never shown.", repair, cut=cut)
    if any(feed.fields.get("team") for feed in feeds) and "team" in cuts and "region" in cuts:
        cuts = ("region", "team", *(cut for cut in cuts if cut not in ("region", "team")))
    return Terms(
        survey=name, title=_spoken(said.get("title", name)), mode=said["mode"], cadence=said.get("cadence", "once"),
        controller=said.get("controller", ""), purpose=_spoken(said.get("purpose", "")),
        retention_months=said["retention_months"], contact=said.get("contact", ""),
        minimum=said.get("minimum", MINIMUM), comments_minimum=said.get("comments_minimum", COMMENTS_MINIMUM),
        cuts=cuts, crossed=crossed, rolling=_rolling(check, said),
    )  # fmt: skip


def _rolling(check: Check, said: Any) -> int:
    n, (least, most) = said.get("rolling", 0), ROLLING
    if n and said["mode"] == "anonymous":
        repair = "Take rolling out: nothing tells which answer of an anonymous survey is a person's latest."
        check.fail("{file}: an anonymous survey has no rolling score.", repair)
    if n and not least <= n <= most:
        check.fail(
            "{file}: rolling = {n} is no number of waves.", "Write {least} to {most}.", n=n, least=least, most=most
        )
    return int(n)


def _spoken(said: Any) -> dict[str, str]:
    """A text of both languages, or one for both."""
    return {str(k): str(v) for k, v in said.items()} if isinstance(said, dict) else {"en": str(said), "fr": str(said)}


def _waves(check: Check, raw: Any) -> dict[str, tuple[date, date]]:
    found: dict[str, tuple[date, date]] = {}
    for name, said in raw.items():
        where = f"waves.{name}"
        check.keys(said, "a wave", where)
        known = period(name)
        if "closed" not in said and not known:
            check.fail("{file}: {where} does not say when it closed.", "Write closed = 2024-05-31.", where=where)
        closed = said["closed"] if "closed" in said else known[1]  # type: ignore[index]
        opened = said.get("opened", known[0] if known else closed)
        if opened > closed:
            check.fail("{file}: {where} closes before it opens.", "Correct one of the two days.", where=where)
        found[name] = opened, closed
    if not sorts_by_time({name: closed for name, (_, closed) in found.items()}):
        repair = 'Name them so that they do, like "2024-05", with `values` of the field `wave`.'
        check.fail("{file}: the names of the waves do not sort by time.", repair)
    return found
