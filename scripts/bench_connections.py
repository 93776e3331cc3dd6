"""Many connections at once: 1,000 customers' pages open, 50 talks active; how long a line takes to the other side.

    PYTHONPATH=. .venv/bin/python scripts/bench_connections.py [--customers 1000] [--seconds 30]

A web process of its own under gevent on loopback, its customers and agents in this process. The baseline of the same run
is the same with 50 connections only. Part of ``make bench``.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import clock, db
from core.ids import new_token, token_hash
from helpdesk.staff.models import Agent, AgentSession
from tests.resilience.conftest import engine_of
from tests.stack import Stack, stack

ACTIVE, AGENTS = 50, 10
PAUSE_SECONDS = 2.0  # between two lines of a talk


@dataclass
class Times:
    """When each line was sent, and how long it took to arrive, in seconds."""

    sent: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def arrived(self, text: str) -> None:
        """A line came in at the other side."""
        if text in self.sent:
            self.took.append(time.perf_counter() - self.sent.pop(text))


async def listen(port: int, namespace: str, token: str, times: Times, ready: asyncio.Event) -> None:
    """A Socket.IO connection over a bare websocket: answers pings, times the messages that arrive."""
    address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(address, open_timeout=60, ping_interval=None, max_queue=None) as socket:
        await socket.recv()
        await socket.send(f"40{namespace},{json.dumps({'token': token})}")
        async for packet in socket:
            text = str(packet)
            if text == "2":
                await socket.send("3")
            elif text.startswith(f"40{namespace}"):
                ready.set()
            elif text.startswith(f'42{namespace},["message"'):
                times.arrived(json.loads(text.partition(",")[2])[1]["text"])


def staff(made: Stack) -> list[str]:
    """Agents who are online; their tokens."""
    engine, now, tokens = engine_of(made), clock.now(), [new_token() for _ in range(AGENTS)]
    with db.writing(engine) as session:
        for n, token in enumerate(tokens):
            agent = Agent(
                name=f"a{n}", display_name=f"客服{n}", role="agent", password_hash="-", capacity=ACTIVE // AGENTS,  # noqa: S106
                presence="online", seen_at=now, created_at=now,
            )  # fmt: skip
            session.add(agent)
            session.flush()
            session.add(
                AgentSession(
                    token_hash=token_hash(token),
                    agent_id=agent.id,
                    created_at=now,
                    expires_at=now.replace(year=now.year + 1),
                )
            )
    engine.dispose()
    return tokens


async def open_talks(http: httpx.AsyncClient, number: int) -> list[dict[str, Any]]:
    """Talks of so many customers."""
    made = []
    for _ in range(number):
        told = await http.post("/conversations", json={"channel": "web"})
        made.append(told.raise_for_status().json())
    return made


async def talk_on(http: httpx.AsyncClient, path: str, token: str, times: Times, seconds: float, delay: float) -> None:
    """Writes a line every PAUSE_SECONDS."""
    await asyncio.sleep(delay)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = uuid.uuid4().hex
        times.sent[text] = time.perf_counter()
        headers = {"Authorization": f"Bearer {token}"}
        body = {"client_message_id": text, "text": text}
        (await http.post(f"{path}/messages", json=body, headers=headers)).raise_for_status()
        await asyncio.sleep(PAUSE_SECONDS)


async def run(made: Stack, tokens: list[str], customers: int, seconds: float) -> tuple[list[float], float]:
    """Times to the other side (seconds), and the memory a connection takes (KiB)."""
    port = made.port("web")
    times = Times()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/api/v1",
        timeout=60,
        trust_env=False,
        limits=httpx.Limits(max_connections=100),
    ) as http:
        before = memory_kib(made)
        talks = await open_talks(http, customers)
        opened = [(listen, "/chat", talk["token"]) for talk in talks] + [(listen, "/desk", token) for token in tokens]
        ready = [asyncio.Event() for _ in opened]
        open_now = []
        for (call, namespace, token), event in zip(opened, ready, strict=True):
            open_now.append(asyncio.create_task(call(port, namespace, token, times, event)))
            if len(open_now) % 50 == 0:
                await event.wait()
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 120)
        connection_kib = (memory_kib(made) - before) / len(opened)
        active = talks[:ACTIVE]
        for talk in active:
            told = await http.post(
                f"/conversations/{talk['id']}/handoff", json={}, headers={"Authorization": f"Bearer {talk['token']}"}
            )
            told.raise_for_status()
        owners = await held(http, tokens, len(active))
        writers = [
            talk_on(http, f"/conversations/{talk['id']}", talk["token"], times, seconds, n * PAUSE_SECONDS / ACTIVE)
            for n, talk in enumerate(active)
        ]
        writers += [
            talk_on(http, f"/agent/conversations/{talk}", token, times, seconds, n * PAUSE_SECONDS / ACTIVE)
            for n, (talk, token) in enumerate(owners.items())
        ]
        await asyncio.gather(*writers)
        await asyncio.sleep(1)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
        for talk in active:
            await http.post(f"/conversations/{talk['id']}/close", headers={"Authorization": f"Bearer {talk['token']}"})
        lost = len(times.sent)
        if lost:
            print(f"{lost} lines did not arrive")
    return times.took, connection_kib


async def held(http: httpx.AsyncClient, tokens: list[str], number: int) -> dict[str, str]:
    """Which agent (by token) has which talk, once all are given."""
    for _ in range(100):
        owners = {}
        for token in tokens:
            told = await http.get(
                "/agent/conversations", params={"state": "mine"}, headers={"Authorization": f"Bearer {token}"}
            )
            owners |= {talk["id"]: token for talk in told.json()["conversations"]}
        if len(owners) >= number:
            return owners
        await asyncio.sleep(0.1)
    raise RuntimeError("the talks were not all given")


def memory_kib(made: Stack) -> int:
    """Resident memory of the web process and its worker."""
    pids = [made.processes["web"].pid]
    for children in Path(f"/proc/{pids[0]}/task").glob("*/children"):
        pids += [int(pid) for pid in children.read_text().split()]
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return total


def main() -> None:
    """Prints the table for the sizes asked for."""
    chosen = argparse.ArgumentParser()
    chosen.add_argument("--customers", type=int, default=1000)
    chosen.add_argument("--seconds", type=float, default=30)
    options = chosen.parse_args()
    table(options.customers, options.seconds)


def table(most: int = 1000, seconds: float = 30) -> None:
    """Prints how long lines take with few and with ``most`` connections, ``seconds`` of talk each."""
    settings = {
        "ZHIKE_WEB_WORKER": "gevent",
        "ZHIKE_PICK_UP_SECONDS": "3600",
        "ZHIKE_PRESENCE_TIMEOUT_SECONDS": "3600",
    }
    print(
        f"{'connections':>12}{'lines':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'KiB each':>10}{'× baseline p95':>16}"
    )
    floor = 0.0
    for customers in (ACTIVE, most):
        with stack(**settings) as made:
            tokens = staff(made)
            made.start("web")
            took, kib = asyncio.run(run(made, tokens, customers, seconds))
        took.sort()
        p95 = took[int(0.95 * (len(took) - 1))]
        floor = floor or p95
        p99 = took[int(0.99 * (len(took) - 1))]
        shown = [f"{statistics.median(took) * 1000:8.0f}", f"{p95 * 1000:8.0f}", f"{p99 * 1000:8.0f}", f"{kib:10.0f}"]
        print(f"{customers + AGENTS:>12}{len(took):>8}{''.join(shown)}{p95 / floor:>16.1f}", flush=True)


if __name__ == "__main__":
    main()
