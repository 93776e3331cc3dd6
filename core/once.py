"""Work that may be asked for twice is done once: the result is kept in the transaction of the change.

A turn can reach the actions again (a crash, a time-out). Its use cases pass ``(turn_id, name)`` as the key; the second
time the kept result is given back and nothing is done.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import String
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

    Two at the same moment: the second one's commit fails on the primary key and leaves nothing behind.
    """
    if key is None:
        return work()
    kept = session.get(DoneOnce, key)
    if kept is not None:
        return kept.result
    result = work()
    session.add(DoneOnce(key=key, result=result, at=clock.now()))
    session.flush()
    return result
