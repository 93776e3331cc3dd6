"""Parcels: which carrier takes what, and traces that read like real ones. Times run forward and end by ``until``."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random

from crm.demo import times
from crm.demo.names import Names
from crm.demo.places import Route
from crm.orders.models import Order, OrderItem, Parcel, ParcelEvent
from crm.orders.rules import ParcelStatus

SMALL_EXPENSIVE_FROM_CENTS = 100_000
TRACKING = {  # what a tracking number begins with, and how many digits follow
    "顺丰": ("SF", 13),
    "京东物流": ("JDVA", 11),
    "中通": ("78", 12),
    "德邦": ("DPK", 12),
    "日日顺": ("RRS", 12),
}
SIGNERS = ("本人", "本人", "本人", "家人", "快递柜", "门卫")

# The stations of a trace and about when each is reached, as a share of the way to the last of them.
STATIONS = (("collected", 0.0), ("left", 0.1), ("arrived", 0.55), ("forwarded", 0.68), ("station", 0.85), ("out", 0.95))
REACHED = {  # how many stations a parcel in each state has behind it, at least and at most
    ParcelStatus.COLLECTED: (1, 1),
    ParcelStatus.IN_TRANSIT: (2, 5),
    ParcelStatus.STUCK: (2, 4),
    ParcelStatus.LOST: (2, 4),
    ParcelStatus.OUT_FOR_DELIVERY: (6, 6),
    ParcelStatus.DELIVERED: (6, 6),
    ParcelStatus.REFUSED: (6, 6),
}


def carrier_for(rng: Random, items: Sequence[OrderItem]) -> str:
    """The carrier the shop's rule gives a parcel (docs/shop.md, orders and delivery)."""
    if any(item.product.size == "large" for item in items):
        return rng.choice(("德邦", "日日顺"))
    value_cents = sum(item.price_cents * item.quantity for item in items)
    if any(item.product.activates for item in items) or value_cents > SMALL_EXPENSIVE_FROM_CENTS:
        return "顺丰"
    return rng.choice(("京东物流", "中通"))


class Post:
    """Hands parcels to carriers."""

    def __init__(self, rng: Random, names: Names) -> None:
        self._rng = rng
        self._names = names
        self._ids = count(1)
        self._event_ids = count(1)
        self._numbers: set[str] = set()

    def send(
        self, order: Order, items: Sequence[OrderItem], route: Route, status: ParcelStatus, *,
        start: datetime, until: datetime, carrier: str | None = None, signed_by: str | None = None,
    ) -> Parcel:  # fmt: skip
        """A parcel collected at ``start`` whose newest line is from ``until`` (or shortly before)."""
        rng = self._rng
        carrier = carrier or carrier_for(rng, items)
        large = any(item.product.size == "large" for item in items)
        courier, phone = self._names.courier()
        if status == ParcelStatus.DELIVERED and signed_by is None:
            signed_by = rng.choice(SIGNERS[:4] if large else SIGNERS)
        out = status in {ParcelStatus.OUT_FOR_DELIVERY, ParcelStatus.DELIVERED, ParcelStatus.REFUSED}
        parcel = Parcel(
            id=next(self._ids),
            order=order,
            carrier=carrier,
            tracking_number=self._number(carrier),
            status=status,
            courier=courier if out else None,
            courier_phone=phone if out else None,
            expected_at=self._expected(route, status, start, until),
            signed_by=signed_by if status == ParcelStatus.DELIVERED else None,
        )
        texts = self._texts(carrier, route, courier, phone)
        for at, key in self._way(status, start, until):
            text = texts.get(key) or _end_text(key, signed_by)
            ParcelEvent(id=next(self._event_ids), parcel=parcel, at=at, text=text)
        return parcel

    def _number(self, carrier: str) -> str:
        prefix, digits = TRACKING[carrier]
        while True:
            number = prefix + "".join(self._rng.choice("0123456789") for _ in range(digits))
            if number not in self._numbers:
                self._numbers.add(number)
                return number

    def _expected(self, route: Route, status: ParcelStatus, start: datetime, until: datetime) -> datetime | None:
        if status in {ParcelStatus.LOST, ParcelStatus.REFUSED}:
            return None
        if status == ParcelStatus.OUT_FOR_DELIVERY:
            return max(times.at_hour(until, 20), until + timedelta(hours=2))
        return times.at_hour(start + timedelta(days=route.most_days), 20)

    def _way(self, status: ParcelStatus, start: datetime, until: datetime) -> list[tuple[datetime, str]]:
        """The times and keys of the lines, each later than the one before."""
        rng, span = self._rng, until - start
        reached = STATIONS[: rng.randint(*REACHED[status])]
        last = until
        if status == ParcelStatus.DELIVERED:  # the courier sets out the same day
            last = max(start + span * 0.8, until - timedelta(hours=rng.uniform(1.2, 4.5)))
        elif status == ParcelStatus.REFUSED:
            last = times.at_hour(start + span * 0.7, 10) + timedelta(minutes=rng.randint(0, 200))
        elif status == ParcelStatus.LOST:
            last = start + span * 0.4
        final_share = reached[-1][1] or 1.0
        way = [
            (start + (last - start) * min(1.0, share / final_share * rng.uniform(0.96, 1.0)), key)
            for key, share in reached
        ]
        if len(way) > 1:
            way[-1] = (last, way[-1][1])
        if status == ParcelStatus.DELIVERED:
            way.append((until, "signed"))
        elif status == ParcelStatus.REFUSED:
            way += [(last + timedelta(hours=rng.uniform(1, 5)), "refused"), (until, "turned")]
        elif status == ParcelStatus.LOST:
            way.append((until, "lost"))
        return [(at.replace(microsecond=0), key) for at, key in way]

    def _texts(self, carrier: str, route: Route, courier: str, phone: str) -> dict[str, str]:
        origin, city = route.origin, route.city
        station = f"{city}{route.district.removesuffix('区').removesuffix('新')}营业点"
        texts = {
            "collected": f"【{origin}】{carrier}已揽收，从澄屿{origin}仓出发",
            "left": f"【{origin}】包裹已离开{origin}转运中心，发往{city}转运中心",
            "arrived": f"【{city}】包裹到达{city}转运中心",
            "forwarded": f"【{city}】包裹已离开{city}转运中心，发往{station}",
            "station": f"【{city}】包裹到达{station}，正在安排配送",
            "out": f"【{city}】快递员{courier}（电话{phone}）正在为您派送，请保持电话畅通",
            "refused": f"【{city}】收件人拒收，包裹将退回澄屿{origin}仓",
            "turned": f"【{city}】退回件已离开{city}转运中心，发往{origin}转运中心",
        }
        if origin == city:
            texts |= {
                "left": f"【{city}】包裹已装车，发往{city}转运中心",
                "turned": f"【{city}】退回件已离开{station}，发往澄屿{origin}仓",
            }
        return texts


def _end_text(key: str, signed_by: str | None) -> str:
    if key == "lost":
        return "经承运商核查，包裹在运输途中遗失，商城将联系您处理"
    return {
        "快递柜": "已签收：包裹已放入小区快递柜，取件码已发送到您的手机",
        "门卫": "已签收：包裹由门卫代收，请及时领取",
        "家人": "已签收，签收人：家人。感谢您选择澄屿商城",
    }.get(signed_by or "", f"已签收，签收人：{signed_by}。感谢您选择澄屿商城")
