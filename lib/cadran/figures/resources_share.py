"""How to share, told: territories before and after, the moves it takes, and the rules that conflict."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cadran.figures import resources_sharing as draw
from cadran.figures.blocks import Block, Headline, Headlines, Nothing, Notice
from cadran.figures.columns import value_label
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem

Parts = dict[str, Block | Figure]
MOVES = (
    "client", "from_seller", "to_seller", "region", "country", "weight", "n_open", "amount_open", "n_due", "reason",
)  # fmt: skip
#: What is shared out -> words.
MEASURES = {
    "open_deals": "Open deals", "accounts": "Accounts", "potential": "Potential revenue", "employees": "Employees of accounts",
    "annual_revenue": "Revenue of accounts",
}  # fmt: skip


def summary(answers: Answers, told: Mapping[str, Any], conflicts: Sequence[Problem]) -> Parts:
    """The figures in short, and the rules that conflict; `told` is `Proposal.summary`."""
    words = answers.words
    band = words.percent(told["tolerance"])
    before, after = (words.number(told[name]) for name in ("n_outside_before", "n_outside"))
    bound = words("the fewest moves are at least {bound}", bound=words.number(told["bound"])) if told["bound"] else ""
    cards = [
        Headline(
            words("Sellers outside ±{band}", band=band), after, words("now {n}", n=before),
            basis=words.n("of {n} seller", "of {n} sellers", told["n_sellers"]), definition="#share",
        ),
        Headline(
            words("Clients that move"), words.number(told["n_moves"]), bound,
            basis=words.n("of {n} client", "of {n} clients", told["n_accounts"]), definition="#share",
        ),
        Headline(
            words("Farthest from their share"), words.percent(told["farthest"]),
            words("now {share}", share=words.percent(told["farthest_before"])), basis=_whole(answers, told), definition="#share",
        ),
        Headline(
            words("Moves that touch pay"), words.number(told["n_moves_touching_pay"]),
            words("deals due by {day}", day=words.date(told["quarter_ends"])),
            basis=words.n("of {n} move", "of {n} moves", told["n_moves"]), definition="#share",
        ),
    ]  # fmt: skip
    said = "\n".join(each.told(words) for each in conflicts)
    title = words("Rules that conflict")
    return {"share_told": Headlines(cards), "conflicts": Notice(said, title, "error") if said else Nothing()}


def teams(answers: Answers, rows: pl.DataFrame, told: Mapping[str, Any]) -> Parts:
    """Each team as it is and as proposed; frame as `TerritoryOfTeam`."""
    words, title = answers.words, answers.words("Teams, as they are and as proposed")
    kept = rows.filter(pl.col("target") > 0)
    if kept.is_empty():
        return {"share_teams": Notice(words("No seller is to have clients."), title, "empty")}
    kept = kept.sort("team", nulls_last=True)
    names = [value_label("team", team, words) for team in kept["team"]]
    texts = [
        f"{words.n('{n} in', '{n} in', n_in)}, {words.n('{n} out', '{n} out', n_out)}"
        for n_in, n_out in kept.select("n_in", "n_out").iter_rows()
    ]
    kept = kept.with_columns(
        label=pl.Series(names, dtype=pl.String), told=pl.Series(texts, dtype=pl.String), **_of_target("before", "after")
    )
    said = words("{measure}, share of what the presence of its sellers calls for; hollow: as it is, filled: as proposed; beside: "
                 "clients", measure=_measure(answers, told))  # fmt: skip
    drawn = draw.teams(kept, words=words, currency=answers.currency, title=title, subtitle=said)
    return {"share_teams": with_finding(drawn)}


def sellers(answers: Answers, rows: pl.DataFrame, told: Mapping[str, Any]) -> Parts:
    """Every seller as they are and as proposed; frame as `Territory`."""
    words, title = answers.words, answers.words("Sellers, as they are and as proposed")
    kept = rows.filter(pl.col("target") > 0).with_columns(**_of_target("before", "after", "low", "high"))
    if kept.is_empty():
        return {"share_sellers": Nothing()}
    said = words("{measure}, a tick a seller, share of what their presence calls for; shaded: ±{band}",
                 measure=_measure(answers, told), band=words.percent(told["tolerance"]))  # fmt: skip
    drawn = draw.sellers(kept, words=words, currency=answers.currency, title=title, subtitle=said)
    return {"share_sellers": with_finding(drawn)}


def moves(answers: Answers, rows: pl.DataFrame, told: Mapping[str, Any]) -> Parts:
    """The accounts that change hands, the heaviest first, to be downloaded; frame as `Move`."""
    words, title = answers.words, answers.words("Clients that move")
    if rows.is_empty():
        return {"moves": Notice(words("No client has to move."), title, "empty")}
    rows = rows.with_columns(pl.col("reason").cast(pl.String))
    told_of = [name for name in MOVES if name != "amount_open" or rows[name].sum()]
    columns = tuple(name for name in told_of if rows[name].null_count() < rows.height)
    said = words(
        "A proposal for people to decide, by {measure}; the download holds every move",
        measure=_measure(answers, told).lower(),
    )
    view = answers.view.tables.get("moves", TableView())
    return {"moves": Table(rows, title, words, answers.currency, view, said, columns=columns)}


def _of_target(*names: str) -> dict[str, pl.Expr]:
    return {f"{name}_share": pl.col(name) / pl.col("target") for name in names}


def _whole(answers: Answers, told: Mapping[str, Any]) -> str:
    """What is shared out; and why one may be within the band and yet farther off than it is wide."""
    if told["n_outside"] or told["farthest"] <= told["tolerance"]:
        return _measure(answers, told)
    measure = _measure(answers, told).lower()
    return answers.words("{measure}: the whole numbers on both sides of a share are within", measure=measure)


def _measure(answers: Answers, told: Mapping[str, Any]) -> str:
    return answers.words(MEASURES[told["measure"]])
