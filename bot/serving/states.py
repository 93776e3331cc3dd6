"""Replaces ``Domain.states_for_tracker_history`` for the rules: it makes the state before every action of the talk, several
times a turn; rules look back no further than the longest of them is long, and a state that was made once stays what it was."""

from typing import Any, Dict, List, Optional, Text, Tuple

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted, Event
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving.rule_index import longest

Made = Dict[int, Tuple[Optional[Event], State]]  # by the number of events before: the last of them, and the state


def recent(domain: Domain, tracker: DialogueStateTracker, most: int) -> List[State]:
    """The last ``most`` states of the talk at most, oldest first; the last one is the present."""
    applied = tracker.applied_events()
    actions = [index for index, event in enumerate(applied) if isinstance(event, ActionExecuted)]
    wanted = actions[len(actions) - most + 1 :] if most <= len(actions) else actions
    wanted.append(len(applied))
    made: Made = tracker.__dict__.setdefault("_states", {})
    for index in made.keys() - set(wanted):
        del made[index]
    missing = {index for index in wanted if index not in made or made[index][0] is not _before(applied, index)}
    if len(applied) in missing and applied and tracker.events[-len(applied)] is applied[0]:  # all of them are applied
        made[len(applied)] = applied[-1], domain.get_active_state(tracker)
        missing.remove(len(applied))
    if missing:
        at = tracker.init_copy()
        for index in range(max(missing) + 1):
            if index in missing:
                made[index] = _before(applied, index), domain.get_active_state(at)
            if index < len(applied):
                at.update(applied[index])
    states = [made[index][1] for index in wanted]
    return [
        {part: dict(told) for part, told in state.items()} for state in states
    ]  # they are changed by who reads them


def _before(applied: List[Event], index: int) -> Optional[Event]:
    """The event before a state, by which it is known again: events are only ever appended, or taken from the end."""
    return applied[index - 1] if index else None


def prediction_states(
    policy: RulePolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    use_text_for_last_user_input: bool = False,
    rule_only_data: Optional[Dict[Text, Any]] = None,
) -> List[State]:
    """The states that rules are compared with."""
    states = recent(domain, tracker, longest(policy) + 1)
    policy.featurizer._choose_last_user_input([states], use_text_for_last_user_input)
    return states


def install() -> None:
    """Only the states that are needed."""
    RulePolicy._prediction_states = prediction_states  # type: ignore[method-assign]
