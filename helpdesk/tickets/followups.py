"""Call-backs and left messages (回电、留言): tickets the customer asked for and agents work off as tasks.

The phone stands in the first line of ``detail``, which is always there, so that nothing the customer wrote is taken
for it.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from core.text import shorten
from helpdesk.conversations.models import Conversation
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind

PHONE, NO_PHONE = "电话：", "未留"


def open_follow_up(
    session: Session,
    conversation: Conversation,
    now: datetime,
    *,
    kind: TicketKind,
    phone: str | None,
    text: str,
    due: datetime,
) -> Ticket:
    """A task for ``due``: ``kind`` callback or message, ``text`` what it is about (may be empty)."""
    subject = f"{kind.label}：{shorten(' '.join(text.split()), 40)}" if text else f"请求{kind.label}"
    detail = f"{PHONE}{phone or NO_PHONE}\n{text}"
    return tickets.open_ticket(
        session, now, kind=kind, subject=subject, detail=detail, conversation=conversation, due=due
    )


def phone_of(ticket: Ticket) -> str | None:
    """The number to call; None when none was left."""
    first = ticket.detail.partition("\n")[0]
    phone = first.removeprefix(PHONE)
    return phone if phone != first and phone != NO_PHONE else None


def text_of(ticket: Ticket) -> str:
    """What it is about, without the phone's line."""
    first, _, rest = ticket.detail.partition("\n")
    return rest if first.startswith(PHONE) else ticket.detail
