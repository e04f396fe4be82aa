"""Where things stand on this machine is told at the command line, and to no reader."""

import json
import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


class Places:
    """Folders of this machine, hidden in whatever goes to a browser: what is said of a file names it from there on.

    Args:
        book: The book's folder, as it was named.
    """

    def __init__(self, book: Path, others: Iterable[Path] = ()):
        folders = [book.absolute(), _PACKAGE, _PACKAGE.parent.parent, Path(sysconfig.get_paths()["purelib"]), Path.cwd(),
                   Path.home(), *others]  # fmt: skip
        every = {str(each) for folder in folders for each in (folder, folder.resolve()) if each != each.parent}
        # In JSON a backslash is written twice.
        self._places = sorted({*every, *(json.dumps(each)[1:-1] for each in every)}, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<![\w/.-])({'|'.join(map(re.escape, self._places))})(?![\w-])")

    def hidden(self, text: str) -> str:
        """The text, with the last name of a folder in its place."""
        if not any(each in text for each in self._places):
            return text
        return self._pattern.sub(lambda found: re.split(r"[/\\]", found[1])[-1], text)
