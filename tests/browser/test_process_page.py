"""The Sales process page in a real browser, on a small book: a deal opened, levers moved, nothing redrawn in between."""

import pytest
from quick import no_past, quick_model
from served import now, serving_here

from cadran.models import outlook
from cadran.publish.apps import shipped_apps
from cadran.publish.site import Site

pytestmark = pytest.mark.browser
ROOT = "document.querySelector('#live > div').shadowRoot"


@pytest.fixture(scope="module")
def served(small_company):
    """Where the small company is shown, the win model (one without its selection) not yet learnt."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CADRAN_BOOK", "")
        patch.setattr("cadran.models.outlook.kept.model", lambda book: quick_model(book, "logit"))
        patch.setattr("cadran.models.outlook.kept.past", no_past)
        with serving_here(Site(small_company, shipped_apps(), clock=now)) as address:
            yield address


@pytest.fixture
def page(served, chromium):
    """The page, once the win model has been learnt; fails the test if the console held an error."""
    wrong = []
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(150_000)  # beside other tests, on two cores
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{served}/process?lang=en&hours=20")
    page.wait_for_selector("#live:not(.coming) [data-live=funnel] svg")
    page.wait_for_selector("#live [data-live=bubbles] svg")
    page.wait_for_selector("#live [data-slot=actions] .table")
    yield page
    # Parts that need not be made anew are not taken for parts that failed.
    assert not page.locator("#line").is_visible()
    page.context.close()
    assert wrong == []


@pytest.fixture
def let_moves_come(monkeypatch):
    """Ends the time in which what moved the open deals is still being computed."""
    told = outlook.told
    monkeypatch.setattr(outlook, "_moves", lambda *_: None)
    monkeypatch.setattr(outlook, "told", lambda it, wait: it and told(it, wait))
    return monkeypatch.undo


def text_of(slot):
    return f"{ROOT}.querySelector('[data-slot={slot}]').innerText"


def test_a_deal_opened_has_its_page_and_its_levers(page):
    proposed = page.locator("#live [data-slot=actions] tbody button")
    deal = proposed.first.inner_text()

    proposed.filter(has_text=deal).click()  # wherever it stands by now
    page.wait_for_selector("#live [data-live=deal_incidence] svg")

    assert f"open={deal}" in page.url
    assert f"Deal {deal}" in page.locator("[data-slot=detail]").inner_text()
    page.wait_for_function(f"() => {ROOT}.activeElement?.matches('[data-slot=detail] h2')")
    # What stands above may still grow: once it has, the heading is in sight.
    page.wait_for_function(f"() => Math.abs({ROOT}.activeElement.getBoundingClientRect().top - 150) < 150")
    page.wait_for_function(
        f"() => {text_of('deal_reasons')}.includes('%') || {text_of('deal_reasons')}.includes('pts')"
    )
    page.evaluate(f"{ROOT}.querySelector('[data-live=deal_incidence] svg').mark = 1")
    page.locator("[data-slot=deal_levers] input[type=range]").nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {text_of('deal_incidence')}.includes('with the levers above')")
    assert page.evaluate(f"{ROOT}.querySelector('[data-live=deal_incidence] svg').mark") == 1
    assert "deal_contacts=1" in page.url
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => {text_of('detail')} === ''")
    page.wait_for_function(f"() => {ROOT}.activeElement?.dataset.open === '{deal}'")


def test_a_deal_opened_stays_where_it_is_while_what_stands_above_grows(let_moves_come, page):
    top = f"{ROOT}.activeElement.getBoundingClientRect().top"
    page.locator("#live [data-slot=actions] tbody button").first.click()
    page.wait_for_function(f"() => {ROOT}.activeElement?.matches('[data-slot=detail] h2')")
    page.evaluate("scrollBy(0, -400)")
    before = page.evaluate(top)
    assert "Being computed" in page.evaluate(text_of("moved"))

    let_moves_come()
    page.wait_for_function(f"() => {text_of('moved')}.includes('What moved most')")

    assert page.evaluate(top) == pytest.approx(before, abs=2)


def test_sliders_stay_under_the_hand(page):
    room = page.locator("[data-slot=room_levers] input[type=range]:visible")
    room.focus()
    page.evaluate(f"{ROOT}.activeElement.mark = 1")
    before = page.evaluate(text_of("room"))

    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"t => {text_of('room')} !== t", arg=before)

    assert page.evaluate(f"{ROOT}.activeElement.mark") == 1
    assert "room_answer=24" in page.url
    assert page.locator("[data-slot=room_levers] output:visible").inner_text() == "24 hours"
    # Back to things as they are: the first step is a value like any other.
    room.focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"t => {text_of('room')} === t", arg=before)
    assert "room_answer" not in page.url
    page.locator("[data-slot=hours] input").focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => {text_of('actions')}.includes('Nothing of use fits into 0 hours')")
    assert "hours=0" in page.url


def test_of_a_day_never_asked_before_nothing_told_of_another_stays(page):
    before = page.evaluate(text_of("sentences"))

    page.evaluate(
        f"() => {{ const day = {ROOT}.querySelector('input[type=date][data-control=as_of]');"
        "day.value = '2026-03-31'; day.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    page.wait_for_function(
        f"() => {text_of('sentences')}.startsWith('Being computed: the model learns from what was known on 31 Mar')"
    )
    assert page.evaluate(text_of("headlines")) == ""
    page.wait_for_function(f"old => ![old, ''].includes({text_of('sentences')}) && {text_of('headlines')}", arg=before)
