"""Conversation tests: the real turn code, the real brain and the real action server; only the HTTP front is left out.

``talk`` is a function that opens a conversation::

    def test_a_paid_order_is_cancelled_after_a_yes(talk, shop):
        customer = shop.customer()
        order = shop.order(customer, status="paid")
        me = talk(customer)                      # signed in; talk() is an unknown visitor
        assert "确认取消" in me.says("帮我把订单取消了")   # all texts of the bot's answer, joined by line breaks
        me.says("确认")                          # a button is chosen by its title or value
        assert shop.fresh(order).status == "cancelled"

``me.state`` is the conversation's state, ``me.buttons`` the titles offered last, ``me.lines`` the messages of the last answer.
``shop`` makes records (tests/shop.py) in the same database and gives sessions: ``shop.session()`` for reading.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.shop import Shop
from tests.stack import Stack, stack


@pytest.fixture(scope="session")
def running() -> Iterator[Stack]:
    """Brain and actions on a fresh database; this process works on the same one."""
    from core import db, settings
    from helpdesk.conversations import brain
    from knowledge_base import usecases as knowledge

    with stack("actions", "brain") as made:
        kept = dict(os.environ)
        os.environ.update({k: v for k, v in made.environment.items() if k.startswith("ZHIKE_")})
        for cached in (settings.load, db.engine, brain._client):
            cached.cache_clear()
        with db.writing() as session:
            knowledge.load_shipped(session)
        yield made
        os.environ.clear()
        os.environ.update(kept)
        for cached in (settings.load, db.engine, brain._client):
            cached.cache_clear()


@pytest.fixture
def shop(running: Stack) -> Shop:
    """Makes records."""
    return Shop()


class Talker:
    """A customer in a talk."""

    def __init__(self, customer: Any = None) -> None:
        from core import clock, db
        from helpdesk.conversations import usecases

        with db.writing() as session:
            conversation, _ = usecases.open_conversation(session, clock.now(), channel="web", customer=customer)
            self.id = conversation.id
        self.lines: list[Any] = []

    def says(self, text: str) -> str:
        """Sends a line and gives the texts of all that came back."""
        from core import clock, db
        from helpdesk.conversations import usecases
        from jobs import turns

        with db.writing() as session:
            seq, _ = usecases.receive(session, clock.now(), self.id, text=text, client_message_id=uuid.uuid4().hex)
        while turns.run(self.id):
            pass
        with db.reading() as session:
            self.lines = [m for m in usecases.lines(session, self.id, seq) if m.sender != "customer"]
        return "\n".join(m.text for m in self.lines)

    @property
    def state(self) -> str:
        """The conversation's state."""
        from core import db
        from helpdesk.conversations import usecases

        with db.reading() as session:
            return usecases.find(session, self.id).state

    @property
    def buttons(self) -> list[str]:
        """Titles offered in the last answer."""
        return [b["title"] for m in self.lines if m.payload for b in m.payload.get("buttons", [])]


@pytest.fixture
def talk(running: Stack) -> Callable[..., Talker]:
    """Opens a conversation."""
    return Talker
