"""The commands of a pulse survey while it runs: opening a wave, reminding, closing it, how the waves are."""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import polars as pl
import typer

from cadran.asked import DAY, BallotsOption, BookOption, FormatOption, opened_book
from cadran.cli_survey import FileArgument, declared, survey
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, show, warn
from cadran.text import Words

words = reader_words()
NameArgument = Annotated[str, typer.Argument(metavar="SURVEY", help=words("The survey's name, as its file has it."))]
WaveArgument = Annotated[str, typer.Argument(help=words("The wave's name: 2026-05."))]
PeopleOption = Annotated[
    Path,
    typer.Option(help=words("Who is invited: a CSV with person (e-mail or identifier) and what the survey cuts by.")),
]
UrlOption = Annotated[
    str, typer.Option(help=words("The address respondents reach this machine at: https://pulse.example.com."))
]
LinksOption = Annotated[
    Path, typer.Option("--out", help=words("Where to write the links, for the mailer: a CSV that you alone can read."))
]


@survey.command("open", help=words("Open a wave: a link for each person invited, and what they are told."))
def open_(
    file: FileArgument,
    people: PeopleOption,
    wave: Annotated[str, typer.Option(help=words("The wave's name, which sorts by time: 2026-05."))],
    closes: Annotated[datetime, typer.Option(formats=DAY, help=words("Last day on which answers are taken."))],
    base_url: UrlOption,
    links: LinksOption = Path("links.csv"),
    book: BookOption = None,
    ballots: BallotsOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Open a wave: a link for each person invited, and what they are told."""
    from cadran.book.ballots_open import check_unopened
    from cadran.book.ballots_status import with_kept
    from cadran.sources.invited import read_invited
    from cadran.sources.questionnaire import load_questionnaire

    words, now = reader_words(), datetime.now(UTC)
    read = load_questionnaire(file)
    cuts = dict.fromkeys((*read.terms.cuts, *(cut for pair in read.terms.crossed for cut in pair)))
    invited = read_invited(people, tuple(cuts))
    warn(each.told(words) for each in invited.problems)
    warn(_told_of_address(base_url, words))
    pulse, zone = _pulse(book, is_written=True)
    with _ballots(pulse, ballots) as store, _secret(links) as write:
        before = store.status(now).filter(survey=read.terms.survey)
        held = with_kept(before, pulse).filter(survey=read.terms.survey).select("wave", "mode")
        check_unopened(read.terms, wave, read.digest, [(*each, read.digest, "") for each in held.iter_rows()])
        questions = read.questions_of(before.height)
        made = store.open_wave(read.terms, wave, questions, invited.rows, now, _end_of(closes, zone), read.digest)
        write(_linked(made, invited.rows, base_url))
    if format is not Format.table:
        row = {"survey": read.terms.survey, "wave": wave, "n_invited": made.height, "questions": questions["question_id"],
               "closes": closes.date(), "links": str(links), "set_aside": len(invited.problems)}  # fmt: skip
        _show_row(row, format, words)
        return
    for sentence in declared(read.terms, words):
        out.print(sentence, highlight=False, markup=False, soft_wrap=True)
    out.print(
        words.n("{n} link in {file}, good until {day} included. Send it, then delete the file: the links stand nowhere else.",
                "{n} links in {file}, good until {day} included. Send them, then delete the file: they stand nowhere else.",
                made.height, file=links, day=words.date(closes.date())),
        highlight=False, soft_wrap=True,
    )  # fmt: skip


@survey.command(help=words("Make links for who has not answered, for a reminder; the links sent before stay good."))
def remind(
    name: NameArgument,
    wave: WaveArgument,
    people: PeopleOption,
    base_url: UrlOption,
    links: LinksOption = Path("reminders.csv"),
    book: BookOption = None,
    ballots: BallotsOption = None,
) -> None:
    """Make links for who has not answered, for a reminder; the links sent before stay good."""
    from cadran.sources.invited import read_invited

    words = reader_words()
    invited = read_invited(people, ())
    warn(each.told(words) for each in invited.problems)
    warn(_told_of_address(base_url, words))
    pulse, _ = _pulse(book, is_written=True)
    with _ballots(pulse, ballots) as store, _secret(links) as write:
        n_unused = store.unused(name, wave)
        made = store.renew(name, wave, invited.rows["person"].to_list())
        write(_linked(made, invited.rows, base_url))
    out.print(words.n("{n} link in {file}: who it is for has not answered yet. The one sent before stays good too.",
                      "{n} links in {file}: who they are for has not answered yet. Those sent before stay good too.",
                      made.height, file=links), highlight=False, soft_wrap=True)  # fmt: skip
    if missing := n_unused - made.height:
        warn([words.n("{n} more has not answered, but is not in {people}: invite with the file the wave was opened with.",
                      "{n} more have not answered, but are not in {people}: invite with the file the wave was opened with.",
                      missing, people=people)])  # fmt: skip


@survey.command(help=words("Close a wave: no answer is taken any more, and what was answered goes into the book."))
def close(
    name: NameArgument,
    wave: WaveArgument,
    book: BookOption = None,
    ballots: BallotsOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Close a wave: no answer is taken any more, and what was answered goes into the book."""
    words = reader_words()
    pulse, _ = _pulse(book, is_written=True)
    with _ballots(pulse, ballots) as store:
        closed = store.close(name, wave, datetime.now(UTC), pulse.keep_wave)
    n_invited, n_answered = closed.invited.height, int(closed.invited["answered"].sum())
    if format is not Format.table:
        row = {"survey": name, "wave": wave, "n_invited": n_invited, "n_answered": n_answered,
               "n_comments": closed.comments.height, "closed_at": closed.closed_at}  # fmt: skip
        _show_row(row, format, words)
        return
    out.print(words.n("{n} of {invited} answered ({share}). The wave {wave} of {survey} is closed, and in the book.",
                      "{n} of {invited} answered ({share}). The wave {wave} of {survey} is closed, and in the book.",
                      n_answered, invited=words.number(n_invited), wave=wave, survey=name,
                      share=words.percent(n_answered / n_invited)), highlight=False, soft_wrap=True)  # fmt: skip
    out.print(words("What can be shown of it without exposing anybody is worked out once, when it is first asked for."),
              highlight=False, soft_wrap=True)  # fmt: skip


@survey.command(
    help=words("Say how the waves are: open, closed, imported or purged, how many answered, and until when.")
)
def status(book: BookOption = None, ballots: BallotsOption = None, format: FormatOption = Format.table) -> None:  # noqa: A002
    """Say how the waves are: open, closed, imported or purged, how many answered, and until when."""
    from cadran.book.ballots import FILE
    from cadran.book.ballots_status import STATUS, with_kept

    words = reader_words()
    pulse, zone = _pulse(book)
    if ballots is None and not (pulse.folder / FILE).exists():
        rows = pl.DataFrame(schema=STATUS)  # no survey was opened yet: a look makes no store
    else:
        with _ballots(pulse, ballots) as store:
            rows = store.status(datetime.now(UTC))
    show(with_kept(rows, pulse).with_columns(pl.col(pl.Datetime).dt.convert_time_zone(str(zone))), format, words)


@survey.command(
    help=words("Remove the answers of waves that were kept as long as was declared; what was released stays.")
)
def purge(book: BookOption = None) -> None:
    """Remove the answers of waves that were kept as long as was declared; what was released stays."""
    from cadran.book.pulse_purge import purge as purge_waves

    words = reader_words()
    pulse, zone = _pulse(book, is_written=True)
    gone = purge_waves(pulse, datetime.now(zone))
    for name in gone:
        out.print(words("The answers of {wave} are gone.", wave=name), highlight=False)
    if not gone:
        out.print(words("No wave was kept longer than was declared."))


def _pulse(book: Path | None, is_written: bool = False) -> tuple[Any, ZoneInfo]:
    """The surveys of a book, and its time zone."""
    from cadran.book import SAMPLE
    from cadran.book.pulse import pulse_of

    opened = opened_book(book)
    folder = opened.version.parent
    if is_written and book is None and folder.resolve() == SAMPLE.resolve():
        raise Problem(
            "There is no book here, and the sample's team is invented: nobody can be asked.",
            "Name your book with --book, or make one with `cadran import`.",
        )
    return pulse_of(opened), ZoneInfo(opened.settings.time_zone)


def _ballots(pulse: Any, address: str | None) -> Any:
    from cadran.book.ballots import ballots_of

    return ballots_of(pulse.folder.parent, address)


def _end_of(day: datetime, zone: ZoneInfo) -> datetime:
    """The last moment of a day."""
    return (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)).astimezone(UTC) - timedelta(
        seconds=1
    )


@contextmanager
def _secret(path: Path) -> Iterator[Any]:
    """A CSV that its owner alone can read, made before anything else is done; gone again if that fails."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem("{file} is there already.", "Choose another name, or move it away.", file=path) from None
    except OSError as error:
        raise Problem("{file} cannot be written: {reason}", "Choose a folder you may write in.", file=path,
                      reason=error.strerror or error) from error  # fmt: skip
    with open(handle, "w", encoding="utf-8", newline="") as file:

        def write(rows: pl.DataFrame) -> None:
            writer = csv.writer(file)
            writer.writerows([rows.columns, *rows.rows()])
            file.flush()
            os.fsync(file.fileno())

        try:
            yield write
        except BaseException:
            path.unlink()
            raise


def _linked(links: pl.DataFrame, invited: pl.DataFrame, base_url: str) -> pl.DataFrame:
    """Person, language where it is known, and link."""
    link = pl.format("{}/s/{}", pl.lit(base_url.rstrip("/")), "token")
    told = [pl.col("language")] if "language" in invited.columns else []
    return links.join(invited, on="person", how="left", maintain_order="left").select("person", *told, link=link)


def _told_of_address(url: str, words: Words) -> list[str]:
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise Problem("{url} is no address of a page.", "Write it whole: https://pulse.example.com.", url=url)
    if address.scheme == "https" or address.hostname in ("localhost", "127.0.0.1"):
        return []
    return [words("Over http, who listens on the network can read answers and links: use https.")]


def _show_row(row: dict[str, Any], form: Format, words: Words) -> None:
    if form is Format.json:
        typer.echo(json.dumps(row, ensure_ascii=False, indent=1, default=_plain))
    else:
        show(pl.DataFrame([{k: v for k, v in row.items() if not isinstance(v, pl.Series)}]), form, words)


def _plain(value: Any) -> Any:
    return value.to_list() if isinstance(value, pl.Series) else str(value)
