"""Pieces of TOML."""

import json
import re


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def bare(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else quoted(text)


def synonyms(pairs: dict[str, str]) -> str:
    return f"values = {{ {', '.join(f'{bare(a)} = {quoted(b)}' for a, b in pairs.items())} }}"
