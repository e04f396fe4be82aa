"""Answers are kept as long as was declared, and what was released of them stays."""

from datetime import UTC, datetime

import polars as pl
import pulse_companies
import pytest

from cadran.book.pulse import Pulse
from cadran.book.pulse_purge import purge
from cadran.measures.disclosure import release
from cadran.tables.delivery import SET_ASIDE


@pytest.fixture
def pulse(tmp_path):
    """Three waves, closed in January, February and March 2026."""
    pulse = Pulse(tmp_path)
    for wave in pulse_companies.company(1, 40, 3):
        pulse.keep_wave(wave)
    return pulse


def test_a_wave_goes_when_its_months_are_over(pulse):
    closed = [pulse.wave(name).closed_at for name in pulse.wave_names()]
    assert [day.strftime("%m-%d %H") for day in closed] == ["01-12 08", "02-09 08", "03-09 08"]

    assert purge(pulse, datetime(2027, 1, 12, 7, tzinfo=UTC)) == []
    assert purge(pulse, datetime(2027, 2, 9, 8, tzinfo=UTC)) == ["pulse@2026-01", "pulse@2026-02"]
    assert pulse.wave_names() == ["pulse@2026-03"]
    assert [path.name for path in (pulse.folder / "waves").iterdir()] == ["pulse@2026-03"]


def test_comments_that_were_released_go_with_their_wave(pulse):
    for name in pulse.wave_names():
        pulse.keep_release(release(pulse.wave(name)))
    before = [*pulse.releases()]
    assert all(each.comments.height for each in before)

    purge(pulse, datetime(2027, 2, 9, 8, tzinfo=UTC))
    after = [*pulse.releases()]
    assert [each.comments.height for each in after] == [0, 0, before[2].comments.height]
    assert all(
        now.cells.equals(old.cells) and now.audited == old.audited for now, old in zip(after, before, strict=True)
    )


def test_what_an_interruption_left_is_unseen_and_goes_next_time(pulse):
    waves = pulse.folder / "waves"
    (waves / "pulse@2026-01").rename(waves / ".gone.pulse@2026-01")

    assert pulse.wave_names() == ["pulse@2026-02", "pulse@2026-03"]
    assert purge(pulse, datetime(2026, 4, 1, tzinfo=UTC)) == []
    assert not (waves / ".gone.pulse@2026-01").exists()


def test_rows_set_aside_go_with_their_wave(pulse):
    aside = pulse.folder / "set_aside"
    aside.mkdir()
    for name in ("pulse@2026-01", "pulse@2026-03", "pulse", "other@2026-01"):
        pl.DataFrame(schema=SET_ASIDE).write_parquet(aside / f"{name}.parquet")

    purge(pulse, datetime(2027, 2, 9, 8, tzinfo=UTC))
    assert sorted(path.stem for path in aside.iterdir()) == ["other@2026-01", "pulse", "pulse@2026-03"]
    purge(pulse, datetime(2027, 3, 9, 8, tzinfo=UTC))
    assert [path.stem for path in aside.iterdir()] == ["other@2026-01"]
