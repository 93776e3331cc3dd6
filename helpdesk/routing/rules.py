"""Who comes next in the queue (排队), and how long it will take. Pure; reasons in words.

A talk's rank is its priority (anger, level; helpdesk/conversations/rules.py) plus one point for each 30 seconds of
waiting, so that nobody starves: a platinum customer's 15 points are worth seven and a half minutes. Who came back
because an agent dropped off stands before all others.
"""

from datetime import datetime

POINTS_PER_SECOND = 1 / 30
FRONT = 1_000_000.0


def rank(priority: int, queued_at: datetime, at_front: bool, now: datetime) -> float:
    """The higher, the sooner. Two talks keep their order over time, so the queue does not dance."""
    waited = (now - queued_at).total_seconds()
    return (FRONT if at_front else 0.0) + priority + waited * POINTS_PER_SECOND


def estimated_wait_seconds(
    position: int, free_places: int, agents: int, handling_seconds: float, places: int
) -> int | None:
    """Seconds until the ``position``-th (1 = next) is taken; None when nobody is there to take anybody.

    With free places the agent only has to see it (20 seconds a place in the queue); otherwise one of ``places`` talks
    ends every handling time / places.
    """
    if agents == 0 or places == 0:
        return None
    if position <= free_places:
        return 20 * position
    return round((position - free_places) * handling_seconds / places) + 20


def suits(needed: str | None, skills: frozenset[str]) -> bool:
    """An agent without a skill takes every talk; a talk without a needed skill goes to everyone."""
    return not skills or needed is None or needed in skills
