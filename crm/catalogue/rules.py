"""Advice before buying: what a budget means, which products fit it, which detail is asked for. Source: docs/shop.md.

Pure: products come in as the few facts a rule needs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

AROUND_PERCENT = 20  # "两千左右" means 1,600–2,400
RECOMMENDED_MOST = 3
BULK_PIECES = 10  # corporate buying begins here,
BULK_CENTS = 2_000_000  # or here


@dataclass(frozen=True)
class Budget:
    """What a product may cost, in cents; None: no limit on that side."""

    least_cents: int | None = None
    most_cents: int | None = None

    def fits(self, price_cents: int) -> bool:
        """Whether the price lies within."""
        return (self.least_cents is None or price_cents >= self.least_cents) and (
            self.most_cents is None or price_cents <= self.most_cents
        )

    @property
    def aim_cents(self) -> int | None:
        """The price that fits best: the middle of a range, otherwise its one end."""
        if self.least_cents is not None and self.most_cents is not None:
            return (self.least_cents + self.most_cents) // 2
        return self.most_cents if self.most_cents is not None else self.least_cents


def budget(text: str, amounts_yuan: Sequence[float]) -> Budget | None:
    """The budget a message names; None when it names none. ``amounts_yuan`` are the amounts found in it."""
    cents = sorted(round(amount * 100) for amount in amounts_yuan if amount > 0)
    if not cents:
        return None
    if len(cents) >= 2 and cents[0] != cents[-1]:
        return Budget(cents[0], cents[-1])
    if re.search(r"以上|起步|往上|不低于|至少", text):
        return Budget(least_cents=cents[0])
    if re.search(r"左右|上下|差不多|来块|来元|多块|多元|大概|约", text):
        return Budget(cents[0] * (100 - AROUND_PERCENT) // 100, cents[0] * (100 + AROUND_PERCENT) // 100)
    return Budget(most_cents=cents[0])


def amounts_in(text: str) -> list[float]:
    """Amounts in yuan that a budget is told with but that carry no 元: ``预算3000``, ``2500以内``, ``3k``."""
    found = re.findall(r"(?:预算|价位|价格|不超过|最多)[^\d]{0,4}(\d{2,6})(?!\d)", text)
    found += re.findall(r"(?<![\d.])(\d{3,6})(?=(?:块|元)?(?:左右|以内|以下|以上|上下|价位|之内|内))", text)
    found += re.findall(r"(?<![\d.])(\d{3,6})\s*(?:到|至|-|~|—)\s*\d{3,6}", text)
    found += re.findall(r"\d{3,6}\s*(?:到|至|-|~|—)\s*(\d{3,6})(?!\d)", text)
    thousands = re.findall(r"(?<![\w.])(\d(?:\.\d)?)[kK千](?![\w\u4e00-\u9fff]?[瓦克米])", text)
    return sorted({float(n) for n in found} | {float(n) * 1000 for n in thousands})


@dataclass(frozen=True)
class Offer:
    """A product as the rules see it. ``pieces``: how many can be sold now, all colours together."""

    sku: str
    name: str
    kind: str
    brand: str
    price_cents: int
    pieces: int
    specs: Mapping[str, str] = field(default_factory=dict)
    promotion: str = ""


def recommend(offers: Sequence[Offer], budget: Budget | None, brand: str | None = None) -> tuple[list[Offer], bool]:
    """Up to three offers, the best first, and whether they fit the budget (False: the nearest that there are).

    What is in stock stands before what is not, the wished brand before others, then what comes nearest to the budget
    (without one: promotions first, then the cheaper). What is sold out is left out while anything else is there.
    """
    there = [o for o in offers if o.pieces > 0] or list(offers)
    if brand and any(o.brand == brand for o in there):
        there = [o for o in there if o.brand == brand]
    if budget is None or budget.aim_cents is None:
        return sorted(there, key=lambda o: (not o.promotion, o.price_cents, o.sku))[:RECOMMENDED_MOST], True
    aim = budget.aim_cents
    fitting = [o for o in there if budget.fits(o.price_cents)]
    chosen = fitting or there
    return sorted(chosen, key=lambda o: (abs(o.price_cents - aim), o.sku))[:RECOMMENDED_MOST], bool(fitting)


def reasons(offer: Offer, budget: Budget | None, among: Sequence[Offer] = ()) -> list[str]:
    """Two or three short reasons for an offer, comparing it with the others that are shown."""
    found = [f"{key} {value}" for key, value in list(offer.specs.items())[:2]]
    if offer.promotion:
        found.append(offer.promotion)
    elif len(among) > 1 and offer.price_cents == min(o.price_cents for o in among):
        found.append("这几款里最实惠")
    elif len(among) > 1 and offer.price_cents == max(o.price_cents for o in among):
        found.append("这几款里配置最高")
    if budget is not None and budget.most_cents is not None and budget.least_cents is None:
        left = budget.most_cents - offer.price_cents
        if left >= 10_000:
            found.append(f"比预算还省 {left // 100} 元")
    return found[:3]


# What customers call a detail: the key of ``specs`` that answers it.
ASKED_AS = {
    "尺寸": r"尺寸|多大|多高|多宽|多深|放得下|放不放得下|英寸|长宽高",
    "屏幕": r"屏幕|几寸|多少寸|刷新率",
    "内存": r"内存|存储|多少g|几个g|卡不卡|运行",
    "硬盘": r"硬盘|固态",
    "电池": r"电池|毫安|充满|快充|续航",
    "续航": r"续航|用多久|电池|能用几",
    "防水": r"防水|进水|水洗|洗澡|游泳",
    "噪音": r"噪音|燥音|吵|分贝|静音|声音大",
    "能效": r"能效|费电|省电|耗电|几级",
    "功率": r"功率|多少瓦|几瓦|费电",
    "容积": r"容积|容量|多少升|几升|装多少",
    "容量": r"容积|容量|多少升|几升|公斤|装多少|几个人",
    "匹数": r"几匹|匹数",
    "适用": r"多大面积|多少平|几平|适用|适合",
    "吸力": r"吸力|多少pa",
    "重量": r"多重|重量|几斤|公斤重",
    "分辨率": r"分辨率|4k|2k|清晰",
    "接口": r"接口|插口|hdmi|type-?c|usb",
    "降噪": r"降噪",
    "蓝牙": r"蓝牙几|蓝牙版本",
    "转速": r"转速|多少转",
    "功能": r"功能|能不能|可以|支持",
    "滤芯": r"滤芯|换芯",
    "供电": r"供电|电池|没电",
    "显卡": r"显卡|打游戏|玩游戏",
    "水箱": r"水箱",
}


def asked_specs(text: str, specs: Mapping[str, str]) -> dict[str, str]:
    """The details of the specification a question is about, in the specification's order; empty when none fits."""
    said = text.lower()
    return {k: v for k, v in specs.items() if k in said or (k in ASKED_AS and re.search(ASKED_AS[k], said))}


ASKED_OF = re.compile(
    r"(?:请问|亲|你们|你家|咱们?|店里|有没有|有)*[，, ]*([\u4e00-\u9fffA-Za-z]{2,8}?)"
    r"(?:现在|目前)?(?:多少钱|什么价|啥价|怎么卖|有货|有没有货|有现货|打折|有活动|补货|缺货)"
)
NO_THING = re.compile(
    r"[这那它您我你他现最到还都今明是会能有没哪什么啥多怎款色双年节黑白灰蓝绿红粉紫银金橙吗吧呢了的包邮免]"
    r"|活动|价格|东西|商品|产品|全部|总共|一共|运费|学生|老人|老客|教师|新人|员工|公司"
)
ACCESSORY = re.compile(r"(?:壳|膜|套(?!装|餐)|贴膜|钢化膜|保护|支架|挂架|遥控器|底座|电池|充电线)")


def unknown_thing(text: str) -> str | None:
    """The thing a price or stock question names (used for what the lexicon did not know); None when it names none."""
    asked = ASKED_OF.match(text)
    return asked[1] if asked and not NO_THING.search(asked[1]) else None


def accessory(after: str) -> str | None:
    """The accessory a product's name goes on to be (``手机`` + ``壳``); ``after`` is the text behind the name."""
    found = ACCESSORY.match(after)
    return found[0] if found else None


def named_colors(text: str, colors: Sequence[str]) -> list[str]:
    """The product's colours a text names: whole (``晴空蓝``) or by the basic colour in it (``蓝色``, ``白的``)."""
    whole = [c for c in colors if c in text]
    if whole:
        return whole
    basic = re.findall(r"([白黑灰蓝绿红粉紫银金橙])(?:色|的|款|$)", text)
    return [c for c in colors if any(b in c for b in basic)]


def is_bulk(pieces: int | None, unit_cents: int | None) -> bool | None:
    """Whether corporate buying applies (from 10 pieces or 20,000 yuan); None when too little is known to say."""
    if pieces is None:
        return None
    if pieces >= BULK_PIECES:
        return True
    return None if unit_cents is None else pieces * unit_cents >= BULK_CENTS
