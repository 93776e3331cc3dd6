"""Coupons, points and levels of the demo's customers. Money in cents; 100 points are worth 100 cents."""

import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random

from crm.customers.models import Customer
from crm.demo import times
from crm.loyalty.models import Coupon, PointsEntry
from crm.loyalty.rules import Level, level_for
from crm.orders.models import Order
from crm.returns.models import Refund

YEAR = timedelta(days=365)
MAX_COUPONS = 5
ALL: tuple[str, ...] = ()
# Name, worth, least worth of the order, classes of products (empty: all).
COUPONS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("新人专享券", 2_000, 19_900, ALL),
    ("满500减50", 5_000, 50_000, ALL),
    ("满1000减100", 10_000, 100_000, ALL),
    ("满3000减300", 30_000, 300_000, ALL),
    ("大家电焕新券", 20_000, 200_000, ("冰箱", "洗衣机", "空调", "电视", "烘干机", "热水器")),
    ("手机电脑券", 15_000, 150_000, ("手机", "平板", "笔记本")),
    ("厨房小电券", 3_000, 29_900, ("电饭煲", "空气炸锅", "破壁机", "微波炉", "电烤箱", "咖啡机")),
    ("清洁家电券", 8_000, 99_900, ("扫地机器人", "洗地机", "吸尘器", "空气净化器", "净水器")),
)
BIRTHDAY = ("生日礼券", 5_000, 0, ALL)
POINTS_PER_YUAN = {Level.NORMAL: 1.0, Level.SILVER: 1.0, Level.GOLD: 1.2, Level.PLATINUM: 1.5}


class Purse:
    """Everybody's coupons and points."""

    def __init__(self, rng: Random, now: datetime) -> None:
        self._rng = rng
        self._now = now
        self._ids = count(1)
        self._held: dict[int, int] = {}
        self._gifts: dict[int, PointsEntry] = {}
        self.coupons: list[Coupon] = []
        self.entries: list[PointsEntry] = []

    def coupon(
        self, customer: Customer, offer: tuple[str, int, int, tuple[str, ...]], start: datetime, end: datetime,
        used_at: datetime | None = None,
    ) -> Coupon:  # fmt: skip
        """Gives a customer a coupon, valid from ``start`` to ``end``."""
        name, value, threshold, kinds = offer
        code = "CY" + "".join(self._rng.choice(string.ascii_uppercase + string.digits) for _ in range(8))
        coupon = Coupon(
            id=len(self.coupons) + 1, customer_id=customer.id, name=name, code=f"{code}{len(self.coupons):03d}",
            value_cents=value, threshold_cents=threshold, kinds=list(kinds),
            valid_from=start, valid_to=end, used_at=used_at,
        )  # fmt: skip
        self.coupons.append(coupon)
        self._held[customer.id] = self._held.get(customer.id, 0) + 1
        return coupon

    def spend_coupon(
        self, customer: Customer, goods_cents: int, kinds: set[str], at: datetime, most: int = 3
    ) -> Coupon | None:
        """Uses a coupon that fits the goods; None when none does or the customer has ``most`` of them already."""
        fitting = [offer for offer in COUPONS if goods_cents >= offer[2] and (not offer[3] or kinds.issubset(offer[3]))]
        if not fitting or self._held.get(customer.id, 0) >= most:
            return None
        start = at - timedelta(days=self._rng.randint(1, 20))
        return self.coupon(customer, self._rng.choice(fitting), start, times.at_hour(start, 0, days=40), used_at=at)

    def spend_points(self, customer: Customer, goods_cents: int, number: str, at: datetime) -> int:
        """Uses points given away by the shop, once a customer, at most 30 % of the goods. Points = cents."""
        if customer.id in self._gifts:
            return 0
        gift = self._rng.randrange(300, 2_001, 100)
        given = at - timedelta(days=self._rng.uniform(1, 12))
        end = times.end_of_following_year(given)
        self._gifts[customer.id] = self._entry(customer.id, gift, "会员日活动赠送", given, end=end)
        spent = min(gift, goods_cents * 30 // 100) // 100 * 100
        if spent:
            self._entry(customer.id, -spent, "下单抵扣", at, number)
        return spent

    def give_back(self, order: Order, at: datetime) -> None:
        """A cancelled order's points come back, and its coupon if that is still good."""
        if order.points_used:
            end = times.end_of_following_year(at)
            self._entry(order.customer.id, order.points_used, "取消订单退回", at, order.number, end)
        if order.coupon_id is not None:
            coupon = self.coupons[order.coupon_id - 1]
            if coupon.valid_to > at:
                coupon.used_at = None

    def fill(self, customers: Sequence[Customer]) -> None:
        """Adds unused coupons: good ones, such as end within days, limited and expired ones; 0–5 a customer in all."""
        rng, now = self._rng, self._now
        for customer in customers:
            for _ in range(max(0, rng.randint(0, MAX_COUPONS) - self._held.get(customer.id, 0))):
                offer = BIRTHDAY if rng.random() < 0.1 else rng.choice(COUPONS)
                lot = rng.random()
                start, end = now - timedelta(days=rng.randint(1, 20)), now + timedelta(days=rng.randint(8, 60))
                if lot < 0.2:
                    start, end = now - timedelta(days=rng.randint(15, 28)), now + timedelta(hours=rng.uniform(6, 70))
                elif lot < 0.5 and customer.created_at < now - timedelta(days=100):
                    start = now - timedelta(days=rng.randint(50, 95))
                    end = start + timedelta(days=rng.randint(15, 45))
                self.coupon(customer, offer, max(start, customer.created_at), end.replace(microsecond=0))

    def settle(self, customers: Sequence[Customer], orders: Sequence[Order], refunds: Sequence[Refund]) -> None:
        """Reckons spending of the last 12 months, level and points from the orders."""
        back: dict[int, int] = {}
        for refund in refunds:
            if refund.sent_at is not None and refund.kind != "surplus":
                back[refund.order.id] = back.get(refund.order.id, 0) + refund.amount_cents
        kept = [order for order in orders if order.paid_at is not None and order.cancelled_at is None]
        net = {order.id: max(0, order.total_cents - back.get(order.id, 0)) for order in kept}
        for customer in customers:
            customer.spent_cents = 0
        for order in kept:
            if order.paid_at is not None and order.paid_at > self._now - YEAR:
                order.customer.spent_cents += net[order.id]
        for customer in customers:
            customer.level = level_for(customer.spent_cents)
        for order in kept:
            credited = None if order.delivered_at is None else order.delivered_at + timedelta(days=7)
            if credited is None or credited > self._now:
                continue
            points = int(net[order.id] // 100 * POINTS_PER_YUAN[Level(order.customer.level)])
            if points:
                end = times.end_of_following_year(credited)
                self._entry(order.customer.id, points, "购物奖励", credited, order.number, end)
        self._expire()
        self.entries.sort(key=lambda entry: (entry.at, entry.id))
        by_id = {customer.id: customer for customer in customers}
        for customer in customers:
            customer.points = 0
        for entry in self.entries:
            by_id[entry.customer_id].points += entry.amount

    def _expire(self) -> None:
        """Takes off what was earned, has expired by now, and was not spent before (oldest points are spent first)."""
        for customer_id in sorted({entry.customer_id for entry in self.entries}):
            own = [entry for entry in self.entries if entry.customer_id == customer_id]
            ends = {entry.expires_at for entry in own if entry.expires_at and entry.expires_at <= self._now}
            for end in sorted(ends):
                earned = sum(e.amount for e in own if e.amount > 0 and e.expires_at and e.expires_at <= end)
                gone = -sum(e.amount for e in own if e.amount < 0 and e.at <= end)
                if earned > gone:
                    own.append(self._entry(customer_id, gone - earned, "积分到期", end))

    def _entry(
        self, customer_id: int, amount: int, reason: str, at: datetime, number: str | None = None,
        end: datetime | None = None,
    ) -> PointsEntry:  # fmt: skip
        entry = PointsEntry(
            id=next(self._ids), customer_id=customer_id, amount=amount, reason=reason, order_number=number, at=at,
            expires_at=end,
        )  # fmt: skip
        self.entries.append(entry)
        return entry
