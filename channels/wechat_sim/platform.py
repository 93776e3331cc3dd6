"""The stand-in itself: one official account, its users, and the server that plays the API and shows the page."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from channels.wechat_sim.chances import Chances
from channels.wechat_sim.delivery import Account, Courier, Delivery, Mode
from channels.wechat_sim.messages import Reply
from channels.wechat_sim.tokens import Tokens
from channels.wechat_sim.users import How, Line, User, openid_of

FAULT = "该公众号提供的服务出现故障，请稍后再试"
MEDIA_KEPT = 500


class Quiet(WSGIRequestHandler):
    """Says nothing about each call."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


class Platform:
    """WeChat as an official account meets it. All it hands out lives in memory.

    ``clock`` gives the seconds by which tokens and windows end; ``bound`` tells the page who an OpenID is in the shop.
    """

    def __init__(
        self,
        callback_url: str,
        app_id: str,
        token: str,
        aes_key: str = "",
        mode: str = Mode.SAFE,
        *,
        secret: str = "",
        account: str = "gh_zhikestandin",
        redeliver_seconds: float = 5.0,
        token_seconds: float = 7200.0,
        port: int = 0,
        chances: Chances | None = None,
        clock: Callable[[], float] = time.time,
        bound: Callable[[str], str] = lambda _: "",
    ) -> None:
        self.account = Account(callback_url, app_id, token, aes_key, Mode(mode), account)
        self.secret = secret or secrets.token_hex(16)
        self.clock, self.bound = clock, bound
        self.chances = chances or Chances()
        self.tokens = Tokens(token_seconds, clock)
        self.menu: dict[str, object] = {}
        self.refused: list[tuple[str, int]] = []  # OpenID, and the 45015 or 45047 that had to be returned
        self.refreshes: list[float] = []  # when a token was asked for, whether or not a new one was due
        self.calls: dict[str, int] = {}  # API calls by path
        self.unheard: list[tuple[str, str]] = []  # OpenID and text of sends carried out whose answer was lost
        self._failures: list[tuple[str, int]] = []
        self._users: dict[str, User] = {}
        self._media: dict[str, tuple[bytes, str]] = {}
        self._numbers = itertools.count(23_000_000_000_000_000 + secrets.randbelow(10**12) * 1000)
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._courier = Courier(self.account, self.chances, redeliver_seconds, self._show)

    # the server

    def start(self) -> "Platform":
        """Listens on the loopback."""
        from channels.wechat_sim.api import create_app

        self._server = make_server("127.0.0.1", self._port, create_app(self), threaded=True, request_handler=Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), daemon=True, name="wechat-sim").start()
        return self

    def stop(self) -> None:
        """The end; what is under way is not delivered."""
        self._over.set()
        self._courier.stop()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> "Platform":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def over(self) -> threading.Event:
        """Set at the end."""
        return self._over

    @property
    def base(self) -> str:
        """The API's address, once started."""
        return f"http://127.0.0.1:{self._server.server_port if self._server else self._port}"

    def verify(self) -> bool:
        """Whether the account's address answers as the console wants it."""
        return self._courier.verify()

    # users and what they do

    def user(self, openid: str, *, name: str = "", unionid: str = "") -> User:
        """Somebody who follows the account; made when new."""
        with self._lock:
            if openid not in self._users:
                self._users[openid] = User(self, openid, name or openid, unionid)
            return self._users[openid]

    def user_named(self, name: str, unionid: str = "") -> User:
        """The same by a name; a new one does not follow the account yet."""
        openid = openid_of(self.account.app_id, name)
        with self._lock:
            known = openid in self._users
            made = self.user(openid, name=name, unionid=unionid)
            made.subscribed = made.subscribed and known
            return made

    def find(self, openid: str) -> User | None:
        """The user, if there is one."""
        with self._lock:
            return self._users.get(openid)

    @property
    def users(self) -> list[User]:
        """All of them."""
        with self._lock:
            return list(self._users.values())

    def next_msg_id(self) -> int:
        """A MsgId nobody had."""
        return next(self._numbers)

    def deliver(self, delivery: Delivery) -> Delivery:
        """On its way to the account."""
        self._courier.send(delivery)
        return delivery

    def _show(self, delivery: Delivery, reply: Reply | None) -> None:
        user, now = self.user(delivery.openid), self.clock()
        if reply is None:
            if not delivery.is_event:  # a wrong answer to an event shows nothing
                user.sees(Line(How.PLATFORM, "error", FAULT, answers=delivery.msg_id, at=now))
        elif reply.kind != "transfer_customer_service":
            passive = Line(How.PASSIVE, reply.kind, reply.text, reply.media_id, reply.articles, delivery.msg_id, at=now)
            user.sees(passive)

    # media

    def keep(self, data: bytes, content_type: str) -> str:
        """Keeps a file; its media_id."""
        media_id = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._media) >= MEDIA_KEPT:
                del self._media[next(iter(self._media))]
            self._media[media_id] = data, content_type
        return media_id

    def media(self, media_id: str) -> tuple[bytes, str] | None:
        """A file and its type."""
        return self._media.get(media_id)

    # trouble on demand

    def fail(self, errcode: int, times: int = 1, call: str = "message/custom/send") -> None:
        """The next calls of this kind are refused so."""
        with self._lock:
            self._failures += [(call, errcode)] * times

    def next_failure(self, call: str) -> int:
        """The errcode this call is to get, or 0."""
        with self._lock:
            for number, (wanted, errcode) in enumerate(self._failures):
                if wanted == call:
                    del self._failures[number]
                    return errcode
        return 0

    def expire_tokens(self) -> None:
        """All access tokens are at their end."""
        self.tokens.expire()

    @property
    def sends_refused(self) -> int:
        """How often 45015 or 45047 had to be returned (those ordered by ``fail`` do not count)."""
        return len(self.refused)

    def note(self, call: str) -> None:
        """Counts an API call."""
        with self._lock:
            self.calls[call] = self.calls.get(call, 0) + 1
            if call == "stable_token":
                self.refreshes.append(self.clock())
