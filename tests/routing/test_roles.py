"""Every route of the staff tried with every role, and with another agent's talk: refused where it must be.

The list of routes comes from the application: a new one that nobody put into the table fails the first test.
"""

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from core import db
from helpdesk.conversations.models import Conversation, Message
from helpdesk.staff.models import AuditEntry
from tests.routing.test_distribution import owned
from tests.shop import Shop
from tests.web.people import Site, Staff, Visitor
from web.app import create_app

# Who a route is for: everybody signed in, who serves customers, who oversees, who teaches the bot; in a talk: who may
# see it, or its owner alone.
ANYBODY, SERVING, OVERSEEING, TEACHING, ADMIN, SEEING, OWNING = [
    "any",
    "serve",
    "oversee",
    "teach",
    "admin",
    "see",
    "own",
]
ROLES = ["agent", "supervisor", "admin", "editor", "planner"]
MAY = {
    ANYBODY: set(ROLES),
    SERVING: {"agent", "supervisor", "admin"},
    OVERSEEING: {"supervisor", "admin"},
    TEACHING: {"editor", "admin"},
    ADMIN: {"admin"},
}
TALK, ORDER = "/agent/conversations/{talk}", "/agent/conversations/{talk}/orders/{order}"
ADDRESS = {"recipient": "王五", "phone": "13900001111", "address": "浙江省杭州市西湖区文三路2号"}
PICTURE = {"file": ("a.png", b"no picture", "image/png"), "client_message_id": (None, "a")}  # multipart
ROUTES: dict[tuple[str, str], tuple[str, Any]] = {
    ("GET", "/agent/me"): (ANYBODY, None),
    ("PUT", "/agent/me/password"): (ANYBODY, {"old": "wrong", "new": "whatever it is"}),
    ("DELETE", "/agent/session"): (ANYBODY, None),
    ("GET", "/agent/canned-replies"): (SERVING, None),
    ("GET", "/agent/close-reasons"): (ANYBODY, None),
    ("GET", "/agent/ticket-kinds"): (SERVING, None),
    ("GET", "/agent/coupons/templates"): (SERVING, None),
    ("GET", "/agent/tags"): (SERVING, None),
    ("GET", "/agent/tasks"): (SERVING, None),
    ("POST", "/agent/tasks/{ticket}/done"): (SERVING, {"result": "好了"}),
    ("GET", "/agent/colleagues"): (SERVING, None),
    ("GET", "/agent/conversations"): (SERVING, None),
    ("POST", "/agent/next"): (SERVING, {}),
    ("PUT", "/agent/presence"): (SERVING, {"state": "away"}),
    ("GET", TALK): (SEEING, None),
    ("GET", f"{TALK}/messages"): (SEEING, None),
    ("GET", f"{TALK}/customer"): (SEEING, None),
    ("GET", f"{TALK}/suggestions"): (SEEING, None),
    ("GET", f"{TALK}/channel"): (SEEING, None),
    ("GET", f"{TALK}/earlier/{{talk}}"): (SEEING, None),
    ("POST", f"{TALK}/notes"): (SEEING, {"text": "看看"}),
    ("POST", f"{TALK}/read"): (SEEING, {"seq": 1}),
    ("GET", ORDER): (SEEING, None),
    ("POST", f"{TALK}/accept"): (OWNING, {}),
    ("POST", f"{TALK}/messages"): (OWNING, {"text": "您好"}),
    ("POST", f"{TALK}/images"): (OWNING, PICTURE),
    ("POST", f"{TALK}/call-back"): (OWNING, {"about": "微信里发不出去"}),
    ("POST", f"{TALK}/close"): (OWNING, {"reason": "solved"}),
    ("POST", f"{TALK}/transfer"): (OWNING, {"to_skill": "orders", "note": ""}),
    ("POST", f"{TALK}/snooze"): (OWNING, {"minutes": 5}),
    ("DELETE", f"{TALK}/snooze"): (OWNING, None),
    ("PUT", f"{TALK}/tags"): (OWNING, {"tags": ["退货"]}),
    ("POST", f"{TALK}/articles"): (OWNING, {"article_id": "a-1"}),
    ("POST", f"{TALK}/ask-rating"): (OWNING, {}),
    ("POST", f"{TALK}/coupons"): (OWNING, {"template": "sorry_10"}),
    ("POST", f"{TALK}/tickets"): (OWNING, {"kind": "other", "subject": "核查"}),
    ("POST", f"{TALK}/customer-notes"): (OWNING, {"text": "爱喝茶"}),
    ("POST", f"{ORDER}/cancel"): (OWNING, {"reason": "不想要了"}),
    ("POST", f"{ORDER}/address"): (OWNING, ADDRESS),
    ("GET", "/supervisor/board"): (OVERSEEING, None),
    ("GET", "/supervisor/trends"): (OVERSEEING, None),
    ("GET", "/supervisor/talks"): (OVERSEEING, None),
    ("GET", "/supervisor/hours"): (OVERSEEING, None),
    ("PUT", "/supervisor/hours"): (OVERSEEING, {"days": {}}),
    ("GET", "/supervisor/assignments"): (OVERSEEING, None),
    ("GET", "/supervisor/fairness"): (OVERSEEING, None),
    ("PUT", "/supervisor/agents/{agent}"): (OVERSEEING, {"capacity": 5}),
    ("PUT", "/supervisor/agents/{agent}/presence"): (OVERSEEING, {"state": "online"}),
    ("PUT", "/supervisor/customers/{customer}/manager"): (OVERSEEING, {"agent": None}),
    ("POST", "/supervisor/talks/{talk}/reassign"): (OVERSEEING, {"to_skill": "orders"}),
    ("POST", "/supervisor/talks/{talk}/take-over"): (OVERSEEING, {}),
    ("GET", "/admin/learning/groups"): (TEACHING, None),
    ("GET", "/admin/learning/intents"): (TEACHING, None),
    ("GET", "/admin/learning/trainings"): (TEACHING, None),
    ("POST", "/admin/learning/assign"): (TEACHING, {"intent": "nothing", "phrases": [{"text": "x"}]}),
    ("POST", "/admin/learning/dismiss"): (TEACHING, {"ids": [2_000_000_000]}),
    ("POST", "/admin/learning/reopen"): (TEACHING, {"ids": [2_000_000_000]}),
    ("POST", "/admin/learning/trainings"): (TEACHING, {}),
    ("POST", "/admin/learning/rollback"): (ADMIN, {}),
}


def test_every_route_of_the_staff_stands_in_the_table() -> None:
    shown = {
        "conversation_id": "{talk}",
        "earlier_id": "{talk}",
        "name": "{agent}",
        "customer_id": "{customer}",
    }
    found = set()
    app = create_app()
    for rule in app.url_map.iter_rules():
        kind = getattr(app.view_functions[rule.endpoint], "zhike_access", None)
        if kind != "agent":
            continue
        path = re.sub(r"<(?:[^:>]*(?:\([^)]*\))?:)?(\w+)>", lambda m: shown.get(m[1], f"{{{m[1]}}}"), rule.rule)
        path = path.removeprefix("/api/v1").replace("/orders/{number}", "/orders/{order}")
        path = path.replace("/tasks/{number}", "/tasks/{ticket}")
        found |= {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert found == set(ROUTES)


@pytest.fixture
def talk(site: Site, shop: Shop) -> Visitor:
    """A customer with an order, served by an agent of their own."""
    customer = shop.customer()
    shop.order(customer)
    site.agent(capacity=1)
    visitor = site.visitor(customer).asks_for_a_person()
    owned(visitor)
    return visitor


def call(site: Site, who: Staff, talk: Visitor, method: str, path: str, body: Any) -> httpx.Response:
    """A call of this person about this talk."""
    with site.shop.session() as session:
        found = session.get_one(Conversation, talk.id)
        order = site.shop.number_of(session, found.customer_id)
    filled = path.format(talk=talk.id, order=order, agent=who.name, customer=found.customer_id, ticket="GD0000000000")
    sent = {"files": body} if body is PICTURE else {"json": body}
    return who.http.request(method, f"{site.url}/api/v1{filled}", **sent)


def lines(site: Site, talk: Visitor) -> tuple[int, str, int | None]:
    """How many lines the talk has, its state and owner."""
    with db.reading(site.engine) as session:
        found = session.get_one(Conversation, talk.id)
        count = session.scalar(select(func.count()).where(Message.conversation_id == talk.id, Message.kind != "note"))
        return count or 0, found.state, found.agent_id


@pytest.mark.parametrize("role", ROLES)
def test_who_may_do_what_by_role(site: Site, talk: Visitor, role: str) -> None:
    wrong = []
    before = lines(site, talk)
    for (method, path), (kind, body) in ROUTES.items():
        if kind in {SEEING, OWNING} or (kind == OVERSEEING and "{talk}" in path and role in MAY[OVERSEEING]):
            continue
        told = call(site, site.agent(role=role, presence="away"), talk, method, path, body)
        refused = told.status_code == 403
        if refused == (role in MAY[kind]) or told.status_code >= 500 or told.status_code == 401:
            wrong.append((method, path, role, told.status_code, told.text[:100]))
    assert wrong == []
    assert lines(site, talk) == before


@pytest.mark.parametrize("role", ROLES)
def test_what_may_be_done_in_another_agents_talk(site: Site, talk: Visitor, role: str) -> None:
    """Agents see nothing of it, supervisors see it and whisper; nobody but the owner changes it. Others get no customers."""
    wrong = []
    before = lines(site, talk)
    for (method, path), (kind, body) in ROUTES.items():
        if kind not in {SEEING, OWNING}:
            continue
        told = call(site, site.agent(role=role, presence="away"), talk, method, path, body)
        if role in {"editor", "planner"}:
            fits = told.status_code == 403
        elif role == "agent":
            fits = told.status_code == (409 if path.endswith("/accept") else 404)
        else:
            fits = told.status_code == 409 if kind == OWNING else told.status_code < 300
        if not fits:
            wrong.append((method, path, role, told.status_code, told.text[:100]))
    assert wrong == []
    assert lines(site, talk) == before


def test_what_was_seen_and_done_is_written_down(site: Site, talk: Visitor) -> None:
    boss = site.agent(role="supervisor", presence="away")
    for method, path, body in (
        ("GET", TALK, None),
        ("GET", ORDER, None),
        ("POST", "/supervisor/talks/{talk}/take-over", {}),
        ("POST", f"{TALK}/tickets", {"kind": "other", "subject": "核查"}),
        ("POST", f"{ORDER}/cancel", {"reason": "不想要了"}),
        ("PUT", "/supervisor/hours", {"days": {}}),
    ):
        told = call(site, boss, talk, method, path, body)
        assert told.status_code < 300, (path, told.text)
    with site.shop.session() as session:
        done = set(session.scalars(select(AuditEntry.what).where(AuditEntry.agent_id == boss.id)))
    assert {"customer_seen", "order_seen", "talk_taken_over", "hours_set"} <= done
    assert any("ticket" in what for what in done)
    assert any("cancel" in what for what in done)
