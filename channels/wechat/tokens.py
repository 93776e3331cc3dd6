"""The access token of an account: kept in the database for all processes, renewed by one of them at a time."""

import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from channels.wechat import api
from channels.wechat.accounts import Account
from channels.wechat.models import WechatAccount
from channels.wechat.rules import Fate, fate
from core import clock, db
from core.sealing import seal, unseal

EARLY_SECONDS = 300
LEASE_SECONDS = 15
LOOK_SECONDS = 0.05
FORCED_APART = timedelta(seconds=30)


def current(account: Account, stale: str | None = None) -> str:
    """A token that is good as far as is known, other than ``stale``. Raises Refused, Unreachable.

    Whoever finds it due takes the lease and renews it; the others wait for that one.
    """
    deadline = time.monotonic() + LEASE_SECONDS
    while True:
        token = _kept(account, stale)
        if token is not None:
            return token
        if _lease(account, stale):
            return _renew(account, stale)
        if time.monotonic() > deadline:
            raise api.Unreachable("the token is being renewed")
        time.sleep(LOOK_SECONDS)


def using[T](account: Account, call: Callable[[str], T]) -> T:
    """``call(token)``; with a new token once more when the platform says that this one is not good. Raises as the call."""
    token = current(account)
    try:
        return call(token)
    except api.Refused as refused:
        if fate(refused.errcode) is not Fate.STALE_TOKEN:
            raise
    return call(current(account, stale=token))


def _kept(account: Account, stale: str | None) -> str | None:
    with db.reading() as session:
        return _good(session.get_one(WechatAccount, account.id), stale)


def _good(found: WechatAccount, stale: str | None) -> str | None:
    if found.access_token is None or found.renew_at is None or found.renew_at <= clock.now():
        return None
    token = unseal(found.access_token)
    return token if token != stale else None


def _locked(session: Session, account: Account) -> WechatAccount:
    return session.get_one(WechatAccount, account.id, with_for_update=True, populate_existing=True)


def _lease(account: Account, stale: str | None) -> bool:
    now = clock.now()
    with db.writing() as session:
        found = _locked(session, account)
        if _good(found, stale) or (found.refresh_until is not None and found.refresh_until > now):
            return False
        found.refresh_until = now + timedelta(seconds=LEASE_SECONDS)
        return True


def _renew(account: Account, stale: str | None) -> str:
    """An ordinary call gives the next token when the old one has run out; only one that is called bad early is forced."""
    with db.reading() as session:
        refreshed_at = session.get_one(WechatAccount, account.id).refreshed_at
    now = clock.now()
    early = stale is not None and refreshed_at is not None and now - refreshed_at < timedelta(seconds=EARLY_SECONDS)
    forced = early and refreshed_at is not None and now - refreshed_at >= FORCED_APART
    try:
        token, seconds = api.stable_token(account, force=forced)
    except (api.Refused, api.Unreachable, api.Unheard) as error:
        with db.writing() as session:
            _locked(session, account).refresh_until = None
        if isinstance(error, api.Unheard):
            raise api.Unreachable("no token") from None  # nothing has been sent
        raise
    with db.writing() as session:
        found = _locked(session, account)
        found.access_token, found.refresh_until, found.refreshed_at = seal(token), None, now
        found.renew_at = now + timedelta(seconds=max(seconds - EARLY_SECONDS, seconds / 2))
    return token
