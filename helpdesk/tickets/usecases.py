"""Tickets: opened for the customer, looked up."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import iso
from helpdesk.conversations.models import Conversation
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus, due_at


def number(prefix: str) -> str:
    """A case number as customers are told it: two letters and ten digits."""
    return f"{prefix}{secrets.randbelow(10**10):010d}"


def open_ticket(
    session: Session,
    now: datetime,
    *,
    kind: TicketKind,
    subject: str,
    detail: str = "",
    conversation: Conversation | None = None,
    customer_id: int | None = None,
    order_id: int | None = None,
    urgent: bool = False,
    due: datetime | None = None,
) -> Ticket:
    """A new ticket; due when its kind is unless given, and the customer the conversation's unless given."""
    ticket = Ticket(
        number=number("GD"),
        kind=kind.value,
        status=TicketStatus.OPEN.value,
        subject=subject[:200],
        detail=detail[:2000],
        customer_id=customer_id or (conversation.customer_id if conversation else None),
        conversation_id=conversation.id if conversation else None,
        order_id=order_id,
        urgent=urgent,
        progress=[{"at": iso(now), "text": "已受理，正在安排同事跟进"}],
        created_at=now,
        due_at=due or due_at(kind, urgent, now),
    )
    session.add(ticket)
    session.flush()
    return ticket


def of_customer(session: Session, customer_id: int, most: int = 10) -> Sequence[Ticket]:
    """The customer's tickets, newest first."""
    return session.scalars(
        select(Ticket).where(Ticket.customer_id == customer_id).order_by(Ticket.created_at.desc()).limit(most)
    ).all()


def open_one(session: Session, customer_id: int, kind: TicketKind, order_id: int | None = None) -> Ticket | None:
    """An unsolved ticket of this kind (about this order), so that nothing is registered twice."""
    query = select(Ticket).where(
        Ticket.customer_id == customer_id, Ticket.kind == kind.value, Ticket.status != TicketStatus.SOLVED.value
    )
    if order_id is not None:
        query = query.where(Ticket.order_id == order_id)
    return session.scalars(query.order_by(Ticket.created_at.desc()).limit(1)).first()


def solve(ticket: Ticket, now: datetime, text: str) -> None:
    """Ends a ticket, with what the customer is told of it. Ended before: nothing happens."""
    if ticket.status == TicketStatus.SOLVED:
        return
    ticket.status, ticket.solved_at = TicketStatus.SOLVED.value, now
    ticket.progress = [*ticket.progress, {"at": iso(now), "text": text}]
