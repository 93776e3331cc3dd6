"""What an agent's program gets from the HTTP API."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from core import clock, db
from helpdesk.conversations.models import Conversation
from helpdesk.routing.models import Assignment
from helpdesk.staff.models import Agent, AgentSession, AuditEntry, CannedReply
from knowledge_base import usecases as knowledge
from tests.shop import Shop
from tests.web.brain import StandInBrain
from tests.web.people import PASSWORD, Site, Staff, Visitor, assert_problem, at_once, new_key


def served(site: Site, **given: object) -> tuple[Staff, Visitor]:
    """An agent who has accepted a visitor's talk."""
    agent, visitor = site.agent(**given), site.visitor().asks_for_a_person()
    return agent.takes(visitor), visitor


# Signing in and out


def test_name_and_password_give_a_token_and_who_one_is(site: Site) -> None:
    record = site.agent_record(skills={"orders": 4}, presence="offline", capacity=3)
    told = site.caller().post("/api/v1/agent/session", {"name": record.name, "password": PASSWORD})
    assert told.status_code == 200
    assert told.json()["agent"] == {
        "id": record.id,
        "name": record.name,
        "display_name": record.display_name,
        "role": "agent",
        "presence": "offline",
        "presence_since": None,
        "away_because": "",
        "capacity": 3,
        "load": 0,
        "skills": [{"name": "orders", "label": "订单与支付", "proficiency": 4}],
    }
    me = site.caller(told.json()["token"]).get("/api/v1/agent/me")
    assert me.json() == {"agent": told.json()["agent"]}


def test_an_unknown_name_is_refused_in_the_same_words_as_a_wrong_password(site: Site) -> None:
    record = site.agent_record()
    wrong = site.caller().post("/api/v1/agent/session", {"name": record.name, "password": "not this one"})
    unknown = site.caller().post("/api/v1/agent/session", {"name": "nobody at all", "password": PASSWORD})
    assert assert_problem(wrong, 401) == assert_problem(unknown, 401)


def test_failed_sign_ins_are_limited_by_address_and_good_ones_are_not_counted(site: Site) -> None:
    record, one = site.agent_record(), site.caller()
    good = {"name": record.name, "password": PASSWORD}
    bad = {"name": record.name, "password": "guess number one"}
    assert [one.post("/api/v1/agent/session", good).status_code for _ in range(4)] == [200] * 4
    assert [one.post("/api/v1/agent/session", bad).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert_problem(one.post("/api/v1/agent/session", good), 429)
    assert site.caller().post("/api/v1/agent/session", good).status_code == 200


def test_after_signing_out_the_token_is_dead_and_the_agent_offline(site: Site) -> None:
    agent, visitor = served(site)
    assert agent.http.delete(agent.prefix + "/session").status_code == 204
    assert_problem(agent.get("/me"), 401)
    assert site.shop.fresh(site.shop.fresh(_record(site, agent))).presence == "offline"
    assert visitor.look()["state"] == "queued"


def test_signing_out_on_one_computer_keeps_the_other_signed_in(site: Site) -> None:
    record = site.agent_record()
    good = {"name": record.name, "password": PASSWORD}
    tokens = [site.caller().post("/api/v1/agent/session", good).json()["token"] for _ in range(2)]
    first, second = (Staff(site, record, token) for token in tokens)
    second.put("/presence", {"state": "online"})
    first.http.delete(first.prefix + "/session")
    assert second.get("/me").json()["agent"]["presence"] == "online"


def test_a_sign_in_runs_out(site: Site) -> None:
    agent = site.agent()
    site.change(AgentSession, AgentSession.agent_id == agent.id, expires_at=clock.now() - timedelta(seconds=1))
    assert_problem(agent.get("/me"), 401)


def _record(site: Site, agent: Staff) -> Agent:
    with db.reading(site.engine) as session:
        return session.get_one(Agent, agent.id)


AGENT_ROUTES = [
    ("DELETE", "/session"),
    ("GET", "/me"),
    ("PUT", "/presence"),
    ("GET", "/conversations"),
    ("POST", "/next"),
    ("GET", "/canned-replies"),
    ("GET", "/colleagues"),
    ("GET", "/close-reasons"),
    ("GET", "/conversations/{id}"),
    ("GET", "/conversations/{id}/messages"),
    ("GET", "/conversations/{id}/suggestions"),
    ("POST", "/conversations/{id}/accept"),
    ("POST", "/conversations/{id}/messages"),
    ("POST", "/conversations/{id}/notes"),
    ("POST", "/conversations/{id}/transfer"),
    ("POST", "/conversations/{id}/close"),
    ("POST", "/conversations/{id}/read"),
    ("GET", "/coupons/templates"),
    ("GET", "/ticket-kinds"),
    ("GET", "/tags"),
    ("GET", "/tasks"),
    ("POST", "/tasks/GD0000000000/done"),
    ("PUT", "/me/password"),
    ("GET", "/conversations/{id}/customer"),
    ("GET", "/conversations/{id}/orders/202611210000183"),
    ("POST", "/conversations/{id}/orders/202611210000183/cancel"),
    ("POST", "/conversations/{id}/orders/202611210000183/address"),
    ("POST", "/conversations/{id}/articles"),
    ("POST", "/conversations/{id}/ask-rating"),
    ("POST", "/conversations/{id}/coupons"),
    ("POST", "/conversations/{id}/tickets"),
    ("POST", "/conversations/{id}/customer-notes"),
    ("PUT", "/conversations/{id}/tags"),
]
ANY_BODY = {
    "text": "我来插话",
    "to_skill": "orders",
    "note": "",
    "reason": "solved",
    "seq": 1,
    "article_id": "a-1",
    "template": "sorry_10",
    "kind": "other",
    "subject": "请跟进",
    "address": "杭州市西湖区文三路100号",
    "tags": [],
}  # good for every call


@pytest.mark.parametrize(("method", "path"), AGENT_ROUTES)
def test_nobody_but_an_agent_gets_in(site: Site, method: str, path: str) -> None:
    visitor = site.visitor().asks_for_a_person()
    url = f"{site.url}/api/v1/agent{path.format(id=visitor.id)}"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {visitor.token}"}):
        assert_problem(httpx.request(method, url, headers=headers, trust_env=False, timeout=20), 401)
    assert visitor.look()["state"] == "queued"


@pytest.mark.parametrize(("method", "path"), [r for r in AGENT_ROUTES if "{id}" in r[1]])
def test_a_talk_that_does_not_exist_is_not_found(site: Site, method: str, path: str) -> None:
    agent = site.agent()
    for wanted in ("0" * 32, "nobody", "%00", "%E4%BD%A0%E5%A5%BD", "'%20OR%201=1"):
        url = agent.prefix + path.format(id=wanted)
        assert_problem(agent.http.request(method, url, json=None if method == "GET" else ANY_BODY), 404)


# Presence and capacity


def test_presence_and_capacity_are_set_and_told_to_colleagues(site: Site) -> None:
    agent, colleague = site.agent(presence="offline"), site.agent()
    told = agent.put("/presence", {"state": "busy", "capacity": 7})
    assert (told.status_code, told.json()) == (200, {"state": "busy", "capacity": 7})
    assert agent.put("/presence", {"state": "online"}).json() == {"state": "online", "capacity": 7}
    listed = {a["id"]: a for a in colleague.get("/colleagues").json()["agents"]}
    assert (listed[agent.id]["presence"], listed[agent.id]["capacity"]) == ("online", 7)


@pytest.mark.parametrize(
    "body",
    [
        {"state": "asleep"},
        {"state": 5},
        {},
        {"state": "online", "capacity": 0},
        {"state": "online", "capacity": 21},
        {"state": "online", "capacity": "3"},
        {"state": "online", "capacity": True},
        {"state": "online", "capacity": 2.5},
    ],
)
def test_a_presence_or_capacity_there_is_not_is_invalid_and_changes_nothing(
    site: Site, body: dict[str, object]
) -> None:
    agent = site.agent(presence="away", capacity=2)
    assert_problem(agent.put("/presence", body), 422)
    me = agent.get("/me").json()["agent"]
    assert (me["presence"], me["capacity"]) == ("away", 2)


# Taking talks


def test_accepting_tells_both_sides(site: Site) -> None:
    agent, visitor = site.agent(), site.visitor()
    visitor.said("我想问点事情")
    visitor.asks_for_a_person(reason="要人工")
    assert visitor.id in agent.listed("queued")
    told = agent.accepts(visitor)
    assert told.status_code == 200
    shown = told.json()["conversation"]
    assert (shown["id"], shown["state"], shown["agent"]["id"]) == (visitor.id, "with_agent", agent.id)
    assert visitor.id in agent.listed("mine")
    assert visitor.id not in agent.listed("queued")
    look = visitor.look()
    assert (look["state"], look["agent"], look["queue"]) == ("with_agent", {"name": agent.display_name}, None)
    assert agent.display_name in look["messages"][-1]["text"]


def test_of_twenty_agents_exactly_one_gets_the_talk_and_the_others_learn_who(site: Site) -> None:
    agents, visitor = [site.agent() for _ in range(20)], site.visitor().asks_for_a_person()
    answers = at_once(*[lambda a=a: a.accepts(visitor) for a in agents])
    assert sorted(a.status_code for a in answers) == [200] + [409] * 19
    winner = agents[[a.status_code for a in answers].index(200)]
    for answer in answers:
        if answer.status_code == 409:
            assert winner.display_name in assert_problem(answer, 409)["detail"]
    assert [a.id for a in agents if visitor.id in a.listed("mine")] == [winner.id]
    with db.reading(site.engine) as session:
        kept = session.scalars(select(Assignment).where(Assignment.conversation_id == visitor.id)).all()
    assert [k.agent_id for k in kept] == [winner.id]


def test_a_talk_with_the_bot_cannot_be_accepted(site: Site) -> None:
    visitor = site.visitor()
    assert_problem(site.agent().accepts(visitor), 409)
    assert visitor.look()["state"] == "bot"


def test_no_agent_gets_more_talks_than_places_even_when_accepting_at_once(site: Site) -> None:
    agent, visitors = site.agent(capacity=2), [site.visitor().asks_for_a_person() for _ in range(5)]
    answers = at_once(*[lambda v=v: agent.accepts(v) for v in visitors])
    assert sorted(a.status_code for a in answers) == [200, 200, 409, 409, 409]
    refused = next(a for a in answers if a.status_code == 409)
    assert assert_problem(refused, 409)["code"] == "capacity"
    assert len(agent.listed("mine")) == agent.get("/me").json()["agent"]["load"] == 2


def test_a_finished_talk_frees_its_place(site: Site) -> None:
    agent, visitor = served(site, capacity=1)
    another = site.visitor().asks_for_a_person()
    assert_problem(agent.accepts(another), 409)
    agent.post(agent.talk(visitor, "/close"), {"reason": "solved"})
    assert agent.accepts(another).status_code == 200


def test_next_takes_them_in_the_order_of_the_queue_until_nobody_waits(site: Site, shop: Shop) -> None:
    site.nobody_waits()
    agent = site.agent()
    visitors = [site.visitor().asks_for_a_person() for _ in range(2)]
    platinum = site.visitor(shop.customer(level="platinum")).asks_for_a_person()
    assert agent.listed("queued") == [platinum.id, visitors[0].id, visitors[1].id]
    taken = [agent.post("/next").json()["conversation"]["id"] for _ in range(3)]
    assert taken == [platinum.id, visitors[0].id, visitors[1].id]
    nobody = agent.post("/next")
    assert (nobody.status_code, nobody.content) == (204, b"")


def test_next_prefers_a_talk_of_the_agents_skill_to_an_older_one(site: Site) -> None:
    site.nobody_waits()
    older, newer = site.visitor().asks_for_a_person(), site.visitor().asks_for_a_person()
    site.change(Conversation, Conversation.id == older.id, skill="technical")
    site.change(Conversation, Conversation.id == newer.id, skill="orders")
    agent = site.agent(skills={"orders": 3})
    assert agent.post("/next").json()["conversation"]["id"] == newer.id
    assert agent.post("/next").json()["conversation"]["id"] == older.id, "better another skill than nobody"


def test_next_at_full_capacity_is_a_conflict(site: Site) -> None:
    agent, _ = served(site, capacity=1)
    site.visitor().asks_for_a_person()
    assert assert_problem(agent.post("/next"), 409)["code"] == "capacity"


def test_two_agents_who_ask_for_the_next_at_once_never_get_the_same(site: Site) -> None:
    site.nobody_waits()
    site.visitor().asks_for_a_person()
    agents = [site.agent() for _ in range(6)]
    answers = at_once(*[lambda a=a: a.post("/next") for a in agents])
    assert sorted(a.status_code for a in answers) == [200] + [204] * 5


# Looking


def test_the_agent_sees_the_whole_talk_and_the_hand_over_note(site: Site) -> None:
    visitor = site.visitor()
    visitor.answer(visitor.said("七天无理由怎么算"))
    visitor.asks_for_a_person(reason="想听人说")
    agent = site.agent().takes(visitor)
    agent.notes(visitor, "客户比较着急")
    told = agent.sees(visitor)
    assert [m["seq"] for m in told["messages"]] == list(range(1, told["conversation"]["last_seq"] + 1))
    assert [m["text"] for m in told["messages"][1:3]] == ["七天无理由怎么算", "收到：七天无理由怎么算"]
    note = told["handover"]
    assert note["reason"] == "requested"
    assert "想听人说" in note["reason_label"]
    assert "七天无理由怎么算" in note["summary"]
    assert note["intents"] == [{"intent": "faq", "label": "问规则", "text": "七天无理由怎么算"}]
    assert note["tried"] == ["问规则"]
    assert set(note) == {"reason", "reason_label", "summary", "intents", "slots", "tried", "urgency"}
    assert told["customer"] is None


def test_the_customers_picture_holds_the_own_customers_things_and_nobody_elses(site: Site, shop: Shop) -> None:
    mine, other = shop.customer(phone="13911112222"), shop.customer(phone="13933334444")
    own, foreign = shop.order(mine, status="shipped"), shop.order(other, status="paid")
    earlier, alien = site.visitor(mine), site.visitor(other)
    visitor = site.visitor(mine).asks_for_a_person()
    agent = site.agent().takes(visitor)
    answer = agent.get(agent.talk(visitor))
    picture = answer.json()["customer"]
    assert (picture["id"], picture["name"], picture["verified_by"]) == (mine.id, mine.name, "signed_in")
    assert picture["phone_masked"] == "139****2222"
    assert [o["number"] for o in picture["orders"]] == [own.number]
    assert [c["id"] for c in picture["conversations"]] == [earlier.id]
    for secret in (mine.phone, mine.address, foreign.number, other.name, other.phone, alien.id):
        assert secret not in answer.text


def test_who_proved_one_order_only_shows_the_agent_that_order_only(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    one, other = shop.order(customer, status="paid"), shop.order(customer, status="paid")
    site.visitor(customer)
    visitor = site.visitor().asks_for_a_person()
    site.change(
        Conversation,
        Conversation.id == visitor.id,
        customer_id=customer.id,
        verified_by="order",
        verified_orders=[one.number],
    )
    agent = site.agent().takes(visitor)
    answer = agent.get(agent.talk(visitor))
    picture = answer.json()["customer"]
    assert [o["number"] for o in picture["orders"]] == [one.number]
    assert (picture["tickets"], picture["conversations"]) == ([], [])
    assert other.number not in answer.text


def test_looking_at_a_customer_is_written_down(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    agent, visitor = site.agent(), site.visitor(customer).asks_for_a_person()
    agent.takes(visitor).sees(visitor)
    with db.reading(site.engine) as session:
        kept = session.scalars(select(AuditEntry.about).where(AuditEntry.agent_id == agent.id)).all()
    assert f"customer:{customer.id}" in kept


def test_two_agents_cannot_see_or_touch_each_others_talks(site: Site) -> None:
    agent, visitor = served(site)
    visitor.said("只给我的客服看的话")
    other = site.agent()
    before = agent.sees(visitor)
    for method, path in [r for r in AGENT_ROUTES if "{id}" in r[1] and not r[1].endswith("/accept")]:
        url = other.prefix + path.format(id=visitor.id)
        refused = other.http.request(method, url, json=None if method == "GET" else ANY_BODY)
        assert "只给我的" not in refused.text
        assert_problem(refused, 404)
    assert visitor.id not in other.listed("mine") + other.listed("queued") + other.listed("closed")
    assert agent.sees(visitor) == before


def test_a_supervisor_may_look_at_every_talk_but_not_speak_in_it(site: Site) -> None:
    agent, visitor = served(site)
    supervisor = site.agent(role="supervisor")
    assert supervisor.sees(visitor)["conversation"]["agent"]["id"] == agent.id
    assert_problem(supervisor.writes(visitor, "主管插话"), 409)
    assert "主管插话" not in visitor.texts()


def test_catching_up_gives_exactly_what_came_after(site: Site) -> None:
    agent, visitor = served(site)
    seqs = [agent.writes(visitor, f"第 {n} 点说明").json()["seq"] for n in range(3)]
    note = agent.notes(visitor, "备注一下").json()["seq"]
    told = agent.get(agent.talk(visitor, "/messages"), after=seqs[0]).json()
    assert [(m["seq"], m["kind"]) for m in told["messages"]] == [(seqs[1], "text"), (seqs[2], "text"), (note, "note")]


# Writing


def test_an_agents_line_reaches_the_customer_with_the_agents_name(site: Site) -> None:
    agent, visitor = served(site)
    sent = agent.writes(visitor, "您好，请讲", client_message_id="mine:1")
    assert sent.status_code == 201
    line = visitor.lines(sent.json()["seq"] - 1)[0]
    assert (line["sender"], line["text"], line["agent_name"]) == ("agent", "您好，请讲", agent.display_name)
    assert agent.sees(visitor)["messages"][-1]["client_message_id"] == "mine:1"


def test_the_same_id_from_an_agent_again_writes_once(site: Site) -> None:
    agent, visitor = served(site)
    key = new_key()
    answers = at_once(*[lambda: agent.writes(visitor, "只说一遍哦", client_message_id=key)] * 10)
    assert [a.status_code for a in answers] == [201] * 10
    assert len({a.json()["seq"] for a in answers}) == 1
    assert visitor.texts().count("只说一遍哦") == 1


def test_the_same_note_id_again_writes_once(site: Site) -> None:
    agent, visitor = served(site)
    sent = [
        agent.post(agent.talk(visitor, "/notes"), {"text": "只记一遍", "client_message_id": "n:1"}) for _ in range(2)
    ]
    assert sent[0].json() == sent[1].json()
    notes = [m for m in agent.sees(visitor)["messages"] if m["kind"] == "note"]
    assert [n["client_message_id"] for n in notes] == ["n:1"]


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b\u202e", "\0"])
def test_an_agent_cannot_send_nothing(site: Site, text: str) -> None:
    agent, visitor = served(site)
    before = visitor.lines()
    assert_problem(agent.writes(visitor, text), 422)
    assert_problem(agent.notes(visitor, text), 422)
    assert visitor.lines() == before


def test_who_lost_the_talk_learns_it_when_writing(site: Site) -> None:
    agent, visitor = served(site)
    visitor.post("/close")
    told = assert_problem(agent.writes(visitor, "还有一点要说"), 409)
    assert told["code"] == "not_yours"
    assert "还有一点要说" not in visitor.texts()


def test_private_notes_never_reach_the_customer(site: Site) -> None:
    agent, visitor = served(site)
    before = visitor.look()
    last = before["messages"][-1]["seq"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(visitor.look, last, 30)
        noted = agent.notes(visitor, "此客户疑似职业打假")
        assert noted.status_code == 201
        assert visitor.look() == before
        agent.writes(visitor, "这就为您查询")
        polled = waiting.result(timeout=40)
    assert [m["text"] for m in polled["messages"]] == ["这就为您查询"]
    agent.post(agent.talk(visitor, "/transfer"), {"to_skill": "orders", "note": "内部转接原因"})
    everything = visitor.get("/messages").text
    assert "职业打假" not in everything
    assert "内部转接原因" not in everything
    assert next(m["text"] for m in agent.sees(visitor)["messages"] if m["kind"] == "note") == "此客户疑似职业打假"


def test_the_bot_is_silent_while_an_agent_has_the_talk(site: Site, brain: StandInBrain) -> None:
    agent, visitor = served(site)
    visitor.said("我的订单呢？")
    agent.writes(visitor, "我在查了，稍等")
    other = site.visitor()
    other.answer(other.said("别的会话也在说话"))  # the bot is alive and has had its chance
    assert brain.asked(visitor.id) == []
    assert [m["sender"] for m in visitor.lines()][-2:] == ["customer", "agent"]


def test_an_answer_of_the_bot_that_a_person_overtook_is_never_shown(site: Site, brain: StandInBrain) -> None:
    agent, visitor = site.agent(), site.visitor()
    with brain.holding(visitor.id):
        visitor.said("这句话机器人想得很久")
        brain.wait_until_asked(visitor.id)
        agent.takes(visitor.asks_for_a_person())
    agent.writes(visitor, "我已经接手了")
    agent.post(agent.talk(visitor, "/close"), {"reason": "solved"})
    visitor.answer(visitor.said("再来一句试试"))  # by now the late answer has been thrown away
    assert "收到：这句话机器人想得很久" not in visitor.texts()
    assert visitor.texts()[-1] == "收到：再来一句试试"


def test_what_the_agent_has_read_is_seen_by_the_customer(site: Site) -> None:
    agent, visitor = served(site)
    seq = visitor.said("看到了吗看到了吗")
    assert visitor.look()["read_seq"] < seq
    assert agent.post(agent.talk(visitor, "/read"), {"seq": seq}).status_code == 204
    assert visitor.look()["read_seq"] == seq


# Passing on


def test_a_transfer_to_a_skill_group_queues_the_talk_for_it_with_everything_kept(site: Site) -> None:
    site.nobody_waits()
    agent, visitor = served(site)
    visitor.said("其实是修冰箱的事")
    told = agent.post(agent.talk(visitor, "/transfer"), {"to_skill": "technical", "note": "需要技师"})
    assert told.status_code == 200
    shown = told.json()["conversation"]
    assert (shown["state"], shown["skill"], shown["agent"]) == ("queued", "technical", None)
    look = visitor.look()
    assert (look["state"], look["agent"]) == ("queued", None)
    assert "安装维修" in look["messages"][-1]["text"]
    expert = site.agent(skills={"technical": 5})
    assert expert.post("/next").json()["conversation"]["id"] == visitor.id
    seen = expert.sees(visitor)
    assert "其实是修冰箱的事" in [m["text"] for m in seen["messages"]]
    assert (seen["handover"]["reason"], "需要技师" in seen["handover"]["reason_label"]) == ("transfer", True)
    assert_problem(agent.writes(visitor, "我还想说"), 409)


def test_a_transfer_to_a_colleague_is_offered_to_that_one_only(site: Site) -> None:
    site.nobody_waits()
    agent, visitor = served(site)
    target, third = site.agent(), site.agent()
    sent = agent.post(agent.talk(visitor, "/transfer"), {"to_agent": target.name, "note": "你来"})
    assert sent.status_code == 200
    assert visitor.id in target.listed("queued")
    assert visitor.id not in third.listed("queued")
    assert third.post("/next").status_code == 204
    assert_problem(third.get(third.talk(visitor)), 404)
    assert assert_problem(third.accepts(visitor), 409)["code"] == "reserved"
    assert target.post("/next").json()["conversation"]["id"] == visitor.id


def test_a_talk_passed_to_a_colleague_who_is_gone_is_everybodys(site: Site) -> None:
    site.nobody_waits()
    agent, visitor = served(site)
    target, third = site.agent(), site.agent()
    agent.post(agent.talk(visitor, "/transfer"), {"to_agent": target.name, "note": ""})
    assert third.post("/next").status_code == 204
    target.put("/presence", {"state": "offline"})
    assert third.post("/next").json()["conversation"]["id"] == visitor.id


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"to_skill": "orders", "to_agent": "agent1"}, 422),
        ({"to_skill": "astrology", "note": ""}, 404),
        ({"to_agent": "nobody at all", "note": ""}, 404),
        ({"to_skill": 5}, 422),
        ({"to_skill": "orders", "note": "长" * 501}, 422),
    ],
)
def test_a_transfer_to_nowhere_leaves_the_talk_where_it_is(site: Site, body: dict[str, object], status: int) -> None:
    agent, visitor = served(site)
    assert_problem(agent.post(agent.talk(visitor, "/transfer"), body), status)
    assert visitor.id in agent.listed("mine")


def test_a_transfer_to_oneself_or_to_who_serves_nobody_is_refused(site: Site) -> None:
    agent, visitor = served(site)
    editor = site.agent_record(role="editor")
    assert_problem(agent.post(agent.talk(visitor, "/transfer"), {"to_agent": agent.name, "note": ""}), 422)
    assert_problem(agent.post(agent.talk(visitor, "/transfer"), {"to_agent": editor.name, "note": ""}), 404)


# Going away


def test_the_talks_of_an_agent_who_goes_offline_stand_at_the_front_of_the_queue(site: Site, shop: Shop) -> None:
    site.nobody_waits()
    agent, visitor = served(site)
    platinum = site.visitor(shop.customer(level="platinum")).asks_for_a_person()
    agent.put("/presence", {"state": "offline"})
    look = visitor.look()
    assert (look["state"], look["queue"]["position"], look["agent"]) == ("queued", 1, None)
    assert look["messages"][-1]["sender"] == "system"
    assert platinum.look()["queue"]["position"] == 2
    assert site.agent().listed("queued") == [visitor.id, platinum.id]


@pytest.mark.parametrize("presence", ["online", "offline"])
def test_the_talks_of_an_agent_nobody_hears_of_return_to_the_queue(site: Site, presence: str) -> None:
    agent, visitor = served(site, presence=presence)
    site.change(Agent, Agent.id == agent.id, seen_at=clock.now() - timedelta(minutes=5))
    told = visitor.wait_for(lambda t: t["state"] == "queued")
    assert "排到最前面" in told["messages"][-1]["text"]
    assert agent.get("/me").json()["agent"]["presence"] == "offline"


def test_busy_and_away_keep_the_held_talks(site: Site) -> None:
    agent, visitor = served(site)
    for state in ("busy", "away"):
        agent.put("/presence", {"state": state})
        assert visitor.look()["state"] == "with_agent"


# Finishing


def test_finishing_keeps_reason_and_tags_and_asks_the_customer_to_rate(site: Site) -> None:
    agent, visitor = served(site)
    told = agent.post(agent.talk(visitor, "/close"), {"reason": "solved", "tags": ["退款", "催单"]})
    assert told.status_code == 200
    shown = told.json()["conversation"]
    assert (shown["state"], shown["closed_reason"], sorted(shown["tags"])) == ("closed", "已解决", ["催单", "退款"])
    assert visitor.lines()[-1]["kind"] == "rating"
    assert visitor.id in agent.listed("closed")
    assert_problem(agent.post(agent.talk(visitor, "/close"), {"reason": "solved"}), 409)


def test_a_reason_may_be_free_text(site: Site) -> None:
    agent, visitor = served(site)
    told = agent.post(agent.talk(visitor, "/close"), {"reason": "客户已自行解决"})
    assert told.json()["conversation"]["closed_reason"] == "客户已自行解决"


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "\u200b"}, {"reason": 1}, {"reason": "solved", "tags": "x"},
             {"reason": "solved", "tags": ["\ud800"]}, {"reason": "solved", "tags": [""]}]
)  # fmt: skip
def test_finishing_without_a_proper_reason_is_invalid_and_ends_nothing(site: Site, body: dict[str, object]) -> None:
    agent, visitor = served(site)
    assert_problem(agent.post(agent.talk(visitor, "/close"), body), 422)
    assert visitor.look()["state"] == "with_agent"


# What the desk needs besides


def test_articles_are_suggested_for_the_customers_last_line(site: Site, tmp_path: Path) -> None:
    articles = tmp_path / "articles.tsv"
    articles.write_text("question\tanswer\n七天无理由退货的运费谁出\t由您承担。\n发票多久能开好\t一天内。\n")
    with db.writing(site.engine) as session:
        knowledge.import_file(session, articles)
    agent, visitor = served(site)
    assert agent.get(agent.talk(visitor, "/suggestions")).json() == {"articles": []}
    visitor.said("七天无理由退货的运费谁出")
    found = agent.get(agent.talk(visitor, "/suggestions")).json()["articles"]
    assert (found[0]["question"], found[0]["answer"]) == ("七天无理由退货的运费谁出", "由您承担。")
    assert all(set(article) == {"id", "question", "answer", "score"} for article in found)


def test_ready_replies_colleagues_and_reasons_are_listed(site: Site, shop: Shop) -> None:
    shop.add(CannedReply(shortcut="wait", title="请稍等", text="{客户}您好，请稍等。"))
    agent, editor = site.agent(skills={"orders": 2}), site.agent_record(role="editor")
    assert [r["text"] for r in agent.get("/canned-replies").json()["replies"]] == ["{客户}您好，请稍等。"]
    listed = agent.get("/colleagues").json()
    assert agent.id in [a["id"] for a in listed["agents"]]
    assert editor.id not in [a["id"] for a in listed["agents"]]
    assert {"name": "orders", "label": "订单与支付"} in listed["skills"]
    assert {"name": "solved", "label": "已解决"} in agent.get("/close-reasons").json()["reasons"]


def test_an_unknown_list_of_talks_is_invalid(site: Site) -> None:
    assert assert_problem(site.agent().get("/conversations", state="all"), 422)["fields"] == ["state"]
