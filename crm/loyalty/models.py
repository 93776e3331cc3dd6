"""Points and coupons."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class PointsEntry(Base):
    """A movement of points; the balance stands in ``customers.points``."""

    __tablename__ = "points_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    amount: Mapped[int]
    reason: Mapped[str] = mapped_column(String(100))
    order_number: Mapped[str | None] = mapped_column(String(20))
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class Coupon(Base):
    """A coupon of one customer. ``kinds`` limits it to classes of products (empty: all). Used when ``used_at`` is set."""

    __tablename__ = "coupons"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    code: Mapped[str] = mapped_column(String(30), unique=True)
    value_cents: Mapped[int]
    threshold_cents: Mapped[int] = mapped_column(default=0)
    kinds: Mapped[list[str]]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    used_at: Mapped[datetime | None]
