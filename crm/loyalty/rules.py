"""Membership levels, points and coupons. Source of every number: docs/shop.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Level(StrEnum):
    """The levels, lowest first."""

    NORMAL = "normal"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"normal": "普通会员", "silver": "银卡会员", "gold": "金卡会员", "platinum": "铂金会员"}[self]


LEVEL_FROM_CENTS = {
    Level.NORMAL: 0,
    Level.SILVER: 200_000,
    Level.GOLD: 800_000,
    Level.PLATINUM: 3_000_000,
}
PRICE_PROTECTION_DAYS = {Level.NORMAL: 7, Level.SILVER: 15, Level.GOLD: 30, Level.PLATINUM: 30}


def level_for(spent_cents: int) -> Level:
    """The level earned by spending of the last 12 months."""
    return max(
        (level for level, least in LEVEL_FROM_CENTS.items() if spent_cents >= least),
        key=lambda level: LEVEL_FROM_CENTS[level],
    )


def next_level(spent_cents: int) -> tuple[Level, int] | None:
    """The next level and the cents still missing; None at the top."""
    for level, least in LEVEL_FROM_CENTS.items():
        if spent_cents < least:
            return level, least - spent_cents
    return None


def above(level: Level, spent_cents: int) -> tuple[Level, int] | None:
    """The level above the one held, and the cents still missing for it; None at the top.

    A level is kept for a year, so it can be higher than the spending of the last 12 months alone would give.
    """
    levels = list(LEVEL_FROM_CENTS)
    place = levels.index(level)
    if place + 1 == len(levels):
        return None
    following = levels[place + 1]
    return following, max(0, LEVEL_FROM_CENTS[following] - spent_cents)


POINTS_PER_YUAN = {Level.NORMAL: 1.0, Level.SILVER: 1.0, Level.GOLD: 1.2, Level.PLATINUM: 1.5}
POINTS_CREDITED_AFTER = timedelta(days=7)  # after signing
POINT_CENTS = 1  # 100 points are 1 yuan
POINTS_SHARE_PERCENT = 30  # of an order, at most
COUPON_SOON = timedelta(days=3)

BENEFITS = {
    Level.NORMAL: ("7 天价格保护", "每消费 1 元积 1 分"),
    Level.SILVER: ("15 天价格保护", "每消费 1 元积 1 分"),
    Level.GOLD: ("30 天价格保护", "每消费 1 元积 1.2 分", "一年 2 次免运费退货", "生日送 50 元券"),
    Level.PLATINUM: (
        "30 天价格保护",
        "每消费 1 元积 1.5 分",
        "一年 2 次免运费退货",
        "生日送 50 元券",
        "专属客户经理、优先接入人工",
        "每年免费清洗 1 台空调",
    ),
}


def points_for(paid_cents: int, level: Level) -> int:
    """Points an order brings."""
    return int(paid_cents // 100 * POINTS_PER_YUAN[level])


def worth_cents(points: int) -> int:
    """What points are worth when paying."""
    return max(0, points) * POINT_CENTS


def most_cents_by_points(order_cents: int, points: int) -> int:
    """What points can take off an order: their worth, but no more than 30 % of it."""
    return min(worth_cents(points), max(0, order_cents) * POINTS_SHARE_PERCENT // 100)


def end_of_year(local_moment: datetime) -> datetime:
    """The last second of the year, in the zone of the moment: when last year's points are lost."""
    return local_moment.replace(month=12, day=31, hour=23, minute=59, second=59, microsecond=0)


@dataclass(frozen=True)
class Movement:
    """Points earned (``amount`` > 0, with their end) or spent."""

    amount: int
    at: datetime
    expires_at: datetime | None = None


def expiring(movements: Sequence[Movement], now: datetime, by: datetime) -> int:
    """Points that are lost up to ``by`` unless spent before. What was spent is taken from the oldest lot first."""
    ever = datetime.max.replace(tzinfo=now.tzinfo)
    lots = sorted((m for m in movements if m.amount > 0), key=lambda m: (m.expires_at or ever, m.at))
    spent = -sum(m.amount for m in movements if m.amount < 0)
    lost = 0
    for lot in lots:
        left = max(0, lot.amount - spent)
        spent = max(0, spent - lot.amount)
        if lot.expires_at is not None and now < lot.expires_at <= by:
            lost += left
    return lost


class CouponState(StrEnum):
    """How a coupon stands; in the order in which they are shown."""

    SOON = "soon"
    VALID = "valid"
    LATER = "later"
    USED = "used"
    EXPIRED = "expired"


def coupon_state(valid_from: datetime, valid_to: datetime, used_at: datetime | None, now: datetime) -> CouponState:
    """Used, expired, not begun, about to end (within 3 days) or good."""
    if used_at is not None:
        return CouponState.USED
    if valid_to <= now:
        return CouponState.EXPIRED
    if valid_from > now:
        return CouponState.LATER
    return CouponState.SOON if valid_to - now <= COUPON_SOON else CouponState.VALID


@dataclass(frozen=True)
class Basket:
    """What a coupon would be used for: the price after other discounts, the classes of goods, whether flash sale."""

    cents: int
    kinds: frozenset[str]
    flash_sale: bool = False


def why_not_coupon(
    state: CouponState, threshold_cents: int, kinds: Sequence[str], basket: Basket | None = None
) -> str | None:
    """None when the coupon can be used (for the basket); otherwise the reason, told to the customer."""
    match state:
        case CouponState.USED:
            return "已经用过了（整单取消或退货时，没过期的券会退回来）"
        case CouponState.EXPIRED:
            return "已经过了有效期"
        case CouponState.LATER:
            return "还没到可以用的日期"
    if basket is None:
        return None
    if basket.flash_sale:
        return "秒杀商品不能用券"
    if kinds and not basket.kinds <= set(kinds):
        return f"这张券只能买{'、'.join(kinds)}"
    if basket.cents < threshold_cents:
        return f"减完其他优惠后还差 {(threshold_cents - basket.cents) / 100:g} 元才够门槛"
    return None
