"""Replaces ``ActionExtractSlots.run`` where it can find nothing: it goes through the mappings of all slots after every message, and all
of ours are filled by the forms' own actions (docs/adr/0004)."""

from typing import Any, List

from rasa.core.actions.action import ActionExtractSlots
from rasa.shared.core.constants import DEFAULT_SLOT_NAMES
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event

_run = ActionExtractSlots.run


def finds_nothing(domain: Domain) -> bool:
    """Whether every slot of the domain is left to actions that are called anyway; a loaded domain does not change."""
    known = domain.__dict__.get("_slots_find_nothing")
    if known is None:
        mappings = [m for slot in domain.slots if slot.name not in DEFAULT_SLOT_NAMES for m in slot.mappings]
        known = all(str(m.get("type")) == "custom" and not m.get("action") for m in mappings)
        domain._slots_find_nothing = known  # type: ignore[attr-defined]
    return bool(known)


async def run(action: ActionExtractSlots, output_channel: Any, nlg: Any, tracker: Any, domain: Domain) -> List[Event]:
    """The events of the slots found in the newest message."""
    if not finds_nothing(domain):
        return await _run(action, output_channel, nlg, tracker, domain)
    return await action._execute_validation_action([], output_channel, nlg, tracker, domain)


def install() -> None:
    """Looks only where something can be."""
    ActionExtractSlots.run = run  # type: ignore[method-assign]
