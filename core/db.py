"""The database: one engine a process, sessions for reading and for writing, the base of all tables.

On SQLite a writing transaction begins IMMEDIATE, so two writers wait for each other instead of failing half-way;
readers see the last commit (WAL). On PostgreSQL rows that decide something are locked (``with_for_update``).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, SessionTransaction

from core import settings, wake
from core.errors import Busy

BUSY_TIMEOUT_MS = 10_000


class Changes(Exception):
    """A session that only looks (:func:`reading`) was asked to change something."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, naive UTC in the column (SQLite keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored; use core.clock.now()")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables. Constraint names are fixed so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON}


def make_engine(url: str) -> Engine:
    """An engine for a URL. ``postgresql://`` means psycopg 3."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=30)

    wait = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    # A thread waits for its turn to write holding a connection, so there must be one for each of the web's threads.
    engine = create_engine(parsed, hide_parameters=True, connect_args=wait, pool_size=20, max_overflow=400)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("zhike_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@lru_cache
def engine() -> Engine:
    """The engine of this process, made from the settings at first use."""
    chosen = settings.load()
    chosen.var_dir.mkdir(parents=True, exist_ok=True)
    return make_engine(chosen.database)


@lru_cache
def _to_write(engine: Engine) -> Engine:
    return engine.execution_options(zhike_write=True)


@lru_cache
def _to_look(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT") if engine.dialect.name == "postgresql" else engine


_turn_to_write = threading.Lock()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """On SQLite the threads of a process write one after another: in SQLite itself they would ask for the lock again and
    again with growing pauses, and many at once would hardly get anything done. Raises Busy."""
    if engine.dialect.name != "sqlite":
        yield
        return
    if not _turn_to_write.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
        raise Busy("这会儿人有点多，请过几秒再试一次，内容不会丢。", code="busy")
    try:
        yield
    finally:
        _turn_to_write.release()


@contextmanager
def writing(on: Engine | None = None) -> Iterator[Session]:
    """A session whose work is committed at the end, or undone when anything raises. Then listeners are woken."""
    bound = _to_write(on or engine())
    with Session(bound, expire_on_commit=False) as session:
        with _turn(bound), session.begin():
            yield session
        wake.flush(session)


def one_at_a_time(session: Session, *names: str) -> None:
    """Of all that name the same thing, one at a time goes on from here to the end of its transaction.

    For what is counted and then added to. On SQLite a writing transaction is alone anyhow.
    """
    if session.get_bind().dialect.name == "postgresql":
        for name in names:
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def lock(session: Session, row: Base) -> None:
    """Reads a row anew and keeps it from others until the end of the transaction. What was read along with it is not locked: on
    PostgreSQL an outer join cannot be."""
    session.refresh(row, with_for_update={"of": type(row)})


def count_on(session: Session) -> None:
    """After rows were stored under numbers of their own: new ones are numbered after them. (SQLite does so by itself.)"""
    session.flush()
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            session.execute(select(func.setval(sequence, func.max(column))).where(sequence.is_not(None)))


@contextmanager
def reading(on: Engine | None = None) -> Iterator[Session]:
    """A session that only looks; what would store or lock anything raises Changes. On PostgreSQL each of its questions sees
    what is committed then, as in a transaction of its level, without the calls that begin and end one."""
    with _LookingSession(_to_look(on or engine()), expire_on_commit=False) as session:
        yield session


class _LookingSession(Session):
    """What it changed would be lost without a word, or kept outside of any transaction."""

    def begin_nested(self) -> SessionTransaction:
        """A savepoint is for changes."""
        raise Changes("to set a savepoint")


@event.listens_for(_LookingSession, "before_flush")
def _stores_nothing(session: Session, *_: Any) -> None:
    raise Changes(f"to store: {[*session.new, *session.dirty, *session.deleted]}")


@event.listens_for(_LookingSession, "do_orm_execute")
def _only_selects(state: ORMExecuteState) -> None:
    locks = getattr(state.statement, "_for_update_arg", None) is not None
    if locks or not state.is_select:
        raise Changes(str(state.statement))
