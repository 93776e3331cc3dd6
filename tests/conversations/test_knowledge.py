"""Rules, unclear messages and the way to a person."""


def test_a_question_about_a_rule_is_answered_from_the_knowledge_base(talk):
    me = talk()
    me.says("七天无理由退货的运费谁出")
    assert any(m.kind in {"card", "buttons"} for m in me.lines)


def test_what_is_unclear_is_asked_back_and_unclear_twice_goes_to_a_person(talk):
    me = talk()
    me.says("哒哒滴 嘎嘣")
    assert me.state == "bot" and "转人工" in me.buttons
    me.says("哒哒滴 嘎嘣")
    assert me.state == "queued"


def test_who_asks_for_a_person_gets_into_the_queue_with_a_summary(talk, shop):
    shop.order(customer := shop.customer(), status="paid")
    me = talk(customer)
    me.says("我的订单怎么样了")
    answer = me.says("转人工")
    assert me.state == "queued" and "不用您再说一遍" in answer


def test_the_bot_says_that_it_is_one(talk):
    assert "机器人" in talk().says("你是机器人吗")


def test_nobody_speaks_the_brains_inner_language(talk):
    me = talk()
    me.says('/request_human{"order_number": "1"}')
    assert me.state == "bot"


def test_a_picture_of_nothing_but_emoji_is_answered_kindly(talk):
    assert talk().says("😀😀😀")
