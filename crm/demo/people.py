"""Who buys in the demo: the first eight are its faces, written by hand, each with orders to try the main stories on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from crm.customers.models import ChannelIdentity, Customer
from crm.demo import states, times
from crm.demo.aftersales import Desk
from crm.demo.loyalty import BIRTHDAY, COUPONS, Purse
from crm.demo.names import NICKNAMES, Names
from crm.demo.places import CITIES, draw_address
from crm.loyalty.rules import Level
from crm.orders.models import Order
from crm.orders.rules import OrderStatus, ParcelStatus
from crm.returns.rules import RefundStatus

CHANNEL = "site"
CUSTOMERS = 300
WITHOUT_ORDERS = 18


@dataclass(frozen=True)
class Wish:
    """An order a face has: how it came about, and what is in it as (sku, colour, pieces)."""

    run: states.Run
    goods: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Face:
    """A customer of the demo's "sign in as" list. ``hint``: what can be tried; ``level`` follows from the orders."""

    name: str
    title: str
    phone: str
    city: str
    address: str
    birthday: date
    level: Level
    hint: str
    orders: tuple[Wish, ...] = ()


def _wish(run: Callable[..., Order], *goods: tuple[str, str, int], **options: object) -> Wish:
    return Wish(partial(run, **options) if options else run, goods)


def _signed(least: float, most: float) -> states.Run:
    return partial(states.delivered, least, most, untouched=True, coupon=False)


_paid, _moving, _stopped, _unpaid = states.paid, states.moving, states.stopped, states.unpaid
_refund_sent = partial(states.cancelled, RefundStatus.SENT, 0.1, 0.5)

FACES: tuple[Face, ...] = (
    Face(
        "林晓雯", "女士", "13900006688", "杭州", "西湖区云栖东路128号澄园6幢2单元1102室",
        date(1992, 12, 3), Level.GOLD,
        "查物流、取消未发货订单、七天无理由退货、价格保护、快到期的优惠券",
        (
            _wish(partial(_paid, 0.1, 0.3, OrderStatus.PAID), ("KX-35", "绿色", 1)),
            _wish(partial(_moving, "顺丰"), ("SD-T8", "白色", 1)),
            _wish(_signed(2.8, 3.3), ("DFB-4", "白色", 1)),
            _wish(states.price_fell, ("XC-V9", "灰色", 1)),
            _wish(_signed(65, 66), ("BX-501", "珍珠白", 1)),
            _wish(_signed(200, 210), ("BJ-14", "银色", 1)),
        ),
    ),
    Face(
        "陈建国", "先生", "13800005217", "成都", "武侯区桂雨路66号梧桐里3幢1单元802室",
        date(1968, 4, 18), Level.NORMAL,
        "退款到哪一步了、包裹几天没动静、投诉、转人工",
        (
            _wish(_refund_sent, ("XS-27", "黑色", 1), method="credit_card"),
            _wish(partial(_stopped, ParcelStatus.STUCK, 2.5, 3.2), ("JSQ-6", "白色", 1)),
            _wish(_signed(120, 130), ("WBL-20", "黑色", 1)),
        ),
    ),
    Face(
        "王芳", "女士", "13700003329", "上海", "浦东新区望湖路515号湖畔花苑9幢1单元1801室",
        date(1985, 9, 9), Level.PLATINUM,
        "空调预约安装、冰箱在保报修、洗衣机维修进度与改约、铂金会员权益",
        (
            _wish(_signed(1.6, 2.3), ("KT-72", "香槟金", 1)),
            _wish(_signed(424, 430), ("BX-501", "星空灰", 1)),
            _wish(_signed(150, 160), ("XY-10H", "钛灰", 1)),
            _wish(_signed(190, 200), ("DS-75", "黑色", 1)),
            _wish(_signed(230, 240), ("BJ-16G", "黑色", 1)),
            _wish(_signed(90, 95), ("SJ-X20P", "曜石黑", 1)),
            _wish(_signed(280, 300), ("XW-13", "白色", 1)),
            _wish(_signed(60, 62), ("SD-T8", "黑色", 1)),
        ),
    ),
    Face(
        "赵一鸣", "先生", "15000008846", "广州", "天河区青岚路20号星河湾畔2幢3单元1503室",
        date(1999, 6, 21), Level.SILVER,
        "刚收到的手机能不能退、重复付款退回、未付款订单、开发票",
        (
            _wish(_signed(1.8, 2.4), ("SJ-X20P", "雪域白", 1)),
            _wish(states.paid_twice, ("EJ-A2", "黑色", 1)),
            _wish(partial(_unpaid, 0.02, 0.2, False), ("SB-W3", "银色", 1)),
        ),
    ),
    Face(
        "周敏", "女士", "18600001570", "苏州", "相城区长禾大道399号书香名邸1幢1单元601室",
        date(1988, 2, 14), Level.GOLD,
        "企业采购、专用发票、对公转账、批量订单物流",
        (
            _wish(_signed(20, 22), ("XS-27", "黑色", 12), method="transfer"),
            _wish(partial(_moving, ""), ("LY-7", "白色", 10)),
        ),
    ),
    Face(
        "孙伟", "先生", "13600007093", "西安", "雁塔区晴川路88号翠竹苑5幢2单元403室",
        date(1979, 11, 30), Level.NORMAL,
        "过保手机维修费用、扫地机器人报修、今天上门安装的预约",
        (
            _wish(_signed(450, 460), ("SJ-S5", "黑色", 1)),
            _wish(_signed(420, 430), ("SD-T3", "白色", 1)),
            _wish(_signed(1.2, 1.9), ("RS-60", "白色", 1)),
        ),
    ),
    Face(
        "李思思", "女士", "15900004412", "长沙", "岳麓区书香街12号阳光里8幢1单元705室",
        date(2003, 7, 7), Level.NORMAL,
        "新客户：商品咨询、配送范围、新人优惠券、会员规则",
    ),
    Face(
        "吴桂英", "女士", "13500002685", "武汉", "洪山区春晖街233号锦绣家园11幢2单元304室",
        date(1961, 1, 25), Level.SILVER,
        "显示签收但没收到、包裹丢失、投诉",
        (
            _wish(_signed(0.8, 1.4), ("PB-175", "白色", 1), signed_by="门卫"),
            _wish(partial(_stopped, ParcelStatus.LOST, 0.5, 1.5), ("FS-L1", "白色", 1)),
            _wish(_signed(100, 110), ("TY-P2", "白色", 1)),
        ),
    ),
)  # fmt: skip
HINTS = {face.phone: face.hint for face in FACES}


def make_customers(rng: Random, now: datetime, names: Names) -> list[Customer]:
    """The faces, then the others. When they came is set by :func:`came_before`; levels follow from the orders."""
    customers = []
    for number, face in enumerate(FACES, start=1):
        customers.append(
            _customer(rng, number, face.name, face.title, face.phone, face.city, face.address, face.birthday)
        )
    cities = list(CITIES)
    for number in range(len(FACES) + 1, CUSTOMERS + 1):
        name, title = names.person()
        city = rng.choices(cities, [4 if city in {"杭州", "上海", "成都", "北京", "深圳"} else 1 for city in cities])[0]
        birthday = date(rng.randint(1955, 2006), rng.randint(1, 12), rng.randint(1, 28))
        customers.append(_customer(rng, number, name, title, names.phone(), city, draw_address(rng, city), birthday))
    return customers


def _customer(
    rng: Random, number: int, name: str, title: str, phone: str, city: str, address: str, birthday: date
) -> Customer:
    return Customer(
        id=number, name=name, title=title, phone=phone, city=city, address=address,
        nickname=rng.choice(NICKNAMES) if rng.random() < 0.4 else None,
        email=f"user{number:03d}@example.com" if rng.random() < 0.7 else None,
        birthday=birthday if number <= len(FACES) or rng.random() < 0.8 else None,
        level=Level.NORMAL, points=0, spent_cents=0, subscribed=rng.random() < 0.8, locked=False,
    )  # fmt: skip


def buyer_weights(rng: Random, customers: Sequence[Customer]) -> list[float]:
    """How often each customer buys: the faces only what they planned, some nothing yet, few very much."""
    weights = [rng.choice((0.5, 1.0, 1.0, 1.0, 2.0, 3.0)) for _ in customers]
    weights[: len(FACES)] = [0.0] * len(FACES)
    weights[-WITHOUT_ORDERS:] = [0.0] * WITHOUT_ORDERS
    weights[20:30] = [9.0] * 10
    return weights


def order_for_faces(desk: Desk, customers: Sequence[Customer]) -> list[Order]:
    """The orders planned for the faces."""
    return [
        wish.run(desk, customer, [desk.book.shelf.line(*goods) for goods in wish.goods])
        for face, customer in zip(FACES, customers, strict=False)
        for wish in face.orders
    ]


def coupons_for_faces(purse: Purse, customers: Sequence[Customer], now: datetime) -> None:
    """What the faces' hints speak of: one about to end, a birthday's, a newcomer's."""
    begun = now - timedelta(days=12)
    purse.coupon(customers[0], COUPONS[2], begun, now + timedelta(hours=44))
    purse.coupon(customers[0], BIRTHDAY, begun, times.at_hour(now, 23, days=30))
    purse.coupon(customers[2], COUPONS[3], begun, times.at_hour(now, 23, days=20))
    purse.coupon(customers[6], COUPONS[0], now - timedelta(hours=5), times.at_hour(now, 23, days=14))


def came_before(
    rng: Random, customers: Sequence[Customer], orders: Sequence[Order], now: datetime
) -> list[ChannelIdentity]:
    """Sets when each customer signed up – before the first order – and gives back their identities on the site."""
    first: dict[int, datetime] = {}
    for order in orders:
        first[order.customer.id] = min(first.get(order.customer.id, now), order.created_at)
    identities = []
    for customer in customers:
        newcomer = customer.id not in first
        least, most = timedelta(days=30), timedelta(days=900)
        if newcomer:
            least, most = timedelta(hours=6), timedelta(days=20)
        customer.created_at = times.ago(rng, first.get(customer.id, now), least, most, times.AWAKE)
        identities.append(
            ChannelIdentity(
                id=customer.id, customer=customer, channel=CHANNEL, external_id=f"cy{100_000 + customer.id}",
                created_at=customer.created_at,
            )
        )  # fmt: skip
    return identities
