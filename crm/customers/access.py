"""Who a visitor may act for. Nothing of a customer is shown or changed without an :class:`Access`.

``signed_in``: the shop's site vouched for the customer, everything of the own. ``phone``: order number and the account's
own phone matched, the same to look at. ``order``: only the recipient's phone of one order matched (a gift, say): that
order and nothing else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import db, settings
from core.errors import Refusal, TooMany, Unauthenticated
from crm.customers.models import Customer, VerificationTry
from crm.orders.models import Order

SIGNED_IN, PHONE, ORDER = "signed_in", "phone", "order"
AUDIENCE = "zhike"


@dataclass(frozen=True)
class Access:
    """A known customer and how far the knowledge goes; ``orders`` limits it to these numbers (None: all own)."""

    customer: Customer
    how: str
    orders: frozenset[str] | None = None

    def sees(self, order: Order) -> bool:
        """Whether the order may be shown and changed."""
        return order.customer_id == self.customer.id and (self.orders is None or order.number in self.orders)

    @property
    def whole(self) -> bool:
        """Whether the account itself (points, coupons, tickets) may be shown."""
        return self.orders is None


def customer_of_token(session: Session, token: str, secret: str, now: datetime) -> Customer:
    """The customer of a token signed by the shop's site. Raises Unauthenticated."""
    try:
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], audience=AUDIENCE, options={"require": ["exp", "sub", "aud"]}
        )
        customer = session.get(Customer, int(claims["sub"]))
    except (jwt.InvalidTokenError, ValueError, TypeError):
        customer = None
    if customer is None:
        raise Unauthenticated("登录信息已失效，请从商城重新进入，或先以访客身份咨询。", code="customer_token")
    return customer


def visitor_token(customer_id: int, secret: str, now: datetime) -> str:
    """A token as the shop's site would sign it, good for two hours."""
    claims = {"sub": str(customer_id), "aud": AUDIENCE, "exp": now + timedelta(hours=2)}
    return jwt.encode(claims, secret, algorithm="HS256")


def verify(session: Session, conversation_id: str, order_number: str, last4: str, now: datetime) -> Access | None:
    """The access that an order number and the last four digits of a phone give; None when they do not fit.

    Wrong tries are counted for the talk and for the order, so that neither many talks nor many numbers help a
    guesser. Raises TooMany. Which of the two was wrong is never told.
    """
    most = settings.load().verify_tries
    since = now - timedelta(hours=1)
    db.one_at_a_time(session, f"verify talk {conversation_id}", f"verify order {order_number}")
    for column, value in (
        (VerificationTry.conversation_id, conversation_id),
        (VerificationTry.order_number, order_number),
    ):
        tries = session.scalar(select(func.count()).where(column == value, VerificationTry.at > since))
        if (tries or 0) >= most:
            raise TooMany("核对次数有点多了，为了保护订单安全，请一小时后再试，或让人工客服帮您核实。", code="verify")
    order = session.scalar(select(Order).where(Order.number == order_number))
    if order is not None and len(last4) == 4:
        if order.customer.phone.endswith(last4):
            return Access(order.customer, PHONE)
        if order.phone.endswith(last4):
            return Access(order.customer, ORDER, frozenset({order.number}))
    session.add(VerificationTry(conversation_id=conversation_id, order_number=order_number[:40], at=now))
    return None


def need_whole(access: Access) -> None:
    """Raises Refusal when the visitor proved only one order, not the account."""
    if not access.whole:
        raise Refusal(
            "这部分属于账户信息，为了您的安全，需要在商城登录后再来问我。",
            code="sign_in",
            way_on=("转人工",),
        )


def need_owner(access: Access) -> None:
    """Raises Refusal when only the recipient of one order is known: what the buyer decides is not the recipient's."""
    if not access.whole:
        raise Refusal(
            "这单是用别的手机号下的，为了保护下单人，这件事要由下单的账号来办。物流、收货和商品问题我可以直接帮您看。",
            code="not_owner",
            way_on=("查物流", "转人工"),
        )


def need_signed_in(access: Access) -> None:
    """Raises Refusal unless the customer is signed in: changes to the account itself."""
    if access.how != SIGNED_IN:
        raise Refusal(
            "改动账户资料需要您先在商城登录，登录后在“我的客服”里找我，马上就能办。",
            code="sign_in",
            way_on=("转人工",),
        )
