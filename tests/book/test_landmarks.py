"""Facts of many deals at many moments, against what a slow loop reads in `book.as_of` of each moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log1p
from pathlib import Path
from random import Random

import days
import narwhals as nw
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cadran.book import Book, Reader, engine_of, open_book, write_book
from cadran.book.dealings import DECIDES, NOT_SENIOR, SENIOR, _says
from cadran.book.held import hold
from cadran.book.landmarks import FACTS, facts_at, open_pairs
from cadran.measures import MEASURES, Question
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.sources.sample import invent
from cadran.tables import VERSIONED
from cadran.tables.delivery import Delivery
from cadran.tables.problems import Problem

MAVEN = Path(__file__).parents[3] / "shared" / "data" / "maven_crm"
DAY = timedelta(days=1)
EVER = datetime(1, 1, 1, tzinfo=UTC)
FROM_DEALS = (
    "opportunity_id", "deal_type", "product", "lead_source", "amount", "forecast_category", "sector", "segment",
    "account_region", "country", "region", "team", "stage", "stage_position", "stage_probability", "n_pushes",
    "n_reopened", "competitor", "n_contacts",
)  # fmt: skip
ELSE = ("status", "created_at", "stage_since", "expected_close_date", "account_id", "rep_id")


# ---- the slow loop ----


def rows(book, name, **of):
    frame = book.table(name)
    for column, value in of.items():
        frame = frame.filter(nw.col(column) == value)
    return book.collect(frame).to_dicts()


def last_of(versions):
    return max(versions, key=lambda row: row["valid_from"], default={})


def plain(book: Book, key: int, at: datetime) -> dict:
    """What one deal was known to be at one moment, read row by row."""
    seen = book.as_of(at)
    found = seen.collect(seen.deals([*FROM_DEALS, *ELSE, "opportunity_key"])).filter(opportunity_key=key).to_dicts()
    if not found:
        return dict.fromkeys(["opportunity_id", *FACTS]) | {"opportunity_key": key, "at": at}
    deal, whole = found[0], replace(seen, reader=None)
    told = {name: deal[name] for name in FROM_DEALS} | {"opportunity_key": key, "at": at}
    told["age_days"] = max((at - deal["created_at"]) / DAY, 0)
    told["stage_days"] = (at - deal["stage_since"]) / DAY
    local = at.astimezone(days.ZONE).date()
    expected = deal["expected_close_date"]
    told["days_to_expected"] = float((expected - local).days) if expected else None
    if deal["status"] != "open":  # `deals` tells what stood when it closed
        rep = last_of(rows(whole, "reps", rep_id=deal["rep_id"]))
        account = last_of(rows(whole, "accounts", account_id=deal["account_id"]))
        told |= {name: rep.get(name) for name in ("region", "team")}
        told |= {name: account.get(name) for name in ("sector", "segment", "country")}
        told["account_region"] = account.get("region")
    told |= _client(whole, key, deal) | _way(whole, key, deal) | _people(whole, key) | _touches(whole, key, at)
    return told


def _client(book, key, deal):
    latest = {}
    for row in sorted(rows(book, "accounts"), key=lambda row: row["valid_from"]):
        latest[row["account_id"]] = row

    def group(account):
        return latest.get(account, {}).get("parent_account_id") or account

    own = latest.get(deal["account_id"], {})
    others = book.collect(book.deals(["opportunity_key", "status", "account_id"])).to_dicts()
    fates = [
        row["status"]
        for row in others
        if row["opportunity_key"] != key and group(row["account_id"]) == group(deal["account_id"])
    ]
    history = {"n_won_before": fates.count("won"), "n_lost_before": fates.count("lost")}
    if deal["account_id"] is None:
        history = dict.fromkeys(history)
    return history | {name: own.get(name) for name in ("employees", "annual_revenue")}


def _way(book, key, deal):
    places = {row["stage"]: (row["position"], row["kind"]) for row in rows(book, "stages")}
    versions = sorted(rows(book, "versions", opportunity_key=key), key=lambda row: row["valid_from"])
    n_back = 0
    for row in versions:
        if row["valid_to"] and row["next_stage"] and row["status"] == "open" and row["stage"] in places:
            place, kind = places.get(row["next_stage"], (99, "open"))
            n_back += kind == "open" and place < places[row["stage"]][0]
    first = next((row["amount"] for row in versions if row["amount"] is not None), None)
    return {"n_back": n_back, "amount_change": deal["amount"] / first - 1 if deal["amount"] and first else None}


def _people(book, key):
    parts = rows(book, "deal_contacts", opportunity_key=key)
    known = [last_of(rows(book, "contacts", contact_id=part["contact_id"])) for part in parts]
    functions = {person.get("job_function") for person in known} - {None}
    return {
        "n_functions": len(functions),
        "has_senior": any(person.get("seniority") in ("Executive", "Director") for person in known),
        "has_decision_maker": any(part["role"] == "Decision maker" for part in parts),
    }


def _touches(book, key, at):
    touches = [
        row
        for row in sorted(rows(book, "activities", opportunity_key=key), key=lambda r: (r["at"], r["activity_id"]))
        if not row["is_automatic"] and (row["kind"] != "task" or row["direction"])
    ]
    kinds = {
        "inbound": [t["at"] for t in touches if t["direction"] == "inbound"],
        "outbound": [t["at"] for t in touches if t["direction"] == "outbound"],
        "meeting": [t["at"] for t in touches if t["kind"] in ("meeting", "demo")],
    }
    told = {f"days_since_{kind}": (at - max(ats)) / DAY if ats else None for kind, ats in kinds.items()}
    told |= {f"n_{kind}_30": sum(t > at - 30 * DAY for t in ats) for kind, ats in kinds.items()}
    told["n_meetings_30"] = told.pop("n_meeting_30")
    told |= {"n_meetings": len(kinds["meeting"]), "n_touches": len(touches)}
    waits, last = [], None
    for touch in touches:
        if touch["direction"] == "inbound":
            until = touch["answered_at"] or datetime.max.replace(tzinfo=UTC)
            if last is None or (last <= touch["at"] and last < until):
                waits.append((touch["at"], touch["answered_at"]))
            last = until if last is None else max(last, until)
    hours = [(((end or at) - asked) // timedelta(seconds=1)) / 3600 for asked, end in waits]
    judged = [bool(end) and h <= 24 for (asked, end), h in zip(waits, hours, strict=True) if asked <= at - DAY]
    waiting = [h for (_, end), h in zip(waits, hours, strict=True) if not end]
    return told | {
        "n_asked": len(waits),
        "n_asked_90": sum(asked > at - 90 * DAY for asked, _ in waits),
        "waited_90": sum(log1p(h) for (asked, _), h in zip(waits, hours, strict=True) if asked > at - 90 * DAY),
        "mean_log_wait": sum(map(log1p, hours)) / len(hours) if hours else None,
        "waiting_hours": waiting[0] if waiting else None,
        "share_in_a_day": sum(judged) / len(judged) if judged else None,
    }


def drawn(book: Book, n: int, seed: int, since: datetime) -> pl.DataFrame:
    """Random deals at random moments, some of which they are not there at."""
    random = Random(seed)
    keys = sorted(book.collect(book._stored("opportunities"))["opportunity_key"].unique())
    moments = [since + (book.moment - since) * random.random() for _ in range(n - 1)] + [book.moment]
    types = {"opportunity_key": pl.Int64, "at": pl.Datetime("us", "UTC")}
    return pl.DataFrame([(random.choice(keys), at) for at in moments], types, orient="row")


def assert_as_told(book: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    facts = facts_at(book, pairs)
    held = hold(book)
    slow = pl.DataFrame([plain(held, *pair) for pair in pairs.iter_rows()], facts.schema, infer_schema_length=None)
    assert_frame_equal(facts, slow, rel_tol=1e-12)
    return facts


# ---- books ----


@pytest.fixture(scope="module")
def sample() -> Book:
    return open_book()


@pytest.fixture(scope="module")
def company():
    delivery = invent(150, seed=3)
    return dict(delivery.tables), delivery.settings


def mistaken(tables, seed):
    """The company as a careless CRM told it: rows missing, and facts that are otherwise."""
    told = dict(tables)

    def some(share, of):
        return pl.struct(of).hash(seed) % 1000 < 1000 * share

    for name, key, share in (("activities", "activity_id", 0.3), ("deal_contacts", "contact_id", 0.3)):
        told[name] = told[name].filter(~some(share, [key]))
    gone = some(0.1, ["opportunity_id"])
    for name in ("opportunities", "versions", "deal_contacts"):
        told[name] = told[name].filter(~gone)
    for name in ("activities", "leads"):
        told[name] = told[name].with_columns(
            pl.when(~gone.fill_null(False)).then("opportunity_id").alias("opportunity_id")
        )
    wrong = {
        ("versions", "amount"): pl.col("amount") * 2,
        ("versions", "stage"): pl.when(pl.col("status") == "open").then(pl.lit("Proposal")).otherwise("stage"),
        ("accounts", "parent_account_id"): pl.col("account_id").sort().first(),
        ("accounts", "sector"): pl.lit("Wrong"),
        ("contacts", "seniority"): pl.lit("Director"),
        ("deal_contacts", "role"): pl.lit("User"),
        ("opportunities", "product"): pl.lit("Wrong"),
        ("reps", "team"): pl.lit("Wrong"),
    }
    for (name, column), value in wrong.items():
        keys = [VERSIONED[name], "valid_from"] if name in VERSIONED else ["opportunity_id"]
        told[name] = told[name].with_columns(pl.when(some(0.4, keys)).then(value).otherwise(column).alias(column))
    return told


@pytest.fixture(scope="module")
def corrected(company, tmp_path_factory) -> Book:
    """Told wrong 100 days before the end, wrong otherwise 40 days before, and right on the last day."""
    tables, settings = company
    folder = tmp_path_factory.mktemp("corrected")
    for back, told in ((100, mistaken(tables, 1)), (40, mistaken(tables, 2)), (0, tables)):
        day = days.LAST - timedelta(days=back)
        write_book(folder, days.told(told, settings, day), days.end_of(day), accept_vanished=True)
    return open_book(folder)


@pytest.fixture(scope="module")
def maven(tmp_path_factory) -> Book:
    if not MAVEN.exists():
        pytest.skip("the export is not beside this checkout")
    folder = tmp_path_factory.mktemp("maven")
    delivery = deliver(load_mapping("maven_crm"), MAVEN)
    write_book(folder, delivery, written_at=delivery.settings.taken)
    return open_book(folder)


# ---- tests ----


def test_the_sample_is_told_as_of_each_moment(sample):
    places = sample.collect(sample.table("stages").select("stage", "position"))
    moves = sample.collect(sample.table("versions").filter(nw.col("status") == "open")).join(places, on="stage")
    moves = moves.join(places, left_on="next_stage", right_on="stage", suffix="_next")
    back = moves.filter(pl.col("position_next") < pl.col("position")).head(3)
    around = [back.select("opportunity_key", at=pl.col("valid_to") + by) for by in (-timedelta(seconds=1), DAY)]
    asked = sample.collect(sample.table("activities").filter(nw.col("direction") == "inbound")).sort("at")
    around.append(
        asked.gather_every(5000, offset=1000).select("opportunity_key", at=pl.col("at") + timedelta(minutes=10))
    )
    random = drawn(sample, 22, seed=1, since=datetime(2022, 1, 1, tzinfo=UTC))

    facts = assert_as_told(sample, pl.concat([random, *around]))

    assert facts["opportunity_id"].null_count() not in (0, facts.height)
    assert not [name for name in FACTS if facts[name].null_count() == facts.height]


@pytest.mark.parametrize("as_corrected", [False, True], ids=["as believed then", "as corrected"])
def test_what_was_taken_back_or_entered_late_is_told_as_it_was_believed(corrected, as_corrected):
    assert {"versions", "activities", "contacts", "deal_contacts", "accounts", "reps", "opportunities"} <= set(
        corrected.manifest["corrected"]
    )
    book = replace(corrected, corrected=as_corrected)
    pairs = drawn(book, 35, seed=2, since=days.end_of(days.LAST - timedelta(days=250)))

    facts = assert_as_told(book, pairs)

    assert facts["stage"].drop_nulls().len() > 10
    other = facts_at(replace(book, corrected=not as_corrected), pairs)
    assert not facts.equals(other)


def test_of_a_reader_only_deals_then_in_scope_but_all_of_their_clients_history(corrected):
    for reader in (Reader("r", regions=frozenset({"Grand Ouest"})), Reader("t", teams=frozenset({"Lyon", "Wrong"}))):
        book = corrected.scope(reader)
        pairs = drawn(corrected, 40, seed=3, since=days.end_of(days.LAST - timedelta(days=250)))

        facts = assert_as_told(book, pairs)

        whole = facts_at(corrected, pairs)
        assert 0 < facts["opportunity_id"].count() < whole["opportunity_id"].count()


def test_every_engine_tells_the_same(corrected):
    pairs = drawn(corrected, 50, seed=4, since=days.end_of(days.LAST - timedelta(days=250)))

    facts = facts_at(corrected, pairs)

    assert_frame_equal(facts_at(replace(corrected, engine=engine_of("duckdb")), pairs), facts)
    assert_frame_equal(facts_at(hold(corrected), pairs), facts)


def test_waits_are_those_of_the_measure(sample):
    deals = sample.collect(sample.deals(["opportunity_key", "n_contacts"]))
    pairs = deals.select("opportunity_key", at=pl.lit(sample.moment).cast(pl.Datetime("us", "UTC")))

    facts = facts_at(sample, pairs)

    measured = MEASURES["response_time"].ask(sample, Question()).row(0, named=True)
    assert facts["n_asked"].sum() == measured["n_waits"]
    assert measured["n_waits"] - facts["waiting_hours"].count() == measured["n_answered"]
    assert facts["n_contacts"].equals(deals["n_contacts"].cast(pl.Int64))


def test_open_deals_are_paired_with_the_moment(sample):
    pairs = open_pairs(sample)

    assert pairs.height == sample.collect(sample.deals(["status"])).filter(status="open").height
    facts = facts_at(sample, pairs)
    assert facts["opportunity_id"].null_count() == 0
    assert facts.select("opportunity_key", "at").equals(pairs)
    assert list(facts.columns) == ["opportunity_key", "opportunity_id", "at", *FACTS]


def test_without_touches_contacts_and_stages_seen_nothing_is_made_zero(maven):
    pairs = open_pairs(maven)
    facts = facts_at(maven, pairs)
    earlier = facts_at(maven, pairs.with_columns(at=pl.col("at") - 30 * DAY))

    unknown = [name for name, group in FACTS.items() if group in ("people", "activity", "response")]
    unknown += ["stage_days", "n_pushes", "n_reopened", "n_back", "amount_change", "amount"]
    for name in unknown:
        assert facts[name].null_count() == facts.height, name
    assert earlier["stage"].drop_nulls().n_unique() == 1
    assert facts["product"].null_count() == 0
    assert facts["n_won_before"].sum() > 0


def test_known_only_at_the_close(maven):
    closed = maven.collect(maven.deals(["opportunity_key", "status", "amount", "closed_at"])).filter(status="won")
    pairs = closed.select("opportunity_key", at=pl.col("closed_at"))

    assert "amount" in maven.settings.known_at_close
    assert facts_at(maven, pairs)["amount"].equals(closed["amount"])
    before = facts_at(maven, pairs.with_columns(at=pl.col("at") - timedelta(seconds=1)))
    assert before["amount"].null_count() == closed.height


def test_no_pairs_no_later_moments_and_deals_nobody_knows(sample):
    types = {"opportunity_key": pl.Int64, "at": pl.Datetime("us", "UTC")}
    none = facts_at(sample, pl.DataFrame(schema=types))
    stranger = facts_at(sample, pl.DataFrame({"opportunity_key": [-5], "at": [sample.moment]}, types))

    assert (none.height, none.schema) == (0, stranger.schema)
    assert stranger.row(0)[3:] == (None,) * len(FACTS)
    past = sample.as_of(sample.moment - DAY)
    with pytest.raises(Problem, match="as of"):
        facts_at(past, open_pairs(sample))


def test_a_stage_no_longer_there_and_a_creation_nobody_dated(company, tmp_path):
    tables, settings = company
    less = tables | {
        name: tables[name].clear() for name in ("accounts", "contacts", "deal_contacts", "activities", "leads")
    }
    less["opportunities"] = tables["opportunities"].with_columns(
        account_id=pl.lit(None, pl.String), created_at=pl.lit(None, pl.Datetime("us", "UTC"))
    )
    write_book(tmp_path, Delivery.whole(settings, less, histories=frozenset(VERSIONED)), settings.taken)
    version = open_book(tmp_path).version
    for file in (version / "stages").iterdir():
        pl.read_parquet(file).filter(pl.col("stage") != "Proposal").write_parquet(file)
    book = open_book(tmp_path)

    facts = facts_at(book, open_pairs(book))

    for name in ("age_days", "sector", "n_won_before", "n_contacts", "has_senior", "n_touches", "n_asked"):
        assert facts[name].null_count() == facts.height, name
    lost = facts.filter(stage="Proposal")
    assert lost.height > 0
    assert lost["stage_position"].null_count() == lost.height
    assert facts["stage_days"].null_count() == facts["n_back"].null_count() == 0


@pytest.mark.parametrize(
    ("said", "column", "is_so"),
    [
        *((word, "seniority", True) for word in (
            "Executive", "C-level", "cxo", "CFO", "VP Sales", "Vice President", "Head of IT", "Directrice générale",
            "DIRECTEUR", "Dirigeant", "PDG", "Chief Data Officer", "owner", "Gérante",
        )),
        *((word, "seniority", False) for word in (
            "Manager", "Specialist", "senior", "entry", "Assistante de direction", "Executive assistant",
            "Account Executive", "Acheteur", "",
        )),
        *((word, "role", True) for word in (
            "Decision maker", "DECISION_MAKER", "Economic Buyer", "Décideur", "Signataire", "BUDGET_HOLDER",
        )),
        *((word, "role", False) for word in ("Buyer", "User", "Influencer", "Prescripteur", "Utilisateur", "")),
    ],
)  # fmt: skip
def test_who_directs_and_who_decides(said, column, is_so):
    words = _says(column, SENIOR) & ~_says(column, NOT_SENIOR) if column == "seniority" else _says(column, DECIDES)

    assert pl.DataFrame({column: [said]}).select(words).item() is is_so
