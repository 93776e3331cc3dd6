"""``make bench``: the distribution in virtual time (bench_routing.py), 1,000 connections at once (bench_connections.py),
then whole turns over HTTP to the running system.

A turn is a customer's line until the bot's answer is read back: web, database, brain, actions, database, web; beside it
a bare HTTP round trip of the same run. Bounded: three kinds of turns, 1 and 8 talks at a time, 40 turns each.
"""

import statistics
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import bench_connections, bench_routing
from tests.stack import Stack, stack

TURNS = 40
KINDS = {"answer only": "谢谢", "knowledge base": "退货运费谁出", "one look-up (asks to verify)": "查一下我的订单"}


def turn(base: str, text: str) -> float:
    """Seconds of one turn in a talk of its own."""
    with httpx.Client(base_url=base, timeout=40, trust_env=False) as http:
        made = http.post("/api/v1/conversations", json={"channel": "web"}).raise_for_status().json()
        http.headers["Authorization"] = f"Bearer {made['token']}"
        address = f"/api/v1/conversations/{made['id']}/messages"
        begun = time.perf_counter()
        seq = http.post(address, json={"client_message_id": uuid.uuid4().hex, "text": text}).json()["seq"]
        while not http.get(address, params={"after": seq, "wait": 10}).json()["messages"]:
            pass
        return time.perf_counter() - begun


def bare(base: str) -> float:
    """Seconds of a bare round trip: the baseline."""
    with httpx.Client(base_url=base, trust_env=False) as http:
        http.get("/healthz")
        begun = time.perf_counter()
        http.get("/healthz")
        return time.perf_counter() - begun


def main() -> None:
    """Prints the tables."""
    bench_routing.main()
    print("\n4. Many pages at once: 50 talks active, an agent's or customer's line until it is at the other side")
    bench_connections.table()
    print()
    with stack("actions", "brain", "web") as running:
        _table(running)


def _table(running: Stack) -> None:
    base = f"http://127.0.0.1:{running.port('web')}"
    for text in KINDS.values():
        turn(base, text)
    floor = statistics.median(bare(base) for _ in range(TURNS))
    print(f"bare HTTP round trip, median {floor * 1000:.1f} ms (the baseline)\n")
    print(f"{'turn':32}{'talks':>6}{'p50 ms':>9}{'p95 ms':>9}{'turns/s':>9}{'× baseline':>12}")
    for name, text in KINDS.items():
        for talks in (1, 8):
            begun = time.perf_counter()
            with ThreadPoolExecutor(talks) as pool:
                times = sorted(pool.map(lambda _, t=text: turn(base, t), range(TURNS)))
            rate = TURNS / (time.perf_counter() - begun)
            p50, p95 = times[TURNS // 2], times[int(TURNS * 0.95)]
            print(f"{name:32}{talks:>6}{p50 * 1000:>9.0f}{p95 * 1000:>9.0f}{rate:>9.1f}{p50 / floor:>12.0f}")


if __name__ == "__main__":
    main()
