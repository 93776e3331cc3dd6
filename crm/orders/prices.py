"""Price differences and surplus payments given back. Money in cents."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import db
from core.calendar import add_working_days
from core.clock import local, told
from core.errors import Refusal
from core.text import yuan
from crm.loyalty.rules import Level
from crm.orders.models import Order, OrderItem, Payment, PriceProtection
from crm.orders.price_rules import (
    PAYOUT_WORKING_DAYS,
    Bought,
    NoProtection,
    PaymentState,
    difference_cents,
    payment_state,
    protected_until,
    protection_days,
    why_not,
)
from crm.orders.rules import OrderStatus, refund_days
from crm.orders.usecases import paid_method
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseKind, CaseStatus, RefundStatus

CLEARANCE = "清仓"


def facts(session: Session, item: OrderItem) -> Bought:
    """What decides about an item's price difference."""
    order, product = item.order, item.product
    protected = session.scalar(select(func.count()).where(PriceProtection.item_id == item.id))
    returned = session.scalar(
        select(func.count()).where(
            AfterSalesCase.item_id == item.id,
            AfterSalesCase.kind == CaseKind.RETURN.value,
            AfterSalesCase.status.not_in([CaseStatus.CANCELLED.value, CaseStatus.REFUSED.value]),
        )
    )
    return Bought(
        paid_day=local(order.paid_at).date() if order.paid_at else None,
        level=Level(order.customer.level),
        price_cents=item.price_cents,
        price_now_cents=product.price_cents,
        pieces=item.quantity,
        cancelled=order.status == OrderStatus.CANCELLED,
        returned=bool(returned),
        done=bool(protected) or item.protected_cents > 0,
        flash_sale=product.flash_sale,
        clearance=CLEARANCE in product.promotion,
        with_coupon=item.with_coupon,
    )


def is_protected(session: Session, item: OrderItem, now: datetime) -> bool:
    """Whether a difference would be given back now."""
    return why_not(facts(session, item), local(now).date()) is None


def has_fallen(session: Session, item: OrderItem) -> bool:
    """Whether the paid item costs less today, whatever follows from it."""
    bought = facts(session, item)
    return bought.paid_day is not None and not bought.cancelled and difference_cents(bought) > 0


def check_protection(session: Session, item: OrderItem, now: datetime) -> int:
    """The difference in cents that is given back. Raises Refusal with the reason."""
    bought = facts(session, item)
    reason = why_not(bought, local(now).date())
    if reason is None:
        return difference_cents(bought)
    detail, ways = _refused(reason, bought, item)
    raise Refusal(detail, code=f"price_{reason}", way_on=(*ways, "转人工"))


def _refused(reason: NoProtection, bought: Bought, item: OrderItem) -> tuple[str, tuple[str, ...]]:
    name, prices = item.product.name, f"您买时 {yuan(item.price_cents)}，现在 {yuan(item.product.price_cents)}"
    match reason:
        case NoProtection.UNPAID:
            return f"{name}这单还没付款，价格没锁定。可以取消后按现价 {yuan(item.product.price_cents)} 重新下单。", (
                "取消订单",
            )
        case NoProtection.CANCELLED:
            return "这单已经取消，付过的款按实付全额退，不用另退差价。", ("查退款进度",)
        case NoProtection.RETURNED:
            return f"{name}已经申请了退货，退款按您实付的金额来，不再另退差价。", ("查退款进度",)
        case NoProtection.DONE:
            back = f"（{yuan(item.protected_cents)}）" if item.protected_cents else ""
            return (
                f"{name}已经办过一次价保{back}了，每件商品每单可以保价一次，再降就不能再退了。到账没有，我可以帮您查。",
                ("查退款进度",),
            )
        case NoProtection.COUPON:
            return f"{name}下单时用了优惠券，{prices}，券带来的差额不在价格保护里。签收 7 天内也可以考虑无理由退货。", (
                "有什么优惠券",
            )
        case NoProtection.FLASH_SALE:
            return (
                f"{name}现在是限时秒杀价，秒杀不参加价格保护。活动结束后如果平时价还低于您的买价，期限内随时来找我。",
                (),
            )
        case NoProtection.CLEARANCE:
            return f"{name}现在是清仓价，清仓不参加价格保护。", ("有什么优惠券",)
    assert bought.paid_day is not None
    days, until = protection_days(bought.level, bought.paid_day), protected_until(bought.level, bought.paid_day)
    if reason == NoProtection.NOT_LOWER:
        same = "价格没有变" if bought.price_cents == bought.price_now_cents else "比您买时还高"
        return (
            f"{name}现在 {yuan(item.product.price_cents)}，{same}，暂时没有差价可退。"
            f"价保到 {until.month}月{until.day}日，这之前降价随时告诉我。别的平台或别家店的价格不算在内。",
            ("有什么优惠券",),
        )
    return (
        f"{name}是 {bought.paid_day.month}月{bought.paid_day.day}日付的款，{bought.level.label}价保 {days} 天，"
        f"到 {until.month}月{until.day}日已经过了，退不了差价。",
        ("会员等级怎么算", "有什么优惠券"),
    )


def protect(session: Session, item: OrderItem, now: datetime) -> PriceProtection:
    """Gives the difference back the way it was paid. Raises Refusal."""
    db.lock(session, item.order)
    db.lock(session, item)
    amount = check_protection(session, item, now)
    due_at = add_working_days(now, PAYOUT_WORKING_DAYS)
    made = PriceProtection(item_id=item.id, amount_cents=amount, requested_at=now, due_at=due_at)
    item.protected_cents = amount
    session.add(made)
    session.add(_refund(item.order, amount, "price_protection", method=paid_method(item.order), now=now, due_at=due_at))
    session.flush()
    return made


def _refund(order: Order, amount: int, kind: str, *, method: str, now: datetime, due_at: datetime) -> Refund:
    return Refund(
        order_id=order.id,
        amount_cents=amount,
        method=method,
        kind=kind,
        status=RefundStatus.APPROVED.value,
        created_at=now,
        due_at=due_at,
    )


# Payments.


def state_of_payment(order: Order, now: datetime) -> PaymentState:
    """How the paying of the order stands."""
    payments = sorted(order.payments, key=lambda p: p.at)
    return payment_state(order.status, [(p.status, p.at) for p in payments], now)


def needs_look(order: Order, now: datetime) -> bool:
    """Whether something about paying is open or went wrong."""
    return state_of_payment(order, now) not in {PaymentState.PAID, PaymentState.CLOSED, PaymentState.SURPLUS_RETURNED}


def surplus(order: Order) -> list[Payment]:
    """Payments beyond what was due that are still with us."""
    return [p for p in order.payments if p.status == "surplus"]


def was_paid_twice(order: Order) -> bool:
    """Whether a surplus was given back before."""
    return any(p.status == "returned" for p in order.payments)


def return_surplus(session: Session, order: Order, now: datetime) -> list[Refund]:
    """Starts the return of what was paid twice; asked for again it finds nothing more to do and gives an empty list."""
    db.lock(session, order)
    made = []
    for payment in surplus(order):
        db.lock(session, payment)
        if payment.status != "surplus":
            continue
        payment.status = "returned"
        due_at = add_working_days(now, refund_days(payment.method))
        made.append(_refund(order, payment.amount_cents, "surplus", method=payment.method, now=now, due_at=due_at))
    session.add_all(made)
    session.flush()
    return made


def returned_surplus(session: Session, order: Order) -> Refund | None:
    """The newest return of a surplus."""
    query = select(Refund).where(Refund.order_id == order.id, Refund.kind == "surplus")
    return session.scalars(query.order_by(Refund.created_at.desc()).limit(1)).first()


def told_return(refund: Refund) -> str:
    """Where a returned surplus is."""
    if refund.status == RefundStatus.ARRIVED and refund.arrived_at:
        return f"{told(refund.arrived_at)} 已到账"
    return f"最晚 {told(refund.due_at, with_time=False)} 到账" if refund.due_at else RefundStatus(refund.status).label
