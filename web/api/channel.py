"""What the desk shows of the channel a talk came by – sends left, end of the window, what cannot go out and why – and the
pictures agents send to any channel."""

from typing import Any

from apiflask import APIBlueprint
from flask import request

from channels import web
from channels.wechat import outgoing
from core import clock, db, settings
from core.clock import iso
from helpdesk.conversations.models import Message
from helpdesk.routing import usecases as routing
from web.access import agent
from web.api.customer import UPLOAD_ROOM_BYTES, NewPicture, responses
from web.api.talks import TALK, serving, visible

bp = APIBlueprint("channel", __name__, url_prefix="/api/v1/agent", tag="agent")


@bp.before_request
def room_for_pictures() -> None:
    """A picture may be larger than any other body."""
    if request.endpoint == "channel.picture":
        request.max_content_length = settings.load().upload_max_bytes + UPLOAD_ROOM_BYTES


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


@bp.post(TALK + "/images")
@agent
@bp.input(NewPicture, location="form_and_files")
@bp.doc(summary="Send a picture", security="bearer", responses=responses(201, 400, 401, 403, 404, 409, 413, 422))
def picture(conversation_id: str, form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Stored without its metadata; the same client_message_id again does nothing."""
    with db.reading() as session:
        routing.own(visible(session, conversation_id), serving(session))  # before anything is stored
    data = form_and_files_data["file"].read(settings.load().upload_max_bytes + 1)
    payload = {"url": web.save_picture(conversation_id, data), "alt": "客服发的图片"}
    key = form_and_files_data["client_message_id"]
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        before = talk.last_seq
        seq = routing.say(session, talk, me, clock.now(), text="[图片]", client_message_id=key)
        if seq > before:
            line = session.get_one(Message, (talk.id, seq))
            line.kind, line.payload = "image", payload
    if seq <= before:  # it came before
        web.remove_picture(payload["url"])
    return {"seq": seq}, 201
