"""A presentation that a phone follows, and a server killed in the middle of it: both are back where they were."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
ROOT = "document.querySelector('#live > div:last-child').shadowRoot"
PHONE = "document.querySelector('#shown')?.shadowRoot"
#: The pulse page answers at once: no model stands behind what it presents.
QUERY = "lang=en&use=present&scene=if"


@contextmanager
def server(book, port="0"):
    """`cadran serve` in a process of its own, and where it answers."""
    command = [str(Path(sys.executable).parent / "cadran"), "serve", "--book", str(book), "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            yield run, run.stdout.readline().strip()
        finally:
            run.kill()


@pytest.fixture
def book(small_company, tmp_path):
    folder = tmp_path / "book"
    shutil.copytree(small_company, folder)
    return folder


def test_a_room_outlives_a_server_that_is_killed(chromium, book):
    wrong = []
    wide = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    narrow = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", locale="fr-FR")
    page, phone = wide.new_page(), narrow.new_page()
    for each in (page, phone):
        each.set_default_timeout(120_000)
        each.on("pageerror", lambda error: wrong.append(str(error)))

    with server(book) as (run, address):
        page.goto(f"{address}/pulse?{QUERY}")
        # With the keyboard: the room is opened, its code is shown, and has the focus.
        page.locator("#room .begin").wait_for()
        page.locator("#room .begin").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#room details[open] .picture svg")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        code = page.locator("#room .code").inner_text()
        phone.goto(f"{address}/r")
        phone.wait_for_function("document.activeElement.id === 'code'")
        phone.keyboard.type(code.lower())
        phone.keyboard.press("Enter")
        phone.wait_for_url("**/r/*")
        phone.wait_for_function(f"{PHONE}?.querySelector('[data-slot=if_told]')?.innerText")
        assert phone.evaluate("document.documentElement.lang + document.querySelector('#shown').lang") == "fren"
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.wait_for_function("document.querySelector('#room .count').innerText === '1 person follows'")

        rise = page.locator("[data-slot=levers] input[data-control=rise]")
        before = told(page)
        rise.focus()
        page.keyboard.press("ArrowRight")
        step = rise.input_value()
        phone.wait_for_function(f"s => {PHONE}.querySelector('input[data-control=rise]').value === s", arg=step)
        shown = same_told(page, phone, before)

        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        page.wait_for_function("document.documentElement.hasAttribute('data-stale')")
        phone.wait_for_function("!document.querySelector('#said').hidden")
        assert "perdue" in phone.locator("#said").inner_text()
        page.evaluate(f"{ROOT}.querySelector('[data-slot=levers] input[data-control=rise]').mark = 1")

    with server(book, address.rpartition(":")[2]):
        page.wait_for_function(
            f"!document.documentElement.hasAttribute('data-stale') && !{ROOT}.querySelector('input').mark"
        )
        phone.wait_for_function("document.querySelector('#said').hidden")
        assert rise.input_value() == step
        page.wait_for_function(f"t => {ROOT}.querySelector('[data-live=if_told]').innerText === t", arg=shown)
        assert page.locator("#room .code").inner_text() == code
        # Both answer as before, and each press is heard once.
        rise.focus()
        page.keyboard.press("ArrowLeft")
        phone.wait_for_function(
            f"s => {PHONE}.querySelector('input[data-control=rise]').value === s", arg=str(int(step) - 1)
        )
        same_told(page, phone, shown)
        page.keyboard.press("PageDown")
        page.wait_for_function(f"{ROOT}.querySelector('[aria-current=step]')?.innerText === 'What was written'")

        page.locator("#room [data-room=end]").click()
        phone.wait_for_function("document.querySelector('#said').innerText === 'La présentation est terminée.'")
        assert phone.evaluate(f"{PHONE}.innerHTML") == ""
        phone.reload()
        phone.wait_for_function("document.querySelector('#said').innerText.startsWith('Aucune salle')")
    wide.close()
    narrow.close()
    assert wrong == []


def told(page):
    """What the what-if says."""
    return page.locator("[data-live=if_told]").inner_text()


def same_told(page, phone, before):
    """Page and phone come to say the same, and not what was said before; what it is."""
    page.wait_for_function(f"t => {ROOT}.querySelector('[data-live=if_told]').innerText !== t", arg=before)
    phone.wait_for_function(f"t => {PHONE}.querySelector('[data-live=if_told]').innerText === t", arg=told(page))
    return told(page)
