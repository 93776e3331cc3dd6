"""Customers and the channels they are known by."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base


class Customer(Base):
    """A person (or company) who buys. ``phone`` is 11 digits; ``level`` is one of :class:`crm.loyalty.rules.Level`."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    nickname: Mapped[str | None] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(10), default="")  # 先生 / 女士
    phone: Mapped[str] = mapped_column(String(20), index=True)
    email: Mapped[str | None] = mapped_column(String(120))
    birthday: Mapped[date | None]
    city: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    level: Mapped[str] = mapped_column(String(20), default="normal")
    points: Mapped[int] = mapped_column(default=0)
    spent_cents: Mapped[int] = mapped_column(default=0)  # of the last 12 months
    subscribed: Mapped[bool] = mapped_column(default=True)  # commercial messages
    locked: Mapped[bool] = mapped_column(default=False)  # account locked after wrong passwords
    closing_at: Mapped[datetime | None]  # account closes then, unless the customer thinks again
    created_at: Mapped[datetime]

    identities: Mapped[list["ChannelIdentity"]] = relationship(back_populates="customer")


class ChannelIdentity(Base):
    """Who a customer is on a channel: ``(channel, external_id)`` belongs to one customer."""

    __tablename__ = "channel_identities"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    channel: Mapped[str] = mapped_column(String(30))
    external_id: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship(back_populates="identities")


class VerificationTry(Base):
    """A wrong answer to "order number + last four digits", counted per talk and per order."""

    __tablename__ = "verification_tries"
    __table_args__ = (
        Index("ix_verification_tries_talk", "conversation_id", "at"),
        Index("ix_verification_tries_order", "order_number", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(40))
    order_number: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class ProfileChange(Base):
    """What a customer changed in the own record, or asked about it (copy, closing): never altered."""

    __tablename__ = "profile_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))  # phone, birthday, nickname, subscribed, copy, close, …
    detail: Mapped[dict[str, Any]]
    due_at: Mapped[datetime | None]
    at: Mapped[datetime]


class CustomerNote(Base):
    """What staff want to remember of a customer. ``by``: the writer's name."""

    __tablename__ = "customer_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    text: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
