"""Who is calling, and which talks they may see: shared by all calls of agents' programs."""

from flask import g
from sqlalchemy.orm import Session

from core.errors import Forbidden, NotFound
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.routing import consulting
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import SERVES

TALK = "/conversations/<string(maxlength=40):conversation_id>"


def signed_in(session: Session) -> Agent:
    """The member of staff who calls. Raises NotFound."""
    found = session.get(Agent, g.agent_id)
    if found is None:
        raise NotFound("没有这个坐席。")
    return found


def serving(session: Session) -> Agent:
    """The caller, who serves customers. Raises Forbidden for editors and planners."""
    me = signed_in(session)
    if me.role not in SERVES:
        raise Forbidden("您的账号不接待客户，需要的话请联系管理员调整。", code="role")
    return me


def visible(session: Session, conversation_id: str, *, lock: bool = False) -> Conversation:
    """A talk the caller may see (consulting.may_see). Raises NotFound."""
    talk = conversations.locked(session, conversation_id) if lock else conversations.find(session, conversation_id)
    if not consulting.may_see(session, serving(session), talk):
        raise NotFound("没有找到这个会话。")
    return talk
