"""A brain that says what a test wants, when it wants: it listens where the web process expects the real one."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOLD_SECONDS = 15


class StandInBrain:
    """Answers ``收到：<text>`` to every turn, at once unless the talk is held."""

    def __init__(self, port: int) -> None:
        self._turns: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._held: dict[str, threading.Event] = {}
        self._changed = threading.Condition()
        brain = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._say({"ready": True})

            def do_POST(self) -> None:
                turn = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._say(brain._answer(turn))

            def _say(self, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Door)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, turn: dict[str, Any]) -> dict[str, Any]:
        talk = turn["conversation_id"]
        with self._changed:
            self._turns[talk].append(turn)
            held = self._held.get(talk)
            self._changed.notify_all()
        if held is not None:
            held.wait(HOLD_SECONDS)
        return {"answers": [{"text": f"收到：{turn['text']}"}], "intent": "faq", "slots": {}, "tried": ["action_faq"]}

    def asked(self, talk: str) -> list[str]:
        """The texts this talk's turns had so far."""
        with self._changed:
            return [turn["text"] for turn in self._turns[talk]]

    def wait_until_asked(self, talk: str, turns: int = 1) -> None:
        """Until so many turns of the talk have arrived."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self._turns[talk]) >= turns, HOLD_SECONDS)
        assert arrived, "the brain was not asked"

    @contextmanager
    def holding(self, talk: str) -> Iterator[None]:
        """Within, the answers to this talk wait; at the end they go out."""
        self._held[talk] = threading.Event()
        try:
            yield
        finally:
            self._held.pop(talk).set()

    def stop(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
