"""Scaled out by settings alone: PostgreSQL, Redis, RabbitMQ, and two web processes.

Servers that are not installed here skip what needs them (tests/services.py).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis
import socketio
from sqlalchemy import Engine, column, func, select, table

from cli import processes
from core import clock, db, migrate
from crm.customers.models import Customer as ShopCustomer
from crm.returns.models import Refund
from helpdesk.conversations.models import Conversation
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import Role
from helpdesk.staff.usecases import add_agent
from tests.resilience.conftest import Customer, Desk, engine_of, transcript, until
from tests.services import fresh_database, redis_server
from tests.shop import Shop
from tests.stack import ROOT, Stack, free_port, stack

PASSWORD = "correct horse battery"
QUEUE = "zhike_brain_events"
CONSUMER = """
import asyncio, os, sys, aio_pika

async def main():
    connection = await aio_pika.connect(sys.argv[1])
    channel = await connection.channel()
    queue = await channel.declare_queue(sys.argv[2], durable=True)
    print("listening", flush=True)
    async with queue.iterator() as events:
        async for event in events:
            async with event.process():
                print(event.body.decode(), flush=True)

asyncio.run(main())
"""


@dataclass
class Scaled:
    """Two web processes on one PostgreSQL and one Redis, a brain and its actions."""

    first: Stack
    second: Stack
    engine: Engine


def _soon(request: pytest.FixtureRequest) -> str:
    """RabbitMQ's address, while it is still starting: the brain does not wait for it. Empty where there is none."""
    try:
        return str(request.getfixturevalue("rabbitmq_soon")[0])
    except pytest.skip.Exception:
        return ""


@pytest.fixture(scope="module")
def scaled(request: pytest.FixtureRequest, postgres_url: str, redis_url: str) -> Iterator[Scaled]:
    """All of it, with the demo data."""
    rabbitmq = _soon(request)
    with fresh_database(postgres_url, "zhike_scaled") as url:
        settings = {
            "ZHIKE_DATABASE_URL": url,
            "ZHIKE_REDIS_URL": redis_url,
            "ZHIKE_RABBITMQ_URL": rabbitmq,
            "ZHIKE_SIGN_INS_FAILED": "3/minute",
            "ZHIKE_DEMO": "true",
        }
        with stack(**settings) as first:
            first.launch("brain")
            first.launch("actions")
            subprocess.run(
                [sys.executable, "-m", "cli.main", "demo", "load"], cwd=ROOT, env=first.environment, check=True
            )
            with another_web(first) as second:
                for name in ("web", "actions", "brain"):
                    first.start(name) if name == "web" else first.await_ready(name)
                engine = engine_of(first)
                yield Scaled(first, second, engine)
                engine.dispose()


@contextmanager
def another_web(beside: Stack, **settings: str) -> Iterator[Stack]:
    """One more web process of the same system."""
    made = replace(
        beside, environment={**beside.environment, "ZHIKE_PORT": str(free_port()), **settings}, processes={}, only={}
    )
    try:
        made.start("web")
        yield made
    finally:
        made.stop()


@contextmanager
def pushed(running: Stack, namespace: str, token: str) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """A socket of a customer (/chat) or an agent (/desk): all events it gets."""
    got: list[tuple[str, dict[str, Any]]] = []
    client = socketio.Client(reconnection=False, request_timeout=20)
    for event in ("message", "state", "queue", "typing", "presence"):
        client.on(event, lambda data, event=event: got.append((event, data)), namespace=namespace)
    url = f"http://127.0.0.1:{running.port('web')}"
    auth = {"token": token, "after": 0}
    client.connect(url, auth=auth, namespaces=[namespace], transports=["websocket"], wait_timeout=20)
    try:
        yield got
    finally:
        client.disconnect()


def seqs(got: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """The numbers of the lines pushed, in the order pushed."""
    return [data["seq"] for event, data in got if event == "message"]


@pytest.fixture
def desk(scaled: Scaled, request: pytest.FixtureRequest) -> Desk:
    """An agent at the second web process."""
    name = f"agent{abs(hash(request.node.name)) % 10**8}"
    with db.writing(scaled.engine) as session:
        add_agent(session, clock.now(), name=name, password=PASSWORD, role=Role.AGENT, skills={}, capacity=20)
    return Desk(scaled.second, name, PASSWORD)


def test_the_demo_shop_lives_on_postgresql_in_the_newest_form(scaled: Scaled) -> None:
    assert scaled.engine.dialect.name == "postgresql"
    assert migrate.is_current(scaled.engine)
    with db.reading(scaled.engine) as session:
        assert (session.scalar(select(func.count()).select_from(ShopCustomer)) or 0) > 100
        assert session.scalar(select(Agent).where(Agent.name == "xiaolin")) is not None
    faces = Customer(scaled.first).http.get("/demo/customers").raise_for_status().json()["customers"]
    assert faces


def test_an_order_is_called_off_on_postgresql_and_the_brain_remembers_the_talk_there(scaled: Scaled) -> None:
    shop = Shop(scaled.engine)
    customer = shop.customer(phone="13011112222")
    order = shop.order(customer, status="paid", number="209901010000001")
    me = Customer(scaled.first, customer)
    assert "确认取消" in me.says("帮我把订单取消了")
    assert "已取消" in me.says("确认")
    assert shop.fresh(order).status == "cancelled"
    with db.reading(scaled.engine) as session:
        assert session.scalar(select(func.count()).where(Refund.order_id == order.id)) == 1
        talks = table("talks", column("sender_id"), schema=migrate.BRAIN_SCHEMA)
        assert session.scalar(select(func.count()).where(talks.c.sender_id == me.id)) == 2
    assert not (scaled.first.folder / "brain.db").exists()


def test_lines_sent_to_either_web_process_are_answered_once_each(scaled: Scaled) -> None:
    everybody = [Customer(scaled.first if n % 2 else scaled.second) for n in range(6)]
    for _ in range(3):
        sent = [me.sends("你好") for me in everybody]
        for me, seq in zip(everybody, sent, strict=True):
            me.answer_to(seq)
    for me in everybody:
        lines = transcript(scaled.engine, me.id)
        assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
        turns = [line.turn_id for line in lines if line.turn_id]
        assert len(set(turns)) == 3
        with db.reading(scaled.engine) as session:
            assert session.get_one(Conversation, me.id).waiting_since is None


def test_what_an_agent_writes_at_one_web_process_reaches_the_customers_socket_at_the_other(
    scaled: Scaled, desk: Desk
) -> None:
    me = Customer(scaled.first)
    with pushed(scaled.first, "/chat", me.token) as mine, pushed(scaled.second, "/desk", desk.token) as agents:
        me.post("handoff")
        until(lambda: any(me.id in str(data) for event, data in agents if event == "queue"), "the agent sees who waits")
        desk.accepts(me.id)
        written = [desk.writes(me.id, f"第 {n} 句") for n in range(5)]
        until(lambda: set(written) <= set(seqs(mine)), "the agent's lines")
        until(lambda: any(e == "state" and d["state"] == "with_agent" for e, d in mine), "who serves")
        asked = me.sends("谢谢，还有一个问题")
        until(lambda: asked in seqs(agents), "the customer's line on the desk")
        came = seqs(mine)
        assert came == sorted(set(came)), "each line once, and none overtakes"
        said = {d["seq"]: d["text"] for e, d in mine if e == "message"}
        assert [said[seq] for seq in written] == [f"第 {n} 句" for n in range(5)]


def test_a_customer_who_goes_back_into_the_queue_at_another_process_is_told_so(scaled: Scaled, desk: Desk) -> None:
    me = Customer(scaled.first)
    with pushed(scaled.first, "/chat", me.token) as mine:
        me.post("handoff")
        desk.accepts(me.id)
        until(lambda: any(e == "state" and d["state"] == "with_agent" for e, d in mine), "who serves")
        mine.clear()
        desk.http.put("/presence", json={"state": "offline"}).raise_for_status()
        until(lambda: any(e == "state" and d["state"] == "queued" for e, d in mine), "back in the queue")


def test_failed_sign_ins_are_counted_over_all_web_processes(scaled: Scaled) -> None:
    wrong = {"name": "nobody", "password": "wrong password"}
    at = [scaled.first, scaled.second, scaled.first, scaled.second]
    base = [f"http://127.0.0.1:{web.port('web')}/api/v1/agent/session" for web in at]
    customer = Customer(scaled.first)
    assert [customer.http.post(url, json=wrong).status_code for url in base] == [401, 401, 401, 429]


def test_talks_go_on_while_redis_is_away(scaled: Scaled) -> None:
    with redis_server() as url, another_web(scaled.first, ZHIKE_REDIS_URL=url) as third:
        me = Customer(third)
        me.says("你好")
        redis.Redis.from_url(url).shutdown(nosave=True)
        assert me.says("还在吗")
        assert Customer(third).says("你好")


def test_the_brain_tells_rabbitmq_what_customers_say(scaled: Scaled, rabbitmq_url: str) -> None:
    command = [str(processes.BOT_PYTHON), "-c", CONSUMER, rabbitmq_url, QUEUE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as consumer:
        try:
            assert consumer.stdout is not None
            assert consumer.stdout.readline().strip() == "listening"
            me = Customer(scaled.first)
            me.says("你好呀")
            for line in consumer.stdout:
                event = json.loads(line)
                if event["event"] == "user" and event["sender_id"] == me.id:
                    break
            assert event["text"] == "你好呀"
        finally:
            consumer.kill()
