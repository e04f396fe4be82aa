"""The refusal ladder: what a book's past allows to be tried, and which of it wins on later data."""

from dataclasses import dataclass

import numpy as np

from cadran.models.chain import Chained
from cadran.models.judged import difference

#: Fewest deals won, and as many ended otherwise, before a step may be tried. Why: docs/win_model.md.
STEPS = {"constant": 0, "stage rates": 30, "logit": 100, "boosting": 300}
#: Those that tell no deal of a stage from another.
SIMPLE = ("constant", "stage rates")
#: By how many standard errors of the difference a step must beat the one held before, on later data.
MARGIN = 2.0
#: Nats of log loss that a step must gain besides: trees take thirty times as long to score, and resampled fits of them
#: tell their doubt less well than the logit's law does.
LEAST = {"boosting": 0.005}


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: whether it was tried, and how it did against the one held before."""

    name: str
    n_needed: int
    is_tried: bool
    #: The step it was compared with; "" for the first.
    against: str = ""
    #: Log loss less that of `against`, nats, and its standard error; below 0 is better. Null where not tried.
    difference: float | None = None
    error: float | None = None
    #: What kept it from being tried: "few", or what the model said.
    why_not: str = ""


def allowed(n_won: int, n_ended: int) -> list[str]:
    """The steps that so many deals won, and ended otherwise, allow to be tried."""
    return [name for name, needed in STEPS.items() if min(n_won, n_ended) >= needed]


def climb(chained: Chained | None, tried: list[str]) -> tuple[str, list[Rung]]:
    """The step to stand on: each must beat the last one held by `MARGIN` standard errors and `LEAST`, or is passed over.

    Without later data to try them on, it is the constant.
    """
    held, rungs = "constant", []
    silent = chained.silent if chained else {}
    for name, needed in STEPS.items():
        if name == "constant":
            rungs.append(Rung(name, needed, True))
            continue
        if chained is None or name not in tried or name in silent:
            rungs.append(Rung(name, needed, False, why_not=silent.get(name, "few")))
            continue
        mean, error = difference(chained.losses(name), chained.losses(held), chained.weight, chained.asked.deal)
        if not np.isfinite(error):
            rungs.append(Rung(name, needed, False, why_not="few"))
            continue
        rungs.append(Rung(name, needed, True, held, mean, error))
        if mean < -max(MARGIN * error, LEAST.get(name, 0.0)):
            held = name
    return held, rungs
