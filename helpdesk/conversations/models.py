"""Conversations (会话), their messages, and the hand-over note."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base
from crm.customers.models import Customer
from helpdesk.staff.models import Agent


class Conversation(Base):
    """A talk of one customer on one channel: ``bot → queued → with_agent → closed`` (see rules.py).

    ``epoch`` is the ownership fence: it grows whenever the state or the owner changes, and an answer of the bot that
    was asked for in an earlier epoch is thrown away. ``answered_seq``: the customer's lines up to here have been read
    by the bot (or by a person). A turn under way: ``turn_id`` covers lines up to ``turn_seq``; after
    ``turn_lease_until`` it may be asked again, under the same id.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        Index("ix_conversations_queue", "state", "queued_at"),
        Index("ix_conversations_turns", "state", "turn_lease_until"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    channel: Mapped[str] = mapped_column(String(30))
    visitor_id: Mapped[str | None] = mapped_column(String(120))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    verified_by: Mapped[str | None] = mapped_column(String(20))  # signed_in, phone, order (see crm/customers/access.py)
    state: Mapped[str] = mapped_column(String(20), default="bot")
    epoch: Mapped[int] = mapped_column(default=0)
    last_seq: Mapped[int] = mapped_column(default=0)
    answered_seq: Mapped[int] = mapped_column(default=0)
    agent_read_seq: Mapped[int] = mapped_column(default=0)
    customer_read_seq: Mapped[int] = mapped_column(default=0)

    turn_id: Mapped[str | None] = mapped_column(String(40))
    turn_seq: Mapped[int] = mapped_column(default=0)
    turn_lease_until: Mapped[datetime | None]
    turn_began_at: Mapped[datetime | None]  # first try of this turn: patience with an absent brain counts from here

    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)
    skill: Mapped[str | None] = mapped_column(String(40))
    to_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))  # transferred to this one by name
    priority: Mapped[int] = mapped_column(default=0)
    at_front: Mapped[bool] = mapped_column(default=False)  # came back without being answered
    queued_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]  # the customer's oldest line nobody answered
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))  # both as they were when it was queued
    last_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    left_by_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))  # who has just passed it on, or let it wait
    accepted_at: Mapped[datetime | None]
    picked_up_at: Mapped[datetime | None]  # when the agent first turned to it; None: not yet
    snoozed_until: Mapped[datetime | None]
    first_response_at: Mapped[datetime | None]
    understood: Mapped[
        dict[str, Any]
    ]  # what the bot knows so far: {"slots": {name: value}, "tried": [intent, …], "moods": [mood, …]}
    verified_orders: Mapped[list[str]]  # numbers this visitor may see without being the account's owner
    handover: Mapped[dict[str, Any] | None]  # reason, summary, intents, slots, tried
    started_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None] = mapped_column(String(200))
    tags: Mapped[list[str]]

    customer: Mapped[Customer | None] = relationship()
    agent: Mapped[Agent | None] = relationship(foreign_keys=[agent_id])


class Message(Base):
    """One line. ``kind``: text, buttons, card, image, rating, note (agents only). ``seq`` has no holes in the table."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_message_id"),
        UniqueConstraint("turn_id", "turn_n"),
    )

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(String(10))  # customer, bot, agent, system
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any] | None]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    client_message_id: Mapped[str | None] = mapped_column(String(100))
    turn_id: Mapped[str | None] = mapped_column(String(40))
    turn_n: Mapped[int | None]
    intent: Mapped[str | None] = mapped_column(String(40))  # what the bot understood of this line
    created_at: Mapped[datetime]

    agent: Mapped[Agent | None] = relationship()
