"""The page on which the invited answer: what it asks, what it takes, what it refuses, and what it tells nobody."""

import re
import shutil
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from respondent import CLOSES, HERE, OPENED, QUESTIONS, TERMS, ask, opened, opened_in, question
from served import now

from cadran.book import open_book
from cadran.book.ballots import ballots_of
from cadran.publish import survey
from cadran.publish.limits import Buckets, origin_of
from cadran.publish.site import Site
from cadran.publish.survey import Respondents, respondents_of
from cadran.tables.problems import Problem

ALL = {"a.enps": "10", "a.seed": "1", "a.load": "4", "a.tools": "-", "a.time": "1", "a.more": " Fewer\r\nreports. "}


class Clock:
    """A time that a test sets."""

    def __init__(self):
        self.time = OPENED + timedelta(hours=1)

    def __call__(self):
        return self.time


class Fields(HTMLParser):
    """The names of the fields of a page, and the elements that speak to who listens."""

    def __init__(self, page):
        super().__init__()
        self.all = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.all.append((tag, dict(attributes)))

    def of(self, tag):
        return [attributes for name, attributes in self.all if name == tag]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    """The ballots of a wave, and the tokens of its links."""
    with opened(tmp_path) as store:
        yield store


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def page_of(clock, complaints, book, monkeypatch):
    """The whole server on a store of ballots, without any app for managers."""
    monkeypatch.setenv("CADRAN_BOOK", "")

    def served(ballots):
        respondents = Respondents(lambda: ballots, clock, ZoneInfo("Europe/Paris"), complaints.append)
        return Site(book, (), surveys=respondents, clock=now).asgi()

    return served


@pytest.fixture
def page(page_of, store):
    return page_of(store[0])


@pytest.fixture
def links(store):
    return [f"/s/{token}?lang=en" for token in store[1]]


def told(ballots):
    """What the closed wave holds: each question with its answer, and the comments."""
    wave = ballots.close("team", "2026-11", CLOSES)
    alone = wave.answers.filter(pl.col("cut").is_null())
    answers = {row["question_id"]: row["score"] or row["choice"] for row in alone.iter_rows(named=True)}
    return answers, wave.comments["text"].to_list()


def test_says_first_who_asks_what_for_and_what_becomes_of_it(page, links):
    english = ask(page, links[0])
    french = ask(page, links[0].replace("lang=en", "lang=fr"))

    assert english.status == 200
    for text in (
        "Acme SAS", "To see what hinders us.", "Anonymous", "where at least 6 people answered", "6 questions",
        "4 Dec 2026 18:00", "kept for 18 months", "dpo@acme.example", "each count apart, in groups of at least 6",
    ):  # fmt: skip
        assert text in english.text.partition("<fieldset")[0]
    assert "Voir ce qui nous freine." in french.text
    assert "On saura que vous avez répondu, jamais quoi." in french.text


def test_a_confidential_survey_promises_nothing_else(page_of, tmp_path):
    with opened(tmp_path / "other", replace(TERMS, mode="confidential")) as (ballots, tokens):
        text = ask(page_of(ballots), f"/s/{tokens[0]}?lang=en").text

    assert "Confidential" in text
    assert "Stored under a code in place of your name." in text
    assert "Anonymous" not in text
    assert "without your name or anything" not in text


@pytest.mark.parametrize(("accepts", "language"), [("fr-FR,en;q=0.5", "fr"), ("de", "en")])
def test_speaks_the_browsers_language(page, store, accepts, language):
    assert f'<html lang="{language}">' in ask(page, f"/s/{store[1][0]}", Accept_Language=accepts).text


def test_every_question_can_be_answered_by_who_listens(page, links):
    fields = Fields(ask(page, links[0]).text)
    radios = [each for each in fields.of("input") if each["type"] == "radio"]
    values = {each["name"]: [] for each in radios}
    for each in radios:
        values[each["name"]].append(each["value"])

    assert values == {
        "a.enps": [*map(str, range(11)), "-"], "a.seed": [*map(str, range(1, 11)), "-"],
        "a.load": [*"12345", "-"], "a.tools": [*"12345", "-"], "a.time": ["0", "1", "2", "-"],
    }  # fmt: skip
    assert len(fields.of("fieldset")) == len(fields.of("legend")) == 5
    assert [each["name"] for each in fields.of("textarea")] == ["a.more"]
    ids = [attributes["id"] for _, attributes in fields.all if "id" in attributes]
    assert len(ids) == len(set(ids))
    # Only the ends of a scale are named: they are read out with their numbers.
    assert "0<span class=unseen>: Not at all likely" in ask(page, links[0]).text


def test_what_is_sent_is_kept_and_thanked_for(page, store, links):
    thanks = ask(page, links[0], ALL)

    assert thanks.status == 200
    assert "your answers have arrived" in thanks.text
    assert "4 Dec 2026 18:00" in thanks.text
    assert "at least 6 people answered" in thanks.text
    assert "data-done" in thanks.text  # the device deletes what it kept
    assert told(store[0]) == ({"enps": 10, "seed": 1, "load": 4, "time": "Data entry"}, ["Fewer\nreports."])


def test_an_option_is_kept_in_one_language_whatever_it_was_read_in(page, store, links):
    ask(page, links[0].replace("lang=en", "lang=fr"), {"a.time": "1"})

    assert told(store[0])[0] == {"time": "Data entry"}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("a.enps", "11", "Choose a number from 0 to 10."), ("a.seed", "0", "Choose a number from 1 to 10."),
        ("a.seed", "-1", "from 1 to 10"), ("a.enps", "ten", "from 0 to 10"), ("a.enps", "5.0", "from 0 to 10"),
        ("a.enps", "٥", "from 0 to 10"), ("a.enps", "N/A", "from 0 to 10"), ("a.load", "6", "from 1 to 5"),
        ("a.time", "3", "one of the options"), ("a.time", "Clients", "one of the options"),
        ("a.more", "x" * 2001, "2,001 characters; at most 2,000"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told_where_it_stands_and_nothing_is_sent(page, links, field, value, says):
    wrong = ask(page, links[0], {**ALL, field: value})
    fields = Fields(wrong.text)

    assert wrong.status == 422
    assert says in wrong.text
    number = QUESTIONS["question_id"].to_list().index(field.removeprefix("a.")) + 1
    assert f'href="#q{number}a"' in wrong.text.partition("<fieldset")[0]
    assert any(each.get("id") == f"q{number}a" for _, each in fields.all)
    assert any(f"q{number}e" in each.get("aria-describedby", "") for _, each in fields.all)
    assert any(each.get("id") == f"q{number}e" for _, each in fields.all)
    assert "<title>To correct – " in wrong.text
    assert 'role="alert"' in wrong.text
    # What was right is still there, and can be sent once the rest is.
    assert 'value="4" checked' in wrong.text or field == "a.load"
    assert ask(page, links[0], ALL).status == 200


def test_an_empty_form_is_not_sent(page, links):
    nothing = ask(page, links[0], {"a.enps": "-", "a.more": " \u200b\n"})

    assert nothing.status == 422
    assert "answer one question at least" in nothing.text
    assert ask(page, links[0], ALL).status == 200


@pytest.mark.parametrize(
    "form",
    [
        {**ALL, "a.other": "3"}, {**ALL, "token": "x"}, {**ALL, "lang": "xx"}, {"enps": "3"}, b"a.enps=3&a.enps=4",
        b"a.more=%FF", "a.more=é".encode(), b"&".join(b"x%d=1" % i for i in range(65)),
    ],
    ids=str,
)  # fmt: skip
def test_a_form_of_another_make_is_refused_whole(page, store, links, form):
    assert ask(page, links[0], form).status == 400
    assert told(store[0]) == ({}, [])


def test_a_form_in_another_coat_is_refused(page, links):
    assert ask(page, links[0], b'{"a.enps": 3}', Content_Type="application/json").status == 400


def test_no_more_is_read_than_a_form_can_hold(page, links):
    too_long = ask(page, links[0], {"a.more": "x" * 100_000})

    assert too_long.status == 413
    assert "2,000 characters" in too_long.text
    assert "data-done" not in too_long.text  # the device keeps it


def test_markup_comes_back_as_text(page, links):
    text = "</textarea><script>alert(1)</script>"
    back = ask(page, links[0], {"a.more": text, "a.enps": "11"}).text

    assert "&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in back
    assert back.count("<script>") == 1
    assert "How is the &lt;sales&gt; team?" in back


def test_another_language_keeps_what_was_entered_and_sends_nothing(page, store, links):
    form = {**ALL, "a.enps": "11", "lang": "fr"}
    french = ask(page, links[0], form)

    assert (french.status, '<html lang="fr">' in french.text) == (200, True)
    assert 'name="a.load" value="4" checked' in french.text
    assert "Fewer\nreports." in french.text
    assert 'action="?lang=fr"' in french.text
    assert told(store[0]) == ({}, [])


def test_enter_in_a_field_sends_nothing_by_mistake(page, store, links):
    """A browser presses the first button of a form: that one asks for the same page again."""
    first = Fields(ask(page, links[0]).text).of("button")[0]
    same = ask(page, links[0], {**ALL, first["name"]: first["value"]})

    assert (same.status, '<html lang="en">' in same.text) == (200, True)
    assert 'name="a.load" value="4" checked' in same.text
    assert told(store[0]) == ({}, [])


def refused(page, path, form=None, **headers):
    answer = ask(page, path, form, **headers)
    return answer.status, re.search(r"<h1[^>]*>([^<]*)", answer.text)[1]


def test_a_link_opens_once(page, links):
    ask(page, links[0], ALL)

    for form in (None, ALL):
        assert refused(page, links[0], form) == (410, "This link has been used")
    assert refused(page, links[0].replace("lang=en", "lang=fr")) == (410, "Ce lien a déjà servi")


def test_who_sends_again_because_no_word_came_is_told_that_it_arrived(page, store, links):
    ask(page, links[0], ALL)

    assert refused(page, links[0], ALL, X_Again="1") == (410, "Your answers have arrived")
    assert len(told(store[0])[1]) == 1


def test_a_link_that_leads_nowhere_is_told_kindly(page, links):
    for path in ("/s/forged", "/s/", "/s/a/b", "/s/" + "x" * 5000, "/s/%E9"):
        assert refused(page, f"{path}?lang=en") == (404, "This link leads to no survey")
    assert refused(page, "/s/forged?lang=en", ALL)[0] == 404
    assert ask(page, links[0], method="PUT", Origin=HERE).status == 405


def test_a_survey_that_is_over_is_told(page, store, links, clock):
    clock.time = CLOSES + timedelta(seconds=1)
    assert [refused(page, links[0], form) for form in (None, ALL)] == [(410, "This survey has ended")] * 2
    store[0].close("team", "2026-11", clock.time)
    assert [refused(page, links[0], form) for form in (None, ALL)] == [(410, "This survey is closed")] * 2


def test_a_link_of_another_wave_asks_what_that_wave_asked(page, store, links, clock):
    ballots = store[0]
    ballots.close("team", "2026-11", clock.time)
    invited = pl.DataFrame({"person": [f"p{i}" for i in range(6)]})
    other = ballots.open_wave(TERMS, "2026-12", QUESTIONS.tail(1), invited, clock.time, CLOSES, "digest")["token"][0]

    assert refused(page, links[0], ALL)[0] == 410
    assert ask(page, f"/s/{other}", ALL).status == 400  # questions that this wave does not ask
    assert ask(page, f"/s/{other}", {"a.more": "Well."}).status == 200


def test_a_store_that_fails_is_told_to_its_keeper_without_link_or_answer(page, store, links, complaints, monkeypatch):
    def broken(*_):
        raise Problem("The disk is full.", "Make room.")

    monkeypatch.setattr(store[0], "asked_all", broken)
    answer = ask(page, links[0], ALL)

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert [str(each) for each in complaints] == ["The disk is full.\nMake room."]


def test_a_fault_of_ours_is_told_kindly_too(page, store, links, monkeypatch):
    monkeypatch.setattr(store[0], "asked_all", lambda *_: 1 / 0)

    answer = ask(page, links[0])

    assert (answer.status, answer.headers["cache-control"]) == (500, "no-store")
    assert "cannot be reached just now" in answer.text


@pytest.mark.parametrize("path", ["/s/forged", "{link}"])
def test_nothing_of_a_visit_stays_or_leaves(page, links, path):
    answer = ask(page, path.format(link=links[0]))
    headers = answer.headers

    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)
    assert links[0].split("/")[2].split("?")[0] not in answer.text


def test_a_page_is_light(page_of, tmp_path):
    """Ten questions of the longest make, in French, in one request."""
    scale = (["x" * 40] * 5, ["é" * 40] * 5)
    rows = [question(f"question_{i}", "agreement", (1, 2, 4, 5), scale) for i in range(5)]
    rows += [question(f"likely_{i}", "enps_0_10", (0, 6, 9, 10), (scale[0][:2], scale[1][:2])) for i in range(5)]
    questions = pl.DataFrame(rows, QUESTIONS.schema)
    with opened(tmp_path / "long", questions=questions) as (ballots, tokens):
        page = page_of(ballots)
        answer = ask(page, f"/s/{tokens[0]}?lang=fr")
        small = ask(page, f"/s/{tokens[0]}?lang=fr", Accept_Encoding="gzip")

    assert len(answer.body) < 40_000
    assert len(small.body) < 12_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", "Sec_Fetch_Site": "cross-site"}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "null", "Sec_Fetch_Site": ""}, {"Origin": "", "Sec_Fetch_Site": "same-origin"},
    ],
    ids=str,
)  # fmt: skip
def test_another_site_sends_nothing_for_anybody(page, store, links, headers):
    refused = ask(page, links[0], ALL, **headers, Accept_Language="fr")
    assert (refused.status, refused.text) == (403, "Refusé\u00a0: cette demande ne vient pas d'une page de Cadran.")
    assert told(store[0]) == ({}, [])


def test_a_script_of_ours_may_send(page, links):
    assert ask(page, links[0], ALL, Origin=HERE, Sec_Fetch_Site="same-origin").status == 200


def test_one_link_is_not_asked_for_without_end(page, links, clock):
    statuses = [ask(page, links[0]).status for _ in range(survey.PER_LINK[0] + 1)]
    late = ask(page, links[0])

    assert statuses == [200] * survey.PER_LINK[0] + [429]
    assert (late.status, late.headers["retry-after"]) == (429, "2")
    assert ask(page, links[1]).status == 200
    clock.time += timedelta(seconds=2)
    assert ask(page, links[0]).status == 200


def test_one_address_is_held_back_but_an_office_is_not(page, links, monkeypatch, clock):
    """200 people behind one address open, answer and look again within a minute."""
    buckets = Buckets(*survey.PER_ADDRESS)
    assert all(buckets.wait("office", i / 10) == 0 for i in range(200 * 3))
    assert sum(buckets.wait("flood", 0) > 0 for _ in range(5000)) == 5000 - survey.PER_ADDRESS[0]
    assert sum(buckets.wait(f"{i}", 0) > 0 for i in range(20_000)) == 0
    assert len(buckets._left) == buckets.most


def test_an_address_is_a_network_where_machines_have_many():
    assert origin_of("2001:db8:0:1::5") == origin_of("2001:db8:0:1:ffff::9") != origin_of("2001:db8:0:2::5")
    assert origin_of("::ffff:192.0.2.1") == origin_of("192.0.2.1")
    assert origin_of("") == ""


def test_a_book_serves_the_surveys_that_were_opened_in_it_even_later(book, tmp_path, clock, complaints, monkeypatch):
    monkeypatch.setenv("CADRAN_BOOK", "")
    folder = shutil.copytree(book, tmp_path / "book")
    page = Site(folder, (), surveys=respondents_of(open_book(folder), clock, complaints.append), clock=clock).asgi()

    assert refused(page, "/s/forged")[0] == 404
    assert not (folder / "pulse").exists()
    with ballots_of(folder) as ballots:
        token = opened_in(ballots)[0]
    assert ask(page, f"/s/{token}", ALL).status == 200


def test_without_an_app_for_managers_only_surveys_are_shown(page, links):
    assert refused(page, "/?lang=en")[0] == 404
    assert refused(page, "/opportunities?lang=en") == (404, "This link leads to no survey")
    assert ask(page, links[0], Host="evil.example").status == 421
