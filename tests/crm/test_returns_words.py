"""What customers say about delivered goods, read into the rules' words."""

import pytest

from actions import returns_words as words
from crm.returns.rules import Problem, Settlement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("商品本身有毛病", True),
        ("没毛病，不想要了", False),
        ("不喜欢/不合适", False),
        ("买错了/买多了", False),
        ("用了两天就开不了机", True),
        ("质量太差了退货", True),
        ("昨天收到的空气炸锅太小了 想退", False),
        ("没坏，就是用不上", False),
        ("跟图片颜色想的不一样", False),
        ("想换个颜色", False),
        ("收到是碎的", True),
        ("我要退货", None),
        ("换一个", None),
        ("七天无理由退一下", False),
    ],
)
def test_a_fault_and_a_change_of_mind_are_told_apart(text: str, expected: bool | None) -> None:
    assert words.quality_problem(text) is expected


@pytest.mark.parametrize(
    ("text", "verb", "expected"),
    [
        ("不退了 我留着用吧", "退", True),
        ("取消退货", "退", True),
        ("退货申请帮我取消掉", "退", True),
        ("东西又能用了 退货就算了吧", "退", True),
        ("点错了 不是要退货的", "退", True),
        ("那个退货别让人来取了 我决定留下了", "退", True),
        ("不换了", "换", True),
        ("换货申请帮我撤了 凑合用", "换", True),
        ("不用补发了 那个配件在夹层里找到了", "补", True),
        ("不换了直接退", "换", False),
        ("挤脚 不换了直接退", "退", False),
        ("不会用 太复杂了 退了算了", "退", False),
        ("为什么不退", "退", False),
        ("不能退吗", "退", False),
        ("我要退货", "退", False),
        ("不换 退钱", "退", False),
        ("不想要了 想退掉", "退", False),
    ],
)
def test_taking_back_a_wish_is_not_confused_with_the_wish(text: str, verb: str, expected: bool) -> None:
    assert words.calls_off(text, verb) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("收到是碎的", Problem.DAMAGED),
        ("少了个遥控器", Problem.PART),
        ("充电线没给我", Problem.PART),
        ("说好的赠品没给", Problem.GIFT),
        ("颜色发错了", Problem.WRONG),
        ("我拍的黑色 来的白色", Problem.WRONG),
        ("买了三件只收到两件", Problem.MISSING),
        ("少发一件", Problem.MISSING),
        ("空盒子!!!", Problem.MISSING),
        ("刚拆封的手机就开不了机", Problem.FAULTY),
        ("收到是坏的", Problem.FAULTY),
        ("少发了", None),
        ("收到的东西有问题", None),
    ],
)
def test_what_is_wrong_with_what_arrived(text: str, expected: Problem | None) -> None:
    assert words.problem(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("补发", Settlement.RESEND),
        ("换新", Settlement.EXCHANGE),
        ("退款", Settlement.REFUND),
        ("不换了，退款吧", Settlement.REFUND),
        ("不用退，补一个给我", Settlement.RESEND),
        ("给点补偿", None),
        ("你们看着办", None),
    ],
)
def test_the_wish_that_was_said_last_counts(text: str, expected: Settlement | None) -> None:
    assert words.settlement(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("没拆封", False),
        ("已经拆封了", True),
        ("没激活", False),
        ("已经激活了", True),
        ("还没装", False),
        ("已经装好了", True),
        ("平板没激活", False),
        ("拆了就戴了一次", True),
        ("想退", None),
    ],
)
def test_whether_the_goods_are_still_untouched(text: str, expected: bool | None) -> None:
    assert words.used(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("想加钱换大一点的", True),
        ("换个大一号", True),
        ("能补差价换个高配吗", True),
        ("换成黑色", False),
        ("坏了给我换台新的", False),
        ("拍成了1.6升的 太小 换成4升那个行不", True),
    ],
)
def test_another_model_is_no_exchange(text: str, expected: bool) -> None:
    assert words.wants_other_product(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1 件", 1), ("全部 3 件", 0), ("两件", 2), ("退一个", 1), ("都退", 0), ("不知道", None)]
)
def test_how_many(text: str, expected: int | None) -> None:
    assert words.number_of(text) == expected


def test_a_picture_or_its_promise() -> None:
    assert words.photo("发了一张图片，就是这里裂了", asked=False) == "sent"
    assert words.photo("晚点补照片", asked=True) == "later"
    assert words.photo("晚点补照片", asked=False) is None


@pytest.mark.parametrize(
    "text",
    ["先不拍", "没法拍", "不拍了", "拍不了", "不想拍", "没有照片", "现在不方便拍", "不用拍了吧", "先不发照片", "等我下班", "照不出来"],
)  # fmt: skip
def test_who_sends_no_photo_goes_on_without(text: str) -> None:
    assert words.photo(text, asked=True) == "later"


@pytest.mark.parametrize("text", ["先不退了", "先不办了", "取消退货", "不退了", "运费谁出"])
def test_who_leaves_at_the_photo_is_not_held(text: str) -> None:
    assert words.photo(text, asked=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "不想说",
        "没什么原因",
        "没有原因",
        "跳过",
        "不方便说",
        "可以不说吗",
        "不说行吗",
        "就是没理由。",
        "保密",
        "没啥",
        "不",
    ],
)
def test_the_reason_need_not_be_told(text: str) -> None:
    assert words.tells_no_reason(text) is True


@pytest.mark.parametrize(
    "text",
    ["不想要了", "没有声音", "没反应", "不喜欢", "没什么用", "不退了", "不用退了", "没有想的好", "不想退了", "不用了"],
)
def test_a_reason_or_a_no_is_not_silence(text: str) -> None:
    assert words.tells_no_reason(text) is False
