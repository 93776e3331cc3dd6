"""Orders in conversation: state, urging, another address, calling off – and the honest refusals."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm.returns.models import Refund


def test_a_signed_in_customer_is_told_how_the_order_stands(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    answer = talk(customer).says("我的订单怎么样了")
    assert "中通" in answer and order.number[-4:] in answer


def test_a_stranger_is_asked_for_order_number_and_phone_and_then_answered(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="paid")
    me = talk()
    assert "订单号" in me.says("查一下我的订单")
    assert "后四位" in me.says(order.number)
    assert "备货" in me.says(customer.phone[-4:])


def test_a_wrong_phone_shows_nothing_and_says_so(talk, shop):
    order = shop.order(shop.customer(), status="paid")
    me = talk()
    me.says("查一下我的订单")
    me.says(order.number)
    answer = me.says("0000")
    assert "没有对上" in answer and "备货" not in answer


def test_guessing_is_stopped_after_five_tries_and_a_person_takes_over(talk, shop):
    order = shop.order(shop.customer(), status="paid")
    me = talk()
    me.says("查一下我的订单")
    for digits in ("0001", "0002", "0003", "0004", "0005", "0006"):
        me.says(order.number)
        last = me.says(digits)
    assert "次数" in last
    assert me.state == "queued"


def test_somebody_elses_order_is_never_shown(talk, shop):
    foreign = shop.order(shop.customer(), status="paid")
    answer = talk(shop.customer()).says(f"查一下订单{foreign.number}")
    assert "没有找到" in answer and "备货" not in answer


def test_a_paid_order_is_cancelled_after_a_yes_and_the_refund_begins(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    assert "确认取消" in me.says("帮我把订单取消了")
    assert "已取消" in me.says("确认")
    assert shop.fresh(order).status == "cancelled"
    with shop.session() as session:
        refund = session.scalar(select(Refund).where(Refund.order_id == order.id))
    assert refund.amount_cents == order.total_cents


def test_a_no_leaves_the_order_as_it_is(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    assert "先不动" in me.says("先不办了")
    assert shop.fresh(order).status == "paid"


def test_a_shipped_order_cannot_be_cancelled_and_the_way_on_is_told(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    answer = talk(customer).says(f"订单{order.number}取消吧")
    assert "拒收" in answer
    assert shop.fresh(order).status == "shipped"


def test_a_form_interrupted_by_a_question_goes_on_afterwards(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    answer = me.says("退款一般几天能到账？")
    assert "工作日" in answer and "确认取消" in answer
    me.says("确认")
    assert shop.fresh(order).status == "cancelled"


def test_a_correction_changes_the_order_that_is_meant(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="paid"), shop.order(customer, status="paid")
    me = talk(customer)
    me.says(f"取消订单{first.number}")
    assert second.number[-4:] in me.says(f"不是这个，是尾号{second.number[-4:]}那单")
    me.says("确认")
    assert (shop.fresh(first).status, shop.fresh(second).status) == ("paid", "cancelled")


def test_a_dropped_form_changes_nothing_and_forgets_its_question(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    me.says("算了")
    me.says("确认")
    assert shop.fresh(order).status == "paid"


def test_the_address_of_a_paid_order_is_changed(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("收货地址填错了想改一下")
    answer = me.says("杭州市滨江区江南大道588号3幢1201室")
    assert "确认修改" in answer
    me.says("确认")
    assert "江南大道588号" in shop.fresh(order).address


def test_a_packed_order_keeps_its_address_and_says_why(talk, shop):
    shop.order(customer := shop.customer(), status="packed")
    assert "出库" in talk(customer).says("我想改一下收货地址")


def test_urging_a_late_order_opens_an_urgent_ticket_once(talk, shop):
    late = timedelta(days=4)
    shop.order(customer := shop.customer(), status="paid", age=late)
    me = talk(customer)
    first, again = me.says("怎么还不发货啊"), me.says("到底什么时候发货，催一下")
    assert "工单 GD" in first
    assert first.split("工单 ")[1][:12] == again.split("工单 ")[1][:12]


def test_urging_with_nothing_under_way_says_so(talk, shop):
    shop.order(customer := shop.customer(), status="cancelled")
    assert "没有" in talk(customer).says("催一下发货")


def test_the_recipient_of_a_gift_sees_the_parcel_but_cannot_call_the_order_off(talk, shop):
    buyer = shop.customer()
    order = shop.order(buyer, status="paid", phone="13700004321")
    me = talk()
    me.says("查一下我的订单")
    me.says(order.number)
    assert "备货" in me.says("4321")
    assert "下单的账号" in me.says("帮我取消这个订单")
    assert shop.fresh(order).status == "paid"


def test_nobody_is_urged_who_was_not_to_be(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    me = talk(customer)
    me.says("什么时候到")
    me.says("不用催了")
    me.says("我没让你催")
    assert shop.fresh(order).urged_at is None
    me.says("帮我催一下快递")
    assert shop.fresh(order).urged_at is not None


def test_the_order_chosen_after_the_wish_is_the_one_that_is_urged(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says("催一下快递")
    me.says(f"尾号{first.number[-4:]}")
    assert shop.fresh(first).urged_at is not None
    assert shop.fresh(second).urged_at is None


@pytest.mark.parametrize("said", ["我没说取消订单！！！", "不是取消 就是数量改成2", "不想要了，可以直接拒收吗？"])
def test_what_is_no_wish_to_cancel_begins_no_cancellation(talk, shop, said):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    assert "确认取消" not in me.says(said)
    me.says("确认")
    assert shop.fresh(order).status == "paid"


def test_a_cancellation_that_was_misunderstood_ends_when_it_is_turned_down(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    assert "没有取消" in me.says("我没说要取消！！")
    me.says("确认")
    assert shop.fresh(order).status == "paid"


def test_goods_that_cannot_be_cancelled_are_not_swapped_for_others(talk, shop):
    customer = shop.customer()
    waiting = shop.order(customer, shop.product(kind="耳机", name="青禾 降噪耳机"), status="paid")
    shop.order(customer, shop.product(kind="电视", name="云岭 65英寸电视"), status="delivered")
    me = talk(customer)
    answer = me.says("帮我取消电视的订单")
    assert "已经签收" in answer and "降噪耳机" not in answer
    assert shop.fresh(waiting).status == "paid"


@pytest.mark.parametrize("yes", ["确认 谢谢", "好的确认", "对 就这样 辛苦了"])
def test_a_yes_with_thanks_is_a_yes(talk, shop, yes):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    assert "已取消" in me.says(yes)
    assert shop.fresh(order).status == "cancelled"


def test_a_bare_number_chooses_from_the_list_in_a_form(talk, shop):
    customer = shop.customer()
    for _ in range(3):
        shop.order(customer, status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    shown = [o["number"] for line in me.lines if line.kind == "card" for o in line.payload["orders"]]
    assert shown[1][-4:] in me.says("2")
    assert shown[0][-4:] in me.says("不对不对 是第一个")
    assert shown[2][-4:] in me.says(f"不是{shown[0][-4:]} 是{shown[2][-4:]}")


def test_a_bare_number_chooses_from_the_list_outside_a_form(talk, shop):
    customer = shop.customer()
    for _ in range(2):
        shop.order(customer, status="shipped")
    me = talk(customer)
    me.says("查物流")
    shown = [o["number"] for line in me.lines if line.kind == "card" for o in line.payload["orders"]]
    me.says("１")
    assert [line.payload["order_number"] for line in me.lines if line.kind == "card"] == [shown[0]]
    me.says("查物流")
    me.says(shown[1][-4:])
    assert shown[1] in [line.payload["order_number"] for line in me.lines if line.kind == "card"]


def test_the_house_and_the_recipient_said_at_the_end_are_added_and_nothing_is_lost(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("收货地址填错了想改一下")
    me.says("湖南省长沙市岳麓区麓山南路88号")
    answer = me.says("11幢2单元2602")
    assert "长沙市岳麓区麓山南路88号11幢2单元2602" in answer and "确认修改" in answer
    answer = me.says("收货人改成王小明")
    assert "11幢2单元2602" in answer and "王小明" in answer
    me.says("确认")
    changed = shop.fresh(order)
    assert changed.address.endswith("麓山南路88号11幢2单元2602")
    assert changed.recipient == "王小明"


def test_a_street_without_a_number_is_asked_for_its_door(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("收货地址填错了想改一下")
    assert "门牌号" in me.says("湖南省长沙市岳麓区麓山南路")
    assert "确认修改" in me.says("66号2栋")
    me.says("确认")
    assert "岳麓区麓山南路66号2栋" in shop.fresh(order).address


def test_what_the_recipient_of_one_order_says_never_reaches_another(talk, shop):
    buyer = shop.customer()
    gift = shop.order(buyer, status="shipped", phone="13700007541")
    others = [shop.order(buyer, status=s) for s in ("paid", "shipped", "delivered")]
    me = talk()
    me.says("查一下我的快递")
    me.says(gift.number)
    me.says("7541")
    for wish in (
        "查物流",
        f"{gift.number[-4:]}那个",
        "没收到货",
        "退款到哪了",
        "我要退货",
        "催一下",
        "帮我取消",
        "我要报修",
        "查进度",
    ):
        answer = me.says(wish)
        assert not [
            o
            for o in others
            if o.number in answer or f"尾号{o.number[-4:]}" in answer or f"尾号 {o.number[-4:]}" in answer
        ]
    assert [shop.fresh(o).status for o in others] == ["paid", "shipped", "delivered"]


def test_an_address_keeps_its_capitals(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    preview = me.says("收货地址改成浙江省杭州市西湖区文三路188号A座301室")
    assert "A座301" in preview
    me.says("确认")
    assert "A座301" in shop.fresh(order).address


@pytest.mark.parametrize("said", ["{n} {t}", "{n} 尾号{t} 到哪了", "查物流 {n}，手机尾号{t}", "订单号{n} 手机{p}"])
def test_a_strangers_number_and_tail_in_one_message_are_enough(talk, shop, said):
    customer = shop.customer()
    order = shop.order(customer, status="shipped")
    me = talk()
    me.says("查一下我的快递到哪了")
    answer = me.says(said.format(n=order.number, t=order.phone[-4:], p=order.phone))
    assert "核实好了" in answer and "后四位" not in answer


def test_a_stranger_who_gives_both_with_the_wish_is_answered_at_once(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="shipped")
    answer = talk().says(f"查物流 {order.number} 尾号{order.phone[-4:]}")
    assert "核实好了" in answer and "中通" in answer
