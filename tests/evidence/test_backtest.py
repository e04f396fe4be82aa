"""Win probabilities judged by what came: on the sample, on one whose facts tell nothing, and on a real export."""

from pathlib import Path

import pytest

from cadran.book import SAMPLE, open_book, write_book
from cadran.models.backtest import backtest
from cadran.models.made_by import made_by
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.sources.sample import invent

MAVEN = Path(__file__).parents[3] / "shared" / "data" / "maven_crm"
SIMPLE = ("constant", "stage rates")
#: What is told of a book is the command that prints it.
BOOKS = {
    "sample": "cadran backtest win --book data/sample",
    "no signal": "cadran sample --signal 0 --book none && cadran backtest win --book none",
    "maven_crm": "cadran import maven_crm --from ../shared/data/maven_crm --book maven && cadran backtest win --book maven",
}


def _book(name, tmp_path):
    if name == "sample":
        return open_book(SAMPLE)
    if name == "no signal":
        delivery = invent(signal=0.0)
    elif MAVEN.exists():
        delivery = deliver(load_mapping("maven_crm"), MAVEN)
    else:
        pytest.skip("the real files are not beside this clone")
    write_book(tmp_path / "book", delivery, delivery.settings.taken)
    return open_book(tmp_path / "book")


@pytest.fixture(params=BOOKS)
def told(request, ledger, tmp_path):
    """The name of a book, and the rows of its backtest by name."""
    key = {"book": request.param, "prints": BOOKS[request.param], "models": made_by("cadran.models.backtest")[:12]}
    if ledger.find(**key) is None:
        found = backtest(_book(request.param, tmp_path))
        days = {"since": str(found.since), "until": str(found.until)}
        left_out = {"left_out": [suspect.fact for suspect in found.suspects]}
        for row in found.scores.iter_rows(named=True):
            kept = {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
            ledger.add(**key, **days, **kept, **left_out)
    return request.param, {line["name"]: line for line in ledger.lines if key.items() <= line.items()}


def test_the_choice_is_worth_it_or_refused(told):
    name, rows = told
    (chosen,) = (row for row in rows.values() if row["chosen"])

    assert chosen["difference"] <= 0.002
    if name != "sample":
        assert chosen["name"] in SIMPLE
        return
    assert all(
        chosen["log_loss"] <= row["log_loss"] for row in rows.values() if row["n"] and row["name"] != chosen["name"]
    )
    assert 0.9 <= chosen["calibration_slope"] <= 1.1
    assert abs(chosen["calibration_intercept"]) <= 0.1
