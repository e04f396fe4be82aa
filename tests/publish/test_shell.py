"""The shell page in a real browser: the picture at once, then the live page with the same numbers."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from quick import no_past, quick_model
from served import now

from cadran.publish import shell
from cadran.publish.apps import shipped_apps
from cadran.publish.prepared import FirstSight
from cadran.publish.site import Site

pytestmark = pytest.mark.browser
SLOW = 20_000


@pytest.fixture
def reader(chromium):
    """A reader's browser window that notes what goes wrong, and what leaves this machine."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.wrong = []
    page.on("console", lambda told: page.wrong.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda asked: page.wrong.append(asked.url) if _leaves(asked.url) else None)
    yield page
    context.close()


def _leaves(url):
    return not url.startswith(("data:", "blob:")) and urlsplit(url).hostname != "127.0.0.1"


def is_live(page):
    page.wait_for_function("!document.getElementById('picture')", timeout=SLOW)


def never_live(page):
    """Let the page wait for a live page that does not come."""
    page.route_web_socket(re.compile("/ws"), lambda _socket: None)


def test_the_picture_gives_way_to_the_live_page(reader, address):
    reader.goto(f"{address}/page?theme=dark")
    is_live(reader)

    expect(reader.locator("#live strong")).to_have_text("€1,234")
    expect(reader.locator("#live strong")).to_be_visible()
    assert reader.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 26)"
    assert reader.title() == "Toy · Cadran"
    assert reader.locator("#line").is_hidden()
    assert reader.wrong == []


def test_without_scripts_the_picture_stays(chromium, address):
    context = chromium.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{address}/page")

    expect(page.locator("#picture strong")).to_have_text(re.compile("1.234.€"))
    assert "autorisez JavaScript" in page.locator("noscript").text_content()
    context.close()


def test_a_change_is_answered_and_the_address_brings_it_back(reader, address):
    reader.goto(f"{address}/page")
    is_live(reader)
    reader.locator("select[data-control=outcome]").select_option("lost")
    expect(reader.locator("#live strong")).to_have_text("€567")
    assert "outcome=lost" in reader.url

    reader.goto(reader.url, wait_until="commit")
    expect(reader.locator(".skeleton").or_(reader.locator("#live strong"))).not_to_contain_text("1,234")
    expect(reader.locator("#live strong")).to_have_text("€567", timeout=SLOW)
    assert reader.wrong == []


def test_a_notebook_that_is_no_page_comes_in_a_frame(reader, address):
    reader.goto(f"{address}/plain")
    is_live(reader)

    expect(reader.frame_locator("#live iframe").get_by_text("An analyst's own words")).to_be_visible()


def test_a_live_page_that_is_late_is_told(reader, address, monkeypatch):
    monkeypatch.setattr(shell, "PATIENCE", 0.5)
    never_live(reader)
    reader.goto(f"{address}/page?lang=fr")

    expect(reader.locator("#line")).to_contain_text("tarde à venir")
    expect(reader.locator("#line button")).to_have_text("Recharger")
    expect(reader.locator("#picture strong")).to_have_text(re.compile("1.234.€"))


def test_a_view_that_cannot_be_computed_is_told(reader, address):
    reader.goto(f"{address}/page?outcome=none")

    expect(reader.locator("#line")).to_contain_text("could not be shown", timeout=SLOW)


def test_a_lost_connection_is_told_and_come_back_to(reader, site, serve_site):
    with serve_site(site) as there:
        reader.goto(f"{there}/page?outcome=lost")
        expect(reader.locator("#live strong")).to_have_text("€567", timeout=SLOW)
        reader.wait_for_timeout(300)
    expect(reader.locator("#line")).to_contain_text("connection to Cadran is lost")

    with serve_site(site, urlsplit(there).port):
        expect(reader.locator("#line")).to_be_hidden(timeout=SLOW)
        expect(reader.locator("#live strong")).to_have_text("€567")
        reader.locator("select[data-control=outcome]").select_option("won")
        expect(reader.locator("#live strong")).to_have_text("€1,234")


#: What a reader sees of each place: its text, and what its marks say of themselves. Where an axis ends hangs on its width.
SEEN = """() => {
  const host = document.querySelector('#picture > div, #live:not(.coming) > div');
  return Object.fromEntries([...host.shadowRoot.querySelectorAll('[data-slot]')].map((place) => [place.dataset.slot, [
    place.innerText.replace(/\\s+/g, ' ').trim(),
    ...[...place.querySelectorAll('svg [aria-label]:not(.role-axis)')].map((mark) => mark.getAttribute('aria-label')).sort(),
  ]]));
}"""


@pytest.mark.parametrize("language", ["fr"])  # in English: `browser/test_opportunities_page.py`
@pytest.mark.parametrize("app", shipped_apps(), ids=lambda app: app.name)
def test_the_prepared_numbers_are_the_live_ones(reader, small_company, serve_site, monkeypatch, app, language):
    monkeypatch.setenv("CADRAN_BOOK", "")
    # The very model of the other pages' tests: what is learnt of the one small company is held for all of them.
    monkeypatch.setattr("cadran.models.kept.model", lambda book: quick_model(book, "logit"))
    monkeypatch.setattr("cadran.models.kept.past", no_past)
    monkeypatch.setattr("cadran.models.forecast.past_forecasts", lambda book, seed: no_past(book))
    site = Site(small_company, [app], clock=now)
    assert isinstance(site.sights.make(app, language), FirstSight)
    with serve_site(site) as there:
        waiting = reader.context.new_page()
        never_live(waiting)
        waiting.goto(f"{there}/{app.name}?lang={language}")
        prepared = waiting.evaluate(SEEN)
        waiting.close()
        reader.goto(f"{there}/{app.name}?lang={language}")
        is_live(reader)
        live = reader.evaluate(SEEN)

    assert sum(len(seen[0]) for seen in prepared.values()) > 200
    assert prepared == live
    assert reader.wrong == []


def test_without_websockets_the_prepared_picture_stays_and_says_so(reader, address):
    reader.add_init_script("delete window.WebSocket")
    reader.goto(f"{address}/page?lang=fr")

    expect(reader.locator("#line")).to_contain_text("Aucune connexion continue", timeout=SLOW)
    expect(reader.locator("#picture strong")).to_have_text("1 234 €")
    # A view other than the first one has no picture: the first one's is shown.
    reader.goto(f"{address}/page?lang=fr&outcome=lost")
    reader.wait_for_url(f"{address}/page?lang=fr")
    expect(reader.locator("#picture strong")).to_be_visible()


def test_what_lets_no_websocket_through_is_told_as_that(reader, address):
    reader.route_web_socket(re.compile("/ws"), lambda socket: socket.close())
    reader.goto(f"{address}/page")

    expect(reader.locator("#line")).to_contain_text("No live connection", timeout=SLOW)
    expect(reader.locator("#picture strong")).to_have_text("€1,234")


def test_a_page_closed_to_make_room_says_so_and_comes_back_when_loaded_again(reader, site, serve_site):
    with serve_site(site) as there:
        reader.goto(f"{there}/page?outcome=lost")
        expect(reader.locator("#live strong")).to_have_text("€567", timeout=SLOW)
        (page,) = site.pages.longest_unused(9)
        page.closed.set()

        expect(reader.locator("#line")).to_contain_text("closed this page to make room", timeout=SLOW)
        reader.locator("#line button").click()
        expect(reader.locator("#live strong")).to_have_text("€567", timeout=SLOW)
        expect(reader.locator("#line")).to_be_hidden()
