"""What each lever truly changes: the invented company run again with the lever pulled, all other chance the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.stats import t

from cadran.sources.sample.clock import MIDNIGHT
from cadran.sources.sample.draws import Floats
from cadran.sources.sample.history import History, happen_to
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.planted import LOST, NEW, PRICE_INCREASE, TRAINED_REGION, TRAINING, WON
from cadran.sources.sample.staff import region_at
from cadran.sources.sample.tables import amounts

AS_IT_IS = Levers()


@dataclass(frozen=True)
class Lever:
    """A lever as it is judged: with it against without, among deals closed from a day on, in one region or all."""

    on: Levers = AS_IT_IS
    off: Levers = AS_IT_IS
    from_day: int = 0
    region: int | None = None


LEVERS = {
    "answer twice as fast": Lever(on=Levers(response_time_factor=0.5)),
    "answer four times as slowly": Lever(on=Levers(response_time_factor=4.0)),
    "one more contact in every deal": Lever(on=Levers(extra_contact=True)),
    "a senior contact in every deal": Lever(on=Levers(senior_contact=True)),
    "one more contact and a senior one": Lever(on=Levers(extra_contact=True, senior_contact=True)),
    "twice as many meetings": Lever(on=Levers(meeting_factor=2.0)),
    "new sellers ready in half the time": Lever(on=Levers(ramp_factor=0.5)),
    "training (its region, since then)": Lever(off=Levers(training=False), from_day=TRAINING, region=TRAINED_REGION),
    "price increase (since then)": Lever(off=Levers(price_increase=False), from_day=PRICE_INCREASE),
}


def effect(name: str, prospects: int, seed: int) -> dict[str, float]:
    """What one lever changes in one invented company.

    Args:
        name: A key of `LEVERS`.
        prospects: Size of its market (6,000 deals need about 5,100).
        seed: Its seed.

    Returns:
        For the run without and with the lever (`_off`, `_on`): `n_closed` and `n_won` among new business (deals),
        `win_rate` of new business (share), `n_won_all` (all types) and `revenue` (euros signed, unknown amounts
        left out).
    """
    lever = LEVERS[name]
    found: dict[str, float] = {}
    for side, levers in (("off", lever.off), ("on", lever.on)):
        counted = _count(_history(prospects, seed, levers), lever)
        found |= {f"{measure}_{side}": value for measure, value in counted.items()}
    return found


@lru_cache(maxsize=2)
def _as_it_is(prospects: int, seed: int) -> History:
    return happen_to(prospects, seed, 1.0, AS_IT_IS, 0.0)


def _history(prospects: int, seed: int, levers: Levers) -> History:
    unchanged = levers == AS_IT_IS
    return _as_it_is(prospects, seed) if unchanged else happen_to(prospects, seed, 1.0, levers, 0.0)


def _count(history: History, lever: Lever) -> dict[str, float]:
    rows = history.versions[np.argsort(history.versions["at"], kind="stable")]
    last = np.zeros(len(history.deals), dtype=np.int64)
    last[rows["number"]] = np.arange(len(rows))
    ends, deals = rows[last], history.deals
    chosen = ends["at"] >= MIDNIGHT[lever.from_day]
    if lever.region is not None:
        chosen &= region_at(deals["team"], lever.from_day) == lever.region
    won, lost, new = (ends["status"] == WON) & chosen, (ends["status"] == LOST) & chosen, deals["kind"] == NEW
    n_won, n_closed = float((won & new).sum()), float(((won | lost) & new).sum())
    return {
        "n_closed": n_closed,
        "n_won": n_won,
        "win_rate": n_won / n_closed,
        "n_won_all": float(won.sum()),
        "revenue": float(np.round(np.nansum(amounts(ends[won])[1]))),
    }


def told(lines: Sequence[dict[str, Any]]) -> str:
    """The effects found over several seeds, as a Markdown table with 95 % intervals of the simulation (Student's t).

    Args:
        lines: Results of `effect`, each with its `lever` and `seed`; at least two seeds per lever.
    """
    rows = ["| Lever | Win rate without | Change, points | Signed revenue |", "|---|---|---|---|"]
    for name in LEVERS:
        found = [line for line in lines if line["lever"] == name]
        rates = np.array([[line["win_rate_off"], line["win_rate_on"]] for line in found])
        revenue = np.array([line["revenue_on"] / line["revenue_off"] - 1 for line in found])
        points = _with_error(100 * (rates[:, 1] - rates[:, 0]), 1)
        rows.append(f"| {name} | {100 * rates[:, 0].mean():.1f} % | {points} | {_with_error(100 * revenue, 0)} % |")
    return "\n".join(rows)


def _with_error(values: Floats, digits: int) -> str:
    margin = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.{digits}f} ± {margin:.{digits}f}".replace("-", "−")
