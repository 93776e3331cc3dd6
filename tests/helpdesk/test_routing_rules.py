"""Who comes next, for any queue."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations.rules import PRIORITY
from helpdesk.routing.rules import Seat, claim, estimated_wait_seconds, rank, suits

BEGIN = datetime(2026, 11, 22, 8, tzinfo=UTC)
MOST_URGENT = max(PRIORITY.values())  # a danger: all else together is less (test_conversation_rules.py)
moments = st.one_of(
    st.timedeltas(timedelta(0), timedelta(days=3)), st.integers(0, 9000).map(lambda n: timedelta(seconds=10 * n))
).map(lambda span: BEGIN + span)
priorities = st.integers(0, MOST_URGENT)
talks = st.tuples(priorities, moments, st.booleans())
counts = st.integers(0, 60)
positions = st.floats(1, 80)  # those before count by what they take of the same agents
skill_names = st.sampled_from(["orders", "technical", "complaints"])
teams = st.lists(
    st.builds(
        Seat,
        agent_id=st.integers(1, 9),
        capacity=st.integers(1, 5),
        load=st.just(0),
        idle_since=st.just(BEGIN),
        skills=st.dictionaries(skill_names, st.integers(1, 5)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda seat: seat.agent_id,
)


def order(queue: list[tuple[int, datetime, bool]], now: datetime) -> list[int]:
    """Places in the queue."""
    return sorted(range(len(queue)), key=lambda n: -rank(*queue[n], now))


@given(st.lists(talks, max_size=12), moments, moments)
def test_the_queue_keeps_its_order_while_everybody_waits(
    queue: list[tuple[int, datetime, bool]], first: datetime, second: datetime
) -> None:
    assert order(queue, first) == order(queue, second)


@given(priorities, priorities, moments, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_who_has_waited_half_an_hour_longer_stands_before_anybody_however_urgent(
    mine: int, other: int, since: datetime, more: timedelta
) -> None:
    later = since + timedelta(seconds=30 * MOST_URGENT, microseconds=1) + more
    now = later + timedelta(hours=1)
    assert rank(mine, since, False, now) > rank(other, later, False, now)
    assert timedelta(seconds=30 * MOST_URGENT) < timedelta(minutes=30)


@given(talks, moments)
def test_everybody_rises_with_time_and_with_urgency(talk: tuple[int, datetime, bool], now: datetime) -> None:
    priority, since, at_front = talk
    assert rank(*talk, now + timedelta(seconds=1)) > rank(*talk, now)
    assert rank(priority + 1, since, at_front, now) > rank(*talk, now)


@given(talks, talks, moments)
def test_who_lost_an_agent_stands_before_all_who_did_not(
    dropped: tuple[int, datetime, bool], other: tuple[int, datetime, bool], now: datetime
) -> None:
    assert rank(dropped[0], dropped[1], True, now) > rank(other[0], other[1], False, now)


@given(positions, counts, st.integers(1, 20), st.floats(1, 3600), st.integers(1, 100))
def test_who_stands_further_back_is_never_told_a_shorter_wait(
    position: float, free: int, agents: int, handling: float, places: int
) -> None:
    here = estimated_wait_seconds(position, free, agents, handling, places)
    behind = estimated_wait_seconds(position + 1, free, agents, handling, places)
    assert here is not None and behind is not None
    assert 0 < here <= behind


@given(positions, counts, st.integers(1, 20), st.floats(1, 3600), st.integers(1, 100), st.floats(0, 3600))
def test_slower_service_never_shortens_and_more_places_never_lengthen_the_wait(
    position: float, free: int, agents: int, handling: float, places: int, slower: float
) -> None:
    told = estimated_wait_seconds(position, free, agents, handling, places)
    assert told is not None
    assert (estimated_wait_seconds(position, free, agents, handling + slower, places) or 0) >= told
    assert (estimated_wait_seconds(position, free, agents, handling, places + 1) or 0) <= told


@given(positions, counts, st.floats(1, 3600), counts)
def test_no_time_is_promised_while_nobody_is_there(position: float, free: int, handling: float, places: int) -> None:
    assert estimated_wait_seconds(position, free, 0, handling, places) is None
    assert estimated_wait_seconds(position, free, 1, handling, 0) is None


@given(st.none() | st.sampled_from(["orders", "technical"]), st.frozensets(st.sampled_from(["orders", "technical"])))
def test_an_agent_without_a_skill_and_a_talk_without_a_need_suit_everyone(
    needed: str | None, skills: frozenset[str]
) -> None:
    assert suits(needed, frozenset())
    assert suits(None, skills)
    assert suits(needed, skills) == (not skills or needed is None or needed in skills)


@given(st.none() | skill_names, teams, st.frozensets(st.integers(1, 9)))
def test_a_talk_takes_one_place_in_all_and_none_of_those_who_do_not_suit(
    skill: str | None, team: list[Seat], able: frozenset[int]
) -> None:
    everybody = {seat.agent_id for seat in team}
    assert claim(skill, everybody, team) == 1
    assert abs(claim(skill, able, team) + claim(skill, everybody - able, team) - 1) < 1e-9
    skilled = {seat.agent_id for seat in team if suits(skill, seat.skills)}
    if skilled:
        assert claim(skill, everybody - skilled, team) == 0


def test_who_stands_before_but_may_go_elsewhere_counts_for_less() -> None:
    seller, both = Seat(1, 3, 30, BEGIN, {"orders": 3}), Seat(2, 1, 10, BEGIN, {"orders": 3, "technical": 3})
    technicians = {both.agent_id}
    assert claim("orders", technicians, [seller, both]) == 0.25
    assert claim("technical", technicians, [seller, both]) == 1
    assert claim("complaints", technicians, [seller, both]) == 0.25  # nobody has it, so all may take it
