"""Replaces ``action_for_name_or_text``: it makes all of Rasa's own actions anew to find one by name, several times a turn, and a
form that works out its mappings again."""

from typing import Any, Optional, Text

import rasa.core.actions.action
from rasa.shared.core.domain import Domain

_made = rasa.core.actions.action.action_for_name_or_text


def kept(name: Text, domain: Domain, endpoint: Optional[Any]) -> Any:
    """The action of this name: the same one as long as the domain and the endpoint are, for actions keep nothing of a talk.
    Raises ActionNotFoundException."""
    known = domain.__dict__.setdefault("_actions", {})
    key = name, id(endpoint)
    if key not in known:
        known[key] = _made(name, domain, endpoint), endpoint  # the endpoint is kept, so that its id stays its own
    return known[key][0]


def install() -> None:
    """Makes each action once."""
    rasa.core.actions.action.action_for_name_or_text = kept
