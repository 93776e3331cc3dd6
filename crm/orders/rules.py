"""What may be done with an order, and until when. Source of every number: docs/shop.md.

Pure: orders come in as the few facts a rule needs, the time is passed in.
"""

import re
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


_REGION = re.compile(r"^.{2,16}?(?:自治州|[市区县旗])(?!.{0,6}[区县旗])")
_ROAD = re.compile(r"路|街|道|巷|胡同|弄|镇|乡|村|小区|花园|公寓|大厦|广场|中心|园")
_HOUSE = re.compile(r"[A-Za-z]?\d+(?:-\d+)* ?(?:幢|栋|座|号楼|单元|楼|层|室)")
_NUMBERED = re.compile(r"\d|[一二三四五六七八九十]+(?:号|幢|栋|座|组|室|楼)|[村组队]|无门牌")


def fuller_address(known: str, said: str) -> str:
    """An address that was given before together with what is said of it now: only the house (11幢2单元2602) is put
    behind it, a street without a city takes its region over, one with a region of its own stands alone."""
    if said in known:
        return known
    region = _REGION.match(known)
    begins = _REGION.match(said)
    if begins is not None and region is not None and not said.startswith(region.group()):
        at = region.group().find(begins.group())
        return known[:at] + said if at > 0 else said
    if begins is not None or region is None:
        return said if begins is not None or _ROAD.search(said) else _behind(known, said)
    return region.group() + said if _ROAD.search(said) else _behind(known, said)


def _behind(known: str, house: str) -> str:
    old = _HOUSE.search(known)
    return (known[: old.start()] if old and _HOUSE.search(house) else known) + house


def has_house_number(address: str) -> bool:
    """Whether a courier finds the door: a number, or a village."""
    return _NUMBERED.search(address) is not None


def refund_days(method: str) -> int:
    """Working days until money paid this way is back, counted from the day it is sent."""
    return REFUND_WORKING_DAYS.get(method, 3)
