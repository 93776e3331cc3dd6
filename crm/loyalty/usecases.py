"""What a customer holds: coupons, points, the level. Account data: all take an Access that knows the account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import local
from crm.catalogue.models import Product
from crm.customers import access as access_rules
from crm.customers.access import Access
from crm.loyalty.models import Coupon, PointsEntry
from crm.loyalty.rules import (
    POINTS_CREDITED_AFTER,
    Basket,
    CouponState,
    Level,
    Movement,
    above,
    coupon_state,
    end_of_year,
    expiring,
    points_for,
    why_not_coupon,
    worth_cents,
)
from crm.orders.models import Order
from crm.orders.rules import OrderStatus

RECENT = 5


@dataclass(frozen=True)
class Held:
    """A coupon and how it stands now."""

    coupon: Coupon
    state: CouponState

    @property
    def usable(self) -> bool:
        """Whether it can be used today (for goods that fit)."""
        return self.state in {CouponState.SOON, CouponState.VALID}


@dataclass(frozen=True)
class Purse:
    """Points: the balance, its worth, the newest movements, what is lost at ``expiring_at``, what is still to come."""

    balance: int
    worth_cents: int
    recent: Sequence[PointsEntry]
    expiring: int
    expiring_at: datetime
    coming: int
    coming_at: datetime | None


@dataclass(frozen=True)
class Membership:
    """The level held, spending of the last 12 months, and the next level with the cents missing (None at the top)."""

    level: Level
    spent_cents: int
    following: tuple[Level, int] | None


def coupons(session: Session, access: Access, now: datetime) -> list[Held]:
    """All coupons, those to be used first in front. Raises Refusal when the account is not proved."""
    access_rules.need_whole(access)
    found = session.scalars(select(Coupon).where(Coupon.customer_id == access.customer.id)).all()
    held = [Held(c, coupon_state(c.valid_from, c.valid_to, c.used_at, now)) for c in found]
    shown_as = list(CouponState)
    return sorted(held, key=lambda h: (shown_as.index(h.state), h.coupon.valid_to, h.coupon.id))


def why_not(held: Held, product: Product | None = None) -> str | None:
    """Why the coupon cannot be used (for one piece of this product); None when it can."""
    basket = Basket(product.price_cents, frozenset({product.kind}), product.flash_sale) if product else None
    return why_not_coupon(held.state, held.coupon.threshold_cents, held.coupon.kinds, basket)


def points(session: Session, access: Access, now: datetime) -> Purse:
    """The customer's points. Raises Refusal when the account is not proved."""
    access_rules.need_whole(access)
    customer = access.customer
    entries = session.scalars(
        select(PointsEntry)
        .where(PointsEntry.customer_id == customer.id)
        .order_by(PointsEntry.at.desc(), PointsEntry.id.desc())
    ).all()
    end = end_of_year(local(now))
    credited = {e.order_number for e in entries if e.order_number and e.amount > 0}
    delivered = session.scalars(
        select(Order).where(
            Order.customer_id == customer.id,
            Order.status == OrderStatus.DELIVERED.value,
            Order.delivered_at > now - POINTS_CREDITED_AFTER,
        )
    )
    waiting = [o for o in delivered if o.number not in credited]
    arrivals = [o.delivered_at + POINTS_CREDITED_AFTER for o in waiting if o.delivered_at]
    lost = expiring([Movement(e.amount, e.at, e.expires_at) for e in entries], now, end)
    return Purse(
        balance=customer.points,
        worth_cents=worth_cents(customer.points),
        recent=entries[:RECENT],
        expiring=min(max(0, customer.points), lost),
        expiring_at=end,
        coming=sum(points_for(o.total_cents, Level(customer.level)) for o in waiting),
        coming_at=max(arrivals, default=None),
    )


def membership(access: Access) -> Membership:
    """The customer's level. Raises Refusal when the account is not proved."""
    access_rules.need_whole(access)
    level, spent = Level(access.customer.level), access.customer.spent_cents
    return Membership(level, spent, above(level, spent))
