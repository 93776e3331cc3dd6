"""Gives waiting talks to agents (呼叫分配): by the rules as soon as a place is free, or to the agent who takes one.

Locks are always taken in this order: agents by id, then a talk. The rules' own round never waits for a talk: one that
somebody is just changing gets its turn half a second later. So nobody waits in a circle, an agent's places are counted
by one at a time, and every talk is given by one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core import settings, wake
from core.errors import Conflict, NotFound
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.learning import collecting
from helpdesk.routing import queue, rules
from helpdesk.routing.models import Assignment
from helpdesk.routing.queue import QUEUE
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import SERVES, Presence

MOST_AT_ONCE = 20  # talks given in one transaction, so that others get to write in between


def pending(session: Session, now: datetime) -> bool:
    """Whether there is something to give: a look without locks."""
    if not settings.load().assigns or session.scalar(_queued().limit(1)) is None:
        return False
    seats = queue.seats(queue.present(session), queue.units_by_agent(session))
    if not any(seat.room > 0 for seat in seats):
        return False
    talks = queue.queued(session, now)
    return bool(rules.distribute(talks, seats, queue.there(session), now, 1))


def _queued() -> Any:
    return select(Conversation.id).where(Conversation.state == State.QUEUED)


def distribute(session: Session, now: datetime) -> int:
    """Gives as many as can be given now (MOST_AT_ONCE); how many were given."""
    agents = session.scalars(
        select(Agent)
        .where(Agent.presence == Presence.ONLINE, Agent.role.in_(SERVES))
        .order_by(Agent.id)
        .options(selectinload(Agent.skills))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    by_id = {agent.id: agent for agent in agents}
    talks = queue.queued(session, now)
    seats = queue.seats(agents, queue.units_by_agent(session), queue.idle_since(session, agents, now))
    given = 0
    for decision in rules.distribute(talks, seats, queue.there(session), now, MOST_AT_ONCE):
        conversation = _free(session, decision.talk.id)
        if conversation is not None:
            give(
                session, by_id[decision.agent_id], conversation, now,
                how="assigned", reason=decision.reason, decision=decision.kept(now),
            )  # fmt: skip
            given += 1
    return given


def _free(session: Session, conversation_id: str) -> Conversation | None:
    """The talk, locked, if it still waits and nobody is changing it."""
    return session.scalar(
        select(Conversation)
        .where(Conversation.id == conversation_id, Conversation.state == State.QUEUED)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )


def accept(session: Session, agent_id: int, conversation_id: str, now: datetime) -> Conversation:
    """The agent turns to a talk: a waiting one, or one just assigned. Raises Conflict when it is another's, or when the
    agent has no place left."""
    agent = locked_agent(session, agent_id)
    conversation = conversations.locked(session, conversation_id)
    if conversation.state == State.WITH_AGENT and conversation.agent_id == agent.id:
        pick_up(session, conversation, now)
        return conversation
    if conversation.state != State.QUEUED:
        taken_by = (
            conversation.agent.display_name if conversation.agent and conversation.state == State.WITH_AGENT else ""
        )
        raise Conflict(f"这个会话已经由{taken_by}接入了。" if taken_by else "这个会话已经不在排队了。", code="taken")
    if not queue.offered(session, agent, [conversation]):
        raise Conflict("这个会话是同事指定转给另一位的，请接别的会话。", code="reserved")
    need_room(session, agent, queue.weight(conversation.channel))
    return give(session, agent, conversation, now, how="taken", reason="坐席自己接入")


def take_next(session: Session, agent_id: int, now: datetime) -> Conversation | None:
    """The next waiting talk that suits the agent, or None when nobody waits. Raises Conflict at full capacity."""
    agent = locked_agent(session, agent_id)
    skills = frozenset(skill.skill for skill in agent.skills)
    waiting = queue.offered(session, agent, queue.waiting(session, now))
    if waiting:
        need_room(session, agent, min(queue.weight(talk.channel) for talk in waiting))
    room = agent.capacity * rules.PLACE - queue.units_by_agent(session).get(agent.id, 0)
    waiting = [talk for talk in waiting if queue.weight(talk.channel) <= room]
    mine = [c for c in waiting if c.to_agent_id == agent_id]
    others = [c for c in waiting if c not in mine and rules.suits(c.skill, skills)]
    rest = [c for c in waiting if c not in mine and c not in others]  # better another skill than nobody
    for candidate in [*mine, *others, *rest]:
        conversation = _free(session, candidate.id)
        if conversation is not None and queue.offered(session, agent, [conversation]):
            return give(session, agent, conversation, now, how="taken", reason="坐席接入下一位")
    return None


def need_room(session: Session, agent: Agent, units: int) -> None:
    """Raises Conflict when the agent, who is locked, has not so many units of load left."""
    if queue.units_by_agent(session).get(agent.id, 0) + units > agent.capacity * rules.PLACE:
        raise Conflict(f"您手上已有 {agent.capacity} 个会话，先结束一个再接入。", code="capacity")


def give(
    session: Session,
    agent: Agent,
    conversation: Conversation,
    now: datetime,
    *,
    how: str,
    reason: str,
    decision: dict[str, Any] | None = None,
) -> Conversation:
    """Both are locked, the agent has room and the talk waits. One that was assigned is still to be picked up."""
    conversations.move(session, conversation, State.WITH_AGENT)
    conversation.agent_id, conversation.accepted_at = agent.id, now
    conversation.to_agent_id, conversation.at_front, conversation.snoozed_until = None, False, None
    conversation.left_by_id = None
    conversation.picked_up_at = None if how == "assigned" else now
    session.add(
        Assignment(
            conversation_id=conversation.id,
            agent_id=agent.id,
            skill=conversation.skill,
            how=how,
            reason=reason,
            decision=decision,
            queued_at=conversation.queued_at or now,
            accepted_at=now,
        )
    )
    queue.end_stay(session, conversation, now, "assigned")
    conversations.add_line(
        session,
        conversation,
        now,
        sender="system",
        agent_id=agent.id,
        text=f"客服{agent.display_name}为您服务，前面的对话我都看到了。",
        payload={"agent": agent.display_name},
    )
    session.refresh(conversation, ["agent"])
    collecting.taken(session, conversation, now)
    wake.note(session, QUEUE)
    return conversation


def pick_up(session: Session, conversation: Conversation, now: datetime) -> None:
    """The agent has turned to a talk that was assigned."""
    if conversation.picked_up_at is None:
        conversation.picked_up_at = now
        wake.note(session, conversations.CHANGED, id=conversation.id, seq=conversation.last_seq + 1)


def unanswered(session: Session, now: datetime) -> Sequence[tuple[int, str]]:
    """Assigned talks nobody has turned to in time: ``(agent id, talk id)``."""
    late = now - timedelta(seconds=settings.load().pick_up_seconds)
    found = session.execute(
        select(Conversation.agent_id, Conversation.id)
        .where(
            Conversation.state == State.WITH_AGENT,
            Conversation.picked_up_at.is_(None),
            Conversation.accepted_at < late,
        )
        .order_by(Conversation.agent_id, Conversation.id)
    )
    return [(agent_id, talk_id) for agent_id, talk_id in found if agent_id is not None]


def replay(assignment: Assignment) -> int | None:
    """Whom today's rules would give it, from what was kept. None: nobody, or nothing was kept (taken by hand)."""
    return rules.replayed(assignment.decision) if assignment.decision else None


def locked_agent(session: Session, agent_id: int) -> Agent:
    """The agent, nobody else giving it talks until this transaction ends."""
    agent = session.scalar(
        select(Agent)
        .where(Agent.id == agent_id)
        .with_for_update(key_share=True)  # who writes under this agent's name need not wait, or we wait for each other
        .execution_options(populate_existing=True)
    )
    if agent is None:
        raise NotFound("没有这个坐席。")
    return agent
