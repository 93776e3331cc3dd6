"""Orders with what belongs to them: items, payments, parcels with their trace, invoices, price protection."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base
from crm.catalogue.models import Product
from crm.customers.models import Customer


class Order(Base):
    """``status`` is one of :class:`crm.orders.rules.OrderStatus`. Money in cents, ``number`` is 15 digits."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    recipient: Mapped[str] = mapped_column(String(60))
    phone: Mapped[str] = mapped_column(String(20))
    province: Mapped[str] = mapped_column(String(20))
    city: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(200))
    delivery_day: Mapped[str | None] = mapped_column(String(40))  # wished for, as told to the carrier
    total_cents: Mapped[int]  # what was paid or is due: items + freight − discount
    freight_cents: Mapped[int] = mapped_column(default=0)
    discount_cents: Mapped[int] = mapped_column(default=0)
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"))
    points_used: Mapped[int] = mapped_column(default=0)
    pre_sale: Mapped[bool] = mapped_column(default=False)
    urged_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    paid_at: Mapped[datetime | None]
    promised_ship_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]  # signed for
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(100))

    customer: Mapped[Customer] = relationship()
    items: Mapped[list["OrderItem"]] = relationship(back_populates="order", order_by="OrderItem.id")
    payments: Mapped[list["Payment"]] = relationship(back_populates="order", order_by="Payment.id")
    parcels: Mapped[list["Parcel"]] = relationship(back_populates="order", order_by="Parcel.id")
    invoices: Mapped[list["Invoice"]] = relationship(back_populates="order", order_by="Invoice.id")


class OrderItem(Base):
    """A line of an order. ``price_cents`` is the price of one piece as bought."""

    __tablename__ = "order_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    color: Mapped[str] = mapped_column(String(30))
    quantity: Mapped[int] = mapped_column(default=1)
    price_cents: Mapped[int]
    serial_number: Mapped[str | None] = mapped_column(String(40), index=True)
    with_coupon: Mapped[bool] = mapped_column(default=False)
    activated: Mapped[bool] = mapped_column(default=False)
    unsealed: Mapped[bool] = mapped_column(default=False)
    protected_cents: Mapped[int] = mapped_column(default=0)  # price difference already given back

    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()


class Payment(Base):
    """Money in. ``method``: wechat, alipay, debit_card, credit_card, huabei, baitiao, balance, transfer."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    method: Mapped[str] = mapped_column(String(20))
    amount_cents: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))  # succeeded, failed, pending, surplus (paid twice), returned
    failure: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime]

    order: Mapped[Order] = relationship(back_populates="payments")


class Parcel(Base):
    """One parcel of an order. ``status`` is one of :class:`crm.orders.rules.ParcelStatus`."""

    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    carrier: Mapped[str] = mapped_column(String(20))
    tracking_number: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[str] = mapped_column(String(20))
    courier: Mapped[str | None] = mapped_column(String(40))
    courier_phone: Mapped[str | None] = mapped_column(String(20))
    expected_at: Mapped[datetime | None]
    signed_by: Mapped[str | None] = mapped_column(String(40))

    order: Mapped[Order] = relationship(back_populates="parcels")
    events: Mapped[list["ParcelEvent"]] = relationship(back_populates="parcel", order_by="ParcelEvent.at")


class ParcelEvent(Base):
    """A line of the trace."""

    __tablename__ = "parcel_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(200))

    parcel: Mapped[Parcel] = relationship(back_populates="events")


class Invoice(Base):
    """``kind``: ordinary or special; ``status``: requested, issued, voided (credited, replaced by another)."""

    __tablename__ = "invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(120))
    tax_number: Mapped[str | None] = mapped_column(String(30))
    email: Mapped[str | None] = mapped_column(String(120))
    amount_cents: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    number: Mapped[str | None] = mapped_column(String(30))
    requested_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="invoices")


class PriceProtection(Base):
    """A price difference given back: once per item."""

    __tablename__ = "price_protections"
    __table_args__ = (UniqueConstraint("item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"))
    amount_cents: Mapped[int]
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
