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


def pieces(text: str) -> Optional[str]:
    """``两`` → 2, ``一百二十`` → 120."""
    return yuan(text) if re.search("[百千]", text) else count(text)


NO_NAMES = re.compile("^(?:方便|安装|高级|金牌|马上|石家|白色|黄色|常用|关注|温馨|万能|任何|向)")


def _name(text: str) -> Optional[str]:
    return None if NO_NAMES.match(text) else text


THINGS = "(?:表|布|香皂|屏|电池|肥皂|巧克力|硬盘|内存)"

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
    "樊齐殷施洪翟安颜倪章鲁庞邢骆翁岳耿欧温葛祝柳甘柴蓝关焦简"
)
TITLE = "(?:先生|女士|小姐|阿姨|叔叔|大姐|大哥|师傅|经理|主管|老师|姐|哥)"
REGION = (
    "(?:北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    "|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|台湾)"
)
PLACE = "(?:省|市|区|县|镇|乡|村|路|街|道|巷|弄|大道|小区|花园|苑|里|园|广场|大厦|公寓)"
DOOR = "(?:[0-9一二三四五六七八九十甲乙丙a-z-]+(?:号楼|号院|号|弄|栋|幢|座|单元|楼|层|室|户)|(?<=座|楼|元|厦|苑|场|区)[0-9]{2,4}(?![0-9元块]))"
# Words before an address or a title that a greedy match takes along.
LEADS = {
    "address": re.compile(
        r"^(?:我|们|的|现在|新|收货|收件|地址|老家|家|住|要|请|麻烦|帮|把|给|快递|还是|就|是|在|到|为|成|写|改|寄|往|送|发|换|[:,，。 ])+"
    ),
    "invoice_title": re.compile(
        r"^(?:我们?|要|请|帮|开|发票|的|给|把|换|改|抬头|公司|单位|客户|名称|是|为|成|写|叫|[:,，。 ])+"
    ),
}
COMPANY = "(?:有限责任公司|股份有限公司|有限公司|分公司|集团|事务所|研究院|研究所|大学|学院|医院|幼儿园|中学|小学|商行|经营部|工作室|合作社|服务部|委员会|管理局|支行)"
COUNTED = "(?:台|件|双|箱|盒|套|桶|袋|瓶|包|罐|部(?!分)|本|支|张|只(?!能|是|有|要)|把(?!我|你|它|这|那)|条|副|块(?=表|布|香皂|屏|电池|肥皂)|个(?=[\u4e00-\u9fff]*?(?:杯|锅|灯|壶|机|包|盒|箱|枕|玩具|书|礼|充电|键盘|鼠标|插座|架)))"

# The group ``s`` is the span (default: all), ``v`` what its value is read from (default: the span).
PATTERNS: List["tuple[str, re.Pattern[str], Callable[[str], Optional[str]]]"] = [
    ("email", re.compile(r"[a-z0-9_.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+"), _same),
    (
        "tracking_number",
        re.compile(r"(?<![a-z0-9])(?:sf|jd[a-z]*|yt|zto?|sto|dpk|db|rrs|ems|jt|yd|bs|ht|cn)\s?[0-9]{8,16}(?![0-9])"),
        _upper,
    ),
    (
        "tracking_number",
        re.compile(
            r"(?:快递|运|物流|邮政|中通|圆通|申通|韵达|极兔|百世|德邦)的?(?:单子|单号|号)?[:是为 ]*(?P<s>[0-9]{10,16})(?![0-9])"
        ),
        _same,
    ),
    (
        "serial_number",
        re.compile(r"(?<![a-z0-9])(?P<s>(?:sn|s/n)[:： ]*(?P<v>(?=[a-z]*[0-9])[a-z0-9]{8,20}))(?![a-z0-9])"),
        _upper,
    ),
    (
        "serial_number",
        re.compile(
            r"(?:sn|s/n|序列号|机身码|机器码|串号|imei|条码|编码|机身号|码)[\u4e00-\u9fff]{0,4}[:： ]*(?P<s>(?=[a-z]*[0-9])[a-z0-9]{8,20})(?![a-z0-9])"
        ),
        _upper,
    ),
    ("tax_number", re.compile(r"(?<![a-z0-9])(?=[0-9a-z]*[a-z])9[0-9a-hj-npqrtuwxy]{17}(?![a-z0-9])"), _upper),
    ("tax_number", re.compile(r"(?:税号|识别号)[\u4e00-\u9fff]{0,4}[: ]*(?P<s>[0-9a-z]{15,20})(?![a-z0-9])"), _upper),
    ("phone_number", re.compile(r"(?<![0-9])1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])"), lambda t: re.sub(r"\D", "", t)),
    ("phone_number", re.compile(r"(?<![0-9])0[0-9]{2,3}[- ][0-9]{7,8}(?![0-9])"), lambda t: re.sub(r"\D", "", t)),
    ("phone_number", re.compile(r"(?:手机|电话)尾号[:是为 ]*(?P<s>[0-9]{4})(?![0-9])"), _same),
    ("order_number", re.compile(r"(?<![a-z0-9])[0-9]{10,18}(?![0-9])"), _same),
    ("order_number", re.compile(r"(?:(?:尾号|后四位|末四位|最后四位)(?:是|为)?[: ]?)(?P<s>[0-9]{4})(?![0-9])"), _same),
    ("order_number", re.compile(r"(?<![0-9])(?P<s>[0-9]{4})(?=(?:那|这)?(?:一)?(?:单|个订单|的订单|的那单))"), _same),
    (
        "amount",
        re.compile(
            rf"(?<![0-9.一二两三四五六七八九十百千万])(?P<v>{CN_NUMBER})(?:多|来)?(?:元|块钱|块(?!{THINGS})|人民币|rmb)"
        ),
        yuan,
    ),
    (
        "amount",
        re.compile(
            r"(?P<s>(?P<v>[0-9一二两三四五六七八九十]+[百千万][0-9一二两三四五六七八九]?))(?=以内|以下|左右|预算|的预算|买的|的(?!人))"
        ),
        yuan,
    ),
    (
        "amount",
        re.compile(
            r"(?:付了|实付|支付了?|金额是?|收了?我?|扣了|退了?我?|补了?我?|花了|差价|差|要收|预算|才|只要|卖|降到|涨到|返|交了)[: ]*"
            r"(?P<s>(?P<v>[0-9]+(?:\.[0-9]{1,2})?|[一二两三四五六七八九]+[十百千万][一二两三四五六七八九十百]*))(?![0-9.%天个件台双箱盒套次月年号点分小楼栋折倍级星w寸英kg升克斤g单条米岁遍])"
        ),
        yuan,
    ),
    ("amount", re.compile(r"[¥￥](?P<v>[0-9]+(?:\.[0-9]{1,2})?)"), yuan),
    (
        "quantity",
        re.compile(
            rf"(?<![0-9a-z.第一二两三四五六七八九十百前后])(?P<v>[0-9]{{1,4}}|[一二两三四五六七八九十百]{{1,4}}){COUNTED}"
        ),
        pieces,
    ),
    (
        "rating",
        re.compile(
            r"(?<![0-9])(?P<v>[1-5一二三四五])(?:分(?!钟|期|开|之|公司|店|批|拣|享|不能|都)|颗星|星(?=好评|差评|吧|$|[,，。!！ ]))"
        ),
        count,
    ),
    (
        "address",
        re.compile(
            rf"(?:{REGION}[\u4e00-\u9fff0-9a-z]+?|[\u4e00-\u9fff0-9a-z]{{2,}}?){PLACE}[\u4e00-\u9fff0-9a-z-]*?{DOOR}(?:[\u4e00-\u9fff0-9a-z-]{{0,12}}?{DOOR})*"
        ),
        _same,
    ),
    (
        "person_name",
        re.compile(
            rf"(?:收货人|收件人|姓名|名字|联系人)(?:是|叫|写|改成|改为|换成|:|：| )*(?P<s>[{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"
        ),
        _same,
    ),
    ("person_name", re.compile(rf"(?:我叫|我是)(?P<s>[{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"), _same),
    ("person_name", re.compile(rf"(?<![\u4e00-\u9fff][老小])[{SURNAMES}](?:[\u4e00-\u9fff])?{TITLE}(?!说)"), _name),
    ("invoice_title", re.compile(rf"[\u4e00-\u9fff()（）]{{2,24}}?{COMPANY}(?![\u4e00-\u9fff]*{COMPANY})"), _same),
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
        whole = "s" if "s" in pattern.groupindex else 0
        read = "v" if "v" in pattern.groupindex else whole
        for match in pattern.finditer(folded):
            value = normalise(match.group(read))
            start, end = match.span(whole)
            lead = LEADS[entity].match(match.group(whole)) if entity in LEADS else None
            if lead:
                start, value = start + lead.end(), (value or "")[lead.end() :]
            if value and end > start:
                spans.append(Span(entity, start, end, value))
    return spans
