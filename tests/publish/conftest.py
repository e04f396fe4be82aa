"""A tiny book, three notebooks, and the site that shows them on a real port."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from served import now, serving_here

from cadran.book import write_book
from cadran.publish.apps import App
from cadran.publish.site import Site
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery, Settings
from cadran.text import LANGUAGES

NOTEBOOKS = Path(__file__).parent / "notebooks"


def app(name):
    return App(name, name.title(), NOTEBOOKS / f"{name}.py")


def table(name, *rows):
    schema = TABLES[name].create_empty().schema
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """A folder with a book of one deal won for 1,234 and one lost for 567."""
    taken = datetime(2026, 6, 30, 12, tzinfo=UTC)
    opened, closed = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)
    stages = [("Talk", "open"), ("Won", "won"), ("Lost", "lost")]
    deals = {"won": 1234.0, "lost": 567.0}
    tables = {
        "stages": table(
            "stages",
            *({"stage": s, "position": i, "kind": k, "is_qualified": True} for i, (s, k) in enumerate(stages)),
        ),
        "opportunities": table("opportunities", *({"opportunity_id": deal, "created_at": opened} for deal in deals)),
        "versions": table(
            "versions",
            *({"opportunity_id": deal, "valid_from": opened, "stage": "Talk", "status": "open"} for deal in deals),
            *(
                {"opportunity_id": d, "valid_from": closed, "stage": d.title(), "status": d, "amount": a}
                for d, a in deals.items()
            ),
        ),
    }
    folder = tmp_path_factory.mktemp("book")
    write_book(folder, Delivery.whole(Settings("Tiny", taken, "Europe/Paris"), tables), taken)
    return folder


@pytest.fixture(scope="module")
def complaints():
    """What the site complained of."""
    return []


@pytest.fixture(scope="module")
def site(book, complaints):
    """The three notebooks on the tiny book. A site names its book to the whole process, so none outlives its tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CADRAN_BOOK", "")
        yield Site(book, [app("page"), app("plain"), app("broken")], complaints.append, clock=now)


@pytest.fixture(scope="module")
def address(site):
    """Where the site answers."""
    site.warm_up()
    for app in site.apps.values():
        for language in LANGUAGES:
            site.sights.make(app, language)
    with serving_here(site) as there:
        yield there


@pytest.fixture(scope="session")
def serve_site():
    """`with serve_site(site, port) as address`."""
    return serving_here
