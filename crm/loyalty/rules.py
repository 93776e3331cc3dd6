"""Membership levels, points and coupons. Source of every number: docs/shop.md."""

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
    return max((level for level, least in LEVEL_FROM_CENTS.items() if spent_cents >= least), key=LEVEL_FROM_CENTS.get)


def next_level(spent_cents: int) -> tuple[Level, int] | None:
    """The next level and the cents still missing; None at the top."""
    for level, least in LEVEL_FROM_CENTS.items():
        if spent_cents < least:
            return level, least - spent_cents
    return None
