"""Conversation tests: over the HTTP API to the running system – web, brain, actions and database, nothing replaced.

``talk`` opens a conversation::

    def test_a_paid_order_is_cancelled_after_a_yes(talk, shop):
        order = shop.order(customer := shop.customer(), status="paid")
        me = talk(customer)                      # signed in; talk() is an unknown visitor
        assert "确认取消" in me.says("帮我把订单取消了")   # all texts of the answer, joined by line breaks
        me.says("确认")                          # a button is chosen by its title or value
        assert shop.fresh(order).status == "cancelled"

``me.sends`` posts several lines at once, ``me.turns()`` counts the turns the bot took. ``me.state`` is the conversation's state, ``me.buttons`` the titles offered last, ``me.lines`` the lines of the last
answer (``.kind``, ``.text``, ``.payload``). ``shop`` makes records (tests/shop.py); ``shop.session()`` is for reading.
"""

import time
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from core import clock, db
from crm.customers.access import visitor_token
from helpdesk.conversations.models import Conversation, Message
from tests.stack import Stack

ANSWER_SECONDS = 30


class Talker:
    """A customer in a talk."""

    def __init__(self, running: Stack, customer: Any = None) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{running.port('web')}/api/v1", timeout=40, trust_env=False
        )
        opening: dict[str, Any] = {"channel": "web"}
        if customer is not None:
            secret = running.environment["ZHIKE_CUSTOMER_TOKEN_SECRET"]
            opening["customer_token"] = visitor_token(customer.id, secret, clock.now())
        made = self._http.post("/conversations", json=opening).raise_for_status().json()
        self.id = made["id"]
        self._http.headers["Authorization"] = f"Bearer {made['token']}"
        self.state = made["state"]
        self.lines: list[Any] = []

    def says(self, text: str) -> str:
        """Sends a line and gives the texts of all that came back."""
        return self._wait(self._post(text))

    def _post(self, text: str) -> int:
        body = {"client_message_id": uuid.uuid4().hex, "text": text}
        return int(self._http.post(f"/conversations/{self.id}/messages", json=body).raise_for_status().json()["seq"])

    def sends(self, *texts: str) -> str:
        """Sends lines one right after another without waiting, and gives the texts of all that came back to them."""
        seqs = [self._post(text) for text in texts]
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._answered_upto() < seqs[-1]:
            assert time.monotonic() < deadline, f"no answer within {ANSWER_SECONDS} s"
            time.sleep(0.05)
        return self._wait(seqs[0])

    def turns(self) -> int:
        """How many turns the bot took so far."""
        with db.reading() as session:
            query = select(func.count(Message.turn_id.distinct())).where(Message.conversation_id == self.id)
            return session.scalar(query) or 0

    def _answered_upto(self) -> int:
        with db.reading() as session:
            return session.get_one(Conversation, self.id).answered_seq

    def _wait(self, seq: int) -> str:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            told = self._http.get(f"/conversations/{self.id}/messages", params={"after": seq, "wait": 20}).json()
            self.state = told["state"]
            self.lines = [
                SimpleNamespace(**{"payload": None, **m}) for m in told["messages"] if m["sender"] != "customer"
            ]
            if self.lines:
                return "\n".join(line.text for line in self.lines)
        raise AssertionError(f"no answer within {ANSWER_SECONDS} s")

    @property
    def buttons(self) -> list[str]:
        """Titles offered in the last answer."""
        return [b["title"] for line in self.lines if line.payload for b in line.payload.get("buttons", [])]


@pytest.fixture
def talk(running: Stack) -> Callable[..., Talker]:
    """Opens a conversation."""
    return lambda customer=None: Talker(running, customer)
