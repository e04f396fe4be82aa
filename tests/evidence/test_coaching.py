"""Over 300 invented companies: intervals of teams hold the truth, luck alone puts few beyond chance, shrinking helps."""

import numpy as np
import pytest
from teams import told

SEEDS = 300


@pytest.mark.parametrize(("spread", "of_sellers"), [(0.0, 0.0), (0.15, 0.0), (0.15, 0.2), (0.4, 0.1)])
def test_what_is_told_of_teams_holds(ledger, spread, of_sellers):
    key = {"what": "teams beside like deals", "spread": spread, "of_sellers": of_sellers, "seeds": SEEDS}
    line = ledger.find(**key)
    if line is None:
        found = [told(seed, spread=spread, of_sellers=of_sellers) for seed in range(SEEDS)]
        held, beyond = (np.concatenate([each[place] for each in found]) for place in (0, 1))
        any_beyond = np.mean([each[1].any() for each in found])
        line = ledger.add(**key, n=len(held), held=round(float(held.mean()), 4), beyond=round(float(beyond.mean()), 4),
                          companies_with_any_beyond=round(float(any_beyond), 4))  # fmt: skip
    # 3,600 teams, 12 of a company alike: simulation error of about 0.01.
    assert line["held"] >= 0.93
    if spread == 0 == of_sellers:
        assert line["companies_with_any_beyond"] <= 0.08
