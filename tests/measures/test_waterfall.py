"""The waterfall adds up, whatever happens to deals between two dates."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.book import SAMPLE, Reader, open_book
from cadran.book.held import hold
from cadran.measures import MEASURES, Question
from cadran.measures.periods import add_months, day_before
from cadran.tables.measured.waterfall import CAUSES, Waterfall
from cadran.tables.problems import Problem

MONTH_ENDS = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
REGIONS = ["North", "South", None]


def invented(seed, n=60):
    """Deals that change in every way, with sellers who change region."""
    rng = random.Random(seed)
    versions, reps = [], []
    for rep in ("r1", "r2", "r3"):
        for number, day in enumerate(["2026-01-01", "2026-02-15", "2026-03-20"]):
            if number == 0 or rng.random() < 0.5:
                reps.append({"rep_id": rep, "valid_from": day, "region": rng.choice(REGIONS)})
    for deal in range(n):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(2000))
        for _ in range(rng.randint(1, 6)):
            status = rng.choice(["open"] * 4 + ["won", "lost", "disqualified"])
            currency, rate = rng.choice([("EUR", 1.0), ("USD", 0.9), ("USD", 0.95)])
            original = rng.choice([None, 100.0, 100.0, 250.55])
            expected = date(2026, 1, 15) + timedelta(days=rng.randrange(150))
            stage = rng.choice(["Prospect", "Propose"]) if status == "open" else status.title()
            ends = rng.random() < 0.05
            versions.append(
                {
                    "opportunity_id": f"x{deal}", "valid_from": at, "status": status, "stage": stage,
                    "rep_id": rng.choice(["r1", "r2", "r3", None]), "original_amount": original, "currency": currency,
                    "rate": rate, "amount": None if original is None else round(original * rate, 2),
                    "expected_close_date": rng.choice([expected, expected, None]),
                    "valid_to": at + timedelta(hours=1) if ends else None,
                }
            )  # fmt: skip
            at += timedelta(hours=rng.randrange(2, 1200))
    opportunities = [{"opportunity_id": f"x{deal}"} for deal in range(n)]
    return {"versions": versions, "reps": reps, "opportunities": opportunities}


def as_it_was(tables, day, region="any", due_by=None):
    """Slow loop: (all known versions by deal, those of the open pipeline of a region) at the end of a day."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    known, standing = {}, {}
    for version in sorted(tables["versions"], key=lambda each: each["valid_from"]):
        if version["valid_from"] < end:
            known[version["opportunity_id"]] = version
    for deal, version in list(known.items()):
        if version["valid_to"] is not None and version["valid_to"] < end:
            del known[deal]
            continue
        where = None
        for rep in tables["reps"]:
            if (
                rep["rep_id"] == version["rep_id"]
                and datetime.fromisoformat(rep["valid_from"]).replace(tzinfo=UTC) < end
            ):
                where = rep["region"]
        is_due = due_by is None or (version["expected_close_date"] or date.max) <= due_by
        if version["status"] == "open" and region in ("any", where) and is_due:
            standing[deal] = version
    return known, standing


def expected_rows(tables, since, until, region="any", due_by=None, later=None):
    """Slow loop: the cause of each deal, by the words of the definition. `later` is what was known at the closing."""
    later = later or tables
    known, opening = as_it_was(tables, since, region, due_by)
    known_after, closing = as_it_was(later, until, region, due_by)
    anywhere = [as_it_was(told, day, region)[1] for told, day in ((tables, since), (later, until))]
    order = {"Prospect": 0, "Propose": 1}
    rows = {cause: [0, 0, 0, 0] for cause in ("opening", *CAUSES, "closing")}
    for deal in opening.keys() | closing.keys():
        a, b, now, then = opening.get(deal), closing.get(deal), known_after.get(deal), known.get(deal)
        month = lambda v: (v["expected_close_date"].year, v["expected_close_date"].month)  # noqa: E731
        both_dated = a and b and a["expected_close_date"] and b["expected_close_date"]
        same_money = a and b and a["currency"] == b["currency"]
        if a and now is None:
            cause = "corrected"
        elif a and now["status"] != "open":
            cause = now["status"]
        elif a and deal not in anywhere[1]:
            cause = "transferred_out"
        elif b and then is None:
            cause = "new"
        elif b and not a and then["status"] == "open" and deal not in anywhere[0]:
            cause = "transferred_in"
        elif b and not a and then["status"] != "open":
            cause = "reopened" if region == "any" else "reopened or transferred_in"
        elif not a or (both_dated and month(b) < month(a)):
            cause = "pulled_in"
        elif not b or (both_dated and month(b) > month(a)):
            cause = "pushed_out"
        elif (a["amount"] is None) != (b["amount"] is None):
            cause = "amount_known"
        elif a["amount"] != b["amount"] and same_money and a["original_amount"] != b["original_amount"]:
            cause = "amount_up" if b["amount"] > a["amount"] else "amount_down"
        elif a["amount"] != b["amount"] or a["currency"] != b["currency"]:
            cause = "currency"
        elif order[b["stage"]] != order[a["stage"]]:
            cause = "stage_forward" if order[b["stage"]] > order[a["stage"]] else "stage_back"
        else:
            cause = "unchanged"
        cents = [round(100 * side["amount"]) if side and side["amount"] is not None else 0 for side in (a, b)]
        unknown = [int(side is not None and side["amount"] is None) for side in (a, b)]
        part = [int(b is not None) - int(a is not None), cents[1] - cents[0], unknown[1] - unknown[0], 1]
        both = {cause: part}
        if a:
            both["opening"] = [1, cents[0], unknown[0], 1]
        if b:
            both["closing"] = [1, cents[1], unknown[1], 1]
        for line, values in both.items():
            rows[line] = [x + y for x, y in zip(rows.setdefault(line, [0, 0, 0, 0]), values, strict=True)]
    return rows


def measured(book, **question):
    return MEASURES["waterfall"].ask(book, Question(**question))


def in_cents(frame):
    cents = pl.col("amount").mul(100).round().cast(pl.Int64)
    return {row[0]: list(row[1:]) for row in frame.select("cause", "n", cents, "n_unknown", "n_deals").iter_rows()}


def assert_adds_up(frame):
    rows = in_cents(frame)
    opening, closing = rows.pop("opening"), rows.pop("closing")
    for place in range(3):
        assert opening[place] + sum(row[place] for row in rows.values()) == closing[place]


@pytest.fixture(scope="module")
def world(make_book):
    tables = invented(seed=1, n=250)
    return make_book(**tables), tables


PAIRS = list(combinations(MONTH_ENDS, 2))


@pytest.mark.parametrize("due_by", [None, date(2026, 3, 10)])
@pytest.mark.parametrize("pair", PAIRS)
def test_is_what_a_slow_loop_finds(world, pair, due_by):
    book, tables = world
    options = {"due_by": due_by} if due_by else {}

    found = measured(book, since=pair[0], until=pair[1], options=options)

    assert in_cents(found) == expected_rows(tables, *pair, due_by=due_by)


@pytest.mark.parametrize("pair", PAIRS[::2])
def test_adds_up_in_each_region_and_regions_are_filters(world, pair):
    book, tables = world

    by_region = measured(book, by=("region",), since=pair[0], until=pair[1])

    Waterfall.validate(by_region.drop("region"))
    for (region,), rows in by_region.group_by("region"):
        assert_adds_up(rows)
        alone = measured(book, where={"region": (region,)}, since=pair[0], until=pair[1])
        assert in_cents(rows) == in_cents(alone)
        slow = expected_rows(tables, *pair, region=region)
        either = slow.pop("reopened or transferred_in", [0, 0, 0, 0])
        fast = in_cents(rows)
        for cause in ("reopened", "transferred_in"):
            either = [x + y for x, y in zip(either, slow.pop(cause), strict=True)]
        back = [x + y for x, y in zip(fast.pop("reopened"), fast.pop("transferred_in"), strict=True)]
        assert (fast, back) == (slow, either)


def test_months_chain(world):
    book, _ = world
    months = [in_cents(measured(book, since=a, until=b)) for a, b in pairwise(MONTH_ENDS)]

    assert [month["closing"] for month in months[:-1]] == [month["opening"] for month in months[1:]]


def test_a_reader_of_one_region_sees_transfers(world):
    book, _ = world
    book = book.scope(Reader("m", regions=frozenset(["North"])))

    theirs = measured(book, since=MONTH_ENDS[0], until=MONTH_ENDS[2])

    assert_adds_up(theirs)
    assert in_cents(theirs)["transferred_out"][0] < 0 < in_cents(theirs)["transferred_in"][0]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(2, 10**6))
def test_adds_up_on_any_history(make_book, seed):
    tables = invented(seed, n=30)
    book = make_book(**tables)
    for pair in [(date(2026, 1, 20), date(2026, 2, 20)), (date(2026, 2, 20), date(2026, 5, 31))]:
        found = measured(book, since=pair[0], until=pair[1])
        assert_adds_up(found)
        assert in_cents(found) == expected_rows(tables, *pair)


def test_same_on_duckdb(world, on_duckdb):
    book, _ = world
    question = {"by": ("region",), "since": MONTH_ENDS[0], "until": MONTH_ENDS[2]}

    assert (
        measured(on_duckdb(book), **question)
        .sort("region", "cause")
        .equals(measured(book, **question).sort("region", "cause"))
    )


def test_empty_book_and_periods_beyond_it(make_book):
    empty = measured(make_book())

    assert empty["cause"].to_list() == ["opening", *CAUSES, "closing"]
    assert empty.select(pl.col("n", "amount", "n_deals").abs().sum()).row(0) == (0, 0.0, 0)
    with pytest.raises(Problem, match="2026-07-31 is later"):
        measured(make_book(), until=date(2026, 7, 31))
    with pytest.raises(Problem, match="no option due"):
        measured(make_book(), options={"due": date(2026, 7, 31)})


@pytest.mark.parametrize(("before", "after", "moved"), [(None, 100.0, 10_000), (100.0, None, -10_000)])
def test_an_amount_that_becomes_known_or_unknown_neither_rises_nor_falls(make_book, before, after, moved):
    deal = {"opportunity_id": "a", "status": "open", "stage": "Propose"}
    versions = [
        deal | {"valid_from": "2026-01-10", "amount": before},
        deal | {"valid_from": "2026-02-10", "amount": after},
    ]
    book = make_book(opportunities=[{"opportunity_id": "a"}], versions=versions)

    rows = in_cents(measured(book, since=MONTH_ENDS[0], until=MONTH_ENDS[1]))

    assert rows["opening"] == [1, max(-moved, 0), int(before is None), 1]
    assert rows["amount_known"] == [0, moved, -1 if before is None else 1, 1]
    assert rows["closing"] == [1, max(moved, 0), int(after is None), 1]
    assert rows["amount_up"] == rows["amount_down"] == [0, 0, 0, 0]


def test_adds_up_on_the_sample_in_each_region():
    book = hold(open_book(SAMPLE))
    last = book.day.replace(day=1)
    ends_of_quarters = [day_before(add_months(last, -3 * n)) for n in range(16)][::-1]

    for since, until in [*pairwise(ends_of_quarters), (ends_of_quarters[0], ends_of_quarters[-1])]:
        by_region = measured(book, by=("region",), since=since, until=until)
        for _, rows in by_region.group_by("region"):
            assert_adds_up(rows)
        assert_adds_up(measured(book, since=since, until=until))


#: Days at whose end a company exports the whole past of its deals.
EXPORTS = [date(2026, 2, 10), date(2026, 3, 5), date(2026, 4, 1)]


def end_of(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)


def told_by(tables, moment):
    """What an export of a moment tells: nothing later."""
    versions = [
        version | {"valid_to": version["valid_to"] if (version["valid_to"] or moment) < moment else None}
        for version in tables["versions"]
        if version["valid_from"] <= moment
    ]
    reps = [rep for rep in tables["reps"] if datetime.fromisoformat(rep["valid_from"]).replace(tzinfo=UTC) <= moment]
    deals = dict.fromkeys(version["opportunity_id"] for version in versions)
    return {"versions": versions, "reps": reps, "opportunities": [{"opportunity_id": deal} for deal in deals]}


def changed_by_hand(tables, told, at, rng):
    """The company's deals after somebody deleted, lost, corrected or entered late some of their past."""
    lives = {}
    for version in sorted(tables["versions"], key=lambda each: each["valid_from"]):
        lives.setdefault(version["opportunity_id"], []).append(dict(version))
    known = {version["opportunity_id"] for version in told["versions"]}
    for deal in sorted(known):
        life, fate = lives[deal], rng.random()
        version = rng.choice([each for each in life if each["valid_from"] <= at])
        if fate < 0.1:
            del lives[deal]
        elif fate < 0.2:
            last = [each for each in life if each["valid_from"] <= at][-1]
            lives[deal] = life[: life.index(last) + 1]
            last |= {
                "valid_to": last["valid_to"] or at + timedelta(hours=rng.randrange(1, 300)),
                "end_reason": "deleted",
            }
        elif fate < 0.3:
            lives[deal] = [each for each in life if each is not version] or life
        elif fate < 0.45:
            status = rng.choice(["open", "won", "lost"])
            version |= {"status": status, "stage": "Propose" if status == "open" else status.title()}
        elif fate < 0.6:
            version |= {"amount": 777.0, "original_amount": 777.0, "rate": 1.0, "currency": "EUR"}
        elif fate < 0.75:
            entered = version["valid_from"] + timedelta(minutes=30)
            if version["valid_to"] is None and all(each["valid_from"] != entered for each in life):
                life.append(version | {"valid_from": entered, "status": "won", "stage": "Won"})
    versions = [version for life in lives.values() for version in life]
    return tables | {"versions": versions}


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(1, 10**6))
def test_adds_up_as_known_then_and_as_corrected(make_book, seed):
    rng, tables = random.Random(seed), invented(seed, n=40)
    book, exports, gone = None, [], {}
    for day in EXPORTS:
        at = end_of(day)
        told = told_by(tables, at)
        book = make_book(**told, taken=at, after=book, histories=("versions", "reps"))
        here = {deal["opportunity_id"] for deal in told["opportunities"]}
        for version in exports[-1]["versions"] if exports else []:
            if version["opportunity_id"] not in here:
                gone.setdefault((version["opportunity_id"], at), []).append(version)
        exports.append(told)
        tables = changed_by_hand(tables, told, at, rng)
    vanished = []
    for (deal, at), life in gone.items():
        *earlier, last = sorted(life, key=lambda each: each["valid_from"])
        if deal not in here:
            vanished += [*earlier, last | {"valid_to": last["valid_to"] or at}]
    believed = exports[-1] | {"versions": [*exports[-1]["versions"], *vanished]}

    for (i, since), (j, until) in combinations(enumerate(EXPORTS), 2):
        then = measured(book, since=since, until=until)
        assert_adds_up(then)
        assert in_cents(then) == expected_rows(exports[i], since, until, later=exports[j])
        for (_,), rows in measured(book, by=("region",), since=since, until=until).group_by("region"):
            assert_adds_up(rows)
        since_corrected = measured(book.as_of(EXPORTS[-1], corrected=True), since=since, until=until)
        assert_adds_up(since_corrected)
        assert in_cents(since_corrected) == expected_rows(believed, since, until)


def test_a_win_entered_late_is_a_win_and_a_deal_that_is_gone_is_corrected(make_book):
    def life(deal, *steps):
        return [{"opportunity_id": deal, "valid_from": at, "stage": s, "status": k} for at, s, k in steps]

    born = [(name, "2026-01-10", "Propose", "open") for name in ("late", "gone", "never", "mistake")]
    first = [version for name, *step in born for version in life(name, step)]
    first += life("mistake", ("2026-01-20", "Lost", "lost"))
    later = life("late", ("2026-01-10", "Propose", "open"), ("2026-01-28", "Won", "won"))
    later += [life("gone", ("2026-01-10", "Propose", "open"))[0] | {"valid_to": "2026-02-02", "end_reason": "merged"}]
    later += life("mistake", ("2026-01-10", "Propose", "open"))
    book = None
    for taken, versions in (("2026-01-31T23:00", first), ("2026-02-03T08:00", later)):
        deals = [{"opportunity_id": deal} for deal in dict.fromkeys(v["opportunity_id"] for v in versions)]
        book = make_book(versions=versions, opportunities=deals, taken=taken, after=book)

    then = in_cents(measured(book, since=MONTH_ENDS[0], until=date(2026, 2, 3)))
    corrected = in_cents(measured(book.as_of(date(2026, 2, 3), True), since=MONTH_ENDS[0], until=date(2026, 2, 3)))

    counted = {cause: row[0] for cause, row in then.items() if row[0]}
    assert counted == {"opening": 3, "won": -1, "corrected": -2, "reopened": 1, "closing": 1}
    counted = {cause: row[0] for cause, row in corrected.items() if row[0]}
    assert counted == {"opening": 3, "corrected": -2, "closing": 1}
