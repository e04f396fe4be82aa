"""The command that serves the pages."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cadran.asked import BallotsOption, BookOption, opened_book
from cadran.tables.problems import Problem
from cadran.terminal import err, reader_words, warn

words = reader_words()


def _configured(context: typer.Context, path: Path | None) -> Path | None:
    """Have the settings of a file stand in for options that are not given."""
    from cadran.publish.settings import FILE, read_settings

    if path or FILE.exists():
        context.default_map = {**(context.default_map or {}), **read_settings(path or FILE)}
    return path


def _client_id(told: str | None) -> str:
    if not told:
        raise Problem("It is not said what the provider calls Cadran.", "Name it with --client-id.")
    return told


def serve(
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="CADRAN_CONFIG",
            is_eager=True,
            callback=_configured,
            help=words("Settings, under \\[serve], as these options call them. Default: ./cadran.toml if it is there."),
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            envvar="CADRAN_HOST",
            help=words("Where to listen; other than this machine's own, with sign-in and https alone."),
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="CADRAN_PORT", min=0, max=65535)] = 2718,
    book: BookOption = None,
    surveys_only: Annotated[
        bool, typer.Option("--surveys-only", help=words("Only the page on which the invited answer surveys."))
    ] = False,
    sign_in: Annotated[
        bool,
        typer.Option(
            "--sign-in",
            envvar="CADRAN_SIGN_IN",
            help=words("Readers sign in, and each sees what is theirs (`cadran user add`)."),
        ),
    ] = False,
    address: Annotated[
        str | None,
        typer.Option(
            envvar="CADRAN_ADDRESS", help=words("Over https, as readers write it: https://cadran.example.com.")
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(envvar="CADRAN_CERTIFICATE", help=words("The address's certificate, with what signed it (PEM).")),
    ] = None,
    key: Annotated[Path | None, typer.Option(envvar="CADRAN_KEY", help=words("The certificate's key (PEM)."))] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(envvar="CADRAN_PROXY", help=words("The proxy that ends https, by its address (repeat for more).")),
    ] = None,
    header: Annotated[
        str | None,
        typer.Option(
            envvar="CADRAN_HEADER",
            help=words("The header in which the proxy says whose account is signed in: X-Remote-User."),
        ),
    ] = None,
    known: Annotated[
        Path | None,
        typer.Option(
            envvar="CADRAN_KNOWN",
            help=words("A list of stolen passwords, sorted by SHA-1: none of them may be chosen."),
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            envvar="CADRAN_LOG",
            help=words("A file that gets a line of JSON for each request, without any person in it."),
        ),
    ] = None,
    metrics: Annotated[
        int | None,
        typer.Option(
            envvar="CADRAN_METRICS",
            min=0,
            max=65535,
            help=words("A port of this machine alone, where Prometheus asks for numbers."),
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            envvar="CADRAN_MEMORY",
            min=1,
            help=words(
                "MB that the process may hold; beyond, the pages unused for longest are closed. "
                "Default: three quarters of what there is."
            ),
        ),
    ] = None,
    ballots: BallotsOption = None,
    provider: Annotated[
        str | None,
        typer.Option(
            envvar="CADRAN_PROVIDER",
            help=words(
                "Readers sign in at this OpenID Connect provider, as it writes itself: https://login.example.com."
            ),
        ),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(envvar="CADRAN_CLIENT_ID", help=words("What the provider calls Cadran."))
    ] = None,
    client_secret: Annotated[
        Path | None,
        typer.Option(
            envvar="CADRAN_CLIENT_SECRET_FILE",
            help=words(
                "The file with the secret that the provider gave Cadran; or CADRAN_CLIENT_SECRET holds the secret."
            ),
        ),
    ] = None,
    provider_name: Annotated[
        str | None,
        typer.Option(envvar="CADRAN_PROVIDER_NAME", help=words("What readers call the provider. Default: its host.")),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CADRAN_SCOPE",
            help=words(
                "What else the provider is asked to tell, as `groups` (repeat for more). Default: email, profile."
            ),
        ),
    ] = None,
    groups_claim: Annotated[
        str, typer.Option(envvar="CADRAN_GROUPS_CLAIM", help=words("The claim that tells somebody's groups."))
    ] = "groups",
    name_claim: Annotated[
        str | None,
        typer.Option(
            envvar="CADRAN_NAME_CLAIM",
            help=words(
                "The claim that tells somebody's name here. Default: email if the provider verified it, else sub."
            ),
        ),
    ] = None,
    accounts: Annotated[
        bool,
        typer.Option(
            "--accounts",
            envvar="CADRAN_ACCOUNTS",
            help=words("Beside the provider, accounts of the book may sign in with their password."),
        ),
    ] = False,
    hours: Annotated[
        float,
        typer.Option(envvar="CADRAN_HOURS", min=0.25, max=12, help=words("How long a session lasts at most.")),
    ] = 12,
) -> None:
    """Serve the apps, read-only, to a browser; apart from them, the page on which the invited answer surveys."""
    from cadran.access.accounts import Accounts
    from cadran.access.groups import read_groups
    from cadran.access.guests import keep_sessions
    from cadran.access.scopes import Known
    from cadran.publish.entrance import Entrance
    from cadran.publish.joining import join, read_secret
    from cadran.publish.memory import MEGABYTE
    from cadran.publish.openid_terms import Client
    from cadran.publish.outside import Outside
    from cadran.publish.server import serve as serve_apps
    from cadran.publish.settings import FILE
    from cadran.publish.survey import respondents_of
    from cadran.publish.watch import log_to, tell_numbers

    words, seen = reader_words(), opened_book(book)

    def complain(problem: Problem) -> None:
        err.print(problem.told(words))

    def now() -> datetime:
        return datetime.now(UTC)

    entrance = outside = joined = None
    if provider and (header or not sign_in):
        raise Problem("It is not clear who signs readers in.", "Name --provider with --sign-in, and without --header.")
    if not provider and (client_id or client_secret or accounts):
        raise Problem("It is not said at which provider readers sign in.", "Name it with --provider.")
    if address or certificate or key or proxy or header:
        outside = Outside(address or "", certificate, key, tuple(proxy or ()), header)
        outside.check(now(), complain)
    if sign_in:
        held = Accounts(seen.version.parent, timedelta(hours=hours))
        if provider:
            client = Client(
                provider, _client_id(client_id), read_secret(client_secret), ("email", "profile", *(scope or ()))
            )
            file = config or FILE
            grants = read_groups(file, seen) if file.exists() else {}
            joined = join(client, provider_name, grants, groups_claim, name_claim, held, now, complain, address)
        elif not held.exist():
            raise Problem(
                "Nobody has an account on this book.", "Add one: `cadran user add NAME --role manager --region …`."
            )
        names = Known(seen)
        warn(problem.told(words) for each in held.all() for problem in names.said_gone(each.reader))
        keep_sessions(held, joined.guests.terms if joined else None, with_passwords=accounts or joined is None)
        entrance = Entrance(held, now, known, joined, with_passwords=accounts)
    with log_to(log) if log else nullcontext() as telling:
        serve_apps(
            seen.version.parent, host=host, port=port, apps=() if surveys_only else None, complain=complain,
            surveys=respondents_of(seen, now, complain, ballots), entrance=entrance, outside=outside, log=telling,
            numbers=tell_numbers(metrics) if metrics is not None else None, memory=memory and memory * MEGABYTE, clock=now,
        )  # fmt: skip
