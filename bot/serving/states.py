"""Replaces ``Domain.states_for_tracker_history`` for the rules: it makes the state before every action of the talk, several
times a turn; rules look back no further than the longest of them is long, and a state that was made once stays what it was."""

from typing import Any, Dict, List, Optional, Text, Tuple

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted, DefinePrevUserUtteredFeaturization, Event, UserUttered
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
    missing = {index for index in wanted if index not in made or made[index][0] is not _before(applied, index)}
    if len(applied) in missing and applied and tracker.events[-len(applied)] is applied[0]:  # all of them are applied
        made[len(applied)] = applied[-1], domain.get_active_state(tracker)
        missing.remove(len(applied))
    for index in [index for index in missing if _says_how_read(applied, index, made)]:
        made[index] = applied[index - 1], _reread(domain, tracker, made[index - 1][1])
        missing.remove(index)
    if missing:
        at = tracker.init_copy()
        for index in range(max(missing) + 1):
            if index in missing:
                made[index] = _before(applied, index), domain.get_active_state(at)
            if index < len(applied):
                at.update(applied[index])
    states = [made[index][1] for index in wanted]
    for index in made.keys() - set(wanted):
        del made[index]
    return [
        {part: dict(told) for part, told in state.items()} for state in states
    ]  # they are changed by who reads them


def _before(applied: List[Event], index: int) -> Optional[Event]:
    """The event before a state, by which it is known again: events are only ever appended, or taken from the end."""
    return applied[index - 1] if index else None


def _says_how_read(applied: List[Event], index: int, made: Made) -> bool:
    """Whether the newest message and the word how it was read (by intent or text) are all that came before a state, after one that
    is known: so it is after each first action of a turn."""
    return (
        isinstance(applied[index - 1], DefinePrevUserUtteredFeaturization)
        and index - 1 in made
        and made[index - 1][0] is _before(applied, index - 1)
        and not any(isinstance(event, UserUttered) for event in applied[index:])
    )


def _reread(domain: Domain, tracker: DialogueStateTracker, state: State) -> State:
    """The state once it is said how its message, still the newest one, was read."""
    read = {**state, USER: domain._get_user_sub_state(tracker)}
    return {part: told for part, told in read.items() if told}


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
