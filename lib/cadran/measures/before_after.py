"""What an action of the team changed: against those it did not concern, or not at all."""

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import count, grouped, small, total
from cadran.measures.periods import add_months, day_before, first_day, seen_on
from cadran.tables.measured.trend import BeforeAfter
from cadran.tables.problems import Problem

#: Fewer closed deals on either side of the date, or fewer sellers, among the treated or the others: no estimate.
LEAST_DEALS, LEAST_SELLERS = 30, 5
#: Under this share of known amounts among won deals, no estimate in money.
_LEAST_KNOWN = 0.8
_DAYS_A_MONTH = 365.2425 / 12
_SPANS = ("earlier", "before", "after")

SEPARABLE, INSEPARABLE = "separable", "cannot be separated"
TOO_EARLY = "The time after the action is not over."
ONE_PERSON = "The action concerned one person, and one person is no group."
EVERYBODY = "The action concerned everyone here: there is nobody to compare with."
OVERLAP = "Other actions took place in the time before or after."
TOO_FEW = "Too few deals were closed, or by too few sellers, before or after."
UNKNOWN_AMOUNTS = "The amount of too many won deals is unknown."
NO_HISTORY = "The book does not reach back far enough to see whether both groups moved alike before."
APART = "The two groups already moved apart before the action."


@dataclass(frozen=True)
class Spans:
    """Three spans of as many months: earlier, before and after a day."""

    earlier: date
    before: date
    day: date
    end: date

    def days(self, span: str) -> tuple[date, date]:
        """First and last day of a span."""
        first, following = {
            "earlier": (self.earlier, self.before), "before": (self.before, self.day), "after": (self.day, self.end)
        }[span]  # fmt: skip
        return first, day_before(following)


def difference_in_differences(
    sellers: pl.DataFrame, before: str, after: str
) -> tuple[float, tuple[float, float], list[float]] | None:
    """Change of a ratio among the treated, less its change among the others.

    Args:
        sellers: One row per seller: is_treated, and `part_<span>`, `whole_<span>`, whose sums make the ratio.
        before: The span before.
        after: The span after.

    Returns:
        The estimate, its 95 % interval, and the four ratios: treated before and after, others before and after. None
        where a ratio has no whole, or a group fewer than two sellers.

    Source:
        Linearised ratios with sellers as clusters: Liang & Zeger (1986), Biometrika 73:13, corrected by G ÷ (G − 1)
        in each group; Student's t with the degrees of freedom of Welch (1947), Biometrika 34:28.
    """
    from scipy.stats import t

    ratios, changes, variances, freedoms = [], [], [], []
    for is_treated in (True, False):
        group = sellers.filter(is_treated=is_treated)
        part, whole = (group.select(f"{f}_{before}", f"{f}_{after}").to_numpy() for f in ("part", "whole"))
        if group.height < 2 or (whole.sum(axis=0) <= 0).any():
            return None
        ratio = part.sum(axis=0) / whole.sum(axis=0)
        influence = ((part - ratio * whole) / whole.sum(axis=0)) @ np.array([-1.0, 1.0])
        ratios += ratio.tolist()
        changes.append(float(ratio[1] - ratio[0]))
        freedoms.append(group.height - 1)
        variances.append(float(group.height / freedoms[-1] * (influence**2).sum()))
    variance = sum(variances)
    if variance == 0:
        return None
    freedom = variance**2 / sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    estimate = changes[0] - changes[1]
    half = float(t.ppf(0.975, freedom)) * variance**0.5
    return estimate, (estimate - half, estimate + half), ratios


@measure(
    title="Before and after",
    definition=(
        "For each action of the team: the change of the win rate, and of the amount won per seller and month, from the "
        "months before it (option months: 6) to as many after, among the sellers it concerned, less the change among "
        "the others. Sellers count where they were on the day of the action. Interval: 95 %, sellers as clusters. "
        "Without a group to compare with, with too few deals, other actions nearby, or groups that already moved apart "
        "before, it is said that the effect cannot be separated. What else befell one group alone at that time cannot "
        "be told from the action."
    ),
    unit="share, 0 to 1; reporting currency per seller and month",
    source="Liang & Zeger (1986), Biometrika 73:13; Welch (1947), Biometrika 34:28",
    returns=BeforeAfter,
    needs=(
        Need("closed_date", ("won", "lost")),
        Need("rep_id", ("won", "lost")),
        Need("date", table="actions", least_share=0.01),
    ),
    answer=lambda book, question: before_after(book, question),
)
def before_after(book: Book, question: Question) -> nw.LazyFrame:
    """The effect of each action on the win rate and on the amount won per seller and month.

    Args:
        book: The book; actions after its moment do not exist.
        question: `where` keeps deals. Options: `months`, how long before and after; `action`, the id of one.
            `since` and `until` keep the actions dated between them.

    Returns:
        Two rows per action, by date, as `BeforeAfter` has it.

    Raises:
        Problem: If the question has groups, or there is no such action.
    """
    chosen = question.chosen(months=6, action=str)
    if question.by:
        raise Problem("An action has its own groups; it cannot be split by {column}.", "Leave out the grouping, or "
                      "filter instead.", column=question.by[0])  # fmt: skip
    actions = small(book.table("actions").sort("date", "action_id"))
    asked = actions if chosen["action"] is None else actions.filter(action_id=chosen["action"])
    if chosen["action"] is not None and asked.is_empty():
        raise Problem(
            "There is no action {action} up to {day:%Y-%m-%d}.", "The actions are: {names}.",
            action=chosen["action"], day=book.day, names=", ".join(actions["action_id"]) or "–",
        )  # fmt: skip
    if question.since or question.until:
        asked = asked.filter(pl.col("date").is_between(question.since or date.min, question.until or date.max))
    rows = []
    for action in asked.rows(named=True):
        rows += _of_one(book, question, action, actions, chosen["months"])
    return nw.from_native(_judged(pl.DataFrame(rows, schema=BeforeAfter.create_empty().schema)).lazy())


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    """Whether each effect may be called a change among all that are looked at, by Bonferroni's correction."""
    looked_at = max(rows["effect"].count(), 1)
    wider = NormalDist().inv_cdf(1 - 0.025 / looked_at) / NormalDist().inv_cdf(0.975)
    half = (pl.col("effect_high") - pl.col("effect")) * wider
    return rows.with_columns(is_change=pl.col("effect").abs() > half)


def _of_one(
    book: Book, question: Question, action: dict[str, Any], actions: pl.DataFrame, months: int
) -> list[dict[str, Any]]:
    """The rows of one action: one per quantity."""
    day = action["date"]
    spans = Spans(add_months(day, -2 * months), add_months(day, -months), day, add_months(day, months))
    until = spans.days("after")[1]
    nearby = actions.filter(pl.col("date").is_between(spans.before, until), pl.col("action_id") != action["action_id"])
    row = {name: action[name] for name in ("action_id", "label", "date", "scope", "scope_id")}
    row |= {"since": spans.before, "until": until, "overlaps": "; ".join(nearby["label"]) or None}
    reason = TOO_EARLY if until > book.day else ONE_PERSON if action["scope"] == "rep" else None
    quantities = ("win_rate", "won_per_seller_month")
    if reason:
        return [row | {"quantity": name, "verdict": INSEPARABLE, "reason": reason} for name in quantities]
    seen = seen_on(book, until)
    sellers = _sellers(seen, question, action, spans)
    reach = first_day(seen)
    has_history = reach is not None and reach <= spans.earlier
    return [row | _estimated(sellers, name, action["scope"], not nearby.is_empty(), has_history) for name in quantities]


def _sellers(book: Book, question: Question, action: dict[str, Any], spans: Spans) -> pl.DataFrame:
    """One row per seller who closed a deal in any span: is_treated, and per span closed and won deals, known amounts,
    won deals of unknown amount, and months of presence.
    """
    closed = question.keeps(
        book.deals(["rep_id", "status", "amount", "closed_date", *question.where], question.organisation)
    ).filter(nw.col("status").is_in(["won", "lost"]), nw.col("closed_date") >= spans.earlier)
    won, unknown = nw.col("status") == "won", nw.col("amount").is_null()
    counts = []
    for span in _SPANS:
        first, last = spans.days(span)
        here = (nw.col("closed_date") >= first) & (nw.col("closed_date") <= last)
        counts += [
            count(here, f"closed_{span}"),
            count(here & won, f"won_{span}"),
            total(here & won & ~unknown, "amount", f"amount_{span}"),
            count(here & won & unknown, f"unknown_{span}"),
        ]
    sellers = small(grouped(closed.filter(~nw.col("rep_id").is_null()), ["rep_id"], *counts))
    versions = small(book.table("reps")).with_columns(
        is_then=pl.col("valid_from").dt.convert_time_zone(book.settings.time_zone).dt.date() <= action["date"],
    )
    # Where each was on the day of the action; who came later, where they first were.
    placed = versions.sort("valid_from").group_by("rep_id", maintain_order=True).agg(
        pl.coalesce(
            pl.col(column).filter("is_then").last() if column in _SCOPES else pl.col(column).last(),
            pl.col(column).first(),
        )
        for column in (*_SCOPES, "hired_date", "left_date")
    )  # fmt: skip
    is_treated = pl.lit(True) if action["scope"] == "company" else pl.col(action["scope"]) == action["scope_id"]
    return sellers.join(placed, on="rep_id", how="left").with_columns(
        is_treated.fill_null(False).alias("is_treated"),
        *(_presence(*spans.days(span)).alias(f"months_{span}") for span in _SPANS),
    )


_SCOPES = ("region", "team")


def _presence(first: date, last: date) -> pl.Expr:
    """Months of a span during which a seller was employed; all of it where hiring and leaving are not known."""
    begins = pl.max_horizontal(pl.lit(first), "hired_date")
    stops = pl.min_horizontal(pl.lit(last), "left_date")
    return ((stops - begins).dt.total_days() + 1).clip(lower_bound=0) / _DAYS_A_MONTH


def _estimated(
    sellers: pl.DataFrame, quantity: str, scope: str, has_overlap: bool, has_history: bool
) -> dict[str, Any]:
    """What one quantity did in both groups, and its effect if it can be separated."""
    part, whole = ("won", "closed") if quantity == "win_rate" else ("amount", "months")
    names = {f"{new}_{s}": pl.col(f"{old}_{s}") for new, old in (("part", part), ("whole", whole)) for s in _SPANS}
    sellers = sellers.with_columns(**names)
    row: dict[str, Any] = {"quantity": quantity, "verdict": INSEPARABLE}
    for group, is_treated in (("treated", True), ("others", False)):
        theirs = sellers.filter(is_treated=is_treated)
        sums = theirs.select(pl.selectors.numeric().sum()).row(0, named=True)
        row[f"n_sellers_{group}"] = theirs.height
        has_history = has_history and sums["closed_earlier"] >= LEAST_DEALS
        for span in ("before", "after"):
            row[f"n_{group}_{span}"] = sums[f"closed_{span}"]
            row[f"{group}_{span}"] = sums[f"part_{span}"] / sums[f"whole_{span}"] if sums[f"whole_{span}"] else None
    few = [row[f"n_{g}_{s}"] < LEAST_DEALS for g in ("treated", "others") for s in ("before", "after")]
    few += [row[f"n_sellers_{g}"] < LEAST_SELLERS for g in ("treated", "others")]
    won, unknown = (
        sellers.select(pl.sum_horizontal(f"{what}_{span}" for span in _SPANS).sum()).item()
        for what in ("won", "unknown")
    )
    if scope == "company" or row["n_sellers_others"] == 0:
        reason = EVERYBODY
    elif has_overlap:
        reason = OVERLAP
    elif any(few):
        reason = TOO_FEW
    elif quantity != "win_rate" and unknown > (1 - _LEAST_KNOWN) * won:
        reason = UNKNOWN_AMOUNTS
    else:
        reason = None
    effect = None if reason else difference_in_differences(sellers, "before", "after")
    placebo = difference_in_differences(sellers, "earlier", "before") if has_history and not reason else None
    if placebo:
        row |= {"placebo": placebo[0], "placebo_low": placebo[1][0], "placebo_high": placebo[1][1]}
    if reason is None:
        is_apart = placebo is not None and not placebo[1][0] <= 0 <= placebo[1][1]
        reason = TOO_FEW if effect is None else NO_HISTORY if placebo is None else APART if is_apart else None
    if reason or effect is None:
        return row | {"reason": reason}
    return row | {"verdict": SEPARABLE, "effect": effect[0], "effect_low": effect[1][0], "effect_high": effect[1][1]}
