"""What must be acknowledged: writes of many threads in one transaction, where the database has one writer at a time anyhow (SQLite).

Under load a transaction for each would cost most of the time in taking turns. Each caller goes on after the commit, so nothing
is acknowledged that is not stored; when a piece of work fails, each of those it was with is done again, alone. On PostgreSQL,
where a transaction for many would hold the locks of them all, each has its own.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import db
from core.errors import Busy

MOST = 20
GIVE_WAY_SECONDS = 1.0
Work = Callable[[Session], Any]


class _Job:
    """A piece of work, and what came of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


_jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
_counting = threading.Lock()
_under_way = 0
_calm = threading.Event()
_calm.set()
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
    job = _Job(work)
    _jobs.put(job)
    job.done.wait()
    if job.error is not None:
        raise job.error
    result: T = job.result
    return result


@contextmanager
def urgent() -> Iterator[None]:
    """Meanwhile what gives way waits: somebody counts the seconds until this is done."""
    global _under_way
    with _counting:
        _under_way += 1
        _calm.clear()
    try:
        yield
    finally:
        with _counting:
            _under_way -= 1
            if not _under_way:
                _calm.set()


def give_way() -> None:
    """Where one writes at a time (SQLite), waits until nothing urgent is under way, but no longer than GIVE_WAY_SECONDS: what must
    be acknowledged goes before what may be done a moment later."""
    if db.engine().dialect.name == "sqlite":
        _calm.wait(GIVE_WAY_SECONDS)


def _run() -> None:
    while True:
        batch = [_jobs.get()]
        while len(batch) < MOST and not _jobs.empty():
            batch.append(_jobs.get())
        try:
            _store(batch)
        except (Busy, OperationalError) as error:  # nobody's work is at fault, and each alone would wait as long
            for job in batch:
                job.error = error
        except Exception:  # nothing of it is kept; whose work is at fault shows when each has its own transaction
            for job in batch:
                _store_alone(job)
        for job in batch:
            job.done.set()


def _store(batch: list[_Job]) -> None:
    with db.writing() as session:
        for job in batch:
            job.result = job.work(session)


def _store_alone(job: _Job) -> None:
    try:
        _store([job])
    except Exception as error:
        job.error = error
