"""Python before 3.11.8 fails now and then where two threads read source at once (python/cpython#106905).

A notebook is read by the thread of each reader, and by that of its first sight: on such a Python they take turns.
"""

import ast
import sys
from threading import RLock
from typing import Any

from marimo._ast import compiler, transformers

_READING = RLock()


def take_turns() -> None:
    """Have one thread at a time make a syntax tree, in this process: these modules make them all."""
    if sys.version_info < (3, 11, 8):
        for module in (ast, compiler, transformers):
            vars(module)["compile"] = _alone


def _alone(*source: Any, **how: Any) -> Any:
    with _READING:
        return compile(*source, **how)
