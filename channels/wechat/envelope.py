"""What the platform sends and takes: signatures, encryption, XML. Nothing of a refused call is logged but the reason.

wechatpy does the cryptography; signatures are compared here, in constant time, and everything is checked before it is
parsed.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import PrpCrypto
from wechatpy.replies import TextReply

from channels.wechat.accounts import Account
from core.errors import Forbidden, TooLarge, ZhikeError

BODY_MOST_BYTES = 1024 * 1024
STALE_SECONDS = 600
DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST)", re.I)
AES_KEY_BYTES = 32


class Malformed(ZhikeError):
    """No message of the platform's."""

    def __init__(self, code: str) -> None:
        super().__init__("这不是一条能读懂的消息。", code=code)


def signature(*parts: str) -> str:
    """The platform's signature of these parts."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def _check(told: str, *parts: str) -> None:
    if not hmac.compare_digest(signature(*parts).encode(), told.encode(errors="replace")):
        raise Forbidden("签名不符。", code="signature")


def check_call(account: Account, query: Mapping[str, str], now: datetime) -> None:
    """The signature and the age of a call. Raises Forbidden."""
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    _check(query.get("signature", ""), account.token, stamp, nonce)
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Forbidden("时间戳不符。", code="timestamp")
    if abs(now.timestamp() - int(stamp)) > STALE_SECONDS:
        raise Forbidden("时间戳已过期。", code="timestamp")


def aes_key(encoded: str) -> bytes:
    """The key of an EncodingAESKey: 43 characters, the last of which has two spare bits. Raises Malformed."""
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}", encoded):
        raise Malformed("aes_key")
    key = base64.b64decode(encoded + "=")
    if len(key) != AES_KEY_BYTES:
        raise Malformed("aes_key")
    return key


def fields(body: bytes) -> dict[str, Any]:
    """The elements of a message's XML. Raises Malformed, TooLarge."""
    if len(body) > BODY_MOST_BYTES:
        raise TooLarge("消息太大了。", code="body")
    plain = body.replace(b"\0", b"")  # UTF-16 hides a declaration from whoever looks for it
    if DECLARATION.search(plain):
        raise Malformed("declaration")
    try:
        told = xmltodict.parse(body.decode("utf-8"), disable_entities=True)["xml"]
    except (ExpatError, ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("xml") from None
    if not isinstance(told, dict):
        raise Malformed("xml")
    return told


def opened(account: Account, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The fields of a delivered message, decrypted where the account's mode says so. Raises Forbidden, Malformed."""
    told = fields(body)
    if account.mode == "plain":
        return told
    encrypted = told.get("Encrypt")
    if not isinstance(encrypted, str) or query.get("encrypt_type") != "aes":
        raise Forbidden("消息没有加密。", code="not_encrypted")
    _check(query.get("msg_signature", ""), account.token, query["timestamp"], query["nonce"], encrypted)
    return fields(_decrypted(account, encrypted).encode())


def _decrypted(account: Account, encrypted: str) -> str:
    try:
        return str(PrpCrypto(aes_key(account.aes_key)).decrypt(encrypted, account.app_id))
    except Exception:  # broken in any of many ways, or for another AppID
        raise Forbidden("消息解不开，或不是发给这个公众号的。", code="app_id") from None


@dataclass(frozen=True)
class Incoming:
    """A message or an event. ``key`` is the same for each delivery of it; ``account_id`` the platform's own (gh_…)."""

    key: str
    openid: str
    to: str
    at: datetime
    kind: str  # text, image, voice, video, shortvideo, location, link, or event:subscribe …
    told: dict[str, Any]

    @property
    def event(self) -> str | None:
        """``subscribe``, ``CLICK`` … in small letters; None for a message."""
        return self.kind.removeprefix("event:") if self.kind.startswith("event:") else None

    def get(self, name: str) -> str:
        """A field's text."""
        value = self.told.get(name)
        return value if isinstance(value, str) else ""


def incoming(account: Account, told: dict[str, Any]) -> Incoming:
    """What was delivered. Raises Malformed."""
    openid, to, stamp = (str(told.get(name) or "") for name in ("FromUserName", "ToUserName", "CreateTime"))
    kind = str(told.get("MsgType") or "").lower()
    if not re.fullmatch(r"[\w-]{1,64}", openid, re.ASCII) or not re.fullmatch(r"\d{1,11}", stamp, re.ASCII) or not kind:
        raise Malformed("fields")
    if kind == "event":
        event = str(told.get("Event") or "").lower()
        key = f"wx:{account.name}:{openid[:40]}:{stamp}:{event[:12]}"
        kind = f"event:{event}"
    else:
        number = str(told.get("MsgId") or "")
        if not re.fullmatch(r"\d{1,24}", number, re.ASCII):
            raise Malformed("fields")
        key = f"wx:{account.name}:{number}"
    return Incoming(key, openid, to, datetime.fromtimestamp(int(stamp), UTC), kind, told)


def reply(account: Account, message: Incoming, text: str, now: datetime) -> str:
    """The body of a passive answer, encrypted where the account's mode says so."""
    answer = TextReply(source=message.to, target=message.openid, content=text.replace("]]>", "]] >"))
    answer.time = int(now.timestamp())
    xml = str(answer.render())
    if account.mode == "plain":
        return xml
    stamp, nonce = str(int(now.timestamp())), secrets.token_hex(8)
    sealed = PrpCrypto(aes_key(account.aes_key)).encrypt(xml, account.app_id).decode()
    signed = signature(account.token, stamp, nonce, sealed)
    return (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
        f"<TimeStamp>{stamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )
