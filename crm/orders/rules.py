"""What may be done with an order, and until when. Source of every number: docs/shop.md.

Pure: orders come in as the few facts a rule needs, the time is passed in.
"""

from datetime import datetime, timedelta
from enum import StrEnum

UNPAID_CLOSES_AFTER = timedelta(hours=24)
SHIPS_WITHIN = timedelta(hours=48)
SAME_DAY_CUT_OFF_HOUR = 16
REMOTE_PROVINCES = frozenset({"新疆", "西藏", "青海", "内蒙古"})
FREE_FREIGHT_FROM_CENTS = 9_900
FREIGHT_CENTS = 800
REMOTE_LARGE_FREIGHT_CENTS = 2_500


class OrderStatus(StrEnum):
    """The states of an order, in the order in which they come."""

    UNPAID = "unpaid"
    PAID = "paid"  # waiting to be shipped; can still be changed
    PACKED = "packed"  # left the shelf, not yet with the carrier; cannot be changed any more
    SHIPPED = "shipped"
    DELIVERED = "delivered"  # signed for
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "unpaid": "待付款",
            "paid": "待发货",
            "packed": "正在出库",
            "shipped": "运输中",
            "delivered": "已签收",
            "cancelled": "已取消",
        }[self]


class ParcelStatus(StrEnum):
    """The states of a parcel."""

    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    REFUSED = "refused"
    STUCK = "stuck"  # no movement for 48 hours
    LOST = "lost"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "collected": "已揽收",
            "in_transit": "运输中",
            "out_for_delivery": "派送中",
            "delivered": "已签收",
            "refused": "拒收退回中",
            "stuck": "运输延误",
            "lost": "包裹丢失",
        }[self]


PAYMENT_METHODS = {
    "wechat": "微信支付",
    "alipay": "支付宝",
    "debit_card": "储蓄卡",
    "credit_card": "信用卡",
    "huabei": "花呗",
    "baitiao": "白条",
    "balance": "账户余额",
    "transfer": "对公转账",
}

# Working days a refund takes to arrive after it was sent, at the latest.
REFUND_WORKING_DAYS = {
    "wechat": 1,
    "alipay": 1,
    "balance": 1,
    "debit_card": 3,
    "credit_card": 7,
    "huabei": 3,
    "baitiao": 3,
    "transfer": 3,
}


def promised_ship_at(paid_at: datetime, *, local_hour: int) -> datetime:
    """When an in-stock order leaves at the latest: 48 hours after payment (paid before 16:00 normally the same day)."""
    return paid_at + (timedelta(hours=12) if local_hour < SAME_DAY_CUT_OFF_HOUR else timedelta(hours=36))


def why_not_cancel(status: OrderStatus) -> str | None:
    """None when the order can be called off at once; otherwise why not and what to do instead."""
    return {
        OrderStatus.UNPAID: None,
        OrderStatus.PAID: None,
        OrderStatus.PACKED: "这单已经在出库了，来不及取消。收货时直接拒收就行，货退回仓库后马上给您退款，不收运费。",
        OrderStatus.SHIPPED: "这单已经交给快递了，没法直接取消。您可以拒收，货退回仓库后给您全额退款；收下后也能七天无理由退货。",
        OrderStatus.DELIVERED: "这单已经签收，不能再取消，可以帮您申请退货。",
        OrderStatus.CANCELLED: "这单之前已经取消了，不用再操作。",
    }[status]


def why_not_change_address(status: OrderStatus) -> str | None:
    """None when address, recipient and phone can be changed freely (until packed)."""
    return {
        OrderStatus.UNPAID: None,
        OrderStatus.PAID: None,
        OrderStatus.PACKED: "这单正在出库，面单已经打好，改不了了。发出后如果还在同一个城市，我可以请快递帮忙改派。",
        OrderStatus.SHIPPED: None,  # a redirect within the city can be asked for
        OrderStatus.DELIVERED: "这单已经签收了，没法再改地址。",
        OrderStatus.CANCELLED: "这单已经取消了，不用再改地址。",
    }[status]


def can_redirect(order_city: str, new_address: str) -> bool:
    """A shipped parcel is redirected within the same city only; an address that names no city is taken as the same."""
    return order_city.removesuffix("市") in new_address or not any(mark in new_address for mark in ("省", "市"))


def refund_days(method: str) -> int:
    """Working days until money paid this way is back, counted from the day it is sent."""
    return REFUND_WORKING_DAYS.get(method, 3)
