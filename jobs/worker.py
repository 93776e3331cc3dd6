"""The background threads: they answer turns and look for what is due. The database says what is to be done.

They run inside every web process. Waking is only a hurry-up: whatever it misses the sweep finds.
"""

import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from core import clock, db, settings, wake
from helpdesk.conversations import turns
from helpdesk.conversations import usecases as conversations
from helpdesk.learning import trainings
from helpdesk.routing import distribution
from helpdesk.routing import queue as queue_of_talks
from helpdesk.routing import usecases as routing
from helpdesk.staff import usecases as staff
from jobs.later import Later
from jobs.training import Trainer
from jobs.turns import heard, run

log = logging.getLogger(__name__)
SLOW_SWEEP_SECONDS = 5.0
SWITCH_SECONDS = 0.0005  # a step of a transaction must not wait 5 ms, Python's own pace, for each thread that computes


class Worker:
    """Threads that take turns, and one that sweeps."""

    def __init__(self) -> None:
        self._todo: queue.Queue[str | None] = queue.Queue()
        self._queued: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._to_distribute = threading.Event()
        self._trainer = Trainer()
        self._later = Later("turns-later", self.look_at)

    def start(self) -> None:
        """Begins."""
        sys.setswitchinterval(SWITCH_SECONDS)
        wake.listen(conversations.CHANGED, self._changed)
        wake.listen(turns.WAITING, lambda data: self.look_at(data["id"]))
        wake.listen(queue_of_talks.QUEUE, lambda _data: self._to_distribute.set())
        wake.listen(trainings.ASKED, lambda _data: self._trainer.look())
        for n in range(settings.load().turn_workers):
            self._begin(f"turns-{n}", self._answer)
        self._begin("routing", self._distribute)
        self._begin("sweep", self._sweep)

    def _changed(self, data: dict[str, Any]) -> None:
        """Only a customer's line, or another state, can leave something for the bot to answer."""
        if data.get("by", "customer") == "customer":
            self.look_at(data["id"])

    def _begin(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Ends after the turns under way."""
        self._stop.set()
        self._to_distribute.set()
        for _ in self._threads:
            self._todo.put(None)

    def look_at(self, conversation_id: str) -> None:
        """Puts a talk on the list, once."""
        with self._lock:
            if conversation_id in self._queued:
                return
            self._queued.add(conversation_id)
        self._todo.put(conversation_id)

    def _answer(self) -> None:
        while not self._stop.is_set():
            conversation_id = self._todo.get()
            if conversation_id is None:
                return
            with self._lock:
                self._queued.discard(conversation_id)
            try:
                pause = run(conversation_id)
                if pause is not None:
                    self._later.look(conversation_id, (pause.until - clock.now()).total_seconds())
            except Exception:
                log.exception("a turn failed")  # its lease runs out and the sweep finds it again

    def _distribute(self) -> None:
        """Whenever somebody waits or a place is free; every sweep as well, since waiting opens talks to more agents."""
        while not self._stop.is_set():
            self._to_distribute.wait(settings.load().sweep_seconds)
            self._to_distribute.clear()
            try:
                self._give_back_unanswered()
                while self._give_some():
                    pass
            except Exception:
                log.exception("a distribution failed")  # the next one comes in half a second

    @staticmethod
    def _give_some() -> int:
        with db.reading() as session:
            if not distribution.pending(session, clock.now()):
                return 0
        with db.writing() as session:
            return distribution.distribute(session, clock.now())

    @staticmethod
    def _give_back_unanswered() -> None:
        with db.reading() as session:
            late = distribution.unanswered(session, clock.now())
        for agent_id, conversation_id in late:
            with db.writing() as session:  # one at a time: two agents' locks at once could wait in a circle
                routing.not_answered(session, agent_id, conversation_id, clock.now())

    def _sweep(self) -> None:
        chosen = settings.load()
        slow_at = 0.0
        while not self._stop.wait(chosen.sweep_seconds):
            try:
                with db.reading() as session:
                    for conversation_id in turns.due(session, clock.now()):
                        self.look_at(conversation_id)
                if heard.seconds_ago() > turns.give_up_seconds():
                    self._give_up()
                if time.monotonic() >= slow_at:
                    slow_at = time.monotonic() + SLOW_SWEEP_SECONDS
                    self._slow_sweep()
            except Exception:
                log.exception("a sweep failed")  # the next one comes in half a second

    def _give_up(self) -> None:
        """A brain that hangs keeps all threads waiting; nobody else's patience should hang on that."""
        while True:
            with db.writing() as session:
                if not turns.give_up(session, clock.now()):
                    return

    def _slow_sweep(self) -> None:
        with db.reading() as session:
            silent = staff.silent(session, clock.now())
        for agent_id in silent:
            with db.writing() as session:  # one agent at a time: two agents' locks at once could wait in a circle
                if staff.drop_silent(session, agent_id, clock.now()):
                    log.info("a silent agent is offline now")
        with db.writing() as session:
            staff.forget_sessions(session, clock.now())
        self._trainer.look()
        wake.call(queue_of_talks.QUEUE)  # places and waits change with time
