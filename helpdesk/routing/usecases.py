"""Into the queue, out of it, from one agent to another, and back when an agent is gone. Giving is distribution.py's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import wake
from core.errors import Conflict, Invalid, NotFound
from helpdesk.conversations import mood
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import HandoverReason, Line, State, summary, urgency
from helpdesk.learning import collecting
from helpdesk.learning.rules import HintKind
from helpdesk.routing import queue
from helpdesk.routing.distribution import locked_agent, pick_up
from helpdesk.routing.models import Assignment, ClientManager
from helpdesk.routing.queue import PRESENCE, QUEUE
from helpdesk.staff.models import Agent, AuditEntry
from helpdesk.staff.rules import SERVES, SKILL_OF_INTENT, SKILLS, Presence

KNOWN_FOR = timedelta(days=30)  # so long the agent who served last comes first


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
    level = conversation.customer.level if conversation.customer else None
    urgent = urgency(reason, level, mood.points(moods), mood.told(moods), [line.intent for line in lines])
    conversation.handover = {
        "reason": reason.value,
        "reason_text": said or "",
        "summary": summary(reason, lines, slots, tried, mood.told(moods)),
        "intents": [{"intent": line.intent, "text": line.text} for line in lines if line.intent],
        "slots": slots,
        "tried": tried,
        "moods": moods,
        "urgency": [[why, points] for why, points in urgent],
    }
    conversation.priority = sum(points for _, points in urgent)
    conversation.skill = _skill(lines)
    conversation.queued_at, conversation.at_front = now, False
    conversation.waiting_since = conversation.waiting_since or now
    conversation.answered_seq = conversation.last_seq
    conversation.picked_up_at = conversation.snoozed_until = conversation.left_by_id = None
    conversation.manager_id, conversation.last_agent_id = _known_agents(session, conversation, now)
    session.flush()
    place = queue.picture(session, now).place(conversation.id)
    queue.begin_stay(session, conversation, now, first=True, told_wait_seconds=place["estimated_wait_seconds"])
    conversations.add_line(
        session, conversation, now, sender="system", text=_told(reason, place), payload={"queue": place}
    )
    wake.note(session, QUEUE)


def _known_agents(session: Session, conversation: Conversation, now: datetime) -> tuple[int | None, int | None]:
    """The customer's dedicated manager and who served last; of an unknown visitor only this very talk counts."""
    if conversation.customer_id is None:
        theirs = Assignment.conversation_id == conversation.id
        manager = None
    else:
        theirs = Conversation.customer_id == conversation.customer_id
        manager = session.scalar(
            select(ClientManager.agent_id).where(ClientManager.customer_id == conversation.customer_id)
        )
    last = session.scalar(
        select(Assignment.agent_id)
        .join(Conversation, Conversation.id == Assignment.conversation_id)
        .where(theirs, Assignment.accepted_at > now - KNOWN_FOR, Assignment.ended_by == "closed")
        .order_by(Assignment.accepted_at.desc())
        .limit(1)
    )
    return manager, last


def _skill(lines: Sequence[Line]) -> str | None:
    wishes = [line.intent for line in lines if line.intent in SKILL_OF_INTENT]
    return SKILL_OF_INTENT[wishes[-1]] if wishes else None


def _told(reason: HandoverReason, place: dict[str, Any]) -> str:
    opening = {
        HandoverReason.BOT_AWAY: "抱歉，智能客服这会儿没能及时回复，您的话都已收到。",
        HandoverReason.ANGRY_COMPLAINT: "非常抱歉让您这么着急，这件事我马上请同事亲自处理。",
        HandoverReason.DANGER: "您和家人的安全最要紧，请先照上面说的做，我马上请同事优先接手。",
        HandoverReason.NOT_UNDERSTOOD: "抱歉我没能帮上忙，这就请同事来接手。",
    }.get(reason, "好的，这就为您转接人工客服。")
    ahead = place["position"] - 1
    if not place["open"]:
        when = f"，{place['opens']} 上班" if place["opens"] else ""
        where = f"现在是休息时间{when}。您的会话已排上队，上班后按顺序回复您；不想等的话，可以留言或留个电话，我们给您回电。"
    elif place["estimated_wait_seconds"] is None:
        where = "现在同事们都不在线，您的会话已排上队，有人上线会第一时间回复；也可以留言或留个电话，我们给您回电。"
    elif ahead <= 0:
        where = "您排在第 1 位，马上就有同事接入。"
    else:
        where = f"您前面还有 {ahead} 位，预计等待约 {minutes(place['estimated_wait_seconds'])}。"
    return f"{opening}{where}前面聊过的内容同事都能看到，不用您再说一遍。"


def minutes(seconds: int) -> str:
    """``3 分钟``; under a minute ``1 分钟``."""
    return f"{max(1, round(seconds / 60))} 分钟"


def leave_queue(session: Session, conversation: Conversation, now: datetime) -> None:
    """The customer would rather not wait: back to the bot. Raises Conflict when not waiting."""
    to_the_bot(session, conversation, now, "left", "已为您取消排队。我一直都在，需要时随时说“转人工”。")


def to_the_bot(session: Session, conversation: Conversation, now: datetime, ended_by: str, told: str) -> None:
    """Out of the queue, with a line to the customer. Raises Conflict when not waiting."""
    if conversation.state != State.QUEUED:
        raise Conflict("您现在没有在排队。", code="not_queued")
    conversations.move(session, conversation, State.BOT)
    conversation.queued_at = conversation.handover = conversation.to_agent_id = None
    conversation.waiting_since, conversation.answered_seq = None, conversation.last_seq
    queue.end_stay(session, conversation, now, ended_by)
    conversations.add_line(session, conversation, now, sender="system", text=told)
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
    target = colleague(session, to_agent) if to_agent else None
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
    back_to_queue(session, conversation, now, ended_by="transferred")
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


def colleague(session: Session, name: str) -> Agent:
    """Who serves customers under this sign-in name. Raises NotFound."""
    found = session.scalar(select(Agent).where(Agent.name == name))
    if found is None or found.role not in SERVES:
        raise NotFound("没有找到这位同事。")
    return found


def agent_gone(session: Session, agent: Agent, now: datetime) -> int:
    """The agent's talks return to the front of the queue; how many. The customers are told."""
    held = session.scalars(
        select(Conversation.id).where(Conversation.agent_id == agent.id, Conversation.state == State.WITH_AGENT)
    ).all()
    for conversation_id in held:
        conversation = conversations.locked(session, conversation_id)
        if conversation.agent_id != agent.id or conversation.state != State.WITH_AGENT:
            continue
        back_to_queue(session, conversation, now, ended_by="dropped")
        conversations.add_line(
            session,
            conversation,
            now,
            sender="system",
            text="抱歉，刚才的同事掉线了，已把您排到最前面，马上由其他同事接着为您处理。",
        )
    return len(held)


def not_answered(session: Session, agent_id: int, conversation_id: str, now: datetime) -> bool:
    """An assigned talk nobody turned to goes to the front, and the agent is away. False when it was picked up after all."""
    agent = locked_agent(session, agent_id)
    conversation = conversations.locked(session, conversation_id)
    mine = conversation.state == State.WITH_AGENT and conversation.agent_id == agent.id
    if not mine or conversation.picked_up_at is not None:
        return False
    if agent.presence == Presence.ONLINE:
        agent.presence, agent.presence_since, agent.away_because = Presence.AWAY, now, "no_answer"
        session.add(AuditEntry(agent_id=agent.id, what=f"presence_{Presence.AWAY}", about="no_answer", at=now))
        wake.note(session, PRESENCE, agent_id=agent.id)
    back_to_queue(session, conversation, now, ended_by="unanswered")
    conversations.add_line(
        session,
        conversation,
        now,
        sender="system",
        text="抱歉让您久等，这位同事暂时没能接上，已把您排到最前面，马上换一位同事。",
    )
    return True


def back_to_queue(
    session: Session, conversation: Conversation, now: datetime, *, ended_by: str, at_front: bool = True
) -> None:
    """From an agent to the queue; the talk is locked. It does not go back to the same agent at once."""
    end_assignment(session, conversation, now, ended_by)
    conversations.move(session, conversation, State.QUEUED)
    conversation.left_by_id = conversation.agent_id
    if conversation.manager_id == conversation.agent_id:
        conversation.manager_id = None
    conversation.last_agent_id = None
    conversation.agent_id = conversation.picked_up_at = conversation.snoozed_until = None
    conversation.queued_at, conversation.at_front = now, at_front
    conversation.waiting_since = conversation.waiting_since or now
    queue.begin_stay(session, conversation, now, first=False)
    wake.note(session, QUEUE)


def snooze(session: Session, conversation: Conversation, until: datetime | None) -> None:
    """Sets a talk aside until then, or (None) takes it up again. It keeps its place: it is still the agent's."""
    conversation.snoozed_until = until
    wake.note(session, conversations.CHANGED, id=conversation.id, seq=conversation.last_seq + 1)


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
        queue.end_stay(session, conversation, now, "closed")
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
    pick_up(session, conversation, now)
    conversation.snoozed_until = None
    if conversation.first_response_at is None:
        conversation.first_response_at = now
        collecting.acted(session, conversation, HintKind.REPLY, text)
    conversation.waiting_since, conversation.agent_read_seq = None, message.seq
    conversation.answered_seq = message.seq
    return message.seq
