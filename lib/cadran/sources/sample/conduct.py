"""What sellers and clients do on a day: whom they meet, what they write, how long an answer takes."""

import numpy as np

from cadran.sources.sample import planted
from cadran.sources.sample.clock import DATES, HOUR, MIDNIGHT, Ints, at_work, day_of, in_office_hours
from cadran.sources.sample.deals import Records
from cadran.sources.sample.draws import Draws, Floats
from cadran.sources.sample.levers import Levers
from cadran.sources.sample.market import N_CONTACTS
from cadran.sources.sample.staff import REORGANISATION, REORGANISED, Staff, region_at

KINDS = ["email", "call", "meeting", "demo", "message", "task"]
EMAIL, CALL, MEETING, DEMO, MESSAGE, TASK = range(len(KINDS))
DIRECTIONS = ["inbound", "outbound"]
INBOUND, OUTBOUND, INTERNAL = 0, 1, -1

#: A touch as it happens, and as it is kept. `step` is the address of its chance.
TOUCH = np.dtype(
    [("number", "i8"), ("prospect", "i8"), ("at", "i8"), ("rep", "i8"), ("kind", "i8"), ("direction", "i8"),
     ("is_automatic", "?"), ("key", "u8"), ("met", "i8"), ("step", "i8")]
)  # fmt: skip
ACTIVITY = np.dtype(
    [("number", "i8"), ("prospect", "i8"), ("at", "i8"), ("rep", "i8"), ("kind", "i8"), ("direction", "i8"),
     ("is_automatic", "?"), ("person", "i8"), ("minutes", "i8")]
)  # fmt: skip
#: What may happen to any deal on any day here.
DAILY = ("outbound", "inbound", "engages", "reaches")
INVOLVED = np.dtype([("number", "i8"), ("prospect", "i8"), ("person", "i8"), ("at", "i8"), ("effort", "f8")])

#: From this day the CRM acknowledges messages by itself.
NEW_CRM = day_of(DATES[0].replace(year=2022, month=9, day=5))
#: Business days into a deal at which the levers on contacts are pulled.
_LEVER_AGE = 10
_SETTLING_DAYS = 90


def is_senior(deals: Records) -> np.ndarray:
    """Whether a director or executive has been met."""
    return (deals["met"] & deals["senior"]) != 0


class Conduct:
    """Everything done around deals. Fills `involved`, and what `activities()` gives, in the order in which it happens."""

    def __init__(self, staff: Staff, levers: Levers, draws: Draws, volume: float):
        self.staff, self.levers, self.draws, self.volume = staff, levers, draws, volume
        self.since = day_of(levers.since)
        self.touches: list[Records] = []
        self.involved: list[Records] = []
        self.hired = staff.hired()
        self.people = np.arange(len(staff.people)).astype(np.uint64)
        self.skill, self.zeal, self.slow = (draws.normal(trait, self.people) for trait in ("skill", "zeal", "slow"))
        self.month, self.busy = 0, np.zeros(len(self.people))

    def effort(self, live: Records, day: int) -> Floats:
        """How hard the seller works on each deal: temper, what the deal feels like, and how busy the month is."""
        month = DATES[day].year * 12 + DATES[day].month
        if month != self.month:
            self.month, self.busy = month, self.draws.normal("busy", self.people, month)
        return (0.35 * self.zeal - 0.30 * self.busy)[live["rep"]] + 0.55 * live["felt"]

    def is_trained(self, live: Records, day: int) -> np.ndarray:
        """Whether the seller's region had been trained."""
        if not self.levers.training or day < planted.TRAINING:
            return np.zeros(len(live), dtype=bool)
        return region_at(live["team"], day) == planted.TRAINED_REGION

    # ---- people ----

    def involve(self, deals: Records, person: Ints, at: Ints, effort: Floats) -> None:
        """Note that people came into deals."""
        rows = np.zeros(len(deals), dtype=INVOLVED)
        rows["number"], rows["prospect"] = deals["number"], deals["prospect"]
        rows["person"], rows["at"], rows["effort"] = person, at, effort
        self.involved.append(rows)

    def meet_people(self, live: Records, effort: Floats, chance: dict[str, Floats], day: int) -> None:
        """Bring further people in, by effort and, when they are pulled, by the levers."""
        rate = planted.ENGAGES * np.exp(0.5 * effort) * np.where(live["asleep"], planted.ASLEEP, 1.0)
        rows = np.flatnonzero(chance["engages"] < -np.expm1(-rate))
        if len(rows):
            who = live[rows]
            person = _next_person(who)
            is_boss = ((who["senior"] >> np.maximum(person, 0)) & 1) == 1
            reach = 0.35 * np.where(self.is_trained(who, day), planted.TRAINED_SENIOR_FACTOR, 1.0)
            reached = ~is_boss | (chance["reaches"][rows] < reach)
            self._join(live, rows[reached], person[reached], effort, day)
        if (self.levers.extra_contact or self.levers.senior_contact) and day >= self.since:
            self._pull(live, effort, day)

    def _pull(self, live: Records, effort: Floats, day: int) -> None:
        rows = np.flatnonzero(~live["levered"] & (live["age"] >= _LEVER_AGE))
        live["levered"][rows] = True
        if self.levers.senior_contact:
            without = rows[~is_senior(live[rows])]
            self._join(live, without, _next_person(live[without], must_be_senior=True), effort, day)
        if self.levers.extra_contact:
            self._join(live, rows, _next_person(live[rows]), effort, day)

    def _join(self, live: Records, rows: Ints, person: Ints, effort: Floats, day: int) -> None:
        """Note that people come into the deals in `rows`; -1 is nobody."""
        rows, person = rows[person >= 0], person[person >= 0]
        if len(rows):
            live["met"][rows] |= np.int64(1) << person
            at = at_work(day, self.draws.uniform("joins", live["key"][rows], day))
            self.involve(live[rows], person, at, effort[rows])

    # ---- touches ----

    def touch(self, live: Records, effort: Floats, chance: dict[str, Floats], day: int) -> None:
        """A day's messages, calls, meetings and answers, and what they do to momentum."""
        alive = np.where(live["asleep"], planted.ASLEEP, 1.0)
        waiting = live["asked"] > 0
        rate = planted.OUTBOUND * np.exp(0.45 * effort) * alive * np.where(waiting, 0.1, 1.0)
        reaches_out = chance["outbound"] < -np.expm1(-rate)
        written = self._reach_out(live, np.flatnonzero(reaches_out), day)
        rate = planted.INBOUND * np.exp(0.35 * live["momentum"] + 0.25 * live["appeal"]) * alive
        self._ask(live, np.flatnonzero(chance["inbound"] < -np.expm1(-rate)), written, effort, day)
        self._answer(live, day)
        self._wait(live, day)

    def _reach_out(self, live: Records, rows: Ints, day: int) -> Ints:
        """Write, call or meet. Returns the second of the touch of each deal, 0 where there was none."""
        written = np.zeros(len(live), dtype=np.int64)
        if not len(rows):
            return written
        who = live[rows]
        meetings = np.minimum(0.14 * (self.levers.meeting_factor if day >= self.since else 1.0), 0.6)
        shows = np.where(who["stage"] == 2, 0.22, 0.02)
        chances = self.draws.uniforms(("touch kind", "touch kind again", "touch hour"), who["key"], day)
        chance, other = chances["touch kind"], chances["touch kind again"]
        kind = np.where(chance < meetings, MEETING, np.where(chance > 1 - shows, DEMO, EMAIL))
        kind = np.where((kind == EMAIL) & (other < 0.34), CALL, kind)
        kind = np.where((kind == EMAIL) & (other > 0.93), MESSAGE, kind)
        at = at_work(day, chances["touch hour"], 8.3, 19.2)
        live["momentum"][rows] += planted.MEETING * (kind == MEETING) + planted.PRODUCT_SHOWN * (kind == DEMO)
        live["silence"][rows] = 0
        ends = at >= who["asked"]
        live["asked"][rows] = np.where(ends, 0, who["asked"])
        live["waited"][rows] = np.where(ends, 0, who["waited"])
        self._note(who, kind, OUTBOUND, at, day)
        self._internal(who, at, day)
        written[rows] = at
        return written

    def _internal(self, who: Records, at: Ints, day: int) -> None:
        share = 0.05 + max(self.volume - 1, 0)
        done = self.draws.uniform("task", who["key"], day)
        for turn in range(int(np.ceil(share))):
            part = done < share - turn
            self._note(who[part], np.full(part.sum(), TASK), INTERNAL, at[part] + 60 * (turn + 5), day, turn + 1)

    def _ask(self, live: Records, rows: Ints, written: Ints, effort: Floats, day: int) -> None:
        """The client writes or calls. An e-mail waits for its answer, unless the seller wrote later that day."""
        if not len(rows):
            return
        who = live[rows]
        chance = self.draws.uniforms(("ask kind", "ask hour", "answer evening"), who["key"], day)
        kind = np.where(chance["ask kind"] < 0.8, EMAIL, CALL)
        at = at_work(day, chance["ask hour"], 7.0, 21.5)
        self._note(who, kind, INBOUND, at, day, 40)
        live["silence"][rows] = 0
        fresh = (who["asked"] == 0) & (kind == EMAIL) & (written[rows] < at)
        due = in_office_hours(
            at + (HOUR * self._hours(who, effort[rows], day)).astype(np.int64),
            chance["answer evening"],
        )
        live["asked"][rows] = np.where(fresh, at, who["asked"])
        live["answer"][rows] = np.where(fresh, due, who["answer"])
        if day >= NEW_CRM:
            robot = fresh & (self.draws.uniform("robot", who["key"], day) < 0.22)
            self._note(who[robot], kind[robot], OUTBOUND, at[robot] + 40, day, 60, is_automatic=True)

    def _hours(self, who: Records, effort: Floats, day: int) -> Floats:
        """Hours until a human answers: slow sellers, weak deals and the reorganisation make them long."""
        settling = np.isin(who["team"], REORGANISED) & (0 <= day - REORGANISATION < _SETTLING_DAYS)
        centre = 1.9 + 0.45 * self.slow[who["rep"]] - 0.40 * effort + 0.5 * settling
        hours = np.exp(centre + 1.2 * self.draws.normal("answer", who["key"], day))
        hours += np.where(self.draws.uniform("forgets", who["key"], day) < 0.06, 400.0, 0.0)
        return hours * (self.levers.response_time_factor if day >= self.since else 1.0)

    def _answer(self, live: Records, day: int) -> None:
        rows = np.flatnonzero((live["asked"] > 0) & (live["answer"] < MIDNIGHT[day + 1]))
        if not len(rows):
            return
        who = live[rows]
        self._wait(live, day, rows)
        self._note(who, np.full(len(rows), EMAIL), OUTBOUND, np.maximum(who["answer"], MIDNIGHT[day]), day, 80)
        live["asked"][rows] = 0
        live["waited"][rows] = 0
        live["silence"][rows] = 0

    def _wait(self, live: Records, day: int, answered: Ints | None = None) -> None:
        """Momentum sinks with the time a client has been waiting, until the answer or the end of the day."""
        rows = np.flatnonzero(live["asked"] > 0) if answered is None else answered
        if not len(rows):
            return
        who = live[rows]
        until = MIDNIGHT[day + 1] if answered is None else who["answer"]
        waited = np.log1p(np.maximum(until - who["asked"], 0) / (8 * HOUR))
        cost = planted.WAITING * planted.WAITING_BY_TYPE[who["kind"]]
        live["momentum"][rows] -= cost * np.maximum(waited - who["waited"], 0)
        live["waited"][rows] = np.maximum(waited, who["waited"])

    def _note(
        self, who: Records, kind: Ints, direction: int, at: Ints, day: int, turn: int = 0, is_automatic: bool = False
    ) -> None:
        """Write touches down; `turn` tells those of one deal on one day apart."""
        if not len(who):
            return
        rows = np.empty(len(who), dtype=TOUCH)
        for name in ("number", "prospect", "rep", "key", "met"):
            rows[name] = who[name]
        rows["at"], rows["kind"], rows["direction"], rows["is_automatic"] = at, kind, direction, is_automatic
        rows["step"] = day * 100 + turn
        self.touches.append(rows)

    def activities(self) -> Records:
        """All touches: with one of the people met, and for how long; below a `volume` of 1 only some are kept."""
        touches = np.concatenate([np.zeros(0, TOUCH), *self.touches])
        if self.volume < 1:
            touches = touches[self.draws.uniform("kept", touches["key"], touches["step"] // 100) < self.volume]
        key, step, kind = touches["key"], touches["step"], touches["kind"]
        rows = np.empty(len(touches), dtype=ACTIVITY)
        for name in ("number", "prospect", "at", "rep", "kind", "direction", "is_automatic"):
            rows[name] = touches[name]
        unknown = (touches["direction"] == INTERNAL) | (self.draws.uniform("nobody", key, step) < 0.05)
        rows["person"] = np.where(unknown, -1, _one_met(touches["met"], self.draws.uniform("with", key, step)))
        base, spread = np.array([0, 5, 30, 45, 0, 10])[kind], np.array([0, 25, 60, 45, 0, 50])[kind]
        rows["minutes"] = 5 * np.round((base + spread * self.draws.uniform("minutes", key, step)) / 5)
        return rows


def _next_person(deals: Records, must_be_senior: bool = False) -> Ints:
    """The first person not yet met, going round from the deal's first contact; -1 where nobody is left."""
    person = np.full(len(deals), -1, dtype=np.int64)
    if not len(deals):
        return person
    wanted = deals["senior"] if must_be_senior else np.full(len(deals), -1)
    for turn in range(N_CONTACTS - 1, -1, -1):
        place = (deals["first_contact"] + turn) % deals["n_contacts"]
        free = ((deals["met"] >> place) & 1) == 0
        person = np.where(free & (((wanted >> place) & 1) == 1) & (turn < deals["n_contacts"]), place, person)
    return person


def _one_met(met: Ints, chance: Floats) -> Ints:
    """One of the people met, each as likely as the others."""
    return _NTH_MET[met, (chance * _N_MET[met]).astype(np.int64)]


def n_met(deals: Records) -> Ints:
    """How many people have been met."""
    return _N_MET[deals["met"]]


_BITS = (np.arange(1 << N_CONTACTS)[:, None] >> np.arange(N_CONTACTS)) & 1
_N_MET: Ints = _BITS.sum(axis=1)
#: For each set of people met, the places of the first, the second, …: the ones met come first.
_NTH_MET: Ints = np.argsort(1 - _BITS, axis=1, kind="stable")
