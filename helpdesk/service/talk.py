"""What all deeds of an agent in a talk share: who the customer is, and the lines that tell of a deed."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.clock import iso
from core.errors import Conflict
from crm.customers.access import Access
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.routing import usecases as routing
from helpdesk.routing.distribution import pick_up
from helpdesk.staff.models import Agent


def known(session: Session, talk: Conversation) -> Access:
    """Who the customer of the talk is. Raises Conflict for a visitor who has proved nothing."""
    access = conversations.access_of(session, talk)
    if access is None:
        raise Conflict(
            "这位客户还没有核实身份。请客户先在商城登录，或发来订单号和下单手机号后四位，核实后再操作。",
            code="unverified",
        )
    return access


def account(session: Session, talk: Conversation) -> Access:
    """The same for what belongs to the account. Raises Conflict, also when only one order was proved."""
    access = known(session, talk)
    if not access.whole:
        raise Conflict(
            "这位客户只核实了一笔订单的收货电话，账户里的东西还不能动。请客户用下单的账号登录后再操作。",
            code="unverified",
        )
    return access


def key(what: str, talk: Conversation) -> str:
    """For core.once: the same deed again in the same service is not done again; after a new hand-over it may be."""
    return f"{what} {talk.id} {iso(talk.accepted_at)}"


def reply(
    session: Session,
    talk: Conversation,
    agent: Agent,
    now: datetime,
    *,
    text: str,
    card: dict[str, Any] | None = None,
    client_message_id: str | None = None,
) -> int:
    """An agent's line, perhaps with a card: its seq. It counts as an answer, as any line an agent writes.

    Raises Conflict when the talk is not this agent's.
    """
    seq = routing.say(session, talk, agent, now, text=text, client_message_id=client_message_id)
    line = session.get_one(Message, (talk.id, seq))
    if card is not None and line.text == text:  # the id may have been another line's
        line.kind, line.payload = "card", card
    return seq


def tell(
    session: Session,
    talk: Conversation,
    agent: Agent,
    now: datetime,
    text: str,
    *,
    kind: str = "text",
    payload: dict[str, Any] | None = None,
) -> int:
    """A line of the system's about what the agent has done: its seq. The agent has turned to the talk with it."""
    line = conversations.add_line(
        session, talk, now, sender="system", kind=kind, text=text, payload=payload, agent_id=agent.id
    )
    pick_up(session, talk, now)
    return line.seq
