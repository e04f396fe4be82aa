"""The sales process: what won deals had, and lost ones had not, at equal age."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

import narwhals as nw
import polars as pl

from cadran.book import DEAL_COLUMNS, Book
from cadran.book.book import Organisation
from cadran.book.landmarks import FACTS as KNOWN_THEN
from cadran.measures.catalogue import MEASURES, Need, Question, Rival, Subject, measure
from cadran.measures.clustered import Estimate, Times, Values, difference, seen_closing
from cadran.measures.counting import LEAST_FOR_INTERVAL
from cadran.measures.process_facts import PEOPLE, Collected, Named, cohort, collected
from cadran.tables.measured.process import EQUAL_AGE, FACTS, WHOLE_LIFE, Reference
from cadran.tables.problems import Problem

_DEAL = "opportunity_key"
_CYCLE: Named = ("cycle_days", None)
#: Told of each stage, function or level there is; the other facts are told even where the book knows nothing of them.
_OF_EACH = ("stage_days", "stage_reached", "has_function", "has_seniority")
_WITHIN_HOURS = {"response_hour": 1.0, "response_day": 24.0}
_SIDES = ("won", "lost")


def _with_people(book: Book, columns: Iterable[str], organisation: Organisation) -> nw.LazyFrame:
    """Deals; once for each contact involved where a column is one of the contacts'."""
    asked = list(dict.fromkeys(columns))
    deals = book.deals([_DEAL, *(name for name in asked if name not in PEOPLE)], organisation)
    if not set(asked) & set(PEOPLE):
        return deals.select(asked)
    parts = book.table("deal_contacts").select(_DEAL, "contact_id")
    people = book.table("contacts").select("contact_id", *PEOPLE)
    return deals.join(parts.join(people, on="contact_id"), on=_DEAL, how="left").select(asked)


PROCESS = Subject((*DEAL_COLUMNS, *PEOPLE), _with_people, "Deals have no column {column}.")


def _whole_life(book: Book, question: Question) -> float | None:
    """Share of won deals that were pushed less that of lost ones, up to the closing of each."""
    asked = replace(question, by=(), options={"over": WHOLE_LIFE})
    found = MEASURES["reference"].ask(book, asked).filter(fact="pushed")
    return None if found.is_empty() else found["difference"][0]


@measure(
    title="Reference of won deals",
    definition=(
        "What won deals had beside lost ones, among the deals created in the period that were still open at an age (30 "
        "days unless said), each as it was known at that age, whatever came later: lost deals that died early had less "
        "time to collect anything. The sales cycle alone is told of whole lives. Deals still open stand apart; as slow "
        "deals are the likelier to be among them, closed ones weigh by one over the chance to have been followed until "
        "they closed. A difference is called one only if its 95 % interval, widened for how many are looked at "
        "(Bonferroni), has no zero in it: of many, some differ by luck. It tells what goes with winning, not what "
        "makes it. Fewer than 10 deals are counted only; intervals count clients, from 10 on. A deal counts in each "
        "function, or level, of its contacts."
    ),
    unit="days; hours; per deal; share, 0 to 1",
    source=(
        "Satten & Datta (2001), The American Statistician 55(3); Williams (1995), Lifetime Data Analysis 1(2); "
        "Woodruff (1952), JASA 47(260); Franco et al. (2019), Journal of Survey Statistics and Methodology 7(3); Liang "
        "& Zeger (1986), Biometrika 73:13; Zou (2007), Psychological Methods 12(4)"
    ),
    returns=Reference,
    needs=(
        Need("status"), Need("created_date"), Need("at", table="activities"),
        Need("contact_id", table="deal_contacts"),
    ),
    subject=PROCESS,
    answer=lambda book, question: reference(book, question, **question.chosen_for(reference)),
    rivals=(
        Rival(
            "Pushed, over whole lives",
            "Share of won deals whose expected close was pushed less that of lost ones, up to the closing of each: who "
            "lives longer has more time to be pushed.",
            _whole_life,
        ),
    ),
)  # fmt: skip
def reference(book: Book, question: Question, *, age_days: int = 30, over: str = EQUAL_AGE) -> nw.LazyFrame:
    """What won deals had, and lost ones had not.

    Args:
        book: The book.
        question: Its period chooses deals by their creation. Columns of deals are read as of the age compared at,
            where `facts_at` knows them and the organisation is that of then.
        age_days: The age at which deals are compared.
        over: "equal_age", or "whole_life": all closed deals, up to their closing.

    Returns:
        One row per group and fact, sorted by `by`, as `Reference` has it. A group in which no deal has closed has no
        estimate.

    Raises:
        Problem: If `over` is none of these.
    """
    if over not in (EQUAL_AGE, WHOLE_LIFE):
        raise Problem(
            "{value} is no value of the option {name}.", "Write it as {example}.",
            value=over, name="over", example=f"{EQUAL_AGE}, {WHOLE_LIFE}",
        )  # fmt: skip
    age = age_days if over == EQUAL_AGE else None
    of_then = [name for name in question.columns if name in KNOWN_THEN and question.organisation == "as_was"]
    others = [name for name in dict.fromkeys(question.columns) if name not in (*of_then, *PEOPLE, "cycle_days")]
    period = (question.since, question.until, question.organisation)
    deals, found = _gathered(book, str(book.manifest["rows"]), *period, age, tuple(others))
    deals = deals.join(found.told.select(_DEAL, *dict.fromkeys(of_then)), on=_DEAL, maintain_order="left")
    if asked := [name for name in PEOPLE if name in question.columns]:
        deals = deals.join(found.people.select(_DEAL, *asked).unique(), on=_DEAL, how="left", maintain_order="left")
    kept = nw.from_native(deals).filter(question.kept).to_native() if question.where else deals
    groups = kept.sort(question.by).partition_by(question.by, maintain_order=True) if question.by else [kept]
    names = _named(found)
    rows = [
        {name: group[name][0] for name in question.by} | row
        for group in groups
        if group.height
        for row in _rows(group, found, names, age)
    ]
    types = {name: deals.schema[name] for name in question.by} | dict(Reference.create_empty().schema)
    return nw.from_native(_judged(rows, types).lazy())


@lru_cache(maxsize=2)
def _gathered(
    book: Book,
    rows: str,
    since: date | None,
    until: date | None,
    organisation: Organisation,
    age: int | None,
    columns: tuple[str, ...],
) -> tuple[pl.DataFrame, Collected]:
    """The cohort and what it had collected, kept for the next grouping or filter. A purge leaves other numbers of rows."""
    deals = cohort(book, Question(since=since, until=until, organisation=organisation), age, columns)
    return deals, collected(book, deals)


def _named(found: Collected) -> list[Named]:
    """The facts to tell, in order."""
    known = [*found.times, *found.values]
    bare: list[Named] = [(fact, None) for fact in FACTS if fact not in _OF_EACH]
    order = list(FACTS)
    return sorted(dict.fromkeys([*bare, *known]), key=lambda named: order.index(named[0]))


@dataclass(frozen=True)
class _Seen:
    """Deals of a group, with the weight and the client of each, on which a fact is told."""

    deals: pl.DataFrame
    basis: str
    n_numbers: int

    @cached_property
    def _sides(self) -> dict[str, pl.DataFrame]:
        told = self.deals.select(_DEAL, "client_number", "weight", "status", "lived_days")
        return {status: told.filter(status=status).drop("status") for status in _SIDES}

    def of(self, status: str, found: Collected, named: Named) -> tuple[int, Estimate | None]:
        """How many deals of a status the fact is known of, and what it is of them: nothing of very few."""
        deals, times = self._sides[status], found.times.get(named)
        if named == _CYCLE:
            rows = deals.with_columns(value="lived_days", has_happened=pl.lit(True))
        elif (facts := found.values.get(named) if times is None else times) is None:
            return 0, None
        else:
            rows = deals.join(facts, on=_DEAL, maintain_order="left")
        if rows.is_empty():
            return 0, None
        value, weight, client = (rows[name].to_numpy() for name in ("value", "weight", "client_number"))
        statistic, n = FACTS[named[0]].statistic, rows[_DEAL].n_unique()
        if n < LEAST_FOR_INTERVAL:
            return n, None
        if "has_happened" not in rows.columns:
            values = Values(value, weight, client, self.n_numbers)
            return n, values.mean if statistic == "mean" else values.share
        curve = Times(value, rows["has_happened"].to_numpy(), weight, client, self.n_numbers)
        if named[0] in _WITHIN_HOURS:
            return n, curve.within(_WITHIN_HOURS[named[0]])
        return n, curve.quantile(0.9 if statistic == "p90" else 0.5)


def _weighed(deals: pl.DataFrame, followed: str) -> pl.DataFrame:
    """Deals whose age is known, with the weight of each among those that were followed as long."""
    known = deals.filter(pl.col(followed).is_not_null())
    weight = seen_closing(known[followed].to_numpy(), (known["status"] != "open").to_numpy())
    return known.with_columns(weight=pl.Series(weight, dtype=pl.Float64))


def _rows(group: pl.DataFrame, found: Collected, names: list[Named], age: int | None) -> list[dict[str, Any]]:
    """One row per fact of a group, with the estimates of both sides in the place of their intervals."""
    deals = group.unique(_DEAL, keep="first", maintain_order=True)
    deals = deals.with_columns(pl.col("client_number").rank("dense").cast(pl.Int64) - 1)  # as few numbers as clients
    n_numbers = int(deals["client_number"].max()) + 1  # type: ignore[arg-type]
    lived = _Seen(_weighed(deals, "lived_days"), WHOLE_LIFE, n_numbers)
    compared = _weighed(deals.filter("is_compared"), "followed_days")
    seen = _Seen(compared, WHOLE_LIFE if age is None else EQUAL_AGE, n_numbers)
    is_closed = deals["status"].is_in(_SIDES)
    n_closed, n_early = int(is_closed.sum()), int((is_closed & deals["is_early"]).sum())
    rows = []
    for named in names:
        is_cycle, (fact, about) = named == _CYCLE, named
        on = lived if is_cycle else seen
        (n_won, won), (n_lost, lost) = (on.of(status, found, named) for status in _SIDES)
        early = 0 if is_cycle else n_early
        rows.append(
            {
                "fact": fact, "about": about, "statistic": FACTS[fact].statistic, "unit": FACTS[fact].unit,
                "basis": on.basis, "at_age_days": None if is_cycle else age, "n_won": n_won, "n_lost": n_lost,
                "n_open": int((on.deals["status"] == "open").sum()), "n_early": early,
                "n_unknown": n_closed - early - n_won - n_lost, "won": won, "lost": lost,
            }
        )  # fmt: skip
    return rows


def _judged(rows: list[dict[str, Any]], types: dict[str, Any]) -> pl.DataFrame:
    """The rows with their intervals, and whether each difference may be called one among all that are looked at."""
    told = []
    alone = [_between(row, 0.05) for row in rows]
    looked_at = sum(ends != (None, None) for ends in alone)
    for row, (low, high) in zip(rows, alone, strict=True):
        estimates = {side: row[side] for side in _SIDES}
        sure_low, sure_high = _between(row, 0.05 / max(looked_at, 1))
        is_told = not (low is None and high is None)
        row = row | {"difference_low": low, "difference_high": high, "n_compared": looked_at}
        for side, estimate in estimates.items():
            ends = estimate.limits(0.05) if estimate else (None, None)
            row |= {side: estimate.value if estimate else None, f"{side}_low": ends[0], f"{side}_high": ends[1]}
        won, lost = row["won"], row["lost"]
        row["difference"] = None if won is None or lost is None else won - lost
        is_apart = (sure_low is not None and sure_low > 0) or (sure_high is not None and sure_high < 0)
        told.append(row | {"is_difference": is_apart if is_told else None})
    return pl.DataFrame(told, schema=types, orient="row")


def _between(row: dict[str, Any], alpha: float) -> tuple[float | None, float | None]:
    """The interval of won less lost; unknown where a side has none."""
    won, lost = row["won"], row["lost"]
    return difference(won, lost, alpha) if won and lost else (None, None)
