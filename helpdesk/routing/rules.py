"""Who comes next in the queue (排队), and how long it will take. Pure; reasons in words.

A talk's rank is its priority (anger, level; helpdesk/conversations/rules.py) plus one point for each 30 seconds of
waiting, so that nobody starves: a platinum customer's 15 points are worth seven and a half minutes. Who came back
because an agent dropped off stands before all others.
"""

from datetime import datetime, timedelta

POINT = timedelta(seconds=30)
FRONT = timedelta(days=3650)


def rank(priority: int, queued_at: datetime, at_front: bool, now: datetime) -> timedelta:
    """The higher, the sooner: the time waited, and for urgency as if one had waited longer. Exact, so that two talks keep
    their order over time and the queue does not dance."""
    return now - queued_at + priority * POINT + (FRONT if at_front else timedelta(0))


def estimated_wait_seconds(
    position: int, free_places: int, agents: int, handling_seconds: float, places: int
) -> int | None:
    """Seconds until the ``position``-th (1 = next) is taken; None when nobody is there to take anybody.

    With free places the agent only has to see it (20 seconds a place in the queue); those behind wait as well until
    one of ``places`` talks ends, which happens every handling time / places.
    """
    if agents == 0 or places == 0:
        return None
    ends = max(0, position - free_places)
    return 20 * min(position, free_places + 1) + round(ends * handling_seconds / places)


def suits(needed: str | None, skills: frozenset[str]) -> bool:
    """An agent without a skill takes every talk; a talk without a needed skill goes to everyone."""
    return not skills or needed is None or needed in skills
