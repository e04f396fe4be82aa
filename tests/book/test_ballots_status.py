"""How the waves are told to be: those opened here, those imported, those purged."""

import json
from datetime import UTC, datetime, timedelta

import ballots
import pulse_companies
import pytest

from cadran.book.ballots import Ballots
from cadran.book.ballots_status import with_kept
from cadran.book.pulse import Pulse
from cadran.book.pulse_purge import purge

MAY = datetime(2026, 5, 20, tzinfo=UTC)


@pytest.fixture
def pulse(tmp_path):
    """Waves of January to March: one of another store, one imported of which persons are known, one of which they are not."""
    pulse, waves = Pulse(tmp_path), pulse_companies.company(1, 40, 3)
    for wave, noted in zip(waves, ({}, {"n_respondents": 7}, {"n_respondents": None}), strict=True):
        wave.noted.update({"is_imported": True, **noted} if noted else {})
        pulse.keep_wave(wave)
    return pulse


def states(pulse, now=MAY):
    with Ballots(pulse.folder / "ballots.sqlite") as store:
        return with_kept(store.status(now), pulse)


def test_each_wave_is_told_once_whoever_collected_it(pulse):
    answered = pulse.wave("pulse@2026-01").invited["answered"]
    with Ballots(pulse.folder / "ballots.sqlite") as store:
        ballots.collected(store, pulse.keep_wave)
        ballots.opened(store, wave="2026-06")
    told = states(pulse)

    assert told.select("wave", "state", "n_invited", "n_answered").rows() == [
        ("2026-01", "closed", len(answered), answered.sum()),
        ("2026-02", "imported", None, 7),
        ("2026-03", "imported", None, None),
        ("2026-05", "closed", 60, 40),
        ("2026-06", "ended", 60, 0),
    ]
    assert told["closes_at"].is_null().to_list() == [True, True, True, False, False]
    assert told["opened_at"][0] == pulse.wave("pulse@2026-01").opened_at


def test_a_purged_wave_is_told_to_be(pulse):
    with Ballots(pulse.folder / "ballots.sqlite") as store:
        ballots.collected(store, pulse.keep_wave, ballots.replaced(retention_months=1))
    gone = purge(pulse, MAY + timedelta(days=365))

    assert gone == ["pulse@2026-01", "pulse@2026-02", "pulse@2026-03", "pulse@2026-05"]
    assert states(pulse).select("wave", "state", "n_answered").rows() == [
        ("2026-01", "purged", None), ("2026-02", "purged", None), ("2026-03", "purged", None), ("2026-05", "purged", 40),
    ]  # fmt: skip
    assert json.loads((pulse.folder / "purged.json").read_text()) == dict.fromkeys(gone, "2027-05-20")
