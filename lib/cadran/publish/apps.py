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
#: Those that tell of deals alone.
OF_DEALS = dict.fromkeys(("opportunities", "process"), "deals")


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
    #: What a reader's role must be told of to open it: a word of `cadran.book.reader.RIGHTS`; nothing if empty.
    needs: str = ""
    #: Whether it shows groups alone to who is to see no more, and so is for a presenter.
    presents: bool = False

    def is_for(self, reader: Reader | None) -> bool:
        """Whether a reader may open it; whoever reads where nobody signs in may."""
        is_told = not self.needs or reader is None or reader.may(self.needs)
        return is_told and (self.presents or not is_masked(reader))


def shipped_apps(folder: Path = NOTEBOOKS) -> tuple[App, ...]:
    """The apps of the allow-list whose notebook is in `folder`."""
    return tuple(
        App(
            name,
            title,
            folder / f"{name}.py",
            is_page=True,
            learns=name in LEARNING,
            needs=OF_DEALS.get(name, ""),
            presents=name in PRESENTING,
        )
        for name, title in PAGES.items()
        if (folder / f"{name}.py").exists()
    )
