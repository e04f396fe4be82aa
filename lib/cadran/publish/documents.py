"""Pages of documentation written from the code itself, so that they cannot drift from it.

`python -m cadran.publish.documents docs` writes them.
"""

import sys
from pathlib import Path

import dataframely as dy

from cadran.measures import MEASURES
from cadran.tables import FOREIGN_KEYS, STORED, TABLES


def tables_page() -> str:
    """Every table of a book: what a row is, its columns with type, unit and meaning, its rules."""
    parts = [
        "# Tables of a book\n\nWritten from `lib/cadran/tables` by `make docs`. "
        "A row that breaks a rule is set aside with the rule's sentence; the others go on. "
        "*Derived* columns are worked out at import.\n"
    ]
    for name, schema in STORED.items():
        parts.append(f"\n## {name}\n\n{_first_line(schema)} Key: {_code(schema.primary_key())}.\n")
        parts.append("\n| column | type | unit | may be unknown | meaning |\n|---|---|---|---|---|\n")
        parts += [_column(name, column) for column in schema.columns().values()]
        rules = [rule.replace("_", " ") for rule in _rules(schema)]
        refers = [
            f"`{column}` is a known `{target}` of {table}"
            for (child, column), (table, target) in FOREIGN_KEYS.items()
            if child == name
        ]
        if told := rules + refers:
            parts.append("\nRules: " + "; ".join(told) + ".\n")
    return "".join(parts)


def definitions_page() -> str:
    """Every measure: what it means, its unit, its source, what it returns and its rivals."""
    parts = [
        "# Definitions\n\nWritten from `lib/cadran/measures` by `make docs`. `cadran measure NAME` prints any of them; "
        "the definitions app shows today's value and the number each rival would give.\n"
    ]
    for name, each in MEASURES.items():
        parts.append(
            f"\n## {name}\n\n**{each.title}.** {each.definition}\n\nUnit: {each.unit}. Source: {each.source}.\n"
        )
        parts.append("\n| column | meaning |\n|---|---|\n")
        parts += [f"| `{c.name}` | {c.description or ''} |\n" for c in each.returns.columns().values()]
        if each.rivals:
            parts.append("\nRivals: " + " ".join(f"*{rival.name}*: {rival.says}" for rival in each.rivals) + "\n")
    return "".join(parts)


PAGES = {"tables.md": tables_page, "definitions.md": definitions_page}


def _first_line(schema: type[dy.Schema]) -> str:
    return (schema.__doc__ or "").strip().split("\n")[0]


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _column(table: str, column: dy.Column) -> str:
    unit = (column.metadata or {}).get("unit", "")
    derived = "*Derived.* " if table in TABLES and column.name not in TABLES[table].column_names() else ""
    kind = " · ".join(column.categories) if isinstance(column, dy.Enum) else type(column).__name__.lower()
    return (
        f"| `{column.name}` | {kind} | {unit} | {'yes' if column.nullable else ''} | {derived}{column.description} |\n"
    )


def _rules(schema: type[dy.Schema]) -> list[str]:
    """The names of a schema's own rules: those that look at several columns of a row."""
    return [name for name in schema._validation_rules(with_cast=False) if "|" not in name and name != "primary_key"]


def main() -> None:
    """Write every page into the folder named on the command line."""
    for name, page in PAGES.items():
        (Path(sys.argv[1]) / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
