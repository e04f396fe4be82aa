"""What the Pulse page says first where no eNPS is told, its heat map of many groups, and its what-if."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from cadran.figures import columns, pulse_act, pulse_told
from cadran.figures import pulse_page as sheet
from cadran.figures.blocks import Nothing, Notice
from cadran.figures.pulse_lead import first_words
from cadran.tables.measured.drivers import Driver, Priority, Raised
from cadran.tables.measured.one_to_ones import Regularity
from cadran.tables.measured.pulse import (
    Detectable,
    DimensionIndex,
    Enps,
    FavourableShare,
    Participation,
    PulseCompared,
    PulseTrend,
    RollingScore,
)
from cadran.tables.measured.pulse_load import LoadLink
from cadran.tables.problems import Problem
from cadran.tables.pulse import Cell, Comment, Group, Question, Release, Terms
from cadran.text import words_for

TEXTS = {"best": "My manager listens to me.", "worst": "I have the time that my work takes.", "third": "Pay is fair."}
LONG = "Facilities Management + Family Justice Center"


def rows(schema, *given):
    """Rows of a schema: what is not given is null."""
    frame = pl.DataFrame(given, schema_overrides=dict(schema.create_empty().schema))
    missing = {n: t for n, t in schema.create_empty().schema.items() if n not in frame.columns}
    return frame.with_columns(pl.lit(None, t).alias(n) for n, t in missing.items())


def shares(**of):
    return [
        {"asked_in": "pulse@2026-05", "question_id": name, "n_scores": 50, "n_favourable": n, "favourable_share": n / 50,
         "favourable_share_low": n / 50 - 0.1, "favourable_share_high": n / 50 + 0.1, "told": "exact"}
        for name, n in of.items()
    ]  # fmt: skip


def opened(language="en", groups=("region",), **query):
    """A page of one wave without eNPS, and its answers before anything was asked."""
    asked = [{"question_id": name, "kind": "agreement", "dimension": "pay" if name == "third" else "manager", "low": 1,
              "high": 5, "unfavourable_to": 2, "favourable_from": 4, "is_reversed": False, "text_en": text, "text_fr": text}
             for name, text in TEXTS.items()]  # fmt: skip
    told = [{"cut": "company", "members": []}, *({"cut": each, "group": "X", "members": ["X"]} for each in groups)]
    release = Release(
        Terms("pulse", {"en": "Pulse", "fr": "Pouls"}, "anonymous"), "2026-05", datetime(2026, 5, 31, 22, 30, tzinfo=UTC),
        rows(Question, *asked), rows(Group, *told), Cell.create_empty(), Comment.create_empty(),
    )  # fmt: skip
    page = sheet.open_page([release], words_for(language), query)
    frames = {
        "enps": Enps.create_empty(), "trend": PulseTrend.create_empty(), "detectable": Detectable.create_empty(),
        "participation": rows(Participation, {"asked_in": "pulse@2026-05", "n_answered": 60}),
        "answers": rows(FavourableShare, *shares(third=30, best=45, worst=10)), "groups": Problem("No group is compared.", "Wait."),
        "moved": rows(PulseTrend, {"asked_in": "pulse@2026-05", "question_id": "best", "value": 90.0}),
        "index": DimensionIndex.create_empty(),
    }  # fmt: skip
    return page, sheet.Answers(release, page.asked, page.words, "Europe/Paris").having(frames)


def by_group():
    """Three groups: the largest last; a share, a range and nothing told."""
    cells = [
        {"favourable_share": 0.86, "favourable_share_low": 0.7, "favourable_share_high": 0.95, "told": "exact"},
        {"band_low": 0.61, "band_high": 0.8, "told": "band", "reason": "Nearly all agree."},
        {"told": "withheld", "reason": "Nothing."},
    ]
    return [{"region": group, "question_id": name, "asked_in": "pulse@2026-05", **cell}
            for group in ("Small", LONG, "Large") for name, cell in zip(TEXTS, cells, strict=True)]  # fmt: skip


def mapped():
    _, answers = opened()
    heads = {"Small": 7, LONG: 52, "Large": 466}
    answered = rows(Participation, *({"region": group, "n_answered": n} for group, n in heads.items()))
    heat = rows(FavourableShare, *by_group())
    return pulse_told.where(answers.having({"answered": answered, "heat": heat}))


@pytest.mark.parametrize("schema", [Driver, Priority, Raised, LoadLink, Regularity], ids=lambda schema: schema.__name__)
def test_every_column_behind_a_figure_has_a_name_for_readers(schema):
    words = words_for("en")
    assert [name for name in schema.column_names() if columns.label(name, words) == name] == []


def test_a_wave_without_enps_begins_with_who_answered_and_the_best_and_worst_question():
    said = first_words(opened()[1])

    assert said["sentences"].items[:2] == [
        "60 people answered; how many were invited is not known.",
        "Most favourable answers: “My manager listens to me.” 90% (45 of 50; 95 %: 80% to 100%); least: “I have the time that "
        "my work takes.” 20% (10 of 50; 95 %: 10% to 30%).",
    ]  # fmt: skip
    assert [card.value for card in said["headlines"].items] == ["60", "90%", "20%"]


def test_a_question_told_as_a_range_may_be_the_best_or_the_worst():
    _, answers = opened()
    band = {"asked_in": "pulse@2026-05", "question_id": "third", "told": "band", "band_low": 0.0, "band_high": 0.2}
    frame = rows(FavourableShare, *shares(best=45, worst=10), band)

    assert (
        first_words(answers.having({"answers": frame}))["sentences"]
        .items[1]
        .startswith("Of the questions told exactly,")
    )


def test_what_moved_since_the_first_wave_is_said_where_nothing_did_since_the_last():
    _, answers = opened()
    row = {"question_id": "best", "value": 90.0, "moved": 4.0, "moved_low": -5.0, "moved_high": 13.0, "is_change": False,
           "first": "pulse@2026-01", "moved_since_first": 26.0, "moved_since_first_low": 15.0,
           "moved_since_first_high": 37.0, "is_change_since_first": True, "n_compared": 6}  # fmt: skip
    said = first_words(answers.having({"moved": rows(PulseTrend, row)}))["sentences"].items

    assert said[-1].endswith("since the first, 2026-01, “My manager listens to me.” moved by +26 points (+15 to +37).")
    # How many scores there are, not how many comparisons.
    still = first_words(answers.having({"moved": rows(PulseTrend, row | {"is_change_since_first": False})}))[
        "sentences"
    ]
    assert still.items[-1].startswith("1 score was followed")


def test_the_heat_map_has_a_line_a_group_the_largest_first_and_short_names_of_questions():
    parts = mapped()
    frame = parts["heat"].frame

    assert frame["group"].unique(maintain_order=True).to_list() == ["Large", LONG, "Small"]
    assert frame["brief"].to_list()[:3] == ["Manager 1", "Manager 2", "Pay"]
    assert frame["said"].to_list()[:3] == ["86%", "61–80%", "–"]
    assert parts["asked"].items[0][:2] == ("Manager 1", TEXTS["best"])
    assert f"{LONG}, Manager 1: 86%" in parts["heat"].finding


@pytest.mark.parametrize(("width", "in_one_line", "in_two"), [(1180, 3, 0), (140, 0, 3)])
def test_no_name_is_cut_and_ranges_look_otherwise_than_shares(width, in_one_line, in_two):
    picture = mapped()["heat"].picture(width)

    for name in ("Manager 1", "Manager 2", "Pay", *([f"{LONG} · 52 answers"] if width > 300 else [])):
        assert f">{name}<" in picture
    assert picture.count('stroke-dasharray="3,2"') == 3
    assert len(re.findall(r">61–80%<", picture)) == in_one_line
    assert len(re.findall(r">61–<", picture)) == in_two


def test_nothing_is_drawn_where_nothing_is_told():
    _, answers = opened()
    answers = answers.having({
        "answered": rows(Participation, {"region": "Large", "n_answered": 9}), "heat": rows(FavourableShare, *by_group()),
        "groups": rows(PulseCompared, {"region": "Large", "question_id": "best", "told": "band", "reason": "Nothing."}),
    })  # fmt: skip

    assert isinstance(pulse_told.where(answers)["groups"], Notice)
    assert isinstance(pulse_told.how(answers)["trend"], Notice)


def test_counts_alone_are_drawn_where_it_is_not_known_who_was_invited():
    _, answers = opened()
    answered = rows(Participation, {"region": "Large", "n_answered": 466})
    drawn = pulse_told.sure(answers.having({"answered": answered}))["answered"]

    assert "466 answered" in drawn.picture()
    assert drawn.subtitle.startswith("How many were invited is not known")


def test_without_a_group_to_be_shown_there_is_no_choice_of_groups():
    page, answers = opened(groups=())

    assert "by" not in {control.name for control in page.controls}
    assert answers.by == ()
    assert pulse_told.where(answers)["heat"].text.startswith("No group is shown")


def test_the_what_if_is_not_put_back_after_a_refusal():
    page, answers = opened(use="present", scene="if")
    page.show(sheet.frame_of(page, answers))
    page.show(sheet.only(answers.view, pulse_act.refused(answers, Problem("Too few answered.", "Wait."))))

    again = sheet.frame_of(page, answers)

    assert "levers" not in again
    assert isinstance(page.blocks["levers"], Nothing)
    # A scene is never empty: the one of the what-if says why there is none.
    assert "Too few answered" in json.loads(page.content["slots"]["if_told"])["html"]


def test_a_table_asked_for_makes_the_parts_anew_and_a_slider_does_not():
    view = opened()[0].asked

    assert sheet.asked_of(replace(view, behind=frozenset({"drivers"}))) != sheet.asked_of(view)
    assert sheet.asked_of(replace(view, controls={**view.controls, "rise": "1"})) == sheet.asked_of(view)


def test_a_wave_closed_on_the_day_of_the_book():
    # Half past ten in the evening of 31 May, UTC: 1 June in Paris.
    _, answers = opened()
    assert sheet.footer(answers).items[1][0] == "closed on 1 Jun 2026"


def test_latest_answers_are_told_where_the_survey_declares_them():
    _, answers = opened()
    row = {"asked_in": "pulse@2026-05", "question_id": "best", "quantity": "favourable_share", "scale": "1–5", "n_scores": 70,
           "n_of_this_wave": 50, "value": 80.0, "value_low": 69.0, "value_high": 88.0, "told": "exact"}  # fmt: skip
    declared = replace(answers.release, terms=replace(answers.release.terms, rolling=3))

    def told(**changed):
        frame = rows(RollingScore, {**row, **changed})
        return pulse_told.latest(replace(answers, release=declared).having({"latest": frame}))

    assert isinstance(pulse_told.latest(answers), Nothing)
    assert told().subtitle == "Of those invited to this wave who answered it or one of the 2 before"
    assert told().items[0][2] == "80% (69% to 88%), 95 %; 70 people, 50 of them in this wave"
    nothing = dict.fromkeys(("value", "value_low", "value_high", "n_scores", "n_of_this_wave"))
    assert told(**nothing, told="withheld", reason="Too few.").text == "Too few."


def test_a_question_that_this_wave_did_not_ask_has_the_wording_of_the_last_that_did():
    _, answers = opened()
    its = answers.release
    older = [replace(its, wave=wave, questions=its.questions.with_columns(question_id=pl.col("question_id") + "_then",
                                                                           text_en=pl.lit(wave)))
             for wave in ("2026-03", "2026-04")]  # fmt: skip
    texts = replace(answers, releases=(*older, its)).texts

    assert (texts["best"], texts["best_then"]) == (TEXTS["best"], "2026-04")
