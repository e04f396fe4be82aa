"""A book that is replaced, rewritten or out of reach while readers are on it: nobody sees two versions at once."""

import json
import secrets
from datetime import date
from pathlib import Path

import pytest
from intruder import Target, all_heard, heard, model_of
from playwright.sync_api import expect
from served import now, serving_here
from signed import book as write

from cadran.book import open_book
from cadran.book.forget import forget
from cadran.book.held import hold
from cadran.publish.apps import App
from cadran.publish.site import Site

PAGE = App("page", "Toy", Path(__file__).parent / "notebooks" / "page.py", is_page=True)
OLD, NEW = "1,234", "9,876"
SLOW = 20_000


def import_again(folder, amount=9876.0, day=date(2026, 7, 31)):
    """A new version of the book."""
    write(folder, [{"status": "won", "closed": date(2026, 6, 15), "amount": amount}], day)


@pytest.fixture
def folder(tmp_path):
    """A book of one deal won for 1,234."""
    import_again(tmp_path / "book", 1234.0, date(2026, 6, 30))
    return tmp_path / "book"


@pytest.fixture
def there(folder, monkeypatch):
    """Where it is served."""
    monkeypatch.setenv("CADRAN_BOOK", "")
    site = Site(folder, [PAGE], clock=now)
    site.warm_up()
    with serving_here(site) as address:
        yield Target(address, None)


@pytest.fixture
def live(there):
    """A page that a reader has open: `tell(view)` gives the status, `heard()` what comes of it."""
    session = secrets.token_hex(16)
    with there.open(session, app="page") as socket:
        told = heard(socket)
        assert OLD in told

        class Live:
            def tell(self, *, content=None, **view):
                message = {"method": "update", "state": {"view": view}, "bufferPaths": []}
                if content:
                    message = {"method": "custom", "content": content}
                return there.tell(session, model_of(told), message, app="page")

            def heard(self):
                return all_heard(socket, 0.5)

        yield Live()


def test_whoever_asks_for_something_else_is_sent_to_the_new_book(live, folder):
    assert live.tell(controls={"outcome": "lost"}, seq=1) == 200
    live.heard()
    import_again(folder)

    assert live.tell(controls={"outcome": "won"}, seq=2) == 409
    assert live.heard() == ""


def test_what_is_asked_again_what_moves_and_files_are_answered_from_the_book_the_page_shows(live, folder):
    assert live.tell(controls={"outcome": "won"}, seq=1) == 200
    live.heard()
    import_again(folder)

    assert live.tell(controls={"outcome": "won"}, seq=2) == 200
    assert live.tell(controls={"outcome": "won"}, moving="outcome", seq=3) == 200
    assert live.tell(content={"export": "headlines", "format": "csv"}) == 200
    told = live.heard()
    assert OLD in told
    assert NEW not in told


def test_pages_go_on_while_the_book_is_out_of_reach_and_no_other_is_begun(live, there, folder):
    folder.rename(folder.with_name("away"))

    assert live.tell(controls={"outcome": "lost"}, seq=1) == 200
    assert "slots" not in live.heard()  # what the page shows stays; its browser says that no answer came
    assert json.loads(there.ask("/healthz")[1]) == {"status": "ok", "book": None}
    assert there.ask("/readyz")[0].status == 503
    answer, page = there.ask("/page?lang=en")
    assert (answer.status, "cannot be read at this moment" in page) == (503, True)

    folder.with_name("away").rename(folder)
    assert there.ask("/page?lang=en")[0].status == 200
    assert live.tell(controls={"outcome": "won"}, seq=2) == 200
    assert OLD in live.heard()


def test_somebody_forgotten_is_gone_from_what_is_asked_next(live, folder):
    held = hold(open_book(folder), ["opportunity_id", "seller"])
    assert "r1" in held.collect(held.deals(["seller"]))["seller"].to_list()
    forget(folder, "r1")

    assert live.tell(controls={"outcome": "lost"}, seq=1) == 409
    anew = hold(open_book(folder), ["opportunity_id", "seller"])
    assert "r1" not in anew.collect(anew.deals(["seller"]))["seller"].to_list()
    assert "r1" not in anew.collect(anew.table("reps").select("rep_id"))["rep_id"].to_list()


@pytest.mark.browser
def test_a_reader_sees_the_new_book_at_the_next_action_and_is_told(chromium, there, folder):
    page = chromium.new_context(locale="en-GB").new_page()
    page.goto(f"{there.address}/page")
    amount = page.locator("#live strong")
    expect(amount).to_have_text(f"€{OLD}", timeout=SLOW)
    page.locator("select[data-control=outcome]").select_option("lost")
    expect(amount).to_have_text("€0", timeout=SLOW)
    import_again(folder)
    page.wait_for_timeout(300)
    assert amount.inner_text() == "€0"  # until something is asked

    page.locator("select[data-control=outcome]").select_option("won")
    expect(amount).to_have_text(f"€{NEW}", timeout=SLOW)
    expect(page.locator("#note")).to_have_text("The data is now of 31 Jul 2026 23:00.")
    page.locator("select[data-control=outcome]").select_option("lost")
    expect(amount).to_have_text("€0", timeout=SLOW)
    page.reload()
    expect(amount).to_have_text("€0", timeout=SLOW)
    assert page.locator("#note").is_hidden()
    page.context.close()
