"""Replaces ``DialogueStateTracker.copy``, which replays the whole talk before each action, and the deep copies that Rasa
makes for debug lines nobody reads."""

import copy
import logging
from typing import Any

import rasa.core.actions.forms
import rasa.core.policies.rule_policy
import rasa.core.processor
import rasa.shared.core.trackers
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

LOGGING_ONLY = (rasa.core.actions.forms, rasa.core.policies.rule_policy, rasa.core.processor)


def tracker_copy(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """A tracker with the same events in the same state, that can be changed on its own. Events themselves never change."""
    made = DialogueStateTracker.__new__(DialogueStateTracker)
    made.__dict__.update(tracker.__dict__)
    made.events = tracker.events.copy()
    made.slots = {name: slot_copy(slot) for name, slot in tracker.slots.items()}
    made.active_loop = copy.copy(tracker.active_loop)
    return made


def slot_copy(slot: Slot) -> Slot:
    """A slot of its own with the same value."""
    made = slot.__class__.__new__(slot.__class__)
    made.__dict__.update(slot.__dict__)
    return made


class CopyOfSlots:
    """Stands for the module ``copy`` in Rasa's trackers, which copy all slots for every tracker made."""

    copy = staticmethod(slot_copy)


class CopyForTheLog:
    """Stands for the module ``copy`` where Rasa copies for debug lines only."""

    copy = staticmethod(copy.copy)

    @staticmethod
    def deepcopy(value: Any) -> Any:
        """The value itself: it is not logged."""
        return value


def install() -> None:
    """Copies shallowly; and nothing for the log, unless it is wanted."""
    DialogueStateTracker.copy = tracker_copy  # type: ignore[method-assign]
    rasa.shared.core.trackers.copy = CopyOfSlots  # type: ignore[attr-defined]
    if logging.getLogger("rasa").getEffectiveLevel() > logging.DEBUG:
        for module in LOGGING_ONLY:
            module.copy = CopyForTheLog  # type: ignore[attr-defined]
