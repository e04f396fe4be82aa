"""The notebooks that may be shown to readers: an allow-list, never a folder."""

from dataclasses import dataclass
from pathlib import Path

from cadran.book.masked import is_masked
from cadran.book.reader import Reader
from cadran.figures.bar import PAGES

_PACKAGE = Path(__file__).parent.parent
#: The notebooks that come with Cadran: in the wheel, or in the checkout.
NOTEBOOKS = _PACKAGE / "_notebooks" if (_PACKAGE / "_notebooks").exists() else _PACKAGE.parent.parent / "notebooks"


#: Those that learn from the book.
LEARNING = ("process", "resources")
#: Those that show groups alone to whoever is to see no more.
PRESENTING = ("resources", "pulse", "definitions")


@dataclass(frozen=True)
class App:
    """One notebook shown to readers under `/name`."""

    name: str
    title: str
    notebook: Path
    #: Whether the notebook shows a `Page`; None where that is known only once it has run.
    is_page: bool | None = None
    #: Whether it learns from the book, which may take a while: its first sight is made once somebody has asked for it.
    learns: bool = False
    #: Whether it shows groups alone to a presenter, and so is for them.
    presents: bool = False

    def is_for(self, reader: Reader | None) -> bool:
        """Whether it is for a reader: one who sees neither clients nor people has what shows groups alone."""
        return self.presents or not is_masked(reader)


def shipped_apps(folder: Path = NOTEBOOKS) -> tuple[App, ...]:
    """The apps of the allow-list whose notebook is in `folder`."""
    return tuple(
        App(name, title, folder / f"{name}.py", is_page=True, learns=name in LEARNING, presents=name in PRESENTING)
        for name, title in PAGES.items()
        if (folder / f"{name}.py").exists()
    )
