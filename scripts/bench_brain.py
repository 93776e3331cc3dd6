"""The brain beside stock Rasa, on the same machine, in the same run, with the same talks (part of ``make bench``).

    PYTHONPATH=. .venv/bin/python -m scripts.bench_brain [--whole] [--talks N]

Stock is Rasa's recommended Chinese pipeline and policies (bench_stock.yml) with its SQL store on SQLite; ours is config.yml with
all fast paths. Both are trained on the neutral bot of bench_bot.py, served by ``rasa run`` and asked through its REST channel, in
windows that alternate. What serving costs does not depend on how long a network was trained, so stock is trained for 4 of
its 100 epochs unless ``--whole`` is given (over an hour); its training time is then the time of an epoch times 100. Models are kept
in var/bench by the hash of what they are made of. Texts are asked only where both read what was meant, so that the turns
are of the same kind.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from cli.processes import APP_BIN, BOT_PYTHON, ROOT
from scripts import bench_bot
from tests.stack import free_port

KEPT = ROOT / "var" / "bench"
STOCK, OURS = ROOT / "scripts" / "bench_stock.yml", ROOT / "config.yml"
EPOCHS, TRIED = 100, 4
WINDOWS, TURNS = 4, 40
PARALLEL = (1, 8, 32, 128)
LONG_EVENTS = 1000
LONG_TALKS = 3
LENGTH = re.compile(r"content-length: (\d+)")
EPOCH = re.compile(r"(\d+)/(\d+) \[(?:(\d+):)?(\d+):(\d+)<")
KINDS = ("answer", "action", "form")


@dataclass
class Brain:
    """A kind of brain: its model, and what is measured of it. Times in seconds, memory in MiB."""

    name: str
    model: Path
    training: float
    url: str = ""
    pid: int = 0
    start: float = 0.0
    turns: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)  # of all turns of a kind
    rates: dict[int, list[float]] = field(default_factory=dict)
    parses: list[float] = field(default_factory=list)
    growth: dict[int, float] = field(default_factory=dict)

    def ran(self) -> float:
        """The processor's time that the process has had."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


# Training


def trained(name: str, config: Path, epochs: int) -> Brain:
    """A model of the neutral bot, trained now or before. Raises CalledProcessError."""
    bench_bot.write(KEPT / "bot")
    told = yaml.safe_load(config.read_text(encoding="utf-8"))
    for part in [*told["pipeline"], *told["policies"]]:
        if "epochs" in part:
            part["epochs"] = epochs
        part.pop("core_fallback_action_name", None)  # an action of the product's own
    made_of = [json.dumps(told).encode(), *(p.read_bytes() for p in sorted((KEPT / "bot").rglob("*.yml")))]
    if config == OURS:
        made_of += [path.read_bytes() for path in sorted((ROOT / "bot" / "nlu").glob("*.*"))]
    digest = hashlib.sha256(b"".join(made_of)).hexdigest()[:12]
    model, log = KEPT / f"{name}-{digest}.tar.gz", KEPT / f"{name}-{digest}.log"
    note = model.with_suffix(".json")
    if not note.exists():
        (KEPT / f"{name}.yml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
        print(f"training {name} …", file=sys.stderr, flush=True)
        command = [str(BOT_PYTHON), "-m", "rasa", "train", "--config", str(KEPT / f"{name}.yml"), "--force"]
        command += ["--domain", str(KEPT / "bot" / "domain.yml"), "--data", str(KEPT / "bot" / "data")]
        command += ["--out", str(KEPT), "--fixed-model-name", model.name.removesuffix(".tar.gz")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.monotonic()
        with log.open("wb") as out:
            subprocess.run(command, check=True, cwd=ROOT, env=_environment(), stdout=out, stderr=out)
        wall = time.monotonic() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        note.write_text(json.dumps({"wall": wall, "cpu": cpu, "epochs": epochs_took(log.read_text(errors="replace"))}))
    cost = json.loads(note.read_text())
    return Brain(name, model, cost["wall"] + (EPOCHS / epochs - 1) * sum(cost["epochs"]))


def epochs_took(log: str) -> list[float]:
    """Seconds that each network's epochs took altogether, from Rasa's progress bars."""
    found: list[float] = []
    for done in EPOCH.finditer(log):
        if done[1] == "0" and (not found or found[-1]):
            found.append(0.0)
        elif done[1] == done[2]:  # the bar is written several times at its end
            found[-1] = int(done[3] or 0) * 3600 + int(done[4]) * 60 + int(done[5])
    return found


def _environment(**more: str) -> dict[str, str]:
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, "PYTHONPATH": str(ROOT), "SQLALCHEMY_SILENCE_UBER_WARNING": "1", **quiet, **more}


# Serving


@contextmanager
def served(brain: Brain, hands: int, folder: Path, *, stock: bool, others: Sequence[str] = ()) -> Iterator[Brain]:
    """The brain, running; its time from start to ready."""
    port, secret = free_port(), uuid.uuid4().hex
    store = {"type": "SQL", "dialect": "sqlite"} if stock else {"type": "bot.serving.talks.Talks"}
    where = {"db": str(folder / f"{brain.name}.db")} if stock else {"url": f"sqlite:///{folder / brain.name}.db"}
    called = {"url": f"http://127.0.0.1:{hands}/webhook"} | ({} if stock else {"enable_selective_domain": True})
    endpoints, doors = folder / f"{brain.name}-endpoints.yml", folder / f"{brain.name}-doors.yml"
    endpoints.write_text(yaml.safe_dump({"action_endpoint": called, "tracker_store": store | where}))
    ours = {} if stock else {"bot.serving.channel.ZhikeInput": {"secret": secret}}
    doors.write_text(yaml.safe_dump({"rest": None, **ours}))
    module = "rasa" if stock else "bot.serving.run"
    command = [str(BOT_PYTHON), "-m", module, "run", "-i", "127.0.0.1", "-p", str(port), "--enable-api"]
    command += ["--model", str(brain.model), "--endpoints", str(endpoints), "--credentials", str(doors)]
    brain.url = f"http://127.0.0.1:{port}"
    begun = time.monotonic()
    with (folder / f"{brain.name}.log").open("wb") as log, httpx.Client(trust_env=False, timeout=5) as http:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=log, stderr=log)
        brain.pid = process.pid
        try:
            while not _is_up(http, brain.url + ("/status" if stock else "/webhooks/zhike/ready")):
                if process.poll() is not None or time.monotonic() > begun + 300:
                    raise RuntimeError(f"{brain.name} did not start: {folder}")
                time.sleep(0.1)
            brain.start = time.monotonic() - begun
            yield brain
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _is_up(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def hands() -> Iterator[int]:
    """The neutral bot's action server."""
    port = free_port()
    command = [str(APP_BIN / "python"), "-m", "scripts.bench_bot", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with httpx.Client(trust_env=False, timeout=5) as http:
        while True:
            try:
                http.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.HTTPError:
                time.sleep(0.1)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


# Talks


class Texts:
    """What is said: phrases that both brains read as meant, each said once by a talk before any comes again."""

    def __init__(self, answers: Sequence[str], actions: Sequence[str], begins: Sequence[str]) -> None:
        self._all = {"answer": answers, "action": actions, "form": begins}
        self._at = dict.fromkeys(self._all, 0)

    def next(self, kind: str) -> list[str]:
        """The lines of a talk of one kind."""
        texts = self._all[kind]
        text = texts[self._at[kind] % len(texts)]
        self._at[kind] += 1
        number = f"2026{random.Random(self._at[kind]).randrange(10**11):011d}"
        return [text] if kind != "form" else [text, f"订单号{number}", "不想要了，买错了"]


class Caller:
    """A connection that is kept. A client for everybody takes two milliseconds of its own for a call, half of a turn; this one
    knows only what Rasa's server says."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> "Caller":
        self._ends = await asyncio.open_connection("127.0.0.1", int(self._brain.url.rsplit(":", 1)[1]), limit=2**22)
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._ends is not None
        self._ends[1].close()

    async def post(self, path: str, told: object) -> tuple[float, Any]:
        """Seconds until the answer, and the answer. Raises RuntimeError for any but 200."""
        assert self._ends is not None
        reader, writer = self._ends
        body = json.dumps(told).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: brain\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        begun = time.perf_counter()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = LENGTH.search(answer)
        data = await reader.readexactly(int(length[1]) if length else 0)
        took = time.perf_counter() - begun
        if " 200 " not in answer.split("\r\n", 1)[0]:
            raise RuntimeError(f"{self._brain.name} answered {answer} {data!r}")
        return took, json.loads(data)

    async def say(self, sender: str, text: str) -> float:
        """Seconds of a turn. Raises RuntimeError without an answer."""
        took, told = await self.post("/webhooks/rest/webhook", {"sender": sender, "message": text})
        if not told:
            raise RuntimeError(f"{self._brain.name} said nothing to {text}")
        return took

    async def parse(self, text: str) -> str:
        """What a text is read as."""
        took, told = await self.post("/model/parse", {"text": text})
        self._brain.parses.append(took)
        return str(told["intent"]["name"])


async def turns(brain: Brain, kind: str, talks: Sequence[list[str]]) -> None:
    """One talk after the other."""
    before = brain.ran()
    async with Caller(brain) as caller:
        for lines in talks:
            sender = uuid.uuid4().hex
            brain.turns.setdefault(kind, []).extend([await caller.say(sender, line) for line in lines])
    brain.processor[kind] = brain.processor.get(kind, 0.0) + brain.ran() - before


async def rate(brain: Brain, parallel: int, talks: list[list[str]]) -> None:
    """Turns a second of so many talks at a time."""
    left = list(talks)

    async def one() -> int:
        done = 0
        async with Caller(brain) as caller:
            while left:
                sender = uuid.uuid4().hex
                for line in left.pop():
                    await caller.say(sender, line)
                    done += 1
        return done

    begun = time.perf_counter()
    done = sum(await asyncio.gather(*(one() for _ in range(parallel))))
    brain.rates.setdefault(parallel, []).append(done / (time.perf_counter() - begun))


async def grow(brain: Brain, texts: Texts) -> None:
    """Long talks: the mean turn around the event numbers 5 and LONG_EVENTS, both over the same ten texts, which were said in
    a talk before, so that neither is the first to read them."""
    said = [texts.next("action")[0] for _ in range(10)]

    async def talk(lines: int) -> list[float]:
        sender = uuid.uuid4().hex
        return [await caller.say(sender, said[n % len(said)]) for n in range(lines)]

    async with Caller(brain) as caller:
        await talk(len(said))
        took = [await talk(LONG_EVENTS // 5) for _ in range(LONG_TALKS)]  # a turn with an action is five events
    brain.growth = {
        5: statistics.mean(one for talk in took for one in talk[1 : 1 + len(said)]),
        LONG_EVENTS: statistics.mean(one for talk in took for one in talk[-len(said) :]),
    }


async def agreed(brains: Sequence[Brain], intents: list[str], most: int) -> list[str]:
    """Texts that all brains read as one of these intents. Each reads all of them at one go, so that none of them finds the
    machine's caches full of the other's."""
    texts = bench_bot.spoken(intents)[: 3 * most]
    right = dict.fromkeys(texts, True)
    for brain in brains:
        async with Caller(brain) as caller:
            for text in texts:
                right[text] &= await caller.parse(text) in intents
    return [text for text in texts if right[text]][:most]


async def measure(brains: Sequence[Brain], most: int) -> None:
    """All of it, in windows that alternate."""
    answers = await agreed(brains, bench_bot.answered(), 600)
    actions = await agreed(brains, list(bench_bot.LOOKED_UP), 200)
    begins = await agreed(brains, [bench_bot.FORM], 40)
    said = {brain.name: Texts(answers, actions, begins) for brain in brains}
    for window in range(WINDOWS):
        for brain in brains:
            for kind in KINDS:
                count = TURNS // 3 if kind == "form" else TURNS
                await turns(brain, kind, [said[brain.name].next(kind) for _ in range(count)])
            for parallel in PARALLEL:
                mixed = [said[brain.name].next(kind) for kind in KINDS for _ in range(most)]
                await rate(brain, parallel, mixed if window else mixed[: most // 2])
    for brain in brains:
        await grow(brain, said[brain.name])


# The table


def main() -> None:
    """Trains what is missing, measures, prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--whole", action="store_true", help="train stock for all its epochs")
    parser.add_argument("--talks", type=int, default=30, help="talks of each kind in a window of the throughput")
    chosen = parser.parse_args()
    stock = trained("stock", STOCK, EPOCHS if chosen.whole else TRIED)
    ours = trained("ours", OURS, EPOCHS)
    folder = KEPT / "run"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.db*"):
        old.unlink()
    with ExitStack() as running:
        port = running.enter_context(hands())
        running.enter_context(served(stock, port, folder, stock=True))
        running.enter_context(served(ours, port, folder, stock=False))
        asyncio.run(measure([stock, ours], chosen.talks))
        table(stock, ours, [stock.memory(), ours.memory()])


def table(stock: Brain, ours: Brain, memory: Sequence[float]) -> None:
    """Ours beside stock, and how many times cheaper."""
    print(f"{'':34}{'stock':>12}{'ours':>12}{'stock/ours':>12}")

    def row(name: str, a: float, b: float, unit: str, *, more_is_better: bool = False) -> None:
        print(f"{name + ', ' + unit:34}{a:>12.1f}{b:>12.1f}{(b / a if more_is_better else a / b):>12.1f}")

    row("parse p50", *(1000 * statistics.median(b.parses) for b in (stock, ours)), "ms")
    for kind in KINDS:
        row(f"turn ({kind}) p50", *(1000 * statistics.median(b.turns[kind]) for b in (stock, ours)), "ms")
        row(f"turn ({kind}) p95", *(1000 * _p95(b.turns[kind]) for b in (stock, ours)), "ms")
        row(f"processor ({kind})", *(1000 * b.processor[kind] / len(b.turns[kind]) for b in (stock, ours)), "ms")
    for parallel in PARALLEL:
        both = [statistics.median(b.rates[parallel]) for b in (stock, ours)]
        row(f"{parallel} talks at a time", *both, "turns/s", more_is_better=True)
    for events in (5, LONG_EVENTS):
        row(f"mean turn at {events} events", *(1000 * b.growth[events] for b in (stock, ours)), "ms")
    row("start to ready", stock.start, ours.start, "s")
    row("memory after the run", *memory, "MiB")
    row("training", stock.training, ours.training, "s")


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[int(0.95 * (len(times) - 1))]


if __name__ == "__main__":
    main()
