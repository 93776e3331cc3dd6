"""Corporate enquiries on their way to sales."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Lead(Base):
    """A corporate or undecided enquiry (潜在客户). ``call_due_at``: a sales manager calls by then."""

    __tablename__ = "leads"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(String(40))
    company: Mapped[str] = mapped_column(String(120))
    contact: Mapped[str] = mapped_column(String(60), default="")
    phone: Mapped[str] = mapped_column(String(20))
    wish: Mapped[str] = mapped_column(String(500))
    status: Mapped[str] = mapped_column(String(20), default="new")
    created_at: Mapped[datetime]
    call_due_at: Mapped[datetime]
