"""What can be done about delivered goods: sent back, swapped, sent again, and where the money is.

Orders and cases come in already found for an Access (:func:`crm.orders.usecases.find`, :func:`open_cases`). Changes
lock the order's row and look at everything again, so that two at once cannot register the same thing twice. Money in
cents.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import db, settings
from core.calendar import add_working_days
from core.clock import local, told
from core.errors import Refusal
from crm.catalogue.models import Stock
from crm.customers.access import Access
from crm.loyalty.rules import Level
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem, Parcel, PriceProtection
from crm.orders.rules import OrderStatus, ParcelStatus, refund_days
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import (
    LARGE_CARRIERS,
    NOT_RECEIVED_DAYS,
    OPEN,
    PICKUP_HOURS,
    SETTLEMENTS,
    CaseKind,
    CaseStatus,
    Goods,
    No,
    Problem,
    RefundStatus,
    Settlement,
    When,
    fitting_pickup,
    goods_come_back,
    return_freight_cents,
    settlement_for,
    share_cents,
    when_reported,
    why_not_call_off,
    why_not_exchange,
    why_not_report,
    why_not_return,
)

UNDER_WAY = {OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED}
VOID = (CaseStatus.CANCELLED.value, CaseStatus.REFUSED.value)


# What is there.


def goods(item: OrderItem, *, used: bool = False, installed: bool = False) -> Goods:
    """What the rules must know of a piece. ``used``: the customer says it is unsealed, activated or set up."""
    product = item.product
    return Goods(
        kind=product.kind,
        size=product.size,
        consumable=product.consumable,
        personal=product.personal,
        activates=product.activates,
        needs_installation=product.needs_installation,
        unsealed=item.unsealed or used,
        activated=item.activated or used,
        installed=installed or used,
    )


def signed_at(order: Order) -> datetime | None:
    """When it was signed for; of an order of several parcels, the first one that arrived. None: nothing arrived yet."""
    if order.delivered_at is not None:
        return order.delivered_at
    arrived = [p.events[-1].at for p in order.parcels if p.status == ParcelStatus.DELIVERED and p.events]
    return min(arrived, default=None)


def for_aftersales(session: Session, access: Access, now: datetime, within_days: int) -> list[Order]:
    """Orders an after-sales wish can be about: signed for within so many days; else what is on its way or older."""
    found = orders.visible(session, access)
    arrived = [(o, at) for o in found if (at := signed_at(o)) is not None]
    fresh = [o for o, at in arrived if now - at <= timedelta(days=within_days + 1)]
    return fresh or [o for o in found if OrderStatus(o.status) in UNDER_WAY] + [o for o, _ in arrived]


def open_cases(session: Session, access: Access, kinds: Sequence[CaseKind] = tuple(CaseKind)) -> list[AfterSalesCase]:
    """The customer's unfinished cases of these kinds that this access may see, newest first."""
    query = (
        select(AfterSalesCase)
        .where(
            AfterSalesCase.customer_id == access.customer.id,
            AfterSalesCase.kind.in_([k.value for k in kinds]),
            AfterSalesCase.status.in_([s.value for s in OPEN]),
        )
        .options(joinedload(AfterSalesCase.order), joinedload(AfterSalesCase.item).joinedload(OrderItem.product))
        .order_by(AfterSalesCase.created_at.desc(), AfterSalesCase.id.desc())
    )
    return [c for c in session.scalars(query).all() if access.sees(c.order)]


def open_case(session: Session, item: OrderItem) -> AfterSalesCase | None:
    """The unfinished case of a piece, if any."""
    query = select(AfterSalesCase).where(
        AfterSalesCase.item_id == item.id, AfterSalesCase.status.in_([s.value for s in OPEN])
    )
    return session.scalars(query.order_by(AfterSalesCase.id.desc()).limit(1)).first()


def in_stock(session: Session, item: OrderItem, pieces: int = 1) -> list[str]:
    """The product's colours of which so many pieces are there."""
    rows = session.scalars(select(Stock).where(Stock.product_id == item.product_id).order_by(Stock.id)).all()
    return [row.color for row in rows if row.quantity >= pieces]


def restock_at(session: Session, item: OrderItem) -> datetime | None:
    """When the first colour that is out comes in again."""
    query = select(func.min(Stock.restock_at)).where(Stock.product_id == item.product_id, Stock.quantity == 0)
    found: datetime | None = session.scalar(query)
    return found


def takes_back(case: AfterSalesCase) -> bool:
    """Whether the case can still be called off."""
    return why_not_call_off(CaseStatus(case.status)) is None


# What may be done.


def check_arrived(order: Order, now: datetime, what: str) -> datetime:
    """When it was signed for. Raises Refusal while it has not been, with what can be done instead."""
    at = signed_at(order)
    if at is not None:
        return at
    status = OrderStatus(order.status)
    tail = order.number[-4:]
    if status == OrderStatus.SHIPPED and any(p.status == ParcelStatus.REFUSED for p in order.parcels):
        raise Refusal(
            f"尾号 {tail} 的包裹已经拒收，正在退回仓库，不用再{what}；仓库收到验好后给您全额退款。",
            code="parcel_refused",
            way_on=("查物流", "查退款进度", "转人工"),
        )
    why, ways = {
        OrderStatus.UNPAID: (f"尾号 {tail} 的订单还没付款，不用{what}，不想要直接取消就行。", ("取消订单", "转人工")),
        OrderStatus.PAID: (f"尾号 {tail} 的订单还没发货，不用走{what}，直接取消就能全额退款。", ("取消订单", "转人工")),
        OrderStatus.PACKED: (
            f"尾号 {tail} 的订单正在出库，还没到您手上。"
            f"不想要的话收货时拒收，货回仓后全额退款；收下后也可以再找我{what}。",
            ("查物流", "转人工"),
        ),
        OrderStatus.SHIPPED: (
            f"尾号 {tail} 的订单还在路上。可以当面开箱看，有破损或不想要就拒收，"
            f"货回仓后全额退款；签收后也可以再找我{what}。",
            ("查物流", "转人工"),
        ),
        OrderStatus.CANCELLED: (f"尾号 {tail} 的订单之前已经取消了，不用再{what}。", ("查退款进度", "转人工")),
        OrderStatus.DELIVERED: (f"尾号 {tail} 的订单签收时间查不到，我请同事帮您核对。", ("转人工",)),
    }[status]
    raise Refusal(why, code=f"not_arrived_{order.status}", way_on=ways)


def _day(moment: datetime) -> date:
    return local(moment).date()


def _raise(no: No | None) -> None:
    if no is not None:
        raise Refusal(no.why, code=no.code, way_on=no.way_on)


def _check_free(session: Session, item: OrderItem, replacing: AfterSalesCase | None) -> None:
    known = open_case(session, item)
    if known is None or (replacing is not None and known.id == replacing.id):
        return
    raise Refusal(
        f"{item.product.name}已经有一单{CaseKind(known.kind).label}在办了（{known.number}，{CaseStatus(known.status).label}），"
        "不用重复登记，我帮您盯着这一单就好。",
        code="case_open",
        way_on=("查退款进度", "转人工"),
    )


def _check_whole(session: Session, item: OrderItem) -> None:
    # How many pieces of a line went back before is not kept in figures; a person reckons what is left.
    settled = select(AfterSalesCase.id).where(
        AfterSalesCase.item_id == item.id,
        AfterSalesCase.status == CaseStatus.DONE.value,
        or_(AfterSalesCase.kind == CaseKind.RETURN.value, AfterSalesCase.wanted_settlement == Settlement.REFUND.value),
    )
    if session.scalar(settled.limit(1)) is None:
        return
    if item.quantity == 1:
        raise Refusal(
            f"{item.product.name}之前已经办完退款手续了，不用再退。退款的去向我可以帮您查。",
            code="returned_before",
            way_on=("查退款进度", "转人工"),
        )
    raise Refusal(
        f"{item.product.name}之前退过一部分了，剩下的几件我请同事帮您核对数量和金额后再退。",
        code="returned_in_part",
        way_on=("转人工",),
    )


def check_return(
    session: Session,
    item: OrderItem,
    now: datetime,
    *,
    quality: bool,
    facts: Goods,
    replacing: AfterSalesCase | None = None,
) -> None:
    """Raises Refusal when this piece cannot be sent back for money."""
    at = check_arrived(item.order, now, "退货")
    _check_free(session, item, replacing)
    _check_whole(session, item)
    _raise(why_not_return(facts, quality=quality, signed=_day(at), today=_day(now)))


def check_exchange(
    session: Session,
    item: OrderItem,
    now: datetime,
    *,
    quality: bool,
    facts: Goods,
    replacing: AfterSalesCase | None = None,
) -> None:
    """Raises Refusal when this piece cannot be swapped (for any colour)."""
    at = check_arrived(item.order, now, "换货")
    _check_free(session, item, replacing)
    _check_whole(session, item)
    _raise(why_not_exchange(facts, quality=quality, signed=_day(at), today=_day(now)))


def check_colors(session: Session, item: OrderItem, pieces: int, *, other_than: str | None = None) -> list[str]:
    """The colours this piece can be swapped for. Raises Refusal when there is none in stock."""
    there = [c for c in in_stock(session, item, pieces) if c != other_than]
    if there:
        return there
    back = restock_at(session, item)
    when = f"，预计 {told(back, with_time=False)} 到货" if back else ""
    if other_than is not None and len(item.product.colors) < 2:
        raise Refusal(
            f"{item.product.name}只有{item.color}这一个颜色，换不了别的颜色。想要别的款，可以先退货再重新买。",
            code="one_color",
            way_on=("我要退货", "转人工"),
        )
    what = "别的颜色" if other_than is not None else "这一款"
    raise Refusal(
        f"{item.product.name}{what}暂时没有现货{when}，换不了，抱歉。可以等补货后再换，也可以退货退款。",
        code="exchange_no_stock",
        way_on=("我要退货", "转人工"),
    )


def check_report(session: Session, item: OrderItem, now: datetime, problem: Problem | None, facts: Goods) -> When:
    """Whether a problem with what arrived is settled at once or looked at by a person. Raises Refusal."""
    order = item.order
    at = check_arrived(order, now, "报问题")
    _check_free(session, item, None)
    _check_whole(session, item)
    if problem is None:
        return when_reported(at, now)
    _raise(why_not_report(problem, facts, signed_at=at, now=now, signed=_day(at), today=_day(now)))
    coming = [p for p in order.parcels if p.status not in {ParcelStatus.DELIVERED, ParcelStatus.REFUSED}]
    if problem in {Problem.MISSING, Problem.PART, Problem.GIFT} and coming:
        raise Refusal(
            f"先别急，这单分了 {len(order.parcels)} 个包裹，{coming[0].carrier}的那个还在路上，缺的很可能在里面。"
            "收齐了还是不对，再来找我补。",
            code="parcel_under_way",
            way_on=("查物流", "转人工"),
        )
    return when_reported(at, now)


def settlements(session: Session, item: OrderItem, problem: Problem, pieces: int) -> list[Settlement]:
    """How this problem can be made good today: whole pieces are sent only from stock."""
    whole = problem not in {Problem.PART, Problem.GIFT}
    out = whole and item.color not in in_stock(session, item, pieces)
    return [s for s in SETTLEMENTS[problem] if s == Settlement.REFUND or not out]


# What it would come to.


@dataclass(frozen=True)
class Quote:
    """What comes back, in cents: ``refund_cents`` after ``freight_cents`` the customer pays for sending back.

    ``covered``: the freight is a member's free return. ``method`` is how it was paid.
    """

    refund_cents: int
    freight_cents: int
    covered: bool
    method: str


def quote(
    session: Session, item: OrderItem, now: datetime, *, quality: bool, pieces: int, comes_back: bool = True
) -> Quote:
    """What the customer gets for so many pieces. Never more than was paid and has not gone back yet."""
    order, product = item.order, item.product
    value = sum(i.price_cents * i.quantity for i in order.items)
    paid = max(order.total_cents - order.freight_cents, 0)
    amount = share_cents(paid, value, item.price_cents * pieces) - item.protected_cents * pieces // item.quantity
    if quality and len(order.items) == 1 and pieces == item.quantity:
        amount += order.freight_cents  # the whole order comes back for our fault
    gone = session.scalar(
        select(func.sum(Refund.amount_cents)).where(Refund.order_id == order.id, Refund.kind != "surplus")
    )
    amount = max(min(amount, order.total_cents - (gone or 0)), 0)
    level = Level(order.customer.level)
    used = free_returns_used(session, order.customer_id, now)
    freight = return_freight_cents(product.size, quality=quality, level=level, used_this_year=used) if comes_back else 0
    return Quote(
        refund_cents=max(amount - freight, 0),
        freight_cents=freight,
        covered=not quality and comes_back and freight == 0,
        method=orders.paid_method(order),
    )


def free_returns_used(session: Session, customer_id: int, now: datetime) -> int:
    """Changes of mind sent back this calendar year: each counts against a member's two free ones."""
    new_year = datetime(local(now).year, 1, 1, tzinfo=settings.load().zone)
    query = select(func.count(AfterSalesCase.id)).where(
        AfterSalesCase.customer_id == customer_id,
        AfterSalesCase.kind.in_([CaseKind.RETURN.value, CaseKind.EXCHANGE.value]),
        AfterSalesCase.quality_problem.is_(False),
        AfterSalesCase.status != CaseStatus.CANCELLED.value,
        AfterSalesCase.created_at >= new_year,
    )
    return session.scalar(query) or 0


def pickup_time(day: date, part: str, item: OrderItem, now: datetime) -> datetime:
    """When a pick-up begins: the nearest day that can be booked; ``part`` is day, morning or afternoon."""
    fitting = fitting_pickup(day, item.product.size, _day(now))
    return datetime.combine(fitting, time(PICKUP_HOURS[part]), tzinfo=settings.load().zone)


# Changes.


def book_return(
    session: Session,
    item: OrderItem,
    now: datetime,
    *,
    reason: str,
    quality: bool,
    facts: Goods,
    pieces: int,
    pickup_at: datetime,
    replacing: AfterSalesCase | None = None,
) -> tuple[AfterSalesCase, Quote]:
    """The goods are picked up, the money waits for them. ``replacing``: what becomes this. Raises Refusal."""
    _lock(session, item)
    check_return(session, item, now, quality=quality, facts=facts, replacing=replacing)
    if replacing is not None:
        call_off(session, replacing, now)
    promised = quote(session, item, now, quality=quality, pieces=pieces)
    case = _case(
        session,
        item,
        now,
        CaseKind.RETURN,
        CaseStatus.PICKUP,
        reason=reason,
        pieces=pieces,
        quality=quality,
        pickup_at=pickup_at,
        settlement=Settlement.REFUND,
    )
    _refund(session, item.order, now, promised, case, status=RefundStatus.WAITING_GOODS, kind="returned")
    return case, promised


def book_exchange(
    session: Session,
    item: OrderItem,
    now: datetime,
    *,
    reason: str,
    quality: bool,
    facts: Goods,
    pieces: int,
    color: str,
    pickup_at: datetime,
    replacing: AfterSalesCase | None = None,
) -> AfterSalesCase:
    """The same product in ``color`` for what is picked up. Raises Refusal."""
    _lock(session, item)
    check_exchange(session, item, now, quality=quality, facts=facts, replacing=replacing)
    if color not in in_stock(session, item, pieces):
        check_colors(session, item, pieces)
        raise Refusal(f"{color}刚刚卖完了，抱歉，换个颜色可以吗？", code="color_out", way_on=("我要换货", "我要退货"))
    if replacing is not None:
        call_off(session, replacing, now)
    return _case(
        session,
        item,
        now,
        CaseKind.EXCHANGE,
        CaseStatus.PICKUP,
        reason=reason,
        pieces=pieces,
        quality=quality,
        pickup_at=pickup_at,
        color=color,
        settlement=Settlement.EXCHANGE,
    )


def settle_problem(
    session: Session,
    item: OrderItem,
    now: datetime,
    *,
    problem: Problem,
    wanted: Settlement,
    reason: str,
    facts: Goods,
    pieces: int,
    pickup_at: datetime | None,
) -> tuple[AfterSalesCase, Quote]:
    """What arrived short, wrong or bad, reported in time, is made good; freight is ours. Raises Refusal."""
    _lock(session, item)
    if check_report(session, item, now, problem, facts) != When.IN_TIME:
        raise Refusal("签收已经超过 48 小时了，需要同事先核实，我帮您转过去。", code="report_late", way_on=("转人工",))
    settlement = settlement_for(problem, wanted)
    if settlement not in settlements(session, item, problem, pieces):
        check_colors(session, item, pieces)
        raise Refusal(
            f"{item.product.name}{item.color}刚好没有现货了，可以退款，也可以换成别的颜色。",
            code="color_out",
            way_on=("商品有质量问题要退货", "商品有质量问题要换货", "转人工"),
        )
    back = goods_come_back(problem, settlement)
    promised = quote(session, item, now, quality=True, pieces=pieces, comes_back=back)
    kind = {
        Settlement.RESEND: CaseKind.RESEND,
        Settlement.EXCHANGE: CaseKind.EXCHANGE,
        Settlement.REFUND: CaseKind.RETURN,
    }[settlement]
    case = _case(
        session,
        item,
        now,
        kind,
        CaseStatus.PICKUP if back else CaseStatus.WAITING,
        reason=reason,
        pieces=pieces,
        quality=True,
        pickup_at=pickup_at if back else None,
        color=item.color if kind == CaseKind.EXCHANGE else None,
        settlement=settlement,
    )
    if settlement == Settlement.REFUND:
        if back:
            _refund(session, item.order, now, promised, case, status=RefundStatus.WAITING_GOODS, kind="returned")
        else:
            case.status = CaseStatus.CHECKING.value  # the warehouse looks at its packing record first
            _refund(
                session, item.order, now, promised, case, status=RefundStatus.APPROVED, kind="returned", check_days=1
            )
    return case, promised


def move_pickup(session: Session, case: AfterSalesCase, pickup_at: datetime, now: datetime) -> None:
    """Another time for the pick-up. Raises Refusal once the goods are under way."""
    db.lock(session, case)
    if case.status != CaseStatus.PICKUP:
        raise Refusal(
            f"这单现在是“{CaseStatus(case.status).label}”，不用再约取件了。",
            code=f"pickup_{case.status}",
            way_on=("查退款进度", "转人工"),
        )
    case.pickup_at, case.updated_at = pickup_at, now


def check_call_off(case: AfterSalesCase) -> None:
    """Raises Refusal when the case can no longer be called off."""
    why = why_not_call_off(CaseStatus(case.status))
    if why:
        raise Refusal(f"{why}（{case.number}）", code=f"call_off_{case.status}", way_on=("查退款进度", "转人工"))


def call_off(session: Session, case: AfterSalesCase, now: datetime) -> None:
    """Ends a case before anything has moved; money that waited for the goods is not due any more. Raises Refusal."""
    db.lock(session, case)
    check_call_off(case)
    case.status, case.updated_at = CaseStatus.CANCELLED.value, now
    waiting = select(Refund).where(Refund.case_id == case.id, Refund.status == RefundStatus.WAITING_GOODS.value)
    for refund in session.scalars(waiting).all():
        session.delete(refund)
    session.flush()


# Parcels that never came.


def items_of(parcel: Parcel) -> list[OrderItem]:
    """What is in a parcel: all of the order, or, of several parcels, the large or the small goods by its carrier."""
    order = parcel.order
    if len(order.parcels) == 1:
        return list(order.items)
    size = "large" if parcel.carrier in LARGE_CARRIERS else "small"
    return [i for i in order.items if i.product.size == size]


def lost_items(session: Session, order: Order) -> list[OrderItem]:
    """What was in lost parcels and has not been settled yet."""
    gone = [i for p in order.parcels if p.status == ParcelStatus.LOST for i in items_of(p)]
    settled = select(AfterSalesCase.item_id).where(
        AfterSalesCase.order_id == order.id, AfterSalesCase.status.not_in(VOID)
    )
    known = set(session.scalars(settled).all())
    return [i for i in gone if i.id not in known]


def lost_refund_cents(session: Session, order: Order) -> int:
    """What is paid back for the lost goods; the freight as well when nothing of the order arrived."""
    items = lost_items(session, order)
    value = sum(i.price_cents * i.quantity for i in order.items)
    lost = sum(i.price_cents * i.quantity for i in items)
    amount = share_cents(max(order.total_cents - order.freight_cents, 0), value, lost)
    amount -= sum(i.protected_cents for i in items)
    return max(amount + (order.freight_cents if len(items) == len(order.items) else 0), 0)


def settle_lost(
    session: Session, order: Order, now: datetime, settlement: Settlement
) -> tuple[list[AfterSalesCase], Refund | None]:
    """Lost goods are sent again or paid back. Raises Refusal when there is nothing (left) to settle or no stock."""
    db.lock(session, order)
    items = lost_items(session, order)
    if not items:
        raise Refusal(
            "这单丢失的包裹已经登记处理了，不用重复登记。", code="lost_settled", way_on=("查退款进度", "转人工")
        )
    if settlement == Settlement.RESEND and not lost_in_stock(session, order):
        raise Refusal(
            "这款刚好没有现货了，没法补发，我给您办退款好吗？",
            code="lost_no_stock",
            way_on=("没收到货要退款", "转人工"),
        )
    amount = lost_refund_cents(session, order)
    status = CaseStatus.WAITING if settlement == Settlement.RESEND else CaseStatus.DONE
    kind = CaseKind.RESEND if settlement == Settlement.RESEND else CaseKind.RETURN
    cases = [
        _case(session, i, now, kind, status, reason="包裹丢失", pieces=i.quantity, quality=True, settlement=settlement)
        for i in items
    ]
    if settlement == Settlement.RESEND:
        return cases, None
    promised = Quote(amount, 0, False, orders.paid_method(order))
    return cases, _refund(session, order, now, promised, cases[0], status=RefundStatus.APPROVED, kind="lost")


def lost_in_stock(session: Session, order: Order) -> bool:
    """Whether all the lost goods can be sent again."""
    return all(i.color in in_stock(session, i, i.quantity) for i in lost_items(session, order))


def check_not_received(order: Order, now: datetime) -> None:
    """Raises Refusal when there is nothing yet that could be missing, or it is too long ago to find out."""
    status, tail = OrderStatus(order.status), order.number[-4:]
    if status in {OrderStatus.UNPAID, OrderStatus.CANCELLED}:
        raise Refusal(
            f"尾号 {tail} 的订单{'还没付款' if status == OrderStatus.UNPAID else '已经取消了'}，没有发货，"
            "所以不会有包裹送来。",
            code=f"not_received_{order.status}",
            way_on=("查我的订单", "转人工"),
        )
    if status in {OrderStatus.PAID, OrderStatus.PACKED}:
        when = (
            f"，最晚 {told(order.promised_ship_at)} 前发出"
            if order.promised_ship_at and order.promised_ship_at > now
            else ""
        )
        raise Refusal(
            f"尾号 {tail} 的订单还没从仓库发出{when}，所以还没收到。要我帮您催一下吗？",
            code=f"not_received_{order.status}",
            way_on=("催发货", "转人工"),
        )
    if order.delivered_at is not None and now - order.delivered_at > timedelta(days=NOT_RECEIVED_DAYS):
        raise Refusal(
            f"尾号 {tail} 的订单是 {told(order.delivered_at, with_time=False)} 签收的，隔得太久，"
            "快递的签收底单已经调不到了。我请同事帮您看看还有什么办法。",
            code="not_received_long_ago",
            way_on=("转人工",),
        )
    if any(overdue(p, now) for p in order.parcels):
        return
    parcel = order.parcels[-1] if order.parcels else None
    when = f"，预计 {told(parcel.expected_at, with_time=False)} 送到" if parcel and parcel.expected_at else ""
    if parcel is not None and parcel.status == ParcelStatus.REFUSED:
        raise Refusal(
            f"尾号 {tail} 的包裹登记的是拒收，正在退回仓库，收到后给您退款。要是不是您拒收的，我请同事核实。",
            code="not_received_refused",
            way_on=("查退款进度", "转人工"),
        )
    raise Refusal(
        f"尾号 {tail} 的包裹还在路上{when}，还没有签收。过了时间没到，跟我说一声我就去查。",
        code="not_received_moving",
        way_on=("查物流", "催配送"),
    )


def overdue(parcel: Parcel, now: datetime) -> bool:
    """Whether the parcel should be with the customer: signed for, stuck, lost, or a day past its time."""
    if parcel.status in {ParcelStatus.DELIVERED, ParcelStatus.STUCK, ParcelStatus.LOST}:
        return True
    late = parcel.expected_at is not None and now - parcel.expected_at > timedelta(days=1)
    return late and parcel.status != ParcelStatus.REFUSED


# Money on its way back.


def with_money(session: Session, access: Access) -> list[Order]:
    """Orders of which money goes or went back: what is not there yet first, then the newest."""
    found = orders.visible(session, access, most=100)
    ids = [o.id for o in found]
    refunds = session.scalars(select(Refund).where(Refund.order_id.in_(ids))).all()
    pending = {r.order_id for r in refunds if r.status != RefundStatus.ARRIVED}
    some = {r.order_id for r in refunds} | {o.id for o in found if protections(session, o) or surplus_cents(o)}
    pending |= {o.id for o in found if surplus_cents(o) or any(p.paid_at is None for p in protections(session, o))}
    waiting = [o for o in found if o.id in pending]
    return waiting or [o for o in found if o.id in some]


def refunds_of(session: Session, order: Order) -> Sequence[Refund]:
    """The order's refunds, newest first."""
    query = select(Refund).where(Refund.order_id == order.id).order_by(Refund.created_at.desc(), Refund.id.desc())
    return session.scalars(query).all()


def protections(session: Session, order: Order) -> list[PriceProtection]:
    """Price differences granted that do not stand among the refunds (they are told once)."""
    told_already = {r.amount_cents for r in refunds_of(session, order) if r.kind == "price_protection"}
    query = select(PriceProtection).where(PriceProtection.item_id.in_([i.id for i in order.items]))
    return [p for p in session.scalars(query).all() if p.amount_cents not in told_already]


def surplus_cents(order: Order) -> int:
    """Paid twice and still with us."""
    return sum(p.amount_cents for p in order.payments if p.status == "surplus")


def late(refund: Refund, now: datetime) -> bool:
    """Whether it should have arrived by now."""
    return (
        refund.status in {RefundStatus.APPROVED, RefundStatus.SENT}
        and refund.due_at is not None
        and refund.due_at < now
    )


def case_of(session: Session, refund: Refund) -> AfterSalesCase | None:
    """The case a refund waits for."""
    query = select(AfterSalesCase).options(selectinload(AfterSalesCase.item)).where(AfterSalesCase.id == refund.case_id)
    return session.scalars(query).first() if refund.case_id else None


def _lock(session: Session, item: OrderItem) -> None:
    # the order's row stands for all that hangs on it: a second booking waits here and then finds the first
    db.lock(session, item.order)


def _case(
    session: Session,
    item: OrderItem,
    now: datetime,
    kind: CaseKind,
    status: CaseStatus,
    *,
    reason: str,
    pieces: int,
    quality: bool,
    pickup_at: datetime | None = None,
    color: str | None = None,
    settlement: Settlement | None = None,
) -> AfterSalesCase:
    share = f"（{item.quantity} 件中的 {pieces} 件）" if pieces < item.quantity else ""
    case = AfterSalesCase(
        number=_number(session, now),
        customer_id=item.order.customer_id,
        order_id=item.order_id,
        item_id=item.id,
        kind=kind.value,
        reason=f"{reason[:170]}{share}",
        quality_problem=quality,
        wanted_color=color,
        wanted_settlement=settlement.value if settlement else None,
        status=status.value,
        pickup_at=pickup_at,
        created_at=now,
        updated_at=now,
    )
    session.add(case)
    session.flush()
    return case


def _refund(
    session: Session,
    order: Order,
    now: datetime,
    promised: Quote,
    case: AfterSalesCase,
    *,
    status: RefundStatus,
    kind: str,
    check_days: int = 0,
) -> Refund:
    due = None
    if status != RefundStatus.WAITING_GOODS:
        due = add_working_days(now, check_days + refund_days(promised.method))
    refund = Refund(
        order_id=order.id,
        case_id=case.id,
        amount_cents=promised.refund_cents,
        method=promised.method,
        kind=kind,
        status=status.value,
        created_at=now,
        due_at=due,
    )
    session.add(refund)
    session.flush()
    return refund


def _number(session: Session, now: datetime) -> str:
    while True:
        number = f"AS{local(now):%y%m%d}{secrets.randbelow(10_000):04d}"
        if session.scalar(select(AfterSalesCase.id).where(AfterSalesCase.number == number)) is None:
            return number
