"""What a mapping says of feeds that are no table by themselves, checked: changes, merges, and an event log."""

from dataclasses import replace
from typing import Any

from cadran.sources.feeds import KEYS, OF, OLD, Feed, Field, File, StageRow, Touch, changeable, mappable, required
from cadran.tables.activities import DIRECTIONS, KINDS
from cadran.tables.deals import CLOSED


def texts(value: Any) -> tuple[str, ...]:
    """A text, or a list of them, as a tuple."""
    return tuple(str(v) for v in (value if isinstance(value, list) else [value]))


def feed(check: Any, table: str, section: Any, files: dict[str, File]) -> Feed:
    """One section of `[[changes]]`, `[[merges]]` or `[events]`.

    Args:
        check: What reads the mapping (`keys`, `member`, `fail`, `one_field`).
        table: Which of `TOLD`.
        section: Its TOML.
        files: The files of the mapping.
    """
    check.keys(section, table, f"[{table}]", mappable(table))
    if "file" not in section:
        check.fail("{file}: [{where}] does not say which file feeds it.", 'Write file = "NAME".', where=table)
    check.member(section["file"], files, f"[{table}] file")
    own = {name: spec for name, spec in section.items() if name not in KEYS[table]}
    fields: dict[str, Field] = {name: check.one_field(table, name, spec, files) for name, spec in own.items()}
    for name in required(table):
        if name not in fields:
            check.fail("{file}: [{where}] lacks {key}.", 'Write {key} = "COLUMN".', where=table, key=name)
    only = {column: texts(values) for column, values in section.get("only", {}).items()}
    made = Feed(table, section["file"], fields, only=only)
    if table == "events":
        return _events(check, section, made)
    of = section.get("of", "deals")
    check.member(of, OF[table], f"[{table}] of")
    if table == "changes":
        said = fields["field"]
        for name in said.values.values() if said.column else [str(said.constant)]:
            check.member(name, changeable(of), "[changes] field")
    return replace(made, of=of)


def _events(check: Any, section: dict[str, Any], made: Feed) -> Feed:
    stages = {str(k): str(v) for k, v in section.get("stages", {}).items()}
    outcomes = {str(k): str(v) for k, v in section.get("outcomes", {}).items()}
    touches = {str(k): _touch(check, k, said) for k, said in section.get("touches", {}).items()}
    ignored = texts(section.get("ignored", []))
    said = [*stages, *outcomes, *touches, *ignored]
    twice = next((name for name in said if said.count(name) > 1), None)
    if twice is not None:
        repair = "Keep it in one of stages, touches, outcomes and ignored."
        check.fail("{file}: [events]: {activity!r} has two meanings.", repair, activity=twice)
    if not stages and not outcomes:
        repair = 'Write stages = {{ "ACTIVITY" = "STAGE" }} and outcomes = {{ "ACTIVITY" = "won" }}.'
        check.fail("{file}: [events] tells no stage.", repair)
    check.member(section.get("absent", "gone"), ["gone", "kept"], "[events] absent")
    told = {"stages": stages, "touches": touches, "outcomes": outcomes, "ignored": ignored}
    return replace(made, absent=section.get("absent", "gone"), **told)  # type: ignore[arg-type]


def _touch(check: Any, activity: str, said: Any) -> Touch:
    where = f"[events] touches: {activity}"
    said = {"kind": said} if isinstance(said, str) else said
    check.keys(said, "a touch", where)
    check.member(said.get("kind"), KINDS, f"{where}: kind")
    if "direction" in said:
        check.member(said["direction"], DIRECTIONS, f"{where}: direction")
    return Touch(**said)


def stages_of(check: Any, feeds: list[Feed], listed: tuple[StageRow, ...]) -> tuple[list[Feed], tuple[StageRow, ...]]:
    """The stages an event log tells where the mapping lists none, and the log's outcomes as stages.

    An outcome names a closed stage, or a kind of it: the first stage of that kind.
    """
    logs = [f for f in feeds if f.table == "events"]
    if logs and not listed and not any(f.table == "stages" for f in feeds):
        names = dict.fromkeys(name for log in logs for name in log.stages.values())
        kinds = [kind for kind in CLOSED if any(kind in log.outcomes.values() for log in logs)]
        rows = [StageRow(name, "open", True) for name in names] or [StageRow("Open", "open", True)]
        listed = (*rows, *(StageRow(kind.capitalize(), kind, kind != "disqualified") for kind in kinds))
    return [replace(f, outcomes=_closed(check, f, listed)) if f in logs else f for f in feeds], listed


def _closed(check: Any, log: Feed, listed: tuple[StageRow, ...]) -> dict[str, str]:
    kinds = {row.kind: row.stage for row in reversed(listed)}
    closed = [row.stage for row in listed if row.kind in CLOSED]
    stages = [row.stage for row in listed]
    for activity, stage in log.stages.items() if listed else ():
        check.member(stage, stages, f"[events] stages: {activity}")
    found = {}
    for activity, said in log.outcomes.items():
        stage = said if said in closed else kinds.get(said, said) if said in CLOSED else said
        if listed:
            check.member(stage, closed, f"[events] outcomes: {activity}")
        found[activity] = stage
    return found


def with_fields(feeds: list[Feed]) -> list[Feed]:
    """The feeds of changes with one field for each field that may change, and one for what it was before.

    They are read as the table's own field is: its synonyms, its missing values, its dates.
    """
    return [_with_fields(feed, feeds) if feed.table == "changes" else feed for feed in feeds]


def _with_fields(feed: Feed, feeds: list[Feed]) -> Feed:
    said, value, old = feed.fields["field"], feed.fields["value"], feed.fields.get("old_value")
    names = dict.fromkeys(said.values.values() if said.column else [str(said.constant)])
    own = {name: f for other in feeds if other.table == feed.of for name, f in other.fields.items()}
    fields = {n: replace(f, personal="allowed") if n in ("value", "old_value") else f for n, f in feed.fields.items()}
    for name in names:
        as_read = own.get(name, Field(name))
        for column, prefix in ((value, ""), (old or Field("", constant=""), OLD)):
            read = replace(
                as_read, name=prefix + name, column=column.column, constant=column.constant, source=None, then=()
            )
            fields[prefix + name] = replace(read, values={**column.values, **as_read.values}, known="at_creation")
    only = feed.only if not said.column else {said.column[0]: tuple(said.values), **feed.only}
    return replace(feed, fields=fields, only=only)
