"""The commands of accounts: who may sign in to the published pages, and what they see."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from cadran.access.scopes import ROLES
from cadran.asked import BookOption, FormatOption, opened_book
from cadran.terminal import Format, out, reader_words, show, warn
from cadran.text import LANGUAGES

words = reader_words()
user = typer.Typer(no_args_is_help=True)
Roles = StrEnum("Roles", list(ROLES))  # type: ignore[misc]
Languages = StrEnum("Languages", list(LANGUAGES))  # type: ignore[misc]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help=words("An e-mail address, or a name without spaces."))
]
AskOption = Annotated[
    bool, typer.Option("--ask", help=words("Ask for the password here, instead of making one up to be replaced."))
]
KnownOption = Annotated[
    Path | None,
    typer.Option(help=words("A list of stolen passwords, sorted by SHA-1, as breach lists are handed out.")),
]


@user.command(help=words("Add an account; its password is made up and told once, to be replaced at the first sign-in."))
def add(
    name: NameArgument,
    role: Annotated[Roles, typer.Option(help=words("What they may see of what their scope holds."))],
    region: Annotated[list[str] | None, typer.Option(help=words("A region they see (repeat for more)."))] = None,
    team: Annotated[list[str] | None, typer.Option(help=words("A team they see (repeat for more)."))] = None,
    rep: Annotated[
        list[str] | None,
        typer.Option(help=words("Of a seller: who they are, by identifier or name (repeat for one of several).")),
    ] = None,
    company: Annotated[bool, typer.Option("--company", help=words("They see the whole company."))] = False,
    language: Annotated[Languages, typer.Option(help=words("Theirs."))] = Languages.fr,  # type: ignore[attr-defined]
    ask: AskOption = False,
    known: KnownOption = None,
    book: BookOption = None,
) -> None:
    """Add an account; its password is made up and told once, to be replaced at the first sign-in."""
    from cadran.access.accounts import Accounts
    from cadran.access.scopes import reader_for

    opened = opened_book(book)
    reader = reader_for(opened, name, role.value, region or [], team or [], company, language.value, rep or [])
    password = _password(name, ask, known)
    Accounts(opened.version.parent).add(reader, password, datetime.now(UTC), is_temporary=not ask)
    _tell(name, password, ask)


@user.command("list", help=words("List the accounts, and what each may see."))
def list_all(book: BookOption = None, format: FormatOption = Format.table) -> None:  # noqa: A002
    """List the accounts, and what each may see."""
    from cadran.access.accounts import Accounts
    from cadran.access.scopes import Known

    opened = opened_book(book)
    known, accounts = Known(opened), Accounts(opened.version.parent).all()
    rows = [
        {"name": each.reader.id, "role": each.reader.role, "regions": sorted(each.reader.regions),
         "teams": sorted(each.reader.teams), "persons": sorted(each.reader.persons), "gone": known.gone(each.reader),
         "added": each.added_at.date(), "password_to_replace": each.is_temporary, "provider": each.issuer,
         "removed": each.is_blocked}
        for each in accounts
    ]  # fmt: skip
    names = pl.List(pl.String())
    types = pl.Schema(
        {"name": pl.String(), "role": pl.String(), "regions": names, "teams": names, "persons": names, "gone": names,
         "added": pl.Date(), "password_to_replace": pl.Boolean(), "provider": pl.String(), "removed": pl.Boolean()}
    )  # fmt: skip
    frame = pl.DataFrame(rows, types)
    warn(problem.told(reader_words()) for each in accounts for problem in known.said_gone(each.reader))
    if format is not Format.json:
        frame = frame.with_columns(pl.col("regions", "teams", "persons", "gone").list.join(", "))
    show(frame, format, reader_words())


@user.command(help=words("Make a new password, and end every session of the account."))
def reset(name: NameArgument, ask: AskOption = False, known: KnownOption = None, book: BookOption = None) -> None:
    """Make a new password, and end every session of the account."""
    from cadran.access.accounts import Accounts

    accounts = Accounts(opened_book(book).version.parent)
    password = _password(name, ask, known)
    accounts.set_password(name, password, is_temporary=not ask)
    _tell(name, password, ask)


@user.command(help=words("End an account, and every session of it."))
def remove(name: NameArgument, book: BookOption = None) -> None:
    """End an account, and every session of it."""
    from cadran.access.accounts import Accounts

    words = reader_words()
    is_guest = Accounts(opened_book(book).version.parent).remove(name)
    said = (
        words("{name} can no longer sign in; pages they have open close within a minute. `cadran user admit` lets them in "
              "again.", name=name)
        if is_guest
        else words("{name} can no longer sign in; pages they have open close within a minute.", name=name)
    )  # fmt: skip
    out.print(said, highlight=False)


@user.command(help=words("Let somebody whom `remove` kept out come back by their provider."))
def admit(name: NameArgument, book: BookOption = None) -> None:
    """Let somebody whom `remove` kept out come back by their provider."""
    from cadran.access.accounts import Accounts

    Accounts(opened_book(book).version.parent).admit(name)
    out.print(reader_words()("{name} may sign in again at their provider.", name=name), highlight=False)


def _password(name: str, ask: bool, known: Path | None) -> str:
    from cadran.access.passwords import check_password, new_password

    if not ask:
        return new_password()
    words = reader_words()
    password = typer.prompt(words("Password"), hide_input=True, confirmation_prompt=words("Once more"))
    check_password(password, [name], known)
    return str(password)


def _tell(name: str, password: str, ask: bool) -> None:
    words = reader_words()
    if ask:
        out.print(words("{name} may sign in.", name=name), highlight=False)
    else:
        out.print(words("{name} may sign in with this password, once: it stands nowhere else.", name=name),
                  highlight=False)  # fmt: skip
        typer.echo(password)
