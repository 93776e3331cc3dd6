"""The fast paths: what replaces a costly part of Rasa, each by a module of its own, with equal results (tests/serving).

Rasa is frozen at 3.6.21, so what is replaced stays put. Two more stand elsewhere: the tracker store (talks.py) is named in
endpoints.yml, and run.py leaves TensorFlow out. switches.py turns them off.
"""

import gc
from typing import Callable, Dict, Text

from bot.serving import actions, copies, domain, event_classes, graph, hands, http, rule_index, slots, states, switches

COLLECT_AFTER = 30_000  # objects made and not yet let go of
INSTALL: Dict[Text, Callable[[], None]] = {
    "actions": actions.install,
    "copies": copies.install,
    "domain": domain.install,
    "event_classes": event_classes.install,
    "graph": graph.install,
    "hands": hands.install,
    "http": http.install,
    "rule_index": rule_index.install,
    "slots": slots.install,
    "states": states.install,
}


def install() -> None:
    """Puts those in place that are on."""
    slow = switches.off()
    for name, put in INSTALL.items():
        if name not in slow:
            put()


def settle() -> None:
    """Once the model is loaded: millions of its objects stay, so the collector need not look at them again and again. And a turn
    makes some ten thousand objects and leaves hardly any behind: it looks once a few turns, not ten times in each."""
    gc.unfreeze()  # a model that was there before may go
    gc.collect()
    gc.freeze()
    gc.collect()  # what is kept is counted anew: until a quarter as much as before has gathered, it would not look at old garbage
    gc.set_threshold(COLLECT_AFTER, 10, 10)
