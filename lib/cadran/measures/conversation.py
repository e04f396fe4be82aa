"""What a manager may open a one-to-one with, drawn from what groups answered: never from what one person did."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import polars as pl

from cadran.book import Book
from cadran.measures.releases import released
from cadran.tables.measured.one_to_ones import Prompt
from cadran.tables.pulse import COMPANY, ENPS, SCORED, TREE, Release

#: What is talked about at most, and what stands for a dimension that has no questions of its own.
MOST, OTHER = 3, "other"
#: Points of favourable answers by which a dimension fell for it to come before one that is merely low.
FELL = 0.05


def guide(book: Book, region: str | None = None, team: str | None = None) -> pl.DataFrame:
    """What to talk about, and questions to open with: the dimensions that fell most since the wave before, then the lowest.

    Args:
        book: At its moment; a reader is told of the groups they may see.
        region: The manager's region, by which the closest group released is found.
        team: Their team.

    Returns:
        At most three dimensions, as `Prompt`: of the team if that was released, else of the region, else of the company.
        Only questions told exactly count, and a fall only between the same questions. None where nothing was released.
    """
    told = released(book)
    if not told:
        return Prompt.create_empty()
    last = told[-1]
    before = [each for each in told if each.terms.survey == last.terms.survey][-2:-1]
    # The closest group of which anything is told exactly.
    places = _closest(last, region, team)
    place = next((each for each in places if _shares(last, each).height), places[-1])
    now = _shares(last, place)
    then = _shares(before[0], place) if before else now.clear()
    both = now.join(then.select("question_id", then="share"), on="question_id", how="left")
    rows = both.group_by("dimension").agg(
        favourable_share=pl.col("share").mean(), moved=(pl.col("share") - pl.col("then")).mean(),
        n_questions=pl.len().cast(pl.Int64), n=pl.col("n").min(),
    )  # fmt: skip
    fell = (pl.col("moved") <= -FELL).fill_null(False)
    rows = rows.with_columns(why=pl.when(fell).then(pl.lit("fell")).otherwise(pl.lit("low")))
    rows = rows.sort(~fell, pl.when(fell).then("moved").otherwise("favourable_share"), "dimension").head(MOST)
    texts = questions()
    asked = [texts.get(each, texts[OTHER]) for each in rows["dimension"]]
    cut, _, group = place
    rows = rows.with_columns(
        wave=pl.lit(last.wave), cut=pl.lit(cut), group=pl.lit(group, pl.String),
        **{f"questions_{each}": pl.Series([text[each] for text in asked], dtype=pl.List(pl.String)) for each in ("en", "fr")},
    )  # fmt: skip
    return Prompt.validate(rows.select(Prompt.column_names()))


@lru_cache(maxsize=1)
def questions() -> Mapping[str, Mapping[str, list[str]]]:
    """Questions to open with, by dimension and language."""
    return tomllib.loads(files("cadran.measures").joinpath("conversation.toml").read_text("utf-8"))


def _closest(release: Release, region: str | None, team: str | None) -> list[tuple[str, str | None, str | None]]:
    """The groups released that hold a team, and a region, the smallest first, the company last: cut, parent and name."""
    of_region = release.groups.filter(pl.col("cut") == TREE[0], pl.col("members").list.contains(region or ""))
    parents = of_region["group"].to_list()
    teams = release.groups.filter(
        pl.col("cut") == TREE[1], pl.col("parent").is_in(parents), pl.col("members").list.contains(team or "")
    )
    found: list[tuple[str, str | None, str | None]] = list(teams.select("cut", "parent", "group").iter_rows())
    return [*found, *((TREE[0], None, each) for each in parents), (COMPANY, None, None)]


def _shares(release: Release, place: tuple[str, str | None, str | None]) -> pl.DataFrame:
    """Favourable shares of the questions told exactly in a group: `question_id`, `dimension`, `share`, `n`."""
    cut, parent, group = place
    asked = release.questions.filter(pl.col("kind").is_in(SCORED) & ~pl.col("kind").is_in(ENPS))
    here = release.cells.filter(
        pl.col("cut") == cut, pl.col("parent").eq_missing(pl.lit(parent, pl.String)),
        pl.col("group").eq_missing(pl.lit(group, pl.String)), pl.col("told") == "exact", pl.col("n") > 0,
    )  # fmt: skip
    return here.join(asked.select("question_id", "dimension"), on="question_id").select(
        "question_id", pl.col("dimension").fill_null(OTHER), "n", share=pl.col("n_high") / pl.col("n")
    )
