"""What others found, as context and never as a target: each figure with who published it, when, and of whom."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Beside:
    """A published figure, from `low` to `high` (equal where one is told)."""

    #: enps, participation or favourable_share, in the unit of the measure.
    measure: str
    low: float
    high: float
    #: English sentences of the catalogue.
    of: str
    source: str


BESIDE = (
    Beside(
        "enps", 27, 27, "All organisations, July to September 2024, more than 500,000 answers on a 0–10 scale",
        "Hive HR, Employee Engagement Benchmarks Q3 2024",
    ),
    Beside(
        "enps", 30, 30, "Organisations of up to 250 people, third quarter of 2024, on a 0–10 scale",
        "Hive HR, as told by SurveyMonkey, Employee NPS Benchmarks (2024)",
    ),
    Beside(
        "participation", 0.55, 0.81, "Pulse surveys of large companies, read in November 2026",
        "Perceptyx, Making the most of missing employee survey data",
    ),
    Beside(
        "favourable_share", 0.52, 0.93, "Ten items of an engagement survey of a county's staff, on a 1–4 scale",
        "Public-domain survey results of a county in the United States, 14,725 answers",
    ),
)  # fmt: skip
