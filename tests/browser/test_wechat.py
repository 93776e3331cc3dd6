"""The whole way in WeChat: a customer at the stand-in's phone page, an agent at the desk, and then the website."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

pytest.importorskip("cryptography", reason="the WeChat channel's libraries are not installed")
from channels.wechat_sim import Platform, new_aes_key
from crm.customers.models import ChannelIdentity, Customer
from crm.orders.models import Order
from helpdesk.surveys.models import Rating
from tests.browser.people import Agent
from tests.browser.people import Customer as Visitor
from tests.stack import ROOT, Stack
from tests.wechat.account import connect

pytestmark = pytest.mark.skipif(
    not (ROOT / "web" / "wechat.py").exists(), reason="the channel has no callback yet (web/wechat.py)"
)
ACCOUNT = "browser"
CUSTOMER_ID = 2


class Phone:
    """Somebody with the account's chat open in WeChat."""

    def __init__(self, page: Page, base: str) -> None:
        page.goto(base)
        self.page = page

    @property
    def answers(self) -> Locator:
        """What the account said."""
        return self.page.locator('[data-testid="sim-line"]:is([data-how="passive"], [data-how="api"])')

    def named(self, name: str) -> None:
        """The first user, who follows the account and is greeted."""
        self.page.get_by_test_id("sim-name").fill(name)
        self.page.get_by_test_id("sim-name-ok").click()
        self.page.get_by_test_id("sim-follow").click()
        expect(self.answers.first).to_be_visible()

    def writes(self, text: str) -> None:
        """Without waiting."""
        self.page.get_by_test_id("sim-text").fill(text)
        self.page.get_by_test_id("sim-send").click()

    def sends_a_picture(self) -> None:
        """From the phone's album."""
        made = io.BytesIO()
        Image.new("RGB", (60, 40), "teal").save(made, "PNG")
        file = {"name": "a.png", "mimeType": "image/png", "buffer": made.getvalue()}
        self.page.get_by_test_id("sim-image").set_input_files(file)

    def says(self, text: str) -> Locator:
        """Writes and waits for an answer: the newest one."""
        before = self.answers.count()
        self.writes(text)
        expect(self.answers.nth(before)).to_be_visible()
        return self.answers.last


@pytest.fixture
def platform(demo: Stack, records: Engine) -> Iterator[Platform]:
    """WeChat, with the demo shop's account and its menu."""

    def bound(openid: str) -> str:
        with Session(records) as session:
            identity = ChannelIdentity.external_id == openid
            return session.scalar(select(Customer.name).join(ChannelIdentity.customer).where(identity)) or ""

    where = f"http://127.0.0.1:{demo.port('web')}/channels/wechat/{ACCOUNT}"
    with Platform(where, "wxbrowser00000000", "browsertoken", new_aes_key(), bound=bound) as made:
        connect(demo, made, ACCOUNT)
        command = [sys.executable, "-m", "cli.main", "channel", "menu", ACCOUNT]
        subprocess.run(command, cwd=ROOT, env=demo.environment, check=True)
        yield made


def test_a_customer_is_served_in_wechat_and_known_on_the_website(
    page: Callable[..., Page], platform: Platform, records: Engine, picture: Callable[[Page, str], None]
) -> None:
    with Session(records) as session:
        order = session.scalars(select(Order).where(Order.customer_id == CUSTOMER_ID).order_by(Order.id.desc())).first()
        assert order is not None
        number, name, last4 = order.number, order.customer.name, order.customer.phone[-4:]
    phone = Phone(page("/help"), platform.base)
    agent = Agent(page("/desk", 1366, 768))
    agent.signs_in("xiaozhou", "busy")

    # Who it is, by an order and the phone behind it; from then on WeChat and the record belong together.
    phone.named("老友")
    expect(phone.page.get_by_test_id("sim-bound")).to_have_text("未绑定")
    expect(phone.says("查一下我的订单")).to_contain_text("订单号")
    expect(phone.says(number)).to_contain_text("后四位")
    expect(phone.says(last4)).to_contain_text(number[-4:])
    expect(phone.page.get_by_test_id("sim-bound")).to_have_text(f"已绑定：{name}")
    picture(phone.page, "wechat-1-order")

    # Buttons are numbered lines; a full-width number chooses as well.
    expect(phone.says("取消订单")).to_contain_text("回复 1 查我的订单")
    expect(phone.says("１")).to_contain_text(number[-4:])
    picture(phone.page, "wechat-2-menu")

    # A complaint goes to a person; the place in the queue and the agent's words reach WeChat.
    angry = phone.says("你们太过分了！骗子！垃圾服务，我要投诉，再不处理我就打12315曝光你们！！！")
    expect(angry).to_contain_text("排上队")
    expect(agent.page.get_by_test_id("queue-item").first).to_contain_text(name)
    agent.goes("online")
    agent.opens_the_new_one()
    agent.writes("您好，我是小周，刚才的情况我都看到了，非常抱歉。")
    expect(phone.answers.last).to_contain_text("我是小周")
    expect(phone.answers.last).to_contain_text("客服消息")
    phone.writes("那你说怎么办吧")
    expect(agent.lines.last).to_contain_text("那你说怎么办吧")
    phone.sends_a_picture()
    expect(agent.lines.last.locator("img")).to_be_visible()
    agent.writes("我马上给您加急处理，今天内给您答复。")
    expect(phone.answers.last).to_contain_text("今天内给您答复")
    picture(phone.page, "wechat-3-agent")
    picture(agent.page, "wechat-4-desk")

    agent.finishes()
    expect(phone.answers.last).to_contain_text("1–5 分")
    expect(phone.says("５")).to_contain_text("谢谢")
    with Session(records) as session:
        rating = session.scalars(select(Rating).order_by(Rating.id.desc())).first()
        assert rating is not None
        assert (rating.score, rating.of) == (5, "agent")
    agent.goes("busy")

    # The same customer on the website.
    visitor = Visitor(page("/"))
    visitor.signs_in_as(CUSTOMER_ID)
    expect(visitor.lines.first).to_contain_text(name)
    assert platform.sends_refused == 0
