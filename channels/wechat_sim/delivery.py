"""Brings what a user does to the account: signed, encrypted, one after the other for each user, three times at most."""

import http.client
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element

from channels.wechat_sim.chances import Chances, Fate
from channels.wechat_sim.crypto import Cipherer, NotOurs, signature
from channels.wechat_sim.messages import BadReply, Reply, parse, render, reply_of, value_of

DELIVERIES = 3
ANSWER_MOST_BYTES = 100_000
NO_ANSWER = {b"", b"success"}


class Mode(StrEnum):
    """How messages are written, as chosen in the platform's console."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class Outcome(StrEnum):
    """How a delivery ended."""

    OPEN = "open"
    EMPTY = "empty"  # taken, the answer comes by API or not at all
    PASSIVE = "passive"  # answered in the same call
    INVALID = "invalid"  # the user was shown an error text
    GIVEN_UP = "given_up"  # three times without an answer, an error text too


@dataclass
class Delivery:
    """A message or event on its way to the account."""

    openid: str
    msg_id: str  # of events too, where the platform itself has none
    is_event: bool
    fields: Mapping[str, str | int]
    tries: int = 0
    outcome: Outcome = Outcome.OPEN
    reason: str = ""  # what was wrong with an invalid answer
    log: list[tuple[float, str]] = field(default_factory=list)  # when each try began and ended, and how
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float = 60) -> "Delivery":
        """Until it has ended. Raises TimeoutError."""
        if not self.ended.wait(seconds):
            raise TimeoutError(f"message {self.msg_id} is still under way after {self.tries} tries")
        return self


@dataclass(frozen=True)
class Account:
    """What the platform knows of an official account. ``name`` is its original id (gh_…)."""

    callback_url: str
    app_id: str
    token: str
    aes_key: str
    mode: Mode
    name: str


class Envelope:
    """Signs and encrypts for an account, and opens its answers."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._cipherer = Cipherer(account.app_id, account.aes_key) if account.mode is not Mode.PLAIN else None

    def query(self, **more: str) -> dict[str, str]:
        """signature, timestamp and nonce, and what else there is."""
        stamp, nonce = str(int(time.time())), secrets.token_hex(8)
        signed = signature(self._account.token, stamp, nonce)
        return {"signature": signed, "timestamp": stamp, "nonce": nonce, **more}

    def seal(self, delivery: Delivery) -> tuple[str, bytes]:
        """Query and body of a delivery."""
        query = self.query(openid=delivery.openid)
        if self._cipherer is None:
            return urlencode(query), render(delivery.fields).encode()
        encrypted = self._cipherer.encrypt(render(delivery.fields))
        signed = signature(self._account.token, query["timestamp"], query["nonce"], encrypted)
        query |= {"encrypt_type": "aes", "msg_signature": signed}
        if self._account.mode is Mode.SAFE:
            return urlencode(query), render({"ToUserName": self._account.name, "Encrypt": encrypted}).encode()
        return urlencode(query), render({**delivery.fields, "Encrypt": encrypted}).encode()

    def open(self, delivery: Delivery, body: bytes) -> Reply:
        """The passive answer in a body. Raises BadReply when the platform would not show it."""
        root = parse(body)
        if root.find("Encrypt") is not None:
            root = parse(self._decrypted(value_of(root, "Encrypt"), root))
        elif self._account.mode is Mode.SAFE:
            raise BadReply("not encrypted")
        return reply_of(root, openid=delivery.openid, account=self._account.name, is_event=delivery.is_event)

    def _decrypted(self, encrypted: str, root: Element) -> str:
        stamp, nonce, signed = (value_of(root, name) for name in ("TimeStamp", "Nonce", "MsgSignature"))
        if self._cipherer is None:
            raise BadReply("encrypted in plain mode")
        if signed != signature(self._account.token, stamp, nonce, encrypted):
            raise BadReply("MsgSignature")
        try:
            return self._cipherer.decrypt(encrypted)
        except (NotOurs, UnicodeDecodeError) as error:
            raise BadReply(str(error)) from error


class Courier:
    """Delivers for one account. ``show(delivery, reply)`` is called with a passive answer, or None for an error text."""

    def __init__(
        self,
        account: Account,
        chances: Chances,
        redeliver_seconds: float,
        show: Callable[[Delivery, Reply | None], None],
    ) -> None:
        self._envelope = Envelope(account)
        self._where = urlsplit(account.callback_url)
        self._chances = chances
        self._show = show
        self.redeliver_seconds = redeliver_seconds
        self._queues: dict[str, queue.SimpleQueue[Delivery]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()

    def send(self, delivery: Delivery) -> None:
        """Takes it; it goes out after all earlier ones of its user."""
        with self._lock:
            waiting = self._queues.get(delivery.openid)
            if waiting is None:
                waiting = self._queues[delivery.openid] = queue.SimpleQueue()
                threading.Thread(target=self._carry, args=(waiting,), daemon=True, name="courier").start()
        waiting.put(delivery)

    def stop(self) -> None:
        """Nothing goes out any more."""
        self._over.set()

    def verify(self) -> bool:
        """What the console does when the address is entered: whether the account sends the echo back."""
        echo = secrets.token_hex(10)
        told = self._call("GET", urlencode(self._envelope.query(echostr=echo)), b"", Fate.ARRIVES)
        return told == (200, echo.encode())

    def _carry(self, waiting: "queue.SimpleQueue[Delivery]") -> None:
        while not self._over.is_set():
            try:
                delivery = waiting.get(timeout=0.5)
            except queue.Empty:
                continue
            self._deliver(delivery)
            if self._chances.happens(self._chances.repeat):
                later = self._chances.up_to(self._chances.repeat_seconds)
                threading.Thread(target=self._repeat, args=(delivery, later), daemon=True, name="repeat").start()

    def _deliver(self, delivery: Delivery) -> None:
        for _ in range(DELIVERIES):
            if self._over.is_set():
                return
            begun = time.monotonic()
            self._chances.hold(self._over)
            if self._try(delivery, self._chances.of_delivery()):
                break
            self._over.wait(begun + self.redeliver_seconds - time.monotonic())
        else:
            delivery.outcome = Outcome.GIVEN_UP
            self._show(delivery, None)
        delivery.ended.set()

    def _repeat(self, delivery: Delivery, later: float) -> None:
        """Once more although it was answered; a second passive answer is not shown."""
        self._over.wait(later)
        if not self._over.is_set():
            self._try(delivery, Fate.ARRIVES)

    def _try(self, delivery: Delivery, fate: Fate) -> bool:
        """One delivery; whether there was an answer."""
        delivery.tries += 1
        query, body = self._envelope.seal(delivery)
        delivery.log.append((time.time(), f"try {fate.value}"))
        told = self._call("POST", query, body, fate)
        delivery.log.append((time.time(), "no answer" if told is None else f"{told[0]}, {len(told[1])} bytes"))
        if told is None or told[0] != 200:
            return False
        self._take(delivery, told[1])
        return True

    def _take(self, delivery: Delivery, body: bytes) -> None:
        """An answer; a message gets one passive answer at most."""
        with self._lock:
            if delivery.outcome not in {Outcome.OPEN, Outcome.EMPTY}:
                return
            reply: Reply | None = None
            if body.strip() in NO_ANSWER:
                delivery.outcome = Outcome.EMPTY
                return
            try:
                reply = self._envelope.open(delivery, body)
                delivery.outcome = Outcome.PASSIVE
            except BadReply as error:
                delivery.outcome, delivery.reason = Outcome.INVALID, str(error)
        self._show(delivery, reply)

    def _call(self, method: str, query: str, body: bytes, fate: Fate) -> tuple[int, bytes] | None:
        """Status and body, or None when there was none in time."""
        host, port = self._where.hostname or "127.0.0.1", self._where.port or 80
        connection = http.client.HTTPConnection(host, port, timeout=self.redeliver_seconds)
        try:
            connection.putrequest(method, f"{self._where.path}?{query}")
            connection.putheader("Content-Type", "text/xml")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body[: len(body) // 2] if fate is Fate.CUT else body)
            if fate is Fate.CUT or (fate is Fate.UNHEARD and self._chances.happens(0.5)):
                return None  # gone at once; with the whole body sent, the other side answers into the void
            answer = connection.getresponse()
            told = answer.status, answer.read(ANSWER_MOST_BYTES)
            cut_off = bool(answer.length) and len(told[1]) < ANSWER_MOST_BYTES  # whoever was answering has died
            return None if fate is Fate.UNHEARD or cut_off else told
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
