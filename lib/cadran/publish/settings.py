"""How the pages are served, as `cadran.toml` says it: what a command's options say stands above it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cadran.access.groups import TABLE
from cadran.tables.toml_file import read_toml

#: Where it is looked for if none is named.
FILE = Path("cadran.toml")
#: How long a session may last.
LEAST_HOURS, MOST_HOURS = 0.25, 12.0


def read_settings(path: Path) -> dict[str, Any]:
    """The settings under `[serve]`, under the names of the options of `cadran serve`; paths are from the file's folder.

    Args:
        path: The file.

    Raises:
        Faults: With everything that is wrong in it, each with its key.
        Problem: If there is no such file, or it is no TOML.
    """
    file = read_toml(path)
    serve = file.section("serve")
    folder = path.parent
    read: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(("host", "address", "header", "ballots"), serve.text),
        **dict.fromkeys(("provider", "client_id", "provider_name", "groups_claim", "name_claim"), serve.text),
        **dict.fromkeys(
            ("book", "certificate", "key", "known", "log", "client_secret"), lambda key: str(folder / serve.text(key))
        ),
        **dict.fromkeys(("port", "metrics"), lambda key: serve.whole(key, least=0, most=65535)),
        "memory": lambda key: serve.whole(key, least=1),
        **dict.fromkeys(("sign_in", "surveys_only", "accounts"), lambda key: serve.flag(key, False)),
        **dict.fromkeys(("proxy", "scope"), serve.texts),
        "hours": lambda key: serve.number(key, least=LEAST_HOURS, most=MOST_HOURS),
    }
    told = {key: value(key) for key, value in read.items() if serve.has(key)}
    serve.close()
    file.has(TABLE)  # read where the book is known whose regions they name
    file.close()
    file.check()
    return told
