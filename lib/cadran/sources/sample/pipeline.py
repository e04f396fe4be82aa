"""The life of deals, day by day: people are met, messages wait for answers, hopes rise and fall, deals close.

A marked point process simulated in steps of one business day. Two states are never observed: momentum, which
wanders, jumps at meetings and sinks while a client waits; and whether the deal sleeps. Sellers feel part of
the unobserved quality and work harder on what they feel is good: activity follows success as well as making it.
"""

from collections import defaultdict

import numpy as np

from cadran.sources.sample import deals as deal
from cadran.sources.sample import planted
from cadran.sources.sample.clock import (
    DATES,
    IS_BUSINESS,
    N_DAYS,
    NEXT_BUSINESS,
    at_work,
    day_at,
    day_of,
)
from cadran.sources.sample.conduct import DAILY, Conduct, is_senior, n_met
from cadran.sources.sample.deals import Records
from cadran.sources.sample.draws import Draws, Floats, child
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.market import COMPETITORS, Prospects
from cadran.sources.sample.planted import DISQUALIFIED, LOST, NEGOTIATION, OPEN, STAGES, WON
from cadran.sources.sample.staff import Staff

REASONS = [
    "No decision", "Price", "Competitor", "Missing feature", "Budget cut", "Timing",
    "Out of scope", "Duplicate", "No need",
]  # fmt: skip
#: What may happen to any deal on any day, and what is settled when one closes.
_DAILY = (
    *DAILY, "hands over", "rival", "which rival", "rival noted", "sleeps", "closes", "outcome", "disqualified",
    "advances", "returns", "skips", "amount found", "reprices", "pushes", "pulls", "pushed by", "reviews",
)  # fmt: skip
_AT_CLOSE = ("why", "beaten", "why noted", "rival told", "amount learnt")
Chances = dict[str, Floats]
CATEGORIES = ["pipeline", "best_case", "commit", "closed", "omitted"]
_CLOSED, _OMITTED = CATEGORIES.index("closed"), CATEGORIES.index("omitted")
#: Stage of a deal by its status, once it is closed.
_LAST_STAGE = np.array([-1, STAGES.index("Won"), STAGES.index("Lost"), STAGES.index("Disqualified")])

VERSION = np.dtype(
    [("number", "i8"), ("at", "i8"), ("rep", "i8"), ("seat", "i8"), ("stage", "i8"), ("status", "i8"),
     ("amount", "f8"), ("currency", "i8"), ("is_amount_known", "?"), ("expected", "i8"), ("category", "i8"),
     ("rival_recorded", "i8"), ("reason", "i8")]
)  # fmt: skip


def as_versions(deals: Records) -> Records:
    """What is recorded of deals, as they are."""
    rows = np.zeros(len(deals), dtype=VERSION)
    for name in VERSION.names or ():
        rows[name] = deals[name]
    return rows


class Pipeline:
    """All deals of some prospects, from the first day to the last.

    `run()` fills `deals` (as they began), `versions`, and in `conduct` `involved` and the touches: lists of
    record arrays in the order in which things happened.
    """

    def __init__(
        self,
        market: Prospects,
        leads: Records,
        staff: Staff,
        signal: float,
        levers: Levers,
        draws: Draws,
        volume: float = 1.0,
    ):
        self.staff, self.signal, self.levers, self.draws = staff, signal, levers, draws
        self.since = day_of(levers.since)
        self.births = deal.Births(market, staff, levers, draws)
        self.conduct = Conduct(staff, levers, draws, volume)
        self.to_come: dict[int, list[Records]] = defaultdict(list)
        self.to_reopen: dict[int, list[Records]] = defaultdict(list)
        self.live = np.zeros(0, dtype=deal.DEAL)
        self.n_begun = 0
        self.deals: list[Records] = []
        self.versions: list[Records] = []
        self._schedule(deal.first_deals(market, leads, draws))

    def run(self) -> None:
        """Live every day. Deals begin, or open again, at the end of a day, and are worked from the next one on."""
        for day in range(N_DAYS):
            if IS_BUSINESS[day]:
                self._live(day)
                self._begin(day)
                self._reopen(day)

    def _live(self, day: int) -> None:
        live = self.live
        if not len(live):
            return
        chance = self.draws.uniforms(_DAILY, live["key"], day)
        live["age"] += 1
        live["silence"] += 1
        changed = self._hand_over(live, chance["hands over"] < 0.0002, day)
        effort = self.conduct.effort(live, day)
        self.conduct.touch(live, effort, chance, day)
        self.conduct.meet_people(live, effort, chance, day)
        changed |= self._face_rivals(live, effort, chance)
        live["momentum"] *= 1 - planted.REVERSION
        live["momentum"] += planted.NOISE * self.draws.normal("momentum", live["key"], day)
        appeal = self._appeal(live, day)
        closed = self._close(live, appeal, chance, day)
        moved = self._move(live, appeal, closed, chance)
        changed |= closed | moved | self._reprice(live, closed, chance, day)
        changed |= self._redate(live, effort, closed, chance, day) | self._call(live, closed, moved, chance)
        self._write(live, changed, day)
        if closed.any():
            self._leave(live[closed], day)
            self.live = live[~closed]

    # ---- beginnings and ends ----

    def _schedule(self, seeds: Records) -> None:
        """Make the deals to come, each for its day."""
        seeds = seeds[day_at(seeds["created"]) < N_DAYS]
        if not len(seeds):
            return
        born = self.births.begin(seeds, self.n_begun)
        self.n_begun += len(born)
        self.deals.append(born)
        born = born[np.argsort(born["born"], kind="stable")]
        days, first = np.unique(born["born"], return_index=True)
        for day, part in zip(days.tolist(), np.split(born, first[1:]), strict=True):
            self.to_come[day].append(part)

    def _begin(self, day: int) -> None:
        if day not in self.to_come:
            return
        born = _together(self.to_come.pop(day))
        born["category"] = _category(born)
        self.conduct.involve(born, born["first_contact"], born["created"], self.conduct.effort(born, day))
        self.versions.append(as_versions(born))
        self.live = _together([self.live, born])

    def _leave(self, closed: Records, day: int) -> None:
        keys = [child(closed["key"], slot) for slot in range(4)]
        for status, follow in ((WON, deal.renewals_and_expansions), (LOST, deal.second_chances)):
            chosen = closed["status"] == status
            if not chosen.any():
                continue
            for seeds in follow(closed[chosen], closed["at"][chosen], self.draws, [key[chosen] for key in keys]):
                self._schedule(seeds)
        self._plan_reopening(closed[closed["status"] == LOST], day)

    def _plan_reopening(self, lost: Records, day: int) -> None:
        again = lost[self.draws.uniform("reopens", lost["key"], day) < 0.026].copy()
        wait = 12 + (90 * self.draws.uniform("reopens when", again["key"], day)).astype(np.int64)
        when = NEXT_BUSINESS[np.minimum(day + wait, N_DAYS)]
        again["status"], again["stage"], again["reason"] = OPEN, 2, -1
        again["silence"] = again["asked"] = again["waited"] = 0
        again["asleep"] = False
        again["expected"] = when + 60
        again["category"] = _category(again)
        for date in np.unique(when[when < N_DAYS]).tolist():
            self.to_reopen[date].append(again[when == date])

    def _reopen(self, day: int) -> None:
        for again in self.to_reopen.pop(day, []):
            self._hand_over(again, np.zeros(len(again), dtype=bool), day)
            self._write(again, np.ones(len(again), dtype=bool), day)
            self.live = _together([self.live, again])

    def _write(self, live: Records, changed: np.ndarray, day: int) -> None:
        rows = np.flatnonzero(changed)
        if not len(rows):
            return
        live["at"][rows] = at_work(day, self.draws.uniform("written", live["key"][rows], day), 8.5, 19.0)
        self.versions.append(as_versions(live[rows]))

    # ---- what changes on a day ----

    def _hand_over(self, live: Records, some: np.ndarray, day: int) -> np.ndarray:
        """Some deals, and those of sellers who left, go to a colleague in the team."""
        occupant = self.staff.occupant[day]
        given = some | (occupant[live["seat"]] != live["rep"])
        rows = np.flatnonzero(given)
        if len(rows):
            anyone = self.draws.uniform("to whom", live["key"][rows], day)
            live["seat"][rows] = self.staff.pick(day, live["team"][rows], anyone)
            live["rep"][rows] = occupant[live["seat"][rows]]
        return given

    def _appeal(self, live: Records, day: int) -> Floats:
        """All that makes the client sign, known or not, and the momentum of the day."""
        ramp_days = planted.RAMP_DAYS * (self.levers.ramp_factor if day >= self.since else 1.0)
        ramp = -np.expm1(-(day - self.conduct.hired[live["rep"]]) / ramp_days)
        others = np.minimum(n_met(live) - 1, 4) ** 0.6
        senior = is_senior(live)
        increased = self.levers.price_increase and day >= planted.PRICE_INCREASE
        rival = np.append(planted.RIVAL, 0.0)[live["rival"]] * (planted.RIVAL_AFTER_INCREASE if increased else 1.0)
        return (
            live["appeal"] + live["momentum"] + planted.SKILL * self.conduct.skill[live["rep"]]
            + planted.RAMP * (ramp - 1) + planted.CONTACT * others + senior * planted.SENIOR
            + planted.SENIOR_AMONG_MANY * senior * others + rival + planted.hard_times(live["sector"], day)
            + planted.TRAINED * self.conduct.is_trained(live, day)
        )  # fmt: skip

    def _face_rivals(self, live: Records, effort: Floats, chance: Chances) -> np.ndarray:
        """A rival may come; the seller who works harder records it more often."""
        comes = (live["rival"] < 0) & (chance["rival"] < planted.RIVAL_COMES)
        rows = np.flatnonzero(comes)
        live["rival"][rows] = chance["which rival"][rows] * len(COMPETITORS)
        noted = comes & (chance["rival noted"] < 0.30 + 0.10 * np.clip(effort, -1, 1))
        live["rival_recorded"] = np.where(noted, live["rival"], live["rival_recorded"])
        return noted

    def _close(self, live: Records, appeal: Floats, chance: Chances, day: int) -> np.ndarray:
        """Some deals close: won, lost, lapsed or disqualified."""
        stage = live["stage"]
        self._sleep(live, appeal, chance["sleeps"])
        is_cleaning = DATES[day].month in (1, 7) and DATES[day].day >= 10
        drowsy = planted.ASLEEP * (planted.CLEANING if is_cleaning else 1.0)
        alive = np.where(live["asleep"], drowsy, 1.0)
        signs, loses, lapses = planted.closing_rates(
            stage, live["kind"], appeal, live["age"].astype(np.float64), live["silence"].astype(np.float64), day
        )
        total = (signs + loses + lapses) * alive
        closes = chance["closes"] < -np.expm1(-total)
        win = _mixed(self.signal, signs / (signs + loses + lapses), planted.BLIND_WIN)
        lapse = _mixed(self.signal, lapses / (signs + loses + lapses), planted.BLIND_UNDECIDED)
        mark = chance["outcome"]
        discarded = chance["disqualified"] < planted.DISQUALIFIES[stage] * alive
        live["status"] = np.where(closes, np.where(mark < win, WON, LOST), np.where(discarded, DISQUALIFIED, OPEN))
        closed = closes | discarded
        self._explain(live, np.flatnonzero(closed), mark > 1 - lapse, day)
        return closed

    def _sleep(self, live: Records, appeal: Floats, chance: Floats) -> None:
        tires = planted.SLEEPS * np.exp(-0.7 * appeal) * (live["age"] > 25)
        live["asleep"] = np.where(live["asleep"], chance > planted.WAKES, chance < tires)

    def _explain(self, live: Records, rows: np.ndarray, lapsed: np.ndarray, day: int) -> None:
        """What is recorded at closing: the stage, why, against whom and for how much."""
        if not len(rows):
            return
        who = live[rows]
        key, lost = who["key"], who["status"] == LOST
        live["stage"][rows] = _LAST_STAGE[who["status"]]
        live["category"][rows] = np.where(who["status"] == WON, _CLOSED, _OMITTED)
        chance = self.draws.uniforms(_AT_CLOSE, key, day)
        why = chance["why"]
        beaten = (who["rival"] >= 0) & (chance["beaten"] < 0.55)
        reason = np.where(beaten, 2, np.array([1, 1, 3, 4, 5])[(5 * why).astype(np.int64)])
        reason = np.where(lost & lapsed[rows], 0, reason)
        reason = np.where(who["status"] == DISQUALIFIED, 6 + (3 * why).astype(np.int64), reason)
        silent = (chance["why noted"] < 0.14) & (reason != 0)
        live["reason"][rows] = np.where((who["status"] == WON) | silent, -1, reason)
        tells = chance["rival told"] < 0.25 + 0.45 * self.signal * lost
        live["rival_recorded"][rows] = np.where(tells, who["rival"], who["rival_recorded"])
        learnt = chance["amount learnt"] < 0.85 - 0.75 * self.signal * lost
        live["is_amount_known"][rows] |= learnt

    def _move(self, live: Records, appeal: Floats, closed: np.ndarray, chance: Chances) -> np.ndarray:
        """Deals go forward, or back."""
        stage = np.where(closed, 0, live["stage"])
        alive = np.where(live["asleep"], planted.ASLEEP, 1.0) * ~closed
        pace = planted.SPEED_BY_TYPE[live["kind"]] * alive
        advances = planted.FORWARD[stage] * pace * np.exp(0.35 * appeal)
        returns = planted.BACKWARD[stage] * alive * np.exp(-0.3 * appeal)
        forward = chance["advances"] < -np.expm1(-advances)
        back = ~forward & (chance["returns"] < -np.expm1(-returns))
        skips = forward & (stage < 2) & (chance["skips"] < 0.06)
        live["stage"] += forward.astype(np.int64) + skips - back
        arrives = forward & (live["stage"] >= planted.PROPOSAL)
        live["is_amount_known"] |= arrives & (chance["amount found"] < 0.75)
        return forward | back

    def _reprice(self, live: Records, closed: np.ndarray, chance: Chances, day: int) -> np.ndarray:
        """Amounts change while a deal is open, mostly down and mostly late."""
        rate = np.array([0.002, 0.003, 0.006, 0.010, 0.018, 0, 0, 0])[live["stage"]]
        moves = (chance["reprices"] < rate) & ~closed & ~live["asleep"]
        rows = np.flatnonzero(moves)
        if len(rows):
            factor = np.exp(-0.06 + 0.20 * self.draws.normal("by how much", live["key"][rows], day))
            live["amount"][rows] = deal.round_amount(live["amount"][rows] * factor)
        return moves & live["is_amount_known"]

    def _redate(self, live: Records, effort: Floats, closed: np.ndarray, chance: Chances, day: int) -> np.ndarray:
        """Expected dates are pushed when they have passed, or moved before."""
        late = live["expected"] < day
        pushes = np.where(late, 0.11 * np.exp(0.3 * effort), 0.004) * np.where(live["asleep"], 0.12, 1.0)
        pushed = (chance["pushes"] < pushes) & ~closed
        pulled = (chance["pulls"] < 0.012) & (live["stage"] == NEGOTIATION) & ~late & ~closed
        days = 14 + (62 * chance["pushed by"]).astype(np.int64)
        after = np.where(late, day, live["expected"]) + days
        before = np.maximum(live["expected"] - days // 2, day + 5)
        live["expected"] = np.where(pushed, after, np.where(pulled & ~pushed, before, live["expected"]))
        return pushed | pulled

    def _call(self, live: Records, closed: np.ndarray, moved: np.ndarray, chance: Chances) -> np.ndarray:
        """Forecast calls are reviewed when the stage changes, and now and then."""
        called = np.where(~closed & (moved | (chance["reviews"] < 0.008)), _category(live), live["category"])
        differs = called != live["category"]
        live["category"] = called
        return differs


def _together(deals: list[Records]) -> Records:
    whole = np.dtype((np.void, deal.DEAL.itemsize))  # copied as bytes: field by field takes four times as long
    return np.concatenate([each.view(whole) for each in deals]).view(deal.DEAL)


def _category(deals: Records) -> np.ndarray:
    """The seller's forecast call: stage and feeling."""
    belief = deals["stage"] + 0.7 * deals["felt"] + 0.5 * deals["momentum"]
    call = (belief > 2.1).astype(np.int64) + (belief > 3.4)
    return np.where(deals["asleep"], _OMITTED, call)


def _mixed(signal: float, chance: Floats, blind: float) -> Floats:
    return (1 - signal) * blind + signal * chance
