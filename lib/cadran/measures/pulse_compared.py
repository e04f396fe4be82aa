"""Groups of a pulse survey beside the company, and what so many answers could show at all."""

from dataclasses import replace
from statistics import NormalDist

import narwhals as nw
import numpy as np
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
    matches,
    measured,
    without_waves,
)
from cadran.measures.pulse_points import COUNTS, difference, ends, pooled_variance, series, with_points
from cadran.tables.measured.pulse import Detectable, PulseCompared
from cadran.tables.problems import Problem
from cadran.tables.pulse import CUTS, SCORED

#: Fewest groups from which one learns how far groups differ.
LEAST_GROUPS = 4
#: Chance with which a difference is to be found.
POWER = 0.8
TOO_FEW_GROUPS = "Fewer than four groups are told exactly: how far groups differ cannot be learnt."
NOTHING_SHOWS = "So few answered that no possible difference would show."
_CUT_NAMES = ", ".join(CUTS)


@measure(
    title="Pulse compared",
    definition=(
        "Each released group of one cut beside the company, in the last wave unless waves or days are named: eNPS, and "
        "favourable share of each question in percent. Group less company is taken from group less everybody else, "
        "squared distances added, and called a difference only if the interval, widened for all groups and questions "
        "looked at, excludes 0. The shrunk score pulls each group towards the mean of the groups, the more so the fewer "
        "answered and the less groups differ beyond chance: the best guess of how the group is, best to rank by; from four "
        "groups on; interval: empirical Bayes, 95 %. Of a group told in a band there is the band alone."
    ),
    unit="points: eNPS from −100 to 100, favourable share from 0 to 100",
    source=(
        "Morris (1983), JASA 78:47; spread between groups: Paule & Mandel (1982), Journal of Research of the NBS 87(5); Zou "
        "& Donner (2008), Statistics in Medicine 27:1693; several looks: Bonferroni"
    ),
    returns=PulseCompared,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: pulse_compared(book, question),
)
def pulse_compared(book: Book, question: Question) -> nw.LazyFrame:
    """Groups beside the company.

    Args:
        book: At its moment.
        question: One cut, or the tree, or a crossed table. No option.

    Returns:
        One row per wave, question and released group, as `PulseCompared` has it.

    Raises:
        Problem: If it names no cut.
    """
    question.chosen()
    if not set(question.columns) & set(CUTS):
        raise Problem(
            "Groups are compared along a cut, and none is named.", "Name one with --by: {names}.", names=_CUT_NAMES
        )
    # Every group of the cut is looked at, whichever of them is asked about.
    where = {name: values for name, values in question.where.items() if name not in CUTS}
    in_waves = [name for name in question.by if name not in CUTS]
    of_cut = [name for name in question.columns if name in CUTS]
    everything, whole = (replace(question, by=(*in_waves, *cut), where=where) for cut in (of_cut, ()))
    key = ["asked_in", *SAME_QUESTION]
    known = Known.of(book)
    company = (
        cells(book, whole, known=known)
        .filter(IS_EXACT)
        .select(*key, *(pl.col(name).alias(f"{name}_all") for name in COUNTS))
    )
    rows = with_points(cells(book, everything, known=known)).join(
        company, on=key, how="left", nulls_equal=True, maintain_order="left"
    )
    rows = rows.with_columns((pl.col(f"{name}_all") - pl.col(name)).alias(f"{name}_rest") for name in COUNTS)
    rows = _shrunk(rows, key)
    n_compared = rows.select((IS_EXACT & (pl.col("n_rest") > 0)).sum()).item()
    rows = rows.filter(*matches(question, question.where))
    part = 1 - pl.col("n") / pl.col("n_all")
    strict = difference(rows, "_rest", "difference", 1 - 0.05 / max(n_compared, 1))
    rows = rows.with_columns(strict).with_columns(
        pl.when(pl.col("n_rest") > 0).then(pl.col(name) * part).alias(name)
        for name in ("difference", "difference_low", "difference_high")
    )
    low, high = ends(rows)
    rows = rows.with_columns(
        n_scores="n", value_low=low, value_high=high, company_value=pl.col("value") - pl.col("difference"),
        is_difference=(pl.col("difference_low") > 0) | (pl.col("difference_high") < 0), n_compared=pl.lit(n_compared),
    )  # fmt: skip
    return measured(rows, question, PulseCompared)


def _shrunk(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Every group's score pulled to the mean of the groups of its question and wave."""
    rows = rows.with_columns(variance=pooled_variance(rows, "_all") / pl.col("n")).with_row_index("number")
    parts = []
    for _, group in rows.filter(IS_EXACT, pl.col("variance").is_not_null()).group_by(key, maintain_order=True):
        if group.height >= LEAST_GROUPS:
            middle, low, high = shrunk(group["value"].to_numpy(), group["variance"].to_numpy())
            least = -100.0 if group["quantity"][0] == "enps" else 0.0
            ends_of = {"shrunk_value": middle, "shrunk_value_low": low, "shrunk_value_high": high}
            values = {name: series(np.clip(each, least, 100.0)) for name, each in ends_of.items()}
            parts.append(group.select("number").with_columns(**values))
    names = ("shrunk_value", "shrunk_value_low", "shrunk_value_high")
    empty = pl.DataFrame(schema={"number": rows.schema["number"], **dict.fromkeys(names, pl.Float64)})
    found = rows.join(pl.concat([empty, *parts]), on="number", how="left", maintain_order="left")
    is_short = IS_EXACT & pl.col("shrunk_value").is_null()
    return found.with_columns(reason=pl.when(is_short).then(pl.lit(TOO_FEW_GROUPS)).otherwise("reason"))


def shrunk(values: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of groups pulled to their mean, with 95 % intervals that allow for what is not known of the pull.

    Args:
        values: Scores of four groups or more.
        variances: Of each, by chance.

    Source:
        Morris (1983), Parametric empirical Bayes inference, JASA 78:47.
    """
    from scipy.optimize import brentq

    k, z = len(values), NormalDist().inv_cdf(0.975)

    def excess(between: float) -> float:
        weights = 1 / (variances + between)
        return float(weights @ (values - weights @ values / weights.sum()) ** 2 - (k - 1))

    most = float(np.ptp(values) ** 2) + 1.0
    between = brentq(excess, 0.0, most) if excess(0.0) > 0 else 0.0
    weights = 1 / (variances + between)
    mean = float(weights @ values / weights.sum())
    pull = (k - 3) / (k - 1) * variances * weights
    mean_weight = weights / weights.sum()
    spread = variances * (1 - pull * (1 - mean_weight)) + 2 / (k - 3) * (pull * (values - mean)) ** 2
    middle, half = mean + (1 - pull) * (values - mean), z * np.sqrt(spread)
    return middle, middle - half, middle + half


@measure(
    title="Detectable difference",
    definition=(
        "The smallest difference, in points, that so many answers would show four times in five at 95 %: of a score from a "
        "given one, and of this wave from the wave before that told the same question of the same group. A change that is "
        "smaller may be there and not be seen; fewer people who answer make it greater. Spread of the answers: as in this "
        "wave. Null where not even the greatest possible difference would show."
    ),
    unit="points: eNPS from −100 to 100, favourable share from 0 to 100",
    source="Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed.; normal approximation, power 80 %",
    returns=Detectable,
    subject=PULSE,
    repair=REPAIR,
    answer=lambda book, question: detectable(book, question),
)
def detectable(book: Book, question: Question) -> nw.LazyFrame:
    """What difference would show.

    Args:
        book: At its moment.
        question: At most one cut; of the last wave unless waves or days are named. No option.

    Returns:
        One row per wave, question and released group, as `Detectable` has it.
    """
    question.chosen()
    anywhere = replace(question, where=without_waves(question), since=None, until=None)
    known = Known.of(book)
    rows = with_points(cells(book, anywhere, all_waves=True, known=known))
    key, names = [*SAME_QUESTION, *SAME_GROUP], ("asked_in", *COUNTS)
    told = rows.filter(IS_EXACT).sort("closed_at").select(
        *key, "asked_in", *(pl.col(name).shift(1).over(key).alias(f"{name}_before") for name in names)
    )  # fmt: skip
    rows = rows.join(told, on=[*key, "asked_in"], how="left", nulls_equal=True, maintain_order="left")
    kept = [each.name for each in asked(known, question, False, SCORED)[1]]
    rows = rows.filter(pl.col("asked_in").is_in(kept))
    step = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(POWER)
    own = pooled_variance(rows) / rows["n"]
    before = pooled_variance(rows, "_before") / rows["n_before"]
    is_enps = pl.col("quantity") == "enps"
    room = (
        pl.when(is_enps).then(100 + pl.col("value").abs()).otherwise(pl.max_horizontal("value", 100 - pl.col("value")))
    )
    found = rows.with_columns(detectable=step * own.sqrt(), detectable_change=step * (own + before).sqrt(), room=room)
    found = found.with_columns(
        pl.when(pl.col(name) <= pl.col("room")).then(name).alias(name) for name in ("detectable", "detectable_change")
    )
    is_short = IS_EXACT & pl.col("detectable").is_null()
    found = found.with_columns(
        n_scores="n", previous="asked_in_before", n_scores_before="n_before",
        reason=pl.when(is_short).then(pl.lit(NOTHING_SHOWS)).otherwise("reason"),
    )  # fmt: skip
    return measured(found, question, Detectable)
