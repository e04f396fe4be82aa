"""Existing results of surveys, read into closed waves. Rows that cannot be taken are set aside, with the rule."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import polars as pl

from cadran.sources import home
from cadran.sources.place import ID
from cadran.sources.rules import BROKEN
from cadran.sources.spill import workspace
from cadran.sources.survey_answers import ANSWER, meant, to_questions
from cadran.sources.survey_copies import copies, without
from cadran.sources.survey_files import BITS, Mask, Opened, opened_results
from cadran.sources.survey_mapping import SurveyMapping
from cadran.sources.survey_questions import frame
from cadran.sources.survey_rules import BLANK, NO_BALLOTS, NOT_CLOSED, PURGED
from cadran.sources.survey_told import counts, dated, notes, nothing
from cadran.sources.survey_waves import NAMES, moments, period, sorts_by_time, taken_at
from cadran.tables.delivery import NOTED, SET_ASIDE, SourceFile
from cadran.tables.problems import Problem
from cadran.tables.pulse import CUTS, TREE, Answer, Comment, Invited, Wave

__all__ = ["Results", "deliver_waves"]

#: Gives a pseudonym for each respondent of a survey: the same for the same, by a key that stands elsewhere.
Pseudonyms = Callable[[pl.Series], pl.Series]


@dataclass(frozen=True)
class Results:
    """What the files of a survey gave."""

    #: Closed waves, in order of time.
    waves: list[Wave]
    #: Rows set aside, as `SET_ASIDE`, by the name of their wave ("" where they tell none).
    set_aside: dict[str, pl.DataFrame]
    #: Of each file: rows read = rows accepted + rows left out + rows set aside.
    files: list[SourceFile]
    #: Remarks, as `NOTED`.
    noted: pl.DataFrame


@dataclass
class _Taken:
    """What becomes of the rows of one feed."""

    opened: Opened
    #: A row for each answer: `ID`, `wave`, what it says.
    said: pl.DataFrame
    #: `wave` of every row (`ID`), also of those that are not taken.
    waves: pl.DataFrame
    broken: pl.DataFrame
    #: Rows that say nothing, or of waves that were open still: `ID`, `reason`.
    left_out: pl.DataFrame
    hints: dict[int, str] = field(default_factory=dict)


def deliver_waves(
    mapping: SurveyMapping,
    folder: Path | None = None,
    *,
    pseudonyms: Pseudonyms,
    mask: Mask,
    purged: Dict[str, date] = MappingProxyType({}),
) -> Results:
    """Read the results of a survey.

    Args:
        mapping: From `load_any_mapping`.
        folder: Where the files are; by default as for any mapping.
        pseudonyms: Names respondents anew (confidential surveys; an anonymous one keeps no trace of them).
        mask: Masks names, addresses and numbers in comments.
        purged: Waves of the survey whose answers were kept once and removed, with the day: they are left out.

    Returns:
        Waves whose frames are in an order that tells nothing of that of the files, and the same for the same answers;
        the rows set aside, with file, row, line, rule and repair; and counts that add up.

    Raises:
        Problem: If nothing can be imported.
    """
    where = folder or home(mapping.source)
    with workspace() as place:
        feeds = [_taken(opened, mapping) for opened in opened_results(mapping, where, place)]
        days = _days(feeds, mapping)
        feeds = [_lasting(each, days, mapping, purged) for each in feeds]
        feeds = _once(feeds)
        aside = [_aside(each, mask) for each in feeds]
    persons = pl.concat([each.opened.persons() for each in feeds])
    waves = _waves(feeds, aside, days, mapping, pseudonyms, lambda texts: mask(texts, persons))
    if not waves:
        raise nothing(aside, mapping.terms.survey, dated(purged, pl.Series(list(days))))
    noted = [note for e in feeds for note in notes(e.opened, e.said, e.left_out, dated(purged, e.waves["wave"]))]
    together = [rows for each in aside for rows in each.items()]
    return Results(
        waves,
        {name: pl.concat([rows for other, rows in together if other == name]) for name in dict(together)},
        [file for each, rows in zip(feeds, aside, strict=True) for file in counts(each.opened, each.left_out, rows)],
        pl.DataFrame(noted, schema=NOTED, orient="row"),
    )


def _taken(opened: Opened, mapping: SurveyMapping) -> _Taken:
    rows = _with_wave(opened.rows, mapping)
    waves = rows.select(ID, "wave")
    broken = [opened.broken, _broken(rows.filter(pl.col("wave").is_null()), "wave", "wave")]
    if "respondent" in rows.columns:
        broken.append(_broken(rows.filter(pl.col("respondent").is_null()), "respondent", "respondent"))
    said, unknown, hints = to_questions(rows, opened, mapping.questions)
    said, wrong, more = meant(said, mapping.questions, opened.is_wide)
    is_blank = pl.all_horizontal(pl.col(*ANSWER, "comment").is_null(), ~pl.col("is_not_applicable"))
    silent = without(rows.select(ID), said.filter(~is_blank).select(ID))
    silent = without(silent, pl.concat([unknown, wrong, *broken]))
    left = pl.concat([opened.left_out, silent.select(ID, pl.lit(BLANK).alias("reason"))])
    said = said.filter(~is_blank).with_columns(is_wide=pl.lit(opened.is_wide))
    return _Taken(opened, said, waves, pl.concat([*broken, unknown, wrong]), left, {**hints, **more})


def _with_wave(rows: pl.DataFrame, mapping: SurveyMapping) -> pl.DataFrame:
    """The rows with the wave that each names, or that its day lies in."""
    if "wave" in rows.columns:
        return rows
    cadence = mapping.terms.cadence
    if cadence not in NAMES:
        raise Problem(
            "{file}: nothing tells the wave of an answer: answers of a survey held once are of no period.",
            'Write wave = {{ constant = "2024" }} in [answers], or the `cadence` under [survey].',
            file=mapping.source.path.name,
        )  # fmt: skip
    named = rows.select(day="@answered_at_day").unique().drop_nulls().with_columns(wave=NAMES[cadence])
    return rows.join(named, left_on="@answered_at_day", right_on="day", how="left", maintain_order="left")


def _days(feeds: list[_Taken], mapping: SurveyMapping) -> dict[str, tuple[date, date]]:
    """The first and last day of each wave met: stated, told by its name, by its answers, or the day the data was taken."""
    met = sorted({name for each in feeds for name in each.waves["wave"].drop_nulls().unique()})
    dated = [e.opened.rows.select(ID, day="@answered_at_day") for e in feeds if "@answered_at_day" in e.opened.rows]
    days = {name: mapping.waves.get(name) or period(name) for name in met}
    if dated:
        answered = pl.concat([e.waves for e in feeds]).join(pl.concat(dated).drop_nulls(), on=ID).group_by("wave")
        spans = answered.agg(first=pl.col("day").min(), last=pl.col("day").max()).rows()
        days |= {name: days[name] or (first, last) for name, first, last in spans if name in days}
    unknown = [name for name, span in days.items() if span is None]
    if len(unknown) == 1 and mapping.taken:
        zone = mapping.source.time_zone
        on = taken_at(mapping.taken, zone).astimezone(ZoneInfo(zone)).date()
        days[unknown[0]] = on, on
    elif unknown:
        raise Problem(
            "Nothing tells when the wave {name} was.",
            'Write under [waves]: "{name}" = {{ opened = 2024-05-01, closed = 2024-05-31 }}; or map `answered_at`.',
            name=unknown[0],
        )  # fmt: skip
    known = {name: span for name, span in days.items() if span}
    if not sorts_by_time({name: last for name, (_, last) in known.items()}):
        raise Problem(
            "The names of the waves do not sort by time: {names}.",
            'Name them so that they do, like "2024-05", with `values` of the field `wave`.',
            names=", ".join(sorted(known, key=lambda name: known[name][1])),
        )  # fmt: skip
    return known


def _lasting(
    each: _Taken, days: dict[str, tuple[date, date]], mapping: SurveyMapping, purged: Dict[str, date]
) -> _Taken:
    """Without the waves that were purged, and those that had not closed when the data was taken: that is not all they say."""
    reasons = dict.fromkeys(purged, PURGED)
    if mapping.taken is not None:
        zone = mapping.source.time_zone
        until = taken_at(mapping.taken, zone)
        told = {name: mapping.waves.get(name) or period(name) for name in days}
        reasons |= {name: NOT_CLOSED for name, span in told.items() if span and moments(span, zone)[1] > until}
    why = pl.col("wave").replace_strict(reasons, default=None, return_dtype=pl.String)
    out = without(each.waves.select(ID, reason=why).drop_nulls(), each.left_out)
    return replace(
        each, said=without(each.said, out), broken=without(each.broken, out),
        left_out=pl.concat([each.left_out, out]),
    )  # fmt: skip


def _once(feeds: list[_Taken]) -> list[_Taken]:
    """Each answer once: what is given twice, and what contradicts itself, goes to the rows that broke a rule."""
    kept, wrong = copies(pl.concat([without(each.said, each.broken) for each in feeds], how="diagonal"))

    def own(each: _Taken, rows: pl.DataFrame) -> pl.DataFrame:
        first = each.opened.first_id
        return rows.filter(pl.col(ID).is_between(first, first + 2**BITS, closed="left")) if len(feeds) > 1 else rows

    return [replace(e, said=own(e, kept), broken=pl.concat([e.broken, own(e, wrong)])) for e in feeds]


def _aside(each: _Taken, mask: Mask) -> dict[str, pl.DataFrame]:
    """The rows set aside, by wave; without identifiers of respondents, their comments masked."""
    frames = each.opened.set_aside(each.broken, each.hints, mask)
    rows = frames.join(each.waves, on=ID, how="left", maintain_order="left").with_columns(pl.col("wave").fill_null(""))
    parts = rows.drop(ID).partition_by("wave", as_dict=True, include_key=False)
    return {str(name): part.select(SET_ASIDE.keys()) for (name,), part in parts.items()}


def _waves(
    feeds: list[_Taken], aside: list[dict[str, pl.DataFrame]], days: dict[str, tuple[date, date]],
    mapping: SurveyMapping, pseudonyms: Pseudonyms, mask: Callable[[pl.Series], pl.Series],
) -> list[Wave]:  # fmt: skip
    said = pl.concat([each.said for each in feeds], how="diagonal")
    read = pl.concat([each.waves for each in feeds])
    left = pl.concat([each.left_out for each in feeds])
    if mapping.terms.mode == "confidential" and "respondent" in said.columns:
        persons = said["respondent"].drop_nulls().unique()
        names = pl.DataFrame({"respondent": persons, "pseudonym": pseudonyms(persons)})
        said = said.join(names, on="respondent", how="left", maintain_order="left")
    waves = []
    for name in sorted(days):
        own = said.filter(pl.col("wave") == name)
        if own.is_empty():
            continue
        ballots = _ballots(own)
        own = own.with_columns(ballot=ballots) if ballots is not None else own
        asked = [each for each in mapping.questions if each.question_id in set(own["question_id"].unique())]
        opened, closed = moments(days[name], mapping.source.time_zone)
        answers = own.filter(pl.any_horizontal(pl.col(*ANSWER).is_not_null(), "is_not_applicable"))
        n_read = read.filter(pl.col("wave") == name)
        n_left = n_read.join(left, on=ID, how="semi").height
        n_aside = sum(rows[name].height for rows in aside if name in rows)
        waves.append(Wave(
            mapping.terms, name, opened, closed, frame(asked), Invited.create_empty(),
            _ordered(Answer, answers), _ordered(Comment, _comments(own, mapping, mask)),
            {
                "is_imported": True, "n_read": n_read.height, "n_accepted": n_read.height - n_left - n_aside,
                "n_left_out": n_left, "n_set_aside": n_aside, "n_answers": answers.height,
                "n_not_applicable": int(answers["is_not_applicable"].sum()),
                "n_respondents": None if ballots is None else ballots.n_unique(),
                "remarks": [] if ballots is not None else [NO_BALLOTS],
            },
        ))  # fmt: skip
    return waves


def _ballots(own: pl.DataFrame) -> pl.Series | None:
    """Which answers of a wave are one person's; null if nothing tells.

    Of a confidential survey they are pseudonyms, the same in every wave. Of an anonymous one they are numbers in an
    order of what was answered: they come from the answers alone, so that they lead back to nobody.
    """
    if "respondent" not in own.columns or own["respondent"].null_count():
        return None
    if "pseudonym" in own.columns:
        return own["pseudonym"]
    cuts = [cut for cut in CUTS if cut in own.columns]
    said = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in ("question_id", *ANSWER)], separator="\x1f")
    each = own.group_by("respondent").agg(said.sort().str.join("\x1e").alias("said"), pl.col(cuts).first())
    # Groups put those in order alone who answered alike: no number tells of one.
    numbers = each.sort("said", *cuts).with_columns(number=pl.int_range(1, pl.len() + 1).cast(pl.String))
    return own.select("respondent").join(numbers, on="respondent", how="left", maintain_order="left")["number"]


def _comments(own: pl.DataFrame, mapping: SurveyMapping, mask: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """What was written, masked, with the group of the first cut alone: several together would name somebody."""
    cuts = mapping.terms.cuts
    shown = [cut for cut in cuts if cut in TREE] or list(cuts[:1])
    written = own.drop_nulls("comment")
    told = [cut for cut in shown if cut in written.columns]
    return written.select("question_id", *told, text=mask(written["comment"]))


def _ordered(schema: type[Answer] | type[Comment], rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as a table has them, in the order of what they say."""
    columns = {name: column.dtype for name, column in schema.columns().items()}
    given = [pl.col(n).cast(t) if n in rows.columns else pl.lit(None, t).alias(n) for n, t in columns.items()]
    return schema.validate(rows.select(given).sort(pl.all(), nulls_last=True))


def _broken(rows: pl.DataFrame, of: str, rule: str) -> pl.DataFrame:
    return rows.select(ID, pl.lit(of).alias("field"), pl.lit(rule).alias("rule")).cast(BROKEN)  # type: ignore[arg-type]
