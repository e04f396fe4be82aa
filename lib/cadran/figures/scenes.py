"""The scenes of a presentation, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cadran.figures.resources_levers import put
from cadran.text import Words


@dataclass(frozen=True)
class Scenes:
    """The scenes of a presentation, the way to the one before and the one after."""

    at: str
    scenes: Sequence[tuple[str, str]]

    def html(self, slot: str, words: Words) -> str:
        """One line; Page Up and Page Down step through it, as a presenter's remote control does."""
        names = [name for name, _ in self.scenes]
        place = names.index(self.at)
        before, after = names[max(place - 1, 0)], names[min(place + 1, len(names) - 1)]
        links = "".join(
            f"<li{' aria-current=step' * (name == self.at)}>{put(title, _set(name))}</li>"
            for name, title in self.scenes
        )
        return (
            f'<nav class=scenes aria-label="{escape(words("Scenes"))}">'
            f"{put('‹', _set(before), 'PageUp', words('The scene before'))}<ol>{links}</ol>"
            f"{put('›', _set(after), 'PageDown', words('The next scene'))}</nav>"
        )


def _set(scene: str) -> str:
    return f'{{"scene":"{scene}"}}'
