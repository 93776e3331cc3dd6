"""The demo shop and its desk: complete, consistent, and the same every time."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, selectinload

from core import clock
from core.db import UtcDateTime, make_engine, writing
from core.errors import Conflict
from crm.catalogue.models import Product
from crm.customers.models import ChannelIdentity, Customer
from crm.demo import generate, people, times
from crm.demo.places import province_of
from crm.loyalty.models import Coupon, PointsEntry
from crm.loyalty.rules import level_for
from crm.orders.models import Order, OrderItem, Parcel
from crm.orders.rules import (
    FREE_FREIGHT_FROM_CENTS,
    FREIGHT_CENTS,
    REMOTE_LARGE_FREIGHT_CENTS,
    REMOTE_PROVINCES,
    UNPAID_CLOSES_AFTER,
    OrderStatus,
    ParcelStatus,
)
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseStatus, RefundStatus
from helpdesk import demo
from helpdesk.staff.models import Agent, CannedReply
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus
from helpdesk.visits.models import Repair, Visit
from migrations.models import metadata

NOW = datetime(2026, 11, 22, 8, 12, tzinfo=UTC)
LEAST = 12  # orders in each state
DAY = timedelta(days=1)
# What is planned, promised or due may lie in the future; everything else has happened.
PLANNED = {
    "restock_at", "promised_ship_at", "expected_at", "due_at", "pickup_at", "valid_to", "expires_at", "closing_at",
}  # fmt: skip


def fill(engine: Engine) -> generate.Counts:
    metadata.create_all(engine)
    with writing(engine) as session:
        counts = generate.load(session, now=NOW)
        demo.load(session, now=NOW, hash_password=lambda password: f"hashed {password}", password="demo")
    return counts


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}")
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture(scope="module")
def orders(session: Session) -> list[Order]:
    query = select(Order).options(
        selectinload(Order.items).selectinload(OrderItem.product),
        selectinload(Order.payments),
        selectinload(Order.invoices),
        selectinload(Order.customer),
        selectinload(Order.parcels).selectinload(Parcel.events),
    )
    return list(session.scalars(query.order_by(Order.id)))


def last_scan(parcel: Parcel) -> datetime:
    return parcel.events[-1].at


def fallen(item: OrderItem) -> bool:
    return item.price_cents > item.product.price_cents and not item.protected_cents


def warranty_ends(order: Order, item: OrderItem) -> datetime:
    assert order.delivered_at is not None
    return times.months_after(order.delivered_at, item.product.warranty_months)


def age(moment: datetime | None) -> timedelta:
    assert moment is not None
    return NOW - moment


def states_of(order: Order, refunds: dict[int, list[Refund]]) -> Iterator[str]:
    """Every state that a customer could ask about and that this order is in, read from its rows alone."""
    own = refunds.get(order.id, [])
    paid = {payment.status for payment in order.payments}
    status, unpaid = OrderStatus(order.status), order.status == OrderStatus.UNPAID
    yield f"status {status}"
    if unpaid:
        yield "unpaid, payment failed" if "failed" in paid else "unpaid, not tried"
        if age(order.created_at) > UNPAID_CLOSES_AFTER - timedelta(hours=2):
            yield "unpaid, about to close"
    if status == OrderStatus.PAID and order.promised_ship_at:
        yield "paid, pre-sale" if order.pre_sale else "paid, late" if order.promised_ship_at < NOW else "paid, in time"
    if status == OrderStatus.SHIPPED:
        for parcel in order.parcels:
            yield f"parcel {parcel.status}"
            if parcel.status == ParcelStatus.IN_TRANSIT:
                yield f"in transit by {parcel.carrier}"
            if (
                parcel.status == ParcelStatus.OUT_FOR_DELIVERY
                and clock.local(last_scan(parcel)).day == clock.local(NOW).day
            ):
                yield "out for delivery today"
    if len(order.parcels) > 1:
        yield "two parcels"
    if order.delivered_at is not None:
        signed = age(order.delivered_at)
        for limit in (2, 7, 15):
            if signed < limit * DAY:
                yield f"delivered within {limit} days"
        if clock.local(order.delivered_at).date() == clock.local(NOW).date():
            yield "delivered today"
        if signed > 15 * DAY:
            yield "in warranty" if warranty_ends(order, order.items[0]) > NOW else "out of warranty"
        if signed < 6 * DAY and order.parcels[0].signed_by in {"快递柜", "门卫"}:
            yield "signed for by somebody else lately"
        if any(item.product.needs_installation for item in order.items) and signed < 10 * DAY:
            yield "installation lately"
    if "surplus" in paid:
        yield "paid twice"
    if order.cancelled_at and not order.paid_at:
        yield "cancelled unpaid"
    for refund in own:
        yield f"refund {refund.kind} {refund.status}"
        if refund.status == RefundStatus.SENT and refund.due_at and refund.due_at < NOW:
            yield "refund overdue"
    if len(order.items) > 1:
        yield "several lines"
    for invoice in order.invoices:
        yield f"invoice {invoice.kind} {invoice.status}"
    if order.delivered_at and not order.invoices:
        yield "delivered without invoice"
    if order.paid_at and not order.cancelled_at:
        for item in filter(fallen, order.items):
            if item.product.flash_sale:
                yield "price fell, flash sale"
            elif item.with_coupon:
                yield "price fell, with coupon" if age(order.paid_at) < 7 * DAY else "price fell, other"
            else:
                yield "price fell, within 7 days" if age(order.paid_at) < 7 * DAY else "price fell, too late"


ASKED_ABOUT = {
    *(f"status {status}" for status in OrderStatus),
    "unpaid, payment failed", "unpaid, not tried", "unpaid, about to close",
    "paid, in time", "paid, late", "paid, pre-sale",
    "parcel stuck", "parcel lost", "parcel refused", "out for delivery today", "two parcels",
    *(f"in transit by {carrier}" for carrier in ("顺丰", "京东物流", "中通", "德邦", "日日顺")),
    "delivered today", "delivered within 2 days", "delivered within 7 days", "delivered within 15 days",
    "in warranty", "out of warranty", "signed for by somebody else lately", "installation lately",
    "cancelled unpaid", "refund cancelled approved", "refund cancelled sent", "refund cancelled arrived",
    "refund cancelled failed", "refund overdue", "refund surplus arrived", "refund returned waiting_goods",
    "refund price_protection sent", "paid twice", "several lines",
    "invoice ordinary issued", "invoice ordinary requested", "invoice special issued", "invoice ordinary voided",
    "delivered without invoice",
    "price fell, within 7 days", "price fell, too late", "price fell, flash sale", "price fell, with coupon",
}  # fmt: skip


def test_every_state_a_customer_asks_about_has_orders(session: Session, orders: list[Order]) -> None:
    refunds: dict[int, list[Refund]] = {}
    for refund in session.scalars(select(Refund)):
        refunds.setdefault(refund.order_id, []).append(refund)
    found = Counter(state for order in orders for state in set(states_of(order, refunds)))
    assert {state: found[state] for state in sorted(ASKED_ABOUT) if found[state] < LEAST} == {}


def test_the_whole_catalogue_is_on_the_shelf_with_some_colours_sold_out(session: Session) -> None:
    products = session.scalars(select(Product)).all()
    stock = [row for product in products for row in product.stock]
    assert len(products) >= 60
    assert all({row.color for row in product.stock} == set(product.colors) for product in products)
    assert all((row.quantity == 0) == (row.restock_at is not None) for row in stock)
    assert sum(row.quantity == 0 for row in stock) >= 5
    assert sum(product.flash_sale for product in products) == 2
    assert sum(product.price_changed_at is not None and not product.flash_sale for product in products) == 10
    assert sum(bool(product.promotion) for product in products) >= 4


def test_there_are_as_many_customers_and_orders_as_promised(session: Session, orders: list[Order]) -> None:
    assert session.scalar(select(func.count()).select_from(Customer)) == people.CUSTOMERS
    assert len(orders) == generate.ORDERS
    assert min(order.created_at for order in orders) > NOW - 550 * DAY
    assert min(order.created_at for order in orders) < NOW - 480 * DAY


def test_totals_add_up(orders: list[Order]) -> None:
    for order in orders:
        goods = sum(item.price_cents * item.quantity for item in order.items)
        assert order.total_cents == goods + order.freight_cents - order.discount_cents > 0
        assert all(payment.amount_cents == order.total_cents for payment in order.payments)
        assert all(invoice.amount_cents == order.total_cents for invoice in order.invoices)


def test_discounts_are_the_coupon_and_the_points(session: Session, orders: list[Order]) -> None:
    coupons = {coupon.id: coupon for coupon in session.scalars(select(Coupon))}
    for order in orders:
        coupon = coupons.get(order.coupon_id or 0)
        assert order.discount_cents == order.points_used + (coupon.value_cents if coupon else 0)
        if coupon is not None:
            assert coupon.customer_id == order.customer_id
            assert sum(item.price_cents * item.quantity for item in order.items) >= coupon.threshold_cents
            assert not any(item.product.flash_sale for item in order.items)
            assert coupon.used_at == order.created_at or order.cancelled_at is not None


def test_freight_follows_the_shops_rule(orders: list[Order]) -> None:
    for order in orders:
        goods = sum(item.price_cents * item.quantity for item in order.items)
        is_large = any(item.product.size == "large" for item in order.items)
        expected = 0 if goods >= FREE_FREIGHT_FROM_CENTS else FREIGHT_CENTS
        if is_large and order.province in REMOTE_PROVINCES:
            expected = REMOTE_LARGE_FREIGHT_CENTS
        assert order.freight_cents == expected


def test_carriers_follow_the_shops_rule(orders: list[Order]) -> None:
    for order in orders:
        small = [item for item in order.items if item.product.size == "small"]
        value = sum(item.price_cents * item.quantity for item in small)
        for parcel in order.parcels:
            if parcel.carrier in {"德邦", "日日顺"}:
                assert any(item.product.size == "large" for item in order.items)
            elif parcel.carrier == "顺丰":
                assert value > 100_000 or any(item.product.activates for item in small)
            else:
                assert 0 < value <= 100_000 and not any(item.product.activates for item in small)


def test_nothing_lies_in_the_future(session: Session) -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, UtcDateTime) and column.name not in PLANNED:
                newest = session.scalar(select(func.max(column)))
                assert newest is None or newest <= NOW, f"{table.name}.{column.name}"


def test_an_orders_times_follow_each_other(orders: list[Order]) -> None:
    for order in orders:
        assert order.customer.created_at <= order.created_at
        steps = [order.created_at, order.paid_at, order.shipped_at, order.delivered_at]
        reached = [moment for moment in steps if moment is not None]
        assert reached == sorted(reached)
        assert order.cancelled_at is None or order.cancelled_at >= reached[-1]
        assert all(invoice.issued_at is None or invoice.issued_at >= invoice.requested_at for invoice in order.invoices)


def test_a_status_says_what_has_happened(orders: list[Order]) -> None:
    for order in orders:
        status = OrderStatus(order.status)
        sent = status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED}
        assert bool(order.parcels) == sent == (order.shipped_at is not None)
        assert (order.delivered_at is not None) == (status == OrderStatus.DELIVERED)
        assert (order.cancelled_at is not None) == (status == OrderStatus.CANCELLED)
        assert any(payment.status == "succeeded" for payment in order.payments) == (order.paid_at is not None)
        if status == OrderStatus.DELIVERED:
            assert all(parcel.status == ParcelStatus.DELIVERED for parcel in order.parcels)
        if status == OrderStatus.UNPAID:
            assert age(order.created_at) < UNPAID_CLOSES_AFTER


def test_traces_never_run_backwards(orders: list[Order]) -> None:
    for order in orders:
        for parcel in order.parcels:
            moments = [event.at for event in sorted(parcel.events, key=lambda event: event.id)]
            assert moments and all(one < next_one for one, next_one in itertools.pairwise(moments))
            assert order.shipped_at is not None and moments[0] >= order.shipped_at
            if parcel.status == ParcelStatus.STUCK:
                assert age(moments[-1]) > timedelta(hours=48)
            if parcel.status == ParcelStatus.DELIVERED:
                assert parcel.signed_by is not None and parcel.signed_by in parcel.events[-1].text
            if parcel.status == ParcelStatus.OUT_FOR_DELIVERY:
                assert parcel.courier and parcel.courier_phone and parcel.courier_phone in parcel.events[-1].text


def test_order_numbers_begin_with_the_local_date_and_can_be_told_apart(orders: list[Order]) -> None:
    assert len({order.number for order in orders}) == len(orders)
    for order in orders:
        assert re.fullmatch(r"\d{15}", order.number)
        assert order.number.startswith(f"{clock.local(order.created_at):%Y%m%d}")
    tails = [(order.customer_id, order.number[-4:]) for order in orders]
    assert len(set(tails)) == len(tails)


def test_what_has_left_the_house_has_a_serial_number(orders: list[Order]) -> None:
    sent = [item for order in orders if order.shipped_at for item in order.items if not item.product.consumable]
    numbers = [item.serial_number or "" for item in sent]
    assert all(re.fullmatch(r"SN[0-9A-Z]{12}", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_addresses_lie_in_the_customers_city(orders: list[Order]) -> None:
    for order in orders:
        assert (order.city, order.province) == (order.customer.city, province_of(order.city))


def test_levels_follow_from_spending(session: Session, orders: list[Order]) -> None:
    back: Counter[int] = Counter()
    for refund in session.scalars(select(Refund).where(Refund.sent_at.is_not(None), Refund.kind != "surplus")):
        back[refund.order_id] += refund.amount_cents
    spent: Counter[int] = Counter()
    for order in orders:
        if order.paid_at and order.paid_at > NOW - 365 * DAY and not order.cancelled_at:
            spent[order.customer_id] += max(0, order.total_cents - back[order.id])
    customers = session.scalars(select(Customer)).all()
    for customer in customers:
        assert customer.spent_cents == spent[customer.id]
        assert customer.level == level_for(customer.spent_cents)
    assert min(Counter(customer.level for customer in customers).values()) >= 4


def test_points_are_the_sum_of_their_entries_and_never_below_nought(session: Session) -> None:
    balance: Counter[int] = Counter()
    for entry in session.scalars(select(PointsEntry).order_by(PointsEntry.at, PointsEntry.id)):
        balance[entry.customer_id] += entry.amount
        assert balance[entry.customer_id] >= 0
    for customer in session.scalars(select(Customer)):
        assert customer.points == balance[customer.id]


def test_coupons_are_of_every_sort_and_five_at_most(session: Session) -> None:
    coupons = session.scalars(select(Coupon)).all()
    unused = [coupon for coupon in coupons if coupon.used_at is None]
    assert max(Counter(coupon.customer_id for coupon in coupons).values()) <= 5
    assert all(coupon.valid_from < coupon.valid_to for coupon in coupons)
    assert all(coupon.valid_from <= coupon.used_at <= coupon.valid_to for coupon in coupons if coupon.used_at)
    for some in (
        [coupon for coupon in unused if coupon.valid_to > NOW],
        [coupon for coupon in unused if coupon.valid_to < NOW],
        [coupon for coupon in unused if NOW < coupon.valid_to < NOW + 3 * DAY],
        [coupon for coupon in coupons if coupon.used_at],
        [coupon for coupon in coupons if coupon.kinds],
    ):
        assert len(some) >= LEAST


def test_cases_and_refunds_come_in_every_status(session: Session) -> None:
    cases = session.scalars(select(AfterSalesCase)).all()
    assert min(Counter(case.status for case in cases)[status] for status in CaseStatus) >= LEAST
    refunds = session.scalars(select(Refund)).all()
    assert min(Counter(refund.status for refund in refunds)[status] for status in RefundStatus) >= LEAST
    assert all(re.fullmatch(r"AS\d{10}", case.number) for case in cases)
    for case in cases:
        assert case.order.delivered_at is not None and case.order.delivered_at < case.created_at <= case.updated_at
        assert (case.pickup_at is not None and case.pickup_at > NOW) == (case.status == CaseStatus.PICKUP)
    for refund in refunds:
        assert 0 < refund.amount_cents <= refund.order.total_cents
        assert refund.arrived_at is None or (refund.sent_at is not None and refund.arrived_at >= refund.sent_at)


def test_the_faces_are_the_first_eight_and_as_planned(session: Session) -> None:
    faces = generate.faces(session)
    assert [face["id"] for face in faces] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [face["name"] for face in faces] == [face.name for face in people.FACES]
    assert [face["level_label"] for face in faces] == [face.level.label for face in people.FACES]
    assert all(face["hint"] for face in faces)


def test_everybody_is_known_on_the_site(session: Session) -> None:
    known = session.scalars(select(ChannelIdentity.customer_id).where(ChannelIdentity.channel == "site")).all()
    assert sorted(known) == list(range(1, people.CUSTOMERS + 1))


def test_the_desk_has_its_people_and_their_ready_answers(session: Session) -> None:
    agents = {agent.name: agent for agent in session.scalars(select(Agent))}
    assert {name: agent.role for name, agent in agents.items()} == {
        "xiaolin": "agent", "xiaozhou": "agent", "xiaohe": "agent", "laochen": "supervisor", "admin": "admin",
    }  # fmt: skip
    assert {skill.skill: skill.proficiency for skill in agents["xiaolin"].skills} == {"after_sales": 4, "logistics": 5}
    assert all(agent.presence == "offline" and agent.password_hash == "hashed demo" for agent in agents.values())
    replies = session.scalars(select(CannedReply)).all()
    assert len(replies) >= 25
    assert any("{客户}" in reply.text and "{坐席}" in reply.text for reply in replies)


def test_tickets_come_in_every_kind_and_status(session: Session) -> None:
    tickets = session.scalars(select(Ticket)).all()
    assert {(ticket.kind, ticket.status) for ticket in tickets} == {(k, s) for k in TicketKind for s in TicketStatus}
    assert all(re.fullmatch(r"GD\d{10}", ticket.number) and ticket.customer_id for ticket in tickets)
    assert all((ticket.solved_at is not None) == (ticket.status == TicketStatus.SOLVED) for ticket in tickets)
    for ticket in tickets:
        told = [line["at"] for line in ticket.progress]
        assert told and told == sorted(told) and told[-1] <= (clock.iso(NOW) or "")


def test_repairs_come_in_every_status_and_visits_can_be_moved_or_not(session: Session) -> None:
    repairs = session.scalars(select(Repair)).all()
    assert min(Counter(repair.status for repair in repairs)[status] for status in demo.REPAIR_STATUSES) >= 9
    assert all(re.fullmatch(r"WX\d{10}", repair.number) for repair in repairs)
    visits = session.scalars(select(Visit)).all()
    assert set(Counter(visit.status for visit in visits)) == {"booked", "done", "cancelled"}
    assert all(visit.day <= clock.local(NOW).date() for visit in visits if visit.status == "done")
    begins = [times.at_hour(datetime(v.day.year, v.day.month, v.day.day, 4, tzinfo=UTC), demo.SLOT_HOURS[v.slot])
              for v in visits if v.status == "booked"]  # fmt: skip
    assert all(begin < NOW + 8 * DAY for begin in begins)
    assert sum(begin > NOW + demo.NOT_MOVABLE for begin in begins) >= LEAST
    assert sum(begin <= NOW + demo.NOT_MOVABLE for begin in begins) == 1


def test_the_same_seed_gives_the_same_shop(engine: Engine, tmp_path: Path) -> None:
    second = make_engine(f"sqlite:///{tmp_path / 'second.db'}")
    fill(second)
    with engine.connect() as one, second.connect() as other:
        for table in metadata.sorted_tables:
            query = select(table).order_by(*table.primary_key.columns)
            assert one.execute(query).all() == other.execute(query).all(), table.name
    second.dispose()


def test_a_database_with_customers_is_left_alone(engine: Engine) -> None:
    with pytest.raises(Conflict, match="has customers already"), writing(engine) as session:
        generate.load(session, now=NOW)
