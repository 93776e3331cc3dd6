"""What members see of their coupons, points and level."""

from datetime import timedelta

import pytest

from core import clock, db
from core.errors import Refusal
from crm.customers.access import ORDER, SIGNED_IN, Access
from crm.loyalty import usecases as loyalty
from crm.loyalty.models import Coupon, PointsEntry
from crm.loyalty.rules import CouponState, Level
from migrations.models import metadata
from tests.shop import Shop

NOW = clock.now()


@pytest.fixture
def shop(tmp_path):
    engine = db.make_engine(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(engine)
    return Shop(engine)


def coupon(shop, customer, days=10, **given):
    values = {
        "name": "满500减50",
        "code": f"C{days}{len(given)}{customer.id}",
        "value_cents": 5_000,
        "threshold_cents": 50_000,
        "kinds": [],
        "valid_from": NOW - timedelta(days=20),
        "valid_to": NOW + timedelta(days=days),
    }
    return shop.add(Coupon(customer_id=customer.id, **{**values, **given}))


def test_the_coupon_that_ends_first_is_shown_first_and_the_used_one_last(shop):
    me = shop.customer()
    coupon(shop, me, 10)
    coupon(shop, me, 2)
    coupon(shop, me, 5, used_at=NOW)
    coupon(shop, me, -1)
    with shop.session() as session:
        held = loyalty.coupons(session, Access(me, SIGNED_IN), NOW)
    assert [h.state for h in held] == [CouponState.SOON, CouponState.VALID, CouponState.USED, CouponState.EXPIRED]


def test_nobody_sees_the_coupons_of_another(shop):
    me, other = shop.customer(), shop.customer()
    coupon(shop, other)
    with shop.session() as session:
        assert loyalty.coupons(session, Access(me, SIGNED_IN), NOW) == []


def test_who_proved_only_one_order_sees_nothing_of_the_account(shop):
    access = Access(shop.customer(), ORDER, frozenset({"1"}))
    with shop.session() as session:
        for look in (
            lambda: loyalty.coupons(session, access, NOW),
            lambda: loyalty.points(session, access, NOW),
            lambda: loyalty.membership(access),
        ):
            with pytest.raises(Refusal):
                look()


def test_points_are_told_with_their_worth_what_comes_and_what_is_lost(shop):
    me = shop.customer(points=800)
    end = clock.local(NOW).replace(month=12, day=31, hour=23, minute=59, second=59, microsecond=0)
    shop.add(
        PointsEntry(customer_id=me.id, amount=800, reason="购物奖励", at=NOW - timedelta(days=380), expires_at=end)
    )
    shop.order(me, status="delivered", delivered_ago=timedelta(days=2))
    with shop.session() as session:
        purse = loyalty.points(session, Access(me, SIGNED_IN), NOW)
    assert (purse.balance, purse.worth_cents, purse.expiring, purse.coming) == (800, 800, 800, 399)
    assert purse.coming_at is not None and purse.coming_at > NOW


def test_an_order_already_credited_is_not_announced_again(shop):
    me = shop.customer(points=399)
    order = shop.order(me, status="delivered", delivered_ago=timedelta(days=6))
    shop.add(PointsEntry(customer_id=me.id, amount=399, reason="购物奖励", at=NOW, order_number=order.number))
    with shop.session() as session:
        assert loyalty.points(session, Access(me, SIGNED_IN), NOW).coming == 0


def test_a_member_learns_level_and_way_up(shop):
    me = shop.customer(level="silver", spent_cents=500_000)
    found = loyalty.membership(Access(me, SIGNED_IN))
    assert found.level == Level.SILVER and found.following == (Level.GOLD, 300_000)
