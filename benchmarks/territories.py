"""`python -m benchmarks.territories`: accounts shared out anew, beside the whole as one mixed-integer model by HiGHS.

The same instances, the same time limit, the same run. Invented: weights are lognormal, owners skewed, one account in
twenty locked, one in five of those whose seller speaks German asks for German.
"""

import argparse
import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from benchmarks.report import put
from cadran.models.territories import Reassigned, reassign
from cadran.models.territories_case import NOBODY, Case, case

TOLERANCE = 0.1
ACCOUNTS = {
    "account_id": pl.String, "rep_id": pl.String, "weight": pl.Float64, "region": pl.String,
    "languages": pl.List(pl.String), "is_locked": pl.Boolean, "named_rep_id": pl.String,
}  # fmt: skip
REPS = {"rep_id": pl.String, "region": pl.String, "languages": pl.List(pl.String), "share": pl.Float64}


@dataclass(frozen=True)
class Instance:
    """One question, with its time limit in seconds."""

    title: str
    accounts: pl.DataFrame
    reps: pl.DataFrame
    seconds: float


def instance(title: str, n: int, m: int, regions: int, seconds: float, seed: int, conflict: bool = False) -> Instance:
    """An invented question; with a conflict, one seller's locked accounts alone are beyond the band."""
    random = np.random.default_rng(seed)
    region = [f"G{place % regions}" if regions > 1 else None for place in range(m)]
    spoken = [["fr", "de"] if random.random() < 0.4 else ["fr"] for _ in range(m)]
    skew = random.lognormal(0, 0.35, m)
    owner = random.choice(m, n, p=skew / skew.sum())
    locked = random.random(n) < 0.05
    if conflict:
        locked |= owner == int(np.argmax(np.bincount(owner)))
    rows = {
        "account_id": [f"A{place:05}" for place in range(n)], "rep_id": [f"R{each:03}" for each in owner],
        "weight": random.lognormal(3, 1, n).round(2), "region": [region[each] for each in owner],
        "languages": [["de"] if "de" in spoken[each] and random.random() < 0.2 else None for each in owner],
        "is_locked": locked, "named_rep_id": [None] * n,
    }  # fmt: skip
    sellers = {
        "rep_id": [f"R{place:03}" for place in range(m)],
        "region": region,
        "languages": spoken,
        "share": [1.0] * m,
    }
    return Instance(title, pl.DataFrame(rows, ACCOUNTS), pl.DataFrame(sellers, REPS), seconds)


def whole(asked: Case, seconds: float) -> tuple[int | None, float | None]:
    """The peer: every account and every seller who may take it in one model, as a textbook has it. The moves of what it
    found within the limit, and its own bound; none where it found nothing that keeps the bands."""
    can = asked.can[asked.kind].copy()
    can[~asked.is_free] = False
    fixed = np.flatnonzero(~asked.is_free)
    can[fixed, asked.fixed[fixed]] = True
    account, rep = np.nonzero(can)
    n, places = len(account), np.arange(len(account))
    scale = float(asked.target.max())
    loads = csr_array((asked.weight[account] / scale, (rep, places)), shape=(len(asked.rep_ids), n))
    once = csr_array((np.ones(n), (account, places)), shape=(len(asked.account_ids), n))
    cost = ((asked.owner[account] != NOBODY) & (asked.owner[account] != rep)).astype(float)
    rules = [LinearConstraint(once, 1, 1), LinearConstraint(loads, asked.low / scale, asked.high / scale)]
    told = milp(cost, integrality=np.ones(n), bounds=Bounds(0, 1), constraints=rules, options={"time_limit": seconds})
    return None if told.x is None else round(float(cost @ told.x)), told.mip_dual_bound


def main() -> None:
    """Both on each instance; the targets, and whether they were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    instances = [
        instance("2,000 × 40, 5 regions", 2000, 40, 5, 30, asked.seed),
        instance("2,000 × 40, one region", 2000, 40, 1, 30, asked.seed + 1),
        instance("2,000 × 40, locks that conflict", 2000, 40, 5, 30, asked.seed + 2, conflict=True),
        instance("10,000 × 200, 10 regions", 10_000, 200, 10, 120, asked.seed + 3),
        instance("10,000 × 200, one region", 10_000, 200, 1, 120, asked.seed + 4),
    ]
    lines = [
        "| instance | limit | Cadran | moves | bound | gap | HiGHS, the whole | moves |",
        "|---|---|---|---|---|---|---|---|",
    ]
    targets = ["", "| target | found | |", "|---|---|---|"]
    for each in instances:
        began = time.perf_counter()
        found = reassign(each.accounts, each.reps, TOLERANCE, each.seconds)
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        moves, _ = whole(case(each.accounts, each.reps, TOLERANCE), each.seconds)
        peer = time.perf_counter() - began
        lines.append(
            f"| {each.title} | {each.seconds:g} s | {seconds:.1f} s | {found.n_moves:,} | {found.bound:,} | "
            f"{found.gap:.1%} | {peer:.0f} s | {'nothing within the bands' if moves is None else f'{moves:,}'} |"
        )
        print(lines[-1], flush=True)
        targets.append(target(each, found, seconds))
    put("territories", ABOUT.format(table="\n".join([*lines, *targets]), machine=machine(), seed=asked.seed))
    print("\n".join(targets))


def target(asked: Instance, found: Reassigned, seconds: float) -> str:
    """What an instance is held to: conflicts named, or balance within the limit and 5 % of the bound."""
    in_time = seconds <= asked.seconds + 2
    if "conflict" in asked.title:
        said = " ".join(str(found.conflicts[0]).split()) if found.conflicts else "nothing"
        is_met = in_time and "locked" in said
        return f"| {asked.title}: the locks are named, with the repair | “{said[:220]}” | {'met' if is_met else 'missed'} |"
    is_met = in_time and found.is_balanced and found.gap <= 0.05
    return f"| {asked.title}: all within ± 10 %, at most 5 % above a valid bound, in {asked.seconds:g} s | {found.gap:.1%}, {seconds:.1f} s | {'met' if is_met else 'missed'} |"  # noqa: E501


def machine() -> str:
    """What it was measured on."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {load} at the "
        f"end; scipy {version('scipy')} with its HiGHS, numpy {version('numpy')}"
    )


ABOUT = """## Territories

Accounts × sellers shared out anew so that every seller is within ± 10 % of the mean of the region, by as few moves as
possible (`cadran.models.territories.reassign`), beside the whole as one mixed-integer model: the same HiGHS, limit and run.
The bound is that of a relaxation (accounts leave whole, and arrive in any parts), or of HiGHS on a whole block.

{table}

Invented with `python -m benchmarks.territories --seed {seed}`.
{machine}.
"""

if __name__ == "__main__":
    main()
