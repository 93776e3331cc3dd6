"""What the tests of crashes, races and several processes share."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from core import clock, db, migrate
from crm.customers.access import visitor_token
from helpdesk.conversations.models import Message
from tests.services import fresh_database
from tests.stack import Stack, stack

ANSWER_SECONDS = 60


def until(holds: Callable[[], Any], what: str, seconds: float = ANSWER_SECONDS) -> Any:
    """Looks until something holds, and gives it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Customer:
    """A customer's program, over HTTP; ``lines`` is all it was ever told, by seq."""

    def __init__(self, running: Stack, customer: Any = None) -> None:
        url = f"http://127.0.0.1:{running.port('web')}/api/v1"
        self.http = httpx.Client(base_url=url, timeout=40, trust_env=False)
        opening: dict[str, Any] = {"channel": "web"}
        if customer is not None:
            secret = running.environment["ZHIKE_CUSTOMER_TOKEN_SECRET"]
            opening["customer_token"] = visitor_token(customer.id, secret, clock.now())
        made = self.http.post("/conversations", json=opening).raise_for_status().json()
        self.id, self.token = made["id"], made["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def sends(self, text: str) -> int:
        """Sends a line; its seq, once it is acknowledged."""
        body = {"client_message_id": uuid.uuid4().hex, "text": text}
        answer = self.http.post(f"/conversations/{self.id}/messages", json=body).raise_for_status()
        assert answer.status_code == 202
        return int(answer.json()["seq"])

    def answer_to(self, seq: int) -> list[dict[str, Any]]:
        """What came after a line, once something did. Asks again while the web process is away."""
        return list(until(lambda: [m for m in self._after(seq) if m["sender"] != "customer"], "an answer"))

    def says(self, text: str) -> str:
        """Sends a line and gives the texts of the answer."""
        return "\n".join(line["text"] for line in self.answer_to(self.sends(text)))

    def _after(self, seq: int) -> list[dict[str, Any]]:
        try:
            return list(self.told(seq, wait=5)["messages"])
        except httpx.TransportError:
            return []

    def told(self, after: int = 0, wait: int = 0) -> dict[str, Any]:
        """The lines after a seq, and the state."""
        query = {"after": after, "wait": wait}
        return dict(self.http.get(f"/conversations/{self.id}/messages", params=query).raise_for_status().json())

    def post(self, what: str) -> None:
        """``handoff``, ``close`` …"""
        self.http.post(f"/conversations/{self.id}/{what}", json={}).raise_for_status()


class Desk:
    """An agent's program, over HTTP."""

    def __init__(self, running: Stack, name: str, password: str) -> None:
        url = f"http://127.0.0.1:{running.port('web')}/api/v1/agent"
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        made = self.http.post("/session", json={"name": name, "password": password}).raise_for_status().json()
        self.token = made["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        self.http.put("/presence", json={"state": "online"}).raise_for_status()

    def accepts(self, talk_id: str) -> dict[str, Any]:
        """Takes a talk and gives all that belongs to it."""
        self.http.post(f"/conversations/{talk_id}/accept").raise_for_status()
        return dict(self.http.get(f"/conversations/{talk_id}").raise_for_status().json())

    def writes(self, talk_id: str, text: str) -> int:
        """A line to the customer; its seq."""
        body = {"text": text, "client_message_id": uuid.uuid4().hex}
        return int(self.http.post(f"/conversations/{talk_id}/messages", json=body).raise_for_status().json()["seq"])


@dataclass
class Stop:
    """A point at which a call of an action is held."""

    talk_id: str
    action: str
    done: bool
    reached: threading.Event = field(default_factory=threading.Event)
    _decided: threading.Event = field(default_factory=threading.Event)
    _lost: bool = False

    def wait(self) -> None:
        """Until the call is there."""
        assert self.reached.wait(ANSWER_SECONDS), f"{self.action} was not called"

    def go_on(self) -> None:
        """Lets it pass."""
        self._decided.set()

    def lose(self) -> None:
        """Breaks its connection, as a crash does."""
        self._lost = True
        self._decided.set()

    def hold(self) -> bool:
        """Holds it; whether it passes."""
        self.reached.set()
        self._decided.wait(ANSWER_SECONDS)
        return not self._lost


class Gate:
    """Stands between the brain and the actions, so that a test can name the moment of a crash."""

    def __init__(self, actions_port: int) -> None:
        self._actions_port = actions_port
        self._stops: list[Stop] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="gate", daemon=True).start()

    def stop_at(self, talk_id: str, action: str, *, done: bool) -> Stop:
        """The talk's next call of the action is held: before it is run, or once it is done, before the brain knows."""
        stop = Stop(talk_id, action, done)
        self._stops.append(stop)
        return stop

    def close(self) -> None:
        """The end."""
        self._server.shutdown()
        self._server.server_close()

    def _passes(self, call: dict[str, Any], done: bool) -> bool:
        for stop in tuple(self._stops):
            if (stop.talk_id, stop.action, stop.done) == (call["sender_id"], call["next_action"], done):
                self._stops.remove(stop)
                return stop.hold()
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                call = json.loads(body)
                if not gate._passes(call, done=False):
                    self.close_connection = True
                    return
                try:
                    status, answer = gate._ask(self.path, body, self.headers["X-Zhike-Secret"])
                except (OSError, http.client.HTTPException):
                    self.close_connection = True
                    return
                if not gate._passes(call, done=True):
                    self.close_connection = True
                    return
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _ask(self, path: str, body: bytes, secret: str) -> tuple[int, bytes]:
        actions = http.client.HTTPConnection("127.0.0.1", self._actions_port, timeout=30)
        try:
            actions.request("POST", path, body, {"Content-Type": "application/json", "X-Zhike-Secret": secret})
            answer = actions.getresponse()
            return answer.status, answer.read()
        finally:
            actions.close()


@contextmanager
def own_stack(**settings: str) -> Iterator[tuple[Stack, Gate]]:
    """Web, brain and actions of one's own, with a gate between the brain and the actions."""
    with stack(**settings) as made:
        gate = Gate(made.port("actions"))
        made.only["brain"] = {"ZHIKE_ACTIONS_PORT": str(gate.port)}
        try:
            for name in ("brain", "actions", "web"):
                made.launch(name)
            for name in ("actions", "web", "brain"):
                made.await_ready(name)
            yield made, gate
        finally:
            made.stop()
            gate.close()


def engine_of(running: Stack) -> Engine:
    """The stack's database."""
    return db.make_engine(running.environment["ZHIKE_DATABASE_URL"] or f"sqlite:///{running.folder / 'zhike.db'}")


def transcript(engine: Engine, talk_id: str) -> list[Message]:
    """All lines as they are stored."""
    with db.reading(engine) as session:
        found = session.scalars(select(Message).where(Message.conversation_id == talk_id).order_by(Message.seq)).all()
    return list(found)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty database of each kind."""
    if request.param == "sqlite":
        engine = db.make_engine(f"sqlite:///{tmp_path / 'zhike.db'}")
        migrate.upgrade(engine)
        yield engine
        engine.dispose()
        return
    with fresh_database(request.getfixturevalue("postgres_url"), f"t{uuid.uuid4().hex[:12]}") as url:
        engine = db.make_engine(url)
        migrate.upgrade(engine)
        yield engine
        engine.dispose()
