"""The page's JavaScript: our modules and the offline Vega bundle, as the one module a widget takes."""

import os
import re
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import vl_convert

#: Our modules, each after those it imports.
MODULES = ("tip", "figures", "view", "listen", "chrome", "page", "follow")
_FOLDER = Path(__file__).parent / "js"
#: The bundle exports nothing; it leaves `vegaEmbed` on the window.
_SNIPPET = "globalThis.vegaEmbed = vegaEmbed;"


@lru_cache
def module() -> str:
    """The widget's module: Vega, then our files without their import and export words."""
    ours = "\n".join(_inlined((_FOLDER / f"{name}.js").read_text("utf-8")) for name in MODULES)
    return f"{vega()}\nconst cadran = (() => {{\n{ours}\nreturn {{ render, follow }};\n}})();\nexport default cadran;\n"


@lru_cache
def vega() -> str:
    """The Vega bundle (0.9 MB). Built once for each version of vl-convert (3 s) and kept in the user's cache."""
    kept = cache_folder() / f"vega-{version('vl-convert-python')}.js"
    if kept.is_file():
        return kept.read_text("utf-8")
    built = vl_convert.javascript_bundle(_SNIPPET)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}")
    partial.write_text(built, "utf-8")
    partial.replace(kept)
    return built


def cache_folder() -> Path:
    """Where what can be built again is kept: `CADRAN_CACHE`, or the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CADRAN_CACHE") or Path(home) / "cadran")


def _inlined(source: str) -> str:
    return re.sub(r"^export ", "", re.sub(r"^import .*?;\n", "", source, flags=re.M), flags=re.M)
