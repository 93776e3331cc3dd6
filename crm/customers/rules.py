"""What may stand in a customer's record, and when an account may be closed. Source: docs/shop.md, own data."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

CLOSING_AFTER = timedelta(days=7)  # time to think it over
COPY_WITHIN = timedelta(days=15)
FIELDS = {
    "nickname": "昵称",
    "phone": "手机号",
    "birthday": "生日",
    "address": "默认地址",
    "email": "邮箱",
    "name": "姓名",
}

MOBILE = re.compile(r"1[3-9]\d{9}")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
NAME = re.compile(r"[\u4e00-\u9fff·]{2,20}|[A-Za-z][A-Za-z .'-]{1,39}")
OFFICIAL = re.compile(r"客服|官方|管理员|澄屿|小知|经理|售后")
CONTACT = re.compile(r"\d{5,}|https?:|www\.|@|微信|QQ|加我|vx", re.I)


def is_mobile(phone: str) -> bool:
    """Whether it is a mainland mobile number, eleven digits."""
    return MOBILE.fullmatch(phone) is not None


def why_not_value(field: str, value: str, today: date) -> str | None:
    """None when the value may stand in this field; otherwise what is wrong and what would be right."""
    value = value.strip()
    return _CHECKS[field](value, today)


def _nickname(value: str, _today: date) -> str | None:
    if not 2 <= len(value) <= 20:
        return "昵称需要 2–20 个字，换一个试试？"
    if OFFICIAL.search(value):
        return "昵称里不能带“客服”“官方”这类字样，免得被误认成工作人员，换一个试试？"
    if CONTACT.search(value):
        return "昵称里不能放电话、微信号或网址，换一个试试？"
    return None


def _phone(value: str, _today: date) -> str | None:
    return None if is_mobile(value) else "手机号应该是 11 位数字、1 开头，麻烦再核对一下。"


def _birthday(value: str, today: date) -> str | None:
    try:
        born = date.fromisoformat(value)
    except ValueError:
        return "生日请写上年月日，例如“1990年4月2日”。"
    if born >= today:
        return "生日不能晚于今天，麻烦再核对一下年份。"
    if today.year - born.year > 120:
        return "这个年份太早了，麻烦再核对一下。"
    return None


def _address(value: str, _today: date) -> str | None:
    if not 6 <= len(value) <= 100:
        return "地址请写完整到门牌号，例如“杭州市西湖区文三路100号2幢301室”。"
    return None


def _email(value: str, _today: date) -> str | None:
    return None if EMAIL.fullmatch(value) and len(value) <= 120 else "邮箱格式不太对，应该像 name@example.com 这样。"


def _name(value: str, _today: date) -> str | None:
    return None if NAME.fullmatch(value) else "姓名请写 2–20 个汉字（或英文姓名）。"


_CHECKS = {
    "nickname": _nickname,
    "phone": _phone,
    "birthday": _birthday,
    "address": _address,
    "email": _email,
    "name": _name,
}


def birthday_in(text: str) -> str | None:
    """A full date of birth in a text as ISO; None without a year (which cannot be guessed) or for no date."""
    found = re.search(r"(?<!\d)((?:19|20)\d{2})\s*[年./-]?\s*(\d{1,2})\s*[月./-]?\s*(\d{1,2})(?!\d)", text)
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return None


@dataclass(frozen=True)
class Ties:
    """What still binds an account: open orders (their numbers), after-sales cases and refunds under way."""

    orders: Sequence[str] = ()
    cases: int = 0
    refunds: int = 0


def why_not_close(ties: Ties) -> str | None:
    """None when the account may be closed; otherwise what has to be settled first."""
    waiting = []
    if ties.orders:
        tails = "、".join(number[-4:] for number in ties.orders[:3])
        waiting.append(f"{len(ties.orders)} 笔没完成的订单（尾号 {tails}{'等' if len(ties.orders) > 3 else ''}）")
    if ties.cases:
        waiting.append(f"{ties.cases} 个进行中的售后")
    if ties.refunds:
        waiting.append(f"{ties.refunds} 笔还没到账的退款")
    if not waiting:
        return None
    return f"现在还不能注销：您有{'、'.join(waiting)}。等这些办完（或取消订单）再来找我，就能马上登记。"
