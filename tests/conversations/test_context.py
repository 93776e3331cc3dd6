"""Messages that say nothing without the talk before them: fragments, corrections, bursts, changes of mind, ways back."""

from datetime import timedelta

from sqlalchemy import select

from core import clock
from core.clock import local
from crm.returns.models import AfterSalesCase
from crm.returns.rules import CaseKind
from tests.conversations.test_visits import AIRCON, product

DAY = timedelta(days=1)


def card(me):
    """The first card of the last answer."""
    return next((line.payload for line in me.lines if line.kind == "card"), {"card": None})


def parcels(me):
    """Numbers of the orders whose parcel the last answer shows."""
    return [
        line.payload["order_number"] for line in me.lines if line.kind == "card" and line.payload["card"] == "parcel"
    ]


def tail(order):
    return order.number[-4:]


def cases(shop, customer):
    with shop.session() as session:
        return session.scalars(select(AfterSalesCase).where(AfterSalesCase.customer_id == customer.id)).all()


def pickup_day(case):
    return local(case.pickup_at).date() - local(clock.now()).date()


# Fragments.


def test_when_will_it_come_is_about_the_order_just_shown(talk, shop):
    customer = shop.customer()
    order, _ = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says(f"查一下订单{order.number}")
    me.says("那什么时候能到")
    assert parcels(me) == [order.number]


def test_the_other_order_is_not_the_one_just_shown(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says(f"订单{first.number}的快递到哪了")
    me.says("另一单呢")
    assert parcels(me) == [second.number]


def test_the_other_order_is_found_also_when_it_has_not_left_yet(talk, shop):
    customer = shop.customer()
    shop.order(customer, status="shipped")
    waiting = shop.order(customer, status="paid")
    me = talk(customer)
    me.says("我的快递到哪了")
    assert tail(waiting) in me.says("还有另外一单呢")


def test_without_another_order_nobody_is_shown_the_same_one_again(talk, shop):
    shop.order(customer := shop.customer(), status="shipped")
    me = talk(customer)
    me.says("我的快递到哪了")
    answer = me.says("另一单呢")
    assert "没有" in answer and parcels(me) == []


def test_the_second_one_is_the_second_of_the_list(talk, shop):
    customer = shop.customer()
    for _ in range(3):
        shop.order(customer, status="shipped")
    me = talk(customer)
    me.says("查物流")
    shown = [o["number"] for o in card(me)["orders"]]
    me.says("第二个")
    assert parcels(me) == [shown[1]]


def test_a_bare_order_number_goes_on_with_what_was_asked(talk, shop):
    customer = shop.customer()
    first, _ = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says("我的快递到哪了")
    me.says(first.number)
    assert parcels(me) == [first.number]


def test_and_that_product_is_the_same_question_about_another_product(talk, shop):
    shop.product(kind="洗衣机", name="净川 10公斤滚筒洗衣机")
    shop.product(kind="空气炸锅", name="禾穗 5升空气炸锅")
    me = talk()
    me.says("洗衣机有货吗")
    answer = me.says("那空气炸锅呢")
    assert "禾穗 5升空气炸锅" in answer and "有货" in answer


def test_how_long_after_a_return_is_about_its_money(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    me.says("明天")
    me.says("确认")
    [case] = cases(shop, customer)
    answer = me.says("多久")
    assert case.number in answer and "387元" in answer


def test_when_the_money_comes_after_a_cancellation_is_about_this_refund(talk, shop):
    customer = shop.customer()
    order, _ = shop.order(customer, status="paid"), shop.order(customer, status="cancelled")
    me = talk(customer)
    me.says(f"取消订单{order.number}")
    me.says("确认")
    answer = me.says("那到账要多久")
    assert "工作日" in answer or ("到账" in answer and tail(order) in answer)


def test_make_it_blue_is_the_colour_of_the_exchange(talk, shop):
    pot = shop.product(colors=["白色", "蓝色", "黑色"])
    shop.order(customer := shop.customer(), pot, status="delivered")
    me = talk(customer)
    me.says("我要换货")
    me.says("想换个颜色")
    me.says("换成蓝的")
    me.says("明天")
    me.says("确认")
    [case] = cases(shop, customer)
    assert (case.kind, case.wanted_color) == (CaseKind.EXCHANGE, "蓝色")


def test_does_it_cost_anything_in_a_form_is_answered_for_what_is_being_booked(talk, shop):
    shop.order(customer := shop.customer(), product(shop, AIRCON), status="delivered")
    me = talk(customer)
    me.says("预约空调安装")
    answer = me.says("要钱吗")
    assert "免安装费" in answer and "哪天" in answer and me.state == "bot"


def test_who_pays_the_freight_in_a_return_is_answered_and_the_return_goes_on(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    assert "运费" in me.says("谁出运费")
    me.says("明天")
    me.says("确认")
    assert len(cases(shop, customer)) == 1


# Yes and no to what the bot offers.


def test_a_yes_to_the_offer_to_hurry_hurries(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    me = talk(customer)
    assert me.says("我的快递到哪了").endswith("吗？")
    assert "催" in me.says("嗯")
    assert shop.fresh(order).urged_at is not None


def test_a_no_to_the_offer_to_hurry_leaves_the_courier_alone(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    me = talk(customer)
    me.says("我的快递到哪了")
    me.says("不用了")
    assert shop.fresh(order).urged_at is None and me.state == "bot"


def test_a_yes_to_the_offer_of_the_last_orders_shows_them(talk, shop):
    order = shop.order(customer := shop.customer(), status="cancelled")
    me = talk(customer)
    me.says("催一下发货")
    assert tail(order) in me.says("好的")


def test_a_yes_with_something_else_behind_it_is_no_yes_to_the_offer(talk, shop):
    order = shop.order(customer := shop.customer(points=321), status="shipped")
    me = talk(customer)
    me.says("我的快递到哪了")
    assert "321" in me.says("嗯，我有多少积分")
    assert shop.fresh(order).urged_at is None


def test_a_yes_after_an_answer_without_an_offer_changes_nothing(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我的订单怎么样了")
    me.says("嗯")
    fresh = shop.fresh(order)
    assert fresh.status == "paid" and fresh.urged_at is None and me.state == "bot"


# Corrections.


def test_not_this_one_after_a_look_up_shows_the_other(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says(f"订单{first.number}的快递到哪了")
    me.says("不是这个")
    assert parcels(me) == [second.number]


def test_no_it_is_the_one_ending_in_is_the_same_question_about_that_order(talk, shop):
    customer = shop.customer()
    first, _, third = (shop.order(customer, status="shipped") for _ in range(3))
    me = talk(customer)
    me.says(f"订单{first.number}的快递到哪了")
    me.says(f"不对 是尾号{tail(third)}")
    assert parcels(me) == [third.number]


def test_not_this_one_before_a_cancellation_turns_to_the_other_order(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="paid"), shop.order(customer, status="paid")
    me = talk(customer)
    me.says(f"取消订单{first.number}")
    assert tail(second) in me.says("不是这个")
    me.says("确认")
    assert (shop.fresh(first).status, shop.fresh(second).status) == ("paid", "cancelled")


def test_not_this_one_among_three_lets_the_customer_choose(talk, shop):
    customer = shop.customer()
    made = [shop.order(customer, status="paid") for _ in range(3)]
    me = talk(customer)
    me.says(f"取消订单{made[0].number}")
    me.says("不是这个")
    assert {o["number"] for o in card(me)["orders"]} >= {made[1].number, made[2].number}
    assert all(shop.fresh(o).status == "paid" for o in made)


def test_a_corrected_address_is_the_one_that_is_kept(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("收货地址填错了想改一下")
    me.says("杭州市滨江区江南大道588号3幢1201室")
    assert "600号" in me.says("说错了，是杭州市滨江区江南大道600号2幢301室")
    me.says("确认")
    assert "江南大道600号" in shop.fresh(order).address


def test_a_corrected_day_is_no_refusal(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    me.says("明天")
    me.says("不对，是后天下午")
    me.says("确认")
    [case] = cases(shop, customer)
    assert pickup_day(case) == 2 * DAY


# Bursts.


def test_a_thought_in_three_messages_is_one_turn(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    me = talk(customer)
    me.sends("你好", "我的快递", "到哪了")
    assert parcels(me) == [order.number] and me.turns() == 1


def test_a_sentence_broken_off_is_read_with_its_end(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    assert "确认取消" in me.sends("我想", "取消订单")
    assert me.turns() == 1
    me.says("确认")
    assert shop.fresh(order).status == "cancelled"


def test_three_fast_details_in_a_form_all_count(talk, shop):
    customer = shop.customer()
    order, _ = shop.order(customer, status="delivered"), shop.order(customer, status="delivered")
    me = talk(customer)
    me.says("我要退货")
    me.sends(f"尾号{tail(order)}那单", "买错了", "后天下午取")
    me.says("确认")
    if not cases(shop, customer):  # a yes that was read together with the last detail shows the whole once more
        me.says("确认")
    [case] = cases(shop, customer)
    assert case.order_id == order.id and pickup_day(case) == 2 * DAY and not case.quality_problem


def test_a_greeting_alone_is_still_answered(talk):
    me = talk()
    assert "好" in me.says("你好") and me.turns() == 1


def test_the_last_of_two_numbers_sent_at_once_counts(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="paid"), shop.order(customer, status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    me.sends(f"尾号{tail(first)}", f"说错了 是尾号{tail(second)}")
    me.says("确认")
    assert (shop.fresh(first).status, shop.fresh(second).status) == ("paid", "cancelled")


# Changes of mind.


def test_never_mind_in_a_return_books_nothing_whatever_follows(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    me.says("算了")
    me.says("嗯")
    assert cases(shop, customer) == []


def test_rather_not_cancel_keeps_the_order(talk, shop):
    order = shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    me.says("还是不取消了")
    me.says("嗯")
    assert shop.fresh(order).status == "paid"


def test_no_return_but_an_exchange_books_the_exchange_only(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("我要退货")
    me.says("先不退了 我要换货")
    me.says("想换个颜色")
    me.says("黑色")
    me.says("明天")
    me.says("确认")
    assert [c.kind for c in cases(shop, customer)] == [CaseKind.EXCHANGE]


def test_no_exchange_but_a_return_books_the_return_only(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("我要换货")
    me.says("算了不换了，直接退货吧")
    me.says("不喜欢/不合适")
    me.says("明天")
    me.says("确认")
    assert [c.kind for c in cases(shop, customer)] == [CaseKind.RETURN]


# Something else in between.


def test_how_to_and_how_long_in_a_return_are_answered_and_not_taken_for_the_reason(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("我要退货")
    assert "取件" in me.says("怎么弄") and "不喜欢/不合适" in me.buttons
    me.says("多久")
    assert "不喜欢/不合适" in me.buttons
    me.says("不喜欢/不合适")
    me.says("明天")
    me.says("确认")
    [case] = cases(shop, customer)
    assert case.reason == "不喜欢/不合适"


def test_points_in_the_middle_of_a_return_are_told_and_the_return_goes_on(talk, shop):
    shop.order(customer := shop.customer(points=321), status="delivered")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    answer = me.says("我有多少积分")
    assert "321" in answer and "上门取件" in answer
    me.says("明天")
    me.says("确认")
    assert len(cases(shop, customer)) == 1


def test_after_another_topic_the_parcel_is_still_the_same(talk, shop):
    customer = shop.customer(points=321)
    order, _ = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says(f"订单{order.number}的快递到哪了")
    assert "321" in me.says("我有多少积分")
    me.says("那我的快递什么时候到")
    assert parcels(me) == [order.number]


def test_a_stranger_who_asks_something_else_first_is_still_answered_in_the_end(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="shipped")
    me = talk()
    me.says("我的快递到哪了")
    assert "订单号" in me.says("七天无理由退货的运费谁出")
    me.says(order.number)
    me.says(customer.phone[-4:])
    assert parcels(me) == [order.number]


def test_a_parcel_asked_about_in_a_cancellation_does_not_end_it(talk, shop):
    customer = shop.customer()
    moving, paid = shop.order(customer, status="shipped"), shop.order(customer, status="paid")
    me = talk(customer)
    me.says("我要取消订单")
    me.says(f"对了 订单{moving.number}的快递到哪了")
    assert moving.number in parcels(me)
    me.says("嗯")  # to the confirmation asked again, not to the offer to hurry before it
    assert shop.fresh(moving).urged_at is None
    assert shop.fresh(paid).status == "cancelled"
