"""What the desk shows of the channel a talk came by: sends left, end of the window, and what cannot go out and why."""

from typing import Any

from apiflask import APIBlueprint

from channels.wechat import outgoing
from core import clock, db
from core.clock import iso
from web.access import agent
from web.api.customer import responses
from web.api.talks import TALK, visible

bp = APIBlueprint("channel", __name__, url_prefix="/api/v1/agent", tag="agent")


@bp.get(TALK + "/channel")
@agent
@bp.doc(summary="The talk's channel", security="bearer", responses=responses(200, 401, 403, 404))
def channel(conversation_id: str) -> dict[str, Any]:
    """For a talk on the website only that."""
    with db.reading() as session:
        talk = visible(session, conversation_id)
        told = outgoing.of_talk(session, talk.id, clock.now())
        if told is None:
            return {"channel": talk.channel}
        return {"channel": talk.channel, **told, "window_ends_at": iso(told["window_ends_at"])}
