"""What is asked of an invoice's details, and its deadlines."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.orders import invoice_rules as rules


@pytest.mark.parametrize("number", ["91510107MA6CX2K84P", "330106198001011", "91330203MA2GQ41H7R"])
def test_a_possible_tax_number_is_taken(number):
    assert rules.why_not_tax_number(number) is None


@pytest.mark.parametrize(
    ("number", "part"),
    [("9151010", "7 位"), ("91510107MA6CX2K8IO", "I、O"), ("税号", "数字")],
)
def test_a_wrong_tax_number_is_told_what_is_wrong(number, part):
    why = rules.why_not_tax_number(number)
    assert part in why


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=1, max_size=25))
def test_the_length_decides_about_a_number_of_the_right_characters(number):
    assert (rules.why_not_tax_number(number) is None) == (len(number) in {15, 17, 18, 20})


@pytest.mark.parametrize("title", ["杭州云帆科技有限公司", "苏州市第三实验小学", "某某律师事务所", "成都市第一医院"])
def test_organisations_are_told_from_people(title):
    assert rules.is_company(title)
    assert not rules.is_company("周晓岚")


def test_titles_are_printed_with_chinese_brackets_and_without_gaps():
    assert rules.clean_title(" 云帆 (杭州) 有限公司。") == "云帆（杭州）有限公司"
    assert rules.why_not_title("王", company=False)
    assert rules.why_not_title("12345", company=False)
    assert rules.why_not_title("云帆", company=True)


def test_a_special_invoice_needs_address_phone_bank_and_account():
    whole = "杭州市西湖区文三路100号 0571-86203319 工商银行西湖支行 1202021409900123456"
    assert rules.missing_bank_details(whole) == []
    assert rules.missing_bank_details("工商银行") == ["注册地址", "电话", "银行账号"]


def test_an_invoice_comes_the_day_after_signing_or_asking():
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert rules.issue_by(now, None) is None
    assert rules.issue_by(now, datetime(2026, 11, 1, 9, tzinfo=UTC)).date() == date(2026, 11, 23)
    assert rules.issue_by(now, now).date() == date(2026, 11, 23)


def test_corrections_end_on_the_last_of_january():
    assert rules.correct_until(date(2026, 3, 3)) == date(2027, 1, 31)
    assert rules.correct_until(date(2026, 12, 31)) == date(2027, 1, 31)


@pytest.mark.parametrize(
    "line",
    [
        "南昌启明科技有限公司 91360100MA35ABCD12 工行南昌红谷滩支行 1502001234567890123",
        "工商银行苏州园区支行，1102020409000123456，抬头：南昌启明科技有限公司，税号：91360100MA35ABCD12",
        "公司名称是南昌启明科技有限公司 税号91360100MA35ABCD12 开户行招行南昌分行 账号 6225881234567890",
    ],
)
def test_company_and_tax_number_are_told_from_bank_and_account(line: str) -> None:
    assert rules.title_among(line) == "南昌启明科技有限公司"
    assert rules.tax_number_among(line) == "91360100MA35ABCD12"


@pytest.mark.parametrize("bank", ["工行南昌红谷滩支行", "工商银行苏州园区支行", "招行南昌分行", "开户行是建设银行"])
def test_a_branch_of_a_bank_is_never_a_title(bank: str) -> None:
    assert rules.title_among(bank) is None
    assert rules.why_not_title(bank, company=True)


def test_an_account_is_no_tax_number() -> None:
    assert rules.tax_number_among("工行红谷滩支行 1502001234567890123") is None
