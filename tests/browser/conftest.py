"""The shipped apps on the sample, served as a reader meets them, and a browser to meet them with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def served():
    """Where `cadran serve` shows the sample."""
    command = [str(Path(sys.executable).parent / "cadran"), "serve", "--port", "0"]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CADRAN_BOOK")}
    sample = Path(__file__).parent.parent.parent / "data" / "sample"
    server = subprocess.Popen([*command, "--book", str(sample)], stdout=subprocess.PIPE, text=True, env=settings)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait(10)
    server.stdout.close()


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
