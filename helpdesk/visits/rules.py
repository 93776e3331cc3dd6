"""Warranty, repairs and visits: what is covered until when, who comes, when one can book. Source: docs/shop.md.

Pure: local dates and times are passed in; months are calendar months.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

BOOK_UNTIL_HOUR = 20  # for the next day
BOOK_AHEAD_DAYS = 30
MOVE_UNTIL = timedelta(hours=2)  # before the slot begins
FURTHER_DAYS = 2  # how much later the first free day is in a city without a service point
VISIT_FEE_CENTS = 5_000
BATTERY_MONTHS = 6
SWAP_DAYS = 180
EXCHANGE_DAYS = 15
SERVICE_POINTS = frozenset(
    {
        *("北京", "上海", "天津", "重庆", "杭州", "宁波", "温州", "南京", "苏州", "合肥", "福州", "厦门", "济南"),
        *("青岛", "南昌", "广州", "佛山", "深圳", "南宁", "海口", "成都", "贵阳", "昆明", "武汉", "长沙", "郑州"),
        *("石家庄", "太原", "西安", "沈阳", "大连", "长春", "哈尔滨"),
    }
)
BATTERY_KINDS = frozenset({"手机", "平板", "笔记本", "智能手表", "智能手环"})
SWAP_KINDS = frozenset({"耳机", "充电器"})  # 只换不修
NOT_COVERED = {
    "摔落或磕碰": ("摔", "砸", "磕", "碰坏", "碎", "压坏", "撞坏", "撞裂", "撞瘪", "撞凹", "被撞"),
    "进水进液": ("进水", "进液", "掉水", "泡水", "落水", "洒了", "泼", "水里"),
    "自行拆修": ("自己拆", "拆开", "拆过", "自己修", "别家修", "外面修"),
    "用错电压": ("电压",),
}
HARMLESS = ("没摔", "没有摔", "没进水", "没有进水", "没碰", "没拆", "没有拆", "碎冰", "碎肉", "搅碎", "粉碎", "打碎")
FREE_INSTALLATION_EXTRAS = {
    "空调": "含 3 米铜管，超出部分 80 元/米；三楼以上外墙高空作业 100 元",
    "电视": "需要壁挂架的话 60 元",
    "热水器": "需要混水阀的话 45 元",
}
SELF_SETUP = {
    "冰箱": "放稳静置几小时再通电就能用",
    "冷柜": "放稳静置几小时再通电就能用",
    "路由器": "插上电源和网线，按说明书扫码就能设置",
    "摄像头": "通电后用手机扫机身上的码，按提示联网就好",
    "投影仪": "插电开机，按屏幕提示对焦、联网就好",
    "显示器": "装上底座、接好视频线和电源就能用",
}


class Slot(StrEnum):
    """The half-days somebody comes in."""

    MORNING = "morning"
    AFTERNOON = "afternoon"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"morning": "上午 9–12 点", "afternoon": "下午 13–18 点"}[self]

    @property
    def begins_hour(self) -> int:
        """The local hour it begins at."""
        return {"morning": 9, "afternoon": 13}[self]


class VisitKind(StrEnum):
    """Why somebody comes."""

    INSTALLATION = "installation"
    REPAIR = "repair"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"installation": "安装", "repair": "维修"}[self]


class VisitStatus(StrEnum):
    """The states of a visit."""

    BOOKED = "booked"
    DONE = "done"
    CANCELLED = "cancelled"


class RepairStatus(StrEnum):
    """The states of a repair."""

    BOOKED = "booked"
    WAITING_PARTS = "waiting_parts"
    REPAIRING = "repairing"
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "booked": "已登记",
            "waiting_parts": "等配件",
            "repairing": "维修中",
            "done": "已修好",
            "cancelled": "已撤销",
        }[self]


class Way(StrEnum):
    """How a thing is mended."""

    VISIT = "visit"
    SEND_IN = "send_in"


# Warranty.


@dataclass(frozen=True)
class Warranty:
    """Last covered days, counted from the day of signing; None: not covered at all."""

    from_day: date
    whole: date | None
    main_parts: date | None
    battery: date | None
    swap: date | None  # until then a faulty piece is swapped, not mended

    def covers(self, day: date) -> bool:
        """Whether the whole machine is under warranty on that day (the last day counts)."""
        return self.whole is not None and day <= self.whole

    def covers_main_parts(self, day: date) -> bool:
        """Whether compressor, motor and the like are."""
        return self.main_parts is not None and day <= self.main_parts

    def swaps(self, day: date) -> bool:
        """Whether a fault is settled by a new piece."""
        return self.swap is not None and day <= self.swap


def months_after(day: date, months: int) -> date:
    """The same day that many months later; the month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def warranty(signed: date, kind: str, months: int, main_parts_months: int) -> Warranty:
    """Until when a thing signed for on that day is covered; ``months`` 0 means consumables: none."""
    if months <= 0:
        return Warranty(signed, None, None, None, None)
    return Warranty(
        signed,
        months_after(signed, months),
        months_after(signed, main_parts_months) if main_parts_months > months else None,
        months_after(signed, BATTERY_MONTHS) if kind in BATTERY_KINDS else None,
        signed + timedelta(days=SWAP_DAYS) if kind in SWAP_KINDS else None,
    )


def not_covered(fault: str) -> str | None:
    """The exclusion a described fault falls under (fall, liquid …), or None."""
    for word in HARMLESS:
        fault = fault.replace(word, "")
    return next((why for why, words in NOT_COVERED.items() if any(word in fault for word in words)), None)


# Repairs.


@dataclass(frozen=True)
class RepairPlan:
    """How a fault would be mended. ``fee_cents``: visit fee that becomes due unless it is repaired."""

    way: Way
    in_warranty: bool
    excluded: str | None
    swap: bool
    fee_cents: int


def plan_repair(covered: Warranty, today: date, fault: str, *, large: bool, installed: bool) -> RepairPlan:
    """Large or installed goods are visited, small ones sent in; warranty and cause decide whether it is free."""
    way = Way.VISIT if large or installed else Way.SEND_IN
    excluded = not_covered(fault)
    free = covered.covers(today) and excluded is None
    fee_cents = VISIT_FEE_CENTS if way == Way.VISIT and not free else 0
    return RepairPlan(way, free, excluded, free and covered.swaps(today), fee_cents)


# Days and slots.


def first_day(now: datetime, city: str) -> date:
    """The first day that can be booked at a local time: tomorrow until 20:00; further away without a service point."""
    days = 1 if now.hour < BOOK_UNTIL_HOUR else 2
    if city.removesuffix("市") not in SERVICE_POINTS:
        days += FURTHER_DAYS
    return now.date() + timedelta(days=days)


def last_day(now: datetime) -> date:
    """The last day that can be booked."""
    return now.date() + timedelta(days=BOOK_AHEAD_DAYS)


def begins(day: date, slot: Slot, zone_of: datetime) -> datetime:
    """When a slot begins, in the zone of ``zone_of``."""
    return datetime.combine(day, time(slot.begins_hour), zone_of.tzinfo)


def can_move(day: date, slot: Slot, now: datetime) -> bool:
    """Whether a visit can still be moved or called off at a local time: until 2 hours before its slot begins."""
    return now <= begins(day, slot, now) - MOVE_UNTIL


def can_book(day: date, now: datetime, city: str) -> bool:
    """Whether a visit can be booked for that day."""
    return first_day(now, city) <= day <= last_day(now)


def can_move_to(day: date, slot: Slot, now: datetime, city: str, booked_day: date) -> bool:
    """Whether a booked visit can be moved there: a bookable day, or the other half of the day it has already."""
    return can_book(day, now, city) or (day == booked_day and can_move(day, slot, now))


def setup_hint(kind: str) -> str:
    """How a thing that needs no engineer is set up."""
    return SELF_SETUP.get(kind, "拆箱后按说明书通电就能用")


def installation_extras(kind: str) -> str:
    """What may have to be paid besides the free installation."""
    return FREE_INSTALLATION_EXTRAS.get(kind, "")
