"""Work that may be asked for twice is done once: the result is kept in the transaction of the change.

A turn can reach the actions again (a crash, a time-out). Its use cases pass ``(turn_id, name)`` as the key; the second
time the kept result is given back and nothing is done.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base


class DoneOnce(Base):
    """A key that was worked on, and what came of it."""

    __tablename__ = "done_once"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    result: Mapped[dict[str, Any]]
    at: Mapped[datetime]


def once(session: Session, key: str | None, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """``work()``'s result, or the kept one when the key is known. Without a key the work is simply done.

    The key is stored before the work: of two at the same moment the second waits for the first one's commit, and then
    gets its result. What raises leaves neither the key nor anything of the work behind.
    """
    if key is None:
        return work()
    kept = session.get(DoneOnce, key)
    if kept is not None:
        return kept.result
    try:
        with session.begin_nested():
            done = DoneOnce(key=key, result={}, at=clock.now())
            session.add(done)
            session.flush()
            done.result = work()
    except IntegrityError:
        kept = session.get(DoneOnce, key)
        if kept is None:
            raise
        return kept.result
    return done.result
