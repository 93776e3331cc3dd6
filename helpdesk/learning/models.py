"""What was collected from talks, and the trainings that learned from it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base
from helpdesk.staff.models import Agent


class Training(Base):
    """One try at a better model: ``step`` says where it is (rules.Step). While it runs its process renews the lease;
    when the lease has run out, another process begins it anew. ``report``: both models' numbers and what got worse.
    """

    __tablename__ = "trainings"

    id: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(String(20), index=True)
    phrases: Mapped[int] = mapped_column(default=0)  # new ones in it
    reason: Mapped[str] = mapped_column(Text, default="")  # why it was refused or failed, in Chinese
    report: Mapped[dict[str, Any] | None]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))  # None: from the command line
    asked_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lease_id: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)

    agent: Mapped[Agent | None] = relationship()


class Collected(Base):
    """A masked message the bot was not sure of, or a wording an editor wrote (then without a talk). See rules.State."""

    __tablename__ = "collected_messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        Index("ix_collected_messages_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text)
    intent: Mapped[str | None] = mapped_column(String(40))  # the nearest reading
    confidence: Mapped[float | None]  # of that reading, 0 to 1
    decision: Mapped[str | None] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(String(20))
    hint: Mapped[str | None] = mapped_column(String(200))
    hint_kind: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12), default="open")
    assigned_intent: Mapped[str | None] = mapped_column(String(40))
    assigned_by: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    assigned_at: Mapped[datetime | None]
    training_id: Mapped[int | None] = mapped_column(ForeignKey("trainings.id"), index=True)  # the last one it was in
    created_at: Mapped[datetime]

    agent: Mapped[Agent | None] = relationship()
