"""The API of supervisors (班长): the wall board, live talks, agents, hours, distribution (docs/api.md)."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Date, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import clock, db
from core.errors import Invalid
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.routing import hours, queue
from helpdesk.routing.hours_rules import DayKind, Span
from helpdesk.routing.models import SpecialDay
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import SERVES, Presence
from helpdesk.supervision import board, usecases
from web import shapes
from web.access import agent
from web.api.customer import responses
from web.api.talks import signed_in
from web.body import Lenient

bp = APIBlueprint("supervisor", __name__, url_prefix="/api/v1/supervisor", tag="supervisor")
DAYS_MOST = 30
LIVE_MOST = 300
AGENT = "/agents/<string(maxlength=40):name>"
TALK = "/talks/<string(maxlength=40):conversation_id>"


class Days(Lenient):
    """How many, today included."""

    days = Integer(load_default=1, validate=Range(1, DAYS_MOST))


class Which(Lenient):
    """Waiting, or with agents."""

    state = String(load_default="with_agent", validate=OneOf(["queued", "with_agent"]))


class Reassignment(Lenient):
    """To whom."""

    to_skill = String(load_default=None, allow_none=True, validate=Length(max=40))
    to_agent = String(load_default=None, allow_none=True, validate=Length(max=40))
    note = String(load_default="", validate=Length(max=500))


class AgentSettings(Lenient):
    """All skills with proficiency, and places."""

    skills = Dict(keys=String(), values=Integer(strict=True), load_default=None, allow_none=True)
    capacity = Integer(load_default=None, allow_none=True, strict=True)


class PresenceIn(Lenient):
    """A state."""

    state = String(required=True, validate=OneOf([p.value for p in Presence]))


class HoursOfADay(Lenient):
    """``HH:MM``; closing at 00:00 is the end of the day."""

    opens = String(required=True)
    closes = String(required=True)


class HoursOfADate(Lenient):
    """A date with hours of its own; without times closed."""

    day = Date(required=True)
    opens = String(load_default=None, allow_none=True)
    closes = String(load_default=None, allow_none=True)
    note = String(load_default="", validate=Length(max=60))


class Plan(Lenient):
    """Hours by kind of day (none at all: always open), and dates of their own."""

    days = Dict(
        keys=String(validate=OneOf([kind.value for kind in DayKind])),
        values=Nested(HoursOfADay, allow_none=True),
        required=True,
    )
    special = List(Nested(HoursOfADate), load_default=list, validate=Length(max=200))


class OfTalk(Lenient):
    """Of one talk, or the newest."""

    conversation = String(load_default=None, allow_none=True, validate=Length(max=40))
    limit = Integer(load_default=50, validate=Range(1, 200))


class ManagerIn(Lenient):
    """An agent's sign-in name, or none."""

    agent = String(required=True, allow_none=True, validate=Length(max=40))


def _me(session: Session) -> Agent:
    me = signed_in(session)
    usecases.need_supervisor(me)
    return me


def _read[T](question: Callable[[Session], T]) -> T:
    with db.reading() as session:
        _me(session)
        return question(session)


@bp.get("/board")
@agent
@bp.doc(summary="The wall board", security="bearer", responses=responses(200, 401, 403))
def wall() -> dict[str, Any]:
    """BOARD."""
    now = clock.now()

    def look(session: Session) -> dict[str, Any]:
        today, loads = board.agents_today(session, now), queue.load_by_agent(session)
        agents = [{**shapes.agent(session, a, loads), **today[a.id]} for a in _staff(session)]
        return {**board.board(session, now), "agents": agents}

    return _read(look)


def _staff(session: Session) -> list[Agent]:
    query = select(Agent).where(Agent.role.in_(SERVES)).options(selectinload(Agent.skills)).order_by(Agent.name)
    return list(session.scalars(query))


@bp.get("/trends")
@agent
@bp.input(Days, location="query")
@bp.doc(summary="Numbers over time", security="bearer", responses=responses(200, 401, 403, 422))
def trends(query_data: dict[str, Any]) -> dict[str, Any]:
    """By hour for one or two days, else by day."""
    return _read(lambda session: board.trends(session, query_data["days"], clock.now()))


@bp.get("/talks")
@agent
@bp.input(Which, location="query")
@bp.doc(summary="Live talks", security="bearer", responses=responses(200, 401, 403, 422))
def talks(query_data: dict[str, Any]) -> dict[str, Any]:
    """In the order of the queue; with agents: whose customer has waited longest for an answer first."""
    now = clock.now()

    def look(session: Session) -> dict[str, Any]:
        if query_data["state"] == State.QUEUED:
            found = queue.waiting(session, now)
        else:
            live = select(Conversation).where(Conversation.state == State.WITH_AGENT)
            oldest_first = live.order_by(Conversation.waiting_since.is_(None), Conversation.waiting_since)
            found = list(session.scalars(oldest_first.limit(LIVE_MOST)))
        found = found[:LIVE_MOST]
        shown = shapes.many(session, found)
        return {"conversations": [_live(talk, told) for talk, told in zip(found, shown, strict=True)]}

    def _live(talk: Conversation, told: dict[str, Any]) -> dict[str, Any]:
        since = talk.queued_at if talk.state == State.QUEUED else talk.waiting_since
        waited = round((now - since).total_seconds()) if since else 0
        name = talk.agent.display_name if talk.agent and talk.state == State.WITH_AGENT else None
        return {**told, "agent_name": name, "wait_seconds": waited}

    return _read(look)


@bp.post(TALK + "/take-over")
@agent
@bp.doc(summary="Take a talk over", security="bearer", responses=responses(200, 401, 403, 404, 409))
def take_over(conversation_id: str) -> dict[str, Any]:
    """It is mine now."""
    with db.writing() as session:
        talk = usecases.take_over(session, _me(session).id, conversation_id, clock.now())
        session.flush()
        return {"conversation": shapes.conversation(session, talk)}


@bp.post(TALK + "/reassign")
@agent
@bp.input(Reassignment)
@bp.doc(
    summary="Give a talk to somebody else", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422)
)
def reassign(conversation_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """A colleague or a skill group."""
    with db.writing() as session:
        talk = usecases.reassign(session, _me(session), conversation_id, clock.now(), **json_data)
        session.flush()
        return {"conversation": shapes.conversation(session, talk)}


@bp.put(AGENT)
@agent
@bp.input(AgentSettings)
@bp.doc(summary="Skills and places", security="bearer", responses=responses(200, 400, 401, 403, 404, 422))
def set_agent(name: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """What is not given stays."""
    with db.writing() as session:
        return {
            "agent": shapes.agent(session, usecases.set_agent(session, _me(session), name, clock.now(), **json_data))
        }


@bp.put(AGENT + "/presence")
@agent
@bp.input(PresenceIn)
@bp.doc(summary="Set an agent's state", security="bearer", responses=responses(200, 400, 401, 403, 404, 422))
def set_presence(name: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Offline gives the talks back."""
    with db.writing() as session:
        state = Presence(json_data["state"])
        return {"agent": shapes.agent(session, usecases.set_presence(session, _me(session), name, state, clock.now()))}


@bp.get("/hours")
@agent
@bp.doc(summary="Service hours", security="bearer", responses=responses(200, 401, 403))
def service_hours() -> dict[str, Any]:
    """The plan, and how it stands now."""
    return _read(_hours)


@bp.put("/hours")
@agent
@bp.input(Plan)
@bp.doc(summary="Set the service hours", security="bearer", responses=responses(200, 400, 401, 403, 422))
def set_hours(json_data: dict[str, Any]) -> dict[str, Any]:
    """The whole plan."""
    kinds = {DayKind(kind): _span(given) for kind, given in json_data["days"].items()}
    special = {given["day"]: (_span(given), given["note"]) for given in json_data["special"]}
    with db.writing() as session:
        me = _me(session)
        hours.save(session, kinds, special)
        staff.audit(session, me, "hours_set", clock.now())
        session.flush()
        return _hours(session)


def _span(given: dict[str, Any] | None) -> Span | None:
    if given is None or (given["opens"] is None and given["closes"] is None):
        return None
    if given["opens"] is None or given["closes"] is None:
        raise Invalid("开始和结束时间要一起填；整天休息就都留空。")
    return Span(_time(given["opens"]), _time(given["closes"]))


def _time(text: str) -> time:
    try:
        return time.fromisoformat("00:00" if text == "24:00" else text)
    except ValueError:
        raise Invalid(f"“{text[:10]}”不是时间，请写成 09:00 这样。") from None


def _hours(session: Session) -> dict[str, Any]:
    plan, now = hours.plan(session), clock.now()
    service = hours.now_by(session, now)
    notes = dict(session.execute(select(SpecialDay.day, SpecialDay.note)).tuples().all())
    return {
        "days": {kind.value: _shown(span) for kind, span in plan.by_kind.items()},
        "special": [_special(day, span, notes.get(day, "")) for day, span in sorted(plan.special.items())],
        "today": hours.today(session, now),
        "open": service.open,
        "opens": service.told,
    }


def _special(day: date, span: Span | None, note: str) -> dict[str, Any]:
    return {"day": day.isoformat(), **(_shown(span) or {"opens": None, "closes": None}), "note": note}


def _shown(span: Span | None) -> dict[str, str] | None:
    return {"opens": f"{span.opens:%H:%M}", "closes": f"{span.closes:%H:%M}"} if span else None


@bp.get("/assignments")
@agent
@bp.input(OfTalk, location="query")
@bp.doc(summary="Who got what and why", security="bearer", responses=responses(200, 401, 403, 422))
def assignments(query_data: dict[str, Any]) -> dict[str, Any]:
    """With the candidates, and whom today's rules would choose."""
    wanted, limit = query_data["conversation"], query_data["limit"]
    return _read(lambda session: {"assignments": board.assignments(session, conversation_id=wanted, limit=limit)})


@bp.get("/fairness")
@agent
@bp.input(Days, location="query")
@bp.doc(summary="How evenly talks are given", security="bearer", responses=responses(200, 401, 403, 422))
def fairness(query_data: dict[str, Any]) -> dict[str, Any]:
    """Talks beside the fair share by time online and places."""
    return _read(lambda session: board.fairness(session, query_data["days"], clock.now()))


@bp.put("/customers/<int:customer_id>/manager")
@agent
@bp.input(ManagerIn)
@bp.doc(summary="A customer's dedicated manager", security="bearer", responses=responses(200, 400, 401, 403, 404, 422))
def manager(customer_id: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Or none."""
    with db.writing() as session:
        usecases.set_manager(session, _me(session), customer_id, json_data["agent"], clock.now())
    return {"agent": json_data["agent"]}
