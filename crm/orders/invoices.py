"""Invoices asked for, corrected, sent again. Money in cents."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core.clock import local, told
from core.errors import Invalid, Refusal
from core.text import yuan
from crm.orders import usecases as orders
from crm.orders.invoice_rules import (
    InvoiceKind,
    InvoiceStatus,
    correct_until,
    is_company,
    issue_by,
    why_not_tax_number,
    why_not_title,
)
from crm.orders.models import Invoice, Order
from crm.orders.rules import OrderStatus
from crm.returns.models import Refund
from crm.returns.rules import CaseKind, CaseStatus, RefundStatus

GIVEN_BACK = (
    "returned",
    "lost",
    "price_protection",
)  # refunds that lower what was paid; a surplus was never part of it


@dataclass(frozen=True)
class Wanted:
    """What stands on an invoice. ``tax_number`` is needed for organisations; without ``email`` it is sent nowhere."""

    kind: InvoiceKind
    title: str
    tax_number: str | None = None
    email: str | None = None


def current(order: Order) -> Invoice | None:
    """The order's invoice in force (asked for or issued)."""
    return next((i for i in reversed(order.invoices) if i.status != InvoiceStatus.VOIDED), None)


def amount_cents(session: Session, order: Order) -> int:
    """What the invoice is about: the money paid, less what went back."""
    refunds = session.scalars(
        select(Refund.amount_cents).where(
            Refund.order_id == order.id, Refund.kind.in_(GIVEN_BACK), Refund.status != RefundStatus.FAILED.value
        )
    )
    return max(order.total_cents - sum(refunds), 0)


def check_request(session: Session, order: Order) -> None:
    """Raises Refusal when there is nothing to be invoiced."""
    status = OrderStatus(order.status)
    if status == OrderStatus.UNPAID:
        raise Refusal(
            "这单还没付款，付好之后就能开票，签收第二天开出来。",
            code="invoice_unpaid",
            way_on=("支付遇到问题", "查我的订单"),
        )
    if status == OrderStatus.CANCELLED:
        raise Refusal(_why_cancelled(session, order), code="invoice_cancelled", way_on=("查退款进度", "查我的订单"))
    if _is_being_returned(session, order) or amount_cents(session, order) == 0:
        raise Refusal(_why_nothing_left(session, order), code="invoice_nothing_left", way_on=("查退款进度", "转人工"))


def _is_being_returned(session: Session, order: Order) -> bool:
    """Whether all of it is on its way back; what may be left in figures then is the freight for that."""
    cases = [orders.going_back(session, item) for item in order.items]
    return all(c is not None and c.kind == CaseKind.RETURN and c.status != CaseStatus.DONE for c in cases)


def _refund_states(session: Session, order: Order) -> set[RefundStatus]:
    found = session.scalars(select(Refund.status).where(Refund.order_id == order.id, Refund.kind != "surplus"))
    return {RefundStatus(status) for status in found}


def _why_cancelled(session: Session, order: Order) -> str:
    """Where the money is, is told as it is: that it is back only when it has arrived."""
    states = _refund_states(session, order)
    if not states:
        return "这单取消时没有付款，没有可开票的金额。"
    if states == {RefundStatus.ARRIVED}:
        return "这单已经取消，钱也退到账了，不再开票。"
    return "这单已经取消，不再开票。退款还没到账，进度我可以帮您查。"


def _why_nothing_left(session: Session, order: Order) -> str:
    states = _refund_states(session, order) - {RefundStatus.FAILED}
    if _is_being_returned(session, order) or RefundStatus.WAITING_GOODS in states:
        return (
            "这单的商品正在办退货，所以先不能开票；钱还没有退，等东西退回仓库、验收好才退给您。"
            "想留下商品的话，先取消退货，就能开票了。"
        )
    if states == {RefundStatus.ARRIVED}:
        return "这单的钱已经全部退到账，没有可开票的金额了。"
    return "这单的钱要全部退给您，正在办、还没有都到账，所以没有可开票的金额了。"


def check_correct(invoice: Invoice, now: datetime) -> None:
    """Raises Refusal after 31 January of the year after the invoice was issued."""
    if invoice.issued_at is None:
        return
    until = correct_until(local(invoice.issued_at).date())
    if local(now).date() > until:
        raise Refusal(
            f"这张发票是 {told(invoice.issued_at, with_time=False)} 开的，更正截止到 {until.year}年1月31日，"
            "现在跨年冲不了红，没法重开了。原发票仍然有效，我可以再发您一份。",
            code="invoice_too_late",
            way_on=("重发发票", "转人工"),
        )


def check_wanted(wanted: Wanted) -> None:
    """Raises Refusal for a special invoice without a company, Invalid for a wrong title or tax number."""
    company = is_company(wanted.title)
    if wanted.kind == InvoiceKind.SPECIAL and not company and wanted.tax_number is None:
        raise Refusal(
            "专用发票只能开给企业，个人购买可以开电子普通发票，保修、入账都能用。",
            code="invoice_special_personal",
            way_on=("开个人普通发票", "转人工"),
        )
    why = why_not_title(wanted.title, company=company)
    if why is None and wanted.tax_number is not None:
        why = why_not_tax_number(wanted.tax_number)
    if why is None and wanted.kind == InvoiceKind.SPECIAL and wanted.tax_number is None:
        why = "开专票要有税号，请把税号发给我。"
    if why is not None:
        raise Invalid(why, code="invoice_wrong_detail")


def due(order: Order, now: datetime) -> datetime | None:
    """When a wish of now is issued at the latest; None while the goods are on their way (the day after signing)."""
    delivered = local(order.delivered_at) if order.delivered_at else None
    return issue_by(local(now), delivered)


def request(session: Session, order: Order, now: datetime, wanted: Wanted) -> Invoice:
    """The invoice asked for – the first, or another one in place of the one in force, which is then voided.

    What was only asked for is simply changed. Raises Refusal and Invalid.
    """
    db.lock(session, order)
    session.refresh(order, ["invoices"])
    check_request(session, order)
    check_wanted(wanted)
    amount, known = amount_cents(session, order), current(order)
    if known is not None and known.status == InvoiceStatus.ISSUED:
        check_correct(known, now)
        known.status = InvoiceStatus.VOIDED.value
        known = None
    if known is None:
        known = Invoice(order_id=order.id, status=InvoiceStatus.REQUESTED.value)
        order.invoices.append(known)
    known.kind, known.title, known.tax_number = wanted.kind.value, wanted.title[:120], wanted.tax_number
    known.email = wanted.email
    known.amount_cents, known.requested_at = amount, now
    session.flush()
    return known


def send_again(session: Session, invoice: Invoice, email: str) -> None:
    """The same invoice to an address (again)."""
    db.lock(session, invoice)
    invoice.email = email


def in_words(invoice: Invoice) -> str:
    """What stands on an invoice and where it is."""
    tax = f"，税号 {invoice.tax_number}" if invoice.tax_number else ""
    what = f"{InvoiceKind(invoice.kind).label}，抬头“{invoice.title}”{tax}，金额 {yuan(invoice.amount_cents)}"
    where = f"，发到了邮箱 {mask_email(invoice.email)}" if invoice.email else ""
    if invoice.status == InvoiceStatus.ISSUED:
        when = f"{told(invoice.issued_at, with_time=False)} " if invoice.issued_at else ""
        return f"{what}，{when}已开好{where}，发票号码 {invoice.number}"
    return f"{what}，已经登记，还没开出"


def mask_email(email: str) -> str:
    """``l***@example.com``."""
    name, _, host = email.partition("@")
    return f"{name[:1]}***@{host}"
