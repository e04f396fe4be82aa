"""What is told of the rows of survey results once they were read: counts, remarks, and why there is no wave."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from cadran.sources.place import FILE, ID
from cadran.sources.rules import LEFT_OUT
from cadran.sources.spans import Note
from cadran.sources.survey_files import Opened
from cadran.sources.survey_rules import NO_BALLOTS, NO_COPIES, NOT_APPLICABLE, PURGED
from cadran.tables.delivery import SET_ASIDE, SourceFile
from cadran.tables.problems import Problem


def counts(opened: Opened, left_out: pl.DataFrame, aside: Mapping[str, pl.DataFrame]) -> list[SourceFile]:
    """Of each file of a feed: rows read, accepted, left out (`ID`) and set aside (as `SET_ASIDE`, by wave)."""
    bad = pl.concat([pl.DataFrame(schema=SET_ASIDE), *aside.values()])["file"].value_counts()
    out = left_out.join(opened.places(), on=ID)[FILE].value_counts()
    n_bad, n_out = dict(bad.iter_rows()), dict(out.iter_rows())
    found = []
    for name, digest in opened.digests.items():
        n, m, left = opened.n_rows[name], n_bad.get(name, 0), n_out.get(name, 0)
        found.append(SourceFile(name, opened.table, digest, n, n - m - left, m, left))
    return found


def notes(opened: Opened, said: pl.DataFrame, left_out: pl.DataFrame, purged: str) -> list[Note]:
    """Remarks on one feed, as rows of `NOTED`.

    Args:
        opened: The feed.
        said: Its answers.
        left_out: Its rows that are left out: `ID`, `reason`.
        purged: Its waves that were purged, each with the day.
    """
    counted = left_out["reason"].value_counts(sort=True).rows()
    n_not = int(said["is_not_applicable"].sum())
    remarks = [(LEFT_OUT.get(reason, reason), n, purged if reason == PURGED else "") for reason, n in counted]
    remarks += [(NOT_APPLICABLE, n_not, "")] if n_not else []
    remarks += opened.remarks
    if "respondent" not in said.columns:
        remarks.append((NO_BALLOTS, said.height, ""))
        if "answer_id" not in said.columns:
            remarks.append((NO_COPIES, said.height, ""))
    return [(opened.table, ", ".join(opened.digests), note, n, found) for note, n, found in remarks]


def dated(days: Mapping[str, date], waves: pl.Series) -> str:
    """Those of the waves that have a day, with it."""
    return ", ".join(f"{name}: {days[name]}" for name in sorted(days.keys() & {*waves.unique()}))


def nothing(aside: list[dict[str, pl.DataFrame]], survey: str, purged: str) -> Problem:
    """Why no wave came of the files.

    Args:
        aside: The rows set aside, as `SET_ASIDE`, by wave, for each feed.
        survey: The survey.
        purged: The waves in the files that were purged, each with the day.
    """
    rows = pl.concat([pl.DataFrame(schema=SET_ASIDE), *(part for each in aside for part in each.values())])
    if rows.is_empty() and purged:
        return Problem(
            "These waves of {survey} were purged, each on the day beside it, and stay so: {waves}.",
            "Respondents were told how long their answers are kept. What was released of them is told still. Import "
            "later waves; these may stay in the files, and are left out.",
            survey=survey, waves=purged,
        )  # fmt: skip
    if rows.is_empty():
        return Problem("No row of these files holds an answer.", "Check that the files are the right ones.")
    most = rows["rule"].value_counts(sort=True)["rule"][0]
    first = rows.filter(pl.col("rule") == most).row(0, named=True)
    told = {name: first[name] for name in ("file", "row", "found")}
    return Problem(
        "All {n} answers were set aside; most often: {title}. For example {file}, row {row}: {found}.",
        first["repair"].split("\n")[0],
        n=rows.height, title=most.split("\n")[0], **told,
    )  # fmt: skip
