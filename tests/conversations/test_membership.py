"""Coupons, points and level in conversation: the own figures for members, the rule for strangers."""

from datetime import timedelta

import pytest

from core import clock
from crm.loyalty.models import Coupon, PointsEntry


@pytest.fixture
def member(shop):
    """A gold member with a coupon that ends soon, a used one and an expired one, and points."""
    now = clock.now()
    me = shop.customer(level="gold", spent_cents=1_000_000, points=1_200)
    for n, (days, used) in enumerate([(2, None), (20, now - timedelta(days=1)), (-3, None)]):
        shop.add(
            Coupon(
                customer_id=me.id,
                name=("满500减50", "新人专享券", "厨房小电券")[n],
                code=f"T{me.id}-{n}",
                value_cents=5_000,
                threshold_cents=50_000,
                kinds=[],
                valid_from=now - timedelta(days=30),
                valid_to=now + timedelta(days=days),
                used_at=used,
            )
        )
    shop.add(PointsEntry(customer_id=me.id, amount=1_200, reason="购物奖励", at=now - timedelta(days=5)))
    return me


def test_a_member_sees_the_coupons_that_are_good_and_which_end_soon(talk, member):
    answer = talk(member).says("我有哪些优惠券")
    assert "满500减50" in answer and "快到期" in answer and "新人专享券" not in answer


def test_a_member_learns_why_a_coupon_cannot_be_used(talk, member):
    answer = talk(member).says("优惠券怎么用不了")
    assert "新人专享券：已经用过" in answer and "厨房小电券：已经过了有效期" in answer


def test_a_strangers_general_question_gets_the_rule_and_an_offer_not_a_wall(talk):
    me = talk()
    answer = me.says("优惠券怎么用不了")
    assert "秒杀" in answer and "查我的优惠券" in me.buttons


def test_a_stranger_who_wants_the_own_coupons_verifies_and_then_sees_them(talk, shop, member):
    order = shop.order(member)
    me = talk()
    me.says("优惠券怎么用不了")
    assert "订单号" in me.says("查我的优惠券")
    me.says(order.number)
    assert "满500减50" in me.says(member.phone[-4:])


def test_points_are_told_with_their_worth_and_how_to_use_them(talk, member):
    answer = talk(member).says("我有多少积分")
    assert "1,200 积分" in answer and "12元" in answer and "购物奖励" in answer and "30%" in answer


def test_who_proved_only_a_gift_sees_nothing_of_the_givers_account(talk, shop, member):
    order = shop.order(member, phone="13355556666")
    me = talk()
    me.says("我有多少积分")
    me.says(order.number)
    answer = me.says("6666")
    assert "登录" in answer and "1,200" not in answer


def test_a_member_learns_level_benefits_and_what_is_missing(talk, member):
    answer = talk(member).says("我是什么等级")
    assert "金卡会员" in answer and "2 次免运费退货" in answer and "20,000元" in answer and "铂金" in answer


def test_a_stranger_hears_what_a_level_brings(talk):
    answer = talk().says("金卡有什么福利")
    assert "30 天价格保护" in answer and "8,000元" in answer


def test_a_question_in_between_lets_the_open_form_go_on(talk, shop, member):
    shop.order(member, status="paid")
    me = talk(member)
    me.says("我要取消订单")
    answer = me.says("我有多少积分")
    assert "1,200" in answer and "确认取消" in answer
