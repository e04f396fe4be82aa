"""The invented company's monthly survey: twelve waves of what its sales staff say, with planted causes.

Planted: Toulouse has too much to do from February 2026 on; the new configurator of January 2026 makes tools better for
all; Marseille's manager is not there for the team; what goes with recommending the company is mostly workload and the
manager, and pay hardly.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dataframely as dy
import numpy as np
import polars as pl

from cadran.sources.questionnaire import load_questionnaire
from cadran.sources.sample.clock import TIME_ZONE, day_of
from cadran.sources.sample.comments import COMMENTS
from cadran.sources.sample.draws import Draws, Floats, Keys
from cadran.sources.sample.staff import REGIONS, TEAMS, Staff, region_at, staff_of, team_at
from cadran.tables.pulse import SCORED, Answer, Comment, Invited, Terms, Wave

#: The survey that is asked.
SURVEY = Path(__file__).parent / "surveys" / "pulse.toml"
#: The months of the waves: each opens on its 10th and closes ten days later.
_MONTHS = [date(2025 + (6 + month) // 12, (6 + month) % 12 + 1, 1) for month in range(12)]
_HEAD_OFFICE = "Siège"
#: Years since hiring from which each band of tenure begins.
_TENURE = {"under 1 year": 0.0, "1 to 3 years": 1.0, "3 to 6 years": 3.0, "6 years and more": 6.0}
#: What each dimension weighs in recommending the company, in standard deviations.
_WEIGHTS = {
    "workload": 0.55,
    "manager": 0.45,
    "recognition": 0.25,
    "tools": 0.2,
    "process": 0.1,
    "data": 0.05,
    "pay": 0.05,
}
#: Mean of each dimension, on a scale whose points are 0.8 apart around 3 of 5.
_LEVEL = {"workload": 0.1, "manager": 0.75, "recognition": 0.2, "tools": -0.1, "process": 0.1, "data": -0.2, "pay": 0.0}


@lru_cache(maxsize=4)
def waves(seed: int = 1) -> tuple[Wave, ...]:
    """The closed waves of a seed's company, the earliest first."""
    asked, staff, draws = load_questionnaire(SURVEY), staff_of(seed), Draws(seed)
    return tuple(
        _wave(number, month, asked.terms, asked.questions_of(number), staff, draws)
        for number, month in enumerate(_MONTHS)
    )


def _wave(number: int, month: date, terms: Terms, questions: pl.DataFrame, staff: Staff, draws: Draws) -> Wave:
    opens, closes = (
        datetime(month.year, month.month, day, 18, tzinfo=ZoneInfo(TIME_ZONE)).astimezone(ZoneInfo("UTC"))
        for day in (10, 20)
    )
    day = day_of(month + timedelta(days=9))
    people = np.unique(staff.occupant[day][staff.occupant[day] >= 0])
    told = _attributes(people, day, staff)
    keys = people.astype(np.uint64)
    mood = _moods(number, keys, told, draws)
    answered = draws.uniform("answers a wave", keys, number) < 0.66 + 0.2 * draws.uniform("answers at all", keys)
    invited = told.with_columns(pl.Series("answered", answered)).sort("person")
    answers = [
        _answers(question, number, keys, mood, draws, told).filter(answered)
        for question in questions.filter(pl.col("kind").is_in(SCORED)).iter_rows(named=True)
    ]
    comments = [
        _comments(name, number, keys, answered, mood, told, draws)
        for name in questions.filter(pl.col("kind") == "comment")["question_id"]
    ]
    return Wave(
        terms, f"{month:%Y-%m}", opens, closes, questions, _fit(invited, Invited),
        _fit(pl.concat(answers).rename({"person": "ballot"}), Answer), _fit(pl.concat(comments), Comment),
    )  # fmt: skip


def _attributes(people: Keys, day: int, staff: Staff) -> pl.DataFrame:
    """Who they are on that day: a pseudonym, region, team, role, tenure."""
    rows = []
    bands = list(_TENURE.items())
    for number in people.tolist():
        person = staff.people[number]
        seat = staff.seats[person.seat]
        region = team = _HEAD_OFFICE
        if seat.team is not None:
            region, team = REGIONS[int(region_at(seat.team, day))], TEAMS[int(team_at(seat.team, day))]
        years = (day - person.hired) / 365.25
        rows.append(
            {
                "person": sha256(f"Corvélia {number}".encode()).hexdigest()[:16],
                "region": region,
                "team": team,
                "role": seat.role,
                "tenure": [name for name, since in bands if years >= since][-1],
            }
        )
    return pl.DataFrame(rows)


def _moods(wave: int, keys: Keys, told: pl.DataFrame, draws: Draws) -> dict[str, Floats]:
    """How each person stands to each dimension, and to recommending the company: standard deviations."""
    team, region = told["team"], told["region"]
    person = 0.6 * draws.normal("mood", keys) + 0.25 * draws.normal("mood of the month", keys, wave)
    mood = {}
    for name, level in _LEVEL.items():
        own = 0.5 * draws.normal(f"mood {name}", keys) + 0.25 * draws.normal(f"mood {name} of the month", keys, wave)
        mood[name] = level + person + own
    is_late = wave >= 7
    mood["workload"] -= (
        1.1 * is_late * (team == "Toulouse").to_numpy() + 0.35 * is_late * (region == "Grand Ouest").to_numpy()
    )
    mood["tools"] += 0.5 * (wave >= 6)
    mood["manager"] -= 0.9 * (team == "Marseille").to_numpy()
    mood["pay"] -= 0.3 * (told["tenure"] == "under 1 year").to_numpy()
    ahead = sum(_WEIGHTS[name] * (mood[name] - _LEVEL[name]) for name in _WEIGHTS)
    mood["enps"] = 0.15 + np.asarray(ahead) + 0.5 * draws.normal("mood enps", keys, wave)
    return mood


def _answers(
    question: Mapping[str, Any], wave: int, keys: Keys, mood: Mapping[str, Floats], draws: Draws, told: pl.DataFrame
) -> pl.DataFrame:
    """What everybody would answer to one question; one in fifty finds that it does not apply."""
    name, low, high = question["question_id"], question["low"], question["high"]
    noise = draws.normal(f"answer {name}", keys, wave)
    if question["dimension"] is None:
        score, skips = 7.3 + 1.7 * mood["enps"] + 0.4 * noise, np.zeros(len(keys), bool)
    else:
        score = 3.25 + 0.95 * (mood[question["dimension"]] + 0.6 * noise)
        skips = draws.uniform(f"skips {name}", keys, wave) < 0.02
    score = np.clip(np.round(score), low, high)
    turned = low + high - score if question["is_reversed"] else score
    return told.with_columns(
        question_id=pl.lit(name), score=pl.when(~pl.Series(skips)).then(pl.Series(turned, dtype=pl.Int16))
    )


def _comments(
    question: str, wave: int, keys: Keys, answered: np.ndarray, mood: Mapping[str, Floats], told: pl.DataFrame,  # type: ignore[type-arg]
    draws: Draws,
) -> pl.DataFrame:  # fmt: skip
    """Some write what weighs on them most, or what they like best; nobody's words stand twice in a wave."""
    writes = answered & (draws.uniform("writes", keys, wave) < 0.22)
    names = list(_LEVEL)
    standing = np.stack([mood[name] - 0.4 for name in names])
    theme = np.abs(standing).argmax(axis=0)
    used: set[str] = set()
    rows = []
    for at in np.flatnonzero(writes).tolist():
        name = names[theme[at]]
        pool = COMMENTS[name]["good" if standing[theme[at], at] > 0 else "bad"]
        first = int(draws.uniform("which comment", keys[at : at + 1], wave)[0] * len(pool))
        text = next((t for t in pool[first:] + pool[:first] if t not in used), None)
        if text:
            used.add(text)
            rows.append({"question_id": question, "text": text, "region": told["region"][at], "team": told["team"][at]})
    return pl.DataFrame(
        rows, schema={"question_id": pl.String, "text": pl.String, "region": pl.String, "team": pl.String}
    )


def _fit(rows: pl.DataFrame, schema: type[dy.Schema]) -> pl.DataFrame:
    """The rows with the columns of a schema, those not told null."""
    return schema.cast(
        rows.select(name if name in rows.columns else pl.lit(None).alias(name) for name in schema.column_names())
    )
