"""What the groups of a provider may see here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cadran.access.guests import NotLetIn
from cadran.access.scopes import ROLES, SCOPED, Known
from cadran.book import Book
from cadran.book.reader import SELLER
from cadran.tables.toml_file import Section, read_toml

#: Roles that a group may have: who is a seller is said of a person, never of a group.
_ROLES = tuple(role for role in ROLES if role != SELLER)
#: The table of a file in which they stand.
TABLE = "groups"


@dataclass(frozen=True)
class Grant:
    """A role, and the scope it holds for: no regions and no teams is the whole company."""

    role: str
    regions: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()


def read_groups(path: Path, book: Book) -> dict[str, Grant]:
    """What `[groups."name"]` of a file grants, by the provider's names of groups.

    Args:
        path: The file.
        book: Whose regions and teams are meant: those it has had at any time.

    Raises:
        Faults: With everything that is wrong in these tables, each with its key.
        Problem: If there is no such file, or it is no TOML.
    """
    file = read_toml(path)
    groups = file.section(TABLE)
    known = Known(book)
    names = {column: known.names(column) for column in ("region", "team")}
    read = {name: _grant(groups.section(name), names) for name in groups.values}
    file.check()
    return read


def granted(groups: Iterable[str], grants: Mapping[str, Grant]) -> Grant | None:
    """What somebody in several groups may see: what each of them grants, together; None if none grants anything.

    Roles are not stronger or weaker than each other, and each is granted for its own scope: of two together somebody would
    see what no group grants. So groups of two roles are refused.

    Raises:
        NotLetIn: If they grant several roles.
    """
    found = [grants[each] for each in dict.fromkeys(groups) if each in grants]
    roles = sorted({each.role for each in found})
    if len(roles) > 1:
        raise NotLetIn(
            "Your groups give you several roles here: {roles}.",
            "Ask whoever runs Cadran here to have you in groups of one role alone.", roles=", ".join(roles),
        )  # fmt: skip
    if not found:
        return None
    if any(not (each.regions or each.teams) for each in found):
        return Grant(roles[0])
    return Grant(
        roles[0],
        frozenset().union(*(each.regions for each in found)),
        frozenset().union(*(each.teams for each in found)),
    )


def _grant(section: Section, names: Mapping[str, list[str]]) -> Grant:
    role = section.text("role", among=_ROLES)
    scopes = {}
    for key, column in (("regions", "region"), ("teams", "team")):
        if section.has(key) and not names[column]:
            section.fault("The book knows none.", "Leave it out.", key)
        scopes[key] = frozenset(section.texts(key, among=names[column]) if names[column] else ())
    is_whole, is_said = section.flag("company", False), any(section.values.get(key) for key in scopes)
    if is_whole and is_said:
        section.fault("The scope is said twice.", "Name regions and teams, or say company = true.", "company")
    elif role in SCOPED and not (is_whole or is_said):
        section.fault(
            "The role {role} needs a scope.",
            "Name regions or teams, or say company = true: the whole.",
            "role",
            role=role,
        )
    section.close()
    return Grant(role, **scopes)
