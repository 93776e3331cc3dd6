"""Invoices in the customer's words."""

from datetime import timedelta

from core import clock
from crm.orders.models import Invoice
from helpdesk.tickets.models import Ticket

COMPANY, TAX = "杭州云帆科技有限公司", "91510107MA6CX2K84P"


def invoices_of(shop, order):
    with shop.session() as session:
        return session.query(Invoice).filter_by(order_id=order.id).order_by(Invoice.id).all()


def issued(shop, order, days=1):
    at = clock.now() - timedelta(days=days)
    return shop.add(
        Invoice(
            order_id=order.id, kind="ordinary", title="个人", amount_cents=order.total_cents, status="issued",
            number="263300000001", email="old@example.com", requested_at=at, issued_at=at,
        )
    )  # fmt: skip


def test_a_personal_invoice_is_asked_for_step_by_step(talk, shop):
    customer = shop.customer(name="林晓雯")
    order = shop.order(customer, status="delivered")
    me = talk(customer)
    assert "哪一种" in me.says("我要开发票")
    assert "名字" in me.says("个人普通发票")
    assert "邮箱" in me.says("林晓雯")
    preview = me.says("lin@example.com")
    assert "林晓雯" in preview
    assert "前开好" in preview
    assert "登记好了" in me.says("确认")
    [made] = invoices_of(shop, order)
    assert (made.kind, made.title, made.email, made.status) == ("ordinary", "林晓雯", "lin@example.com", "requested")


def test_a_company_invoice_takes_all_details_from_one_message(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="delivered")
    me = talk(customer)
    assert "邮箱" in me.says(f"开发票，抬头{COMPANY}，税号{TAX}")
    me.says("不用发邮箱")
    me.says("确认")
    [made] = invoices_of(shop, order)
    assert (made.title, made.tax_number) == (COMPANY, TAX)


def test_a_tax_number_that_is_too_short_is_asked_again(talk, shop):
    customer = shop.customer()
    shop.order(customer, status="delivered")
    me = talk(customer)
    me.says("我要开发票")
    me.says("公司普通发票")
    me.says(COMPANY)
    answer = me.says("91510107MA6CX2")
    assert "14 位" in answer
    assert "邮箱" in me.says(TAX)


def test_a_special_invoice_sends_its_bank_details_to_finance(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="delivered")
    me = talk(customer)
    me.says("开专票")
    me.says(COMPANY)
    assert "开户银行" in me.says(TAX)
    assert "还缺" in me.says("工商银行西湖支行")
    me.says("杭州市西湖区文三路100号 0571-86203319 工商银行西湖支行 1202021409900123456")
    me.says("不用发邮箱")
    assert "工单 GD" in me.says("确认")
    assert invoices_of(shop, order)[0].kind == "special"
    with shop.session() as session:
        assert "1202021409900123456" in session.query(Ticket).filter_by(order_id=order.id).one().detail


def test_an_invoice_that_is_there_is_shown_and_corrected_on_demand(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="delivered")
    old = issued(shop, order)
    me = talk(customer)
    assert "263300000001" in me.says("开发票")
    assert "哪一种" in me.says("修改发票")
    me.says("公司普通发票")
    me.says(COMPANY)
    me.says(TAX)
    assert "作废" in me.says("不用发邮箱")
    me.says("确认")
    assert [i.status for i in invoices_of(shop, order)] == ["voided", "requested"]
    assert shop.fresh(old).status == "voided"


def test_an_invoice_is_sent_to_another_address(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="delivered")
    issued(shop, order)
    me = talk(customer)
    assert "new@example.com" in me.says("发票再发一次，发到我邮箱 new@example.com")
    assert "重发" in me.says("确认")
    assert [i.email for i in invoices_of(shop, order)] == ["new@example.com"]


def test_an_invoice_of_long_ago_cannot_be_corrected(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="delivered", delivered_ago=timedelta(days=800))
    old = issued(shop, order, days=800)
    assert "1月31日" in talk(customer).says("发票抬头错了，作废重开")
    assert shop.fresh(old).status == "issued"


def test_an_unpaid_order_has_no_invoice(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="unpaid")
    assert "还没付款" in talk(customer).says(f"订单{order.number}开发票")
    assert invoices_of(shop, order) == []


def test_a_question_in_between_does_not_lose_the_open_one(talk, shop):
    customer = shop.customer()
    shop.order(customer, status="delivered")
    me = talk(customer)
    me.says("我要开发票")
    assert "名字" in me.says("个人普通发票")
    assert "名字" in me.says("你们几点下班")
    assert "邮箱" in me.says("林晓雯")


def test_company_number_bank_and_account_in_one_line_are_told_apart(talk, shop):
    shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("我要开增值税专用发票")
    answer = me.says("南昌启明科技有限公司 91360100MA35ABCD12 工行南昌红谷滩支行 1502001234567890123")
    assert "还缺注册地址、电话" in answer
    me.says("南昌市红谷滩区丰和大道1号 0791-83820000")
    preview = me.says("不用发邮箱")
    assert "抬头“南昌启明科技有限公司”" in preview
    assert "91360100MA35ABCD12" in preview


def test_a_stranger_with_a_plain_question_is_answered_without_an_order_number(talk, shop):
    assert "订单号发给我" not in talk().says("怎么开公司的发票")


def test_a_stranger_without_an_order_is_not_asked_again(talk, shop):
    me = talk()
    me.says("我要开发票")
    assert "订单号发给我" not in me.says("我没有订单 只是问问规则")


def test_an_address_that_is_not_wished_for_any_more_is_forgotten(talk, shop):
    customer = shop.customer(name="林晓雯", email="lin@example.com")
    order = shop.order(customer, status="delivered")
    me = talk(customer)
    me.says("开个人普通发票")
    me.says("林晓雯")
    assert "lin@example.com" in me.says("lin@example.com")
    assert "发到" not in me.says("不用发邮箱")
    assert "发到" not in me.says("确认")
    assert invoices_of(shop, order)[0].email is None


def test_a_changed_invoice_goes_to_no_address_that_was_given_before(talk, shop):
    customer = shop.customer(name="林晓雯")
    order = shop.order(customer, status="delivered")
    now = clock.now()
    shop.add(
        Invoice(
            order_id=order.id, kind="ordinary", title="个人", amount_cents=order.total_cents, status="requested",
            email="u@example.com", requested_at=now,
        )
    )  # fmt: skip
    me = talk(customer)
    me.says("发票抬头改一下")
    me.says("个人普通发票")
    me.says("林晓雯")
    me.says("不用发邮箱")
    assert "u***@example.com" not in me.says("确认")
    assert [(i.title, i.email) for i in invoices_of(shop, order)] == [("林晓雯", None)]


def test_an_invoice_for_what_is_being_returned_is_refused_without_saying_the_money_is_back(talk, shop):
    order = shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("电饭煲不想要了 我要退货")
    me.says("后天下午")
    assert "退货登记好了" in me.says("确认")
    answer = me.says(f"{order.number} 开发票")
    assert "钱还没有退" in answer and "已经全部退" not in answer


def test_after_twenty_questions_in_between_the_invoice_is_still_finished_with_all_that_was_said(talk, shop):
    customer = shop.customer(name="林晓雯")
    order = shop.order(customer, status="delivered")
    me = talk(customer)
    me.says("我要开发票")
    me.says("个人普通发票")
    for question in ("我有多少积分", "退货运费谁出", "有什么优惠券", "你们几点上班", "谢谢") * 4:
        me.says(question)
    assert "邮箱" in me.says("林晓雯")
    assert "林晓雯" in me.says("lin@example.com")
    assert "登记好了" in me.says("确认")
    [made] = invoices_of(shop, order)
    assert (made.kind, made.title, made.email) == ("ordinary", "林晓雯", "lin@example.com")
