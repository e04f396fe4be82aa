"""The shipped apps on the sample, served as a reader meets them, and a browser to meet them with."""

import pytest
from served import serving

from cadran.book import SAMPLE


@pytest.fixture(scope="session")
def served():
    """Where `cadran serve` shows the sample."""
    with serving(SAMPLE) as address:
        yield address


@pytest.fixture
def visit(served, chromium):
    """`visit(address, **context)`: the live page at an address; fails the test if the console held an error."""
    opened, wrong = [], []

    def go(address="/opportunities?lang=en", **context):
        page = chromium.new_context(**({"viewport": {"width": 1280, "height": 900}} | context)).new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(served + address)
        page.wait_for_selector("#live:not(.coming) [data-answered]", state="attached")
        page.wait_for_selector("#live [data-live=stock] svg")
        opened.append(page)
        return page

    yield go
    for page in opened:
        page.context.close()
    assert wrong == []
