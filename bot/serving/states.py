"""Replaces ``Domain.states_for_tracker_history`` for the rules: it makes the state before every action of the talk, several
times a turn; rules look back no further than the longest of them is long."""

from typing import Any, Dict, List, Optional, Text

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving.rule_index import longest


def recent(domain: Domain, tracker: DialogueStateTracker, most: int) -> List[State]:
    """The last ``most`` states of the talk at most, oldest first; the last one is the present."""
    applied = tracker.applied_events()
    actions = [index for index, event in enumerate(applied) if isinstance(event, ActionExecuted)]
    wanted = set(actions[len(actions) - most + 1 :] if most <= len(actions) else actions)
    at = tracker.init_copy()
    states: List[State] = []
    for index, event in enumerate(applied):
        if index in wanted:
            states.append(domain.get_active_state(at))
        at.update(event)
    states.append(domain.get_active_state(at))
    return states


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
