"""A danger to life: what to do now comes first, whatever was read or is open, and a person before everybody else."""

import pytest
from sqlalchemy import select

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import PRIORITY, HandoverReason
from helpdesk.visits.models import Repair
from tests.conversations.test_visits import AIRCON, product


@pytest.mark.parametrize(
    ("said", "do"),
    [
        ("燃气灶装完漏气味 师傅啥时候来 急", "关掉燃气总阀"),
        ("漏电 麻了她一下", "断电"),
        ("充电宝鼓包了", "别再充电"),
        ("有焦味 冒烟了，我的订单什么时候到", "119"),
    ],
)
def test_a_stranger_hears_what_to_do_and_is_asked_for_nothing(talk, shop, said, do):
    me = talk()
    answer = me.says(said)
    assert answer.startswith("请先保证安全") and do in answer
    assert "订单号" not in answer
    assert me.buttons == ["转人工"]


def test_an_open_form_stops_for_it_and_nothing_is_booked(talk, shop):
    shop.order(customer := shop.customer(), product(shop, AIRCON), status="delivered")
    me = talk(customer)
    assert "哪天" in me.says("预约安装")
    answer = me.says("等等 插头冒火花了")
    assert answer.startswith("请先保证安全") and "哪天" not in answer
    me.says("确认")
    with shop.session() as session:
        assert session.scalar(select(Repair).where(Repair.customer_id == customer.id)) is None


def test_the_person_asked_for_afterwards_sees_that_it_is_a_danger(talk, shop):
    me = talk(shop.customer())
    me.says("家里有煤气味")
    me.says("转人工")
    assert me.state == "queued"
    with shop.session() as session:
        waiting = session.get_one(Conversation, me.id)
        assert waiting.handover["reason"] == HandoverReason.DANGER
        assert waiting.priority >= PRIORITY[HandoverReason.DANGER]


def test_a_danger_that_goes_on_goes_to_a_person_without_asking(talk, shop):
    me = talk(shop.customer())
    me.says("家里有煤气味")
    assert "优先接手" in me.says("煤气味还是很大 我在门外面")
    assert me.state == "queued"


def test_a_repair_can_be_reported_after_the_advice(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, AIRCON), status="delivered")
    me = talk(customer)
    me.says("空调冒烟了")
    assert "什么问题" in me.says("我要报修空调")
    assert "哪天" in me.says("刚才冒烟了，已经断电")
