"""A site that other machines reach: over https alone, and to the signed-in alone."""

import http.client
import shutil
import socket
import ssl
from contextlib import closing
from datetime import UTC, datetime

import pytest
from certificate import certified
from served import now, serving

from cadran.access.accounts import Accounts
from cadran.book.reader import Reader
from cadran.publish.outside import Outside
from cadran.publish.server import serve
from cadran.tables.problems import Problem

NOW = datetime.now(UTC)
PASSWORD = "violet marble tractor seven"


@pytest.mark.parametrize(
    ("names", "host"),
    [(["a.example"], "a.example"), (["x.example", "*.a.example"], "b.a.example"), (["127.0.0.1"], "127.0.0.1")],
)
def test_a_certificate_of_the_address_that_holds_today_will_do(tmp_path, names, host):
    told = []
    Outside(f"https://{host}", *certified(tmp_path, *names)).check(NOW, told.append)

    assert told == []


@pytest.mark.parametrize("host", ["a.example.evil", "a.example", "c.b.a.example", "xa.example"])
def test_a_star_stands_for_one_part(tmp_path, host):
    with pytest.raises(Problem, match=rf"is of \*.a.example, not of {host}"):
        Outside(f"https://{host}", *certified(tmp_path, "*.a.example")).check(NOW, print)


@pytest.mark.parametrize(
    ("address", "made", "said"),
    [
        ("http://a.example", {}, "is no address of a site over https"),
        ("https://a.example/deep", {}, "is no address of a site over https"),
        ("a.example", {}, "is no address of a site over https"),
        ("https://a.example", {"since": -90, "days": 89}, "browsers refuse it today"),
        ("https://a.example", {"since": 1}, "browsers refuse it today"),
    ],
)
def test_what_browsers_would_refuse_is_told_at_the_start(tmp_path, address, made, said):
    with pytest.raises(Problem, match=said):
        Outside(address, *certified(tmp_path, "a.example", **made)).check(NOW, print)


def test_a_certificate_that_ends_soon_is_told(tmp_path):
    told = []
    Outside("https://a.example", *certified(tmp_path, "a.example", days=10)).check(NOW, told.append)

    assert "ends in 8 days" in str(told[0])


def test_who_ends_https_is_said_once_and_rightly(tmp_path):
    certificate, key = certified(tmp_path, "a.example")

    for wrong in (Outside("https://a.example"), Outside("https://a.example", certificate, key, ("10.0.0.1",))):
        with pytest.raises(Problem, match="It is not said who ends https"):
            wrong.check(NOW, print)
    with pytest.raises(Problem, match="nginx is no address of a proxy"):
        Outside("https://a.example", proxies=("nginx",)).check(NOW, print)
    Outside("https://a.example", proxies=("10.0.0.1", "10.1.0.0/16", "::1")).check(NOW, print)
    for bad in (tmp_path / "gone.pem", key):
        with pytest.raises(Problem, match="cannot be used"):
            Outside("https://a.example", bad, key).check(NOW, print)


def test_other_machines_are_not_let_in_without_sign_in_or_https(book):
    with pytest.raises(Problem, match="without sign-in"):
        serve(book, "0.0.0.0", outside=Outside("https://a.example", proxies=("10.0.0.1",)), clock=now)
    with pytest.raises(Problem, match="without https"):
        serve(book, "0.0.0.0", apps=(), clock=now)


@pytest.fixture(scope="module")
def folder(book, tmp_path_factory):
    """The tiny book, and somebody who may read it."""
    there = tmp_path_factory.mktemp("outside") / "book"
    shutil.copytree(book, there)
    Accounts(there).add(Reader("ana", "analyst"), PASSWORD, NOW)
    return there


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def asked(connection, method, path, body=None, **headers):
    with closing(connection):  # and opened again by the next
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer


FORM = "application/x-www-form-urlencoded"
SENT = "name=ana&password=violet+marble+tractor+seven"


def test_with_a_certificate_of_its_own(folder, tmp_path):
    certificate, key = certified(tmp_path, "localhost")
    port = free_port()
    address = f"https://localhost:{port}"
    how = (
        "--host",
        "0.0.0.0",
        "--port",
        str(port),
        "--sign-in",
        "--address",
        address,
        "--certificate",
        str(certificate),
    )
    with serving(folder, *how, "--key", str(key)) as there:
        assert there == address
        trusted = ssl.create_default_context(cafile=certificate)
        secure = http.client.HTTPSConnection("localhost", port, timeout=20, context=trusted)
        answer = asked(secure, "POST", "/sign-in", SENT, Origin=address, Content_Type=FORM)
        assert answer.status == 303
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-cadran=")
        assert "secure" in cookie.lower()
        assert "max-age" in answer.headers["strict-transport-security"]
        assert asked(secure, "GET", "/account", Cookie=cookie.partition(";")[0]).status == 200
        assert asked(secure, "GET", "/healthz", Host="evil.example").status == 421
        plain = http.client.HTTPConnection("localhost", port, timeout=20)
        with pytest.raises((http.client.HTTPException, OSError)):
            asked(plain, "GET", "/healthz")


@pytest.mark.parametrize(("proxy", "is_believed"), [("127.0.0.1", True), ("10.9.9.9", False)])
def test_behind_a_proxy_that_is_named_and_no_other(folder, proxy, is_believed):
    port = free_port()
    how = ("--host", "0.0.0.0", "--port", str(port), "--sign-in", "--address", "https://a.example", "--proxy", proxy)
    with serving(folder, *how):
        through = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        said = {"Host": "a.example", "X_Forwarded_Proto": "https", "X_Forwarded_For": "1.2.3.4"}
        answer = asked(through, "POST", "/sign-in", SENT, Origin="https://a.example", Content_Type=FORM, **said)
        assert answer.status == (303 if is_believed else 403)
        if is_believed:
            assert answer.headers["set-cookie"].startswith("__Host-cadran=")
        assert asked(through, "GET", "/healthz", Host="a.example").status == 403  # not over https


@pytest.mark.parametrize("header", ["Cookie", "Host", "X", "x y", ""])
def test_what_says_who_is_signed_in_is_a_header_of_a_proxy(header):
    with pytest.raises(Problem, match="cannot say who is signed in"):
        Outside("https://a.example", proxies=("10.0.0.1",), header=header).check(NOW, print)
    Outside("https://a.example", proxies=("10.0.0.1",), header="X-Remote-User").check(NOW, print)


@pytest.mark.parametrize(("proxy", "is_believed"), [("127.0.0.1", True), ("10.9.9.9", False)])
def test_who_is_signed_in_is_what_the_named_proxy_says(folder, proxy, is_believed):
    port = free_port()
    how = ("--host", "0.0.0.0", "--port", str(port), "--sign-in", "--address", "https://a.example", "--proxy", proxy)
    with serving(folder, *how, "--header", "X-Remote-User"):
        through = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        said = {"Host": "a.example", "X_Forwarded_Proto": "https"}
        known = asked(through, "GET", "/opportunities", X_Remote_User="ANA", **said)
        assert known.status == (200 if is_believed else 403)
        if is_believed:
            for nobody in ({}, {"X_Remote_User": "eve"}, {"X_Remote_User": ""}):
                assert asked(through, "GET", "/opportunities", **nobody, **said).status == 401
            with closing(through):
                through.putrequest("GET", "/opportunities", skip_host=True)
                for name, value in (
                    ("Host", "a.example"),
                    ("X-Forwarded-Proto", "https"),
                    *[("X-Remote-User", "ana")] * 2,
                ):
                    through.putheader(name, value)
                through.endheaders()
                assert through.getresponse().status == 401
            assert asked(through, "GET", "/sign-in", **said).status == 404


def test_accounts_need_no_other_machine(folder):
    with serving(folder, "--sign-in") as there:
        local = http.client.HTTPConnection(there.removeprefix("http://"), timeout=20)
        answer = asked(local, "GET", "/opportunities")
        assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=%2Fopportunities")
        assert asked(local, "GET", "/healthz").status == 200
