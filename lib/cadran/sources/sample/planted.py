"""The planted effects: every number that decides who wins, when, and how sellers and clients behave.

A deal has an appeal, the sum of what is planted here. Rates are per business day and grow or shrink by
exp(coefficient × appeal). `docs/sample.md` states the process in words and the true effect of each lever.
"""

from datetime import date

import numpy as np

from cadran.sources.sample.clock import SHOCK, SIGNING, Ints, day_of
from cadran.sources.sample.draws import Floats
from cadran.sources.sample.market import PRODUCTS, SECTORS

NEW, EXPANSION, RENEWAL = 0, 1, 2
STAGES = ["Qualification", "Discovery", "Demonstration", "Proposal", "Negotiation", "Won", "Lost", "Disqualified"]
#: The CRM's own chance of winning at each stage: what an administrator once typed, not the truth.
CRM_PROBABILITIES = [0.10, 0.20, 0.40, 0.60, 0.80, 1.0, 0.0, 0.0]
PROPOSAL, NEGOTIATION = 3, 4
OPEN, WON, LOST, DISQUALIFIED = 0, 1, 2, 3

# ---- what makes a deal appealing (added up; one unit is large) ----
TYPE = np.array([0.0, 0.35, 1.45])
SECTOR = np.array([0.10, -0.05, 0.25, 0.15, -0.45, 0.0, 0.30, -0.15])
SOURCE = np.array([-0.10, -0.20, -0.05, 0.45, 0.20, -0.25, 0.0])
#: Products that suit a sector more or less than their sum.
SUITS = np.zeros((len(PRODUCTS), len(SECTORS)))
SUITS[PRODUCTS.index("Analytics"), SECTORS.index("Finance")] = 0.45
SUITS[PRODUCTS.index("Platform"), SECTORS.index("Public sector")] = -0.35
SUITS[PRODUCTS.index("Integration"), SECTORS.index("Technology")] = 0.35
SUITS[PRODUCTS.index("Services"), SECTORS.index("Industry")] = 0.30
FIT, QUALITY, SKILL = 0.30, 0.60, 0.30
#: A seller fully up to speed, against one on the first day; days to get 63 % of the way.
RAMP, RAMP_DAYS = 0.80, 170.0
#: Every further person met (the third counts less than the second), a senior one, and both together.
CONTACT, SENIOR, SENIOR_AMONG_MANY = 0.15, 0.26, 0.14
RIVAL = np.array([-0.75, -0.55, -0.40, -0.60, -0.30])
#: Since the price increase a rival weighs more; it also raises what is asked.
PRICE_INCREASE, RIVAL_AFTER_INCREASE, PRICE_STEP = day_of(date(2024, 10, 1)), 1.6, 1.06
#: The fall in demand, in industry and elsewhere.
SHOCK_INDUSTRY, SHOCK_ELSEWHERE = -0.70, -0.35
TRAINING, TRAINED_REGION = day_of(date(2023, 9, 18)), 0
TRAINED, TRAINED_SENIOR_FACTOR = 0.22, 2.2

# ---- momentum: what is felt from day to day ----
REVERSION, NOISE = 0.012, 0.075
MEETING, PRODUCT_SHOWN = 0.26, 0.18
#: Lost by waiting for an answer: this × log(1 + hours / 8), more for new business, less at renewal.
WAITING = 0.30
WAITING_BY_TYPE = np.array([1.35, 1.0, 0.5])

# ---- rates per business day ----
FORWARD = np.array([0.075, 0.055, 0.060, 0.050, 0.0])
BACKWARD = np.array([0.0, 0.004, 0.006, 0.007, 0.008])
SIGNS = np.array([0.0, 0.0, 0.0003, 0.0056, 0.0215])
LOSES = np.array([0.0036, 0.0042, 0.0052, 0.0062, 0.0068])
DISQUALIFIES = np.array([0.0032, 0.0012, 0.0003, 0.0, 0.0, 0.0, 0.0, 0.0])
UNDECIDED = 0.0012
SPEED_BY_TYPE = np.array([1.0, 1.0, 0.8])
#: A deal that sleeps is hardly worked and hardly closed, until pipelines are cleaned in January and July.
SLEEPS, WAKES, ASLEEP = 0.015, 0.0016, 0.05
CLEANING = 8.0
OUTBOUND, INBOUND, ENGAGES, RIVAL_COMES = 0.115, 0.060, 0.022, 0.0065

#: With `signal` 0 every closing is a win with this chance, a lapse without decision with the other.
BLIND_WIN, BLIND_UNDECIDED = 0.42, 0.15


def closing_rates(stage: Ints, kind: Ints, appeal: Floats, age: Floats, silence: Floats, day: int) -> tuple:
    """Rates per business day of signing, of losing and of lapsing without a decision.

    Args:
        stage, kind: Indices into `STAGES` and of the deal type, one per deal.
        appeal: Sum of the planted effects and of momentum.
        age: Business days since creation.
        silence: Business days since the last touch.
        day: Day of the run.
    """
    pace = SPEED_BY_TYPE[kind]
    signs = SIGNS[stage] * pace * np.exp(0.95 * appeal) * SIGNING[day]
    loses = LOSES[stage] * pace * np.exp(-0.55 * appeal) * (0.35 + (age / 60) ** 0.6)
    lapses = UNDECIDED * (age / 60) * (1 + silence / 25) * np.exp(-0.35 * appeal)
    return signs, loses, lapses


def hard_times(sector: Ints, day: int) -> Floats:
    """What the fall in demand takes from the appeal of each deal on a day."""
    if day < SHOCK:
        return np.zeros(len(sector))
    return np.where(sector == SECTORS.index("Industry"), SHOCK_INDUSTRY, SHOCK_ELSEWHERE)
