"""The API of agents' programs and of the desk (docs/api.md)."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Integer, List, String
from apiflask.validators import Length, OneOf, Range
from flask import g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from channels import web as channel
from core import clock, db
from core.text import clean
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import State
from helpdesk.routing import consulting, distribution, queue
from helpdesk.routing import usecases as routing
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent, CannedReply
from helpdesk.staff.rules import SERVES, SKILLS, Presence
from knowledge_base import usecases as knowledge
from web import limits, shapes
from web.access import agent, bearer, public
from web.api.customer import ReadUpTo, Since, responses
from web.api.talks import TALK, serving
from web.api.talks import signed_in as _me
from web.api.talks import visible as _talk
from web.body import Lenient

bp = APIBlueprint("agent", __name__, url_prefix="/api/v1/agent", tag="agent")
NO_QUESTION = ("request_human", "greet", "thank", "goodbye", "affirm", "deny", "complaint")
CLOSE_REASONS = {
    "solved": "已解决",
    "ticket": "已建工单跟进",
    "advice": "咨询解答",
    "no_answer": "客户无回应",
    "not_ours": "非本店问题",
    "other": "其他",
}


class SignIn(Lenient):
    """Name and password."""

    name = String(required=True, validate=Length(min=1, max=40))
    password = String(required=True, validate=Length(min=1, max=200))


class PresenceIn(Lenient):
    """What the agent chose."""

    state = String(required=True, validate=OneOf([p.value for p in Presence]))
    capacity = Integer(load_default=None, allow_none=True, strict=True)


class Which(Lenient):
    """Which talks."""

    state = String(load_default="mine", validate=OneOf(["queued", "mine", "closed", "mentioned"]))


class AgentLine(Lenient):
    """A line to the customer."""

    text = String(required=True)
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=60))


class Note(Lenient):
    """A private note; ``mentions``: sign-in names of colleagues asked for advice."""

    text = String(required=True)
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=60))
    mentions = List(String(validate=Length(min=1, max=40)), load_default=list, validate=Length(max=5))


class Snooze(Lenient):
    """For how long."""

    minutes = Integer(required=True, strict=True, validate=Range(1, 24 * 60))


class Question(Lenient):
    """What to look for; empty: the customer's last line."""

    q = String(load_default="", validate=Length(max=200))


class Transfer(Lenient):
    """To a skill group or a colleague."""

    to_skill = String(load_default=None, allow_none=True, validate=Length(max=40))
    to_agent = String(load_default=None, allow_none=True, validate=Length(max=40))
    note = String(load_default="", validate=Length(max=500))


class Closing(Lenient):
    """Why it ended."""

    reason = String(required=True, validate=Length(min=1, max=200))
    tags = List(String(validate=Length(min=1, max=30)), load_default=list, validate=Length(max=10))


@bp.post("/session")
@public
@limits.failed_sign_ins
@bp.input(SignIn)
@bp.doc(summary="Sign in", responses=responses(200, 400, 401, 422, 429))
def sign_in(json_data: dict[str, Any]) -> dict[str, Any]:
    """A token and who one is."""
    with db.reading() as session:
        agent_id = staff.check_password(session, json_data["name"], json_data["password"])
    with db.writing() as session:
        me, token = staff.sign_in(session, agent_id, clock.now())
        return {"token": token, "agent": shapes.agent(session, me)}


@bp.delete("/session")
@agent
@bp.doc(summary="Sign out", security="bearer", responses=responses(204, 401))
def sign_out() -> tuple[str, int]:
    """Ends this sign-in."""
    with db.writing() as session:
        staff.sign_out(session, bearer(), clock.now())
    return "", 204


@bp.get("/me")
@agent
@bp.doc(summary="Who I am", security="bearer", responses=responses(200, 401))
def me() -> dict[str, Any]:
    """AGENT."""
    with db.reading() as session:
        return {"agent": shapes.agent(session, _me(session))}


@bp.put("/presence")
@agent
@bp.input(PresenceIn)
@bp.doc(summary="Set presence", security="bearer", responses=responses(200, 400, 401, 422))
def presence(json_data: dict[str, Any]) -> dict[str, Any]:
    """Online, busy, away or offline; offline gives the held talks back."""
    with db.writing() as session:
        serving(session)
        chosen = Presence(json_data["state"])
        me = staff.set_presence(session, g.agent_id, chosen, clock.now(), json_data["capacity"])
        return {"state": me.presence, "capacity": me.capacity}


@bp.get("/conversations")
@agent
@bp.input(Which, location="query")
@bp.doc(summary="Talks: waiting, mine, or ended", security="bearer", responses=responses(200, 401, 422))
def talks(query_data: dict[str, Any]) -> dict[str, Any]:
    """The queue in its order, before it what was assigned to me and waits for me to turn to it; mine with the newest
    activity first; my last fifty ended ones; those in which a colleague asked me."""
    wanted = query_data["state"]
    with db.reading() as session:
        me = serving(session)
        if wanted == "mentioned":
            asked = consulting.mentioned(session, me)
            return {"conversations": [shapes.mentioned(session, *each) for each in asked]}
        if wanted == "queued":
            found = [*_assigned(session, me), *queue.offered(session, me, queue.waiting(session, clock.now()))]
        else:
            query = select(Conversation).where(Conversation.agent_id == me.id)
            if wanted == "mine":
                query = query.where(Conversation.state == State.WITH_AGENT).order_by(Conversation.updated_at.desc())
            else:
                query = (
                    query.where(Conversation.state == State.CLOSED).order_by(Conversation.closed_at.desc()).limit(50)
                )
            found = list(session.scalars(query))
        return {"conversations": shapes.many(session, found)}


def _assigned(session: Session, me: Agent) -> list[Conversation]:
    """Given to me by the rules, and not yet turned to."""
    return list(
        session.scalars(
            select(Conversation)
            .where(
                Conversation.agent_id == me.id,
                Conversation.state == State.WITH_AGENT,
                Conversation.picked_up_at.is_(None),
            )
            .order_by(Conversation.accepted_at)
        )
    )


@bp.post("/next")
@agent
@bp.doc(summary="Take the next one waiting", security="bearer", responses=responses(200, 204, 401, 409))
def take_next() -> Any:
    """The most urgent one that suits; 204 when nobody waits."""
    with db.writing() as session:
        serving(session)
        talk = distribution.take_next(session, g.agent_id, clock.now())
        session.flush()
        return {"conversation": shapes.conversation(session, talk)} if talk else ("", 204)


@bp.post(TALK + "/accept")
@agent
@bp.doc(summary="Take this one", security="bearer", responses=responses(200, 401, 404, 409))
def accept(conversation_id: str) -> dict[str, Any]:
    """Exactly one agent gets it."""
    with db.writing() as session:
        serving(session)
        talk = distribution.accept(session, g.agent_id, conversation_id, clock.now())
        session.flush()
        return {"conversation": shapes.conversation(session, talk)}


@bp.get(TALK)
@agent
@bp.doc(summary="A talk with all that belongs to it", security="bearer", responses=responses(200, 401, 404))
def show(conversation_id: str) -> dict[str, Any]:
    """Transcript from the first line, hand-over note, the customer's picture. Looking is written down."""
    now = clock.now()
    with db.writing() as session:
        talk = _talk(session, conversation_id)
        if talk.customer_id is not None:
            staff.audit(session, _me(session), "customer_seen", now, f"customer:{talk.customer_id}")
        consulting.seen(session, _me(session), talk, now)
        return {
            "conversation": shapes.conversation(session, talk),
            "messages": [shapes.message(m) for m in conversations.lines(session, talk.id, notes=True)],
            "handover": shapes.handover(talk),
            "customer": shapes.customer(session, talk),
        }


@bp.get(TALK + "/messages")
@agent
@bp.input(Since, location="query")
@bp.doc(summary="Lines after a seq", security="bearer", responses=responses(200, 401, 404, 422))
def read_on(conversation_id: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """With private notes."""
    with db.reading() as session:
        talk = _talk(session, conversation_id)
        found = conversations.lines(session, talk.id, query_data["after"], notes=True)
        told = shapes.state_for_agents(shapes.state(session, talk, clock.now()), talk)
        return {"messages": [shapes.message(m) for m in found], **told}


@bp.post(TALK + "/messages")
@agent
@bp.input(AgentLine)
@bp.doc(summary="Write to the customer", security="bearer", responses=responses(201, 400, 401, 404, 409, 413, 422))
def write(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The same client_message_id again does nothing."""
    text = channel.text_of(json_data["text"])
    with db.writing() as session:
        talk = _talk(session, conversation_id, lock=True)
        seq = routing.say(
            session, talk, _me(session), clock.now(), text=text, client_message_id=json_data["client_message_id"]
        )
    return {"seq": seq}, 201


@bp.post(TALK + "/notes")
@agent
@bp.input(Note)
@bp.doc(summary="A private note", security="bearer", responses=responses(201, 400, 401, 404, 413, 422))
def note(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Customers never see it; the same client_message_id again does nothing."""
    text = channel.text_of(json_data["text"])
    with db.writing() as session:
        talk = _talk(session, conversation_id, lock=True)
        seq = consulting.note(
            session,
            talk,
            serving(session),
            clock.now(),
            text=text,
            client_message_id=json_data["client_message_id"],
            mentions=json_data["mentions"],
        )
        return {"seq": seq}, 201


@bp.post(TALK + "/snooze")
@agent
@bp.input(Snooze)
@bp.doc(summary="Set aside", security="bearer", responses=responses(200, 400, 401, 404, 409, 422))
def snooze(conversation_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """For some minutes, or until the customer writes."""
    return _snooze(conversation_id, timedelta(minutes=json_data["minutes"]))


@bp.delete(TALK + "/snooze")
@agent
@bp.doc(summary="Take up again", security="bearer", responses=responses(200, 401, 404, 409))
def unsnooze(conversation_id: str) -> dict[str, Any]:
    """Before its time."""
    return _snooze(conversation_id, None)


def _snooze(conversation_id: str, span: timedelta | None) -> dict[str, Any]:
    with db.writing() as session:
        talk = _talk(session, conversation_id, lock=True)
        routing.own(talk, serving(session))
        routing.snooze(session, talk, clock.now() + span if span else None)
        return {"conversation": shapes.conversation(session, talk)}


@bp.post(TALK + "/transfer")
@agent
@bp.input(Transfer)
@bp.doc(summary="Transfer", security="bearer", responses=responses(200, 400, 401, 404, 409, 422))
def transfer(conversation_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """To a skill group or a colleague, with a note."""
    now = clock.now()
    with db.writing() as session:
        talk = _talk(session, conversation_id, lock=True)
        routing.transfer(session, talk, _me(session), now, **json_data)
        session.flush()
        return {"conversation": shapes.conversation(session, talk)}


@bp.post(TALK + "/close")
@agent
@bp.input(Closing)
@bp.doc(summary="Finish", security="bearer", responses=responses(200, 400, 401, 404, 409, 422))
def close(conversation_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """With a reason; the customer is asked to rate."""
    with db.writing() as session:
        talk = _talk(session, conversation_id, lock=True)
        reason = CLOSE_REASONS.get(json_data["reason"], json_data["reason"])
        routing.finish(session, talk, _me(session), clock.now(), reason=reason, tags=json_data["tags"])
        session.flush()
        return {"conversation": shapes.conversation(session, talk)}


@bp.post(TALK + "/read")
@agent
@bp.input(ReadUpTo)
@bp.doc(summary="Read up to a seq", security="bearer", responses=responses(204, 400, 401, 404, 422))
def read(conversation_id: str, json_data: dict[str, Any]) -> tuple[str, int]:
    """So that the customer sees it was read."""
    with db.writing() as session:
        talk = _talk(session, conversation_id, lock=True)
        if talk.agent_id == g.agent_id:
            distribution.pick_up(session, talk, clock.now())
            conversations.mark_read(session, talk, json_data["seq"], by="agent")
    return "", 204


@bp.get(TALK + "/suggestions")
@agent
@bp.input(Question, location="query")
@bp.doc(summary="Articles that fit the customer's last line", security="bearer", responses=responses(200, 401, 404))
def suggestions(conversation_id: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """May be empty."""
    with db.reading() as session:
        talk = _talk(session, conversation_id)
        asked = clean(query_data["q"])
        question = asked or _last_question(session, talk)
        result = knowledge.search(session, question, 8 if asked else 3) if question else None
        if result is None or (result.decision == "none" and not asked):
            return {"articles": []}
        return {
            "articles": [
                {"id": h.id, "question": h.question, "answer": knowledge.plain(h.answer), "score": h.score}
                for h in result.hits
            ]
        }


def _last_question(session: Session, talk: Conversation) -> str | None:
    return session.scalars(
        select(Message.text)
        .where(
            Message.conversation_id == talk.id,
            Message.sender == "customer",
            Message.kind == "text",
            func.coalesce(Message.intent, "").not_in(NO_QUESTION),
        )
        .order_by(Message.seq.desc())
        .limit(1)
    ).first()


@bp.get("/canned-replies")
@agent
@bp.doc(summary="Canned replies", security="bearer", responses=responses(200, 401))
def canned_replies() -> dict[str, Any]:
    """Ready answers."""
    with db.reading() as session:
        serving(session)
        found = session.scalars(select(CannedReply).order_by(CannedReply.shortcut)).all()
        return {"replies": [{"id": r.id, "shortcut": r.shortcut, "title": r.title, "text": r.text} for r in found]}


@bp.get("/colleagues")
@agent
@bp.doc(summary="Colleagues and skill groups", security="bearer", responses=responses(200, 401))
def colleagues() -> dict[str, Any]:
    """To transfer to."""
    with db.reading() as session:
        found = session.scalars(select(Agent).where(Agent.role.in_(SERVES)).order_by(Agent.name)).all()
        serving(session)
        loads = queue.load_by_agent(session)
        return {
            "agents": [shapes.agent(session, a, loads) for a in found],
            "skills": [{"name": name, "label": label} for name, label in SKILLS.items()],
        }


@bp.get("/close-reasons")
@agent
@bp.doc(summary="Reasons for finishing", security="bearer", responses=responses(200, 401))
def close_reasons() -> dict[str, Any]:
    """For the finish dialog."""
    return {"reasons": [{"name": name, "label": label} for name, label in CLOSE_REASONS.items()]}
