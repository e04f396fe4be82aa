"""nginx and Caddy, run with the files that ship, before a real server: only ports, paths and the certificate are others."""

import http.client
import http.server
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from served import serving
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cadran.access.accounts import Accounts
from cadran.book.reader import Reader

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
NAME = "cadran.example.com"
PASSWORD = "violet marble tractor seven"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of the name in the files, and its key."""
    folder, key = tmp_path_factory.mktemp("certificate"), ec.generate_private_key(ec.SECP256R1())
    called, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(30))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    forms = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*forms))
    return folder / "cert.pem", folder / "key.pem"


def free_ports(n):
    found = [socket.socket() for _ in range(n)]
    for each in found:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in found]
    for each in found:
        each.close()
    return ports


def nginx(folder, certificate, plain, secure, upstream):
    """nginx.conf, as a file of sites, in a main file that keeps to a folder; the command."""
    site = (DEPLOY / "nginx.conf").read_text("utf-8")
    for found, put in (
        (r"(?m)^ *listen \[::\].*\n", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ", f"listen 127.0.0.1:{secure} "),
        (r"/etc/letsencrypt/\S+/fullchain.pem", str(certificate[0])),
        (r"/etc/letsencrypt/\S+/privkey.pem", str(certificate[1])),
        (r"127\.0\.0\.1:2718", f"127.0.0.1:{upstream}"),
    ):
        site, n = re.subn(found, put, site)
        assert n, found
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "main.conf").write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/errors;\n"
        f"events {{}}\nhttp {{\n{temporary}{site}\n}}\n"
    )
    return ["nginx", "-p", str(folder), "-e", f"{folder}/errors", "-c", str(folder / "main.conf")]


def caddy(folder, certificate, plain, secure, upstream):
    """Caddyfile, with settings that keep it to this machine and a folder; the command."""
    site = (DEPLOY / "Caddyfile").read_text("utf-8")
    site, n = re.subn(rf"(?m)^{NAME} {{$", f"{NAME} {{\n\ttls {certificate[0]} {certificate[1]}", site)
    site, m = re.subn(r"127\.0\.0\.1:2718", f"127.0.0.1:{upstream}", site)
    assert n == m == 1
    ours = f"{{\nadmin off\nhttp_port {plain}\nhttps_port {secure}\ndefault_bind 127.0.0.1\nstorage file_system {folder}\n}}\n"
    (folder / "Caddyfile").write_text(ours + site)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES = {"nginx": nginx, "caddy": caddy}


@contextmanager
def proxied(which, folder, certificate, upstream):
    """A proxy before what listens at a port: its ports of http and https."""
    if shutil.which(which) is None:
        pytest.skip(f"{which} is not on this machine: `apt-get install nginx-light caddy` runs this test too")
    plain, secure = free_ports(2)
    folder.mkdir()
    command = PROXIES[which](folder, certificate, plain, secure, upstream)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | {"HOME": str(folder)}
    ) as run:
        try:
            _wait(run, plain, secure)
            yield plain, secure
        finally:
            run.terminate()
            said = run.communicate(timeout=20)[1]
    assert run.returncode == 0, said


def _wait(run, *ports):
    for port in ports:
        while True:
            assert run.poll() is None, run.stderr.read()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)


class _Secure(http.client.HTTPSConnection):
    """To this machine, under the name in the files."""

    def connect(self):
        self.sock = self._context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), 20), server_hostname=NAME
        )


def trusted(certificate):
    return ssl.create_default_context(cafile=certificate[0])


def ask(certificate, port, method, path, body=None, **headers):
    with closing(_Secure(NAME, port, timeout=30, context=trusted(certificate))) as connection:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()


@pytest.fixture(scope="module")
def upstream(small_company, tmp_path_factory):
    """The port of `cadran serve` with the settings that ship, on a book that Ana may read."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(small_company, book := folder / "book")
    Accounts(book).add(Reader("ana", "manager", frozenset({"Nord"}), language="en"), PASSWORD, datetime.now(UTC))
    port, metrics = free_ports(2)
    said = (DEPLOY / "cadran.toml").read_text("utf-8")
    for found, put in (("/var/lib/cadran/book", str(book)), ("2718", str(port)), ("9100", str(metrics)),
                       ("/var/log/cadran", str(folder))):  # fmt: skip
        assert found in said
        said = said.replace(found, put)
    (folder / "cadran.toml").write_text(said)
    # What stands in the command stands above the file.
    with serving(book, "--config", str(folder / "cadran.toml"), "--port", str(port)) as address:
        assert address == f"https://{NAME}"
        yield port


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request, upstream, certificate, tmp_path_factory):
    """The ports of http and https of a proxy before it."""
    with proxied(request.param, tmp_path_factory.mktemp("proxy") / "run", certificate, upstream) as ports:
        yield ports


@pytest.fixture(scope="module")
def signed_in(proxy, certificate):
    """The cookie of Ana, who signed in through the proxy."""
    origin = f"https://{NAME}:{proxy[1]}"
    sent = f"name=ana&password={PASSWORD.replace(' ', '+')}"
    answer, _ = ask(certificate, proxy[1], "POST", "/sign-in", sent, Origin=origin, **FORM)
    assert answer.status == 303
    return answer.headers["set-cookie"].partition(";")[0]


def test_plain_http_leads_to_https(proxy):
    with closing(http.client.HTTPConnection("127.0.0.1", proxy[0], timeout=20)) as plain:
        plain.request("GET", "/opportunities", headers={"Host": NAME})
        answer = plain.getresponse()

    assert answer.status in (301, 308)
    assert answer.headers["location"].startswith(f"https://{NAME}")


def test_a_page_passes_as_it_is_and_is_kept_nowhere(proxy, certificate, signed_in):
    answer, page = ask(certificate, proxy[1], "GET", "/opportunities", Cookie=signed_in, Accept_Encoding="gzip")

    assert (answer.status, answer.headers["content-encoding"]) == (200, "gzip")
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers.get_all("strict-transport-security") == ["max-age=31536000"]
    assert page
    assert signed_in.startswith("__Host-cadran=")
    assert ask(certificate, proxy[1], "GET", "/opportunities")[0].status == 303


def live(certificate, port, cookie, origin):
    address = f"wss://{NAME}:{port}/live/opportunities/ws?session_id={secrets.token_hex(16)}&lang=en"
    sock = socket.create_connection(("127.0.0.1", port), 20)
    return connect(address, sock=sock, ssl=trusted(certificate), server_hostname=NAME, origin=origin, max_size=None,
                   additional_headers={"Cookie": cookie})  # fmt: skip


def test_a_live_page_is_computed_for_who_is_signed_in(proxy, certificate, signed_in):
    with live(certificate, proxy[1], signed_in, f"https://{NAME}:{proxy[1]}") as page:
        while (told := json.loads(page.recv(60)))["op"] != "completed-run":
            if told["op"] == "cell-op" and (told["data"].get("output") or {}).get("mimetype", "").endswith("error"):
                raise AssertionError(told)


@pytest.mark.parametrize("wrong", ["origin", "cookie"])
def test_no_other_site_and_no_stranger_opens_one(proxy, certificate, signed_in, wrong):
    origin = "https://evil.example" if wrong == "origin" else f"https://{NAME}:{proxy[1]}"
    with pytest.raises(InvalidStatus, match="403"):
        live(certificate, proxy[1], "" if wrong == "cookie" else signed_in, origin)


def test_what_is_too_long_goes_no_further(proxy, certificate, signed_in):
    long = "x" * 1_100_000
    try:
        answer, _ = ask(
            certificate, proxy[1], "POST", "/account", long, Cookie=signed_in, Origin=f"https://{NAME}:{proxy[1]}"
        )
    except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
        return  # told while it was still being sent
    assert answer.status in (413, 502)  # Caddy before 2.7 has no word of its own for it


def test_only_a_machine_itself_asks_without_https_and_only_how_its_server_is(upstream):
    def status(path, host):
        with closing(http.client.HTTPConnection("127.0.0.1", upstream, timeout=20)) as plain:
            plain.request("GET", path, headers={"Host": host})
            return plain.getresponse().status

    assert status("/readyz", "127.0.0.1") == status("/healthz", f"localhost:{upstream}") == 200
    assert status("/readyz", NAME) == status("/sign-in", "127.0.0.1") == 403


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("which", PROXIES)
def test_what_a_browser_says_of_itself_in_the_proxys_name_is_not_passed_on(which, certificate, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as echo:
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        lies = {
            "X-Forwarded-For": "6.6.6.6",
            "X-Forwarded-Proto": "http",
            "Forwarded": "for=6.6.6.6",
            "X-Remote-User": "ana",
        }
        try:
            with proxied(which, tmp_path / "run", certificate, echo.server_port) as (_, secure):
                _, told = ask(certificate, secure, "GET", "/", **lies)
        finally:
            echo.shutdown()

    said = [(name.lower(), value) for name, value in json.loads(told) if value]
    assert [value for name, value in said if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in said if name == "x-forwarded-proto"] == ["https"]
    assert [value for name, value in said if name == "host"] == [f"{NAME}:{secure}"]
    assert not {"forwarded", "x-remote-user"} & dict(said).keys()
