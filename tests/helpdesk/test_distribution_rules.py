"""Who is given which talk: a service desk where anything happens in any order, and what must hold after each of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from helpdesk.conversations.rules import PRIORITY
from helpdesk.routing import rules
from helpdesk.routing.rules import NAMED_FIRST, PLACE, WIDEN_AFTER, Seat, Waiting

BEGIN = datetime(2026, 11, 22, 8, tzinfo=UTC)
MOST_URGENT = max(PRIORITY.values())
SKILLS = ["orders", "technical", "complaints"]
AGENTS = range(1, 6)
needs = st.none() | st.sampled_from(SKILLS)
skill_sets = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5))
somebody = st.none() | st.sampled_from(AGENTS)
priorities = st.integers(0, MOST_URGENT)
spans = st.sampled_from([0, 1, 29, 30, 60, 90, 119, 120, 180, 900]).map(lambda s: timedelta(seconds=s))
light_and_heavy = st.sampled_from([3, 5, PLACE, 15, 20])
seats = st.builds(
    Seat,
    agent_id=st.sampled_from(AGENTS),
    capacity=st.integers(1, 3),
    load=st.sampled_from([0, 5, 10, 20, 30]),
    idle_since=spans.map(lambda span: BEGIN - span),
    skills=skill_sets,
)
teams = st.lists(seats, max_size=5, unique_by=lambda seat: seat.agent_id)
queues = st.lists(
    st.builds(
        Waiting,
        id=st.uuids().map(str),
        queued_at=spans.map(lambda span: BEGIN - span),
        priority=priorities,
        at_front=st.booleans(),
        skill=needs,
        weight=light_and_heavy,
        to_agent=somebody,
        manager=somebody,
        last_agent=somebody,
        left_by=somebody,
    ),
    max_size=8,
    unique_by=lambda talk: talk.id,
)
present = st.frozensets(st.sampled_from(AGENTS))


def told(decisions: list[rules.Decision]) -> list[tuple[str, int, str]]:
    """What matters of them."""
    return [(made.talk.id, made.agent_id, made.reason) for made in decisions]


class Desk(RuleBasedStateMachine):
    """Agents come, go and drop off, customers come, are passed on and finish, and time goes by. All talks weigh the same."""

    weights = st.just(PLACE)

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.number = 0
        self.profile: dict[int, tuple[int, dict[str, int]]] = {}  # capacity, skills
        self.online: set[int] = set()
        self.there: set[int] = set()
        self.idle: dict[int, datetime] = {}
        self.waiting: dict[str, Waiting] = {}
        self.held: dict[str, tuple[int, Waiting]] = {}

    def seats(self) -> list[Seat]:
        """Who takes talks now, the load counted anew from the talks at hand."""
        return [
            Seat(agent, capacity, self.load(agent), self.idle[agent], skills)
            for agent, (capacity, skills) in self.profile.items()
            if agent in self.online
        ]

    def load(self, agent: int) -> int:
        """Units at hand."""
        return sum(talk.weight for owner, talk in self.held.values() if owner == agent)

    @rule(agent=st.sampled_from(AGENTS), capacity=st.integers(1, 3), skills=skill_sets)
    def signs_in(self, agent: int, capacity: int, skills: dict[str, int]) -> None:
        """Or changes places and skills while at work."""
        self.profile[agent] = capacity, skills
        self.online.add(agent)
        self.there.add(agent)
        self.idle[agent] = self.now
        self.settle()

    @precondition(lambda self: self.online)
    @rule(data=st.data())
    def takes_a_break(self, data: st.DataObject) -> None:
        self.online.remove(data.draw(st.sampled_from(sorted(self.online))))
        self.settle()

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def drops_off(self, data: st.DataObject) -> None:
        agent = data.draw(st.sampled_from(sorted(self.there)))
        self.there.discard(agent)
        self.online.discard(agent)
        for talk_id in [talk_id for talk_id, (owner, _) in self.held.items() if owner == agent]:
            self.back(talk_id)
        self.settle()

    @rule(skill=needs, priority=priorities, weight=st.data(), manager=somebody, last_agent=somebody)
    def customer_comes(
        self, skill: str | None, priority: int, weight: st.DataObject, manager: int | None, last_agent: int | None
    ) -> None:
        self.number += 1
        talk_id = f"{self.number:03}"
        self.waiting[talk_id] = Waiting(
            talk_id, self.now, priority, skill=skill, weight=weight.draw(self.weights),
            manager=manager, last_agent=last_agent,
        )  # fmt: skip
        self.settle()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), to_agent=somebody, to_skill=st.sampled_from(SKILLS))
    def is_passed_on(self, data: st.DataObject, to_agent: int | None, to_skill: str) -> None:
        """To a colleague by name, or to a skill group."""
        talk_id = data.draw(st.sampled_from(sorted(self.held)))
        by, _ = self.held[talk_id]
        if to_agent is None or to_agent == by:
            self.back(talk_id, skill=to_skill)
        else:
            self.back(talk_id, to_agent=to_agent)
        self.settle()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def is_finished(self, data: st.DataObject) -> None:
        agent, _ = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        self.idle[agent] = self.now
        self.settle()

    @rule(span=spans)
    def time_goes_by(self, span: timedelta) -> None:
        self.now += span
        self.settle()

    def back(self, talk_id: str, **changed: Any) -> None:
        """To the front of the queue."""
        agent, talk = self.held.pop(talk_id)
        self.waiting[talk_id] = replace(
            talk, queued_at=self.now, at_front=True, left_by=agent, last_agent=None,
            manager=None if talk.manager == agent else talk.manager, **changed,
        )  # fmt: skip

    def settle(self) -> None:
        """Distributes as the worker does, and looks at what was decided."""
        queue = list(self.waiting.values())
        made = rules.distribute(queue, self.seats(), self.there, self.now)
        again = rules.distribute(queue[::-1], self.seats()[::-1], frozenset(self.there), self.now)
        assert told(made) == told(again), "the order of the input decides"
        for decision in made:
            self.give(decision)
        assert rules.distribute(list(self.waiting.values()), self.seats(), self.there, self.now) == []
        self.nobody_waits_in_vain()

    def give(self, decision: rules.Decision) -> None:
        """Checks one decision as things stand, then carries it out."""
        talk = self.waiting.get(decision.talk.id)
        assert talk == decision.talk, "given twice, or never waited"
        assert talk.id not in self.held
        seat = next(seat for seat in self.seats() if seat.agent_id == decision.agent_id)
        assert seat.load + talk.weight <= seat.capacity * PLACE
        self.serves_the_right_one(talk, seat)
        kept = json.loads(json.dumps(decision.kept(self.now)))
        assert rules.replayed(kept) == decision.agent_id
        del self.waiting[talk.id]
        self.held[talk.id] = seat.agent_id, replace(talk, at_front=False, to_agent=None, left_by=None)
        self.idle[seat.agent_id] = self.now

    def serves_the_right_one(self, talk: Waiting, seat: Seat) -> None:
        """A skilled agent before others, and nobody passed over whom this agent could have served as well."""
        team = self.seats()
        mine = rules.reserved_for(talk, self.there, self.online, self.now)
        assert mine in (None, seat.agent_id)
        if mine is None and not rules.suits(talk.skill, seat.skills):
            able = [s for s in team if rules.suits(talk.skill, s.skills) and s.agent_id != talk.left_by]
            assert not able or self.now - talk.queued_at >= WIDEN_AFTER
            assert all(s.room < talk.weight for s in able)
        for other in rules.in_order(self.waiting.values(), self.now):
            if other.id == talk.id:
                break
            strictly = rules.eligible(other, team, self.there, self.now, widened=False)
            passed_over = seat in strictly and seat.room >= other.weight
            assert not passed_over, f"{other} stood before {talk}"

    def nobody_waits_in_vain(self) -> None:
        """Whoever waits finds no room with those who may take the talk – or it is saved for a heavier one that waits long."""
        for talk in self.waiting.values():
            for seat in rules.eligible(talk, self.seats(), self.there, self.now):
                assert seat.room < talk.weight or self.saved(seat)

    def saved(self, seat: Seat) -> bool:
        """Whether a talk that has waited long lacks only some of this agent's places."""
        return any(
            self.now - talk.queued_at >= WIDEN_AFTER
            and 0 < seat.room < talk.weight
            and seat in rules.eligible(talk, self.seats(), self.there, self.now, widened=False)
            for talk in self.waiting.values()
        )


class DeskOfManyChannels(Desk):
    """The same, with channels of different weights."""

    weights = light_and_heavy


BOUNDED = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestDesk = Desk.TestCase
TestDesk.settings = BOUNDED
TestDeskOfManyChannels = DeskOfManyChannels.TestCase
TestDeskOfManyChannels.settings = BOUNDED


@given(queues, teams, present, st.randoms(use_true_random=False))
def test_the_same_situation_is_decided_the_same_way_however_it_is_listed(
    queue: list[Waiting], team: list[Seat], there: frozenset[int], chance: Any
) -> None:
    first = rules.distribute(queue, team, there, BEGIN)
    mixed, others = list(queue), list(team)
    chance.shuffle(mixed)
    chance.shuffle(others)
    assert told(rules.distribute(mixed, others, sorted(there), BEGIN)) == told(first)


@given(queues, teams, present, st.integers(0, 4))
def test_a_few_at_a_time_are_the_first_of_all(
    queue: list[Waiting], team: list[Seat], there: frozenset[int], most: int
) -> None:
    every = told(rules.distribute(queue, team, there, BEGIN))
    assert told(rules.distribute(queue, team, there, BEGIN, most)) == every[:most]


@given(queues, teams, present)
def test_whatever_is_reserved_is_open_to_all_present_after_three_minutes(
    queue: list[Waiting], team: list[Seat], there: frozenset[int]
) -> None:
    for talk in queue:
        since = replace(talk, queued_at=BEGIN - NAMED_FIRST)
        assert rules.reserved_for(since, there, {seat.agent_id for seat in team}, BEGIN) is None
        assert rules.eligible(since, team, there, BEGIN) == team


@given(queues, teams, present)
def test_who_lost_an_agent_is_served_before_all_whom_the_same_agent_may_serve(
    queue: list[Waiting], team: list[Seat], there: frozenset[int]
) -> None:
    plain = [replace(talk, skill=None, weight=PLACE, to_agent=None, manager=None, last_agent=None, left_by=None)
             for talk in queue]  # fmt: skip
    fronts = [made.talk.at_front for made in rules.distribute(plain, team, there, BEGIN)]
    assert fronts == sorted(fronts, reverse=True)
    places = sum(max(0, seat.room) // PLACE for seat in team)
    assert len(fronts) == min(places, len(plain))


@given(priorities, st.lists(priorities, min_size=1, max_size=3), st.integers(5, 60))
def test_nobody_starves_however_urgent_those_who_keep_coming(mine: int, theirs: list[int], every_seconds: int) -> None:
    """One agent, always one talk at hand, as many newcomers as ends: whoever waits is served before those who come half an
    hour later, so after a bounded number of talks."""
    waiting = {"me": Waiting("me", BEGIN, mine)}
    for step in range(1, 2 + (MOST_URGENT + 1) * 30 // every_seconds):
        now = BEGIN + timedelta(seconds=step * every_seconds)
        waiting[str(step)] = Waiting(str(step), now, theirs[step % len(theirs)])
        (given_,) = rules.distribute(waiting.values(), [Seat(1, 1, 0, BEGIN)], {1}, now)
        del waiting[given_.talk.id]
        if given_.talk.id == "me":
            return
    raise AssertionError("still waiting")


@given(st.integers(2, 4), st.integers(1, 9))
def test_a_heavy_talk_is_served_although_light_ones_keep_coming(capacity: int, light: int) -> None:
    """Each bit of room that becomes free would be taken by a light talk; after WIDEN_AFTER it is saved for the heavy one."""
    heavy = Waiting("heavy", BEGIN, weight=2 * PLACE)
    load, step = capacity * PLACE, 0
    while step < 60 + 3 * PLACE:
        step += 1
        now = BEGIN + timedelta(seconds=10 * step)
        load -= min(load, light)  # one ends
        queue = [heavy, *(Waiting(f"{step} {n}", now, weight=light) for n in range(20))]
        for made in rules.distribute(queue, [Seat(1, capacity, load, BEGIN)], {1}, now):
            load += made.talk.weight
            if made.talk is heavy:
                assert now - BEGIN >= WIDEN_AFTER, "there was never room before"
                return
    raise AssertionError("still waiting")


TECHNICIAN = Seat(1, 1, PLACE, BEGIN, {"technical": 5})
SELLER = Seat(2, 1, 0, BEGIN, {"orders": 2})
OLD = Waiting("old", BEGIN - 2 * WIDEN_AFTER, skill="technical")
NEW = Waiting("new", BEGIN - timedelta(seconds=5), skill="orders")


def test_who_is_free_serves_the_own_field_before_an_older_talk_of_another() -> None:
    assert told(rules.distribute([OLD, NEW], [TECHNICIAN, SELLER], {1, 2}, BEGIN)) == [
        ("new", 2, "技能匹配，当时只有其一人有空位")
    ]


def test_who_would_be_idle_otherwise_helps_with_what_has_waited_long() -> None:
    (made,) = rules.distribute([OLD], [TECHNICIAN, SELLER], {1, 2}, BEGIN)
    assert (made.agent_id, made.reason) == (2, "没有对应技能的同事有空，当时只有其一人有空位")
    fresh = replace(OLD, queued_at=BEGIN - WIDEN_AFTER + timedelta(seconds=1))
    assert rules.distribute([fresh], [TECHNICIAN, SELLER], {1, 2}, BEGIN) == []


def test_the_reason_says_what_made_the_difference() -> None:
    one = Seat(1, 2, PLACE, BEGIN, {"orders": 3})
    differences = {
        "技能匹配，空位最多": replace(one, load=0),
        "技能匹配，最熟练": replace(one, skills={"orders": 4}),
        "技能匹配，空闲最久": replace(one, idle_since=BEGIN - timedelta(minutes=5)),
    }
    for reason, better in differences.items():
        (made,) = rules.distribute([NEW], [one, replace(better, agent_id=2)], {1, 2}, BEGIN)
        assert (made.agent_id, made.reason) == (2, reason)
    many_sided = replace(one, agent_id=2, skills={"orders": 3, "technical": 3}, idle_since=BEGIN - timedelta(minutes=5))
    (made,) = rules.distribute([NEW], [one, many_sided], {1, 2}, BEGIN)
    assert (made.agent_id, made.reason) == (1, "技能匹配，专做这类")


def test_nobody_waits_for_a_skill_that_nobody_present_has() -> None:
    (made,) = rules.distribute([replace(NEW, skill="complaints")], [SELLER], {2}, BEGIN)
    assert (made.agent_id, made.reason) == (2, "没有对应技能的同事有空，当时只有其一人有空位")


def test_who_has_the_skill_takes_an_old_talk_even_when_others_have_more_room() -> None:
    busier = Seat(1, 3, 2 * PLACE, BEGIN, {"technical": 2})
    for known in (None, SELLER.agent_id):
        old = replace(OLD, queued_at=BEGIN - timedelta(hours=1), last_agent=known)
        (made,) = rules.distribute([old], [busier, SELLER], {1, 2}, BEGIN)
        assert made.agent_id == busier.agent_id
        assert rules.replayed(made.kept(BEGIN)) == busier.agent_id


def test_what_was_passed_on_does_not_come_back_while_a_colleague_is_there() -> None:
    one, other = Seat(1, 1, 0, BEGIN), Seat(2, 1, PLACE, BEGIN)
    passed_on = Waiting("passed on", BEGIN, at_front=True, left_by=1)
    assert rules.distribute([passed_on], [one, other], {1, 2}, BEGIN) == []
    (made,) = rules.distribute([passed_on], [one, replace(other, load=0)], {1, 2}, BEGIN)
    assert made.agent_id == 2
    (made,) = rules.distribute([passed_on], [one], {1}, BEGIN)
    assert made.agent_id == 1, "better the same one than nobody"


def test_who_has_just_been_given_a_talk_is_not_idle_longest() -> None:
    idle = Seat(1, 3, PLACE, BEGIN - timedelta(minutes=10))
    busier = Seat(2, 3, 2 * PLACE, BEGIN - timedelta(minutes=5))
    queue = [Waiting("a", BEGIN - timedelta(seconds=2)), Waiting("b", BEGIN - timedelta(seconds=1))]
    assert [made.agent_id for made in rules.distribute(queue, [idle, busier], {1, 2}, BEGIN)] == [1, 2]


def test_no_room_is_saved_for_a_talk_that_will_never_fit() -> None:
    giant = Waiting("giant", BEGIN - timedelta(hours=1), weight=3 * PLACE)
    (made,) = rules.distribute([giant, Waiting("light", BEGIN)], [Seat(1, 2, PLACE, BEGIN)], {1}, BEGIN)
    assert made.talk.id == "light"
