"""What a provider has to be for Cadran to sign readers in at it, and what it says of itself.

Source:
    OpenID Connect Discovery 1.0, sections 3 and 4.3.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cadran.publish.guard import LOOPBACK
from cadran.tables.problems import Problem

#: How what a provider signs may be signed: with its own key, of which it shows a half that signs nothing.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
#: What else of its addresses we may ask for.
_OTHER = ("userinfo_endpoint", "end_session_endpoint")


class Unreachable(Problem):
    """The provider does not answer now, and may later."""


class Unbelieved(Problem):
    """An answer that is not believed."""


@dataclass(frozen=True)
class Client:
    """What Cadran is at a provider.

    Args:
        issuer: The provider, as it writes itself: "https://login.example.com/realms/x".
        id: Our name there.
        secret: What shows it that it is us.
        scopes: What it is asked to tell of people, beside who they are.
    """

    issuer: str
    id: str
    secret: str
    scopes: tuple[str, ...] = ("email", "profile")


def check_issuer(issuer: str) -> None:
    """Hold the address of a provider to what it needs.

    Raises:
        Problem: If it is none.
    """
    if not _is_safe(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise Problem(
            "{address} is no address of a provider over https.", "Write it as the provider does: https://login.example.com.",
            address=issuer,
        )  # fmt: skip


def check_metadata(told: dict[str, Any], issuer: str) -> None:
    """Hold what a provider tells of itself to what is needed of it.

    Raises:
        Problem: With the first thing that is missing or wrong.
    """
    if told.get("issuer") != issuer:
        raise Problem(
            "The provider {address} calls itself {value}.", "Write --provider as it does, to the last stroke.",
            address=issuer, value=told.get("issuer") or "–",
        )  # fmt: skip
    for key in (*_NEEDED, *(each for each in _OTHER if each in told)):
        if not isinstance(told.get(key), str) or not _is_safe(told[key]):
            raise Problem("The provider {address} tells no {key} over https.", "Have it looked at there.",
                          address=issuer, key=key)  # fmt: skip
    for key, ours in (
        ("response_types_supported", ("code",)),
        ("id_token_signing_alg_values_supported", ALGORITHMS),
        ("code_challenge_methods_supported", ("S256",)),
        ("token_endpoint_auth_methods_supported", ("client_secret_basic", "client_secret_post")),
    ):
        theirs = told.get(key)
        if theirs is not None and not (isinstance(theirs, list) and any(each in theirs for each in ours)):
            raise Problem(
                "The provider {address} does not do as Cadran needs it: {key} has none of {ours}.",
                "Have it allowed there.", address=issuer, key=key, ours=", ".join(ours),
            )  # fmt: skip


def _is_safe(address: str) -> bool:
    """Whether nobody reads what goes to an address: https, or this machine."""
    try:
        told = urlsplit(address)
        return bool(told.hostname) and (told.scheme == "https" or (told.scheme == "http" and told.hostname in LOOPBACK))
    except ValueError:
        return False


def secret_shown(told: dict[str, Any]) -> str:
    """How the provider wants to be shown our secret."""
    return (
        "client_secret_basic"
        if "client_secret_basic" in (told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"])
        else "client_secret_post"
    )
