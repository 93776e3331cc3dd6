"""What a stranger proves an order with is told apart, and names stay as the customer writes them."""

import pytest

from actions.answers import Proof, as_written, proof

NUMBER = "202611210000183"


@pytest.mark.parametrize(
    "text",
    [
        f"{NUMBER} 3728",
        f"{NUMBER}，尾号3728，到哪了",
        f"订单号{NUMBER} 手机尾号3728 帮我查物流",
        f"3728 {NUMBER}",
        "查物流 20261121 0000183 尾号 3728",
        f"{NUMBER} 手机13900003728",
        "２０２６１１２１００００１８３ 尾号３７２８",
    ],
)  # fmt: skip
def test_number_and_tail_in_one_message_are_both_taken(text: str) -> None:
    assert proof(text) == Proof(NUMBER, "3728")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{NUMBER} 到哪了", Proof(NUMBER, None)),
        (f"{NUMBER} 1299元那台", Proof(NUMBER, None)),
        (f"{NUMBER} 3728 1837", Proof(NUMBER, None)),
        ("尾号3728 到哪了", Proof(None, None)),
        ("2026年买的 3728", Proof(None, None)),
        ("13900003728", Proof(None, None)),
        ("", Proof(None, None)),
    ],
)
def test_what_may_be_something_else_is_not_taken_for_the_tail(text: str, expected: Proof) -> None:
    assert proof(text) == expected


@pytest.mark.parametrize(
    ("text", "read", "written"),
    [
        ("改到杭州市文三路8号A座301", "杭州市文三路8号a座301", "杭州市文三路8号A座301"),
        ("抬头ABC科技有限公司", "abc科技有限公司", "ABC科技有限公司"),
        ("收货人Ｔｏｍ", "tom", "Tom"),
        ("陳大文", "陈大文", "陈大文"),
    ],
)
def test_capitals_stay_as_the_customer_writes_them(text: str, read: str, written: str) -> None:
    assert as_written(text, read) == written
