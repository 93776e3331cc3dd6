"""A supervisor with one minute: numbers that are right, and hands on every talk. Nobody else gets in."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from helpdesk.staff.models import Agent, AuditEntry
from tests.routing.test_distribution import Listen, owned, presence, queued
from tests.shop import Shop
from tests.web.people import PASSWORD, Site, Staff, assert_problem

CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/board", None),
    ("GET", "/trends", None),
    ("GET", "/talks", None),
    ("GET", "/hours", None),
    ("GET", "/assignments", None),
    ("GET", "/fairness", None),
    ("POST", "/talks/{talk}/take-over", {}),
    ("POST", "/talks/{talk}/reassign", {"to_skill": "orders"}),
    ("PUT", "/agents/{agent}", {"capacity": 9}),
    ("PUT", "/agents/{agent}/presence", {"state": "offline"}),
    ("PUT", "/hours", {"days": {}}),
    ("PUT", "/customers/1/manager", {"agent": None}),
]


def oversee(who: Staff, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
    """A call to the supervisors' API with this person's token."""
    url = f"{who.site.url}/api/v1/supervisor{path}"
    return who.http.request(method, url, json=body, params=query or None)


def lead(site: Site, **given: Any) -> Staff:
    """A supervisor who takes no talks."""
    return site.agent(**{"role": "supervisor", "presence": "away", **given})


def audited(site: Site, who: Staff) -> list[str]:
    """What is written down of this person."""
    with site.shop.session() as session:
        return list(session.scalars(select(AuditEntry.what).where(AuditEntry.agent_id == who.id)))


@pytest.mark.parametrize("role", ["agent", "editor", "planner"])
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_nobody_but_supervisors_and_admins_oversees(site: Site, role: str, method: str, path: str, body: Any) -> None:
    visitor, other = site.visitor().asks_for_a_person(), site.agent_record(presence="offline")
    nosy = site.agent(role=role, presence="away")
    told = oversee(nosy, method, path.format(talk=visitor.id, agent=other.name), body)
    assert assert_problem(told, 403)["code"] == "role"
    assert visitor.look()["state"] == "queued"
    assert site.shop.fresh(other).capacity == 5


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_without_a_sign_in_nothing_is_told(site: Site, method: str, path: str, body: Any) -> None:
    told = site.caller().http.request(
        method, f"{site.url}/api/v1/supervisor{path.format(talk='x', agent='x')}", json=body
    )
    assert_problem(told, 401)


def test_the_board_counts_who_waits_who_is_there_and_what_came_of_it(site: Site) -> None:
    boss = lead(site)
    before = oversee(boss, "GET", "/board").json()["today"]
    agent = site.agent(capacity=1)
    served, waiting, gone = (site.visitor() for _ in range(3))
    served.asks_for_a_person()
    owned(served)
    agent.writes(served, "您好").raise_for_status()
    waiting.asks_for_a_person()
    gone.asks_for_a_person()
    gone.post("/leave-queue").raise_for_status()
    board = oversee(boss, "GET", "/board").json()
    assert board["waiting"] == 1
    assert board["presence"]["online"] == 1
    mine = next(a for a in board["agents"] if a["name"] == agent.name)
    assert (mine["load"], mine["talks_today"]) == (1, 1)
    today = board["today"]
    assert today["to_agents"] - before["to_agents"] == 3
    assert today["abandoned"] - before["abandoned"] == 1
    assert 0 <= today["service_level"] <= 1
    agent.post(agent.talk(served, "/close"), {"reason": "solved"}).raise_for_status()
    served.post("/rating", {"score": 5}).raise_for_status()
    after = oversee(boss, "GET", "/board").json()["today"]
    assert after["ratings"] == before["ratings"] + 1
    assert after["handling_seconds_mean"] is not None
    assert after["first_response_seconds_mean"] is not None


def test_a_supervisor_takes_over_and_the_agent_cannot_write_any_more(site: Site) -> None:
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    boss = lead(site, presence="offline")
    assert oversee(boss, "POST", f"/talks/{visitor.id}/take-over").status_code == 200
    assert boss.get("/me").json()["agent"]["presence"] == "busy"
    assert visitor.look()["agent"]["name"] == boss.display_name
    assert_problem(agent.writes(visitor, "您好"), 409)
    assert boss.writes(visitor, "我是班长，我来帮您").status_code == 201
    assert "talk_taken_over" in audited(site, boss)


def test_a_supervisor_who_is_full_cannot_take_over(site: Site) -> None:
    site.agent()
    visitors = [site.visitor().asks_for_a_person() for _ in range(2)]
    for visitor in visitors:
        owned(visitor)
    boss = lead(site, capacity=1)
    assert oversee(boss, "POST", f"/talks/{visitors[0].id}/take-over").status_code == 200
    assert assert_problem(oversee(boss, "POST", f"/talks/{visitors[1].id}/take-over"), 409)["code"] == "capacity"


def test_a_talk_is_given_to_the_colleague_the_supervisor_names(site: Site) -> None:
    first = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    second, offline = site.agent(), site.agent(presence="offline")
    boss = lead(site)
    path = f"/talks/{visitor.id}/reassign"
    assert assert_problem(oversee(boss, "POST", path, {"to_agent": offline.name}), 409)["code"] == "offline"
    assert_problem(oversee(boss, "POST", path, {}), 422)
    assert_problem(oversee(boss, "POST", path, {"to_skill": "cooking"}), 404)
    assert oversee(boss, "POST", path, {"to_agent": second.name, "note": "请接手"}).status_code == 200
    visitor.wait_for(lambda t: (t["agent"] or {}).get("name") == second.display_name)
    assert first.listed("mine") == []


def test_whispering_reaches_the_agent_and_never_the_customer(site: Site, listen: Listen) -> None:
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    desk, page = listen(agent), listen(visitor)
    boss = lead(site)
    assert boss.notes(visitor, "可以给他免运费").status_code == 201
    assert desk.until("message", lambda m: m["kind"] == "note")["text"] == "可以给他免运费"
    seq = visitor.said("好的")
    page.until("message", lambda m: m["seq"] == seq)
    assert "免运费" not in str(page.seen)


def test_listening_in_shows_every_line_as_it_comes_and_others_hear_nothing(site: Site, listen: Listen) -> None:
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    boss, nosy = lead(site), site.agent(presence="away")
    wall, spy = listen(boss), listen(nosy)
    for who in (wall, spy):
        who.emits("watch", {"conversation_id": visitor.id, "on": True})
    agent.writes(visitor, "您好，我在").raise_for_status()
    assert wall.until("message", lambda m: m["text"] == "您好，我在")["conversation_id"] == visitor.id
    presence(nosy, "busy")
    spy.until("presence", lambda p: p["agent_id"] == nosy.id and p["state"] == "busy")
    assert spy.all("message") == []


def test_skills_and_places_set_by_the_supervisor_count_at_once(site: Site) -> None:
    agent = site.agent(capacity=1)
    first, second = (site.visitor().asks_for_a_person() for _ in range(2))
    owned(first)
    queued(second)
    boss = lead(site)
    told = oversee(boss, "PUT", f"/agents/{agent.name}", {"capacity": 2, "skills": {"orders": 5, "technical": 1}})
    assert told.status_code == 200
    assert [(s["name"], s["proficiency"]) for s in told.json()["agent"]["skills"]] == [("orders", 5), ("technical", 1)]
    owned(second)
    less = oversee(boss, "PUT", f"/agents/{agent.name}", {"skills": {"orders": 4}}).json()["agent"]["skills"]
    assert [(s["name"], s["proficiency"]) for s in less] == [("orders", 4)]
    for bad in ({"capacity": 0}, {"capacity": 99}, {"skills": {"cooking": 3}}, {"skills": {"orders": 6}}):
        assert_problem(oversee(boss, "PUT", f"/agents/{agent.name}", bad), 422)
    assert_problem(oversee(boss, "PUT", "/agents/nobody", {"capacity": 3}), 404)
    assert "agent_set" in audited(site, boss)


def test_out_of_hours_the_customer_is_told_when_people_come_and_a_message_becomes_a_task(site: Site) -> None:
    boss = lead(site, presence="offline")
    plan = {"days": {"workday": None, "weekend": None, "holiday": None}, "special": []}
    assert oversee(boss, "PUT", "/hours", plan).json()["open"] is False
    visitor = site.visitor().asks_for_a_person()
    told = visitor.look()
    assert told["queue"]["open"] is False
    assert "休息时间" in told["messages"][-1]["text"]
    left = visitor.post("/leave-message", {"text": "冰箱门关不严，麻烦回个话", "phone": "13800138000"})
    assert left.status_code == 202
    assert left.json()["number"].startswith("GD")
    assert left.json()["state"] == "bot"
    oversee(boss, "PUT", "/hours", {"days": {}}).raise_for_status()
    agent = site.agent(presence="away")
    (task,) = [t for t in agent.get("/tasks").json()["tasks"] if t["number"] == left.json()["number"]]
    assert (task["kind"], task["phone"]) == ("message", "13800138000")
    assert "关不严" in task["detail"]


def test_who_asks_to_be_called_back_need_not_wait(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    wrong = visitor.post("/call-back", {"phone": "12345"})
    assert "11 位" in assert_problem(wrong, 422)["detail"]
    assert visitor.look()["state"] == "queued"
    wish = {"phone": "138 0013 8000", "when": "evening", "about": "安装", "client_message_id": "one-wish"}
    told, again = visitor.post("/call-back", wish), visitor.post("/call-back", wish)
    assert told.status_code == again.status_code == 202
    assert told.json()["number"] == again.json()["number"], "sent twice, registered once"
    assert told.json()["state"] == "bot"
    assert "138****8000" in visitor.texts()[-1]


@pytest.mark.parametrize(
    "plan",
    [
        {"days": {"workday": {"opens": "21:00", "closes": "09:00"}}},
        {"days": {"workday": {"opens": "morgens", "closes": "12:00"}}},
        {"days": {"sometimes": None}},
        {"days": {}, "special": [{"day": "2026-13-01"}]},
        {"days": {}, "special": [{"day": "2026-10-01", "opens": "09:00"}]},
        {},
    ],
)
def test_hours_that_make_no_sense_are_refused_and_the_old_ones_stay(site: Site, plan: Any) -> None:
    boss = lead(site)
    good = {"days": {"workday": {"opens": "09:00", "closes": "24:00"}, "weekend": None, "holiday": None}}
    assert oversee(boss, "PUT", "/hours", good).json()["days"]["workday"] == {"opens": "09:00", "closes": "00:00"}
    assert_problem(oversee(boss, "PUT", "/hours", plan), 422)
    assert oversee(boss, "GET", "/hours").json()["days"]["workday"] == {"opens": "09:00", "closes": "00:00"}


def test_reports_answer_for_any_span_of_days(site: Site) -> None:
    boss = lead(site)
    agent = site.agent()
    visitor = site.visitor().asks_for_a_person()
    owned(visitor)
    for days in (1, 2, 7, 30):
        points = oversee(boss, "GET", "/trends", days=days).json()["points"]
        assert sum(p["to_agents"] for p in points) >= 1
        rows = oversee(boss, "GET", "/fairness", days=days).json()
        assert any(row["name"] == agent.name and row["talks"] == 1 for row in rows["agents"])
        assert rows["told"]
    assert_problem(oversee(boss, "GET", "/trends", days=31), 422)
    assert visitor.id in [t["id"] for t in oversee(boss, "GET", "/talks").json()["conversations"]]


def test_a_manager_is_named_and_taken_away_again(site: Site, shop: Shop) -> None:
    boss, agent, customer = lead(site), site.agent(presence="offline"), shop.customer()
    path = f"/customers/{customer.id}/manager"
    assert_problem(oversee(boss, "PUT", path, {"agent": "nobody"}), 404)
    assert oversee(boss, "PUT", path, {"agent": agent.name}).status_code == 200
    site.agent()
    presence(agent, "online")
    visitor = site.visitor(customer).asks_for_a_person()
    assert owned(visitor)["agent"]["name"] == agent.display_name
    assert oversee(boss, "PUT", path, {"agent": None}).status_code == 200


def test_an_agent_whose_password_changes_is_signed_out_elsewhere(site: Site) -> None:
    record = site.agent_record(presence="offline")
    tokens = [
        site.caller().post("/api/v1/agent/session", {"name": record.name, "password": PASSWORD}).json()["token"]
        for _ in range(2)
    ]
    here, there = (Staff(site, site.shop.fresh(record), token) for token in tokens)
    assert here.put("/me/password", {"old": PASSWORD, "new": "新的密码 好记又长"}).status_code == 204
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 401
    assert isinstance(site.shop.fresh(record), Agent)
