"""What the Pulse page says first: how the team is, how sure that is, what moved, where, and what goes with it."""

from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Nothing, Sentences
from cadran.figures.pulse_page import Answers
from cadran.figures.pulse_told import band
from cadran.figures.pulse_words import nothing_before, subject
from cadran.text import Words

#: Sentences and headline numbers at the top of the page.
SENTENCES, NUMBERS = 4, 5
Told = tuple[str, Headline | None]


def first_words(answers: Answers) -> dict[str, Block]:
    """The sentences and the headline numbers of what is known so far: the drivers add theirs once they are known.

    A wave of which no eNPS is told begins with who answered, and with the questions answered best and worst.
    """
    told = [_enps(answers), _participation(answers), *_ends(answers), _moved(answers), _where(answers), _why(answers),
            _visible(answers)]  # fmt: skip
    cards = [card for _, card in told if card][:NUMBERS]
    return {
        "sentences": Sentences([sentence for sentence, _ in told if sentence][:SENTENCES]),
        "headlines": Headlines(cards) if cards else Nothing(),
    }


def _has_enps(answers: Answers) -> bool:
    return _row(answers, "enps").get("enps") is not None


def _row(answers: Answers, name: str) -> dict[str, Any]:
    frame = answers.frames.get(name)
    return frame.row(0, named=True) if isinstance(frame, pl.DataFrame) and frame.height else {}


def _enps(answers: Answers) -> Told:
    words, row = answers.words, _row(answers, "enps")
    if not row:
        return "", None
    if row["enps"] is None:
        why = words(row["reason"] or "")
        if row["band_low"] is None:
            return words("eNPS is not told of this wave. {why}", why=why), None
        return words(
            "eNPS is not told of this wave; promoters are {share}. {why}", share=band(row, words), why=why
        ), None
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
        all_of = words("all {n} invited, the silent alike: {low} to {high}", n=row["n_invited"], **ends)
    exact = words.number(row["enps"], 1)
    return said, Headline(words("eNPS"), value, all_of, basis=basis, exact=exact, definition=_definition("enps", words))


def _participation(answers: Answers) -> Told:
    """How many answered, of how many; the sentence where no eNPS comes first."""
    words, row = answers.words, _row(answers, "participation")
    if not row or row["n_answered"] is None:
        return "", None
    definition, answered = _definition("participation", words), words.number(row["n_answered"])
    if row["participation_share"] is None:
        none = words("how many were invited is not known")
        said = words.n("{n} person answered; {none}.", "{n} people answered; {none}.", row["n_answered"], none=none)
        return "" if _has_enps(answers) else said, Headline(
            words("Participation"), answered, none, definition=definition
        )
    bounds = ""
    if row["enps_worst"] is not None:
        bounds = words(
            "eNPS between {low} and {high} whatever the silent think",
            low=words.signed(row["enps_worst"]), high=words.signed(row["enps_best"]),
        )  # fmt: skip
    low, high = (words.percent(row[f"participation_share_{end}"]) for end in ("low", "high"))
    counts = {"n": answered, "all": words.number(row["n_invited"])}
    basis = words("{n} of {all} invited ({low} to {high})", **counts, low=low, high=high)
    share = words.percent(row["participation_share"])
    said = words(
        "{n} of {all} invited answered: {share} (95 %: {low} to {high}).", **counts, share=share, low=low, high=high
    )
    return "" if _has_enps(answers) else said, Headline(
        words("Participation"), share, bounds, basis=basis, exact=words.percent(row["participation_share"], 2),
        definition=definition,
    )  # fmt: skip


def _ends(answers: Answers) -> list[Told]:
    """Where no eNPS is told: the questions answered most and least favourably, of those told exactly."""
    words, frame = answers.words, answers.frames.get("answers")
    if _has_enps(answers) or not isinstance(frame, pl.DataFrame):
        return []
    known = frame.filter(pl.col("favourable_share").is_not_null()).sort("favourable_share", "n_scores", descending=True)
    if known.is_empty():
        return []
    ends = [known.row(0, named=True), known.row(-1, named=True)][: known.height]
    labels = (words("Most favourable"), words("Least favourable"))
    said, cards = [], []
    for row, label in zip(ends, labels, strict=False):
        text = answers.texts.get(row["question_id"], row["question_id"])
        share, low, high = (words.percent(row[f"favourable_share{end}"]) for end in ("", "_low", "_high"))
        counts = {"n": words.number(row["n_favourable"]), "all": words.number(row["n_scores"])}
        said.append(words("“{question}” {share} ({n} of {all}; 95 %: {low} to {high})", question=text, share=share, low=low,
                          high=high, **counts))  # fmt: skip
        basis = words("{n} of {all}; {low} to {high}, 95 %", low=low, high=high, **counts)
        cards.append(Headline(label, share, text, basis=basis, exact=words.percent(row["favourable_share"], 2),
                              definition=_definition("favourable_share", words)))  # fmt: skip
    if len(said) == 1:
        return [(words("Favourable answers: {best}.", best=said[0]), cards[0])]
    both = {"best": said[0], "worst": said[1]}
    if known.height == frame.height:
        sentence = words("Most favourable answers: {best}; least: {worst}.", **both)
    else:
        sentence = words("Of the questions told exactly, most favourable answers: {best}; least: {worst}.", **both)
    return [(sentence, cards[0]), ("", cards[1])]


def _moved(answers: Answers) -> Told:
    """What may be called a change since the wave before; else, that nothing may, and what moved since the first."""
    words, frame = answers.words, answers.frames.get("moved")
    if not isinstance(frame, pl.DataFrame):
        return "", None
    n = frame["moved"].count()
    if not n:
        return nothing_before(words), None
    changed = frame.filter(pl.col("is_change").fill_null(False)).sort(pl.col("moved").abs(), descending=True)
    if changed.is_empty():
        since = frame.filter(pl.col("is_change_since_first").fill_null(False))
        if since.is_empty():
            none = words.n("{n} score was followed: it did not move since the wave before by more than chance alone would.",
                           "Of {n} scores, none moved since the wave before by more than chance alone would.", n)  # fmt: skip
            return none, None
        row = since.sort(pl.col("moved_since_first").abs(), descending=True).row(0, named=True)
        low, high = (words.signed(row[f"moved_since_first_{end}"]) for end in ("low", "high"))
        return words(
            "Nothing moved since the wave before by more than chance alone would; since the first, {wave}, “{question}” moved "
            "by {moved} points ({low} to {high}).", wave=row["first"].rpartition("@")[2],
            question=answers.texts.get(row["question_id"], row["question_id"]), moved=words.signed(row["moved_since_first"]),
            low=low, high=high,
        ), None  # fmt: skip
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


def _where(answers: Answers) -> Told:
    words, frame = answers.words, answers.frames.get("groups")
    if not isinstance(frame, pl.DataFrame) or not answers.by:
        return "", None
    apart = frame.filter(pl.col("is_difference").fill_null(False)).sort("difference")
    if apart.is_empty():
        return "", None
    row = apart.row(0 if apart["difference"][0] < 0 else -1, named=True)
    text = answers.texts.get(answers.about, "")
    low, high = (words.signed(row[f"difference_{end}"]) for end in ("low", "high"))
    return words(
        "On “{question}”, {group} stands {difference} points from the company ({low} to {high}, for all {n} compared).",
        question=text, group=" · ".join(row[each] or "–" for each in answers.by), n=row["n_compared"],
        difference=words.signed(row["difference"]), low=low, high=high,
    ), None  # fmt: skip


def _why(answers: Answers) -> Told:
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
        "“{question}” goes with eNPS most: {share} of what all questions tell of it ({low} to {high}).",
        question=text, share=share, low=low, high=high,
    )  # fmt: skip
    name = subject(row["dimension"] or row["question_id"], words)
    return said, Headline(
        words("Goes with eNPS most"), name, words("{share} of what all questions tell of it", share=share),
        basis=words("{low} to {high}, 95 %", low=low, high=high), exact=text, definition="#why",
    )  # fmt: skip


def _visible(answers: Answers) -> Told:
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
