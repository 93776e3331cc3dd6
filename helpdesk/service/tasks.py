"""Call-backs and left messages as tasks of the agents (see helpdesk/tickets/followups.py)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core.errors import Conflict, NotFound
from crm.customers.models import Customer
from helpdesk.conversations import usecases as conversations
from helpdesk.staff.models import Agent
from helpdesk.staff.usecases import audit
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import FOLLOW_UPS, TicketKind, TicketStatus
from helpdesk.tickets.usecases import solve

TOLD = {TicketKind.CALLBACK: "已给您回电", TicketKind.MESSAGE: "已回复您的留言"}  # to the customer, when done
SHOWN_MOST = 200
DETAIL_MOST = 2_000  # characters of the column


def due(session: Session) -> Sequence[tuple[Ticket, str | None]]:
    """The tasks that are not done with their customers' names, the most urgent first."""
    found = session.execute(
        select(Ticket, Customer.name)
        .outerjoin(Customer, Customer.id == Ticket.customer_id)
        .where(
            Ticket.kind.in_([kind.value for kind in FOLLOW_UPS]),
            Ticket.status != TicketStatus.SOLVED.value,
        )
        .order_by(Ticket.due_at, Ticket.id)
        .limit(SHOWN_MOST)
    )
    return [(ticket, name) for ticket, name in found]


def done(session: Session, agent: Agent, number: str, result: str, now: datetime) -> Ticket:
    """Ends a task: what came of a call is kept for colleagues, the answer to a message goes to the customer as well.

    Raises NotFound for anything else, Conflict ``done`` when a colleague was faster (the own result again is no mistake).
    """
    ticket = session.scalar(
        select(Ticket).where(Ticket.number == number, Ticket.kind.in_([kind.value for kind in FOLLOW_UPS]))
    )
    if ticket is None:
        raise NotFound("没有找到这个任务，请刷新列表。")
    talk = conversations.locked(session, ticket.conversation_id) if ticket.conversation_id else None
    db.lock(session, ticket)
    note = f"\n处理结果（{agent.display_name}）：{result}"
    if ticket.status == TicketStatus.SOLVED:
        if ticket.detail.endswith(note):
            return ticket
        raise Conflict("这个任务已经有同事处理完了，刷新一下就能看到。", code="done")
    ticket.detail = f"{ticket.detail[: DETAIL_MOST - len(note)]}{note}"
    solve(ticket, now, TOLD[TicketKind(ticket.kind)])
    if talk is not None and ticket.kind == TicketKind.MESSAGE:
        text = f"关于您的留言（单号 {ticket.number}）：{result}"
        conversations.add_line(session, talk, now, sender="agent", text=text, agent_id=agent.id)
    audit(session, agent, "task_done", now, f"ticket:{ticket.number}")
    return ticket
