"""Somebody who visits a site: asks for pages, signs in, and hears what a live page tells."""

import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from websockets.sync.client import ClientConnection, connect


def ask(address: str, path: str, cookie: str = "", body: str | None = None) -> tuple[int, Mapping[str, str], str]:
    """Status, headers and text of an answer: to a form, where there is a body."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    told = {"Cookie": cookie} if cookie else {}
    if body is not None:
        told |= {"Origin": address, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("GET" if body is None else "POST", path, body, told)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def sign_in(address: str, name: str, password: str) -> str:
    """The cookie of somebody who signs in."""
    status, headers, text = ask(address, "/sign-in", body=urlencode({"name": name, "password": password}))
    assert status == 303, text
    return headers["set-cookie"].partition(";")[0]


def live(address: str, page: str, session: str, cookie: str = "", **view: str) -> ClientConnection:
    """A live page, set as its address says."""
    query = urlencode({"session_id": session, "lang": "en", **view})
    place = f"{address.replace('http', 'ws')}/live/{page}/ws?{query}"
    return connect(place, origin=address, additional_headers={"Cookie": cookie} if cookie else {}, max_size=None)


def heard(socket: ClientConnection) -> str:
    """All that a live page is told until its cells have run."""
    told: list[str] = []
    while not told or json.loads(told[-1])["op"] != "completed-run":
        told.append(str(socket.recv(120)))
    return "".join(told)
