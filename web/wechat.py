"""WeChat's callback, and the page on which a customer binds the own WeChat to the shop's account (docs/operations.md).

The callback stores first and answers then: with the bot's words when they are ready in time, else with ``success``, and
the outbox sends them. How many calls are held at the same time is bounded.
"""

import logging
import time
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from channels import web as channel
from channels.wechat import accounts, binding, envelope, inbound, outgoing
from channels.wechat.accounts import Account
from channels.wechat.envelope import Incoming
from channels.wechat.rules import may_be_the_last
from channels.wechat.waiting import Held, waiting
from core import clock, db, settings, together
from core.errors import ZhikeError
from core.text import mask_phone
from crm.customers import access as customer_access
from crm.demo import generate
from web.access import public
from web.metrics import LINES

log = logging.getLogger(__name__)
bp = APIBlueprint(
    "wechat", __name__, url_prefix="/channels/wechat/<string(maxlength=20):account_name>", enable_openapi=False
)
SUCCESS = "success"


@bp.get("")
@public
def confirm(account_name: str) -> Response:
    """The platform asks whether this address knows the token."""
    account = accounts.recent(account_name)
    _checked(account)
    return _plain(request.args.get("echostr", "")[:200])


@bp.post("")
@public
def callback(account_name: str) -> Response:
    """A message or an event."""
    begun = time.monotonic()
    arrived_at = clock.now()
    account = accounts.recent(account_name)
    request.max_content_length = envelope.BODY_MOST_BYTES
    body = request.get_data(cache=False)
    _checked(account)
    try:
        message = envelope.incoming(account, envelope.opened(account, request.args, body))
    except ZhikeError as error:
        log.warning("a call of the platform was refused: %s", error.code)
        raise
    told = _answer(account, message, arrived_at, begun + settings.load().wechat_passive_seconds)
    if told is None:
        return _plain(SUCCESS)
    return Response(envelope.reply(account, message, told, clock.now()), content_type="application/xml; charset=utf-8")


def _checked(account: Account) -> None:
    try:
        envelope.check_call(account, request.args, clock.now())
    except ZhikeError as error:
        log.warning("a call of the platform was refused: %s", error.code)
        raise


def _plain(text: str) -> Response:
    return Response(text, content_type="text/plain; charset=utf-8")


def _answer(account: Account, message: Incoming, arrived_at: datetime, deadline: float) -> str | None:
    """The passive answer, if there is to be one."""
    age = (arrived_at - message.at).total_seconds()
    picture = inbound.picture_of(account, message, arrived_at) if message.kind == "image" else None
    held = not may_be_the_last(age, settings.load().wechat_passive_seconds) and waiting.enter()
    try:
        with together.urgent():
            taken, mark, told = _take(account, message, arrived_at, picture, hold=held)
        if picture and not taken.new:  # an earlier delivery has brought it
            channel.remove_picture(picture)
        if told is None and mark:
            call = Held(taken.user.id, taken.conversation_id, mark, taken.seq)
            return _await(account, message, call, arrived_at, deadline)
        return told
    finally:
        if held:
            waiting.leave()


def _take(
    account: Account, message: Incoming, arrived_at: datetime, picture: str | None, *, hold: bool
) -> tuple[inbound.Taken, str, str | None]:
    """Stored; with the mark of a request that waits for the answer, or an empty one; and the answer that an earlier delivery
    was given, if there was one."""

    def store(session: Session) -> tuple[inbound.Taken, str, str | None]:
        now = clock.now()
        taken = inbound.take(session, account, message, now, picture)
        mark, told = "", None
        if taken.awaits:
            mark = outgoing.reserve(session, taken.user, message.key, now, new=taken.new, hold=hold)
        if not taken.new and taken.conversation_id:
            age = (arrived_at - message.at).total_seconds()
            told = outgoing.again(session, taken.user.id, message.key, age, arrived_at)
        return taken, mark, told

    for attempt in (1, 2):
        try:
            taken, mark, told = together.writing(store)
            break
        except IntegrityError:  # the same user or message at the same moment: the other one has stored it
            if attempt == 2:
                raise
    if taken.new and message.event is None:
        LINES.inc()
    return taken, mark, told


def _await(account: Account, message: Incoming, call: Held, arrived_at: datetime, deadline: float) -> str | None:
    """Holds the call until something is due, nothing will come, the wait is over for all its copies, or the time is up."""
    seen = waiting.wait(call, deadline - time.monotonic())
    if seen is not None and seen.is_over(call.mark):
        with db.reading() as session:
            return outgoing.carried(session, call.user_id, message.key)
    with db.writing() as session:
        if seen is None or not seen.due:
            outgoing.give_up(session, call.user_id, call.mark)
            return None
        told = outgoing.take_along(session, account, call.user_id, call.mark, message.key, arrived_at, clock.now())
        return told or outgoing.carried(session, call.user_id, message.key)


# Binding


@bp.get("/bind")
@public
def bind_page(account_name: str) -> str:
    """Asks the signed-in customer whether this WeChat is theirs; who is not signed in is sent to the shop."""
    account = accounts.recent(account_name)
    code, token = request.args.get("code", ""), request.args.get("customer_token", "")
    binding.read(code, account)
    chosen = settings.load()
    told: dict[str, Any] = {"shop_name": chosen.shop_name, "code": code, "token": token, "account": account.name}
    with db.reading() as session:
        if token:
            customer = customer_access.customer_of_token(session, token, chosen.customer_token_secret, clock.now())
            who = f"{customer.name[:1]}{customer.title or '先生/女士'}（{mask_phone(customer.phone)}）"
            return render_template("wechat_bind.html", who=who, **told)
        faces = generate.faces(session) if chosen.demo else []
    if faces:
        secret, now = chosen.customer_token_secret, clock.now()
        faces = [{**f, "token": customer_access.visitor_token(f["id"], secret, now)} for f in faces]
    return render_template(
        "wechat_bind.html", who="", faces=faces, sign_in_url=chosen.sign_in_url, here=_here(account, code), **told
    )


def _here(account: Account, code: str) -> str:
    return f"{settings.load().site}/channels/wechat/{account.name}/bind?code={code}"


@bp.post("/bind")
@public
def bind(account_name: str) -> str:
    """Once."""
    account = accounts.recent(account_name)
    chosen = settings.load()
    wish = binding.read(request.form.get("code", ""), account)
    now = clock.now()
    with db.writing() as session:
        token = request.form.get("customer_token", "")
        customer = customer_access.customer_of_token(session, token, chosen.customer_token_secret, now)
        binding.bind_by_link(session, account, wish, customer, now)
    return render_template("wechat_bind.html", done=True, who="", shop_name=chosen.shop_name)
