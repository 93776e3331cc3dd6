"""Writes orders as they would have come about: bought, paid, sent, signed for – as far as each one has got."""

import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random

from core import clock
from crm.customers.models import Customer
from crm.demo import times
from crm.demo.loyalty import MAX_COUPONS, Purse
from crm.demo.names import Names
from crm.demo.parcels import Post
from crm.demo.places import province_of, route_to
from crm.demo.shelf import Line, Shelf
from crm.orders.models import Order, OrderItem, Payment
from crm.orders.rules import (
    FREE_FREIGHT_FROM_CENTS,
    FREIGHT_CENTS,
    REMOTE_LARGE_FREIGHT_CENTS,
    REMOTE_PROVINCES,
    OrderStatus,
    ParcelStatus,
    promised_ship_at,
)

METHODS = {"wechat": 40, "alipay": 30, "debit_card": 8, "credit_card": 8, "huabei": 6, "baitiao": 4, "balance": 4}
HAND_WRITTEN = 8  # customers up to this id are the demo's faces
FAILURES = ("银行卡余额不足", "超过单日支付限额", "支付超时", "银行系统维护中")
CANCEL_REASONS = ("不想要了", "买错了/重复下单", "地址填错了", "发货太慢", "想换其他款式", "价格变动")


class Book:
    """The shop's order book; every method gives back one order with all that belongs to it."""

    def __init__(self, rng: Random, now: datetime, shelf: Shelf, names: Names, purse: Purse) -> None:
        self.rng, self.now, self.shelf, self.names, self.purse = rng, now, shelf, names, purse
        self.post = Post(rng, names)
        self.orders: list[Order] = []
        self._item_ids = count(1)
        self._payment_ids = count(1)
        self._numbers: set[str] = set()
        self._tails: set[tuple[int, str]] = set()

    def unpaid(self, customer: Customer, lines: Sequence[Line], created_at: datetime, *, failed: bool = False) -> Order:
        """Waits for payment; ``failed``: one payment was tried."""
        order = self._order(customer, lines, created_at, coupon=None)
        if failed:
            at = created_at + (self.now - created_at) * self.rng.uniform(0.2, 0.8)
            self._payment(order, at, "failed", method=self.rng.choice(("debit_card", "credit_card")))
        return order

    def paid(
        self, customer: Customer, lines: Sequence[Line], paid_at: datetime, *, coupon: bool | None = None,
        method: str | None = None, pre_sale_until: datetime | None = None, status: OrderStatus = OrderStatus.PAID,
    ) -> Order:  # fmt: skip
        """Paid, still in the house. ``coupon``: with one or without; None leaves it to chance."""
        order = self._order(customer, lines, paid_at - timedelta(seconds=self.rng.randint(20, 900)), coupon=coupon)
        order.paid_at, order.status = paid_at, status
        order.pre_sale = pre_sale_until is not None
        order.promised_ship_at = pre_sale_until or promised_ship_at(paid_at, local_hour=clock.local(paid_at).hour)
        self._payment(order, paid_at, "succeeded", method=method)
        return order

    def shipped(
        self, customer: Customer, lines: Sequence[Line], shipped_at: datetime, until: datetime, status: ParcelStatus,
        *, coupon: bool | None = None, carrier: str | None = None, method: str | None = None,
        small_arrived: bool = False, signed_by: str | None = None,
    ) -> Order:  # fmt: skip
        """With the carrier since ``shipped_at``, last heard of at ``until``. ``small_arrived``: one of two is there."""
        shipped_at = shipped_at.replace(microsecond=0)
        paid_at = times.between(
            self.rng, shipped_at - timedelta(hours=11), shipped_at - timedelta(minutes=50), times.AWAKE
        )
        order = self.paid(customer, lines, paid_at, coupon=coupon, method=method, status=OrderStatus.SHIPPED)
        order.shipped_at = shipped_at
        route = route_to(order.city, order.address)
        large = any(item.product.size == "large" for item in order.items)
        for items in _by_size(order.items):
            there = small_arrived and items[0].product.size == "small"
            state = ParcelStatus.DELIVERED if there else status
            self.post.send(
                order, items, route, state, start=shipped_at, until=until, carrier=carrier, signed_by=signed_by
            )
        if large and status != ParcelStatus.DELIVERED and self.rng.random() < 0.5:
            wished = clock.local(shipped_at + timedelta(days=self.rng.randint(3, 6)))
            half = self.rng.choice(("上午9–12点", "下午13–18点"))
            order.delivery_day = f"{wished.month}月{wished.day}日{half}"
        for item in order.items:
            item.serial_number = self._serial(item)
        return order

    def delivered(
        self, customer: Customer, lines: Sequence[Line], delivered_at: datetime, *, coupon: bool | None = None,
        signed_by: str | None = None, method: str | None = None, untouched: bool = False,
    ) -> Order:  # fmt: skip
        """Signed for. ``untouched``: neither unsealed nor activated."""
        route = route_to(customer.city, customer.address)
        earliest = delivered_at - timedelta(days=route.most_days)
        shipped_at = times.between(self.rng, earliest, delivered_at - timedelta(days=route.least_days), times.DAYTIME)
        order = self.shipped(
            customer, lines, shipped_at, delivered_at, ParcelStatus.DELIVERED, coupon=coupon, method=method,
            signed_by=signed_by,
        )  # fmt: skip
        order.status, order.delivered_at = OrderStatus.DELIVERED, delivered_at
        used = not untouched and delivered_at < self.now - timedelta(days=1)
        for item in order.items:
            item.activated = used and item.product.activates and self.rng.random() < 0.6
            item.unsealed = used and (item.product.personal or item.product.activates) and self.rng.random() < 0.7
            item.unsealed = item.unsealed or item.activated
        return order

    def as_far_as(self, customer: Customer, lines: Sequence[Line], paid_at: datetime, *, coupon: bool) -> Order:
        """Paid then, and by now wherever such an order has got to."""
        route = route_to(customer.city, customer.address)
        shipped_at = paid_at + timedelta(hours=self.rng.uniform(2, 10))
        delivered_at = shipped_at + timedelta(days=self.rng.uniform(route.least_days, route.most_days))
        if delivered_at < self.now:
            order = self.delivered(customer, lines, delivered_at.replace(microsecond=0), coupon=coupon, untouched=True)
        elif shipped_at < self.now - timedelta(hours=2):
            until = shipped_at + (self.now - shipped_at) * 0.8
            order = self.shipped(customer, lines, shipped_at, until, ParcelStatus.IN_TRANSIT, coupon=coupon)
        else:
            order = self.paid(customer, lines, paid_at, coupon=coupon)
        return order

    def cancelled_unpaid(self, customer: Customer, lines: Sequence[Line], created_at: datetime) -> Order:
        """Never paid: closed by the customer, or by the shop after 24 hours."""
        order = self._order(customer, lines, created_at, coupon=None)
        order.status = OrderStatus.CANCELLED
        if self.rng.random() < 0.6:
            order.cancelled_at, order.cancel_reason = created_at + timedelta(hours=24), "超时未付款，自动关闭"
        else:
            order.cancelled_at = created_at + timedelta(minutes=self.rng.randint(2, 1_200))
            order.cancel_reason = self.rng.choice(CANCEL_REASONS)
        self.purse.give_back(order, order.cancelled_at)
        return order

    def cancelled(
        self, customer: Customer, lines: Sequence[Line], cancelled_at: datetime, *, method: str | None = None
    ) -> Order:
        """Paid and cancelled before it was sent (its refund is written by aftersales.py)."""
        paid_at = cancelled_at - timedelta(minutes=self.rng.randint(10, 600))
        order = self.paid(customer, lines, paid_at, status=OrderStatus.CANCELLED, method=method)
        order.cancelled_at, order.cancel_reason = cancelled_at, self.rng.choice(CANCEL_REASONS)
        self.purse.give_back(order, cancelled_at)
        return order

    def pay_again(self, order: Order, at: datetime, status: str) -> Payment:
        """The same money once more: ``surplus`` while it is with us, ``returned`` afterwards."""
        return self._payment(order, at, status, method=order.payments[0].method)

    def _order(self, customer: Customer, lines: Sequence[Line], created_at: datetime, *, coupon: bool | None) -> Order:
        created_at = created_at.replace(microsecond=0)
        prices = [self.shelf.price_at(line.product, created_at) for line in lines]
        goods = sum(price * line.pieces for price, line in zip(prices, lines, strict=True))
        province = province_of(customer.city)
        freight = 0 if goods >= FREE_FREIGHT_FROM_CENTS else FREIGHT_CENTS
        if province in REMOTE_PROVINCES and any(line.product.size == "large" for line in lines):
            freight = REMOTE_LARGE_FREIGHT_CENTS
        number = self._number(customer, created_at)

        used, points = None, 0
        with_coupon = self.rng.random() < 0.12 if coupon is None else coupon
        if with_coupon and not any(line.product.flash_sale for line in lines):
            kinds = {line.product.kind for line in lines}
            used = self.purse.spend_coupon(customer, goods, kinds, created_at, most=MAX_COUPONS if coupon else 3)
        elif coupon is None and self.rng.random() < 0.06:
            points = self.purse.spend_points(customer, goods, number, created_at)
        discount = points + (used.value_cents if used else 0)
        order = Order(
            id=len(self.orders) + 1, number=number, customer=customer, status=OrderStatus.UNPAID,
            recipient=customer.name, phone=customer.phone, province=province, city=customer.city,
            address=customer.address, total_cents=goods + freight - discount, freight_cents=freight,
            discount_cents=discount, coupon_id=used.id if used else None, points_used=points, pre_sale=False,
            created_at=created_at,
        )  # fmt: skip
        if customer.id > HAND_WRITTEN and self.rng.random() < 0.04:  # a present for somebody else
            order.recipient, order.phone = self.names.person()[0], self.names.phone()
        for price, line in zip(prices, lines, strict=True):
            OrderItem(
                id=next(self._item_ids), order=order, product=line.product, color=line.color, quantity=line.pieces,
                price_cents=price, with_coupon=used is not None, activated=False, unsealed=False, protected_cents=0,
            )  # fmt: skip
        self.orders.append(order)
        return order

    def _payment(self, order: Order, at: datetime, status: str, *, method: str | None) -> Payment:
        return Payment(
            id=next(self._payment_ids),
            order=order,
            method=method or self.rng.choices(list(METHODS), list(METHODS.values()))[0],
            amount_cents=order.total_cents,
            status=status,
            failure=self.rng.choice(FAILURES) if status == "failed" else None,
            at=at.replace(microsecond=0),
        )

    def _number(self, customer: Customer, created_at: datetime) -> str:
        """15 digits; the last four tell the customer's orders apart."""
        while True:
            number = f"{clock.local(created_at):%Y%m%d}{self.rng.randrange(10_000_000):07d}"
            if number not in self._numbers and (customer.id, number[-4:]) not in self._tails:
                self._numbers.add(number)
                self._tails.add((customer.id, number[-4:]))
                return number

    def _serial(self, item: OrderItem) -> str | None:
        if item.product.consumable:
            return None
        return "SN" + "".join(self.rng.choice(string.ascii_uppercase + string.digits) for _ in range(12))


def _by_size(items: Sequence[OrderItem]) -> list[list[OrderItem]]:
    """What travels together: large goods go by another carrier than small ones."""
    sizes = {item.product.size for item in items}
    return [[item for item in items if item.product.size == size] for size in sorted(sizes)]
