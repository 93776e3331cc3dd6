"""kill -9 in the middle of a talk: nothing acknowledged is lost, nothing is answered or done twice, the order stays.

The real processes, killed at moments that are certain: a gate (conftest.py) holds the call of an action before it is
run, or when its change is committed but the brain has not heard of it.
"""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from core import clock, db
from crm.returns.models import Refund
from helpdesk.conversations.models import Conversation, Message
from helpdesk.staff.rules import Role
from helpdesk.staff.usecases import add_agent
from tests.resilience.conftest import Customer, Desk, Gate, engine_of, own_stack, transcript, until
from tests.shop import Shop
from tests.stack import Stack

PROCESSES = ["web", "brain", "actions"]
SUBMIT = "action_cancel_order"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Stack, Gate]]:
    """A stack of our own; a customer waits for an absent brain longer than it takes to start it."""
    settings = {
        "ZHIKE_TURN_LEASE_SECONDS": "4",
        "ZHIKE_BRAIN_TIMEOUT_SECONDS": "10",
        "ZHIKE_BRAIN_PATIENCE_SECONDS": "100",
        "ZHIKE_DISTRIBUTION": "by_hand",  # else the agent of an earlier test may be given the talk of a later one
    }
    with own_stack(**settings) as both:
        yield both


@pytest.fixture
def running(made: tuple[Stack, Gate]) -> Stack:
    """All three are up."""
    for name in PROCESSES:
        if name not in made[0].processes:
            made[0].start(name)
    return made[0]


@pytest.fixture
def gate(made: tuple[Stack, Gate]) -> Gate:
    """Between the brain and the actions."""
    return made[1]


@pytest.fixture(scope="module")
def engine(made: tuple[Stack, Gate]) -> Iterator[Engine]:
    """The stack's database."""
    found = engine_of(made[0])
    yield found
    found.dispose()


@pytest.fixture
def shop(engine: Engine) -> Shop:
    """Makes records in it."""
    return Shop(engine)


def under_way(engine: Engine, talk_id: str) -> bool:
    """Whether a turn of the talk is out."""
    with db.reading(engine) as session:
        talk = session.get_one(Conversation, talk_id)
        return talk.turn_id is not None and talk.turn_lease_until is not None


def refunds(engine: Engine, order: Any) -> int:
    """How often the order's money goes back."""
    with db.reading(engine) as session:
        return session.scalar(select(func.count()).select_from(Refund).where(Refund.order_id == order.id)) or 0


def settled(engine: Engine, talk_id: str) -> list[Message]:
    """The transcript, once nothing of the talk is open."""

    def quiet() -> bool:
        with db.reading(engine) as session:
            talk = session.get_one(Conversation, talk_id)
            return talk.turn_id is None and talk.waiting_since is None

    until(quiet, "an answer to every line")
    return transcript(engine, talk_id)


def assert_answered_once(lines: list[Message], said: list[str]) -> None:
    """Each of the customer's lines is there, in order, and followed by the answers of one turn of its own."""
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    assert [line.text for line in lines if line.sender == "customer"] == said
    turns: list[set[str | None]] = []
    for line in lines:
        if line.sender == "customer":
            turns.append(set())
        elif turns:
            assert line.sender == "bot"
            turns[-1].add(line.turn_id)
    assert all(len(of_line) == 1 and None not in of_line for of_line in turns), turns
    assert len(set.union(*turns)) == len(said)
    numbers = [(line.turn_id, line.turn_n) for line in lines if line.turn_id]
    assert len(numbers) == len(set(numbers))


def asked_to_confirm(running: Stack, shop: Shop) -> tuple[Customer, Any]:
    """A customer who has been asked whether to call an order off."""
    customer = shop.customer()
    order = shop.order(customer, status="paid")
    me = Customer(running, customer)
    assert "确认取消" in me.says("帮我把订单取消了")
    return me, order


@pytest.mark.parametrize("victim", PROCESSES)
def test_what_was_acknowledged_is_done_once_and_answered_once_when_a_process_dies_over_it(
    running: Stack, gate: Gate, engine: Engine, shop: Shop, victim: str
) -> None:
    """Three customers have just confirmed: one's order is about to be called off, one's has been called off and the
    brain does not know yet, one's line was only just acknowledged."""
    before, after, newest = (asked_to_confirm(running, shop) for _ in range(3))
    stops = [gate.stop_at(me.id, SUBMIT, done=done) for (me, _), done in ((before, False), (after, True))]
    sent = [me.sends("确认") for me, _ in (before, after)]
    for stop in stops:
        stop.wait()
    assert all(under_way(engine, me.id) for me, _ in (before, after))
    assert [refunds(engine, order) for _, order in (before, after)] == [0, 1]
    sent.append(newest[0].sends("确认"))

    running.kill(victim)
    for stop in stops:
        stop.go_on() if victim == "web" else stop.lose()
    running.start(victim)

    for (me, order), seq in zip((before, after, newest), sent, strict=True):
        assert "已取消" in me.answer_to(seq)[0]["text"]  # the form was remembered, whoever died
        assert_answered_once(settled(engine, me.id), ["帮我把订单取消了", "确认"])
        assert refunds(engine, order) == 1
        assert shop.fresh(order).status == "cancelled"
    assert "没有" in newest[0].says("帮我把订单取消了")  # the talk goes on, and the order stays cancelled once
    assert refunds(engine, newest[1]) == 1


def test_lines_sent_while_the_brain_is_away_are_read_together_once_it_is_back(
    running: Stack, engine: Engine, shop: Shop
) -> None:
    customer = shop.customer()
    shop.order(customer, status="paid")
    me = Customer(running, customer)
    running.kill("actions")  # as good as the brain away, and quicker to start
    me.sends("你好")
    last = me.sends("帮我查一下订单")
    running.start("actions")
    me.answer_to(last)
    lines = settled(engine, me.id)
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    mine = [line for line in lines if line.sender == "customer"]
    assert [line.text for line in mine] == ["你好", "帮我查一下订单"]
    answers = [line for line in lines if line.turn_id]
    assert answers
    assert len({line.turn_id for line in answers}) <= len(mine)
    assert not any("没接住" in line.text for line in answers)


def test_an_answer_that_comes_after_a_person_took_over_is_never_shown(
    running: Stack, gate: Gate, engine: Engine, shop: Shop
) -> None:
    desk = _desk(running, engine, "overtaker")
    me, order = asked_to_confirm(running, shop)
    stop = gate.stop_at(me.id, SUBMIT, done=True)
    seq = me.sends("确认")
    stop.wait()
    me.post("handoff")
    desk.accepts(me.id)
    written = desk.writes(me.id, "您好，我来处理。")
    before = running.log("web").count("overtaken")

    stop.go_on()
    until(lambda: running.log("web").count("overtaken") > before, "the late answer is thrown away")

    after = me.told(seq)["messages"]
    assert [m["sender"] for m in after] == ["system", "system", "agent"]
    assert after[-1]["seq"] == written
    assert refunds(engine, order) == 1  # what was confirmed is done; the agent sees it beside the talk


def _desk(running: Stack, engine: Engine, name: str) -> Desk:
    with db.writing(engine) as session:
        add_agent(session, clock.now(), name=name, password=PASSWORD, role=Role.AGENT, skills={}, capacity=20)
    return Desk(running, name, PASSWORD)


@pytest.fixture(scope="module")
def impatient(made: tuple[Stack, Gate]) -> Stack:
    """The web process waits only a moment for the brain, and asks it one question at a time. (For the last tests.)"""
    running = made[0]
    running.only["web"] = {
        "ZHIKE_BRAIN_PATIENCE_SECONDS": "2",
        "ZHIKE_BRAIN_TIMEOUT_SECONDS": "4",
        "ZHIKE_TURN_WORKERS": "1",
    }
    running.kill("web")
    running.start("web")
    return running


def test_everybody_who_waits_for_a_hanging_brain_is_told_and_queued_in_time(
    impatient: Stack, engine: Engine, shop: Shop
) -> None:
    everybody = [Customer(impatient) for _ in range(8)]
    brain = impatient.processes["brain"].pid
    os.killpg(brain, signal.SIGSTOP)
    try:
        for me in everybody:
            me.sends("帮我查一下订单")
        for me in everybody:
            until(lambda me=me: me.told()["state"] == "queued", "in the queue", 25)
    finally:
        os.killpg(brain, signal.SIGCONT)
    for me in everybody:
        assert sum("没能及时回复" in line.text for line in transcript(engine, me.id)) == 1
        me.post("close")


def test_a_customer_whose_bot_stays_away_is_told_so_and_an_agent_sees_all_that_was_said(
    impatient: Stack, engine: Engine, shop: Shop
) -> None:
    me, _order = asked_to_confirm(impatient, shop)
    impatient.kill("brain")
    seq = me.sends("确认")
    told = me.answer_to(seq)
    assert "没能及时回复" in told[0]["text"]
    assert "您的话都已收到" in told[0]["text"]
    assert me.told()["state"] == "queued"

    shown = _desk(impatient, engine, "helper").accepts(me.id)
    texts = [line["text"] for line in shown["messages"]]
    assert [line["seq"] for line in shown["messages"]] == list(range(1, len(texts) + 1))
    assert [t for t in texts if t in {"帮我把订单取消了", "确认"}] == ["帮我把订单取消了", "确认"]
    assert any("确认取消" in t for t in texts)
    assert shown["handover"]["reason"] == "bot_away"
    assert "取消订单" in shown["handover"]["summary"]
