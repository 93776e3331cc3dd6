"""What an agent can do for the customer without leaving the talk, seen from both sides and in the records."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from core import clock, db
from core.ids import token_hash
from crm.customers.models import Customer, CustomerNote
from crm.loyalty.models import Coupon
from crm.orders.models import Order
from crm.returns.models import Refund
from helpdesk.conversations.models import Conversation
from helpdesk.learning.models import Collected
from helpdesk.routing.models import ClientManager
from helpdesk.staff.models import Agent, AgentSession, AuditEntry
from helpdesk.surveys.models import Rating
from helpdesk.tickets.followups import open_follow_up
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind
from knowledge_base.models import Article
from tests.shop import Shop
from tests.web.people import PASSWORD, Site, Staff, Visitor, assert_problem, at_once
from tests.web.test_sockets import Listener

NEW_ADDRESS = "杭州市滨江区江南大道588号3幢1201室"


def served(site: Site, customer: Customer | None = None, **given: object) -> tuple[Staff, Visitor]:
    """An agent with a talk of this (signed-in) customer, or of a visitor nobody knows."""
    agent, visitor = site.agent(**given), site.visitor(customer).asks_for_a_person()
    return agent.takes(visitor), visitor


def served_recipient(site: Site, order: Order) -> tuple[Staff, Visitor]:
    """The same for somebody who proved only the recipient's phone of one order."""
    visitor = site.visitor().asks_for_a_person()
    values = {"customer_id": order.customer_id, "verified_by": "order", "verified_orders": [order.number]}
    site.change(Conversation, Conversation.id == visitor.id, **values)
    return site.agent().takes(visitor), visitor


def does(agent: Staff, visitor: Visitor, path: str, body: Any = None) -> httpx.Response:
    """A POST in the talk."""
    return agent.post(agent.talk(visitor, path), body)


def found[T](site: Site, table: type[T], *where: Any) -> list[T]:
    """Records as the database has them."""
    with db.reading(site.engine) as session:
        return list(session.scalars(select(table).where(*where)).all())


def written_down(site: Site, agent: Staff) -> list[tuple[str, str]]:
    """What the audit says this agent did: what, about."""
    return [(entry.what, entry.about) for entry in found(site, AuditEntry, AuditEntry.agent_id == agent.id)]


def article(site: Site, **given: Any) -> Article:
    """A published article."""
    values: dict[str, Any] = {
        "key": f"a-{clock.now().timestamp()}",
        "question": "怎么清洗滤网",
        "answer": "取下滤网，**清水**冲洗。<script>alert(1)</script>",
        "tags": [],
        "also": [],
        "updated_at": clock.now(),
    }
    made: Article = site.shop.add(Article(**{**values, **given}))
    return made


# Who may do what

CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/articles", {"article_id": "a-1"}),
    ("POST", "/ask-rating", {}),
    ("POST", "/coupons", {"template": "sorry_10"}),
    ("POST", "/tickets", {"kind": "other", "subject": "请跟进"}),
    ("POST", "/orders/{number}/cancel", {"reason": "不想要了"}),
    ("POST", "/orders/{number}/address", {"address": NEW_ADDRESS}),
    ("POST", "/customer-notes", {"text": "爱喝咖啡"}),
    ("PUT", "/tags", {"tags": ["退款"]}),
]
LOOKS = [("GET", "/customer", None), ("GET", "/orders/{number}", None)]
LISTS = [("GET", "/coupons/templates"), ("GET", "/ticket-kinds"), ("GET", "/tags"), ("GET", "/tasks")]


def calls(who: Staff, visitor: Visitor, method: str, path: str, body: Any, order: Order) -> httpx.Response:
    """A call about the visitor's talk (and the order, where the path names one)."""
    url = who.prefix + who.talk(visitor, path.format(number=order.number))
    return who.http.request(method, url, json=body)


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_only_the_one_who_has_the_talk_changes_anything(
    site: Site, shop: Shop, method: str, path: str, body: dict[str, Any]
) -> None:
    customer = shop.customer()
    order = shop.order(customer)
    agent, visitor = served(site, customer)
    before = visitor.look()
    refused = calls(site.agent(role="supervisor"), visitor, method, path, body, order)
    assert assert_problem(refused, 409)["code"] == "not_yours"
    assert_problem(calls(site.agent(), visitor, method, path, body, order), 404)
    assert visitor.look() == before
    visitor.post("/close")
    before = visitor.look()
    assert assert_problem(calls(agent, visitor, method, path, body, order), 409)["code"] == "not_yours"
    assert visitor.look() == before
    assert shop.fresh(order).status == "paid"
    assert found(site, Coupon, Coupon.customer_id == customer.id) == []
    assert found(site, Ticket, Ticket.conversation_id == visitor.id) == []
    assert found(site, CustomerNote, CustomerNote.customer_id == customer.id) == []


@pytest.mark.parametrize("role", ["editor", "planner"])
def test_who_serves_nobody_gets_nothing_of_customers(site: Site, shop: Shop, role: str) -> None:
    customer = shop.customer()
    order = shop.order(customer)
    _, visitor = served(site, customer)
    outsider = site.agent(role=role)
    answers = [calls(outsider, visitor, method, path, body, order) for method, path, body in [*CHANGES, *LOOKS]]
    answers += [outsider.http.request(method, outsider.prefix + path) for method, path in LISTS]
    answers.append(outsider.post("/tasks/GD0000000000/done", {"result": "已联系"}))
    for answer in answers:
        assert assert_problem(answer, 403)["code"] == "role"
        assert customer.name not in answer.text


NEEDS_AN_ACCOUNT = [c for c in CHANGES if c[1] in {"/coupons", "/customer-notes"} or "/orders" in c[1]]


@pytest.mark.parametrize(("method", "path", "body"), [*NEEDS_AN_ACCOUNT, LOOKS[1]])
def test_for_a_visitor_nobody_knows_the_agent_is_told_to_verify_first(
    site: Site, shop: Shop, method: str, path: str, body: Any
) -> None:
    order = shop.order(shop.customer())
    agent, visitor = served(site)
    before = visitor.look()
    told = assert_problem(calls(agent, visitor, method, path, body, order), 409)
    assert (told["code"], "核实" in told["detail"]) == ("unverified", True)
    assert order.recipient not in told["detail"]
    assert visitor.look() == before
    assert shop.fresh(order).status == "paid"


@pytest.mark.parametrize(("method", "path", "body"), [c for c in [*CHANGES, *LOOKS] if "/orders" in c[1]])
def test_somebody_elses_order_looks_like_none(site: Site, shop: Shop, method: str, path: str, body: Any) -> None:
    mine, other = shop.customer(), shop.customer()
    foreign = shop.order(other)
    agent, visitor = served(site, mine)
    none = Order(number="209911229999999")
    before = visitor.look()
    refused, unknown = (calls(agent, visitor, method, path, body, order) for order in (foreign, none))
    assert assert_problem(refused, 404) == assert_problem(unknown, 404)
    assert other.name not in refused.text
    assert visitor.look() == before
    kept = shop.fresh(foreign)
    assert (kept.status, kept.address) == ("paid", foreign.address)


def test_a_ticket_about_somebody_elses_order_is_not_opened(site: Site, shop: Shop) -> None:
    foreign = shop.order(shop.customer())
    agent, visitor = served(site, shop.customer())
    body = {"kind": "invoice", "subject": "发票抬头错了", "order_number": foreign.number}
    assert_problem(does(agent, visitor, "/tickets", body), 404)
    assert found(site, Ticket, Ticket.conversation_id == visitor.id) == []


BAD: list[tuple[str, str, Any, str]] = [
    *[("POST", "/articles", {"article_id": bad}, "article_id") for bad in (None, "", 1, "x" * 121, ["a"])],
    ("POST", "/articles", {"article_id": "a-1", "client_message_id": "x" * 61}, "client_message_id"),
    *[("POST", "/coupons", {"template": bad}, "template") for bad in (None, "", 5, "x" * 41, "\0")],
    *[("POST", "/tickets", {"kind": bad, "subject": "跟进"}, "kind") for bad in ("callback", "message", "magic", 7)],
    *[("POST", "/tickets", {"kind": "other", "subject": bad}, "subject") for bad in ("", " \u200b", "长" * 101, [])],
    ("POST", "/tickets", {"kind": "other", "subject": "跟进", "detail": "长" * 1501}, "detail"),
    ("POST", "/tickets", {"kind": "other", "subject": "跟进", "urgent": "perhaps"}, "urgent"),
    *[("POST", "/orders/{number}/cancel", {"reason": bad}, "reason") for bad in (None, "", "\u202e", "长" * 101)],
    ("POST", "/orders/{number}/address", {"address": 5}, "address"),
    ("POST", "/orders/{number}/address", {"recipient": "长" * 61}, "recipient"),
    *[("POST", "/customer-notes", {"text": bad}, "text") for bad in (None, "", "\n\t", "\ud800", "长" * 501)],
    *[("PUT", "/tags", {"tags": bad}, "tags") for bad in (None, "退款", [""], ["\u200b"], ["长" * 31], [5])],
    ("PUT", "/tags", {"tags": [f"标签{n}" for n in range(11)]}, "tags"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
def test_a_value_that_is_wrong_is_named_and_changes_nothing(
    site: Site, shop: Shop, method: str, path: str, body: Any, field: str
) -> None:
    customer = shop.customer()
    order = shop.order(customer)
    agent, visitor = served(site, customer)
    before = agent.sees(visitor)
    url = agent.talk(visitor, path.format(number=order.number))
    refused = agent.post(url, body) if method == "POST" else agent.put(url, body)
    assert assert_problem(refused, 422)["fields"] == [field]
    assert agent.sees(visitor) == before


# Articles


def test_an_article_reaches_the_customer_as_a_card_of_the_agents(site: Site) -> None:
    kept = article(site)
    agent, visitor = served(site)
    asked = visitor.said("滤网怎么洗呀请问")
    sent = does(agent, visitor, "/articles", {"article_id": kept.key})
    assert sent.status_code == 201
    line = visitor.lines(asked)[-1]
    assert (line["seq"], line["sender"], line["kind"]) == (sent.json()["seq"], "agent", "card")
    assert line["agent_name"] == agent.display_name
    assert line["text"].startswith("取下滤网，清水冲洗。")
    card = line["payload"]
    assert (card["card"], card["id"], card["question"]) == ("article", kept.key, kept.question)
    assert "<strong>清水</strong>" in card["html"]
    assert "<script" not in card["html"]
    assert ("article_sent", f"talk:{visitor.id} article:{kept.key}") in written_down(site, agent)


def test_an_article_counts_as_the_agents_answer(site: Site) -> None:
    kept = article(site)
    agent, visitor = served(site)
    visitor.said("滤网怎么洗呀请问")
    does(agent, visitor, "/articles", {"article_id": kept.key})
    shown = agent.sees(visitor)["conversation"]
    assert shown["first_response_at"] is not None
    assert shown["waiting_since"] is None


def test_the_same_article_clicked_twice_is_sent_once(site: Site) -> None:
    kept = article(site)
    agent, visitor = served(site)
    body = {"article_id": kept.key, "client_message_id": "click:1"}
    answers = at_once(*[lambda: does(agent, visitor, "/articles", body)] * 6)
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["seq"] for a in answers}) == 1
    assert [m["kind"] for m in visitor.lines()].count("card") == 1


def test_a_draft_or_an_unknown_article_is_not_sent(site: Site) -> None:
    draft = article(site, status="draft")
    agent, visitor = served(site)
    before = visitor.lines()
    for wanted in (draft.key, "no-such-article"):
        assert_problem(does(agent, visitor, "/articles", {"article_id": wanted}), 404)
    assert visitor.lines() == before


# Ratings


def test_a_rating_asked_for_in_between_is_this_agents_and_the_talk_goes_on(site: Site) -> None:
    agent, visitor = served(site)
    asked = does(agent, visitor, "/ask-rating")
    assert asked.status_code == 201
    line = visitor.lines()[-1]
    assert (line["seq"], line["kind"], line["sender"]) == (asked.json()["seq"], "rating", "system")
    assert line["payload"] == {"rating": {"max": 5, "of": "agent"}}
    assert visitor.look()["state"] == "with_agent"
    assert visitor.post("/rating", {"score": 4, "comment": "很耐心"}).status_code == 200
    (kept,) = found(site, Rating, Rating.conversation_id == visitor.id)
    assert (kept.agent_id, kept.of, kept.score) == (agent.id, "agent", 4)
    assert agent.sees(visitor)["messages"][-1]["payload"]["score"] == 4


def test_a_rating_is_asked_for_once_a_service(site: Site) -> None:
    agent, visitor = served(site)
    answers = at_once(*[lambda: does(agent, visitor, "/ask-rating")] * 5)
    assert sorted(a.status_code for a in answers) == [201] + [409] * 4
    refused = next(a for a in answers if a.status_code == 409)
    assert assert_problem(refused, 409)["code"] == "asked"
    assert [m["kind"] for m in visitor.lines()].count("rating") == 1
    does(agent, visitor, "/close", {"reason": "solved"})
    visitor.answer(visitor.said("又有一个问题想问"))
    agent.takes(visitor.asks_for_a_person())
    assert does(agent, visitor, "/ask-rating").status_code == 201, "a new service"


# Coupons


def test_a_coupon_lies_in_the_customers_account_and_the_customer_is_told(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    agent, visitor = served(site, customer)
    given = does(agent, visitor, "/coupons", {"template": "sorry_50"})
    assert given.status_code == 201
    (kept,) = found(site, Coupon, Coupon.customer_id == customer.id)
    told = given.json()["coupon"]
    assert (kept.value_cents, kept.threshold_cents, kept.used_at, kept.kinds) == (5_000, 19_900, None, [])
    assert (told["code"], told["value_cents"]) == (kept.code, 5_000)
    assert timedelta(days=29) < kept.valid_to - clock.now() <= timedelta(days=30)
    line = visitor.lines()[-1]
    assert (line["seq"], line["sender"]) == (given.json()["seq"], "agent")
    assert "50元" in line["text"]
    assert "满 199元" in line["text"]
    assert [about for what, about in written_down(site, agent) if what == "coupon_given"] == [
        f"talk:{visitor.id} customer:{customer.id} sorry_50"
    ]


def test_a_double_click_gives_one_coupon_and_another_one_is_refused(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    agent, visitor = served(site, customer)
    answers = at_once(*[lambda: does(agent, visitor, "/coupons", {"template": "sorry_10"})] * 6)
    assert [a.status_code for a in answers] == [201] * 6
    assert len({a.text for a in answers}) == 1
    assert assert_problem(does(agent, visitor, "/coupons", {"template": "sorry_20"}), 409)["code"] == "given"
    assert [c.value_cents for c in found(site, Coupon, Coupon.customer_id == customer.id)] == [1_000]
    assert len([m for m in visitor.lines() if "优惠券" in m["text"] and m["sender"] == "agent"]) == 1


def test_more_than_an_agent_may_give_is_the_supervisors(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    agent, visitor = served(site, customer)
    assert assert_problem(does(agent, visitor, "/coupons", {"template": "sorry_100"}), 409)["code"] == "limit"
    assert found(site, Coupon, Coupon.customer_id == customer.id) == []
    supervisor, other = served(site, customer, role="supervisor")
    assert does(supervisor, other, "/coupons", {"template": "sorry_100"}).status_code == 201
    may = {who: [t["id"] for t in who.get("/coupons/templates").json()["templates"] if t["may_give"]]
           for who in (agent, supervisor)}  # fmt: skip
    assert "sorry_100" in may[supervisor]
    assert may[agent] == [name for name in may[supervisor] if name != "sorry_100"]


def test_an_unknown_coupon_is_not_found_and_a_recipient_gets_none_for_the_buyer(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    agent, visitor = served(site, customer)
    assert_problem(does(agent, visitor, "/coupons", {"template": "a million"}), 404)
    agent, visitor = served_recipient(site, shop.order(customer))
    assert assert_problem(does(agent, visitor, "/coupons", {"template": "sorry_10"}), 409)["code"] == "unverified"
    assert found(site, Coupon, Coupon.customer_id == customer.id) == []


# Tickets


def test_a_ticket_is_opened_and_the_customer_told_its_number_and_due_time(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer)
    agent, visitor = served(site, customer)
    body = {"kind": "invoice", "subject": "发票抬头错了", "detail": "要改成公司抬头", "order_number": order.number}
    told = does(agent, visitor, "/tickets", {**body, "urgent": True})
    assert told.status_code == 201
    (kept,) = found(site, Ticket, Ticket.conversation_id == visitor.id)
    assert told.json()["ticket"]["number"] == kept.number
    assert (kept.kind, kept.subject, kept.detail, kept.urgent) == ("invoice", "发票抬头错了", "要改成公司抬头", True)
    assert (kept.customer_id, kept.order_id) == (customer.id, order.id)
    line = visitor.lines()[-1]
    assert line["sender"] == "system"
    assert kept.number in line["text"]
    assert clock.told(kept.due_at) in line["text"]
    assert kept.number in [t["number"] for t in agent.sees(visitor)["customer"]["tickets"]]
    assert ("ticket_opened", f"ticket:{kept.number} talk:{visitor.id}") in written_down(site, agent)


def test_the_same_ticket_clicked_twice_is_opened_once_and_another_one_is_another(site: Site) -> None:
    agent, visitor = served(site)
    body = {"kind": "other", "subject": "需要仓库核实"}
    answers = at_once(*[lambda: does(agent, visitor, "/tickets", body)] * 5)
    assert [a.status_code for a in answers] == [201] * 5
    assert len({a.text for a in answers}) == 1
    assert does(agent, visitor, "/tickets", {**body, "detail": "另一件"}).status_code == 201
    assert len(found(site, Ticket, Ticket.conversation_id == visitor.id)) == 2
    assert len([m for m in visitor.lines() if "工单" in m["text"]]) == 2


def test_a_second_complaint_about_an_order_is_added_to_the_open_one(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer, status="delivered")
    agent, visitor = served(site, customer)
    first, second = (
        does(agent, visitor, "/tickets", {"kind": "complaint", "subject": subject, "order_number": order.number})
        for subject in ("安装师傅迟到两小时", "还乱收了材料费")
    )
    assert first.json()["ticket"]["number"] == second.json()["ticket"]["number"]
    (kept,) = found(site, Ticket, Ticket.conversation_id == visitor.id)
    assert "迟到" in kept.detail
    assert "材料费" in kept.detail
    assert "补充" in visitor.lines()[-1]["text"]


def test_a_parcel_that_is_searched_for_already_is_not_searched_for_twice(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer, status="delivered")
    agent, visitor = served(site, customer)
    body = {"kind": "lost_parcel", "subject": "显示签收但没收到", "order_number": order.number}
    first = does(agent, visitor, "/tickets", body).raise_for_status().json()["ticket"]
    again = assert_problem(does(agent, visitor, "/tickets", {**body, "subject": "还是没有收到"}), 409)
    assert first["number"] in again["detail"]
    assert len(found(site, Ticket, Ticket.order_id == order.id)) == 1


def test_a_ticket_is_a_hint_of_what_the_bot_should_have_understood(site: Site) -> None:
    agent, visitor = served(site)
    collected = Collected(
        conversation_id=visitor.id,
        seq=1,
        text="开票那个弄错了",
        why="handed_over",
        state="open",
        created_at=clock.now(),
    )
    site.shop.add(collected)
    does(agent, visitor, "/tickets", {"kind": "invoice", "subject": "发票抬头错了"})
    kept = site.shop.fresh(collected)
    assert (kept.hint_kind, kept.hint) == ("ticket", "request_invoice")


def test_call_backs_and_messages_are_not_among_the_kinds_to_open(site: Site) -> None:
    kinds = {k["name"]: k["label"] for k in site.agent().get("/ticket-kinds").json()["kinds"]}
    assert kinds["invoice"] == "发票处理"
    assert set(kinds) == {kind.value for kind in TicketKind} - {"callback", "message"}


# Orders


def test_an_order_is_shown_with_what_an_agent_needs_and_the_look_is_written_down(site: Site, shop: Shop) -> None:
    customer = shop.customer(phone="13812345678")
    order = shop.order(customer, status="shipped")
    agent, visitor = served(site, customer)
    answer = agent.get(agent.talk(visitor, f"/orders/{order.number}"))
    shown = answer.json()["order"]
    assert (shown["number"], shown["recipient"], shown["address"]) == (order.number, order.recipient, order.address)
    assert shown["phone_masked"] == "138****5678"
    assert customer.phone not in answer.text
    assert [(p["method_label"], p["amount_cents"], p["status_label"]) for p in shown["payments"]] == [
        ("微信支付", order.total_cents, "支付成功")
    ]
    parcel = shown["parcels"][0]
    assert (parcel["card"], parcel["carrier"], parcel["order_number"]) == ("parcel", "中通", order.number)
    assert parcel["trace"][0]["text"] == "【杭州】已到达转运中心"
    assert (shown["may"]["cancel"]["ok"], "拒收" in shown["may"]["cancel"]["why"]) == (False, True)
    assert shown["may"]["address"]["ok"] is True
    assert ("order_seen", f"order:{order.number} talk:{visitor.id}") in written_down(site, agent)


@pytest.mark.parametrize(
    ("status", "cancel", "address"),
    [
        ("unpaid", True, True),
        ("paid", True, True),
        ("packed", False, False),
        ("shipped", False, True),
        ("delivered", False, False),
        ("cancelled", False, False),
    ],
)
def test_what_is_said_to_be_possible_is_possible_and_nothing_else(
    site: Site, shop: Shop, status: str, cancel: bool, address: bool
) -> None:
    customer = shop.customer()
    orders = [shop.order(customer, status=status) for _ in range(2)]
    agent, visitor = served(site, customer)
    shown = agent.get(agent.talk(visitor, f"/orders/{orders[0].number}")).json()["order"]
    assert {deed: may["ok"] for deed, may in shown["may"].items()} == {"cancel": cancel, "address": address}
    tried: dict[str, httpx.Response] = {
        "cancel": does(agent, visitor, f"/orders/{orders[0].number}/cancel", {"reason": "不想要了"}),
        "address": does(agent, visitor, f"/orders/{orders[1].number}/address", {"recipient": "王小明"}),
    }
    for deed, answer in tried.items():
        if shown["may"][deed]["ok"]:
            assert answer.status_code == 200, answer.text
        else:
            assert assert_problem(answer, 409)["detail"] == shown["may"][deed]["why"]
    assert shop.fresh(orders[0]).status == ("cancelled" if cancel else status)


def test_a_cancelled_order_pays_back_once_and_the_customer_is_told(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer, method="credit_card")
    agent, visitor = served(site, customer)
    path = f"/orders/{order.number}/cancel"
    answers = at_once(*[lambda: does(agent, visitor, path, {"reason": "客户拍错了"})] * 5)
    assert [a.status_code for a in answers] == [200] * 5
    assert {a.json()["order"]["status"] for a in answers} == {"cancelled"}
    assert answers[0].json()["order"]["may"]["cancel"]["ok"] is False
    kept = shop.fresh(order)
    assert (kept.status, kept.cancel_reason) == ("cancelled", "客户拍错了")
    assert [r.amount_cents for r in found(site, Refund, Refund.order_id == order.id)] == [order.total_cents]
    told = [m for m in visitor.lines() if m["sender"] == "system" and "取消" in m["text"]]
    assert len(told) == 1
    for words in (order.number[-4:], "399元", "信用卡", "7 个工作日"):
        assert words in told[0]["text"]
    assert written_down(site, agent).count(("order_cancelled", f"order:{order.number} talk:{visitor.id}")) == 1


def test_an_order_nobody_paid_is_cancelled_without_a_refund(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer, status="unpaid")
    agent, visitor = served(site, customer)
    assert does(agent, visitor, f"/orders/{order.number}/cancel", {"reason": "不买了"}).status_code == 200
    assert "没有产生扣款" in visitor.lines()[-1]["text"]
    assert found(site, Refund, Refund.order_id == order.id) == []


def test_a_new_address_stands_on_the_order_and_is_told_once(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer)
    agent, visitor = served(site, customer)
    body = {"recipient": "王小明", "phone": "13700001111", "address": NEW_ADDRESS}
    answers = at_once(*[lambda: does(agent, visitor, f"/orders/{order.number}/address", body)] * 5)
    assert [a.status_code for a in answers] == [200] * 5
    kept = shop.fresh(order)
    assert (kept.recipient, kept.phone, kept.address) == ("王小明", "13700001111", NEW_ADDRESS)
    assert answers[0].json()["order"]["phone_masked"] == "137****1111"
    told = [m["text"] for m in visitor.lines() if m["sender"] == "system" and "改" in m["text"]]
    assert len(told) == 1
    assert NEW_ADDRESS in told[0]
    assert ("order_address", f"order:{order.number} talk:{visitor.id}") in written_down(site, agent)
    back = does(agent, visitor, f"/orders/{order.number}/address", {"address": order.address})
    assert back.json()["order"]["address"] == order.address
    assert shop.fresh(order).recipient == "王小明", "what was not given stays"


def test_a_shipped_order_is_redirected_by_a_ticket_and_only_within_its_city(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer, status="shipped")
    agent, visitor = served(site, customer)
    path = f"/orders/{order.number}/address"
    far = assert_problem(does(agent, visitor, path, {"address": "四川省成都市武侯区天府大道1号"}), 409)
    assert far["code"] == "redirect_far"
    answers = at_once(*[lambda: does(agent, visitor, path, {"address": NEW_ADDRESS})] * 4)
    assert [a.status_code for a in answers] == [200] * 4
    (ticket,) = found(site, Ticket, Ticket.order_id == order.id)
    assert (ticket.kind, ticket.urgent, NEW_ADDRESS in ticket.detail) == ("address", True, True)
    assert shop.fresh(order).address == order.address
    told = [m["text"] for m in visitor.lines() if ticket.number in m["text"]]
    assert len(told) == 1
    assert "不保证" in told[0]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "至少"),
        ({"recipient": "", "phone": None, "address": "  "}, "至少"),
        ({"phone": "12345"}, "11 位"),
        ({"phone": "11111111111"}, "11 位"),
        ({"address": "杭州"}, "门牌号"),
        ({"recipient": "1"}, "姓名"),
        ({"recipient": "王小明", "phone": "abc"}, "11 位"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused_with_what_is_wrong(
    site: Site, shop: Shop, body: dict[str, Any], word: str
) -> None:
    customer = shop.customer()
    order = shop.order(customer)
    agent, visitor = served(site, customer)
    told = assert_problem(does(agent, visitor, f"/orders/{order.number}/address", body), 422)
    assert word in told["detail"]
    kept = shop.fresh(order)
    assert (kept.recipient, kept.phone, kept.address) == (order.recipient, order.phone, order.address)


def test_for_the_recipient_of_one_order_the_agent_looks_but_does_not_decide_for_the_buyer(
    site: Site, shop: Shop
) -> None:
    customer = shop.customer()
    one, other = shop.order(customer), shop.order(customer)
    agent, visitor = served_recipient(site, one)
    shown = agent.get(agent.talk(visitor, f"/orders/{one.number}")).json()["order"]
    assert [may["ok"] for may in shown["may"].values()] == [False, False]
    assert_problem(agent.get(agent.talk(visitor, f"/orders/{other.number}")), 404)
    for path, body in (("cancel", {"reason": "不想要了"}), ("address", {"recipient": "王小明"})):
        refused = does(agent, visitor, f"/orders/{one.number}/{path}", body)
        assert assert_problem(refused, 409)["code"] == "not_owner"
    assert shop.fresh(one).status == "paid"
    picture = agent.get(agent.talk(visitor, "/customer")).json()["customer"]
    assert [o["number"] for o in picture["orders"]] == [one.number]
    assert (picture["notes"], picture["value_cents_12m"], picture["manager"], picture["tags"]) == ([], None, None, [])


# The customer


def test_the_picture_tells_what_the_customer_is_worth_and_thought_of_us(site: Site, shop: Shop) -> None:
    customer = shop.customer(spent_cents=812_300)
    shop.order(customer), shop.order(customer, status="cancelled")
    manager = site.agent_record(display_name="专属小周")
    shop.add(ClientManager(customer_id=customer.id, agent_id=manager.id))
    earlier = site.visitor(customer)
    site.change(Conversation, Conversation.id == earlier.id, tags=["退款", "急"])
    now = clock.now()
    for of, score, ago in (("agent", 1, 3), ("agent", 5, 2), ("bot", 4, 1)):  # the first one was thought over
        shop.add(Rating(conversation_id=earlier.id, of=of, score=score, at=now - timedelta(hours=ago)))
    agent, visitor = served(site, customer)
    picture = agent.get(agent.talk(visitor, "/customer")).json()["customer"]
    assert picture["satisfaction"] == {"average": 4.5, "count": 2}
    assert (picture["value_cents_12m"], picture["orders_count"]) == (812_300, 2)
    assert (picture["manager"], picture["tags"]) == ("专属小周", ["急", "退款"])
    assert picture == agent.sees(visitor)["customer"]
    assert ("customer_seen", f"customer:{customer.id}") in written_down(site, agent)


def test_of_a_visitor_nobody_knows_there_is_no_picture(site: Site) -> None:
    agent, visitor = served(site)
    assert agent.get(agent.talk(visitor, "/customer")).json() == {"customer": None}


def test_a_note_on_the_customer_is_there_in_the_next_talk_and_hidden_from_the_customer(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    agent, visitor = served(site, customer)
    answers = at_once(*[lambda: does(agent, visitor, "/customer-notes", {"text": "送货请走货梯"})] * 4)
    assert [a.status_code for a in answers] == [201] * 4
    does(agent, visitor, "/customer-notes", {"text": "说话慢一点"})
    colleague, later = served(site, customer)
    notes = colleague.get(colleague.talk(later, "/customer")).json()["customer"]["notes"]
    assert [(n["text"], n["by"]) for n in notes] == [
        ("说话慢一点", agent.display_name),
        ("送货请走货梯", agent.display_name),
    ]
    for talk in (visitor, later):
        assert "货梯" not in talk.get("/messages").text


# Tags


def test_the_tags_of_a_talk_are_those_set_last_and_are_offered_to_colleagues(site: Site) -> None:
    agent, visitor = served(site)
    put: Callable[[list[str]], httpx.Response] = lambda tags: agent.put(agent.talk(visitor, "/tags"), {"tags": tags})  # noqa: E731
    assert put(["本季促销", "漏发配件"]).json()["conversation"]["tags"] == ["本季促销", "漏发配件"]
    assert put(["漏发配件", " 漏发配件 "]).json()["conversation"]["tags"] == ["漏发配件"]
    other, another = served(site)
    other.put(other.talk(another, "/tags"), {"tags": ["漏发配件", "催发货了"]})
    _, old = served(site)
    site.change(
        Conversation, Conversation.id == old.id, tags=["去年的标签"], started_at=clock.now() - timedelta(days=91)
    )
    offered = agent.get("/tags").json()["tags"]
    assert offered.index("漏发配件") < offered.index("催发货了")
    assert "本季促销" not in offered
    assert "去年的标签" not in offered
    assert put([]).json()["conversation"]["tags"] == []


# Tasks


def follow_up(site: Site, visitor: Visitor, due: timedelta, **given: Any) -> Ticket:
    """A task the customer asked for."""
    values: dict[str, Any] = {"kind": TicketKind.CALLBACK, "phone": "13800001234", "text": "电话：想问冰箱的运费"}
    with db.writing(site.engine) as session:
        talk = session.get_one(Conversation, visitor.id)
        now = clock.now()
        return open_follow_up(session, talk, now, due=now + due, **{**values, **given})


def test_tasks_are_listed_the_most_urgent_first_with_whom_to_call_about_what(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    visitor = site.visitor(customer)
    later = follow_up(site, visitor, timedelta(hours=2))
    late = follow_up(site, site.visitor(), -timedelta(minutes=5), kind=TicketKind.MESSAGE, phone=None)
    listed = site.agent().get("/tasks").json()["tasks"]
    ours = [task for task in listed if task["number"] in {later.number, late.number}]
    assert [task["number"] for task in ours] == [late.number, later.number]
    assert [(t["kind"], t["kind_label"], t["overdue"]) for t in ours] == [
        ("message", "留言", True),
        ("callback", "回电", False),
    ]
    assert [(t["phone"], t["customer_name"]) for t in ours] == [(None, "访客"), ("13800001234", customer.name)]
    assert [t["detail"] for t in ours] == ["电话：想问冰箱的运费"] * 2, (
        "what the customer wrote is not taken for a phone"
    )
    assert ours[1]["conversation_id"] == visitor.id


def test_a_task_that_is_done_is_off_the_list_with_its_result_kept_for_colleagues(site: Site) -> None:
    task = follow_up(site, site.visitor(), timedelta(hours=1))
    agent, colleague = site.agent(), site.agent()
    path = f"/tasks/{task.number}/done"
    answers = at_once(*[lambda: agent.post(path, {"result": "已联系，运费已说明"})] * 4)
    assert [a.status_code for a in answers] == [200] * 4
    assert task.number not in [t["number"] for t in colleague.get("/tasks").json()["tasks"]]
    assert assert_problem(colleague.post(path, {"result": "我来晚了"}), 409)["code"] == "done"
    kept = site.shop.fresh(task)
    assert (kept.status, kept.progress[-1]["text"]) == ("solved", "已给您回电")
    assert kept.detail.count("运费已说明") == 1
    assert agent.display_name in kept.detail
    assert [what for what, _ in written_down(site, agent)].count("task_done") == 1


@pytest.mark.parametrize("state", ["bot", "closed"])
def test_the_answer_to_a_message_reaches_the_customer_once_and_what_came_of_a_call_does_not(
    site: Site, state: str
) -> None:
    visitor, agent = site.visitor(), site.agent()
    message = follow_up(site, visitor, timedelta(hours=1), kind=TicketKind.MESSAGE, phone="")
    call = follow_up(site, visitor, timedelta(hours=1))
    if state == "closed":
        visitor.post("/close")
    at_once(*[lambda: agent.post(f"/tasks/{message.number}/done", {"result": "运费我们出，您放心"})] * 4)
    assert agent.post(f"/tasks/{call.number}/done", {"result": "客户已在电话里骂过了"}).status_code == 200
    answers = [m for m in visitor.lines() if m["sender"] == "agent"]
    assert [m["agent_name"] for m in answers] == [agent.display_name]
    assert message.number in answers[0]["text"]
    assert "运费我们出，您放心" in answers[0]["text"]
    assert visitor.look()["state"] == state
    assert "骂过" not in visitor.get("/messages").text
    visitor.answer(visitor.said("谢谢你们的回复"))


def test_the_result_of_a_task_is_kept_however_long_the_message_was(site: Site) -> None:
    task = follow_up(site, site.visitor(), timedelta(hours=1), kind=TicketKind.MESSAGE, text="长" * 2000)
    assert site.agent().post(f"/tasks/{task.number}/done", {"result": "结" * 500}).status_code == 200
    assert site.shop.fresh(task).detail.endswith("结" * 500)


def test_another_ticket_is_no_task(site: Site) -> None:
    agent, visitor = served(site)
    number = does(agent, visitor, "/tickets", {"kind": "other", "subject": "请跟进"}).json()["ticket"]["number"]
    assert number not in [t["number"] for t in agent.get("/tasks").json()["tasks"]]
    for wanted in (number, "GD0000000000", "nobody"):
        assert_problem(agent.post(f"/tasks/{wanted}/done", {"result": "好了"}), 404)


@pytest.mark.parametrize("result", [None, "", "\u200b", 5, "长" * 501])
def test_a_task_is_not_done_without_a_result(site: Site, result: object) -> None:
    task = follow_up(site, site.visitor(), timedelta(hours=1))
    assert_problem(site.agent().post(f"/tasks/{task.number}/done", {"result": result}), 422)
    assert site.shop.fresh(task).status == "open"


# The own password


def signed_in_twice(site: Site) -> tuple[Staff, Staff]:
    """An agent in two browsers."""
    first = site.agent()
    now, token = clock.now(), f"second browser {first.id}"
    site.shop.add(
        AgentSession(
            token_hash=token_hash(token), agent_id=first.id, created_at=now, expires_at=now + timedelta(hours=1)
        )
    )
    return first, Staff(site, site.shop.fresh(Agent(id=first.id)), token)


def test_a_new_password_is_in_force_and_all_other_sign_ins_end(site: Site) -> None:
    agent, elsewhere = signed_in_twice(site)
    bystander = site.agent()
    assert elsewhere.get("/me").status_code == 200
    changed = agent.put("/me/password", {"old": PASSWORD, "new": "a new horse 电池"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert agent.get("/me").status_code == 200
    assert_problem(elsewhere.get("/me"), 401)
    assert bystander.get("/me").status_code == 200
    sign_in = {"name": agent.name, "password": PASSWORD}
    assert_problem(site.caller().post("/api/v1/agent/session", sign_in), 401)
    sign_in["password"] = "a new horse 电池"
    assert site.caller().post("/api/v1/agent/session", sign_in).status_code == 200
    kept = site.shop.fresh(Agent(id=agent.id))
    assert kept.password_hash.startswith("$argon2id$")
    assert ("password_changed", "") in written_down(site, agent)


def test_the_desk_of_an_ended_sign_in_is_told_and_disconnected(site: Site) -> None:
    agent, elsewhere = signed_in_twice(site)
    desk = Listener(site, "/desk", token=elsewhere.token)
    try:
        desk.until("queue")
        agent.put("/me/password", {"old": PASSWORD, "new": "a new horse 电池"})
        desk.until("session_ended")
        desk.until("disconnect")
    finally:
        desk.client.disconnect()


@pytest.mark.parametrize(
    "body",
    [
        {"old": "not this one", "new": "long enough 电池"},
        {"old": PASSWORD, "new": "short"},
        {"old": PASSWORD, "new": PASSWORD},
        {"old": PASSWORD, "new": "x" * 201},
        {"old": PASSWORD, "new": "with a NUL \0 inside"},
        {"old": PASSWORD},
        {"new": "long enough 电池"},
        {"old": PASSWORD, "new": 12345678},
    ],
)
def test_a_password_that_will_not_do_changes_nothing(site: Site, body: dict[str, object]) -> None:
    agent, elsewhere = signed_in_twice(site)
    before = site.shop.fresh(Agent(id=agent.id)).password_hash
    assert_problem(agent.put("/me/password", body), 422)
    assert site.shop.fresh(Agent(id=agent.id)).password_hash == before
    assert [who.get("/me").status_code for who in (agent, elsewhere)] == [200, 200], "one is not thrown out for a typo"


def test_guessing_the_old_password_is_limited_whatever_the_address(site: Site) -> None:
    agent, elsewhere = signed_in_twice(site)
    guess = {"old": "guess number one", "new": "long enough 电池"}
    told = [who.put("/me/password", guess).status_code for who in (agent, elsewhere, agent, elsewhere)]
    assert told == [422, 422, 422, 429]
    assert_problem(agent.put("/me/password", {**guess, "old": PASSWORD}), 429)
    other = site.agent()
    assert other.put("/me/password", {**guess, "old": PASSWORD}).status_code == 204


def test_of_two_changes_at_once_one_counts_and_the_other_is_told(site: Site) -> None:
    agent = site.agent()
    wanted = [f"horse number {n} 电池" for n in range(3)]
    answers = at_once(*[lambda new=new: agent.put("/me/password", {"old": PASSWORD, "new": new}) for new in wanted])
    assert [a.status_code for a in answers].count(204) == 1
    good = wanted[[a.status_code for a in answers].index(204)]
    sign_in = {"name": agent.name, "password": good}
    assert site.caller().post("/api/v1/agent/session", sign_in).status_code == 200
    with db.reading(site.engine) as session:
        changed = select(func.count()).where(AuditEntry.agent_id == agent.id, AuditEntry.what == "password_changed")
        assert session.scalar(changed) == 1
