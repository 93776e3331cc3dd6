"""WeChat's callback, and the page on which a customer binds the own WeChat to the shop's account (docs/operations.md).

The callback stores first and answers then: with the bot's words when they are ready in time, else with ``success``, and
the outbox sends them. How many calls are held at the same time is bounded.
"""

import logging
import threading
import time
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request
from sqlalchemy.exc import IntegrityError

from channels.wechat import accounts, binding, envelope, inbound, outgoing
from channels.wechat.accounts import Account
from channels.wechat.envelope import Incoming
from channels.wechat.rules import may_be_the_last
from core import clock, db, settings, wake
from core.errors import ZhikeError
from core.text import mask_phone
from crm.customers import access as customer_access
from crm.demo import generate
from helpdesk.conversations import usecases as conversations
from web.access import public
from web.metrics import LINES

log = logging.getLogger(__name__)
bp = APIBlueprint(
    "wechat", __name__, url_prefix="/channels/wechat/<string(maxlength=20):account_name>", enable_openapi=False
)
SUCCESS = "success"
LOOK_SECONDS = 0.4  # the turn may be answered by another process, whose bell does not ring here


class Waiting:
    """The calls that are held in this process: how many may, and what wakes them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = 0
        self._rung: dict[str, int] = {}
        self._listening = False

    def enter(self) -> bool:
        """Whether one more may be held."""
        with self._changed:
            if not self._listening:
                wake.listen(conversations.CHANGED, lambda data: self._ring(data["id"]))
                self._listening = True
            if self._held >= settings.load().wechat_waiting:
                return False
            self._held += 1
            return True

    def leave(self) -> None:
        """One less."""
        with self._changed:
            self._held -= 1
            if not self._held:
                self._rung.clear()

    def _ring(self, conversation_id: str) -> None:
        with self._changed:
            if self._held:
                self._rung[conversation_id] = self._rung.get(conversation_id, 0) + 1
                self._changed.notify_all()

    def rung(self, conversation_id: str) -> int:
        """How often the talk has changed."""
        with self._changed:
            return self._rung.get(conversation_id, 0)

    def wait(self, conversation_id: str, seen: int, seconds: float) -> None:
        """Until the talk changes again, or so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung.get(conversation_id, 0) != seen, max(0.0, seconds))


waiting = Waiting()


def _account(name: str) -> Account:
    with db.reading() as session:
        return accounts.find(session, name)


@bp.get("")
@public
def confirm(account_name: str) -> Response:
    """The platform asks whether this address knows the token."""
    account = _account(account_name)
    _checked(account)
    return _plain(request.args.get("echostr", "")[:200])


@bp.post("")
@public
def callback(account_name: str) -> Response:
    """A message or an event."""
    begun = time.monotonic()
    arrived_at = clock.now()
    account = _account(account_name)
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
    patience = settings.load().wechat_passive_seconds
    age = (arrived_at - message.at).total_seconds()
    picture = inbound.picture_of(account, message, arrived_at) if message.kind == "image" else None
    held = not may_be_the_last(age, patience) and waiting.enter()
    try:
        taken, mark = _take(account, message, picture, hold=held)
        if not taken.new and taken.user_id:
            with db.writing() as session:
                told = outgoing.again(session, taken.user_id, message.key, age, arrived_at)
            if told is not None:
                return told
        if not mark:
            return None
        return _await(account, message, taken, mark, arrived_at, deadline)
    finally:
        if held:
            waiting.leave()


def _take(account: Account, message: Incoming, picture: str | None, *, hold: bool) -> tuple[inbound.Taken, str]:
    """Stored; with the mark of a request that waits for the answer, or an empty one."""
    for attempt in (1, 2):
        try:
            with db.writing() as session:
                now = clock.now()
                taken = inbound.take(session, account, message, now, picture)
                mark = ""
                if taken.awaits:
                    mark = outgoing.reserve(session, taken.user_id, message.key, now, new=taken.new, hold=hold)
            break
        except IntegrityError:  # the same user or message at the same moment: the other one has stored it
            if attempt == 2:
                raise
    if taken.new and message.event is None:
        LINES.inc()
    return taken, mark


def _await(
    account: Account, message: Incoming, taken: inbound.Taken, mark: str, arrived_at: datetime, deadline: float
) -> str | None:
    """Holds the call until something is due, nothing will come, the wait is over for all its copies, or the time is up."""
    while True:
        seen = waiting.rung(taken.conversation_id)
        with db.reading() as session:
            now = outgoing.outlook(session, taken.user_id, mark, taken.seq)
        if now.over:
            with db.reading() as session:
                return outgoing.carried(session, taken.user_id, message.key)
        busy = (now.busy_until - clock.now()).total_seconds() if now.busy_until else 0.0
        left = deadline - time.monotonic()
        if now.due and busy <= 0 < left:
            with db.writing() as session:
                told = outgoing.take_along(session, account, taken.user_id, mark, message.key, arrived_at, clock.now())
                return told or outgoing.carried(session, taken.user_id, message.key)
        if left <= 0 or not (now.due or now.pending):
            with db.writing() as session:
                outgoing.give_up(session, taken.user_id, mark)
            wake.call(conversations.CHANGED, id=taken.conversation_id, seq=taken.seq)
            return None
        waiting.wait(taken.conversation_id, seen, min(left, busy if now.due else LOOK_SECONDS, LOOK_SECONDS))


# Binding


@bp.get("/bind")
@public
def bind_page(account_name: str) -> str:
    """Asks the signed-in customer whether this WeChat is theirs; who is not signed in is sent to the shop."""
    account = _account(account_name)
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
    account = _account(account_name)
    chosen = settings.load()
    wish = binding.read(request.form.get("code", ""), account)
    now = clock.now()
    with db.writing() as session:
        token = request.form.get("customer_token", "")
        customer = customer_access.customer_of_token(session, token, chosen.customer_token_secret, now)
        binding.bind_by_link(session, account, wish, customer, now)
    return render_template("wechat_bind.html", done=True, who="", shop_name=chosen.shop_name)
