"""From the customer's Enter to the bot's answer on the page: 20 turns a second with real actions on SQLite, and where the time goes.

    PYTHONPATH=. .venv/bin/python -m scripts.bench_page [--rate 20] [--seconds 30]

Web, brain and actions with the demo shop on loopback; 80 signed-in customers with a socket each, who write the way the page does
(HTTP) and get the answer the way the page does (Socket.IO). Every turn calls an action. The baseline of the same run is one turn a second.
Part of ``make bench``.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import websockets
from prometheus_client.parser import text_string_to_metric_families

from core import clock
from crm.customers.access import visitor_token
from helpdesk.conversations.rules import pause_seconds
from tests.stack import ROOT, Stack, stack

PAGES = 80
SAID = (
    "查一下我的订单",
    "退货运费谁出",
    "我有多少积分",
    "有什么优惠券",
    "发票什么时候开",
    "谢谢",
    "我的快递到哪了",
    "在吗",
)
PARTS = ("pause", "take", "brain", "actions", "store")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Page:
    """A customer's page: its talk, and the line that waits for an answer."""

    path: str
    headers: dict[str, str]
    token: str
    asked_at: float = 0.0
    said: str = ""
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Times:
    """Seconds: until a line is acknowledged, and until its answer is on the page; of these, those of lines that are read at
    once (after a mere 在吗 the bot waits whether the customer writes on)."""

    acknowledged: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    at_once: list[float] = field(default_factory=list)


async def listen(port: int, page: Page, times: Times, ready: asyncio.Event) -> None:
    """The page's socket."""
    address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(address, open_timeout=60, ping_interval=None, max_queue=None) as socket:
        await socket.recv()
        await socket.send(f"40/chat,{json.dumps({'token': page.token})}")
        async for packet in socket:
            text = str(packet)
            if text == "2":
                await socket.send("3")
            elif text.startswith("40/chat"):
                ready.set()
            elif page.asked_at and text.startswith('42/chat,["message"') and is_the_bots(text):
                times.answered.append(time.perf_counter() - page.asked_at)
                if not pause_seconds([page.said], asked=False):
                    times.at_once.append(times.answered[-1])
                page.asked_at = 0.0
                page.answered.set()


def is_the_bots(packet: str) -> bool:
    """Whether a message's packet is one of the bot."""
    return bool(json.loads(packet.partition(",")[2])[1]["sender"] == "bot")


async def write(http: httpx.AsyncClient, page: Page, text: str, times: Times) -> None:
    """Enter."""
    page.answered.clear()
    page.said, page.asked_at = text, (begun := time.perf_counter())
    body = {"client_message_id": uuid.uuid4().hex, "text": text}
    (await http.post(f"{page.path}/messages", json=body, headers=page.headers)).raise_for_status()
    times.acknowledged.append(time.perf_counter() - begun)
    await asyncio.wait_for(page.answered.wait(), 60)


async def run(made: Stack, rate: float, seconds: float) -> tuple[Times, dict[str, float], dict[str, float]]:
    """The times, the mean seconds of each part of a turn, and the processor's seconds a turn by process."""
    port, times = made.port("web"), Times()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/api/v1",
        timeout=60,
        trust_env=False,
        limits=httpx.Limits(max_connections=120),
    ) as http:
        pages = [await opened(http, made, n) for n in range(PAGES)]
        ready = [asyncio.Event() for _ in pages]
        sockets = [asyncio.create_task(listen(port, p, times, r)) for p, r in zip(pages, ready, strict=True)]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 60)
        for page, text in zip(pages, itertools.cycle(SAID), strict=False):  # what is loaded at the first turn
            await write(http, page, text, times)
        times.acknowledged.clear()
        times.answered.clear()
        times.at_once.clear()
        used, before, begun, turns = worked(made), await spent(port), time.perf_counter(), []
        for n in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + n / rate - time.perf_counter()))
            page = next((p for p in pages if not p.asked_at), None)
            if page is None:
                raise RuntimeError("all pages wait: the system does not keep up")
            pages.append(pages.pop(pages.index(page)))
            turns.append(asyncio.create_task(write(http, page, SAID[(n * 5 + n // 8) % len(SAID)], times)))
            await asyncio.sleep(0)
        await asyncio.gather(*turns)
        after, using = await spent(port), worked(made)
        for socket in sockets:
            socket.cancel()
        await asyncio.gather(*sockets, return_exceptions=True)
    count = len(times.answered)
    parts = {part: (after[part] - before[part]) / count for part in PARTS}
    return times, parts, {name: (using[name] - used[name]) / count for name in using}


async def opened(http: httpx.AsyncClient, made: Stack, number: int) -> Page:
    """A signed-in customer's page."""
    token = visitor_token(1 + number % 40, made.environment["ZHIKE_CUSTOMER_TOKEN_SECRET"], clock.now())
    told = (
        (await http.post("/conversations", json={"channel": "web", "customer_token": token})).raise_for_status().json()
    )
    return Page(f"/conversations/{told['id']}", {"Authorization": f"Bearer {told['token']}"}, told["token"])


async def spent(port: int) -> dict[str, float]:
    """Seconds spent so far in each part of turns."""
    async with httpx.AsyncClient(trust_env=False) as http:
        told = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    found = dict.fromkeys(PARTS, 0.0)
    for family in text_string_to_metric_families(told):
        for sample in family.samples:
            if sample.name == "zhike_turn_seconds_sum":
                found[sample.labels["part"]] = sample.value
    return found


def worked(made: Stack) -> dict[str, float]:
    """Seconds of the processor so far, by process, its children included."""
    return {name: sum(_worked(pid) for pid in family(process.pid)) for name, process in made.processes.items()}


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = [int(p) for file in Path(f"/proc/{pid}/task").glob("*/children") for p in file.read_text().split()]
    return [pid, *children]


def _worked(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS  # in user and in system mode


def row(name: str, times: Times, parts: dict[str, float], processor: dict[str, float]) -> None:
    """Some lines of the table, in milliseconds."""
    answered, at_once = sorted(times.answered), sorted(times.at_once)
    mean = statistics.mean(answered)
    acknowledged = statistics.mean(times.acknowledged)
    rest = mean - acknowledged - sum(parts.values())
    shares = {"stored, acknowledged": acknowledged, **parts, "push, page": rest}
    print(f"{name}: {len(answered)} turns, {told(answered)}; {len(at_once)} of them read at once, {told(at_once)}")
    print(
        "   mean: " + ", ".join(f"{part} {value * 1000:.0f} ms ({value / mean:.0%})" for part, value in shares.items())
    )
    print("   processor a turn: " + ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in processor.items()))


def told(ordered: list[float]) -> str:
    """Median, 95th percentile and mean."""
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return f"p50 {statistics.median(ordered) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, mean {statistics.mean(ordered) * 1000:.0f} ms"


@contextmanager
def shop() -> Iterator[Stack]:
    """The demo shop, running."""
    limits = {"ZHIKE_MESSAGES_PER_TALK": "1000/10 seconds", "ZHIKE_DEMO": "true", "ZHIKE_WEB_THREADS": "160"}
    with stack(**limits) as made:
        load = [sys.executable, "-m", "cli.main", "demo", "load"]
        subprocess.run(load, cwd=ROOT, env=made.environment, check=True, stdout=subprocess.DEVNULL)
        for name in ("actions", "brain", "web"):
            made.start(name)
        yield made


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    chosen = parser.parse_args()
    with shop() as made:
        row("once a second", *asyncio.run(run(made, 1, 15)))
        row(f"{chosen.rate:.0f} a second", *asyncio.run(run(made, chosen.rate, chosen.seconds)))


if __name__ == "__main__":
    main()
