"""Sends the customers' lines to the brain and stores what it says."""

import logging
import time
from functools import partial
from typing import Any

from prometheus_client import Counter, Histogram

from core import clock, db, together, wake
from helpdesk.conversations import brain, mood, turns
from helpdesk.conversations.rules import INTENT_LABELS
from helpdesk.learning import collecting
from helpdesk.learning.rules import Reading

log = logging.getLogger(__name__)
TYPING = "typing"
SECONDS = Histogram(
    "zhike_turn_seconds", "A turn's parts: until it is taken, taking it, the brain, its actions, storing it", ["part"]
)
FAILED = Counter("zhike_turns_failed_total", "Turns the brain did not answer, or whose answer could not be stored")


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


def run(conversation_id: str) -> turns.Pause | None:
    """Takes and answers the talk's next turn, if there is one; a Pause when it should be looked at again."""
    looked_at = clock.now()
    with db.reading() as session:
        if not turns.wanted(session, conversation_id, looked_at):
            return None
    together.give_way()
    with SECONDS.labels("take").time(), db.writing() as session:
        turn = turns.take(session, conversation_id, clock.now())
    if not isinstance(turn, turns.Turn):
        return turn
    SECONDS.labels("pause").observe(max(0.0, (looked_at - turn.said_at).total_seconds()))
    wake.call(TYPING, id=conversation_id, who="bot", on=True)
    try:
        _answer(turn)
    finally:
        wake.call(TYPING, id=conversation_id, who="bot", on=False)
    return None


def _answer(turn: turns.Turn) -> None:
    try:
        begun = time.perf_counter()
        reply = brain.ask(turn)
        SECONDS.labels("actions").observe(reply.hands_seconds)
        SECONDS.labels("brain").observe(max(0.0, time.perf_counter() - begun - reply.hands_seconds))
    except brain.BrainAway as error:
        log.warning("the brain is away: %s", error)
        _failed(turn)
        return
    heard.now()
    together.give_way()
    try:
        with SECONDS.labels("store").time():
            store(turn, reply)
    except Exception:
        log.exception("an answer could not be stored")  # asked again, and for a person when it stays so
        _failed(turn)


def store(turn: turns.Turn, reply: brain.Reply) -> None:
    """The answers, and what there is to learn from the turn, in one transaction."""
    now = clock.now()
    with db.writing() as session:
        answers = (*_further(reply), *reply.answers)
        if turns.finish(session, turn, answers, now, intent=reply.intent, understood=partial(_known, reply)):
            collecting.collect(session, turn.conversation_id, turn.upto_seq, turn.text, _reading(reply), now)


def _further(reply: brain.Reply) -> tuple[turns.Answer, ...]:
    """A second wish is not lost: offered before the answer to the first, so that the last line stays the bot's question."""
    wishes = [wish for wish in reply.also if wish in INTENT_LABELS]
    if not wishes or reply.decision != "answer" or any(a.handover for a in reply.answers):
        return ()
    told = "、".join(f"“{INTENT_LABELS[wish]}”" for wish in wishes)
    buttons = tuple({"title": INTENT_LABELS[wish], "payload": f"/{wish}"} for wish in wishes)
    return (turns.Answer(f"您还提到了{told}，我记着了。先看这件，好了点下面接着办：", buttons),)


def _reading(reply: brain.Reply) -> Reading:
    asked_back = "action_clarify" in reply.tried
    return Reading(reply.intent, reply.confidence, reply.decision, reply.entities, asked_back)


def _failed(turn: turns.Turn) -> None:
    FAILED.inc()
    with db.writing() as session:
        turns.failed(session, turn, clock.now())


def _known(reply: brain.Reply, known: dict[str, Any]) -> dict[str, Any]:
    """What the bot knows after this turn, for the hand-over note: slots, and the requests it has worked on. ``known``:
    what it knew before."""
    before = known.get("tried", [])
    moods = list(dict.fromkeys([*known.get("moods", []), *mood.moods(reply.mood)]))
    worked = [name.removeprefix("action_") for name in reply.tried if not name.startswith("action_ask_")]
    tried = [*before, *(n for n in worked if n not in _NO_WORK)][-20:]
    return {"slots": reply.slots, "tried": tried, "moods": moods}


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
