"""What was decided about who serves whom, kept so that it can be looked at later, and what it is decided by."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Assignment(Base):
    """One stretch of a talk with one agent.

    ``how``: assigned (by the rules), taken (by the agent), taken_over, reassigned (by a supervisor). ``decision``: the
    candidates as they were (rules.Decision.kept), so that it can be decided again. ``ended_by``: closed, transferred,
    dropped (agent gone), unanswered, taken_over, reassigned.
    """

    __tablename__ = "assignments"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    skill: Mapped[str | None] = mapped_column(String(40))
    how: Mapped[str] = mapped_column(String(20), default="taken")
    reason: Mapped[str] = mapped_column(String(100), default="")
    decision: Mapped[dict[str, Any] | None]
    queued_at: Mapped[datetime]
    accepted_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(20))


class QueueStay(Base):
    """One stay of a talk in the queue. ``ended_by``: assigned, left, closed, follow_up (a message or call-back instead).

    ``told_wait_seconds``: the estimate told at its beginning; None when nobody was there, or nothing was told.
    """

    __tablename__ = "queue_stays"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    skill: Mapped[str | None] = mapped_column(String(40))
    level: Mapped[str | None] = mapped_column(String(20))
    priority: Mapped[int]
    first: Mapped[bool]  # False: came back (transfer, agent gone)
    told_wait_seconds: Mapped[int | None]
    begun_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(20))


class ClientManager(Base):
    """The dedicated manager (专属客户经理) of a key customer."""

    __tablename__ = "client_managers"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)


class OpeningHours(Base):
    """The span of one kind of day (workday, weekend, holiday), in the business's zone; without times: closed.

    No row at all: always open.
    """

    __tablename__ = "opening_hours"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    opens: Mapped[time | None]
    closes: Mapped[time | None]


class SpecialDay(Base):
    """A date with hours of its own; without times: closed."""

    __tablename__ = "special_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    note: Mapped[str] = mapped_column(String(60), default="")


class Mention(Base):
    """A colleague who was asked for advice in a private note: may read the talk and add notes."""

    __tablename__ = "mentions"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    seq: Mapped[int]
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    by_agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
