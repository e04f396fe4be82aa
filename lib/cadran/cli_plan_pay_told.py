"""What a pay plan pays, told in a terminal."""

from typing import Any

import polars as pl
from rich.box import SIMPLE
from rich.table import Table

from cadran.figures.columns_planned import STEPS
from cadran.terminal import Format, out, show, tell_purge
from cadran.text import UNKNOWN, Words

_ATTAINED = {"period": "of each period", "year_to_date": "of the plan so far", "year": "of the whole plan"}
#: What quota and credited amounts of a period count.
_COUNTED = {
    "period": ("Quota", "Credited"),
    "year_to_date": ("Quota to date", "Credited to date"),
    "year": ("Quota of the plan", "Credited to date"),
}


def tell(opened: Any, plans: list[Any], found: list[Any], told: dict[str, pl.DataFrame], words: Words) -> None:
    """Print what a plan pays: what to look at first, then the payouts, what another plan would change, and the curve."""
    plan, currency = plans[0], opened.settings.currency
    out.print(
        f"[bold]{words('Pay')}[/] · {plan.name} · {opened.settings.name} · {words.date(opened.day)}", highlight=False
    )
    tell_purge(opened, words)
    lines = [
        words("From {starts} to {ends}, paid by {period}; attainment {attainment}.", starts=words.date(plan.starts),
              ends=words.date(plan.ends), period=words(plan.period), attainment=words(_ATTAINED[plan.attainment])),
        words("Each line is rounded to the cent, half a cent upwards; the lines add up to the payout exactly."),
    ]  # fmt: skip
    if not opened.rates_persons:
        lines.append(words("Pay of a named person is closed in this book: teams are the finest group, and those of fewer "
                           "than {n} sellers stand together. `cadran activate individual` opens it.", n=3))  # fmt: skip
    for line in lines:
        out.print(line, style="dim", highlight=False, soft_wrap=True)
    for _, flag in found:
        sentence = " ".join(flag.said.told(words).split("\n"))
        out.print(f"⚑ {sentence}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if "payouts" in told:
        _tell_payouts(told["payouts"], plan, currency, words)
    if "compared" in told:
        _tell_compared(told["compared"], currency, words)
    if "trace" in told:
        _tell_trace(told["trace"], plan, currency, words)
        show(_credited(told["credits"].drop("rep_id"), plan, currency, words), Format.table, words, currency)
    for each in plans if "curve" in told else []:
        for sentence in _curve(each, told, currency, words):
            out.print(f"· {sentence}", highlight=False, soft_wrap=True)
    if "cost" in told:
        _tell_costs(told, currency, words)


def _group(row: dict[str, Any], words: Words) -> str:
    return words("Company") if row["level"] == "company" else row["seller"] or row["group"] or UNKNOWN


def _tell_payouts(rows: pl.DataFrame, plan: Any, currency: str, words: Words) -> None:
    if rows.is_empty():
        out.print(
            words("Too few sellers are paid to show it without telling what each gets, or no period is asked for.")
        )
        return
    heads = (
        "",
        "Period",
        "Sellers",
        *_COUNTED[plan.attainment],
        "Attainment",
        "Fixed pay",
        "Variable at 100 %",
        "Variable paid",
    )
    table = Table(*(words(head) if head else "" for head in heads), box=SIMPLE)
    for row in rows.iter_rows(named=True):
        period = f"{words.date(row['period'])} – {words.date(row['until'])}"
        table.add_row(
            _group(row, words), period if row["is_complete"] else f"{period} ({words('so far')})",
            words.number(row["n_sellers"]), words.money(row["quota_amount"], currency),
            words.money(row["credited_amount"], currency), words.percent(row["attainment"], 1),
            words.money(row["base_pay"], currency), words.cents(row["target_pay"], currency), words.cents(row["pay"], currency),
        )  # fmt: skip
    out.print(table, soft_wrap=True, crop=False)


def _tell_compared(rows: pl.DataFrame, currency: str, words: Words) -> None:
    if rows.is_empty():
        out.print(words("Too few sellers are paid to compare the plans without telling what each gets."))
        return
    heads = (
        "",
        "Sellers",
        "First plan",
        "Other plan",
        "Difference",
        "Gain",
        "Lose",
        "Same",
        "Gained in all",
        "Lost in all",
    )
    table = Table(*(words(head) if head else "" for head in heads), box=SIMPLE)
    for row in rows.iter_rows(named=True):
        counts = (words.number(row[name]) for name in ("n_gain", "n_lose", "n_same"))
        pays = (words.cents(row[name], currency) for name in ("pay_a", "pay_b", "difference_pay"))
        ends = (words.cents(row[name], currency) for name in ("gain_pay", "lose_pay"))
        table.add_row(_group(row, words), words.number(row["n_sellers"]), *pays, *counts, *ends)
    out.print(table, soft_wrap=True, crop=False)
    for why in rows["reason"].drop_nulls().unique():
        out.print(words(why), highlight=False, soft_wrap=True, style="dim")


def _tell_trace(rows: pl.DataFrame, plan: Any, currency: str, words: Words) -> None:
    heads = ("Period", "Line", "Step", "Measure", "Of", "Base", "Quota", "Variable", "Rate", "Pay")
    table = Table(*(words(head) for head in heads), box=SIMPLE)
    for row in rows.iter_rows(named=True):
        step = words(STEPS[row["step"]]) + (f" {row['tier']}" if row["tier"] else "")
        base = (
            words.number(row["base_amount"])
            if row["measure"] in plan.of_deals
            else words.cents(row["base_amount"], currency)
        )
        sums = (base, *(words.cents(row[name], currency) for name in ("quota_amount", "target_pay")))
        of = words.date(row["of_period"]) if row["of_period"] else ""
        table.add_row(words.date(row["period"]), str(row["line"]), step, words(row["measure"] or ""), of, *sums,
                      row["rate"] or "", words.cents(row["pay"], currency))  # fmt: skip
    out.print(table, soft_wrap=True, crop=False)
    if plan.attainment != "period":
        told = words("Base, quota and variable of a tier are those since {day}; what earlier periods earned is taken off.",
                     day=words.date(plan.starts))  # fmt: skip
        out.print(told, highlight=False, soft_wrap=True, style="dim")
    for (period,), lines in rows.group_by("period", maintain_order=True):
        total = words.cents(float(lines["pay_cents"].sum()) / 100, currency)  # type: ignore[arg-type]
        out.print(
            words("{period}: the lines add up to {total}.", period=words.date(period), total=total), highlight=False
        )  # type: ignore[arg-type]


def _credited(rows: pl.DataFrame, plan: Any, currency: str, words: Words) -> pl.DataFrame:
    """The deals credited, each in its measure's unit."""
    told = [
        words.number(credited) if measure in plan.of_deals else words.cents(credited, currency)
        for measure, credited in rows.select("measure", "credited_amount").iter_rows()
    ]
    return rows.with_columns(credited_amount=pl.Series(told, dtype=pl.String))


def _curve(plan: Any, told: dict[str, pl.DataFrame], currency: str, words: Words) -> list[str]:
    """Where pay jumps or is flat, and where holding a deal back pays."""
    from cadran.models.pay_curve import flat_zones

    rows = told["curve"].filter(pl.col("plan") == plan.name)
    said = []
    before = rows.with_columns(before=pl.col("pay").shift(1)).filter("is_cliff")
    for row in before.iter_rows(named=True):
        jump = words.cents(row["pay"] - row["before"], currency)
        said.append(words("{plan}: pay jumps by {jump} at {at} of the quota: what is just below is worth pulling in.",
                          plan=plan.name, jump=jump, at=words.percent(row["attainment"], 1)))  # fmt: skip
    for low, high in flat_zones(rows):
        if high >= rows["attainment"].item(-1):
            told_zone = words("{plan}: from {low} of the quota on, a further deal pays nothing.", plan=plan.name,
                              low=words.percent(low, 1))  # fmt: skip
        else:
            told_zone = words("{plan}: between {low} and {high} of the quota a further deal pays nothing.",
                              plan=plan.name, low=words.percent(low, 1), high=words.percent(high, 1))  # fmt: skip
        said.append(told_zone)
    held = told["held"].filter(pl.col("plan") == plan.name) if "held" in told else pl.DataFrame()
    return said + ([_held(plan, held, currency, words)] if not held.is_empty() else [])


def _held(plan: Any, held: pl.DataFrame, currency: str, words: Words) -> str:
    """At which attainments holding a deal back pays."""
    deal = words.money(held["deal_amount"].item(0), currency)
    later = words("to the next period") if plan.attainment == "period" else words("to the next plan")
    paying = held.filter(pl.col("gain_pay") > 0.005)
    if paying.is_empty():
        return words("{plan}: holding a deal of {deal} back {later} pays at no attainment.",
                     plan=plan.name, deal=deal, later=later)  # fmt: skip
    most = paying.sort("gain_pay").row(-1, named=True)
    zones = _zones(held["attainment"].to_list(), (held["gain_pay"] > 0.005).to_list(), words)
    return words(
        "{plan}: holding a deal of {deal} back {later}, which else reaches 100 %, pays at an attainment of {zones}: up to "
        "{gain} more.", plan=plan.name, deal=deal, later=later, zones=zones,
        gain=words.cents(most["gain_pay"], currency),
    )  # fmt: skip


def _zones(points: list[float], is_in: list[bool], words: Words) -> str:
    """Runs of points, told as "0 % to 45 %, 100 %"."""
    runs: list[list[float]] = []
    for point, inside, before in zip(points, is_in, [False, *is_in], strict=False):
        if inside and before:
            runs[-1][1] = point
        elif inside:
            runs.append([point, point])
    ends = [(words.percent(low), words.percent(high)) for low, high in runs]
    return ", ".join(low if low == high else words("{low} to {high}", low=low, high=high) for low, high in ends)


def _tell_costs(told: dict[str, pl.DataFrame], currency: str, words: Words) -> None:
    heads = ("Plan", "Period", "Months", "Variable paid", "95 %", "Bookings", "Of bookings", "95 %")
    table = Table(*(words(head) for head in heads), box=SIMPLE)
    for row in told["cost"].iter_rows(named=True):
        low, high = (words.money(row[name], currency) for name in ("low", "high"))
        least, most = (words.percent(row[name], 1) for name in ("pay_share_low", "pay_share_high"))
        table.add_row(
            row["plan"], words.date(row["period"]) if row["period"] else words("All"), words.number(row["n_months"]),
            words.money(row["pay"], currency), words("{low} to {high}", low=low, high=high),
            words.money(row["bookings"], currency), words.percent(row["pay_share"], 1),
            words("{low} to {high}", low=least, high=most),
        )  # fmt: skip
    out.print(table, soft_wrap=True, crop=False)
    reached = (
        told["attainment"]
        .filter(pl.col("bin_low") >= 1)
        .group_by("plan", maintain_order=True)
        .agg(pl.col("n_expected").sum())
    )
    for plan, n in reached.rows():
        out.print(words("{plan}: sellers expected to reach 100 % by its end: {n}.", plan=plan, n=words.number(n, 1)),
                  highlight=False)  # fmt: skip
