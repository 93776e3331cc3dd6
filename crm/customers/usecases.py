"""Changes to a customer's own record, requests about own data; each leaves a line in ``profile_changes``."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import clock, db
from core.errors import Refusal
from core.text import mask_phone
from crm.customers import access as access_rules
from crm.customers.access import Access
from crm.customers.models import Customer, ProfileChange
from crm.customers.rules import CLOSING_AFTER, COPY_WITHIN, FIELDS, Ties, why_not_close, why_not_value
from crm.orders.models import Order
from crm.orders.rules import OrderStatus
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseStatus, RefundStatus

CHANGES_A_DAY = 5  # of one field: nobody needs more, somebody playing with it does


def _note(access: Access, kind: str, now: datetime, due_at: datetime | None = None, **detail: Any) -> ProfileChange:
    return ProfileChange(customer_id=access.customer.id, kind=kind, detail=detail, due_at=due_at, at=now)


def _lock(session: Session, access: Access) -> None:
    """Reads the customer afresh, nobody else changing it; what this session changed is kept (hence the flush)."""
    session.flush()
    db.lock(session, access.customer)


def _shown(field: str, value: Any) -> str:
    """A value as it is kept in the record of changes: phone numbers masked."""
    text = "" if value is None else str(value)
    return mask_phone(text) if field == "phone" and text else text


def check_update(session: Session, access: Access, field: str, value: str | None, now: datetime) -> None:
    """Raises Refusal when the field may not be changed (to this value) by this visitor."""
    access_rules.need_signed_in(access)
    today = clock.local(now).date()
    customer = access.customer
    done = session.scalar(
        select(func.count()).where(
            ProfileChange.customer_id == customer.id,
            ProfileChange.kind == field,
            ProfileChange.at > now - timedelta(days=1),
        )
    )
    if (done or 0) >= CHANGES_A_DAY:
        raise Refusal(
            f"{FIELDS[field]}今天改得有点勤了，明天再来改吧，着急的话请同事帮您看。", code="often", way_on=("转人工",)
        )
    if value is None:
        return
    why = why_not_value(field, value, today)
    if why:
        raise Refusal(why, code=f"bad_{field}", way_on=("改个人资料", "转人工"))
    if str(getattr(customer, field) or "") == value.strip():
        raise Refusal(f"您的{FIELDS[field]}现在就是这个，不用再改了。", code="same", way_on=("改个人资料",))
    if field == "phone" and session.scalar(
        select(Customer.id).where(Customer.phone == value, Customer.id != customer.id)
    ):
        # Whose account it is must not be told; only a person can sort it out.
        raise Refusal(
            "这个号码暂时绑定不了，可能已用于别的账号。换一个号码，或者让同事核实后帮您处理。",
            code="phone_taken",
            way_on=("转人工",),
        )


def update(session: Session, access: Access, field: str, value: str, now: datetime) -> str:
    """Changes a field of the own record at once and gives the value as it stands now. Raises Refusal."""
    _lock(session, access)
    check_update(session, access, field, value, now)
    customer, value = access.customer, value.strip()
    before = getattr(customer, field)
    setattr(customer, field, date.fromisoformat(value) if field == "birthday" else value)
    session.add(_note(access, field, now, before=_shown(field, before), after=_shown(field, value)))
    return value


def ties(session: Session, customer: Customer) -> Ties:
    """What still binds the account."""
    open_orders = session.scalars(
        select(Order.number)
        .where(
            Order.customer_id == customer.id,
            Order.status.not_in([OrderStatus.DELIVERED.value, OrderStatus.CANCELLED.value]),
        )
        .order_by(Order.created_at.desc())
    ).all()
    ended = [CaseStatus.DONE.value, CaseStatus.CANCELLED.value, CaseStatus.REFUSED.value]
    cases = session.scalar(
        select(func.count()).where(AfterSalesCase.customer_id == customer.id, AfterSalesCase.status.not_in(ended))
    )
    refunds = session.scalar(
        select(func.count())
        .select_from(Refund)
        .join(Order, Refund.order_id == Order.id)
        .where(Order.customer_id == customer.id, Refund.status != RefundStatus.ARRIVED.value)
    )
    return Ties(tuple(open_orders), cases or 0, refunds or 0)


def check_close(session: Session, access: Access) -> None:
    """Raises Refusal while the account cannot be closed, or is being closed already."""
    access_rules.need_signed_in(access)
    closing_at = access.customer.closing_at
    if closing_at is not None:
        raise Refusal(
            f"注销之前已经登记过了，会在 {clock.told(closing_at)} 生效。在那之前说“不注销了”都能撤回。",
            code="closing",
            way_on=("不注销了", "转人工"),
        )
    why = why_not_close(ties(session, access.customer))
    if why:
        raise Refusal(why, code="open_matters", way_on=("查我的订单", "转人工"))


def close(session: Session, access: Access, now: datetime) -> datetime:
    """Registers the closing of the account; when it takes effect. Raises Refusal."""
    _lock(session, access)
    check_close(session, access)
    closing_at = now + CLOSING_AFTER
    access.customer.closing_at = closing_at
    session.add(_note(access, "close", now, closing_at))
    return closing_at


def keep(session: Session, access: Access, now: datetime) -> None:
    """Takes the closing back within the time to think it over. Raises Refusal when none is registered."""
    _lock(session, access)
    access_rules.need_signed_in(access)
    if access.customer.closing_at is None:
        raise Refusal("您的账号没有登记过注销，一切照常，放心用。", code="not_closing", way_on=("查会员等级",))
    access.customer.closing_at = None
    session.add(_note(access, "keep", now))


def check_copy(session: Session, access: Access, now: datetime) -> None:
    """Raises Refusal when a copy of the own data may not be asked for, or is on its way already."""
    access_rules.need_signed_in(access)
    due = session.scalar(
        select(ProfileChange.due_at).where(
            ProfileChange.customer_id == access.customer.id,
            ProfileChange.kind == "copy",
            ProfileChange.due_at > now,
        )
    )
    if due is not None:
        raise Refusal(
            f"副本已经在准备了，最晚 {clock.told(due, with_time=False)} 前给您，不用重复申请。",
            code="copy_asked",
            way_on=("查处理进度", "转人工"),
        )


def ask_copy(session: Session, access: Access, now: datetime) -> datetime:
    """Registers the wish for a copy of the own data; by when it is given. Raises Refusal."""
    _lock(session, access)
    check_copy(session, access, now)
    due_at = now + COPY_WITHIN
    session.add(_note(access, "copy", now, due_at))
    return due_at


def unsubscribe(session: Session, access: Access, now: datetime) -> bool:
    """Ends commercial messages at once; False when they had been ended before. Raises Refusal.

    Whoever proved the account by its phone may do this too: to stop messages must not be harder than to get them.
    """
    access_rules.need_whole(access)
    _lock(session, access)
    if not access.customer.subscribed:
        return False
    access.customer.subscribed = False
    session.add(_note(access, "subscribed", now, before=True, after=False))
    return True
