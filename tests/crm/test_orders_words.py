"""Nothing is urged or cancelled that was not asked for; a yes with thanks is a yes."""

import pytest

from actions import answers
from actions import orders_words as words


@pytest.mark.parametrize(
    "text",
    ["催一下发货", "怎么还不发货啊", "到底什么时候发货，催一下", "能不能快点", "帮我催催", "都三天了还没发", "赶紧给我发", "加急一下",
     "能不能催一下", "怎么不催一下快递"],
)  # fmt: skip
def test_who_asks_to_hurry_is_heard(text: str) -> None:
    assert words.urges(text) is True


@pytest.mark.parametrize(
    "text",
    ["不用催 顺便冷柜多重", "我没让催", "没让你催", "不要催了", "手机啥时候到呀", "什么时候到", "先别催", "谁让你催了", "我没说要催",
     "多久能到", "不是让你催"],
)  # fmt: skip
def test_a_plain_question_or_a_no_urges_nobody(text: str) -> None:
    assert words.urges(text) is False


@pytest.mark.parametrize("text", ["第一个", "3975", "三月那个", "冷柜那单"])
def test_a_mere_choice_says_nothing_about_urging(text: str) -> None:
    assert words.urges(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "我没说取消油烟机！！！",
        "不是取消 就是数量改成2",
        "没要取消！！",
        "我没取消啊",
        "别取消",
        "不用取消了",
        "我不想取消",
        "谁说取消了",
    ],
)
def test_who_turns_a_cancellation_down_is_heard(text: str) -> None:
    assert words.speaks_of_no_cancelling(text)


@pytest.mark.parametrize(
    "text",
    ["帮我把订单取消了", "能不能取消", "可不可以取消订单", "不要了 取消吧", "我要取消订单", "怎么不能取消", "买错了取消", "要不要取消呢",
     "是不是取消不了", "不想要了，取消", "这单不要了帮我取消"],
)  # fmt: skip
def test_who_wants_to_cancel_is_not_put_off(text: str) -> None:
    assert not words.speaks_of_no_cancelling(text)
    assert not words.asks_about_cancelled(text)
    assert not words.asks_about_refusing(text)


@pytest.mark.parametrize(
    "text", ["上次取消那个空调 给我说说为啥取消了", "为什么把我订单取消了", "谁给我取消了", "取消的那单钱呢"]
)
def test_a_question_about_an_old_cancellation_is_none(text: str) -> None:
    assert words.asks_about_cancelled(text)


@pytest.mark.parametrize(
    "text", ["那我先下单粉的 旧的到了直接拒收是吧", "不想要了，可以直接拒收吗？", "拒收怎么弄", "怎么拒收"]
)
def test_a_question_about_refusing_a_parcel_is_no_cancellation(text: str) -> None:
    assert words.asks_about_refusing(text)


@pytest.mark.parametrize(
    "text", ["取消维修单", "WX3215542596 取消", "快递取件取消", "取消上门", "取消退货单AS2611235883"]
)
def test_what_else_can_be_called_off_is_told_apart_from_an_order(text: str) -> None:
    assert words.names_other_matter(text)


@pytest.mark.parametrize(
    "text",
    ["确认 谢谢", "好的确认", "对 就这样 辛苦了", "确认 辛苦了", "对的 谢谢", "提交 谢谢", "补！", "嗯", "好", "可以的", "行吧", "OK",
     "没问题", "确认提交", "好的，就这么办吧", "对，没错", "嗯嗯好的谢谢您", "确认。", "是的"],
)  # fmt: skip
def test_a_yes_is_a_yes_with_thanks_as_well(text: str) -> None:
    assert answers.yes_or_no(text) is True


@pytest.mark.parametrize("text", ["不", "不用了", "不用了 谢谢", "先不办了", "不是", "别", "算了", "不要了吧，谢谢"])
def test_a_no_is_a_no_with_thanks_as_well(text: str) -> None:
    assert answers.yes_or_no(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "谢谢",
        "辛苦了",
        "好的 改成下午",
        "24号下午",
        "确认 但改成上午",
        "不对 是第一个",
        "多久到账",
        "好像不对",
        "",
        "是什么",
    ],
)
def test_what_says_more_is_neither(text: str) -> None:
    assert answers.yes_or_no(text) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [("不是6152 是1837", "是1837"), ("我说第一个 不是6152", "我说第一个"), ("不是第一个是第二个", "是第二个"),
     ("不是净水器 是电饭煲", "是电饭煲")],
)  # fmt: skip
def test_what_is_turned_down_is_not_what_is_meant(text: str, left: str) -> None:
    assert answers.kept(text).strip() == left
    assert answers.corrects(text)
