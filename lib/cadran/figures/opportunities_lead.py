"""What the Opportunities page says first: its sentences and headline numbers, each change with its interval."""

from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Sentences, Tone
from cadran.figures.opportunities_answers import Answers


def headlines(answers: Answers) -> dict[str, Block]:
    """Revenue, win rate, open pipeline, cycle, concentration: each with its comparison, its count or interval."""
    words, now, rate = answers.words, answers.one("now"), answers.one("rate")
    cycle, index = answers.one("cycle"), answers.one("index")
    define = f"/definitions?lang={words.language}#{{}}".format
    p90 = words("one in ten over {days}", days=words.days(cycle.get("p90_days"))) if cycle.get("n") else ""
    return {"headlines": Headlines([
        Headline(
            words("Signed revenue"), answers.money(now.get("amount_won")), *_change(answers, "amount_won"),
            basis=words.n("{n} deal won", "{n} deals won", now.get("n_won", 0)),
            exact=answers.exact(now.get("amount_won")), definition=define("revenue"),
        ),
        Headline(
            words("Win rate"), words.percent(rate.get("win_rate")), *_change(answers, "win_rate"),
            basis=_interval(answers, rate, "win_rate"), exact=words.percent(rate.get("win_rate"), 2),
            definition=define("win_rate"),
        ),
        Headline(
            words("Open pipeline"), answers.money(now.get("amount_open")), *_change(answers, "amount_open"),
            basis=words.n("{n} open deal", "{n} open deals", now.get("n_open", 0)),
            exact=answers.exact(now.get("amount_open")), definition=define("pipeline"),
        ),
        Headline(
            words("Sales cycle, won deals"), words.days(cycle.get("median_days")), p90,
            basis=words.n("median of {n} deal", "median of {n} deals", cycle.get("n", 0)),
            definition=define("cycle"),
        ),
        Headline(
            words("Revenue of the top 10 clients"), words.percent(index.get("top_share")),
            basis=words.n("{n} client signed", "{n} clients signed", index.get("n_clients", 0)),
            definition=define("concentration_index"),
        ),
    ])}  # fmt: skip


def sentences(answers: Answers) -> dict[str, Block]:
    """What the page says first: what was signed, how sure the win rate is, what moved, what to do."""
    words, now, rate = answers.words, answers.one("now"), answers.one("rate")
    signed, won = answers.money(now.get("amount_won")), now.get("n_won", 0)
    if won:
        base = words.n("From {period}, {amount} were signed in {n} deal", "From {period}, {amount} were signed in {n} deals",
                       won, period=answers.dates, amount=signed)  # fmt: skip
        said = [f"{base}{_change_told(answers, 'amount_won')}."]
    else:
        said = [words("From {period}, no deal was won.", period=answers.dates)]
    if rate:
        base = words("Win rate: {rate}, between {low} and {high} with 95 % confidence, {won} of {closed} closed deals",
                     won=words.number(rate["n_won"]), closed=words.number(rate["n_closed"]),
                     rate=words.percent(rate["win_rate"]), low=words.percent(rate["win_rate_low"]),
                     high=words.percent(rate["win_rate_high"]))  # fmt: skip
        said.append(f"{base}{_change_told(answers, 'win_rate')}.")
    if moves := _largest_moves(answers):
        said.append(words("What moved the open pipeline most: {moves}.", moves=words.list(moves)))
    slipped = answers.one("slippage")
    if slipped.get("n_slipped"):
        said.append(words("First: of the {due} deals due by then, {n} are still open; close, re-date or drop them.",
                          n=words.number(slipped["n_slipped"]), due=words.number(slipped["n_due"])))  # fmt: skip
    return {"sentences": Sentences(said)}


def _against(answers: Answers, quantity: str) -> dict[str, Any]:
    """A quantity beside the same period last year; empty where that was not asked or is not known."""
    for name in ("compared", "compared_rate"):
        frame = answers.frames.get(name)
        if isinstance(frame, pl.DataFrame):
            row = frame.filter((pl.col("quantity") == quantity) & (pl.col("against") == "last_year"))
            if row.height and row["difference"][0] is not None:
                return row.row(0, named=True)
    return {}


def _change(answers: Answers, quantity: str) -> tuple[str, Tone]:
    """The change against last year with its interval, and whether it is good, bad, or no change that may be said."""
    words, row = answers.words, _against(answers, quantity)
    if not row:
        return "", "even"
    known = row["difference_low"] is not None
    if quantity.endswith("_rate"):
        change = words.points(row["difference"])
        ends = [words.points(row[f"difference_{end}"]) for end in ("low", "high")] if known else []
    elif not row["before"]:
        return "", "even"
    else:
        change = words.percent(row["difference"] / row["before"], sign=True)
        ends = (
            [words.percent(row[f"difference_{end}"] / row["before"], sign=True) for end in ("low", "high")]
            if known
            else []
        )
    interval = f" ({ends[0]} {words('to')} {ends[1]})" if ends else ""
    tone: Tone = "even" if not row["is_change"] else "good" if row["difference"] > 0 else "bad"
    return f"{change}{interval} {words('on last year')}", tone


def _change_told(answers: Answers, quantity: str) -> str:
    """The end of a sentence: the change against last year, or that there is none that may be called one."""
    change, tone = _change(answers, quantity)
    if not change:
        return ""
    verdict = {"good": "a rise", "bad": "a fall", "even": "too little to be called a change"}[tone]
    return f"{answers.words('; ')}{change}{answers.words(', ')}{answers.words(verdict)}"


def _interval(answers: Answers, row: dict[str, Any], name: str) -> str:
    if not row:
        return answers.words("no closed deal")
    low, high = answers.words.percent(row[f"{name}_low"]), answers.words.percent(row[f"{name}_high"])
    count = answers.words.n("of {n} closed deal", "of {n} closed deals", row["n_closed"])
    return f"({low} – {high}) {count}"


def _largest_moves(answers: Answers) -> list[str]:
    bridge = answers.frame("bridge")
    if not isinstance(bridge, pl.DataFrame):
        return []
    value = "amount" if answers.unit("bridge", {"n": "n_unknown"})[0] else "n"
    moved = bridge.filter(~pl.col("cause").is_in(["opening", "closing"]) & (pl.col(value) != 0))
    largest = moved.sort(pl.col(value).abs(), descending=True).head(3)
    written = answers.money if value == "amount" else answers.words.number
    return [
        f"{row['label'].lower()} {'+' if row[value] > 0 else ''}{written(row[value])}" for row in largest.to_dicts()
    ]
