"""Returns, exchanges, resends and refunds. Source of every number: docs/shop.md.

Pure: goods come in as the few facts a rule needs, times and dates (the business's own) are passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from crm.loyalty.rules import Level


class CaseKind(StrEnum):
    """What the customer wants with delivered goods."""

    RETURN = "return"
    EXCHANGE = "exchange"
    RESEND = "resend"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"return": "退货", "exchange": "换货", "resend": "补发"}[self]


class CaseStatus(StrEnum):
    """The states of an after-sales case."""

    WAITING = "waiting"  # the new piece has not left yet; nothing comes back
    PICKUP = "pickup"  # pick-up is booked
    RETURNING = "returning"  # on its way back
    CHECKING = "checking"  # in the warehouse
    SENDING = "sending"  # the new piece is on its way
    DONE = "done"
    CANCELLED = "cancelled"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "waiting": "已登记，待寄出",
            "pickup": "待上门取件",
            "returning": "寄回途中",
            "checking": "仓库验收中",
            "sending": "新商品已寄出",
            "done": "已完成",
            "cancelled": "已取消",
            "refused": "验收未通过",
        }[self]


class RefundStatus(StrEnum):
    """The states of a refund."""

    WAITING_GOODS = "waiting_goods"
    APPROVED = "approved"
    SENT = "sent"
    ARRIVED = "arrived"
    FAILED = "failed"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "waiting_goods": "等待商品退回",
            "approved": "已审核，待退款",
            "sent": "已原路退出，等待银行或平台入账",
            "arrived": "已到账",
            "failed": "退款失败，处理中",
        }[self]


RETURN_DAYS = 7
EXCHANGE_DAYS = 15
REPORT_WITHIN = timedelta(hours=48)
LATE_REPORT_DAYS = 15
REPLACED_NOT_MENDED_DAYS = 180
REPLACED_NOT_MENDED = frozenset({"耳机", "充电器"})
CHECK_WORKING_DAYS = 2
PICKUP_HOURS = {"day": 9, "morning": 10, "afternoon": 14}
PICKUP_MOST_DAYS = {"small": 7, "large": 3}
RETURN_FREIGHT_CENTS = {"small": 1_200, "large": 8_000}
FREE_RETURNS_A_YEAR = 2
LARGE_CARRIERS = frozenset({"德邦", "日日顺"})
NOT_RECEIVED_DAYS = 60
OPEN = frozenset({CaseStatus.WAITING, CaseStatus.PICKUP, CaseStatus.RETURNING, CaseStatus.CHECKING, CaseStatus.SENDING})


class Problem(StrEnum):
    """What can be wrong with what arrived."""

    MISSING = "missing"  # a whole piece is not there
    PART = "part"  # an accessory is not there
    GIFT = "gift"
    WRONG = "wrong"
    DAMAGED = "damaged"
    FAULTY = "faulty"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {
            "missing": "少发了整件商品",
            "part": "少了配件",
            "gift": "没收到赠品",
            "wrong": "发错了",
            "damaged": "有破损",
            "faulty": "到手就有故障",
        }[self]


class Settlement(StrEnum):
    """How a problem with what arrived is made good."""

    RESEND = "resend"
    EXCHANGE = "exchange"
    REFUND = "refund"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"resend": "补发", "exchange": "换新", "refund": "退款"}[self]


@dataclass(frozen=True)
class Goods:
    """What the rules must know about a piece. ``size``: large or small; the last three are facts about this piece."""

    kind: str
    size: str
    consumable: bool = False
    personal: bool = False
    activates: bool = False
    needs_installation: bool = False
    unsealed: bool = False
    activated: bool = False
    installed: bool = False


class No(NamedTuple):
    """A refusal: its code, why (Chinese, with what can be done instead) and the next steps' titles."""

    code: str
    why: str
    way_on: tuple[str, ...]


def last_day(signed: date, days: int) -> date:
    """The last day of a span after signing; the day of signing itself is not counted. Source: docs/shop.md, returns."""
    return signed + timedelta(days=days)


def said(day: date) -> str:
    """``11月22日``."""
    return f"{day.month}月{day.day}日"


def ends_free_return(goods: Goods) -> str | None:
    """What would end the return without a reason for such goods: unsealed, activated, installed; None: nothing."""
    if goods.consumable or goods.personal:
        return "unsealed"
    if goods.activates:
        return "activated"
    return "installed" if goods.needs_installation else None


def spoilt(goods: Goods) -> str | None:
    """Why the return without a reason has ended for this piece; None when it has not. Source: docs/shop.md, returns."""
    end = ends_free_return(goods)
    return end if end is not None and getattr(goods, end) else None


SPOILT_WHY = {
    "unsealed": "贴身或耗材类的商品拆封后，因为卫生原因就不能无理由退换了",
    "activated": "手机、电脑激活后就不能无理由退换了",
    "installed": "装好的电器就不能无理由退换了",
}


def why_not_return(goods: Goods, *, quality: bool, signed: date, today: date) -> No | None:
    """None when the piece can be sent back for money. Source: docs/shop.md, returns.

    Quality problem: 7 days whatever the state of the goods. Change of mind: 7 days, complete and unspoiled.
    """
    late = today > last_day(signed, RETURN_DAYS)
    end = said(last_day(signed, RETURN_DAYS))
    if quality:
        return (
            _after_the_return(goods, signed, today, f"这件是 {said(signed)} 签收的，退货期到 {end} 为止")
            if late
            else None
        )
    if late:
        return No(
            "return_late",
            f"这件是 {said(signed)} 签收的，七天无理由到 {end} 为止，已经过了，没法再按“不想要”来退。"
            "如果是商品本身有毛病，跟我说一声，换新或保修我来帮您办。",
            ("我要换货", "我要报修", "转人工"),
        )
    if reason := spoilt(goods):
        return No(
            f"return_{reason}",
            f"{SPOILT_WHY[reason]}，这件退不了，抱歉。要是商品本身有毛病就不受这个限制，{end} 前都能退。",
            ("商品有质量问题要退货", "转人工"),
        )
    return None


def why_not_exchange(goods: Goods, *, quality: bool, signed: date, today: date) -> No | None:
    """None when the piece can be swapped. Source: docs/shop.md, returns and warranty.

    Quality problem: 15 days (headphones and chargers 180, they are replaced, not mended). Another colour: as a return
    without a reason.
    """
    if quality:
        days = REPLACED_NOT_MENDED_DAYS if goods.kind in REPLACED_NOT_MENDED else EXCHANGE_DAYS
        if today <= last_day(signed, days):
            return None
        return No(
            "exchange_late",
            f"这件是 {said(signed)} 签收的，换新期到 {said(last_day(signed, days))} 为止，已经过了。"
            "之后由保修负责，保修期内属于商品自身的问题，修好不收费，要我帮您报修吗？",
            ("我要报修", "转人工"),
        )
    end = said(last_day(signed, RETURN_DAYS))
    if today > last_day(signed, RETURN_DAYS):
        return No(
            "exchange_late_mind",
            f"不是质量问题的换货要在签收后 7 天内，这件到 {end} 为止，已经过了。"
            f"如果是商品有毛病，{said(last_day(signed, EXCHANGE_DAYS))} 前还能换新，之后由保修负责。",
            ("商品有质量问题要换货", "转人工"),
        )
    if reason := spoilt(goods):
        return No(
            f"exchange_{reason}",
            f"{SPOILT_WHY[reason]}，这件换不了颜色，抱歉。商品本身有毛病的话照样给您换新。",
            ("商品有质量问题要换货", "转人工"),
        )
    return None


def _after_the_return(goods: Goods, signed: date, today: date, lead: str) -> No:
    exchange = why_not_exchange(goods, quality=True, signed=signed, today=today)
    if exchange is not None:
        return No(
            "return_late_quality",
            f"{lead}，15 天换新期也过了。后面由保修负责，保修期内属于商品自身的问题，修好不收费，要我帮您报修吗？",
            ("我要报修", "转人工"),
        )
    days = REPLACED_NOT_MENDED_DAYS if goods.kind in REPLACED_NOT_MENDED else EXCHANGE_DAYS
    return No(
        "return_late_exchange",
        f"{lead}，已经过了；不过 {said(last_day(signed, days))} 前还能给您换新，运费我们出。要换吗？",
        ("商品有质量问题要换货", "转人工"),
    )


class When(StrEnum):
    """How a report about what arrived is taken."""

    IN_TIME = "in_time"  # settled at once
    LATE = "late"  # a person looks at it first
    OVER = "over"


def when_reported(signed_at: datetime, now: datetime) -> When:
    """Within 48 hours of signing; then up to 15 days a person decides. Source: docs/shop.md, returns."""
    if now - signed_at <= REPORT_WITHIN:
        return When.IN_TIME
    return When.LATE if now - signed_at <= timedelta(days=LATE_REPORT_DAYS) else When.OVER


def why_not_report(
    problem: Problem, goods: Goods, *, signed_at: datetime, now: datetime, signed: date, today: date
) -> No | None:
    """None when it is taken (in time, or late and looked at by a person). Late faults go to exchange or repair.

    ``signed`` and ``today`` are the business's dates of ``signed_at`` and ``now``.
    """
    when = when_reported(signed_at, now)
    if when == When.IN_TIME:
        return None
    if problem == Problem.FAULTY:
        if why_not_return(goods, quality=True, signed=signed, today=today) is None:
            return No(
                "report_late_return",
                f"签收已经过了 48 小时，按质量问题来办就好：{said(last_day(signed, RETURN_DAYS))} 前能退，"
                f"{said(last_day(signed, EXCHANGE_DAYS))} 前能换新，运费都我们出。您想退还是换？",
                ("商品有质量问题要换货", "商品有质量问题要退货"),
            )
        return _after_the_return(goods, signed, today, f"这件是 {said(signed)} 签收的，退货期已经过了")
    if when == When.LATE:
        return None
    return No(
        "report_over",
        f"这件是 {said(signed)} 签收的，隔得有点久，已经很难核对是不是发货或路上的问题，没法直接补发或退换。"
        "商品用着有毛病可以报修；觉得情况特殊，我请同事帮您看看。",
        ("我要报修", "转人工"),
    )


SETTLEMENTS = {
    Problem.MISSING: (Settlement.RESEND, Settlement.REFUND),
    Problem.PART: (Settlement.RESEND, Settlement.REFUND),
    Problem.GIFT: (Settlement.RESEND,),
    Problem.WRONG: (Settlement.EXCHANGE, Settlement.REFUND),
    Problem.DAMAGED: (Settlement.EXCHANGE, Settlement.REFUND),
    Problem.FAULTY: (Settlement.EXCHANGE, Settlement.REFUND),
}


def settlement_for(problem: Problem, wanted: Settlement) -> Settlement:
    """The wish as it can be made good: what is missing is sent, what is bad is swapped; a gift is only sent."""
    if wanted in SETTLEMENTS[problem]:
        return wanted
    return SETTLEMENTS[problem][0]


def goods_come_back(problem: Problem, settlement: Settlement) -> bool:
    """Whether the piece is picked up: not when it never came, nor when only something is sent after it."""
    return problem != Problem.MISSING and settlement != Settlement.RESEND


def return_freight_cents(size: str, *, quality: bool, level: Level, used_this_year: int) -> int:
    """What the customer pays for sending back, in cents. Source: docs/shop.md, freight.

    Ours for faults; otherwise the customer's, except twice a calendar year from 金卡 up.
    """
    if quality:
        return 0
    if level in {Level.GOLD, Level.PLATINUM} and used_this_year < FREE_RETURNS_A_YEAR:
        return 0
    return RETURN_FREIGHT_CENTS[size]


def share_cents(paid_cents: int, goods_cents: int, value_cents: int) -> int:
    """What was really paid for goods worth ``value_cents`` of an order's ``goods_cents``; discounts are spread evenly.

    ``paid_cents`` is without freight. Source: docs/shop.md, refunds ("what was paid").
    """
    return paid_cents * value_cents // goods_cents if goods_cents else 0


def pickup_span(size: str, today: date) -> tuple[date, date]:
    """The first and the last day a pick-up can be booked for: from tomorrow; large goods within 3 days, small 7."""
    return today + timedelta(days=1), today + timedelta(days=PICKUP_MOST_DAYS[size])


def fitting_pickup(day: date, size: str, today: date) -> date:
    """The nearest day that can be booked."""
    first, last = pickup_span(size, today)
    return min(max(day, first), last)


def pickup_window(hour: int) -> str:
    """The hours of a pick-up that begins at ``hour``."""
    return "9–18 点" if hour < PICKUP_HOURS["morning"] else "上午 10–12 点" if hour < 13 else "下午 14–18 点"


def same_color(wanted: str, colors: Sequence[str]) -> str | None:
    """The product's colour that the words name: 黑的 → 曜石黑; None when none or several fit."""
    exact = [c for c in colors if c in wanted]
    if exact:
        return max(exact, key=len)
    fitting = [c for c in colors if any(k in c for k in COLOR_WORDS if k in wanted)]
    return fitting[0] if len(fitting) == 1 else None


COLOR_WORDS = "白黑灰银金红蓝绿粉紫橙黄棕铜米透"


def why_not_call_off(status: CaseStatus) -> str | None:
    """None when a case can be called off: until the goods are picked up or the new piece has left."""
    return {
        CaseStatus.RETURNING: "东西已经取走、在寄回路上了，没法中途叫停。",
        CaseStatus.CHECKING: "东西已经到仓库在验收了，没法撤回。",
        CaseStatus.SENDING: "新的一件已经寄出来了，没法撤回，不需要的话收货时拒收就行。",
        CaseStatus.DONE: "这单售后已经办完了，没法再取消。",
        CaseStatus.CANCELLED: "这单售后之前已经取消了，不用再操作。",
        CaseStatus.REFUSED: "这单售后验收没通过，已经结束了。",
    }.get(status)
