"""An official account of a test's own: a callback that answers what the test wants, when it wants. And how one is
connected to Zhike.
"""

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from channels.wechat_sim import Platform
from tests.stack import ROOT, Stack

HOLD_SECONDS = 15


@dataclass(frozen=True)
class Call:
    """A call of the platform: query and body."""

    query: dict[str, str]
    body: str


type Answer = tuple[int, str]


@dataclass
class Callback:
    """Where the platform delivers. ``answer(call, number)`` gives status and body; the number counts from 1."""

    answer: Callable[[Call, int], Answer] = lambda _call, _number: (200, "success")
    calls: list[Call] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, call: Call) -> Answer:
        """A call arrives."""
        with self._changed:
            self.calls.append(call)
            number = len(self.calls)
            self._changed.notify_all()
        return self.answer(call, number)

    def wait_for(self, calls: int) -> None:
        """Until so many calls have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.calls) >= calls, HOLD_SECONDS), f"only {self.calls}"


@contextmanager
def served(callback: Callback) -> Iterator[str]:
    """The callback, listening; its address."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say((200, dict(parse_qsl(urlsplit(self.path).query)).get("echostr", "")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(body) < int(self.headers["Content-Length"]):
                return  # the platform has hung up
            self._say(callback.take(Call(dict(parse_qsl(urlsplit(self.path).query)), body.decode())))

        def _say(self, told: Answer) -> None:
            body = told[1].encode()
            try:
                self.send_response(told[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/channels/wechat/shop"
    finally:
        server.shutdown()
        server.server_close()


class Api:
    """The platform's API as a program of the account calls it."""

    _numbers = itertools.count(1)

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.http = httpx.Client(base_url=f"{platform.base}/cgi-bin", timeout=10, trust_env=False)
        self.token = self.asks_for_a_token()["access_token"]

    def asks_for_a_token(self, **more: Any) -> dict[str, Any]:
        """stable_token."""
        body = {
            "grant_type": "client_credential",
            "appid": self.platform.account.app_id,
            "secret": self.platform.secret,
        }
        return dict(self.http.post("/stable_token", json={**body, **more}).json())

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """A call with the token."""
        return dict(self.http.post(f"/{path}", params={"access_token": self.token}, json=body).json())

    def sends(self, openid: str, text: str = "") -> int:
        """A text by API; the errcode."""
        text = text or f"第 {next(self._numbers)} 条"
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return int(self.post("message/custom/send", body)["errcode"])


def connect(running: Stack, platform: Platform, name: str) -> None:
    """Connects the stand-in's account by the command line, as an administrator does a real one."""
    known = platform.account
    command = [sys.executable, "-m", "cli.main", "channel", "add", "wechat", name, "--app-id", known.app_id]
    command += ["--token", known.token, "--aes-key", known.aes_key, "--mode", known.mode, "--api-base", platform.base]
    secret = f"{platform.secret}\n"
    subprocess.run(command, cwd=ROOT, env=running.environment, input=secret, text=True, check=True)
