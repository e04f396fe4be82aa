"""Somebody signs in at a certified provider that runs beside Cadran, sees what their group may, and leaves both."""

import re
import shutil
import socket

import pytest
from certified_provider import CLIENT, MISSING, SECRET, certified
from served import serving

from cadran.book import SAMPLE, open_book
from cadran.book.reader import Reader
from cadran.measures import MEASURES, Question
from cadran.text import words_for

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

PEOPLE = {
    "7f3a": {"email": "ana@x.fr", "email_verified": True, "groups": ["sales-managers-north"], "locale": "fr-FR"},
    "9c1e": {"email": "eve@x.fr", "email_verified": True, "groups": ["staff"]},
}
SETTINGS = """
[serve]
sign_in = true
provider_name = "Acme"
client_secret = "secret.txt"
scope = ["groups"]

[groups."sales-managers-north"]
role = "manager"
regions = ["Nord"]
"""
FIRST = "/opportunities?lang=fr"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The sample, without surveys."""
    there = tmp_path_factory.mktemp("sample") / "book"
    shutil.copytree(SAMPLE, there, ignore=shutil.ignore_patterns("pulse"))
    return there


@pytest.fixture(scope="module")
def served(book):
    """Where Cadran answers, as its command serves it, and where its provider does."""
    (book.parent / "cadran.toml").write_text(SETTINGS, "utf-8")
    (book.parent / "secret.txt").write_text(f"{SECRET}\n", "utf-8")
    port = free_port()
    with certified(f"http://127.0.0.1:{port}", PEOPLE) as provider:
        options = ["--config", str(book.parent / "cadran.toml"), "--provider", provider, "--client-id", CLIENT]
        with serving(book, *options, "--port", str(port)) as address:
            yield address, provider


@pytest.fixture
def page(chromium):
    wrong = []
    page = chromium.new_context(locale="fr-FR").new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda told: wrong.append(told.text) if "Content Security Policy" in told.text else None)
    yield page
    page.context.close()
    assert wrong == []


def sign_in(page, served, name, to=FIRST):
    address, provider = served
    page.goto(address + to)
    page.get_by_role("link", name=re.compile("Acme")).click()
    page.wait_for_url(f"{provider}/interaction/*")
    page.locator("[name=login]").fill(name)
    page.locator("[name=password]").fill("any")
    page.locator("[type=submit]").click()
    page.get_by_role("button", name="Continue").click()  # what may be told of them


def test_somebody_sees_what_their_group_may_and_leaves_both(page, served, book):
    address, provider = served
    page.goto(f"{address}{FIRST}")
    assert page.get_by_role("link", name="Se connecter avec Acme").is_visible()
    assert page.locator("input").count() == 0  # no password is asked for here
    page.get_by_role("link", name="English").click()
    assert page.get_by_role("link", name="Sign in with Acme").is_visible()

    sign_in(page, served, "7f3a")
    page.wait_for_url(f"{address}{FIRST}")
    page.wait_for_selector("#live:not(.coming) [data-answered]", state="attached")
    seen = open_book(book)
    said = page.locator("#live [data-slot=headlines]").inner_text()
    words = words_for("fr")
    amounts = {
        name: words.money(
            MEASURES["volumes"].ask(each, Question()).row(0, named=True)["amount_open"], seen.settings.currency
        )
        for name, each in {"all": seen, "Nord": seen.scope(Reader("", "manager", frozenset({"Nord"})))}.items()
    }
    assert amounts["Nord"] != amounts["all"]
    assert amounts["Nord"] in said
    assert amounts["all"] not in said
    assert page.locator("#who a").inner_text() == "ana@x.fr"

    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url(f"{provider}/session/end*")
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{address}/sign-in*")
    page.goto(f"{address}{FIRST}")
    page.wait_for_url(f"{address}/sign-in*")
    page.get_by_role("link", name=re.compile("Acme")).click()
    page.wait_for_url(f"{provider}/interaction/*")  # who they are is asked anew


def test_who_leaves_the_provider_has_left_cadran(page, served):
    address, provider = served
    sign_in(page, served, "7f3a", "/account")
    page.wait_for_url(f"{address}/account*")
    other = page.context.new_page()
    other.goto(f"{provider}/session/end")
    other.get_by_role("button", name="Yes, sign me out").click()
    other.wait_for_url(f"{provider}/session/end/success*")
    page.reload()
    page.wait_for_url(f"{address}/sign-in*")


def test_who_is_in_no_group_of_ours_is_told_so(page, served):
    sign_in(page, served, "9c1e")

    page.get_by_role("heading", name="Vous n'êtes pas connecté").wait_for()
    assert re.search(r"«\sgroups\s»", page.locator("main").inner_text())
