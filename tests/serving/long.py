"""Run with the brain's Python: a talk of TURNS turns in a form that stays open, and what the store makes of it. Raises AssertionError."""

import asyncio
import sys

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    SessionStarted,
    SlotSet,
    UserUttered,
)

from bot.serving.talks import EVENTS, Talks

FORM, TURNS = "repair_form", 120
MAPPED = {"mappings": [{"type": "custom"}]}
DOMAIN = Domain.from_dict(
    {
        "intents": ["request_repair", "inform", "query_order"],
        "actions": ["action_query_order"],
        "forms": {FORM: {"required_slots": ["fault"]}},
        "slots": {
            "fault": {"type": "text", **MAPPED},
            "count": {"type": "any", **MAPPED},
            "focus_order": {"type": "text", "influence_conversation": True, **MAPPED},
        },
    }
)
LISTEN = ActionExecuted("action_listen")


def said(intent):
    """A message, and the word that it was read by its intent."""
    return [UserUttered(intent, {"name": intent, "confidence": 1.0}), DefinePrevUserUtteredFeaturization(False)]


def asks(n):
    """The form speaks, and waits."""
    return [ActionExecuted(FORM), SlotSet("count", n), BotUttered(f"what is wrong? {n}"), LISTEN]


def turn(n):
    """Answers that are taken; questions in between, after most of which the form asks again, and after some of which it does not."""
    if n == 0:
        begins = [ActionExecuted("action_session_start"), SessionStarted(), LISTEN, *said("request_repair")]
        return [*begins, ActionExecuted(FORM), ActiveLoop(FORM), SlotSet("focus_order", "1"), *asks(n)[1:]]
    if n % 3 == 0:
        return [*said("inform"), *asks(n)]
    looks_up = [
        *said("query_order"),
        ActionExecutionRejected(FORM),
        ActionExecuted("action_query_order"),
        BotUttered("on its way"),
    ]
    return [*looks_up, LISTEN] if n % 5 == 0 else [*looks_up, *asks(n)]


def standing(tracker):
    """How a talk stands, as the policies and the actions see it."""
    loop = tracker.active_loop
    flags = (loop.name, loop.rejected, loop.is_interrupted)
    return DOMAIN.get_active_state(tracker), tracker.current_slot_values(), flags, tracker.latest_action_name


async def main(url):
    """Says all, and takes the talk up anew after each turn."""
    store = Talks(DOMAIN, url)
    tracker = await store.get_or_create_tracker("long")
    for n in range(TURNS):
        tracker.update_with_events(turn(n), DOMAIN)
        await store.save(tracker)
        tracker = await store.retrieve("long")
        another = await Talks(DOMAIN, url).retrieve("long")
        whole = await store.retrieve_full_tracker("long")
        assert standing(tracker) == standing(another) == standing(whole), n
        assert max(len(tracker.events), len(another.events)) <= EVENTS + 60, (
            n,
            len(tracker.events),
            len(another.events),
        )
    assert tracker.active_loop_name == FORM and tracker.get_slot("focus_order") == "1"
    assert len(whole.events) > 6 * TURNS, "all of it is kept"


asyncio.run(main(sys.argv[1]))
