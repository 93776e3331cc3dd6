"""Whether a message tells of somebody in need: gas, a shock, fire, a battery that swells, an allergy or injury, a
customer locked out by the lock. Pure: text in, a value out.

The one place that decides it, whatever intent was read. Patterns, not a model: a missed gas leak cannot be made good, and
a line too much of advice harms nobody. What is only asked or feared (会不会漏电, 怕爆炸) and what is denied (没漏电) is none.
"""

import re
from enum import StrEnum


class Danger(StrEnum):
    """The dangers that are told apart, for each needs its own advice."""

    GAS = "gas"
    BATTERY = "battery"
    FIRE = "fire"
    SHOCK = "shock"
    BODY = "body"  # an allergy, a burn, a cut
    LOCKED_OUT = "locked_out"


_GAS = re.compile(
    r"(?:燃气|煤气|天然气|液化气|瓦斯|沼气)(?:灶|热水器|管|阀|表|罐|瓶)?[^，,。]{0,8}?(?:味|臭|漏|泄|中毒)|(?:漏|泄漏|泄露)[^，,。]{0,3}(?:燃气|煤气|天然气|液化气)"
    r"|(?:灶|热水器|气管|气阀|阀门|管子|厨房)[^，,。]{0,10}漏(?:了)?气|漏气味|(?:臭鸡蛋|臭鸡旦)味?|一氧化碳中毒"
)
_CELL = r"(?:电池|充电宝|移动电源|手机|平板|笔记本|电脑|手表|手环|耳机|充电仓|遥控器|牙刷|剃须刀|后盖|屏幕|背面)"
_BATTERY = re.compile(
    rf"{_CELL}[^，,。]{{0,10}}?(?:鼓包|鼓起|鼓了|鼓胀|膨胀|胀包|胀起|胀了|变鼓|漏液|炸了|爆了|炸开)"
    rf"|(?:鼓包|膨胀|胀起来|漏液)[^，,。]{{0,6}}{_CELL}|^(?:它|都|也|已经|好像|有点|又|就|突然)*鼓包了?"
)
_FIRE = re.compile(
    r"冒(?:了|出|着)?(?:白|黑|青|浓|大)?烟|(?:冒|打|溅|迸)(?:出|了)?(?:电)?火(?:花|星)|冒火|(?:出|有|直)火花|起火|(?<![不点打])着火|烧起来|自燃"
    r"|焦(?:糊|煳|臭)?(?:的)?味|(?:烧|电线|塑料|线路|插头|插座)(?:焦|糊|煳)(?:了)?(?:的)?味|(?:插头|插座|电线|线路|插线板|电源线|机器|外壳)[^，,。]{0,4}(?:烧焦|烧糊|烧化|烧黑|熔了|融化)"
    r"|爆炸|(?:插头|充电器|电源|高压锅|压力锅|机器|热水器|烤箱|空调)[^，,。]{0,6}(?:炸了|炸开|爆了)"
)
_SHOCK = re.compile(
    r"漏(?:了)?电|触(?:了)?电|外壳带电|机身带电|被[^，,。]{0,8}?电(?:了|到|着|得|麻|击)|(?<![充来家停供用])电(?:到|了|着|麻)(?:我|他|她|人|手|孩子|宝宝|老人|一下)"
    r"|麻手|手(?:都|被|有点|发|一阵)*麻(?![烦辣])|麻了?(?:我|他|她|人)?(?:一下|一跳)|[碰摸][^，,。]{0,8}?发?麻(?![烦辣])"
)
_SKIN = r"(?:皮肤|脸|面部|嘴|唇|眼|脖子|手腕|手臂|胳膊|手(?!机|表|环|柄)|腿|脚(?!架|垫)|身上|全身|头皮|耳朵)"
_RASH = (
    r"(?:过敏|(?:起|出|长|冒)(?:了|满|好多|一片|一身|很多|些)*红?(?:疹|疙瘩|水[泡疱])|红疹|湿疹|荨麻疹|红肿|又红又痒"
    r"|瘙痒|[发很好又]痒|特别痒|痒得|痒死)"
)
_HURT = r"(?:烫|割|划|夹|扎|砸|刮)"
_BODY = re.compile(
    rf"(?:用|戴|穿|敷|擦|抹|涂|洗|刮|剃|贴|吃|喝|碰|盖|睡)[^，,。不没]{{0,10}}?{_RASH}|过敏(?:了|得|起|反应|很?严重|一脸)"
    rf"|{_SKIN}[^，,。不没]{{0,6}}?(?:{_RASH}|肿了|肿起来|{_HURT}[伤到破了])|喉咙发紧|喘不上气|呼吸困难"
    rf"|(?:烫|灼|烧|割|炸)伤|{_HURT}[伤到破着]了?(?:我|他|她|手(?!机|表|环|柄)|脚|人|孩子|宝宝|老人|腿|胳膊|皮肤)"
)
_BODY_ASKED = re.compile(
    r"差点|会不会|[会易]过敏|会[起长痒烫割夹伤]|怕|担心|如果|要是|万一|防|避免|抗过敏|低敏|体质|人群|过敏[原源史针测包]|适合|能用|能不能用|可以用"
)
_PATTERNS = {
    Danger.GAS: _GAS,
    Danger.BATTERY: _BATTERY,
    Danger.FIRE: _FIRE,
    Danger.SHOCK: _SHOCK,
    Danger.BODY: _BODY,
}

_LOCKED_OUT = re.compile(
    r"(?:门锁|智能锁|指纹锁|密码锁|电子锁|锁).{0,16}?(?:进不[去来了]|[打开]不开|开不了|回不了家)"
    r"|进不[去了](?:家|屋|房间|门)|(?:家门|房门|大门|入户门).{0,6}?(?:[打开]不开|开不了|进不[去了])"
    r"|[锁关]在(?:了)?(?:门外|外面|屋外|家门外|楼道|走廊)|回不了家"
)
_STANDS_OUTSIDE = re.compile(
    r"在(?:家|自己家)?门外|进不[去来了]|[打开]不开门?$|开不了门?$"
)  # heard only when a lock is spoken of
_LOCK = re.compile(r"(?<![上解童])锁(?!屏|单|定)")
_SOMEBODY_ELSE = re.compile(r"快递|包裹|师傅|外卖|骑手|配送")
_OTHER_LOCK = re.compile(
    r"冰箱|[冰冷]柜|洗衣机|烘干机|[烤蒸]箱|洗碗机|微波炉|柜|箱|舱|锁屏|童锁|账[号户]|手机|电脑|app|网页|链接|图片|视频|发票|页面|小程序",
    re.I,
)
_LOCK_ASKED = re.compile(r"如果|要是|万一|会不会|怕|担心|的话|假如|以后|想买|推荐|多少钱|支持|功能")

_CLAUSE = re.compile(r"[^，,。！!；;？?\s]+[？?]?")
# what stands right before the word: feared, supposed, asked, denied
_SUPPOSED = re.compile(
    r"(?:如果|要是|假如|假设|万一|以后|将来|防止?|[怕恐]|担心|避免|预防|容易|会不会(?!是)|能不能防)[^，,。]{0,6}$"
)
_DENIED = re.compile(
    r"(?:没有?|(?<![是会])不(?!停|断|但|光|仅|知|晓|会是)|并未|从未|无|零|(?<!是)不是|别)(?:再|有|任何|发现|闻到|出现|什么|出|了|会|是|怎么|点)*$"
)
_NOT_EVENT_AFTER = re.compile(
    r"^(?:保护|检测|探测|报警|传感|测试|断路|开关|险|怎么(?:预防|避免)|的?风险|隐患|吗[？?]?$)"
)
_WILL = re.compile(r"(?:会|能)[^，,。]{0,4}$")
_ASKS = re.compile(r"(?:吗|么|不会|不)[？?]?$")
_BUYING = re.compile(
    r"想买|打算买|准备买|要买|买哪|哪款|推荐|多少钱|什么价|有货|优惠|带上飞机|上飞机|高铁|值得买|选购|下单前|对比"
)
_HAPPENED = re.compile(r"了|刚|现在|一股|闻|已经|昨|今|正在|老是|总是|一直|每次|一开|一插|一碰")
_SETTLED = re.compile(
    r"进度|(?<!没)(?<!没有)(?:修好|处理好|换好)|维修单|工单|[的笔]退款|退款.{0,3}(?:到|进度|多久|什么时候|没|成功)"
)
_FOOD = re.compile(r"(?:米饭|饭|菜|肉|粥|面包|蛋糕|锅巴|红薯|鸡翅|吐司|油)[^，,。]{0,5}(?:焦|糊|煳|冒)|炒菜|油烟(?!机)")
_STEAM = re.compile(r"加湿器|雾化|干冰|舞台|烟雾机")
_IGNITION = re.compile(r"(?:打火(?!花)|点火|打不|点不)")


def danger(text: str, before: str = "") -> Danger | None:
    """The danger a message tells of, or None. A burst of lines is read clause by clause.

    ``before``: what was said in the talk so far; 我在门外面 tells of nothing by itself, only where a lock is spoken of.
    """
    if _SETTLED.search(text) or (_BUYING.search(text) and not _HAPPENED.search(text)):
        return None
    clauses = _CLAUSE.findall(text)
    for kind, pattern in _PATTERNS.items():
        if any(_tells(kind, pattern, clause) for clause in clauses):
            return kind
    return Danger.LOCKED_OUT if _locked_out(text, before) else None


def _locked_out(text: str, before: str) -> bool:
    if _OTHER_LOCK.search(text) or _LOCK_ASKED.search(text):
        return False
    if _LOCKED_OUT.search(text):
        return True
    outside = any(_STANDS_OUTSIDE.search(clause) for clause in _CLAUSE.findall(text))
    return outside and not _SOMEBODY_ELSE.search(text) and _LOCK.search(before + text) is not None


def _tells(kind: Danger, pattern: re.Pattern[str], clause: str) -> bool:
    return any(_happens(kind, clause, found) for found in pattern.finditer(clause))


def _happens(kind: Danger, clause: str, found: re.Match[str]) -> bool:
    before, after = clause[: found.start()], clause[found.end() :]
    if _SUPPOSED.search(before) or _DENIED.search(before) or _NOT_EVENT_AFTER.search(after):
        return False
    if _WILL.search(before) and _ASKS.search(clause):
        return False
    if kind == Danger.BODY and _BODY_ASKED.search(clause):
        return False
    if kind == Danger.FIRE:
        sparks = "火花" in found.group() and _IGNITION.search(clause)
        return not (_FOOD.search(clause) or _STEAM.search(clause) or sparks)
    return True
