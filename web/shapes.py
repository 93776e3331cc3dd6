"""Records as the HTTP contract shows them (docs/api.md). Nothing is added here that the other side may not see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from actions.cards import parcel_card
from core.clock import iso
from core.text import mask_phone
from crm.customers import notes
from crm.customers.models import Customer, CustomerNote
from crm.loyalty.models import Coupon
from crm.loyalty.rules import Level
from crm.orders import usecases as orders
from crm.orders.models import Order
from crm.orders.rules import PAYMENT_METHODS, OrderStatus, ParcelStatus
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import INTENT_LABELS, SLOT_LABELS, HandoverReason, State
from helpdesk.routing import queue
from helpdesk.routing.models import Assignment, ClientManager, Mention
from helpdesk.routing.queue import Picture
from helpdesk.service.rules import COUPON_VALID, Template, may_give, most_used
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import SKILLS
from helpdesk.surveys.models import Rating
from helpdesk.tickets import followups
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.models import Ticket
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
        place = (seen or queue.glance(session, now)).place(conversation.id)
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


@dataclass(frozen=True)
class Beside:
    """What a list shows of talks besides their own rows, read for all of them at once: the last spoken line of each, and
    why it was given to its agent."""

    last: dict[str, Message]
    because: dict[str, str]

    @staticmethod
    def of(session: Session, ids: Sequence[str]) -> "Beside":
        """Of these talks."""
        newest = (
            select(Message.conversation_id, func.max(Message.seq).label("seq"))
            .where(Message.conversation_id.in_(ids), Message.sender != "system", Message.kind != "note")
            .group_by(Message.conversation_id)
            .subquery()
        )
        same = (Message.conversation_id == newest.c.conversation_id) & (Message.seq == newest.c.seq)
        lines = session.scalars(select(Message).join(newest, same).options(joinedload(Message.agent)))
        reasons = session.execute(
            select(Assignment.conversation_id, Assignment.reason).where(
                Assignment.conversation_id.in_(ids), Assignment.ended_at.is_(None)
            )
        ).tuples()
        return Beside({line.conversation_id: line for line in lines}, dict(reasons.all()))


def conversation(session: Session, talk: Conversation, beside: Beside | None = None) -> dict[str, Any]:
    """CONV."""
    beside = beside or Beside.of(session, [talk.id])
    last = beside.last.get(talk.id)
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
        "skill_label": SKILLS.get(talk.skill or "", "不限"),
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
        "assigned_because": beside.because.get(talk.id) if talk.state == State.WITH_AGENT else None,
        "picked_up": talk.picked_up_at is not None,
        "snoozed_until": iso(talk.snoozed_until),
        "tags": talk.tags,
    }


def mentioned(session: Session, talk: Conversation, mention: Mention, by: str) -> dict[str, Any]:
    """CONV with who asked for advice, where, and whether it has been looked at."""
    told = {"by": by, "seq": mention.seq, "seen": mention.seen_at is not None}
    return {**conversation(session, talk), "mention": told}


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
        "tickets": [ticket(t) for t in (tickets.of_customer(session, who.id) if access.whole else [])],
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
        **_of_account(session, who, access.whole),
    }


def many(session: Session, talks: Sequence[Conversation]) -> list[dict[str, Any]]:
    """CONVs."""
    beside = Beside.of(session, [talk.id for talk in talks])
    return [conversation(session, talk, beside) for talk in talks]


def ticket(found: Ticket) -> dict[str, Any]:
    """TICKET."""
    return {
        "number": found.number,
        "kind": found.kind,
        "kind_label": TicketKind(found.kind).label,
        "status_label": TicketStatus(found.status).label,
        "subject": found.subject,
        "urgent": found.urgent,
        "created_at": iso(found.created_at),
        "due_at": iso(found.due_at),
    }


def task(found: Ticket, customer_name: str | None, now: datetime) -> dict[str, Any]:
    """TASK."""
    return {
        "number": found.number,
        "kind": found.kind,
        "kind_label": TicketKind(found.kind).label,
        "subject": found.subject,
        "detail": followups.text_of(found),
        "phone": followups.phone_of(found),
        "customer_name": customer_name or "访客",
        "conversation_id": found.conversation_id,
        "created_at": iso(found.created_at),
        "due_at": iso(found.due_at),
        "overdue": found.due_at < now,
    }


def _of_account(session: Session, who: Customer, whole: bool) -> dict[str, Any]:
    """The part of CUSTOMER that belongs to the account: left empty for who proved one order only."""
    if not whole:
        nothing = {"average": None, "count": 0}
        return {"notes": [], "satisfaction": nothing, "value_cents_12m": None, "orders_count": None, "manager": None,
                "tags": []}  # fmt: skip
    manager = select(Agent.display_name).join(ClientManager, ClientManager.agent_id == Agent.id)
    tagged = select(Conversation.tags).where(Conversation.customer_id == who.id)
    return {
        "notes": [customer_note(note) for note in notes.newest(session, who)],
        "satisfaction": _satisfaction(session, who),
        "value_cents_12m": who.spent_cents,
        "orders_count": session.scalar(select(func.count()).where(Order.customer_id == who.id)),
        "manager": session.scalar(manager.where(ClientManager.customer_id == who.id)),
        "tags": most_used(session.scalars(tagged.order_by(Conversation.started_at.desc()).limit(50)), 10),
    }


def customer_note(note: CustomerNote) -> dict[str, Any]:
    """A note on a customer."""
    return {"text": note.text, "by": note.by, "at": iso(note.at)}


def _satisfaction(session: Session, who: Customer) -> dict[str, Any]:
    """The mean of the scores that count: the newest one a talk, for the bot and for people each."""
    found = session.scalars(
        select(Rating)
        .join(Conversation, Conversation.id == Rating.conversation_id)
        .where(Conversation.customer_id == who.id)
        .order_by(Rating.at, Rating.id)
    )
    scores = {(rating.conversation_id, rating.of): rating.score for rating in found}
    average = round(sum(scores.values()) / len(scores), 1) if scores else None
    return {"average": average, "count": len(scores)}


def order_for_agents(found: Order, why_not: dict[str, str | None]) -> dict[str, Any]:
    """ORDER with what an agent needs besides. ``why_not``: what speaks against each deed, None when it may be done."""
    return {
        **order(found),
        "recipient": found.recipient,
        "address": found.address,
        "phone_masked": mask_phone(found.phone),
        "payments": [
            {
                "method": paid.method,
                "method_label": PAYMENT_METHODS.get(paid.method, paid.method),
                "amount_cents": paid.amount_cents,
                "status": paid.status,
                "status_label": PAYMENT_STATES.get(paid.status, paid.status),
                "failure": paid.failure,
                "at": iso(paid.at),
            }
            for paid in found.payments
        ],
        "parcels": [parcel_card(found, p, f"包裹{ParcelStatus(p.status).label}")[1] for p in found.parcels],
        "may": {deed: {"ok": why is None, "why": why or ""} for deed, why in why_not.items()},
    }


PAYMENT_STATES = {
    "succeeded": "支付成功",
    "failed": "支付失败",
    "pending": "等待结果",
    "surplus": "重复支付",
    "returned": "已退回",
}


def coupon(given: Coupon) -> dict[str, Any]:
    """COUPON."""
    return {
        "name": given.name,
        "code": given.code,
        "value_cents": given.value_cents,
        "threshold_cents": given.threshold_cents,
        "valid_from": iso(given.valid_from),
        "valid_to": iso(given.valid_to),
    }


def coupon_template(template: Template, role: str) -> dict[str, Any]:
    """A coupon an agent can choose, and whether this role may give it."""
    return {
        "id": template.id,
        "title": template.title,
        "amount_cents": template.amount_cents,
        "threshold_cents": template.threshold_cents,
        "valid_days": COUPON_VALID.days,
        "may_give": may_give(role, template),
    }
