"""Staff: made, signed in and out, present or not."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import settings, wake
from core.errors import Conflict, Invalid, NotFound, Unauthenticated
from core.ids import new_token, token_hash
from helpdesk.routing import queue
from helpdesk.routing import usecases as routing
from helpdesk.routing.distribution import locked_agent
from helpdesk.staff.models import Agent, AgentSession, AgentSkill, AuditEntry
from helpdesk.staff.rules import CAPACITY_MOST, SKILLS, Presence, Role

SESSION_ENDED = "session_ended"  # wake topic: {"token_hash"}
LOCKED = "-"  # instead of a hash: no password fits
hasher = PasswordHasher()
_nobody = hasher.hash("nobody has this password")  # so that an unknown name takes as long as a wrong password


def hash_password(password: str) -> str:
    """Argon2id. Raises Invalid below eight characters."""
    if len(password) < 8:
        raise Invalid("密码至少要 8 个字符。")
    return hasher.hash(password)


def add_agent(
    session: Session,
    now: datetime,
    *,
    name: str,
    password: str,
    role: Role,
    skills: dict[str, int],
    capacity: int = 5,
    display_name: str | None = None,
) -> Agent:
    """A new member of staff. Raises Conflict when the name is taken, Invalid for an unknown skill or a bad number."""
    check_skills(skills)
    check_capacity(capacity)
    if session.scalar(select(Agent.id).where(Agent.name == name)) is not None:
        raise Conflict(f"已经有叫 {name} 的坐席了。")
    agent = Agent(
        name=name,
        display_name=display_name or name,
        role=role.value,
        password_hash=hash_password(password),
        capacity=capacity,
        presence=Presence.OFFLINE,
        created_at=now,
        skills=[AgentSkill(skill=skill, proficiency=level) for skill, level in skills.items()],
    )
    session.add(agent)
    session.flush()
    return agent


def reset_password(session: Session, name: str, password: str | None, now: datetime) -> Agent:
    """Sets another's password, or (None) locks the account; all sign-ins end and held talks go back to the queue.

    Raises NotFound, and Invalid for a password that is too short.
    """
    agent = session.scalar(select(Agent).where(Agent.name == name))
    if agent is None:
        raise NotFound(f"没有叫 {name} 的坐席。")
    agent = set_presence(session, agent.id, Presence.OFFLINE, now)
    agent.password_hash = hash_password(password) if password is not None else LOCKED
    for signed_in in session.scalars(select(AgentSession).where(AgentSession.agent_id == agent.id)).all():
        session.delete(signed_in)
        wake.note(session, SESSION_ENDED, token_hash=signed_in.token_hash)
    audit(session, agent, "locked" if password is None else "password_reset", now)
    return agent


def check_skills(skills: Mapping[str, int]) -> None:
    """Raises Invalid for a skill group that does not exist, or a proficiency that is not 1–5."""
    unknown = set(skills) - set(SKILLS)
    if unknown:
        raise Invalid(f"没有这样的技能组：{'、'.join(sorted(unknown))}。可选：{'、'.join(SKILLS)}。")
    if any(not 1 <= level <= 5 for level in skills.values()):
        raise Invalid("熟练度是 1 到 5。")


def check_capacity(capacity: int) -> None:
    """Raises Invalid for a number of talks out of range."""
    if not 1 <= capacity <= CAPACITY_MOST:
        raise Invalid(f"同时接待数要在 1 到 {CAPACITY_MOST} 之间。")


def check_password(session: Session, name: str, password: str) -> int:
    """The agent's id. Raises Unauthenticated, which does not tell whether the name exists.

    Slow on purpose: not to be called in a writing transaction, which would keep everyone else from writing.
    """
    agent = session.scalar(select(Agent).where(Agent.name == name))
    try:
        hasher.verify(agent.password_hash if agent else _nobody, password)
    except (VerificationError, InvalidHashError):
        agent = None
    if agent is None:
        raise Unauthenticated("用户名或密码不对，请再试一次。", code="sign_in")
    return agent.id


def sign_in(session: Session, agent_id: int, now: datetime) -> tuple[Agent, str]:
    """The agent whose password was right, and a bearer token."""
    agent = locked_agent(session, agent_id)
    token = new_token()
    session.add(
        AgentSession(
            token_hash=token_hash(token),
            agent_id=agent.id,
            created_at=now,
            expires_at=now + timedelta(hours=settings.load().agent_session_hours),
        )
    )
    agent.seen_at = now
    audit(session, agent, "sign_in", now)
    return agent, token


def agent_of(session: Session, token: str, now: datetime) -> Agent:
    """The signed-in agent. Raises Unauthenticated."""
    found = session.get(AgentSession, token_hash(token))
    if found is None or found.expires_at < now:
        raise Unauthenticated("登录已过期，请重新登录。", code="session")
    return found.agent


def sign_out(session: Session, token: str, now: datetime) -> None:
    """Ends the session; with the last one the agent is offline and the held talks go back to the queue."""
    found = session.get(AgentSession, token_hash(token))
    if found is None:
        return
    agent = found.agent
    session.delete(found)
    session.flush()
    wake.note(session, SESSION_ENDED, token_hash=found.token_hash)
    audit(session, agent, "sign_out", now)
    others = session.scalar(
        select(AgentSession.token_hash).where(AgentSession.agent_id == agent.id, AgentSession.expires_at > now).limit(1)
    )
    if others is None:
        set_presence(session, agent.id, Presence.OFFLINE, now)


def set_presence(
    session: Session, agent_id: int, presence: Presence, now: datetime, capacity: int | None = None
) -> Agent:
    """Sets what the agent chose. Raises Invalid for a capacity out of range."""
    if capacity is not None:
        check_capacity(capacity)
    agent = locked_agent(session, agent_id)
    agent.seen_at = now
    agent.capacity = capacity or agent.capacity
    agent.away_because = ""
    if agent.presence != presence:
        agent.presence, agent.presence_since = presence.value, now
        audit(session, agent, f"presence_{presence}", now)
    if presence == Presence.OFFLINE:
        routing.agent_gone(session, agent, now)
    wake.note(session, queue.PRESENCE, agent_id=agent.id)
    wake.note(session, queue.QUEUE)
    return agent


def seen(session: Session, agent_ids: list[int], now: datetime) -> None:
    """Signs of life: a connection or an authenticated request."""
    for agent in session.scalars(select(Agent).where(Agent.id.in_(agent_ids))):
        agent.seen_at = now


def sessions_alive(session: Session, token_hashes: set[str], now: datetime) -> set[str]:
    """Those of these sign-ins that are still good."""
    query = select(AgentSession.token_hash).where(
        AgentSession.token_hash.in_(token_hashes), AgentSession.expires_at >= now
    )
    return set(session.scalars(query))


def silent(session: Session, now: datetime) -> Sequence[int]:
    """Agents without a sign of life for too long who are not offline, or hold talks without ever having come online."""
    return session.scalars(
        select(Agent.id)
        .where(
            (Agent.presence != Presence.OFFLINE) | Agent.id.in_(queue.load_by_agent(session)),
            (Agent.seen_at.is_(None)) | (Agent.seen_at < _last_sign(now)),
        )
        .order_by(Agent.id)
    ).all()


def drop_silent(session: Session, agent_id: int, now: datetime) -> bool:
    """A silent agent is offline, the held talks back in the queue; False when there was a sign of life after all."""
    agent = locked_agent(session, agent_id)
    if agent.seen_at is not None and agent.seen_at >= _last_sign(now):
        return False
    set_presence(session, agent_id, Presence.OFFLINE, now).seen_at = None
    return True


def _last_sign(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.load().presence_timeout_seconds)


def forget_sessions(session: Session, now: datetime) -> None:
    """Removes sign-ins that are over."""
    session.execute(delete(AgentSession).where(AgentSession.expires_at < now))


def audit(session: Session, agent: Agent | None, what: str, now: datetime, about: str = "") -> None:
    """Writes down who did what."""
    session.add(AuditEntry(agent_id=agent.id if agent else None, what=what, about=about[:120], at=now))
