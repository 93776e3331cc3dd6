"""The outbox: each piece of a line that must be carried to a customer by a channel's platform."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Delivery(Base):
    """A part of a talk's line on its way. ``content``: what the channel sends (``{"type": "text", "text": …}``).

    ``state``: waiting (with ``error``: held, and why), sending (given to the platform, its answer not heard yet), sent,
    refused (the platform's rules forbid it), failed, uncertain (given to the platform twice without ever hearing back).
    ``carried_by``: the key of the customer's message whose answer took it along, which arrived at ``carried_at``.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq", "part"),
        Index("ix_deliveries_state", "state", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    part: Mapped[int]
    content: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(String(40), default="")
    carried_by: Mapped[str | None] = mapped_column(String(100), index=True)
    carried_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
