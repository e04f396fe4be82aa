"""One small company's reports, gathered once: the tests read them."""

import shutil
from contextlib import contextmanager
from datetime import UTC, datetime

import polars as pl
import pytest
from parts import part_of_sample
from quick import no_past, quick_model

from cadran.book import open_book
from cadran.reports.gathered import AXES, gather
from cadran.reports.pictures import Pictures
from cadran.text import words_for

MADE = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


@contextmanager
def reading(folder):
    """Pages read this book. No selection of a win model, and no backtests: they are tested for themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CADRAN_BOOK", str(folder))
        patch.setattr("cadran.models.kept.model", lambda book: quick_model(book, "logit"))
        patch.setattr("cadran.models.forecast.past_forecasts", lambda book, seed: no_past(book))
        yield open_book(folder)


@pytest.fixture(scope="session")
def company(small_company_invented, tmp_path_factory):
    """The folder of a small company, for reading."""
    folder = tmp_path_factory.mktemp("company") / "book"
    shutil.copytree(small_company_invented, folder)
    return folder


@pytest.fixture(scope="session")
def gathered(company):
    """`gathered(axes, language, …)`: a report of the small company, or of another book."""
    with Pictures() as pictures:

        def gather_it(axes=AXES, language="en", reader=None, day=None, folder=company, **more):
            with reading(folder) as book:
                return gather(book, axes, words_for(language), reader, day, MADE, pictures, is_drawn=False, **more)

        yield gather_it


@pytest.fixture(scope="session")
def french(gathered):
    """All axes, in French."""
    return gathered(language="fr")


@pytest.fixture(scope="session")
def english(gathered):
    """Two axes, in English."""
    return gathered(("opportunities", "pulse"))


@pytest.fixture(scope="session", params=[0, 1])
def poor(request, gathered, tmp_path_factory):
    """All axes of a book without any deal, and of one with a single one."""
    folder = tmp_path_factory.mktemp("poor")
    part_of_sample(folder, pl.col("number") < request.param)
    return gathered(folder=folder)
