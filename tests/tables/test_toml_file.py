"""Plans that a person writes: every fault is told at once, with file, key and repair."""

from datetime import date

import pytest

from cadran.tables.problems import Faults, Problem
from cadran.tables.toml_file import read_toml
from cadran.text import words_for

PLAN = """
rate = "high"
cap = -1
day = "2026-01-31"
region = "Nrod"
teams = ["Lille", "Lile"]
is_open = 1
tier = [{from = 0}, {from = 9}]
pay = 3
misspelt = 1
shares = [0.5, 2]
never = inf
"""


def read(tmp_path, text):
    file = tmp_path / "plan.toml"
    file.write_text(text, "utf-8")
    return read_toml(file)


def test_what_is_said_is_read(tmp_path):
    plan = read(
        tmp_path,
        'shares = [0, 1]\nrate = 2\nday = 2028-02-29\nname = "é"\non = true\n[[tier]]\nfrom = 0.5\n[pay]\nbase = 1',
    )

    assert (plan.number("rate", least=0), plan.day("day"), plan.text("name")) == (2.0, date(2028, 2, 29), "é")
    assert plan.flag("on", False)
    assert [tier.number("from") for tier in plan.sections("tier")] == [0.5]
    assert plan.section("pay").number("base") == 1
    assert plan.numbers("shares", 0, 1) == (0.0, 1.0)
    assert plan.number("absent", 7.5) == 7.5
    plan.close()
    plan.check()


def test_all_faults_are_told_together(tmp_path):
    plan = read(tmp_path, PLAN)
    plan.number("rate", 0.1)
    plan.number("cap", 1, least=0)
    plan.day("day")
    plan.text("region", among=["Nord", "Sud"])
    assert plan.texts("teams", among=["Lille"]) == ["Lille"]
    plan.flag("is_open", True)
    assert [tier.number("from", most=5) for tier in plan.sections("tier")] == [0, 0]
    plan.section("pay").number("base", 1)
    plan.text("absent")
    assert plan.numbers("shares", 0, 1) == ()
    plan.number("never")
    plan.close()

    with pytest.raises(Faults) as found:
        plan.check()
    told = found.value.told(words_for("en")).splitlines()

    assert told[0] == "plan.toml: rate: high is no number."
    assert [line.split(": ")[1] for line in told[::2]] == [
        "rate", "cap", "day", "region", "teams", "is_open", "tier[2].from", "pay", "absent", "shares", "never",
        "misspelt",
    ]  # fmt: skip
    assert "Nord" in told[7]
    assert "plan.toml: absent: Valeur manquante." in found.value.told(words_for("fr"))


def test_a_key_that_may_be_left_out_is_proposed_for_a_misspelt_one(tmp_path):
    plan = read(tmp_path, "name = 'a'\nnotifed = 2026-01-31")
    plan.text("name")
    assert not plan.has("notified")
    plan.close()

    with pytest.raises(Faults, match=r"Did you mean: notified\?"):
        plan.check()


def test_a_list_of_many_unknown_names_is_told_in_short(tmp_path, monkeypatch):
    near = []
    monkeypatch.setattr("cadran.tables.toml_file.get_close_matches", lambda *asked: near.append(asked) or [])
    plan = read(tmp_path, f"locked = {[f'X{n}' for n in range(2000)] + ['A1']}")
    assert plan.texts("locked", [f"A{n}" for n in range(3000)]) == ["A1"]

    with pytest.raises(Faults) as found:
        plan.check()
    assert len(near) == len(found.value.faults) - 1 < 10
    assert "plan.toml: locked: 1995 more of these are unknown." in str(found.value)
    assert "autres sont inconnus" in found.value.told(words_for("fr"))


@pytest.mark.parametrize("text", ["rate = high", "é = 1"])
def test_what_is_no_toml_is_told_with_its_line(tmp_path, text):
    with pytest.raises(Problem, match="line 1"):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match="There is no file") as found:
        read_toml(tmp_path / "none.toml")
    assert "Il n'y a pas de fichier" in found.value.told(words_for("fr"))
    with pytest.raises(Problem, match="cannot be read"):
        read_toml(tmp_path)


def test_what_is_not_utf_8_is_told_with_its_line(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_bytes("a = 1\nname = 'Île'".encode("cp1252"))

    with pytest.raises(Problem, match=r"plan\.toml is not written in UTF-8: line 2\.\nSave it as UTF-8") as found:
        read_toml(file)
    assert "n'est pas écrit en UTF-8" in found.value.told(words_for("fr"))


def test_brackets_without_end_are_no_traceback(tmp_path):
    with pytest.raises(Problem, match=r"plan\.toml is no TOML"):
        read(tmp_path, "x = " + "[" * 9000)


def test_a_table_in_a_list_of_tables_is_named_as_it_is_written(tmp_path):
    plan = read(tmp_path, "[[joiners]]\nday = 2026-10-01\n[[joiners]]\nramp = 3")
    plan.sections("joiners")[1].section("ramp")

    with pytest.raises(Faults) as found:
        plan.check()
    assert found.value.told(words_for("en")).splitlines()[:2] == [
        "plan.toml: joiners[2].ramp: 3 is no table.", "Begin a table with [joiners.ramp].",
    ]  # fmt: skip


def test_a_value_is_told_as_the_file_writes_it(tmp_path):
    plan = read(tmp_path, "[joiners]\nday = 2026-10-01\n[pay]\nrate = inf\nbase = true")
    plan.sections("joiners")
    plan.section("pay").number("rate")
    plan.section("pay").number("base")

    with pytest.raises(Faults) as found:
        plan.check()
    told = found.value.told(words_for("en")).splitlines()[::2]
    assert told == [
        'plan.toml: joiners: {"day": "2026-10-01"} is no list of tables.',
        "plan.toml: pay.rate: inf is no number.",
        "plan.toml: pay.base: true is no number.",
    ]


@pytest.mark.parametrize(
    ("among", "proposed"),
    [
        (["open_deals", "accounts", "potential"], "Write one of: open_deals, accounts, potential."),
        ([f"R{n:03}" for n in range(20)], "Write one of: R000, R001, R002, R003, R004, R005, R006, R007, …."),
    ],
)
def test_of_few_names_all_are_proposed_of_many_some(tmp_path, among, proposed):
    plan = read(tmp_path, 'a = "deals"')
    plan.text("a", among=among)

    with pytest.raises(Faults) as found:
        plan.check()
    assert proposed in str(found.value)


def test_a_group_is_left_out_where_the_book_knows_none(tmp_path):
    plan = read(tmp_path, 'region = "Nord"\nteam = "Lille"')
    assert plan.group("region", []) is None
    assert plan.group("absent", []) is None
    assert plan.group("team", ["Lille"]) == "Lille"

    with pytest.raises(Faults, match=r"region: The book knows none\.\nLeave it out\.$"):
        plan.check()
