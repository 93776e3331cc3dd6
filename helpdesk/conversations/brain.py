"""Asks a brain (Rasa) for a turn, over loopback or a private network, with the internal secret.

A talk stays with one of several brains, which has it in memory; while that one cannot be reached, with the next: any of them
takes a talk up from the database they share.
"""

import logging
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

from core import settings
from helpdesk.conversations.turns import Answer, Turn

log = logging.getLogger(__name__)
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
    hands_seconds: float = 0.0  # the actions' share of the time


@lru_cache
def _clients() -> tuple[httpx.Client, ...]:
    chosen = settings.load()
    return tuple(
        httpx.Client(
            base_url=url,
            headers={"X-Zhike-Secret": chosen.internal_secret},
            timeout=httpx.Timeout(chosen.brain_timeout_seconds, connect=2),
            limits=httpx.Limits(max_keepalive_connections=32),
            trust_env=False,
        )
        for url in chosen.brains
    )


def _of_talk(conversation_id: str) -> list[httpx.Client]:
    """The brains in the order in which they are asked for a talk."""
    brains = _clients()
    first = zlib.crc32(conversation_id.encode()) % len(brains)
    return [*brains[first:], *brains[:first]]


def _post(turn: Turn) -> httpx.Response:
    """A brain's answer. Raises httpx's errors. Only one that cannot be connected to has certainly not begun the turn."""
    body = {"conversation_id": turn.conversation_id, "turn_id": turn.turn_id, "text": turn.text}
    *others, last = _of_talk(turn.conversation_id)
    for client in others:
        try:
            return client.post("/webhooks/zhike/turn", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            log.warning("a brain cannot be reached; another one takes the talk")
    return last.post("/webhooks/zhike/turn", json=body)


def ask(turn: Turn) -> Reply:
    """The brain's reply to a turn; the same turn_id gets the same reply. Raises BrainAway."""
    try:
        response = _post(turn)
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
            float(told.get("hands_seconds") or 0.0),
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise BrainAway(type(error).__name__) from error


def reload() -> None:
    """Has the brains load the model in force, one after the other; turns go on meanwhile. Raises BrainAway, BadModel."""
    for client in _clients():
        try:
            response = client.post("/webhooks/zhike/reload", timeout=httpx.Timeout(RELOAD_SECONDS, connect=2))
        except httpx.HTTPError as error:
            raise BrainAway(type(error).__name__) from error
        if not response.is_success:
            raise BadModel(f"the brain did not take the model ({response.status_code})")


def is_ready() -> bool:
    """Whether one of the brains has its model and answers."""
    return any(_is_ready(client) for client in _clients())


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/webhooks/zhike/ready", timeout=2).status_code == httpx.codes.OK
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
