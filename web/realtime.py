"""The sockets: they push what is new to the customer's page and the desk. Only a hurry-up: the database is the truth.

Rooms: ``talk:<id>`` for a talk's customers (namespace /chat), ``agent:<id>`` and ``agents`` (namespace /desk). All
pushes of a process come from its one wake thread, so they keep the order of the commits.
"""

import logging
import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from flask import request
from flask_socketio import ConnectionRefusedError, Namespace, SocketIO, emit, join_room, leave_room
from socketio import Manager, RedisManager
from socketio.packet import ACK, CONNECT, DISCONNECT, EVENT, Packet
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, db, settings, wake
from core.errors import ZhikeError
from core.ids import token_hash
from core.text import storable
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import State
from helpdesk.routing import consulting, queue
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import Presence
from web import shapes
from web.access import agent_of, conversation_of, seen_every_seconds

log = logging.getLogger(__name__)
PACKET_MOST_BYTES = 16 * 1024
PUSH_QUEUE = "push_queue"  # wake topic: {} – now
QUEUE_EVERY_SECONDS = 0.3
BEYOND_MOST = 100  # lines remembered one by one behind a gap (a note is a line no customer is sent)
QUEUE_SHOWN = 100  # of those who wait an agent is shown the first


class OwnPacket(Packet):
    """A packet in which rubbish is taken for a farewell to nobody, instead of for an error with a stack in the log."""

    packet_type: int
    data: Any

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        if given.get("encoded_packet") == "":
            self._is_rubbish()

    def decode(self, encoded_packet: Any) -> Any:
        """Reads a packet. We send and take no binary ones."""
        with suppress(Exception):
            super().decode(encoded_packet)
            if self.packet_type in {CONNECT, DISCONNECT, ACK}:
                return 0
            if (
                self.packet_type == EVENT
                and isinstance(self.data, list)
                and self.data
                and isinstance(self.data[0], str)
            ):
                return 0
        self._is_rubbish()
        return 0

    def _is_rubbish(self) -> None:
        self.packet_type, self.namespace, self.id, self.data = DISCONNECT, "/nobody", None, None


class _Told:
    """Which lines a customer's connection has been sent: all up to a seq, and some beyond it."""

    def __init__(self, upto: int) -> None:
        self._upto = upto
        self._beyond: set[int] = set()

    def is_news(self, seq: int) -> bool:
        """Whether the line was not sent yet; then it counts as sent."""
        if seq <= self._upto or seq in self._beyond:
            return False
        self._beyond.add(seq)
        while self._upto + 1 in self._beyond or len(self._beyond) > BEYOND_MOST:
            self._upto = min(self._beyond)
            self._beyond.discard(self._upto)
        return True


class OnceManager(Manager):
    """Sends each line once to a connection: of two processes both may push it, and a page that connects has read it already.
    A line that is pushed while a page connects waits until that page has what came before it."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.lock = threading.RLock()
        self.told: dict[str, _Told] = {}  # by sid, of connections to CHAT

    def emit(self, event: str, data: Any, namespace: str, room: Any = None, skip_sid: Any = None, **given: Any) -> None:
        """To the connections of this process."""
        if namespace != CHAT or event != "message":
            if self._anybody(namespace, given.get("to") or room):
                super().emit(event, data, namespace, room=room, skip_sid=skip_sid, **given)
            return
        with self.lock:
            if not self._anybody(namespace, given.get("to") or room):
                return
            there = [sid for sid, _ in self.get_participants(namespace, given.get("to") or room)]
            had = [sid for sid in there if sid in self.told and not self.told[sid].is_news(data["seq"])]
            super().emit(event, data, namespace, room=room, skip_sid=had, **given)

    def _anybody(self, namespace: str, room: Any) -> bool:
        """Whether there is a connection to make a packet for: nobody watches most talks."""
        return not isinstance(room, str) or room in self.rooms.get(namespace, {})


class OnceRedisManager(RedisManager, OnceManager):
    """The same with Redis between the processes."""


class Socket(SimpleWebSocketWSGI):
    """A customer who goes while we hang up has gone: the library checks first and sends then, and tells a stack of it."""

    def close(self) -> None:
        """Hangs up, if somebody is there still."""
        with suppress(OSError):
            super().close()


class Sockets(SocketIO):
    """With our managers and socket."""

    def init_app(self, app: Any, *, message_queue: str | None, channel: str, **given: Any) -> None:
        """``message_queue``: the Redis the processes share, or None."""
        manager = OnceRedisManager(message_queue, channel=channel) if message_queue else OnceManager()
        super().init_app(app, client_manager=manager, **given)
        driver = self.server.eio._async
        if driver["websocket"] is SimpleWebSocketWSGI:  # gevent has its own
            self.server.eio._async = {**driver, "websocket": Socket}


socketio = Sockets(
    async_mode="threading",
    logger=False,
    engineio_logger=False,
    ping_interval=20,
    ping_timeout=20,
    serializer=OwnPacket,
    max_http_buffer_size=PACKET_MOST_BYTES,
)
CHAT, DESK = "/chat", "/desk"
AFTER_MOST = 2**31 - 1

_talks: dict[str, str] = {}  # sid → conversation id
_agents: dict[str, tuple[int, str]] = {}  # sid → agent id, hash of the token it came with
_told: dict[str, tuple[dict[str, Any], int | None, int]] = {}  # conversation id → state told last, whose it was, epoch
_pushed: dict[str, tuple[int, int]] = {}  # conversation id → the first and the last seq of those pushed without a hole


@socketio.on_error_default
def _failed(error: Exception) -> None:
    log.error("a socket event failed", exc_info=error)


class Chat(Namespace):
    """The customer's page."""

    def on_connect(self, auth: Any) -> None:
        """Everything after ``after``, then the state."""
        given = auth if isinstance(auth, dict) else {}
        try:
            conversation_id = conversation_of(str(given.get("token") or ""), None)
            after = min(max(0, int(given.get("after") or 0)), AFTER_MOST)
        except (ZhikeError, ValueError, TypeError, OverflowError):
            raise ConnectionRefusedError("401") from None
        sid: str = request.sid  # type: ignore[attr-defined]
        manager: OnceManager = socketio.server.manager
        with db.reading() as session:
            after = _catch_up(session, conversation_id, after)
        with manager.lock, db.reading() as session:  # what came in between; from here on everything is pushed
            manager.told[sid] = _Told(_catch_up(session, conversation_id, after))
            join_room(f"talk:{conversation_id}")
            _talks[sid] = conversation_id
            emit("state", shapes.state(session, conversations.find(session, conversation_id), clock.now()))

    def on_disconnect(self, *_: Any) -> None:
        """Gone, perhaps only for a moment."""
        sid: str = request.sid  # type: ignore[attr-defined]
        _talks.pop(sid, None)
        socketio.server.manager.told.pop(sid, None)

    def on_typing(self, data: Any = None, *_: Any) -> None:
        """To the agent who has the talk."""
        conversation_id = _talks.get(request.sid)  # type: ignore[attr-defined]
        if conversation_id is None or not isinstance(data, dict):
            return
        with db.reading() as session:
            agent_id = conversations.find(session, conversation_id).agent_id
        if agent_id is not None:
            told = {"conversation_id": conversation_id, "who": "customer", "on": bool(data.get("on"))}
            socketio.emit("typing", told, namespace=DESK, to=f"agent:{agent_id}")


def _catch_up(session: Session, conversation_id: str, after: int) -> int:
    """Sends the lines after a seq to the connection that asks, and no other process; gives the last one's seq."""
    for line in conversations.lines(session, conversation_id, after):
        emit("message", shapes.message(line), ignore_queue=True)
        after = line.seq
    return after


class Desk(Namespace):
    """The agents' desk."""

    def on_connect(self, auth: Any) -> None:
        """The queue as it is."""
        given = auth if isinstance(auth, dict) else {}
        token = str(given.get("token") or "")
        try:
            agent_id = agent_of(token)
        except ZhikeError:
            raise ConnectionRefusedError("401") from None
        _agents[request.sid] = agent_id, token_hash(token)  # type: ignore[attr-defined]
        join_room(f"agent:{agent_id}")
        join_room("agents")
        with db.reading() as session:
            waiting = queue.waiting(session, clock.now())
            emit("queue", _queue(session, queue.offered(session, session.get_one(Agent, agent_id), waiting), {}))

    def on_watch(self, data: Any = None, *_: Any) -> None:
        """Begins or ends to push a talk the agent may see to this connection."""
        agent_id = _agents.get(request.sid, (0, ""))[0]  # type: ignore[attr-defined]
        wanted = str(data.get("conversation_id") or "") if isinstance(data, dict) else ""
        if not agent_id or not wanted or not storable(wanted):
            return
        if not data.get("on"):
            leave_room(f"watch:{wanted}")
            return
        with db.reading() as session:
            talk = session.get(Conversation, wanted)
            if talk is not None and consulting.may_see(session, session.get_one(Agent, agent_id), talk):
                join_room(f"watch:{talk.id}")

    def on_disconnect(self, *_: Any) -> None:
        """Gone; after the presence time-out without any other sign the talks go back."""
        _agents.pop(request.sid, None)  # type: ignore[attr-defined]

    def on_typing(self, data: Any = None, *_: Any) -> None:
        """To the customer, if the talk is the agent's."""
        agent_id = _agents.get(request.sid, (0, ""))[0]  # type: ignore[attr-defined]
        wanted = str(data.get("conversation_id") or "") if isinstance(data, dict) else ""
        if not agent_id or not wanted or not storable(wanted):
            return
        with db.reading() as session:
            talk = session.get(Conversation, wanted)
            own = talk is not None and talk.agent_id == agent_id and talk.state == State.WITH_AGENT
        if own and talk is not None:
            told = {"who": "agent", "on": bool(data.get("on"))}
            socketio.emit("typing", told, namespace=CHAT, to=f"talk:{talk.id}")


socketio.on_namespace(Chat(CHAT))
socketio.on_namespace(Desk(DESK))


def listen() -> None:
    """Begins to push what this process hears of."""
    wake.listen(conversations.CHANGED, _changed)
    wake.listen(queue.QUEUE, _queue_changed)
    wake.listen(PUSH_QUEUE, _push_queue)
    wake.listen(queue.PRESENCE, _presence)
    wake.listen(staff.SESSION_ENDED, lambda data: _end_sessions({data["token_hash"]}))
    wake.listen("typing", _typing)
    wake.listen(consulting.MENTIONED, _mentioned)
    wake.listen("read", _read)


def _changed(data: dict[str, Any]) -> None:
    if data.get("agent", "?") is None and _nobody_sees(data["id"]):
        _pushed.pop(data["id"], None)
        return
    with db.reading() as session:
        talk = session.get(Conversation, data["id"])
        if talk is None:
            return
        for line in _unpushed(session, talk, data["seq"]):
            shown = shapes.message(line)
            if line.kind != "note":
                socketio.emit("message", shown, namespace=CHAT, to=f"talk:{talk.id}")
            own = {**shown, "conversation_id": talk.id}
            for room in _desks(talk):
                socketio.emit("message", own, namespace=DESK, to=room)
        _tell_state(talk, shapes.state(session, talk, clock.now()))


def _nobody_sees(conversation_id: str) -> bool:
    """Whether no connection can want to hear of a talk that no agent has: those in WeChat have no page. Who connects now reads
    the line that is already stored; an agent who had the talk may come back."""
    manager: OnceManager = socketio.server.manager
    with manager.lock:  # a page that is connecting has read the lines, and is not in its room yet
        there = _shared() or _agents or f"talk:{conversation_id}" in manager.rooms.get(CHAT, {})
    return not there and conversation_id not in _told


def _desks(talk: Conversation, *more: int | None) -> list[str]:
    """The rooms of those who see the talk: its agent (and ``more`` agents), and who watches it."""
    return [f"watch:{talk.id}", *(f"agent:{agent_id}" for agent_id in {talk.agent_id, *more} - {None})]


def _unpushed(session: Session, talk: Conversation, seq: int) -> list[Message]:
    """The lines from ``seq`` on that this process has not pushed yet – and, when it is the only one, those before it:
    of two commits the later one may be heard of first."""
    first, last = _pushed.get(talk.id, (seq, seq - 1))
    begin = last + 1 if seq >= first and (seq <= last + 1 or not _shared()) else seq
    found = list(conversations.lines(session, talk.id, begin - 1, notes=True))
    _pushed[talk.id] = (first if begin == last + 1 else begin, found[-1].seq if found else begin - 1)
    if talk.state == State.CLOSED:
        _pushed.pop(talk.id, None)
    return found


def _shared() -> bool:
    """Whether other processes push too."""
    return bool(settings.load().redis_url)


def _tell_state(talk: Conversation, told: dict[str, Any]) -> None:
    """To the customer, and to the desks of who has the talk and of who had it – whoever hears of the change first."""
    before = _told.get(talk.id)
    if before == (told, talk.agent_id, talk.epoch):
        return
    if told["state"] == State.CLOSED:
        _told.pop(talk.id, None)
    else:
        _told[talk.id] = told, talk.agent_id, talk.epoch
    socketio.emit("state", told, namespace=CHAT, to=f"talk:{talk.id}")
    for room in _desks(talk, before[1] if before else None):
        socketio.emit("state", shapes.state_for_agents(told, talk), namespace=DESK, to=room)


def _queue(session: Session, waiting: list[Conversation], shown: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The first of those who wait; ``shown`` keeps what was drawn for another agent already."""
    first = waiting[:QUEUE_SHOWN]
    new = [talk for talk in first if talk.id not in shown]
    shown.update({told["id"]: told for told in shapes.many(session, new)})
    return {"waiting": len(waiting), "conversations": [shown[talk.id] for talk in first]}


class _Pace:
    """Many changes within a moment are told once: the first at once, the rest together a little later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next_at = 0.0
        self._planned = False

    def wait(self) -> float | None:
        """How long to wait before telling; None when that is planned already. Called from one thread."""
        if self._planned:
            return None
        self._planned = True
        return max(0.0, self._next_at - time.monotonic())

    def told(self) -> None:
        """It has been told now."""
        self._planned = False
        self._next_at = time.monotonic() + self._seconds


_pace = _Pace(QUEUE_EVERY_SECONDS)


def _queue_changed(_data: dict[str, Any]) -> None:
    wait = _pace.wait()
    if wait is None:
        return
    if not wait:
        wake.call(PUSH_QUEUE)
        return
    timer = threading.Timer(wait, wake.call, [PUSH_QUEUE])
    timer.daemon = True
    timer.start()


def _push_queue(_data: dict[str, Any]) -> None:
    _pace.told()
    now = clock.now()
    with db.reading() as session:
        _push_to_desks(session, now)
        _push_to_those_who_wait(session, now)


def _push_to_desks(session: Session, now: datetime) -> None:
    here = {agent_id for agent_id, _ in _agents.values()}
    if _shared():  # they may sit at another process
        here |= set(session.scalars(select(Agent.id).where(Agent.presence != Presence.OFFLINE)))
    if not here:
        return
    waiting = queue.waiting(session, now)
    shown: dict[str, dict[str, Any]] = {}
    for agent in session.scalars(select(Agent).where(Agent.id.in_(here))):
        own = _queue(session, queue.offered(session, agent, waiting), shown)
        socketio.emit("queue", own, namespace=DESK, to=f"agent:{agent.id}")


def _push_to_those_who_wait(session: Session, now: datetime) -> None:
    """To those connected, here or at another process."""
    seen = queue.glance(session, now)
    here = {talk.id for talk in seen.order}
    if not _shared():
        here &= set(_talks.values())
    if here:
        for talk in session.scalars(select(Conversation).where(Conversation.id.in_(here))):
            _tell_state(talk, shapes.state(session, talk, now, seen))


def _presence(data: dict[str, Any]) -> None:
    with db.reading() as session:
        who = session.get(Agent, data["agent_id"])
        if who is not None:
            load = queue.load_by_agent(session).get(who.id, 0)
            told = {"agent_id": who.id, "name": who.display_name, "state": who.presence, "load": load}
            socketio.emit("presence", told, namespace=DESK, to="agents")


def _mentioned(data: dict[str, Any]) -> None:
    told = {key: data[key] for key in ("conversation_id", "by", "text")}
    socketio.emit("mention", told, namespace=DESK, to=f"agent:{data['agent_id']}")


def _typing(data: dict[str, Any]) -> None:
    socketio.emit("typing", {"who": data["who"], "on": data["on"]}, namespace=CHAT, to=f"talk:{data['id']}")


def _read(data: dict[str, Any]) -> None:
    if data["by"] == "agent":
        socketio.emit("read", {"seq": data["seq"]}, namespace=CHAT, to=f"talk:{data['id']}")
        return
    with db.reading() as session:
        talk = session.get(Conversation, data["id"])
    if talk is not None and talk.agent_id is not None:
        told = {"conversation_id": talk.id, "seq": data["seq"]}
        socketio.emit("read", told, namespace=DESK, to=f"agent:{talk.agent_id}")


def _end_sessions(token_hashes: set[str]) -> None:
    """Tells the connections that came with these tokens that they are signed out, and hangs up."""
    for sid, (_, own) in list(_agents.items()):
        if own in token_hashes:
            socketio.emit("session_ended", {}, namespace=DESK, to=sid)
            socketio.server.disconnect(sid, namespace=DESK)


def keep_presence() -> None:
    """A thread that writes down which agents are connected, and ends connections whose sign-in has run out."""

    def beat() -> None:
        pause = threading.Event()
        while not pause.wait(seen_every_seconds()):
            try:
                _beat()
            except Exception:
                log.exception("a heartbeat was not written")  # the next one comes soon

    threading.Thread(target=beat, name="presence", daemon=True).start()


def _beat() -> None:
    here = list(_agents.values())
    if not here:
        return
    now = clock.now()
    with db.writing() as session:
        alive = staff.sessions_alive(session, {own for _, own in here}, now)
        staff.seen(session, sorted({agent_id for agent_id, own in here if own in alive}), now)
    _end_sessions({own for _, own in here} - alive)
