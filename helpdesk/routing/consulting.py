"""Who of the staff may see a talk, and asking a colleague for advice (@同事) in a private note."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import wake
from core.text import shorten
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import State
from helpdesk.routing import queue
from helpdesk.routing.models import Assignment, Mention
from helpdesk.routing.usecases import colleague
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import OVERSEES, SERVES
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import FOLLOW_UPS, TicketStatus

MENTIONED = "mentioned"  # wake topic: {"agent_id", "conversation_id", "by", "text"}


def may_see(session: Session, agent: Agent, talk: Conversation) -> bool:
    """Waiting, own, once own, asked for advice, or with a call-back or message that somebody has to see to; supervisors
    see all; who does not serve customers none."""
    if agent.role not in SERVES:
        return False
    if agent.role in OVERSEES or talk.agent_id == agent.id or queue.offered(session, agent, [talk]):
        return True
    for table in (Assignment, Mention):
        about = select(table.id).where(table.conversation_id == talk.id, table.agent_id == agent.id)
        if session.scalar(about.limit(1)) is not None:
            return True
    task = select(Ticket.id).where(
        Ticket.conversation_id == talk.id,
        Ticket.kind.in_([kind.value for kind in FOLLOW_UPS]),
        Ticket.status != TicketStatus.SOLVED.value,
    )
    return session.scalar(task.limit(1)) is not None


def note(
    session: Session,
    talk: Conversation,
    agent: Agent,
    now: datetime,
    *,
    text: str,
    client_message_id: str | None,
    mentions: Sequence[str] = (),
) -> int:
    """A private note, its seq; the same client_message_id again does nothing. The talk is locked.

    ``mentions``: sign-in names of colleagues who are asked for advice: they may read the talk from now on and add
    notes. Raises NotFound for an unknown one.
    """
    key = f"note:{agent.id}:{client_message_id}" if client_message_id else None
    known = key and session.scalar(
        select(Message.seq).where(Message.conversation_id == talk.id, Message.client_message_id == key)
    )
    if known:
        return known
    asked = [colleague(session, name) for name in dict.fromkeys(mentions) if name != agent.name]
    payload = {"mentions": [each.display_name for each in asked]} if asked else None
    line = conversations.add_line(
        session, talk, now, sender="agent", kind="note", text=text, payload=payload, agent_id=agent.id,
        client_message_id=key,
    )  # fmt: skip
    for each in asked:
        session.add(Mention(conversation_id=talk.id, seq=line.seq, agent_id=each.id, by_agent_id=agent.id, at=now))
        wake.note(
            session, MENTIONED, agent_id=each.id, conversation_id=talk.id, by=agent.display_name, text=shorten(text, 60)
        )
    return line.seq


def mentioned(session: Session, agent: Agent) -> list[tuple[Conversation, Mention, str]]:
    """The talks that are still open in which this agent was asked, with the newest question and who asked; newest first."""
    found = session.execute(
        select(Conversation, Mention, Agent.display_name)
        .join(Mention, Mention.conversation_id == Conversation.id)
        .join(Agent, Agent.id == Mention.by_agent_id)
        .where(Mention.agent_id == agent.id, Conversation.state != State.CLOSED)
        .order_by(Mention.id.desc())
    )
    newest: dict[str, tuple[Conversation, Mention, str]] = {}
    for talk, mention, by in found:
        newest.setdefault(talk.id, (talk, mention, by))
    return list(newest.values())


def seen(session: Session, agent: Agent, talk: Conversation, now: datetime) -> None:
    """The agent has looked at what was asked."""
    for mention in session.scalars(
        select(Mention).where(
            Mention.conversation_id == talk.id, Mention.agent_id == agent.id, Mention.seen_at.is_(None)
        )
    ):
        mention.seen_at = now
