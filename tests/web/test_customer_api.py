"""What a customer's program gets from the HTTP API."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import jwt
import pytest
from sqlalchemy import select

from core import clock, db
from crm.customers.access import visitor_token
from helpdesk.surveys.models import Rating
from tests.shop import Shop
from tests.web.brain import StandInBrain
from tests.web.people import Site, assert_problem, at_once, new_key

SOON_SECONDS = 8  # "at once" on a busy machine; far from the waits that are asked for


# Opening


def test_a_new_talk_comes_with_a_token_a_state_and_a_greeting_with_buttons(site: Site) -> None:
    visitor = site.visitor()
    told = visitor.opened.json()
    assert visitor.opened.status_code == 201
    assert told["state"] == "bot"
    assert told["queue"] is None
    assert [m["seq"] for m in told["messages"]] == [1]
    greeting = told["messages"][0]
    assert (greeting["sender"], greeting["kind"]) == ("bot", "buttons")
    assert {"title": "转人工", "value": "转人工"} in greeting["payload"]["buttons"]
    assert visitor.lines() == told["messages"]


def test_the_inner_language_of_buttons_is_not_told(site: Site) -> None:
    assert "/track_logistics" not in site.visitor().opened.text


def test_who_was_vouched_for_is_greeted_by_name_and_a_visitor_is_not(site: Site, shop: Shop) -> None:
    customer = shop.customer(name="欧阳海燕", title="女士")
    assert "欧阳海燕女士" in site.visitor(customer).messages[0]["text"]
    assert "欧阳海燕" not in site.visitor().messages[0]["text"]


def test_tokens_that_the_shop_did_not_sign_so_are_refused(site: Site, shop: Shop) -> None:
    customer = shop.customer()
    now = clock.now()
    secret = site.stack.environment["ZHIKE_CUSTOMER_TOKEN_SECRET"]
    claims = {"sub": str(customer.id), "aud": "zhike", "exp": now + timedelta(hours=1)}
    bad = {
        "another secret": visitor_token(customer.id, "x" * 64, now),
        "expired": visitor_token(customer.id, secret, now - timedelta(hours=3)),
        "another audience": jwt.encode({**claims, "aud": "shop"}, secret, algorithm="HS256"),
        "no expiry": jwt.encode({"sub": claims["sub"], "aud": "zhike"}, secret, algorithm="HS256"),
        "unsigned": jwt.encode(claims, None, algorithm="none"),  # type: ignore[arg-type]
        "nobody": visitor_token(10**9, secret, now),
        "no number": jwt.encode({**claims, "sub": "'; DROP TABLE customers"}, secret, algorithm="HS256"),
        "rubbish": "a.b.c",
    }
    for what, token in bad.items():
        refused = site.caller().post("/api/v1/conversations", {"channel": "web", "customer_token": token})
        assert refused.status_code == 401, what
        assert_problem(refused, 401)


def test_a_visitor_id_alone_never_opens_an_earlier_history(site: Site, shop: Shop) -> None:
    first = site.visitor(shop.customer(name="司马相"), visitor_id="device-1")
    first.said("我的秘密是什么")
    second = site.visitor(visitor_id="device-1")
    assert second.id != first.id
    assert [m["sender"] for m in second.lines()] == ["bot"]
    assert "司马相" not in second.opened.text


def test_an_unknown_channel_is_invalid(site: Site) -> None:
    refused = site.caller().post("/api/v1/conversations", {"channel": "fax"})
    assert assert_problem(refused, 422)["fields"] == ["channel"]


def test_too_many_new_talks_from_one_address_must_wait_and_other_addresses_need_not(site: Site) -> None:
    one = site.caller()
    answers = [one.post("/api/v1/conversations") for _ in range(21)]
    assert [a.status_code for a in answers] == [201] * 20 + [429]
    assert_problem(answers[-1], 429)
    assert int(answers[-1].headers["Retry-After"]) <= 60
    assert site.caller().post("/api/v1/conversations").status_code == 201


# Writing


def test_a_line_is_stored_under_the_next_number_with_the_senders_own_id(site: Site) -> None:
    visitor = site.visitor()
    with site.brain.holding(visitor.id):
        answer = visitor.says("我的订单到哪了", "key:with:colons")
        assert (answer.status_code, answer.json()) == (202, {"seq": 2})
        line = visitor.lines(1)[0]
    assert line.pop("created_at").endswith("Z")
    assert line == {
        "seq": 2,
        "sender": "customer",
        "kind": "text",
        "text": "我的订单到哪了",
        "client_message_id": "key:with:colons",
    }


def test_times_are_iso_8601_in_utc_and_now(site: Site) -> None:
    told = datetime.fromisoformat(site.visitor().messages[0]["created_at"])
    assert told.utcoffset() == timedelta(0)
    assert abs(clock.now() - told) < timedelta(seconds=60)


def test_the_bot_answers_and_its_answer_has_the_next_numbers(site: Site) -> None:
    visitor = site.visitor()
    assert visitor.answer(visitor.said("运费谁出呀")) == "收到：运费谁出呀"


def test_the_same_id_again_gives_the_same_seq_and_stores_nothing_even_with_another_text(site: Site) -> None:
    visitor, key = site.visitor(), new_key()
    first = visitor.says("第一次说的话", key)
    visitor.answer(first.json()["seq"])
    again = [visitor.says("第一次说的话", key), visitor.says("第二次说的话", key)]
    assert first.status_code == 202
    assert [a.status_code for a in again] == [200, 200]
    assert [a.json() for a in again] == [first.json()] * 2
    assert [m["text"] for m in visitor.lines() if m["sender"] == "customer"] == ["第一次说的话"]
    assert site.brain.asked(visitor.id) == ["第一次说的话"]


def test_replays_out_of_order_each_get_their_own_seq(site: Site) -> None:
    visitor = site.visitor()
    keys = [new_key() for _ in range(6)]
    first = {key: visitor.says(f"第几句 {key}", key).json()["seq"] for key in keys}
    for key in reversed(keys):
        again = visitor.says(f"第几句 {key}", key)
        assert (again.status_code, again.json()["seq"]) == (200, first[key])


def test_twenty_senders_of_the_same_id_at_once_store_one_line(site: Site) -> None:
    visitor, key = site.visitor(), new_key()
    answers = at_once(*[lambda: visitor.says("点了二十下", key)] * 20)
    assert sorted(a.status_code for a in answers) == [200] * 19 + [202]
    assert len({a.json()["seq"] for a in answers}) == 1
    assert visitor.texts().count("点了二十下") == 1


def test_the_same_id_in_another_talk_is_another_line(site: Site) -> None:
    key = new_key()
    one, other = site.visitor(), site.visitor()
    assert one.says("一号的话", key).status_code == 202
    assert other.says("二号的话", key).status_code == 202
    assert "一号的话" not in other.texts()


def test_a_customers_id_cannot_stand_in_for_an_agents(site: Site) -> None:
    agent, visitor = site.agent(), site.visitor()
    agent.takes(visitor.asks_for_a_person())
    forged = visitor.says("我冒充坐席", f"agent:{agent.id}:k1").json()["seq"]
    real = agent.writes(visitor, "真正的答复", client_message_id="k1").json()["seq"]
    assert real != forged
    assert visitor.texts()[-2:] == ["我冒充坐席", "真正的答复"]


def test_eight_parallel_writers_leave_no_gap_and_keep_their_own_order(site: Site) -> None:
    visitor = site.visitor()

    def write(writer: int) -> list[int]:
        return [visitor.said(f"{writer} 号第 {n} 句") for n in range(8)]

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(write, range(8)))
    told = visitor.wait_for(lambda t: t["messages"][-1]["sender"] == "bot")["messages"]
    assert [m["seq"] for m in told] == list(range(1, len(told) + 1))
    times = [m["created_at"] for m in told]
    assert times == sorted(times)
    said = [m for m in told if m["sender"] == "customer"]
    assert len(said) == 64
    for writer, seqs in enumerate(given):
        own = [m for m in said if m["text"].startswith(f"{writer} 号")]
        assert [m["seq"] for m in own] == seqs == sorted(seqs)
        assert [m["text"] for m in own] == [f"{writer} 号第 {n} 句" for n in range(8)]


def test_parallel_lines_are_each_read_by_the_bot_exactly_once(site: Site) -> None:
    visitor = site.visitor()
    at_once(*[lambda n=n: visitor.said(f"问题{n}号。") for n in range(12)])
    visitor.wait_for(
        lambda t: t["messages"][-1]["sender"] == "bot" and "".join(site.brain.asked(visitor.id)).count("号。") >= 12
    )
    read = "".join(site.brain.asked(visitor.id))
    assert [read.count(f"问题{n}号。") for n in range(12)] == [1] * 12


def test_too_many_lines_in_one_talk_must_wait_and_other_talks_need_not(site: Site) -> None:
    visitor = site.visitor()
    with site.brain.holding(visitor.id), ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: visitor.says(f"连发第 {n} 条"), range(160)))
    refused = [a for a in answers if a.status_code == 429]
    assert refused, "150 in a minute are allowed"
    assert len([a for a in answers if a.status_code == 202]) >= 150
    assert_problem(refused[0], 429)
    assert int(refused[0].headers["Retry-After"]) <= 60
    assert site.visitor().says("我没有连发").status_code == 202


# Reading on


def test_reading_on_gives_exactly_the_lines_after_a_seq(site: Site) -> None:
    visitor = site.visitor()
    with site.brain.holding(visitor.id):
        seqs = [visitor.said(f"第 {n} 句话") for n in range(5)]
        assert [m["seq"] for m in visitor.lines(seqs[1])] == seqs[2:]
        assert visitor.lines(seqs[-1]) == []
        assert visitor.lines(10**9) == []


@pytest.mark.parametrize(
    "query", [{"after": -1}, {"after": "x"}, {"after": 2**40}, {"wait": 31}, {"wait": -1}, {"wait": "1.5"}]
)
def test_a_seq_or_a_wait_out_of_range_is_invalid(site: Site, query: dict[str, object]) -> None:
    refused = assert_problem(site.visitor().get("/messages", **query), 422)
    assert refused["fields"] == list(query)


def test_a_long_poll_with_nothing_new_ends_after_its_time_empty(site: Site) -> None:
    visitor = site.visitor()
    begun = time.monotonic()
    told = visitor.look(visitor.last_seq, wait=2)
    assert 2 <= time.monotonic() - begun < 2 + SOON_SECONDS
    assert (told["messages"], told["state"]) == ([], "bot")


def test_a_long_poll_is_answered_at_once_when_there_is_something_already(site: Site) -> None:
    begun = time.monotonic()
    assert site.visitor().look(0, wait=30)["messages"]
    assert time.monotonic() - begun < SOON_SECONDS


def test_a_long_poll_returns_as_soon_as_a_line_comes(site: Site) -> None:
    visitor = site.visitor()
    with site.brain.holding(visitor.id), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(visitor.look, visitor.last_seq, 30)
        begun = time.monotonic()
        visitor.said("这一句来得晚")
        told = waiting.result(timeout=40)
    assert time.monotonic() - begun < SOON_SECONDS
    assert [m["text"] for m in told["messages"]] == ["这一句来得晚"]


def test_a_long_poll_returns_as_soon_as_an_agent_writes(site: Site) -> None:
    agent, visitor = site.agent(), site.visitor()
    agent.takes(visitor.asks_for_a_person())
    last = visitor.lines()[-1]["seq"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(visitor.look, last, 30)
        begun = time.monotonic()
        agent.writes(visitor, "您好，我看一下")
        told = waiting.result(timeout=40)
    assert time.monotonic() - begun < SOON_SECONDS
    assert [(m["sender"], m["text"], m["agent_name"]) for m in told["messages"]] == [
        ("agent", "您好，我看一下", agent.display_name)
    ]


# A person is asked for


def test_asking_for_a_person_queues_the_talk_and_says_where_it_stands(site: Site) -> None:
    visitor = site.visitor()
    asked = visitor.post("/handoff", {"reason": "机器人答不了"})
    assert asked.status_code == 202
    assert asked.json()["state"] == "queued"
    assert asked.json()["queue"]["position"] >= 1
    told = visitor.look()
    assert told["state"] == "queued"
    assert told["messages"][-1]["sender"] == "system"


def test_asking_for_a_person_needs_no_body(site: Site) -> None:
    visitor = site.visitor()
    assert visitor.http.post(visitor.prefix + "/handoff").status_code == 202
    assert visitor.look()["state"] == "queued"


def test_asking_for_a_person_twice_queues_once(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    before = visitor.lines()
    assert visitor.post("/handoff").status_code == 202
    assert visitor.lines() == before


def test_places_follow_the_order_of_asking_and_move_up(site: Site) -> None:
    site.nobody_waits()
    first, second, third = (site.visitor().asks_for_a_person() for _ in range(3))
    assert [v.look()["queue"]["position"] for v in (first, second, third)] == [1, 2, 3]
    assert second.post("/leave-queue").status_code == 200
    assert [v.look()["queue"]["position"] for v in (first, third)] == [1, 2]


def test_a_platinum_customer_stands_before_a_visitor_who_just_came(site: Site, shop: Shop) -> None:
    site.nobody_waits()
    visitor = site.visitor().asks_for_a_person()
    platinum = site.visitor(shop.customer(level="platinum")).asks_for_a_person()
    assert [platinum.look()["queue"]["position"], visitor.look()["queue"]["position"]] == [1, 2]


def test_the_wait_is_told_in_seconds_when_somebody_is_there(site: Site) -> None:
    site.agent(presence="online")
    assert site.visitor().asks_for_a_person().look()["queue"]["estimated_wait_seconds"] > 0


def test_who_leaves_the_queue_is_back_with_the_bot(site: Site, brain: StandInBrain) -> None:
    visitor = site.visitor().asks_for_a_person()
    left = visitor.post("/leave-queue")
    assert (left.status_code, left.json()["state"], left.json()["queue"]) == (200, "bot", None)
    assert visitor.answer(visitor.said("那还是问你吧")) == "收到：那还是问你吧"


def test_leaving_a_queue_one_is_not_in_is_a_conflict(site: Site) -> None:
    assert_problem(site.visitor().post("/leave-queue"), 409)


def test_the_bot_is_silent_while_the_talk_waits_for_a_person(site: Site, brain: StandInBrain) -> None:
    visitor = site.visitor().asks_for_a_person()
    visitor.said("有人在吗有人在吗")
    other = site.visitor()
    other.answer(other.said("另一个会话的话"))  # the bot is alive and has had its chance
    assert brain.asked(visitor.id) == []
    assert visitor.lines()[-1]["text"] == "有人在吗有人在吗"


# The end, and after it


def test_a_talk_ends_with_a_request_to_rate_it(site: Site) -> None:
    visitor = site.visitor()
    ended = visitor.post("/close")
    assert (ended.status_code, ended.json()["state"]) == (200, "closed")
    told = visitor.look()
    assert told["state"] == "closed"
    assert (told["messages"][-1]["kind"], told["messages"][-1]["sender"]) == ("rating", "system")


def test_ending_twice_ends_once(site: Site) -> None:
    visitor = site.visitor()
    visitor.post("/close")
    before = visitor.lines()
    assert visitor.post("/close").status_code == 200
    assert visitor.lines() == before


def test_a_line_to_an_ended_talk_opens_it_again_and_is_answered(site: Site) -> None:
    visitor = site.visitor()
    visitor.post("/close")
    answer = visitor.says("我又想起一件事")
    assert answer.status_code == 202
    assert visitor.answer(answer.json()["seq"]) == "收到：我又想起一件事"
    assert visitor.look()["state"] == "bot"


def test_a_replay_of_an_old_line_does_not_open_an_ended_talk(site: Site) -> None:
    visitor, key = site.visitor(), new_key()
    visitor.says("结束前说的话", key)
    visitor.post("/close")
    assert visitor.says("结束前说的话", key).status_code == 200
    assert visitor.look()["state"] == "closed"


def test_a_person_can_be_asked_for_after_the_end(site: Site) -> None:
    visitor = site.visitor()
    visitor.post("/close")
    assert visitor.asks_for_a_person().look()["state"] == "queued"


def test_ending_while_waiting_leaves_the_queue(site: Site) -> None:
    agent, visitor = site.agent(), site.visitor().asks_for_a_person()
    visitor.post("/close")
    assert visitor.id not in agent.listed("queued")
    assert_problem(agent.accepts(visitor), 409)


def test_a_rating_is_kept_for_the_bot_and_shown_on_its_card(site: Site) -> None:
    visitor = site.visitor()
    visitor.post("/close")
    rated = visitor.post("/rating", {"score": 4, "comment": "挺好的"})
    assert (rated.status_code, rated.json()) == (200, {"score": 4})
    card = visitor.lines()[-1]
    assert (card["kind"], card["payload"]["score"]) == ("rating", 4)
    with db.reading(site.engine) as session:
        kept = session.scalars(select(Rating).where(Rating.conversation_id == visitor.id)).one()
    assert (kept.of, kept.score, kept.comment, kept.agent_id) == ("bot", 4, "挺好的", None)


def test_a_rating_after_an_agent_served_is_the_agents(site: Site) -> None:
    agent, visitor = site.agent(), site.visitor()
    agent.takes(visitor.asks_for_a_person())
    agent.post(agent.talk(visitor, "/close"), {"reason": "solved"})
    assert visitor.post("/rating", {"score": 5}).status_code == 200
    with db.reading(site.engine) as session:
        kept = session.scalars(select(Rating).where(Rating.conversation_id == visitor.id)).one()
    assert (kept.of, kept.agent_id) == ("agent", agent.id)


@pytest.mark.parametrize("score", [0, 6, -1, 4.5, "5", True, None, [5], 10**30])
def test_a_rating_that_is_no_whole_number_from_1_to_5_is_invalid(site: Site, score: object) -> None:
    assert assert_problem(site.visitor().post("/rating", {"score": score}), 422)["fields"] == ["score"]


def test_what_the_customer_has_read_is_seen_by_the_agent(site: Site) -> None:
    agent, visitor = site.agent(), site.visitor()
    agent.takes(visitor.asks_for_a_person())
    seq = agent.writes(visitor, "请看这里").json()["seq"]
    assert agent.sees(visitor)["conversation"]["customer_read_seq"] < seq
    assert visitor.post("/read", {"seq": 10**6}).status_code == 204
    assert agent.sees(visitor)["conversation"]["customer_read_seq"] == seq


# Whose talk it is

CUSTOMER_ROUTES = [
    ("GET", "/messages"),
    ("POST", "/messages"),
    ("POST", "/images"),
    ("POST", "/handoff"),
    ("POST", "/leave-queue"),
    ("POST", "/rating"),
    ("POST", "/close"),
    ("POST", "/read"),
]


@pytest.mark.parametrize(("method", "path"), CUSTOMER_ROUTES)
def test_another_talk_looks_as_if_it_were_not_there(site: Site, method: str, path: str) -> None:
    owner, stranger = site.visitor(), site.visitor()
    owner.said("只有我能看的话")
    before = owner.wait_for(lambda t: t["messages"][-1]["sender"] == "bot")
    for wanted in (owner.id, "0" * 32, "nobody"):
        url = f"{site.url}/api/v1/conversations/{wanted}{path}"
        refused = stranger.http.request(method, url, json=None if method == "GET" else {"score": 1, "seq": 1})
        told = assert_problem(refused, 404)
        assert told["detail"] == "没有找到这个会话。"
    assert owner.look() == before


@pytest.mark.parametrize(("method", "path"), CUSTOMER_ROUTES)
def test_without_the_token_of_a_talk_nothing_works(site: Site, method: str, path: str) -> None:
    visitor, nobody = site.visitor(), site.caller()
    url = f"{site.url}/api/v1/conversations/{visitor.id}{path}"
    for header in ("", "Bearer", "Bearer wrong", "Basic dTpw", "wrong", "Bearer ü", f"Basic {visitor.token}"):
        headers = {"Authorization": header.encode("latin-1")}
        refused = nobody.http.request(method, url, json=None if method == "GET" else {}, headers=headers)
        assert_problem(refused, 401)
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert visitor.look()["state"] == "bot"


def test_an_agents_token_is_no_customers(site: Site) -> None:
    visitor, agent = site.visitor(), site.agent()
    visitor.http.headers["Authorization"] = f"Bearer {agent.token}"
    assert_problem(visitor.get("/messages"), 401)


# The demo's doors


@pytest.mark.parametrize("body", [{"customer_id": 1}, {"customer_id": "x"}, {}])
def test_outside_demo_mode_nobody_signs_in_as_somebody(site: Site, shop: Shop, body: dict[str, object]) -> None:
    shop.customer()
    assert_problem(site.caller().post("/api/v1/demo/sign-in", body), 404)


def test_outside_demo_mode_no_customers_are_listed(site: Site, shop: Shop) -> None:
    shop.customer()
    assert_problem(site.caller().get("/api/v1/demo/customers"), 404)
