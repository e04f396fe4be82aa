"""Three people answer on their phones: by keyboard and in French, without scripts, and where the network fails."""

from datetime import timedelta

import polars as pl
import pytest
from playwright.sync_api import expect
from respondent import CLOSES, OPENED, opened
from served import serving_here

from cadran.publish.site import Site
from cadran.publish.survey import Respondents

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
SMALL = (
    "[...document.querySelectorAll('fieldset label, button:not(.unseen), summary')]"
    ".map(e => e.getBoundingClientRect()).filter(b => b.width)"
)


@pytest.fixture
def ballots(tmp_path):
    with opened(tmp_path) as (ballots, tokens):
        yield ballots, tokens


@pytest.fixture
def links(small_company, ballots, monkeypatch):
    """The links of a wave that is open."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    zone, now = OPENED.tzinfo, OPENED + timedelta(days=1)
    surveys = Respondents(lambda: ballots[0], lambda: now, zone, lambda problem: pytest.fail(str(problem)))
    with serving_here(Site(small_company, (), surveys=surveys, clock=lambda: now)) as address:
        yield [f"{address}/s/{token}" for token in ballots[1]]


@pytest.fixture
def phone(chromium):
    """`phone(language, **options)`: a page on a phone, and what went wrong on it."""
    contexts = []

    def open_one(language, **options):
        contexts.append(chromium.new_context(viewport=PHONE, locale=language, has_touch=True, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("console", lambda told: page.wrong.append(told.text) if "Security" in told.text else None)
        return page

    yield open_one
    for context in contexts:
        context.close()


def told(ballots):
    """What each ballot says, and the comments."""
    wave = ballots.close("team", "2026-11", CLOSES)
    rows = wave.answers.filter(pl.col("cut").is_null()).with_columns(
        said=pl.coalesce(pl.col("score").cast(str), "choice")
    )
    said = {}
    for row in rows.iter_rows(named=True):
        said.setdefault(row["ballot"], {})[row["question_id"]] = row["said"]
    return sorted(said.values(), key=str), sorted(wave.comments["text"])


def test_three_people_answer(phone, ballots, links):
    by_keyboard(phone("fr-FR"), links[0])
    without_scripts(phone("en-GB", java_script_enabled=False), links[1])
    where_the_network_fails(phone("en-GB", color_scheme="dark"), links[2])

    answers, comments = told(ballots[0])
    assert answers == [
        {"enps": "10", "seed": "1", "load": "4", "tools": "2", "time": "Data entry"},
        {"enps": "7", "load": "5"},
        {"seed": "3"},
    ]
    assert comments == ["Moins de saisie.\nVraiment."]


def by_keyboard(page, link):
    def focused():
        return page.evaluate("document.activeElement.name || document.activeElement.tagName || ''")

    def to(name):
        for _ in range(20):
            page.keyboard.press("Tab")
            if focused() == name:
                return
        pytest.fail(f"{name} is out of reach")

    page.goto(link)
    expect(page.locator("h1")).to_have_text("Comment va l’équipe ?")
    to("lang")
    to("SUMMARY")
    page.keyboard.press("Enter")
    assert page.locator("details").get_by_text("dpo@acme.example").is_visible()
    to("a.enps")
    page.keyboard.press("ArrowLeft")  # from the first one round to the last
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("getComputedStyle(document.querySelector(':focus-visible + span')).outlineStyle") == "solid"
    to("a.seed")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # which sends nothing
    to("a.load")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    to("a.more")
    page.keyboard.type("Moins de saisie.\nVraiment.")
    expect(page.locator("#q6c")).to_have_text("Caractères restants : 1974")
    # Left, come back, and in the other language: all is there, under a name that does not give the link away.
    page.reload()
    assert page.input_value("textarea") == "Moins de saisie.\nVraiment."
    page.locator(".quiet[name=lang]").click()
    expect(page.locator("h1")).to_have_text("How is the <sales> team?")
    page.locator(".quiet[name=lang]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    assert page.evaluate("document.querySelector('progress').value") == 4
    expect(page.locator("#left")).to_contain_text("Sans réponse : 2")
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "Vraiment" in kept
    assert link.rpartition("/")[2] not in kept
    to("a.tools")
    page.keyboard.press("ArrowRight")
    to("a.time")
    page.keyboard.press("ArrowDown")
    to("a.more")
    while focused() != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Merci : vos réponses sont bien arrivées")
    assert focused() == "H1"
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    expect(page.locator("h1")).to_have_text("Ce lien a déjà servi")
    assert page.wrong == []


def without_scripts(page, link):
    page.goto(link)
    page.locator("[name='a.enps'][value='7']").tap()
    page.get_by_role("button", name="Français").tap()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    assert page.locator("[name='a.enps'][value='7']").is_checked()
    page.locator("#q3").get_by_label("Tout à fait d’accord").tap()
    page.locator("textarea").fill("x" * 2001)
    page.locator("#send").tap()
    expect(page.get_by_role("alert")).to_contain_text("une réponse est à corriger")
    page.get_by_role("alert").get_by_role("link").tap()
    page.locator("textarea").fill("")
    page.locator("#send").tap()
    expect(page.locator("h1")).to_have_text("Merci : vos réponses sont bien arrivées")


def where_the_network_fails(page, link):
    """First a hotspot answers in the server's place; then the server's word is lost; then it can be told what happened."""
    ways = ["hotspot", "lost", "whole"]

    def carry(route):
        if route.request.method != "POST":
            return route.continue_()
        way = ways.pop(0)
        if way == "hotspot":
            return route.fulfill(status=200, content_type="text/html", body="<h1>Welcome to our hotspot</h1>")
        if way == "lost":
            route.fetch()
            return route.abort()
        return route.continue_()

    page.route("**/s/*", carry)
    page.goto(link)
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") == "rgb(19, 22, 26)"
    page.locator("#q2").get_by_label("3", exact=True).tap()
    page.locator("#send").tap()
    for _ in range(2):
        expect(page.locator("#state")).to_contain_text("Nothing is lost")
        page.locator("#state button").tap()
    expect(page.locator("h1")).to_have_text("Your answers have arrived")
    assert ways == []
    assert page.evaluate("localStorage.length") == 0
    assert page.wrong == []


@pytest.mark.parametrize("width", [320, 360])
def test_fits_a_small_phone_and_a_finger(phone, links, width):
    page = phone("fr-FR")
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(links[0])

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(f"Math.min(...{SMALL}.map(b => b.width))") >= 24
    assert page.evaluate(f"Math.min(...{SMALL}.map(b => b.height))") >= 30
    assert page.evaluate("Math.min(...[...document.querySelectorAll('.numbers label')].map(e => e.offsetHeight))") >= 48
