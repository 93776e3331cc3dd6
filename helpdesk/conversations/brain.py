"""Asks the brain (Rasa) for a turn, over loopback with the internal secret."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

from core import settings
from helpdesk.conversations.turns import Answer, Turn


class BrainAway(Exception):
    """The brain did not answer, or not in its own language; the turn can be asked again."""


@dataclass(frozen=True)
class Reply:
    """All the brain says to one turn, and how it read the message."""

    answers: tuple[Answer, ...]
    intent: str | None
    slots: dict[str, Any]
    tried: tuple[str, ...]


@lru_cache
def _client() -> httpx.Client:
    chosen = settings.load()
    return httpx.Client(
        base_url=chosen.brain_url,
        headers={"X-Zhike-Secret": chosen.internal_secret},
        timeout=httpx.Timeout(chosen.brain_timeout_seconds, connect=2),
        limits=httpx.Limits(max_keepalive_connections=32),
        trust_env=False,
    )


def ask(turn: Turn) -> Reply:
    """The brain's reply to a turn; the same turn_id gets the same reply. Raises BrainAway."""
    body = {"conversation_id": turn.conversation_id, "turn_id": turn.turn_id, "text": turn.text}
    try:
        response = _client().post("/webhooks/zhike/turn", json=body)
        response.raise_for_status()
        told = response.json()
        return Reply(
            tuple(_answer(a) for a in told["answers"]),
            told.get("intent"),
            told.get("slots") or {},
            tuple(told.get("tried") or ()),
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise BrainAway(type(error).__name__) from error


def is_ready() -> bool:
    """Whether the brain has its model and answers."""
    try:
        return _client().get("/webhooks/zhike/ready", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _answer(told: dict[str, Any]) -> Answer:
    custom = told.get("custom") or {}
    return Answer(
        text=told.get("text") or "",
        buttons=tuple(told.get("buttons") or ()),
        card=custom if "card" in custom else None,
        handover=custom.get("handover"),
        close=bool(custom.get("close")),
    )
