"""What the desk shows of the channel a talk came by – sends left, end of the window, what cannot go out and why – and what
goes beyond one channel: pictures to any of them, a promise to call when none is open, the customer's talks on the others."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import String
from apiflask.validators import Length, OneOf
from flask import request
from sqlalchemy.orm import Session

from channels import web
from channels.wechat import outgoing
from core import clock, db, settings
from core.clock import iso
from core.errors import Invalid, NotFound
from core.once import once
from core.text import clean
from crm.customers.access import ORDER
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.routing import instead
from helpdesk.routing import usecases as routing
from helpdesk.routing.hours_rules import When
from helpdesk.service import talk as service
from helpdesk.staff import usecases as staff
from web import shapes
from web.access import agent
from web.api.customer import UPLOAD_ROOM_BYTES, NewPicture, responses
from web.api.talks import TALK, serving, visible
from web.body import Lenient

bp = APIBlueprint("channel", __name__, url_prefix="/api/v1/agent", tag="agent")


class CallBack(Lenient):
    """What a call is to be about, and when; without a phone the customer's own."""

    phone = String(load_default="", validate=Length(max=30))
    about = String(required=True, validate=Length(min=1, max=200))
    when = String(load_default=When.ASAP.value, validate=OneOf([w.value for w in When]))
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=60))


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


@bp.post(TALK + "/call-back")
@agent
@bp.input(CallBack)
@bp.doc(summary="Promise a call", security="bearer", responses=responses(201, 400, 401, 403, 404, 409, 422))
def call_back(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A task for everybody who serves, as when the customer asks for it; the same client_message_id again does nothing."""
    now, when, about = clock.now(), When(json_data["when"]), clean(json_data["about"])
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        routing.own(talk, me)
        phone = json_data["phone"] or _own_phone(session, talk)

        def promise() -> dict[str, Any]:
            made = instead.call_back(session, talk, now, phone=phone, about=about, when=when)
            staff.audit(session, me, "call_back_promised", now, f"ticket:{made['number']} talk:{talk.id}")
            return dict(made)

        wanted = json_data["client_message_id"]
        return once(session, service.key(f"call-back {wanted}", talk) if wanted else None, promise), 201


def _own_phone(session: Session, talk: Conversation) -> str:
    """The number in the customer's account. Raises Invalid when it is not known whose talk this is."""
    access = conversations.access_of(session, talk)
    if access is None or not access.whole:
        raise Invalid("还不知道这位客户的电话，请填一个号码。", code="phone")
    return access.customer.phone


@bp.get(TALK + "/earlier/<string(maxlength=40):earlier_id>")
@agent
@bp.doc(summary="Another talk of this customer", security="bearer", responses=responses(200, 401, 403, 404, 409))
def earlier(conversation_id: str, earlier_id: str) -> dict[str, Any]:
    """Of any channel, to be read by who may see this one: the customer tells nothing twice. Looking is written down.

    Only when the customer is surely the account's owner, in both talks.
    """
    with db.writing() as session:
        owner = service.account(session, visible(session, conversation_id)).customer
        found = conversations.find(session, earlier_id)
        if found.customer_id != owner.id or found.verified_by == ORDER:
            raise NotFound("没有找到这个会话。")
        staff.audit(session, serving(session), "earlier_talk_seen", clock.now(), f"customer:{owner.id} talk:{found.id}")
        return {
            "conversation": shapes.conversation(session, found),
            "messages": [shapes.message(line) for line in conversations.lines(session, found.id, notes=True)],
        }
