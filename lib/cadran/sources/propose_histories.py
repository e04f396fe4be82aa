"""What a proposed mapping says of field histories, and of an event log that is the only source."""

from cadran.sources.guess import Seen
from cadran.sources.guess_deals import said_by_deals
from cadran.sources.guess_histories import Log
from cadran.sources.propose_head import Say, book_name, databases, file_line, rates, settings
from cadran.sources.propose_table import table_lines
from cadran.sources.propose_text import quoted, synonyms


def change_lines(told: Log, words: Say, is_second: bool = False) -> list[str]:
    """A section of `[[changes]]`; a comment if it is the second to tell the past of deals, which a mapping refuses."""
    meant = told.meanings["field"]
    values = f", {synonyms(meant)}" if meant else ""
    lines = [
        "",
        f"[[changes]]  # {words('guessed:')} {words('one row per changed field')}",
        f'of = "{told.of}"',
        f"file = {quoted(told.key)}",
        *(
            f"{name} = {quoted(told.fields[name])}"
            for name in ("key", "at", "value", "old_value")
            if name in told.fields
        ),
        f"field = {{ column = {quoted(told.fields['field'])}{values} }}",
    ]
    if not meant:
        lines.append(f"# {words('to complete: values = the names of the fields in the file, and those of the table')}")
    if is_second:
        why = words("not used: [versions] tells the past of deals already; keep the one that tells more")
        return ["", f"# {why}", *(f"# {line}" for line in lines[1:])]
    return lines


def event_log(told: Log, left: list[Seen], unread: list[str], words: Say) -> str:
    """The whole mapping of an event log."""
    by_name = words("by the names of the activities; read each")
    made: dict[str, list[str]] = {}
    elsewhere: set[str] = set()
    for table, link in (("accounts", "account_id"), ("reps", "resource")):
        more = said_by_deals(told, table, link) if link in told.fields else {}
        more = {name: column for name, column in more.items() if column != told.fields[link]}
        if more or (table == "accounts" and link in told.fields):  # of sellers alone, a log makes a table by itself
            made[table] = _from_values(told, table, link, more, words)
            elsewhere |= set(more.values())
    lines = [
        "# " + words("A mapping proposed by `cadran map`. Read every guess; docs/mapping.md tells the format."),
        book_name(told.path.parent, words),
        *settings(told, words, has_history=True),
        *rates(told, words),
        *databases([told], words),
        "",
        "[files]",
        *file_line(told, [told], words),
        *(line for lines in made.values() for line in lines),
        "",
        *table_lines(told, [], left, {"events", *made}, words, elsewhere),
        *(
            f"{section} = {synonyms(meant).removeprefix('values = ')}  # {words('guessed:')} {by_name}"
            for section, meant in told.meanings.items()
        ),
        "ignored = []",
    ]
    lacking = [kind for kind in ("won", "lost") if kind not in told.meanings["outcomes"].values()]
    why = {
        "won": words("without one, no deal is ever won"),
        "lost": words("without one, no deal is ever lost"),
    }
    lines += [
        f"# {words('to complete: no activity looks {kind}').format(kind=kind)}; {why[kind]}: "
        f'outcomes = {{ "…" = "{kind}" }}'
        for kind in lacking
    ]
    rest = [f"# {seen.name}: {words('not used: the event log tells all')}" for seen in left] + unread
    return "\n".join([*lines, *(["", *rest] if rest else [])]) + "\n"


def _from_values(told: Log, table: str, link: str, more: dict[str, str], words: Say) -> list[str]:
    """A table made of the values met in a column of the log, with what other columns say of them."""
    key = {"accounts": "account_id", "reps": "rep_id"}[table]
    return [
        "",
        f"[{table}]  # {words('guessed:')} {words('no file holds them, so one is made of each value met')}",
        f"file = {quoted(told.key)}",
        "from_values = true",
        f"{key} = {quoted(told.fields[link])}",
        *(f"{n} = {quoted(c)}  # {words('guessed:')} {words('the header says so')}" for n, c in more.items()),
    ]
