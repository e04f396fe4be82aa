"""Returns of deals to stages they had been in before: how often, for how long, and how deals that return fare."""

from collections.abc import Sequence
from dataclasses import replace

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, Rival, measure
from cadran.measures.counting import count, grouped, small, with_share
from cadran.measures.paths import closed_lives, steps
from cadran.measures.visits import NEEDS_STAGES, open_stages
from cadran.tables.measured.audit import Rework

#: Microseconds.
_DAY = 86_400_000_000
_SHARES = {
    "returning_share": ("n_returning", "n_deals"),
    "returned_win_rate": ("n_won_returned", "n_closed_returned"),
    "others_win_rate": ("n_won_others", "n_closed_others"),
}


def _whole_lives(book: Book, question: Question) -> float | None:
    """Win rate of the deals that returned less that of the others, over their whole lives."""
    deals = closed_lives(book, replace(question, by=()))
    counted = _counted(deals, (), steps(book, question)).filter(pl.col("status") != "disqualified")
    is_won, n = pl.col("status") == "won", pl.col("n")
    rates = counted.group_by(pl.col("returned").is_null()).agg(rate=n.filter(is_won).sum() / n.sum()).sort("returned")
    return rates["rate"][0] - rates["rate"][1] if rates.height == 2 else None


@measure(
    title="Rework",
    definition=(
        "Returns of the deals closed in the period to a stage they had been in before, by stage and in all: deals that "
        "came back at least once, of those that had come to the stage, returns, and the days spent in visits after the "
        "first. A deal opened again comes back too. Deals that live longer have had more time to return: win rates "
        "compare deals at the same age, the median age at the first return, those that had come back by then with "
        "those that had not, and only deals that were open at that age. They are associated, not caused. Interval: "
        "Wilson, 95 %."
    ),
    unit="deals; share, 0 to 1; days",
    source=(
        "Wilson (1927), JASA 22(158); Anderson, Cain and Gelber (1983), Analysis of survival by tumor response, "
        "Journal of Clinical Oncology 1(11): the landmark"
    ),
    returns=Rework,
    needs=NEEDS_STAGES,
    answer=lambda book, question: rework(
        closed_lives(book, question), question.by, walked=steps(book, question), book=book, **question.chosen()
    ),
    rivals=(
        Rival(
            "Win rate with returns less without, over whole lives",
            "Deals that closed early had no time to return: it compares ages. Difference of shares, all stages together.",
            _whole_lives,
        ),
    ),
)
def rework(deals: nw.LazyFrame, by: Sequence[str] = (), *, walked: nw.LazyFrame, book: Book) -> nw.LazyFrame:
    """How often closed deals came back to stages, and how those that did fared from the same age on.

    Args:
        deals: One row per closed deal, from `closed_lives`.
        by: Columns to group on. Empty gives one row per stage, and one for any.
        walked: One row per visit, from `steps`.
        book: For the order of the stages.

    Returns:
        One row per group and open stage, sorted by `by`, then in the order of the pipeline, then one for any stage,
        as `Rework` has it. Shares and days are null where there is nothing to divide by.
    """
    lines = [*open_stages(book)["stage"], None]
    found = _counted(deals, by, walked, "entered_stage"), _counted(deals, by, walked)
    measured = _measured(pl.concat(found, how="diagonal"), [*by, "entered_stage"])
    groups = small(grouped(deals, by, count(~nw.col("is_whole"), "n_unknown")))
    placed = pl.DataFrame({"entered_stage": lines}, schema={"entered_stage": pl.String}).with_row_index("line")
    full = groups.join(placed, how="cross").join(measured, on=[*by, "entered_stage"], how="left", nulls_equal=True)
    full = full.sort(*by, "line").with_columns(pl.col("^n_.*$", "extra_days").fill_null(0))
    shown = nw.from_native(full.lazy()).with_columns(
        extra_days_per_return=nw.when(nw.col("n_returns") > 0).then(nw.col("extra_days") / nw.col("n_returns"))
    )
    for name, (part, of) in _SHARES.items():
        shown = with_share(shown, part, of, name)
    return shown.select(*by, *Rework.column_names())


def _counted(deals: nw.LazyFrame, by: Sequence[str], walked: nw.LazyFrame, *lines: str) -> pl.DataFrame:
    """How many deals (`n`), with how many returns in all (`n_returns`), for how many days (`extra_days`), by group,
    by line, `status`, and whole days from the first stage to closing (`aged`) and to the first return (`returned`)."""
    is_return = nw.col("turn") > 1
    spans = walked.with_columns(
        again=nw.when(is_return).then(nw.col("came")),
        extra=nw.when(is_return).then(nw.col("left") - nw.col("came")).otherwise(0),
        is_return=is_return.cast(nw.Int64),
    )
    whole = spans.group_by("opportunity_id").agg(began=nw.col("came").min(), over=nw.col("left").max())
    each = spans.group_by("opportunity_id", *lines).agg(
        nw.col("again").min(), nw.col("extra").sum(), n_turns=nw.col("is_return").sum()
    )
    ages = {"aged": "over", "returned": "again"}
    timed = each.join(whole, on="opportunity_id").with_columns(
        **{name: (nw.col(end) - nw.col("began")) // _DAY for name, end in ages.items()}
    )
    told = timed.join(deals.filter(nw.col("is_whole")), on="opportunity_id")
    return small(
        grouped(
            told,
            [*dict.fromkeys((*by, *lines, "status", *ages))],
            nw.len().cast(nw.Int64).alias("n"),
            nw.col("n_turns").sum().cast(nw.Int64).alias("n_returns"),
            (nw.col("extra").sum().cast(nw.Float64) / _DAY).alias("extra_days"),
        )
    )


def _measured(counted: pl.DataFrame, lines: Sequence[str]) -> pl.DataFrame:
    """What each line tells: deals, returns, days, and wins and closings at equal age, with returns and without."""
    n, returned = pl.col("n"), pl.col("returned")
    landmark = returned.repeat_by("n").explode().drop_nulls().median()
    known = counted.join(
        counted.group_by(lines).agg(landmark_days=landmark), on=lines, how="left", nulls_equal=True
    ).with_columns(is_with=(returned <= pl.col("landmark_days")).fill_null(False))
    stood = (pl.col("aged") > pl.col("landmark_days")) & pl.col("status").is_in(["won", "lost"])
    sides = {
        f"n_{what}_{side}": n.filter(stood & (is_with == pl.col("is_with")) & is_counted).sum()
        for side, is_with in (("returned", pl.lit(True)), ("others", pl.lit(False)))
        for what, is_counted in (("closed", pl.lit(True)), ("won", pl.col("status") == "won"))
    }
    return known.group_by(lines).agg(
        n_deals=n.sum(), n_returning=n.filter(returned.is_not_null()).sum(), **sides,
        n_returns=pl.col("n_returns").sum(), extra_days=pl.col("extra_days").sum(),
        landmark_days=pl.col("landmark_days").first(),
    )  # fmt: skip
