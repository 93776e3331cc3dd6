"""Warranty looked up, faults reported, visits booked, moved and called off. Everything takes an Access or an own item.

Money in cents. Changes look at the state again under a lock, so that two at once cannot book twice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import db
from core.clock import local
from core.errors import Refusal
from crm.customers.access import Access
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from crm.orders.rules import OrderStatus, ParcelStatus
from crm.returns.models import AfterSalesCase
from crm.returns.rules import CaseKind, CaseStatus
from helpdesk.tickets.usecases import number
from helpdesk.visits.models import Repair, Visit
from helpdesk.visits.rules import (
    BOOK_AHEAD_DAYS,
    BOOK_UNTIL_HOUR,
    RepairPlan,
    RepairStatus,
    Slot,
    VisitKind,
    VisitStatus,
    Warranty,
    Way,
    can_book,
    can_move,
    can_move_to,
    first_day,
    installation_extras,
    plan_repair,
    setup_hint,
    warranty,
)

WEEKDAYS = "一二三四五六日"
OPEN_REPAIR = (RepairStatus.BOOKED.value, RepairStatus.WAITING_PARTS.value, RepairStatus.REPAIRING.value)
SERIAL_MARK = re.compile(r"[^0-9A-Z]")


def told_day(day: date, today: date | None = None) -> str:
    """``11月25日（周三）``; with 明天 or 后天 before it when ``today`` says so."""
    near = {1: "明天 ", 2: "后天 "}.get((day - today).days, "") if today else ""
    return f"{near}{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def told_visit(visit: Visit) -> str:
    """``11月25日（周三）上午 9–12 点``."""
    return f"{told_day(visit.day)}{Slot(visit.slot).label}"


# Warranty.


def delivered_items(session: Session, access: Access) -> list[OrderItem]:
    """The customer's goods that were signed for, newest first."""
    return [i for o in orders.visible(session, access) if o.status == OrderStatus.DELIVERED for i in o.items]


def find_serial(session: Session, access: Access, serial: str) -> OrderItem | None:
    """The own item with this serial number (with or without ``SN``); somebody else's is as good as none."""
    plain = SERIAL_MARK.sub("", serial.upper()).removeprefix("SN")
    query = (
        select(OrderItem)
        .join(OrderItem.order)
        .where(Order.customer_id == access.customer.id, OrderItem.serial_number.in_([plain, f"SN{plain}"]))
        .options(joinedload(OrderItem.order), joinedload(OrderItem.product))
    )
    found = session.scalars(query).first()
    return found if found is not None and access.sees(found.order) else None


def warranty_of(item: OrderItem) -> Warranty | None:
    """Until when an item is covered; None while it has not been signed for."""
    signed = item.order.delivered_at
    if signed is None:
        return None
    product = item.product
    return warranty(local(signed).date(), product.kind, product.warranty_months, product.main_parts_months)


# Repairs.


def open_repair(session: Session, item: OrderItem) -> Repair | None:
    """The unfinished repair of an item, if any."""
    query = select(Repair).where(Repair.item_id == item.id, Repair.status.in_(OPEN_REPAIR))
    return session.scalars(query.order_by(Repair.created_at.desc()).limit(1)).first()


def check_repair(session: Session, item: OrderItem) -> None:
    """Raises Refusal when a fault of this item cannot be reported."""
    name = item.product.name
    if item.order.status != OrderStatus.DELIVERED:
        raise Refusal(
            f"{name}还没有签收，先不用报修。收到后有问题，48 小时内拍照告诉我，我们补发、换货或退款。",
            code="repair_not_delivered",
            way_on=("查物流", "转人工"),
        )
    if item.product.consumable:
        raise Refusal(
            f"{name}是耗材，用旧或磨损不在维修范围里，需要另外购买。刚收到就有破损，48 小时内告诉我可以补发或退款。",
            code="repair_consumable",
            way_on=("收到就是坏的", "转人工"),
        )
    known = open_repair(session, item)
    if known is not None:
        raise Refusal(
            f"{name}已经报过修了，维修单 {known.number}（{known.fault}），现在是“{RepairStatus(known.status).label}”。"
            f"{known.progress.rstrip('。')}。不用重复登记，我帮您盯着这一单就好。",
            code="repair_open",
            way_on=("查维修进度", "改上门时间", "转人工"),
        )


def repair_plan(item: OrderItem, fault: str, now: datetime) -> RepairPlan:
    """How this fault of a delivered item would be mended, and what it may cost."""
    covered = warranty_of(item)
    if covered is None:
        raise ValueError("a repair needs a delivered item; check_repair comes first")
    product = item.product
    return plan_repair(
        covered, local(now).date(), fault, large=product.size == "large", installed=product.needs_installation
    )


def pick_up_day(now: datetime) -> date:
    """When the courier fetches what is sent in: the next day, after 20:00 the one after."""
    there = local(now)
    return there.date() + timedelta(days=1 if there.hour < BOOK_UNTIL_HOUR else 2)


def report_fault(
    session: Session, item: OrderItem, now: datetime, fault: str, *, day: date | None = None, slot: Slot | None = None
) -> tuple[Repair, Visit | None]:
    """The repair and, for what is mended at home, its visit (``day`` and ``slot`` are then needed). Raises Refusal."""
    _lock(session, item)
    check_repair(session, item)
    plan = repair_plan(item, fault, now)
    if plan.way == Way.SEND_IN:
        progress = f"快递 {told_day(pick_up_day(now))}9–18 点上门取件。"
    else:
        if day is None or slot is None:
            raise ValueError("a visit needs a day and a slot")
        check_day(day, now, item.order.city)
        progress = f"师傅 {told_day(day)}{slot.label}上门。"
    repair = Repair(
        number=number("WX"),
        customer_id=item.order.customer_id,
        item_id=item.id,
        fault=fault[:200],
        way=plan.way.value,
        in_warranty=plan.in_warranty,
        fee_cents=plan.fee_cents,
        status=RepairStatus.BOOKED.value,
        progress=progress,
        created_at=now,
    )
    session.add(repair)
    session.flush()
    visit = None
    if plan.way == Way.VISIT and day is not None and slot is not None:
        visit = _book(session, item, VisitKind.REPAIR, day=day, slot=slot, now=now, repair_id=repair.id)
    return repair, visit


# Installation.


@dataclass(frozen=True)
class Arrival:
    """Whether an item is there or comes today."""

    here: bool
    expected_at: datetime | None


def arrival(item: OrderItem) -> Arrival:
    """Signed for or out for delivery counts as here (somebody may come from tomorrow on)."""
    order = item.order
    if order.status == OrderStatus.DELIVERED:
        return Arrival(True, order.delivered_at)
    expected = max((p.expected_at for p in order.parcels if p.expected_at), default=None)
    out = order.status == OrderStatus.SHIPPED and any(p.status == ParcelStatus.OUT_FOR_DELIVERY for p in order.parcels)
    return Arrival(out, expected)


def installation_of(session: Session, item: OrderItem) -> Visit | None:
    """The installation that is booked or was done; None when it was never booked or was called off."""
    query = select(Visit).where(
        Visit.item_id == item.id,
        Visit.kind == VisitKind.INSTALLATION.value,
        Visit.status != VisitStatus.CANCELLED.value,
    )
    return session.scalars(query.order_by(Visit.id.desc()).limit(1)).first()


def awaits_installation(session: Session, item: OrderItem) -> bool:
    """Whether it is here (or comes today), needs an engineer, and none is booked."""
    return item.product.needs_installation and arrival(item).here and installation_of(session, item) is None


def _why_not_installed(case: AfterSalesCase) -> str:
    name, kind = case.item.product.name, CaseKind(case.kind)
    if case.status == CaseStatus.DONE:
        return f"{name}已经退货办完了（{case.number}），不用再约安装。"
    if kind == CaseKind.EXCHANGE:
        return f"{name}正在办换货（{case.number}），等新的送到了再约安装，免得师傅白跑一趟。"
    return f"{name}正在办退货（{case.number}），就先不约安装了。想留下用的话，先跟我说“取消退货”，我再给您约师傅。"


def check_installation(session: Session, item: OrderItem) -> None:
    """Raises Refusal when no installation can be booked for this item."""
    product, name = item.product, item.product.name
    if item.order.status in {OrderStatus.CANCELLED, OrderStatus.UNPAID}:
        state = OrderStatus(item.order.status).label
        raise Refusal(f"{name}这单{state}，暂时约不了安装。", code="install_no_order", way_on=("查我的订单", "转人工"))
    if not product.needs_installation:
        raise Refusal(
            f"{name}不需要师傅上门，{setup_hint(product.kind)}。用的时候遇到问题，随时告诉我现象。",
            code="install_self_setup",
            way_on=("报修", "转人工"),
        )
    case = orders.going_back(session, item)
    if case is not None:
        raise Refusal(_why_not_installed(case), code="install_goes_back", way_on=("查服务进度", "转人工"))
    booked = installation_of(session, item)
    if booked is not None and booked.status == VisitStatus.BOOKED:
        raise Refusal(
            f"{name}已经约好了，{told_visit(booked)}上门安装，师傅会提前打电话给您。时间不合适可以改。",
            code="install_booked",
            way_on=("改上门时间", "转人工"),
        )
    if booked is not None:
        raise Refusal(
            f"{name}在{told_day(booked.day)}已经上门装过了。没装完、要补装或移机，我帮您转给安装同事安排。",
            code="install_done",
            way_on=("转人工", "报修"),
        )
    when = arrival(item)
    if not when.here:
        expected = (
            f"预计 {local(when.expected_at).month}月{local(when.expected_at).day}日送到，" if when.expected_at else ""
        )
        raise Refusal(
            f"{name}还没到家，{expected}建议到货、开箱看过没问题再约，免得师傅白跑。"
            "到货当天 20:00 前告诉我，第二天就能安排上门。",
            code="install_not_arrived",
            way_on=("查物流", "转人工"),
        )


def book_installation(session: Session, item: OrderItem, now: datetime, day: date, slot: Slot) -> Visit:
    """The booked visit. Raises Refusal."""
    _lock(session, item)
    check_installation(session, item)
    check_day(day, now, item.order.city)
    return _book(session, item, VisitKind.INSTALLATION, day=day, slot=slot, now=now)


def extras(item: OrderItem) -> str:
    """What may be paid on the spot besides the free installation."""
    return installation_extras(item.product.kind)


def check_day(day: date, now: datetime, city: str) -> None:
    """Raises Refusal when nobody can come that day."""
    there = local(now)
    if can_book(day, there, city):
        return
    first = first_day(there, city)
    if day > first:
        raise Refusal(f"目前只能约 {BOOK_AHEAD_DAYS} 天以内的时间，再往后的到时找我约就好。", code="day_far")
    why = "今天过了 20:00，" if there.hour >= BOOK_UNTIL_HOUR else ""
    raise Refusal(f"{why}{told_day(day)}来不及安排，最早可以约{told_day(first)}。", code="day_soon")


# Moving and calling off.


def open_visits(session: Session, access: Access, now: datetime) -> list[Visit]:
    """The customer's booked visits from today on, the next one first."""
    query = (
        select(Visit)
        .where(
            Visit.customer_id == access.customer.id,
            Visit.status == VisitStatus.BOOKED.value,
            Visit.day >= local(now).date(),
        )
        .options(
            joinedload(Visit.item).selectinload(OrderItem.order), joinedload(Visit.item).selectinload(OrderItem.product)
        )
        .order_by(Visit.day, Visit.slot.desc(), Visit.id)
    )
    return [v for v in session.scalars(query).all() if access.sees(v.item.order)]


def check_move(visit: Visit, now: datetime) -> None:
    """Raises Refusal when it is over, called off, or too late to change anything."""
    if visit.status != VisitStatus.BOOKED:
        state = "已经完成了" if visit.status == VisitStatus.DONE else "之前已经取消了"
        raise Refusal(
            f"这次上门{state}，不用再改。", code=f"visit_{visit.status}", way_on=("预约安装", "报修", "转人工")
        )
    if not can_move(visit.day, Slot(visit.slot), local(now)):
        whom = f"师傅{visit.engineer} {visit.engineer_phone}" if visit.engineer_phone else "师傅"
        reach = f"您可以直接给{whom}打电话商量" if visit.engineer_phone else "我可以请同事马上联系师傅商量"
        raise Refusal(
            f"{told_visit(visit)}的上门，离开始不到 2 小时了，师傅可能已出发，我改不了。{reach}，或者转人工帮您协调。",
            code="visit_too_late",
            way_on=("转人工",),
        )


def check_move_to(visit: Visit, now: datetime, day: date, slot: Slot) -> None:
    """Raises Refusal when the visit cannot be moved there."""
    if (day, slot) == (visit.day, Slot(visit.slot)):
        raise Refusal(
            f"现在约的就是{told_visit(visit)}，不用改，师傅会准时来。", code="visit_same", way_on=("换个时间", "转人工")
        )
    city = visit.item.order.city
    if not can_move_to(day, slot, local(now), city, visit.day):
        if day == visit.day:
            raise Refusal(f"{told_day(day)}{slot.label}来不及了，请换一天。", code="day_soon")
        check_day(day, now, city)


def move(session: Session, visit: Visit, now: datetime, day: date, slot: Slot) -> None:
    """Another day and slot. Raises Refusal."""
    db.lock(session, visit)
    check_move(visit, now)
    check_move_to(visit, now, day, slot)
    visit.day, visit.slot, visit.moved = day, slot.value, visit.moved + 1
    repair = session.get(Repair, visit.repair_id) if visit.repair_id else None
    if repair is not None:
        repair.progress = f"师傅 {told_visit(visit)}上门。"


def call_off(session: Session, visit: Visit, now: datetime) -> Repair | None:
    """Nobody comes; a repair that hung on the visit is withdrawn as well and given back. Raises Refusal."""
    db.lock(session, visit)
    check_move(visit, now)
    visit.status = VisitStatus.CANCELLED.value
    repair = session.get(Repair, visit.repair_id) if visit.repair_id else None
    if repair is None or repair.status != RepairStatus.BOOKED:
        return None
    repair.status, repair.progress = RepairStatus.CANCELLED.value, "按您的要求撤销。"
    return repair


def _lock(session: Session, item: OrderItem) -> None:
    # the order's row stands for all that hangs on it: a second booking waits here and then finds the first
    db.lock(session, item.order)


def _book(
    session: Session,
    item: OrderItem,
    kind: VisitKind,
    *,
    day: date,
    slot: Slot,
    now: datetime,
    repair_id: int | None = None,
) -> Visit:
    visit = Visit(
        customer_id=item.order.customer_id,
        item_id=item.id,
        repair_id=repair_id,
        kind=kind.value,
        day=day,
        slot=slot.value,
        status=VisitStatus.BOOKED.value,
        moved=0,
        created_at=now,
    )
    session.add(visit)
    session.flush()
    return visit


# For overviews.


def repairs_of(session: Session, access: Access, most: int = 10) -> Sequence[Repair]:
    """The customer's repairs, newest first, as far as the access goes."""
    query = (
        select(Repair)
        .where(Repair.customer_id == access.customer.id)
        .options(
            joinedload(Repair.item).selectinload(OrderItem.order),
            joinedload(Repair.item).selectinload(OrderItem.product),
        )
        .order_by(Repair.created_at.desc())
        .limit(most)
    )
    return [r for r in session.scalars(query).all() if access.sees(r.item.order)]


def visit_of(session: Session, repair: Repair) -> Visit | None:
    """The visit a repair waits for."""
    query: Any = select(Visit).where(Visit.repair_id == repair.id, Visit.status == VisitStatus.BOOKED.value)
    return session.scalars(query.options(selectinload(Visit.item)).limit(1)).first()
