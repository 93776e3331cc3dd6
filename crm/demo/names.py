"""Invented people and companies: names, telephone numbers, tax numbers."""

from collections.abc import Iterable
from datetime import datetime
from random import Random

from core import clock

SURNAMES = (
    "李王张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔"
    "向汤"
)
MALE = [
    "伟",
    "强",
    "磊",
    "军",
    "洋",
    "勇",
    "杰",
    "涛",
    "明",
    "超",
    "浩然",
    "子轩",
    "宇航",
    "志远",
    "俊杰",
    "博文",
    "嘉豪",
    "天佑",
    "建军",
    "国强",
    "文博",
    "思远",
    "泽宇",
    "皓轩",
    "立新",
    "海波",
    "家明",
    "晓峰",
    "承志",
    "一凡",
]
FEMALE = [
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "艳",
    "娟",
    "霞",
    "燕",
    "婷",
    "雪",
    "欣怡",
    "梓涵",
    "诗雨",
    "佳琪",
    "雨桐",
    "思琪",
    "晓梅",
    "秀兰",
    "桂英",
    "玉兰",
    "慧敏",
    "若曦",
    "语嫣",
    "梦瑶",
    "雅静",
    "美玲",
    "春燕",
    "可欣",
    "一诺",
]
NICKNAMES = [
    "小鹿",
    "阿明",
    "橙子",
    "豆豆妈",
    "老徐",
    "团子",
    "青柠",
    "大白",
    "小满",
    "木木",
    "七七",
    "阿宁",
    "糖糖",
    "南风",
    "小鱼干",
]
COMPANIES = [
    "青禾科技",
    "星拓信息",
    "远山文化",
    "安和物业",
    "锦程教育",
    "百川餐饮",
    "知行设计",
    "云帆贸易",
    "恒信建设",
    "初晴酒店管理",
]
PREFIXES = ("139", "138", "137", "136", "135", "150", "151", "158", "159", "182", "186", "187", "188", "199")


class Names:
    """Draws names and numbers; no telephone number comes twice."""

    def __init__(self, rng: Random, taken: Iterable[str] = ()) -> None:
        """``taken``: telephone numbers somebody has already."""
        self._rng = rng
        self._phones = set(taken)

    def person(self) -> tuple[str, str]:
        """A name and its form of address (先生 / 女士)."""
        if self._rng.random() < 0.5:
            return self._rng.choice(SURNAMES) + self._rng.choice(MALE), "先生"
        return self._rng.choice(SURNAMES) + self._rng.choice(FEMALE), "女士"

    def phone(self) -> str:
        """11 digits; ``000`` after the prefix tells that it is invented."""
        while True:
            number = f"{self._rng.choice(PREFIXES)}000{self._rng.randrange(100_000):05d}"
            if number not in self._phones:
                self._phones.add(number)
                return number

    def courier(self) -> tuple[str, str]:
        """A courier's name and telephone number (couriers may share one)."""
        name = self._rng.choice(SURNAMES) + self._rng.choice(MALE)
        return name, f"{self._rng.choice(PREFIXES)}000{self._rng.randrange(100_000):05d}"

    def company(self, city: str) -> tuple[str, str]:
        """A company's title and its tax number (18 characters)."""
        tail = "".join(self._rng.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(9))
        return f"{city}{self._rng.choice(COMPANIES)}有限公司", f"91{self._rng.randrange(110000, 659000)}M{tail}"


class Numbers:
    """Draws the numbers of tickets, repairs and cases."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._drawn: set[str] = set()

    def draw(self, prefix: str, at: datetime) -> str:
        """Two letters and ten digits (the local date and four more), new every time."""
        while True:
            number = f"{prefix}{clock.local(at):%y%m%d}{self._rng.randrange(10_000):04d}"
            if number not in self._drawn:
                self._drawn.add(number)
                return number
