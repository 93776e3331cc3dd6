"""The whole way in WeChat: a customer on the website and at the stand-in's phone page, and an agent at the desk."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

pytest.importorskip("cryptography", reason="the WeChat channel's libraries are not installed")
from channels.wechat import outgoing
from channels.wechat.models import WechatUser
from channels.wechat_sim import Platform, new_aes_key
from core import clock
from crm.customers.models import ChannelIdentity, Customer
from crm.orders.models import Order
from helpdesk.surveys.models import Rating
from helpdesk.tickets.followups import phone_of
from helpdesk.tickets.models import Ticket
from tests.browser.people import Agent
from tests.browser.people import Customer as Visitor
from tests.stack import ROOT, Stack
from tests.wechat.account import connect

pytestmark = pytest.mark.skipif(
    not (ROOT / "web" / "wechat.py").exists(), reason="the channel has no callback yet (web/wechat.py)"
)
ACCOUNT = "browser"
CUSTOMER_ID, OTHER_ID = 2, 4
HELD = "[data-testid=message]:has([data-testid=held])"


def a_picture(color: str, size: tuple[int, int] = (60, 40), name: str = "a.png") -> FilePayload:
    """From an album or a desktop."""
    made = io.BytesIO()
    Image.new("RGB", size, color).save(made, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": made.getvalue()}


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
        self.page.get_by_test_id("sim-image").set_input_files(a_picture("teal"))

    def says(self, text: str) -> Locator:
        """Writes and waits for an answer: the newest one."""
        return self._answered(lambda: self.writes(text))

    def presses(self, name: str) -> Locator:
        """A button of the account's menu; the newest answer."""
        return self._answered(self.page.get_by_test_id("sim-menu").get_by_role("button", name=name).click)

    def _answered(self, deed: Callable[[], None]) -> Locator:
        before = self.answers.count()
        deed()
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


def left(records: Engine, platform: Platform) -> int:
    """What may still be sent to the only user, as it is kept: never more than the platform would take."""
    (user,) = platform.users
    with Session(records) as session:
        kept = session.scalars(select(WechatUser).where(WechatUser.openid == user.openid)).one()
        counted = outgoing.ledger(kept).left(clock.now())
    assert counted <= user.sends_left
    return counted


def order_of(records: Engine, customer_id: int) -> tuple[str, str, str]:
    """The number of the customer's newest order, the name, and the phone."""
    with Session(records) as session:
        newest = select(Order).where(Order.customer_id == customer_id).order_by(Order.id.desc())
        order = session.scalars(newest).first()
        assert order is not None
        return order.number, order.customer.name, order.customer.phone


def test_a_talk_begun_on_the_website_goes_on_in_wechat_as_one_history(
    page: Callable[..., Page], platform: Platform, records: Engine, picture: Callable[[Page, str], None]
) -> None:
    number, name, mobile = order_of(records, CUSTOMER_ID)
    visitor = Visitor(page("/"))
    visitor.signs_in_as(CUSTOMER_ID)
    expect(visitor.lines.first).to_contain_text(name)
    visitor.says("退货的运费谁出？")
    phone = Phone(page("/help"), platform.base)
    agent = Agent(page("/desk", 1366, 768))
    agent.signs_in("xiaozhou", "busy")

    # Who it is, by an order and the phone behind it; from then on WeChat and the record belong together.
    phone.named("老友")
    expect(phone.page.get_by_test_id("sim-bound")).to_have_text("未绑定")
    expect(phone.says("查一下我的订单")).to_contain_text("订单号")
    expect(phone.says(number)).to_contain_text("后四位")
    expect(phone.says(mobile[-4:])).to_contain_text(number[-4:])
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
    expect(agent.page.get_by_test_id("verified")).to_have_text("✓ 已核对订单和手机")

    # What was said on the website stands above.
    expect(agent.page.get_by_test_id("load-earlier")).to_contain_text("网站 · 今天")
    agent.page.get_by_test_id("load-earlier").click()
    elsewhere = agent.page.locator('[data-testid="message"][data-talk]')
    expect(elsewhere.filter(has_text="退货的运费谁出").first).to_be_visible()
    expect(agent.page.get_by_test_id("other-talk").first).to_contain_text("网站 · 今天")
    expect(agent.page.get_by_test_id("other-talk").last).to_have_text("微信 · 现在的会话")
    expect(agent.lines.first).to_contain_text(name)
    shown = agent.lines.all_text_contents()
    said, bound = (next(n for n, text in enumerate(shown) if words in text) for words in ("运费谁出", "查一下我的订单"))
    assert said < bound
    picture(agent.page, "wechat-4-history")

    agent.writes("您好，我是小周，刚才的情况我都看到了，非常抱歉。")
    expect(phone.answers.last).to_contain_text("我是小周")
    expect(phone.answers.last).to_contain_text("客服消息")
    phone.writes("那你说怎么办吧")
    expect(agent.lines.last).to_contain_text("那你说怎么办吧")
    phone.sends_a_picture()
    expect(agent.lines.last.locator("img")).to_be_visible()
    line = agent.page.get_by_test_id("channel-line")
    before = left(records, platform)
    expect(line).to_have_text(re.compile(rf"^微信 · 还可发 {before} 条 · 窗口到 \S+ \d\d:\d\d$"))

    # The agent's picture: looked at once more, sent, and shown there as it is.
    agent.page.get_by_test_id("picture-file").set_input_files(a_picture("orange", (640, 400), "新包装.png"))
    expect(agent.page.get_by_test_id("staged-picture")).to_be_visible()
    picture(agent.page, "wechat-5-picture")
    agent.page.get_by_test_id("send").click()
    expect(phone.answers.last.locator("img")).to_have_js_property("naturalWidth", 640)
    expect(agent.lines.last.locator("img")).to_have_js_property("naturalWidth", 640)
    expect(agent.page.locator("[data-local]")).to_have_count(0)
    expect(line).to_contain_text(f"还可发 {before - 1} 条")
    agent.writes("我马上给您加急处理，今天内给您答复。")
    expect(phone.answers.last).to_contain_text("今天内给您答复")
    expect(line).to_contain_text(f"还可发 {before - 2} 条")
    picture(phone.page, "wechat-3-agent")
    picture(agent.page, "wechat-6-desk")

    agent.finishes()
    expect(phone.answers.last).to_contain_text("1–5 分")
    expect(phone.says("５")).to_contain_text("谢谢")
    with Session(records) as session:
        rating = session.scalars(select(Rating).order_by(Rating.id.desc())).first()
        assert rating is not None
        assert (rating.score, rating.of) == (5, "agent")
    agent.goes("busy")
    assert platform.sends_refused == 0


def test_what_the_platform_does_not_take_waits_for_the_customer_and_the_agent_sees_it(
    page: Callable[..., Page], platform: Platform, records: Engine, picture: Callable[[Page, str], None]
) -> None:
    number, name, mobile = order_of(records, OTHER_ID)
    phone = Phone(page("/help"), platform.base)
    phone.named("新友")
    expect(phone.presses("查物流")).to_contain_text("订单号")
    phone.says(number)
    phone.says(mobile[-4:])
    expect(phone.page.get_by_test_id("sim-bound")).to_have_text(f"已绑定：{name}")
    agent = Agent(page("/desk", 1366, 768))
    agent.signs_in("xiaozhou", "online")
    expect(phone.presses("人工客服")).to_contain_text("人工")
    agent.opens_the_new_one()
    closed, line, held = (agent.page.get_by_test_id("channel-closed"), agent.page.get_by_test_id("channel-line"),
                          agent.page.locator(HELD))  # fmt: skip

    # An article is a card.
    phone.writes("退货的运费谁出？")
    agent.page.get_by_test_id("suggestion-send").first.click()
    card = phone.page.locator('[data-testid="sim-line"][data-kind="news"] .card')
    expect(card).to_contain_text("运费")
    picture(phone.page, "wechat-7-card")

    # The platform says no: the line is marked, with the reason, until it has gone out.
    platform.fail(45015)
    agent.writes("退款三天内原路退回。")
    expect(closed).to_contain_text("48 小时")
    expect(held).to_have_count(1)
    expect(held).to_contain_text("退款三天内原路退回")
    expect(held).to_contain_text("未送达：客户超过 48 小时没有发来消息")
    picture(agent.page, "wechat-8-held")
    phone.writes("我来了")
    expect(phone.answers.last).to_contain_text("退款三天内原路退回")
    expect(held).to_have_count(0)
    expect(closed).to_be_hidden()

    # The sends run out one by one.
    for n in range(left(records, platform) - 1, 0, -1):
        agent.writes(f"还有{n}句。")
        expect(line).to_contain_text(f"还可发 {n} 条")
    expect(line).to_have_class(re.compile("tight"))
    picture(agent.page, "wechat-9-tight")
    agent.writes("最后一句。")
    expect(closed).to_contain_text("已发满 5 条")
    agent.writes("这句要等您来。")
    expect(held).to_have_count(1)

    # Somebody will call instead; the customer's own number stands there already.
    agent.page.get_by_test_id("open-call-back").click()
    dialog = agent.page.get_by_test_id("call-back-dialog")
    about = dialog.get_by_role("textbox", name="电话里要说什么")
    expect(about).to_have_value("微信里没能送达：这句要等您来。")
    expect(about).to_be_focused()
    picture(agent.page, "wechat-10-call-back")
    dialog.get_by_test_id("call-back-confirm").click()
    expect(agent.lines.last).to_contain_text("请留意来电")
    expect(held).to_have_count(2)
    picture(agent.page, "wechat-11-waiting")
    with Session(records) as session:
        task = session.scalars(select(Ticket).where(Ticket.kind == "callback").order_by(Ticket.id.desc())).first()
        assert task is not None
        assert phone_of(task) == mobile
    assert not any("这句要等您来" in text for text in phone.answers.all_text_contents())
    phone.writes("在的")
    expect(phone.answers.last).to_contain_text("这句要等您来")
    expect(held).to_have_count(0)
    expect(line).to_be_visible()
    assert platform.sends_refused == 0
    agent.goes("busy")


def test_a_picture_is_pasted_dropped_looked_at_and_sent_again_when_the_network_was_away(
    page: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    visitor = Visitor(page("/"))
    visitor.says("转人工")
    agent = Agent(page("/desk", 1366, 768))
    agent.signs_in("xiaozhou", "online")
    agent.opens_the_new_one()
    staged = agent.page.get_by_test_id("staged-picture")
    agent.page.get_by_test_id("picture-file").set_input_files(
        [{"name": "大图.png", "mimeType": "image/png", "buffer": b"0" * (5 * 1024 * 1024 + 1)}]
    )
    expect(agent.page.get_by_text("「大图.png」超过 5 MB")).to_be_visible()
    agent.drops_a_picture("paste")
    expect(staged).to_have_count(1)
    agent.drops_a_picture("drop")
    expect(staged).to_have_count(2)
    staged.first.get_by_role("button").click()
    expect(staged).to_have_count(1)

    agent.page.route("**/images", lambda route: route.abort(), times=1)
    agent.page.get_by_test_id("composer").press("Enter")
    expect(staged).to_have_count(0)
    expect(agent.page.get_by_role("alert").filter(has_text="网络不通")).to_be_visible()
    picture(agent.page, "picture-1-failed")
    agent.page.get_by_test_id("resend").click()
    expect(visitor.lines.last.locator("img")).to_be_visible()
    expect(agent.page.locator("[data-local]")).to_have_count(0)
    expect(agent.lines.locator("img")).to_have_count(1)
    agent.finishes()
    agent.goes("busy")
