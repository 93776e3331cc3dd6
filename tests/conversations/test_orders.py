"""Orders in conversation: state, urging, another address, calling off – and the honest refusals."""

from datetime import timedelta

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
