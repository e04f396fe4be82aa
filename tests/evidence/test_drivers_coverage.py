"""How often the intervals of drivers hold the truth, and how often the strongest question comes first, by how many answered.

`python tests/evidence/test_drivers_coverage.py` prints the table of docs/drivers.md.
"""

import sys

import numpy as np
import pytest

from cadran.models.dominance import dominance
from cadran.models.drivers_told import estimates

#: How the outcome goes with what people feel; how much feelings go together.
CASES = {
    "one of nine strong": ([0.5, *[0.1] * 8], 0.4),
    "nine in even steps": (list(np.linspace(0.35, 0.02, 9)), 0.4),
    "nine in steps, unrelated": (list(np.linspace(0.35, 0.02, 9)), 0.0),
    "one of four strong": ([0.5, 0.1, 0.1, 0.1], 0.4),
    "nine alike": ([0.2] * 9, 0.4),
}


def answered(rng, n, strength, together):
    """(people, questions + 1) scores of 1 to 5, and of 0 to 10 for the outcome."""
    k = len(strength)
    felt = np.sqrt(together) * rng.normal(size=(n, 1)) + np.sqrt(1 - together) * rng.normal(size=(n, k))
    likes = together * np.ones((k, k)) + (1 - together) * np.eye(k)
    outcome = (felt @ strength + rng.normal(size=n)) / np.sqrt(strength @ likes @ strength + 1)
    return np.column_stack([np.clip(np.round(3.4 + felt), 1, 5), np.clip(np.round(7 + 2.3 * outcome), 0, 10)])


def held(case, n, times, seed=0):
    """Shares of intervals that hold the truth: of dominance, of its share (mean, worst question), of R²; and of the
    samples in which the strongest question comes first."""
    strength, together = np.array(CASES[case][0]), CASES[case][1]
    rng = np.random.default_rng([seed, n])
    truth = dominance(np.corrcoef(answered(rng, 400_000, strength, together).T))
    share = truth / truth.sum()
    found = {"dominance": [], "r2_share": [], "r2": [], "first": []}
    for number in range(times):
        told = estimates(answered(rng, n, strength, together), number)
        found["dominance"].append((told["dominance_low"] <= truth) & (truth <= told["dominance_high"]))
        found["r2_share"].append((told["r2_share_low"] <= share) & (share <= told["r2_share_high"]))
        found["r2"].append(told["r2"][1] <= truth.sum() <= told["r2"][2])
        found["first"].append(told["r2_share"].argmax() == truth.argmax())
    mean = {name: np.mean(each, axis=0) for name, each in found.items()}
    return {
        "r2_true": truth.sum(), "first": mean["first"], "r2": mean["r2"],
        **{name: (mean[name].mean(), mean[name].min()) for name in ("dominance", "r2_share")},
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_from_the_least_people_on(case):
    n = max(100, 15 * len(CASES[case][0]))

    told = held(case, n, 200)

    for name in ("dominance", "r2_share"):
        assert told[name][0] >= 0.91
        assert told[name][1] >= 0.86
    assert told["r2"] >= 0.90
    assert case == "nine alike" or "steps" in case or told["first"] >= 0.85


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    for case in CASES:
        for n in (30, 60, 100, 135, 300):
            told = held(case, n, times)
            cells = [f"{told['r2_true']:.2f}", f"{told['first']:.0%}", f"{told['r2']:.0%}"]
            cells += [f"{told[name][0]:.0%} ({told[name][1]:.0%})" for name in ("dominance", "r2_share")]
            print(f"| {case} | {n} | {' | '.join(cells)} |", flush=True)
