"""A company whose load outgrows its staff in a known month: arrivals, lives of deals, hours, ramp and departures are planted.

Demand rose for some months before the book's day and stays where it is; open deals are still growing towards it, and
sellers leave without being replaced. The month in which a region runs short follows from what is planted, given the
deals open and the sellers present on the book's day.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from quick import quick_model

from cadran.book import Book, open_book, write_book
from cadran.book.held import hold
from cadran.measures.periods import month_after
from cadran.models.bookings import of_model
from cadran.models.capacity import Hiring, of_coming
from cadran.models.coming import Coming
from cadran.models.staffing import Staffing
from cadran.models.working_days import WorkingDays
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery, Settings

REGIONS = ("Nord", "Ouest", "Sud")
MONTHS = 48
#: Deals that arrive a month in each region before demand rises, and by how much it rises within `RISING` months, which
#: ended `SETTLED` months ago.
ARRIVALS, RISE, RISING, SETTLED = 38.0, 2.4, 3, 4
#: Share of open deals that end within a month (of 30.44 days), and of those that are won.
ENDS, WON = 0.06, 0.35
#: Touches of an open deal and month of 21 business days, and hours of one.
TOUCHES, HOURS = 1.0, 1.4
#: Share of a tenured seller's work by months since hiring; useful from 0.5, after three months.
RAMP = (0.05, 0.2, 0.35, 0.55, 0.75, 0.9)
YEARLY_ATTRITION, SELLERS = 0.15, 22
#: By how much load has to be below what can be carried before the month of shortage, and above after it.
APART = 1.04
LAST = date(2026, 6, 30)


@dataclass(frozen=True)
class Company:
    """The book, what a plan states of it, and the truth."""

    book: Book
    staffing: Staffing
    #: Region that runs short, and the first month in which it does.
    region: str
    short: date

    def hiring(self, **stated: float) -> Hiring:
        """The capacity plan of the book, on the bookings that a quickly fitted win model gives."""
        found = of_model(self.book, quick_model(self.book), 12)
        coming = Coming(found.sellers, found.months, found.drawn())
        return of_coming(self.book, replace(self.staffing, **stated), coming)

    def hire_by(self, told: Hiring) -> date:
        """The day by which one would have to begin to hire, knowing what is planted."""
        useful = next(n for n, share in enumerate(RAMP) if share >= self.staffing.useful_share)
        return told.plan.force.calendar.recruit_by(month_after(self.short, -useful))


def company(folder: Path, seed: int, size: float = 1.0) -> Company:
    """Invent one and keep it as a book.

    Args:
        folder: Where the book is written.
        seed: Another seed, another company, another day, another month of shortage.
        size: Of staff and market, 1 for 66 sellers and some 7,000 deals.
    """
    rng = np.random.default_rng([seed, 71])
    end = month_after(LAST, 1 - int(rng.integers(0, 12))) - timedelta(days=1)
    start = month_after(end, 1 - MONTHS)
    months = [month_after(start, n) for n in range(MONTHS)]
    staff, deals, versions = _lived(rng, months, size)
    touches = _touches(rng, deals, versions, months[-26], end)
    book = _written(folder, staff, deals, versions, touches, end)
    n_open = {region: sum(deal["closed"] is None and deal["region"] == region for deal in deals) for region in REGIONS}
    present = {region: [p["hired"] for p in staff if p["left"] is None and p["region"] == region] for region in REGIONS}
    load, heads = _true(n_open, present, end, book, size)
    # The share of the time that goes into deals is such that the fullest region runs short in a month that stands out.
    days = WorkingDays.of(book, Staffing(), start, month_after(end, 14))
    usual = np.array([days.selling_hours(month_after(end, n + 1)) / Staffing.selling_share for n in range(14)])
    ratios = {region: load[region] / (heads[region] * usual) for region in REGIONS}
    fullest = max(REGIONS, key=lambda each: ratios[each].mean())
    ahead, share = _crossing(rng, ratios[fullest])
    return Company(book, Staffing(selling_share=share), fullest, month_after(end, ahead + 1))


def _crossing(rng: np.random.Generator, ratio: np.ndarray) -> tuple[int, float]:
    """A month, 3 to 9 ahead, that is the first to be short if so much of the time goes into deals. Two months before, load
    is `APART` below what can be carried, and in that month or the next so much above: the true month is no matter of luck."""
    told = np.minimum(ratio, [ratio[n : n + 3].mean() for n in range(len(ratio))])
    before = np.maximum.accumulate(told)
    shares = {n: float(np.sqrt(told[n] * before[n - 1])) for n in range(3, 10) if told[n] > before[n - 1]}
    apart = {n: min(each / before[n - 2], max(told[n], told[n + 1]) / each) for n, each in shares.items()}
    able = [n for n in apart if apart[n] >= APART] or [max(apart, key=lambda n: apart[n])]
    ahead = int(rng.choice(able))
    return ahead, shares[ahead]


def _rate(month: int) -> float:
    """Deals that arrive in a region in one of the past months, or later."""
    rising = np.clip((month - (MONTHS - SETTLED - RISING)) / RISING, 0, 1)
    return ARRIVALS * (1 + (RISE - 1) * float(rising))


def _true(
    n_open: dict[str, int], present: dict[str, list[date]], end: date, book: Book, size: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Hours of load, and tenured sellers' worth of work, that are to be expected in the months to come."""
    days = WorkingDays.of(book, Staffing(), end, month_after(end, 14))
    load: dict[str, np.ndarray] = {}
    heads: dict[str, np.ndarray] = {}
    hazard, leaves = -np.log1p(-ENDS), -np.log1p(-YEARLY_ATTRITION) / 12
    for region in REGIONS:
        stock, told, there = float(n_open[region]), [], []
        for n in range(14):
            month = month_after(end, n + 1)
            length = (month_after(month, 1) - month).days / 30.44
            steady = size * _rate(MONTHS + n) / length / hazard
            shrinks = np.exp(-hazard * length)
            mean = steady + (stock - steady) * (1 - shrinks) / (hazard * length)
            stock = steady + (stock - steady) * shrinks
            told.append(mean * TOUCHES * HOURS * days.business(month) / 21)
            there.append(np.exp(-leaves * (n + 0.5)) * sum(_ramp(_months(hired, month)) for hired in present[region]))
        load[region], heads[region] = np.array(told), np.array(there)
    return load, heads


def _ramp(tenure: int) -> float:
    return RAMP[tenure] if 0 <= tenure < len(RAMP) else float(tenure >= 0)


def _months(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _lived(rng: np.random.Generator, months: list[date], size: float) -> tuple[list[dict], list[dict], list[dict]]:
    """The staff, the deals, and who had each of them open when, month by month."""
    staff = [
        _person(n, REGIONS[n % 3], months[0] - timedelta(days=int(rng.integers(400, 3000))))
        for n in range(round(3 * SELLERS * size))
    ]
    deals: list[dict] = []
    versions: list[dict] = []
    vacant: list[tuple[str, int]] = []
    for turn, month in enumerate(months):
        following = month_after(month, 1)
        for region, since in [each for each in vacant if each[1] == turn]:
            staff.append(_person(len(staff), region, month))
            vacant.remove((region, since))
        length = (following - month).days
        for region in REGIONS:
            here = [p for p in staff if p["left"] is None and p["region"] == region]
            worth = np.array([_ramp(_months(p["hired"], month)) for p in here])
            stock = [d for d in deals if d["closed"] is None and d["region"] == region]
            _shared_out(rng, stock, here, worth, month, versions)
            for _ in range(rng.poisson(size * _rate(turn))):
                day = month + timedelta(days=int(rng.integers(length)))
                owner = here[rng.choice(len(here), p=worth / worth.sum())]["id"]
                deals.append(
                    {
                        "id": f"d{len(deals):05}",
                        "region": region,
                        "created": day,
                        "closed": None,
                        "owner": owner,
                        "since": day,
                    }
                )
                stock.append(deals[-1])
            _ended(rng, stock, month, following, versions)
        leavers = [p for p in staff if p["left"] is None and rng.random() < -np.expm1(np.log1p(-YEARLY_ATTRITION) / 12)]
        for person in leavers if turn < MONTHS - 1 else ():
            person["left"] = following - timedelta(days=1)
            vacant.append((person["region"], turn + 2))
    still = [deal for deal in deals if deal["closed"] is None]
    versions += [{"id": each["id"], "owner": each["owner"], "since": each["since"], "until": None} for each in still]
    return staff, deals, versions


def _person(number: int, region: str, hired: date) -> dict:
    return {"id": f"s{number:03}", "region": region, "hired": hired, "left": None}


def _shared_out(
    rng: np.random.Generator, stock: list[dict], here: list[dict], worth: np.ndarray, day: date, versions: list[dict]
) -> None:
    """Deals of those who left, and of the fullest, pass to those who have fewer than they can carry."""
    ids = [p["id"] for p in here]
    mine = {each: [d for d in stock if d["owner"] == each] for each in ids}
    homeless = [d for d in stock if d["owner"] not in mine]
    wanted = dict(zip(ids, worth / worth.sum() * len(stock), strict=True))
    for deal in homeless:
        _passed(deal, max(ids, key=lambda each: wanted[each] - len(mine[each])), day, versions)
        mine[deal["owner"]].append(deal)
    for person, share in zip(ids, worth, strict=True):
        while share < 1 and len(mine[person]) < wanted[person] - 1:
            fullest = max(ids, key=lambda each: len(mine[each]) - wanted[each])
            if fullest == person or not mine[fullest]:
                break
            deal = mine[fullest].pop(int(rng.integers(len(mine[fullest]))))
            _passed(deal, person, day, versions)
            mine[person].append(deal)


def _passed(deal: dict, owner: str, day: date, versions: list[dict]) -> None:
    if day > deal["since"]:
        versions.append({"id": deal["id"], "owner": deal["owner"], "since": deal["since"], "until": day})
    deal |= {"owner": owner, "since": day}


def _ended(rng: np.random.Generator, stock: list[dict], month: date, following: date, versions: list[dict]) -> None:
    hazard = -np.log1p(-ENDS) / 30.44
    for deal in stock:
        since = max(deal["created"], month)
        day = since + timedelta(days=int(rng.exponential(1 / hazard)))
        if day < following:
            deal |= {"closed": day, "status": "won" if rng.random() < WON else "lost"}
            versions.append({"id": deal["id"], "owner": deal["owner"], "since": deal["since"], "until": day})


def _touches(rng: np.random.Generator, deals: list[dict], versions: list[dict], since: date, end: date) -> list[dict]:
    """Meetings, noted with their length, on the business days on which deals were open."""
    told = []
    for span in versions:
        first, last = max(span["since"], since), span["until"] or end + timedelta(days=1)
        n = int(np.busday_count(first, last)) if first < last else 0
        for turn in rng.integers(n, size=rng.binomial(n, TOUCHES / 21)):
            day = np.busday_offset(first, turn, roll="forward").item()
            told.append(
                {"id": span["id"], "owner": span["owner"], "day": day, "minutes": 60 * HOURS * rng.gamma(4, 0.25)}
            )
    return told


def _at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _written(
    folder: Path, staff: list[dict], deals: list[dict], versions: list[dict], touches: list[dict], end: date
) -> Book:
    def frame(name: str, rows: list[dict]) -> pl.DataFrame:
        types = dict(TABLES[name].create_empty().schema)
        return pl.DataFrame([{column: row.get(column) for column in types} for row in rows], schema=types, orient="row")

    reps = []
    for person in staff:
        facts = {
            "rep_id": person["id"],
            "region": person["region"],
            "team": person["region"],
            "role": "seller",
            "hired_date": person["hired"],
        }
        reps.append(facts | {"valid_from": _at(person["hired"])})
        if person["left"]:
            reps.append(facts | {"valid_from": _at(person["left"]), "left_date": person["left"]})
    rng = np.random.default_rng(len(deals))
    amounts = {deal["id"]: float(np.round(np.exp(9 + 0.6 * rng.standard_normal()))) for deal in deals}
    kept = [{"opportunity_id": s["id"], "valid_from": _at(s["since"]), "rep_id": s["owner"], "stage": "Open", "status": "open",
             "amount": amounts[s["id"]]} for s in versions]  # fmt: skip
    kept += [{"opportunity_id": d["id"], "valid_from": _at(d["closed"], 17), "rep_id": d["owner"], "stage": d["status"].title(),
              "status": d["status"], "amount": amounts[d["id"]]} for d in deals if d["closed"]]  # fmt: skip
    stages = [("Open", 0, "open", True, 0.3), ("Won", 1, "won", True, 1.0), ("Lost", 2, "lost", True, 0.0)]
    names = ("stage", "position", "kind", "is_qualified", "probability")
    tables = {
        "reps": frame("reps", reps),
        "stages": frame("stages", [dict(zip(names, each, strict=True)) for each in stages]),
        "opportunities": frame("opportunities", [
            {"opportunity_id": d["id"], "created_at": _at(d["created"]), "deal_type": "new"} for d in deals
        ]),
        "versions": frame("versions", kept),
        "activities": frame("activities", [
            {"activity_id": f"a{n:06}", "opportunity_id": t["id"], "rep_id": t["owner"], "kind": "meeting", "direction": None,
             "at": _at(t["day"]), "duration_minutes": t["minutes"]} for n, t in enumerate(touches)
        ]),
    }  # fmt: skip
    taken = datetime(end.year, end.month, end.day, 20, tzinfo=UTC)
    write_book(
        folder,
        Delivery.whole(
            Settings(name="short of sellers", taken=taken), tables, histories=frozenset(["versions", "reps"])
        ),
        written_at=taken,
    )
    return hold(open_book(folder))
