"""The agents' desk in a real browser: a day by keyboard alone, two agents and one talk, and a network that comes back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.orders.models import Order
from helpdesk.conversations.models import Conversation
from helpdesk.staff.models import Agent as AgentRecord
from helpdesk.tickets.models import Ticket
from tests.browser.people import Agent
from tests.stack import Stack, stack
from tests.web.brain import StandInBrain
from tests.web.people import PASSWORD, Site, Visitor


@pytest.fixture(scope="module")
def _site() -> Iterator[Site]:
    with stack(ZHIKE_PRESENCE_TIMEOUT_SECONDS="600", ZHIKE_PICK_UP_SECONDS="600") as made:
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
    """The site; afterwards nobody is there and nobody waits."""
    yield _site
    _site.nobody_waits()
    _site.change(AgentRecord, presence="offline")


def at_the_desk(site: Site, page: Page, state: str = "online", **given: object) -> Agent:
    """An agent who has signed in, by keyboard, with eight places."""
    record = site.agent_record(presence="offline", **{"capacity": 8, **given})
    agent = Agent(page)
    agent.signs_in(record.name, state, PASSWORD)
    page.bring_to_front()
    return agent


def waiting(site: Site, *said: str, **given: object) -> Visitor:
    """A known customer who has said something and asks for a person."""
    visitor = site.visitor(site.shop.customer(**given))
    for text in said:
        visitor.said(text)
    return visitor.asks_for_a_person()


def test_a_day_at_the_desk_by_keyboard_alone(site, page, picture):
    """Take, read, answer with a canned reply, note, look an order up, tag by finishing – without a mouse."""
    customer = site.shop.customer(name="王丽华", level="gold")
    order = site.shop.order(customer)
    visitor = site.visitor(customer).asks_for_a_person()
    desk = at_the_desk(site, page("/desk", 1366, 768))
    keys = desk.page.keyboard
    expect(desk.page.locator('[data-testid="talk-item"][data-kind="new"]')).to_have_count(1)
    with desk.page.expect_response("**/accept"):
        keys.press("Alt+a")
    expect(desk.page.get_by_test_id("handover")).to_be_visible()
    with Session(site.engine) as session:
        assert session.get_one(Conversation, visitor.id).picked_up_at is not None

    keys.type("您好，我来帮您看订单。")
    keys.press("Enter")
    visitor.wait_for(lambda t: any(m["text"] == "您好，我来帮您看订单。" for m in t["messages"]))

    keys.press("Alt+n")
    keys.type("老客户，多照顾")
    keys.press("Enter")
    expect(desk.lines.last).to_contain_text("多照顾")
    assert "多照顾" not in "".join(visitor.texts())
    keys.press("Alt+n")

    keys.press("Alt+o")
    expect(desk.page.get_by_test_id("order-detail")).to_contain_text(order.number)
    keys.press("Escape")
    expect(desk.page.get_by_test_id("order-detail")).to_be_hidden()

    keys.press("Alt+e")
    expect(desk.page.get_by_test_id("close-dialog")).to_be_visible()
    picture(desk.page, "desk-3-finish")
    expect(desk.page.locator(":focus[name=reason]")).to_have_count(1)
    keys.press("Space")
    keys.press("Enter")
    visitor.wait_for(lambda t: t["state"] == "closed")


def test_eight_talks_fit_on_a_laptop_and_the_one_that_waits_longest_stands_first(site, page, picture):
    desk = at_the_desk(site, page("/desk", 1366, 768))
    visitors = [waiting(site, level="gold" if n % 3 else "platinum") for n in range(8)]
    items = desk.page.get_by_test_id("talk-item")
    expect(items).to_have_count(8)
    for n in range(8):
        items.nth(n).click()
    seq = visitors[3].said("人呢？我等了半天了")
    first = desk.page.locator(f'[data-testid="talk-item"][data-id="{visitors[3].id}"]')
    expect(first).to_contain_text("人呢")
    desk.page.mouse.move(700, 300)  # the list stands still under the pointer
    expect(items.first).to_have_attribute("data-id", visitors[0].id)
    picture(desk.page, "desk-4-eight")
    box = items.nth(7).bounding_box()
    assert box is not None and box["y"] + box["height"] <= 768
    assert seq > 0


def test_two_agents_one_talk_and_the_slower_one_is_told_who_has_it(site, page):
    visitor = waiting(site)
    fast = at_the_desk(site, page("/desk", 1366, 768), "busy")
    slow = at_the_desk(site, page("/desk", 1366, 768), "busy")
    for desk in (fast, slow):
        expect(desk.page.locator(f'[data-testid="queue-item"][data-id="{visitor.id}"]')).to_be_visible()
    buttons = [desk.page.get_by_test_id("accept").first.element_handle() for desk in (fast, slow)]
    for button in buttons:
        button.dispatch_event("click")  # the slower one's as it was before she heard of the other
    told = visitor.wait_for(lambda t: t["state"] == "with_agent")
    owners = [
        desk for desk in (fast, slow) if desk.page.locator(f'[data-testid="talk-item"][data-id="{visitor.id}"]').count()
    ]
    expect(fast.page.get_by_test_id("queue-item")).to_have_count(0)
    expect(slow.page.get_by_test_id("queue-item")).to_have_count(0)
    assert len(owners) <= 1
    assert told["agent"]["name"]


def test_after_a_broken_network_the_desk_has_every_line_once_and_sends_what_was_written(site, page):
    visitor = waiting(site)
    desk = at_the_desk(site, page("/desk", 1366, 768))
    desk.opens_the_new_one()
    desk.writes("您好")
    desk.page.context.set_offline(True)
    for n in range(3):
        visitor.said(f"断网时说的第{n}句")
    desk.page.get_by_test_id("composer").locator("textarea").or_(
        desk.page.locator('textarea[data-testid="composer"]')
    ).fill("断网时写的回复")
    desk.page.get_by_test_id("send").click()
    desk.page.context.set_offline(False)
    visitor.wait_for(lambda t: any(m["text"] == "断网时写的回复" for m in t["messages"]))
    for n in range(3):
        expect(desk.lines.filter(has_text=f"断网时说的第{n}句")).to_have_count(1)
    expect(desk.lines.filter(has_text="断网时写的回复")).to_have_count(1)
    assert [m["text"] for m in visitor.lines()].count("断网时写的回复") == 1


def test_two_tabs_of_one_agent_agree(site, page):
    visitor = waiting(site)
    desk = at_the_desk(site, page("/desk", 1366, 768))
    desk.opens_the_new_one()
    other = desk.page.context.new_page()
    other.goto(desk.page.url)
    Agent(other).signs_in(desk.name, "online", PASSWORD)
    other.locator(f'[data-testid="talk-item"][data-id="{visitor.id}"]').click()
    desk.writes("第一个标签页说的")
    expect(other.get_by_test_id("message").filter(has_text="第一个标签页说的")).to_have_count(1)
    visitor.said("收到")
    for tab in (desk.page, other):
        expect(tab.get_by_test_id("message").filter(has_text="收到")).to_have_count(1)


def test_an_order_is_called_off_and_a_ticket_opened_without_leaving_the_talk(site, page, picture):
    customer = site.shop.customer(name="赵敏")
    order = site.shop.order(customer)
    visitor = site.visitor(customer).asks_for_a_person()
    desk = at_the_desk(site, page("/desk", 1366, 768))
    desk.opens_the_new_one()
    desk.page.locator(f'[data-testid="customer-order"][data-number="{order.number}"]').click()
    desk.page.get_by_test_id("order-cancel").click()
    picture(desk.page, "desk-5-order")
    form = desk.page.get_by_test_id("cancel-form")
    reason = form.get_by_test_id("cancel-reason")
    reason.select_option(index=1)
    desk.page.get_by_test_id("cancel-confirm").click()
    visitor.wait_for(lambda t: any(f"已为您取消尾号 {order.number[-4:]}" in m["text"] for m in t["messages"]))
    with Session(site.engine) as session:
        assert session.scalar(select(Order.status).where(Order.number == order.number)) == "cancelled"
    desk.page.keyboard.press("Escape")
    desk.page.get_by_test_id("open-ticket").click()
    expect(desk.page.get_by_test_id("ticket-dialog")).to_be_visible()
    desk.page.get_by_test_id("ticket-kind").click()
    desk.page.get_by_role("option", name="支付核查").click()
    subject = desk.page.get_by_test_id("ticket-subject")
    (subject.locator("input").first if subject.locator("input").count() else subject).fill("核查退款到账")
    desk.page.get_by_test_id("ticket-confirm").click()
    visitor.wait_for(lambda t: any(re.search(r"GD\d{10}", m["text"]) for m in t["messages"]))
    with Session(site.engine) as session:
        assert session.scalar(select(Ticket.subject).where(Ticket.conversation_id == visitor.id)) == "核查退款到账"


def test_a_talk_that_was_not_picked_up_is_gone_and_the_agent_sees_why(site, page, picture):
    desk = at_the_desk(site, page("/desk", 1366, 768))
    waiting(site)
    expect(desk.page.get_by_test_id("new-badge")).to_be_visible()
    expect(desk.page.get_by_test_id("pick-up-clock")).to_be_visible()
    site.change(AgentRecord, AgentRecord.presence == "online", presence="away", away_because="no_answer")
    desk.page.reload()
    expect(desk.page.get_by_test_id("away-banner")).to_be_visible()
    picture(desk.page, "desk-6-away")
    desk.page.get_by_test_id("back-online").click()
    expect(desk.page.get_by_test_id("away-banner")).to_be_hidden()
