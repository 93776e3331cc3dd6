"""A storm between WeChat and two web processes: the platform delays, repeats, reorders, drops and ends tokens, and the
processes are killed with -9. Each message gets one turn and one answer, in order. What may be seen twice: a send that
was under way when its process was killed, or whose answer the platform lost – nobody can know whether it was carried out.

``ZHIKE_CHAOS=whole`` runs 100 users with 20 messages each on PostgreSQL and Redis; else it is small, on one process.
"""

import logging
import os
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, inspect, select

pytest.importorskip("cryptography", reason="the WeChat channel's libraries are not installed")
from channels.wechat import outgoing
from channels.wechat.models import WechatUser
from channels.wechat_sim import Chances, Delivery, How, Outcome, Platform, User, new_aes_key
from channels.wechat_sim.chances import Fate
from channels.wechat_sim.delivery import DELIVERIES
from core import clock, db
from helpdesk.conversations.models import Conversation, Message
from helpdesk.outbox.models import Delivery as Outgoing
from tests.resilience.conftest import engine_of
from tests.resilience.test_scale_out import another_web
from tests.services import fresh_database
from tests.stack import Stack, stack
from tests.web.brain import StandInBrain
from tests.wechat.account import connect
from tests.wechat.balancer import Balancer

log = logging.getLogger(__name__)
SEED = 20261123
ANSWER, SAID = re.compile(r"收到：.*"), re.compile(r"u\d+-\d+")  # lines that are read together are answered together
ANSWER_SECONDS = 120
SLOW_ANSWERS, SLOW_SECONDS = 0.03, 5.5


@dataclass(frozen=True)
class Size:
    """How much of a storm. ``expiries``: how often all tokens end before their time."""

    users: int
    messages: int
    webs: int
    kills: int
    expiries: int


SMALL, WHOLE = Size(6, 4, 1, 1, 1), Size(100, 20, 2, 8, 6)
SIZE = WHOLE if os.environ.get("ZHIKE_CHAOS") == "whole" else SMALL


class CountingBrain(StandInBrain):
    """Remembers under which turns each text was asked. Takes its time, sometimes more than WeChat waits for an answer."""

    def __init__(self, port: int) -> None:
        self.turns: dict[str, set[str]] = defaultdict(set)
        self._chance = random.Random(SEED)
        self._never = threading.Event()
        super().__init__(port)

    def _answer(self, turn: dict[str, Any]) -> dict[str, Any]:
        for text in SAID.findall(turn["text"]):
            self.turns[text].add(turn["turn_id"])
        slow = self._chance.random() < SLOW_ANSWERS
        self._never.wait(SLOW_SECONDS if slow else self._chance.uniform(0, 0.3))
        return super()._answer(turn)


@dataclass
class Storm:
    """All there is."""

    platform: Platform
    brain: CountingBrain
    engine: Engine
    webs: Sequence[Stack]
    sent: dict[str, Delivery] = field(default_factory=dict)  # by text
    down: list[tuple[float, float]] = field(
        default_factory=list
    )  # of each kill: from when to when its process was away
    expiries: int = 0
    raged: threading.Event = field(default_factory=threading.Event)

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        return len(self.down)

    @property
    def answered(self) -> int:
        """Messages answered so far."""
        return sum(len(answers(user)) for user in self.platform.users)


def answers(user: User) -> list[str]:
    """The messages whose answers the user has seen, in the order seen."""
    return [text for line in user.received for said in ANSWER.findall(line.text) for text in SAID.findall(said)]


@pytest.fixture
def storm(request: pytest.FixtureRequest) -> Iterator[Storm]:
    """The web processes behind one address, the stand-in and a brain that counts."""
    held = max(1, SIZE.users // 5)  # the callbacks beyond are answered by API
    settings = {
        "ZHIKE_TURN_LEASE_SECONDS": "8",
        "ZHIKE_WECHAT_WAITING": str(held),
        "ZHIKE_WECHAT_SENDERS": "1",  # so that a kill finds one send of the process under way at most
    }
    with ExitStack() as made:
        if SIZE is WHOLE:
            server = request.getfixturevalue("postgres_url")
            settings["ZHIKE_REDIS_URL"] = request.getfixturevalue("redis_url")
            settings["ZHIKE_DATABASE_URL"] = made.enter_context(fresh_database(server, "zhike_storm"))
        first = made.enter_context(stack(**settings))
        brain = CountingBrain(first.port("brain"))
        made.callback(brain.stop)
        first.start("web")
        webs = [first, *(beside(made, first) for _ in range(SIZE.webs - 1))]
        balancer = Balancer([web.port("web") for web in webs], SEED)
        made.callback(balancer.close)
        engine = engine_of(first)
        made.callback(engine.dispose)
        chances = Chances(SEED, delay=0.1, repeat=0.1, reorder=0.1, drop=0.05, unheard=0.01)
        where = f"http://127.0.0.1:{balancer.port}/channels/wechat/storm"
        platform = made.enter_context(
            Platform(where, "wxstorm0000000000", "stormtoken", new_aes_key(), chances=chances)
        )
        connect(first, platform, "storm")
        assert platform.verify()
        yield Storm(platform, brain, engine, webs)


def beside(made: ExitStack, first: Stack) -> Stack:
    """One more web process."""
    return made.enter_context(another_web(first))


def talk(storm: Storm, number: int) -> None:
    """A user writes, waits for the answer as people do, and writes on."""
    user = storm.platform.user(f"oStorm{number:022d}")
    for n in range(SIZE.messages):
        if n == SIZE.messages - 1:  # so that the storm is not over before its last kill
            storm.raged.wait(ANSWER_SECONDS)
        text = f"u{number}-{n}"
        delivery = storm.sent[text] = user.sends(text)
        try:
            user.wait_for(partial(has_answer, delivery, text), ANSWER_SECONDS)
        except TimeoutError:
            said = [line for web in storm.webs for line in web.log("web").splitlines() if '"level": "info"' not in line]
            pytest.fail(f"{text} was not answered: {kept(storm, user)}; {history(storm, text)}; {said[-30:]}")


def has_answer(delivery: Delivery, text: str, user: User) -> bool:
    """Whether the user need not wait any longer."""
    return text in answers(user) or failed(delivery)


def failed(delivery: Delivery) -> bool:
    """WeChat itself has lost the message or its answer: all three deliveries were broken, and the user was told so."""
    return delivery.outcome is Outcome.GIVEN_UP


def havoc(storm: Storm, over: threading.Event) -> None:
    """Kills and ended tokens in a seeded order, spread over the messages."""
    chance = random.Random(SEED)
    events = ["kill"] * SIZE.kills + ["expire"] * SIZE.expiries
    chance.shuffle(events)
    every = SIZE.users * SIZE.messages // (len(events) + 1)
    for number, event in enumerate(events, 1):
        while storm.answered < number * every and not over.wait(0.05):
            pass
        over.wait(chance.random())  # not only just after an answer
        if over.is_set():
            return
        if event == "expire":
            storm.platform.expire_tokens()
            storm.expiries += 1
        else:
            victim = storm.webs[storm.kills % len(storm.webs)]
            killed = time.time()
            victim.kill("web")
            victim.start("web")
            storm.down.append((killed, time.time()))
    storm.raged.set()


@pytest.mark.timeout(1200)
def test_one_turn_and_one_answer_for_each_message_in_order_whatever_the_network_does(storm: Storm) -> None:
    over = threading.Event()
    with ThreadPoolExecutor(SIZE.users + 1) as pool:
        trouble = pool.submit(havoc, storm, over)
        talks = [pool.submit(talk, storm, number) for number in range(SIZE.users)]
        try:
            for one in talks:
                one.result()
        finally:
            over.set()
        trouble.result()
    check_talks(storm)
    check_platform(storm)
    log.info("%s", summary(storm))


def check_talks(storm: Storm) -> None:
    """Nothing lost, nothing doubled but what nobody could know, everything in order."""
    lost = {text for text, delivery in storm.sent.items() if failed(delivery)}
    came = set(storm.sent) - lost
    ours = [text for text in sorted(lost) if not all(map(partial(not_ours, storm), tries(storm.sent[text])))]
    assert not ours, "\n".join(history(storm, text) for text in ours)
    unlucky = [text for text in lost if not any(map(partial(was_away, storm), tries(storm.sent[text])))]
    few = max(1, SIZE.users * SIZE.messages // 200)  # the network itself breaks one message in eight thousand
    assert len(unlucky) <= few, "\n".join(history(storm, text) for text in unlucky)
    seen = {user.openid: answers(user) for user in storm.platform.users}
    counted = Counter(text for texts in seen.values() for text in texts)
    assert came <= set(counted), "every message is answered"
    doubled = {text: times for text, times in counted.items() if times > 1}
    unheard = len(storm.platform.unheard)
    assert sum(doubled.values()) - len(doubled) <= storm.kills + unheard, [history(storm, text) for text in doubled]
    for texts in seen.values():
        once = [text for text in dict.fromkeys(texts) if text not in lost]  # what WeChat gave up may still come, late
        assert once == sorted(once, key=lambda text: int(text.split("-")[1])), "answers come in order"
    asked = {text: len(storm.brain.turns[text]) for text in came}
    assert set(asked.values()) == {1}, {text: turns for text, turns in asked.items() if turns != 1}
    with db.reading(storm.engine) as session:
        kept = Counter(session.scalars(select(Message.text).where(Message.sender == "customer")))
    assert {text: times for text, times in kept.items() if text not in lost} == dict.fromkeys(came, 1), "one line each"


class Try(NamedTuple):
    """One delivery of a message: when, and whether the network let it arrive and its answer return."""

    begun: float
    ended: float
    arrived: bool


def tries(delivery: Delivery) -> list[Try]:
    """The deliveries of a message (a repetition comes after them)."""
    log = delivery.log[: 2 * DELIVERIES]
    begun, ended = log[::2], log[1::2]
    return [Try(a, b, what == f"try {Fate.ARRIVES.value}") for (a, what), (b, _) in zip(begun, ended, strict=True)]


def not_ours(storm: Storm, tried: Try) -> bool:
    """Whether nobody can blame us that a delivery had no answer: the network broke it, its process was killed over it, or none was
    there (the small storm has one process, which takes a while to come back)."""
    return not tried.arrived or was_away(storm, tried)


def was_away(storm: Storm, tried: Try) -> bool:
    """Whether a delivery met a kill, or came while the only process was starting again."""
    over_it = any(tried.begun <= killed <= tried.ended for killed, _ in storm.down)
    nobody = len(storm.webs) == 1 and any(killed <= tried.ended and tried.begun <= back for killed, back in storm.down)
    return over_it or nobody


def history(storm: Storm, text: str) -> str:
    """How a message went, for whoever must find out why: seconds from its sending."""
    delivery = storm.sent[text]
    user = storm.platform.user(delivery.openid)
    begun = next(line.at for line in user.lines if line.text == text)
    came = [
        f"{line.how} {line.at - begun:.1f}"
        for line in user.received
        if text in SAID.findall(line.text) and line.how is not How.OWN
    ]
    log = [f"{what} {at - begun:.1f}" for at, what in delivery.log]
    down = [f"{killed - begun:.1f} to {back - begun:.1f}" for killed, back in storm.down]
    return f"{text}: deliveries {log}, {delivery.outcome}, seen {came}, processes away {down}"


def kept(storm: Storm, user: User) -> str:
    """What the database has of a user whose answer does not come."""
    with db.reading(storm.engine) as session:
        known = session.scalars(select(WechatUser).where(WechatUser.openid == user.openid)).one()
        talk = session.get_one(Conversation, known.conversation_id)
        parts = session.scalars(select(Outgoing).where(Outgoing.conversation_id == talk.id).order_by(Outgoing.id))
        told = {column.key: getattr(row, column.key) for row in (known, talk) for column in inspect(row).mapper.columns}
        lines = session.scalars(select(Message).where(Message.conversation_id == talk.id).order_by(Message.seq)).all()
        said = [(line.seq, line.sender, line.text) for line in lines][-4:]
        out = [
            (d.seq, d.state, d.tries, str(d.next_at), str(d.sent_at), d.error, d.carried_by, d.content) for d in parts
        ]
        seen = [(str(line.how), line.text, line.at) for line in user.lines][-4:]
        return f"now {clock.now()}, {told}, lines {said}, parts {out[-3:]}, user {seen}"


def check_platform(storm: Storm) -> None:
    """What the platform had to put up with."""
    platform = storm.platform
    assert platform.refused == [], "neither 45015 nor 45047"
    assert [d.reason for d in storm.sent.values() if d.outcome is Outcome.INVALID] == []
    assert 1 <= len(platform.refreshes) <= 1 + storm.expiries + storm.kills, "one refresher for all processes"
    with db.reading(storm.engine) as session:
        for known in session.scalars(select(WechatUser)):
            left = outgoing.ledger(known).left(clock.now())
            assert left <= platform.user(known.openid).sends_left, "we never think that more may be sent"
    assert storm.kills == SIZE.kills and storm.expiries == SIZE.expiries, "there was hardly any storm"


def summary(storm: Storm) -> str:
    """What happened, in numbers."""
    hows = Counter(line.how for user in storm.platform.users for line in user.received)
    tries = Counter(delivery.tries for delivery in storm.sent.values())
    return (
        f"{len(storm.sent)} messages, deliveries {dict(sorted(tries.items()))}, passive {hows[How.PASSIVE]}, "
        f"by API {hows[How.API]}, kills {storm.kills}, answers unheard {len(storm.platform.unheard)}, "
        f"token calls {len(storm.platform.refreshes)}, given up {sum(map(failed, storm.sent.values()))}"
    )
