"""Random numbers by address: each is a function of a seed, a purpose, a thing and a step.

Nothing is drawn in sequence, so the same deal on the same day meets the same chance whatever else the run
holds: other deals, another chunk size, a lever pulled elsewhere. Two runs then differ only by what was
changed (common random numbers), and a run can be cut into chunks that give the same rows.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

_MASK = (1 << 64) - 1
_WEYL, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mix(keys: Keys) -> Keys:
    """Scatter 64-bit integers one to one (array in, array of the same shape out).

    Source:
        Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA: SplitMix64.
    """
    z = keys + np.uint64(_WEYL)
    z ^= z >> np.uint64(30)
    z *= np.uint64(_FIRST)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_SECOND)
    z ^= z >> np.uint64(31)
    return z


def mix_one(number: int) -> int:
    """The same for one number."""
    z = (number + _WEYL) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


def child(keys: Keys, slot: int) -> Keys:
    """Keys of the things that come out of other things: `slot` tells siblings apart."""
    return mix(keys ^ np.uint64(mix_one(slot + 1)))


class Draws:
    """All the chance of one seed."""

    def __init__(self, seed: int):
        self._seed = mix_one(seed)
        self._bases: dict[str, int] = {}

    def _base(self, purpose: str) -> int:
        if purpose not in self._bases:
            self._bases[purpose] = mix_one(self._seed ^ zlib.crc32(purpose.encode()))
        return self._bases[purpose]

    def _salt(self, purpose: str, step: int) -> int:
        return mix_one(self._base(purpose) + step)

    def uniform(self, purpose: str, keys: Keys, step: int | NDArray[np.int64] = 0) -> Floats:
        """One number per key, uniform on the open interval (0, 1). Steps may differ by key."""
        if isinstance(step, int):
            return _as_share(mix(keys ^ np.uint64(self._salt(purpose, step))))
        return _as_share(mix(keys ^ mix(np.uint64(self._base(purpose)) + step.astype(np.uint64))))

    def uniforms(self, purposes: Sequence[str], keys: Keys, step: int) -> dict[str, Floats]:
        """The same for several purposes at once: faster where keys are few."""
        salts = mix(np.array([self._base(purpose) for purpose in purposes], dtype=np.uint64) + np.uint64(step))
        return dict(zip(purposes, _as_share(mix(keys ^ salts[:, None])), strict=True))

    def normal(self, purpose: str, keys: Keys, step: int = 0) -> Floats:
        """One standard normal number per key (Box and Muller, 1958)."""
        bits = mix(keys ^ np.uint64(self._salt(purpose, step)))
        radius = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
        angle = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
        return np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * angle)

    def choice(self, purpose: str, keys: Keys, weights: Floats, step: int = 0) -> NDArray[np.int64]:
        """An index into `weights` per key. `weights` has one row for all keys, or one row per key."""
        shares = np.cumsum(weights, axis=-1)
        target = self.uniform(purpose, keys, step) * (shares[..., -1])
        return np.asarray((target[:, None] >= np.atleast_2d(shares)).sum(axis=1))


def _as_share(bits: Keys) -> Floats:
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
