"""When a price difference goes back, and what a payment's state is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.loyalty.rules import Level
from crm.orders import price_rules as rules
from crm.orders.price_rules import Bought, NoProtection, PaymentState

PAID = date(2026, 8, 3)
CHEAPER = Bought(PAID, Level.NORMAL, 129_900, 119_900, pieces=2)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


def test_the_difference_of_all_pieces_goes_back():
    assert rules.why_not(CHEAPER, PAID + timedelta(days=7)) is None
    assert rules.difference_cents(CHEAPER) == 20_000


@pytest.mark.parametrize(
    ("level", "days"), [(Level.NORMAL, 7), (Level.SILVER, 15), (Level.GOLD, 30), (Level.PLATINUM, 30)]
)
def test_the_level_decides_how_long(level, days):
    bought = replace(CHEAPER, level=level)
    assert rules.why_not(bought, PAID + timedelta(days=days)) is None
    assert rules.why_not(bought, PAID + timedelta(days=days + 1)) == NoProtection.OUTSIDE


@pytest.mark.parametrize("paid", [date(2026, 6, 18), date(2026, 11, 11)])
def test_after_618_and_double_eleven_everybody_has_thirty_days(paid):
    assert rules.protected_until(Level.NORMAL, paid) == paid + timedelta(days=30)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flash_sale": True}, NoProtection.FLASH_SALE),
        ({"clearance": True}, NoProtection.CLEARANCE),
        ({"with_coupon": True}, NoProtection.COUPON),
        ({"done": True}, NoProtection.DONE),
        ({"returned": True}, NoProtection.RETURNED),
        ({"cancelled": True}, NoProtection.CANCELLED),
        ({"paid_day": None}, NoProtection.UNPAID),
        ({"price_now_cents": 129_900}, NoProtection.NOT_LOWER),
    ],
)
def test_each_exclusion_is_named(change, reason):
    assert rules.why_not(replace(CHEAPER, **change), PAID) == reason


@given(
    st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 20), st.integers(0, 60), st.sampled_from(list(Level))
)
def test_money_goes_back_only_when_cheaper_and_in_time(price, now, pieces, days, level):
    bought = Bought(PAID, level, price, now, pieces)
    given_back = rules.why_not(bought, PAID + timedelta(days=days)) is None
    assert given_back == (now < price and days <= rules.protection_days(level, PAID))
    assert 0 <= rules.difference_cents(bought) <= price * pieces


@pytest.mark.parametrize(
    ("status", "payments", "state"),
    [
        ("paid", [("succeeded", 60), ("surplus", 50)], PaymentState.SURPLUS),
        ("paid", [("succeeded", 60), ("returned", 50)], PaymentState.SURPLUS_RETURNED),
        ("shipped", [("succeeded", 60)], PaymentState.PAID),
        ("unpaid", [], PaymentState.NEVER),
        ("unpaid", [("failed", 5)], PaymentState.FAILED),
        ("unpaid", [("failed", 20), ("pending", 5)], PaymentState.PENDING),
        ("unpaid", [("pending", 31)], PaymentState.OVERDUE),
        ("unpaid", [("succeeded", 5)], PaymentState.OVERDUE),
        ("cancelled", [("failed", 5)], PaymentState.CLOSED),
    ],
)
def test_a_payments_state_follows_from_what_was_tried(status, payments, state):
    tried = [(s, NOW - timedelta(minutes=m)) for s, m in payments]
    assert rules.payment_state(status, tried, NOW) == state
