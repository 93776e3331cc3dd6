"""Faults reported and warranty looked up, in the customer's words."""

from datetime import timedelta

from helpdesk.visits.models import Repair, Visit
from tests.conversations.test_visits import AIRCON, FRIDGE, in_days, product

PHONE = {"sku": "T-PHONE", "kind": "手机", "name": "云岭 S5 5G手机", "colors": ["黑色"], "activates": True}
YEARS = timedelta(days=400)


def repairs_of(shop, customer):
    with shop.session() as session:
        return session.query(Repair).filter_by(customer_id=customer.id).all()


def test_a_fridge_in_warranty_is_visited_for_nothing(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, FRIDGE), status="delivered", delivered_ago=YEARS)
    shop.order(customer, status="delivered")
    me = talk(customer)
    assert "哪天" in me.says("冰箱不制冷了，叫师傅来看看")
    preview = me.says("明天上午") if "上午还是下午" not in me.says("后天") else me.says("上午")
    assert "不收费" in preview
    assert "不制冷" in preview
    assert "维修单 WX" in me.says("确认")
    [repair] = repairs_of(shop, customer)
    assert (repair.way, repair.in_warranty, repair.fee_cents) == ("visit", True, 0)
    with shop.session() as session:
        [visit] = session.query(Visit).filter_by(repair_id=repair.id).all()
    assert (visit.day, visit.slot) == (in_days(2), "morning")


def test_a_phone_out_of_warranty_is_fetched_and_the_price_is_told_first(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, PHONE), status="delivered", delivered_ago=YEARS)
    me = talk(customer)
    assert "什么问题" in me.says("我要报修")
    preview = me.says("充不进电，黑屏")
    assert "已经过保" in preview
    assert "取件" in preview
    assert "备份" in me.says("确认")
    assert repairs_of(shop, customer)[0].way == "send_in"


def test_what_fell_is_not_free(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, PHONE), status="delivered", delivered_ago=timedelta(days=30))
    preview = talk(customer).says("手机摔了屏幕碎了，怎么修")
    assert "不在免费保修范围" in preview


def test_a_second_report_shows_the_first(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, PHONE), status="delivered", delivered_ago=timedelta(days=30))
    me = talk(customer)
    me.says("手机黑屏了要报修")
    me.says("确认")
    assert "已经报过修" in me.says("我要报修手机")
    assert len(repairs_of(shop, customer)) == 1


def test_a_thing_never_bought_here_is_said_so(talk, shop):
    customer = shop.customer()
    product(shop, AIRCON)
    shop.order(customer, product(shop, PHONE), status="delivered")
    assert "没有找到空调" in talk(customer).says("空调不制冷，报修")
    assert repairs_of(shop, customer) == []


def test_the_warranty_of_an_order_is_told_with_its_parts(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, FRIDGE), status="delivered", delivered_ago=YEARS)
    answer = talk(customer).says("帮我查一下我的冰箱还在保修期吗")
    assert "还在保" in answer
    assert "压缩机" in answer


def test_a_serial_number_finds_the_own_piece_only(talk, shop):
    mine, other = shop.customer(), shop.customer()
    order = shop.order(mine, product(shop, PHONE), status="delivered", delivered_ago=YEARS)
    question = f"查下保修 序列号{order.items[0].serial_number}"
    assert "已过保" in talk(mine).says(question)
    assert "没有查到" in talk(other).says(question)


def test_a_visitor_is_asked_who_he_is_before_the_own_warranty(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, product(shop, FRIDGE), status="delivered")
    me = talk()
    assert "订单号" in me.says("查一下我的保修期")
    me.says(order.number)
    assert "还在保" in me.says(customer.phone[-4:])


def test_a_yes_is_no_fault(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, PHONE), status="delivered")
    me = talk(customer)
    me.says("我要报修")
    assert "什么问题" in me.says("确认")
    assert repairs_of(shop, customer) == []


def test_a_report_that_is_not_wanted_any_more_ends(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, PHONE), status="delivered", delivered_ago=timedelta(days=30))
    me = talk(customer)
    me.says("我要报修")
    assert "不办了" in me.says("报修不用了")
    assert repairs_of(shop, customer) == []


def test_the_thing_meant_after_a_correction_is_the_one_that_is_mended(talk, shop):
    customer = shop.customer()
    shop.order(customer, product(shop, FRIDGE), status="delivered", delivered_ago=timedelta(days=20))
    shop.order(customer, product(shop, PHONE), status="delivered", delivered_ago=timedelta(days=30))
    me = talk(customer)
    assert "云岭 S5" in me.says("手机要报修")
    answer = me.says("我说不是手机！是冰箱漏水")
    assert "S5" not in answer


def test_what_bumps_into_walls_is_told_in_the_customers_words_and_not_as_fallen(talk, shop):
    customer = shop.customer()
    robot = {
        "sku": "SD-T8",
        "kind": "扫地机器人",
        "name": "净川 T8扫拖机器人",
        "aliases": ["扫地机"],
        "colors": ["白色"],
    }
    shop.order(customer, product(shop, robot), status="delivered", delivered_ago=timedelta(days=30))
    me = talk(customer)
    me.says("我要报修扫地机")
    preview = me.says("老是撞墙 找不到基站")
    assert "老是撞墙" in preview and "不收费" in preview
    me.says("确认")
    assert "撞墙" in repairs_of(shop, customer)[0].fault
