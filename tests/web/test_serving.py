"""A web process under gunicorn, in both of its kinds: it serves, its background threads run, and it listens when it can answer."""

import socket
import time

import httpx
import pytest

from tests.stack import Stack, stack

SOON = {"ZHIKE_BRAIN_PATIENCE_SECONDS": "1", "ZHIKE_BRAIN_TIMEOUT_SECONDS": "1"}


def until_it_listens(made: Stack) -> float:
    """Waits for the first connection that is taken; the seconds until then."""
    begun = time.monotonic()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", made.port("web"))) == 0:
                return time.monotonic() - begun
        time.sleep(0.05)
    raise AssertionError(made.log("web"))


def test_a_process_that_listens_answers_at_once() -> None:
    """A proxy gives calls to whoever listens; one that is still loading would keep customers waiting."""
    with stack() as made:
        made.launch("web")
        starting, begun = until_it_listens(made), time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{made.port('web')}/healthz", timeout=20, trust_env=False).is_success
        assert time.monotonic() - begun < starting / 2, "it was still loading"


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_lines_are_taken_and_the_background_threads_look_after_them(kind: str) -> None:
    """Without a brain the customer is told and queued: by a thread of the process."""
    with stack("web", ZHIKE_WEB_WORKER=kind, **SOON) as made:
        base = f"http://127.0.0.1:{made.port('web')}/api/v1/conversations"
        with httpx.Client(trust_env=False, timeout=20) as http:
            talk = http.post(base, json={"channel": "web"}).raise_for_status().json()
            http.headers["Authorization"] = f"Bearer {talk['token']}"
            line = {"client_message_id": "first-line-0001", "text": "你好，我想问一下订单"}
            http.post(f"{base}/{talk['id']}/messages", json=line).raise_for_status()
            deadline = time.monotonic() + 40
            while (told := http.get(f"{base}/{talk['id']}/messages").json())["state"] != "queued":
                assert time.monotonic() < deadline, told
                time.sleep(0.2)
