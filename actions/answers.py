"""How customers answer, correct themselves and turn a wish down: patterns all forms share. Pure: text in, a value out."""

import re
import unicodedata
from typing import NamedTuple

_SOFT = r"[吧啊呀哦呢啦的了么哈嘛，,。.！!~～、 ]*"
_YES_WORD = r"(?:嗯+|恩|是|对|好|行|中|可以|没错|没问题|确认|确定|要|需要|提交|办|就这样|就这么办|这样|同意|ok|okay|yes|嗯呢|好嘞|得嘞|妥)"
_VERB = r"(?:提交|取消|修改|开票|预约|登记|办理?|改|退|换|补发?|退款|约|报修)?"
_POLITE = r"(?:谢谢|多谢|感谢|辛苦|麻烦|拜托|劳驾)(?:您|你|你们|啦|了|哈)*"
_YES = re.compile(rf"{_SOFT}(?:{_POLITE}{_SOFT})?(?:{_YES_WORD}{_SOFT})+(?:{_VERB}{_SOFT})(?:{_POLITE}{_SOFT})*", re.I)
_DO_IT = re.compile(rf"{_SOFT}(?:提交|补发?|退款|退|换|改|开票?)(?:吧|了|！|!)*{_SOFT}(?:{_POLITE}{_SOFT})*")
_NO = re.compile(
    rf"{_SOFT}(?:(?:不了?|不用了?|不要了?|不是|别|否|先不|先别|不确认|不可以|算了|先不办了?){_SOFT})+(?:{_POLITE}{_SOFT})*"
)


def yes_or_no(text: str) -> bool | None:
    """What a whole message says to a yes-no question, with thanks around it or not; None when it says more or neither."""
    plain = text.strip()
    if _NO.fullmatch(plain):
        return False
    return True if _YES.fullmatch(plain) or _DO_IT.fullmatch(plain) else None


_CORRECTS = re.compile(r"不对|不是|错了|搞错|弄错|说的是|我说|我要的是|应该是|改成|换成|是第|取消第|另外那|改选")
_TURNED_DOWN = re.compile(
    r"(?<!是)不是(?:说|要|取消|指|选)?(?:尾号|第)?(?:[^，,。；;！! ]{1,12}?(?=是[^不]|[，,。；;！! ]|$))"
)


def corrects(text: str) -> bool:
    """Whether a message takes back what was understood before."""
    return _CORRECTS.search(text) is not None


def kept(text: str) -> str:
    """The message without what it turns down: ``不是6152 是1837`` → `` 是1837``."""
    return _TURNED_DOWN.sub(" ", text)


_NOT_BEFORE = re.compile(r"(?<!是)不是(?:说|要|取消|指|选)?(?:那个|订单号?|尾号|第)?[:： ]*$")


def turned_down_at(text: str, start: int | None) -> bool:
    """Whether what begins at this place of the text is turned down: the 6152 of ``不是6152``."""
    return start is not None and _NOT_BEFORE.search(text[:start]) is not None


_WARDED_OFF = re.compile(
    r"(?:没|没有|别|不要|不用|先别|先不|不是|不|甭|谁|又没)(?:再|让|叫|要|想|说|是|帮我|给我|你们?|我|用)*$"
)


def warded_off(text: str, verb: str) -> bool:
    """Whether every mention of ``verb`` stands behind a no: 不用催, 没让你催, 我没说取消 – but not 能不能取消, 不要了取消."""
    found = [m.start() for m in re.finditer(verb, text)]
    return bool(found) and all(_WARDED_OFF.search(before := text[:at]) and not _A_NOT_A.search(before) for at in found)


_A_NOT_A = re.compile(
    r"(?:能不能?|可不可以|可以不可以|要不要?|想不想|是不是|好不|怎么不|为什么不|为啥不|咋不|还没|还不|都没)(?:再|给|帮我|给我|我)*$"
)


class Proof(NamedTuple):
    """What a stranger gave of what proves an order: its number, the last four digits of its phone."""

    number: str | None
    tail: str | None


_NUMBER = re.compile(r"(?<!\d)20\d\d(?:[ -]?\d){11}(?!\d)")  # 15 digits, the first eight a day
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?(\d{4})(?!\d)")
_CUED_TAIL = re.compile(r"(?:尾号|后四位|末四位|后4位|最后四位|手机号?|电话)(?:是|为|[:： ])*(\d{4})(?!\d)")
_BARE_TAIL = re.compile(r"(?:^|[\s，,。；;/+])(\d{4})(?=$|[\s，,。；;/+])")


def proof(text: str) -> Proof:
    """The order number and the phone's last four digits in one message, told apart (2026… 3728 到哪了).

    Four digits that stand alone count only beside an order number: anywhere else they may be a price or a year.
    """
    plain = unicodedata.normalize("NFKC", text)
    found = _NUMBER.search(plain)
    if found is None:
        return Proof(None, None)
    rest = f"{plain[: found.start()]} {plain[found.end() :]}"
    tails = _MOBILE.findall(rest) or _CUED_TAIL.findall(rest) or _BARE_TAIL.findall(rest)
    return Proof(re.sub(r"\D", "", found.group()), tails[0] if len(set(tails)) == 1 else None)


def as_written(text: str, value: str) -> str:
    """A value the brain read, with the customer's own capitals (A座, ABC公司): it reads in small letters."""
    plain = unicodedata.normalize("NFKC", text)
    at = plain.lower().find(value) if len(plain) == len(plain.lower()) else -1
    return plain[at : at + len(value)] if at >= 0 else value
