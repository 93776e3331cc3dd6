"""After-sales cases (return, exchange, resend …) and the money that goes back."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base
from crm.orders.models import Order, OrderItem


class AfterSalesCase(Base):
    """One wish about delivered goods.

    ``kind``: return, exchange, resend (short, wrong or damaged on arrival). ``status`` is one of
    :class:`crm.returns.rules.CaseStatus`. ``number`` is ``AS`` + 10 digits.
    """

    __tablename__ = "after_sales_cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"))
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(200))
    quality_problem: Mapped[bool] = mapped_column(default=False)  # freight is ours
    wanted_color: Mapped[str | None] = mapped_column(String(30))
    wanted_settlement: Mapped[str | None] = mapped_column(String(20))  # resend, exchange, refund
    status: Mapped[str] = mapped_column(String(20))
    pickup_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    item: Mapped[OrderItem] = relationship()


class Refund(Base):
    """Money on its way back to where it came from. ``status``: waiting_goods, approved, sent, arrived, failed."""

    __tablename__ = "refunds"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("after_sales_cases.id"))
    amount_cents: Mapped[int]
    method: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))  # cancelled, returned, surplus, price_protection
    status: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # when it should have arrived at the latest
    arrived_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
