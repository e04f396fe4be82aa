"""Every page held to WCAG 2.2 AA, as far as axe can tell, in both languages, both themes, on a laptop and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from quick import no_past, quick_model
from respondent import opened
from served import now, serving_here, serving_readers

from cadran.access.accounts import Accounts
from cadran.book.reader import Reader
from cadran.publish.apps import shipped_apps
from cadran.publish.site import Site
from cadran.publish.survey import Respondents

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCREENS = {"laptop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
SEEN = [("fr", "light", "laptop"), ("en", "dark", "phone")]
PASSWORD = "violet marble tractor seven"


@pytest.fixture(scope="module")
def served(small_company):
    """Where all pages of the small company are shown, models without their selection and backtest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CADRAN_BOOK", "")
        for place in ("cadran.models.kept.model", "cadran.models.outlook.kept.model"):
            patch.setattr(place, lambda book: quick_model(book, "logit"))
        patch.setattr("cadran.models.outlook.kept.past", no_past)
        patch.setattr("cadran.models.forecast.past_forecasts", lambda book, seed: no_past(book))
        with serving_here(Site(small_company, shipped_apps(), clock=now)) as address:
            yield address


@pytest.fixture
def look(chromium):
    """`look(address, theme, screen)`: the page at an address, in a window of its own."""
    contexts = []

    def go(address, theme, screen):
        # axe is put into the page, which a page's own policy forbids.
        contexts.append(chromium.new_context(viewport=SCREENS[screen], color_scheme=theme, bypass_csp=True))
        page = contexts[-1].new_page()
        page.set_default_timeout(150_000)  # beside other tests, on two cores
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()


def breaches(page):
    """The rules that the page breaks, with the first element of each."""
    found = Axe().run(page, options=RULES).response
    assert len(found["passes"]) > 10
    return {rule["id"]: rule["nodes"][0]["html"][:200] for rule in found["violations"]}


@pytest.mark.parametrize(("language", "theme", "screen"), SEEN)
@pytest.mark.parametrize("name", ["opportunities", "process", "resources", "pulse", "definitions"])
def test_a_page(served, look, name, language, theme, screen):
    page = look(f"{served}/{name}?lang={language}", theme, screen)
    page.wait_for_selector("#live:not(.coming) [data-answered]", state="attached")
    page.wait_for_function("() => !document.querySelector('#live div').shadowRoot.querySelector('[aria-busy]')")

    assert page.locator("html").get_attribute("lang") == language
    assert breaches(page) == {}


@pytest.mark.parametrize(("language", "theme", "screen"), SEEN)
def test_the_home_page(served, look, language, theme, screen):
    page = look(f"{served}/?lang={language}", theme, screen)

    assert page.locator("html").get_attribute("lang") == language
    assert breaches(page) == {}


@pytest.mark.parametrize(("language", "theme", "screen"), SEEN)
def test_the_pages_on_which_one_signs_in(small_company, look, tmp_path, monkeypatch, language, theme, screen):
    monkeypatch.setenv("CADRAN_BOOK", "")
    accounts = Accounts(tmp_path)
    accounts.add(Reader("ana", "analyst", language=language), PASSWORD, now())
    with serving_readers(small_company, shipped_apps()[:1], accounts) as address:
        page = look(f"{address}/account?lang={language}", theme, screen)
        assert breaches(page) == {}
        for password in ("wrong", PASSWORD):
            page.locator("#name").fill("ana")
            page.locator("#password").fill(password)
            page.locator("form button").click()
            page.wait_for_selector("[role=alert], #new")
            assert breaches(page) == {}


@pytest.mark.parametrize(("language", "theme", "screen"), SEEN)
def test_the_page_of_a_survey(small_company, look, tmp_path, monkeypatch, language, theme, screen):
    monkeypatch.setenv("CADRAN_BOOK", "")
    with opened(tmp_path) as (ballots, tokens):
        surveys = Respondents(lambda: ballots, now, now().tzinfo, lambda problem: pytest.fail(str(problem)))
        with serving_here(Site(small_company, (), surveys=surveys, clock=now)) as address:
            page = look(f"{address}/s/{next(iter(tokens))}?lang={language}", theme, screen)
            assert breaches(page) == {}
