"""The page of results, of which each benchmark writes its own part."""

import re
from pathlib import Path

PAGE = Path(__file__).parent / "README.md"


def put(part: str, text: str) -> None:
    """Write one part of the page, between its two marks, in the place of what stood there."""
    page = PAGE.read_text("utf-8")
    first, last = f"<!-- {part} -->", f"<!-- end of {part} -->"
    if first not in page:
        page += f"\n{first}\n{last}\n"
    PAGE.write_text(
        re.sub(f"{first}.*?{last}", lambda _: f"{first}\n{text.strip()}\n{last}", page, flags=re.DOTALL), "utf-8"
    )
