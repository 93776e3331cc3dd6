"""Levels, points and coupons as rules."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm.loyalty.rules import (
    BENEFITS,
    LEVEL_FROM_CENTS,
    Basket,
    CouponState,
    Level,
    Movement,
    above,
    coupon_state,
    end_of_year,
    expiring,
    level_for,
    most_cents_by_points,
    points_for,
    why_not_coupon,
    worth_cents,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
cents = st.integers(0, 10_000_000)


def test_a_silver_member_learns_what_is_missing_for_gold():
    assert above(Level.SILVER, 650_000) == (Level.GOLD, 150_000)


def test_a_platinum_member_is_at_the_top():
    assert above(Level.PLATINUM, 3_500_000) is None


def test_a_level_kept_from_last_year_still_counts_towards_the_next():
    assert above(Level.GOLD, 100_000) == (Level.PLATINUM, 2_900_000)


@given(cents)
def test_spending_never_leaves_something_missing_for_a_level_that_is_earned(spent):
    following = above(level_for(spent), spent)
    assert following is None or following[1] > 0


@given(cents)
def test_who_spends_what_is_missing_has_the_next_level(spent):
    following = above(level_for(spent), spent)
    if following:
        assert level_for(spent + following[1]) == following[0]


def test_every_level_has_benefits_and_a_threshold():
    assert set(BENEFITS) == set(Level) == set(LEVEL_FROM_CENTS)


def test_gold_and_platinum_earn_more_points():
    assert [points_for(100_000, level) for level in Level] == [1000, 1000, 1200, 1500]


def test_a_hundred_points_are_one_yuan():
    assert worth_cents(100) == 100


@given(cents, st.integers(0, 1_000_000))
def test_points_never_pay_more_than_thirty_per_cent_nor_more_than_their_worth(order, points):
    off = most_cents_by_points(order, points)
    assert 0 <= off <= worth_cents(points)
    assert off * 100 <= order * 30


def test_last_years_points_are_lost_at_the_end_of_this_year_unless_spent():
    end = end_of_year(NOW)
    earned = [Movement(500, NOW - 400 * DAY, end), Movement(300, NOW - 10 * DAY, end.replace(year=2027))]
    assert expiring(earned, NOW, end) == 500
    assert expiring([*earned, Movement(-200, NOW - DAY)], NOW, end) == 300
    assert expiring([*earned, Movement(-700, NOW - DAY)], NOW, end) == 0


@given(st.lists(st.integers(-2000, 2000), max_size=20))
def test_never_more_points_are_said_to_expire_than_were_earned(amounts):
    end = end_of_year(NOW)
    movements = [Movement(a, NOW - DAY, end if a > 0 else None) for a in amounts]
    assert 0 <= expiring(movements, NOW, end) <= sum(a for a in amounts if a > 0)


def test_a_coupon_ending_within_three_days_is_told_as_ending_soon():
    assert coupon_state(NOW - DAY, NOW + 2 * DAY, None, NOW) == CouponState.SOON
    assert coupon_state(NOW - DAY, NOW + 4 * DAY, None, NOW) == CouponState.VALID


def test_used_expired_and_coming_coupons_are_told_apart():
    assert coupon_state(NOW - DAY, NOW + DAY, NOW, NOW) == CouponState.USED
    assert coupon_state(NOW - 9 * DAY, NOW, None, NOW) == CouponState.EXPIRED
    assert coupon_state(NOW + DAY, NOW + 9 * DAY, None, NOW) == CouponState.LATER


def test_the_reason_why_a_coupon_does_not_work_is_named():
    def why(basket, kinds=(), least=50_000):
        return why_not_coupon(CouponState.VALID, least, kinds, basket)

    assert why(Basket(60_000, frozenset({"手机"}))) is None
    assert "还差 100 元" in (why(Basket(40_000, frozenset({"手机"}))) or "")
    assert "秒杀" in (why(Basket(60_000, frozenset({"手机"}), flash_sale=True)) or "")
    assert "只能买冰箱" in (why(Basket(60_000, frozenset({"手机"})), kinds=("冰箱",)) or "")
    assert "有效期" in (why_not_coupon(CouponState.EXPIRED, 0, ()) or "")
