"""Which totals may be told so that none of them, and no difference between them, is one person's.

Source:
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4: primary and secondary suppression.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
#: A part is told by itself from here on: 1, but for rounding.
_ALONE = 1 - 1e-6


def disclosed(totals: Array, persons: Sequence[str | None]) -> set[str]:
    """The persons whose own part some sum or difference of totals gives away.

    Args:
        totals: (totals, parts) whether each total holds each part.
        persons: Whose each part is; null: nobody's, which is no secret.
    """
    return _given_away(*_cells(np.asarray(totals, bool), persons))


def withheld(levels: Sequence[Array], persons: Sequence[str | None]) -> list[Array]:
    """Which totals to leave out, level by level: those of one person, and then the smallest others that, taken off what
    is told of a coarser level, would leave one.

    Args:
        levels: (totals, parts) of each level, the coarsest first: of what is told of it nothing is left out for the sake
            of a finer one.
        persons: As for `disclosed`.

    Returns:
        For each level, (totals,) whether each is left out.
    """
    whose = np.array([each or "" for each in persons], dtype=str)
    many = [np.array([len({*whose[held]} - {""}) for held in level], int) for level in levels]
    cells, owner = _cells(np.vstack([np.asarray(level, bool) for level in levels]), persons)
    places = np.split(np.arange(len(cells)), np.cumsum([len(level) for level in levels])[:-1])
    told, left_out = np.zeros(0, int), []
    for place, n in zip(places, many, strict=True):
        gone = n == 1
        while not gone.all() and (found := _given_away(cells[[*told, *place[~gone]]], owner)):
            theirs = np.isin(owner, list(found))
            around = min(
                (cells[each] for each in told if cells[each, theirs].any()), key=np.sum, default=np.array(True)
            )
            rest = np.flatnonzero(~gone)
            gone[min(rest, key=lambda each: (not (cells[place[each]] & around).any(), n[each]))] = True
        told = np.concatenate([told, place[~gone]])
        left_out.append(gone)
    return left_out


def _cells(totals: Array, persons: Sequence[str | None]) -> tuple[Array, Array]:
    """Parts that the same totals hold, taken together: (totals, cells), and (cells,) whose each is; "" for several
    persons. Those of nobody alone are left out."""
    whose = np.array([each or "" for each in persons], dtype=str)
    is_own = whose != ""
    cells, place = np.unique(totals[:, is_own], axis=1, return_inverse=True)
    owners: list[set[str]] = [set() for _ in range(cells.shape[1])]
    for cell, person in zip(place.ravel().tolist(), whose[is_own].tolist(), strict=True):
        owners[cell].add(person)
    return cells, np.array([next(iter(each)) if len(each) == 1 else "" for each in owners], dtype=str)


def _given_away(cells: Array, owner: Array) -> set[str]:
    """The owners whose cells alone some combination of totals (rows) holds."""
    if not cells.size:
        return set()
    _, sizes, rows = np.linalg.svd(cells.astype(float), full_matrices=False)
    made = rows[sizes > 1e-9 * max(sizes.max(), 1)]  # all that can be made of the totals
    # What of a unit part lies within that: all of it where the part can be made by itself.
    return {
        str(person) for person in np.unique(owner[owner != ""])
        if cells[:, owner == person].any() and np.linalg.norm(made[:, owner == person], 2) > _ALONE
    }  # fmt: skip
