"""Somebody signs in on a phone, sees what is theirs, and leaves nothing behind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from served import serving_readers

from cadran.access.accounts import Accounts
from cadran.book.reader import Reader
from cadran.publish.apps import App

WHOSE = App("whose", "Whose", Path(__file__).parent.parent / "publish" / "notebooks" / "page.py", is_page=True)
MADE_UP, OWN = "violet marble tractor seven", "copper window ladder ninety"
LIVE = "performance.getEntriesByName('cadran-live').length > 0"


@pytest.fixture
def address(small_company, tmp_path, monkeypatch):
    """A site to which Ana signs in for the first time."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    accounts = Accounts(tmp_path)
    ana = Reader("ana@example.com", "manager", frozenset({"Nord"}), language="fr")
    accounts.add(ana, MADE_UP, datetime.now(UTC), is_temporary=True)
    with serving_readers(small_company, [WHOSE], accounts) as there:
        yield there


def test_the_first_time_on_a_phone_with_the_keyboard(chromium, address):
    wrong = []
    page = chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR", color_scheme="dark").new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: wrong.append(str(error)))

    page.goto(f"{address}/whose?lang=fr")
    assert page.locator("html").get_attribute("lang") == "fr"
    page.keyboard.type("ana@example.com")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("not it")
    page.keyboard.press("Enter")
    assert "n'est pas le bon" in page.get_by_role("alert").inner_text()
    assert page.evaluate("document.activeElement.id") == "password"
    page.keyboard.type(MADE_UP)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account*")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Mot de passe actuel").fill(MADE_UP)
    page.get_by_label("Nouveau mot de passe").fill(OWN)
    page.get_by_role("button", name="Changer le mot de passe").click()
    assert "Connectez-vous" in page.get_by_role("status").locator("visible=true").inner_text()
    page.get_by_label("Mot de passe").fill(OWN)
    page.keyboard.press("Enter")

    to_page = page.get_by_role("main").get_by_role("link", name="Whose")  # from the home page
    to_page.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    to_page.click()
    page.wait_for_function(LIVE)
    assert page.locator("#who a").inner_text() == "ana@example.com"
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/sign-in*")
    page.go_back()
    page.wait_for_url("**/sign-in*")  # nothing of the page is left in the browser
    page.context.close()
    assert wrong == []
