"""A customer's orders in an agent's hands: looked at, called off, sent elsewhere – by the bot's rules, in its talk.

The talk is locked by the caller. ``Refusal`` carries the rule's own sentence, which can be passed on to the customer.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy.orm import Session

from core import db
from core.clock import local, told
from core.errors import Invalid, NotFound, Refusal
from core.once import once
from core.text import yuan
from crm.customers.access import Access, need_owner
from crm.customers.rules import why_not_value
from crm.orders import usecases as orders
from crm.orders.models import Order
from crm.orders.rules import PAYMENT_METHODS, OrderStatus, can_redirect, refund_days
from helpdesk.conversations.models import Conversation
from helpdesk.learning import collecting
from helpdesk.learning.rules import HintKind
from helpdesk.routing import usecases as routing
from helpdesk.service.talk import key, known, tell
from helpdesk.staff.models import Agent
from helpdesk.staff.usecases import audit
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind

DELIVERY = {"recipient": "收货人", "phone": "联系电话", "address": "收货地址"}
RULE_OF = {"recipient": "name", "phone": "phone", "address": "address"}  # fields of crm/customers/rules.py


def find(session: Session, talk: Conversation, number: str) -> tuple[Access, Order]:
    """An order of the talk's customer, and how well the customer is known. Raises NotFound for any other, Conflict."""
    access = known(session, talk)
    order = orders.find(session, access, number)
    if order is None:
        raise NotFound("这位客户名下没有这个订单号，请和客户核对一下。")
    return access, order


def look(session: Session, talk: Conversation, agent: Agent, now: datetime, number: str) -> tuple[Access, Order]:
    """The same for showing it: written down, since address and payments are seen."""
    access, order = find(session, talk, number)
    audit(session, agent, "order_seen", now, f"order:{order.number} talk:{talk.id}")
    return access, order


def why_not(access: Access, order: Order) -> dict[str, str | None]:
    """What speaks against calling it off (``cancel``) and sending it elsewhere (``address``); None: nothing."""
    return {
        "cancel": _refused(access, lambda: orders.check_cancel(order)),
        "address": _refused(access, lambda: orders.check_change_address(order)),
    }


def _refused(access: Access, check: Callable[[], None]) -> str | None:
    try:
        need_owner(access)
        check()
    except Refusal as refusal:
        return refusal.detail
    return None


def cancel(
    session: Session, talk: Conversation, agent: Agent, now: datetime, number: str, reason: str
) -> tuple[Access, Order]:
    """Calls an order off and tells the customer what comes back. Again in the same service: nothing more happens.

    Raises NotFound, Conflict, Refusal.
    """
    routing.own(talk, agent)
    access, order = find(session, talk, number)
    need_owner(access)
    once(session, key(f"cancel {order.number}", talk), lambda: _cancel(session, talk, agent, now, order, reason))
    return access, order


def _cancel(
    session: Session, talk: Conversation, agent: Agent, now: datetime, order: Order, reason: str
) -> dict[str, int]:
    done = orders.cancel(session, order, now, reason)
    text = f"已为您取消尾号 {order.number[-4:]} 的订单"
    if done["refund_cents"]:
        method, days = PAYMENT_METHODS[done["method"]], refund_days(done["method"])
        text += (
            f"。{yuan(done['refund_cents'])} 已开始原路退回{method}，一般 {days} 个工作日内到账。"
            "用掉的优惠券和积分也一并退回了（过期的券除外）。"
        )
    else:
        text += "，没有产生扣款。"
    collecting.acted(session, talk, HintKind.TOOL, "cancel_order")
    audit(session, agent, "order_cancelled", now, f"order:{order.number} talk:{talk.id}")
    return {"seq": tell(session, talk, agent, now, text)}


def change_address(
    session: Session, talk: Conversation, agent: Agent, now: datetime, number: str, given: Mapping[str, str | None]
) -> tuple[Access, Order]:
    """Another ``recipient``, ``phone``, ``address`` (what is missing stays), told to the customer; nothing new: nothing.

    A shipped order's carrier is asked, by a ticket. Raises Invalid, NotFound, Conflict, Refusal.
    """
    routing.own(talk, agent)
    access, order = find(session, talk, number)
    need_owner(access)
    orders.check_change_address(order)
    wanted = _wanted(given, local(now).date())
    new = {name: value for name, value in wanted.items() if value != getattr(order, name)}
    if not new:
        return access, order
    if order.status == OrderStatus.SHIPPED:
        _ask_carrier(session, talk, agent, now, order, new)
    else:
        orders.change_delivery(
            session, order, address=new.get("address"), recipient=new.get("recipient"), phone=new.get("phone")
        )
        text = f"已按您说的改好尾号 {order.number[-4:]} 的订单：{_in_words(new)}，会按新的信息发货。"
        tell(session, talk, agent, now, text)
        audit(session, agent, "order_address", now, f"order:{order.number} talk:{talk.id}")
    collecting.acted(session, talk, HintKind.TOOL, "change_address")
    return access, order


def _wanted(given: Mapping[str, str | None], today: date) -> dict[str, str]:
    wanted = {name: value.strip() for name in DELIVERY if (value := given.get(name)) and value.strip()}
    if not wanted:
        raise Invalid("收货人、电话、地址，请至少填写一项要改的。")
    for name, value in wanted.items():
        why = why_not_value(RULE_OF[name], value, today)
        if why:
            raise Invalid(f"{DELIVERY[name]}：{why}", code=name)
    return wanted


def _in_words(new: Mapping[str, str]) -> str:
    return "，".join(f"{DELIVERY[name]}改为“{value}”" for name, value in new.items())


def _ask_carrier(
    session: Session, talk: Conversation, agent: Agent, now: datetime, order: Order, new: Mapping[str, str]
) -> None:
    if "address" in new and not can_redirect(order.city, new["address"]):
        raise Refusal(
            "货已经发出，只能在原来的城市内改派，换城市就需要拒收后重新下单了。",
            code="redirect_far",
            way_on=("查物流",),
        )
    detail = _in_words(new)
    db.lock(session, order)
    asked = tickets.open_one(session, order.customer_id, TicketKind.ADDRESS, order.id)
    if asked is not None and asked.detail == detail:
        return
    ticket = tickets.open_ticket(
        session,
        now,
        kind=TicketKind.ADDRESS,
        subject=f"改派：订单 {order.number}",
        detail=detail,
        conversation=talk,
        customer_id=order.customer_id,
        order_id=order.id,
        urgent=True,
    )
    text = (
        f"已为您提交改派申请（{detail}），工单 {ticket.number}。货已在路上，不保证一定改成，"
        f"结果会在 {told(ticket.due_at)} 前告诉您，请先留意原来的电话。"
    )
    tell(session, talk, agent, now, text)
    audit(session, agent, "order_redirect", now, f"order:{order.number} ticket:{ticket.number}")
