"""The questions that a mapping of survey results declares: what they are called in the files, and what answers mean."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from cadran.sources.told import texts
from cadran.tables.pulse import ENPS, KINDS, SCORED, Question

#: What says that a question does not apply, unless the mapping says that it is a score or an option.
NOT_APPLICABLE = ("N/A", "NA", "n.a.", "Not applicable", "Non applicable", "Sans objet", "S/O")
#: Low, unfavourable to, favourable from, high.
_SCALES = {"enps_0_10": (0, 6, 9, 10), "enps_1_10": (1, 6, 9, 10), "agreement": (1, 2, 4, 5)}


def normal(text: str) -> str:
    """A wording as it is compared: whatever its case and spaces, its apostrophes and quotation marks."""
    straight = text.replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    return " ".join(straight.split()).casefold()


@dataclass(frozen=True)
class Asked:
    """One question, with the names that it has in the files."""

    question_id: str
    kind: str
    text: Dict[str, str]
    named: tuple[str, ...]
    dimension: str | None = None
    is_reversed: bool = False
    #: Low, unfavourable to, favourable from, high; null without a scale.
    scale: tuple[int, int, int, int] | None = None
    labels: Dict[str, list[str]] = field(default_factory=dict)
    #: By `normal` text: the score it means, or the option as `labels` has it in English.
    scores: Dict[str, int] = field(default_factory=dict)
    options: Dict[str, str] = field(default_factory=dict)
    not_applicable: frozenset[str] = frozenset()


def questions(check: Any, raw: Dict[str, Any]) -> tuple[Asked, ...]:
    """The questions of a mapping, checked.

    Args:
        check: What reads the mapping (`keys`, `member`, `fail`).
        raw: Its TOML.
    """
    scales = raw.get("scales", {})
    for name, said in scales.items():
        check.keys(said, "a scale", f"scales.{name}")
    found = tuple(_question(check, said, n, scales) for n, said in enumerate(raw.get("questions", []), 1))
    if not found:
        check.fail("{file} declares no question.", "Write [[questions]], each with an id and a kind.")
    _once(check, [asked.question_id for asked in found], "id")
    _once(check, [name for asked in found for name in {normal(name) for name in asked.named}], "named")
    return found


def frame(asked: Iterable[Asked]) -> pl.DataFrame:
    """Questions as `tables.pulse.Question`."""
    rows = [
        {
            "question_id": each.question_id, "kind": each.kind, "text_en": each.text["en"], "text_fr": each.text["fr"],
            "dimension": each.dimension, "is_reversed": each.is_reversed,
            **dict(zip(("low", "unfavourable_to", "favourable_from", "high"), each.scale or [None] * 4, strict=True)),
            "labels_en": each.labels.get("en"), "labels_fr": each.labels.get("fr"),
        }
        for each in asked
    ]  # fmt: skip
    schema = {name: column.dtype for name, column in Question.columns().items()}
    return Question.validate(pl.DataFrame(rows, schema=schema))


def _once(check: Any, said: list[str], key: str) -> None:
    for text in said:
        if said.count(text) > 1:
            repair = "Keep it in one of them."
            check.fail("{file}: questions: {value!r} stands in `{key}` of two questions.", repair, value=text, key=key)


def _question(check: Any, said: Any, number: int, scales: Dict[str, Any]) -> Asked:
    where = f"questions[{number}]"
    check.keys(said, "a question", where)
    for key in ("id", "kind"):
        if key not in said:
            check.fail("{file}: {where} lacks {key}.", 'Write {key} = "…".', where=where, key=key)
    check.member(said["kind"], KINDS, f"{where}: kind")
    if "scale" in said:
        check.member(said["scale"], scales, f"{where}: scale")
        said = {**scales[said["scale"]], **said}
    kind, text = said["kind"], said.get("text", said["id"])
    spoken = {"en": text, "fr": text} if isinstance(text, str) else text
    if {"en", "fr"} - spoken.keys():
        check.fail("{file}: {where}: its text is in French and English.",
                   'Write text = {{ en = "…", fr = "…" }}, or one text for both.', where=where)  # fmt: skip
    labels = said.get("labels", {})
    labels = {"en": labels, "fr": labels} if isinstance(labels, list) else labels
    words = {normal(str(k)): str(v) for k, v in said.get("values", {}).items()}
    options: dict[str, str] = {}
    if kind == "choice":
        options = _options(check, labels, words, where)
    return Asked(
        question_id=said["id"], kind=kind, text=spoken, dimension=said.get("dimension"),
        named=tuple(dict.fromkeys([*texts(said.get("named", [])), said["id"], *spoken.values()])),
        is_reversed=said.get("reversed", False), scale=_scale(check, kind, said, where), labels=labels,
        scores=_scores(check, kind, said, labels, where), options=options,
        not_applicable=frozenset(map(normal, texts(said.get("not_applicable", [])))),
    )  # fmt: skip


def _options(check: Any, labels: Dict[str, list[str]], words: Dict[str, str], where: str) -> dict[str, str]:
    english, french = labels.get("en", []), labels.get("fr", [])
    if not english or len(english) != len(french):
        repair = 'Write labels = {{ en = ["…"], fr = ["…"] }}, in the same order.'
        check.fail("{file}: {where}: a choice has its options in both languages.", repair, where=where)
    options = {normal(text): one for one, other in zip(english, french, strict=True) for text in (one, other)}
    for text, option in words.items():
        check.member(option, english, f"{where}: values")
        options[text] = option
    return options


def _scale(check: Any, kind: str, said: Dict[str, Any], where: str) -> tuple[int, int, int, int] | None:
    keys = ("low", "unfavourable_to", "favourable_from", "high")
    if kind not in SCORED:
        for key in keys:
            if key in said:
                check.fail("{file}: {where}: a {kind} has no scale.", "Remove {key}.", where=where, kind=kind, key=key)
        return None
    default = _SCALES[kind]
    scale = tuple(int(said.get(key, usual)) for key, usual in zip(keys, default, strict=True))
    if kind in ENPS and scale != default:
        repair = 'Take its scale away; of another one, write kind = "agreement" with its cuts.'
        check.fail("{file}: {where}: {kind} has a scale of its own.", repair, where=where, kind=kind)
    if {"low", "high"} & said.keys() and not {"favourable_from", "unfavourable_to"} <= said.keys():
        repair = "Write favourable_from (the lowest score that is) and unfavourable_to (the highest that is)."
        check.fail("{file}: {where}: a scale of its own says which scores are favourable.", repair, where=where)
    low, unfavourable, favourable, high = scale
    if not low <= unfavourable < favourable <= high:
        repair = "Write low ≤ unfavourable_to < favourable_from ≤ high."
        check.fail("{file}: {where}: its scale is not in order.", repair, where=where)
    return low, unfavourable, favourable, high


def _scores(check: Any, kind: str, said: Dict[str, Any], labels: Dict[str, list[str]], where: str) -> dict[str, int]:
    scale = _scale(check, kind, said, where)
    if scale is None:
        return {}
    scores = {normal(str(word)): score for word, score in said.get("scores", {}).items()}
    for word, score in scores.items():
        if not isinstance(score, int) or not scale[0] <= score <= scale[3]:
            told = {"where": where, "word": word, "low": scale[0], "high": scale[3]}
            check.fail("{file}: {where}: {word!r} has no score of its scale.", "Write {low} to {high}.", **told)
    for points in labels.values():  # labels that stand for each point of the scale are words for it
        if len(points) == scale[3] - scale[0] + 1:
            scores = {**{normal(text): n for n, text in enumerate(points, scale[0])}, **scores}
    return scores
