"""How angry a message sounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations.mood import anger, is_angry


@pytest.mark.parametrize(
    "text",
    [
        "你们就是骗子！退钱！！",
        "再不处理我就打12315，顺便找媒体曝光",
        "垃圾公司，什么态度",
        "骗子骗子骗子",
        "骗子，我要投诉",
        "我要打12315",
        "气死我了，你们到底管不管！！！",
        "黑心商家，发抖音曝光你们",
        "滚，恶心😡😡",
        "太过分了，我要起诉你们",
    ],
)
def test_fury_goes_to_a_person_at_once(text):
    assert is_angry(text), anger(text)


@pytest.mark.parametrize(
    "text",
    [
        "我要投诉",
        "我想投诉一下快递员，昨天没送到门口就走了",
        "请问怎么投诉？",
        "服务态度不太好，麻烦反映一下",
        "安装师傅迟到了两个小时，我想投诉",
        "你好，我要投诉客服",
        "垃圾处理器怎么装",
        "没有说你们骗人，就是有点失望",
        "谢谢！！！",
        "麻烦问一下12315是什么电话",
        "",
    ],
)
def test_a_calm_complaint_is_not_taken_for_fury(text):
    assert not is_angry(text), anger(text)


def test_a_threat_with_an_insult_is_worse_than_either_alone():
    assert anger("骗子，我要打12315") > max(anger("骗子"), anger("我要打12315"))


@given(st.text(max_size=200))
def test_anger_is_always_between_nought_and_one(text):
    assert 0.0 <= anger(text) <= 1.0


@given(st.sampled_from(["骗子", "我要投诉", "太差了", "12315", "今天天气不错"]))
def test_exclamation_marks_never_calm_anybody_down(text):
    assert anger(text + "！！！") >= anger(text)


@given(st.sampled_from(["骗子", "我要投诉", "垃圾公司", "曝光你们"]))
def test_politeness_never_makes_it_worse(text):
    assert anger("麻烦了，谢谢，" + text) <= anger(text)


def test_exclamation_marks_alone_are_no_anger():
    assert anger("在吗！！！！") == 0.0
