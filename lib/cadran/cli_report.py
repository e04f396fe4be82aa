"""The commands of what is sent to people: reports of pages, and the digest of a week."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from cadran.asked import DAY, AsOfOption, BookOption, check_begun, folder_of, note_of, opened_book
from cadran.terminal import err, progress, reader_words
from cadran.text import LANGUAGES, words_for

words = reader_words()
Languages = StrEnum("Languages", list(LANGUAGES))  # type: ignore[misc]
LanguageOption = Annotated[
    Languages | None,  # type: ignore[valid-type]
    typer.Option("--lang", help=words("Its language: fr or en. Default: that of the environment.")),
]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        help=words(
            "Whose numbers: region:NAME, team:NAME (repeat for more), or user:NAME, an account. Default: the whole company."
        ),
    ),
]


def report(
    axes: Annotated[
        list[str], typer.Argument(metavar="AXIS…", help=words("opportunities, process, resources, pulse, or all."))
    ],
    out: Annotated[
        list[Path],
        typer.Option("--out", help=words("A file to write: .html, .pdf, .pptx or .xlsx (repeat for more).")),
    ],
    as_of: AsOfOption = None,
    lang: LanguageOption = None,
    scope: ScopeOption = None,
    book: BookOption = None,
) -> None:
    """Write what the pages show to files that open without a network, to be sent or printed."""
    from cadran.reports.gathered import axes_of, gather
    from cadran.reports.html import html
    from cadran.reports.pdf import pdf
    from cadran.reports.pictures import Pictures
    from cadran.reports.scope import reader_of
    from cadran.reports.slides import slides
    from cadran.reports.workbook import workbook
    from cadran.reports.written import check_places, write

    makers = {".html": html, ".pdf": pdf, ".pptx": slides, ".xlsx": workbook}
    check_places(out, makers)
    seen, day, told = _asked(book, as_of, lang)
    reader = reader_of(seen, scope or [], told.language)
    wanted = axes_of(reader) if axes == ["all"] else axes
    is_drawn = any(path.suffix.lower() != ".xlsx" for path in out)
    with progress() as step, Pictures() as pictures:
        made = gather(
            seen, wanted, told, reader, day, datetime.now(UTC), pictures, is_drawn, tell=_share(step, 0, 0.8),
            shown=note_of(folder_of(book), reader),
        )  # fmt: skip
        write(out, makers, made, _share(step, 0.8, 1))
    for path in out:
        err.print(str(path), markup=False, highlight=False, soft_wrap=True)


def digest(
    out: Annotated[
        list[Path],
        typer.Option("--out", help=words("A file to write: .html, .txt, or .eml, a whole mail (repeat for more).")),
    ],
    since: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help=words("What changed after this day. Default: a week before.")),
    ] = None,
    as_of: AsOfOption = None,
    lang: LanguageOption = None,
    scope: ScopeOption = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", help=words("To whom the mail goes (repeat for more)."))
    ] = None,
    sender: Annotated[str | None, typer.Option(help=words("From whom the mail comes."))] = None,
    book: BookOption = None,
) -> None:
    """Write what changed in a week and what to do, as the body of a mail."""
    from cadran.reports.digest import digest as digest_of
    from cadran.reports.mail import as_html, as_message, as_text, check_addresses
    from cadran.reports.scope import reader_of
    from cadran.reports.written import Make, check_places, write

    makers: dict[str, Make] = {
        ".html": as_html,
        ".txt": as_text,
        ".eml": partial(as_message, to=to or (), sender=sender),
    }
    check_places(out, makers)
    check_addresses([*(to or []), *([sender] if sender else [])])
    seen, day, told = _asked(book, as_of, lang)
    if since:
        check_begun(seen, since.date())
    reader = reader_of(seen, scope or [], told.language)
    with progress() as step:
        made = digest_of(
            seen, told, reader, day, since.date() if since else None, datetime.now(UTC), tell=_share(step, 0, 0.9),
            shown=note_of(folder_of(book), reader),
        )  # fmt: skip
        write(out, makers, made, _share(step, 0.9, 1))
    for path in out:
        err.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _asked(book: Path | None, as_of: datetime | None, lang: Any) -> tuple[Any, date | None, Any]:
    """The book that the notebooks of this process read, the day, and the language."""
    seen = opened_book(book)
    os.environ["CADRAN_BOOK"] = str(folder_of(book).resolve())
    if as_of is not None:
        seen.as_of(as_of.date())
        check_begun(seen, as_of.date())
    return seen, as_of.date() if as_of else None, words_for(lang.value) if lang else reader_words()


def _share(step: Callable[[str, float], None], begins: float, ends: float) -> Callable[[str, float], None]:
    return lambda what, share: step(what, begins + (ends - begins) * share)
