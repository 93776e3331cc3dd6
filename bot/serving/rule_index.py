"""Replaces ``RulePolicy._get_possible_keys``: it compares every rule with the talk; an index by the last action, the loop and
the intent of a rule's last state leaves a few that can fit at all."""

from typing import Any, Dict, List, Optional, Set, Text, Tuple

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.domain import State
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

Place = Tuple[Optional[Text], Optional[Text]]  # last action and intent; None: the rule does not say
Index = Dict[Place, List[Text]]


def _place(state: State) -> Place:
    action = (state.get(PREVIOUS_ACTION) or {}).get(ACTION_NAME)
    return action or None, (state.get(USER) or {}).get(INTENT) or None


def index_of(lookup: Dict[Text, Text]) -> Index:
    """The rules' keys by the place of their last state."""
    found: Index = {}
    for key in lookup:
        found.setdefault(_place(RulePolicy._rule_key_to_state(key)[-1]), []).append(key)
    return found


def longest(policy: RulePolicy) -> int:
    """How many states the longest rule has."""
    known = policy.__dict__.get("_longest")
    if known is None:
        keys = [key for lookup in policy.lookup.values() if isinstance(lookup, dict) for key in lookup]
        known = policy._longest = max((len(policy._rule_key_to_state(key)) for key in keys), default=1)
    return int(known)


def possible_keys(policy: RulePolicy, lookup: Dict[Text, Text], states: List[State]) -> Set[Text]:
    """The rules that fit the talk."""
    indices: Dict[int, Any] = policy.__dict__.setdefault("_indices", {})
    if id(lookup) not in indices:
        indices[id(lookup)] = lookup, index_of(lookup)  # the lookup is kept, so that its id stays its own
    index: Index = indices[id(lookup)][1]
    action, intent = _place(states[-1])
    if action is None:  # the talk begins: a rule that begins, too, fits whatever the intent
        possible = {key for (last, _), keys in index.items() if last is None for key in keys}
    else:
        possible = {key for place in ((action, intent), (action, None)) for key in index.get(place, ())}
    for turn, state in enumerate(reversed(states)):
        possible = {key for key in possible if policy._is_rule_applicable(key, turn, state)}
        if not possible:
            break
    return possible


def install() -> None:
    """Compares only those."""
    RulePolicy._get_possible_keys = possible_keys  # type: ignore[method-assign]
