"""The API of customers' programs (docs/api.md): open a talk, write, read on, hand over, rate, close."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import File, Integer, String
from apiflask.validators import Length, OneOf, Range
from flask import request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from channels import web as channel
from core import clock, db, settings, wake
from core.once import once
from core.text import clean
from crm.customers import access as customer_access
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.greeting import greet
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import HandoverReason, State
from helpdesk.routing import instead
from helpdesk.routing import usecases as routing
from helpdesk.routing.hours_rules import When
from helpdesk.surveys import usecases as surveys
from web import limits, shapes
from web.access import customer, public
from web.body import Lenient
from web.metrics import LINES

bp = APIBlueprint("customer", __name__, url_prefix="/api/v1/conversations", tag="customer")
TALK = "/<string(maxlength=40):conversation_id>"
WAIT_MOST_SECONDS = 30
UPLOAD_ROOM_BYTES = 64 * 1024


class Opening(Lenient):
    """A new talk."""

    channel = String(load_default="web", validate=OneOf(["web"]))
    visitor_id = String(load_default=None, allow_none=True, validate=Length(max=100))
    customer_token = String(load_default=None, allow_none=True, validate=Length(max=4000))


class NewLine(Lenient):
    """A customer's line."""

    client_message_id = String(required=True, validate=Length(min=1, max=80))
    text = String(required=True)


class NewPicture(Lenient):
    """A customer's picture, multipart."""

    client_message_id = String(required=True, validate=Length(min=1, max=80))
    file = File(required=True)  # type: ignore[no-untyped-call]


class Since(Lenient):
    """Which lines: after this seq, waiting so many seconds for one."""

    after = Integer(load_default=0, validate=Range(min=0, max=2**31 - 1))
    wait = Integer(load_default=0, validate=Range(min=0, max=WAIT_MOST_SECONDS))


class Reason(Lenient):
    """Why."""

    reason = String(load_default="", validate=Length(max=200))


class CallBack(Lenient):
    """Where and when to call, and what about."""

    phone = String(required=True, validate=Length(min=1, max=30))
    about = String(load_default="", validate=Length(max=200))
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=80))
    when = String(load_default=When.ASAP.value, validate=OneOf([w.value for w in When]))


class MessageLeft(Lenient):
    """A message for the people."""

    text = String(required=True, validate=Length(min=1, max=1000))
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=80))
    phone = String(load_default=None, allow_none=True, validate=Length(max=30))


class Score(Lenient):
    """1–5."""

    score = Integer(required=True, strict=True, validate=Range(min=1, max=5))
    comment = String(load_default="", validate=Length(max=1000))


class ReadUpTo(Lenient):
    """A seq."""

    seq = Integer(required=True, strict=True, validate=Range(min=0, max=2**31 - 1))


def responses(*codes: int) -> dict[int, str]:
    """What a route may answer, for the OpenAPI page."""
    words = {
        200: "done",
        201: "made",
        202: "accepted",
        204: "done, nothing to say",
        400: "malformed",
        401: "no or wrong token",
        403: "not for this role",
        404: "unknown or somebody else's",
        409: "wrong state",
        413: "too large",
        415: "not JSON",
        422: "invalid",
        429: "too many",
    }
    given = {*codes, 413, 415} if 400 in codes else set(codes)
    return {code: words[code] for code in sorted(given)}


@bp.before_request
def room_for_pictures() -> None:
    """A picture may be larger than any other body."""
    if request.endpoint == "customer.picture":
        request.max_content_length = settings.load().upload_max_bytes + UPLOAD_ROOM_BYTES


@bp.post("")
@public
@limits.talks
@bp.input(Opening)
@bp.doc(summary="Open a talk", responses=responses(201, 400, 401, 422, 429))
def open_talk(json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A new talk with its token and the greeting."""
    now = clock.now()
    with db.writing() as session:
        known = None
        if json_data["customer_token"]:
            secret = settings.load().customer_token_secret
            known = customer_access.customer_of_token(session, json_data["customer_token"], secret, now)
        talk, token = conversations.open_conversation(
            session, now, channel=json_data["channel"], visitor_id=json_data["visitor_id"], customer=known
        )
        greet(session, talk, now)
        session.flush()
        lines = [shapes.message(m) for m in conversations.lines(session, talk.id)]
        return {"id": talk.id, "token": token, "messages": lines, **shapes.state(session, talk, now)}, 201


@bp.post(TALK + "/messages")
@customer
@limits.messages
@bp.input(NewLine)
@bp.doc(summary="Write a line", security="bearer", responses=responses(202, 200, 400, 401, 404, 413, 422, 429))
def write(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Stored before it is acknowledged; the same client_message_id again does nothing."""
    return _receive(conversation_id, json_data["client_message_id"], channel.text_of(json_data["text"]))


@bp.post(TALK + "/images")
@customer
@limits.messages
@bp.input(NewPicture, location="form_and_files")
@bp.doc(summary="Send a picture", security="bearer", responses=responses(202, 200, 400, 401, 404, 413, 422, 429))
def picture(conversation_id: str, form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Stored without its metadata."""
    data = form_and_files_data["file"].read(settings.load().upload_max_bytes + 1)
    payload = {"url": channel.save_picture(conversation_id, data), "alt": "客户发的图片"}
    told, status = _receive(conversation_id, form_and_files_data["client_message_id"], "[图片]", "image", payload)
    if status == 200:  # it came before
        channel.remove_picture(payload["url"])
    return told, status


def _receive(
    conversation_id: str, client_message_id: str, text: str, kind: str = "text", payload: dict[str, Any] | None = None
) -> tuple[dict[str, Any], int]:
    for attempt in (1, 2):
        try:
            with db.writing() as session:
                seq, new = conversations.receive(
                    session,
                    clock.now(),
                    conversation_id,
                    text=text,
                    client_message_id=client_message_id,
                    kind=kind,
                    payload=payload,
                )
            break
        except IntegrityError:  # the same line at the same moment: the other one has stored it
            if attempt == 2:
                raise
    if new:
        LINES.inc()
    return {"seq": seq}, 202 if new else 200


@bp.get(TALK + "/messages")
@customer
@bp.input(Since, location="query")
@bp.doc(summary="Lines after a seq", security="bearer", responses=responses(200, 401, 404, 422))
def read_on(conversation_id: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """What came after a seq; ``wait`` holds until something does."""
    deadline = time.monotonic() + query_data["wait"]
    with _Bell(conversation_id) as bell:
        before: dict[str, Any] | None = None
        while True:
            with db.reading() as session:
                talk = conversations.find(session, conversation_id)
                lines = conversations.lines(session, conversation_id, query_data["after"])
                told = shapes.state(session, talk, clock.now())
                shown = [shapes.message(m) for m in lines]
            left = deadline - time.monotonic()
            if lines or left <= 0 or (before is not None and told != before):
                return {"messages": shown, **told}
            before = told
            bell.wait(min(left, 1.0))


class _Bell:
    """Rings when the talk has something new; one listener serves all that wait in this process."""

    _waiting: dict[str, list["_Bell"]] = {}
    _lock = threading.Lock()
    _listening = False

    def __init__(self, conversation_id: str) -> None:
        self._id = conversation_id
        self._event = threading.Event()

    def __enter__(self) -> "_Bell":
        with self._lock:
            if not _Bell._listening:
                wake.listen(conversations.CHANGED, _Bell._ring)
                _Bell._listening = True
            self._waiting.setdefault(self._id, []).append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            others = self._waiting[self._id]
            others.remove(self)
            if not others:
                del self._waiting[self._id]

    @classmethod
    def _ring(cls, data: dict[str, Any]) -> None:
        with cls._lock:
            for bell in cls._waiting.get(data["id"], []):
                bell._event.set()

    def wait(self, seconds: float) -> None:
        """Until it rings, or so long."""
        self._event.wait(seconds)
        self._event.clear()


@bp.post(TALK + "/handoff")
@customer
@bp.input(Reason)
@bp.doc(summary="Ask for a person", security="bearer", responses=responses(202, 400, 401, 404, 422))
def handoff(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Into the queue; who is there already stays."""
    now = clock.now()
    with db.writing() as session:
        talk = conversations.locked(session, conversation_id)
        if talk.state == State.CLOSED:
            conversations.reopen(session, talk, now)
        if talk.state == State.BOT:
            routing.enqueue(session, talk, HandoverReason.REQUESTED, now, said=json_data["reason"] or None)
        session.flush()
        return shapes.state(session, talk, now), 202


@bp.post(TALK + "/leave-queue")
@customer
@bp.doc(summary="Leave the queue", security="bearer", responses=responses(200, 401, 404, 409))
def leave_queue(conversation_id: str) -> dict[str, Any]:
    """Back to the bot."""
    now = clock.now()
    with db.writing() as session:
        talk = conversations.locked(session, conversation_id)
        routing.leave_queue(session, talk, now)
        return shapes.state(session, talk, now)


@bp.post(TALK + "/call-back")
@customer
@limits.messages
@bp.input(CallBack)
@bp.doc(summary="Ask to be called", security="bearer", responses=responses(202, 400, 401, 404, 422, 429))
def call_back(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Instead of waiting."""
    when, about = When(json_data["when"]), clean(json_data["about"])

    def ask(session: Session, talk: Conversation, now: datetime) -> instead.Promise:
        return instead.call_back(session, talk, now, phone=json_data["phone"], about=about, when=when)

    return _instead(conversation_id, json_data["client_message_id"], ask)


@bp.post(TALK + "/leave-message")
@customer
@limits.messages
@bp.input(MessageLeft)
@bp.doc(summary="Leave a message", security="bearer", responses=responses(202, 400, 401, 404, 422, 429))
def leave_message(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Instead of waiting."""
    text = channel.text_of(json_data["text"])

    def leave(session: Session, talk: Conversation, now: datetime) -> instead.Promise:
        return instead.leave_message(session, talk, now, text=text, phone=json_data["phone"])

    return _instead(conversation_id, json_data["client_message_id"], leave)


def _instead(
    conversation_id: str,
    client_message_id: str | None,
    ask: Callable[[Session, Conversation, datetime], instead.Promise],
) -> tuple[dict[str, Any], int]:
    """The same client_message_id again gives the same promise, nothing done twice."""
    now = clock.now()
    key = f"instead:{conversation_id}:{client_message_id}" if client_message_id else None
    with db.writing() as session:
        talk = conversations.locked(session, conversation_id)
        told = once(session, key, lambda: dict(ask(session, talk, now)))
        return {**told, **shapes.state(session, talk, now)}, 202


@bp.post(TALK + "/rating")
@customer
@bp.input(Score)
@bp.doc(summary="Rate the service", security="bearer", responses=responses(200, 400, 401, 404, 422))
def rating(conversation_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """1–5 for who served last: the agent, or the bot."""
    with db.writing() as session:
        talk = conversations.locked(session, conversation_id)
        of, agent_id = surveys.asked_of(session, talk)
        surveys.rate(session, talk, json_data["score"], json_data["comment"], of, clock.now(), agent_id)
    return {"score": json_data["score"]}


@bp.post(TALK + "/close")
@customer
@bp.doc(summary="End the talk", security="bearer", responses=responses(200, 401, 404))
def close(conversation_id: str) -> dict[str, Any]:
    """Ends it; a later line opens it again."""
    now = clock.now()
    with db.writing() as session:
        talk = conversations.locked(session, conversation_id)
        routing.customer_closes(session, talk, now)
        return shapes.state(session, talk, now)


@bp.post(TALK + "/read")
@customer
@bp.input(ReadUpTo)
@bp.doc(summary="Read up to a seq", security="bearer", responses=responses(204, 400, 401, 404, 422))
def read(conversation_id: str, json_data: dict[str, Any]) -> tuple[str, int]:
    """So that the agent sees it was read."""
    with db.writing() as session:
        talk = conversations.locked(session, conversation_id)
        conversations.mark_read(session, talk, json_data["seq"], by="customer")
    return "", 204
