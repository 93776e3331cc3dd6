"""Complaints, suggestions, praise and ratings in conversation."""

from sqlalchemy import select

from helpdesk.surveys import usecases as surveys
from helpdesk.surveys.models import Feedback
from helpdesk.tickets.models import Ticket


def ticket_of(shop, me):
    with shop.session() as session:
        return session.scalars(select(Ticket).where(Ticket.conversation_id == me.id)).one_or_none()


def rating_of(shop, me):
    with shop.session() as session:
        return surveys.latest(session, me.id)


def kept(shop, me):
    with shop.session() as session:
        return session.scalars(select(Feedback).where(Feedback.conversation_id == me.id)).all()


def test_a_calm_complaint_is_registered_with_number_and_times(talk, shop):
    me = talk(shop.customer())
    assert "发生了什么" in me.says("我要投诉")
    answer = me.says("安装师傅昨天迟到两个小时还乱收费")
    ticket = ticket_of(shop, me)
    assert ticket.kind == "complaint" and ticket.number in answer and "先答复您" in answer
    assert "请同事现在处理" in me.buttons and me.state == "bot"


def test_a_complaint_that_tells_the_story_is_not_asked_again(talk, shop):
    me = talk()
    answer = me.says("我要投诉，昨天客服挂了我三次电话没人解决")
    assert "登记好了" in answer and "三次" in ticket_of(shop, me).detail


def test_the_order_is_asked_for_and_kept_with_the_complaint(talk, shop):
    order = shop.order(customer := shop.customer(), status="delivered")
    shop.order(customer, status="delivered")
    me = talk(customer)
    assert "哪笔订单" in me.says("我要投诉，快递员把包裹扔在雨里泡坏了")
    me.says(order.number)
    assert ticket_of(shop, me).order_id == order.id


def test_a_complaint_may_have_nothing_to_do_with_an_order(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("我要投诉，昨天客服挂了我三次电话没人解决")
    assert "登记好了" in me.says("和订单无关")
    assert ticket_of(shop, me).order_id is None


def test_fury_goes_to_a_person_at_once(talk):
    me = talk()
    answer = me.says("你们就是骗子！！退钱！我要打12315")
    assert "没做好" in answer and me.state == "queued"


def test_who_gets_furious_while_being_asked_goes_to_a_person(talk):
    me = talk()
    me.says("我要投诉")
    me.says("垃圾公司，骗子，气死我了！！")
    assert me.state == "queued"


def test_a_complaint_about_somebody_elses_order_does_not_touch_it(talk, shop):
    foreign = shop.order(shop.customer(), status="delivered")
    me = talk(shop.customer())
    me.says(f"我要投诉，订单{foreign.number}的快递员态度太恶劣了不肯送")
    assert ticket_of(shop, me).order_id is None


def test_a_suggestion_is_kept_and_thanked_for_in_its_own_words(talk, shop):
    me = talk()
    assert "夜间模式" in me.says("建议你们加个夜间模式")
    assert [(f.kind, f.text) for f in kept(shop, me)] == [("suggestion", "建议你们加个夜间模式")]


def test_an_announced_suggestion_is_asked_for(talk, shop):
    me = talk()
    assert "希望变成什么样" in me.says("提个建议")
    assert "大一点" in me.says("字体再大一点就好了")
    assert kept(shop, me)[0].text == "字体再大一点就好了"


def test_praise_is_kept_and_the_person_is_named(talk, shop):
    me = talk()
    assert "小王" in me.says("给小王点赞")
    assert kept(shop, me)[0].kind == "praise"


def test_a_good_rating_is_kept_with_a_thank_you(talk, shop):
    me = talk()
    assert "5 分" in me.says("5分")
    assert (rating_of(shop, me).score, rating_of(shop, me).of) == (5, "bot")


def test_a_low_rating_is_asked_what_went_wrong_and_offered_a_person(talk, shop):
    me = talk()
    assert "哪里没做好" in me.says("不满意")
    assert "转人工" in me.buttons and rating_of(shop, me).score == 2
    assert "答非所问" in me.says("答非所问，没解决问题")
    assert "答非所问" in rating_of(shop, me).comment


def test_nobody_is_pressed_to_explain(talk, shop):
    me = talk()
    me.says("1分")
    assert "不打扰" in me.says("不说了")
    assert rating_of(shop, me).comment == ""
