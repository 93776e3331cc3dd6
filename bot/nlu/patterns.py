"""Entities that have a form: numbers, amounts, mail, addresses, names after a cue, words that undo a request.

Each pattern gives the span in the folded text and the value. Chinese has no word borders, so none is asked for.
"""

import re
from typing import Callable, List, NamedTuple, Optional

from bot.nlu.dates import number

CN_NUMBER = "[0-9一二两三四五六七八九十百千万零点.]+"
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}


class Span(NamedTuple):
    """An entity in the folded text."""

    entity: str
    start: int
    end: int
    value: str


def yuan(text: str) -> Optional[str]:
    """``三千五`` → 3500, ``1.2万`` → 12000, ``99.5`` → 99.5; None when it is no number."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return _plain(float(text))
    mixed = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([百千万])", text)
    if mixed:
        return _plain(float(mixed.group(1)) * UNITS[mixed.group(2)])
    total, section, digit, unit = 0, 0, 0, 1
    for character in text:
        if character in UNITS:
            if character == "万":
                total, section, digit = total + (section + digit) * 10000, 0, 0
            else:
                section, digit = section + (digit or 1) * UNITS[character], 0
            unit = UNITS[character]
        else:
            read = number(character)
            if read is None:
                return None
            digit = read
    if digit and text[-1] not in UNITS and unit > 10 and "零" not in text:
        digit *= unit // 10  # 三千五 is 3500, 三千零五 is 3005
    return _plain(float(total + section + digit))


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def count(text: str) -> Optional[str]:
    """``两`` → 2, ``十二`` → 12."""
    read = number(text)
    return None if read is None else str(read)


def _upper(text: str) -> str:
    return text.upper().replace(" ", "")


def _same(text: str) -> str:
    return text


SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
PLACE = "(?:省|市|区|县|镇|乡|村|路|街|道|巷|弄|大道|小区|花园|苑|里|园|广场|大厦|公寓)"
DOOR = "(?:[0-9一二三四五六七八九十甲乙丙a-z-]+(?:号楼|号院|号|弄|栋|幢|座|单元|楼|层|室|户))"

PATTERNS: List["tuple[str, re.Pattern[str], Callable[[str], Optional[str]]]"] = [
    ("email", re.compile(r"[a-z0-9_.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+"), _same),
    (
        "tracking_number",
        re.compile(r"(?<![a-z0-9])(?:sf|jd[a-z]*|yt|zt|sto|dpk|db|rrs|ems|jt)\s?[0-9]{8,16}(?![0-9])"),
        _upper,
    ),
    ("tracking_number", re.compile(r"(?<=快递单号)[:是为 ]*([0-9]{10,16})|(?<=运单号)[:是为 ]*([0-9]{10,16})"), _same),
    ("serial_number", re.compile(r"(?<![a-z0-9])(?:sn|s/n)[:：号 ]*([a-z0-9]{8,20})"), _upper),
    ("tax_number", re.compile(r"(?<![a-z0-9])(?=[0-9a-z]*[a-z])9[0-9a-hj-npqrtuwxy]{17}(?![a-z0-9])"), _upper),
    ("tax_number", re.compile(r"(?<=税号)[:是为 ]*([0-9a-z]{15,20})"), _upper),
    ("phone_number", re.compile(r"(?<![0-9])1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])"), lambda t: re.sub(r"\D", "", t)),
    (
        "phone_number",
        re.compile(r"(?<=手机尾号)[:是为 ]*([0-9]{4})(?![0-9])|(?<=电话尾号)[:是为 ]*([0-9]{4})(?![0-9])"),
        _same,
    ),
    ("order_number", re.compile(r"(?<![a-z0-9])[0-9]{10,18}(?![0-9])"), _same),
    ("order_number", re.compile(r"(?:(?:尾号|后四位|末四位|最后四位)(?:是|为)?[: ]?)([0-9]{4})(?![0-9])"), _same),
    ("order_number", re.compile(r"(?<![0-9])([0-9]{4})(?=(?:那|这)?(?:一)?(?:单|个订单|的订单|的那单))"), _same),
    ("amount", re.compile(rf"({CN_NUMBER})(?:多|来)?(?:元|块钱|块|人民币|rmb)"), yuan),
    (
        "amount",
        re.compile(r"([0-9一二两三四五六七八九十]+[百千万][0-9一二两三四五六七八九]?)(?=以内|以下|左右|预算|的预算)"),
        yuan,
    ),
    (
        "quantity",
        re.compile(
            r"([0-9]{1,4}|[一二两三四五六七八九十]{1,3})(?=台|件|双|箱|盒|套|部(?!分)|瓶|包|只(?!能|是|有|要)|把(?!我|你|它|这|那))"
        ),
        count,
    ),
    ("rating", re.compile(r"(?<![0-9])([1-5一二三四五])(?=分(?!钟|期|开|之)|星)"), count),
    (
        "address",
        re.compile(
            rf"[\u4e00-\u9fff0-9a-z]{{2,}}?{PLACE}[\u4e00-\u9fff0-9a-z-]*?{DOOR}(?:[\u4e00-\u9fff0-9a-z-]*?{DOOR})*"
        ),
        _same,
    ),
    (
        "person_name",
        re.compile(
            rf"(?:收货人|收件人|姓名|名字|联系人)(?:是|叫|写|改成|改为|换成|:|：| )*([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"
        ),
        _same,
    ),
    ("person_name", re.compile(rf"(?:我叫|我是)([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"), _same),
    (
        "invoice_title",
        re.compile(
            r"[\u4e00-\u9fff()（）]{2,20}(?:有限责任公司|股份有限公司|有限公司|集团|事务所|研究院|大学|学院|医院)"
        ),
        _same,
    ),
    (
        "negated",
        re.compile(
            r"(?:别|不要|先不|先别|不用|不想|不)(?=(?:再)?(?:帮我|给我)?(?:取消|退货|退款|退了|换了|换货|修了|投诉了|开票|装了))"
        ),
        _same,
    ),
    (
        "negated",
        re.compile(
            r"(?:撤销|撤回|取消|收回|关闭)(?=(?:我的?|这个|那个|掉|一下|了)*(?:退款|退货|换货|售后|维修|报修|投诉|取消|工单|保价|拒收))"
        ),
        _same,
    ),
    ("negated", re.compile(r"恢复(?=(?:我的?|这个|那个|一下|掉)*(?:订单|单子|下单))"), _same),
]


def find(folded: str) -> List[Span]:
    """All matches, in the patterns' order (an earlier pattern wins over a later one on the same characters)."""
    spans: List[Span] = []
    for entity, pattern, normalise in PATTERNS:
        for match in pattern.finditer(folded):
            group = next((i for i in range(1, (pattern.groups or 0) + 1) if match.group(i) is not None), 0)
            value = normalise(match.group(group))
            if value is not None and match.end(group) > match.start(group):
                spans.append(Span(entity, match.start(group), match.end(group), value))
    return spans
