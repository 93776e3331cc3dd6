"""Repairs and the visits (installation, repair) of engineers."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base
from crm.orders.models import OrderItem


class Repair(Base):
    """A fault reported. ``status``: booked, waiting_parts, repairing, done, cancelled. ``number`` is ``WX`` + 10 digits.

    ``way``: visit (large and installed goods) or send_in (small ones).
    """

    __tablename__ = "repairs"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"))
    fault: Mapped[str] = mapped_column(String(200))
    way: Mapped[str] = mapped_column(String(20))
    in_warranty: Mapped[bool]
    fee_cents: Mapped[int] = mapped_column(default=0)  # visit fee that may become due
    status: Mapped[str] = mapped_column(String(20))
    progress: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    item: Mapped[OrderItem] = relationship()


class Visit(Base):
    """An engineer's appointment. ``kind``: installation, repair; ``slot``: morning (9–12), afternoon (13–18);
    ``status``: booked, done, cancelled."""

    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"))
    repair_id: Mapped[int | None] = mapped_column(ForeignKey("repairs.id"))
    kind: Mapped[str] = mapped_column(String(20))
    day: Mapped[date]
    slot: Mapped[str] = mapped_column(String(20))
    engineer: Mapped[str | None] = mapped_column(String(40))
    engineer_phone: Mapped[str | None] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    moved: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    item: Mapped[OrderItem] = relationship()
