"""statsforecast's AutoETS on series from a file, in an environment of its own: it wants an older pandas than Cadran.

`python autoets.py IN.npz OUT.npz`: reads `histories` (origins, series, months), NaN where not known, and `horizon`;
writes `told` (origins, series, horizon, 5): the mean and the ends of the 95 and 80 % intervals, and `seconds` and `cpu`
(origins, series).
"""

import sys
import time

import numpy as np
from statsforecast.models import AutoETS

LEVELS = ("mean", "lo-95", "lo-80", "hi-80", "hi-95")


def main() -> None:
    """Forecast all, one after the other."""
    given = np.load(sys.argv[1])
    histories, horizon = given["histories"], int(given["horizon"])
    told, times = np.full((*histories.shape[:2], horizon, 5), np.nan), np.full((*histories.shape[:2], 2), np.nan)
    for place in np.ndindex(histories.shape[:2]):
        known = histories[place][~np.isnan(histories[place])]
        wall, cpu = time.perf_counter(), time.process_time()
        found = AutoETS(season_length=12).forecast(y=known, h=horizon, level=[80, 95])
        times[place] = time.perf_counter() - wall, time.process_time() - cpu
        told[place] = np.column_stack([found[level] for level in LEVELS])
    np.savez(sys.argv[2], told=told, seconds=times[..., 0], cpu=times[..., 1])


if __name__ == "__main__":
    main()
