"""Who may call what. Every route says ``@public``, ``@customer`` or ``@agent``; one that says nothing is refused.

Customers and agents send bearer tokens and no cookies, so a foreign page cannot act for them (no CSRF).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from apiflask import APIFlask
from flask import g, request
from sqlalchemy import bindparam, select

from core import clock, db, settings
from core.errors import NotFound, Unauthenticated
from core.ids import token_hash
from core.text import storable
from helpdesk.conversations.models import Conversation
from helpdesk.staff import usecases as staff

View = TypeVar("View", bound=Callable[..., Any])
SEEN_EVERY_SECONDS = 15.0
OPEN_ENDPOINTS = {"static", "openapi.spec"}


def _mark(kind: str) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.zhike_access = kind  # type: ignore[attr-defined]
        return view

    return mark


public = _mark("public")
customer = _mark("customer")
agent = _mark("agent")


def kind_of(app: APIFlask, endpoint: str | None) -> str | None:
    """What a route says; None when it says nothing."""
    if endpoint in OPEN_ENDPOINTS:
        return "public"
    return getattr(app.view_functions.get(endpoint or ""), "zhike_access", None)


def guard(app: APIFlask) -> None:
    """Checks the token before each request."""

    @app.before_request
    def check() -> None:
        if request.url_rule is None:
            return
        if not all(storable(str(part)) for part in (request.view_args or {}).values()):
            raise NotFound("没有找到您要的内容，请核对后再试。")
        kind = kind_of(app, request.endpoint)
        if kind == "customer":
            g.conversation_id = conversation_of(bearer(), (request.view_args or {}).get("conversation_id"))
        elif kind == "agent":
            g.agent_id = agent_of(bearer())
        elif kind != "public":
            raise Unauthenticated("这个地址还没有开放。", code="unmarked")


def bearer() -> str:
    """The token of the request. Raises Unauthenticated."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("登录信息缺失，请重新进入。", code="no_token")
    return token.strip()


_OF_TOKEN = select(Conversation.id).where(Conversation.token_hash == bindparam("hash"))


def conversation_of(token: str, wanted: str | None) -> str:
    """The talk a token opens. Raises Unauthenticated for no talk's token, NotFound for another talk's."""
    with db.reading() as session:
        found = session.scalar(_OF_TOKEN, {"hash": token_hash(token)})
    if found is None:
        raise Unauthenticated("会话已失效，请刷新页面重新开始。", code="token")
    if wanted is not None and found != wanted:
        raise NotFound("没有找到这个会话。")
    return found


def seen_every_seconds() -> float:
    """How often a sign of life is written down: several times within the presence time-out."""
    return min(SEEN_EVERY_SECONDS, settings.load().presence_timeout_seconds / 4)


def agent_of(token: str) -> int:
    """The agent a token belongs to; counts as a sign of life. Raises Unauthenticated."""
    now = clock.now()
    with db.reading() as session:
        found = staff.agent_of(session, token, now)
        agent_id, seen_at = found.id, found.seen_at
    if seen_at is None or now - seen_at > timedelta(seconds=seen_every_seconds()):
        with db.writing() as session:
            staff.seen(session, [agent_id], now)
    return agent_id
