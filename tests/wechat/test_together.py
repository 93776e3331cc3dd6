"""Messages that arrive together are stored together, and one that cannot be stored takes none of the others with it."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import migrations.models  # noqa: F401 – every table is known
from core import clock, db, together
from core.once import DoneOnce

WAIT_SECONDS = 15
BUSY_SECONDS = 0.5


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database of its own, as the process's."""
    made = db.make_engine(f"sqlite:///{tmp_path / 'together.db'}")
    db.Base.metadata.create_all(made)
    monkeypatch.setattr(db, "engine", lambda: made)
    yield made
    made.dispose()


def keep(key: str, session: Session) -> str:
    """Stores a key; one that was stored before is refused by the database."""
    session.add(DoneOnce(key=key, result={}, at=clock.now()))
    session.flush()
    return key


def kept(engine: Engine) -> set[str]:
    """What another connection sees."""
    with db.reading(engine) as session:
        return set(session.scalars(select(DoneOnce.key)))


def test_who_goes_on_finds_the_own_work_committed(engine: Engine) -> None:
    assert together.writing(partial(keep, "one")) == "one"
    assert kept(engine) == {"one"}


def test_of_many_at_once_only_the_one_that_cannot_be_stored_fails(engine: Engine) -> None:
    together.writing(partial(keep, "taken"))
    begun, go_on = threading.Event(), threading.Event()

    def holds_the_others_up(session: Session) -> int:
        begun.set()
        assert go_on.wait(WAIT_SECONDS)
        return session.scalar(select(func.count()).select_from(DoneOnce)) or 0

    with ThreadPoolExecutor(13) as pool:
        first = pool.submit(together.writing, holds_the_others_up)
        assert begun.wait(WAIT_SECONDS)
        good = [pool.submit(together.writing, partial(keep, f"good-{n}")) for n in range(10)]
        bad = pool.submit(together.writing, partial(keep, "taken"))
        go_on.set()
        assert first.result(WAIT_SECONDS) == 1
        assert {one.result(WAIT_SECONDS) for one in good} == {f"good-{n}" for n in range(10)}
        with pytest.raises(Exception, match="UNIQUE"):
            bad.result(WAIT_SECONDS)
    assert kept(engine) == {"taken", *(f"good-{n}" for n in range(10))}


def test_who_wait_for_another_process_wait_together_and_are_told_together(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, the last of them would wait minutes for a lock that is held for seconds."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", BUSY_SECONDS * 1000)
    impatient = db.make_engine(str(engine.url))
    monkeypatch.setattr(db, "engine", lambda: impatient)
    tries = []
    store = together._store

    def counted(batch: list[together._Job]) -> None:
        tries.append(len(batch))
        store(batch)

    monkeypatch.setattr(together, "_store", counted)
    other = sqlite3.connect(tmp_path / "together.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(8) as pool:
        held_up = [pool.submit(together.writing, partial(keep, f"late-{n}")) for n in range(8)]
        for one in held_up:
            with pytest.raises(OperationalError):
                one.result(WAIT_SECONDS)
    assert sum(tries) == 8, "each was tried once"
    other.execute("ROLLBACK")
    assert together.writing(partial(keep, "late-0")) == "late-0"
    impatient.dispose()
