"""What customers say about orders under way, read for the forms and look-ups of actions/orders.py. Pure."""

import re

from actions.answers import warded_off

_URGING = re.compile(
    r"催|加急|快点|快些|快一点|赶紧|赶快|抓紧|尽快|速度|怎么还|咋还|还没发|还不发|还没动|还没送|还没到|为什么不发|为啥不发|不发货|到底|急用|等不及|等着用|等急"
    r"|太慢|这么慢|好慢|真慢|磨蹭|几天了|多久了|多少天了|什么时候才|啥时候才|超时|说好的?"
)
_ASKING = re.compile(r"什么时候|啥时候|何时|几点|几号|哪天|多久|几天|到哪|在哪|多重|多大|怎么样")


def urges(text: str) -> bool | None:
    """True: it asks to hurry somebody up; False: it says not to, or only asks when; None: neither is said."""
    if warded_off(text, "催|加急"):
        return False
    if _URGING.search(text):
        return True
    return False if _ASKING.search(text) else None


_PAST = re.compile(
    r"(?:上次|上回|之前|以前|那次|被|自动|系统|原来)[^，,。]{0,10}取消[^，,。]{0,8}(?:为啥|为什么|怎么|原因|咋|谁|吗|说说)"
    r"|(?:为啥|为什么|怎么|咋|谁|凭什么)[^，,。]{0,12}(?:给|被|把)?[^，,。]{0,6}取消了"
    r"|取消了?的?(?:那|这)[个单笔][^，,。]{0,8}(?:为啥|为什么|怎么|原因|钱|退)"
    r"|取消[^，,。]{0,6}(?:的|是)?(?:原因|为啥|为什么)"
)
_REFUSING = re.compile(
    r"拒收[^，,。]{0,6}(?:是吧|吗|么|行|可以|对吧|怎么|咋|要|能|[?？])|(?:怎么|能不能|可以|可不可以|咋|如何|直接)拒收"
)
_OTHER_MATTER = re.compile(
    r"维修|报修|取件|上门|安装|师傅|预约|退货|换货|补发|退款申请|售后|退换|(?:WX|AS)\d{6,}", re.I
)
_CALLING_OFF = re.compile(r"取消|撤|不用|不要|不需要|别|甭|退掉|退约|不约|不修|不装|不退|不换|算了")


def speaks_of_no_cancelling(text: str) -> bool:
    """Whether a message read as "cancel" turns it down: 我没说取消, 不是取消 就是数量改成2."""
    return warded_off(text, "取消|退单")


def asks_about_cancelled(text: str) -> bool:
    """Whether it asks about what was cancelled before rather than for a cancellation."""
    return _PAST.search(text) is not None


def asks_about_refusing(text: str) -> bool:
    """Whether it asks how to turn a parcel away at the door."""
    return _REFUSING.search(text) is not None and "取消" not in text


def names_other_matter(text: str) -> bool:
    """Whether a repair, a visit, a pick-up or a return is called off rather than an order: 取消维修单, 快递取件取消. A question
    about one in between (退货的运费谁出) is none."""
    other = _OTHER_MATTER.search(text) is not None and re.search(r"订单|[这那]单|下单", text) is None
    return other and _CALLING_OFF.search(text) is not None
