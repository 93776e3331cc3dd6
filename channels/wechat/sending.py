"""Makes the calls that outgoing.py claims, and notes what came of them."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from channels import web
from channels.wechat import api, binding, outgoing, tokens
from channels.wechat.accounts import known
from channels.wechat.models import WechatAccount, WechatUser
from channels.wechat.rules import Fate, fate
from core import clock, db
from core.errors import Busy, NotFound

log = logging.getLogger(__name__)
KEEP_SECONDS, AGAIN_SECONDS = 60.0, 0.5


def send(job: outgoing.Job) -> None:
    """One call, and its result into the outbox; after the first one to a user also a look for the UnionID."""
    try:
        tokens.using(job.account, lambda token: _call(job, token))
    except api.Refused as refused:
        log.warning("the platform refused a send: errcode %s", refused.errcode)
        _settle(job, fate(refused.errcode), counted=False)
    except api.Unreachable as error:
        log.warning("the platform cannot be reached: %s", error)
        _settle(job, Fate.AGAIN, counted=False)
    except api.Unheard:
        _keep(lambda session: outgoing.unheard(session, job, clock.now()))
    except NotFound:
        _settle(job, Fate.NEVER, counted=False)  # the picture is gone
    else:
        _settle(job, Fate.SENT)
    if not job.looked_up:
        look_up(job.user_id)


def _settle(job: outgoing.Job, what: Fate, *, counted: bool = True) -> None:
    _keep(lambda session: outgoing.settle(session, job, what, clock.now(), counted=counted))


def _keep(note: Callable[[Session], object]) -> None:
    """Stores what came of a call. While the database is busy or away it is tried again: forgotten, the call would be made again."""
    until, pause = time.monotonic() + KEEP_SECONDS, threading.Event()
    while True:
        try:
            with db.writing() as session:
                note(session)
            return
        except (Busy, OperationalError):
            if time.monotonic() > until:
                raise
            log.warning("what came of a send could not be stored; once more")
            pause.wait(AGAIN_SECONDS)


def _call(job: outgoing.Job, token: str) -> None:
    api.send(job.account, token, job.openid, _message(job, token))


def _message(job: outgoing.Job, token: str) -> dict[str, Any]:
    content = job.content
    if content["type"] == "text":
        return {"msgtype": "text", "text": {"content": content["text"]}}
    if content["type"] == "image":
        return {"msgtype": "image", "image": {"media_id": _uploaded(job, token, content["url"])}}
    article = {name: content[name] for name in ("title", "description", "url")} | {"picurl": ""}
    return {"msgtype": "news", "news": {"articles": [article]}}


def _uploaded(job: outgoing.Job, token: str, url: str) -> str:
    """The media_id of a picture of ours; an upload has no effect on the customer, so one unheard is just tried later."""
    parts = urlsplit(url)
    conversation_id, name = parts.path.split("/")[-2:]
    path = web.picture_path(conversation_id, name, (parse_qs(parts.query).get("s") or [""])[0])
    try:
        return api.upload(job.account, token, name, path.read_bytes())
    except api.Unheard as error:
        raise api.Unreachable(str(error)) from None


def look_up(user_id: int) -> None:
    """Asks the platform once for the user's UnionID; without one, or when it does not say, nothing changes."""
    with db.reading() as session:
        user = session.get_one(WechatUser, user_id)
        account, openid = known(session.get_one(WechatAccount, user.account_id)), user.openid
    try:
        unionid = tokens.using(account, lambda token: api.unionid(account, token, openid))
    except (api.Refused, api.Unreachable, api.Unheard):
        unionid = None
    with db.writing() as session:
        found = session.get_one(WechatUser, user_id, with_for_update=True)
        binding.set_unionid(session, found, unionid, clock.now())
