"""Complaints are registered as tickets; the same matter again is added to the ticket that is open."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import iso
from core.text import shorten
from crm.orders.models import Order
from helpdesk.conversations.models import Conversation
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind


def register(
    session: Session, conversation: Conversation, text: str, order: Order | None, now: datetime, *, urgent: bool = False
) -> tuple[Ticket, bool]:
    """The ticket, and whether it is new. ``order`` must be one the visitor may see."""
    known = None
    if order is not None:
        known = tickets.open_one(session, order.customer_id, TicketKind.COMPLAINT, order.id)
    if known is not None:
        known.detail = f"{known.detail}\n补充：{text}"[:2000]
        known.progress = [*known.progress, {"at": iso(now), "text": f"您补充了：{shorten(text, 40)}"}]
        known.urgent = known.urgent or urgent
        return known, False
    about = f"订单 {order.number}：" if order else ""
    ticket = tickets.open_ticket(
        session,
        now,
        kind=TicketKind.COMPLAINT,
        subject=f"投诉：{about}{shorten(text, 60)}",
        detail=text,
        conversation=conversation,
        order_id=order.id if order else None,
        urgent=False,  # "urgent" shortens the due time of tickets; a complaint keeps its own three days
    )
    ticket.urgent = urgent
    return ticket, True
