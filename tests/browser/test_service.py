"""The whole way, as its people see it: a customer on a phone, an agent at the desk, one database."""

from playwright.sync_api import expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm.orders.models import Order
from helpdesk.staff.models import Agent as Staff
from helpdesk.surveys.models import Rating
from tests.browser.people import Agent, Customer


def test_a_customer_is_served_from_the_greeting_to_the_rating(page, records, picture):
    customer = Customer(page("/"))
    agent = Agent(page("/desk", 1366, 768))
    agent.signs_in("xiaohe", "busy")

    customer.signs_in_as(1)
    expect(customer.lines.first).to_contain_text("林晓雯")
    picture(customer.page, "phone-1-greeting")

    customer.says("我的快递到哪了")
    expect(customer.page.get_by_test_id("parcel-card").first).to_be_visible()
    picture(customer.page, "phone-2-parcel")

    # A cancellation, interrupted by a question about a rule, confirmed, and seen in the database.
    with Session(records) as session:
        order = session.scalars(select(Order).where(Order.customer_id == 1, Order.status == "paid")).first()
        number = order.number
    expect(customer.says(f"取消订单{number}")).to_contain_text("确认取消吗")
    expect(customer.says("退货的运费谁出？")).to_contain_text("确认取消吗")
    expect(customer.page.get_by_text("运费我们出").first).to_be_visible()
    picture(customer.page, "phone-3-interrupted")
    expect(customer.chooses("确认")).to_contain_text("已取消")
    with Session(records) as session:
        assert session.scalar(select(Order.status).where(Order.number == number)) == "cancelled"

    # Anger with a complaint goes to a person, with the whole talk.
    customer.says("你们太过分了！骗子！垃圾服务，我要投诉，再不处理我就打12315曝光你们！！！")
    expect(customer.page.get_by_test_id("queue-banner")).to_be_visible()
    picture(customer.page, "phone-4-queue")
    expect(agent.page.get_by_test_id("queue-item").first).to_contain_text("林晓雯")
    picture(agent.page, "desk-1-queue")
    agent.goes("online")
    agent.opens_the_new_one()
    expect(agent.lines.first).to_contain_text("林晓雯")
    expect(agent.page.get_by_test_id("handover")).to_contain_text("投诉")
    expect(agent.page.get_by_test_id("customer-panel")).to_contain_text("金卡")
    expect(customer.page.get_by_test_id("agent-name").first).to_contain_text("小何")

    agent.notes("客户情绪激动，先安抚")
    agent.writes("您好，我是小何，刚才的情况我都看到了，非常抱歉。")
    expect(customer.lines.last).to_contain_text("我是小何")
    bot_lines = customer.page.locator('[data-sender="bot"]').count()
    customer.writes("那你说怎么办吧")
    expect(agent.lines.last).to_contain_text("那你说怎么办吧")
    agent.writes("我马上给您加急处理，今天内给您答复。")
    expect(customer.lines.last).to_contain_text("今天内给您答复")
    picture(customer.page, "phone-5-agent")
    picture(agent.page, "desk-2-talk")
    assert customer.page.get_by_text("先安抚").count() == 0
    assert customer.page.locator('[data-sender="bot"]').count() == bot_lines  # silent while a person owns the talk

    agent.finishes()
    expect(customer.page.get_by_test_id("rating")).to_be_visible()
    customer.page.get_by_test_id("rating-5").click()
    customer.page.get_by_test_id("rating-submit").click()
    expect(customer.page.get_by_test_id("rating-thanks")).to_be_visible()
    picture(customer.page, "phone-6-rating")
    with Session(records) as session:
        rating = session.scalars(select(Rating).order_by(Rating.id.desc())).first()
    assert (rating.score, rating.of) == (5, "agent")


def test_a_visitor_proves_who_she_is_with_order_and_phone(page, records, picture):
    with Session(records) as session:
        order = session.scalars(select(Order).where(Order.customer_id == 3)).first()
        number, last4 = order.number, order.customer.phone[-4:]
    customer = Customer(page("/"))
    expect(customer.says("查一下我的订单")).to_contain_text("订单号")
    expect(customer.says(number)).to_contain_text("后四位")
    customer.says(last4)
    expect(customer.page.get_by_test_id("order-card").first).to_contain_text(number[-4:])
    picture(customer.page, "phone-7-verified")


def test_a_reload_in_the_middle_keeps_every_line_once(page):
    customer = Customer(page("/"))
    customer.says("你好")
    before = customer.lines.all_text_contents()
    customer.page.reload()
    expect(customer.lines).to_have_count(len(before))
    assert [t[:20] for t in customer.lines.all_text_contents()] == [t[:20] for t in before]


def test_lines_written_without_a_network_arrive_once_when_it_is_back(page):
    customer = Customer(page("/"))
    customer.page.context.set_offline(True)
    customer.writes("断网时写的第一句")
    customer.writes("断网时写的第二句")
    customer.page.context.set_offline(False)
    expect(customer.page.locator('[data-sender="customer"][data-seq]')).to_have_count(2)
    customer.page.reload()
    expect(customer.page.locator('[data-sender="customer"][data-seq]')).to_have_count(2)
    expect(customer.page.get_by_text("断网时写的第一句")).to_have_count(1)


def test_who_waits_sees_the_place_and_can_leave_the_queue(page, picture, records):
    with Session(records) as session:
        session.execute(update(Staff).values(presence="offline"))
        session.commit()
    customer = Customer(page("/"))
    customer.says("转人工")
    banner = customer.page.get_by_test_id("queue-banner")
    expect(banner).to_be_visible()
    customer.page.get_by_test_id("leave-queue").click()
    customer.page.get_by_test_id("confirm-yes").click()
    expect(banner).to_be_hidden()
    expect(customer.lines.last).to_contain_text("取消排队")


def test_the_desktop_page_and_the_help_centre_look_right(page, picture):
    wide = page("/", 1280, 800)
    expect(wide.get_by_test_id("message").first).to_be_visible()
    picture(wide, "wide-1-chat")
    helped = page("/help?q=退货运费谁出", 1280, 800)
    expect(helped.get_by_text("退货的运费谁出").first).to_be_visible()
    picture(helped, "wide-2-help")


def test_the_widget_opens_the_chat_on_another_page(page, demo):
    made = page("/help", 1280, 800)
    made.add_script_tag(url=f"http://127.0.0.1:{demo.port('web')}/widget.js")
    made.get_by_role("button", name="客服").first.click()
    frame = made.frame_locator("iframe")
    expect(frame.get_by_test_id("message").first).to_be_visible()
