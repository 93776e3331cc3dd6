"""What is pushed to the customer's page and to the desk, and what is not."""

import errno
import queue
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import socketio
import websocket

from core import clock
from helpdesk.staff.models import Agent
from tests.web.brain import StandInBrain
from tests.web.people import Site, Staff, Visitor
from web import realtime
from web.app import create_app

EVENTS = ("message", "state", "typing", "read", "queue", "presence", "session_ended", "mention")
WAIT_SECONDS = 20


class Listener:
    """A connection, and what came over it, in order."""

    def __init__(self, site: Site, namespace: str, **auth: Any) -> None:
        self.namespace = namespace
        self.client = socketio.Client(reconnection=False, request_timeout=WAIT_SECONDS)
        self.came: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.seen: list[tuple[str, Any]] = []
        for event in EVENTS:
            self.client.on(event, self._handler(event), namespace=namespace)
        self.client.on("disconnect", lambda *_: self.came.put(("disconnect", None)), namespace=namespace)
        self.client.connect(
            site.url, auth=auth, namespaces=[namespace], transports=["websocket"], wait_timeout=WAIT_SECONDS
        )

    def _handler(self, event: str) -> Callable[[Any], None]:
        return lambda data: self.came.put((event, data))

    def until(self, event: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """Waits for an event that fits; what came before it is in ``seen``."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            name, data = self.came.get(timeout=max(0.01, deadline - time.monotonic()))
            self.seen.append((name, data))
            if name == event and fits(data):
                return data

    def all(self, event: str) -> list[Any]:
        """What was seen of an event."""
        return [data for name, data in self.seen if name == event]

    def emits(self, event: str, *data: Any) -> None:
        """Sends an event."""
        self.client.emit(event, data[0] if len(data) == 1 else data, namespace=self.namespace)


@pytest.fixture
def listen(site: Site) -> Iterator[Callable[..., Listener]]:
    """Opens connections; a visitor's page or an agent's desk."""
    opened: list[Listener] = []

    def connect(who: Visitor | Staff, **auth: Any) -> Listener:
        namespace = "/chat" if isinstance(who, Visitor) else "/desk"
        opened.append(Listener(site, namespace, token=who.token, **auth))
        return opened[-1]

    yield connect
    for listener in opened:
        listener.client.disconnect()


def served(site: Site) -> tuple[Staff, Visitor]:
    """An agent who has accepted a visitor's talk."""
    agent, visitor = site.agent(), site.visitor().asks_for_a_person()
    return agent.takes(visitor), visitor


def text_is(text: str) -> Callable[[Any], bool]:
    """The message says this."""
    return lambda message: bool(message["text"] == text)


# The customer's page


def test_a_page_that_connects_gets_all_it_does_not_have_and_then_the_state(
    site: Site, listen: Callable[..., Listener]
) -> None:
    visitor = site.visitor()
    visitor.answer(visitor.said("连接之前说的话"))
    page = listen(visitor)
    page.until("state")
    assert page.all("message") == visitor.lines()
    assert page.all("state")[0]["state"] == "bot"
    later = listen(visitor, after=2)
    later.until("state")
    assert [m["seq"] for m in later.all("message")] == [m["seq"] for m in visitor.lines(2)] != []


def test_what_comes_is_pushed_in_order_and_once(site: Site, listen: Callable[..., Listener]) -> None:
    visitor = site.visitor()
    page = listen(visitor, after=visitor.last_seq)
    page.until("state")
    for n in range(10):
        visitor.said(f"推送第 {n} 句")
    last = visitor.wait_for(lambda t: t["messages"][-1]["sender"] == "bot")["messages"][-1]["seq"]
    page.until("message", lambda m: m["seq"] == last)
    pushed = [m["seq"] for m in page.all("message")]
    assert pushed == sorted(pushed)
    assert sorted(set(pushed)) == list(range(2, last + 1))


def test_a_reconnecting_page_misses_nothing(site: Site, listen: Callable[..., Listener]) -> None:
    agent, visitor = served(site)
    page = listen(visitor)
    page.until("state")
    known = page.all("message")[-1]["seq"]
    page.client.disconnect()
    agent.writes(visitor, "您不在的时候写的")
    again = listen(visitor, after=known)
    again.until("state")
    assert [m["text"] for m in again.all("message")] == ["您不在的时候写的"]


@pytest.mark.parametrize("token", ["", "wrong", None, 5, {"a": 1}, "\ud800", "x" * 5000])
@pytest.mark.parametrize("namespace", ["/chat", "/desk"])
def test_without_a_good_token_nobody_is_connected(site: Site, namespace: str, token: object) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        Listener(site, namespace, token=token)


def test_a_customers_token_opens_no_desk_and_an_agents_no_chat(site: Site) -> None:
    for namespace, who in (("/desk", site.visitor()), ("/chat", site.agent())):
        with pytest.raises(socketio.exceptions.ConnectionError):
            Listener(site, namespace, token=who.token)


@pytest.mark.parametrize("after", ["x", [1], {"a": 1}, float("inf")])
def test_a_seq_that_is_none_is_refused(site: Site, after: object) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        Listener(site, "/chat", token=site.visitor().token, after=after)


@pytest.mark.parametrize("after", [-5, None, 10**30, "1"])
def test_a_strange_seq_does_no_harm(site: Site, listen: Callable[..., Listener], after: object) -> None:
    assert listen(site.visitor(), after=after).until("state")["state"] == "bot"


def test_only_websockets_are_served(site: Site) -> None:
    assert site.caller().get("/socket.io/", EIO="4", transport="polling").status_code == 400


def test_the_queue_and_the_agent_are_pushed_as_states(site: Site, listen: Callable[..., Listener]) -> None:
    visitor = site.visitor()
    page = listen(visitor)
    page.until("state")
    visitor.asks_for_a_person()
    assert page.until("state", lambda s: s["state"] == "queued")["queue"]["position"] >= 1
    agent = site.agent().takes(visitor)
    told = page.until("state", lambda s: s["state"] == "with_agent")
    assert told["agent"] == {"name": agent.display_name}
    visitor.post("/close")
    assert page.until("state", lambda s: s["state"] == "closed")["queue"] is None


def test_moving_up_in_the_queue_is_pushed(site: Site, listen: Callable[..., Listener]) -> None:
    site.nobody_waits()
    first, second = site.visitor().asks_for_a_person(), site.visitor().asks_for_a_person()
    page = listen(second)
    page.until("state", lambda s: s["queue"]["position"] == 2)
    first.post("/leave-queue")
    page.until("state", lambda s: s["queue"]["position"] == 1)


def test_the_page_sees_that_the_bot_is_typing(site: Site, brain: StandInBrain, listen: Callable[..., Listener]) -> None:
    visitor = site.visitor()
    page = listen(visitor)
    with brain.holding(visitor.id):
        visitor.said("想一想再回答我")
        assert page.until("typing") == {"who": "bot", "on": True}


def test_another_visitors_page_gets_nothing(site: Site, listen: Callable[..., Listener]) -> None:
    visitor, stranger = site.visitor(), site.visitor()
    page = listen(stranger, after=stranger.last_seq)
    page.until("state")
    visitor.answer(visitor.said("与别人无关的话"))
    stranger.said("我自己的话在此")
    page.until("message", text_is("收到：我自己的话在此"))
    assert {m["text"] for m in page.all("message")} == {"我自己的话在此", "收到：我自己的话在此"}


def test_private_notes_are_pushed_to_the_agent_and_never_to_the_customer(
    site: Site, listen: Callable[..., Listener]
) -> None:
    agent, visitor = served(site)
    page, desk = listen(visitor), listen(agent)
    page.until("state")
    agent.notes(visitor, "内部备注不外传")
    agent.writes(visitor, "对外说的话")
    page.until("message", text_is("对外说的话"))
    desk.until("message", text_is("对外说的话"))
    assert "内部备注不外传" not in str(page.seen)
    assert [m["kind"] for m in desk.all("message") if m["text"] == "内部备注不外传"] == ["note"]
    late = listen(visitor)
    late.until("state")
    assert "内部备注不外传" not in str(late.seen)


def test_a_transfers_note_is_not_pushed_to_the_customer(site: Site, listen: Callable[..., Listener]) -> None:
    agent, visitor = served(site)
    page = listen(visitor)
    page.until("state")
    agent.post(agent.talk(visitor, "/transfer"), {"to_skill": "orders", "note": "客户脾气大请小心"})
    page.until("state", lambda s: s["state"] == "queued")
    assert "脾气" not in str(page.seen)


# Both ways


def test_typing_is_seen_on_the_other_side_of_the_same_talk_only(site: Site, listen: Callable[..., Listener]) -> None:
    agent, visitor = served(site)
    other_agent, other_visitor = served(site)
    page, desk = listen(visitor), listen(agent)
    other_page, other_desk = listen(other_visitor), listen(other_agent)
    for connection in (page, other_page):
        connection.until("state")
    for connection in (desk, other_desk):
        connection.until("queue")
    page.emits("typing", {"on": True})
    assert desk.until("typing") == {"conversation_id": visitor.id, "who": "customer", "on": True}
    other_desk.emits("typing", {"conversation_id": visitor.id, "on": True})  # not that agent's talk
    desk.emits("typing", {"conversation_id": visitor.id, "on": False})
    assert page.until("typing") == {"who": "agent", "on": False}
    other_agent.writes(other_visitor, "到此为止了")
    other_page.until("message", text_is("到此为止了"))
    other_desk.until("message", text_is("到此为止了"))
    assert (other_page.all("typing"), other_desk.all("typing")) == ([], [])


def test_reading_is_seen_on_the_other_side(site: Site, listen: Callable[..., Listener]) -> None:
    agent, visitor = served(site)
    page, desk = listen(visitor), listen(agent)
    page.until("state")
    desk.until("queue")
    said = visitor.said("请读一下这句")
    agent.post(agent.talk(visitor, "/read"), {"seq": said})
    assert page.until("read") == {"seq": said}
    written = agent.writes(visitor, "也请您读一下").json()["seq"]
    visitor.post("/read", {"seq": written})
    assert desk.until("read", lambda r: r["seq"] == written)["conversation_id"] == visitor.id


@pytest.mark.parametrize(
    "data", [None, 5, "x", [], [1], {}, {"on": "x"}, {"conversation_id": "\ud800", "on": 1}, {"conversation_id": [{}]}]
)
def test_rubbish_about_typing_leaves_the_connection_alive(
    site: Site, listen: Callable[..., Listener], data: object
) -> None:
    agent, visitor = served(site)
    page, desk = listen(visitor), listen(agent)
    page.until("state")
    for connection in (page, desk):
        connection.emits("typing", data)
        connection.emits("typing")
        connection.emits("typing", 1, 2, 3)
        connection.emits("no such event", data)
    agent.writes(visitor, "还连着吗还连着")
    page.until("message", text_is("还连着吗还连着"))
    desk.until("message", text_is("还连着吗还连着"))


def test_rubbish_on_the_wire_hurts_nobody(site: Site, listen: Callable[..., Listener]) -> None:
    visitor = site.visitor()
    page = listen(visitor)
    page.until("state")
    url = site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    for rubbish in (
        "4",
        "42" + "[" * 9000,
        "40/chat,{",
        "42[",
        '42["message",',
        "4" * 5000,
        "40/nowhere,",
        "451-[{}]",
        b"\x00\xff",
    ):
        wire = websocket.create_connection(url, timeout=WAIT_SECONDS)
        wire.recv()
        wire.send(rubbish, websocket.ABNF.OPCODE_BINARY if isinstance(rubbish, bytes) else websocket.ABNF.OPCODE_TEXT)
        wire.close()
    visitor.said("不受影响的一句话")
    page.until("message", text_is("不受影响的一句话"))


# The desk


def test_the_desk_gets_the_queue_when_it_connects_and_when_it_changes(
    site: Site, listen: Callable[..., Listener]
) -> None:
    site.nobody_waits()
    waiting = site.visitor().asks_for_a_person()
    desk = listen(site.agent())
    told = desk.until("queue")
    assert (told["waiting"], [c["id"] for c in told["conversations"]]) == (1, [waiting.id])
    another = site.visitor().asks_for_a_person()
    desk.until("queue", lambda q: [c["id"] for c in q["conversations"]] == [waiting.id, another.id])
    site.agent().takes(waiting)
    desk.until("queue", lambda q: [c["id"] for c in q["conversations"]] == [another.id])


def test_a_talk_passed_to_a_colleague_is_not_in_the_others_queue(site: Site, listen: Callable[..., Listener]) -> None:
    site.nobody_waits()
    agent, visitor = served(site)
    target, third = site.agent(), site.agent()
    target_desk, third_desk = listen(target), listen(third)
    agent.post(agent.talk(visitor, "/transfer"), {"to_agent": target.name, "note": ""})
    target_desk.until("queue", lambda q: [c["id"] for c in q["conversations"]] == [visitor.id])
    marker = site.visitor().asks_for_a_person()
    third_desk.until("queue", lambda q: marker.id in [c["id"] for c in q["conversations"]])
    assert visitor.id not in str(third_desk.seen)


def test_lines_go_to_the_desk_of_the_agent_who_has_the_talk_and_to_no_other(
    site: Site, listen: Callable[..., Listener]
) -> None:
    agent, visitor = served(site)
    other, other_visitor = served(site)
    desk, other_desk = listen(agent), listen(other)
    visitor.said("说给我的客服听")
    told = desk.until("message", text_is("说给我的客服听"))
    assert (told["conversation_id"], told["sender"]) == (visitor.id, "customer")
    other_visitor.said("说给另一位客服")
    other_desk.until("message", text_is("说给另一位客服"))
    assert "说给我的客服听" not in str(other_desk.seen)


def test_the_desk_learns_that_a_talk_was_ended_and_that_one_was_taken_away(
    site: Site, listen: Callable[..., Listener]
) -> None:
    agent, visitor = served(site)
    second = site.visitor().asks_for_a_person()
    agent.takes(second)
    desk = listen(agent)
    desk.until("queue")
    visitor.post("/close")
    ended = desk.until("state", lambda s: s["conversation_id"] == visitor.id)
    assert ended["state"] == "closed"
    agent.post(agent.talk(second, "/transfer"), {"to_skill": "orders", "note": ""})
    assert desk.until("state", lambda s: s["conversation_id"] == second.id)["state"] == "queued"


def test_colleagues_see_each_others_presence(site: Site, listen: Callable[..., Listener]) -> None:
    agent, colleague = site.agent(), site.agent()
    desk = listen(colleague)
    desk.until("queue")
    agent.put("/presence", {"state": "away"})
    told = desk.until("presence", lambda p: p["agent_id"] == agent.id)
    assert told == {"agent_id": agent.id, "name": agent.display_name, "state": "away", "load": 0}


def test_signing_out_ends_the_connections_of_that_sign_in(site: Site, listen: Callable[..., Listener]) -> None:
    agent, colleague = site.agent(), site.agent()
    desk, other = listen(agent), listen(colleague)
    desk.until("queue")
    other.until("queue")
    agent.http.delete(agent.prefix + "/session")
    desk.until("session_ended")
    desk.until("disconnect")
    other.until("presence", lambda p: p["agent_id"] == agent.id and p["state"] == "offline")
    assert other.all("session_ended") == []


def test_an_agent_whose_desk_is_connected_stays_present_without_asking_for_anything(
    site: Site, listen: Callable[..., Listener]
) -> None:
    agent, visitor = served(site)
    desk = listen(agent)
    desk.until("queue")
    site.change(Agent, Agent.id == agent.id, seen_at=clock.now() - timedelta(seconds=12))
    before, last = clock.now(), visitor.lines()[-1]["seq"]
    while _agent(site, agent).seen_at < before:  # the heartbeat comes several times within the 24 s
        assert clock.now() < before + timedelta(seconds=15)
        visitor.look(last, wait=1)
    assert visitor.look()["state"] == "with_agent"


def _agent(site: Site, agent: Staff) -> Agent:
    with site.shop.session() as session:
        return session.get_one(Agent, agent.id)


def test_hanging_up_on_a_page_that_has_just_gone_is_no_error() -> None:
    """A customer closes the tab in the moment in which the server hangs up: nothing went wrong, so nothing is logged."""

    class Gone:
        connected = True  # it was, a moment ago

        def close(self) -> None:
            raise OSError(errno.EBADF, "Bad file descriptor")

    create_app()
    line = realtime.socketio.server.eio._async["websocket"](None, None)
    line.ws = Gone()
    line.close()


def test_which_lines_a_page_has_been_sent_is_remembered_without_a_list_of_them_all() -> None:
    told = realtime._Told(3)
    assert [told.is_news(seq) for seq in (3, 4, 6, 5, 6, 4)] == [False, True, True, True, False, False]
    for seq in range(8, 2000):  # 7 was a note
        assert told.is_news(seq)
        assert not told.is_news(seq)
    assert len(told._beyond) <= realtime.BEYOND_MOST
