"""The connected accounts: added, found, listed."""

import re
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.wechat.models import WechatAccount
from core import db
from core.errors import Invalid, NotFound
from core.sealing import seal, unseal

MODES = ("plain", "compatible", "safe")
KEPT_SECONDS = 1.0
API_BASE = "https://api.weixin.qq.com"


@dataclass(frozen=True)
class Account:
    """An account with its secrets readable."""

    id: int
    name: str
    app_id: str
    token: str
    aes_key: str
    secret: str
    mode: str
    api_base: str

    @property
    def channel(self) -> str:
        """Under which its users are known (ChannelIdentity)."""
        return f"wechat:{self.name}"


def add(
    session: Session,
    now: datetime,
    *,
    name: str,
    app_id: str,
    token: str,
    aes_key: str,
    secret: str,
    mode: str,
    api_base: str = API_BASE,
) -> WechatAccount:
    """Connects an account, or changes the one of this name. Raises Invalid."""
    for fits, detail in (
        (re.fullmatch(r"[a-z0-9-]{1,20}", name), "名称用 1–20 个小写字母、数字或短横线。"),
        (re.fullmatch(r"[A-Za-z0-9_-]{1,40}", app_id), "AppID 不对，请从公众平台复制。"),
        (re.fullmatch(r"[A-Za-z0-9]{3,32}", token), "Token 是 3–32 个字母或数字。"),
        (mode in MODES, "模式是 plain、compatible 或 safe。"),
        (mode == "plain" or re.fullmatch(r"[A-Za-z0-9+/]{43}", aes_key), "EncodingAESKey 是 43 个字母或数字。"),
        (secret, "缺少 AppSecret：请从标准输入给一行。"),
        (re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", api_base), "API 地址不对。"),
    ):
        if not fits:
            raise Invalid(detail, code="wechat_account")
    found = session.scalar(select(WechatAccount).where(WechatAccount.name == name))
    if found is None:
        found = WechatAccount(name=name, created_at=now)
        session.add(found)
    elif found.app_id != app_id:
        raise Invalid("这个名称已经属于另一个 AppID，请换一个名称。", code="wechat_account")
    found.app_id, found.mode, found.api_base = app_id, mode, api_base.rstrip("/")
    found.token, found.aes_key, found.secret = seal(token), seal(aes_key), seal(secret)
    found.access_token = found.renew_at = found.refresh_until = None
    session.flush()
    return found


@lru_cache(maxsize=1000)
def _readable(sealed: str) -> str:
    return unseal(sealed)


def known(found: WechatAccount) -> Account:
    """The account with its secrets readable."""
    token, aes_key, secret = (_readable(sealed) for sealed in (found.token, found.aes_key, found.secret))
    return Account(found.id, found.name, found.app_id, token, aes_key, secret, found.mode, found.api_base)


def find(session: Session, name: str) -> Account:
    """The account of this name. Raises NotFound."""
    found = session.scalar(select(WechatAccount).where(WechatAccount.name == name))
    if found is None:
        raise NotFound("没有接入这个公众号。")
    return known(found)


_recent: dict[str, tuple[float, Account]] = {}


def recent(name: str) -> Account:
    """As :func:`find`, as it was within the last second: it is asked for each call of the platform. Raises NotFound."""
    kept = _recent.get(name)
    if kept is None or time.monotonic() - kept[0] > KEPT_SECONDS:
        with db.reading() as session:
            kept = _recent[name] = time.monotonic(), find(session, name)
    return kept[1]
