"""What staff keep about a customer for their colleagues; customers never see it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.customers.models import Customer, CustomerNote

SHOWN_MOST = 20


def newest(session: Session, customer: Customer, most: int = SHOWN_MOST) -> Sequence[CustomerNote]:
    """The notes, newest first."""
    return session.scalars(
        select(CustomerNote)
        .where(CustomerNote.customer_id == customer.id)
        .order_by(CustomerNote.at.desc(), CustomerNote.id.desc())
        .limit(most)
    ).all()


def add(session: Session, customer: Customer, text: str, by: str, now: datetime) -> CustomerNote:
    """A note, ``by`` somebody's display name. The newest one again (a double click) is that one, not another."""
    last = next(iter(newest(session, customer, 1)), None)
    if last is not None and (last.text, last.by) == (text, by):
        return last
    note = CustomerNote(customer_id=customer.id, text=text, by=by, at=now)
    session.add(note)
    session.flush()
    return note
