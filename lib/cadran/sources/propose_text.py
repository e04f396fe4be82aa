"""Pieces of TOML."""

import json
import re


def quoted(text: str) -> str:
    """A text between quotation marks."""
    return json.dumps(text, ensure_ascii=False)


def bare(text: str) -> str:
    """A text as a key: between quotation marks where it must be."""
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else quoted(text)


def synonyms(pairs: dict[str, str]) -> str:
    """The `values` that turn one word into another."""
    return f"values = {{ {', '.join(f'{bare(a)} = {quoted(b)}' for a, b in pairs.items())} }}"
