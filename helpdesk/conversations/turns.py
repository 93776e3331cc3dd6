"""The bot's side of a talk: a turn is taken under a lease, sent to the brain, and its answers stored – once.

A turn covers all of the customer's lines that nobody answered. It keeps its ``turn_id`` when it must be asked again (a
crash, a time-out), so that the brain and the use cases can tell a repetition. Answers to a turn that a person has
overtaken are thrown away.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from core import settings, wake
from core.ids import new_id
from helpdesk.conversations import usecases
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import (
    LONGEST_PAUSE_SECONDS,
    HandoverReason,
    State,
    for_the_brain,
    one_turn,
    pause_seconds,
    taken_up,
)
from helpdesk.routing import usecases as routing

log = logging.getLogger(__name__)
OFFERED_LINES = 12  # how many lines back something may have been offered that is still meant
OFFERING_LINES = 6  # how many of the bot's lines among them
WAITING = "turn"  # wake topic: {"id"} – this talk may have something for the bot


@dataclass(frozen=True)
class Turn:
    """What goes to the brain: ``text`` in its own language, ``facts`` for the actions."""

    conversation_id: str
    turn_id: str
    epoch: int
    upto_seq: int
    text: str
    began_at: datetime
    said_at: datetime  # the newest of its lines


@dataclass(frozen=True)
class Answer:
    """One message of the brain. ``handover`` set: the talk goes to a person for this reason."""

    text: str = ""
    buttons: tuple[dict[str, Any], ...] = ()
    card: dict[str, Any] | None = None
    handover: str | None = None
    close: bool = False


def due(session: Session, now: datetime, most: int = 50) -> Sequence[str]:
    """Talks with lines for the bot and no turn out, oldest first."""
    return session.scalars(
        select(Conversation.id)
        .where(
            Conversation.state == State.BOT,
            Conversation.waiting_since.is_not(None),
            Conversation.last_seq > Conversation.answered_seq,
            or_(Conversation.turn_lease_until.is_(None), Conversation.turn_lease_until < now),
        )
        .order_by(Conversation.waiting_since)
        .limit(most)
    ).all()


@dataclass(frozen=True)
class Pause:
    """The talk's lines look unfinished: look again at this time."""

    until: datetime


_WANTED = select(Conversation.id).where(
    Conversation.id == bindparam("id"),
    Conversation.state == State.BOT,
    Conversation.last_seq > Conversation.answered_seq,
    or_(Conversation.turn_lease_until.is_(None), Conversation.turn_lease_until < bindparam("now")),
)


def wanted(session: Session, conversation_id: str, now: datetime) -> bool:
    """Whether the bot has lines to read in this talk and no turn of it is out: a look without locks, for most calls are
    about people's talks, or about turns that another process has taken."""
    return session.scalar(_WANTED, {"id": conversation_id, "now": now}) is not None


def take(session: Session, conversation_id: str, now: datetime) -> Turn | Pause | None:
    """Leases the talk's next turn; None when there is nothing to do or another worker has it."""
    conversation = usecases.locked(session, conversation_id)
    if conversation.state != State.BOT:
        return None
    if conversation.turn_lease_until is not None and conversation.turn_lease_until > now:
        return None
    upto = conversation.last_seq if conversation.turn_id is None else conversation.turn_seq
    unanswered, said, offered = _unread(session, conversation, upto)
    if conversation.turn_id is None and not unanswered:
        conversation.answered_seq, conversation.waiting_since = conversation.last_seq, None
        return None
    if conversation.turn_id is None:
        ready_at = _ready_at(unanswered, said, offered)
        if ready_at > now:
            return Pause(ready_at)
        conversation.turn_id, conversation.turn_seq = new_id(), unanswered[-1].seq
        conversation.turn_began_at = now
    conversation.turn_lease_until = now + timedelta(seconds=settings.load().turn_lease_seconds)
    texts = [for_the_brain(line.text, offered) if line.kind == "text" else "发了一张图片" for line in unanswered]
    commands = [text for text in texts if text.startswith("/")]
    text = commands[-1] if commands else one_turn(texts)
    if said is not None:
        text = taken_up(text, said.text, (said.payload or {}).get("buttons", [])) or text
    return Turn(
        conversation.id,
        conversation.turn_id,
        conversation.epoch,
        conversation.turn_seq,
        text,
        conversation.turn_began_at or now,
        unanswered[-1].created_at,
    )


def finish(
    session: Session,
    turn: Turn,
    answers: Sequence[Answer],
    now: datetime,
    *,
    intent: str | None = None,
    understood: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> bool:
    """Stores all answers of a turn at once; False when the turn is no longer wanted and they were thrown away.

    ``understood`` makes what the bot knows now from what it knew before (``Conversation.understood``).
    """
    conversation = usecases.locked(session, turn.conversation_id)
    if conversation.turn_id != turn.turn_id or conversation.epoch != turn.epoch:
        log.info("answers of a turn that was overtaken are thrown away")
        return False
    lines = _customer_lines(session, conversation, conversation.last_seq)
    for line in lines:
        if line.seq <= turn.upto_seq:
            line.intent = intent
    left = [line for line in lines if line.seq > turn.upto_seq]
    conversation.answered_seq = turn.upto_seq
    conversation.turn_id = conversation.turn_lease_until = conversation.turn_began_at = None
    if understood is not None:
        conversation.understood = understood(conversation.understood or {})
    for n, answer in enumerate(a for a in answers if a.text or a.card or a.buttons):
        usecases.add_line(
            session,
            conversation,
            now,
            sender="bot",
            kind="card" if answer.card else "buttons" if answer.buttons else "text",
            text=answer.text,
            payload=answer.card or ({"buttons": list(answer.buttons)} if answer.buttons else None),
            turn=(turn.turn_id, n),
        )
    handover = next((a.handover for a in answers if a.handover), None)
    if not any(a.text or a.card or a.handover or a.close for a in answers):
        log.warning("the brain had nothing to say to intent %s; a person takes over", intent)
        handover = HandoverReason.NOT_UNDERSTOOD.value
    if left:
        conversation.waiting_since = left[0].created_at
    else:  # nobody need look for the customer's lines among the bot's own
        conversation.waiting_since, conversation.answered_seq = None, conversation.last_seq
    if handover:
        routing.enqueue(session, conversation, HandoverReason(handover), now)
    elif any(a.close for a in answers):
        usecases.close(session, conversation, now, "客户道别")
    elif left:
        wake.note(session, WAITING, id=conversation.id)
    return True


def failed(session: Session, turn: Turn, now: datetime) -> None:
    """The brain did not answer: ask again soon – or, when it has been away too long, say so and queue for a person."""
    conversation = usecases.locked(session, turn.conversation_id)
    if conversation.turn_id != turn.turn_id or conversation.epoch != turn.epoch:
        return
    if (now - turn.began_at).total_seconds() < settings.load().brain_patience_seconds:
        conversation.turn_lease_until = now + timedelta(seconds=1)
        return
    routing.enqueue(session, conversation, HandoverReason.BOT_AWAY, now)


def give_up_seconds() -> float:
    """A silence of the brain as long as this is an absence: the customers' patience, but at least one whole try."""
    chosen = settings.load()
    return max(chosen.brain_patience_seconds, chosen.brain_timeout_seconds)


def give_up(session: Session, now: datetime) -> bool:
    """While the brain is away: queues the talk that has waited longest, if it has waited long enough, for a person.

    One talk a transaction, so that no two are locked at once; True when there was one.
    """
    longest = now - timedelta(seconds=give_up_seconds())
    conversation = session.scalar(
        select(Conversation)
        .where(
            Conversation.state == State.BOT,
            Conversation.waiting_since < longest,
            Conversation.last_seq > Conversation.answered_seq,
        )
        .order_by(Conversation.waiting_since)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if conversation is None:
        return False
    routing.enqueue(session, conversation, HandoverReason.BOT_AWAY, now)
    return True


_LINES = (  # asked for twice a turn, so put together once
    select(Message)
    .where(
        Message.conversation_id == bindparam("id"),
        Message.seq > bindparam("after"),
        Message.seq <= bindparam("upto"),
    )
    .order_by(Message.seq)
)


def _lines(session: Session, conversation: Conversation, after: int, upto: int) -> Sequence[Message]:
    return session.scalars(_LINES, {"id": conversation.id, "after": after, "upto": upto}).all()


def _customer_lines(session: Session, conversation: Conversation, upto: int) -> list[Message]:
    """The customer's lines that nobody answered."""
    return [
        line for line in _lines(session, conversation, conversation.answered_seq, upto) if line.sender == "customer"
    ]


def _unread(
    session: Session, conversation: Conversation, upto: int
) -> tuple[list[Message], Message | None, list[dict[str, Any]]]:
    """The customer's lines that nobody answered, the line before them if it is the bot's, and what it and those before it
    offered."""
    near = _lines(session, conversation, conversation.answered_seq - OFFERED_LINES, upto)
    unanswered = [line for line in near if line.sender == "customer" and line.seq > conversation.answered_seq]
    if not unanswered:
        return [], None, []
    first, last = unanswered[0].seq, unanswered[-1].seq
    before = [line for line in near if line.sender != "customer" and line.seq < first]
    said = before[-1] if before and before[-1].sender == "bot" else None
    return unanswered, said, _offered([line for line in near if line.sender in {"bot", "system"} and line.seq <= last])


def _ready_at(lines: Sequence[Message], said: Message | None, offered: list[dict[str, Any]]) -> datetime:
    """When a burst of lines is read (rules.pause_seconds)."""
    if lines[-1].kind != "text":
        return lines[-1].created_at
    asked = said is not None and (said.kind != "text" or said.text.rstrip().endswith(("？", "?", "：")))
    texts = [for_the_brain(line.text, offered) for line in lines]
    pause = timedelta(seconds=pause_seconds(texts, asked=asked))
    longest = timedelta(seconds=LONGEST_PAUSE_SECONDS)
    return min(lines[-1].created_at + pause, lines[0].created_at + longest)


def _offered(lines: Sequence[Message]) -> list[dict[str, Any]]:
    """Buttons and card actions of the last of these lines, the newest line's first."""
    offered: list[dict[str, Any]] = []
    for line in lines[: -OFFERING_LINES - 1 : -1]:
        payload = line.payload or {}
        offered += payload.get("buttons", []) + payload.get("actions", [])
        for order in [payload.get("order"), *payload.get("orders", []), *payload.get("products", [])]:
            offered += (order or {}).get("actions", [])
    return offered
