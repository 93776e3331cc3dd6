"""Parcels in conversation."""


def test_the_trace_of_a_parcel_is_shown_as_a_card(talk, shop):
    shop.order(customer := shop.customer(), status="shipped")
    me = talk(customer)
    me.says("我的快递到哪了")
    card = next(m.payload for m in me.lines if m.kind == "card")
    assert card["card"] == "parcel" and len(card["trace"]) == 2
    assert card["trace"][0]["at"] > card["trace"][1]["at"]


def test_an_order_that_has_not_left_says_when_it_will(talk, shop):
    shop.order(customer := shop.customer(), status="paid")
    assert "还没有物流信息" in talk(customer).says("到哪了")


def test_with_several_parcels_under_way_the_customer_chooses_and_the_choice_is_understood(talk, shop):
    customer = shop.customer()
    first, second = shop.order(customer, status="shipped"), shop.order(customer, status="shipped")
    me = talk(customer)
    me.says("查物流")
    orders = next(m.payload for m in me.lines if m.kind == "card")["orders"]
    assert {o["number"] for o in orders} == {first.number, second.number}
    me.says(orders[1]["actions"][0]["value"])
    assert next(m.payload for m in me.lines if m.kind == "card")["order_number"] == orders[1]["number"]


def test_the_parcel_of_somebody_elses_order_is_not_shown(talk, shop):
    foreign = shop.order(shop.customer(), status="shipped")
    me = talk(shop.customer())
    assert "没有找到" in me.says(f"订单{foreign.number}的快递到哪了")
    assert all(line.kind != "card" for line in me.lines)
