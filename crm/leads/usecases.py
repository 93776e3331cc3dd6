"""Corporate enquiries: taken down, so that a sales manager calls."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import add_working_days
from core.clock import local
from core.errors import Invalid
from crm.customers.rules import is_mobile
from crm.leads.models import Lead

CALL_WORKING_DAYS = 1


def call_due_at(now: datetime) -> datetime:
    """By when a sales manager calls: the same time one working day later (docs/shop.md, corporate buying)."""
    return add_working_days(local(now), CALL_WORKING_DAYS)


def enquire(
    session: Session,
    now: datetime,
    *,
    company: str,
    wish: str,
    phone: str,
    contact: str = "",
    customer_id: int | None = None,
    conversation_id: str | None = None,
) -> tuple[Lead, bool]:
    """Takes an enquiry down: the lead, and whether it is new. Raises Invalid for what is no mobile number.

    Once more from the same talk for the same company while nobody has called yet: the wish is added to the lead.
    """
    if not is_mobile(phone):
        raise Invalid("请留一个 11 位的手机号，方便经理联系您。", code="phone")
    open_one = session.scalars(
        select(Lead)
        .where(Lead.conversation_id == conversation_id, Lead.company == company[:120], Lead.status == "new")
        .with_for_update()
    ).first()
    if open_one is not None and conversation_id is not None:
        if wish not in open_one.wish:
            open_one.wish = f"{open_one.wish}；{wish}"[:500]
        open_one.phone = phone
        return open_one, False
    lead = Lead(
        customer_id=customer_id,
        conversation_id=conversation_id,
        company=company[:120],
        contact=contact[:60],
        phone=phone,
        wish=wish[:500],
        created_at=now,
        call_due_at=call_due_at(now),
    )
    session.add(lead)
    session.flush()
    return lead, True
