"""The clock, and the page of results, of which each benchmark writes its own part."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")
PAGE = Path(__file__).parent / "README.md"


def put(part: str, text: str, path: Path = PAGE) -> None:
    """Write one part of a page, between its two marks, in the place of what stood there."""
    page = path.read_text("utf-8")
    first, last = f"<!-- {part} -->", f"<!-- end of {part} -->"
    if first not in page:
        page += f"\n{first}\n{last}\n"
    path.write_text(
        re.sub(f"{first}.*?{last}", lambda _: f"{first}\n{text.strip()}\n{last}", page, flags=re.DOTALL), "utf-8"
    )


def timed(run: Callable[[], Made]) -> tuple[Made, tuple[float, float]]:
    """What came of it; seconds, and seconds of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = run()
    return made, (time.perf_counter() - wall, time.process_time() - cpu)
