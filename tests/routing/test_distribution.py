"""Nobody waits beside a free colleague: what the rules give, to whom, and what happens when it is not picked up."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from core import clock, db
from helpdesk.conversations.models import Conversation
from helpdesk.routing.models import Assignment, ClientManager
from helpdesk.staff.models import Agent
from tests.routing.conftest import PICK_UP_SECONDS
from tests.shop import Shop
from tests.web.people import Site, Staff, Visitor, assert_problem, at_once
from tests.web.test_sockets import Listener

Listen = Callable[..., Listener]


def owned(visitor: Visitor) -> dict[str, Any]:
    """Waits until a person has the talk; what the customer sees then."""
    return visitor.wait_for(lambda t: t["state"] == "with_agent")


def queued(visitor: Visitor) -> dict[str, Any]:
    """Waits until the talk waits."""
    return visitor.wait_for(lambda t: t["state"] == "queued")


def assignment(site: Site, visitor: Visitor) -> Assignment:
    """The talk's stretch with an agent, the newest one."""
    with site.shop.session() as session:
        of_talk = select(Assignment).where(Assignment.conversation_id == visitor.id)
        return session.scalars(of_talk.order_by(Assignment.id.desc()).limit(1)).one()


def presence(staff: Staff, state: str) -> None:
    """Sets the agent's state."""
    staff.put("/presence", {"state": state}).raise_for_status()


def test_a_free_agent_gets_the_waiting_talk_without_asking_within_a_second(site: Site) -> None:
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    told = owned(visitor)
    given = assignment(site, visitor)
    assert (given.accepted_at - given.queued_at).total_seconds() < 1.0
    assert told["agent"]["name"] == agent.display_name
    assert agent.listed("mine") == [visitor.id]
    assert agent.listed("queued") == [visitor.id], "it is shown until the agent turns to it"
    assert agent.accepts(visitor).status_code == 200
    assert agent.listed("queued") == []


def test_who_waited_longest_comes_first_when_an_agent_comes_online(site: Site) -> None:
    visitors = [site.visitor().asks_for_a_person() for _ in range(3)]
    agent = site.agent(capacity=2, presence="offline")
    presence(agent, "online")
    for visitor in visitors[:2]:
        owned(visitor)
    assert visitors[2].look()["state"] == "queued"
    assert visitors[2].look()["queue"]["position"] == 1


def test_a_freed_place_is_filled_within_a_second(site: Site) -> None:
    agent = site.agent(capacity=1)
    first, second = site.visitor().asks_for_a_person(), site.visitor()
    owned(first)
    second.asks_for_a_person()
    agent.post(agent.talk(first, "/close"), {"reason": "solved"}).raise_for_status()
    owned(second)
    freed_at = assignment(site, first).ended_at
    assert freed_at is not None
    assert (assignment(site, second).accepted_at - freed_at).total_seconds() < 1.0


def test_places_are_never_exceeded_however_many_ask_at_once(site: Site) -> None:
    agents = [site.agent(capacity=2) for _ in range(2)]
    visitors = [site.visitor() for _ in range(8)]
    at_once(*[visitor.asks_for_a_person for visitor in visitors])
    agents[0].get("/conversations", state="mine")
    deadline = time.monotonic() + 5
    while sum(v.look()["state"] == "with_agent" for v in visitors) < 4 and time.monotonic() < deadline:
        visitors[-1].look(after=99, wait=1)
    assert sorted(len(agent.listed("mine")) for agent in agents) == [2, 2]
    assert sum(visitor.look()["state"] == "queued" for visitor in visitors) == 4


def test_a_talk_about_parcels_goes_to_who_knows_parcels_though_another_is_idle(site: Site) -> None:
    site.agent(skills={"technical": 5}, capacity=9)
    skilled = site.agent(skills={"logistics": 3}, capacity=2)
    lead = site.agent(role="supervisor", presence="away")
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    moved = lead.http.post(f"{site.url}/api/v1/supervisor/talks/{visitor.id}/reassign", json={"to_skill": "logistics"})
    assert moved.status_code == 200, moved.text
    visitor.wait_for(lambda t: (t["agent"] or {}).get("name") == skilled.display_name)


def test_a_talk_not_picked_up_in_time_goes_to_a_colleague_and_the_agent_is_away(site: Site) -> None:
    sleepy = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    awake = site.agent(presence="offline")
    presence(awake, "online")
    long_ago = clock.now() - timedelta(seconds=PICK_UP_SECONDS + 1)
    site.change(Assignment, Assignment.conversation_id == visitor.id, accepted_at=long_ago)
    site.change(Conversation, Conversation.id == visitor.id, accepted_at=long_ago)
    told = visitor.wait_for(lambda t: (t["agent"] or {}).get("name") == awake.display_name)
    assert any("没能接上" in m["text"] for m in told["messages"])
    me = sleepy.get("/me").json()["agent"]
    assert (me["presence"], me["away_because"]) == ("away", "no_answer")
    assert awake.accepts(visitor).status_code == 200
    with site.shop.session() as session:
        ends = session.execute(
            select(Assignment.agent_id, Assignment.ended_by, Assignment.accepted_at, Assignment.ended_at)
            .where(Assignment.conversation_id == visitor.id)
            .order_by(Assignment.id)
        ).all()
    assert [(e.agent_id, e.ended_by) for e in ends] == [(sleepy.id, "unanswered"), (awake.id, None)]
    assert (ends[0].ended_at - ends[0].accepted_at).total_seconds() >= PICK_UP_SECONDS
    presence(sleepy, "online")
    assert sleepy.get("/me").json()["agent"]["away_because"] == ""


def test_an_answer_counts_as_picking_up(site: Site) -> None:
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    assert agent.writes(visitor, "您好，我来帮您看").status_code == 201
    with site.shop.session() as session:
        assert session.get_one(Conversation, visitor.id).picked_up_at is not None


def test_the_dedicated_manager_comes_before_anybody_else(site: Site, shop: Shop) -> None:
    site.agent(capacity=9)
    manager = site.agent(capacity=1)
    customer = shop.customer(level="platinum")
    site.shop.add(ClientManager(customer_id=customer.id, agent_id=manager.id))
    visitor = site.visitor(customer).asks_for_a_person()
    assert owned(visitor)["agent"]["name"] == manager.display_name
    assert manager.sees(visitor)["conversation"]["assigned_because"] == "专属客户经理"


def test_who_served_last_serves_again(site: Site, shop: Shop) -> None:
    first = site.agent()
    customer = shop.customer()
    visitor = site.visitor(customer).asks_for_a_person()
    owned(visitor)
    first.post(first.talk(visitor, "/close"), {"reason": "solved"}).raise_for_status()
    for _ in range(3):
        site.agent(capacity=20)
    again = site.visitor(customer).asks_for_a_person()
    assert owned(again)["agent"]["name"] == first.display_name


def test_a_talk_passed_to_a_skill_does_not_come_back_to_who_passed_it_on(site: Site) -> None:
    first, second = site.agent(), site.agent(capacity=1)
    visitor = site.visitor().asks_for_a_person()
    name = owned(visitor)["agent"]["name"]
    passer, taker = (first, second) if name == first.display_name else (second, first)
    passer.post(passer.talk(visitor, "/transfer"), {"to_skill": "orders", "note": "帮看订单"}).raise_for_status()
    told = visitor.wait_for(lambda t: (t["agent"] or {}).get("name") == taker.display_name)
    assert told["state"] == "with_agent"


def test_a_talk_passed_to_a_colleague_by_name_waits_for_that_one(site: Site) -> None:
    first, named = site.agent(), site.agent(presence="busy")
    site.agent(capacity=9, presence="busy")
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    idle = site.agent(capacity=9)
    first.post(first.talk(visitor, "/transfer"), {"to_agent": named.name, "note": "您熟"}).raise_for_status()
    queued(visitor)
    presence(named, "online")
    assert owned(visitor)["agent"]["name"] == named.display_name
    assert idle.listed("mine") == []


def test_the_talks_of_an_agent_who_leaves_go_on_with_a_colleague_at_once(site: Site) -> None:
    leaving = site.agent()
    visitors = [site.visitor().asks_for_a_person() for _ in range(3)]
    for visitor in visitors:
        owned(visitor)
    staying = site.agent()
    presence(leaving, "offline")
    for visitor in visitors:
        visitor.wait_for(lambda t: (t["agent"] or {}).get("name") == staying.display_name)
    assert sorted(staying.listed("mine")) == sorted(v.id for v in visitors)


def test_every_assignment_says_why_and_can_be_decided_again(site: Site) -> None:
    for capacity in (3, 4):
        site.agent(capacity=capacity, skills={"orders": capacity})
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    lead = site.agent(role="supervisor", presence="offline")
    url = f"{site.url}/api/v1/supervisor/assignments"
    (told,) = lead.http.get(url, params={"conversation": visitor.id}).raise_for_status().json()["assignments"]
    assert told["how"] == "assigned"
    assert told["reason"]
    assert len(told["candidates"]) == 2
    assert told["replayed_to"] == told["agent_name"]
    assert told["replay_agrees"] is True


def test_the_desk_hears_of_an_assigned_talk_and_of_every_line_in_it(site: Site, listen: Listen) -> None:
    agent = site.agent()
    desk = listen(agent)
    visitor = site.visitor().asks_for_a_person()
    told = desk.until("state", lambda s: s["conversation_id"] == visitor.id and s["state"] == "with_agent")
    assert told["agent"]["id"] == agent.id
    seq = visitor.said("在吗")
    assert desk.until("message", lambda m: m["seq"] == seq)["conversation_id"] == visitor.id


def test_a_snoozed_talk_wakes_when_the_customer_writes(site: Site) -> None:
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    agent.takes(visitor)
    told = agent.post(agent.talk(visitor, "/snooze"), {"minutes": 15}).raise_for_status().json()
    assert told["conversation"]["snoozed_until"]
    visitor.said("还在吗")
    assert agent.sees(visitor)["conversation"]["snoozed_until"] is None
    other = site.agent(presence="away")
    assert_problem(other.post(other.talk(visitor, "/snooze"), {"minutes": 5}), 404)


def test_a_colleague_who_is_asked_may_read_and_advise_but_not_write_to_the_customer(site: Site, listen: Listen) -> None:
    agent, asked, stranger = site.agent(), site.agent(presence="away"), site.agent(presence="away")
    desk = listen(asked)
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    assert asked.get(asked.talk(visitor)).status_code == 404
    sent = agent.post(agent.talk(visitor, "/notes"), {"text": "@专家 这个能退吗", "mentions": [asked.name]})
    assert sent.status_code == 201
    assert desk.until("mention")["conversation_id"] == visitor.id
    (told,) = asked.get("/conversations", state="mentioned").json()["conversations"]
    assert told["mention"] == {"by": agent.display_name, "seq": sent.json()["seq"], "seen": False}
    assert asked.sees(visitor)["messages"][-1]["text"] == "@专家 这个能退吗"
    assert asked.get("/conversations", state="mentioned").json()["conversations"][0]["mention"]["seen"] is True
    assert asked.notes(visitor, "可以，七天内").status_code == 201
    assert_problem(asked.writes(visitor, "您好"), 409)
    assert stranger.get(stranger.talk(visitor)).status_code == 404
    assert "七天内" not in "".join(visitor.texts()), "notes are private"


def test_editors_and_planners_never_get_customers(site: Site) -> None:
    editor = site.agent(role="editor")
    visitor = site.visitor().asks_for_a_person()
    for told in (
        editor.get("/conversations", state="queued"),
        editor.accepts(visitor),
        editor.post("/next"),
        editor.put("/presence", {"state": "online"}),
        editor.get(editor.talk(visitor)),
    ):
        assert_problem(told, 403)
    assert visitor.look()["state"] == "queued"


def test_nobody_is_held_up_by_someone_who_changes_the_talk_meanwhile(site: Site) -> None:
    """Customers write while their talks are being given away."""
    visitors = [site.visitor().asks_for_a_person() for _ in range(6)]
    agents = [site.agent(presence="offline", capacity=3) for _ in range(2)]
    at_once(
        *[lambda v=v: v.said("快点") for v in visitors],
        *[lambda a=a: presence(a, "online") for a in agents],
    )
    for visitor in visitors:
        owned(visitor)
    with db.reading(site.engine) as session:
        held = session.execute(
            select(Conversation.agent_id).where(Conversation.id.in_([v.id for v in visitors]))
        ).scalars()
        assert sorted(held) == sorted([a.id for a in agents] * 3)
        assert session.scalars(select(Agent.id).where(Agent.presence == "online")).all()
