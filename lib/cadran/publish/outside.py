"""How a site is reached from other machines: over https alone, ended here or by a proxy that is named."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from cadran.tables.problems import Problem

#: A name of a header that no browser sets for other ends.
_HEADER = re.compile(r"x-[a-z0-9-]{1,60}|remote-user", re.IGNORECASE)


@dataclass(frozen=True)
class Outside:
    """Under which address readers on other machines reach the site, and who keeps what passes from being read.

    Args:
        address: "https://cadran.example.com", as readers write it.
        certificate: The site's own, with what signed it, as PEM; null behind a proxy.
        key: Its key, as PEM, without a password.
        proxies: Addresses, or networks, of the proxies that end https and say for whom they ask: nobody else is believed.
        header: The header in which these say who is signed in; null: readers sign in here.
    """

    address: str
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    header: str | None = None

    @property
    def host(self) -> str:
        """The name in the address."""
        return urlsplit(self.address).hostname or ""

    def check(self, now: datetime, warn: Callable[[Problem], object]) -> None:
        """Hold it to what it needs.

        Args:
            now: When, with its zone.
            warn: Told of what works today and soon will not.

        Raises:
            Problem: With the first thing that is missing or wrong.
        """
        told = urlsplit(self.address)
        if told.scheme != "https" or not told.hostname or told.path not in ("", "/") or told.query:
            raise Problem("{address} is no address of a site over https.", "Write it whole: https://cadran.example.com.",
                          address=self.address)  # fmt: skip
        if bool(self.proxies) == bool(self.certificate):
            raise Problem(
                "It is not said who ends https: a certificate of this site, or a proxy before it.",
                "Name --certificate and --key, or each --proxy by its address; not both.",
            )
        if self.header is not None and not (self.proxies and _HEADER.fullmatch(self.header)):
            raise Problem(
                "{value} cannot say who is signed in.", "Name a header that each --proxy sets itself, as X-Remote-User.",
                value=self.header,
            )  # fmt: skip
        for each in self.proxies:
            try:
                ip_network(each)
            except ValueError:
                raise Problem("{value} is no address of a proxy.", "Write it as 10.0.0.7, or its network as 10.0.0.0/24.",
                              value=each) from None  # fmt: skip
        if self.certificate:
            self._check_certificate(self.certificate, now, warn)

    def _check_certificate(self, path: Path, now: datetime, warn: Callable[[Problem], object]) -> None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, self.key, password=lambda: b"")
            found = x509.load_pem_x509_certificates(path.read_bytes())[0]
        except (OSError, ValueError) as error:
            raise Problem(
                "The certificate {file} with its key cannot be used: {reason}.",
                "Name the certificate with what signed it, and its key without a password, both as PEM.", file=path,
                reason=error,
            ) from error  # fmt: skip
        if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
            raise Problem(
                "The certificate {file} holds from {since} to {until}: browsers refuse it today.",
                "Have it renewed; if these days are right, look at this machine's clock.", file=path,
                since=found.not_valid_before_utc, until=found.not_valid_after_utc,
            ) from None  # fmt: skip
        names = _names(found)
        if not any(_covers(name, self.host) for name in names):
            raise Problem(
                "The certificate {file} is of {names}, not of {host}.", "Have one made for the address readers write.",
                file=path, names=", ".join(names) or "–", host=self.host,
            )  # fmt: skip
        if (left := (found.not_valid_after_utc - now).days) < 14:
            warn(Problem("The certificate {file} ends in {n} days.", "Have it renewed, then start Cadran anew.", file=path,
                         n=left))  # fmt: skip


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(each.value) for each in told if isinstance(each, x509.DNSName | x509.IPAddress)]


def _covers(name: str, host: str) -> bool:
    """Whether a certificate's name is a host's: a star stands for one part."""
    first, dot, rest = host.partition(".")
    return name.lower() == host or bool(dot and name.lower() == f"*.{rest}" and first)
