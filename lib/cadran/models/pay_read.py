"""Reading a pay plan from a TOML file, and telling all that is wrong with it. The format is told in docs/pay.md."""

from calendar import monthrange
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import narwhals as nw

from cadran.book import Book
from cadran.book.whole import whole_of
from cadran.measures.counting import small
from cadran.models.pay_plan import ATTAINMENTS, COLUMNS, PERIODS, Measure, PayPlan, Person, Tier
from cadran.models.plan_file import plan_of
from cadran.tables.problems import Problem
from cadran.tables.toml_file import Section, read_toml

PAY = "pay.toml"


def plan_path(book: Book, file: Path | None = None) -> Path:
    """The file of a pay plan: that named, else the book's own."""
    return file or plan_of(book, PAY)


def plans_of(book: Book) -> tuple[dict[str, PayPlan], tuple[Problem, ...]]:
    """The pay plans of a book, by the name of their file, its own (`pay.toml`) first; and why others cannot be used."""
    plans, faults = {}, []
    for path in sorted(plan_of(book, "").glob("pay*.toml"), key=lambda path: (path.name != PAY, path.name)):
        try:
            plans[path.stem] = load_plan(path, book)
        except Problem as problem:
            faults.append(problem)
    return plans, tuple(faults)


def load_plan(path: Path, book: Book) -> PayPlan:
    """Read a pay plan and hold it to the book it pays on.

    Raises:
        Problem: With every fault of the file: its table, its key, the rule and the repair.
    """
    root, book = read_toml(path), whole_of(book, __name__)  # a plan may name whom a reader does not see
    who, pay, quota = root.section("who"), root.section("pay"), root.section("quota")
    reps = small(book.table("reps").select("rep_id", "team", "role").unique())
    known = {name: sorted(reps[name].drop_nulls().unique()) for name in reps.columns}
    plan = PayPlan(
        name=root.text("name"), currency=root.text("currency"),
        starts=root.day("starts"), ends=root.day("ends"),
        notified=root.day("notified") if root.has("notified") else None,
        period=root.text("period", "quarter", among=tuple(PERIODS)),
        attainment=root.text("attainment", "period", among=ATTAINMENTS),
        base=_cents(pay, "base", 0), variable=_cents(pay, "variable", 0), cap=_maybe(pay, "cap"),
        quota=_maybe(quota, "amount"), is_quota_from_targets=quota.text("from", "plan", ("plan", "targets")) == "targets",
        is_prorated=quota.flag("prorated", True), seasons=_seasons(quota),
        roles=tuple(who.texts("roles", known["role"])), teams=tuple(who.texts("teams", known["team"])),
        reps=tuple(who.texts("reps", known["rep_id"])),
        measures=tuple(_measure(each, book) for each in root.sections("measures")),
        people=_people(root.section("people"), known["rep_id"]),
        splits=_splits(root.section("splits"), known["rep_id"], book),
        **_clauses(root),
    )  # fmt: skip
    for each in (who, pay, quota):
        each.close()
    root.close()
    _check(plan, root, book)
    root.check()
    return plan


def _clauses(root: Section) -> dict[str, Any]:
    """What may be taken back or paid ahead."""
    clawback, draw = root.section("clawback"), root.section("draw")
    within = clawback.whole("within_days", least=1, most=3660) if root.has("clawback") else None
    told = {
        "clawback_days": within,
        "draw": _cents(draw, "amount") if root.has("draw") else 0,
        "draw_months": draw.whole("months", least=1, most=120) if draw.has("months") else None,
        "is_draw_recoverable": draw.flag("recoverable", False),
    }
    clawback.close()
    draw.close()
    return told


def _measure(section: Section, book: Book) -> Measure:
    pays = section.text("pays", "variable", ("variable", "amount"))
    is_on_quota = section.text("tiers_of", "quota", ("quota", "amount")) == "quota"
    where = section.section("where")
    found = tuple((column, _values(where, column, book)) for column in COLUMNS if where.has(column))
    made = Measure(
        name=section.text("name"),
        weight=_exact(section, "weight", Fraction(1), 0, 1) if pays == "variable" else None,
        quota_share=_exact(section, "quota_share", Fraction(1), 0, 1),
        is_on_quota=is_on_quota,
        is_of_team=section.text("of", "rep", ("rep", "team")) == "team",
        is_of_deals=section.text("counts", "amount", ("amount", "deals")) == "deals",
        tiers=_tiers(section, is_on_quota),
        where=found,
    )
    if pays == "variable" and not is_on_quota:
        section.fault("Shares of the variable are paid by shares of the quota.",
                      'Write tiers_of = "quota", or pays = "amount".', "tiers_of")  # fmt: skip
    if made.quota_share == 0:
        section.fault("Nobody can be held to no quota.", "Write a share above 0.", "quota_share")
    where.close()
    section.close()
    return made


def _values(where: Section, column: str, book: Book) -> tuple[str, ...]:
    """The values of a column that a measure counts; one that no deal has would count nothing, in silence."""
    known = small(book.deals([column]).unique())[column].drop_nulls().to_list()
    return tuple(where.texts(column, sorted(known) or ["–"]))


def _tiers(section: Section, is_on_quota: bool) -> tuple[Tier, ...]:
    given = section.sections("tiers")
    if not given:
        section.fault(
            "A measure without tiers pays nothing.", "Write [[measures.tiers]] with from, to and rate.", "tiers"
        )
    tiers = []
    for each in given:
        scale = 1 if is_on_quota else 100
        end = _exact(each, "to", least=0) * scale if each.has("to") else None
        tier = Tier(_exact(each, "from", least=0) * scale, end, _exact(each, "rate", least=0),
                    each.flag("from_first", False), _cents(each, "bonus", 0))  # fmt: skip
        if end is not None and end <= tier.start:
            each.fault("The tier ends at {end}, where it begins or before.", "Write a `to` above its `from`.", "to",
                       end=_told(end, is_on_quota))  # fmt: skip
        each.close()
        tiers.append(tier)
    _check_joined(section, tiers, is_on_quota)
    return tuple(tiers)


def _check_joined(section: Section, tiers: list[Tier], is_on_quota: bool) -> None:
    """No attainment may have no tier, or two."""
    if tiers and tiers[0].start != 0:
        section.fault("Nothing is said below {start}.", "Let the first tier begin at 0; rate = 0 pays nothing there.", "tiers",
                      start=_told(tiers[0].start, is_on_quota))  # fmt: skip
    for number, (one, two) in enumerate(pairwise(tiers), 1):
        if one.end is None:
            section.fault("Tier {n} has no end, and another follows.", "Write its `to`, or take out what follows.",
                          "tiers", n=number)  # fmt: skip
        elif one.end != two.start:
            what = (
                "Between {one} and {two} there is a gap."
                if one.end < two.start
                else "From {two} to {one}, tiers overlap."
            )
            section.fault(what, "Let each tier begin where the one before ends.", "tiers",
                          one=_told(one.end, is_on_quota), two=_told(two.start, is_on_quota))  # fmt: skip
    if tiers and tiers[-1].end is not None:
        section.fault("Nothing is said from {end} on.", "Leave out `to` in the last tier; rate = 0 pays nothing more.", "tiers",
                      end=_told(tiers[-1].end, is_on_quota))  # fmt: skip


def _told(edge: Fraction, is_on_quota: bool) -> float:
    return float(edge if is_on_quota else edge / 100)


def _seasons(quota: Section) -> tuple[Fraction, ...]:
    return tuple(Fraction(str(each)) for each in quota.numbers("seasons", 0, 1))


def _people(section: Section, reps: list[str]) -> dict[str, Person]:
    people = {}
    for rep_id in section.values:
        one = section.section(rep_id)
        if rep_id not in reps:
            section.fault("The book knows no rep {rep}.", "Write the rep as the book does.", rep_id, rep=rep_id)
        starts, ends = (one.day(key) if one.has(key) else None for key in ("starts", "ends"))
        if starts and ends and ends < starts:
            one.fault("It ends before it begins.", "Swap the two days.", "ends")
        quota, base, variable = (_maybe(one, key) for key in ("quota", "base", "variable"))
        if one.values.get("quota") == 0:
            one.fault("Nobody can be held to no quota.", "Write an amount above 0, or leave it out.", "quota")
        one.close()
        people[rep_id] = Person(quota, base, variable, starts, ends)
    return people


def _splits(section: Section, reps: list[str], book: Book) -> dict[str, dict[str, Fraction]]:
    ids = list(section.values)
    held = nw.col("opportunity_id").is_in(ids)
    known = set(small(book.deals(["opportunity_id"]).filter(held))["opportunity_id"]) if ids else set()
    splits = {}
    for deal in ids:
        one = section.section(deal)
        if deal not in known:
            section.fault("The book knows no deal {deal}.", "Write the deal as the book does.", deal, deal=deal)
        for rep in one.values:
            if rep not in reps:
                one.fault("The book knows no rep {rep}.", "Write the rep as the book does.", rep, rep=rep)
        shares = {rep: _exact(one, rep, Fraction(0), 0, 1) for rep in one.values}
        if shares and sum(shares.values()) != 1:
            one.fault("The shares add up to {sum}.", "Let them add up to 1.", "", sum=float(sum(shares.values())))
        one.close()
        splits[deal] = shares
    return splits


def _check(plan: PayPlan, root: Section, book: Book) -> None:
    """The rules that take more than one key."""
    if plan.currency and plan.currency != book.settings.currency:
        root.fault("The plan pays in {plan}, the book counts in {book}.",
                   "Write the plan in the book's currency: rates of exchange are no part of a plan.", "currency",
                   plan=plan.currency, book=book.settings.currency)  # fmt: skip
    if root.has("starts") and root.has("ends"):
        _check_days(plan, root)
    if plan.cap is not None and plan.cap < plan.variable:
        root.fault("The cap, {cap}, is below the variable, {variable}: nobody could earn what is promised at 100 %.",
                   "Raise the cap, or leave it out.", "pay.cap",
                   cap=plan.cap / 100, variable=plan.variable / 100)  # fmt: skip
    if not plan.measures:
        root.fault("A plan without measures pays nothing.", "Write [[measures]].", "measures")
    weights = [each.weight for each in plan.measures if each.weight is not None]
    if weights and sum(weights) != 1:
        root.fault("The weights add up to {sum}.", "Let those of all measures that share the variable add up to 1.",
                   "measures", sum=float(sum(weights)))  # fmt: skip
    if weights and not plan.variable and not any(person.variable for person in plan.people.values()):
        root.fault("The measures share a variable of 0.", 'Write pay.variable, or pays = "amount".', "pay.variable")
    names = [each.name for each in plan.measures]
    if len(set(names)) < len(names):
        root.fault("Two measures have one name.", "Name each differently.", "measures")
    if root.section("quota").values.get("amount") == 0:
        root.fault("Nobody can be held to no quota.", "Write an amount above 0, or leave it out.", "quota.amount")
    if plan.is_quota_from_targets and plan.quota is not None:
        root.fault("Quotas come from the targets, and an amount is said too.",
                   'Remove it, or write from = "plan".', "quota.amount")  # fmt: skip
    if plan.reps and plan.roles:
        root.fault(
            "The sellers are named one by one, and roles are said too.", "Leave out reps, or roles.", "who.roles"
        )
    said = plan.quota is not None or plan.is_quota_from_targets or any(each.quota for each in plan.people.values())
    if plan.needs_quota and not said:
        root.fault("Measures are held to a quota, and none is said.",
                   'Write quota.amount, quota.from = "targets", or a quota for each of [people].', "quota")  # fmt: skip


def _check_days(plan: PayPlan, root: Section) -> None:
    if plan.ends < plan.starts:
        root.fault("It ends before it begins.", "Swap the two days.", "ends")
        return
    if plan.starts.day != 1:
        root.fault("{day:%Y-%m-%d} is not the first day of a month.", "Begin with one.", "starts", day=plan.starts)
    last = plan.ends.replace(day=monthrange(plan.ends.year, plan.ends.month)[1])
    if plan.ends != last:
        root.fault("{day:%Y-%m-%d} is not the last day of a month.", "Write {last:%Y-%m-%d}.", "ends",
                   day=plan.ends, last=last)  # fmt: skip
    if plan.months > 12:
        root.fault("The plan runs for {n} months.", "Write a plan for each year.", "ends", n=plan.months)
    elif plan.period != "year" and plan.months % PERIODS[plan.period]:
        root.fault("{n} months are no whole number of periods.", "Move the last day, or change the period.", "ends",
                   n=plan.months)  # fmt: skip
    elif plan.seasons and (len(plan.seasons) != len(plan.periods()) or sum(plan.seasons) != 1):
        root.fault("There are {n} shares that add up to {sum}.", "Write {periods} shares that add up to 1.",
                   "quota.seasons", n=len(plan.seasons), sum=float(sum(plan.seasons)), periods=len(plan.periods()))  # fmt: skip


def _exact(
    section: Section, key: str, default: Fraction | None = None, least: float | None = None, most: float | None = None
) -> Fraction:
    """A number exactly as it is written; also as a fraction, "10/3"."""
    written = section.values.get(key)
    if isinstance(written, str):
        try:
            value = Fraction(written)
        except (ValueError, ZeroDivisionError):
            section.number(key)
            return default or Fraction(0)
        if (least is None or value >= least) and (most is None or value <= most):
            section.text(key)
            return value
        section.values = section.values | {key: float(value)}
    return Fraction(str(section.number(key, None if default is None else float(default), least, most)))


def _cents(section: Section, key: str, default: int | None = None) -> int:
    """An amount of money, in cents."""
    value = _exact(section, key, None if default is None else Fraction(default, 100), least=0) * 100
    if value.denominator != 1:
        section.fault("{value} has parts of a cent.", "Write at most two decimals.", key, value=float(value / 100))
    return int(value)


def _maybe(section: Section, key: str) -> int | None:
    return _cents(section, key) if section.has(key) else None
