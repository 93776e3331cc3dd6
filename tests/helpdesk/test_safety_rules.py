"""A danger is heard in every wording, and not where somebody only asks or fears."""

import pytest

from helpdesk.safety.rules import Danger, danger

TOLD = {
    Danger.GAS: (
        "燃气灶装完漏气味 师傅啥时候来 急",
        "家里有煤气味",
        "厨房一股天然气的味道",
        "燃气热水器漏气了",
        "是不是漏煤气了啊",
        "会不会是燃气泄漏了",
        "灶台那边好像漏气",
        "液化气罐在漏",
        "闻到一股臭鸡蛋味 灶刚装的",
        "煤气漏了怎么办",
        "闻到燃气味该怎么办？",
    ),
    Danger.SHOCK: (
        "漏电 麻了她一下",
        "热水器漏电",
        "洗衣机一碰就麻手",
        "我妈被洗衣机电了一下",
        "摸到外壳发麻",
        "刚才电到我了",
        "老人触电了",
        "是不是漏电啊",
        "手都麻了",
        "不会是漏电了吧",
    ),
    Danger.FIRE: (
        "插头冒火花",
        "有焦味能用吗现在",
        "电视后面冒烟了",
        "微波炉打火花 吓死我了",
        "烤箱着火了",
        "开机就有一股焦糊味",
        "空调冒黑烟",
        "充电器炸了",
        "插座烧焦了",
        "洗衣机一转就会冒烟",
        "你好，冰箱后面冒烟，怎么办",
    ),
    Danger.BATTERY: (
        "充电宝鼓包了",
        "充电宝鼓包了，会不会爆炸啊",
        "手机电池膨胀把后盖顶起来了",
        "笔记本鼓了",
        "手机炸了",
        "鼓包了",
        "电池漏液",
        "充电宝鼓包了怕爆炸",
    ),
}
HARMLESS = (
    "煤气灶多少钱",
    "充电宝能带上飞机吗",
    "会不会漏电 想买",
    "这款热水器会漏电吗",
    "电热水器有防漏电功能吗",
    "带漏电保护吗",
    "没有漏电",
    "没闻到煤气味",
    "不冒烟就行",
    "如果电池鼓包了怎么办",
    "怕爆炸 所以想买大牌子",
    "打不着火",
    "燃气灶打火没有火花",
    "空气炸锅多少钱",
    "炒菜油烟大吗",
    "加湿器不冒烟",
    "加湿器冒白烟正常吗",
    "米饭有焦味",
    "麻烦帮我查一下",
    "麻烦你快点",
    "电视到了吗",
    "来电了一下没接到",
    "充电了一下午还没满",
    "漏电那台修好了吗 进度呢",
    "冰箱门漏气不制冷",
    "安装燃气热水器要什么条件",
    "燃气灶是天然气还是液化气",
    "随手麻烦开个票",
    "上次冒烟的维修单到哪了",
    "纸箱鼓包了",
    "贴膜鼓包",
    "手机信号不好",
    "我要查快递",
    "",
)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, told in TOLD.items() for text in told])
def test_a_danger_is_heard(kind: Danger, text: str) -> None:
    assert danger(text) == kind


@pytest.mark.parametrize("text", HARMLESS)
def test_a_question_a_fear_or_a_denial_is_no_danger(text: str) -> None:
    assert danger(text) is None
