"""Simple tickets (工单): something a person has to do by a time."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Ticket(Base):
    """``kind`` is one of :class:`helpdesk.tickets.rules.TicketKind`; ``status``: open, working, waiting, solved.

    ``number`` is ``GD`` + 10 digits.
    """

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(30), index=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(String(2000), default="")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    urgent: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[list[Any]]  # [{"at": iso, "text": …}] as told to the customer, oldest first
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    solved_at: Mapped[datetime | None]
