"""A book served as a reader meets it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(book: Path) -> Iterator[str]:
    """The address at which `cadran serve` shows a book, until the end of the block."""
    command = [str(Path(sys.executable).parent / "cadran"), "serve", "--port", "0", "--book", str(book)]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CADRAN_BOOK")}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait(20)
    server.stdout.close()
