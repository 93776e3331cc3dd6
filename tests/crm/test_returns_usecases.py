"""Returns, exchanges and refunds on a database: what the customer gets, and what is refused."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.clock import local
from core.db import make_engine, writing
from core.errors import Refusal
from crm.catalogue.models import Stock
from crm.customers.access import ORDER, SIGNED_IN, Access
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem, Payment, PriceProtection
from crm.returns import usecases as returns
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseKind, CaseStatus, Problem, RefundStatus, Settlement, When
from migrations.models import metadata
from tests.shop import Shop

DAY = timedelta(days=1)


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    engine = make_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Any) -> Any:
    with writing(engine) as session:
        yield session


class OneSession(Shop):
    """Makes its records in the test's own transaction: a second writer would wait for it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._one = session

    def add(self, record: Any) -> Any:
        self._one.add(record)
        self._one.flush()
        return record


@pytest.fixture
def shop(session: Session) -> Shop:
    return OneSession(session)


def bought(session: Session, order: Order) -> OrderItem:
    """The order's first piece in this session."""
    found = session.get(Order, order.id)
    assert found is not None
    return found.items[0]


def pickup(item: OrderItem, now: datetime) -> datetime:
    return returns.pickup_time(local(now).date() + DAY, "day", item, now)


def send_back(session: Session, item: OrderItem, *, quality: bool = False, pieces: int = 1, **more: Any) -> Any:
    now = clock.now()
    return returns.book_return(
        session,
        item,
        now,
        reason="不喜欢",
        quality=quality,
        facts=returns.goods(item),
        pieces=pieces,
        pickup_at=pickup(item, now),
        **more,
    )


def swap(session: Session, item: OrderItem, color: str, **more: Any) -> AfterSalesCase:
    now = clock.now()
    return returns.book_exchange(
        session,
        item,
        now,
        reason="坏了",
        quality=True,
        facts=returns.goods(item),
        pieces=1,
        color=color,
        pickup_at=pickup(item, now),
        **more,
    )


def test_a_return_for_a_change_of_mind_pays_back_what_was_paid_less_the_pick_up(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    case, promised = send_back(session, item)
    assert (case.kind, case.status) == (CaseKind.RETURN, CaseStatus.PICKUP)
    assert promised.refund_cents == 39_900 - 1_200
    refund = session.scalars(select(Refund)).one()
    assert (refund.amount_cents, refund.status, refund.method) == (38_700, RefundStatus.WAITING_GOODS, "wechat")
    assert refund.due_at is None and refund.case_id == case.id
    assert local(case.pickup_at).hour == 9 and case.pickup_at > clock.now()


def test_a_faulty_piece_goes_back_free_of_charge_with_the_freight_of_the_order(shop: Shop, session: Session) -> None:
    order = shop.order(shop.customer(), status="delivered", freight_cents=800, total_cents=40_700)
    _, promised = send_back(session, bought(session, order), quality=True)
    assert (promised.refund_cents, promised.freight_cents) == (40_700, 0)


def test_a_gold_member_sends_two_things_back_free_and_pays_for_the_third(shop: Shop, session: Session) -> None:
    customer = shop.customer(level="gold")
    promised = [send_back(session, bought(session, shop.order(customer, status="delivered")))[1] for _ in range(3)]
    assert [p.freight_cents for p in promised] == [0, 0, 1_200]
    assert [p.covered for p in promised] == [True, True, False]


def test_one_of_several_pieces_gets_its_share_of_what_was_paid(shop: Shop, session: Session) -> None:
    order = shop.order(shop.customer(), shop.product(), shop.product(price_cents=20_100), status="delivered")
    item = bought(session, order)
    item.order.total_cents -= 6_000  # a coupon of 60 yuan on 600
    item.order.discount_cents = 6_000
    session.flush()
    _, promised = send_back(session, item, quality=True)
    assert promised.refund_cents == 39_900 * 54_000 // 60_000


def test_a_price_difference_paid_back_before_is_not_paid_twice(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    item.protected_cents = 5_000
    _, promised = send_back(session, item, quality=True)
    assert promised.refund_cents == 34_900


def test_two_of_three_pieces_of_a_line_can_be_sent_back(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered", total_cents=39_900 * 3))
    item.quantity = 3
    case, promised = send_back(session, item, quality=True, pieces=2)
    assert promised.refund_cents == 79_800 and "3 件中的 2 件" in case.reason


def test_a_second_return_of_the_same_piece_is_refused_with_the_first_ones_number(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    case, _ = send_back(session, item)
    with pytest.raises(Refusal, match=case.number) as refused:
        send_back(session, item)
    assert refused.value.code == "case_open"


@pytest.mark.parametrize("status", ["unpaid", "paid", "packed", "shipped", "cancelled"])
def test_what_has_not_arrived_cannot_be_sent_back_and_the_way_on_is_told(
    shop: Shop, session: Session, status: str
) -> None:
    item = bought(session, shop.order(shop.customer(), status=status))
    with pytest.raises(Refusal) as refused:
        send_back(session, item)
    assert refused.value.code == f"not_arrived_{status}" and refused.value.way_on


def test_a_change_of_mind_after_the_eighth_day_is_refused(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered", delivered_ago=9 * DAY))
    with pytest.raises(Refusal) as refused:
        send_back(session, item)
    assert refused.value.code == "return_late"


def test_a_return_called_off_is_ended_and_no_money_is_due(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    case, _ = send_back(session, item)
    returns.call_off(session, case, clock.now())
    assert case.status == CaseStatus.CANCELLED and session.scalars(select(Refund)).all() == []
    send_back(session, item)  # and can be asked for again


@pytest.mark.parametrize("status", [s for s in CaseStatus if s not in {CaseStatus.WAITING, CaseStatus.PICKUP}])
def test_a_case_under_way_cannot_be_called_off(shop: Shop, session: Session, status: CaseStatus) -> None:
    case, _ = send_back(session, bought(session, shop.order(shop.customer(), status="delivered")))
    case.status = status.value
    session.flush()
    with pytest.raises(Refusal):
        returns.call_off(session, case, clock.now())


def test_an_exchange_in_place_of_a_return_ends_the_return(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    old, _ = send_back(session, item)
    case = swap(session, item, "白色", replacing=old)
    assert (old.status, case.status) == (CaseStatus.CANCELLED, CaseStatus.PICKUP)
    assert session.scalars(select(Refund)).all() == []


def test_a_colour_out_of_stock_cannot_be_had(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    session.scalars(select(Stock).where(Stock.product_id == item.product_id, Stock.color == "黑色")).one().quantity = 0
    with pytest.raises(Refusal) as refused:
        swap(session, item, "黑色")
    assert refused.value.code == "color_out"
    assert returns.check_colors(session, item, 1) == ["白色"]
    with pytest.raises(Refusal):
        returns.check_colors(session, item, 1, other_than="白色")


def settle(session: Session, item: OrderItem, problem: Problem, wanted: Settlement) -> Any:
    now = clock.now()
    return returns.settle_problem(
        session,
        item,
        now,
        problem=problem,
        wanted=wanted,
        reason="少了遥控器",
        facts=returns.goods(item),
        pieces=1,
        pickup_at=pickup(item, now),
    )


def test_a_missing_part_is_sent_after_without_a_pick_up(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    case, _ = settle(session, item, Problem.PART, Settlement.EXCHANGE)
    assert (case.kind, case.status, case.pickup_at) == (CaseKind.RESEND, CaseStatus.WAITING, None)


def test_a_missing_piece_is_paid_back_without_anything_to_send(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    case, promised = settle(session, item, Problem.MISSING, Settlement.REFUND)
    refund = session.scalars(select(Refund)).one()
    assert (refund.status, refund.amount_cents) == (RefundStatus.APPROVED, 39_900)
    assert refund.due_at is not None and case.pickup_at is None and promised.freight_cents == 0


def test_a_damaged_piece_is_swapped_at_our_cost(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered"))
    case, _ = settle(session, item, Problem.DAMAGED, Settlement.RESEND)
    assert (case.kind, case.status, case.quality_problem) == (CaseKind.EXCHANGE, CaseStatus.PICKUP, True)


def test_after_48_hours_a_person_looks_at_it_first(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), status="delivered", delivered_ago=3 * DAY))
    now = clock.now()
    assert returns.check_report(session, item, now, Problem.PART, returns.goods(item)) == When.LATE
    with pytest.raises(Refusal) as refused:
        returns.check_report(session, item, now, Problem.FAULTY, returns.goods(item))
    assert refused.value.code == "report_late_return"
    with pytest.raises(Refusal):
        settle(session, item, Problem.PART, Settlement.RESEND)


def test_only_the_own_cases_and_only_of_the_proved_order_are_seen(shop: Shop, session: Session) -> None:
    customer, other = shop.customer(), shop.customer()
    first, second = (shop.order(customer, status="delivered") for _ in range(2))
    for order in (first, second):
        send_back(session, bought(session, order))
    everything = Access(customer, SIGNED_IN)
    assert len(returns.open_cases(session, everything)) == 2
    assert len(returns.open_cases(session, Access(customer, ORDER, frozenset({first.number})))) == 1
    assert returns.open_cases(session, Access(other, SIGNED_IN)) == []
    assert returns.open_cases(session, everything, (CaseKind.EXCHANGE,)) == []


def lose(session: Session, order: Order) -> Order:
    found = session.get(Order, order.id)
    assert found is not None
    found.parcels[0].status = "lost"
    session.flush()
    return found


def test_a_lost_parcel_is_paid_back_whole_once(shop: Shop, session: Session) -> None:
    order = lose(session, shop.order(shop.customer(), status="shipped", freight_cents=800, total_cents=40_700))
    _, refund = returns.settle_lost(session, order, clock.now(), Settlement.REFUND)
    assert refund is not None and (refund.amount_cents, refund.kind) == (40_700, "lost")
    with pytest.raises(Refusal) as refused:
        returns.settle_lost(session, order, clock.now(), Settlement.RESEND)
    assert refused.value.code == "lost_settled"


def test_lost_goods_are_sent_again_when_there_are_any(shop: Shop, session: Session) -> None:
    order = lose(session, shop.order(shop.customer(), shop.product(), shop.product(), status="shipped"))
    cases, refund = returns.settle_lost(session, order, clock.now(), Settlement.RESEND)
    assert refund is None and [c.status for c in cases] == [CaseStatus.WAITING] * 2
    gone = lose(session, shop.order(shop.customer(), shop.product(quantity=0), status="shipped"))
    with pytest.raises(Refusal) as refused:
        returns.settle_lost(session, gone, clock.now(), Settlement.RESEND)
    assert refused.value.code == "lost_no_stock"


@pytest.mark.parametrize("status", ["unpaid", "paid", "packed", "shipped", "cancelled"])
def test_nothing_can_be_missing_before_it_should_be_there(shop: Shop, session: Session, status: str) -> None:
    order = session.get(Order, shop.order(shop.customer(), status=status).id)
    assert order is not None
    with pytest.raises(Refusal):
        returns.check_not_received(order, clock.now())


def test_what_was_signed_for_can_be_missing_for_60_days(shop: Shop, session: Session) -> None:
    new = session.get(Order, shop.order(shop.customer(), status="delivered").id)
    old = session.get(Order, shop.order(shop.customer(), status="delivered", delivered_ago=61 * DAY).id)
    assert new is not None and old is not None
    returns.check_not_received(new, clock.now())
    with pytest.raises(Refusal):
        returns.check_not_received(old, clock.now())


def test_money_on_its_way_is_found_before_money_that_has_arrived(shop: Shop, session: Session) -> None:
    customer = shop.customer()
    there, coming, _ = (shop.order(customer, status="cancelled") for _ in range(3))
    now = clock.now()
    for order, status in ((there, "arrived"), (coming, "sent")):
        session.add(
            Refund(
                order_id=order.id,
                amount_cents=100,
                method="wechat",
                kind="cancelled",
                status=status,
                created_at=now - DAY,
                due_at=now - timedelta(hours=1),
            )
        )
    session.flush()
    access = Access(customer, SIGNED_IN)
    assert [o.id for o in returns.with_money(session, access)] == [coming.id]
    assert returns.late(returns.refunds_of(session, coming)[0], now)
    assert not returns.late(returns.refunds_of(session, there)[0], now)


def test_price_differences_and_double_payments_are_found_too(shop: Shop, session: Session) -> None:
    customer = shop.customer()
    order = session.get(Order, shop.order(customer, status="paid").id)
    assert order is not None
    now = clock.now()
    session.add(PriceProtection(item_id=order.items[0].id, amount_cents=5_000, requested_at=now, due_at=now + 3 * DAY))
    order.payments.append(Payment(method="wechat", amount_cents=39_900, status="surplus", at=now))
    session.flush()
    assert [o.id for o in returns.with_money(session, Access(customer, SIGNED_IN))] == [order.id]
    assert [p.amount_cents for p in returns.protections(session, order)] == [5_000]
    assert returns.surplus_cents(order) == 39_900


def test_the_day_of_a_pick_up_is_moved_into_what_can_be_booked(shop: Shop, session: Session) -> None:
    item = bought(session, shop.order(shop.customer(), shop.product(size="large"), status="delivered"))
    now = clock.now()
    today = local(now).date()
    for wish in (today, today + DAY, today + 30 * DAY, date(2020, 1, 1)):
        at = local(returns.pickup_time(wish, "afternoon", item, now))
        assert today < at.date() <= today + 3 * DAY and at.hour == 14


def test_orders_within_the_span_are_offered_first(shop: Shop, session: Session) -> None:
    customer = shop.customer()
    old = shop.order(customer, status="delivered", delivered_ago=30 * DAY)
    access = Access(customer, SIGNED_IN)
    assert [o.id for o in returns.for_aftersales(session, access, clock.now(), 7)] == [old.id]
    new = shop.order(customer, status="delivered")
    assert [o.id for o in returns.for_aftersales(session, access, clock.now(), 7)] == [new.id]
    assert orders.find(session, access, new.number) is not None
