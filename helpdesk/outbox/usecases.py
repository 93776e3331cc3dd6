"""Looking into the outbox, and putting into it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, select, update
from sqlalchemy.orm import Session

from helpdesk.outbox.models import Delivery


class State(StrEnum):
    """See models.py."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


UNDER_WAY = (State.WAITING, State.SENDING)
_HELD = (Delivery.state == State.WAITING, Delivery.error != "")


def put(
    session: Session, conversation_id: str, seq: int, contents: Sequence[dict[str, Any]], now: datetime
) -> list[Delivery]:
    """The parts of a line, to be carried from now on. They are stored when the session is flushed."""
    made = [
        Delivery(
            conversation_id=conversation_id,
            seq=seq,
            part=part,
            content=content,
            state=State.WAITING,
            tries=0,
            error="",
            next_at=now,
            created_at=now,
        )
        for part, content in enumerate(contents)
    ]
    session.add_all(made)
    return made


def is_under_way(conversation_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether something has not reached the customer of a talk yet, as part of a query."""
    return exists().where(Delivery.conversation_id == conversation_id, Delivery.state.in_(UNDER_WAY))


def is_held(conversation_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether :func:`release` would find something, as part of a query."""
    return exists().where(Delivery.conversation_id == conversation_id, *_HELD)


def under_way(session: Session, conversation_id: str) -> Sequence[Delivery]:
    """What has not reached the customer yet, in the order in which it must."""
    return session.scalars(
        select(Delivery)
        .where(Delivery.conversation_id == conversation_id, Delivery.state.in_(UNDER_WAY))
        .order_by(Delivery.seq, Delivery.part)
    ).all()


def carried_by(session: Session, conversation_id: str, key: str) -> Sequence[Delivery]:
    """What the answer to the customer's message with this key took along."""
    return session.scalars(
        select(Delivery)
        .where(Delivery.conversation_id == conversation_id, Delivery.carried_by == key)
        .order_by(Delivery.seq, Delivery.part)
    ).all()


def not_arrived(session: Session, conversation_id: str, newest: int = 20) -> list[Delivery]:
    """The newest parts that are held or were given up, oldest first."""
    found = session.scalars(
        select(Delivery)
        .where(
            Delivery.conversation_id == conversation_id,
            Delivery.state.in_((State.WAITING, State.REFUSED, State.FAILED, State.UNCERTAIN)),
            Delivery.error != "",
        )
        .order_by(Delivery.seq.desc(), Delivery.part.desc())
        .limit(newest)
    ).all()
    return list(reversed(found))


def release(session: Session, conversation_id: str) -> None:
    """What was held may be tried again: the customer has done something that allows it."""
    session.execute(update(Delivery).where(Delivery.conversation_id == conversation_id, *_HELD).values(error=""))
