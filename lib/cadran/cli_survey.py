"""The commands of a pulse survey before it opens: a file to begin from, and what is wrong with it."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

import polars as pl
import typer

from cadran.asked import FormatOption
from cadran.tables.problems import Faults, Problem
from cadran.tables.pulse import Cadence, Mode
from cadran.terminal import Format, out, reader_words, show, warn
from cadran.text import Words

words = reader_words()
survey = typer.Typer(no_args_is_help=True)
Modes = StrEnum("Modes", get_args(Mode))  # type: ignore[misc]
Cadences = StrEnum("Cadences", get_args(Cadence))  # type: ignore[misc]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=words("The survey's TOML file."))]


@survey.command(help=words("Write a survey's file to begin from, in this folder."))
def new(
    name: Annotated[str, typer.Argument(help=words("Name of the survey; the file is called NAME.toml."))],
    mode: Annotated[
        Modes, typer.Option(help=words("Whether a pseudonym links a person's answers across waves."))
    ] = Modes.anonymous,  # type: ignore[attr-defined]
    cadence: Annotated[Cadences, typer.Option(help=words("How often it is held."))] = Cadences.monthly,  # type: ignore[attr-defined]
    items: Annotated[
        list[str] | None,
        typer.Option(help=words("Questions or whole dimensions of the library (repeat, or separate by commas).")),
    ] = None,
    controller: Annotated[str, typer.Option(help=words("Who answers for the data: the employer."))] = "",
    contact: Annotated[str, typer.Option(help=words("Whom respondents ask for their rights."))] = "",
) -> None:
    """Write a survey's file to begin from, in this folder."""
    from cadran.sources.question import check_name
    from cadran.sources.survey_draft import chosen, draft

    words = reader_words()
    check_name(name)
    asked = chosen([each.strip() for told in items or [] for each in told.split(",")])
    text = draft(name, mode.value, cadence.value, asked, controller, contact, words.language, words)
    path = Path(f"{name}.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Problem("{file} is there already.", "Choose another name, or move it away.", file=path) from None
    except OSError as error:
        raise Problem("{file} cannot be written: {reason}", "Choose a folder you may write in.", file=path,
                      reason=error.strerror or error) from error  # fmt: skip
    out.print(words.n("{file}: {n} question.", "{file}: {n} questions.", len(asked), file=path), highlight=False)
    if missing := [key for key, value in {"controller": controller, "contact": contact}.items() if not value.strip()]:
        out.print(words("To fill in before it opens: {keys}.", keys=", ".join(missing)), style="yellow")
    out.print(words("Then: cadran survey check {file}", file=path), highlight=False)


@survey.command(help=words("Say what is wrong with a survey, what each wave would ask, and what respondents are told."))
def check(file: FileArgument, format: FormatOption = Format.table) -> None:  # noqa: A002
    """Say what is wrong with a survey, what each wave would ask, and what respondents are told."""
    from cadran.sources.questionnaire import Refused, load_questionnaire

    words = reader_words()
    try:
        read = load_questionnaire(file)
    except Problem as problem:
        faults = problem.faults if isinstance(problem, Faults) else (problem,)
        remarks = problem.remarks if isinstance(problem, Refused) else ()
        if format is Format.json:
            _echo({"may_open": False, "faults": _found(faults, words), "remarks": _found(remarks, words)})
            raise typer.Exit(1) from None
        warn(each.told(words) for each in remarks)
        raise
    waves = [read.questions_of(number) for number in range(read.cycle)]
    if format is Format.json:
        _echo(_answer(read, waves, words))
        return
    if format is Format.table:
        out.print(f"[bold]{read.terms.title[words.language]}[/] · {read.terms.survey}", highlight=False)
    plan = _plan(read, waves, words)
    if format is not Format.table:
        show(plan, format, words)
    else:
        show(plan.with_columns(pl.col("kind").replace(_kinds(words))), format, words)
        for sentence in declared(read.terms, words):
            out.print(sentence, highlight=False, markup=False, soft_wrap=True)
        out.print(_time(waves, words), highlight=False, soft_wrap=True)
    warn(each.told(words) for each in read.remarks)
    if format is Format.table:
        n = len(read.remarks)
        out.print(words("It may open.") if not n else
                  words.n("It may open; {n} remark.", "It may open; {n} remarks.", n), style="green")  # fmt: skip


def _echo(answer: dict[str, Any]) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))


def _found(found: Any, words: Words) -> list[dict[str, Any]]:
    """Faults or remarks, as a script reads them."""
    return [
        {"place": getattr(each, "place", None), "question": getattr(each, "question", None),
         "rule": getattr(each, "rule", "file"), "told": each.told(words)}
        for each in found
    ]  # fmt: skip


def _answer(read: Any, waves: list[pl.DataFrame], words: Words) -> dict[str, Any]:
    from cadran.sources.questionnaire import seconds

    asked = [
        {
            "questions": wave["question_id"].to_list(),
            "seconds": {lang: round(seconds(wave, lang)) for lang in ("en", "fr")},
        }
        for wave in waves
    ]
    return {
        "may_open": True, "faults": [], "remarks": _found(read.remarks, words), "digest": read.digest,
        "terms": asdict(read.terms), "always": list(read.always), "waves": asked, "questions": read.questions.to_dicts(),
    }  # fmt: skip


def _plan(read: Any, waves: list[pl.DataFrame], words: Words) -> pl.DataFrame:
    """One row per question: what it is about, and which waves of a cycle ask it."""
    turns = {
        name: [str(k) for k, wave in enumerate(waves, 1) if name in wave["question_id"]]
        for name in read.questions["question_id"]
    }
    told = [words("each") if len(turn) == len(waves) else words.list(turn) for turn in turns.values()]
    return read.questions.select(
        "question_id",
        "dimension",
        "kind",
        "is_reversed",
        pl.Series("waves", told),
        pl.col(f"text_{words.language}").alias("text"),
    )


def _kinds(words: Words) -> dict[str, str]:
    """The kinds of question, as a person reads them."""
    return {
        "enps_0_10": words("eNPS, 0 to 10"), "enps_1_10": words("eNPS, 1 to 10"), "agreement": words("agreement scale"),
        "choice": words("choice"), "comment": words("comment"),
    }  # fmt: skip


def declared(terms: Any, words: Words) -> list[str]:
    """What holds of a survey, and is told to who answers."""
    mode = (
        words("Anonymous: nothing links what a person answers from one wave to the next.")
        if terms.mode == "anonymous"
        else words("Confidential: a pseudonym links a person's answers across waves; its key is held apart.")
    )
    cadence = {
        "weekly": words("Held every week."), "monthly": words("Held every month."),
        "quarterly": words("Held every quarter."), "once": words("Held once."),
    }[terms.cadence]  # fmt: skip
    cuts = [*map(words, terms.cuts), *(f"{words(one)} × {words(other)}" for one, other in terms.crossed)]
    by = words("Cut by: {cuts}.", cuts=words.list(cuts)) if cuts else words("Told of the company alone.")
    if terms.rolling:
        cadence += " " + words(
            "Each person's latest answers are told too, over {n} waves.", n=words.number(terms.rolling)
        )
    return [
        f"{mode} {cadence}",
        words("Answers for the data: {controller}. Purpose: {purpose}", controller=terms.controller,
              purpose=terms.purpose[words.language]),
        words.n("Kept for {n} month. Rights: {contact}.", "Kept for {n} months. Rights: {contact}.", terms.retention_months,
                contact=terms.contact),
        words("Shown of groups of at least {minimum} respondents, comments of at least {comments}. {by}", by=by,
              minimum=words.number(terms.minimum), comments=words.number(terms.comments_minimum)),
    ]  # fmt: skip


def _time(waves: list[pl.DataFrame], words: Words) -> str:
    from cadran.sources.questionnaire import seconds

    longest = max(seconds(wave, words.language) for wave in waves)
    told = words("About {n} seconds to answer.", n=words.number(round(longest / 5) * 5))
    if len(waves) > 1:
        return told + " " + words("Every question is asked within {n} waves.", n=words.number(len(waves)))
    return told
