"""What the Pulse page says first: how the team is, how sure that is, what moved, where, and what goes with it."""

from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Sentences
from cadran.figures.pulse_page import Answers
from cadran.figures.pulse_words import DIMENSIONS
from cadran.text import Words

#: Sentences at the top of the page.
SENTENCES = 4


def first_words(answers: Answers) -> dict[str, Block]:
    """The sentences and the headline numbers of what is known so far: the drivers add theirs once they are known."""
    told = [_enps(answers), _participation(answers), _moved(answers), _where(answers), _why(answers), _visible(answers)]
    return {
        "sentences": Sentences([sentence for sentence, _ in told if sentence][:SENTENCES]),
        "headlines": Headlines([card for _, card in told if card]),
    }


def _row(answers: Answers, name: str) -> dict[str, Any]:
    frame = answers.frames.get(name)
    return frame.row(0, named=True) if isinstance(frame, pl.DataFrame) and frame.height else {}


def _enps(answers: Answers) -> tuple[str, Headline | None]:
    words, row = answers.words, _row(answers, "enps")
    if not row:
        return "", None
    if row["enps"] is None:
        return words("eNPS is not told of this wave: {why}", why=words(row["reason"] or "")), None
    value, low, high = (words.signed(row[name]) for name in ("enps", "enps_low", "enps_high"))
    said = words(
        "eNPS is {value} on the {scale} scale: {promoters} promoters, {passives} passives and {detractors} detractors "
        "(95 %: {low} to {high}).",
        value=value, scale=row["scale"], promoters=row["n_promoters"], passives=row["n_passives"],
        detractors=row["n_detractors"], low=low, high=high,
    )  # fmt: skip
    basis = words("{low} to {high}, 95 %; scale {scale}", low=low, high=high, scale=row["scale"])
    all_of = ""
    if row["enps_all_low"] is not None:
        ends = {"low": words.signed(row["enps_all_low"]), "high": words.signed(row["enps_all_high"])}
        all_of = words("all {n} invited: {low} to {high}", n=row["n_invited"], **ends)
    exact = words.number(row["enps"], 1)
    return said, Headline(words("eNPS"), value, all_of, basis=basis, exact=exact, definition=_definition("enps", words))


def _participation(answers: Answers) -> tuple[str, Headline | None]:
    words, row = answers.words, _row(answers, "participation")
    if not row or row["participation_share"] is None:
        return "", None
    bounds = ""
    if row["enps_worst"] is not None:
        bounds = words(
            "eNPS between {low} and {high} whatever the silent think",
            low=words.signed(row["enps_worst"]), high=words.signed(row["enps_best"]),
        )  # fmt: skip
    low, high = (words.percent(row[f"participation_share_{end}"]) for end in ("low", "high"))
    basis = words(
        "{n} of {all} invited ({low} to {high})", n=row["n_answered"], all=row["n_invited"], low=low, high=high
    )
    share = words.percent(row["participation_share"])
    return "", Headline(
        words("Participation"), share, bounds, basis=basis, exact=words.percent(row["participation_share"], 2),
        definition=_definition("participation", words),
    )  # fmt: skip


def _moved(answers: Answers) -> tuple[str, Headline | None]:
    """What may be called a change since the wave before; else, that nothing may."""
    words, frame = answers.words, answers.frames.get("moved")
    if not isinstance(frame, pl.DataFrame) or not frame["moved"].count():
        return "", None
    changed = frame.filter(pl.col("is_change").fill_null(False)).sort(pl.col("moved").abs(), descending=True)
    n = frame["n_compared"].max()
    if changed.is_empty():
        return words("Of {n} scores, none moved since the wave before by more than chance alone would.", n=n), None
    row = changed.row(0, named=True)
    text = answers.texts.get(row["question_id"], row["question_id"])
    mixed = {
        "who_answered": words("but only because others answered"),
        "reversed": words("but with the groups weighed alike it moved the other way"),
    }.get(row["reading"] or "", "")
    low, high = (words.signed(row[f"moved_{end}"]) for end in ("low", "high"))
    said = words(
        "“{question}” moved by {moved} points since the wave before ({low} to {high}){but}.",
        question=text, moved=words.signed(row["moved"]), low=low, high=high, but=f"{words(', ')}{mixed}" if mixed else "",
    )  # fmt: skip
    card = Headline(
        words("Moved most"), words.signed(row["moved"]), text, "good" if row["moved"] > 0 else "bad",
        words("{low} to {high}, 95 %", low=low, high=high), definition=_definition("pulse_trend", words),
    )  # fmt: skip
    return said, card


def _where(answers: Answers) -> tuple[str, Headline | None]:
    words, frame = answers.words, answers.frames.get("groups")
    by = answers.view["by"]
    if not isinstance(frame, pl.DataFrame) or by not in frame.columns:
        return "", None
    apart = frame.filter(pl.col("is_difference").fill_null(False)).sort("difference")
    if apart.is_empty():
        return "", None
    row = apart.row(0 if apart["difference"][0] < 0 else -1, named=True)
    text = answers.texts.get(answers.about, "")
    low, high = (words.signed(row[f"difference_{end}"]) for end in ("low", "high"))
    return words(
        "On “{question}”, {group} stands {difference} points from the company ({low} to {high}, for all {n} compared).",
        question=text, group=row[by], difference=words.signed(row["difference"]), low=low, high=high, n=row["n_compared"],
    ), None  # fmt: skip


def _why(answers: Answers) -> tuple[str, Headline | None]:
    words, drivers = answers.words, answers.frames.get("drivers")
    if not isinstance(drivers, pl.DataFrame) or not drivers["rank"].count():
        return "", None
    row = drivers.sort("rank", nulls_last=True).row(0, named=True)
    if not row["is_told"]:
        return words("No question is surely seen to go with eNPS in this wave."), None
    text = answers.texts.get(row["question_id"], row["question_id"])
    share = words.percent(row["r2_share"])
    low, high = (words.percent(row[f"r2_share_{end}"]) for end in ("low", "high"))
    said = words(
        "“{question}” goes with eNPS most: {share} of what the questions tell ({low} to {high}).",
        question=text, share=share, low=low, high=high,
    )  # fmt: skip
    name = DIMENSIONS.get(row["dimension"] or "", row["dimension"] or row["question_id"])
    return said, Headline(
        words("Goes with it most"), words(name), words("{share} of what the questions tell", share=share),
        basis=words("{low} to {high}, 95 %", low=low, high=high), exact=text, definition="#why",
    )  # fmt: skip


def _visible(answers: Answers) -> tuple[str, Headline | None]:
    words, row = answers.words, _row(answers, "detectable")
    if not row or row["detectable_change"] is None:
        return "", None
    return "", Headline(
        words("Smallest change to be seen"), words("{n} points", n=words.number(row["detectable_change"], 0)),
        words("of eNPS, from one wave to the next") if answers.is_enps else words("of the question followed"),
        basis=words("with {n} and {before} answers, four times in five", n=row["n_scores"], before=row["n_scores_before"]),
        definition=_definition("detectable", words),
    )  # fmt: skip


def _definition(measure: str, words: Words) -> str:
    return f"/definitions?lang={words.language}#{measure}"
