"""Files that never change under their name: compressed once, kept by the browser for a year."""

import gzip
from functools import lru_cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOREVER = "public, max-age=31536000, immutable"
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg")


class Assets:
    """Files by the hash of their content, held in memory with their compressed form."""

    def __init__(self, prefix: str = "/static"):
        self.prefix = prefix
        self._files: dict[str, tuple[bytes, str]] = {}

    def add(self, content: str, suffix: str) -> str:
        """Keep a text; gives the address it is served under."""
        data = content.encode()
        name = f"{sha256(data).hexdigest()[:16]}{suffix}"
        self._files.setdefault(name, (gzip.compress(data, 9), media_type(suffix)))
        return f"{self.prefix}/{name}"

    async def answer(self, request: Request) -> Response:
        """Answer for `{prefix}/{name}`."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            return Response("", 404, media_type="text/plain")
        return respond(request, *found)


class FrontEnd:
    """marimo's own front end, whose file names carry their hash."""

    def __init__(self, folder: Path):
        self._files = {path.name: path for path in folder.iterdir() if path.is_file()}
        self._compressed = lru_cache(maxsize=1024)(_compressed)

    async def answer(self, request: Request) -> Response:
        """Answer for `…/assets/{name}`."""
        path = self._files.get(request.path_params["name"])
        if path is None:
            return Response("", 404, media_type="text/plain")
        kind = media_type(path.suffix)
        if kind.startswith(_COMPRESSIBLE):
            return respond(request, self._compressed(path), kind)
        return Response(path.read_bytes(), media_type=kind, headers={"Cache-Control": FOREVER})


def media_type(suffix: str) -> str:
    """The media type of a file by its suffix; scripts are scripts whatever this machine's registry says."""
    return "text/javascript" if suffix == ".js" else guess_type(f"x{suffix}")[0] or "application/octet-stream"


def respond(request: Request, compressed: bytes, kind: str) -> Response:
    """The compressed form, or the plain one for a client that does not read gzip."""
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(compressed, media_type=kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(compressed), media_type=kind, headers=headers)


def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6)
