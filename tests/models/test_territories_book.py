"""Territories of a tiny book: who has which account, what it weighs, and what the rules of a person make of it."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest

from cadran.book.reader import Reader
from cadran.models.plan_file import plan_of
from cadran.models.territories_book import _quarter_ends, portfolio, weigh
from cadran.models.territories_proposed import FILE, propose, proposed
from cadran.models.territories_rules import read_rules
from cadran.tables.problems import Faults, Problem

SELLERS = {"ann": "North", "bob": "North", "cle": "South", "dan": "South"}


def deal(rep, account, n=1, **more):
    return [{"rep_id": rep, "account_id": account, "created": "2026-05-01", "amount": 100.0, **more}] * n


@pytest.fixture(scope="module")
def book(make_book):
    """North: Ann has 6 of 8 open deals, Bob 2. South: 4 each. Eve is gone: her open deal is nobody's."""
    reps = [
        {"rep_id": rep, "name": rep.title(), "team": f"{region} 1", "region": region, "role": "Seller", "valid_from": "2020-01-01"}
        for rep, region in SELLERS.items()
    ]  # fmt: skip
    reps.append({"rep_id": "eve", "name": "Eve", "region": "North", "role": "Seller", "valid_from": "2020-01-01",
                 "left_date": "2026-01-31"})  # fmt: skip
    deals = [
        *deal("ann", "big", 3), *deal("ann", "a2", 1), *deal("ann", "a3", 1), *deal("ann", "a4", expected_close_date="2026-06-15"),
        *deal("bob", "b1"), *deal("bob", "big"),
        *deal("cle", "c1", 2), *deal("cle", "c2"), *deal("cle", None, opportunity_id="alone"),
        *deal("dan", "d1", 4),
        *deal("eve", "e1"), *deal("eve", "a2", amount=None),
        *deal("bob", "old", created="2024-01-01", status="lost", closed="2024-02-01"),
        *deal("dan", "d1", created="2026-01-01", status="won", closed="2026-02-01", amount=900.0),
    ]  # fmt: skip
    accounts = [
        {"account_id": each, "name": each.upper(), "region": "North", "country": "DE" if each == "a4" else "FR",
         "valid_from": "2020-01-01", "employees": 10}
        for each in ("big", "a2", "a3", "a4", "b1", "e1", "c1", "c2", "d1", "old")
    ]  # fmt: skip
    return make_book(deals, reps=reps, accounts=accounts, histories=("versions", "reps", "accounts"))


@pytest.fixture
def rules(tmp_path):
    """Rules as a file."""

    def written(text):
        path = tmp_path / "territories.toml"
        path.write_text(text, "utf-8")
        return path

    return written


def test_an_account_is_with_who_has_most_of_its_open_deals(book):
    found = portfolio(book)
    main = found.accounts.filter(~pl.col("is_part"))

    assert dict(main.select("account_id", "rep_id").iter_rows()) == {
        "big": "ann", "a2": "ann", "a3": "ann", "a4": "ann", "b1": "bob", "c1": "cle", "c2": "cle", "alone": "cle",
        "d1": "dan", "e1": None, "old": "bob",
    }  # fmt: skip
    assert found.reps["rep_id"].to_list() == ["ann", "bob", "cle", "dan"]
    # A colleague's deal stays hers; that of who is gone falls to the owner; the sums are those of the book.
    assert found.accounts.filter("is_part").select("account_id", "rep_id", "n_open").rows() == [("big", "bob", 1)]
    counts = dict(main.select("account_id", "n_open").iter_rows())
    assert (counts["big"], counts["a2"], counts["e1"], counts["old"]) == (3, 2, 1, 0)
    assert found.accounts["n_open"].sum() == 18
    assert dict(main.select("account_id", "former_rep_id").iter_rows())["e1"] == "eve"
    assert dict(main.select("account_id", "n_due").iter_rows())["a4"] == 1
    assert main.filter("is_deal")["account_id"].to_list() == ["alone"]


@pytest.mark.parametrize(
    ("measure", "account", "weight", "n_assumed"),
    [("open_deals", "d1", 4.0, 0), ("accounts", "old", 0.0, 0), ("accounts", "b1", 1.0, 0)],
)
def test_what_an_account_weighs(book, measure, account, weight, n_assumed):
    weighed, assumed = weigh(book, portfolio(book), measure)

    assert (dict(weighed.iter_rows())[account], assumed) == (weight, n_assumed)


def test_potential_is_what_open_deals_may_bring_and_a_year_of_signatures(book):
    open_ = book.collect(book.deals(["opportunity_id", "status"])).filter(pl.col("status") == "open")
    chances = open_.select("opportunity_id", probability=pl.lit(0.25))
    weighed, assumed = weigh(book, portfolio(book), "potential", chances)
    told = dict(weighed.iter_rows())

    assert told["d1"] == 4 * 100 * 0.25 + 900
    assert told["a2"] == 100 * 0.25 + 900 * 0.25  # the unknown amount counts as the mean of those won
    assert (told["big"], told["big · bob"], assumed) == (75.0, 25.0, 1)


def test_what_too_few_accounts_tell_is_no_measure(book):
    with pytest.raises(Problem, match="annual_revenue is known of 0 of 10 active accounts"):
        weigh(book, portfolio(book), "annual_revenue")
    with pytest.raises(Problem, match="There is no measure colour"):
        weigh(book, portfolio(book), "colour")


def test_each_region_is_evened_out_with_the_fewest_moves(book):
    found = propose(book)
    loads = {row["rep_id"]: (row["before"], row["after"]) for row in found.balance.iter_rows(named=True)}

    # North: 10 open deals, one of them nobody's; South: 8, already even.
    assert loads == {"ann": (7.0, 5.0), "bob": (2.0, 5.0), "cle": (4.0, 4.0), "dan": (4.0, 4.0)}
    assert (found.found.n_moves, found.found.n_placed, found.found.bound) == (1, 1, 1)
    assert found.found.is_balanced
    assert set(found.moves["reason"]) == {"balance", "no seller"}
    assert found.moves["from_rep_id"].to_list() == ["ann", None]
    assert found.summary["n_outside_before"] == 2
    assert (found.n_parts, found.n_without, found.n_deals_alone) == (1, 1, 1)
    teams = {row["team"]: (row["before"], row["after"], row["n_in"]) for row in found.teams.iter_rows(named=True)}
    assert teams == {"North 1": (9.0, 10.0, 1), "South 1": (8.0, 8.0, 0)}


def test_the_same_without_regions(book, rules):
    found = propose(book, rules("regions.fixed = false"))

    assert found.balance["target"].to_list() == [4.5] * 4
    assert found.found.is_balanced


def test_rules_are_respected(book, rules):
    found = propose(book, rules("""
        tolerance = 0.3
        apart = ["d1"]
        locked = ["a2"]
        spoken = ["fr"]
        [languages]
        DE = ["de"]
        [named]
        c1 = "dan"
        [reps.bob]
        languages = ["de"]
        [reps.ann]
        share = 0.5
        [reps.new]
        joins = 2026-09-01
        region = "North"
        languages = ["fr", "de"]
    """))  # fmt: skip
    went = {row["account_id"]: (row["to_rep_id"], row["reason"]) for row in found.moves.iter_rows(named=True)}

    assert went["c1"] == ("dan", "named")
    assert went["a4"][0] in ("bob", "new")  # who speak German
    assert went["a4"][1] == "rule"
    assert "a2" not in went
    assert "d1" not in went
    assert found.balance.filter(rep_id="dan")["before"].item() == 0.0
    assert found.balance.filter(rep_id="new")["n_in"].item() > 0


def test_who_leaves_gives_all_even_a_colleagues_part(book, rules):
    found = propose(book, rules("tolerance = 0.9\nlarge_apart = true\n[reps.bob]\nleaves = 2026-08-31"))

    assert found.balance.filter(rep_id="bob").select("share", "after").row(0) == (0.0, 0.0)
    assert found.moves.filter("is_part").select("account_id", "from_rep_id", "to_rep_id").rows() == [
        ("big", "bob", "ann")
    ]
    assert found.alone == ("North",)


def test_a_move_with_deals_due_this_quarter_touches_pay(book, rules):
    found = propose(
        book, rules('tolerance = 0.9\nspoken = ["fr"]\n[languages]\nDE = ["de"]\n[reps.bob]\nlanguages = ["de"]')
    )
    row = found.moves.filter(account_id="a4").row(0, named=True)

    assert (row["to_rep_id"], row["touches_pay"], row["n_due"], row["n_undated"]) == ("bob", True, 1, 0)
    assert found.quarter_ends == date(2026, 9, 30)  # the last day of a quarter looks at the next


@pytest.mark.parametrize(
    ("day", "starts", "ends"),
    [
        (date(2026, 6, 29), 1, date(2026, 6, 30)), (date(2026, 6, 30), 1, date(2026, 9, 30)),
        (date(2026, 12, 31), 1, date(2027, 3, 31)), (date(2026, 1, 10), 4, date(2026, 3, 31)),
        (date(2024, 2, 10), 3, date(2024, 2, 29)), (date(2026, 2, 10), 2, date(2026, 4, 30)),
    ],
)  # fmt: skip
def test_the_quarter_is_that_of_the_fiscal_year(day, starts, ends):
    seen = SimpleNamespace(day=day, settings=SimpleNamespace(fiscal_year_starts=starts))

    assert _quarter_ends(seen) == ends


def test_the_books_own_rules_are_read(book):
    path = plan_of(book, FILE)
    path.parent.mkdir(exist_ok=True)
    try:
        path.write_text("tolerance = 0.25", "utf-8")
        assert propose(book).rules.tolerance == 0.25
        assert propose(book, tolerance=0.3).rules.tolerance == 0.3
        assert proposed(book).rules.tolerance == 0.25
    finally:
        path.unlink()
    assert proposed(book).rules.tolerance == 0.1


WRONG = """
measure = "deals"
tolerance = 10
locked = ["a2", "a2", "nobody", "e1", "b1"]
apart = ["a2"]
colour = 1
spoken = ["fr"]
[languages]
DE = ["de"]
XX = ["x"]
[teams."Nowhere"]
languages = ["de"]
[named]
a2 = "bob"
a4 = "cle"
b9 = "ann"
c1 = "zoe"
c2 = "bob"
[regions.groups]
all = ["North", "South"]
more = ["North"]
[reps.bob]
leaves = 2026-09-01
joins = 2026-09-01
[reps.zac]
share = 0.5
[reps.new]
joins = 2026-09-01
"""


def test_all_that_is_wrong_in_a_file_is_told_together_with_its_key(book, rules):
    with pytest.raises(Faults) as caught:
        read_rules(rules(WRONG), portfolio(book))
    told = caught.value.told(str)

    for said in (
        "territories.toml: measure: deals is unknown here.",
        "territories.toml: tolerance: 10.0 is no tolerance.\nWrite a share above 0 and below 1: 0.1 is ± 10%.",
        "territories.toml: locked: a2 is there twice.",
        "territories.toml: locked: nobody is unknown here.",
        "territories.toml: locked: e1 has no seller to stay with.",
        "territories.toml: locked: b1 is to stay with bob, who leaves.",
        "territories.toml: locked: a2 is under `apart` too.",
        "territories.toml: locked: a2 is to stay with ann, and `named` gives it to bob.",
        "territories.toml: colour: This is no key of the table.",
        "territories.toml: languages.XX: No account is in this country.",
        "territories.toml: teams.Nowhere: There is no such team.",
        "territories.toml: named.a4: cle speaks none of the languages that DE asks for: de.",
        "territories.toml: named.b9: The book knows no such account.",
        "territories.toml: named.c1: zoe is unknown here.",
        "territories.toml: named.c2: bob leaves.",
        "territories.toml: regions.groups.more: North is in all too.",
        "territories.toml: reps.bob.leaves: Nobody joins and leaves in one plan.",
        "territories.toml: reps.zac: No seller of that identifier is present.",
        "territories.toml: reps.new.region: Where somebody new will sell is not said.",
    ):
        assert said in told


def test_a_book_without_sellers_or_load_says_so(make_book):
    with pytest.raises(Problem, match="Nobody sells on"):
        propose(make_book([{"status": "won", "amount": 1.0}]))
    reps = [{"rep_id": "ann", "role": "seller", "valid_from": "2020-01-01"}]
    closed = [{"rep_id": "ann", "account_id": "a", "status": "lost", "created": "2026-01-01", "closed": "2026-02-01"}]
    with pytest.raises(Problem, match="nothing to share out"):
        propose(make_book(closed, reps=reps, histories=("versions", "reps")))


def test_who_sees_one_region_is_told_of_its_rules_alone(book, rules):
    told = rules(
        'locked = ["a3", "c1"]\napart = ["d1"]\n[named]\nb1 = "dan"\nc2 = "dan"\n[teams."South 1"]\nlanguages = ["fr"]\n'
        "[reps.dan]\nshare = 0.5\n[reps.new]\njoins = 2026-08-01\nregion = 'South'\n[regions.groups]\nall = ['North', 'South']\n"
    )
    seen = replace(book, reader=Reader("n", "manager", regions=frozenset({"North"})))
    found = propose(seen, told)

    assert set(found.balance["region"]) == {"North"}
    assert set(found.balance["seller"]) == {"Ann", "Bob"}
    assert found.rules.locked == {"a3"}
    assert found.rules.apart == {"b1"}  # it goes to somebody they do not see
    assert not {*found.rules.named, *found.rules.sellers, *found.rules.teams}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[languages]\nDE = []", ["languages.DE: No language is named."]),
        ('[teams."North 1"]\nlanguages = []', ["teams.North 1.languages: No language is named."]),
        ('[teams."North 1"]', ["teams.North 1.languages: No language is named."]),
        ('[reps.new]\njoins = 2026-07-01\nregion = "Nrth"', ["reps.new.region: Nrth is unknown here."]),
    ],
)
def test_an_empty_rule_is_no_rule_and_a_fault_is_told_once(book, rules, text, said):
    with pytest.raises(Faults) as found:
        read_rules(rules(text), portfolio(book))
    assert [str(fault).split("territories.toml: ")[-1].splitlines()[0] for fault in found.value.faults] == said


def test_accounts_that_nobody_is_known_to_have_cannot_be_shared_out(make_book):
    seller = {"rep_id": "ann", "region": "North", "role": "Seller", "valid_from": "2020-01-01"}

    with pytest.raises(Problem, match=r"None of 2 accounts has a seller"):
        propose(make_book([*deal(None, "a"), *deal(None, "b")], reps=[seller]))
