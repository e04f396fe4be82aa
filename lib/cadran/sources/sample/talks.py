"""The invented company's one-to-ones of four months, and what it promised after its survey."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from cadran.sources.sample.draws import Draws
from cadran.tables.one_to_ones import HELD, PLANNED, OneToOne

#: Days between two as agreed, how long one lasts, and the first day of what was noted.
RHYTHM_DAYS, MINUTES, SINCE = 21, 60, date(2026, 3, 2)
_UNTIL, _KNOWN = date(2026, 7, 17), date(2026, 6, 30)
#: What was promised: about which dimension, to which team (null: the company), what, by whom, promised, due, told, done.
PROMISES = (
    ("workload", "Toulouse", "Deux recrutements et un partage des comptes publics avec Nantes", "Direction Grand Ouest",
     date(2026, 4, 27), date(2026, 9, 30), date(2026, 5, 4), None),
    ("tools", None, "Configurateur de devis remplacé dans toutes les régions", "Opérations commerciales",
     date(2025, 11, 24), date(2026, 1, 31), date(2025, 12, 1), date(2026, 1, 19)),
    ("data", None, "Nettoyage des contacts périmés, compte par compte", "Opérations commerciales", date(2026, 5, 25),
     date(2026, 7, 31), None, None),
)  # fmt: skip


def one_to_ones(led: pl.DataFrame, seed: int = 1) -> pl.DataFrame:
    """One-to-ones planned and held: some managers keep to what was agreed, some do not.

    Args:
        led: Who leads whom: `person`, `manager`, `since`, `left`, by time.
        seed: Another seed draws others.

    Returns:
        Rows of `OneToOne`, by day and person.
    """
    draws = Draws(seed)
    now = led.filter(pl.col("left").is_null()).unique("person", keep="last", maintain_order=True)
    now = now.filter(pl.col("manager").is_not_null()).sort("person")
    keys = now["person"].str.strip_prefix("R").cast(pl.UInt64).to_numpy()
    managers = now["manager"].str.strip_prefix("R").cast(pl.UInt64).to_numpy()
    keeps = np.clip(0.45 + 0.6 * draws.uniform("keeps to one-to-ones", managers), 0, 0.97)
    first = (draws.uniform("first one-to-one", keys) * RHYTHM_DAYS).astype(int)
    rows = []
    for place, (person, manager, since) in enumerate(now.select("person", "manager", "since").iter_rows()):
        day = SINCE + timedelta(days=int(first[place]))
        for turn in range(8):
            on = day + timedelta(days=RHYTHM_DAYS * turn)
            on += timedelta(days=(7 - on.weekday()) % 7 if on.weekday() > 4 else 0)
            if on > _UNTIL or (since and on < since):
                continue
            told = {"person": person, "manager": manager, "day": on, "minutes": MINUTES}
            rows.append({**told, "kind": PLANNED})
            chance = draws.uniform("one-to-one is held", keys[place : place + 1], turn)[0]
            if on <= _KNOWN and chance < keeps[place]:
                rows.append({**told, "kind": HELD})
    frame = pl.DataFrame(rows).with_columns(noted_at=pl.lit(None, pl.Datetime("us", "UTC")))
    return OneToOne.validate(
        frame.select(OneToOne.column_names()).cast({"minutes": pl.Int64}).sort("day", "person", "kind")
    )
