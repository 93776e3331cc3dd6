"""Ratings, suggestions and praise."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import wake
from core.errors import Invalid
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.surveys.models import Feedback, Rating
from helpdesk.surveys.rules import BEST, WORST


def rate(
    session: Session,
    conversation: Conversation,
    score: int,
    comment: str,
    of: str,
    now: datetime,
    agent_id: int | None = None,
) -> Rating:
    """Stores a rating, 1–5, of the bot or the agent (``of``); the newest for a talk and ``of`` counts.

    The talk's rating card shows it from then on. Raises Invalid.
    """
    if not WORST <= score <= BEST:
        raise Invalid(f"评分请选 {WORST}–{BEST} 分。", code="score")
    if of not in {"bot", "agent"}:
        raise Invalid("评价的对象应该是智能客服或人工客服。", code="of")
    rating = Rating(
        conversation_id=conversation.id, agent_id=agent_id, of=of, score=score, comment=comment[:1000], at=now
    )
    session.add(rating)
    card = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.kind == "rating")
        .order_by(Message.seq.desc())
        .limit(1)
    ).first()
    if card is not None:
        card.payload = {**(card.payload or {}), "score": score, "comment": comment[:1000]}
        wake.note(session, conversations.CHANGED, id=conversation.id, seq=card.seq)
    return rating


def asked_of(session: Session, conversation: Conversation) -> tuple[str, int | None]:
    """Whom the customer is asked to rate: ``bot`` or ``agent`` with the agent's id, from the newest question; without
    one whoever serves."""
    card = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.kind == "rating")
        .order_by(Message.seq.desc())
        .limit(1)
    ).first()
    of = ((card.payload or {}).get("rating") or {}).get("of") if card is not None else None
    if card is None or of is None:
        return ("agent", conversation.agent_id) if conversation.accepted_at else ("bot", None)
    return (of, card.agent_id or conversation.agent_id) if of == "agent" else (of, None)


def latest(session: Session, conversation_id: str, of: str = "bot") -> Rating | None:
    """The rating that counts; None when there is none."""
    return session.scalars(
        select(Rating)
        .where(Rating.conversation_id == conversation_id, Rating.of == of)
        .order_by(Rating.at.desc(), Rating.id.desc())
        .limit(1)
    ).first()


def explain(session: Session, conversation: Conversation, comment: str, of: str = "bot") -> bool:
    """Adds the reason to the rating that counts; False when there is none."""
    rating = latest(session, conversation.id, of)
    if rating is None:
        return False
    rating.comment = f"{rating.comment}\n{comment}".strip()[:1000]
    return True


def remember(session: Session, conversation: Conversation, kind: str, text: str, now: datetime) -> Feedback:
    """Keeps a suggestion or praise (``kind``: suggestion, praise) in the customer's words."""
    feedback = Feedback(
        conversation_id=conversation.id, customer_id=conversation.customer_id, kind=kind, text=text[:2000], at=now
    )
    session.add(feedback)
    session.flush()
    return feedback
