"""Records as the HTTP contract shows them (docs/api.md). Nothing is added here that the other side may not see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import iso
from core.text import mask_phone
from crm.loyalty.rules import Level
from crm.orders import usecases as orders
from crm.orders.models import Order
from crm.orders.rules import OrderStatus
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import INTENT_LABELS, SLOT_LABELS, HandoverReason, State
from helpdesk.routing import queue
from helpdesk.routing.queue import Picture
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import SKILLS
from helpdesk.surveys.models import Rating
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind, TicketStatus

OWN_KEYS = {"payload"}  # what a button says to the brain is not the browser's business


def message(line: Message) -> dict[str, Any]:
    """Message."""
    shown: dict[str, Any] = {
        "seq": line.seq,
        "sender": line.sender,
        "kind": line.kind,
        "text": line.text,
        "created_at": iso(line.created_at),
    }
    if line.payload is not None:
        shown["payload"] = _without_inner(line.payload)
    if line.client_message_id:
        # stored as customer:<id>, agent:<who>:<id> or note:<who>:<id>
        shown["client_message_id"] = line.client_message_id.split(":", 1 if line.sender == "customer" else 2)[-1]
    if line.agent is not None:
        shown["agent_name"] = line.agent.display_name
    return shown


def _without_inner(value: Any) -> Any:
    if isinstance(value, dict):
        if "title" in value and "value" not in value and "payload" in value:
            value = {**value, "value": value["title"]}
        return {k: _without_inner(v) for k, v in value.items() if k not in OWN_KEYS}
    return [_without_inner(v) for v in value] if isinstance(value, list) else value


def state(session: Session, conversation: Conversation, now: datetime, seen: Picture | None = None) -> dict[str, Any]:
    """``state``, ``queue`` and ``agent`` of a talk as its customer sees them, and up to where the agent has read it.

    ``seen``: how the queue stands, when it has been looked at already.
    """
    place = None
    if conversation.state == State.QUEUED:
        place = (seen or queue.picture(session, now)).place(conversation.id)
    return {
        "state": conversation.state,
        "queue": place,
        "agent": {"name": conversation.agent.display_name}
        if conversation.agent and conversation.state == State.WITH_AGENT
        else None,
        "read_seq": conversation.agent_read_seq,
    }


def state_for_agents(told: dict[str, Any], conversation: Conversation) -> dict[str, Any]:
    """The same with the agent's id."""
    agent = told["agent"] and {**told["agent"], "id": conversation.agent_id}
    return {**told, "conversation_id": conversation.id, "agent": agent}


def agent(session: Session, who: Agent, loads: dict[int, int] | None = None) -> dict[str, Any]:
    """AGENT. ``loads``: talks by agent, when they have been counted already."""
    return {
        "id": who.id,
        "name": who.name,
        "display_name": who.display_name,
        "role": who.role,
        "presence": who.presence,
        "presence_since": iso(who.presence_since),
        "away_because": who.away_because,
        "capacity": who.capacity,
        "load": (queue.load_by_agent(session) if loads is None else loads).get(who.id, 0),
        "skills": [
            {"name": s.skill, "label": SKILLS.get(s.skill, s.skill), "proficiency": s.proficiency} for s in who.skills
        ],
    }


def handover(conversation: Conversation) -> dict[str, Any] | None:
    """The hand-over note."""
    note = conversation.handover
    if not note:
        return None
    try:
        label = HandoverReason(note.get("reason", "")).label
    except ValueError:
        label = str(note.get("reason", ""))
    return {
        "reason": note.get("reason"),
        "reason_label": f"{label}：{note['reason_text']}" if note.get("reason_text") else label,
        "summary": note.get("summary", ""),
        "intents": [
            {"intent": i["intent"], "label": INTENT_LABELS.get(i["intent"], i["intent"]), "text": i["text"]}
            for i in note.get("intents", [])
        ],
        "slots": [
            {"name": name, "label": SLOT_LABELS.get(name, name), "value": value}
            for name, value in note.get("slots", {}).items()
        ],
        "tried": [INTENT_LABELS.get(name, name) for name in note.get("tried", [])],
        "urgency": [{"why": why, "points": points} for why, points in note.get("urgency", [])],
    }


def conversation(session: Session, talk: Conversation, last: Message | None = None) -> dict[str, Any]:
    """CONV."""
    if last is None:
        last = session.get(Message, (talk.id, talk.last_seq))
    customer = talk.customer
    return {
        "id": talk.id,
        "state": talk.state,
        "channel": talk.channel,
        "customer": {
            "id": customer.id if customer else None,
            "name": customer.name if customer else "访客",
            "level": customer.level if customer else None,
            "level_label": Level(customer.level).label if customer else None,
        },
        "queued_at": iso(talk.queued_at),
        "waiting_since": iso(talk.waiting_since),
        "skill": talk.skill,
        "skill_label": SKILLS.get(talk.skill or "", "综合咨询"),
        "priority": talk.priority,
        "last_message": message(last) if last else None,
        "last_seq": talk.last_seq,
        "read_seq": talk.agent_read_seq,
        "customer_read_seq": talk.customer_read_seq,
        "handover": handover(talk),
        "agent": {"id": talk.agent.id, "name": talk.agent.display_name} if talk.agent else None,
        "closed_reason": talk.closed_reason,
        "started_at": iso(talk.started_at),
        "accepted_at": iso(talk.accepted_at),
        "first_response_at": iso(talk.first_response_at),
        "picked_up": talk.picked_up_at is not None,
        "snoozed_until": iso(talk.snoozed_until),
        "tags": talk.tags,
    }


def order(found: Order) -> dict[str, Any]:
    """ORDER, without actions."""
    return {
        "number": found.number,
        "status": found.status,
        "status_label": OrderStatus(found.status).label,
        "created_at": iso(found.created_at),
        "total_cents": found.total_cents,
        "items": [
            {
                "name": i.product.name,
                "color": i.color,
                "quantity": i.quantity,
                "price_cents": i.price_cents,
                "image": f"/static/products/{i.product.kind}.svg",
            }
            for i in found.items
        ],
        "actions": [],
    }


def customer(session: Session, talk: Conversation) -> dict[str, Any] | None:
    """CUSTOMER: what an agent sees beside the talk; None for an unknown visitor."""
    access = conversations.access_of(session, talk)
    if access is None:
        return None
    who = access.customer
    earlier = session.scalars(
        select(Conversation)
        .where(Conversation.customer_id == who.id, Conversation.id != talk.id)
        .order_by(Conversation.started_at.desc())
        .limit(10)
    ).all()
    ratings = {
        r.conversation_id: r.score
        for r in session.scalars(
            select(Rating).where(Rating.conversation_id.in_([c.id for c in earlier])).order_by(Rating.id)
        )
    }
    return {
        "id": who.id,
        "name": who.name,
        "level": who.level,
        "level_label": Level(who.level).label,
        "phone_masked": mask_phone(who.phone),
        "city": who.city,
        "since": iso(who.created_at),
        "points": who.points,
        "verified_by": talk.verified_by,
        "orders": [order(o) for o in orders.visible(session, access, 10)],
        "tickets": [
            {
                "number": t.number,
                "kind_label": TicketKind(t.kind).label,
                "status_label": TicketStatus(t.status).label,
                "subject": t.subject,
                "created_at": iso(t.created_at),
                "due_at": iso(t.due_at),
            }
            for t in (tickets.of_customer(session, who.id) if access.whole else [])
        ],
        "conversations": [
            {
                "id": c.id,
                "started_at": iso(c.started_at),
                "channel": c.channel,
                "summary": (c.handover or {}).get("summary", "智能客服接待"),
                "closed_reason": c.closed_reason,
                "rating": ratings.get(c.id),
            }
            for c in (earlier if access.whole else [])
        ],
    }


def many(session: Session, talks: Sequence[Conversation]) -> list[dict[str, Any]]:
    """CONVs."""
    return [conversation(session, talk) for talk in talks]
