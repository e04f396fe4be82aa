"""The forecast judged by what came, on invented companies: better than the rivals, its intervals as wide as they say.

Two minutes of a core each; `models` says which code made a line: remove the file to judge other code.
"""

import polars as pl
import pytest

from cadran.book import SAMPLE, open_book, write_book
from cadran.models.forecast_past import forecast_past
from cadran.models.forecast_scores import scores
from cadran.models.made_by import made_by
from cadran.sources.sample import invent

#: Companies, and deals of each: half of those of the sample.
SEEDS, DEALS = 20, 3000
#: Whom the forecast must beat on the sample.
RIVALS = ("seasonal_naive", "ets", "crm")
BETWEEN = {"coverage_80": (0.77, 0.83), "coverage_95": (0.93, 0.97)}


def _line(row, level):
    """What is kept of one candidate's scores."""
    names = ("wape", "mase", "pinball", "bias", *BETWEEN, "difference", "difference_low", "difference_high")
    figures = {name: None if row[name] is None else round(row[name], 4) for name in names}
    return {"level": level, "name": row["name"], "n": row["n"], "n_origins": row["n_origins"]} | figures


@pytest.fixture(params=["sample", *range(SEEDS)])
def told(request, ledger, tmp_path):
    """A company, and the scores of its candidates by name."""
    key = {"seed": request.param}
    if ledger.find(**key) is None:
        folder = SAMPLE
        if request.param != "sample":
            delivery = invent(DEALS, seed=100 + request.param)
            write_book(folder := tmp_path / "book", delivery, delivery.settings.taken)
        past = forecast_past(open_book(folder))
        made = {
            "since": str(past.since),
            "until": str(past.until),
            "models": made_by("cadran.models.forecast_past")[:12],
        }
        for level in ("company", "region"):
            for row in scores(past.judged.filter(level=level), "blend").filter(pl.col("n") > 0).iter_rows(named=True):
                ledger.add(**key, **made, **_line(row, level))
    return request.param, {
        line["name"]: line for line in ledger.lines if (key | {"level": "company"}).items() <= line.items()
    }


def test_it_beats_its_rivals_on_the_sample(told):
    name, rows = told

    assert rows["blend"]["n_origins"] >= 12
    if name == "sample":
        assert all(rows["blend"]["wape"] < rows[rival]["wape"] for rival in RIVALS)


@pytest.fixture
def pooled(ledger):
    """The lines of all companies by candidate, as this code made them, and the shares that the blend's intervals held."""
    made = made_by("cadran.models.forecast_past")[:12]
    mine = [
        line
        for line in ledger.lines
        if line["models"] == made and line["level"] == "company" and line["seed"] != "sample"
    ]
    of = {name: [line for line in mine if line["name"] == name] for name in ("blend", *RIVALS)}
    assert len(of["blend"]) == SEEDS, "run the whole file: each company is added once"
    n = sum(line["n"] for line in of["blend"])
    return of, {name: sum(line[name] * line["n"] for line in of["blend"]) / n for name in BETWEEN}


def test_over_all_companies_it_beats_its_rivals_and_its_95_intervals_hold_what_they_say(pooled):
    of, held = pooled

    low, high = BETWEEN["coverage_95"]
    assert low <= held["coverage_95"] <= high
    means = {name: sum(line["wape"] for line in lines) / SEEDS for name, lines in of.items()}
    assert all(means["blend"] < means[rival] for rival in RIVALS), means


@pytest.mark.xfail(
    strict=True, reason="They held 84.0 % (standard error 1.8): a little wide, as docs/forecast.md says."
)
def test_over_all_companies_its_80_intervals_hold_what_they_say(pooled):
    low, high = BETWEEN["coverage_80"]
    assert low <= pooled[1]["coverage_80"] <= high
