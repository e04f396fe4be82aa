"""The command that works out what a pay plan pays, on what, and what it would change."""

import json
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from cadran.asked import AsOfOption, BookOption, FormatOption, SinceOption, UntilOption, check_period, seen_book
from cadran.cli_plan_pay_told import tell
from cadran.tables.problems import Problem
from cadran.terminal import Format, reader_words, show, warn
from cadran.text import Words

words = reader_words()
FileArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help=words("The plan, in TOML; the book's own plans/pay.toml by default.")),
]


CompareOption = Annotated[Path | None, typer.Option(help=words("Another plan, to pay the same deals by."))]
TraceOption = Annotated[
    str | None, typer.Option(help=words("Every line of this rep's payouts, and the deals they rest on."))
]
AheadOption = Annotated[
    int | None, typer.Option(min=1, max=24, help=words("Also what it may cost in so many months to come."))
]


def pay(
    file: FileArgument = None,
    compare: CompareOption = None,
    trace: TraceOption = None,
    ahead: AheadOption = None,
    as_of: AsOfOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Pay a plan on what was won: per team, and per rep only where ratings of persons are open."""
    from cadran.models import pay as pays
    from cadran.models.pay_compared import compared
    from cadran.models.pay_flags import flags
    from cadran.models.pay_read import load_plan, plan_path

    words, opened = reader_words(), seen_book(book, as_of)
    path = plan_path(opened, file)
    if file is None and not path.exists():
        raise Problem("This book has no pay plan: {file} is not there.",
                      "Write one, as docs/pay.md tells, or name a file: cadran plan pay FILE.", file=path)  # fmt: skip
    plan = load_plan(path, opened)
    _check_inside(plan, since, until)
    plans = [plan, *([load_plan(compare, opened)] if compare else [])]
    told: dict[str, pl.DataFrame] = {}
    paid = None if ahead and plan.starts > opened.day else pays.payroll(opened, plan)
    found = [(each, flag) for each in plans for flag in flags(opened, each, paid if each is plan else None)]
    if paid:
        told["payouts"] = pays.payouts(paid, since.date() if since else None, until.date() if until else None)
        told["set_aside"] = paid.staff.aside
    if paid and compare:
        told["compared"] = compared(paid, plans[1])
    if paid and trace:
        told["trace"], told["credits"] = pays.trace(paid, trace)
    told |= _curves(opened, plans, paid)
    if ahead:
        told |= _costs(opened, plans, ahead, words)
    if format is Format.csv:
        show(told[next(name for name in ("trace", "cost", "compared", "payouts") if name in told)], format, words)
    elif format is Format.json:
        typer.echo(json.dumps(_flat(opened, plan, found, told, words), ensure_ascii=False, indent=1, default=str))
    else:
        tell(opened, plans, found, told, words)


def _check_inside(plan: Any, since: Any, until: Any) -> None:
    """That some period of the plan lies in the days asked for."""
    check_period(since, until)
    first, last = since.date() if since else plan.starts, until.date() if until else plan.ends
    if not any(first <= begins and ends <= last for begins, ends in plan.periods()):
        raise Problem(
            "No whole period of the plan {plan} lies in these days: it runs from {starts:%Y-%m-%d} to {ends:%Y-%m-%d}.",
            "Ask with other days for --from and --until.", plan=plan.name, starts=plan.starts, ends=plan.ends,
        )  # fmt: skip


def _curves(opened: Any, plans: list[Any], paid: Any) -> dict[str, pl.DataFrame]:
    """The curve of each plan, and what holding a deal back pays under it, where attainment has a scale."""
    from cadran.models.pay_curve import curve, held, usual_deal, usual_quota

    usual = usual_quota(paid) if paid else None
    scales = [(plan, plan.quota / 100 if plan.quota else usual) for plan in plans]
    scaled = [(plan, quota) for plan, quota in scales if quota]
    if not scaled:
        return {}
    told = {"curve": pl.concat([curve(plan, quota) for plan, quota in scaled])}
    deal = usual_deal(opened)
    return told | ({"held": pl.concat([held(plan, deal, quota) for plan, quota in scaled])} if deal else {})


def _costs(opened: Any, plans: list[Any], months: int, words: Words) -> dict[str, pl.DataFrame]:
    """What each plan may cost in the months to come, in the same futures."""
    from cadran.models.coming import coming
    from cadran.models.pay_costs import Ahead

    found = coming(opened, months)
    warn([found.why_not.told(words)] if found.why_not else [])
    sellers, drawn = found.sellers["rep_id"].to_list(), found.drawn
    made = [Ahead(opened, plan, sellers, found.months).costs(drawn.bookings, drawn.wins) for plan in plans]
    return {
        "cost": pl.concat([each.cost for each in made]),
        "attainment": pl.concat([each.attainment for each in made]),
    }


def _flat(opened: Any, plan: Any, found: list[Any], told: dict[str, pl.DataFrame], words: Words) -> dict[str, Any]:
    """All that is told, as a script reads it."""
    from cadran.models.pay_flags import flag_rows

    head = {
        name: getattr(plan, name) for name in ("name", "currency", "notified", "starts", "ends", "period", "attainment")
    }
    rows = pl.concat([flag_rows([flag], each, words) for each, flag in found]).to_dicts() if found else []
    shown = {"rates_persons": opened.rates_persons, "finest": "rep" if opened.rates_persons else "team"}
    return {"plan": head, **shown, "flags": rows} | {name: frame.to_dicts() for name, frame in told.items()}
