"""The charts of a report as vector pictures: each drawn once for all its files, while the next page is worked out."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from cadran.figures.figure import Figure

#: Width in pixels of a chart that has its row alone, and of one of two beside each other.
ALONE, BESIDE = 900, 438


class Pictures:
    """The pictures of figures at a width, as SVG whose colours are CSS variables. A context: none is drawn after it."""

    def __init__(self) -> None:
        self._drawing: dict[tuple[int, int], tuple[Figure, Future[str]]] = {}
        self._pen = ThreadPoolExecutor(1)

    def __enter__(self) -> "Pictures":
        return self

    def __exit__(self, *_: object) -> None:
        self._pen.shutdown(cancel_futures=True)

    def begin(self, rows: Sequence[Sequence[Any]]) -> None:
        """Draw the figures of these rows without waiting."""
        for row in rows:
            for shown in row:
                if isinstance(shown, Figure):
                    self._future(shown, width_in(row))

    def of(self, figure: Figure, width: int) -> str:
        """The picture of a figure."""
        return self._future(figure, width).result()

    def _future(self, figure: Figure, width: int) -> Future[str]:
        key = (id(figure), width)
        if key not in self._drawing:
            self._drawing[key] = (
                figure,
                self._pen.submit(figure.picture, width),
            )  # the figure stays, so its id is its own
        return self._drawing[key][1]


def width_in(row: Sequence[Any]) -> int:
    """How wide a chart of a row is drawn."""
    return BESIDE if len(row) > 1 else ALONE
