"""Searches for parcels: opened once an order, ended when the parcel turns up."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core.clock import iso, told
from core.errors import Refusal
from crm.customers.access import Access
from crm.orders import usecases as orders
from crm.orders.models import Order, Parcel
from helpdesk.conversations.models import Conversation
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus


def searches(session: Session, access: Access) -> Sequence[Ticket]:
    """The unfinished searches for parcels of orders this access may see, newest first."""
    query = (
        select(Ticket)
        .join(Order, Order.id == Ticket.order_id)
        .where(
            Ticket.customer_id == access.customer.id,
            Ticket.kind == TicketKind.LOST_PARCEL.value,
            Ticket.status != TicketStatus.SOLVED.value,
        )
        .order_by(Ticket.created_at.desc())
    )
    if access.orders is not None:
        query = query.where(Order.number.in_(access.orders))
    return session.scalars(query).all()


def searched(session: Session, access: Access) -> list[Order]:
    """The orders of these searches."""
    wanted = [t.order_id for t in searches(session, access)]
    return [o for o in orders.visible(session, access, most=100) if o.id in wanted]


def known(ticket: Ticket) -> Refusal:
    """The refusal of a second search."""
    return Refusal(
        f"这个包裹已经在查了，工单 {ticket.number}，{told(ticket.due_at)} 前给您答复。",
        code="search_open",
        way_on=("转人工",),
    )


def search(
    session: Session, now: datetime, order: Order, *, parcel: Parcel | None, said: str, conversation: Conversation
) -> Ticket:
    """An urgent ticket for the carrier to find the parcel. Raises Refusal when there is one already."""
    db.lock(session, order)
    there = tickets.open_one(session, order.customer_id, TicketKind.LOST_PARCEL, order.id)
    if there is not None:
        raise known(there)
    which = (
        f"{parcel.carrier} {parcel.tracking_number}，登记签收人：{parcel.signed_by or '无'}"
        if parcel
        else "没有包裹记录"
    )
    return tickets.open_ticket(
        session,
        now,
        kind=TicketKind.LOST_PARCEL,
        subject=f"没收到货：订单 {order.number}",
        detail=f"{which}。客户说：{said}",
        conversation=conversation,
        customer_id=order.customer_id,
        order_id=order.id,
        urgent=True,
    )


def found_again(session: Session, ticket: Ticket, now: datetime) -> None:
    """Ends a search; one that has ended already stays as it is."""
    db.lock(session, ticket)
    if ticket.status == TicketStatus.SOLVED:
        return
    ticket.status, ticket.solved_at = TicketStatus.SOLVED.value, now
    ticket.progress = [*ticket.progress, {"at": iso(now), "text": "您告诉我们包裹已找到，核查结束"}]
