"""What systemd hears from `cadran serve`: when readers may come, that it lives, that it ends."""

import socket
import urllib.request

import pytest
from served import serving

from cadran.publish.system import tell_system


@pytest.fixture
def ear(tmp_path, monkeypatch):
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield heard


def test_it_is_ready_once_it_answers_lives_and_ends(book, ear, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    with serving(book) as address:
        assert ear.recv(100) == b"READY=1"
        assert urllib.request.urlopen(f"{address}/readyz", timeout=20).status == 200
        assert [ear.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    ear.setblocking(False)
    heard = []
    while not heard or heard[-1] != b"STOPPING=1":
        heard.append(ear.recv(100))
    assert set(heard) <= {b"WATCHDOG=1", b"STOPPING=1"}


def test_nobody_asks_nobody_is_told(ear, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET")
    tell_system("READY=1")

    ear.setblocking(False)
    with pytest.raises(BlockingIOError):
        ear.recv(100)


def test_an_address_without_a_file(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("")  # the system chooses one, which begins with a zero byte
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + heard.getsockname()[1:].decode())
        tell_system("READY=1")
        assert heard.recv(100) == b"READY=1"
