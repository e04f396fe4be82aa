"""The notebooks that may be shown to readers: an allow-list, never a folder."""

from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
#: The notebooks that come with Cadran: in the wheel, or in the checkout.
NOTEBOOKS = _PACKAGE / "_notebooks" if (_PACKAGE / "_notebooks").exists() else _PACKAGE.parent.parent / "notebooks"

#: Name in the address -> title (an English sentence of the catalogue), the first one being the home.
TITLES = {"opportunities": "Opportunities", "definitions": "Definitions"}


@dataclass(frozen=True)
class App:
    """One notebook shown to readers under `/name`."""

    name: str
    title: str
    notebook: Path


def shipped_apps(folder: Path = NOTEBOOKS) -> tuple[App, ...]:
    """The apps of the allow-list whose notebook is in `folder`."""
    return tuple(
        App(name, title, folder / f"{name}.py") for name, title in TITLES.items() if (folder / f"{name}.py").exists()
    )
