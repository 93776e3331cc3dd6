"""Instead of waiting: leave a message (留言) or ask to be called back (回电). Both become tasks with a due time."""

import re
from datetime import datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from core import settings
from core.clock import iso
from core.errors import Invalid
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.routing import hours
from helpdesk.routing import usecases as routing
from helpdesk.routing.hours_rules import When, call_back_due, told_day
from helpdesk.tickets.followups import open_follow_up
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind


class Promise(TypedDict):
    """The ticket's number, by when, and the line the customer was told."""

    number: str
    due_at: str
    told: str


MOBILE = re.compile(r"1[3-9]\d{9}")
LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}")


def phone_number(text: str) -> str:
    """A mobile or landline number without blanks. Raises Invalid."""
    plain = re.sub(r"[\s()()]", "", text).removeprefix("+86")
    if not MOBILE.fullmatch(plain) and not LANDLINE.fullmatch(plain):
        raise Invalid("电话号码好像不对，请填 11 位手机号，或带区号的座机号。", code="phone")
    return plain


def call_back(
    session: Session, conversation: Conversation, now: datetime, *, phone: str, about: str, when: When
) -> Promise:
    """A call-back is asked for; who waited need not wait any longer. The talk is locked. Raises Invalid, Conflict."""
    number = phone_number(phone)
    here = now.astimezone(settings.load().zone)
    due = call_back_due(when, here, _opening(session, now, here), hours.works(session))
    ticket = open_follow_up(
        session, conversation, now, kind=TicketKind.CALLBACK, phone=number, text=about or "客户请回电", due=due
    )
    told = f"记下了，我们会在{told_day(due, here)} 前打 {number[:3]}****{number[-4:]} 联系您（单号 {ticket.number}），请留意来电。"
    return _leave(session, conversation, now, ticket, told)


def leave_message(
    session: Session, conversation: Conversation, now: datetime, *, text: str, phone: str | None
) -> Promise:
    """A message for the people; who waited need not wait any longer. The talk is locked. Raises Invalid, Conflict."""
    number = phone_number(phone) if phone else ""
    here = now.astimezone(settings.load().zone)
    due = call_back_due(When.ASAP, here, _opening(session, now, here))
    ticket = open_follow_up(session, conversation, now, kind=TicketKind.MESSAGE, phone=number, text=text, due=due)
    told = f"您的留言已收到（单号 {ticket.number}），同事会在{told_day(due, here)} 前处理，回复会发在这里。"
    return _leave(session, conversation, now, ticket, told)


def _opening(session: Session, now: datetime, here: datetime) -> datetime | None:
    service = hours.now_by(session, now)
    return here if service.open else service.opens_at


def _leave(session: Session, conversation: Conversation, now: datetime, ticket: Ticket, told: str) -> Promise:
    if conversation.state == State.QUEUED:
        routing.to_the_bot(session, conversation, now, "follow_up", told)
    else:
        conversations.add_line(session, conversation, now, sender="system", text=told)
    return {"number": ticket.number, "due_at": iso(ticket.due_at) or "", "told": told}
