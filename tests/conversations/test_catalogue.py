"""Before buying: prices, stock, advice, corporate enquiries."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import clock, db
from crm.catalogue.models import Product, Stock
from crm.leads.models import Lead
from tests.conversations.test_visits import product

PHONES = {
    "SJ-S5": ("云岭 S5 5G手机", 129_900, 10, ["S5手机"], "", ["黑色"]),
    "SJ-X20": ("云岭 X20 5G手机", 299_900, 10, ["X20"], "购X20手机赠65W充电器一个", ["曜石黑", "云杉绿"]),
    "SJ-X20P": ("云岭 X20 Pro 5G手机", 429_900, 10, ["X20 Pro"], "", ["曜石黑"]),
}


@pytest.fixture
def phones(shop):
    """Three phones of the catalogue, the only ones; the X20 is sold out in green for four days."""
    with db.writing() as session:
        others = update(Product).where(Product.kind == "手机", Product.sku.not_in(PHONES))
        session.execute(others.values(kind="旧手机"))  # what other tests sell
    with shop.session() as session:
        there = {p.sku: p for p in session.scalars(select(Product).where(Product.sku.in_(PHONES)))}
    for sku, (name, cents, quantity, aliases, promotion, colors) in PHONES.items():
        if sku not in there:
            there[sku] = shop.product(
                sku=sku,
                name=name,
                kind="手机",
                brand="云岭",
                price_cents=cents,
                quantity=quantity,
                aliases=aliases,
                promotion=promotion,
                colors=colors,
                specs={"内存": "12+256GB", "屏幕": "6.7英寸 120Hz", "防水": "IP68"},
            )
            if sku == "SJ-X20":
                with db.writing() as session:
                    green = session.scalars(select(Stock).where(Stock.color == "云杉绿")).one()
                    green.quantity, green.restock_at = 0, clock.now() + timedelta(days=4)
    return there


def cards(me):
    return [p for line in me.lines if line.payload for p in line.payload.get("products", [])]


def test_the_price_and_the_offer_of_a_named_product_are_told(talk, phones):
    me = talk()
    answer = me.says("X20现在多少钱")
    assert "2,999元" in answer and "赠65W充电器" in answer and cards(me)[0]["price_cents"] == 299_900


def test_bargaining_gets_an_honest_no_and_what_does_save_money(talk, phones):
    answer = talk().says("X20便宜点呗")
    assert "改不了" in answer and "积分" in answer and "优惠券" in answer


def test_what_is_on_offer_now_is_shown(talk, phones):
    me = talk()
    me.says("现在有什么活动")
    assert any("X20" in p["name"] for p in cards(me))


def test_stock_is_told_by_colour_with_the_day_when_more_comes(talk, phones):
    me = talk()
    answer = me.says("X20云杉绿有货吗")
    assert "云杉绿：缺货，预计" in answer and "曜石黑有货" in answer
    assert "曜石黑：有货" in me.says("曜石黑有货吗")


def test_which_products_of_a_class_are_in_stock(talk, phones):
    me = talk()
    assert "现货" in me.says("手机有货吗")
    assert len(cards(me)) == 3


def test_without_a_product_the_customer_is_asked_which(talk, phones):
    me = talk()
    assert "哪一款" in me.says("有货吗")
    assert "手机" in me.buttons


def test_a_detail_of_a_product_is_answered_from_its_specification(talk, phones):
    assert "IP68" in talk().says("X20防水吗")


def test_what_the_specification_does_not_say_is_not_invented(talk, phones):
    me = talk()
    answer = me.says("X20能插两张卡不")
    assert "不敢随便说" in answer and "转人工" in me.buttons


def test_advice_asks_for_the_class_and_gives_reasons(talk, phones):
    me = talk()
    assert "哪一类" in me.says("有啥推荐")
    me.says("手机")
    shown = cards(me)
    assert 2 <= len(shown) <= 3 and all(p["points"] for p in shown)


def test_advice_keeps_to_the_budget(talk, phones):
    me = talk()
    me.says("推荐个手机，预算1500")
    assert [p["price_cents"] for p in cards(me)] == [129_900]


def test_when_nothing_fits_the_budget_that_is_said(talk, phones):
    assert "预算内暂时没有" in talk().says("推荐个手机，500元以内")


def test_two_products_are_compared(talk, phones):
    me = talk()
    assert "贵 1,300元" in me.says("X20和X20 Pro买哪个")
    assert len(cards(me)) == 2


def test_what_the_shop_does_not_sell_is_said_plainly(talk, phones):
    assert "没有卖" in talk().says("推荐个投影仪")


def test_the_product_before_is_not_taken_for_a_thing_that_is_not_sold(talk, phones):
    me = talk()
    me.says("X20现在多少钱")
    assert "没有卖" in me.says("面霜多少钱")


def test_a_company_that_says_all_at_once_is_only_asked_for_the_phone(talk, shop):
    me = talk()
    me.says("企业采购")
    assert "手机号" in me.says("我们是恒泰科技有限公司，要50个充电宝做员工福利")
    assert "我来登记：恒泰科技有限公司，需求" in me.says("13900001234")


def test_a_company_leaves_wish_and_phone_and_is_called_within_a_working_day(talk, shop):
    me = talk()
    assert "名称" in me.says("公司采购")
    assert "多少台" in me.says("杭州恒泰科技有限公司")
    assert "手机号" in me.says("30台显示器")
    assert "139****1234" in me.says("13900001234")
    assert "登记好了" in me.says("确认")
    with shop.session() as session:
        lead = session.scalars(select(Lead).where(Lead.conversation_id == me.id)).one()
    assert (lead.company, lead.wish, lead.phone) == ("杭州恒泰科技有限公司", "30台显示器", "13900001234")
    assert lead.call_due_at > clock.now()


def test_a_small_wish_is_not_made_a_corporate_enquiry(talk, shop):
    shop.product(sku="DFB-4", name="禾穗 4升IH电饭煲", aliases=["电饭锅"])
    me = talk(shop.customer())
    answer = me.says("我们单位要采购2台电饭锅，走企业采购")
    assert "10 件" in answer and "专用发票" in answer
    with shop.session() as session:
        assert session.scalars(select(Lead).where(Lead.conversation_id == me.id)).all() == []


def test_the_figure_on_the_card_answers_a_question_by_its_unit(talk, shop):
    shop.product(
        sku="T-P2", name="云岭 P2家用投影仪", kind="投影仪", aliases=["投影仪"], colors=["白色"],
        specs={"分辨率": "1080P", "亮度": "1200流明"},
    )  # fmt: skip
    me = talk()
    me.says("投影仪有什么参数")
    answer = me.says("这个投影仪多少流明？")
    assert "亮度 1200流明" in answer and "没有写" not in answer


def test_the_stock_of_the_model_named_is_told(talk, shop):
    robot = {"kind": "扫地机器人", "colors": ["白色"]}
    product(shop, {**robot, "sku": "SD-T8", "name": "净川 T8扫拖机器人", "aliases": ["扫地机"]})
    product(shop, {**robot, "sku": "SD-T3", "name": "净川 T3扫地机器人", "aliases": ["T3扫地机"], "quantity": 3})
    answer = talk().says("扫地机T3还有几台")
    assert "T3" in answer and "只剩 3 件" in answer and "T8" not in answer
