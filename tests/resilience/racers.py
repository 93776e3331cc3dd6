"""What runs in the processes of the race tests: each function is one racer's part, started with all others at once."""

import itertools
import multiprocessing
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select

import migrations.models  # noqa: F401 – every table is known before the first query
from core import clock, db
from core.errors import Busy, Conflict, Refusal, TooMany
from core.once import once
from crm.customers.access import SIGNED_IN, Access, verify
from crm.customers.models import Customer
from crm.orders import usecases as orders
from helpdesk.conversations import turns, usecases
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.routing import distribution
from helpdesk.routing import usecases as routing
from helpdesk.routing.queue import load_by_agent
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import AuditEntry
from helpdesk.staff.rules import Presence

PROCESSES = 4
RACE_SECONDS = 120


class Crowd:
    """Operating-system processes that wait for a race."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._results: Any = spawn.Queue()
        self._doors: list[Any] = [spawn.Queue() for _ in range(PROCESSES)]
        self._gun = spawn.Barrier(PROCESSES)
        self._runners = [
            spawn.Process(target=_runner, args=(door, self._gun, self._results), daemon=True) for door in self._doors
        ]
        for runner in self._runners:
            runner.start()

    def race(self, engine: Engine, part: Callable[..., Any], lots: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Runs ``part(engine, *lot)`` for every lot, spread over the processes, a thread each, all started at the
        same moment; what they gave."""
        url = engine.url.render_as_string(hide_password=False)
        for n, door in enumerate(self._doors):
            door.put((url, part, lots[n::PROCESSES]))
        found = [self._results.get(timeout=RACE_SECONDS) for _ in lots]
        errors = [f for f in found if isinstance(f, str) and f.startswith("error: ")]
        assert not errors, errors[:3]
        return found

    def end(self) -> None:
        """They go home."""
        for door in self._doors:
            door.put(None)
        for runner in self._runners:
            runner.join(10)


def _runner(door: Any, gun: Any, results: Any) -> None:
    while (told := door.get()) is not None:
        url, part, share = told
        engine = db.make_engine(url)
        _run(engine, part, share, gun, results)
        engine.dispose()


def _run(engine: Engine, part: Callable[..., Any], share: Sequence[tuple[Any, ...]], gun: Any, results: Any) -> None:
    ready = threading.Barrier(len(share) + 1)

    def run(lot: tuple[Any, ...]) -> None:
        ready.wait(RACE_SECONDS)
        try:
            results.put(part(engine, *lot))
        except Exception as error:
            results.put(f"error: {type(error).__name__}: {error}")

    with ThreadPoolExecutor(len(share) or 1) as pool:
        running = [pool.submit(run, lot) for lot in share]
        gun.wait(RACE_SECONDS)
        ready.wait(RACE_SECONDS)
        for one in running:
            one.result()


def serve(engine: Engine, agent_id: int, talks: list[str]) -> list[str]:
    """An agent who takes the next one and picks out others in turn, until there is no more to take; the talks got."""
    order = random.Random(agent_id).sample(talks, len(talks))
    got: list[str] = []
    for n in itertools.count():
        try:
            with db.writing(engine) as session:
                if n % 2 and order:
                    talk = distribution.accept(session, agent_id, order.pop(), clock.now())
                else:
                    found = distribution.take_next(session, agent_id, clock.now())
                    if found is None:
                        return got
                    talk = found
            if talk.id not in got:  # one's own may be accepted again
                got.append(talk.id)
        except Conflict as conflict:
            if conflict.code == "capacity":
                return got
    return got


def turmoil(engine: Engine, agent_id: int, talks: list[str]) -> int:
    """An agent who takes, writes, goes and comes back; how many talks were taken in all."""
    taken = 0
    for n in range(12):
        try:
            with db.writing(engine) as session:
                talk = distribution.take_next(session, agent_id, clock.now())
            if talk is None:
                continue
            taken += 1
            with db.writing(engine) as session:
                mine = usecases.locked(session, talk.id)
                agent = session.get_one(staff.Agent, agent_id)
                routing.say(session, mine, agent, clock.now(), text="您好", client_message_id=f"{agent_id}-{n}")
            with db.writing(engine) as session:
                staff.seen(session, [agent_id], clock.now())
            if n % 3 == 2:
                with db.writing(engine) as session:
                    staff.set_presence(session, agent_id, Presence.OFFLINE, clock.now())
                with db.writing(engine) as session:
                    staff.set_presence(session, agent_id, Presence.ONLINE, clock.now())
        except Conflict:
            pass
    return taken


def vanish(engine: Engine, agent_ids: list[int]) -> int:
    """The sweep that finds agents silent, again and again."""
    for _ in range(12):
        for agent_id in agent_ids:
            with db.writing(engine) as session:
                staff.drop_silent(session, agent_id, clock.now() + timedelta(hours=1))
            with db.writing(engine) as session:
                staff.set_presence(session, agent_id, Presence.ONLINE, clock.now())
    return 0


def say(engine: Engine, talk_id: str, ids: list[str]) -> list[tuple[str, int, bool]]:
    """A customer's program that sends these; what was acknowledged."""
    got = []
    for key in ids:
        with db.writing(engine) as session:
            seq, new = usecases.receive(session, clock.now(), talk_id, text=key, client_message_id=key)
        got.append((key, seq, new))
    return got


def take(engine: Engine, talk_id: str) -> str | None:
    """A worker that wants the talk's turn."""
    with db.writing(engine) as session:
        turn = turns.take(session, talk_id, clock.now())
    return turn.turn_id if turn else None


def guess(engine: Engine, talk_id: str, number: str, last4: str) -> str:
    """A guesser's try."""
    try:
        with db.writing(engine) as session:
            return "in" if verify(session, talk_id, number, last4, clock.now()) else "wrong"
    except TooMany:
        return "too many"


def call_off(engine: Engine, customer_id: int, number: str) -> str:
    """A customer's page that calls an order off, which it sees among the others."""
    try:
        with db.writing(engine) as session:
            access = Access(session.get_one(Customer, customer_id), SIGNED_IN)
            order = next(order for order in orders.visible(session, access) if order.number == number)
            orders.cancel(session, order, clock.now())
    except Refusal as refusal:
        return refusal.code
    return "called off"


def work(engine: Engine, key: str, who: int) -> int:
    """Somebody who does what is to be done once; whose result it was."""
    with db.writing(engine) as session:

        def do() -> dict[str, Any]:
            session.add(AuditEntry(what="worked", about=str(who), at=clock.now()))
            return {"who": who}

        return int(once(session, key, do)["who"])


def owners(engine: Engine) -> dict[str, int | None]:
    """Who has each talk that is with an agent."""
    with db.reading(engine) as session:
        found = session.execute(
            select(Conversation.id, Conversation.agent_id).where(Conversation.state == State.WITH_AGENT)
        )
        return dict(found.tuples().all())


def give(engine: Engine, number: int) -> int:
    """A process's routing: gives whatever can be given until all talks have had somebody; how many it gave."""
    given = 0
    while unserved(engine):
        now_given = 0
        with suppress(Busy), db.writing(engine) as session:  # four processes press hard on SQLite: once more then
            now_given = distribution.distribute(session, clock.now())
            session.flush()
            check_places(session)
        given += now_given
        if not now_given:
            threading.Event().wait(0.005)
    return given


def work_through(engine: Engine, agent_id: int, talks: list[str]) -> list[str]:
    """An agent who picks out talks and takes the next one beside the rules, and finishes what is held, until all is done."""
    order = random.Random(agent_id).sample(talks, len(talks))
    finished: list[str] = []
    for n in itertools.count():
        held = _held(engine, agent_id)
        if not held and not unserved(engine):
            return finished
        try:
            with db.writing(engine) as session:
                if held and n % 2:
                    mine = usecases.locked(session, held[0])
                    agent = session.get_one(staff.Agent, agent_id)
                    routing.finish(session, mine, agent, clock.now(), reason="已解决", tags=[])
                    finished.append(mine.id)
                elif order and n % 4 == 0:
                    distribution.accept(session, agent_id, order.pop(), clock.now())
                else:
                    distribution.take_next(session, agent_id, clock.now())
                session.flush()
                check_places(session)
        except Conflict as conflict:
            if held and n % 2 and conflict.code not in {"not_yours"}:
                raise
        except Busy:
            continue
    return finished


def check_places(session: Any) -> None:
    """In the very transaction that gave: nobody has more than fits. Raises AssertionError."""
    capacity = dict(session.execute(select(staff.Agent.id, staff.Agent.capacity)).all())
    for agent_id, load in load_by_agent(session).items():
        assert load <= capacity[agent_id], f"agent {agent_id} has {load} of {capacity[agent_id]}"


def _held(engine: Engine, agent_id: int) -> list[str]:
    with db.reading(engine) as session:
        mine = select(Conversation.id).where(Conversation.state == State.WITH_AGENT, Conversation.agent_id == agent_id)
        return list(session.scalars(mine.order_by(Conversation.id)))


def unserved(engine: Engine) -> bool:
    """Whether anybody still waits."""
    with db.reading(engine) as session:
        waiting = select(Conversation.id).where(Conversation.state == State.QUEUED)
        return session.scalar(waiting.limit(1)) is not None
