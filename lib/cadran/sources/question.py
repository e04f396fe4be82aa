"""One question of a survey as a file writes it: its own, or one of the library that ships (`items/`)."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files as shipped
from pathlib import Path
from typing import Any

from cadran.tables.problems import Problem
from cadran.tables.pulse import KINDS
from cadran.tables.toml_file import Section, read_toml

#: The languages that respondents choose from.
LANGUAGES = ("en", "fr")
#: The least and the most options of a choice, and the greatest point of a scale: a phone shows no more.
OPTIONS, TOP = (2, 10), 10
#: How each kind of question is answered unless it says otherwise, as `Question` has it. That of eNPS is fixed.
_LIKELY = {"labels_en": ["Not at all likely", "Very likely"], "labels_fr": ["Pas du tout probable", "Très probable"]}
SCALES: dict[str, dict[str, Any]] = {
    "enps_0_10": {"low": 0, "high": 10, "favourable_from": 9, "unfavourable_to": 6, **_LIKELY},
    "enps_1_10": {"low": 1, "high": 10, "favourable_from": 9, "unfavourable_to": 6, **_LIKELY},
    "agreement": {
        "low": 1,
        "high": 5,
        "favourable_from": 4,
        "unfavourable_to": 2,
        "labels_en": ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"],
        "labels_fr": [
            "Pas du tout d'accord", "Plutôt pas d'accord", "Ni d'accord ni pas d'accord", "Plutôt d'accord",
            "Tout à fait d'accord",
        ],
    },
}  # fmt: skip
NO_SCALE = dict.fromkeys(SCALES["agreement"])
_NO_NAME = (
    "“{name}” is no name.", "Write small letters without accents, digits, - and _, at most 60, a letter first.",
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,59}")


def both(told: Section, key: str) -> dict[str, str]:
    """A text in both languages; one that is missing is a fault."""
    section = told.section(key)
    said = {}
    for language in LANGUAGES:
        said[language] = section.text(language, "").strip()
        if not said[language] and isinstance(section.values.get(language, ""), str):
            section.fault(
                "This language is missing.", "Respondents choose theirs: write it in English and in French.", language
            )
    section.close()
    return said


def name_of(told: Section, key: str) -> str:
    """A name that files and links can carry."""
    name = told.text(key)
    if isinstance(told.values.get(key), str) and not _NAME.fullmatch(name):
        told.fault(*_NO_NAME, key, name=name)
    return name


def check_name(name: str) -> None:
    """That files and links can carry a name.

    Raises:
        Problem: If they cannot.
    """
    if not _NAME.fullmatch(name):
        raise Problem(*_NO_NAME, name=name)


def read_question(told: Section, dimension: str | None = None) -> dict[str, Any]:
    """A question that a file writes out: a row of `Question`. What is wrong with it becomes a fault of its file.

    Args:
        told: Its table.
        dimension: What it is about, where the file says that once for all.
    """
    name = name_of(told, "id")
    told.name += f" ({name})" * bool(name)
    kind = told.text("kind", "agreement", among=KINDS)
    text = both(told, "text")
    if dimension is None and (kind == "agreement" or told.has("dimension")):
        dimension = name_of(told, "dimension")
    is_reversed = told.flag("reversed", False)
    if is_reversed and kind != "agreement":
        told.fault(
            "Only an agreement is turned: a high score of {kind} is good.", "Remove reversed.", "reversed", kind=kind
        )
    row = {"question_id": name, "kind": kind, "text_en": text["en"], "text_fr": text["fr"], "dimension": dimension,
           "is_reversed": is_reversed, **SCALES.get(kind, NO_SCALE)}  # fmt: skip
    for key, of in (("scale", "agreement"), ("options", "choice")):
        if told.has(key) and kind != of:
            told.fault(
                "A question of kind {kind} has a fixed form.", "Remove it, or write kind = {of}.", key, kind=kind, of=of
            )
    if kind == "choice":
        row |= _labels(told.section("options"))
        n = len(row["labels_en"] or ())
        if not OPTIONS[0] <= n <= OPTIONS[1]:
            told.fault("A choice has {least} to {most} options, not {n}.", "Write options.en and options.fr, in one order.",
                       "options", least=OPTIONS[0], most=OPTIONS[1], n=n)  # fmt: skip
    elif kind == "agreement" and told.has("scale"):
        row |= _scale(told.section("scale"), SCALES[kind])
    told.close()
    return row


def _scale(told: Section, usual: Mapping[str, Any]) -> dict[str, Any]:
    """A scale of its own: its cuts and labels are the usual ones only if its points are."""
    before = len(told.faults)
    low, high = (told.whole(end, usual[end], 0, TOP) for end in ("low", "high"))
    is_usual = (low, high) == (usual["low"], usual["high"])
    favourable, unfavourable = (
        told.whole(cut, usual[cut] if is_usual else None) for cut in ("favourable_from", "unfavourable_to")
    )
    if low >= high:
        told.fault("A scale from {low} to {high} leaves no choice.", "Write low below high, as 1 and 5.", "high",
                   low=low, high=high)  # fmt: skip
    elif len(told.faults) == before and not low <= unfavourable < favourable <= high:
        told.fault(
            "From {low} to {high}, scores up to {unfavourable} cannot be unfavourable and those from {favourable} on "
            "favourable.",
            "Write unfavourable_to below favourable_from, both on the scale.", "favourable_from",
            low=low, high=high, unfavourable=unfavourable, favourable=favourable,
        )  # fmt: skip
    labels = _labels(told.section("labels")) if told.has("labels") else {}
    told.close()
    if not labels and is_usual:
        labels = {key: usual[key] for key in ("labels_en", "labels_fr")}
    return {
        "low": low, "high": high, "favourable_from": favourable, "unfavourable_to": unfavourable,
        "labels_en": None, "labels_fr": None, **labels,
    }  # fmt: skip


def _labels(told: Section) -> dict[str, Any]:
    """Labels in both languages, in one order; one that stands twice could not be told from the other."""
    labels = {language: [each.strip() for each in told.texts(language)] for language in LANGUAGES}
    told.close()
    for language, texts in labels.items():
        twice = next((each for each in texts if texts.count(each) > 1), None)
        if twice is not None:
            told.fault("{label} stands twice.", "Give each its own words.", language, label=twice)
    if len(labels["en"]) != len(labels["fr"]):
        told.fault("{en} in English, {fr} in French.", "Write as many in both, in one order.", "fr",
                   en=len(labels["en"]), fr=len(labels["fr"]))  # fmt: skip
    return {f"labels_{language}": texts or None for language, texts in labels.items()}


@cache
def library() -> Mapping[str, dict[str, Any]]:
    """The questions that ship, by id: rows of `Question`, those of a dimension together."""
    return {row["question_id"]: row for _, rows in _shipped() for row in rows}


@cache
def dimensions() -> Mapping[str, dict[str, str]]:
    """The dimensions of the library, with their titles in both languages."""
    return {title["dimension"]: title for title, _ in _shipped() if title}


@cache
def _shipped() -> list[tuple[dict[str, str], list[dict[str, Any]]]]:
    folder = Path(str(shipped("cadran.sources") / "items"))
    return [_read(read_toml(path)) for path in sorted(folder.glob("*.toml"))]


def _read(told: Section) -> tuple[dict[str, str], list[dict[str, Any]]]:
    title = {}
    if told.has("dimension"):
        title = {"dimension": told.text("dimension"), **both(told, "title")}
    rows = [read_question(each, title.get("dimension", "")) for each in told.sections("items")]
    told.close()
    told.check()
    return title, [row | {"dimension": row["dimension"] or None} for row in rows]
