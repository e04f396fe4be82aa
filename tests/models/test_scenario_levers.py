"""Scenarios as files: read with all their faults, written so as to be read again."""

from datetime import date

import pytest

from cadran.models.pulls import Pulls
from cadran.models.scenario_levers import Levers, read_scenarios, scenarios_file
from cadran.tables.problems import Faults

MONTHS = [date(2026 + n // 12, n % 12 + 1, 1) for n in range(6, 18)]
THERE = (["SMB", "Grands comptes"], ["Nord", "Île-de-France"], ["pay", "pay_2027"], MONTHS)
PULLED = Levers(
    win_odds=((None, 1.1), ("Grands comptes", 0.9)),
    size=1.05,
    cycle=0.9,
    arrivals=(("Île-de-France", 1.2),),
    answer_hours=4.0,
    hires=(("Nord", date(2026, 9, 1), 2), ("Nord", date(2027, 1, 1), 1)),
    ramp=0.75,
    attrition=0.0,
    quota=1.1,
    plan="pay_2027",
)


def read(tmp_path, text):
    file = tmp_path / "scenarios.toml"
    file.write_text(text, "utf-8")
    return read_scenarios(file, *THERE)


def test_what_is_written_is_read(tmp_path):
    scenarios = {'Plus "vite"': PULLED, "As now": Levers()}

    assert read(tmp_path, scenarios_file(scenarios)) == scenarios


def test_levers_on_deals_are_those_of_the_bookings():
    assert PULLED.pulls == Pulls(PULLED.win_odds, 1.05, 0.9, PULLED.arrivals, 4.0)
    assert Levers().pulls == Pulls()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "scenario"),
        ('[[scenario]]\nname = "a"\nsize = -1', "scenario[1].size"),
        ('[[scenario]]\nname = "a"\nsize = nan', "scenario[1].size"),
        ('[[scenario]]\nname = "a"\n[[scenario]]\nname = "a"', "scenario[2].name"),
        ("[[scenario]]", "scenario[1].name"),
        ('[[scenario]]\nname = "a"\narrivals = {Nrod = 2}', "scenario[1].arrivals.Nrod"),
        ('[[scenario]]\nname = "a"\nplan = "no"', "scenario[1].plan"),
        ('[[scenario]]\nname = "a"\n[[scenario.hires]]\nregion = "Nord"\nmonth = 2026-09-01\nn = 1.5', "scenario[1].hires[1].n"),
        ('[[scenario]]\nname = "a"\nwinrate = 2', "scenario[1].winrate"),
        ('[[scenario]]\nname = "baseline"', "scenario[1].name"),
        ('[[scenario]]\nname = "  "', "scenario[1].name"),
        ('[scenario]\nname = "a"', "scenario"),
        ('[[scenario]]\nname = "a"\n[[scenario.hires]]\nregion = "Nord"\nmonth = 2020-09-01\nn = 1', "scenario[1].hires[1].month"),
        ('[[scenario]]\nname = "a"\n[[scenario.hires]]\nregion = "Nord"\nmonth = 2027-07-01\nn = 1', "scenario[1].hires[1].month"),
        ("".join(f'[[scenario]]\nname = "{n}"\n' for n in range(4)), "scenario"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_key(tmp_path, text, key):
    with pytest.raises(Faults) as found:
        read(tmp_path, text)

    assert f"scenarios.toml: {key}: " in str(found.value.told(str))
