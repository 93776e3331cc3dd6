"""Who comes next in the queue (排队), who serves whom (分配), and how long it will take. Pure; reasons in words.

A talk's rank is its priority (anger, level; helpdesk/conversations/rules.py) plus one point for each 30 seconds of
waiting, so that nobody starves: a platinum customer's 15 points are worth seven and a half minutes. Who came back
because an agent dropped off stands before all others.

Of the agents who may take a talk now, the one whom the customer knows comes first (a named colleague, the dedicated
manager, who served last, each only for a bounded time), then who has most room, then the most proficient, then who can
do least else (so that the many-sided stay free for the rest), then who has been idle longest.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

POINT = timedelta(seconds=30)
FRONT = timedelta(days=3650)
NAMED_FIRST = timedelta(seconds=180)  # a talk passed to a colleague by name waits so long for that one alone
MANAGER_FIRST = timedelta(seconds=90)
LAST_AGENT_FIRST = timedelta(seconds=30)
WIDEN_AFTER = timedelta(seconds=120)  # then better another skill than more waiting
PLACE = 10  # units of load in one place; a channel's weight is told in places
MIDDLING = 3  # the proficiency of an agent without skills, who takes everything
SOON_SECONDS = 5


@dataclass(frozen=True)
class Waiting:
    """A talk in the queue, as far as routing cares. ``weight`` in units of load; the agents by id."""

    id: str
    queued_at: datetime
    priority: int = 0
    at_front: bool = False
    skill: str | None = None
    weight: int = PLACE
    to_agent: int | None = None
    manager: int | None = None
    last_agent: int | None = None
    left_by: int | None = None  # who has just passed it on or let it wait: not the same one again at once

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.__dict__, "queued_at": self.queued_at.isoformat()}

    @staticmethod
    def of(kept: Mapping[str, Any]) -> "Waiting":
        """The other way."""
        return Waiting(**{**kept, "queued_at": datetime.fromisoformat(kept["queued_at"])})


@dataclass(frozen=True)
class Seat:
    """An agent who takes talks now. ``skills``: name → proficiency 1–5; ``load`` in units; ``idle_since``: when the
    load last changed."""

    agent_id: int
    capacity: int
    load: int
    idle_since: datetime
    skills: Mapping[str, int] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """Units of load left; negative when the capacity was lowered."""
        return self.capacity * PLACE - self.load

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.__dict__, "skills": dict(self.skills), "idle_since": self.idle_since.isoformat()}

    @staticmethod
    def of(kept: Mapping[str, Any]) -> "Seat":
        """The other way."""
        return Seat(**{**kept, "idle_since": datetime.fromisoformat(kept["idle_since"])})


@dataclass(frozen=True)
class Decision:
    """Who gets a talk and why; ``seats``: the candidates, as they were."""

    talk: Waiting
    agent_id: int
    reason: str
    seats: tuple[Seat, ...]
    there: frozenset[int]

    def kept(self, now: datetime) -> dict[str, Any]:
        """Everything needed to decide once more, as JSON."""
        return {
            "at": now.isoformat(),
            "talk": self.talk.kept(),
            "seats": [seat.kept() for seat in self.seats],
            "there": sorted(self.there),
        }


def rank(priority: int, queued_at: datetime, at_front: bool, now: datetime) -> timedelta:
    """The higher, the sooner: the time waited, and for urgency as if one had waited longer. Exact, so that two talks keep
    their order over time and the queue does not dance."""
    return now - queued_at + priority * POINT + (FRONT if at_front else timedelta(0))


def in_order(waiting: Collection[Waiting], now: datetime) -> list[Waiting]:
    """The queue as it will be taken."""
    return sorted(waiting, key=lambda t: (-rank(t.priority, t.queued_at, t.at_front, now), t.queued_at, t.id))


def suits(needed: str | None, skills: Collection[str]) -> bool:
    """An agent without a skill takes every talk; a talk without a needed skill goes to everyone."""
    return not skills or needed is None or needed in skills


def reserved_for(talk: Waiting, there: Collection[int], online: Collection[int], now: datetime) -> int | None:
    """The one agent who may take the talk for now, or None when it is open to all who suit.

    ``there``: agents who are not offline; ``online``: those who take talks. A manager or last agent who is busy or away
    is not waited for.
    """
    waited = now - talk.queued_at
    if talk.to_agent in there and waited < NAMED_FIRST:
        return talk.to_agent
    if talk.manager in online and waited < MANAGER_FIRST:
        return talk.manager
    if talk.last_agent in online and waited < LAST_AGENT_FIRST and not talk.at_front:
        return talk.last_agent
    return None


def eligible(
    talk: Waiting, seats: Sequence[Seat], there: Collection[int], now: datetime, *, widened: bool = True
) -> list[Seat]:
    """Those of the present agents who may take the talk now, whether or not they have room.

    Who does not have the skill may take it when nobody present has it, or after WIDEN_AFTER (unless not ``widened``);
    who has just passed it on when nobody else is present, or after NAMED_FIRST.
    """
    only = reserved_for(talk, there, {seat.agent_id for seat in seats}, now)
    if only is not None:
        return [seat for seat in seats if seat.agent_id == only]
    waited = now - talk.queued_at
    others = [seat for seat in seats if seat.agent_id != talk.left_by]
    seats = others if others and waited < NAMED_FIRST else seats
    skilled = [seat for seat in seats if suits(talk.skill, seat.skills)]
    return skilled if skilled and (waited < WIDEN_AFTER or not widened) else list(seats)


def choose(
    talk: Waiting, seats: Sequence[Seat], there: Collection[int], now: datetime, *, widened: bool = True
) -> Decision | None:
    """Who gets this talk now; None when nobody who may take it has room. The same input gives the same answer."""
    able = eligible(talk, seats, there, now, widened=widened)
    free = [seat for seat in able if seat.room >= talk.weight]
    if not free:
        return None
    best = min(free, key=lambda seat: _preference(talk, seat))
    return Decision(talk, best.agent_id, _reason(talk, best, free), tuple(seats), frozenset(there))


def _preference(talk: Waiting, seat: Seat) -> tuple[Any, ...]:
    known = seat.agent_id in {talk.to_agent, talk.manager, talk.last_agent}
    wrong = not suits(talk.skill, seat.skills)
    fullness = seat.load / (seat.capacity * PLACE)
    return wrong, not known, fullness, -proficiency(talk, seat), _breadth(seat), seat.idle_since, seat.agent_id


def _breadth(seat: Seat) -> int:
    return len(seat.skills) or 99  # without skills: everything


def proficiency(talk: Waiting, seat: Seat) -> int:
    """1–5 in what the talk needs; who takes everything, or is asked for nothing special, is middling; 0: not at all."""
    if not seat.skills or talk.skill is None:
        return MIDDLING
    return seat.skills.get(talk.skill, 0)


def _reason(talk: Waiting, seat: Seat, free: Sequence[Seat]) -> str:
    if seat.agent_id == talk.to_agent:
        return "同事指定转接"
    if seat.agent_id == talk.manager:
        return "专属客户经理"
    if seat.agent_id == talk.last_agent and not talk.at_front:
        return "上次由其接待"
    if len(free) == 1:
        why = "当时只有其一人有空位"
    elif any(other.load * seat.capacity != seat.load * other.capacity for other in free):
        why = "空位最多"
    elif any(proficiency(talk, other) != proficiency(talk, seat) for other in free):
        why = "最熟练"
    elif any(_breadth(other) != _breadth(seat) for other in free):
        why = "专做这类"
    else:
        why = "空闲最久"
    if not suits(talk.skill, seat.skills):
        return f"没有对应技能的同事有空，{why}"
    return f"技能匹配，{why}" if talk.skill and seat.skills else why


def distribute(
    waiting: Collection[Waiting], seats: Sequence[Seat], there: Collection[int], now: datetime, most: int | None = None
) -> list[Decision]:
    """All that can be given now (``most``: so many of them), in order of rank.

    First to those with the skill, and only then, of what has waited long, to the others who are still free: if each
    took the oldest talk of whatever field, all would soon work outside their own, more slowly, and the queue would only
    grow (scripts/bench_routing.py: 42 minutes of mean wait instead of half a one). Afterwards no talk waits that an
    agent with room may take, but for room that is saved.
    """
    at = {seat.agent_id: seat for seat in seats}
    made: list[Decision] = []
    left = in_order(waiting, now)
    for widened in (False, True):
        still: list[Waiting] = []
        for talk in left:
            if len(made) == most or not any(seat.room > 0 for seat in at.values()):
                return made
            decision = choose(talk, list(at.values()), there, now, widened=widened)
            if decision is None:
                still.append(talk)
                saved = None if widened else _saved(talk, list(at.values()), there, now)
                if saved is not None:
                    at[saved.agent_id] = saved
                continue
            made.append(decision)
            seat = at[decision.agent_id]
            at[seat.agent_id] = replace(seat, load=seat.load + talk.weight, idle_since=now)
        left = [talk for talk in still if now - talk.queued_at >= WIDEN_AFTER]
    return made


def _saved(talk: Waiting, seats: Sequence[Seat], there: Collection[int], now: datetime) -> Seat | None:
    """The agent who lacks least room for a talk that has waited long, as if full: else lighter talks behind it would
    take every bit of room that becomes free, and it would wait for ever."""
    if now - talk.queued_at < WIDEN_AFTER:
        return None
    able = eligible(talk, seats, there, now, widened=False)
    almost = [seat for seat in able if 0 < seat.room < talk.weight <= seat.capacity * PLACE]
    best = min(almost, key=lambda seat: (-seat.room, seat.agent_id), default=None)
    return best and replace(best, load=best.capacity * PLACE)


def replayed(kept: Mapping[str, Any]) -> int | None:
    """Whom the rules of today give the talk, from what an assignment kept (:meth:`Decision.kept`)."""
    seats = [Seat.of(seat) for seat in kept["seats"]]
    decision = choose(Waiting.of(kept["talk"]), seats, kept["there"], datetime.fromisoformat(kept["at"]))
    return decision.agent_id if decision else None


def claim(skill: str | None, able: Collection[int], seats: Sequence[Seat]) -> float:
    """How likely a talk that needs ``skill`` will take a place of the ``able`` agents (ids): the share they have of all
    the places it may take (0–1). Who stands before and is as well served by others keeps nobody waiting that much."""
    theirs = [seat for seat in seats if suits(skill, seat.skills)] or seats
    places = sum(seat.capacity for seat in theirs)
    return sum(seat.capacity for seat in theirs if seat.agent_id in able) / places if places else 1.0


def estimated_wait_seconds(
    position: float, free_places: int, agents: int, handling_seconds: float, places: int
) -> int | None:
    """Seconds until the ``position``-th (1 = next; who stands before counts by :func:`claim`) is taken; None when nobody
    is there to take anybody.

    While all ``places`` are taken one ends every handling time / places, and the n-th to end is a gamma variate of that
    scale, whose median is close to n - 1/3: half of the customers wait less. (Newcomers who overtake are not foreseen;
    ``make bench`` shows the error.)
    """
    if agents == 0 or places == 0:
        return None
    ends = max(0.0, position - free_places)
    return SOON_SECONDS + round(max(0.0, ends - 1 / 3) * handling_seconds / places)
