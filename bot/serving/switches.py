"""Which fast paths are off: ``ZHIKE_BRAIN_SLOW``, names from PATHS with commas between, or ``all``."""

import os
from typing import Set

PATHS = (
    "actions",
    "copies",
    "domain",
    "event_classes",
    "graph",
    "hands",
    "http",
    "rule_index",
    "slots",
    "states",
    "talks",
    "tensorflow",
)


def off() -> Set[str]:
    """The names of those that are turned off. Raises ValueError for a name there is not."""
    named = {name.strip() for name in os.environ.get("ZHIKE_BRAIN_SLOW", "").split(",")} - {""}
    if named == {"all"}:
        return set(PATHS)
    if named - set(PATHS):
        raise ValueError(f"ZHIKE_BRAIN_SLOW: no such fast path: {', '.join(sorted(named - set(PATHS)))}")
    return named
