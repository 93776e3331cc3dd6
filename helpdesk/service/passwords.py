"""An agent's own password. Hashing is slow on purpose and happens outside the writing transaction."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import wake
from core.errors import Conflict, Invalid, Unauthenticated
from core.ids import token_hash
from helpdesk.routing.distribution import locked_agent
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent, AgentSession


def hashes(session: Session, agent_id: int, old: str, new: str) -> tuple[str, str]:
    """The hash that is in force and the new one. Raises Invalid: ``old`` when that is wrong, or for a bad new one.

    Slow: not to be called in a writing transaction.
    """
    agent = session.get_one(Agent, agent_id)
    try:
        staff.check_password(session, agent.name, old)
    except Unauthenticated:  # the sign-in itself is still good
        raise Invalid("原来的密码不对，请再试一次。", code="old") from None
    if new == old:
        raise Invalid("新密码和原来的一样，换一个吧。", code="new")
    return agent.password_hash, staff.hash_password(new)


def change(session: Session, agent_id: int, before: str, after: str, token: str, now: datetime) -> None:
    """The new password is in force; all sign-ins of the agent end but the one with this token.

    Raises Conflict when the password was changed since it was checked.
    """
    agent = locked_agent(session, agent_id)
    if agent.password_hash != before:
        raise Conflict("密码刚刚已经改过了，请用新密码重新登录。", code="changed")
    agent.password_hash = after
    others = session.scalars(
        select(AgentSession).where(AgentSession.agent_id == agent.id, AgentSession.token_hash != token_hash(token))
    )
    for other in others.all():
        session.delete(other)
        wake.note(session, staff.SESSION_ENDED, token_hash=other.token_hash)
    staff.audit(session, agent, "password_changed", now)
