"""What systemd is told of the server that it started: that readers may come, that it is alive, that it ends (sd_notify(3))."""

import os
import socket
import time


def tell_system(state: str) -> None:
    """Tell systemd how the process is, such as "READY=1"; nobody where something else started it.

    Raises:
        OSError: If it said where to be told, and cannot be.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # An address without a file begins with a zero byte, which the environment writes as "@".
    place = f"\0{address[1:]}" if address[0] == "@" else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.connect(place)
        told.sendall(state.encode())


class Alive:
    """Tells systemd that the process still answers, twice as often as it wants to know (`WatchdogSec=`)."""

    def __init__(self) -> None:
        self.seconds = int(os.environ.get("WATCHDOG_USEC", 0)) / 2_000_000
        self._told_at = 0.0

    def tell(self) -> None:
        """To be called often by what would stop if the server hung."""
        if self.seconds and time.monotonic() - self._told_at >= self.seconds:
            self._told_at = time.monotonic()
            tell_system("WATCHDOG=1")
