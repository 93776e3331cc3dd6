"""Invoices: who can have which, when they come, until when they are corrected. Source: docs/shop.md.

Pure: dates are the business's, money in cents.
"""

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum

TAX_NUMBER_LENGTHS = frozenset({15, 17, 18, 20})
SOCIAL_CREDIT_LENGTH = 18
NOT_IN_SOCIAL_CREDIT = frozenset("IOZSV")  # GB 32100-2015
COMPANY = re.compile(
    r"公司|集团|厂|店|事务所|研究院|研究所|大学|学院|学校|小学|中学|幼儿园|医院|银行|中心|协会|委员会|合作社|工作室|局$|部$|社$"
)
ISSUE_HOUR = 18  # at the latest, on the day it is due


class InvoiceKind(StrEnum):
    """The kinds of the shop's electronic invoices."""

    ORDINARY = "ordinary"
    SPECIAL = "special"

    @property
    def label(self) -> str:
        """As the customer reads it."""
        return {"ordinary": "电子普通发票", "special": "电子增值税专用发票"}[self]


class InvoiceStatus(StrEnum):
    """The states of an invoice."""

    REQUESTED = "requested"
    ISSUED = "issued"
    VOIDED = "voided"


def is_company(title: str) -> bool:
    """Whether a title names an organisation rather than a person."""
    return COMPANY.search(title) is not None


def clean_title(title: str) -> str:
    """A title without white space and with Chinese brackets, as it is printed."""
    return re.sub(r"\s+", "", title).replace("(", "（").replace(")", "）").strip("，。,.：:“”\"'")


def why_not_title(title: str, *, company: bool) -> str | None:
    """None for a possible title; otherwise what is wrong with it, for the customer."""
    if not 2 <= len(title) <= 60 or not re.search(r"[\u4e00-\u9fffA-Za-z]", title):
        return "抬头看起来不完整，请发公司全称或您的姓名。"
    if company and is_bank(title):
        return "这像是开户银行，抬头请发公司全称，和营业执照上一样。"
    if company and len(title) < 4:
        return "公司抬头请按营业执照写全称，简称开出来报销不了。"
    return None


_BANK = re.compile(
    r"支行|分行|营业部|分理处|信用社|农商行|开户行|开户银行|^(?:中国)?(?:工|农|中|建|交|招|邮储|浦发|民生|兴业|光大|华夏|平安|中信)行"
)
_LABEL = re.compile(
    r"^(?:(?:发票|公司|单位|企业)?(?:抬头|名称|全称)|公司名?|单位|税号|纳税人识别号|统一社会信用代码|信用代码|开户银行|开户行|银行账[号户]|银行|账[号户]|卡号"
    r"|注册地址|地址|注册电话|电话)(?:还?是|为|写|:|：)+"
)
_TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}", re.I)


def is_bank(text: str) -> bool:
    """Whether a text names the branch an account is kept at – never a title."""
    return _BANK.search(text) is not None


def title_among(text: str) -> str | None:
    """The company in a line with tax number, bank and account (``启明科技有限公司 9133… 工行红谷滩支行 1502…``)."""
    for part in re.split(r"[，,；;、\s|]+", text):
        bare = _LABEL.sub("", part.strip("。.“”\"'"))
        bare = re.split(r"(?:税号|开户|账号|地址|电话)", bare)[0]
        bare = re.sub(r"[0-9A-Z]{15,20}.*$", "", bare, flags=re.I)
        named_bank = re.match(r"开户|银行|账", part) is not None
        if is_company(bare) and not named_bank and not is_bank(bare) and not _TAX_NUMBER.fullmatch(bare):
            return bare
    return None


def tax_number_among(text: str) -> str | None:
    """The tax number in such a line: with a letter, or 15 to 20 digits behind its name; an account has digits only."""
    if named := re.search(r"(?:税号|识别号|信用代码)(?:是|为|:|：|\s)*([0-9A-Z]{15,20})", text, re.I):
        return clean_tax_number(named.group(1))
    found = [
        f
        for f in re.findall(r"(?<![0-9A-Za-z@.])[0-9A-Z]{15,20}(?![0-9A-Za-z@.])", text, re.I)
        if re.search("[A-Z]", f, re.I)
    ]
    return clean_tax_number(found[0]) if found else None


def clean_tax_number(text: str) -> str:
    """A tax number in capitals without separators."""
    return re.sub(r"[\s-]", "", text).upper()


def why_not_tax_number(number: str) -> str | None:
    """None for a possible tax number; otherwise what is wrong with it. Length and characters are looked at only."""
    if not re.fullmatch(r"[0-9A-Z]+", number):
        return "税号只有数字和大写字母，请再核对一下。"
    if len(number) not in TAX_NUMBER_LENGTHS:
        return f"税号一般是 18 位，您发的是 {len(number)} 位，可能多了或少了，请再核对一下。"
    wrong = sorted(set(number) & NOT_IN_SOCIAL_CREDIT) if len(number) == SOCIAL_CREDIT_LENGTH else []
    if wrong:
        return f"18 位税号里不会有字母 {'、'.join(wrong)}，可能和数字看混了，请再核对一下。"
    return None


def missing_bank_details(text: str) -> list[str]:
    """What of address, phone, bank and account a text for a special invoice lacks."""
    lacking = []
    text = re.sub(r"(?=[0-9]*[A-Z])[0-9A-Z]{15,20}", "", text, flags=re.I)  # a tax number beside it is no phone
    if not re.search(r"路|街|道|巷|号|区|镇|村|大厦|园", text):
        lacking.append("注册地址")
    digits = re.findall(r"\d[\d -]{5,30}\d", text)
    plain = [re.sub(r"\D", "", d) for d in digits]
    if not any(7 <= len(d) <= 12 for d in plain):
        lacking.append("电话")
    if not re.search(r"行|信用社|农信", text):
        lacking.append("开户银行")
    if not any(12 <= len(d) <= 25 for d in plain):
        lacking.append("银行账号")
    return lacking


def issue_by(now: datetime, delivered_at: datetime | None) -> datetime | None:
    """When the invoice is there at the latest (local times): the day after signing, or the day after asking if that is
    later; None while the goods have not been signed for."""
    if delivered_at is None:
        return None
    day = max(now.date(), delivered_at.date()) + timedelta(days=1)
    return datetime.combine(day, time(ISSUE_HOUR), now.tzinfo)


def correct_until(issued: date) -> date:
    """The last day an invoice can be corrected: 31 January of the year after it was issued."""
    return date(issued.year + 1, 1, 31)
