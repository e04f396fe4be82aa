"""What if: a lever pulled in all the open deals selected, and what is expected then beside what is expected now."""

from collections.abc import Sequence

import polars as pl

from cadran.figures.blocks import Block, Headline, Headlines, Nothing, Notice, Tone
from cadran.figures.controls import Choice
from cadran.figures.figure import Figure
from cadran.figures.incidence import pulls
from cadran.figures.opportunities_answers import Answers
from cadran.figures.told import with_finding


def room(answers: Answers, pulled: pl.DataFrame, lever: Choice, n_deals: int, by: str) -> dict[str, Block | Figure]:
    """Expected wins and revenue at every value of a lever, the one chosen beside things as they are.

    Args:
        answers: What the page was asked.
        pulled: One row per value of the lever, first as things are: `wins`, `revenue`, `wins_more`, `revenue_more`,
            each with `_low` and `_high`; `value`; and `n_beyond`, deals it brings beyond what was ever seen.
        lever: The lever's control: its options in the order of the rows.
        n_deals: Open deals it is pulled in.
        by: The horizon, in words.
    """
    words = answers.words
    title = words("What would be expected, {by}", by=by)
    if not n_deals:
        return {"room": Notice(words("No open deal is selected. Fewer filters would fill this."), title, "empty"),
                "room_wins": Nothing(), "room_revenue": Nothing()}  # fmt: skip
    if not pulled["wins_more"].abs().sum():
        still = words(
            "The probabilities rest on what this lever does not move: the data does not tell what it would change."
        )
        return {"room": Notice(still, title, "little"), "room_wins": Nothing(), "room_revenue": Nothing()}
    labels = list(lever.options.values())
    value = answers.view[lever.name]
    at = list(lever.options).index(value)
    rows = answers.converted(pulled).with_columns(
        pl.Series("label", labels), is_now=pl.Series([place == 0 for place in range(len(labels))]),
        state=pl.Series(["selected" if place == at else "possible" for place in range(len(labels))]),
    )  # fmt: skip
    deals = words.n("{n} open deal", "{n} open deals", n_deals)
    pulled_so = lever.label if not at else f"{lever.label}{words(': ')}{labels[at]}"
    what = words("{lever}, in {deals}; association, 95 % interval of the model's doubt", lever=pulled_so, deals=deals)
    drawn: dict[str, Block | Figure] = {
        "room": Headlines(_headlines(answers, rows, at, deals)),
        "room_wins": pulls(rows, words=words, currency=answers.currency, value="wins", subtitle=what,
                           title=words("Deals won {by}", by=by)),
        "room_revenue": pulls(rows, words=words, currency=answers.currency, value="revenue", subtitle=what,
                              title=words("Revenue won {by}", by=by)),
    }  # fmt: skip
    if not rows["revenue"][0]:
        none = words("No open deal selected has a known amount.")
        drawn["room_revenue"] = Notice(none, words("Revenue won {by}", by=by), "empty")
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _headlines(answers: Answers, rows: pl.DataFrame, at: int, deals: str) -> Sequence[Headline]:
    words, now, then = answers.words, rows.row(0, named=True), rows.row(at, named=True)
    n_beyond = int(then["n_beyond"])
    define = f"/definitions?lang={words.language}#win_probability"

    def number(x: float) -> str:
        return words.number(x, 1)

    def shown(name: str, label: str, write) -> Headline:  # type: ignore[no-untyped-def]
        more, low, high = (then[f"{name}_more{end}"] for end in ("", "_low", "_high"))
        sign = "+" if more > 0 else ""
        change = f"{sign}{write(more)} ({write(low)} {words('to')} {write(high)})" if at else words("as things are")
        tone: Tone = "even" if not at or low <= 0 <= high else "good" if more > 0 else "bad"
        return Headline(label, write(then[name]), change, tone, words("now {value}, {deals}", value=write(now[name]), deals=deals),
                        definition=define)  # fmt: skip

    warning = words.n(
        "{n} deal would go beyond what this book ever showed: it is held to the most that was seen",
        "{n} deals would go beyond what this book ever showed: they are held to the most that was seen", n_beyond,
    )  # fmt: skip
    told = [shown("wins", words("Deals won"), number)]
    if now["revenue"]:
        told.append(shown("revenue", words("Revenue won"), answers.money))
    if n_beyond:
        told.append(Headline(words("Beyond what was seen"), words.number(n_beyond), basis=warning, definition=define))
    return told
