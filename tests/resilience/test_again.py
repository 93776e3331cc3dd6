"""A turn can reach the actions twice (a crash, a time-out): what it keeps is kept once, on either database."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor
from sqlalchemy import Engine, func, select

from actions import server
from core import clock, db
from crm.customers.models import VerificationTry
from helpdesk.conversations import usecases as conversations
from helpdesk.surveys.models import Feedback, Rating
from knowledge_base.models import OpenQuestion
from tests.shop import Shop


@pytest.fixture(scope="module")
def executor() -> ActionExecutor:
    return server.executor()


@pytest.fixture
def talk_id(database: Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A signed-in customer's talk; the actions work on its database."""
    monkeypatch.setattr(db, "engine", lambda: database)
    customer = Shop(database).customer()
    with db.writing() as session:
        return conversations.open_conversation(session, clock.now(), channel="web", customer=customer)[0].id


def run(executor: ActionExecutor, action: str, talk_id: str, text: str, turn_id: str, **slots: Any) -> list[str]:
    """What an action says to a message."""
    message = {"text": text, "intent": {"name": "inform"}, "entities": [], "metadata": {"turn_id": turn_id}}
    form = action.removeprefix("validate_") if action.startswith("validate_") else None
    tracker = {"sender_id": talk_id, "slots": slots, "latest_message": message, "events": []}
    call = {"next_action": action, "domain": {}, "tracker": {**tracker, "active_loop": {"name": form} if form else {}}}
    with ThreadPoolExecutor(1) as pool:  # a browser's test in the same process leaves this thread's loop running
        result = pool.submit(asyncio.run, executor.run(call)).result()
    assert result is not None
    return [str(response["text"]) for response in result.model_dump()["responses"]]


def stored(model: Any) -> int:
    """How many rows there are."""
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize(
    ("action", "text", "model"),
    [
        ("action_praise", "客服小王特别耐心", Feedback),
        ("action_give_rating", "打5分", Rating),
        ("action_faq", "嗡嗡咕噜噜的规矩", OpenQuestion),
    ],
)
def test_what_a_customer_says_of_us_is_kept_once(
    executor: ActionExecutor, talk_id: str, action: str, text: str, model: Any
) -> None:
    said = [run(executor, action, talk_id, text, "turn-1") for _ in range(2)]
    assert said[0] == said[1] != []
    assert stored(model) == 1
    run(executor, action, talk_id, text, "turn-2")
    assert stored(model) == 2


def test_a_wrong_number_counts_once_towards_the_lock_out(
    executor: ActionExecutor, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "engine", lambda: database)
    with db.writing() as session:
        stranger = conversations.open_conversation(session, clock.now(), channel="web")[0].id
    given = {"order_number": "20260000000001", "phone_last4": "0000", "requested_slot": "phone_last4"}
    said = [run(executor, "validate_verify_form", stranger, "0000", "turn-1", **given) for _ in range(2)]
    assert "没有对上" in said[0][0] and said[0] == said[1]
    assert stored(VerificationTry) == 1
    run(executor, "validate_verify_form", stranger, "0000", "turn-2", **given)
    assert stored(VerificationTry) == 2
