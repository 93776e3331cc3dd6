"""The API of agents' programs and of the desk (docs/api.md)."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Integer, List, String
from apiflask.validators import Length, OneOf
from flask import g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from channels import web as channel
from core import clock, db
from core.errors import NotFound
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import State
from helpdesk.routing import distribution, queue
from helpdesk.routing import usecases as routing
from helpdesk.routing.models import Assignment
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent, CannedReply
from helpdesk.staff.rules import OVERSEES, SERVES, SKILLS, Presence
from knowledge_base import usecases as knowledge
from web import limits, shapes
from web.access import agent, bearer, public
from web.api.customer import ReadUpTo, Since, responses
from web.body import Lenient

bp = APIBlueprint("agent", __name__, url_prefix="/api/v1/agent", tag="agent")
TALK = "/conversations/<string(maxlength=40):conversation_id>"
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

    state = String(load_default="mine", validate=OneOf(["queued", "mine", "closed"]))


class AgentLine(Lenient):
    """A line to the customer."""

    text = String(required=True)
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=60))


class Note(Lenient):
    """A private note."""

    text = String(required=True)
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=60))


class Transfer(Lenient):
    """To a skill group or a colleague."""

    to_skill = String(load_default=None, allow_none=True, validate=Length(max=40))
    to_agent = String(load_default=None, allow_none=True, validate=Length(max=40))
    note = String(load_default="", validate=Length(max=500))


class Closing(Lenient):
    """Why it ended."""

    reason = String(required=True, validate=Length(min=1, max=200))
    tags = List(String(validate=Length(min=1, max=30)), load_default=list, validate=Length(max=10))


def _me(session: Session) -> Agent:
    found = session.get(Agent, g.agent_id)
    if found is None:
        raise NotFound("没有这个坐席。")
    return found


def _talk(session: Session, conversation_id: str, *, lock: bool = False) -> Conversation:
    """A talk this agent may see: waiting, own, or once own; supervisors see all. Raises NotFound."""
    me = _me(session)
    talk = conversations.locked(session, conversation_id) if lock else conversations.find(session, conversation_id)
    mine = talk.agent_id == me.id or bool(queue.offered(session, me, [talk]))
    if not mine and me.role not in OVERSEES:
        was_mine = session.scalar(
            select(Assignment.id).where(Assignment.conversation_id == talk.id, Assignment.agent_id == me.id)
        )
        if was_mine is None:
            raise NotFound("没有找到这个会话。")
    return talk


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
        chosen = Presence(json_data["state"])
        me = staff.set_presence(session, g.agent_id, chosen, clock.now(), json_data["capacity"])
        return {"state": me.presence, "capacity": me.capacity}


@bp.get("/conversations")
@agent
@bp.input(Which, location="query")
@bp.doc(summary="Talks: waiting, mine, or ended", security="bearer", responses=responses(200, 401, 422))
def talks(query_data: dict[str, Any]) -> dict[str, Any]:
    """The queue in its order, before it what was assigned to me and waits for me to turn to it; mine with the newest
    activity first; my last fifty ended ones."""
    with db.reading() as session:
        if query_data["state"] == "queued":
            me = _me(session)
            assigned = select(Conversation).where(
                Conversation.agent_id == me.id,
                Conversation.state == State.WITH_AGENT,
                Conversation.picked_up_at.is_(None),
            )
            found = [
                *session.scalars(assigned.order_by(Conversation.accepted_at)),
                *queue.offered(session, me, queue.waiting(session, clock.now())),
            ]
        else:
            query = select(Conversation).where(Conversation.agent_id == g.agent_id)
            if query_data["state"] == "mine":
                query = query.where(Conversation.state == State.WITH_AGENT).order_by(Conversation.updated_at.desc())
            else:
                query = (
                    query.where(Conversation.state == State.CLOSED).order_by(Conversation.closed_at.desc()).limit(50)
                )
            found = list(session.scalars(query).all())
        return {"conversations": shapes.many(session, found)}


@bp.post("/next")
@agent
@bp.doc(summary="Take the next one waiting", security="bearer", responses=responses(200, 204, 401, 409))
def take_next() -> Any:
    """The most urgent one that suits; 204 when nobody waits."""
    with db.writing() as session:
        talk = distribution.take_next(session, g.agent_id, clock.now())
        session.flush()
        return {"conversation": shapes.conversation(session, talk)} if talk else ("", 204)


@bp.post(TALK + "/accept")
@agent
@bp.doc(summary="Take this one", security="bearer", responses=responses(200, 401, 404, 409))
def accept(conversation_id: str) -> dict[str, Any]:
    """Exactly one agent gets it."""
    with db.writing() as session:
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
        given = json_data["client_message_id"]
        key = f"note:{g.agent_id}:{given}" if given else None
        known = key and session.scalar(
            select(Message.seq).where(Message.conversation_id == talk.id, Message.client_message_id == key)
        )
        if known:
            return {"seq": known}, 201
        line = conversations.add_line(
            session,
            talk,
            clock.now(),
            sender="agent",
            kind="note",
            text=text,
            agent_id=g.agent_id,
            client_message_id=key,
        )
        return {"seq": line.seq}, 201


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
@bp.doc(summary="Articles that fit the customer's last line", security="bearer", responses=responses(200, 401, 404))
def suggestions(conversation_id: str) -> dict[str, Any]:
    """May be empty."""
    with db.reading() as session:
        talk = _talk(session, conversation_id)
        last = session.scalars(
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
        result = knowledge.search(session, last, 3) if last else None
        if result is None or result.decision == "none":
            return {"articles": []}
        return {
            "articles": [
                {"id": h.id, "question": h.question, "answer": knowledge.plain(h.answer), "score": h.score}
                for h in result.hits[:3]
            ]
        }


@bp.get("/canned-replies")
@agent
@bp.doc(summary="Canned replies", security="bearer", responses=responses(200, 401))
def canned_replies() -> dict[str, Any]:
    """Ready answers."""
    with db.reading() as session:
        found = session.scalars(select(CannedReply).order_by(CannedReply.shortcut)).all()
        return {"replies": [{"id": r.id, "shortcut": r.shortcut, "title": r.title, "text": r.text} for r in found]}


@bp.get("/colleagues")
@agent
@bp.doc(summary="Colleagues and skill groups", security="bearer", responses=responses(200, 401))
def colleagues() -> dict[str, Any]:
    """To transfer to."""
    with db.reading() as session:
        found = session.scalars(select(Agent).where(Agent.role.in_(SERVES)).order_by(Agent.name)).all()
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
