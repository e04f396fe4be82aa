"""What several sections of a mapping must say together."""

from typing import Any

from cadran.sources.feeds import FROM_VALUES, Feed, StageRow, parts
from cadran.tables import FOREIGN_KEYS
from cadran.tables.deals import CLOSED

_FROM_VALUES_REPAIR = (
    "Add [{parent}] with its file; or, to make it from the values met:\n"
    '[{parent}]\nfile = "{source}"\nfrom_values = true\n{parent_key} = "{column}"'
)


def whole(check: Any, feeds: list[Feed], stages: tuple[StageRow, ...]) -> None:
    """Fail if the feeds do not go together, or refer to what nothing feeds.

    Args:
        check: What reads the mapping (`fail`).
        feeds: Every feed of the mapping.
        stages: The stages it lists.
    """
    fed = {part for feed in feeds for part in parts(feed)} | ({"stages"} if stages else set())
    if not fed & {"opportunities", "versions"}:
        check.fail("{file} feeds no deals.", "Add a [deals] table, or [opportunities] and [versions].")
    if ("opportunities" in fed) != ("versions" in fed):
        check.fail("{file}: [opportunities] and [versions] go together.", "Add the other, or use [deals].")
    if "stages" not in fed:
        repair = 'Write stages = [ {{ stage = "NAME", kind = "open" }}, … ], in their order.'
        check.fail("{file} does not give the stages.", repair)
    _one_past(check, feeds)
    deals = [feed for feed in feeds if feed.table == "deals"]
    _closing(check, feeds, deals, stages)
    known: dict[str, str] = {}
    for said in (field for feed in deals for field in feed.fields.values()):
        if known.setdefault(said.name, said.known) != said.known:
            repair = "Write the same `known` in each [[deals]]."
            check.fail("{file}: two [[deals]] differ on when {key} is known.", repair, key=said.name)
    for feed in feeds:
        if feed.table == "changes" and feed.of != "deals" and feed.of not in {f.table for f in feeds}:
            repair = "Add [{of}] with the file that holds their present state."
            check.fail("{file}: [[changes]] of {of}, which nothing feeds.", repair, of=feed.of)
        _parents(check, feed, fed)


def _one_past(check: Any, feeds: list[Feed]) -> None:
    """Each row of a past of deals says all that held from then on: two told apart would blank each other's fields."""
    names = {"versions": "[versions]", "changes": "[[changes]] of deals", "events": "[events]"}
    told = [name for table, name in names.items() if any(f.table == table and f.of in ("", "deals") for f in feeds)]
    if len(told) > 1:
        what = "{file}: {one} and {other} both tell the past of deals, which is taken from one of them."
        repair = "Keep the one that tells more; a field that only the other knows can stand in [deals]."
        check.fail(what, repair, one=told[0], other=told[1])


def _closing(check: Any, feeds: list[Feed], deals: list[Feed], stages: tuple[StageRow, ...]) -> None:
    """A close has a date: that of a column, or of the history that tells it."""
    told = any(feed.table == "versions" or (feed.table == "changes" and feed.of == "deals") for feed in feeds)
    if not told and any(row.kind in CLOSED for row in stages) and any("closed_at" not in f.fields for f in deals):
        check.fail("{file}: [deals] lacks closed_at.", "Say which column tells when a deal was won or lost.")


def _parents(check: Any, feed: Feed, fed: set[str]) -> None:
    for (table, key), (parent, parent_key) in FOREIGN_KEYS.items():
        if table in parts(feed) and key in feed.fields and parent not in fed:
            repair = _FROM_VALUES_REPAIR if parent in FROM_VALUES else "Add [{parent}] with its file."
            told = {"where": feed.table, "key": key, "parent": parent, "parent_key": parent_key, "source": feed.file}
            column = ", ".join(feed.fields[key].column)
            what = "{file}: [{where}] {key} refers to {parent}, which nothing feeds."
            check.fail(what, repair, **told, column=column)
