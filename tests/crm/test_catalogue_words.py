"""A figure on the card is found by its unit, and a model beside the name says which product is meant."""

from types import SimpleNamespace

import pytest

from actions.catalogue import measured_in, of_model

PROJECTOR = {"分辨率": "1080P", "亮度": "1200流明", "功能": "自动对焦 梯形校正"}


def test_the_unit_asked_for_finds_its_figure():
    assert measured_in("多少流明？", PROJECTOR) == {"亮度": "1200流明"}
    assert measured_in("手机几mAh的", {"电池": "5000mAh 90W快充"}) == {"电池": "5000mAh 90W快充"}
    assert measured_in("多少毫升", {"水箱": "850毫升", "续航": "40分钟"}) == {"水箱": "850毫升"}


@pytest.mark.parametrize("text", ["保修几个月", "几小时能送到", "怎么对焦", "温度上升快吗"])
def test_a_question_about_something_else_finds_none(text: str):
    specs = {**PROJECTOR, "滤芯": "6–12个月", "续航": "单次8小时", "容量": "1.7升"}
    assert measured_in(text, specs) == {}


def test_the_model_beside_the_name_is_the_one_meant():
    t8, t3 = SimpleNamespace(name="净川 T8扫拖机器人"), SimpleNamespace(name="净川 T3扫地机器人")
    assert of_model("扫地机T3还有几台", [t8], [t3, t8]) == [t3]
    assert of_model("扫地机t3还有几台", [t8], [t3, t8]) == [t3]
    assert of_model("扫地机T9还有几台", [t8], [t3, t8]) == [t8]
    assert of_model("扫地机还有几台", [t3, t8], [t3, t8]) == [t3, t8]
    x20, pro = SimpleNamespace(name="云岭 X20 5G手机"), SimpleNamespace(name="云岭 X20 Pro 5G手机")
    assert of_model("X20防水吗", [x20], [x20, pro]) == [x20]
