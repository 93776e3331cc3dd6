"""What happens to conversations: opened, written to, answered by the bot, read, closed.

Every change goes through :func:`locked`, so that two processes cannot give the same ``seq`` twice or overtake each
other, and every new line through :func:`add_line`, so that nobody who waits is forgotten.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import wake
from core.errors import Conflict, NotFound
from core.ids import new_id, new_token, token_hash
from crm.customers.access import PHONE, SIGNED_IN, Access
from crm.customers.models import Customer
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import MOVES, State

CHANGED = "conversation"  # the wake topic: {"id", "seq"} – lines from seq on, or the state, are new; a line's also "by" and "agent", who has the talk


def open_conversation(
    session: Session, now: datetime, *, channel: str, visitor_id: str | None = None, customer: Customer | None = None
) -> tuple[Conversation, str]:
    """A new talk and its bearer token. A signed-in customer is known from the first line."""
    token = new_token()
    conversation = Conversation(
        id=new_id(),
        token_hash=token_hash(token),
        channel=channel,
        visitor_id=visitor_id,
        customer_id=customer.id if customer else None,
        verified_by=SIGNED_IN if customer else None,
        verified_orders=[],
        understood={},
        tags=[],
        started_at=now,
        updated_at=now,
    )
    session.add(conversation)
    session.flush()
    return conversation, token


def find(session: Session, conversation_id: str) -> Conversation:
    """The talk. Raises NotFound."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound("没有找到这个会话，请刷新页面重新开始。")
    return conversation


_LOCKED = (  # asked for each change, so put together once
    select(Conversation)
    .where(Conversation.id == bindparam("id"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


def locked(session: Session, conversation_id: str) -> Conversation:
    """The talk, nobody else changing it until this transaction ends. Raises NotFound.

    ``key_share``: a row that only refers to the talk can still be stored meanwhile, so that nobody waits in a circle.
    """
    conversation = session.scalar(_LOCKED, {"id": conversation_id})
    if conversation is None:
        raise NotFound("没有找到这个会话，请刷新页面重新开始。")
    return conversation


def move(session: Session, conversation: Conversation, to: State) -> None:
    """Changes the state and raises the fence. Raises Conflict when there is no way from here to there."""
    if to not in MOVES[State(conversation.state)]:
        raise Conflict("会话的状态刚刚变了，请刷新后再试。", code=f"{conversation.state}->{to}")
    conversation.state = to
    conversation.epoch += 1
    conversation.turn_id = conversation.turn_lease_until = conversation.turn_began_at = None
    wake.note(session, CHANGED, id=conversation.id, seq=conversation.last_seq + 1)


def add_line(
    session: Session,
    conversation: Conversation,
    now: datetime,
    *,
    sender: str,
    text: str,
    kind: str = "text",
    payload: dict[str, Any] | None = None,
    agent_id: int | None = None,
    client_message_id: str | None = None,
    turn: tuple[str, int] | None = None,
) -> Message:
    """Stores a line under the talk's next number, never with an earlier time than the line before."""
    now = max(now, conversation.updated_at)  # whoever waited for the lock asked the clock before
    conversation.last_seq += 1
    conversation.updated_at = now
    message = Message(
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        sender=sender,
        kind=kind,
        text=text,
        payload=payload,
        agent_id=agent_id,
        client_message_id=client_message_id,
        turn_id=turn[0] if turn else None,
        turn_n=turn[1] if turn else None,
        created_at=now,
    )
    session.add(message)
    wake.note(session, CHANGED, id=conversation.id, seq=message.seq, by=sender, agent=conversation.agent_id)
    return message


_KNOWN = select(Message.seq).where(
    Message.conversation_id == bindparam("id"), Message.client_message_id == bindparam("key")
)


def receive(
    session: Session,
    now: datetime,
    conversation_id: str,
    *,
    text: str,
    client_message_id: str,
    kind: str = "text",
    payload: dict[str, Any] | None = None,
) -> tuple[int, bool]:
    """A customer's line: its seq, and whether it is new (False: this client_message_id was stored before).

    A closed talk is open again, with the bot. The caller acknowledges only after its commit.
    """
    conversation = locked(session, conversation_id)
    key = f"customer:{client_message_id}"  # an agent's ids are another's
    known = session.scalar(_KNOWN, {"id": conversation_id, "key": key})
    if known is not None:
        return known, False
    return said(session, now, conversation, text=text, kind=kind, payload=payload, key=key), True


def said(
    session: Session,
    now: datetime,
    conversation: Conversation,
    *,
    text: str,
    key: str,
    kind: str = "text",
    payload: dict[str, Any] | None = None,
) -> int:
    """Stores a customer's line and gives its seq. For callers that hold the talk's lock and have seen under it that there
    is no line of this ``key`` (``customer:<client_message_id>``) yet; others call :func:`receive`."""
    if conversation.state == State.CLOSED:
        reopen(session, conversation, now)
    message = add_line(
        session,
        conversation,
        now,
        sender="customer",
        text=text,
        kind=kind,
        payload=payload,
        client_message_id=key,
    )
    conversation.customer_read_seq = message.seq
    conversation.snoozed_until = None
    conversation.waiting_since = conversation.waiting_since or now
    return message.seq


def reopen(session: Session, conversation: Conversation, now: datetime) -> None:
    """A closed talk goes on with the bot, as a new piece of service: the old agent and note are gone."""
    move(session, conversation, State.BOT)
    conversation.agent_id = conversation.to_agent_id = conversation.skill = None
    conversation.handover = conversation.queued_at = conversation.accepted_at = None
    conversation.first_response_at = conversation.closed_at = conversation.closed_reason = None
    conversation.at_front, conversation.priority = False, 0
    conversation.answered_seq = conversation.last_seq


def close(session: Session, conversation: Conversation, now: datetime, reason: str) -> None:
    """Ends the talk and asks the customer to rate it. Raises Conflict when it has ended already."""
    had_agent = conversation.state == State.WITH_AGENT
    move(session, conversation, State.CLOSED)
    conversation.closed_at, conversation.closed_reason, conversation.waiting_since = now, reason[:200], None
    conversation.answered_seq = conversation.last_seq
    add_line(session, conversation, now, sender="system", text="本次会话已结束，感谢您的咨询。再有问题直接发消息就行。")
    if had_agent and _rated(session, conversation):
        return
    who = "刚才为您服务的同事" if had_agent else "这次服务"
    add_line(
        session,
        conversation,
        now,
        sender="system",
        kind="rating",
        text=f"{who}让您满意吗？请打 1–5 分，您的评价会帮我们做得更好。",
        payload={"rating": {"max": 5, "of": "agent" if had_agent else "bot"}},
        agent_id=conversation.agent_id if had_agent else None,
    )


def _rated(session: Session, conversation: Conversation) -> bool:
    """Whether the customer has answered the agent's question for a rating in this service already."""
    cards = session.scalars(
        select(Message.payload).where(
            Message.conversation_id == conversation.id,
            Message.kind == "rating",
            Message.created_at >= (conversation.accepted_at or conversation.started_at),
        )
    )
    return any((payload or {}).get("score") for payload in cards)


_WITH_NOTES = (
    select(Message)
    .where(Message.conversation_id == bindparam("id"), Message.seq > bindparam("after"))
    .order_by(Message.seq)
)
_LINES = _WITH_NOTES.where(Message.kind != "note")


def lines(session: Session, conversation_id: str, after: int = 0, *, notes: bool = False) -> Sequence[Message]:
    """The lines after a seq, oldest first. Private notes only for agents."""
    return session.scalars(_WITH_NOTES if notes else _LINES, {"id": conversation_id, "after": after}).all()


def mark_read(session: Session, conversation: Conversation, seq: int, *, by: str) -> bool:
    """Notes that the customer or the agent has read up to a line; True when that is news."""
    column = "agent_read_seq" if by == "agent" else "customer_read_seq"
    seq = min(seq, conversation.last_seq)
    if seq <= getattr(conversation, column):
        return False
    setattr(conversation, column, seq)
    wake.note(session, "read", id=conversation.id, seq=seq, by=by)
    return True


def access_of(session: Session, conversation: Conversation) -> Access | None:
    """Who the visitor of this talk is, and how surely; None when unknown."""
    if conversation.customer_id is None or conversation.verified_by is None:
        return None
    customer = session.get(Customer, conversation.customer_id)
    if customer is None:
        return None
    whole = conversation.verified_by in {SIGNED_IN, PHONE}
    return Access(customer, conversation.verified_by, None if whole else frozenset(conversation.verified_orders))


def grant(session: Session, conversation: Conversation, access: Access) -> None:
    """Remembers a verification for the rest of this talk. What is known already is never weakened or swapped."""
    if conversation.verified_by in {SIGNED_IN, PHONE}:
        return
    if access.orders is not None and conversation.customer_id == access.customer.id:
        conversation.verified_orders = sorted({*conversation.verified_orders, *access.orders})
    else:
        conversation.verified_orders = sorted(access.orders or ())
    conversation.customer_id, conversation.verified_by = access.customer.id, access.how
    wake.note(session, CHANGED, id=conversation.id, seq=conversation.last_seq + 1)
