"""Which totals may be told so that none of them, and no difference between them, is one person's.

Source:
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4: primary and secondary suppression.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
#: What is told of a part is told of it alone from here on: 1, but for rounding.
_ALONE = 1 - 1e-6


def disclosed(totals: Array, persons: Sequence[str | None]) -> set[str]:
    """The persons whose own part some sum or difference of totals gives away.

    Args:
        totals: (totals, parts) whether each total holds each part.
        persons: Whose each part is; null: nobody's, which is no secret.
    """
    whose = np.array([each or "" for each in persons], dtype=str)
    is_own = whose != ""
    whose, held = whose[is_own], np.asarray(totals, float)[:, is_own]
    if not held.size:
        return set()
    # Parts that every total holds alike are told together alone, or not at all.
    cells, place = np.unique(held, axis=1, return_inverse=True)
    place = place.ravel()
    owners = [np.unique(whose[place == cell]) for cell in range(cells.shape[1])]
    _, sizes, rows = np.linalg.svd(cells, full_matrices=False)
    told = rows[sizes > 1e-9 * max(sizes.max(), 1)]  # all that can be made of the totals
    found = set()
    for person in {str(each[0]) for each in owners if len(each) == 1}:
        own = [cell for cell, each in enumerate(owners) if len(each) == 1 and each[0] == person]
        # The length of what is left of a unit part, seen from all that is told: 1 where it is told by itself.
        if cells[:, own].any() and np.linalg.norm(told[:, own], 2) > _ALONE:
            found.add(person)
    return found


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
    told, left_out = np.zeros((0, len(whose)), bool), []
    for level in levels:
        many = np.array([len({*whose[held]} - {""}) for held in level], int)
        gone = many == 1
        while not gone.all() and (found := disclosed(np.vstack([told, level[~gone]]), persons)):
            theirs = np.isin(whose, list(found))
            around = min((held for held in told if held[theirs].any()), key=np.sum, default=np.ones(len(whose), bool))
            rest = np.flatnonzero(~gone)
            gone[min(rest, key=lambda each: (not (level[each] & around).any(), many[each]))] = True
        told = np.vstack([told, level[~gone]])
        left_out.append(gone)
    return left_out
