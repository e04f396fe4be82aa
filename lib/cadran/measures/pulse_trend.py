"""How a score of a pulse survey moved from wave to wave, and whether it moved or only who answered did."""

from dataclasses import replace
from statistics import NormalDist

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, measure
from cadran.measures.pulse import (
    IS_EXACT,
    PULSE,
    REPAIR,
    SAME_GROUP,
    SAME_QUESTION,
    Known,
    asked,
    cells,
    measured,
    without_waves,
)
from cadran.measures.pulse_points import COUNTS, difference, ends, pooled_variance, with_points
from cadran.tables.measured.pulse import PulseTrend
from cadran.tables.pulse import COMPANY, SCORED

#: A change that is nothing within the groups, of which less than this part is left there, was one of who answered.
LEFT = 0.5


@measure(
    title="Pulse trend",
    definition=(
        "A score wave by wave: eNPS, and the favourable share of each question in percent; and by how many points it moved "
        "since the wave before, and since the first, of the same question, scale and group. Interval, 95 %: the distances "
        "of both waves to their own limits, squared and added, as if other people had answered: the answers of anonymous "
        "waves cannot be paired, and those who answer twice mostly answer alike, so it is too wide rather than too narrow. "
        "It is called a change only if the interval, widened for how many are looked at, excludes 0. The company's move is "
        "also taken within the groups of the first cut that tells all of them in both waves, each with its mean weight: "
        "who_answered where a change leaves under half of it there, and nothing that is sure; reversed where the groups "
        "moved the other way; hidden_by_who_answered where they moved and the company did not."
    ),
    unit="points: eNPS from −100 to 100, favourable share from 0 to 100",
    source=(
        "Zou & Donner (2008), Statistics in Medicine 27:1693; direct standardisation: Kitagawa (1955), JASA 50:1168; "
        "several looks: Bonferroni"
    ),
    returns=PulseTrend,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: pulse_trend(book, question),
)
def pulse_trend(book: Book, question: Question) -> nw.LazyFrame:
    """Scores wave by wave, what they moved by, and how that is to be read.

    Args:
        book: At its moment.
        question: At most one cut. Waves or days named keep rows; a row is compared with any wave before. No option.

    Returns:
        One row per wave, question and released group, as `PulseTrend` has it, the first wave first.
    """
    question.chosen()
    anywhere = replace(question, where=without_waves(question), since=None, until=None)
    known = Known.of(book)
    rows = with_points(cells(book, anywhere, all_waves=True, known=known))
    key = [*SAME_QUESTION, *SAME_GROUP]
    told = rows.filter(IS_EXACT).sort("closed_at")
    before = [pl.col(name).shift(1).over(key).alias(f"{name}_before") for name in ("asked_in", *COUNTS)]
    first = [pl.col(name).first().over(key).alias(f"{name}_first") for name in ("asked_in", *COUNTS)]
    told = told.select(*key, "asked_in", *before, *first).with_columns(
        pl.when(pl.col("asked_in") != pl.col("asked_in_first")).then(f"{name}_first").alias(f"{name}_first")
        for name in ("asked_in", *COUNTS)
    )
    found = rows.join(told, on=[*key, "asked_in"], how="left", nulls_equal=True, maintain_order="left")
    names = asked(known, question, True, SCORED)[1]
    found = found.filter(pl.col("asked_in").is_in([each.name for each in names]))
    is_again = pl.col("asked_in_first") == pl.col("asked_in_before")
    looked_at = found["asked_in_before"].is_not_null().sum() + found.select((~is_again).sum()).item()
    mixes = _mixes(book, known, found) if COMPANY in found["cut"] else _NO_MIX
    n_compared = int(looked_at + mixes.height)
    level = 1 - 0.05 / max(n_compared, 1)
    for since, name in (("_before", "moved"), ("_first", "moved_since_first")):
        found = found.with_columns(difference(found, since, name))
        sure = [strict.alias(f"_{strict.name}") for strict in difference(found, since, name, level)]
        found = found.with_columns(sure).with_columns(
            _excludes(f"_{name}").alias("is_change" if name == "moved" else "is_change_since_first")
        )
    found = _with_mix(found, mixes, level)
    low, high = ends(found)
    found = found.with_columns(
        value_low=low, value_high=high, previous="asked_in_before", first="asked_in_first", n_scores="n",
        n_compared=pl.lit(n_compared), reading=_READING,
    )  # fmt: skip
    return measured(found, question, PulseTrend)


def _excludes(name: str) -> pl.Expr:
    return (pl.col(f"{name}_low") > 0) | (pl.col(f"{name}_high") < 0)


_MIX_KEY = ["asked_in", *SAME_QUESTION]
_NO_MIX = pl.DataFrame(
    schema={"asked_in": pl.String, "mix_cut": pl.String, "moved_same_mix": pl.Float64, "mix_error": pl.Float64}
)


def _mixes(book: Book, known: Known, company: pl.DataFrame) -> pl.DataFrame:
    """The moves of the company since the wave before, taken within the groups of a cut.

    Returns:
        `_MIX_KEY`, `mix_cut`, `moved_same_mix` and `mix_error`: of the first cut of the survey whose groups, the same in
        both waves, are told exactly and hold all scores of the company in both.
    """
    pairs = company.filter(pl.col("asked_in_before").is_not_null()).select(
        *_MIX_KEY, "asked_in_before", n_all="n", n_all_before="n_before"
    )
    parts = []
    for cut in _one_way(known):
        rows = with_points(cells(book, Question((cut,)), all_waves=True, known=known)).filter(IS_EXACT)
        rows = rows.with_columns(variance=pooled_variance(rows))
        group = [*SAME_QUESTION, "parent", "group"]
        told = rows.select(*_MIX_KEY, "parent", "group", "n", "value", "variance")
        earlier = told.rename({name: f"{name}_before" for name in ("asked_in", "n", "value", "variance")})
        both = pairs.join(told, on=_MIX_KEY, nulls_equal=True).join(
            earlier, on=["asked_in_before", *group], nulls_equal=True
        )
        weight = (pl.col("n") / pl.col("n_all") + pl.col("n_before") / pl.col("n_all_before")) / 2
        error = weight.pow(2) * (pl.col("variance") / pl.col("n") + pl.col("variance_before") / pl.col("n_before"))
        moved = both.group_by(_MIX_KEY).agg(
            moved_same_mix=(weight * (pl.col("value") - pl.col("value_before"))).sum(),
            mix_error=error.sum().sqrt(),
            is_whole=(pl.col("n").sum() == pl.col("n_all").first())
            & (pl.col("n_before").sum() == pl.col("n_all_before").first()),
        )
        parts.append(moved.filter("is_whole").drop("is_whole").with_columns(mix_cut=pl.lit(cut)))
    if not parts:
        return _NO_MIX
    return pl.concat(parts).unique(_MIX_KEY, keep="first", maintain_order=True)


def _one_way(known: Known) -> list[str]:
    """The cuts that any survey is told by, in their order; of the tree the regions, which hold the teams."""
    named = dict.fromkeys(cut for each in known.releases for cut in each.terms.cuts if cut in set(each.groups["cut"]))
    return list(named)


def _with_mix(found: pl.DataFrame, mixes: pl.DataFrame, level: float) -> pl.DataFrame:
    nothing = {"mix_cut": pl.String, "moved_same_mix": pl.Float64, "mix_error": pl.Float64}
    if mixes.is_empty():
        joined = found.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in nothing.items())
    else:
        joined = found.join(mixes, on=_MIX_KEY, how="left", nulls_equal=True, maintain_order="left")
    z, strict = (NormalDist().inv_cdf(0.5 + each / 2) for each in (0.95, level))
    moved, error = pl.col("moved_same_mix"), pl.col("mix_error")
    return joined.with_columns(
        moved_same_mix_low=(moved - z * error).clip(-200, 200), moved_same_mix_high=(moved + z * error).clip(-200, 200),
        _mix_low=moved - strict * error, _mix_high=moved + strict * error,
    )  # fmt: skip


_SAME_MIX, _MOVED = pl.col("moved_same_mix"), pl.col("moved")
_READING = (
    pl.when(_MOVED.is_null()).then(pl.lit(None, pl.String))
    .when(pl.col("is_change") & _excludes("_mix") & (_SAME_MIX.sign() != _MOVED.sign())).then(pl.lit("reversed"))
    .when(pl.col("is_change") & ~_excludes("_mix") & (_SAME_MIX * _MOVED.sign() < LEFT * _MOVED.abs()))
    .then(pl.lit("who_answered"))
    .when("is_change").then(pl.lit("change"))
    .when(_excludes("_mix")).then(pl.lit("hidden_by_who_answered"))
    .otherwise(pl.lit("no_change"))
)  # fmt: skip
