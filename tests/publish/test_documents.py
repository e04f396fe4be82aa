"""Documentation that is written from the code is the code's."""

from pathlib import Path

import pytest

from cadran.publish.documents import PAGES

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says_now(name):
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run `make docs`"
