"""Many people who answer a survey in the same second, each over a connection of their own."""

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter
from urllib.parse import urlencode, urlsplit


def answer_at_once(address: str, tokens: Sequence[str], form: Mapping[str, str]) -> tuple[list[float], list[float]]:
    """Let everybody open the page at once, then everybody send at once.

    Args:
        address: Where `cadran serve` answers: "http://127.0.0.1:2718".
        tokens: One link each.
        form: What each of them sends: `{"a.enps": "9", "a.more": "…"}`, the option of a choice by its position.

    Returns:
        Seconds until each had the page, and until each was told that the answers are kept.

    Raises:
        RuntimeError: If anybody is told anything else.
    """
    return asyncio.run(_answer_at_once(address, tokens, urlencode(form)))


async def _answer_at_once(address: str, tokens: Sequence[str], body: str) -> tuple[list[float], list[float]]:
    shown = await asyncio.gather(*(_ask(address, token, None) for token in tokens))
    thanked = await asyncio.gather(*(_ask(address, token, body) for token in tokens))
    return shown, thanked


async def _ask(address: str, token: str, body: str | None) -> float:
    place = urlsplit(address)
    lines = [
        f"{'GET' if body is None else 'POST'} /s/{token}?lang=en HTTP/1.1",
        f"Host: {place.netloc}",
        "Connection: close",
    ]
    lines += ["Accept-Encoding: gzip"]
    if body is not None:
        lines += [
            f"Origin: {address}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    began = perf_counter()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write("\r\n".join([*lines, "", body or ""]).encode())
    answer = await reader.read()
    took = perf_counter() - began
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.partition(b"\r\n")[0].decode())
    return took
