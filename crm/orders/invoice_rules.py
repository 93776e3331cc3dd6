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
    if company and len(title) < 4:
        return "公司抬头请按营业执照写全称，简称开出来报销不了。"
    return None


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
