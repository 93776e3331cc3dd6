"""The account in conversation: getting in, own details, own data, no more messages."""

from datetime import timedelta

from sqlalchemy import select

from core import clock
from helpdesk.tickets.models import Ticket


def tickets_of(shop, customer):
    with shop.session() as session:
        return session.scalars(select(Ticket).where(Ticket.customer_id == customer.id)).all()


def test_a_forgotten_password_is_answered_step_by_step_without_verification(talk):
    answer = talk().says("忘记密码了怎么办")
    assert "忘记密码" in answer and "验证码" in answer


def test_a_missing_code_has_its_own_steps(talk):
    assert "垃圾短信" in talk().says("收不到验证码")


def test_a_locked_account_becomes_one_ticket(talk, shop):
    customer = shop.customer(locked=True)
    me = talk(customer)
    assert "解锁" in me.says("我的账号被锁了")
    me.says("账号还是锁着的")
    found = tickets_of(shop, customer)
    assert len(found) == 1 and found[0].kind == "account" and found[0].urgent


def test_a_locked_out_customer_verifies_and_gets_the_ticket(talk, shop):
    customer = shop.customer(locked=True)
    order = shop.order(customer)
    me = talk()
    assert "订单号" in me.says("账号被锁了")
    me.says(order.number)
    assert "工单" in me.says(customer.phone[-4:])
    assert len(tickets_of(shop, customer)) == 1


def test_a_nickname_is_changed_after_a_yes(talk, shop):
    customer = shop.customer()
    me = talk(customer)
    me.says("改昵称")
    assert "晴天小羊" in me.says("晴天小羊")
    assert shop.fresh(customer).nickname is None
    assert "改好了" in me.says("确认")
    assert shop.fresh(customer).nickname == "晴天小羊"


def test_everything_said_in_one_message_is_taken(talk, shop):
    customer = shop.customer()
    me = talk(customer)
    assert "18621047735" in me.says("绑定的手机号改成18621047735")
    me.says("确认")
    assert shop.fresh(customer).phone == "18621047735"


def test_a_birthday_without_year_is_asked_for_again(talk, shop):
    customer = shop.customer()
    me = talk(customer)
    me.says("改生日")
    assert "年月日" in me.says("4月2号")
    assert "1990年4月2日" in me.says("1990年4月2号")
    me.says("确认")
    assert shop.fresh(customer).birthday.isoformat() == "1990-04-02"


def test_who_would_rather_change_something_else_is_followed(talk, shop):
    customer = shop.customer()
    me = talk(customer)
    assert "邮箱" in me.says("改邮箱")
    assert "手机号" in me.says("改手机号")
    assert "11 位" in me.says("123456")
    me.says("13822223333")
    me.says("确认")
    assert shop.fresh(customer).phone == "13822223333"


def test_a_stranger_cannot_change_anything_and_is_not_quizzed(talk):
    me = talk()
    answer = me.says("我要换手机号")
    assert "登录" in answer and "订单号" not in answer


def test_closing_the_account_takes_seven_days_and_can_be_taken_back(talk, shop):
    customer = shop.customer()
    me = talk(customer)
    assert "7 天" in me.says("注销账号")
    assert "登记好了" in me.says("确认")
    assert shop.fresh(customer).closing_at > clock.now() + timedelta(days=6)
    assert tickets_of(shop, customer)[0].kind == "privacy"
    assert "撤回" in me.says("不注销了")
    assert shop.fresh(customer).closing_at is None
    assert tickets_of(shop, customer)[0].status == "solved"


def test_an_account_with_an_open_order_is_not_closed(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="shipped")
    answer = talk(customer).says("我要注销账号")
    assert "不能注销" in answer and order.number[-4:] in answer
    assert shop.fresh(customer).closing_at is None


def test_a_copy_of_the_data_is_promised_with_a_date(talk, shop):
    customer = shop.customer(email="xiao@example.com")
    me = talk(customer)
    assert "xi***@example.com" in me.says("想要一份我的个人信息副本")
    assert "工单" in me.says("确认")
    assert tickets_of(shop, customer)[0].subject == "个人信息副本"


def test_where_the_number_came_from_is_answered_to_everybody(talk):
    answer = talk().says("你们怎么知道我电话的")
    assert "下单" in answer and "不买、也不卖" in answer


def test_a_stranger_cannot_close_an_account(talk):
    assert "登录" in talk().says("我要注销账号")


def test_messages_end_at_once_and_the_second_time_it_is_said_so(talk, shop):
    customer = shop.customer(subscribed=True)
    me = talk(customer)
    assert "退订了" in me.says("别再给我发短信了")
    assert shop.fresh(customer).subscribed is False
    assert "已经退订过" in me.says("退订")


def test_a_stranger_hears_the_quick_way_to_unsubscribe(talk):
    assert "回复“退订”" in talk().says("退订")
