"""Installation booked, visits moved and called off, in the customer's words."""

from datetime import timedelta

import pytest

from core import clock
from crm.returns.models import AfterSalesCase
from helpdesk.visits.models import Visit
from helpdesk.visits.usecases import told_day

AIRCON = {
    "sku": "KT-35", "kind": "空调", "name": "霜白 1.5匹变频空调", "size": "large", "needs_installation": True,
    "colors": ["白色"], "warranty_months": 36, "main_parts_months": 120,
}  # fmt: skip
FRIDGE = {
    "sku": "BX-501", "kind": "冰箱", "name": "霜白 501升对开门冰箱", "size": "large", "colors": ["珍珠白"],
    "warranty_months": 36, "main_parts_months": 120,
}  # fmt: skip


def product(shop, values):
    """The product of the catalogue, made once for all tests."""
    from crm.catalogue.models import Product

    with shop.session() as session:
        found = session.query(Product).filter_by(sku=values["sku"]).one_or_none()
    return found or shop.product(**values)


def in_days(days: int):
    return clock.today() + timedelta(days=days)


def visit(shop, order, days=3, slot="morning", kind="installation"):
    return shop.add(
        Visit(
            customer_id=order.customer_id, item_id=order.items[0].id, kind=kind, day=in_days(days), slot=slot,
            engineer="张强", engineer_phone="13900001111", status="booked", moved=0, created_at=clock.now(),
        )
    )  # fmt: skip


def visits_of(shop, customer):
    with shop.session() as session:
        return session.query(Visit).filter_by(customer_id=customer.id).all()


def test_an_air_conditioner_is_booked_for_the_day_and_half_day_wished_for(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, AIRCON), status="delivered")
    me = talk(customer)
    preview = me.says("空调到了，帮我约后天下午安装")
    assert told_day(in_days(2)) in preview
    assert "3 米" in preview
    assert visits_of(shop, customer) == []
    assert "约好了" in me.says("确认")
    [booked] = visits_of(shop, customer)
    assert (booked.kind, booked.day, booked.slot) == ("installation", in_days(2), "afternoon")


def test_the_day_and_the_half_day_are_asked_one_after_the_other(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, AIRCON), status="delivered")
    me = talk(customer)
    assert "哪天" in me.says("预约安装")
    assert "来不及" in me.says("今天")
    assert "上午还是下午" in me.says(me.buttons[1])
    assert "晚上不上门" in me.says("晚上行吗")
    assert "确认预约" in me.says("那就上午吧")
    assert "先不动" in me.says("先不办了")
    assert visits_of(shop, customer) == []


def test_a_fridge_needs_no_engineer_and_says_how_to_start_it(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, FRIDGE), status="delivered")
    assert "静置" in talk(customer).says("冰箱什么时候来人安装")
    assert visits_of(shop, customer) == []


def test_what_is_booked_already_is_told_and_can_be_moved(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, product(shop, AIRCON), status="delivered")
    booked = visit(shop, order)
    me = talk(customer)
    assert "已经约好了" in me.says("预约空调安装")
    me.says("改上门时间")
    assert "确认修改" in me.says(f"{in_days(5).month}月{in_days(5).day}号下午")
    assert "改好了" in me.says("确认")
    moved = shop.fresh(booked)
    assert (moved.day, moved.slot, moved.moved) == (in_days(5), "afternoon", 1)


def test_a_day_on_which_i_cannot_is_not_the_new_day(talk, shop):
    customer = shop.customer()
    booked = visit(shop, shop.order(customer, product(shop, AIRCON), status="delivered"), days=1)
    me = talk(customer)
    preview = me.says("明天没空，师傅上门改成后天上午行不")
    assert told_day(in_days(2)) in preview
    me.says("确认")
    assert shop.fresh(booked).day == in_days(2)


def test_a_visit_is_called_off_after_a_yes(talk, shop):
    customer = shop.customer()
    booked = visit(shop, shop.order(customer, product(shop, AIRCON), status="delivered"))
    me = talk(customer)
    assert "确认取消" in me.says("师傅别来了，取消上门")
    assert "取消好了" in me.says("确认")
    assert shop.fresh(booked).status == "cancelled"


def test_of_two_visits_the_named_one_is_moved(talk, shop):
    customer = shop.customer()
    visit(shop, shop.order(customer, product(shop, AIRCON), status="delivered"))
    repair = visit(shop, shop.order(customer, product(shop, FRIDGE), status="delivered"), kind="repair", days=4)
    me = talk(customer)
    asked = me.says("我要改上门时间")
    assert "1." in asked
    assert "2." in asked
    me.says("第二个")
    assert "确认修改" in me.says(f"改到{in_days(6).month}月{in_days(6).day}号上午")
    me.says("确认")
    assert shop.fresh(repair).day == in_days(6)


def test_a_visit_about_to_begin_stays(talk, shop):
    customer = shop.customer()
    hour = clock.local(clock.now()).hour
    if hour < 7:
        return  # at night nothing of today is that near
    booked = visit(shop, shop.order(customer, product(shop, AIRCON), status="delivered"), days=0, slot="morning")
    assert "不到 2 小时" in talk(customer).says("上门时间改到后天上午")
    assert shop.fresh(booked).day == in_days(0)


def test_without_a_visit_there_is_nothing_to_move(talk, shop):
    assert "没有约好的上门" in talk(shop.customer()).says("改一下师傅上门的时间")


def test_the_other_half_of_the_day_needs_no_new_day(talk, shop):
    customer = shop.customer()
    booked = visit(shop, shop.order(customer, product(shop, AIRCON), status="delivered"))
    me = talk(customer)
    assert "确认修改" in me.says("我要改安装时间，换成下午")
    me.says("确认")
    assert (shop.fresh(booked).day, shop.fresh(booked).slot) == (in_days(3), "afternoon")


def test_the_same_wish_again_is_answered_by_the_open_question(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, AIRCON), status="delivered")
    me = talk(customer)
    me.says("预约安装")
    assert me.says("预约安装").startswith("您希望哪天上门")


def test_calling_off_a_pick_up_calls_off_the_return_and_no_order(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    waiting = shop.order(customer, shop.product(kind="耳机", name="青禾 降噪耳机"), status="paid")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    me.says("明天")
    me.says("确认")
    assert "退货单" in me.says("快递取件取消")
    assert "取消好了" in me.says("嗯取消 留着用")
    assert shop.fresh(waiting).status == "paid"


@pytest.mark.parametrize("said", ["24号", "改成下午行不"])
def test_another_day_or_half_at_the_end_is_shown_again_before_it_counts(talk, shop, said):
    customer = shop.customer()
    shop.order(customer, product(shop, AIRCON), status="delivered")
    day = in_days(4)
    me = talk(customer)
    me.says(f"空调到了，帮我约{in_days(3).month}月{in_days(3).day}号上午安装")
    said = f"{day.day}号" if said == "24号" else said
    answer = me.says(said)
    assert "确认预约" in answer
    me.says("确认 谢谢")
    [booked] = visits_of(shop, customer)
    assert (booked.day, booked.slot) == ((in_days(3), "afternoon") if "下午" in said else (day, "morning"))


def test_the_pick_up_of_a_return_is_moved_where_no_engineer_is_booked(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("电饭煲不喜欢 想退货")
    me.says("明天")
    me.says("确认")
    assert "取件改到" in me.says("取件改到后天下午")
    assert "改好了" in me.says("确认")


@pytest.mark.parametrize("kind", ["return", "exchange"])
def test_nothing_is_installed_that_is_being_sent_back(talk, shop, kind):
    customer = shop.customer()
    lock = {
        **AIRCON,
        "sku": "T-LOCK",
        "kind": "门锁",
        "name": "澄屿 Q7智能门锁",
        "size": "small",
        "aliases": ["智能锁"],
    }
    order = shop.order(customer, product(shop, lock), status="delivered")
    now = clock.now()
    case = shop.add(
        AfterSalesCase(
            number=f"AS26112200{'12'[kind == 'exchange']}1", customer_id=customer.id, order_id=order.id,
            item_id=order.items[0].id, kind=kind, reason="不合适", status="pickup", pickup_at=now + timedelta(days=1),
            created_at=now, updated_at=now,
        )
    )  # fmt: skip
    me = talk(customer)
    answer = me.says("门锁到了，预约安装")
    assert case.number in answer and "哪天" not in answer
    assert case.number in me.says("预约安装")
    assert visits_of(shop, customer) == []
