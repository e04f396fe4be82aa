"""The day to begin to hire by, on invented companies whose month of shortage is known."""

import hashlib
from pathlib import Path

import company
import polars as pl
import pytest

from cadran.models import hiring

SEEDS = range(50)
#: "Within one month", in days.
MONTH_DAYS = 31


def _process() -> str:
    """A digest of the generator and of the code that plans: lines of another are not mixed with these."""
    whole = hashlib.sha256(Path(company.__file__).read_bytes())
    for name in ("hiring", "load_ahead", "ramp", "shortage", "staff", "workforce", "working_days", "workload"):
        whole.update((Path(hiring.__file__).parent / f"{name}.py").read_bytes())
    return whole.hexdigest()[:12]


@pytest.mark.parametrize("seed", SEEDS)
def test_hire_by(ledger, tmp_path, seed):
    key = {"seed": seed, "process": _process()}
    if ledger.find(**key) is not None:
        return
    made = company.company(tmp_path / "book", seed)
    told = made.hiring()
    rows = told.hire_by.filter(pl.col("level") == "region", pl.col("group") == made.region)
    short = dict(rows.select("case", "shortage_month").iter_rows())
    by, true = dict(rows.select("case", "hire_by").iter_rows())["base"], made.hire_by(told)
    force = told.plan.force
    ledger.add(
        **key, day=str(made.book.day), region=made.region, true_short=str(made.short), true_hire_by=str(true),
        **{f"short_{case}": str(short[case]) for case in ("best", "base", "worst")}, hire_by=str(by),
        days_off=None if by is None else (by - true).days, useful_months=told.useful, hours=force.workload.basis,
        hours_per_open_deal=round(force.workload.open_hours, 3), yearly_attrition=round(12 * force.attrition.monthly, 4),
    )  # fmt: skip


def test_within_one_month_in_four_of_five(ledger):
    lines = [ledger.find(seed=seed, process=_process()) for seed in SEEDS]
    close = [line["days_off"] is not None and abs(line["days_off"]) <= MONTH_DAYS for line in lines]

    assert sum(close) >= 0.8 * len(lines)
