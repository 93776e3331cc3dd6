"""How a line looks in WeChat, what a number typed there means, and what may be sent when. Pure.

The facts are the platform's: text of at most 2,048 bytes; 5 sends within 48 hours after a customer's message, 3 within a
minute after a click, a follow or a scan; an answer within five seconds, else the same message again, three times in all.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote

TEXT_MOST_BYTES = 2048
MENU_MOST = 9
Content = dict[str, Any]

# Text


def size(text: str) -> int:
    """Bytes as the platform counts them."""
    return len(text.encode())


SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]+[”」』）)]*|[^。！？!?；;\n]+$")


def split(text: str, most: int = TEXT_MOST_BYTES) -> list[str]:
    """The text in pieces of at most ``most`` bytes, cut after sentences where that is possible."""
    pieces: list[str] = []
    piece = ""
    for sentence in (part for whole in SENTENCE.findall(text) for part in _cut(whole, most)):
        if piece and size(piece + sentence) > most:
            pieces.append(piece.strip())
            piece = ""
        piece += sentence
    return [p for p in (*pieces, piece.strip()) if p]


def _cut(sentence: str, most: int) -> list[str]:
    """A sentence that alone is too long, cut between characters."""
    cut: list[str] = []
    while size(sentence) > most:
        head = sentence.encode()[:most].decode(errors="ignore")
        cut.append(head)
        sentence = sentence[len(head) :]
    return [*cut, sentence]


def joined(texts: Sequence[str]) -> str:
    """Several lines as one message."""
    return "\n\n".join(texts)


# Menus

NUMERALS = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
CHOICE = re.compile(
    r"(?:我?选择?|回复|第)?\s*(\d{1,2}|[一二两三四五六七八九十])\s*(?:个|项|号|分|星)?[.。、,，:：)）!！~吧\s]*"
)


def number(text: str) -> int | None:
    """The number a short text stands for: 2, ２, 二, ②, "2."、"第二个"; None when it is anything else."""
    found = CHOICE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    return int(found[1]) if found[1].isdigit() else NUMERALS[found[1]]


def chosen(text: str, menu: Sequence[str]) -> str:
    """What a customer's text says, a number of the last menu read as its entry."""
    n = number(text)
    return menu[n - 1] if n is not None and 1 <= n <= len(menu) else text


@dataclass(frozen=True)
class Option:
    """An entry of a menu: as shown, and what choosing it says."""

    title: str
    value: str


def options(payload: dict[str, Any] | None) -> list[Option]:
    """The buttons of a line, and the actions of its cards."""
    told = payload or {}
    found = [
        Option(b["title"], b.get("value") or b["title"]) for b in (*told.get("buttons", []), *told.get("actions", []))
    ]
    things = [told.get("order") or {}, *told.get("orders", []), *told.get("products", [])]
    several = len(things) > 2
    for thing in things:
        for action in thing.get("actions", []):
            value = action.get("value") or action["title"]
            found.append(Option(value if several else action["title"], value))
    return found[:MENU_MOST]


# Lines


@dataclass(frozen=True)
class Line:
    """A line of a talk as these rules need it."""

    sender: str
    kind: str
    text: str
    payload: dict[str, Any] | None = None


def render(line: Line, site: str) -> list[Content]:
    """What is sent for a line, in order; ``site``: the address links lead to, without a slash at its end."""
    payload = line.payload or {}
    if line.kind == "image":
        return [{"type": "image", "url": str(payload.get("url", ""))}]
    if payload.get("card") == "article":
        return [_news(line, payload, site)]
    menu = options(payload)
    text = line.text
    if line.kind == "rating":
        text += "\n（请回复 1–5 分）"
    elif menu:
        text += "\n\n" + "\n".join(f"回复 {n} {option.title}" for n, option in enumerate(menu, 1))
    parts: list[Content] = [{"type": "text", "text": piece} for piece in split(text)]
    if (parts and line.sender == "bot") or (parts and menu):
        parts[-1]["menu"] = [option.value for option in menu]
    return parts


def _news(line: Line, payload: dict[str, Any], site: str) -> Content:
    url = f"{site}/help/{quote(str(payload.get('id', '')))}"
    return {"type": "news", "title": str(payload.get("question", ""))[:60], "description": line.text[:120], "url": url}


def together(contents: Sequence[Content]) -> int:
    """How many of these, from the first on, go out as one message: texts that fit into one."""
    if not contents or contents[0]["type"] != "text":
        return min(1, len(contents))
    n = 1
    while n < len(contents) and contents[n]["type"] == "text":
        if size(joined([c["text"] for c in contents[: n + 1]])) > TEXT_MOST_BYTES:
            break
        n += 1
    return n


def menu_after(contents: Sequence[Content], before: Sequence[str]) -> list[str]:
    """The menu that counts once these have been sent: a newer question of the bot's ends an older menu."""
    for content in reversed(contents):
        if "menu" in content:
            return list(content["menu"])
    return list(before)


# What may be sent

MESSAGE_SENDS, MESSAGE_WINDOW = 5, timedelta(hours=48)
EVENT_SENDS, EVENT_WINDOW = 3, timedelta(minutes=1)
FLIGHT = timedelta(seconds=2)  # a send begun this close before the end may arrive after it


class Held(StrEnum):
    """Why a line cannot go out."""

    LEFT = "left"
    WINDOW = "window"
    SENDS = "sends"
    QUOTA = "quota"
    AUTHORISED = "authorised"
    FAILED = "failed"
    UNCERTAIN = "uncertain"

    @property
    def told(self) -> str:
        """As agents read it, with what can be done."""
        return {
            "left": "客户已取消关注，微信不再允许发送。可以建一个回电任务。",
            "window": "客户超过 48 小时没有发来消息，微信暂不允许发送。客户一来消息就会自动发出；着急的话请建回电任务。",
            "sends": "客户上次来消息后已发满 5 条，微信暂不允许再发。客户一来消息就会自动发出；着急的话请建回电任务。",
            "quota": "公众号今天的发送额度用完了，额度恢复后会自动发出。",
            "authorised": "这个公众号没有客服消息的权限，请联系管理员在公众平台开通。",
            "failed": "试了几次都没能发出去，请换一种方式联系客户。",
            "uncertain": "不确定客户是否收到，请在客户下次来消息时确认一下。",
        }[self.value]


@dataclass(frozen=True)
class Ledger:
    """What the platform has counted for a customer: see models.WechatUser."""

    subscribed: bool
    message_at: datetime | None
    event_at: datetime | None
    sends: tuple[float, ...]

    def _grants(self, now: datetime) -> list[tuple[int, datetime]]:
        """(sends left, end) of each window that is open."""
        open_ = []
        for begun, most, window in (
            (self.message_at, MESSAGE_SENDS, MESSAGE_WINDOW),
            (self.event_at, EVENT_SENDS, EVENT_WINDOW),
        ):
            if begun is not None and now < begun + window - FLIGHT:
                used = sum(1 for at in self.sends if at >= begun.timestamp())
                open_.append((max(0, most - used), begun + window))
        return open_

    def left(self, now: datetime) -> int:
        """How many sends the platform would still take."""
        return max((left for left, _ in self._grants(now)), default=0) if self.subscribed else 0

    def ends_at(self, now: datetime) -> datetime | None:
        """When the window closes; None when none is open."""
        return max((end for _, end in self._grants(now)), default=None) if self.subscribed else None

    def why_not(self, now: datetime) -> Held | None:
        """Why nothing may be sent now; None when something may."""
        if self.left(now):
            return None
        if not self.subscribed:
            return Held.LEFT
        return Held.SENDS if self._grants(now) else Held.WINDOW


SENDS_KEPT = 12


def with_send(sends: Sequence[float], at: datetime) -> list[float]:
    """The times of sends with one more."""
    return [*sends, at.timestamp()][-SENDS_KEPT:]


class Fate(StrEnum):
    """What becomes of a send by the platform's answer."""

    SENT = "sent"
    STALE_TOKEN = "stale_token"  # noqa: S105 – a name
    WINDOW = "window"
    SENDS = "sends"
    QUOTA = "quota"
    NEVER = "never"
    AGAIN = "again"


FATES = {
    0: Fate.SENT,
    40001: Fate.STALE_TOKEN,
    40014: Fate.STALE_TOKEN,
    42001: Fate.STALE_TOKEN,
    45015: Fate.WINDOW,
    43101: Fate.WINDOW,
    43004: Fate.WINDOW,
    45047: Fate.SENDS,
    45009: Fate.QUOTA,
    48001: Fate.NEVER,
    40003: Fate.NEVER,
    -1: Fate.AGAIN,
}
TRIES_MOST = 120  # two hours: longer than the platform is usually away
QUOTA_PAUSE = timedelta(hours=1)


def fate(errcode: int) -> Fate:
    """What the platform's errcode means for a send."""
    return FATES.get(errcode, Fate.AGAIN)


def pause_after(tries: int) -> timedelta:
    """How long to wait before the next try."""
    return timedelta(seconds=min(60, 2 ** max(0, tries - 1)))


# Five seconds


def may_be_the_last(age_seconds: float, patience_seconds: float) -> bool:
    """Whether this may be the third delivery: an answer that gets lost now would not be asked for again."""
    return age_seconds >= 2 * patience_seconds


def given_up_soon(age_seconds: float, gap_seconds: float, patience_seconds: float) -> bool:
    """Whether a message that was answered comes a last time, the answer unheard: the platform asks again only after it
    has waited in vain. (A copy that comes sooner is an echo; the same answer again does no harm, it is shown once.)"""
    return may_be_the_last(age_seconds, patience_seconds) and gap_seconds >= 0.75 * patience_seconds
