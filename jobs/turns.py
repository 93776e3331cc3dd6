"""Sends the customers' lines to the brain and stores what it says."""

import logging

from sqlalchemy.orm import Session

from core import clock, db, wake
from helpdesk.conversations import brain, turns
from helpdesk.conversations import usecases as conversations

log = logging.getLogger(__name__)
TYPING = "typing"


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
        with db.writing() as session:
            turns.failed(session, turn, clock.now())
        return
    with db.writing() as session:
        turns.finish(
            session, turn, reply.answers, clock.now(), intent=reply.intent, understood=_known(session, turn, reply)
        )


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
