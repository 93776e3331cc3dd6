"""Many at once, in several operating-system processes, on both databases: nobody gets what another has got."""

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from core import clock, db, settings
from core.once import once
from crm.customers.models import VerificationTry
from crm.returns.models import Refund
from helpdesk.conversations import turns
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import HandoverReason, State
from helpdesk.conversations.usecases import locked, open_conversation, receive
from helpdesk.routing import distribution
from helpdesk.routing import usecases as routing
from helpdesk.routing.models import Assignment
from helpdesk.routing.queue import load_by_agent
from helpdesk.staff.models import Agent, AgentSkill, AuditEntry
from tests.resilience import racers
from tests.resilience.racers import PROCESSES, Crowd
from tests.shop import Shop


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    """Processes that are ready to race."""
    made = Crowd()
    yield made
    made.end()


WHOLE = os.environ.get("ZHIKE_CHAOS") == "whole"
SKILLS = ["orders", "logistics", "after_sales", "technical"]


def agents(engine: Engine, number: int, capacity: int) -> list[int]:
    """Agents who are there, each with other skills."""
    with db.writing(engine) as session:
        made = [
            Agent(
                name=f"a{n}",
                display_name=f"客服{n}",
                role="agent",
                password_hash="-",
                capacity=capacity,
                presence="online",
                seen_at=clock.now(),
                created_at=clock.now(),
                skills=[AgentSkill(skill=SKILLS[n % len(SKILLS)], proficiency=3)] if n % 3 else [],
            )
            for n in range(number)
        ]
        session.add_all(made)
        session.flush()
        return [a.id for a in made]


def talk(engine: Engine, *said: str) -> str:
    """A talk with the bot."""
    with db.writing(engine) as session:
        made, _ = open_conversation(session, clock.now(), channel="web")
        for text in said:
            receive(session, clock.now(), made.id, text=text, client_message_id=uuid.uuid4().hex)
        return made.id


def waiting(engine: Engine, number: int) -> list[str]:
    """Talks in the queue."""
    made = [talk(engine, "转人工") for _ in range(number)]
    for n, talk_id in enumerate(made):
        with db.writing(engine) as session:
            conversation = locked(session, talk_id)
            routing.enqueue(session, conversation, HandoverReason.REQUESTED, clock.now() - timedelta(seconds=n))
            conversation.skill = SKILLS[n % len(SKILLS)] if n % 5 else None
    return made


@pytest.mark.parametrize("talks", [44, 24], ids=["more talks than places", "more places than talks"])
def test_each_waiting_talk_goes_to_one_agent_and_nobody_gets_more_than_fits(
    database: Engine, crowd: Crowd, talks: int
) -> None:
    capacity = 3
    ids = agents(database, 12, capacity)
    queue = waiting(database, talks)
    got = crowd.race(database, racers.serve, [(agent_id, queue) for agent_id in ids])

    taken = [talk_id for of_agent in got for talk_id in of_agent]
    assert len(taken) == len(set(taken)) == min(talks, len(ids) * capacity)
    owners = racers.owners(database)
    assert set(owners) == set(taken)
    assert max(Counter(owners.values()).values()) <= capacity
    with db.reading(database) as session:
        assert session.scalar(select(func.count()).select_from(Assignment)) == len(taken)
        told = session.scalars(select(Message.conversation_id).where(Message.text.contains("为您服务"))).all()
    assert sorted(told) == sorted(taken)


def test_hundreds_who_wait_get_exactly_one_owner_each_while_all_take_and_are_given_at_once(
    database: Engine, crowd: Crowd
) -> None:
    """``make chaos`` runs the whole size: 4 processes, 20 agents, 500 talks."""
    number = 500 if WHOLE else 60
    ids = agents(database, 20, 3)
    queue = waiting(database, number)
    lots = [(n, "give" if n < PROCESSES else "work", ids[n - PROCESSES], queue) for n in range(PROCESSES + len(ids))]

    crowd.race(database, _give_or_work, lots)

    with db.reading(database) as session:
        served = session.scalars(select(Assignment)).all()
        assert Counter(a.conversation_id for a in served) == Counter(queue)
        assert {a.ended_by for a in served} == {"closed"}
        told = session.scalars(
            select(Message.conversation_id).where(Message.text.contains("前面的对话我都看到了"))
        ).all()
    assert Counter(told) == Counter(queue)


def _give_or_work(engine: Engine, n: int, part: str, agent_id: int, queue: list[str]) -> object:
    return racers.give(engine, n) if part == "give" else racers.work_through(engine, agent_id, queue)


def test_agents_who_take_write_vanish_and_come_back_at_once_never_wait_for_each_other_in_a_circle(
    database: Engine, crowd: Crowd
) -> None:
    ids = agents(database, 6, 3)
    queue = waiting(database, 20)

    crowd.race(database, _turmoil_or_vanish, [(n, agent_id, ids, queue) for n, agent_id in enumerate([*ids, 0, 0])])

    with db.reading(database) as session:
        for conversation in session.scalars(select(Conversation)):
            open_now = session.scalars(
                select(Assignment.agent_id).where(
                    Assignment.conversation_id == conversation.id, Assignment.ended_at.is_(None)
                )
            ).all()
            assert list(open_now) == ([conversation.agent_id] if conversation.state == State.WITH_AGENT else [])
            seqs = session.scalars(
                select(Message.seq).where(Message.conversation_id == conversation.id).order_by(Message.seq)
            ).all()
            assert list(seqs) == list(range(1, conversation.last_seq + 1))
        loads = load_by_agent(session)
    assert all(load <= 3 for load in loads.values())


def _turmoil_or_vanish(engine: Engine, n: int, agent_id: int, ids: list[int], queue: list[str]) -> int:
    return racers.turmoil(engine, agent_id, queue) if agent_id else racers.vanish(engine, ids)


def test_a_line_sent_many_times_at_once_is_there_once_under_one_number(database: Engine, crowd: Crowd) -> None:
    mine = talk(database)
    got = [line for lot in crowd.race(database, racers.say, [(mine, ["同一句"])] * 8) for line in lot]
    assert {seq for _, seq, _ in got} == {1}
    assert [new for _, _, new in got].count(True) == 1


def test_lines_sent_at_once_are_all_there_each_under_the_number_it_was_acknowledged_with(
    database: Engine, crowd: Crowd
) -> None:
    mine = talk(database)
    lots = [(mine, [f"{who}-{n}" for n in range(6)]) for who in range(8)]
    acknowledged = {seq: key for lot in crowd.race(database, racers.say, lots) for key, seq, _ in lot}
    with db.reading(database) as session:
        stored = session.execute(select(Message.seq, Message.text).order_by(Message.seq)).tuples().all()
    assert dict(stored) == acknowledged
    assert sorted(acknowledged) == list(range(1, 49))
    for who in range(8):  # and in the order each one sent them
        own = [text for _, text in stored if text.startswith(f"{who}-")]
        assert own == [f"{who}-{n}" for n in range(6)]


def test_of_many_workers_one_gets_the_turn(database: Engine, crowd: Crowd) -> None:
    mine = talk(database, "查订单", "快点")
    got = crowd.race(database, racers.take, [(mine,)] * 8)
    assert len([turn_id for turn_id in got if turn_id]) == 1


def test_an_answer_to_a_talk_a_person_has_taken_over_is_thrown_away(database: Engine) -> None:
    (agent_id,) = agents(database, 1, 3)
    mine = talk(database, "查订单")
    now = clock.now()
    with db.writing(database) as session:
        turn = turns.take(session, mine, now)
        assert turn is not None
    with db.writing(database) as session:
        routing.enqueue(session, locked(session, mine), HandoverReason.REQUESTED, now)
    with db.writing(database) as session:
        distribution.accept(session, agent_id, mine, now)
    with db.writing(database) as session:
        assert not turns.finish(session, turn, [turns.Answer("您的订单在路上。")], now)
        turns.failed(session, turn, now + timedelta(hours=1))
    with db.reading(database) as session:
        assert not session.scalars(select(Message).where(Message.sender == "bot")).all()
        assert session.get_one(Conversation, mine).state == State.WITH_AGENT


def test_an_answer_that_missed_a_whole_hand_over_and_back_is_thrown_away(database: Engine) -> None:
    mine = talk(database, "查订单")
    now = clock.now()
    with db.writing(database) as session:
        turn = turns.take(session, mine, now)
        assert turn is not None
    with db.writing(database) as session:
        routing.enqueue(session, locked(session, mine), HandoverReason.REQUESTED, now)
    with db.writing(database) as session:
        routing.leave_queue(session, locked(session, mine), now)
    with db.writing(database) as session:
        assert not turns.finish(session, turn, [turns.Answer("您的订单在路上。")], now)


def test_a_turn_the_brain_says_nothing_to_goes_to_a_person(database: Engine) -> None:
    mine = talk(database, "查订单")
    with db.writing(database) as session:
        turn = turns.take(session, mine, clock.now())
        assert turn is not None
        assert turns.finish(session, turn, [], clock.now())
    with db.reading(database) as session:
        assert session.get_one(Conversation, mine).state == State.QUEUED
        (line,) = session.scalars(select(Message).where(Message.sender == "system")).all()
    assert "没能帮上忙" in line.text


def test_guessing_in_parallel_gives_no_more_tries_than_guessing_one_by_one(database: Engine, crowd: Crowd) -> None:
    most = settings.load().verify_tries
    shop = Shop(database)
    order = shop.order(shop.customer(phone="13900001234"))
    lots = [(talk(database), order.number, f"{n:04d}") for n in range(16)]
    got = Counter(crowd.race(database, racers.guess, lots))
    assert got == {"wrong": most, "too many": 16 - most}
    with db.reading(database) as session:
        assert session.scalar(select(func.count()).select_from(VerificationTry)) == most

    mine = talk(database)
    lots = [(mine, f"20260101{n:07d}", "0000") for n in range(16)]
    assert Counter(crowd.race(database, racers.guess, lots)) == {"wrong": most, "too many": 16 - most}


def test_an_order_that_many_call_off_at_once_is_paid_back_once(database: Engine, crowd: Crowd) -> None:
    customer = (shop := Shop(database)).customer()
    order = shop.order(customer, status="paid")
    got = Counter(crowd.race(database, racers.call_off, [(customer.id, order.number)] * 8))
    assert got == {"called off": 1, "cancel_cancelled": 7}
    with db.reading(database) as session:
        assert session.scalars(select(Refund.amount_cents)).all() == [order.total_cents]


def test_what_many_do_at_once_is_done_once_and_all_get_its_result(database: Engine, crowd: Crowd) -> None:
    got = crowd.race(database, racers.work, [("turn-1:cancel", who) for who in range(8)])
    assert len(set(got)) == 1
    with db.reading(database) as session:
        assert session.scalars(select(AuditEntry.about)).all() == [str(got[0])]


def test_work_that_failed_leaves_nothing_and_can_be_done_again(database: Engine) -> None:
    def fails() -> dict[str, object]:
        session.add(AuditEntry(what="half", at=clock.now()))
        session.flush()
        raise ValueError("no")

    with db.writing(database) as session:
        with pytest.raises(ValueError, match="no"):
            once(session, "k", fails)
        assert once(session, "k", lambda: {"n": 1}) == {"n": 1}
        assert once(session, "k", fails) == {"n": 1}
    with db.reading(database) as session:
        assert not session.scalars(select(AuditEntry)).all()
