"""A customer waits for a person, on a phone: what is told, what can be done instead, and what a bad network does to it.

The web process alone, with a stand-in for the brain; agents are programs that use the same API as the desk.
"""

import re
from collections.abc import Iterator
from datetime import time, timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, settings
from helpdesk.routing.models import OpeningHours, SpecialDay
from helpdesk.staff.models import Agent
from helpdesk.surveys.models import Rating
from helpdesk.tickets.models import Ticket
from knowledge_base.models import Article
from tests.browser.people import Customer
from tests.stack import Stack, stack
from tests.web.brain import StandInBrain
from tests.web.people import Site, Staff, Visitor

PHONE = "13912345678"
RECONNECT_MS = 15_000  # the page looks every five seconds whether the server is back


@pytest.fixture(scope="module")
def _site() -> Iterator[Site]:
    with stack(ZHIKE_DISTRIBUTION="automatic", ZHIKE_PRESENCE_TIMEOUT_SECONDS="600") as made:
        brain = StandInBrain(made.port("brain"))
        made.start("web")
        yield Site(made, brain)
        brain.stop()


@pytest.fixture(scope="module")
def demo(_site: Site) -> Stack:
    """Where the pages are."""
    return _site.stack


@pytest.fixture
def site(_site: Site) -> Iterator[Site]:
    """The site with nobody at work and nobody waiting, open round the clock."""
    yield _site
    _site.nobody_waits()
    _site.change(Agent, presence="offline")
    _site.clear(OpeningHours)
    _site.clear(SpecialDay)


def talk_id(page: Page) -> str:
    """The talk a page shows."""
    return str(page.evaluate("JSON.parse(localStorage.getItem('zhike:talk:guest')).id"))


def asks(page: Page) -> None:
    """For a person, by the menu beside the composer."""
    page.get_by_test_id("plus-menu").click()
    page.get_by_test_id("handoff").click()


def asks_for_a_person(page: Page) -> Locator:
    """When nobody is free; gives the strip that says how long it takes."""
    Customer(page)
    asks(page)
    banner = page.get_by_test_id("queue-banner")
    expect(banner).to_be_visible()
    return banner


def busy_agent(site: Site) -> tuple[Staff, Visitor]:
    """An agent whose only place is taken, and by whom."""
    agent = site.agent(capacity=1, presence="busy")
    served = site.visitor().asks_for_a_person()
    agent.takes(served)
    agent.put("/presence", {"state": "online"}).raise_for_status()
    return agent, served


def serves(agent: Staff, page: Page) -> str:
    """Waits until the system has given the page's talk to the agent, who turns to it; the talk's address."""
    expect(page.get_by_test_id("agent-name")).to_have_text(agent.display_name)
    talk = f"/conversations/{talk_id(page)}"
    agent.post(f"{talk}/accept").raise_for_status()
    return talk


def own_lines(page: Page) -> Locator:
    """The customer's lines the server has taken."""
    return page.locator('[data-sender="customer"][data-seq]')


def tickets(site: Site, page: Page) -> list[Ticket]:
    """What has been asked for in the page's talk."""
    with Session(site.engine) as session:
        return list(session.scalars(select(Ticket).where(Ticket.conversation_id == talk_id(page))))


def test_who_waits_sees_the_place_and_the_wait_change_and_is_served_in_the_end(site, page, picture):
    agent, served = busy_agent(site)
    earlier = site.visitor().asks_for_a_person()
    customer = page("/")
    banner = asks_for_a_person(customer)
    place, rest = banner.get_by_test_id("queue-place"), banner.get_by_test_id("queue-rest")
    expect(place).to_have_text("您排在第 2 位")
    expect(rest).to_have_text("预计约 8 分钟")
    expect(place).to_have_attribute("role", "status")  # read aloud when it changes; the wait beside it is not
    expect(rest).not_to_have_attribute("role", "status")
    picture(customer, "waiting-1-second")

    earlier.post("/leave-queue").raise_for_status()
    expect(place).to_have_text("您排在第 1 位")
    expect(rest).to_have_text("预计约 3 分钟")

    served.post("/close").raise_for_status()
    expect(banner).to_be_hidden()
    expect(customer.get_by_test_id("agent-name")).to_have_text(agent.display_name)
    expect(customer.get_by_text(f"客服{agent.display_name}为您服务")).to_have_count(1)
    picture(customer, "waiting-2-served")


def test_who_would_rather_not_wait_leaves_the_queue(site, page):
    customer = page("/")
    banner = asks_for_a_person(customer)
    banner.get_by_test_id("leave-queue").click()
    customer.get_by_test_id("confirm-yes").click()
    expect(banner).to_be_hidden()
    expect(Customer(customer).lines.last).to_contain_text("取消排队")


def test_nobody_there_is_said_as_it_is(site, page, picture):
    banner = asks_for_a_person(page("/"))
    expect(banner.get_by_test_id("queue-place")).to_have_text("同事们暂时都不在线")
    expect(banner).not_to_contain_text("分钟")
    picture(banner.page, "waiting-3-nobody")


def test_out_of_hours_the_customer_is_told_when_people_are_back(site, page, picture):
    tomorrow = clock.now().astimezone(settings.load().zone).date() + timedelta(days=1)
    for kind in ("workday", "weekend", "holiday"):
        site.shop.add(OpeningHours(kind=kind, opens=None, closes=None))
    site.shop.add(SpecialDay(day=tomorrow, opens=time(9), closes=time(18), note=""))
    banner = asks_for_a_person(page("/"))
    told = re.compile("^现在是休息时间，(明天|今天) 09:00 上班$")  # today: midnight has just passed
    expect(banner.get_by_test_id("queue-place")).to_have_text(told)
    expect(banner).not_to_contain_text("分钟")
    picture(banner.page, "waiting-4-closed")


def test_a_customer_leaves_a_message_instead_by_keyboard_alone(site, page, picture):
    customer = page("/", 1280, 800)
    banner = asks_for_a_person(customer)
    banner.get_by_test_id("leave-message").press("Enter")
    text = customer.get_by_test_id("field-text")
    expect(text).to_be_focused()
    customer.keyboard.type("空调外机一直滴水")
    customer.keyboard.press("Escape")
    expect(text).to_be_hidden()
    expect(banner.get_by_test_id("leave-message")).to_be_focused()
    banner.get_by_test_id("leave-message").press("Enter")
    expect(text).to_have_value("空调外机一直滴水")  # closed is not thrown away
    picture(customer, "waiting-5-message")
    customer.get_by_test_id("field-phone").focus()
    customer.keyboard.press("Enter")

    done = customer.get_by_test_id("follow-up-done")
    expect(done.get_by_role("button")).to_be_focused()
    [ticket] = tickets(site, customer)
    expect(done).to_contain_text(ticket.number)
    picture(customer, "waiting-6-message-taken")
    customer.keyboard.press("Enter")
    expect(done).to_be_hidden()
    expect(banner).to_be_hidden()
    expect(customer.get_by_text(f"您的留言已收到（单号 {ticket.number}）")).to_have_count(1)


def test_a_wrong_phone_number_is_told_beside_the_field_and_the_right_one_is_called_back(site, chromium, picture):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, timezone_id="Asia/Shanghai")
    customer = context.new_page()
    customer.goto(site.url)
    asks_for_a_person(customer).get_by_test_id("call-back").tap()
    phone, send = customer.get_by_test_id("field-phone"), customer.get_by_test_id("follow-up-send")
    expect(phone).to_have_attribute("inputmode", "tel")
    customer.get_by_test_id("when-evening").check()
    customer.get_by_test_id("field-about").fill("退款的事")
    send.tap()
    expect(customer.get_by_test_id("phone-error")).to_have_text("请填一个能打通的电话号码。")
    phone.fill("1391234")
    send.tap()
    expect(customer.get_by_test_id("phone-error")).to_contain_text("请填 11 位手机号")
    expect(phone).to_be_focused()
    expect(customer.get_by_test_id("field-about")).to_have_value("退款的事")
    picture(customer, "waiting-7-wrong-phone")

    # Tapped twice, with the answer held back: one wish, one ticket.
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    customer.route("**/call-back", hold)
    phone.fill(PHONE)
    with customer.expect_request("**/call-back"):
        send.tap()
    expect(send).to_have_text("正在提交…")
    send.tap(force=True)  # it says that it is disabled, but a thumb does not listen
    phone.press("Enter")
    customer.keyboard.press("Escape")
    customer.get_by_test_id("call-back").tap()
    send.tap(force=True)
    held[0].continue_()
    expect(send).to_be_hidden()
    expect(Customer(customer).lines.last).to_contain_text("139****5678")
    picture(customer, "waiting-8-called-back")
    [ticket] = tickets(site, customer)
    assert PHONE in ticket.detail
    assert len(held) == 1
    context.close()


def test_what_was_written_is_kept_when_the_network_fails_and_taken_when_it_is_back(site, page):
    customer = page("/")
    banner = asks_for_a_person(customer)
    banner.get_by_test_id("leave-message").click()
    customer.get_by_test_id("field-text").fill("洗衣机不转了")
    customer.route("**/leave-message", lambda route: route.abort())
    customer.get_by_test_id("follow-up-send").click()
    expect(customer.get_by_test_id("message-form")).to_contain_text("没有收到回应")
    customer.unroute("**/leave-message")
    customer.reload()
    banner.get_by_test_id("leave-message").click()
    expect(customer.get_by_test_id("field-text")).to_have_value("洗衣机不转了")
    customer.get_by_test_id("follow-up-send").click()
    expect(customer.get_by_test_id("follow-up-done")).to_be_visible()
    assert len(tickets(site, customer)) == 1


def test_an_agent_who_comes_while_one_is_still_writing_is_announced_in_the_sheet(site, page):
    customer = page("/")
    asks_for_a_person(customer).get_by_test_id("leave-message").click()
    customer.get_by_test_id("field-text").fill("空调外机")
    agent = site.agent()
    expect(customer.get_by_role("dialog").get_by_role("status")).to_contain_text(f"客服{agent.display_name}已经来了")
    expect(customer.get_by_test_id("field-text")).to_have_value("空调外机")


def test_an_agent_who_comes_and_goes_is_told_calmly_and_the_bot_types_to_nobody_meanwhile(site, page):
    agent = site.agent()
    customer = page("/")
    Customer(customer).says("你好")
    typing = customer.locator("#typing")
    with site.brain.holding(talk_id(customer)):
        Customer(customer).writes("我想找人")
        site.brain.wait_until_asked(talk_id(customer), turns=2)
        expect(typing).to_be_visible()
        asks(customer)
        serves(agent, customer)
        expect(typing).to_be_hidden(timeout=1000)  # at once: dots nobody takes away go by themselves after a while
    agent.put("/presence", {"state": "offline"}).raise_for_status()
    expect(customer.get_by_test_id("queue-place")).to_have_text("同事们暂时都不在线")
    expect(Customer(customer).lines.last).to_contain_text("已把您排到最前面")
    expect(customer.get_by_test_id("agent-name")).to_have_count(0)
    expect(typing).to_be_hidden()


def test_an_article_and_a_rating_are_there_while_the_talk_goes_on(site, page, picture):
    washing = {"key": "filter", "question": "滤网多久洗一次", "answer": "滤网每两周洗一次。", "tags": [], "also": []}
    article = site.shop.add(Article(**washing, updated_at=clock.now()))
    agent = site.agent()
    customer = page("/")
    Customer(customer)
    asks(customer)
    talk = serves(agent, customer)
    agent.post(f"{talk}/articles", {"article_id": article.key}).raise_for_status()
    expect(customer.get_by_test_id("article-card")).to_contain_text("滤网每两周洗一次")
    agent.post(f"{talk}/ask-rating").raise_for_status()
    other = customer.context.new_page()
    other.goto(site.url)
    expect(other.get_by_test_id("rating")).to_be_visible()
    customer.bring_to_front()
    customer.get_by_test_id("rating-4").check()
    customer.get_by_test_id("rating-submit").click()
    expect(customer.get_by_test_id("rating-thanks")).to_be_visible()
    expect(other.get_by_test_id("rating-thanks")).to_be_visible()  # nobody is asked twice
    Customer(customer).writes("还有一个问题")
    expect(own_lines(customer)).to_have_count(1)
    assert agent.get(talk).json()["conversation"]["state"] == "with_agent"
    picture(customer, "waiting-9-card-and-rating")
    with Session(site.engine) as session:
        rating = session.scalars(select(Rating).where(Rating.conversation_id == talk_id(customer))).one()
    assert (rating.score, rating.of, rating.agent_id) == (4, "agent", agent.id)


def test_after_a_restart_of_the_server_everything_missed_is_there_once(site, page, picture):
    agent = site.agent()
    customer = page("/")
    Customer(customer)
    asks(customer)
    talk = serves(agent, customer)
    connection = customer.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-state", "live")

    site.stack.kill("web")
    Customer(customer).writes("断线时写的第一句")
    Customer(customer).writes("断线时写的第二句")
    expect(connection).to_contain_text("网络断开，正在重连…", timeout=RECONNECT_MS)
    picture(customer, "waiting-10-offline")
    site.stack.start("web")
    agent.post(f"{talk}/messages", {"text": "断线时客服说的话"}).raise_for_status()
    expect(own_lines(customer)).to_have_count(2, timeout=RECONNECT_MS)
    expect(customer.get_by_text("断线时客服说的话")).to_have_count(1)
    expect(connection).to_have_text("")
    expect(connection).to_have_attribute("data-state", "live", timeout=RECONNECT_MS)
    texts = [line["text"] for line in agent.get(talk).json()["messages"] if line["sender"] == "customer"]
    assert texts == ["断线时写的第一句", "断线时写的第二句"]
    agent.post(f"{talk}/messages", {"text": "现在又通了"}).raise_for_status()
    expect(customer.get_by_text("现在又通了")).to_have_count(1)


def test_a_short_hole_frightens_nobody(site, page):
    customer = page("/")
    Customer(customer)
    customer.clock.install()
    customer.context.set_offline(True)
    customer.clock.run_for(1000)
    expect(customer.get_by_test_id("connection")).to_have_attribute("data-state", "offline")
    expect(customer.get_by_test_id("connection")).to_have_text("")
    customer.clock.run_for(1000)
    expect(customer.get_by_test_id("connection")).to_contain_text("正在重连")
    customer.context.set_offline(False)
    expect(customer.get_by_test_id("connection")).to_have_text("")


def test_two_tabs_of_one_talk_agree_and_keep_their_drafts_apart(site, page):
    first = page("/")
    Customer(first)
    second = first.context.new_page()
    second.goto(site.url)
    Customer(second)
    assert talk_id(first) == talk_id(second)
    first.get_by_test_id("composer").fill("写在第一个窗口")
    second.get_by_test_id("composer").fill("写在第二个窗口")
    first.reload()
    expect(first.get_by_test_id("composer")).to_have_value("写在第一个窗口")
    second.get_by_test_id("send").click()
    for tab in (first, second):
        expect(tab.get_by_text("收到：写在第二个窗口")).to_have_count(1)
        expect(own_lines(tab)).to_have_count(1)
    expect(first.get_by_test_id("composer")).to_have_value("写在第一个窗口")
    first.bring_to_front()
    first.get_by_test_id("send").click()
    for tab in (first, second):
        expect(tab.get_by_text("收到：写在第一个窗口")).to_have_count(1)
        expect(own_lines(tab)).to_have_count(2)
    asks_for_a_person(second)
    expect(first.get_by_test_id("queue-banner")).to_be_visible()
