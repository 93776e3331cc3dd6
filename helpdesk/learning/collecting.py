"""Keeps, masked, what the bot was not sure of – in the transaction of the turn, and never in its way."""

import logging
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import HandoverReason
from helpdesk.learning import rules
from helpdesk.learning.models import Collected
from helpdesk.learning.rules import HintKind, Reading, State, Why

log = logging.getLogger(__name__)
PERSONAL_SLOTS = ("recipient", "address", "invoice_title", "company", "email")
HINT_MOST_CHARS = 200


def collect(session: Session, conversation_id: str, seq: int, text: str, reading: Reading, now: datetime) -> None:
    """A turn was read: keeps it when the bot was unsure, or learns what an unsure one before it meant.

    ``text`` and the places of ``reading.entities`` as the brain got them; ``seq`` of the turn's last line. Whatever
    goes wrong is undone and logged; the turn goes on.
    """
    if not rules.is_unsure(text, reading) and rules.chosen_reading(text) is None:
        return
    session.flush()  # what is wrong with the turn itself must still be seen
    try:
        with session.begin_nested():
            chosen = rules.chosen_reading(text)
            if chosen is None:
                _keep(session, conversation_id, seq, text, reading, Why.UNSURE, now)
            else:
                _corrected(session, conversation_id, seq, chosen)
    except Exception:  # the savepoint is undone: it costs this message, never the customer's answer
        log.exception("a message could not be collected")


def taken(session: Session, conversation: Conversation, now: datetime) -> None:
    """A person took the talk: when the bot had not understood, the line that led there waits for the person's answer."""
    reason = (conversation.handover or {}).get("reason")
    if reason not in {HandoverReason.NOT_UNDERSTOOD, HandoverReason.REQUESTED}:
        return
    session.flush()
    try:
        with session.begin_nested():
            _handed_over(session, conversation, reason, now)
    except Exception:  # the same: never the agent's taking of the talk
        log.exception("a hand-over could not be collected")


def acted(session: Session, conversation: Conversation, kind: HintKind, what: str) -> None:
    """What the person did first, as a hint of what the customer wanted. A stronger hint takes a weaker one's place."""
    found = session.scalar(
        select(Collected)
        .where(
            Collected.conversation_id == conversation.id,
            Collected.why == Why.HANDED_OVER,
            Collected.state == State.OPEN,
        )
        .order_by(Collected.seq.desc())
        .limit(1)
    )
    if found is not None and what.strip() and kind.beats(found.hint_kind):
        found.hint = rules.mask(what, names=_names(conversation))[:HINT_MOST_CHARS]
        found.hint_kind = kind.value


def _keep(
    session: Session, conversation_id: str, seq: int, text: str, reading: Reading, why: Why, now: datetime
) -> None:
    conversation = session.get(Conversation, conversation_id)
    masked = rules.mask(text, reading.entities, _names(conversation) if conversation else ())
    if not rules.PLACEHOLDER.sub("", masked).strip():
        return  # nothing is left to learn from
    session.add(
        Collected(
            conversation_id=conversation_id,
            seq=seq,
            text=masked,
            intent=reading.intent,
            confidence=reading.confidence,
            decision=reading.decision,
            why=why.value,
            state=State.OPEN.value,
            created_at=now,
        )
    )


def _names(conversation: Conversation) -> list[str]:
    """What is known to be personal in this talk."""
    slots = (conversation.understood or {}).get("slots", {})
    known = [str(slots[name]) for name in PERSONAL_SLOTS if slots.get(name)]
    return [*known, conversation.customer.name] if conversation.customer else known


def _last(session: Session, conversation_id: str, before: int) -> Collected | None:
    """The newest collected line of a talk before a seq, if the customer has said nothing since."""
    found = session.scalar(
        select(Collected)
        .where(Collected.conversation_id == conversation_id, Collected.seq < before)
        .order_by(Collected.seq.desc())
        .limit(1)
    )
    if found is None:
        return None
    between = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.sender == "customer",
            Message.seq > found.seq,
            Message.seq < before,
        )
    )
    return None if between else found


def _corrected(session: Session, conversation_id: str, seq: int, chosen: str) -> None:
    found = _last(session, conversation_id, seq)
    if found is not None and found.state == State.OPEN and found.why == Why.UNSURE:
        found.why, found.hint, found.hint_kind = Why.CORRECTED.value, chosen, HintKind.INTENT.value


def _handed_over(session: Session, conversation: Conversation, reason: str, now: datetime) -> None:
    lines = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.sender == "customer", Message.kind == "text")
        .order_by(Message.seq.desc())
        .limit(2)
    ).all()
    if not lines:
        return
    found = session.scalar(
        select(Collected)
        .where(Collected.conversation_id == conversation.id, Collected.seq >= lines[-1].seq)
        .order_by(Collected.seq.desc())
        .limit(1)
    )
    if found is not None:
        if found.why == Why.UNSURE and found.state == State.OPEN:
            found.why = Why.HANDED_OVER.value
    elif reason == HandoverReason.NOT_UNDERSTOOD:
        last = lines[0]
        _keep(session, conversation.id, last.seq, last.text, Reading(last.intent), Why.HANDED_OVER, now)
