"""Somebody in WeChat: what they do, and what they see."""

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from channels.wechat_sim.delivery import Delivery
from channels.wechat_sim.ledger import Action, Ledger
from channels.wechat_sim.messages import Article

if TYPE_CHECKING:
    from channels.wechat_sim.platform import Platform


class How(StrEnum):
    """Which way a line came to the user."""

    PASSIVE = "passive"
    API = "api"
    PLATFORM = "platform"  # the platform's own words
    OWN = "own"  # the user's


@dataclass(frozen=True)
class Line:
    """A line in the user's chat. ``answers`` is the msg_id a passive answer belongs to; ``at`` in epoch seconds."""

    how: How
    kind: str
    text: str = ""
    media_id: str = ""
    articles: tuple[Article, ...] = ()
    answers: str = ""
    at: float = 0.0


def openid_of(app_id: str, name: str) -> str:
    """28 characters; the same name has the same one at each start."""
    return "o" + base64.urlsafe_b64encode(hashlib.sha256(f"{app_id}/{name}".encode()).digest()).decode()[:27]


class User:
    """One OpenID of the account."""

    def __init__(self, platform: "Platform", openid: str, name: str, unionid: str) -> None:
        self._platform = platform
        self._changed = threading.Condition()
        self.openid, self.name, self.unionid = openid, name, unionid
        self.subscribed = True
        self.ledger = Ledger()
        self.lines: list[Line] = []
        self.version = 0
        self.acted_at = 0.0
        self.typing_until = 0.0
        self._last_event_at = 0

    # what the user sees

    @property
    def received(self) -> list[Line]:
        """Everything but the own lines, in order."""
        with self._changed:
            return [line for line in self.lines if line.how is not How.OWN]

    @property
    def texts(self) -> list[str]:
        """The texts received, in order."""
        return [line.text for line in self.received]

    @property
    def sends_left(self) -> int:
        """API sends the platform would let pass now."""
        return self.ledger.left(self._platform.clock())

    @property
    def window_ends(self) -> float | None:
        """When the last window closes, in seconds of the platform's clock."""
        return self.ledger.ends(self._platform.clock())

    def sees(self, line: Line) -> None:
        """A line appears."""
        with self._changed:
            self.lines.append(line)
        self.touch()

    def touch(self) -> None:
        """Something about the user is new."""
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def wait_for(self, fits: Callable[["User"], bool], seconds: float = 30) -> "User":
        """Until something holds of the user. Raises TimeoutError with what was seen."""
        end = time.monotonic() + seconds
        with self._changed:
            while not fits(self):
                if not self._changed.wait(end - time.monotonic()) and time.monotonic() >= end and not fits(self):
                    raise TimeoutError(f"{self.name} sees {[(str(line.how), line.text) for line in self.lines]}")
        return self

    def wait_changed(self, version: int, seconds: float) -> None:
        """Until the version is another, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, seconds)

    # what the user does

    def sends(self, text: str) -> Delivery:
        """A text."""
        return self._message("text", {"Content": text}, Line(How.OWN, "text", text))

    def sends_image(self, data: bytes, content_type: str = "image/png") -> Delivery:
        """A picture."""
        media_id = self._platform.keep(data, content_type)
        fields = {"PicUrl": f"{self._platform.base}/sim/media/{media_id}", "MediaId": media_id}
        return self._message("image", fields, Line(How.OWN, "image", media_id=media_id))

    def sends_voice(self, recognition: str) -> Delivery:
        """A voice message with its recognised text."""
        media_id = self._platform.keep(b"#!AMR\n", "audio/amr")
        fields = {"MediaId": media_id, "Format": "amr", "Recognition": recognition}
        return self._message("voice", fields, Line(How.OWN, "voice", recognition))

    def sends_location(self, latitude: str, longitude: str, label: str) -> Delivery:
        """A place."""
        fields = {"Location_X": latitude, "Location_Y": longitude, "Scale": "15", "Label": label}
        return self._message("location", fields, Line(How.OWN, "location", label))

    def sends_link(self, title: str, description: str, url: str) -> Delivery:
        """A link."""
        fields = {"Title": title, "Description": description, "Url": url}
        return self._message("link", fields, Line(How.OWN, "link", title))

    def sends_video(self, data: bytes) -> Delivery:
        """A video."""
        media_id = self._platform.keep(data, "video/mp4")
        fields = {"MediaId": media_id, "ThumbMediaId": media_id}
        return self._message("video", fields, Line(How.OWN, "video", "视频"))

    def clicks(self, key: str) -> Delivery:
        """A button of the account's menu."""
        return self._event("CLICK", {"EventKey": key}, "", Action.TOUCH)

    def views(self, url: str) -> Delivery:
        """A menu button that opens a page; gives the account nothing to send."""
        return self._event("VIEW", {"EventKey": url}, "", None)

    def follows(self, scene: str = "") -> Delivery:
        """The account, perhaps by a QR code."""
        self.subscribed = True
        return self._event("subscribe", {"EventKey": f"qrscene_{scene}" if scene else ""}, "已关注", Action.TOUCH)

    def scans(self, scene: str) -> Delivery:
        """A QR code, already following."""
        return self._event("SCAN", {"EventKey": scene, "Ticket": f"ticket_{scene}"}, "已扫码", Action.TOUCH)

    def leaves(self) -> Delivery:
        """The account."""
        self.subscribed = False
        self.ledger.close()
        return self._event("unsubscribe", {"EventKey": ""}, "已取消关注", None)

    def _head(self, kind: str) -> dict[str, str | int]:
        account = self._platform.account.name
        return {
            "ToUserName": account,
            "FromUserName": self.openid,
            "CreateTime": int(time.time()),
            "MsgType": kind,
        }

    def _message(self, kind: str, fields: dict[str, str], line: Line) -> Delivery:
        msg_id = self._platform.next_msg_id()
        body = {**self._head(kind), **fields, "MsgId": msg_id}
        self._acted(Action.MESSAGE, line)
        return self._platform.deliver(Delivery(self.openid, str(msg_id), False, body))

    def _event(self, event: str, fields: dict[str, str], told: str, action: Action | None) -> Delivery:
        body = {**self._head("event"), "Event": event, **fields}
        # events have no number: OpenID and CreateTime tell them apart, so no two of a user share a second
        body["CreateTime"] = self._last_event_at = max(self._last_event_at + 1, int(time.time()))
        self._acted(action, Line(How.PLATFORM, "notice", told) if told else None)
        return self._platform.deliver(Delivery(self.openid, f"{self.openid}{body['CreateTime']}", True, body))

    def _acted(self, action: Action | None, line: Line | None) -> None:
        self.acted_at = self._platform.clock()
        if action is not None:
            self.ledger.did(action, self.acted_at)
        if line is not None:
            with self._changed:
                self.lines.append(Line(line.how, line.kind, line.text, line.media_id, at=self.acted_at))
        self.touch()
