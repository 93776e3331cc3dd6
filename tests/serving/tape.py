"""Talks recorded from sessions with the running product: what customers wrote, and what the actions answered.

``python -m tests.serving.tape FILE`` records: it runs the product with the demo shop, stands between web, brain and actions, prints
the page's address, and writes FILE (lines.py, without gzip) when it is ended. Readings come from the brain's own memory.
"""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.stack import ROOT, stack

Talk = list[dict[str, Any]]


class Ear(ThreadingHTTPServer):
    """Passes every POST on to a port; ``heard(call, status, answer)`` is called with each."""

    daemon_threads = True

    def __init__(self, to_port: int, heard: Callable[[dict[str, Any], int, Any], None]) -> None:
        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._pass("GET", b"")

            def do_POST(self) -> None:
                self._pass("POST", self.rfile.read(int(self.headers["Content-Length"])))

            def _pass(self, method: str, body: bytes) -> None:
                there = HTTPConnection("127.0.0.1", to_port, timeout=60)
                secret = {"X-Zhike-Secret": self.headers.get("X-Zhike-Secret", "")}
                there.request(method, self.path, body, {"Content-Type": "application/json", **secret})
                told = there.getresponse()
                answer = told.read()
                there.close()
                if method == "POST":  # before the caller goes on
                    heard(json.loads(body or b"{}"), told.status, json.loads(answer or b"null"))
                self.send_response(told.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Door)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class Recorder:
    """What was heard, by talk."""

    def __init__(self) -> None:
        self._calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._talks: dict[str, Talk] = defaultdict(list)

    def action(self, call: dict[str, Any], status: int, answer: Any) -> None:
        """An action's answer; the turn it belongs to is not over yet."""
        self._calls[call["sender_id"]].append({"action": call["next_action"], "status": status, "answer": answer})

    def turn(self, call: dict[str, Any], status: int, _answer: Any) -> None:
        """A turn's end."""
        if "turn_id" in call:
            calls = self._calls.pop(call["conversation_id"], [])
            if status == 200:
                turn = {"turn_id": call["turn_id"], "text": call["text"], "calls": calls}
                self._talks[call["conversation_id"]].append(turn)

    def write(self, path: Path, memory: Path) -> None:
        """All talks, a line each."""
        read = readings(memory)
        kept = [
            [
                {"text": t["text"], "parse": read[t["turn_id"]], "calls": t["calls"]}
                for t in talk
                if t["turn_id"] in read
            ]
            for talk in list(self._talks.values())
        ]
        path.write_text("".join(json.dumps(talk, ensure_ascii=False) + "\n" for talk in kept if talk))


def readings(memory: Path) -> dict[str, Any]:
    """How each turn's text was read, by turn_id."""
    with sqlite3.connect(f"file:{memory}?mode=ro", uri=True) as rows:
        events = [event for (data,) in rows.execute("select events from talks") for event in json.loads(data)]
    users = [event for event in events if event["event"] == "user"]
    return {event["metadata"]["turn_id"]: event["parse_data"] for event in users}


def record(path: Path) -> None:
    """Until ended by SIGTERM."""
    recorder, over = Recorder(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with stack(ZHIKE_DEMO="true", ZHIKE_DISTRIBUTION="by_hand") as made:
        demo = [sys.executable, "-m", "cli.main", "demo", "load"]
        subprocess.run(demo, cwd=ROOT, env=made.environment, check=True)
        actions = Ear(made.port("actions"), recorder.action)
        brain = Ear(made.port("brain"), recorder.turn)
        made.only["brain"] = {"ZHIKE_ACTIONS_URL": f"http://127.0.0.1:{actions.port}"}
        made.only["web"] = {"ZHIKE_BRAIN_URLS": f"http://127.0.0.1:{brain.port}"}
        for name in ("actions", "brain", "web"):
            made.start(name)
        sys.stdout.write(f"http://127.0.0.1:{made.port('web')}\n")
        sys.stdout.flush()
        while not over.wait(30):
            recorder.write(path, made.folder / "brain.db")
        recorder.write(path, made.folder / "brain.db")


if __name__ == "__main__":
    record(Path(sys.argv[1]))
