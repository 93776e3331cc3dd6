"""What can be done with orders. Everything takes an Access: nobody sees or changes another's."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, and_, bindparam, or_, select
from sqlalchemy.orm import Session, joinedload

from core import db
from core.calendar import add_working_days
from core.clock import iso
from core.errors import Refusal
from crm.catalogue.models import Product, Stock
from crm.customers.access import Access
from crm.loyalty.models import Coupon, PointsEntry
from crm.orders.models import Order, OrderItem, Payment
from crm.orders.rules import OrderStatus, refund_days, why_not_cancel, why_not_change_address
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import OPEN, CaseKind, CaseStatus

SHOWN_MOST = 30


# One question brings all: of a few orders its rows are cheaper than four more questions.
_ORDERS = select(Order).options(
    joinedload(Order.items).joinedload(OrderItem.product), joinedload(Order.payments), joinedload(Order.parcels)
)
_NUMBERED = _ORDERS.where(Order.number == bindparam("number"))
_NEWEST = (
    _ORDERS.where(Order.customer_id == bindparam("customer_id"))
    .order_by(Order.created_at.desc(), Order.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_NEWEST_AMONG = _NEWEST.where(Order.number.in_(bindparam("numbers", expanding=True)))


def visible(session: Session, access: Access, most: int = SHOWN_MOST) -> list[Order]:
    """The customer's orders that this access may see, newest first."""
    given = {"customer_id": access.customer.id, "most": most}
    if access.orders is None:
        return list(session.scalars(_NEWEST, given).unique())
    return list(session.scalars(_NEWEST_AMONG, {**given, "numbers": sorted(access.orders)}).unique())


def find(session: Session, access: Access, number: str) -> Order | None:
    """The order with this number, if it is the customer's; None otherwise, whatever the reason."""
    order = session.scalars(_NUMBERED, {"number": number}).unique().one_or_none()
    return order if order is not None and access.sees(order) else None


def is_product(product: Product, said: str) -> bool:
    """Whether what the customer said (a sku, a class word, a name or an alias) means this product."""
    said = said.strip()
    if said in {product.sku, product.kind, product.name}:
        return True
    return len(said) >= 2 and (said in product.name or any(said == alias or alias in said for alias in product.aliases))


def contains(order: Order, said: str) -> bool:
    """Whether the order holds such a product."""
    return any(is_product(item.product, said) for item in order.items)


def going_back(session: Session, item: OrderItem) -> AfterSalesCase | None:
    """The case by which this piece goes back, or went back for good; None while the customer keeps it.

    Of several pieces in a line some may stay, and which is not kept in figures: then None as well.
    """
    if item.quantity > 1:
        return None
    query = select(AfterSalesCase).where(
        AfterSalesCase.item_id == item.id,
        or_(
            and_(
                AfterSalesCase.kind == CaseKind.RETURN.value,
                AfterSalesCase.status.in_([s.value for s in {*OPEN, CaseStatus.DONE}]),
            ),
            and_(AfterSalesCase.kind == CaseKind.EXCHANGE.value, AfterSalesCase.status.in_([s.value for s in OPEN])),
        ),
    )
    return session.scalars(query.order_by(AfterSalesCase.id.desc()).limit(1)).first()


def paid_method(order: Order) -> str:
    """How the order was paid."""
    done = [p for p in order.payments if p.status == "succeeded"]
    return done[-1].method if done else "wechat"


def cancellable(session: Session, access: Access) -> list[Order]:
    """Orders that can still be called off, newest first."""
    return [o for o in visible(session, access) if why_not_cancel(OrderStatus(o.status)) is None]


def check_cancel(order: Order) -> None:
    """Raises Refusal when the order can no longer be called off."""
    why = why_not_cancel(OrderStatus(order.status))
    if why:
        ways = {OrderStatus.DELIVERED: ("我要退货",), OrderStatus.CANCELLED: ("查退款进度",)}
        way_on = ways.get(OrderStatus(order.status), ("查物流", "转人工"))
        raise Refusal(why, code=f"cancel_{order.status}", way_on=way_on)


def cancel(session: Session, order: Order, now: datetime, reason: str = "") -> dict[str, Any]:
    """Calls the order off: stock, coupon and points come back, the refund starts at once. Raises Refusal.

    Returns ``{"number", "refund_cents", "method", "due_at"}``; nothing to refund: 0.
    """
    db.lock(session, order)
    check_cancel(order)
    was_paid = order.status == OrderStatus.PAID
    order.status, order.cancelled_at, order.cancel_reason = OrderStatus.CANCELLED.value, now, reason[:100]
    for item in order.items:
        stock = session.scalar(select(Stock).where(Stock.product_id == item.product_id, Stock.color == item.color))
        if stock is not None and was_paid:  # stock is kept from payment on only
            stock.quantity += item.quantity
    _give_back(session, order, now)
    if not was_paid:
        return {"number": order.number, "refund_cents": 0, "method": "", "due_at": None}
    method = paid_method(order)
    due_at = add_working_days(now, refund_days(method))
    session.add(
        Refund(
            order_id=order.id,
            amount_cents=order.total_cents,
            method=method,
            kind="cancelled",
            status="approved",
            created_at=now,
            due_at=due_at,
        )
    )
    return {"number": order.number, "refund_cents": order.total_cents, "method": method, "due_at": iso(due_at)}


def _give_back(session: Session, order: Order, now: datetime) -> None:
    coupon = session.get(Coupon, order.coupon_id) if order.coupon_id else None
    if coupon is not None and coupon.valid_to > now:
        coupon.used_at = None
    if order.points_used:
        order.customer.points += order.points_used
        session.add(
            PointsEntry(
                customer_id=order.customer_id,
                amount=order.points_used,
                reason="取消订单退回",
                order_number=order.number,
                at=now,
            )
        )


def check_change_address(order: Order) -> None:
    """Raises Refusal when nothing about the delivery can be changed any more."""
    why = why_not_change_address(OrderStatus(order.status))
    if why:
        raise Refusal(why, code=f"address_{order.status}", way_on=("查物流", "转人工"))


def change_delivery(
    session: Session,
    order: Order,
    *,
    address: str | None = None,
    recipient: str | None = None,
    phone: str | None = None,
    day: str | None = None,
) -> None:
    """Changes what is given on an order that has not been packed. Raises Refusal."""
    db.lock(session, order)
    check_change_address(order)
    order.address = address or order.address
    order.recipient = recipient or order.recipient
    order.phone = phone or order.phone
    order.delivery_day = day or order.delivery_day


URGE_PAUSE = timedelta(hours=12)


def urge(session: Session, order: Order, now: datetime) -> bool:
    """Notes that the customer urged; False when that was done in the last 12 hours already."""
    if order.urged_at is not None and now - order.urged_at < URGE_PAUSE:
        return False
    order.urged_at = now
    return True


def has_large(order: Order) -> bool:
    """Whether a large appliance is in it (a delivery day can be chosen)."""
    return any(item.product.size == "large" for item in order.items)


def last_payment(order: Order) -> Payment | None:
    """The newest payment, whatever became of it."""
    return max(order.payments, key=lambda p: p.at, default=None)
