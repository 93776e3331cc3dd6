"""The queue as it stands: who waits in which order, who is there, and how long it will take."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import settings, wake
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.routing import hours
from helpdesk.routing.models import Assignment, QueueStay
from helpdesk.routing.rules import PLACE, Seat, Waiting, claim, estimated_wait_seconds, in_order, suits
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import OVERSEES, SERVES, Presence

PRESENCE = "presence"  # wake topic: {"agent_id"}
QUEUE = "queue"  # wake topic: {} – who waits, or who is there, has changed
KEPT_SECONDS = 0.5
RECENT, TODAY = timedelta(days=7), timedelta(hours=12)


def weight(channel: str) -> int:
    """Units of load (tenths of a place) a talk of this channel takes."""
    return round(settings.load().channel_weights.get(channel, 1.0) * PLACE)


COLUMNS = (
    Conversation.id,
    func.coalesce(Conversation.queued_at, Conversation.started_at),
    Conversation.priority,
    Conversation.at_front,
    Conversation.skill,
    Conversation.channel,
    Conversation.to_agent_id,
    Conversation.manager_id,
    Conversation.last_agent_id,
    Conversation.left_by_id,
)


def queued(session: Session, now: datetime) -> list[Waiting]:
    """All who wait as the rules see them, in the order in which they will be taken. Columns only: it is read often."""
    rows = session.execute(select(*COLUMNS).where(Conversation.state == State.QUEUED)).tuples()
    found = [
        Waiting(id_, at, priority, front, skill, weight(channel), named, manager, last, left)
        for id_, at, priority, front, skill, channel, named, manager, last, left in rows
    ]
    return in_order(found, now)


def begin_stay(
    session: Session, talk: Conversation, now: datetime, *, first: bool, told_wait_seconds: int | None = None
) -> None:
    """Notes that the talk waits from now on."""
    level = talk.customer.level if talk.customer else None
    session.add(
        QueueStay(
            conversation_id=talk.id,
            skill=talk.skill,
            level=level,
            priority=talk.priority,
            first=first,
            told_wait_seconds=told_wait_seconds,
            begun_at=now,
        )
    )


def end_stay(session: Session, talk: Conversation, now: datetime, ended_by: str) -> None:
    """Notes that it does not wait any more, and why."""
    running = session.scalars(
        select(QueueStay).where(QueueStay.conversation_id == talk.id, QueueStay.ended_at.is_(None))
    )
    for stay in running:
        stay.ended_at, stay.ended_by = now, ended_by


def waiting(session: Session, now: datetime) -> list[Conversation]:
    """The talks of all who wait, in the order in which they will be taken."""
    order = queued(session, now)
    found = session.scalars(
        select(Conversation).where(Conversation.state == State.QUEUED).options(joinedload(Conversation.customer))
    )
    by_id = {talk.id: talk for talk in found}
    return [by_id[talk.id] for talk in order if talk.id in by_id]


def offered(session: Session, agent: Agent, queue: Sequence[Conversation]) -> list[Conversation]:
    """Those who wait and whom this agent may take: not one that was passed to a colleague by name who is there.

    Who oversees may take everybody; when the colleague is gone, so may all.
    """
    others = {c.to_agent_id for c in queue} - {None, agent.id}
    if others and agent.role not in OVERSEES:
        there = set(session.scalars(select(Agent.id).where(Agent.id.in_(others), Agent.presence != Presence.OFFLINE)))
    else:
        there = set()
    return [c for c in queue if c.state == State.QUEUED and c.to_agent_id not in there]


def idle_since(session: Session, agents: Sequence[Agent], now: datetime) -> dict[int, datetime]:
    """When each agent last got or ended a talk today."""
    found = session.execute(
        select(Assignment.agent_id, func.max(func.coalesce(Assignment.ended_at, Assignment.accepted_at)))
        .where(Assignment.accepted_at > now - TODAY, Assignment.agent_id.in_([agent.id for agent in agents]))
        .group_by(Assignment.agent_id)
    )
    return {agent_id: at for agent_id, at in found if at is not None}


def seats(agents: Sequence[Agent], loads: dict[int, int], idle: dict[int, datetime] | None = None) -> list[Seat]:
    """Agents as the rules see them; ``loads`` in units. Without ``idle`` nobody is told to be idle longer than others."""
    return [
        Seat(
            agent_id=agent.id,
            capacity=agent.capacity,
            load=loads.get(agent.id, 0),
            idle_since=(idle or {}).get(agent.id) or agent.presence_since or agent.created_at,
            skills={skill.skill: skill.proficiency for skill in agent.skills},
        )
        for agent in agents
    ]


def present(session: Session) -> Sequence[Agent]:
    """Agents who take talks now."""
    return session.scalars(
        select(Agent)
        .where(Agent.presence == Presence.ONLINE, Agent.role.in_(SERVES))
        .options(selectinload(Agent.skills))
        .order_by(Agent.id)
    ).all()


def there(session: Session) -> frozenset[int]:
    """Agents who are not offline."""
    return frozenset(session.scalars(select(Agent.id).where(Agent.presence != Presence.OFFLINE)))


def load_by_agent(session: Session) -> dict[int, int]:
    """How many talks each agent has."""
    counted = session.execute(
        select(Conversation.agent_id, func.count())
        .where(Conversation.state == State.WITH_AGENT)
        .group_by(Conversation.agent_id)
    ).all()
    return {agent_id: number for agent_id, number in counted if agent_id is not None}


def units_by_agent(session: Session) -> dict[int, int]:
    """The load of each agent in units, by the channels' weights."""
    counted = session.execute(
        select(Conversation.agent_id, Conversation.channel, func.count())
        .where(Conversation.state == State.WITH_AGENT)
        .group_by(Conversation.agent_id, Conversation.channel)
    ).all()
    units: dict[int, int] = defaultdict(int)
    for agent_id, channel, number in counted:
        if agent_id is not None:
            units[agent_id] += number * weight(channel)
    return units


def handling_seconds(session: Session, now: datetime) -> float:
    """The mean handling time of the last 200 talks of the week, or the setting when there are fewer than ten."""
    recent = session.execute(
        select(Assignment.accepted_at, Assignment.ended_at)
        .where(Assignment.ended_by == "closed", Assignment.accepted_at > now - RECENT)
        .order_by(Assignment.accepted_at.desc())
        .limit(200)
    ).all()
    spans = [(end - begin).total_seconds() for begin, end in recent if end]
    return sum(spans) / len(spans) if len(spans) >= 10 else settings.load().handling_seconds_default


@dataclass(frozen=True)
class Picture:
    """The queue and the agents at one moment, read once for all who are told their place."""

    order: list[Waiting]
    seats: list[Seat]
    handling_seconds: float
    service: hours.Now

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {talk.id: n for n, talk in enumerate(self.order, 1)}

    @cached_property
    def _by_skill(self) -> dict[str | None, tuple[list[Seat], list[float]]]:
        return {}

    def _rivals(self, skill: str | None) -> tuple[list[Seat], list[float]]:
        """The agents for a skill (all, when nobody has it), and for each place of the queue how many up to it take them."""
        if skill not in self._by_skill:
            able = [seat for seat in self.seats if suits(skill, seat.skills)] or self.seats
            ids = {seat.agent_id for seat in able}
            claims = {needed: claim(needed, ids, self.seats) for needed in {talk.skill for talk in self.order}}
            self._by_skill[skill] = able, [0.0, *accumulate(claims[talk.skill] for talk in self.order)]
        return self._by_skill[skill]

    def place(self, conversation_id: str) -> dict[str, Any]:
        """``{"position", "estimated_wait_seconds", "open", "opens"}`` of a waiting talk; who is not in it stands first.

        The wait counts the agents who suit and those before who want the same ones; ``opens``: 明天 09:00, out of hours.
        """
        position = self._positions.get(conversation_id, 1)
        skill = next((talk.skill for talk in self.order[position - 1 : position]), None)
        able, rivals = self._rivals(skill)
        estimate = estimated_wait_seconds(
            max(1, rivals[min(position, len(rivals) - 1)]),
            sum(max(0, seat.room) for seat in able) // PLACE,
            len(able),
            self.handling_seconds,
            sum(seat.capacity for seat in able),
        )
        return {
            "position": position,
            "estimated_wait_seconds": estimate,
            "open": self.service.open or bool(self.seats),
            "opens": self.service.told,
        }


def picture(session: Session, now: datetime) -> Picture:
    """How things stand."""
    return Picture(
        queued(session, now),
        seats(present(session), units_by_agent(session)),
        handling_seconds(session, now),
        hours.now_by(session, now),
    )


class _Kept:
    """The last picture, for those who only ask for their place: hundreds may ask in the same second."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._until = 0.0
        self._change = 0

    def forget(self) -> None:
        """Something has changed here."""
        self._change += 1
        self._picture = None

    def look(self, session: Session, now: datetime) -> Picture:
        """At most KEPT_SECONDS old, and never older than the last change made in this process."""
        kept = self._picture
        if kept is not None and time.monotonic() < self._until:
            return kept
        change = self._change
        fresh = picture(session, now)
        if change == self._change:
            self._picture, self._until = fresh, time.monotonic() + KEPT_SECONDS
        return fresh


_kept = _Kept()
wake.at_once(QUEUE, _kept.forget)
wake.at_once(PRESENCE, _kept.forget)


def glance(session: Session, now: datetime) -> Picture:
    """How things stand, perhaps a moment ago (see _Kept). For telling people, not for deciding."""
    return _kept.look(session, now)
