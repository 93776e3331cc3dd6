"""Into the queue, out of it, from one agent to another, and back when an agent is gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import settings, wake
from core.errors import Conflict, Invalid, NotFound
from helpdesk.conversations import mood
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import HandoverReason, Line, State, priority, summary
from helpdesk.learning import collecting
from helpdesk.learning.rules import HintKind
from helpdesk.routing.models import Assignment
from helpdesk.routing.rules import estimated_wait_seconds, rank, suits
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import OVERSEES, SERVES, SKILL_OF_INTENT, SKILLS, Presence

QUEUE = "queue"  # wake topic: {} – who waits, or who is there, has changed


def enqueue(
    session: Session,
    conversation: Conversation,
    reason: HandoverReason,
    now: datetime,
    *,
    said: str | None = None,
) -> None:
    """Puts a talk of the bot's into the queue with its hand-over note, and tells the customer honestly."""
    conversations.move(session, conversation, State.QUEUED)
    customer_lines = session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.sender == "customer")
        .order_by(Message.seq)
    ).all()
    lines = [Line(m.text, m.intent) for m in customer_lines]
    slots = (conversation.understood or {}).get("slots", {})
    tried = (conversation.understood or {}).get("tried", [])
    moods = (conversation.understood or {}).get("moods", [])
    conversation.handover = {
        "reason": reason.value,
        "reason_text": said or "",
        "summary": summary(reason, lines, slots, tried, mood.told(moods)),
        "intents": [{"intent": line.intent, "text": line.text} for line in lines if line.intent],
        "slots": slots,
        "tried": tried,
        "moods": moods,
    }
    level = conversation.customer.level if conversation.customer else None
    conversation.priority = priority(reason, level, mood.points(moods))
    conversation.skill = _skill(lines)
    conversation.queued_at, conversation.at_front = now, False
    conversation.waiting_since = conversation.waiting_since or now
    conversation.answered_seq = conversation.last_seq
    session.flush()
    conversations.add_line(session, conversation, now, sender="system", text=_told(session, conversation, reason, now))
    wake.note(session, QUEUE)


def _skill(lines: Sequence[Line]) -> str | None:
    wishes = [line.intent for line in lines if line.intent in SKILL_OF_INTENT]
    return SKILL_OF_INTENT[wishes[-1]] if wishes else None


def _told(session: Session, conversation: Conversation, reason: HandoverReason, now: datetime) -> str:
    place = place_of(session, conversation, now)
    opening = {
        HandoverReason.BOT_AWAY: "抱歉，智能客服这会儿没能及时回复，您的话都已收到。",
        HandoverReason.ANGRY_COMPLAINT: "非常抱歉让您这么着急，这件事我马上请同事亲自处理。",
        HandoverReason.NOT_UNDERSTOOD: "抱歉我没能帮上忙，这就请同事来接手。",
    }.get(reason, "好的，这就为您转接人工客服。")
    ahead = place["position"] - 1
    if place["estimated_wait_seconds"] is None:
        where = "现在同事们都不在线，您的会话已排上队，有人上线会第一时间回复；您也可以先去忙，回来接着聊。"
    elif ahead <= 0:
        where = "您排在第 1 位，马上就有同事接入。"
    else:
        where = f"您前面还有 {ahead} 位，预计等待约 {minutes(place['estimated_wait_seconds'])}。"
    return f"{opening}{where}前面聊过的内容同事都能看到，不用您再说一遍。"


def minutes(seconds: int) -> str:
    """``3 分钟``; under a minute ``1 分钟``."""
    return f"{max(1, round(seconds / 60))} 分钟"


def waiting(session: Session, now: datetime) -> list[Conversation]:
    """All who wait, in the order in which they will be taken."""
    found = session.scalars(select(Conversation).where(Conversation.state == State.QUEUED)).all()
    return sorted(found, key=lambda c: (-rank(c.priority, c.queued_at or now, c.at_front, now), c.started_at, c.id))


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


def place_of(
    session: Session, conversation: Conversation, now: datetime, queue: list[Conversation] | None = None
) -> dict[str, Any]:
    """``{"position", "estimated_wait_seconds"}`` of a waiting talk; counted are agents who suit it."""
    queue = waiting(session, now) if queue is None else queue
    ids = [c.id for c in queue]
    position = ids.index(conversation.id) + 1 if conversation.id in ids else 1
    agents = [a for a in present(session) if suits(conversation.skill, frozenset(s.skill for s in a.skills))]
    loads = load_by_agent(session)
    places = sum(a.capacity for a in agents)
    free = sum(max(0, a.capacity - loads.get(a.id, 0)) for a in agents)
    estimate = estimated_wait_seconds(position, free, len(agents), handling_seconds(session, now), places)
    return {"position": position, "estimated_wait_seconds": estimate}


def handling_seconds(session: Session, now: datetime) -> float:
    """The mean handling time of the last 200 talks of the week, or the setting when there are fewer than ten."""
    recent = session.execute(
        select(Assignment.accepted_at, Assignment.ended_at)
        .where(Assignment.ended_by == "closed", Assignment.accepted_at > now - timedelta(days=7))
        .order_by(Assignment.accepted_at.desc())
        .limit(200)
    ).all()
    spans = [(end - begin).total_seconds() for begin, end in recent if end]
    return sum(spans) / len(spans) if len(spans) >= 10 else settings.load().handling_seconds_default


def present(session: Session) -> Sequence[Agent]:
    """Agents who take talks now."""
    return session.scalars(select(Agent).where(Agent.presence == "online")).all()


def load_by_agent(session: Session) -> dict[int, int]:
    """How many talks each agent has."""
    counted = session.execute(
        select(Conversation.agent_id, func.count())
        .where(Conversation.state == State.WITH_AGENT)
        .group_by(Conversation.agent_id)
    ).all()
    return {agent_id: number for agent_id, number in counted if agent_id is not None}


def accept(session: Session, agent_id: int, conversation_id: str, now: datetime) -> Conversation:
    """Gives a waiting talk to this agent. Raises Conflict when another was faster or the agent has no place left."""
    agent = locked_agent(session, agent_id)
    conversation = conversations.locked(session, conversation_id)
    if conversation.state != State.QUEUED:
        taken_by = (
            conversation.agent.display_name if conversation.agent and conversation.state == State.WITH_AGENT else ""
        )
        raise Conflict(f"这个会话已经由{taken_by}接入了。" if taken_by else "这个会话已经不在排队了。", code="taken")
    if not offered(session, agent, [conversation]):
        raise Conflict("这个会话是同事指定转给另一位的，请接别的会话。", code="reserved")
    _need_place(session, agent)
    return _give(session, agent, conversation, now)


def _need_place(session: Session, agent: Agent) -> None:
    if load_by_agent(session).get(agent.id, 0) >= agent.capacity:
        raise Conflict(f"您手上已有 {agent.capacity} 个会话，先结束一个再接入。", code="capacity")


def _give(session: Session, agent: Agent, conversation: Conversation, now: datetime) -> Conversation:
    """Both are locked, the agent has a place and the talk waits."""
    conversations.move(session, conversation, State.WITH_AGENT)
    conversation.agent_id, conversation.accepted_at = agent.id, now
    conversation.to_agent_id, conversation.at_front = None, False
    session.add(
        Assignment(
            conversation_id=conversation.id,
            agent_id=agent.id,
            queued_at=conversation.queued_at or now,
            accepted_at=now,
        )
    )
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


def take_next(session: Session, agent_id: int, now: datetime) -> Conversation | None:
    """The next waiting talk that suits the agent, or None when nobody waits. Raises Conflict at full capacity."""
    agent = locked_agent(session, agent_id)
    skills = frozenset(skill.skill for skill in agent.skills)
    queue = offered(session, agent, waiting(session, now))
    if queue:
        _need_place(session, agent)
    mine = [c for c in queue if c.to_agent_id == agent_id]
    others = [c for c in queue if c not in mine and suits(c.skill, skills)]
    rest = [c for c in queue if c not in mine and c not in others]  # better another skill than nobody
    for candidate in [*mine, *others, *rest]:
        conversation = session.scalar(
            select(Conversation)
            .where(Conversation.id == candidate.id, Conversation.state == State.QUEUED)
            .with_for_update(skip_locked=True, key_share=True)  # whoever has it now is taking it: on to the next
            .execution_options(populate_existing=True)
        )
        if conversation is not None and offered(session, agent, [conversation]):
            return _give(session, agent, conversation, now)
    return None


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


def leave_queue(session: Session, conversation: Conversation, now: datetime) -> None:
    """The customer would rather not wait: back to the bot. Raises Conflict when not waiting."""
    if conversation.state != State.QUEUED:
        raise Conflict("您现在没有在排队。", code="not_queued")
    conversations.move(session, conversation, State.BOT)
    conversation.queued_at = conversation.handover = conversation.to_agent_id = None
    conversation.waiting_since, conversation.answered_seq = None, conversation.last_seq
    conversations.add_line(
        session, conversation, now, sender="system", text="已为您取消排队。我一直都在，需要时随时说“转人工”。"
    )
    wake.note(session, QUEUE)


def transfer(
    session: Session,
    conversation: Conversation,
    agent: Agent,
    now: datetime,
    *,
    note: str,
    to_skill: str | None = None,
    to_agent: str | None = None,
) -> None:
    """From this agent back to the queue, for a skill group or one colleague. Raises Conflict, Invalid, NotFound."""
    own(conversation, agent)
    if bool(to_skill) == bool(to_agent):
        raise Invalid("请选择一个技能组，或一位同事。")
    if to_skill and to_skill not in SKILLS:
        raise NotFound("没有这个技能组。")
    target = session.scalar(select(Agent).where(Agent.name == to_agent)) if to_agent else None
    if to_agent and (target is None or target.role not in SERVES):
        raise NotFound("没有找到这位同事。")
    if target is not None and target.id == agent.id:
        raise Invalid("这个会话已经在您手上了。")
    whom = target.display_name if target else SKILLS[to_skill or ""]
    conversations.add_line(
        session,
        conversation,
        now,
        sender="agent",
        kind="note",
        agent_id=agent.id,
        text=f"转接给{whom}：{note or '（无备注）'}",
    )
    _back_to_queue(session, conversation, now, ended_by="transferred")
    conversation.skill = to_skill or conversation.skill
    conversation.to_agent_id = target.id if target else None
    conversation.handover = {
        **(conversation.handover or {}),
        "reason": HandoverReason.TRANSFER.value,
        "reason_text": note,
    }
    conversations.add_line(
        session, conversation, now, sender="system", text=f"正在为您转接{whom}，请稍等，前面的内容都会带过去。"
    )


def agent_gone(session: Session, agent: Agent, now: datetime) -> int:
    """The agent's talks return to the front of the queue; how many. The customers are told."""
    held = session.scalars(
        select(Conversation.id).where(Conversation.agent_id == agent.id, Conversation.state == State.WITH_AGENT)
    ).all()
    for conversation_id in held:
        conversation = conversations.locked(session, conversation_id)
        if conversation.agent_id != agent.id or conversation.state != State.WITH_AGENT:
            continue
        _back_to_queue(session, conversation, now, ended_by="dropped")
        conversations.add_line(
            session,
            conversation,
            now,
            sender="system",
            text="抱歉，刚才的同事掉线了，已把您排到最前面，马上由其他同事接着为您处理。",
        )
    return len(held)


def _back_to_queue(session: Session, conversation: Conversation, now: datetime, *, ended_by: str) -> None:
    end_assignment(session, conversation, now, ended_by)
    conversations.move(session, conversation, State.QUEUED)
    conversation.agent_id = None
    conversation.queued_at, conversation.at_front = now, True
    conversation.waiting_since = conversation.waiting_since or now
    wake.note(session, QUEUE)


def finish(
    session: Session, conversation: Conversation, agent: Agent, now: datetime, *, reason: str, tags: list[str]
) -> None:
    """The agent ends the talk with a reason (wrap-up). Raises Conflict."""
    own(conversation, agent)
    end_assignment(session, conversation, now, "closed")
    conversation.tags = sorted({*conversation.tags, *tags})
    if tags:
        collecting.acted(session, conversation, HintKind.TAG, tags[0])
    conversations.close(session, conversation, now, reason)
    wake.note(session, QUEUE)


def customer_closes(session: Session, conversation: Conversation, now: datetime) -> None:
    """The customer ends the talk. Ending it twice is no mistake."""
    if conversation.state == State.CLOSED:
        return
    end_assignment(session, conversation, now, "closed")
    if conversation.state == State.QUEUED:
        conversation.queued_at = None
    conversations.close(session, conversation, now, "客户结束")
    wake.note(session, QUEUE)


def end_assignment(session: Session, conversation: Conversation, now: datetime, ended_by: str) -> None:
    """Closes the running assignment of a talk, if there is one."""
    running = session.scalars(
        select(Assignment).where(Assignment.conversation_id == conversation.id, Assignment.ended_at.is_(None))
    ).all()
    for assignment in running:
        assignment.ended_at, assignment.ended_by = now, ended_by


def own(conversation: Conversation, agent: Agent) -> None:
    """Raises Conflict unless the talk is this agent's."""
    if conversation.state != State.WITH_AGENT or conversation.agent_id != agent.id:
        raise Conflict("这个会话现在不在您手上了。", code="not_yours")


def say(
    session: Session,
    conversation: Conversation,
    agent: Agent,
    now: datetime,
    *,
    text: str,
    client_message_id: str | None,
) -> int:
    """An agent's line to the customer: its seq; the same client_message_id again gives the same seq."""
    own(conversation, agent)
    key = f"agent:{agent.id}:{client_message_id}" if client_message_id else None
    if key is not None:
        known = session.scalar(
            select(Message.seq).where(Message.conversation_id == conversation.id, Message.client_message_id == key)
        )
        if known is not None:
            return known
    message = conversations.add_line(
        session, conversation, now, sender="agent", text=text, agent_id=agent.id, client_message_id=key
    )
    if conversation.first_response_at is None:
        conversation.first_response_at = now
        collecting.acted(session, conversation, HintKind.REPLY, text)
    conversation.waiting_since, conversation.agent_read_seq = None, message.seq
    conversation.answered_seq = message.seq
    return message.seq
