"""Asks the brain (Rasa) for a turn, over loopback with the internal secret."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

from core import settings
from helpdesk.conversations.turns import Answer, Turn

RELOAD_SECONDS = 180.0


class BadModel(RuntimeError):
    """The brain could not load the model that was put in place; it goes on with the one it has."""


class BrainAway(Exception):
    """The brain did not answer, or not in its own language; the turn can be asked again."""


@dataclass(frozen=True)
class Reply:
    """All the brain says to one turn, and how it read the message."""

    answers: tuple[Answer, ...]
    intent: str | None
    slots: dict[str, Any]
    tried: tuple[str, ...]
    confidence: float | None = None
    decision: str | None = None  # answer, confirm, fallback
    entities: tuple[dict[str, Any], ...] = ()  # entity, start, end in the turn's text
    mood: dict[str, float] = field(default_factory=dict)  # probabilities
    also: tuple[str, ...] = ()  # further wishes in the same message


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
            told.get("confidence"),
            told.get("decision"),
            tuple(told.get("entities") or ()),
            told.get("mood") or {},
            tuple(told.get("also") or ()),
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise BrainAway(type(error).__name__) from error


def reload() -> None:
    """Has the brain load the model in force; turns go on meanwhile. Raises BrainAway, BadModel."""
    try:
        response = _client().post("/webhooks/zhike/reload", timeout=httpx.Timeout(RELOAD_SECONDS, connect=2))
    except httpx.HTTPError as error:
        raise BrainAway(type(error).__name__) from error
    if not response.is_success:
        raise BadModel(f"the brain did not take the model ({response.status_code})")


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
