"""The platform's calls that are held in this process until their answer is there.

How many may be is bounded, to one while the bot is too slow for it. They ask for nothing themselves: one thread looks for all of them at once – at those whose talk
has changed here at once, at all of them from time to time, for another process may have answered.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from channels.wechat import outgoing
from channels.wechat.outgoing import Outlook
from core import clock, db, settings, wake
from helpdesk.conversations import usecases as conversations

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.4
IN_VAIN_SECONDS = 10.0  # after a wait without an answer the bot is too slow for waits: one call at a time tries


@dataclass(eq=False)
class Held:
    """A call that waits under a mark for the answer to the line ``seq`` of a talk."""

    user_id: int
    conversation_id: str
    mark: str
    seq: int
    look_at: float = 0.0  # monotonic
    outlook: Outlook | None = None
    decided: threading.Event = field(default_factory=threading.Event)

    def judge(self, outlook: Outlook | None) -> None:
        """Ends the wait when there is something to do; else says when to look again."""
        busy = (outlook.busy_until - clock.now()).total_seconds() if outlook and outlook.busy_until else 0.0
        if outlook is None or outlook.is_over(self.mark) or not (outlook.due or outlook.is_pending(self.seq)):
            pass
        elif not outlook.due:
            return
        elif busy > 0:
            self.look_at = min(self.look_at, time.monotonic() + busy)  # a send is over long before its lease
            return
        self.outlook = outlook
        self.decided.set()


class Waiting:
    """All held calls of a process, and the thread that looks for them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places = 0  # taken, by calls that wait or are about to
        self._held: list[Held] = []
        self._runs = False
        self._in_vain_until = 0.0

    def enter(self) -> bool:
        """Whether one more may be held."""
        with self._changed:
            in_vain = time.monotonic() < self._in_vain_until
            if self._places >= (1 if in_vain else settings.load().wechat_waiting):
                return False
            self._places += 1
            if not self._runs:
                self._runs = True
                wake.listen(conversations.CHANGED, self._ring)
                threading.Thread(target=self._run, name="wechat-waiting", daemon=True).start()
            return True

    def leave(self) -> None:
        """One less."""
        with self._changed:
            self._places -= 1

    def holds(self, conversation_id: str) -> bool:
        """Whether a call waits here for this talk's answer; it rings outgoing.FREE when it ends without one."""
        with self._changed:
            return any(call.conversation_id == conversation_id for call in self._held)

    def wait(self, call: Held, seconds: float) -> Outlook | None:
        """Until something is due, nothing will come, or the wait is over for all deliveries of the message: how things stand
        then. None when the time was up before."""
        with self._changed:
            self._held.append(call)
            self._changed.notify()
        in_time = call.decided.wait(max(0.0, seconds))
        with self._changed:
            self._held.remove(call)
            self._in_vain_until = 0.0 if in_time else time.monotonic() + IN_VAIN_SECONDS
        return call.outlook

    def _ring(self, data: dict[str, Any]) -> None:
        """A line of the customer's own changes nothing for those who wait."""
        if data.get("by") == "customer":
            return
        with self._changed:
            for call in self._held:
                if call.conversation_id == data["id"]:
                    call.look_at = 0.0
                    self._changed.notify()

    def _run(self) -> None:
        while True:
            calls = self._next()
            try:
                with db.reading() as session:
                    found = outgoing.outlooks(session, sorted({call.user_id for call in calls}))
                for call in calls:
                    call.judge(found.get(call.user_id))
            except Exception:
                log.exception("a look for the calls that wait failed")  # the next one comes soon

    def _next(self) -> list[Held]:
        """The calls to look for, once there are any: they are looked for again in LOOK_SECONDS."""
        with self._changed:
            while True:
                now = time.monotonic()
                waiting = [call for call in self._held if not call.decided.is_set()]
                calls = [call for call in waiting if call.look_at <= now]
                if calls:
                    for call in calls:
                        call.look_at = now + LOOK_SECONDS
                    return calls
                self._changed.wait(min(call.look_at for call in waiting) - now if waiting else None)


waiting = Waiting()
