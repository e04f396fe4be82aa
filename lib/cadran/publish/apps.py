"""The notebooks that may be shown to readers: an allow-list, never a folder."""

from dataclasses import dataclass
from pathlib import Path

from cadran.book.reader import Reader
from cadran.figures.bar import PAGES

_PACKAGE = Path(__file__).parent.parent
#: The notebooks that come with Cadran: in the wheel, or in the checkout.
NOTEBOOKS = _PACKAGE / "_notebooks" if (_PACKAGE / "_notebooks").exists() else _PACKAGE.parent.parent / "notebooks"


#: Those that learn from the book.
LEARNING = ("process", "resources")
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

    def is_for(self, reader: Reader | None) -> bool:
        """Whether a reader may open it; whoever reads where nobody signs in may."""
        return not self.needs or reader is None or reader.may(self.needs)


def shipped_apps(folder: Path = NOTEBOOKS) -> tuple[App, ...]:
    """The apps of the allow-list whose notebook is in `folder`."""
    return tuple(
        App(name, title, folder / f"{name}.py", is_page=True, learns=name in LEARNING, needs=OF_DEALS.get(name, ""))
        for name, title in PAGES.items()
        if (folder / f"{name}.py").exists()
    )
