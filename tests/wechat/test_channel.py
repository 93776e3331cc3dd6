"""The service inside WeChat, over HTTP: the running web process, a stand-in for the platform and one for the brain."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select

from channels.wechat.models import WechatUser
from channels.wechat_sim import Delivery, How, Outcome, Platform, User, new_aes_key
from channels.wechat_sim.crypto import Cipherer, signature
from channels.wechat_sim.ledger import Action
from channels.wechat_sim.messages import render
from core import clock, db
from crm.customers.models import ChannelIdentity
from helpdesk.conversations.models import Conversation, Message
from helpdesk.outbox.models import Delivery as Part
from helpdesk.staff.models import AuditEntry
from knowledge_base.models import Article
from tests.stack import ROOT, stack
from tests.web.brain import StandInBrain
from tests.web.people import Site, Staff

APP_ID, TOKEN = "wx1234567890abcdef", "channeltoken"
HELD_SECONDS = 3  # so long a call waits for its answer
TOO_LATE = threading.Event()  # set: the brain answers what it is slow at, now that nobody waits any more
_users = iter(range(1, 10_000))


class Brain(StandInBrain):
    """Says what the test has laid down for a text, else ``收到：…``; texts with 慢 only once it is too late."""

    def __init__(self, port: int) -> None:
        self.script: dict[str, dict[str, Any]] = {}
        self.texts: list[str] = []
        super().__init__(port)

    def _answer(self, turn: dict[str, Any]) -> dict[str, Any]:
        self.texts.append(turn["text"])
        if "慢" in turn["text"]:
            TOO_LATE.wait(60)
        told = super()._answer(turn)
        if turn["text"] in self.script:
            told["answers"] = [self.script[turn["text"]]]
        return told


class World(Site):
    """A site with official accounts."""

    brain: Brain

    def connect(self, name: str, platform: Platform) -> None:
        """As an administrator does."""
        known = platform.account
        command = [sys.executable, "-m", "cli.main", "channel", "add", "wechat", name, "--app-id", known.app_id]
        command += ["--token", known.token, "--mode", known.mode, "--api-base", platform.base]
        command += ["--aes-key", known.aes_key] if known.aes_key else []
        done = subprocess.run(
            command,
            check=False,
            cwd=ROOT,
            env=self.stack.environment,
            input=platform.secret,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr

    def talk_of(self, user: User) -> Conversation:
        """The user's newest talk."""
        with self.shop.session() as session:
            return session.scalars(
                select(Conversation)
                .where(Conversation.visitor_id.like(f"%:{user.openid}"))
                .order_by(Conversation.started_at.desc())
            ).one()

    def lines(self, user: User, sender: str = "customer") -> list[str]:
        """The texts of a side in the user's talk."""
        with self.shop.session() as session:
            query = select(Message.text).where(Message.conversation_id == self.talk_of(user).id)
            return list(session.scalars(query.where(Message.sender == sender).order_by(Message.seq)))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    limits = {
        "ZHIKE_WECHAT_PASSIVE_SECONDS": str(HELD_SECONDS),
        "ZHIKE_WECHAT_WAITING": "8",
        "ZHIKE_DISTRIBUTION": "by_hand",
    }
    with stack(**limits) as made:
        brain = Brain(made.port("brain"))
        made.start("web")
        site = World(made, brain)
        yield site
        site.engine.dispose()
        brain.stop()


@pytest.fixture(scope="module", params=["safe"])
def platform(world: World) -> Iterator[Platform]:
    """One account in safe mode."""
    yield from connected(world, "shop", "safe")


def connected(world: World, name: str, mode: str) -> Iterator[Platform]:
    """An account of the platform's that the site knows."""
    key = new_aes_key() if mode != "plain" else ""
    address = f"{world.url}/channels/wechat/{name}"
    with Platform(address, APP_ID, TOKEN, key, mode, redeliver_seconds=15) as made:
        world.connect(name, made)
        yield made


@pytest.fixture
def user(platform: Platform) -> User:
    """Somebody new."""
    return platform.user(f"oUser{next(_users):023d}")


@contextmanager
def too_late(*deliveries: Delivery) -> Iterator[None]:
    """Once nobody waits for them any more, the brain answers what it is slow at."""
    for delivery in deliveries:
        delivery.wait()
    TOO_LATE.set()
    try:
        yield
    finally:
        TOO_LATE.clear()


def says(user: User, text: str, answer: str | None = None) -> Delivery:
    """The user writes and sees the answer; that to a text with 慢 after the call was over."""
    delivery = user.sends(text)
    if "慢" in text:
        with too_late(delivery):
            user.wait_for(lambda u: any((answer or f"收到：{text}") in t for t in u.texts))
        return delivery.wait()
    user.wait_for(lambda u: any((answer or f"收到：{text}") in t for t in u.texts))
    return delivery.wait()


# The door


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_a_message_goes_there_and_back_in_every_mode(world: World, mode: str) -> None:
    for platform in connected(world, f"m-{mode}", mode):
        assert platform.verify()
        user = platform.user("oModes0000000000000000000001")
        told = says(user, "运费多少钱？<&>]]")
        assert told.outcome is Outcome.PASSIVE
        assert [(line.how, line.text) for line in user.received] == [(How.PASSIVE, "收到：运费多少钱？<&>]]")]


def call(platform: Platform, world: World, body: str | bytes | None = None, **changed: Any) -> httpx.Response:
    """A callback as the platform makes it, with something changed."""
    account = platform.account
    fields = {
        "ToUserName": account.name,
        "FromUserName": "oDoor00000000000000000000001",
        "CreateTime": int(time.time()),
        "MsgType": "text",
        "Content": "谁也不能看见的话",
        "MsgId": 1_000_001,
    }
    xml = body if isinstance(body, str) else render(fields)
    sealed = Cipherer(changed.get("app_id", account.app_id), account.aes_key).encrypt(xml)
    stamp, nonce = str(changed.get("timestamp", int(time.time()))), "nonce"
    query = {
        "timestamp": stamp,
        "nonce": nonce,
        "signature": signature(account.token, stamp, nonce),
        "msg_signature": signature(account.token, stamp, nonce, sealed),
        "encrypt_type": "aes",
        **{name: value for name, value in changed.items() if name in {"signature", "msg_signature", "encrypt_type"}},
    }
    content = body if isinstance(body, bytes) else f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
    return httpx.post(f"{account.callback_url}?{urlencode(query)}", content=content, timeout=20, trust_env=False)


def test_what_is_not_the_platforms_is_refused_and_logged_without_content(world: World, platform: Platform) -> None:
    begin = len(world.stack.log("web"))
    bomb = '<!DOCTYPE x [<!ENTITY a "谁也不能看见的话">]><xml><MsgType>&a;</MsgType></xml>'
    now = int(time.time())
    for status, changed in (
        (403, {"signature": "0" * 40}),
        (403, {"msg_signature": "0" * 40}),
        (403, {"timestamp": now - 601}),
        (403, {"timestamp": now + 700}),
        (403, {"timestamp": "soon"}),
        (403, {"app_id": "wxsomebodyelse00"}),
        (403, {"encrypt_type": "raw"}),
        (400, {"body": bomb.encode()}),
        (400, {"body": bomb}),
        (400, {"body": bomb.encode("utf-16")}),
        (400, {"body": b"<xml><a></xml>"}),
        (400, {"body": b"\xff\xfe\x00"}),
        (400, {"body": b""}),
        (413, {"body": b"<xml>" + b" " * (1024 * 1024 + 1) + b"</xml>"}),
    ):
        told = call(platform, world, **changed)
        assert told.status_code == status, (changed, told.text)
        assert told.headers["Content-Type"] == "application/problem+json"
    written = world.stack.log("web")[begin:]
    assert "谁也不能看见的话" not in written
    assert "Traceback" not in written
    assert "signature" in written
    assert httpx.post(platform.account.callback_url + "-nobody", content=b"", trust_env=False).status_code == 404
    assert call(platform, world).status_code == 200


# Five seconds


def test_an_answer_that_is_ready_in_time_comes_in_the_same_call(user: User, platform: Platform) -> None:
    before = platform.calls.get("message/custom/send", 0)
    assert says(user, "怎么退货").outcome is Outcome.PASSIVE
    assert platform.calls.get("message/custom/send", 0) == before
    assert user.sends_left == 5


def test_a_late_answer_comes_by_the_api_once(world: World, user: User) -> None:
    assert says(user, "慢一点的问题").outcome is Outcome.EMPTY
    assert says(user, "快的问题").outcome is Outcome.PASSIVE
    assert [(line.how, line.text) for line in user.received] == [
        (How.API, "收到：慢一点的问题"),
        (How.PASSIVE, "收到：快的问题"),
    ]


def test_three_deliveries_of_a_message_make_one_turn_and_one_answer(
    world: World, platform: Platform, user: User
) -> None:
    at_once = 3
    user.ledger.did(Action.MESSAGE, platform.clock())
    xml = {"MsgId": 7_700_001, "Content": "慢慢说三遍", "MsgType": "text", "CreateTime": int(time.time())}
    body = render({"ToUserName": platform.account.name, "FromUserName": user.openid, **xml})
    with ThreadPoolExecutor(at_once) as pool:
        told = [r.text for r in pool.map(lambda _: call(platform, world, body), range(at_once))]
    assert told == ["success"] * 3
    with too_late():
        user.wait_for(lambda u: u.texts)
    assert world.lines(user) == ["慢慢说三遍"]
    assert world.brain.texts.count("慢慢说三遍") == 1
    assert says(user, "完了吗").outcome is Outcome.PASSIVE
    assert user.texts == ["收到：慢慢说三遍", "收到：完了吗"]


def test_an_answer_the_platform_did_not_hear_is_given_again(world: World, platform: Platform, user: User) -> None:
    xml = {"MsgId": 7_700_002, "Content": "你们几点上班", "MsgType": "text", "CreateTime": int(time.time())}
    body = render({"ToUserName": platform.account.name, "FromUserName": user.openid, **xml})
    first, second = call(platform, world, body).text, call(platform, world, body).text
    assert "<Encrypt>" in first
    assert "<Encrypt>" in second
    assert world.brain.texts.count("你们几点上班") == 1


def test_calls_beyond_the_bound_are_acknowledged_at_once(world: World, platform: Platform) -> None:
    crowd = [platform.user(f"oCrowd{n:022d}") for n in range(20)]
    deliveries = [each.sends(f"慢 {n}") for n, each in enumerate(crowd)]
    with too_late(*deliveries):
        for n, each in enumerate(crowd):
            each.wait_for(lambda u, n=n: u.texts == [f"收到：慢 {n}"], 60)
    assert {d.wait().tries for d in deliveries} == {1}


# What is sent


def test_buttons_become_a_numbered_menu_and_a_number_its_entry(world: World, user: User) -> None:
    world.brain.script["要哪样"] = {
        "text": "想办哪件？",
        "buttons": [{"title": "查物流", "payload": "/track"}, {"title": "退货", "payload": "/return"}],
    }
    for typed in ("２", "二", "2.", "回复 2", "②", "2、"):
        says(user, "要哪样", "想办哪件？\n\n回复 1 查物流\n回复 2 退货")
        said = len(world.brain.texts)
        says(user, typed, "收到：/return")
        assert world.brain.texts[said:] == ["/return"]
        user.lines.clear()
    says(user, "2", "收到：2")  # the menu is over: the bot has said something else since
    assert world.lines(user).count("退货") == 6


def test_a_long_answer_comes_in_parts_cut_after_sentences(world: World, user: User) -> None:
    sentence = "这是一句很长很长的说明，讲的是怎样退货、换货和开发票。"
    world.brain.script["讲讲规则"] = {"text": sentence * 60}
    user.sends("讲讲规则")
    user.wait_for(lambda u: "".join(u.texts) == sentence * 60)
    assert len(user.texts) > 1
    assert all(len(text.encode()) <= 2048 and text.endswith("。") for text in user.texts)
    assert user.sends_left == 5 - len(user.texts)


def test_a_picture_a_voice_and_a_place_reach_the_bot(world: World, user: User) -> None:
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    user.sends_image(file.getvalue()).wait()
    user.wait_for(lambda u: "收到：发了一张图片" in u.texts)
    user.sends_voice("我的快递到哪了").wait()
    user.wait_for(lambda u: "收到：我的快递到哪了" in u.texts)
    user.sends_voice("").wait()
    user.wait_for(lambda u: any("没能听清" in text for text in u.texts))
    user.sends_location("30.1", "120.1", "西湖边").wait()
    user.wait_for(lambda u: any("西湖边" in text for text in u.texts))
    with world.shop.session() as session:
        kept = session.scalars(
            select(Message).where(Message.conversation_id == world.talk_of(user).id, Message.kind == "image")
        ).one()
    assert httpx.get(world.url + kept.payload["url"], trust_env=False).status_code == 200


def test_following_is_greeted_clicking_speaks_and_leaving_ends_all_sends(world: World, user: User) -> None:
    user.follows().wait()
    user.wait_for(lambda u: any("智能客服" in text for text in u.texts))
    user.clicks("查物流").wait()
    user.wait_for(lambda u: len(u.received) > 2)
    user.views("https://example.com").wait()
    assert user.leaves().wait().outcome is Outcome.EMPTY
    assert world.brain.texts[-1] == "/track_logistics"


# People


@pytest.fixture
def agent(world: World) -> Staff:
    return world.agent()


def served(world: World, user: User, agent: Staff) -> str:
    """The user's talk is the agent's."""
    world.brain.script["转人工"] = {"text": "", "custom": {"handover": "requested"}}
    user.sends("转人工")
    user.wait_for(lambda u: any("转接人工客服" in text for text in u.texts))
    talk = world.talk_of(user).id
    assert agent.post(f"/conversations/{talk}/accept").status_code == 200
    return talk


def test_an_agents_lines_reach_the_customer_until_the_window_is_used_up(world: World, user: User, agent: Staff) -> None:
    talk = served(world, user, agent)
    user.sends("在吗").wait()
    for n in range(1, 6):
        agent.post(f"/conversations/{talk}/messages", {"text": f"第{n}句。"}).raise_for_status()
        user.wait_for(lambda u, n=n: any(f"第{n}句" in text for text in u.texts))
    channel = agent.get(f"/conversations/{talk}/channel").json()
    assert (channel["channel"], channel["account"], channel["held"]) == ("wechat", "shop", [])
    while agent.get(f"/conversations/{talk}/channel").json()["sends_left"]:
        agent.post(f"/conversations/{talk}/messages", {"text": "还有。"}).raise_for_status()
        wait_until(lambda: not waiting_parts(world, talk))
    seq = agent.post(f"/conversations/{talk}/messages", {"text": "这句要等。"}).json()["seq"]
    wait_until(lambda: agent.get(f"/conversations/{talk}/channel").json()["held"])
    held = agent.get(f"/conversations/{talk}/channel").json()["held"]
    assert [each["seq"] for each in held] == [seq]
    assert "客户一来消息就会自动发出" in held[0]["reason"]
    assert not any("这句要等" in text for text in user.texts)
    user.sends("我来了")
    user.wait_for(lambda u: any("这句要等" in text for text in u.texts))
    platform_refused_nothing(user)


def test_an_agents_picture_reaches_the_customer(world: World, user: User, agent: Staff, platform: Platform) -> None:
    talk = served(world, user, agent)
    file = BytesIO()
    Image.new("RGB", (8, 8), "blue").save(file, "PNG")
    sent = {"file": ("a.png", file.getvalue(), "image/png"), "client_message_id": (None, "p1")}
    for _ in range(2):
        told = agent.http.post(f"{agent.prefix}/conversations/{talk}/images", files=sent)
        assert told.status_code == 201, told.text
    user.wait_for(lambda u: any(line.kind == "image" for line in u.received))
    agent.post(f"/conversations/{talk}/messages", {"text": "看这张。"}).raise_for_status()
    user.wait_for(lambda u: "看这张。" in u.texts)
    pictures = [line for line in user.received if line.kind == "image"]
    assert len(pictures) == 1
    assert platform.media(pictures[0].media_id)


def platform_refused_nothing(user: User) -> None:
    """The ledger never let a send out that the platform would refuse."""
    assert user._platform.sends_refused == 0


def waiting_parts(world: World, talk: str) -> int:
    """Parts that have not gone out."""
    with world.shop.session() as session:
        query = select(func.count()).where(Part.conversation_id == talk, Part.state.in_(("waiting", "sending")))
        unplanned = session.scalar(query) or 0
        last = session.get_one(Conversation, talk).last_seq
        planned = session.scalar(select(func.max(Part.seq)).where(Part.conversation_id == talk)) or 0
        return unplanned or last - planned


def wait_until(fits: Any, seconds: float = 20) -> None:
    """Until something holds."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not fits():
        assert time.monotonic() < deadline, "it never came"
        pause.wait(0.05)


def test_an_article_arrives_as_a_card_that_leads_to_the_help_centre(world: World, user: User, agent: Staff) -> None:
    talk = served(world, user, agent)
    words = {"question": "退货的运费谁出？", "answer": "质量问题的运费我们出。", "tags": [], "also": []}
    article = world.shop.add(Article(key="return-who-pays", updated_at=clock.now(), **words))
    user.sends("退货运费谁出").wait()
    agent.post(f"/conversations/{talk}/articles", {"article_id": article.key}).raise_for_status()
    user.wait_for(lambda u: any(line.kind == "news" for line in u.received))
    (card,) = next(line.articles for line in user.received if line.kind == "news")
    assert (card.title, card.description) == (words["question"], words["answer"])
    assert httpx.get(f"{world.url}{urlsplit(card.url).path}", trust_env=False).status_code == 200


def test_when_nothing_is_under_way_any_more_the_desk_need_not_ask_again(
    world: World, platform: Platform, user: User, agent: Staff
) -> None:
    talk = served(world, user, agent)
    channel = lambda: agent.get(f"/conversations/{talk}/channel").json()  # noqa: E731
    wait_until(lambda: not channel()["under_way"])
    platform.fail(-1, 1)
    agent.post(f"/conversations/{talk}/messages", {"text": "这句晚点到。"}).raise_for_status()
    assert channel()["under_way"]
    user.wait_for(lambda u: any("这句晚点到" in text for text in u.texts))
    wait_until(lambda: not channel()["under_way"])
    platform.fail(45015, 1)
    agent.post(f"/conversations/{talk}/messages", {"text": "这句到不了。"}).raise_for_status()
    wait_until(lambda: channel()["held"])
    assert not channel()["under_way"], "it waits for the customer, not for us"


def test_a_call_is_promised_once_with_the_customers_own_number(world: World, user: User, agent: Staff) -> None:
    talk = served(world, user, agent)
    wanted = {"about": "微信里没能送达：明天退款", "client_message_id": "k1"}
    refused = agent.post(f"/conversations/{talk}/call-back", wanted)
    assert (refused.status_code, refused.json()["code"]) == (422, "phone")
    customer = world.shop.customer()
    world.change(Conversation, Conversation.id == talk, customer_id=customer.id, verified_by="phone")
    told = [agent.post(f"/conversations/{talk}/call-back", wanted) for _ in range(2)]
    assert [each.status_code for each in told] == [201, 201]
    assert told[0].json() == told[1].json()
    tasks = [t for t in agent.get("/tasks").json()["tasks"] if t["conversation_id"] == talk]
    assert [(t["phone"], t["detail"]) for t in tasks] == [(customer.phone, wanted["about"])]
    assert customer.phone[3:7] not in "".join(world.lines(user, "system"))
    assert world.agent().post(f"/conversations/{talk}/call-back", wanted).status_code == 409


def test_who_serves_a_customer_reads_the_other_channels_talks_and_nobody_elses(
    world: World, user: User, agent: Staff
) -> None:
    customer = world.shop.customer()
    on_the_site, gift, stranger = (world.visitor(c) for c in (customer, None, world.shop.customer()))
    on_the_site.said("网站上先问的话")
    world.change(Conversation, Conversation.id == gift.id, customer_id=customer.id, verified_by="order")
    talk = served(world, user, agent)
    address = f"/conversations/{talk}/earlier/{on_the_site.id}"
    assert agent.get(address).status_code == 409, "nobody knows yet who it is"
    world.change(Conversation, Conversation.id == talk, customer_id=customer.id, verified_by="phone")
    told = agent.get(address).json()
    assert (told["conversation"]["id"], told["conversation"]["channel"]) == (on_the_site.id, "web")
    assert "网站上先问的话" in [line["text"] for line in told["messages"]]
    for other in (gift, stranger):
        assert agent.get(f"/conversations/{talk}/earlier/{other.id}").status_code == 404
    with world.shop.session() as session:
        seen = session.scalars(select(AuditEntry.about).where(AuditEntry.what == "earlier_talk_seen")).all()
    assert seen == [f"customer:{customer.id} talk:{on_the_site.id}"]


def test_a_talk_of_the_website_has_no_ledger(world: World, agent: Staff) -> None:
    visitor = world.visitor().asks_for_a_person()
    agent.takes(visitor)
    assert agent.get(agent.talk(visitor, "/channel")).json() == {"channel": "web"}


def test_the_customer_rates_with_a_number(world: World, user: User, agent: Staff) -> None:
    talk = served(world, user, agent)
    user.sends("好的").wait()
    agent.post(f"/conversations/{talk}/messages", {"text": "办好了。"}).raise_for_status()
    agent.post(f"/conversations/{talk}/close", {"reason": "solved", "tags": []}).raise_for_status()
    user.wait_for(lambda u: any("请回复 1–5 分" in text for text in u.texts))
    says(user, "五分", "谢谢您的评价")
    with world.shop.session() as session:
        card = session.scalars(select(Message).where(Message.conversation_id == talk, Message.kind == "rating")).one()
    assert card.payload["score"] == 5


def test_who_waits_is_told_a_new_place(world: World, user: User) -> None:
    world.nobody_waits()
    world.visitor().asks_for_a_person()
    world.brain.script["转人工"] = {"text": "", "custom": {"handover": "requested"}}
    says(user, "转人工", "您前面还有 1 位")
    talk = world.talk_of(user)
    world.change(WechatUser, WechatUser.openid == user.openid, place_told_at=clock.now() - timedelta(minutes=2))
    world.change(Conversation, Conversation.state == "queued", Conversation.id != talk.id, state="closed")
    user.wait_for(lambda u: any("您排在第 1 位" in text for text in u.texts))
    assert sum("第 1 位" in text for text in world.lines(user, "system")) == 1


# The token


def test_an_ended_token_is_renewed_once_for_all(world: World, platform: Platform) -> None:
    crowd = [platform.user(f"oToken{n:022d}") for n in range(6)]
    says(crowd[0], "慢 零")
    before, platform_tokens = len(platform.refreshes), platform
    platform_tokens.expire_tokens()
    deliveries = [each.sends(f"慢 又{n}") for n, each in enumerate(crowd)]
    with too_late(*deliveries):
        for n, each in enumerate(crowd):
            each.wait_for(lambda u, n=n: f"收到：慢 又{n}" in u.texts, 60)
    assert len(platform.refreshes) == before + 1


@pytest.mark.parametrize("errcode", [-1, 40001])
def test_a_passing_fault_of_the_platform_loses_nothing(platform: Platform, user: User, errcode: int) -> None:
    platform.fail(errcode)
    says(user, "慢 坏了一下")
    assert user.texts == ["收到：慢 坏了一下"]


def test_without_the_right_to_send_nothing_is_tried_again(world: World, platform: Platform, user: User) -> None:
    before = platform.calls.get("message/custom/send", 0)
    platform.fail(48001)
    with too_late(user.sends("慢 不许发")):
        talk = world.talk_of(user).id
        wait_until(lambda: world.lines(user, "bot") != [] and waiting_parts(world, talk) == 0)
    with world.shop.session() as session:
        assert session.scalars(select(Part.state).where(Part.conversation_id == talk)).all() == ["refused"]
    assert platform.calls["message/custom/send"] == before + 1


# Who it is


def test_a_customer_binds_by_the_link_and_is_known_on_later_talks(world: World, user: User) -> None:
    customer = world.shop.customer(name="周小满", title="女士")
    says(user, "绑定", "请在 10 分钟内打开链接")
    link = next(w for text in user.texts for w in text.split() if "/bind?code=" in w)
    code = link.split("code=")[1]
    page, address = httpx.Client(base_url=world.url, trust_env=False), urlsplit(link).path
    token = world.customer_token(customer)
    assert "先登录商城" in page.get(address, params={"code": code}).text
    assert "周女士" in page.get(address, params={"code": code, "customer_token": token}).text
    assert page.get(address, params={"code": code + "x"}).status_code == 404
    assert page.post(address, data={"code": code, "customer_token": "nobody"}).status_code == 401
    assert "绑定好了" in page.post(address, data={"code": code, "customer_token": token}).text
    assert page.post(address, data={"code": code, "customer_token": token}).status_code == 409
    user.wait_for(lambda u: any("绑定好了，周小满女士" in text for text in u.texts))
    talk = world.talk_of(user)
    assert (talk.customer_id, talk.verified_by) == (customer.id, "signed_in")
    with world.shop.session() as session:
        kept = session.scalars(select(ChannelIdentity).where(ChannelIdentity.customer_id == customer.id)).one()
    assert (kept.channel, kept.external_id) == ("wechat:shop", user.openid)


def test_a_customer_proved_in_the_talk_is_remembered_and_greeted_later(world: World, user: User) -> None:
    customer = world.shop.customer(name="郑小雨", title="先生")
    says(user, "你好，我是老客户")
    old = world.talk_of(user)
    world.change(Conversation, Conversation.id == old.id, customer_id=customer.id, verified_by="phone")
    says(user, "那再问一个")
    with world.shop.session() as session:
        assert session.scalars(
            select(ChannelIdentity.external_id).where(ChannelIdentity.customer_id == customer.id)
        ).all() == [user.openid]
    long_ago = clock.now().replace(year=2025)
    world.change(Conversation, Conversation.id == old.id, state="closed", closed_at=long_ago, visitor_id="old")
    user.sends("又来了")
    user.wait_for(lambda u: any("郑小雨先生" in text for text in u.texts) and any("收到：又来了" in t for t in u.texts))
    talk = world.talk_of(user)
    assert (talk.customer_id, talk.verified_by) == (customer.id, "phone")


def test_the_same_person_on_a_sister_account_is_known(world: World) -> None:
    customer = world.shop.customer()
    for platform in connected(world, "sister-a", "safe"):
        one = platform.user("oSisterA00000000000000000001", unionid="uTogether")
        says(one, "慢 你好")
        world.change(
            Conversation, Conversation.id == world.talk_of(one).id, customer_id=customer.id, verified_by="phone"
        )
        says(one, "在吗在吗")
        for other in connected(world, "sister-b", "safe"):
            two = other.user("oSisterB00000000000000000001", unionid="uTogether")
            says(two, "慢 这边也是我")
            wait_until(lambda two=two: world.talk_of(two).customer_id == customer.id)


def test_nothing_a_customer_said_stands_in_the_log(world: World) -> None:
    written = world.stack.log("web")
    assert "Traceback" not in written, written[written.index("Traceback") - 500 :][:3000]
    with db.reading(world.engine) as session:
        said = [text for text in session.scalars(select(Message.text)) if len(text) > 3]
    assert len(said) > 20
    assert [text for text in said if text in written] == []
