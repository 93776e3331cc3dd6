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


@pytest.mark.parametrize("said", ["面膜用了过敏", "手表戴了两天手腕起红疹 要修", "电饭煲喷出来烫到我手了"])
def test_who_is_hurt_hears_what_to_do_and_no_repair_is_begun(talk, shop, said):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    answer = me.says(said)
    assert "马上停用" in answer and "120" in answer
    assert "什么问题" not in answer and "哪一单" not in answer
    assert me.buttons == ["转人工", "我要退货"]
    assert "原因" in me.says("我要退货")


LOCK = {"sku": "MS-Q7", "kind": "门锁", "name": "澄屿 Q7智能门锁", "needs_installation": True, "colors": ["黑色"],
        "warranty_months": 36, "main_parts_months": 36, "aliases": ["智能锁", "门锁"]}  # fmt: skip


@pytest.mark.parametrize(
    "said", ["门锁没电了进不去", "门锁没电了打不开门！！在门外！", "智能锁没反应我被关在门外了!!!快派人"]
)
def test_who_is_locked_out_hears_how_to_open_the_lock_and_gets_a_person(talk, shop, said):
    customer = shop.customer()
    shop.order(customer, product(shop, LOCK), status="delivered")
    me = talk(customer)
    answer = me.says(said)
    assert "应急供电口" in answer and "充电宝" in answer
    assert "哪天" not in answer and me.buttons == ["转人工"]
    me.says("转人工")
    assert me.state == "queued"


def test_a_stranger_who_is_locked_out_is_asked_for_no_order(talk, shop):
    answer = talk().says("门锁没电了 进不去家门")
    assert "应急供电口" in answer and "订单号" not in answer


def test_no_day_is_asked_of_somebody_who_stands_outside(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, LOCK), status="delivered")
    me = talk(customer)
    me.says("报修门锁")
    assert "哪天" in me.says("按键没反应")
    answer = me.says("我在门外面啊 等什么明天")
    assert "应急供电口" in answer and "哪天" not in answer and "上午" not in answer
    assert "优先接手" in me.says("供电了还是打不开门 我还在门外面")
    assert me.state == "queued"
    with shop.session() as session:
        assert session.scalar(select(Repair).where(Repair.customer_id == customer.id)) is None


def test_somebody_who_left_the_house_for_the_gas_is_not_taken_for_locked_out(talk, shop):
    me = talk(shop.customer())
    me.says("家里有煤气味")
    assert "门锁" not in me.says("好的 我现在在门外面")
