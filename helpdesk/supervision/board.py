"""The wall board (现场屏幕), the trends and the reports on distribution: read-only questions over the desk's records."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from core import settings
from core.clock import iso
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import INTENT_LABELS, HandoverReason, State
from helpdesk.routing import distribution, hours, queue
from helpdesk.routing.models import Assignment, QueueStay
from helpdesk.routing.rules import PLACE, Seat, Waiting, proficiency
from helpdesk.staff.models import Agent, AuditEntry
from helpdesk.staff.rules import SERVES, SKILLS, Presence
from helpdesk.supervision import rules
from helpdesk.supervision.rules import Stay
from helpdesk.surveys.models import Rating
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus

HOW = {"assigned": "系统分配", "taken": "坐席接入", "taken_over": "班长接管", "reassigned": "改派"}
TASKS = (TicketKind.CALLBACK.value, TicketKind.MESSAGE.value)


def day_began(now: datetime) -> datetime:
    """When today began in the business's zone."""
    return now.astimezone(settings.load().zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def board(session: Session, now: datetime) -> dict[str, Any]:
    """What the wall screen shows, but for the agents."""
    began = day_began(now)
    waiting = queue.waiting(session, now)
    service = hours.now_by(session, now)
    return {
        "at": iso(now),
        "waiting": len(waiting),
        "longest_wait_seconds": max((_waited(talk, now) for talk in waiting), default=0),
        "waiting_by_skill": _by_skill(session, waiting, now),
        "presence": _presence(session),
        "today": today(session, began, now),
        "overdue_tickets": session.scalar(_open_tickets().where(Ticket.due_at < now)),
        "due_tasks": session.scalar(_open_tickets().where(Ticket.kind.in_(TASKS))),
        "hours": {"open": service.open, "today": hours.today(session, now), "opens": service.told},
    }


def _open_tickets() -> Any:
    return select(func.count()).select_from(Ticket).where(Ticket.status != TicketStatus.SOLVED.value)


def _waited(talk: Conversation, now: datetime) -> int:
    return round((now - (talk.queued_at or now)).total_seconds())


def _by_skill(session: Session, waiting: Sequence[Conversation], now: datetime) -> list[dict[str, Any]]:
    online = queue.present(session)
    rows = []
    for skill, label in [*SKILLS.items(), (None, "不限")]:
        here = [talk for talk in waiting if talk.skill == skill]
        able = sum(not agent.skills or any(s.skill == skill for s in agent.skills) for agent in online)
        rows.append(
            {
                "skill": skill,
                "label": label,
                "waiting": len(here),
                "longest_wait_seconds": max((_waited(talk, now) for talk in here), default=0),
                "agents_online": able if skill else len(online),
            }
        )
    return rows


def _presence(session: Session) -> dict[str, int]:
    counted = dict(
        session.execute(select(Agent.presence, func.count()).where(Agent.role.in_(SERVES)).group_by(Agent.presence))
        .tuples()
        .all()
    )
    return {state.value: counted.get(state.value, 0) for state in Presence}


def today(session: Session, began: datetime, now: datetime) -> dict[str, Any]:
    """The day's numbers so far; shares are 0–1, None where there is nothing to share."""
    stays = first_stays(session, began, now)
    talks, with_people = _written_talks(session, began)
    answered = [stay.seconds for stay in stays if stay.answered]
    abandoned = sum(stay.abandoned for stay in stays)
    ratings = session.scalars(select(Rating.score).where(Rating.at >= began, Rating.of == "agent")).all()
    within = settings.load().service_level_seconds
    return {
        "talks": talks,
        "to_agents": len(stays),
        "service_level": rules.service_level(stays, within),
        "service_level_seconds": within,
        "wait_seconds_mean": rules.mean(answered),
        "first_response_seconds_mean": rules.mean(_first_responses(session, began)),
        "handling_seconds_mean": rules.mean(_handling(session, began)),
        "abandoned": abandoned,
        "abandon_rate": abandoned / len(stays) if stays else None,
        "satisfaction": rules.mean(ratings),
        "ratings": len(ratings),
        "bot_resolved": talks - with_people,
        "bot_resolution_rate": (talks - with_people) / talks if talks else None,
        "wait_estimate_error_seconds_median": rules.estimate_error_seconds(stays),
    }


def first_stays(session: Session, began: datetime, now: datetime) -> list[Stay]:
    """The first stays in the queue since then."""
    found = session.execute(
        select(QueueStay.begun_at, QueueStay.ended_at, QueueStay.ended_by, QueueStay.told_wait_seconds).where(
            QueueStay.begun_at >= began, QueueStay.first.is_(True)
        )
    )
    return [Stay(((end or now) - begun).total_seconds(), ended_by, told) for begun, end, ended_by, told in found]


def _written_talks(session: Session, began: datetime) -> tuple[int, int]:
    """How many talks of today the customer wrote in, and how many of these went to a person."""
    wrote = (
        select(Message.conversation_id)
        .where(Message.conversation_id == Conversation.id, Message.sender == "customer")
        .exists()
    )
    queued = select(QueueStay.id).where(QueueStay.conversation_id == Conversation.id).exists()
    own = select(func.count()).select_from(Conversation).where(Conversation.started_at >= began, wrote)
    return session.scalar(own) or 0, session.scalar(own.where(queued)) or 0


def _first_responses(session: Session, began: datetime, agent_id: int | None = None) -> list[float]:
    query = select(Conversation.queued_at, Conversation.first_response_at).where(
        Conversation.first_response_at >= began, Conversation.queued_at.is_not(None)
    )
    if agent_id is not None:
        query = query.where(Conversation.agent_id == agent_id)
    return [max(0.0, (first - queued).total_seconds()) for queued, first in session.execute(query) if queued and first]


def _handling(session: Session, began: datetime) -> list[float]:
    found = session.execute(
        select(Assignment.accepted_at, Assignment.ended_at).where(
            Assignment.ended_at >= began, Assignment.ended_by == "closed"
        )
    )
    return [(end - begin).total_seconds() for begin, end in found if end]


def agents_today(session: Session, now: datetime) -> dict[int, dict[str, Any]]:
    """Of each agent: talks, mean handling and first response, satisfaction today, and the longest silence just now."""
    began = day_began(now)
    told: dict[int, dict[str, Any]] = defaultdict(
        lambda: {
            "talks_today": 0,
            "handling_seconds_today": None,
            "first_response_seconds_today": None,
            "satisfaction_today": None,
            "longest_silence_seconds": 0,
        }
    )
    for agent_id, spans in _grouped(
        (agent_id, (end - begin).total_seconds() if end else None)
        for agent_id, begin, end in session.execute(
            select(Assignment.agent_id, Assignment.accepted_at, Assignment.ended_at).where(
                Assignment.accepted_at >= began
            )
        )
    ).items():
        ended = [span for span in spans if span is not None]
        told[agent_id] |= {"talks_today": len(spans), "handling_seconds_today": rules.mean(ended)}
        told[agent_id]["first_response_seconds_today"] = rules.mean(_first_responses(session, began, agent_id))
    scores = session.execute(
        select(Rating.agent_id, Rating.score).where(Rating.at >= began, Rating.agent_id.is_not(None))
    )
    for agent_id, given in _grouped(scores).items():
        told[agent_id]["satisfaction_today"] = fmean(given)
    silent = session.execute(
        select(Conversation.agent_id, func.min(Conversation.waiting_since))
        .where(Conversation.state == State.WITH_AGENT, Conversation.waiting_since.is_not(None))
        .group_by(Conversation.agent_id)
    )
    for agent_id, since in silent:
        if agent_id is None or since is None:
            continue
        told[agent_id]["longest_silence_seconds"] = round((now - since).total_seconds())
    return told


def _grouped(pairs: Iterable[Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def trends(session: Session, days: int, now: datetime) -> dict[str, Any]:
    """Numbers by hour (up to two days) or by day, and why and about what talks went to people."""
    began = day_began(now) - timedelta(days=days - 1)
    step = timedelta(hours=1) if days <= 2 else timedelta(days=1)
    slots = [began + n * step for n in range(int((now - began) / step) + 1)]

    def slot(moment: datetime) -> datetime:
        return slots[min(int((moment - began) / step), len(slots) - 1)]

    talks = Counter(slot(at) for at in session.scalars(_started(began)))
    stays = _grouped(
        (slot(begun), Stay(((end or now) - begun).total_seconds(), ended_by))
        for begun, end, ended_by in session.execute(
            select(QueueStay.begun_at, QueueStay.ended_at, QueueStay.ended_by).where(
                QueueStay.begun_at >= began, QueueStay.first.is_(True)
            )
        )
    )
    ratings = _grouped(
        (slot(at), score)
        for at, score in session.execute(
            select(Rating.at, Rating.score).where(Rating.at >= began, Rating.of == "agent")
        )
    )
    within = settings.load().service_level_seconds
    points = [
        {
            "at": iso(at),
            "talks": talks.get(at, 0),
            "to_agents": len(stays.get(at, [])),
            "answered": sum(stay.answered for stay in stays.get(at, [])),
            "abandoned": sum(stay.abandoned for stay in stays.get(at, [])),
            "service_level": rules.service_level(stays.get(at, []), within),
            "wait_seconds_mean": rules.mean([stay.seconds for stay in stays.get(at, []) if stay.answered]),
            "satisfaction": rules.mean(ratings.get(at, [])),
        }
        for at in slots
    ]
    return {"points": points, **_why_people(session, began)}


def _started(began: datetime) -> Any:
    return select(Conversation.started_at).where(Conversation.started_at >= began)


def _why_people(session: Session, began: datetime) -> dict[str, Any]:
    notes = session.scalars(
        select(Conversation.handover).where(Conversation.handover.is_not(None), Conversation.updated_at >= began)
    ).all()
    reasons: Counter[str] = Counter()
    topics: Counter[str] = Counter()
    for note in notes:
        if not note:
            continue
        reasons[HandoverReason(note["reason"]).label] += 1
        said = [i["intent"] for i in note.get("intents", []) if i["intent"] in INTENT_LABELS]
        wishes = [intent for intent in said if intent not in {"request_human", "inform"}]
        if wishes:
            topics[INTENT_LABELS[wishes[-1]]] += 1
    return {
        "reasons": [{"label": label, "count": count} for label, count in reasons.most_common()],
        "topics": [{"label": label, "count": count} for label, count in topics.most_common(12)],
    }


def assignments(session: Session, *, conversation_id: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest assignments (of one talk), each decided once more by today's rules."""
    query = select(Assignment).order_by(Assignment.id.desc()).limit(limit)
    if conversation_id is not None:
        query = query.where(Assignment.conversation_id == conversation_id)
    found = session.scalars(query).all()
    names = dict(session.execute(select(Agent.id, Agent.display_name)).tuples().all())
    told = {
        (talk_id, begun): seconds
        for talk_id, begun, seconds in session.execute(
            select(QueueStay.conversation_id, QueueStay.begun_at, QueueStay.told_wait_seconds).where(
                QueueStay.conversation_id.in_([a.conversation_id for a in found])
            )
        )
    }
    return [_assignment(each, names, told.get((each.conversation_id, each.queued_at))) for each in found]


def _assignment(each: Assignment, names: dict[int, str], told: int | None) -> dict[str, Any]:
    again = distribution.replay(each)
    kept = each.decision or {"seats": [], "talk": None}
    talk = Waiting.of(kept["talk"]) if kept["talk"] else None
    seats = [Seat.of(seat) for seat in kept["seats"]]
    return {
        "conversation_id": each.conversation_id,
        "agent_name": names.get(each.agent_id, ""),
        "how": each.how,
        "how_label": HOW.get(each.how, each.how),
        "reason": each.reason,
        "queued_at": iso(each.queued_at),
        "accepted_at": iso(each.accepted_at),
        "wait_seconds": round((each.accepted_at - each.queued_at).total_seconds()),
        "told_wait_seconds": told,
        "ended_by": each.ended_by,
        "candidates": [
            {
                "agent_name": names.get(seat.agent_id, ""),
                "load": seat.load / PLACE,
                "capacity": seat.capacity,
                "proficiency": proficiency(talk, seat) if talk else 0,
            }
            for seat in seats
        ],
        "replayed_to": names.get(again) if again is not None else None,
        "replay_agrees": None if each.decision is None else again == each.agent_id,
    }


def fairness(session: Session, days: int, now: datetime) -> dict[str, Any]:
    """Who got how many talks, beside what time online and places would give; and one sentence about it."""
    began = day_began(now) - timedelta(days=days - 1)
    agents = session.scalars(
        select(Agent).where(Agent.role.in_(SERVES)).order_by(Agent.name).options(selectinload(Agent.skills))
    ).all()
    rows = session.execute(
        select(Assignment.agent_id, Assignment.accepted_at, Assignment.ended_at, Assignment.ended_by).where(
            Assignment.accepted_at >= began
        )
    ).all()
    got = Counter(row.agent_id for row in rows)
    refused = Counter(row.agent_id for row in rows if row.ended_by == "unanswered")
    spans = _grouped((r.agent_id, (r.ended_at - r.accepted_at).total_seconds()) for r in rows if r.ended_at)
    online = online_hours(session, agents, began, now)
    fair = rules.fair_shares(online, {agent.id: agent.capacity for agent in agents})
    total = sum(got.values())
    told = [
        {
            "name": agent.name,
            "display_name": agent.display_name,
            "talks": got[agent.id],
            "share": got[agent.id] / total if total else 0.0,
            "hours_online": round(online.get(agent.id, 0.0), 2),
            "handling_seconds": rules.mean(spans.get(agent.id, [])),
            "refused": refused[agent.id],
            "fair_share": fair.get(agent.id, 0.0),
        }
        for agent in agents
        if got[agent.id] or online.get(agent.id)
    ]
    return {"agents": told, **_conclusion(told, total)}


def _conclusion(told: list[dict[str, Any]], total: int) -> dict[str, Any]:
    there = [row for row in told if row["fair_share"] > 0]
    if total < 10 or len(there) < 2:
        return {"gini": 0.0, "told": "会话还太少，看不出是否均匀。"}
    ratio = {row["display_name"]: row["share"] / row["fair_share"] for row in there}
    spread = rules.gini(list(ratio.values()))
    most, least = max(ratio, key=lambda n: ratio[n]), min(ratio, key=lambda n: ratio[n])
    loaded = most if ratio[most] > 1.25 else None
    spared = least if ratio[least] < 0.75 else None
    return {"gini": round(spread, 3), "told": rules.told_fairness(spread, loaded, spared)}


def online_hours(session: Session, agents: Sequence[Agent], began: datetime, now: datetime) -> dict[int, float]:
    """Hours each agent was online since then, from the audit of their states."""
    entries = session.execute(
        select(AuditEntry.agent_id, AuditEntry.what, AuditEntry.at)
        .where(AuditEntry.what.like("presence\\_%", escape="\\"), AuditEntry.at >= began)
        .order_by(AuditEntry.at, AuditEntry.id)
    ).all()
    since: dict[int, datetime] = {}
    hours_of: dict[int, float] = defaultdict(float)
    seen: set[int] = set()
    for agent_id, what, at in entries:
        if agent_id is None:
            continue
        online = what == f"presence_{Presence.ONLINE}"
        if agent_id not in seen and not online:
            since.setdefault(agent_id, began)  # was there already when the time began
        seen.add(agent_id)
        if online:
            since.setdefault(agent_id, at)
        elif agent_id in since:
            hours_of[agent_id] += (at - since.pop(agent_id)).total_seconds() / 3600
    for agent in agents:
        if agent.presence == Presence.ONLINE:
            begin = since.get(agent.id, began if agent.id not in seen else now)
            hours_of[agent.id] += (now - max(begin, began)).total_seconds() / 3600
    return dict(hours_of)
