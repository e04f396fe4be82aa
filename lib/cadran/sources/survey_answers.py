"""From what stands in the files to answers: to which question, and the score, the option or the text it is."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

import polars as pl

from cadran.sources.place import ID
from cadran.sources.rules import BROKEN
from cadran.sources.survey_files import QUESTION, Opened
from cadran.sources.survey_questions import NOT_APPLICABLE, Asked, normal
from cadran.sources.survey_rules import WORDINGS

#: What an answer is, beside its comment.
ANSWER = ("score", "choice")
_NOT_APPLICABLE = frozenset(map(normal, NOT_APPLICABLE))
#: How like a wording must be to one that is known, to be told as the nearest.
_LIKE = 0.6
#: Wordings for which the nearest is looked for, the most frequent ones.
_SUGGESTED = 50
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)", re.ASCII)
_MEANT = {
    "question_id": pl.String, "answer": pl.String, "score": pl.Int16, "choice": pl.String,
    "is_not_applicable": pl.Boolean, "rule": pl.String, "hint": pl.String,
}  # fmt: skip


def to_questions(
    rows: pl.DataFrame, opened: Opened, questions: Sequence[Asked]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[int, str]]:
    """A row for each answer: its row (`ID`), `question_id`, the text of the `answer`, and of the `comment` beside it.

    Returns:
        The answers, blank ones too; the rows about a question that the mapping does not declare (`BROKEN`); and the
        nearest wording that is known, by `ID`.
    """
    rows = rows.drop([c for c in rows.columns if c.startswith("@answered_at") or c == "answered_at"])
    if opened.is_wide:
        asked = [c for c in rows.columns if c.startswith(QUESTION)]
        said = rows.unpivot(asked, index=[c for c in rows.columns if c not in asked], variable_name="question_id",
                            value_name="answer")  # fmt: skip
        said = said.with_columns(pl.col("question_id").str.strip_prefix(QUESTION), comment=pl.lit(None, pl.String))
        return said, pl.DataFrame(schema=BROKEN), {}
    known = {normal(name): each.question_id for each in questions for name in each.named}
    met = rows["question"].value_counts(name="n").drop_nulls()
    keys = {label: known.get(normal(label)) for label in met["question"]}
    said = rows.with_columns(question_id=pl.col("question").replace_strict(keys, default=None, return_dtype=pl.String))
    unknown = said.filter(pl.col("question_id").is_null())
    odd = [label for label in met.sort("n", "question", descending=[True, False])["question"] if keys[label] is None]
    near = {label: f"(≈ {nearest})" for label in odd[:_SUGGESTED] if (nearest := _nearest(label, known, questions))}
    hints = {row: near[label] for row, label in unknown.select(ID, "question").iter_rows() if label in near}
    broken = unknown.select(ID, pl.lit("question").alias("field"), pl.lit("question").alias("rule"))
    opened.remarks += _wordings(met, keys)
    if "comment" not in said.columns:
        said = said.with_columns(comment=pl.lit(None, pl.String))
    return said.drop_nulls("question_id").drop("question"), broken, hints


def meant(
    said: pl.DataFrame, questions: Sequence[Asked], is_wide: bool
) -> tuple[pl.DataFrame, pl.DataFrame, dict[int, str]]:
    """Answers as scores, options and comments; each different text of a question is looked at once.

    Returns:
        The answers with `score`, `choice`, `comment` and `is_not_applicable`, all empty where nothing was answered;
        those that are neither, as `BROKEN`; and what would be, by `ID`.
    """
    by_id = {each.question_id: each for each in questions}
    written = [each.question_id for each in questions if each.kind == "comment"]
    is_written = pl.col("question_id").is_in(written)
    said = said.with_columns(pl.col("answer").cast(pl.String).str.strip_chars())
    said = said.with_columns(pl.when(pl.col("answer") != "").then("answer").alias("answer"))
    said = said.with_columns(comment=pl.when(is_written).then("answer").otherwise("comment"),
                             answer=pl.when(~is_written).then("answer"))  # fmt: skip
    each = said.drop_nulls("answer").select("question_id", "answer").unique()
    rows = [(key, text, *_meant(text, by_id[key])) for key, text in each.iter_rows()]
    table = pl.DataFrame(rows, schema=_MEANT, orient="row")
    said = said.join(table, on=["question_id", "answer"], how="left", maintain_order="left")
    said = said.with_columns(pl.col("is_not_applicable").fill_null(False))
    odd = said.drop_nulls("rule")
    place = pl.lit(QUESTION) + pl.col("question_id") if is_wide else pl.lit("answer")
    broken = odd.select(ID, place.alias("field"), "rule")
    # Of a row with several bad cells, each is told.
    hints = dict(odd.drop_nulls("hint").group_by(ID, maintain_order=True).agg(pl.col("hint").str.join(" ")).iter_rows())
    return said.drop("answer", "rule", "hint"), broken, hints


def _meant(text: str, asked: Asked) -> tuple[int | None, str | None, bool, str | None, str | None]:
    """Score, option, whether it does not apply; or the rule it breaks, and what would not."""
    said = normal(text)
    if asked.kind == "choice":
        if said in asked.options:
            return None, asked.options[said], False, None, None
        if said in asked.not_applicable or said in _NOT_APPLICABLE:
            return None, None, True, None, None
        close = get_close_matches(said, asked.options, 1, _LIKE)
        return None, None, False, "no_option", f"(≈ {asked.options[close[0]]})" if close else None
    if said in asked.scores:
        return asked.scores[said], None, False, None, None
    number = _number(said)
    if said in asked.not_applicable or (number is not None and number in map(_number, asked.not_applicable)):
        return None, None, True, None, None
    if number is None:
        if said in _NOT_APPLICABLE:
            return None, None, True, None, None
        return None, None, False, "no_score", f"({asked.question_id})"
    low, _, _, high = asked.scale or (0, 0, 0, 0)
    if number != int(number) or not low <= number <= high:
        return None, None, False, "off_scale", f"({asked.question_id}: {low}-{high})"
    return int(number), None, False, None, None


def _number(text: str) -> float | None:
    """The number that a text is, with a decimal point or comma: no score has thousands, or a power of ten."""
    number = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
    return number if number is not None and abs(number) < 1e6 else None


def _nearest(label: str, known: dict[str, str], questions: Sequence[Asked]) -> str | None:
    """The wording, as the mapping has it, that is nearest to one that it has not; null if none is near."""
    close = get_close_matches(normal(label), known, 1, _LIKE)
    names = (name for each in questions for name in each.named)
    return next(name for name in names if normal(name) == close[0]) if close else None


def _wordings(met: pl.DataFrame, keys: dict[str, str | None]) -> list[tuple[str, int, str]]:
    """Questions that the file calls by several names: how many rows, and the names."""
    found: dict[str, list[tuple[str, int]]] = {}
    for label, n in met.sort("question").iter_rows():
        if key := keys[label]:
            found.setdefault(key, []).append((label, n))
    return [
        (WORDINGS.format(question=key), sum(n for _, n in names), " | ".join(name for name, _ in names))
        for key, names in found.items()
        if len(names) > 1
    ]
