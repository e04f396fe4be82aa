"""What the Sales process page says first, and its open deals: bubbles, the list of what to do. Computes no number."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Notice, Sentences
from cadran.figures.bubble import bubbles
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.process_trust import STEPS, trust_sentence
from cadran.figures.table import Table
from cadran.figures.tasks import ACTIONS
from cadran.figures.tasks import tasks as tasks_of
from cadran.figures.told import with_finding
from cadran.tables.measured.outlook import Chance, Expected
from cadran.tables.problems import Problem
from cadran.text import Words

#: Columns of the list of what to do.
TASKS = (
    "opportunity_id", "action", "task", "client", "amount", "probability", "gap", "gap_low", "gap_high", "hours", "due_date",
    "seller", "stage", "must_confirm", "reason",
)  # fmt: skip

#: Columns of the bubbles.
SHOWN = ("opportunity_id", "client", "stage", "amount", "close_date", "action", *Chance.column_names())


def first_words(answers: Answers, expected: Expected, card: Mapping[str, Any], until: date | None) -> dict[str, Block]:
    """The sentences and headline numbers that need the model; wins are expected `until` a day, or ever."""
    words, by = answers.words, by_day(until, answers.words)
    said = [
        _expected_told(answers, expected, by),
        _untold(answers),
        trust_sentence(card, words),
        *_where(answers),
        *_first(answers),
    ]
    return {
        "sentences": Sentences([each for each in said if each]),
        "headlines": _headlines(answers, expected, card, by),
    }


def _expected_told(answers: Answers, expected: Expected, by: str) -> str:
    words = answers.words
    if not expected.n_deals:
        return "" if _untold(answers) else words("No deal is open here.")
    counts = {
        "open": words.number(expected.n_deals), "by": by, "low": words.number(expected.wins_low, 0),
        "high": words.number(expected.wins_high, 0),
    }  # fmt: skip
    if expected.n_unknown == expected.n_deals:
        return words.n(
            "Of {open} open deals, {n} is expected to be won {by} (between {low} and {high}, 95 %); no amount is known.",
            "Of {open} open deals, {n} are expected to be won {by} (between {low} and {high}, 95 %); no amount is known.",
            round(expected.wins), **counts,
        )  # fmt: skip
    wins = words.n(
        "Of {open} open deals, {n} is expected to be won {by} (between {low} and {high}, 95 %), worth {amount}.",
        "Of {open} open deals, {n} are expected to be won {by} (between {low} and {high}, 95 %), worth {amount}.",
        round(expected.wins), amount=answers.money(expected.revenue), **counts,
    )  # fmt: skip
    if not expected.n_unknown:
        return wins
    unknown = words.n("{n} open deal has no known amount, and is not in that sum.",
                      "{n} open deals have no known amount, and are not in that sum.", expected.n_unknown)  # fmt: skip
    return f"{wins} {unknown}"


def _untold(answers: Answers) -> str:
    """How many open deals have no chance, and why."""
    n = _n_untold(answers)
    return answers.words.n(
        "No chance is told of {n} more open deal: no deal of its age has closed here, or its age is not known.",
        "No chance is told of {n} more open deals: no deal of their age has closed here, or their age is not known.",
        n,
    ) if n else ""  # fmt: skip


def _n_untold(answers: Answers) -> int:
    frame = answers.frame("actions")
    return 0 if isinstance(frame, Problem) else frame["probability"].null_count()


def _where(answers: Answers) -> list[str]:
    """The stage in which deals stay longest."""
    dwell = answers.frame("dwell")
    if isinstance(dwell, Problem) or dwell.is_empty() or not dwell["dwell_median_days"].count():
        return []
    longest = dwell.sort("dwell_median_days", descending=True, nulls_last=True).row(0, named=True)
    return [
        answers.words(
            "Deals stay longest in {stage}: half leave within {days}.",
            stage=longest["entered_stage"], days=answers.words.days(longest["dwell_median_days"]),
        )
    ]  # fmt: skip


def _first(answers: Answers) -> list[str]:
    """What fits into the hours the team has."""
    frame = answers.frame("actions")
    if isinstance(frame, Problem) or frame.is_empty():
        return []
    words, left = answers.words, frame.filter(pl.col("action") == "leave").height
    n = int(frame["fits"].sum()) - left
    fits = words.n("In {hours} hours this week, {n} task fits: the list below says which.",
                   "In {hours} hours this week, {n} tasks fit: the list below says which.",
                   n, hours=answers.view["hours"])  # fmt: skip
    leave = words.n("{n} deal may be worth less than it still takes: the end of the list, for a person to confirm.",
                    "{n} deals may be worth less than they still take: the end of the list, for a person to confirm.",
                    left)  # fmt: skip
    return [said for said, counted in ((fits, n), (leave, left)) if counted]


def by_day(until: date | None, words: Words) -> str:
    """A horizon in words."""
    return words("one day") if until is None else words("by {day}", day=words.date(until))


def _headlines(answers: Answers, expected: Expected, card: Mapping[str, Any], by: str) -> Headlines:
    words, rate = answers.words, answers.one("rate")
    define = f"/definitions?lang={words.language}#{{}}".format
    unknown = words.n("{n} amount unknown", "{n} amounts unknown", expected.n_unknown)
    if n_untold := _n_untold(answers):
        unknown = words.n("{n} with a chance", "{n} with a chance", expected.n_deals)
    known = expected.n_deals - expected.n_unknown
    ends = f"{words.number(expected.wins_low, 0)} – {words.number(expected.wins_high, 0)}"
    revenue = expected.revenue if known else None
    money = f"({answers.money(expected.revenue_low)} – {answers.money(expected.revenue_high)}) " if known else ""
    win_rate = ""
    if rate:
        low, high = words.percent(rate["win_rate_low"]), words.percent(rate["win_rate_high"])
        win_rate = f"({low} – {high}) {words.n('of {n} closed deal', 'of {n} closed deals', rate['n_closed'])}"
    return Headlines([
        Headline(words("Open deals"), words.number(expected.n_deals + n_untold), basis=unknown, definition=define("pipeline")),
        Headline(
            words("Expected wins"), words.number(expected.wins, 0), by, basis=f"({ends}) {words('95 % interval')}",
            exact=words.number(expected.wins, 1), definition=define("win_probability"),
        ),
        Headline(
            words("Expected revenue"), answers.money(revenue), by,
            basis=f"{money}{words.n('{n} known amount', '{n} known amounts', known)}",
            exact=answers.exact(revenue), definition=define("win_probability"),
        ),
        Headline(
            words("Win rate"), words.percent(rate.get("win_rate")), words("of the period"), basis=win_rate,
            definition=define("win_rate"),
        ),
        Headline(
            words("Won deals to learn from"), words.number(card["n_won"]), words(STEPS[card["chosen"]]),
            basis=words("what the probabilities rest on"), definition="#trust",
        ),
    ])  # fmt: skip


def bubble_view(answers: Answers, deals: pl.DataFrame) -> dict[str, Block | Figure]:
    """The open deals as bubbles.

    `deals` has the columns of `OpenDeal`, with `fits`: whether the deal is in this week's list (null without a list).
    """
    words, title = answers.words, answers.words("Open deals: when, how likely, how much")
    seen = deals.filter(pl.col("close_date").is_not_null())
    if seen.is_empty():
        return {"bubbles": Notice(words("No open deal to show. Fewer filters would fill this."), title, "empty")}
    labels = {action: words(text) for action, text in ACTIONS.items()}
    chosen = pl.col("opportunity_id") == (answers.view.open or "")
    state = (
        pl.when(chosen).then(pl.lit("selected")).when(pl.col("fits").not_().fill_null(False)).then(pl.lit("excluded"))
    )
    rows = answers.converted(seen).with_columns(
        pl.col("^probability.*$").round(4),
        state=state.otherwise(pl.lit("possible")),
        action_label=pl.col("action").replace_strict(labels, default="–", return_dtype=pl.String),
    ).select(*SHOWN, "state", "action_label")  # fmt: skip
    subtitle = words("Likely day of signature × chance to be won; as large as the amount, hollow where it is unknown; "
                     "full colour: in this week's list; a click opens the deal")  # fmt: skip
    drawn = bubbles(
        rows, words=words, currency=answers.currency, title=title, subtitle=subtitle, dimension="opportunity_id"
    )
    return {"bubbles": with_finding(drawn)}


def tasks(answers: Answers, actions: pl.DataFrame, deals: pl.DataFrame) -> dict[str, Block]:
    """What to do this week, the most gained per hour first: the list that fits into the hours.

    Args:
        answers: What the page was asked.
        actions: One row per open deal, as `Action` has it, with `fits`.
        deals: The open deals, with the further columns of `TASKS`.
    """
    words, title = answers.words, answers.words("What to do this week")
    listed = tasks_of(actions.filter("fits"), words)
    if listed.is_empty():
        none = words("Nothing of use fits into {hours} hours.", hours=answers.view["hours"])
        if actions.height and not actions["lever"].count():
            none = words("The model of this book names nothing to do first: it ranks no deal by what could be done. More or "
                         "fewer hours change nothing.")  # fmt: skip
        return {"actions": Notice(none, title, "empty")}
    own = [name for name in TASKS if name in deals.columns and name not in listed.columns]
    rows = listed.join(deals.select("opportunity_id", *own), on="opportunity_id", how="left", maintain_order="left")
    columns = tuple(name for name in TASKS if rows[name].null_count() < rows.height)
    subtitle = words("Ranked by the gap per hour: what won deals had here and this one lacks. Associated, not proven. Deals "
                     "to leave come last, for a person to confirm. The download holds the tasks for the CRM.")  # fmt: skip
    return {
        "actions": Table(
            rows, title, words, answers.facts.currency, answers.view.tables.get("actions", TableView()), subtitle,
            key="opportunity_id", columns=columns,
        )
    }  # fmt: skip
