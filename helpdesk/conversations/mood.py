"""How angry a message sounds: from words, threats, punctuation and repetition. Pure, and made to be explained.

No model: what counts stands here, so that a shop can read why a talk went to a person.
"""

import re

ANGRY_FROM = 0.6  # from here on a complaint goes to a person at once

THREATS = re.compile(
    r"12315|12345|消协|消费者协会|工商局|市场监管|曝光|爆光|媒体|记者|报警|派出所|起诉|告你们|告死|法院|律师|上热搜|挂你们|发抖音|发微博|发小红书"
)
INSULTS = re.compile(
    r"骗子|骗人|骗钱|垃圾|黑店|黑心|无耻|不要脸|奸商|坑人|坑货|太坑|流氓|人渣|废物|白痴|傻[逼叉x]|sb(?![a-z])|tmd|他妈|妈的|特么|滚|狗屁|恶心|破(?:店|服务|公司|东西|平台)|去死|缺德|忽悠人|糊弄|耍(?:我|人|猴)"
    r"|什么玩意|良心(?:被狗|喂狗|不会痛)"
)
FURY = re.compile(
    r"气死|气炸|火大|忍无可忍|受够|太过分|欺人太甚|欺负人|岂有此理|再也不(?:买|来|会)|滚蛋|崩溃|无语死|服了你们|到底(?:管不管|想怎样|要怎样)|什么态度"
)
DISPLEASED = re.compile(
    r"太差|很差|差劲|失望|不满|生气|烦死|无语|投诉|过分|敷衍|推卸|踢皮球|没人管|不负责|离谱|扯皮|态度"
)
CALM = re.compile(r"麻烦|请问|谢谢|辛苦|你好|您好|能否|可以吗|想了解")
NOT_MEANT = re.compile(
    r"(?:不是|不算|没有?|别)(?:说你们)?(?:骗子|骗人|垃圾|生气|恶心)|垃圾(?:桶|袋|箱|分类|短信|处理器)"
)


def anger(text: str) -> float:
    """0 (calm) to 1 (furious). ``我要投诉`` alone is displeased, not furious; a threat is."""
    said = NOT_MEANT.sub("", text.lower())
    if not said.strip():
        return 0.0
    points = 0.6 * min(2, len(THREATS.findall(said)))
    points += 0.45 * min(2, len(INSULTS.findall(said)))
    points += 0.4 * min(2, len(FURY.findall(said)))
    points += 0.15 * min(2, len(DISPLEASED.findall(said)))
    if points:  # emphasis counts only where there is something to be angry about
        points += 0.2 * bool(re.search(r"[!！]{2,}|[?？]{2,}|[!！][?？]|[?？][!！]", said))
        points += 0.1 * bool(re.search(r"(?<![!！])[!！](?![!！])", said))
        points += 0.1 * bool(re.search(r"[😡🤬💢👿😠😤]", said))
        points += 0.15 * _repeats(said)
    points -= 0.1 * min(2, len(CALM.findall(said)))
    return round(max(0.0, min(1.0, points)), 2)


def _repeats(text: str) -> bool:
    """Whether a word is said three times or more, with or without commas between: ``退钱退钱退钱``."""
    return re.search(r"([\u4e00-\u9fff]{2,6})[,，。！! ]*(?:\1[,，。！! ]*){2,}", text) is not None


def is_angry(text: str) -> bool:
    """Whether a complaint in these words goes to a person at once."""
    return anger(text) >= ANGRY_FROM
