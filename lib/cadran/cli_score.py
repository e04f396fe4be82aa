"""The command that scores open deals, and says what to do about them."""

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import polars as pl
import typer
from rich.box import SIMPLE
from rich.table import Table

from cadran.asked import DAY, AsOfOption, BookOption, FormatOption, WhereOption, questioned, seen_book
from cadran.figures.renamed import told_renamed
from cadran.figures.tasks import ACTIONS, lever_told, reason, tasks, why
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show, tell_purge, today, told_age, warn
from cadran.text import UNKNOWN, Words

words = reader_words()
score = typer.Typer()
#: What says which deal it is.
OF_DEAL = ("opportunity_id", "client", "stage")


@score.command(
    "score", help=words("Score open deals: the chance of each, what it rests on, and what to do first. Associations.")
)
def score_(
    deal: Annotated[list[str] | None, typer.Option(help=words("Only this deal; repeat for more."))] = None,
    where: WhereOption = None,
    by_date: Annotated[
        datetime | None, typer.Option("--by-date", formats=DAY, help=words("Also the chance to be won by this day."))
    ] = None,
    changed_since: Annotated[
        datetime | None,
        typer.Option("--changed-since", formats=DAY, help=words("Also what changed since this day, and with what.")),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help=words("Hours the team has this week: the list is what fits."))
    ] = None,
    margin: Annotated[float, typer.Option(help=words("Share of the amount that counts; 1 is before margin."))] = 1.0,
    cost: Annotated[float, typer.Option(help=words("What an hour costs, in the book's currency."))] = 60.0,
    hours_left: Annotated[
        float | None,
        typer.Option(help=words("Hours a deal needs yet, in place of what won deals took or of what is assumed.")),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--tasks", help=words("Also write the list as tasks for the CRM, to this CSV file."))
    ] = None,
    confirmed: Annotated[
        list[str] | None,
        typer.Option(help=words("A fact suspected of a leak that was found to be sound; repeat for more.")),
    ] = None,
    as_of: AsOfOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Score open deals, and say what to do first."""
    from cadran.figures.table import as_csv
    from cadran.measures.renamed import renamed_stages
    from cadran.models.actions import Terms, actions, within
    from cadran.models.card import silent
    from cadran.models.kept import model as model_of

    words, opened = reader_words(), seen_book(book, as_of)
    terms = Terms(margin, cost, hours_left)
    kept = _kept(opened, deal, where)
    model = model_of(opened, confirmed=confirmed or ())
    listed = actions(opened, model, terms).filter(pl.col("opportunity_id").is_in(kept["opportunity_id"].implode()))
    if hours is not None:
        listed = within(listed, hours).filter("fits").drop("fits")
    rows = listed.join(kept.select(OF_DEAL), on="opportunity_id", how="left", maintain_order="left")
    rows = _beside(opened, model, rows, by_date, changed_since)
    if to is not None:
        _write(to, as_csv(tasks(listed, words), words))
    warn([*([] if as_of else told_age(opened, today(), words)), *told_renamed(renamed_stages(opened), words)])
    if format is not Format.table:
        why = silent(model)
        named = _named(rows, model.chosen, None if why is None else " ".join(why.told(words).split("\n")))
        show(_flat(named) if format is Format.csv else named, format, words)
        return
    _tell_head(opened, model, terms, rows, words)
    _tell_rows(rows, opened.settings.currency, words, most=None if deal else 1)
    if hours is not None:
        out.print(_tell_hours(listed, hours, words), highlight=False, soft_wrap=True)
    if to is not None:
        out.print(words("Tasks written: {n}, in {file}.", n=listed["lever"].count(), file=to), markup=False)


def _write(to: Path, told: bytes) -> None:
    try:
        to.write_bytes(told)
    except OSError as error:
        raise Problem("{file} cannot be written.", "Name a file in a folder that you may write.", file=to) from error


def _kept(opened: Any, deal: list[str] | None, where: list[str] | None) -> pl.DataFrame:
    """The open deals asked for, with their client and stage.

    Raises:
        Problem: If a deal is not open, or a condition knows no such column or value.
    """
    from cadran.measures import MEASURES

    question = questioned(list(OF_DEAL), where, None, None, False, {})
    MEASURES["volumes"].check(opened, question)
    deals = MEASURES["volumes"].ask(opened, question).filter(pl.col("n_open") > 0).select(OF_DEAL)
    if deal:
        for each in deal:
            if each not in deals["opportunity_id"]:
                raise Problem("{deal} is not an open deal here.", "Name an open deal, as `cadran score` lists them.",
                              deal=each)  # fmt: skip
        deals = deals.filter(pl.col("opportunity_id").is_in(deal))
    return deals


def _beside(
    opened: Any, model: Any, rows: pl.DataFrame, by_date: datetime | None, since: datetime | None
) -> pl.DataFrame:
    """The rows with reasons, the chance to be won by a day, and what changed since one, where asked."""
    from cadran.models.reasons import moved, reasons
    from cadran.models.typical import looks, typical
    from cadran.models.win import open_facts

    facts = rows.select("opportunity_id").join(
        open_facts(opened), on="opportunity_id", how="left", maintain_order="left"
    )
    given = reasons(model, facts, typical(looks(opened)))
    groups = given.group_by("opportunity_id", maintain_order=True).agg(
        reasons=pl.struct(pl.col(given.columns).exclude("opportunity_id"))
    )
    rows = rows.join(groups, on="opportunity_id", how="left", maintain_order="left")
    if by_date:
        ahead = _days_to(by_date, opened)
        won = model.score(facts, ahead).drop("opportunity_id")
        names = dict(zip(won.columns, ("won_by", "won_by_low", "won_by_high"), strict=True))
        rows = pl.concat([rows, won.rename(names)], how="horizontal")
    if since:
        parts = moved(model, opened, opened.as_of(since.date()))
        whole = ("probability_before", "change", "change_low", "change_high")
        told = parts.group_by("opportunity_id").agg(
            pl.col(whole).first(), changed_with=pl.struct("group", "part", "what")
        )
        rows = rows.join(told, on="opportunity_id", how="left", maintain_order="left")
    is_told, beside = pl.col("probability").is_not_null(), ("won_by", "change", "probability_before")
    return rows.with_columns(
        pl.when(is_told).then(name).alias(name) for name in rows.columns if name.startswith(beside)
    )


def _days_to(day: datetime, opened: Any) -> float:
    if day.date() < opened.day:
        raise Problem("{day:%Y-%m-%d} lies before the book's day, {known:%Y-%m-%d}.", "Ask for a day to come.",
                      day=day.date(), known=opened.day)  # fmt: skip
    ends = datetime.combine(day.date() + timedelta(days=1), time(), ZoneInfo(opened.settings.time_zone))
    return max((ends - opened.moment).total_seconds() / 86_400, 0.0)


def _named(rows: pl.DataFrame, chosen: str, why: str | None) -> pl.DataFrame:
    first = [*OF_DEAL, "amount", "probability", "low", "high"]
    silent = pl.when(pl.col("probability").is_null()).then(pl.lit(why, pl.String)).alias("silent")
    return rows.select(pl.lit(chosen).alias("model"), *first, silent, pl.all().exclude(first))


def _flat(named: pl.DataFrame) -> pl.DataFrame:
    """For a file of lines: lists as text."""
    struct = [name for name, kind in named.schema.items() if kind == pl.List(pl.Struct)]
    texts = [pl.col(name).list.eval(pl.element().struct.field("group")).list.join(", ").alias(name) for name in struct]
    return named.with_columns(*texts, pl.col("signals").list.join(", "))


def _tell_head(opened: Any, model: Any, terms: Any, rows: pl.DataFrame, words: Words) -> None:
    """What the probabilities rest on, and what the list claims."""
    from cadran.figures.process_trust import STEPS, trust_sentence
    from cadran.models.card import card, silent
    from cadran.models.reasons import tells

    told = card(model)
    out.print(f"[bold]{words('Open deals')}[/] · {opened.settings.name} · {words.date(opened.day)}")
    tell_purge(opened, words)
    name = "" if told["untold"] else f"{words(STEPS[model.chosen])}. "
    lines = [f"{name}{trust_sentence(told, words)}"]
    rung = next(
        (rung for rung in told["rungs"] if rung["name"] == model.chosen and rung["difference"] is not None), None
    )
    if rung:
        lines.append(words(
            "On later deals, its log loss differed by {difference} (± {error}) from that of the step below: {against}.",
            difference=words.number(rung["difference"], 4), error=words.number(1.96 * rung["error"], 4),
            against=words(STEPS[rung["against"]]).lower(),
        ))  # fmt: skip
    if not told["untold"] and (why := silent(model)) and (n := rows["probability"].null_count()):
        told_why = " ".join(why.told(words).split("\n"))
        lines.append(words("Deals without a chance ({n}): {why}", n=words.number(n), why=told_why))
    if not tells(model):
        lines.append(words("No lever is told: it would be invented. The list goes by signals and due dates alone."))
    else:
        lines.append(words("A gap is what won deals had there and this one lacks: associated, not proven."))
        money = words.money(terms.cost_per_hour, opened.settings.currency, compact=False)
        margin = (
            words("before margin")
            if terms.margin == 1
            else words("at {margin} margin", margin=words.percent(terms.margin))
        )
        lines.append(
            words("In money {margin}, less an hour's {cost}.", margin=margin, cost=money)
            if rows["amount"].count()
            else words(
                "No amount is known: a gap is told in points of probability, and no deal is proposed to be left."
            )
        )
    for line in lines:
        out.print(line, highlight=False, soft_wrap=True, style="dim")
    if suspected := [suspect.fact for suspect in model.card.suspects]:
        left_out = words(
            "Left out, since they seem to know the outcome: {facts}. Why: `cadran backtest win --show suspects`.",
            facts=words.list(suspected),
        )  # fmt: skip
        out.print(left_out, style="yellow", highlight=False, soft_wrap=True)


def _tell_rows(rows: pl.DataFrame, currency: str, words: Words, most: int | None) -> None:
    """A line per deal, with what it rests on: its reasons, or the first few."""
    if rows.is_empty():
        out.print(words("No row."), style="dim")
        return
    heads = [
        "",
        words("Deal"),
        words("Client"),
        words("Stage"),
        words("Amount"),
        words("Probability"),
        words("Proposed"),
    ]
    more: list[str] = [name for name in ("won_by", "change") if name in rows.columns]
    titles = {"won_by": words("Won by then"), "change": words("Changed by")}
    table = Table(*heads, words("Task"), words("Associated gap"), words("Hours"), *(titles[name] for name in more),
                  words("Why"), box=SIMPLE)  # fmt: skip
    for row in rows.iter_rows(named=True):
        row["reasons"] = (row["reasons"] or [])[:most]
        table.add_row(*_line(row, more, currency, words))
    out.print(table, soft_wrap=True, crop=False)


def _line(row: dict[str, Any], more: list[str], currency: str, words: Words) -> list[str]:
    def ends(name: str, told: Any, low: str = "", high: str = "") -> str:
        if row[name] is None:
            return UNKNOWN
        return f"{told(row[name])} ({told(row[low or f'{name}_low'])} … {told(row[high or f'{name}_high'])})"

    def money(x: float) -> str:
        return words.money(x, currency)

    because = [why(row, words), *(reason(each, words, currency) for each in row["reasons"])]
    amount = UNKNOWN if row["amount"] is None else money(row["amount"])
    chance = (
        words("cannot be told") if row["probability"] is None else ends("probability", words.percent, "low", "high")
    )
    return [
        words.number(row["rank"]), row["opportunity_id"], row["client"] or UNKNOWN, row["stage"] or UNKNOWN, amount, chance,
        words(ACTIONS[row["action"]]), lever_told(row["lever"], words) or UNKNOWN,
        ends("gain", words.points) if row["gap"] is None else ends("gap", money),
        UNKNOWN if row["hours"] is None else words.number(row["hours"], 1),
        *(ends(name, words.percent if name == "won_by" else words.points) for name in more),
        "\n".join(each for each in because if each),
    ]  # fmt: skip


def _tell_hours(listed: pl.DataFrame, hours: float, words: Words) -> str:
    fits = listed.filter(pl.col("action") != "leave")
    told = words(
        "Tasks that fit into {hours} hours: {n}; hours used: {used}.",
        n=words.number(fits.height), hours=words.number(hours), used=words.number(float(fits["hours"].sum()), 1),
    )  # fmt: skip
    left = listed.height - fits.height
    return f"{told} {words('To leave, once a person confirms it: {n}.', n=words.number(left))}" if left else told
