"""The commands of a randomised trial of a lever: how large it would have to be, who is in which arm, what it showed."""

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import DAY, BookOption, FormatOption, filtered, opened_book
from cadran.terminal import Format, err, out, reader_words, show
from cadran.text import Words

words = reader_words()
trial = typer.Typer(no_args_is_help=True)


class Drawn(StrEnum):
    """What is drawn as one."""

    deal = "deal"
    account = "account"
    rep = "rep"
    team = "team"


WhereOption = Annotated[
    list[str] | None, typer.Option(help=words("COLUMN=VALUE; repeat for more; COLUMN= for unknown."))
]
AsOfOption = Annotated[datetime | None, typer.Option(formats=DAY, help=words("What was known at the end of this day."))]
FollowUpOption = Annotated[
    int | None, typer.Option("--follow-up", min=1, max=3650, help=words("Days from being drawn to being counted."))
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=words("The CSV that `cadran trial draw` wrote."))]


@trial.command(help=words("Say how large a trial would have to be, how long it would take, and what it could show."))
def size(
    effect: Annotated[
        float, typer.Option(help=words("The least effect on the win rate worth seeing, in points."))
    ] = 5.0,
    unit: Annotated[Drawn | None, typer.Option(help=words("What is drawn as one; each in turn by default."))] = None,
    follow_up: FollowUpOption = None,
    months: Annotated[
        float, typer.Option(min=0.1, max=600, help=words("How long the trial may take, in months."))
    ] = 12.0,
    where: WhereOption = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Say how large a trial would have to be, how long it would take, and what it could show."""
    from cadran.models.trial import UNITS
    from cadran.models.trial import size as size_of

    words, opened = reader_words(), _seen(book, as_of)
    question = _question(where)
    units = UNITS if unit is None else (unit.value,)
    rows = [size_of(opened, question, each, effect / 100, follow_up, months) for each in units]
    if format is not Format.table:
        show(pl.DataFrame(rows, infer_schema_length=None), format, words)
        return
    first = rows[0]
    out.print(f"[bold]{words('Size of a trial')}[/] · {opened.settings.name} · {words.date(opened.day)}")
    out.print(
        words(
            "Since {since}, {won} of {closed} closed deals like these were won: {rate} ({low} to {high}). The trial "
            "should show a rise of {effect} in 4 cases of 5, and call nothing an effect by chance in more than 1 case of "
            "20. Each deal is counted {days} after it is drawn.",
            since=words.date(first["since"]), won=words.number(first["n_won"]), closed=words.number(first["n_closed"]),
            rate=words.percent(first["win_rate"], 1), low=words.percent(first["win_rate_low"], 1),
            high=words.percent(first["win_rate_high"], 1), effect=words.points(first["effect_share"], 1),
            days=words.n("{n} day", "{n} days", first["follow_up_days"]),
        ),
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    out.print(_who(first, words), highlight=False, soft_wrap=True)
    for row in rows:
        out.print("· " + _told(row, words), highlight=False, soft_wrap=True)
    if any(row["unit"] == "deal" for row in rows):
        spills = words(
            "Drawn deal by deal, a seller has deals in both arms, and what is learnt on one spreads to the others: the "
            "effect seen is then smaller than the true one."
        )
        out.print(spills, style="dim", highlight=False, soft_wrap=True)


@trial.command(help=words("Draw who is in which arm, and write it as a CSV that can be drawn again to the byte."))
def draw(
    to: Annotated[Path, typer.Option(help=words("The CSV to write; one that is there is never overwritten."))],
    unit: Annotated[Drawn, typer.Option(help=words("What is drawn as one."))] = Drawn.deal,
    seed: Annotated[int, typer.Option(min=0, help=words("The same seed, book and day give the same draw."))] = 0,
    after: Annotated[
        Path | None, typer.Option(help=words("An assignment to go on from: its deals keep their arm."))
    ] = None,
    planned: Annotated[
        int | None, typer.Option(min=4, help=words("Number of deals the trial is planned for, as `size` gave it."))
    ] = None,
    follow_up: FollowUpOption = None,
    where: WhereOption = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Draw who is in which arm, and write it as a CSV that can be drawn again to the byte."""
    from cadran.models import trial_draw

    words, opened = reader_words(), _seen(book, as_of)
    earlier = _assignment(after, words).rows if after else None
    drawn = trial_draw.draw(
        opened, _question(where), unit.value, seed, earlier=earlier, planned=planned, follow_up_days=follow_up
    )
    trial_draw.write_assignment(drawn, to)
    if format is Format.table:
        n = drawn.height - (0 if earlier is None else earlier.height)
        out.print(words.n("{n} deal drawn on {day}: {file}", "{n} deals drawn on {day}: {file}", n,
                          day=words.date(opened.day), file=to), highlight=False, soft_wrap=True)  # fmt: skip
        if drawn["planned"].max() is None:
            out.print(words("No number was planned (--planned): a reading will not say when the trial is over."),
                      style="yellow", soft_wrap=True)  # fmt: skip
    show(trial_draw.balance(opened, drawn), format, words, opened.settings.currency)


@trial.command(help=words("Read what a trial has shown: all those drawn count in the arm they were drawn for."))
def read(
    file: FileArgument,
    redraws: Annotated[
        int, typer.Option(min=100, max=1_000_000, help=words("How many times to draw again, for the p-value."))
    ] = 2000,
    seed: Annotated[int, typer.Option(min=0, help=words("Seed of those draws."))] = 0,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Read what a trial has shown: all those drawn count in the arm they were drawn for."""
    from cadran.models import trial_read

    words, opened = reader_words(), _seen(book, as_of)
    assignment = _assignment(file, words)
    reading = trial_read.read(opened, assignment.rows, redraws, seed)
    if format is Format.json:
        frames = {name: getattr(reading, name).to_dicts() for name in ("arms", "won_within")}
        told = {name: value for name, value in vars(reading).items() if name not in frames}
        aside = {"set_aside": [problem.told(words) for problem in assignment.problems]}
        typer.echo(json.dumps(frames | told | aside, ensure_ascii=False, indent=1))
        return
    if format is Format.table:
        out.print(f"[bold]{words('Reading of a trial')}[/] · {opened.settings.name} · {words.date(opened.day)}")
    show(reading.arms, format, words)
    if format is Format.table:
        show(reading.won_within, format, words)
        for sentence in _verdict(reading, words):
            out.print(sentence, highlight=False, soft_wrap=True)


def _question(where: list[str] | None) -> Any:
    from cadran.measures import Question

    return Question(where=filtered(where or []))


def _seen(book: Path | None, as_of: datetime | None) -> Any:
    opened = opened_book(book)
    return opened.as_of(as_of.date()) if as_of else opened


def _assignment(path: Path, words: Words) -> Any:
    """An assignment; what is wrong with the rows that are set aside is told."""
    from cadran.models.trial_draw import read_assignment

    read = read_assignment(path)
    for problem in read.problems:
        err.print(problem.told(words), style="yellow", markup=False, highlight=False, soft_wrap=True)
    return read


def _who(row: dict[str, Any], words: Words) -> str:
    """Who could be drawn, and what becomes of them without the lever."""
    told = words(
        "{new} deals like these arrive a month; {won} of them are won and {closed} won or lost by then.",
        new=words.number(row["new_per_month"], 1), won=words.percent(row["new_won_share"], 1),
        closed=words.percent(row["new_closed_share"], 1),
    )  # fmt: skip
    if row["open_won_share"] is None:
        return told + " " + words(
            "The {open} open now are left out: only {before} were open so long ago, too few to know what becomes of them.",
            open=words.number(row["n_open"]), before=words.number(row["n_open_before"]),
        )  # fmt: skip
    return told + " " + words(
        "{open} are open now, to be drawn at once; of the {before} open so long ago, {won} were won and {closed} won or "
        "lost.",
        open=words.number(row["n_open"]), before=words.number(row["n_open_before"]),
        won=words.percent(row["open_won_share"], 1), closed=words.percent(row["open_closed_share"], 1),
    )  # fmt: skip


def _told(row: dict[str, Any], words: Words) -> str:
    """What a trial by one unit would take, and what it could show in the time given."""
    by = {"deal": words("By deal"), "account": words("By client"), "rep": words("By seller"), "team": words("By team")}
    head = by[row["unit"]]
    if row["rho_taken"] is not None:
        head += f" ({_likeness(row, words)})"
    patience = words.number(row["patience_months"], 1 if row["patience_months"] % 1 else 0)
    if row["n_needed"] is None:
        told = words("it cannot be done: with only {units}, no number of deals is enough.",
                     units=words.number(row["n_units"]))  # fmt: skip
    else:
        told = words("{n} deals, half of them in each arm: {time}.", n=words.number(row["n_needed"]),
                     time=_time(row["months"], words))  # fmt: skip
        if row["is_feasible"]:
            told += " " + words("It can be done within {months} months.", months=patience)
        else:
            told += " " + words("It cannot be done within {months} months.", months=patience)
        if row["n_needed_high"] != row["n_needed"]:
            told += " " + (
                words("At the upper end of ρ: {n} deals, {time}.", n=words.number(row["n_needed_high"]),
                      time=_time(row["months_high"], words))
                if row["n_needed_high"] else words("At the upper end of ρ, no number of deals is enough.")
            )  # fmt: skip
    if row["is_feasible"]:
        return f"{head}{words(': ')}{told}"
    if row["least_effect_share"] is None:
        return f"{head}{words(': ')}{told} " + words("Nothing could be seen in {months} months.", months=patience)
    return f"{head}{words(': ')}{told} " + words(
        "The least effect that {n} deals, those of {months} months, would show is {least}.", months=patience,
        n=words.number(row["n_in_patience"]), least=words.points(row["least_effect_share"], 1),
    )  # fmt: skip


def _likeness(row: dict[str, Any], words: Words) -> str:
    """How alike the deals of one unit end, on what that rests, and what the size takes it for."""
    counts = {"units": row["n_units"], "deals": row["n_rho_deals"], "several": row["n_rho_units"]}
    told = {name: words.number(n) for name, n in counts.items()}
    if row["rho"] is None:
        return words(
            "{units} in all; how alike the deals of one end is not known from {deals} closed ones, {several} having "
            "several: ρ is taken as 0, so the number is the least it can be", **told,
        )  # fmt: skip
    rho = {name: words.number(row[f"rho{end}"], 3) for name, end in (("rho", ""), ("low", "_low"), ("high", "_high"))}
    alike = words(
        "{units} in all; how alike the deals of one end: ρ {rho}, {low} to {high}, from {deals} closed ones, {several} "
        "having several", **told, **rho,
    )  # fmt: skip
    return alike if row["rho"] > 0 else alike + words("; taken as 0")


def _time(months: float, words: Words) -> str:
    """A long time, follow-up included."""
    if months == float("inf"):
        return words("never, as no deal like these arrives any more")
    if months >= 24:
        return words("{n} years", n=words.number(months / 12, 1))
    return words("{n} months", n=words.number(months, 1))


def _verdict(reading: Any, words: Words) -> list[str]:
    """What may be said of a reading, and what it leaves out."""
    p, level = (words.number(x, 4 if (x or 0) >= 0.001 else 7) for x in (reading.p_value, reading.level))
    told = [words("Drawn again {n} times by the same rule, the lever doing nothing: p = {p}.",
                  n=words.number(reading.n_redraws), p=p)]  # fmt: skip
    known, planned = words.number(reading.n_known), words.number(reading.planned)
    if reading.verdict == "no plan":
        told.append(words("The file names no planned number of deals: whether the trial is over cannot be said, and "
                          "looking until it shows something finds effects that are not there."))  # fmt: skip
    elif reading.verdict == "too early":
        told.append(words(
            "Too early: the end of {known} of the {planned} planned deals is known. A look before the planned end "
            "inflates error; this one may call an effect only if p is at most {level}.",
            known=known, planned=planned, level=level,
        ))  # fmt: skip
    elif reading.verdict == "seen":
        told.append(words("The arms differ by more than chance (p at most {level}, {known} of {planned} planned deals known).",
                          level=level, known=known, planned=planned))  # fmt: skip
    else:
        told.append(words("The trial is over: no difference beyond chance was seen. An effect inside the interval "
                          "remains possible."))  # fmt: skip
    if missing := reading.missing:
        told.append(words.n("{n} deal of the file is not in the book: {ids}.",
                            "{n} deals of the file are not in the book: {ids}.", len(missing), ids=_named(missing)))  # fmt: skip
    if before := reading.closed_before:
        told.append(words.n("{n} deal was closed before it was drawn, and counts in no arm: {ids}.",
                            "{n} deals were closed before they were drawn, and count in no arm: {ids}.",
                            len(before), ids=_named(before)))  # fmt: skip
    if reading.n_later:
        told.append(words.n("{n} deal was drawn later.", "{n} deals were drawn later.", reading.n_later))
    return told


def _named(ids: list[str]) -> str:
    return ", ".join([*ids[:8], *["…"] * (len(ids) > 8)])
