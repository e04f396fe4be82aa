"""A wave from opening to closing: who may answer, what is taken in, and what stands in the wave that is kept."""

from datetime import timedelta

import ballots
import polars as pl
import pytest
from ballots import CLOSES, NOW, TERMS

from cadran.book.ballots import Ballots, Refused
from cadran.book.pseudonyms import key_of, key_path, pseudonyms
from cadran.book.pulse import Pulse
from cadran.tables.problems import Problem

CONFIDENTIAL = ballots.replaced(mode="confidential")
CUT = {"region": ["region"], "team": ["region", "team"], "role": ["role"]}


@pytest.fixture
def store(tmp_path):
    with Ballots(tmp_path / "ballots.sqlite") as store:
        yield store


def given(numbers):
    """What those answered, one row per question with a score or an option."""
    rows = [(number, *pair) for number in numbers for pair in ballots.answers(number).items()]
    frame = pl.DataFrame(rows, ["number", "question_id", "value"], orient="row", strict=False)
    kept = frame.filter(pl.col("question_id") != "words", pl.col("value").is_not_null())
    return kept.join(ballots.people().with_row_index("number").cast({"number": pl.Int64}), on="number")


def values(answers):
    """Scores and options in one column, as `given` has them."""
    return answers.with_columns(value=pl.coalesce(pl.col("score").cast(pl.String), "choice"))


def counts(frame, *by):
    return sorted(frame.group_by(*by, "question_id", "value").len().rows(), key=str)


def test_each_answer_stands_once_without_attributes(store):
    wave = ballots.collected(store)

    told = values(wave.answers.filter(pl.col("cut").is_null()))
    assert told.select("region", "team", "role").null_count().row(0) == (told.height,) * 3
    mine = {tuple(sorted(rows.rows())) for _, rows in told.select("ballot", "question_id", "value").group_by("ballot")}
    assert {tuple(row[1:] for row in ballot) for ballot in mine} == {
        tuple(sorted((q, str(v)) for q, v in ballots.answers(k).items() if v is not None and q != "words"))
        for k in range(40)
    }
    assert told["ballot"].n_unique() == 40


def test_each_answer_stands_once_per_cut_with_its_group_alone(store):
    wave = ballots.collected(store)
    merged = {"t0": "T2 + t0", "T2": "T2 + t0", "t1": "T5 + t1", "T5": "T5 + t1"}
    theirs = given(range(40)).with_columns(pl.col("team").replace(merged))

    for cut, columns in CUT.items():
        told = values(wave.answers.filter(pl.col("cut") == cut))
        assert counts(told, *columns) == counts(theirs, *columns), cut
        assert told["ballot"].null_count() == told.height
        assert [c for c in ("region", "team", "role") if told[c].null_count() < told.height] == columns
    assert wave.answers["cut"].unique().sort().to_list() == [None, "region", "role", "team"]


def test_a_confidential_wave_tells_who_under_a_pseudonym(store, tmp_path):
    wave = ballots.collected(store, terms=CONFIDENTIAL)
    people = ballots.people()["person"]
    names = dict(zip(pseudonyms(key_of(tmp_path, "pulse"), people), people, strict=True))

    told = values(wave.answers).with_columns(person=pl.col("ballot").replace_strict(names))
    kept = ["person", "region", "team", "role", "question_id", "value"]
    assert sorted(told.select(kept).rows(), key=str) == sorted(given(range(40)).select(kept).rows(), key=str)
    assert wave.invited.filter("answered")["person"].replace_strict(names).sort().to_list() == sorted(people[:40])
    assert told["cut"].null_count() == told.height


def test_comments_carry_a_group_large_enough_and_nothing_else(store):
    wave = ballots.collected(store)
    sizes = {("North", "T0"): 8, ("North", "T1"): 10, ("North", "T2 + t0"): 12, ("South", "T3"): 8}

    written = sorted(text.strip() for k in range(40) if (text := ballots.answers(k)["words"]))
    assert sorted(wave.comments["text"]) == written
    assert set(wave.comments.select("region", "team").rows()) <= {*sizes, ("South", "T4"), ("South", "T5 + t1")}
    assert wave.comments.drop("question_id", "text", "region", "team").null_count().row(0) == (len(written),) * 6


def test_a_link_says_what_is_asked_and_is_good_for_one_answer(store):
    links = ballots.opened(store)
    asked = store.asked(links["token"][0], NOW)
    store.answer(links["token"][0], ballots.answers(0), NOW)

    assert (asked.terms, asked.wave, asked.closes_at) == (TERMS, "2026-05", CLOSES)
    assert asked.questions.equals(ballots.QUESTIONS)
    assert links["token"].str.len_bytes().min() == 32
    assert links["token"].n_unique() == 60
    for use in (
        lambda: store.asked(links["token"][0], NOW),
        lambda: store.answer(links["token"][0], {"tools": 1}, NOW),
    ):
        with pytest.raises(Refused) as refused:
            use()
        assert refused.value.why == "used"
    assert store.unused("pulse", "2026-05") == 59


@pytest.mark.parametrize(
    ("why", "token", "at"),
    [
        ("unknown", "A" * 32, NOW),
        ("unknown", "", NOW),
        ("unknown", "é\ud800", NOW),
        ("expired", None, CLOSES + timedelta(1)),
    ],
)
def test_a_link_that_opens_nothing_says_why(store, why, token, at):
    links = ballots.opened(store)

    with pytest.raises(Refused) as refused:
        store.asked(links["token"][0] if token is None else token, at)
    assert refused.value.why == why


def test_a_link_of_a_closed_wave_opens_nothing_and_one_of_the_next_is_another(store, tmp_path):
    old = ballots.opened(store)["token"][0]
    store.close("pulse", "2026-05", NOW, Pulse(tmp_path).keep_wave)
    new = ballots.opened(store, wave="2026-06", digest="edited")["token"][0]

    for use in (lambda: store.asked(old, NOW), lambda: store.answer(old, {"tools": 1}, NOW)):
        with pytest.raises(Refused) as refused:
            use()
        assert refused.value.why == "closed"
    assert store.asked(new, NOW).wave == "2026-06"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"recommend": 11}, "recommend is 11, which is no score from 0 to 10"),
        ({"recommend": -1}, "no score"),
        ({"tools": 0}, "tools is 0, which is no score from 1 to 5"),
        ({"tools": True}, "no score"),
        ({"tools": "3"}, "no score"),
        ({"tools": 2.0}, "no score"),
        ({"place": "Moon"}, "place is Moon, which is none of its options: Office, Home"),
        ({"place": 1}, "none of its options"),
        ({"words": 7}, "words is 7, which is no text"),
        ({"words": "x" * 100_000}, "words has 100,?000 signs; 2,?000 are the most"),
        ({"tools": 3, "pay": 3}, "There is no question pay"),
        ({"tools": None, "words": " \n\u200b "}, "No question is answered yet"),
        ({}, "No question is answered yet"),
    ],
)
def test_an_answer_that_none_can_be_is_refused_and_the_link_stays_good(store, answers, said):
    token = ballots.opened(store)["token"][0]

    with pytest.raises(Problem, match=said) as caught:
        store.answer(token, answers, NOW)
    assert not isinstance(caught.value, Refused)
    store.answer(token, {"tools": 3}, NOW)


def test_of_those_who_answer_at_once_each_is_told_their_own(store):
    one, other = (ballots.opened(store, wave=wave)["token"].to_list() for wave in ("2026-05", "2026-06"))
    store.answer(one[0], {"tools": 1}, NOW)
    entries = [
        (one[0], {"tools": 2}), (one[1], {"tools": 9}), (one[2], {"tools": 3}), ("x" * 32, {"tools": 3}),
        (other[0], {"tools": 4}), (one[2], {"tools": 5}), (one[3], {"tools": object()}), (one[4], {"words": 3}),
    ]  # fmt: skip
    outcomes = store.answer_all(entries, NOW)

    assert [getattr(each, "why", type(each).__name__) for each in outcomes] == [
        "used", "Problem", "NoneType", "unknown", "NoneType", "used", "Problem", "Problem",
    ]  # fmt: skip
    assert store.status(NOW)["n_answered"].to_list() == [2, 1]
    assert sorted(store.close("pulse", "2026-05", NOW).answers.filter(pl.col("cut").is_null())["score"]) == [1, 3]
    asked = store.asked_all([one[2], one[1], other[0], other[1], ""], NOW)
    assert [getattr(each, "why", None) for each in asked] == ["closed", "closed", "used", None, "unknown"]
    assert asked[3].wave == "2026-06"


def test_names_and_addresses_are_masked_before_they_are_kept(store):
    people = ballots.people().with_columns(name=pl.lit("Zoé Quibble"))
    token = ballots.opened(store, invited=people)["token"][0]
    store.answer(token, {"words": "<b>Ask zoe</b>: zoe@example.com, 06 12 34 56 78\x07"}, NOW)

    assert store.close("pulse", "2026-05", NOW).comments["text"].to_list() == ["<b>Ask […]</b>: […], […]"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wave": "2026-05"}, "There was a wave 2026-05 of pulse before"),
        ({"digest": "edited"}, "was edited since its wave 2026-05 opened"),
        ({"terms": CONFIDENTIAL}, "was declared anonymous in its wave 2026-05"),
        ({"wave": "../06"}, "is no name for a survey or a wave"),
        ({"invited": ballots.people().head(4)}, "4 are invited; 5 are the fewest"),
        ({"questions": ballots.QUESTIONS.head(0)}, "asks 0 questions"),
        ({"questions": ballots.QUESTIONS.drop("kind")}, "not as a wave wants them"),
    ],
)
def test_a_wave_that_may_not_open_is_refused(store, change, said):
    ballots.opened(store)

    with pytest.raises(Problem, match=said):
        ballots.opened(store, **{"wave": "2026-06", **change})
    assert store.status(NOW).height == 1


def test_one_person_invited_twice_is_told_whatever_the_spelling(store):
    people = ballots.people()
    again = people.head(1).with_columns(pl.col("person").str.to_uppercase() + " ")

    with pytest.raises(Problem, match=r"Invited twice: p0@example\.com"):
        ballots.opened(store, invited=pl.concat([people, again]))


def test_a_reminder_makes_links_for_who_has_not_answered_and_the_old_ones_stay_good(store):
    links = dict(ballots.opened(store).rows())
    store.answer(links["p0@example.com"], {"tools": 1}, NOW)
    new = dict(
        store.renew("pulse", "2026-05", ["p0@example.com", "P1@example.com", "p2@example.com", "x@example.com"]).rows()
    )

    assert list(new) == ["P1@example.com", "p2@example.com"]
    store.answer(new["P1@example.com"], {"tools": 1}, NOW)
    store.answer(links["p2@example.com"], {"tools": 1}, NOW)
    for token in (links["p1@example.com"], new["p2@example.com"]):
        with pytest.raises(Refused, match="was used"):
            store.answer(token, {"tools": 1}, NOW)
    assert store.unused("pulse", "2026-05") == 57


def test_who_moves_team_while_a_wave_is_open_counts_where_they_were(store):
    terms = ballots.replaced(cuts=("team",))
    token = ballots.opened(store, terms)["token"][10]
    moved = ballots.people().with_columns(team=pl.lit("T9"))
    token = store.renew("pulse", "2026-05", moved["person"][10:11].to_list())["token"][0]
    store.answer(token, {"tools": 4}, NOW)

    wave = store.close("pulse", "2026-05", NOW)
    assert wave.answers.filter(pl.col("cut") == "team")["team"].to_list() == ["T1"]


def test_closing_again_after_an_interruption_keeps_the_same_wave_once(store, tmp_path):
    token = ballots.opened(store)["token"][50]
    tokens = store.renew("pulse", "2026-05", ballots.people()["person"].to_list())["token"]
    for number, each in enumerate(tokens[:40]):
        store.answer(each, ballots.answers(number), NOW)
    first = store.close("pulse", "2026-05", NOW + timedelta(days=5))
    assert store.status(NOW)["state"].to_list() == ["closing"]
    with pytest.raises(Refused, match="is closed"):
        store.answer(token, {"tools": 1}, NOW)

    kept = Pulse(tmp_path)
    kept.keep_wave(first)
    again = store.close("pulse", "2026-05", NOW + timedelta(days=9), kept.keep_wave)

    assert again.closed_at == first.closed_at == NOW + timedelta(days=5)
    assert again.answers.equals(first.answers)
    assert kept.wave_names() == ["pulse@2026-05"]
    assert kept.wave("pulse@2026-05").answers.equals(first.answers)
    assert store.status(NOW).select("state", "n_invited", "n_answered").rows() == [("closed", 60, 40)]
    with pytest.raises(Problem, match="Wave 2026-05 of pulse is closed"):
        store.close("pulse", "2026-05", NOW)
    with pytest.raises(Problem, match="No wave 2026-07 of pulse was opened"):
        store.close("pulse", "2026-07", NOW)


def test_status_tells_each_wave(store):
    ballots.opened(store)
    told = [
        store.status(at).select("state", "mode", "n_invited", "n_answered").row(0)
        for at in (NOW, CLOSES + timedelta(1))
    ]

    assert told == [("open", "anonymous", 60, 0), ("ended", "anonymous", 60, 0)]


def test_without_its_key_a_survey_does_not_go_on(store, tmp_path):
    ballots.opened(store)
    key_path(tmp_path, "pulse").unlink()

    with pytest.raises(Problem, match="The key of pulse is gone"):
        ballots.opened(store, wave="2026-06")
    with pytest.raises(Problem, match="The key of pulse is gone"):
        store.renew("pulse", "2026-05", ["p1@example.com"])


def test_a_file_that_is_no_store_is_told(tmp_path):
    (tmp_path / "ballots.sqlite").write_bytes(b"no database at all, and long enough to be looked at" * 20)

    with pytest.raises(Problem, match=r"ballots\.sqlite\) cannot be used: file is not a database"):
        Ballots(tmp_path / "ballots.sqlite")


def test_blank_attributes_are_a_group_of_their_own(store):
    people = ballots.people().with_columns(
        role=pl.when(pl.int_range(60) < 7).then(pl.lit("  ")).otherwise(pl.lit("seller"))
    )
    terms = ballots.replaced(cuts=("role",))
    tokens = ballots.opened(store, terms, invited=people)["token"]
    for token in tokens[5:9]:
        store.answer(token, {"tools": 5}, NOW)

    wave = store.close("pulse", "2026-05", NOW)
    assert wave.answers.filter(pl.col("cut") == "role")["role"].to_list() == ["seller", "seller", None, None]
    assert wave.invited["region"].null_count() == 60
