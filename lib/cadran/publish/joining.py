"""Cadran as one provider knows it: what is said of it on the command line and in a file, put together and checked."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal

from cadran.access.accounts import Accounts
from cadran.access.groups import Grant
from cadran.publish.openid import OpenID
from cadran.publish.openid_terms import Client, Unreachable, check_issuer
from cadran.publish.provider import Provider, Telling
from cadran.tables.problems import Problem

#: Where the environment may hold the client's secret.
SECRET = "CADRAN_CLIENT_SECRET"


def read_secret(path: Path | None) -> str:
    """The client's secret: out of a file, or the environment, where nothing that Cadran starts finds it again. Never out of an
    option: every user of a machine sees those.

    Raises:
        Problem: If it is in neither, in both, or the file cannot be read.
    """
    held = os.environ.pop(SECRET, "").strip()
    if bool(held) == bool(path):
        raise Problem(
            "The client's secret has to stand in one place.",
            "Name the file that holds it with --client-secret, or set CADRAN_CLIENT_SECRET; not both.",
        )
    if path is None:
        return held
    try:
        # What is not read is not named: somebody may have taken the option for the secret itself.
        secret = path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise Problem(
            "What --client-secret names cannot be read: {reason}.",
            "Write the secret into a file of yours, and name the file.",
            reason=getattr(error, "strerror", None) or type(error).__name__,
        ) from None
    if len(secret.splitlines()) != 1:
        raise Problem(
            "The file that --client-secret names holds no secret.", "Write the secret into it, and nothing else."
        )
    return secret


def join(
    client: Client,
    name: str | None,
    grants: Mapping[str, Grant],
    groups: str,
    called: str | None,
    accounts: Accounts,
    clock: Callable[[], datetime],
    complain: Callable[[Problem], object],
    address: str | None,
) -> Provider:
    """Signing in at a provider, which has been asked what it is. If it does not answer, this is told, and it is asked again
    when somebody signs in: those who are signed in are not shut out by it.

    Args:
        client: What Cadran is there.
        name: What readers call the provider; null: the host of its address.
        grants: What its groups may see here.
        groups: The claim that tells somebody's groups.
        called: The claim that tells their name; null: as `Telling`.
        accounts: The book's.
        clock: Tells the time, with its zone.
        complain: Told of what whoever runs the site has to see to.
        address: How readers write the site; null: as each of them does.

    Raises:
        Problem: If the address is none, no group grants anything, or the provider lacks what is needed.
    """
    check_issuer(client.issuer)
    if not grants:
        raise Problem(
            "It is not said what the provider's groups may see here.",
            'Write it into cadran.toml: [groups."their name"], then role = "manager" and regions = ["Nord"], say.',
        )
    openid = OpenID(client, clock)
    try:
        with start_blocking_portal() as apart:
            apart.call(openid.check)
    except Unreachable as problem:
        complain(problem)
    telling = Telling(name or urlsplit(client.issuer).hostname or client.issuer, grants, groups, called)
    return Provider(openid, telling, accounts, terms_of(client, telling), clock, complain, address)


def terms_of(client: Client, telling: Telling) -> str:
    """What stands for a provider and what it means here: where that changes, nobody stays signed in by it."""
    told = [
        client.issuer, client.id, telling.groups, telling.called,
        sorted((name, each.role, sorted(each.regions), sorted(each.teams)) for name, each in telling.grants.items()),
    ]  # fmt: skip
    return sha256(json.dumps(told).encode()).hexdigest()
