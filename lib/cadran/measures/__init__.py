"""What we count. Importing this registers every measure in `MEASURES`."""

from cadran.measures import (
    before_after,
    clients,
    compared,
    coverage,
    cycle,
    leads,
    opportunities,
    pipeline,
    process,
    response,
    stages,
    trend,
    velocity,
    waterfall,
    win_rates,
)
from cadran.measures.catalogue import MEASURES, Measure, Question, availability

__all__ = [
    "MEASURES",
    "Measure",
    "Question",
    "availability",
    "before_after",
    "clients",
    "compared",
    "coverage",
    "cycle",
    "leads",
    "opportunities",
    "pipeline",
    "process",
    "response",
    "stages",
    "trend",
    "velocity",
    "waterfall",
    "win_rates",
]
