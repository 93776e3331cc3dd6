"""A soak: turns at a steady rate for half an hour; memory, open files and the time of an answer must not grow.

    PYTHONPATH=. .venv/bin/python -m scripts.soak [--rate 12] [--minutes 30]

Web, brain and actions with the demo shop on SQLite, 80 signed-in pages with a socket each (bench_page.py), whose talks go on and on.
The rate should be 60 % of what the machine can do (``scripts.bench_page --rate``). Not part of ``make bench``, for its length.
"""

import argparse
import asyncio
import itertools
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from scripts.bench_page import PAGES, SAID, Times, family, listen, opened, shop, write
from tests.stack import Stack

SAMPLE_SECONDS = 30.0
WARM_MINUTES = 5.0  # caches fill; the slope counts from then on


@dataclass(frozen=True)
class Sample:
    """At a time (minutes): MiB and open files of each process, median and 95th percentile (ms) since the last one."""

    at: float
    memory: dict[str, float]
    files: dict[str, int]
    p50: float
    p95: float


def sample(made: Stack, begun: float, times: list[float]) -> Sample:
    """How things stand."""
    memory, files = {}, {}
    for name, process in made.processes.items():
        pids = family(process.pid)
        status = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
        memory[name] = sum(int(text.split("VmRSS:")[1].split()[0]) for text in status) / 1024
        files[name] = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
    ordered = sorted(times) or [0.0]
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return Sample((time.monotonic() - begun) / 60, memory, files, 1000 * statistics.median(ordered), 1000 * p95)


async def soak(made: Stack, rate: float, minutes: float) -> list[Sample]:
    """Samples, every half minute."""
    port, times, found = made.port("web"), Times(), []
    limits = httpx.Limits(max_connections=120)
    base = f"http://127.0.0.1:{port}/api/v1"
    async with httpx.AsyncClient(base_url=base, timeout=60, trust_env=False, limits=limits) as http:
        pages = [await opened(http, made, n) for n in range(PAGES)]
        ready = [asyncio.Event() for _ in pages]
        sockets = [asyncio.create_task(listen(port, p, times, r)) for p, r in zip(pages, ready, strict=True)]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 60)
        begun, due, turns = time.monotonic(), SAMPLE_SECONDS, set()
        for n in itertools.count():
            now = time.monotonic() - begun
            if now > minutes * 60:
                break
            await asyncio.sleep(max(0.0, n / rate - now))
            page = next((p for p in pages if not p.asked_at), None)
            if page is None:
                raise RuntimeError("all pages wait: the system does not keep up")
            pages.append(pages.pop(pages.index(page)))
            turns.add(turn := asyncio.create_task(write(http, page, SAID[(n * 5 + n // 8) % len(SAID)], times)))
            turn.add_done_callback(turns.discard)
            await asyncio.sleep(0)
            if now >= due:
                due += SAMPLE_SECONDS
                found.append(sample(made, begun, times.answered))
                times.answered.clear()
                times.at_once.clear()
                told = found[-1]
                print(
                    f"{told.at:5.1f} min  " + "  ".join(f"{k} {v:.0f} MiB" for k, v in told.memory.items())
                    + f"  files {sum(told.files.values())}  p50 {told.p50:.0f} ms  p95 {told.p95:.0f} ms",
                    flush=True,
                )  # fmt: skip
        await asyncio.gather(*turns)
        for socket in sockets:
            socket.cancel()
        await asyncio.gather(*sockets, return_exceptions=True)
    return found


def slope(found: list[Sample], of: list[float]) -> float:
    """Growth an hour of a straight line through the values."""
    return 60 * float(np.polyfit([each.at for each in found], of, 1)[0])


def main() -> None:
    """Prints the samples and the slopes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=12)
    parser.add_argument("--minutes", type=float, default=30)
    chosen = parser.parse_args()
    with shop() as made:
        found = asyncio.run(soak(made, chosen.rate, chosen.minutes))
    late = [each for each in found if each.at >= min(WARM_MINUTES, chosen.minutes / 2)]
    for name in late[0].memory:
        values = [each.memory[name] for each in late]
        print(
            f"{name:8} memory {values[0]:.0f} → {values[-1]:.0f} MiB, slope {slope(late, values):+.0f} MiB an hour; ",
            end="",
        )
        print(f"open files {late[0].files[name]} → {late[-1].files[name]}")
    medians = [each.p50 for each in late]
    print(f"median answer {medians[0]:.0f} → {medians[-1]:.0f} ms, slope {slope(late, medians):+.0f} ms an hour")


if __name__ == "__main__":
    main()
