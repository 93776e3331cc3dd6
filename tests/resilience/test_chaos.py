"""Chaos through the public API: talks, agents, kill -9 of the web process (its worker with it) and a network that breaks.

What was acknowledged arrives exactly once and in order on both sides; every talk ends with an owner or in the queue;
a freed place is filled within a second. ``make chaos`` runs it whole: 200 talks, 20 agents, three minutes.
"""

import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from core import clock, db
from helpdesk.staff.models import Agent
from helpdesk.staff.usecases import hash_password
from tests.resilience.conftest import engine_of, until
from tests.resilience.cutter import Cutter
from tests.stack import Stack, stack

log = logging.getLogger(__name__)
PASSWORD = "correct horse battery"
FILLED_WITHIN_SECONDS = 1.0


@dataclass(frozen=True)
class Size:
    """How much chaos."""

    talks: int
    agents: int
    capacity: int
    seconds: float
    kills: int
    cuts: int
    pause: float  # seconds between two lines of a customer, at most


SMALL, WHOLE = Size(24, 4, 3, 10, 2, 3, 2.5), Size(200, 20, 5, 180, 8, 20, 10)
SIZE = WHOLE if os.environ.get("ZHIKE_CHAOS") == "whole" else SMALL
SEED = 20261122


class Line:
    """A person on a bad line: every call is made again until it is answered."""

    def __init__(self, port: int, over: threading.Event) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"
        self._over = over
        self.http = httpx.Client(timeout=8, trust_env=False)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """The first real answer (no 5xx). Raises AssertionError when there is none for a minute."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                told = self.http.request(method, self._url + path, json=body, params=query or None)
                if told.status_code < 500:
                    return told
            except httpx.HTTPError:
                pass
            self._over.wait(0.1)  # the line is bad: a moment later again
        raise AssertionError(f"no answer for a minute: {method} {path}")


@dataclass
class Said:
    """Lines somebody sent in a talk and that were acknowledged, in the order of sending: (seq, text)."""

    lines: list[tuple[int, str]] = field(default_factory=list)

    def send(self, line: Line, path: str, text: str, **more: Any) -> bool:
        """Sends until acknowledged; False when the talk is not the sender's any more."""
        told = line.call("POST", path, {"client_message_id": uuid.uuid4().hex, "text": text, **more})
        if told.status_code in {404, 409}:
            return False
        assert told.status_code in {200, 201, 202}, told.text
        self.lines.append((told.json()["seq"], text))
        return True


class Customer(Line):
    """Writes, asks for a person again whenever there is none, and reads on by number."""

    def __init__(self, port: int, over: threading.Event, seed: int) -> None:
        super().__init__(port, over)
        self._chance = random.Random(seed)
        made = self.call("POST", "/conversations", {"channel": "web"}).json()
        self.id = made["id"]
        self.http.headers["Authorization"] = f"Bearer {made['token']}"
        self.path = f"/conversations/{self.id}"
        self.said = Said()
        self.read: list[dict[str, Any]] = []

    def look(self) -> str:
        """Reads what is new; the state."""
        after = self.read[-1]["seq"] if self.read else 0
        told = self.call("GET", f"{self.path}/messages", after=after).json()
        self.read += told["messages"]
        return str(told["state"])

    def live(self, until_over: threading.Event) -> None:
        """Until the chaos is over."""
        number = 0
        while not until_over.is_set():
            state = self.look()
            if state in {"bot", "closed"}:
                self.call("POST", f"{self.path}/handoff", {})
            else:
                number += 1
                assert self.said.send(self, f"{self.path}/messages", f"客户第 {number} 句")
            until_over.wait(self._chance.uniform(0.1 * SIZE.pause, SIZE.pause))


class Colleague(Line):
    """Picks up, writes, finishes some, passes some on, goes away and comes back."""

    def __init__(self, port: int, over: threading.Event, seed: int, name: str) -> None:
        super().__init__(port, over)
        self._chance = random.Random(seed)
        told = self.call("POST", "/agent/session", {"name": name, "password": PASSWORD}).json()
        self.http.headers["Authorization"] = f"Bearer {told['token']}"
        self.said: dict[str, Said] = {}
        self._number = 0

    def online(self) -> None:
        """Takes talks."""
        assert self.call("PUT", "/agent/presence", {"state": "online"}).status_code == 200

    def mine(self) -> list[str]:
        """The talks held."""
        found = self.call("GET", "/agent/conversations", state="mine").json()["conversations"]
        return [talk["id"] for talk in found]

    def full(self) -> bool:
        """Turns to every talk held, and is there; whether all places are taken."""
        held = self.mine()
        for talk in held:
            self.call("POST", f"/agent/conversations/{talk}/accept")
        self.online()
        return len(held) == SIZE.capacity

    def live(self, until_over: threading.Event) -> None:
        """Until the chaos is over."""
        while not until_over.is_set():
            for talk in self.mine():
                path = f"/agent/conversations/{talk}"
                what = self._chance.random()
                if what < 0.6:
                    self._number += 1
                    said = self.said.setdefault(talk, Said())
                    said.send(self, f"{path}/messages", f"坐席第 {self._number} 句")
                elif what < 0.75:
                    self.call("POST", f"{path}/close", {"reason": "solved"})
                elif what < 0.8:
                    self.call("POST", f"{path}/transfer", {"to_skill": "orders", "note": "请接手"})
                else:
                    self.call("POST", f"{path}/accept")
            if self._chance.random() < 0.03:
                self.call("PUT", "/agent/presence", {"state": "offline"})
            self.online()
            until_over.wait(self._chance.uniform(0.1 * SIZE.pause, 0.4 * SIZE.pause))


@pytest.fixture
def running() -> Iterator[tuple[Stack, Cutter]]:
    """A web process alone – every talk is handed over, the bot is not needed – behind a network that can break."""
    with stack(ZHIKE_PICK_UP_SECONDS="6", ZHIKE_WEB_THREADS="160", ZHIKE_BRAIN_PATIENCE_SECONDS="3600") as made:
        made.start("web")
        cutter = Cutter(made.port("web"))
        yield made, cutter
        cutter.close()


def staff(made: Stack, size: Size) -> list[str]:
    """Agents in the database; their names."""
    names, hashed = [f"agent{n}" for n in range(size.agents)], hash_password(PASSWORD)
    engine = engine_of(made)
    with db.writing(engine) as session:
        session.add_all(
            Agent(
                name=name, display_name=f"客服{name}", role="agent", password_hash=hashed, capacity=size.capacity,
                created_at=clock.now(),
            )
            for name in names
        )  # fmt: skip
    engine.dispose()
    return names


def havoc(
    made: Stack, cutter: Cutter, customers: list[Customer], agents: list[Colleague], over: threading.Event
) -> None:
    """Kills and cuts in a seeded order, each only after people have got on with their talks again; for the size's time at
    least. Then everything is up."""
    chance = random.Random(SEED)
    events = ["kill"] * SIZE.kills + ["cut"] * SIZE.cuts
    chance.shuffle(events)
    begun = time.monotonic()
    for n, what in enumerate(events):
        over.wait(max(0.0, begun + SIZE.seconds * n / len(events) - time.monotonic()))
        _talked_on(customers, agents)
        if what == "kill":
            made.kill("web")
            made.start("web")
        else:
            cutter.cut()
            over.wait(chance.uniform(0.2, 1.5))
            cutter.mend()
    _talked_on(customers, agents)


def _talked_on(customers: list[Customer], agents: list[Colleague]) -> None:
    """Waits until both sides have written a good deal more."""

    def lines() -> tuple[int, int]:
        return sum(len(c.said.lines) for c in customers), sum(
            len(s.lines) for a in agents for s in list(a.said.values())
        )

    before = lines()
    more = len(customers) // 3, len(agents)
    until(
        lambda: lines()[0] >= before[0] + more[0] and lines()[1] >= before[1] + more[1],
        "people get on with their talks",
    )


def test_nothing_acknowledged_is_lost_doubled_or_reordered_and_nobody_waits_beside_a_free_place(
    running: tuple[Stack, Cutter],
) -> None:
    made, cutter = running
    over = threading.Event()
    names = staff(made, SIZE)
    with ThreadPoolExecutor(32) as pool:
        customers = list(pool.map(lambda n: Customer(cutter.port, over, SEED + n), range(SIZE.talks)))
        agents = list(pool.map(lambda n: Colleague(cutter.port, over, SEED - n, names[n]), range(SIZE.agents)))
    with ThreadPoolExecutor(SIZE.talks + SIZE.agents) as pool:
        living = [pool.submit(person.live, over) for person in (*customers, *agents)]
        try:
            havoc(made, cutter, customers, agents, over)
        finally:
            over.set()
        for person in living:
            person.result()  # raises what went wrong there

    settle(customers, agents)
    check_lines(customers, agents)
    seconds = refill(customers, agents)
    log.info("places filled after %.2f s at most, %d of them", max(seconds), len(seconds))
    assert sorted(seconds)[int(0.95 * (len(seconds) - 1))] <= FILLED_WITHIN_SECONDS


def settle(customers: list[Customer], agents: list[Colleague]) -> None:
    """Everybody wants a person; then all places are taken and the others stand in the queue."""
    for agent in agents:
        agent.online()
    for customer in customers:
        if customer.look() in {"bot", "closed"}:
            customer.call("POST", f"{customer.path}/handoff", {})
    places = len(agents) * SIZE.capacity

    def quiet() -> bool:
        for agent in agents:
            agent.full()
        states = [customer.look() for customer in customers]
        assert set(states) <= {"queued", "with_agent"}, set(states)
        return states.count("with_agent") == min(places, len(customers))

    until(quiet, "all places are taken")
    held = [talk for agent in agents for talk in agent.mine()]
    assert len(held) == len(set(held)) == min(places, len(customers))
    assert all(len(agent.mine()) <= SIZE.capacity for agent in agents)


def check_lines(customers: list[Customer], agents: list[Colleague]) -> None:
    """Both sides have every acknowledged line once, in order, and the same ones."""
    talks = {customer.id: customer for customer in customers}
    for customer in customers:
        fresh = customer.call("GET", f"{customer.path}/messages", after=0).json()["messages"]
        assert customer.read == fresh[: len(customer.read)], "read on by number: no hole, none twice"
        sent = [(m["seq"], m["text"]) for m in fresh if m["sender"] == "customer"]
        assert sent == customer.said.lines, "every acknowledged line once, in the order it was sent"
    for agent in agents:
        for talk, said in agent.said.items():
            theirs = {(m["seq"], m["text"]) for m in talks[talk].read if m["sender"] == "agent"}
            assert set(said.lines) <= theirs
            assert len({text for _, text in said.lines}) == len(said.lines)
            assert [seq for seq, _ in said.lines] == sorted(seq for seq, _ in said.lines)
        for talk in agent.mine():
            seen = agent.call("GET", f"/agent/conversations/{talk}").json()["messages"]
            shown = [(m["seq"], m["text"]) for m in seen if m["kind"] != "note"]
            assert shown[: len(talks[talk].read)] == [(m["seq"], m["text"]) for m in talks[talk].read]
    written = sum(len(customer.said.lines) for customer in customers)
    answered = sum(len(said.lines) for agent in agents for said in agent.said.values())
    log.info("%d lines of customers, %d of agents: each there once, in order", written, answered)
    assert written > len(customers) and answered > len(agents), "there was hardly any chaos"


def refill(customers: list[Customer], agents: list[Colleague]) -> list[float]:
    """Finishes a talk of each agent's while others wait; how long each place stays empty, in seconds."""
    seconds = []
    for agent in agents:
        until(agent.full, "all places are taken")  # what nobody turned to in time has gone back meanwhile
        agent.call("POST", f"/agent/conversations/{agent.mine()[0]}/close", {"reason": "solved"})
        begun = time.monotonic()
        until(lambda a=agent: len(a.mine()) == SIZE.capacity, "the place is filled", 20)
        seconds.append(time.monotonic() - begun)
        agent.full()
    return seconds
