"""A customer service in virtual time, event by event, driven by the rules that serve real customers.

The distribution is passed in: ours (helpdesk/routing/rules.py) or a plain one to compare with. Everything random comes
from the talks and agents that are passed in, so that each policy meets the same customers with the same requests.

An agent with several talks at once works on each of them at the speed 1 / (1 + SLOWED * (others)): five at once take
twice as long each and yet two and a half times as many come to an end.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from helpdesk.routing import rules
from helpdesk.routing.rules import PLACE, Seat, Waiting

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
SLOWED = 0.25
PACE = {0: 1.5, 1: 1.2, 2: 1.1, 3: 1.0, 4: 0.9, 5: 0.8}  # handling time by proficiency; 0: not one's field
NO_END = float("inf")

Given = tuple[str, int]  # talk, agent
Policy = Callable[[Collection[Waiting], Sequence[Seat], Collection[int], datetime], list[Given]]


def moment(seconds: float) -> datetime:
    """Virtual seconds as the time the rules read."""
    return BEGIN + timedelta(seconds=seconds)


def ours(waiting: Collection[Waiting], seats: Sequence[Seat], there: Collection[int], now: datetime) -> list[Given]:
    """The rules in force."""
    return [(made.talk.id, made.agent_id) for made in rules.distribute(waiting, seats, there, now)]


def first_come(
    waiting: Collection[Waiting], seats: Sequence[Seat], pick: Callable[[list[Seat]], Seat], now: datetime
) -> list[Given]:
    """In the order of coming, to whom ``pick`` chooses of those with the skill and a place."""
    at = {seat.agent_id: seat for seat in seats if seat.room > 0}
    given: list[Given] = []
    for talk in waiting:
        able = [seat for seat in at.values() if seat.room >= talk.weight and rules.suits(talk.skill, seat.skills)]
        if able:
            seat = pick(able)
            given.append((talk.id, seat.agent_id))
            at[seat.agent_id] = replace(seat, load=seat.load + talk.weight, idle_since=now)
    return given


def longest_idle(
    waiting: Collection[Waiting], seats: Sequence[Seat], there: Collection[int], now: datetime
) -> list[Given]:
    """Plain: whoever has the skill and got or ended a talk longest ago."""
    return first_come(waiting, seats, lambda able: min(able, key=lambda seat: (seat.idle_since, seat.agent_id)), now)


def round_robin() -> Policy:
    """Plain: whoever has the skill and comes next after the one who was given the last talk."""
    last = 0

    def pick(able: list[Seat]) -> Seat:
        nonlocal last
        seat = min(able, key=lambda seat: (seat.agent_id <= last, seat.agent_id))
        last = seat.agent_id
        return seat

    def policy(
        waiting: Collection[Waiting], seats: Sequence[Seat], there: Collection[int], now: datetime
    ) -> list[Given]:
        return first_come(waiting, seats, pick, now)

    return policy


@dataclass(slots=True)
class Talk:
    """A customer who asks for a person at ``at`` with a request of ``work`` seconds for a middling agent alone with it;
    leaves the queue after ``patience`` seconds."""

    id: str
    at: float
    work: float
    skill: str | None = None
    priority: int = 0
    level: str = "normal"
    patience: float = NO_END


@dataclass(slots=True)
class Desk:
    """An agent and the talks at hand (talk id → work left). ``version`` counts the changes: an end foreseen before the
    last one is void."""

    seat: Seat
    work: dict[str, float] = field(default_factory=dict)
    since: float = 0.0
    version: int = 0
    talks: int = 0
    talk_seconds: float = 0.0

    @property
    def speed(self) -> float:
        """Work done a second on each talk."""
        return 1 / (1 + SLOWED * (len(self.work) - 1))

    def advance(self, now: float) -> None:
        """Work is done up to now."""
        if self.work:
            done = (now - self.since) * self.speed
            self.talk_seconds += (now - self.since) * len(self.work)
            for talk_id in self.work:
                self.work[talk_id] -= done
        self.since = now


class Service:
    """Runs the events. ``queued`` is called with each newcomer in the queue, ``taken`` with each talk and its wait (also
    of one that came back), ``lost`` with whoever gave up. ``present``: all agents take talks from the beginning."""

    def __init__(
        self,
        seats: Iterable[Seat],
        talks: Iterator[Talk],
        policy: Policy,
        taken: Callable[[Talk, float], None],
        queued: Callable[["Service", Talk], None] | None = None,
        lost: Callable[[Talk], None] | None = None,
        present: bool = True,
    ) -> None:
        self.desks = {seat.agent_id: Desk(seat) for seat in seats}
        self.present = set(self.desks) if present else set()
        self.free = set(self.present)
        self.talks: dict[str, Talk] = {}
        self.waiting: dict[str, Waiting] = {}
        self.accepted: dict[str, float] = {}
        self.recent: deque[float] = deque(maxlen=200)  # handling times
        self.ended, self.handled_seconds = 0, 0.0
        self.now = 0.0
        self.decisions, self.deciding_seconds = 0, 0.0
        self._coming, self._policy = talks, policy
        self._taken, self._queued, self._lost = taken, queued, lost
        self._events: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._number = count()
        self._next_arrival()

    def at(self, when: float, do: Callable[[Any], None], what: Any) -> None:
        """Foresees an event."""
        heapq.heappush(self._events, (when, next(self._number), do, what))

    def run(self) -> None:
        """Until nobody comes and everything foreseen has happened."""
        while self._events:
            self.now, _, do, what = heapq.heappop(self._events)
            do(what)
            if self.waiting and self.free:
                self._give()

    def seats(self) -> list[Seat]:
        """Who takes talks now."""
        return [self.desks[n].seat for n in sorted(self.present)]

    def handling_seconds(self) -> float:
        """What helpdesk/routing/queue.py would read: the mean of the last 200 talks, or the setting's default."""
        return sum(self.recent) / len(self.recent) if len(self.recent) >= 10 else 300.0

    def _next_arrival(self) -> None:
        talk = next(self._coming, None)
        if talk is not None:
            self.at(talk.at, self._arrive, talk)

    def _arrive(self, talk: Talk) -> None:
        self._next_arrival()
        self.talks[talk.id] = talk
        self._wait(talk, at_front=False)
        if talk.patience < NO_END:
            self.at(self.now + talk.patience, self._give_up, talk)
        if self._queued:
            self._queued(self, talk)

    def _wait(self, talk: Talk, *, at_front: bool) -> None:
        self.waiting[talk.id] = Waiting(
            talk.id, moment(self.now), priority=talk.priority, at_front=at_front, skill=talk.skill
        )
        if talk.skill is not None:  # the rules may then decide otherwise although nothing else happens
            self.at(self.now + rules.WIDEN_AFTER.total_seconds(), lambda _: None, None)

    def _give_up(self, talk: Talk) -> None:
        held = self.waiting.get(talk.id)
        if held is not None and not held.at_front:
            del self.waiting[talk.id], self.talks[talk.id]
            if self._lost:
                self._lost(talk)

    def _give(self) -> None:
        begun = time.process_time()
        given = self._policy(self.waiting.values(), self.seats(), self.present, moment(self.now))
        self.deciding_seconds += time.process_time() - begun  # of this process: others may be busy
        self.decisions += len(given)
        for talk_id, agent_id in given:
            self._start(self.waiting.pop(talk_id), self.desks[agent_id])

    def _start(self, waited: Waiting, desk: Desk) -> None:
        talk = self.talks[waited.id]
        wait = self.now - (waited.queued_at - BEGIN).total_seconds()
        self._taken(talk, wait)
        self.accepted[talk.id] = self.now
        desk.advance(self.now)
        desk.work[talk.id] = talk.work * PACE[rules.proficiency(waited, desk.seat)]
        desk.talks += 1
        self._changed(desk)

    def _changed(self, desk: Desk) -> None:
        seat = desk.seat
        desk.seat = Seat(seat.agent_id, seat.capacity, len(desk.work) * PLACE, moment(self.now), seat.skills)
        desk.version += 1
        if seat.agent_id in self.present and desk.seat.room > 0:
            self.free.add(seat.agent_id)
        else:
            self.free.discard(seat.agent_id)
        if desk.work:
            end = self.now + max(0.0, min(desk.work.values())) / desk.speed
            self.at(end, self._finish, (desk, desk.version))

    def _finish(self, foreseen: tuple[Desk, int]) -> None:
        desk, version = foreseen
        if desk.version != version:
            return
        desk.advance(self.now)
        done = min(desk.work, key=desk.work.__getitem__)
        del desk.work[done], self.talks[done]
        self.recent.append(self.now - self.accepted.pop(done))
        self.ended += 1
        self.handled_seconds += self.recent[-1]
        self._changed(desk)

    def sign_in(self, agent_id: int) -> None:
        """Takes talks from now on."""
        self.present.add(agent_id)
        self.desks[agent_id].advance(self.now)
        self._changed(self.desks[agent_id])

    def step_out(self, agent_id: int) -> None:
        """Takes no more; ends those at hand."""
        self.present.discard(agent_id)
        self.free.discard(agent_id)

    def drop_off(self, agent_id: int) -> None:
        """The connection is lost: the talks at hand return to the front with what is left of their work."""
        self.step_out(agent_id)
        desk = self.desks[agent_id]
        desk.advance(self.now)
        for talk_id, left in desk.work.items():
            self.talks[talk_id].work = max(1.0, left)
            self._wait(self.talks[talk_id], at_front=True)
        desk.work.clear()
        desk.version += 1
        desk.seat = replace(desk.seat, load=0)


def gini(shares: Collection[float]) -> float:
    """0: all the same; towards 1: one has everything."""
    ordered = sorted(shares)
    total = sum(ordered)
    weighted = sum(n * share for n, share in enumerate(ordered, 1))
    return 2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered) if total else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """Of values, sorted or not."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints; the first column to the left, the others to the right."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    print(f"\n{title}")
    for line in lines:
        first, *rest = (
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *rest]))
