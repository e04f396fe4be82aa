"""What we count. Importing this registers every measure in `MEASURES`."""

from cadran.measures import opportunities, waterfall
from cadran.measures.catalogue import MEASURES, Measure, Question, availability

__all__ = ["MEASURES", "Measure", "Question", "availability", "opportunities", "waterfall"]
