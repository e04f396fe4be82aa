"""A presentation in a real browser: levers in the hand, a scenario kept, scenes, a connection lost, a page reloaded."""

from urllib.parse import urlsplit

import pytest
from quick import no_past, quick_model
from served import now, serving_here

from cadran.publish.apps import shipped_apps
from cadran.publish.site import Site

pytestmark = pytest.mark.browser
ROOT = "document.querySelector('#live > div').shadowRoot"
SCENE = f"{ROOT}.querySelector('[aria-current=step]')?.innerText"
#: Pulls one more lever, and keeps all as a scenario before it is answered.
KEEP = f"""() => {{
  const lever = {ROOT}.querySelector("[data-slot=levers] input[data-control=cycle]");
  lever.value = Number(lever.value) + 1;
  lever.dispatchEvent(new Event("change", {{ bubbles: true }}));
  {ROOT}.querySelector("[data-act=keep]").click();
}}"""
#: Notes every moment at which a presentation shows what the manager's page holds.
LEFT = f"""() => {{
  window.left = [];
  const root = {ROOT}, [page, main, load] = [".page", "main", "[data-slot=load]"].map((each) => root.querySelector(each));
  new MutationObserver(() => {{
    const isSeen = getComputedStyle(main).visibility === "visible" && load.textContent !== "";
    if (page.dataset.use === "present" && isSeen) left.push(load.textContent);
  }}).observe(root, {{ subtree: true, childList: true, attributes: true }});
}}"""


@pytest.fixture
def site(small_company, monkeypatch):
    """The small company, models without their selection and backtest."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    monkeypatch.setattr("cadran.models.kept.model", lambda book: quick_model(book, "logit"))
    monkeypatch.setattr("cadran.models.forecast.past_forecasts", lambda book, seed: no_past(book))
    site = Site(small_company, [app for app in shipped_apps() if app.name == "resources"], clock=now)
    monkeypatch.setattr(site.sights, "made", lambda *_: None)  # what is prepared: `publish/test_shell.py`
    return site


def test_a_presentation_stands_a_whole_meeting(chromium, site):
    wrong = []
    page = chromium.new_context(viewport={"width": 1600, "height": 900}).new_page()
    page.set_default_timeout(150_000)  # beside other tests, on two cores
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with serving_here(site) as address:
        page.goto(f"{address}/resources?lang=en&use=present")
        page.wait_for_selector("#live:not(.coming) [data-live=if_bookings] svg")
        assert page.evaluate(f"getComputedStyle({ROOT}.querySelector('main')).zoom") == "1.4"
        told = "[data-slot=if_told]"
        before = page.locator(told).inner_text()
        page.evaluate(f"{ROOT}.querySelector('[data-live=if_bookings] svg').mark = 1")
        # A lever in the hand: the figure stays alive, the number moves, the address follows.
        page.locator("[data-slot=levers] input[data-control=size]").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"t => {ROOT}.querySelector('{told}').innerText !== t", arg=before)
        assert page.evaluate(f"{ROOT}.querySelector('[data-live=if_bookings] svg').mark") == 1
        assert "size=1.05" in page.url
        # Kept under a name, and back to things as they are.
        page.locator("[data-naming]").fill("Larger deals")
        page.evaluate(KEEP)
        page.wait_for_function(f"{ROOT}.querySelector('.pair button')?.innerText === 'Larger deals'")
        page.locator(".panel button").click()
        page.wait_for_function(f"t => {ROOT}.querySelector('{told}').innerText === t", arg=before)
        assert "&size" not in page.url
        assert "keep_a=Larger+deals%7Csize%3D1.05%7Ccycle%3D1.05" in page.url
        page.locator(".pair button").first.click()
        page.wait_for_function(f"{ROOT}.querySelector('output[data-text=size]').innerText === '+5%'")
        page.keyboard.press("PageDown")
        page.wait_for_function(f"{SCENE} === 'Who is loaded'")
        page.wait_for_selector("#live [data-live=stock] svg")
    with serving_here(site, urlsplit(address).port):
        # The server was gone, with all it knew of this page: the address brings everything back.
        page.wait_for_function("document.querySelector('#line').hidden")
        page.keyboard.press("PageUp")
        page.wait_for_function(f"{SCENE} === 'What is coming'")
        page.wait_for_selector("#live [data-live=if_bookings] svg")
        assert page.evaluate(f"{ROOT}.querySelector('.pair button').innerText") == "Larger deals"
        page.reload()
        page.wait_for_selector("#live:not(.coming) [data-live=if_bookings] svg")
        assert page.evaluate(f"{ROOT}.querySelector('output[data-text=size]').innerText") == "+5%"
        leaves_only_once_asked(page, address)
        page.context.close()
    assert wrong == []


def leaves_only_once_asked(page, address):
    """Neither a control nor a link takes a room to what names clients and people, before the presenter says so."""
    use, question = "[data-control=use]", "dialog.leave"
    page.locator(use).select_option("manager")
    assert page.locator(question).is_visible()
    page.keyboard.press("PageDown")  # no scene is left behind the question
    page.locator(f"{question} [data-act=dismiss]").click()
    assert not page.locator(question).is_visible()
    assert page.locator(use).input_value() == "present"
    page.locator(".source a").first.click()
    assert page.locator(question).is_visible()
    page.keyboard.press("Escape")
    assert page.url.startswith(f"{address}/resources")
    assert page.evaluate(SCENE) == "What is coming"
    assert page.locator("[data-slot=load]").inner_text() == ""
    page.locator(use).select_option("manager")
    page.locator(f"{question} [data-act=leave]").click()
    page.wait_for_selector("#live [data-live=load] svg")
    assert "use=" not in page.url
    # Back before others: nothing of the manager's page is left from the first moment on.
    page.evaluate(LEFT)
    page.locator(use).select_option("present")
    page.wait_for_selector("#live [data-live=if_bookings] svg")
    assert page.locator("[data-slot=load]").inner_text() == ""
    assert page.evaluate("left") == []
