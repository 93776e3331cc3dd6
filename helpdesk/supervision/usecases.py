"""What supervisors (班长) do: take a talk over, give it to somebody else, set who can do how much of what."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import wake
from core.errors import Conflict, Forbidden, Invalid, NotFound
from crm.customers.models import Customer
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.routing import distribution, queue
from helpdesk.routing import usecases as routing
from helpdesk.routing.models import ClientManager
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent, AgentSkill
from helpdesk.staff.rules import OVERSEES, SERVES, SKILLS, Presence


def need_supervisor(who: Agent) -> None:
    """Raises Forbidden unless this member of staff oversees the others."""
    if who.role not in OVERSEES:
        raise Forbidden("这里只对班长和管理员开放，需要的话请联系管理员。", code="role")


def take_over(session: Session, supervisor_id: int, conversation_id: str, now: datetime) -> Conversation:
    """The talk, waiting or another agent's, is the supervisor's. Raises Conflict (ended, with the bot, no place), NotFound."""
    me = distribution.locked_agent(session, supervisor_id)
    talk = conversations.locked(session, conversation_id)
    if talk.state == State.WITH_AGENT and talk.agent_id == me.id:
        return talk
    _need_people(talk)
    distribution.need_room(session, me, queue.weight(talk.channel))
    if me.presence == Presence.OFFLINE:  # who holds a talk is there
        staff.set_presence(session, me.id, Presence.BUSY, now)
    before = talk.agent.display_name if talk.agent and talk.state == State.WITH_AGENT else ""
    if talk.state == State.WITH_AGENT:
        routing.back_to_queue(session, talk, now, ended_by="taken_over")
    _say(session, talk, me, now, f"{me.display_name}接管了会话" + (f"（原由{before}接待）" if before else ""))
    staff.audit(session, me, "talk_taken_over", now, f"conversation:{talk.id}")
    return distribution.give(session, me, talk, now, how="taken_over", reason="班长接管")


def reassign(
    session: Session,
    supervisor: Agent,
    conversation_id: str,
    now: datetime,
    *,
    to_agent: str | None,
    to_skill: str | None,
    note: str,
) -> Conversation:
    """To the front of the queue for one colleague or a skill group. Raises Conflict, Invalid, NotFound."""
    if bool(to_skill) == bool(to_agent):
        raise Invalid("请选择一个技能组，或一位同事。")
    if to_skill and to_skill not in SKILLS:
        raise NotFound("没有这个技能组。")
    target = routing.colleague(session, to_agent) if to_agent else None
    talk = conversations.locked(session, conversation_id)
    _need_people(talk)
    if target is not None and talk.state == State.WITH_AGENT and talk.agent_id == target.id:
        raise Invalid(f"这个会话已经在{target.display_name}手上了。")
    if target is not None and target.presence == Presence.OFFLINE:
        raise Conflict(f"{target.display_name}现在不在线，请改派给别的同事。", code="offline")
    whom = target.display_name if target else SKILLS[to_skill or ""]
    _say(session, talk, supervisor, now, f"改派给{whom}：{note or '（无备注）'}")
    if talk.state == State.WITH_AGENT:
        routing.back_to_queue(session, talk, now, ended_by="reassigned")
    talk.skill = to_skill or talk.skill
    talk.to_agent_id = target.id if target else None
    talk.queued_at, talk.manager_id, talk.last_agent_id = now, None, None
    if target is not None and talk.left_by_id == target.id:
        talk.left_by_id = None
    conversations.add_line(
        session, talk, now, sender="system", text=f"正在为您转接{whom}，请稍等，前面的内容都会带过去。"
    )
    staff.audit(session, supervisor, "talk_reassigned", now, f"conversation:{talk.id} to {to_agent or to_skill}")
    wake.note(session, queue.QUEUE)
    return talk


def _need_people(talk: Conversation) -> None:
    if talk.state not in {State.QUEUED, State.WITH_AGENT}:
        raise Conflict("这个会话现在没有在排队，也没有人工接待。", code="state")


def _say(session: Session, talk: Conversation, who: Agent, now: datetime, text: str) -> None:
    conversations.add_line(session, talk, now, sender="agent", kind="note", agent_id=who.id, text=text)


def set_agent(
    session: Session,
    supervisor: Agent,
    name: str,
    now: datetime,
    *,
    skills: Mapping[str, int] | None,
    capacity: int | None,
) -> Agent:
    """Sets what an agent can do (skill → proficiency 1–5; all of them) and how many talks at once. Raises Invalid, NotFound."""
    agent = distribution.locked_agent(session, routing.colleague(session, name).id)
    if capacity is not None:
        staff.check_capacity(capacity)
        agent.capacity = capacity
    if skills is not None:
        staff.check_skills(skills)
        held = {skill.skill: skill for skill in agent.skills}
        agent.skills = [
            _proficient(held.get(skill) or AgentSkill(skill=skill), proficiency)
            for skill, proficiency in sorted(skills.items())
        ]
    staff.audit(session, supervisor, "agent_set", now, f"{name} capacity={capacity} skills={dict(skills or {})}")
    wake.note(session, queue.PRESENCE, agent_id=agent.id)
    wake.note(session, queue.QUEUE)
    session.flush()
    return agent


def _proficient(skill: AgentSkill, proficiency: int) -> AgentSkill:
    skill.proficiency = proficiency
    return skill


def set_presence(session: Session, supervisor: Agent, name: str, presence: Presence, now: datetime) -> Agent:
    """Sets an agent's state; offline gives the talks back. Raises NotFound."""
    agent = staff.set_presence(session, routing.colleague(session, name).id, presence, now)
    staff.audit(session, supervisor, "presence_set", now, f"{name} {presence}")
    return agent


def set_manager(session: Session, supervisor: Agent, customer_id: int, agent_name: str | None, now: datetime) -> None:
    """The customer's dedicated manager, or none. Raises NotFound, Invalid."""
    if session.get(Customer, customer_id) is None:
        raise NotFound("没有找到这位客户。")
    kept = session.scalar(select(ClientManager).where(ClientManager.customer_id == customer_id))
    if agent_name is None:
        if kept is not None:
            session.delete(kept)
    else:
        agent = session.scalar(select(Agent).where(Agent.name == agent_name, Agent.role.in_(SERVES)))
        if agent is None:
            raise NotFound("没有找到这位同事。")
        if kept is None:
            session.add(ClientManager(customer_id=customer_id, agent_id=agent.id))
        else:
            kept.agent_id = agent.id
    staff.audit(session, supervisor, "manager_set", now, f"customer:{customer_id} {agent_name or '-'}")
