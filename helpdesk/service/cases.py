"""Tickets an agent opens in a talk (建单)."""

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import told
from core.once import once
from crm.orders.models import Order
from helpdesk.complaints import usecases as complaints
from helpdesk.conversations.models import Conversation
from helpdesk.learning import collecting
from helpdesk.learning.rules import HintKind
from helpdesk.routing import usecases as routing
from helpdesk.service import orders
from helpdesk.service.rules import INTENT_OF_TICKET
from helpdesk.service.talk import key, tell
from helpdesk.staff.models import Agent
from helpdesk.staff.usecases import audit
from helpdesk.tickets import parcels
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind


def open_ticket(
    session: Session,
    talk: Conversation,
    agent: Agent,
    now: datetime,
    *,
    kind: TicketKind,
    subject: str,
    detail: str = "",
    urgent: bool = False,
    order_number: str | None = None,
) -> Ticket:
    """A ticket from this talk; the customer is told its number and due time. The same again in the same service is that
    one. Complaints and searches for parcels are opened once an order, as the bot does it.

    Raises NotFound for an order that is not the customer's, Conflict, Refusal ``search_open``.
    """
    routing.own(talk, agent)
    order = orders.find(session, talk, order_number)[1] if order_number else None
    same = hashlib.sha256("\n".join([kind, subject, detail, order_number or ""]).encode()).hexdigest()[:16]
    done = once(
        session,
        key(f"ticket {same}", talk),
        lambda: _open(session, talk, agent, now, kind, subject, detail, urgent, order),
    )
    return session.scalars(select(Ticket).where(Ticket.number == done["number"])).one()


def _open(
    session: Session,
    talk: Conversation,
    agent: Agent,
    now: datetime,
    kind: TicketKind,
    subject: str,
    detail: str,
    urgent: bool,
    order: Order | None,
) -> dict[str, str]:
    text, new = f"{subject}\n{detail}".strip(), True
    if kind == TicketKind.COMPLAINT:
        ticket, new = complaints.register(session, talk, text, order, now, urgent=urgent)
    elif kind == TicketKind.LOST_PARCEL and order is not None:
        parcel = order.parcels[-1] if order.parcels else None
        ticket = parcels.search(session, now, order, parcel=parcel, said=text, conversation=talk)
    else:
        ticket = tickets.open_ticket(
            session,
            now,
            kind=kind,
            subject=subject,
            detail=detail,
            conversation=talk,
            order_id=order.id if order else None,
            urgent=urgent,
        )
    deed = f"已为您登记{kind.label}工单 {ticket.number}" if new else f"已补充到您之前的{kind.label}工单 {ticket.number}"
    tell(session, talk, agent, now, f"{deed}，最晚 {told(ticket.due_at)} 前给您答复，进度随时可以在这里问。")
    if kind in INTENT_OF_TICKET:
        collecting.acted(session, talk, HintKind.TICKET, INTENT_OF_TICKET[kind])
    audit(session, agent, "ticket_opened", now, f"ticket:{ticket.number} talk:{talk.id}")
    return {"number": ticket.number}
