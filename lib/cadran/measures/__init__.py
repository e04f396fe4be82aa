"""What we count. Importing this registers every measure in `MEASURES`."""

from cadran.measures import coverage, cycle, opportunities, pipeline, waterfall, win_rates
from cadran.measures.catalogue import MEASURES, Measure, Question, availability

__all__ = [
    "MEASURES",
    "Measure",
    "Question",
    "availability",
    "coverage",
    "cycle",
    "opportunities",
    "pipeline",
    "waterfall",
    "win_rates",
]
