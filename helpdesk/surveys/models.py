"""What customers said of a service, and suggestions and praise in their own words."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Rating(Base):
    """1–5 for a talk; ``of`` is bot or agent. The newest one for a talk and ``of`` counts."""

    __tablename__ = "ratings"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    of: Mapped[str] = mapped_column(String(10))
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(String(1000), default="")
    at: Mapped[datetime]


class Feedback(Base):
    """A suggestion or praise (``kind``) in the customer's words."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(2000))
    at: Mapped[datetime]
