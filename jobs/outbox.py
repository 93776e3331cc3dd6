"""The threads that carry waiting lines to WeChat. The database says what is to be done; waking is only a hurry-up.

They run inside every web process: a user's lease sees to it that one of them sends at a time, in order.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from channels.wechat import outgoing, sending
from channels.wechat.models import WechatAccount
from channels.wechat.waiting import waiting
from core import clock, db, settings, together, wake
from helpdesk.conversations import usecases as conversations
from helpdesk.routing import queue as queue_of_talks
from jobs.later import Later

log = logging.getLogger(__name__)
PLACES_SECONDS = 5.0
LOOK_EVERY_SECONDS = 1.0
SOON_SECONDS = 10.0  # what can go out later than this the sweep finds


class Outbox:
    """Threads that send, and one that looks for what is due."""

    def __init__(self) -> None:
        self._todo: queue.Queue[str | None] = queue.Queue()
        self._queued: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._in_use = False
        self._later = Later("outbox-later", self.look_at)

    def start(self) -> None:
        """Begins."""
        wake.listen(conversations.CHANGED, self._changed)
        wake.listen(outgoing.FREE, lambda data: self.look_at(data["id"]))
        for n in range(settings.load().wechat_senders):
            self._begin(f"outbox-{n}", self._send)
        self._begin("outbox-sweep", self._sweep)

    def _changed(self, data: dict[str, Any]) -> None:
        """A customer's own line has nowhere to go; where a call waits, that one takes the answer along."""
        if data.get("by") != "customer" and not waiting.holds(data["id"]):
            self.look_at(data["id"])

    def _begin(self, name: str, target: Callable[[], None]) -> None:
        threading.Thread(target=target, name=name, daemon=True).start()

    def stop(self) -> None:
        """Ends after the calls under way."""
        self._stop.set()
        for _ in range(settings.load().wechat_senders):
            self._todo.put(None)

    def look_at(self, conversation_id: str) -> None:
        """Puts a talk on the list, once; nothing while no account is connected."""
        with self._lock:
            if not self._in_use or conversation_id in self._queued:
                return
            self._queued.add(conversation_id)
        self._todo.put(conversation_id)

    def _send(self) -> None:
        while not self._stop.is_set():
            conversation_id = self._todo.get()
            if conversation_id is None:
                return
            with self._lock:
                self._queued.discard(conversation_id)
            try:
                self._work_on(conversation_id)
            except Exception:
                log.exception("a send failed")  # its lease runs out and the sweep finds it again

    def _work_on(self, conversation_id: str) -> None:
        while True:
            now = clock.now()
            with db.reading() as session:
                at = outgoing.glance(session, conversation_id, now)
            if at is not None and at <= now:
                together.give_way()
                with db.writing() as session:
                    job = outgoing.claim(session, conversation_id, clock.now())
                if isinstance(job, outgoing.Job):
                    sending.send(job)
                    continue
                at = job
            if at is not None:
                self._look_later(conversation_id, at)
            return

    def _look_later(self, conversation_id: str, at: datetime) -> None:
        seconds = (at - clock.now()).total_seconds()
        if seconds <= SOON_SECONDS:
            self._later.look(conversation_id, max(0.02, seconds))

    def _sweep(self) -> None:
        places_at = 0.0
        while not self._stop.is_set():
            try:
                with db.reading() as session:
                    self._in_use = session.scalar(select(WechatAccount.id).limit(1)) is not None
                    found = outgoing.due(session, clock.now()) if self._in_use else []
                for conversation_id in found:
                    self.look_at(conversation_id)
                if self._in_use and time.monotonic() >= places_at:
                    places_at = time.monotonic() + PLACES_SECONDS
                    self._tell_places()
            except Exception:
                log.exception("a sweep of the outbox failed")  # the next one comes soon
            self._stop.wait(LOOK_EVERY_SECONDS)

    @staticmethod
    def _tell_places() -> None:
        now = clock.now()
        with db.reading() as session:
            waiting = outgoing.to_tell(session, now)
            seen = queue_of_talks.picture(session, now) if waiting else None
        for conversation_id in waiting:
            if seen is not None:
                with db.writing() as session:
                    outgoing.tell_place(session, conversation_id, seen, now)
