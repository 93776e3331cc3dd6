"""Looks at talks again at a given time: one thread for all of them, and each talk once."""

import threading
import time
from collections.abc import Callable

Look = Callable[[str], None]


class Later:
    """``look(conversation_id)`` is called from its thread; it must be quick and raise nothing."""

    def __init__(self, name: str, look: Look) -> None:
        self._name, self._look = name, look
        self._changed = threading.Condition()
        self._times: dict[str, float] = {}
        self._runs = False

    def look(self, conversation_id: str, seconds: float) -> None:
        """In so many seconds; what was to be looked at sooner stays so."""
        at = time.monotonic() + max(0.0, seconds)
        with self._changed:
            self._times[conversation_id] = min(at, self._times.get(conversation_id, at))
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            for conversation_id in self._due():
                self._look(conversation_id)

    def _due(self) -> list[str]:
        """Those whose time has come, once there are any."""
        with self._changed:
            while True:
                now = time.monotonic()
                due = [conversation_id for conversation_id, at in self._times.items() if at <= now]
                if due:
                    for conversation_id in due:
                        del self._times[conversation_id]
                    return due
                self._changed.wait(min(self._times.values()) - now if self._times else None)
