"""Everything a customer waits for in one overview: tickets, after-sales cases, repairs, visits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core.clock import told
from crm.customers import access as access_rules
from crm.customers.access import Access
from crm.orders.models import OrderItem
from crm.returns.models import AfterSalesCase
from crm.returns.rules import CaseKind, CaseStatus
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus
from helpdesk.visits import usecases as visits
from helpdesk.visits.models import Repair, Visit
from helpdesk.visits.rules import RepairStatus, VisitKind
from helpdesk.visits.usecases import told_visit

RECENT = timedelta(days=30)  # finished things are told that long
OVER_CASES = {CaseStatus.DONE.value, CaseStatus.CANCELLED.value, CaseStatus.REFUSED.value}
OVER_REPAIRS = {RepairStatus.DONE.value, RepairStatus.CANCELLED.value}


class About(StrEnum):
    """What an entry is."""

    TICKET = "ticket"
    COMPLAINT = "complaint"
    CASE = "case"
    REPAIR = "repair"
    VISIT = "visit"


@dataclass(frozen=True)
class Entry:
    """One thing in words. ``number`` is empty for visits; ``due_at`` has passed when ``late``."""

    about: About
    number: str
    title: str
    state: str
    following: str
    open: bool
    late: bool
    at: datetime


def overview(session: Session, access: Access, now: datetime) -> list[Entry]:
    """What is open, oldest wish first; without anything open, what was finished in the last 30 days.

    Tickets belong to the account: who proved one order only sees what hangs on that order.
    """
    found = [*_cases(session, access), *_repairs(session, access), *_visits(session, access, now)]
    if access.whole:
        found += [_ticket(t, now) for t in tickets.of_customer(session, access.customer.id, most=20)]
    running = sorted((e for e in found if e.open), key=lambda e: e.at)
    return running or sorted((e for e in found if now - e.at < RECENT), key=lambda e: e.at, reverse=True)


def by_number(session: Session, access: Access, number: str, now: datetime) -> Entry | None:
    """The own ticket (GD), repair (WX) or case (AS); Raises Refusal for a ticket when only one order was proved."""
    number = number.upper()
    if number.startswith("GD"):
        access_rules.need_whole(access)
        ticket = session.scalar(select(Ticket).where(Ticket.number == number, Ticket.customer_id == access.customer.id))
        return _ticket(ticket, now) if ticket is not None else None
    found = _repairs(session, access) if number.startswith("WX") else _cases(session, access)
    return next((e for e in found if e.number == number), None)


def _ticket(ticket: Ticket, now: datetime) -> Entry:
    kind, status = TicketKind(ticket.kind), TicketStatus(ticket.status)
    last = ticket.progress[-1]["text"] if ticket.progress else ""
    late = status != TicketStatus.SOLVED and ticket.due_at < now
    following = {
        TicketStatus.SOLVED: "",
        TicketStatus.WAITING: "补充好告诉我，我转给经办同事。",
    }.get(status, "" if late else f"最晚 {told(ticket.due_at)} 前给您答复。")
    return Entry(
        About.COMPLAINT if kind == TicketKind.COMPLAINT else About.TICKET,
        ticket.number,
        f"{kind.label}：{ticket.subject}",
        _state(status.label, last),
        following,
        status != TicketStatus.SOLVED,
        late,
        ticket.created_at,
    )


def _state(label: str, last: str) -> str:
    """The state with the last word about it, which may begin with the state itself (已受理，正在安排…)."""
    return last if last.startswith(label) else f"{label}，{last}" if last else label


def _cases(session: Session, access: Access) -> list[Entry]:
    query = (
        select(AfterSalesCase)
        .where(AfterSalesCase.customer_id == access.customer.id)
        .options(selectinload(AfterSalesCase.order), selectinload(AfterSalesCase.item).selectinload(OrderItem.product))
        .order_by(AfterSalesCase.created_at.desc())
        .limit(20)
    )
    return [_case(c) for c in session.scalars(query).all() if access.sees(c.order)]


def _case(case: AfterSalesCase) -> Entry:
    status, kind = CaseStatus(case.status), CaseKind(case.kind)
    following = {
        CaseStatus.PICKUP: f"{told(case.pickup_at)} 起上门取件，请把配件和包装备好。" if case.pickup_at else "",
        CaseStatus.RETURNING: "到仓后 2 个工作日内验收完。",
        CaseStatus.CHECKING: "2 个工作日内验收完，"
        + ("随后 24 小时内退款。" if kind == CaseKind.RETURN else "随后给您寄新的。"),
        CaseStatus.SENDING: "收到后记得开箱看一眼。",
        CaseStatus.REFUSED: "不清楚原因的话，我请同事跟您说明。",
    }.get(status, "")
    title = f"{kind.label}：{case.item.product.name}"
    return Entry(
        About.CASE, case.number, title, status.label, following, case.status not in OVER_CASES, False, case.created_at
    )


def _repairs(session: Session, access: Access) -> list[Entry]:
    return [_repair(session, r) for r in visits.repairs_of(session, access, most=20)]


def _repair(session: Session, repair: Repair) -> Entry:
    status = RepairStatus(repair.status)
    visit = visits.visit_of(session, repair)
    following = f"师傅 {told_visit(visit)}上门。" if visit else repair.progress
    return Entry(
        About.REPAIR,
        repair.number,
        f"维修：{repair.item.product.name}（{repair.fault}）",
        status.label,
        following,
        repair.status not in OVER_REPAIRS,
        False,
        repair.done_at or repair.created_at,
    )


def _visits(session: Session, access: Access, now: datetime) -> list[Entry]:
    # a repair's visit is told with the repair
    return [_visit(v) for v in visits.open_visits(session, access, now) if v.repair_id is None]


def _visit(visit: Visit) -> Entry:
    who = f"师傅{visit.engineer} {visit.engineer_phone}，" if visit.engineer and visit.engineer_phone else "师傅"
    kind = VisitKind(visit.kind).label
    return Entry(
        About.VISIT,
        "",
        f"上门{kind}：{visit.item.product.name}",
        "已约好",
        f"{told_visit(visit)}上门，{who}出发前会打电话给您。",
        True,
        False,
        visit.created_at,
    )
