"""Tells those who wait in this process that something is new, after it is committed.

Only a hurry-up: whoever listens also looks at the database from time to time, so a lost call delays, never loses.
A use case says :func:`note` while it works; :func:`core.db.writing` calls :func:`flush` after the commit.
"""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

log = logging.getLogger(__name__)
Listener = Callable[[dict[str, Any]], None]

_listeners: dict[str, list[Listener]] = {}
_at_once: dict[str, list[Callable[[], None]]] = {}
_calls: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
_started = threading.Lock()
_thread: threading.Thread | None = None


def listen(topic: str, listener: Listener) -> None:
    """Calls ``listener(data)`` for each call on the topic, one after another in one thread, in order."""
    global _thread
    with _started:
        _listeners.setdefault(topic, []).append(listener)
        if _thread is None:
            _thread = threading.Thread(target=_run, name="wake", daemon=True)
            _thread.start()


def at_once(topic: str, listener: Callable[[], None]) -> None:
    """Calls ``listener()`` for each call on the topic, in the thread that calls and before it goes on: for what must not
    be read any more once the change is committed. It must be quick and raise nothing."""
    _at_once.setdefault(topic, []).append(listener)


def note(session: Session, topic: str, **data: Any) -> None:
    """Calls the topic's listeners once this session is committed; not at all when it is rolled back."""
    session.info.setdefault("wake", []).append((topic, data))


def flush(session: Session) -> None:
    """Makes the calls noted in a session."""
    for topic, data in session.info.pop("wake", []):
        call(topic, **data)


def call(topic: str, **data: Any) -> None:
    """Calls the topic's listeners now (from the wake thread)."""
    for quick in _at_once.get(topic, ()):
        quick()
    if topic in _listeners:
        _calls.put((topic, data))


def _run() -> None:
    while True:
        topic, data = _calls.get()
        for listener in tuple(_listeners.get(topic, ())):
            try:
                listener(data)
            except Exception:
                log.exception("a listener of %s failed", topic)  # the others must still hear it
