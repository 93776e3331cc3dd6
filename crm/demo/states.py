"""Every state a customer asks about: how many orders are in it, what is in them, and how one comes to be there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from crm.catalogue.models import Product
from crm.customers.models import Customer
from crm.demo import times
from crm.demo.aftersales import DAY, OPENED_DAYS_AGO, Desk
from crm.demo.goods import (
    anything,
    cheap,
    consumable,
    dear_and_lowered,
    durable,
    fast,
    flash,
    installed,
    large,
    lowered,
    office,
    one_year,
)
from crm.demo.places import route_to
from crm.demo.shelf import Line
from crm.orders.models import Order
from crm.orders.rules import OrderStatus, ParcelStatus
from crm.returns.rules import CaseKind, CaseStatus, RefundStatus

HOUR = timedelta(hours=1)
Fits = Callable[[Product], bool]
Run = Callable[[Desk, Customer, Sequence[Line]], Order]


@dataclass(frozen=True)
class State:
    """``several``: the share of orders with more than one line; ``pieces`` of each product."""

    name: str
    orders: int
    run: Run
    fits: Fits = anything
    several: float = 0.15
    pieces: int = 1


def _ago(desk: Desk, least: float, most: float, hours: tuple[int, int] = times.ALL_DAY) -> datetime:
    """Between ``least`` and ``most`` days ago."""
    return times.ago(desk.rng, desk.now, timedelta(days=least), timedelta(days=most), hours)


def unpaid(least: float, most: float, failed: bool, desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    return desk.book.unpaid(who, lines, _ago(desk, least, most), failed=failed)


def paid(least: float, most: float, status: OrderStatus, desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    return desk.book.paid(who, lines, _ago(desk, least, most), status=status)


def _late(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    order = desk.book.paid(who, lines, _ago(desk, 2.1, 4, times.AWAKE))
    if desk.rng.random() < 0.4:
        order.urged_at = _ago(desk, 0.02, 0.4)
    return order


def _pre_sale(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    until = times.at_hour(desk.now, 18, days=desk.rng.randint(3, 20))
    return desk.book.paid(who, lines, _ago(desk, 0.5, 6, times.AWAKE), coupon=False, pre_sale_until=until)


def moving(carrier: str, desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    """On its way and in time, last scanned within the last hours."""
    way_days = route_to(who.city, who.address).most_days
    shipped = _ago(desk, way_days * 0.3, way_days * 0.75, (10, 22))
    until = times.ago(desk.rng, desk.now, timedelta(minutes=15), min(10 * HOUR, (desk.now - shipped) * 0.6))
    status = ParcelStatus.COLLECTED if desk.rng.random() < 0.12 else ParcelStatus.IN_TRANSIT
    if status == ParcelStatus.COLLECTED:
        shipped = until = _ago(desk, 0.02, 0.3)
    return desk.book.shipped(who, lines, shipped, until, status, carrier=carrier or None)


def _out_today(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    midnight = times.at_hour(desk.now, 0)
    out = times.between(desk.rng, midnight, desk.now - timedelta(minutes=5), (7, 15))
    shipped = out - timedelta(days=route_to(who.city, who.address).most_days * 0.85)
    return desk.book.shipped(who, lines, shipped, max(out, midnight), ParcelStatus.OUT_FOR_DELIVERY)


def stopped(status: ParcelStatus, least: float, most: float, desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    """Last heard of ``least`` to ``most`` days ago."""
    until = _ago(desk, least, most)
    before = {ParcelStatus.LOST: 9.0, ParcelStatus.REFUSED: 5.0}.get(status, 2.0)
    shipped = times.at_hour(until - timedelta(days=before), desk.rng.randint(14, 20))
    order = desk.book.shipped(who, lines, shipped, until, status)
    if status == ParcelStatus.REFUSED:
        desk.refund(order, "returned", RefundStatus.WAITING_GOODS, until)
    return order


def _two_parcels(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    """A large and a small thing; of every other order the small one has arrived."""
    way_days = route_to(who.city, who.address).most_days
    shipped = _ago(desk, way_days * 0.5, way_days * 0.75, (10, 22))
    both = [lines[0], desk.book.shelf.draw(desk.rng, cheap)]
    until = times.ago(desk.rng, desk.now, timedelta(minutes=20), (desk.now - shipped) * 0.3)
    arrived = desk.rng.random() < 0.5
    return desk.book.shipped(who, both, shipped, until, ParcelStatus.IN_TRANSIT, small_arrived=arrived)


def delivered(
    least: float, most: float, desk: Desk, who: Customer, lines: Sequence[Line], *, signed_by: str | None = None,
    untouched: bool = False, coupon: bool | None = None, method: str | None = None,
) -> Order:  # fmt: skip
    """Signed for ``least`` to ``most`` days ago."""
    at = _ago(desk, least, most, times.DAYTIME)
    return desk.book.delivered(who, lines, at, signed_by=signed_by, untouched=untouched, coupon=coupon, method=method)


def _delivered_today(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    at = times.between(desk.rng, times.at_hour(desk.now, 0), desk.now - timedelta(minutes=4), times.DAYTIME)
    return desk.book.delivered(who, lines, max(at, times.at_hour(desk.now, 0)))


def _not_received(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    signer = desk.rng.choice(("快递柜", "门卫", "家人"))
    return delivered(0.3, 5, desk, who, lines, signed_by=signer, untouched=True)


def _in_warranty(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    shortest = min(line.product.warranty_months for line in lines)
    return delivered(16, min(518.0, shortest * 30.0 - 10), desk, who, lines)


def price_fell(desk: Desk, who: Customer, lines: Sequence[Line], *, coupon: bool = False) -> Order:
    """Paid within the last 7 days (all levels' span), before today's price began."""
    changed = lines[0].product.price_changed_at or desk.now
    paid = times.between(desk.rng, desk.now - 6.8 * DAY, changed - HOUR, times.AWAKE)
    return desk.book.as_far_as(who, lines, paid, coupon=coupon)


def _price_protected(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    order = price_fell(desk, who, lines)
    changed = lines[0].product.price_changed_at or desk.now
    desk.protect(order, times.between(desk.rng, changed, desk.now - timedelta(minutes=30)))
    return order


def _price_fell_too_late(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    return desk.book.as_far_as(who, lines, _ago(desk, 33, 80, times.AWAKE), coupon=False)


def cancelled_unpaid(desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    """Never paid and closed."""
    return desk.book.cancelled_unpaid(who, lines, _ago(desk, 1.1, 500, times.AWAKE))


def cancelled(
    status: RefundStatus, least: float, most: float, desk: Desk, who: Customer, lines: Sequence[Line],
    *, method: str | None = None,
) -> Order:  # fmt: skip
    """Paid and cancelled ``least`` to ``most`` days ago; the refund is in ``status``."""
    order = desk.book.cancelled(who, lines, _ago(desk, least, most, times.AWAKE), method=method)
    desk.refund(order, "cancelled", status, order.cancelled_at or desk.now)
    return order


def paid_twice(desk: Desk, who: Customer, lines: Sequence[Line], *, returned: bool = False) -> Order:
    """Paid, and some minutes later once more. ``returned``: days ago, the surplus has gone back."""
    least, most = (2.5, 30.0) if returned else (0.05, 0.4)
    paid = _ago(desk, least, most)
    order = desk.book.as_far_as(who, lines, paid, coupon=False)
    again = (order.paid_at or paid) + timedelta(minutes=desk.rng.randint(2, 30))
    desk.book.pay_again(order, again, "returned" if returned else "surplus")
    if returned:
        desk.refund(order, "surplus", RefundStatus.ARRIVED, again + HOUR)
    return order


def _case(status: CaseStatus, kinds: Sequence[CaseKind], desk: Desk, who: Customer, lines: Sequence[Line]) -> Order:
    opened = _ago(desk, *OPENED_DAYS_AGO[status])
    signed = times.ago(desk.rng, opened, 5 * HOUR, 6.5 * DAY, times.DAYTIME)
    order = desk.book.delivered(who, lines, signed, untouched=status != CaseStatus.REFUSED)
    desk.case(order, desk.rng.choice(kinds), status, opened)
    return order


BACK = (CaseKind.RETURN, CaseKind.RETURN, CaseKind.EXCHANGE)
NEW = (CaseKind.EXCHANGE, CaseKind.RESEND)

STATES: tuple[State, ...] = (
    State("unpaid_fresh", 20, partial(unpaid, 0.003, 0.4, False)),
    State("unpaid_payment_failed", 14, partial(unpaid, 0.01, 0.4, True)),
    State("unpaid_about_to_close", 14, partial(unpaid, 0.92, 0.99, False)),
    State("paid_waiting", 32, partial(paid, 0.01, 0.45, OrderStatus.PAID)),
    State("paid_late", 16, _late),
    State("paid_pre_sale", 14, _pre_sale, durable, several=0),
    State("packed", 18, partial(paid, 0.08, 0.45, OrderStatus.PACKED)),
    State("in_transit_顺丰", 16, partial(moving, "顺丰"), fast),
    State("in_transit_京东物流", 16, partial(moving, "京东物流"), cheap, several=0),
    State("in_transit_中通", 16, partial(moving, "中通"), cheap, several=0),
    State("in_transit_德邦", 16, partial(moving, "德邦"), large),
    State("in_transit_日日顺", 16, partial(moving, "日日顺"), large),
    State("out_for_delivery_today", 24, _out_today),
    State("stuck", 16, partial(stopped, ParcelStatus.STUCK, 2.1, 4)),
    State("lost", 14, partial(stopped, ParcelStatus.LOST, 0.3, 2)),
    State("refused", 14, partial(stopped, ParcelStatus.REFUSED, 0.1, 2)),
    State("two_parcels", 28, _two_parcels, large, several=0),
    State("delivered_today", 24, _delivered_today),
    State("delivered_within_48_hours", 30, partial(delivered, 0.2, 1.95)),
    State("delivered_within_7_days", 60, partial(delivered, 2.1, 6.9), durable),
    State("delivered_within_15_days", 60, partial(delivered, 7.2, 14.8), durable),
    State("delivered_not_received", 14, _not_received, cheap),
    State("installation_recent", 48, partial(delivered, 0.3, 9.5, untouched=True), installed, several=0),
    State("price_fell", 16, price_fell, lowered, several=0),
    State("price_fell_protected", 13, _price_protected, lowered, several=0),
    State("price_fell_too_late", 14, _price_fell_too_late, lowered, several=0),
    State("price_fell_flash_sale", 14, price_fell, flash, several=0),
    State("price_fell_with_coupon", 14, partial(price_fell, coupon=True), dear_and_lowered, several=0),
    State("cancelled_unpaid", 50, cancelled_unpaid),
    State("refund_approved", 14, partial(cancelled, RefundStatus.APPROVED, 0.02, 0.7)),
    State("refund_sent", 14, partial(cancelled, RefundStatus.SENT, 0.1, 0.6)),
    State("refund_arrived", 40, partial(cancelled, RefundStatus.ARRIVED, 12, 400)),
    State("refund_overdue", 14, partial(cancelled, RefundStatus.SENT, 22, 30)),
    State("refund_failed", 13, partial(cancelled, RefundStatus.FAILED, 2, 9)),
    State("paid_twice", 14, paid_twice),
    State("paid_twice_returned", 13, partial(paid_twice, returned=True)),
    State("case_waiting", 13, partial(_case, CaseStatus.WAITING, (CaseKind.RESEND,)), durable),
    State("case_pickup", 16, partial(_case, CaseStatus.PICKUP, BACK), durable),
    State("case_returning", 14, partial(_case, CaseStatus.RETURNING, BACK), durable),
    State("case_checking", 14, partial(_case, CaseStatus.CHECKING, BACK), durable),
    State("case_sending", 14, partial(_case, CaseStatus.SENDING, NEW), durable),
    State("case_done", 24, partial(_case, CaseStatus.DONE, (*BACK, CaseKind.RESEND)), durable),
    State("case_cancelled", 13, partial(_case, CaseStatus.CANCELLED, BACK), durable),
    State("case_refused", 13, partial(_case, CaseStatus.REFUSED, (CaseKind.RETURN,)), durable),
    State("corporate", 14, partial(delivered, 3, 300, method="transfer", coupon=False, untouched=True), office, 0, 10),
    State("out_of_warranty", 110, partial(delivered, 372, 522), one_year),
    State("consumables", 30, partial(delivered, 16, 500), consumable, several=0),
)
REST = State("in_warranty", 0, _in_warranty, durable)  # as many as are missing to the whole
