"""Price protection, and what went wrong with a payment. Source of every number: docs/shop.md.

Pure: local days and times are passed in, money in cents.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from crm.loyalty.rules import PRICE_PROTECTION_DAYS, Level

BIG_SALE_DAYS = 30  # for everybody
BIG_SALES = (((6, 1), (6, 20)), ((10, 31), (11, 12)))  # 618 and 双十一: first and last day of paying
PAYOUT_WORKING_DAYS = 3
PENDING_FOR = timedelta(minutes=30)  # how long a payment's result may take


class NoProtection(StrEnum):
    """Why a difference is not given back."""

    UNPAID = "unpaid"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    DONE = "done"
    OUTSIDE = "outside"
    NOT_LOWER = "not_lower"
    FLASH_SALE = "flash_sale"
    CLEARANCE = "clearance"
    COUPON = "coupon"


@dataclass(frozen=True)
class Bought:
    """What a decision needs to know of an item. Prices of one piece; ``paid_day`` None: not paid."""

    paid_day: date | None
    level: Level
    price_cents: int
    price_now_cents: int
    pieces: int = 1
    cancelled: bool = False
    returned: bool = False
    done: bool = False
    flash_sale: bool = False
    clearance: bool = False
    with_coupon: bool = False


def is_big_sale(day: date) -> bool:
    """Whether an order paid that day belongs to 618 or 双十一."""
    return any(first <= (day.month, day.day) <= last for first, last in BIG_SALES)


def protection_days(level: Level, paid_day: date) -> int:
    """Days of protection from the day of payment."""
    return max(PRICE_PROTECTION_DAYS[level], BIG_SALE_DAYS if is_big_sale(paid_day) else 0)


def protected_until(level: Level, paid_day: date) -> date:
    """The last protected day."""
    return paid_day + timedelta(days=protection_days(level, paid_day))


def difference_cents(bought: Bought) -> int:
    """What the pieces would cost less today; never negative."""
    return max(bought.price_cents - bought.price_now_cents, 0) * bought.pieces


def why_not(bought: Bought, today: date) -> NoProtection | None:
    """None when the difference is given back; otherwise the first reason against it."""
    if bought.cancelled:
        return NoProtection.CANCELLED
    if bought.paid_day is None:
        return NoProtection.UNPAID
    if bought.returned:
        return NoProtection.RETURNED
    if bought.done:
        return NoProtection.DONE
    if today > protected_until(bought.level, bought.paid_day):
        return NoProtection.OUTSIDE
    if difference_cents(bought) == 0:
        return NoProtection.NOT_LOWER
    if bought.flash_sale:
        return NoProtection.FLASH_SALE
    if bought.clearance:
        return NoProtection.CLEARANCE
    return NoProtection.COUPON if bought.with_coupon else None


class PaymentState(StrEnum):
    """How the paying of an order stands."""

    SURPLUS = "surplus"  # paid twice, the second time is with us
    SURPLUS_RETURNED = "surplus_returned"
    PAID = "paid"
    PENDING = "pending"  # the result is on its way
    OVERDUE = "overdue"  # it should have come by now
    FAILED = "failed"
    NEVER = "never"  # nobody tried, as far as we know
    CLOSED = "closed"


def payment_state(order_status: str, payments: list[tuple[str, datetime]], now: datetime) -> PaymentState:
    """From an order's status and its payments as (status, time), oldest first."""
    statuses = [status for status, _ in payments]
    if "surplus" in statuses:
        return PaymentState.SURPLUS
    if "returned" in statuses:
        return PaymentState.SURPLUS_RETURNED
    if order_status == "cancelled":
        return PaymentState.CLOSED
    if order_status != "unpaid":
        return PaymentState.PAID
    if not payments:
        return PaymentState.NEVER
    last, at = payments[-1]
    if last == "pending":
        return PaymentState.PENDING if now - at < PENDING_FOR else PaymentState.OVERDUE
    return PaymentState.FAILED if last == "failed" else PaymentState.OVERDUE
