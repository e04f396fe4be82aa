"""What a proposed mapping says of field histories, and of an event log that is the only source."""

from cadran.sources.guess import Seen
from cadran.sources.guess_histories import Log
from cadran.sources.propose_head import Say, file_line
from cadran.sources.propose_text import quoted, synonyms


def change_lines(told: Log, words: Say) -> list[str]:
    """A section of `[[changes]]`."""
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
    return lines


def event_log(told: Log, left: list[Seen], unread: list[str], words: Say) -> str:
    """The whole mapping of an event log."""
    name = quoted(told.path.parent.resolve().name)
    by_name = words("by the names of the activities; read each")
    lines = [
        "# " + words("A mapping proposed by `cadran map`. Read every guess; docs/mapping.md tells the format."),
        f"name = {name}",
        f'taken = "latest date"  # {words("guessed:")} {words("better write the day of the export")}',
        'time_zone = "UTC"  # '
        + f"{words('guessed:')} {words('nothing tells; write yours if hours matter, like Europe/Paris')}",
        "",
        "[files]",
        *file_line(told, [told], words),
        "",
        "[events]",
        f"file = {quoted(told.key)}",
        *(f"{field} = {quoted(column)}" for field, column in told.fields.items()),
        *(
            f"{section} = {synonyms(meant).removeprefix('values = ')}  # {words('guessed:')} {by_name}"
            for section, meant in told.meanings.items()
        ),
        "ignored = []",
    ]
    lacking = [kind for kind in ("won", "lost") if kind not in told.meanings["outcomes"].values()]
    lines += [f"# {words('to complete: no activity looks {kind}').format(kind=kind)}" for kind in lacking]
    rest = [f"# {seen.name}: {words('not used: the event log tells all')}" for seen in left] + unread
    return "\n".join([*lines, *(["", *rest] if rest else [])]) + "\n"
