"""The first words: a returning customer is greeted by name, with what is open."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import settings
from core.clock import local
from crm.customers.models import Customer
from crm.loyalty.rules import Level
from crm.orders.models import Order
from crm.orders.rules import OrderStatus
from helpdesk.conversations import usecases
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import good_day
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus

OPEN = {
    OrderStatus.UNPAID: "等待付款",
    OrderStatus.PAID: "等待发货",
    OrderStatus.PACKED: "正在出库",
    OrderStatus.SHIPPED: "在路上",
}
TOPICS = [
    {"title": "查物流", "value": "查物流", "payload": "/track_logistics"},
    {"title": "查订单", "value": "查订单", "payload": "/query_order"},
    {"title": "退换货", "value": "退换货", "payload": "/return_goods"},
    {"title": "开发票", "value": "开发票", "payload": "/request_invoice"},
    {"title": "转人工", "value": "转人工", "payload": "/request_human"},
]


def greet(session: Session, conversation: Conversation, now: datetime) -> None:
    """Stores the bot's first line."""
    chosen = settings.load()
    when = good_day(local(now).hour)
    customer = session.get(Customer, conversation.customer_id) if conversation.customer_id else None
    if customer is None:
        text = (
            f"{when}！我是{chosen.shop_name}的智能客服{chosen.bot_name}，查订单、退换货、开发票、报修都可以直接跟我说。"
        )
    else:
        level = "" if customer.level == Level.NORMAL else f"，尊敬的{Level(customer.level).label}"
        matters = _open_matters(session, customer, now)
        text = f"{when}，{customer.name}{customer.title}{level}！我是{chosen.bot_name}。{matters}"
    usecases.add_line(
        session, conversation, now, sender="bot", kind="buttons", text=text, payload={"buttons": list(TOPICS)}
    )
    conversation.answered_seq = conversation.last_seq


def _open_matters(session: Session, customer: Customer, now: datetime) -> str:
    matters: list[str] = []
    orders: Any = session.scalars(
        select(Order)
        .where(Order.customer_id == customer.id, Order.status.in_(OPEN), Order.created_at > now - timedelta(days=60))
        .order_by(Order.created_at.desc())
        .limit(2)
    )
    for order in orders:
        goods = order.items[0].product.kind if order.items else "商品"
        matters.append(f"您的{goods}订单（尾号{order.number[-4:]}）{OPEN[OrderStatus(order.status)]}")
    ticket = session.scalars(
        select(Ticket)
        .where(Ticket.customer_id == customer.id, Ticket.status != TicketStatus.SOLVED)
        .order_by(Ticket.created_at.desc())
        .limit(1)
    ).first()
    if ticket is not None:
        matters.append(f"{TicketKind(ticket.kind).label}工单 {ticket.number} {TicketStatus(ticket.status).label}")
    return f"{'；'.join(matters)}。想了解哪一件，或有别的事，直接告诉我。" if matters else "有什么可以帮您？"
