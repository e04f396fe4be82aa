"""A presenter and phones without browsers: what `reader.js`, `room.js` and `follow.js` ask for."""

import base64
import gzip
import http.client
import json
import time
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

from websockets.sync.client import connect

JSON = {"Content-Type": "application/json"}


def ask(address, path, method="GET", body=None, **headers):
    """An answer, and its text."""
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read().decode()


class Presenter:
    """A live page of an app, and the room that it opens."""

    def __init__(self, address, app, session, cookie=None, query="lang=en"):
        self.address, self.app, self.session, self.seq = address, app, session, 0
        self.headers = {"Cookie": cookie} if cookie else {}
        place = f"ws://{urlsplit(address).netloc}/live/{app}/ws?session_id={session}&{query}"
        self.stack = ExitStack()
        self.socket = self.stack.enter_context(
            connect(place, origin=address, additional_headers=self.headers, max_size=None)
        )
        self.content, self.model, self.controls = {}, None, {}
        self.hear(lambda: self.is_run)

    is_run = False

    def hear(self, until, seconds=60):
        """Take what the page is told until something holds: all of it, as text."""
        heard = []
        while not until():
            heard.append(self.socket.recv(seconds))
            told = json.loads(heard[-1])
            self.is_run = told["op"] == "completed-run"
            state = told["data"].get("message", {}).get("state", {}) if told["op"] == "model-lifecycle" else {}
            if "content" in state:
                self.model, self.content = told["data"]["model_id"], state["content"]
        return "".join(heard)

    def set(self, **controls):
        """Set controls of the page; all that it is told until they are answered."""
        self.seq += 1
        self.controls = self.content["view"]["controls"] | self.controls | controls
        view = {"controls": self.controls, "seq": self.seq}
        body = {
            "modelId": self.model,
            "message": {"method": "update", "state": {"view": view}, "bufferPaths": []},
            "buffers": [],
        }
        assert self.post(f"/live/{self.app}/api/kernel/set_model_value", body)[0] == 200
        self.is_run = False
        return self.hear(lambda: self.is_run and self.content.get("seq") == self.seq)

    def post(self, path, body):
        """What comes of a request of this page."""
        headers = {"Origin": self.address, "Marimo-Session-Id": self.session, **JSON, **self.headers}
        answer, text = ask(self.address, path, "POST", json.dumps(body), **headers)
        return answer.status, json.loads(text) if text.startswith("{") else text

    def open(self):
        """Open a room: its code and key."""
        status, told = self.post("/room", {})
        assert status == 201, told
        return told

    def close(self):
        self.stack.close()


class Phone:
    """Somebody who follows a room; `text` is all that ever came, unpacked."""

    def __init__(self, address, code, **headers):
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        self.connection.request("GET", f"/r/{code}/stream?lang=en", headers=headers)
        self.answer = self.connection.getresponse()
        self.status, self.parts, self.is_away, self.text = self.answer.status, {}, None, ""

    def hear(self, until, seconds=60):
        """Take news until something holds; False if the room is over, or the line is, before."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, list(self.parts)
            line = self.answer.readline()
            if not line or line.startswith(b"event: over"):
                return False
            if line.startswith(b"data: "):
                text = gzip.decompress(base64.b64decode(line[6:])).decode()
                self.text += text
                told = json.loads(text)
                self.is_away = told["is_away"]
                held = self.parts | told["parts"]
                self.parts = {name: held[name] for name in told["names"]}
        return True

    def sees(self, words):
        """Whether it comes to show these words."""
        return self.hear(lambda: words in json.dumps(self.parts, ensure_ascii=False))

    def close(self):
        self.answer.close()
        self.connection.close()
