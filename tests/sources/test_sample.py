"""The invented company: valid, coherent, of the right size, and the same each time."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cadran.book import open_book, write_book
from cadran.book.pulse import pulse_of
from cadran.cli_sample import ask_staff
from cadran.measures.releases import released
from cadran.sources.sample import Levers, history, invent, slices, write_plans
from cadran.sources.sample.clock import TAKEN
from cadran.sources.sample.pulse import waves
from cadran.tables import FOREIGN_KEYS, TABLES, groups
from cadran.tables.delivery import Delivery
from cadran.tables.groups import bucket_of
from cadran.tables.problems import Problem


@pytest.fixture(scope="module")
def delivery() -> Delivery:
    """The default sample."""
    return invent()


@pytest.fixture(scope="module")
def tables(delivery) -> dict[str, pl.DataFrame]:
    return delivery.tables


@pytest.fixture(scope="module")
def last(tables) -> pl.DataFrame:
    """One row per deal: what it is at the end, with what it was born as."""
    ends = tables["versions"].group_by("opportunity_id", maintain_order=True).last()
    return ends.join(tables["opportunities"], on="opportunity_id", how="left")


def digest(tables: dict[str, pl.DataFrame]) -> str:
    whole = hashlib.sha256()
    for name in sorted(tables):
        whole.update(tables[name].write_csv().encode())
    return whole.hexdigest()


# ---- valid and coherent ----


def test_every_table_but_the_calendar_is_there(tables):
    assert set(tables) == set(TABLES) - {"calendar"}
    assert all(frame.height > 0 for frame in tables.values())


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"calendar"}))
def test_no_row_breaks_a_rule(tables, name):
    good, failures = TABLES[name].filter(tables[name])

    assert failures.counts() == {}
    assert good.height == tables[name].height


@pytest.mark.parametrize(("child", "parent"), FOREIGN_KEYS.items(), ids=str)
def test_every_reference_is_met(tables, child, parent):
    given = tables[child[0]].filter(pl.col(child[1]).is_not_null())

    assert given.join(tables[parent[0]], left_on=child[1], right_on=parent[1], how="anti").is_empty()


def test_parents_and_managers_exist(tables):
    accounts, reps = tables["accounts"], tables["reps"]
    parents = accounts.filter(pl.col("parent_account_id").is_not_null())

    assert parents.join(accounts, left_on="parent_account_id", right_on="account_id", how="anti").is_empty()
    without = reps.filter(pl.col("manager_id").is_null())
    assert without["role"].unique().to_list() == ["head of sales"]


def test_nothing_is_known_after_the_data_was_taken_nor_before_a_deal_began(tables):
    born = tables["opportunities"].select("opportunity_id", "created_at")
    for name, at in (("versions", "valid_from"), ("activities", "at"), ("deal_contacts", "since")):
        dated = tables[name].join(born, on="opportunity_id", how="left")
        assert dated.select((pl.col(at) >= pl.col("created_at")).all()).item()
        assert dated[at].max() <= TAKEN
    for name in ("accounts", "contacts", "reps", "targets"):
        assert tables[name]["valid_from"].max() <= TAKEN
    leads = tables["leads"].select(pl.max_horizontal("created_at", "first_response_at", "qualified_at", "rejected_at"))
    assert leads.to_series().max() <= TAKEN


def test_a_deal_opens_once_and_only_a_lost_one_opens_again(tables):
    steps = tables["versions"].with_columns(before=pl.col("status").shift(1).over("opportunity_id"))
    after_closing = steps.filter(pl.col("before") != "open")

    assert steps.filter(pl.col("before").is_null())["status"].unique().to_list() == ["open"]
    assert after_closing.select("before", "status").unique().rows() == [("lost", "open")]


def test_a_stage_is_of_the_kind_of_the_status(tables):
    joined = tables["versions"].join(tables["stages"], on="stage")

    assert joined.select((pl.col("kind").cast(pl.String) == pl.col("status").cast(pl.String)).all()).item()


def test_a_deal_is_owned_by_a_seller_who_is_there(tables):
    held = tables["versions"].join(tables["reps"], on="rep_id", suffix="_rep")
    now = held.filter(pl.col("valid_from_rep") <= pl.col("valid_from"))
    as_it_was = now.sort("valid_from_rep").group_by("opportunity_id", "valid_from").last()

    assert as_it_was.height == tables["versions"].height
    assert as_it_was["role"].unique().to_list() == ["seller"]
    assert as_it_was["left_date"].null_count() == as_it_was.height


def test_a_touch_is_with_somebody_the_crm_knows_by_then(tables):
    known = tables["contacts"].group_by("contact_id").agg(pl.col("valid_from").min())
    touches = tables["activities"].join(known, on="contact_id")

    assert touches.height > 50_000
    assert touches.select((pl.col("valid_from") <= pl.col("at")).all()).item()


def test_a_qualified_lead_is_the_birth_of_its_deal(tables):
    qualified = tables["leads"].filter(pl.col("qualified_at").is_not_null())
    deals = qualified.join(tables["opportunities"], on="opportunity_id")

    assert deals.height == qualified.height
    assert deals.select((pl.col("created_at_right") == pl.col("qualified_at")).all()).item()
    assert deals["opportunity_id"].is_unique().all()


def test_amounts_are_the_original_at_its_rate(tables):
    known = tables["versions"].drop_nulls("amount")

    off = (known["amount"] - known["original_amount"] * known["rate"]).abs().max()
    assert off < 0.0051
    assert known.filter(pl.col("currency") == "EUR")["rate"].unique().to_list() == [1.0]


def test_targets_of_teams_add_up_to_regions_and_to_the_company(tables):
    sums = tables["targets"].group_by("start_date", "valid_from", "scope").agg(pl.col("amount").sum())
    by_scope = sums.pivot("scope", index=["start_date", "valid_from"], values="amount")

    assert by_scope.select(
        (pl.col("company") == pl.col("region")).all(), (pl.col("team") == pl.col("region")).all()
    ).row(0) == (True, True)


# ---- of the right size ----


def test_the_company_is_the_one_described(tables):
    staff = tables["reps"].sort("valid_from").group_by("rep_id").last().filter(pl.col("left_date").is_null())
    teams = staff.drop_nulls("team").group_by("team").len()

    assert (staff.height, staff.filter(pl.col("role") == "seller").height) == (200, 120)
    assert (teams.height, staff["region"].drop_nulls().n_unique()) == (12, 5)
    assert teams["len"].min() >= 4
    assert teams["len"].max() <= 25
    toulouse = tables["reps"].filter(pl.col("team") == "Toulouse").sort("valid_from")
    assert toulouse["region"].unique(maintain_order=True).to_list() == ["Sud-Est", "Grand Ouest"]


def test_outcomes_are_of_a_known_magnitude(last):
    closed = last.filter(pl.col("status").is_in(["won", "lost"]))
    rates = dict(closed.group_by("deal_type").agg((pl.col("status") == "won").mean()).iter_rows())

    assert last.height == 6000
    assert 0.25 <= rates["new"] <= 0.35
    assert 0.70 <= rates["renewal"] <= 0.85
    assert rates["new"] < rates["expansion"] < rates["renewal"]
    assert 650 <= last.filter(pl.col("status") == "open").height <= 1000
    assert 0.02 <= last["amount"].null_count() / 6000 <= 0.07


def test_durations_and_amounts_are_of_a_known_magnitude(tables, last):
    won = last.filter(pl.col("status") == "won").drop_nulls("amount")
    days = (won["valid_from"] - won["created_at"]).dt.total_days()
    clients = won.group_by("account_id").agg(pl.col("amount").sum())["amount"].sort(descending=True)

    assert 60 <= days.median() <= 120
    assert 15_000 <= won["amount"].median() <= 45_000
    assert won["amount"].mean() > 1.6 * won["amount"].median()
    assert 0.15 <= clients.head(10).sum() / clients.sum() <= 0.30


def test_the_pipeline_has_its_untidiness(tables, last):
    versions = tables["versions"]
    reopened = versions.filter(
        (pl.col("status") == "open") & (pl.col("status").shift(1).over("opportunity_id") == "lost")
    )["opportunity_id"].n_unique()
    still_open = last.filter(pl.col("status") == "open")
    overdue = (still_open["expected_close_date"] < TAKEN.date()).mean()
    stages = versions.join(tables["stages"], on="stage").filter(pl.col("kind") == "open")
    back = stages.filter(pl.col("position") < pl.col("position").shift(1).over("opportunity_id"))

    assert 0.008 <= reopened / 6000 <= 0.02
    assert 0.1 <= overdue <= 0.6
    assert back.height > 200
    assert 30_000 <= versions.height <= 42_000
    assert 50_000 <= tables["activities"].height <= 80_000
    assert 0.2 <= tables["leads"]["qualified_at"].is_not_null().mean() <= 0.45


# ---- the same each time ----


@pytest.fixture(scope="module")
def small() -> dict[str, pl.DataFrame]:
    return invent(60, seed=5).tables


def test_two_processes_give_the_same_bytes_and_another_seed_gives_others(small):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_sample import digest;"
        "from cadran.sources.sample import invent; print(digest(invent(60, seed=5).tables))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    other = os.environ | {"POLARS_MAX_THREADS": "4", "PYTHONHASHSEED": "7"}
    there = subprocess.run(command, capture_output=True, text=True, check=True, env=other)

    assert there.stdout.strip() == digest(small)
    assert digest(invent(60, seed=6).tables) != digest(small)


#: Releases that `make test` makes again; each takes longer than the one before. All of them: `tests/evidence`.
N_RELEASED = 3


def test_the_sample_that_ships_is_the_one_invented(delivery, tmp_path):
    made, shipped = tmp_path / "sample", Path(__file__).parents[2] / "data" / "sample"
    write_book(made, delivery, delivery.settings.taken)
    write_plans(made)
    asked = list(waves(seed=1))
    for wave in asked[:N_RELEASED]:
        pulse_of(open_book(made)).keep_wave(wave)
    assert len(released(open_book(made))) == N_RELEASED
    for wave in asked[N_RELEASED:]:
        for name in (f"releases/{wave.name}", f"latest/{wave.name}-latest"):
            shutil.copytree(shipped / "pulse" / name, made / "pulse" / name)
    ask_staff(open_book(made), seed=1)

    def contents(folder: Path) -> dict[str, bytes]:
        # Models fitted since, and calls of forecasts told since, stand beside the version; they do not ship. Nor do locks.
        since = ("models", "calls")
        files = [file for file in folder.rglob("*") if file.is_file() and file.parent.name not in since]
        files = [file for file in files if file.suffix != ".lock"]
        return {str(file.relative_to(folder)): file.read_bytes() for file in files}

    assert contents(made) == contents(shipped), "run `make sample`"
    assert sum(map(len, contents(shipped).values())) < 8_000_000


def test_slices_change_nothing_where_a_lever_is_pulled(monkeypatch):
    levers = Levers(response_time_factor=0.5)
    whole = digest(invent(40, seed=5, levers=levers, activities=0).tables)
    monkeypatch.setattr(history, "_CHUNK", 45)

    assert digest(invent(40, seed=5, levers=levers, activities=0).tables) == whole


def test_a_large_company_comes_in_buckets_of_the_same_rows(small, monkeypatch):
    monkeypatch.setattr(history, "_CHUNK", 45)
    monkeypatch.setattr(groups, "MOST_ROWS", 50)
    monkeypatch.setattr(groups, "BUCKET_ROWS", 60)
    monkeypatch.setattr(slices, "_WAVE", 100)
    delivery = invent(60, seed=5)
    parts = list(delivery.parts)
    places = [(part.group, part.bucket, part.n_buckets) for part in parts]

    assert [name for name, bucket, _ in places if bucket == 0] == [group.name for group in groups.GROUPS]
    assert all([b for g, b, _ in places if g == name] == list(range(n)) for name, _, n in places)
    assert ("deals", 31, 32) in places
    for name, whole in small.items():
        group = groups.group_of(name)
        key = TABLES[name].primary_key()
        held = {part.bucket: part.tables[name] for part in parts if part.group == group.name}
        assert pl.concat(held.values()).sort(key).equals(whole.sort(key))
        for bucket, rows in held.items() if group.key else ():
            assert (rows.select(bucket_of(group.key, len(held))).to_series() == bucket).all()
            assert rows.equals(rows.sort(key))


def test_the_number_of_touches_changes_nothing_else(small):
    few = invent(60, seed=5, activities=0.3).tables

    assert few["activities"].height < 0.5 * small["activities"].height
    for name in set(small) - {"activities"}:
        assert few[name].equals(small[name])


def test_a_tiny_company_is_whole():
    tables = invent(1, seed=4).tables

    assert tables["opportunities"].height == 1
    for name, frame in tables.items():
        assert TABLES[name].filter(frame)[1].counts() == {}


@pytest.mark.parametrize("wrong", [{"deals": 0}, {"signal": 1.5}, {"signal": float("nan")}, {"activities": -1.0}])
def test_an_argument_out_of_range_is_refused(wrong):
    with pytest.raises(Problem):
        invent(**wrong)


def test_draws_are_uniform_and_unrelated():
    from cadran.sources.sample.draws import Draws

    keys = np.arange(200_000, dtype=np.uint64)
    draws = Draws(1)
    one, other, later = draws.uniform("a", keys), draws.uniform("b", keys), draws.uniform("a", keys, 1)

    # Kolmogorov's bound at one in a thousand, and correlations within four standard errors of zero.
    assert np.abs(np.sort(one) - (np.arange(len(keys)) + 0.5) / len(keys)).max() < 1.95 / np.sqrt(len(keys))
    for second in (other, later, Draws(2).uniform("a", keys), np.roll(one, 1)):
        assert abs(np.corrcoef(one, second)[0, 1]) < 4 / np.sqrt(len(keys))
    normal = draws.normal("a", keys)
    assert abs(normal.mean()) < 4 / np.sqrt(len(keys))
    assert abs(normal.std() - 1) < 4 / np.sqrt(2 * len(keys))


def test_splitmix_matches_its_published_values():
    from cadran.sources.sample.draws import mix

    # The first three outputs of splitmix64 for the state 1234567, as in the reference test vectors.
    weyl = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + turn * weyl) % 2**64 for turn in range(3)], dtype=np.uint64)

    assert mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
