"""Writes of many threads in one transaction, where the database has one writer at a time anyhow (SQLite).

Under load a transaction for each would cost most of the time in taking turns. Each caller goes on after the commit, so nothing
is acknowledged that is not stored; when a piece of work fails, each of those it was with is done again, alone. On PostgreSQL,
where a transaction for many would hold the locks of them all, each has its own.
"""

import queue
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from core import db

MOST = 20
Work = Callable[[Session], Any]


class _Job:
    """A piece of work, and what came of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


_jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
_idle = threading.Event()
_idle.set()
_started = threading.Lock()
_thread: threading.Thread | None = None


def writing[T](work: Callable[[Session], T]) -> T:
    """``work(session)``'s result, once it is committed. Raises what it raises, and then nothing of it is kept. ``work`` may be
    called twice, so it changes nothing but the database."""
    global _thread
    if db.engine().dialect.name != "sqlite":
        with db.writing() as session:
            return work(session)
    with _started:
        if _thread is None:
            _thread = threading.Thread(target=_run, name="together", daemon=True)
            _thread.start()
    _idle.clear()
    job = _Job(work)
    _jobs.put(job)
    job.done.wait()
    if job.error is not None:
        raise job.error
    result: T = job.result
    return result


def give_way(seconds: float) -> None:
    """Waits until nobody waits for a commit here, but no longer than this: what must be acknowledged goes before what may be
    done a moment later."""
    _idle.wait(seconds)


def _run() -> None:
    while True:
        batch = [_jobs.get()]
        while len(batch) < MOST and not _jobs.empty():
            batch.append(_jobs.get())
        try:
            _store(batch)
        except Exception:  # nothing of it is kept; whose work is at fault shows when each has its own transaction
            for job in batch:
                _store_alone(job)
        for job in batch:
            job.done.set()
        if _jobs.empty():  # who comes in between is overlooked once
            _idle.set()


def _store(batch: list[_Job]) -> None:
    with db.writing() as session:
        for job in batch:
            job.result = job.work(session)


def _store_alone(job: _Job) -> None:
    try:
        _store([job])
    except Exception as error:
        job.error = error
