"""Sends the customers' lines to the brain and stores what it says."""

import logging
import time

from sqlalchemy.orm import Session

from core import clock, db, wake
from helpdesk.conversations import brain, turns
from helpdesk.conversations import usecases as conversations

log = logging.getLogger(__name__)
TYPING = "typing"


class Heard:
    """When the brain last answered anything in this process; at the start: just now, so that it gets its chance."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def now(self) -> None:
        """It answered."""
        self._at = time.monotonic()

    def seconds_ago(self) -> float:
        """How long it has been silent."""
        return time.monotonic() - self._at


heard = Heard()


def run(conversation_id: str) -> bool:
    """Takes and answers the talk's next turn; False when there was none to take."""
    with db.writing() as session:
        turn = turns.take(session, conversation_id, clock.now())
    if turn is None:
        return False
    wake.call(TYPING, id=conversation_id, who="bot", on=True)
    try:
        _answer(turn)
    finally:
        wake.call(TYPING, id=conversation_id, who="bot", on=False)
    return True


def _answer(turn: turns.Turn) -> None:
    try:
        reply = brain.ask(turn)
    except brain.BrainAway as error:
        log.warning("the brain is away: %s", error)
        _failed(turn)
        return
    heard.now()
    try:
        with db.writing() as session:
            known = _known(session, turn, reply)
            turns.finish(session, turn, reply.answers, clock.now(), intent=reply.intent, understood=known)
    except Exception:
        log.exception("an answer could not be stored")  # asked again, and for a person when it stays so
        _failed(turn)


def _failed(turn: turns.Turn) -> None:
    with db.writing() as session:
        turns.failed(session, turn, clock.now())


def _known(session: Session, turn: turns.Turn, reply: brain.Reply) -> dict[str, object]:
    """What the bot knows after this turn, for the hand-over note: slots, and the requests it has worked on."""
    before = (conversations.find(session, turn.conversation_id).understood or {}).get("tried", [])
    worked = [name.removeprefix("action_") for name in reply.tried if not name.startswith("action_ask_")]
    return {"slots": reply.slots, "tried": [*before, *(n for n in worked if n not in _NO_WORK)][-20:]}


_NO_WORK = {
    "request_human",
    "clarify",
    "greet",
    "thank",
    "goodbye",
    "affirm",
    "deny",
    "chitchat",
    "inform",
    "cancel_flow",
}
