"""Price differences and payments, in the customer's words."""

from datetime import timedelta

from core import clock
from crm.orders.models import Payment
from crm.returns.models import Refund
from helpdesk.tickets.models import Ticket


def refunds_of(shop, order):
    with shop.session() as session:
        return session.query(Refund).filter_by(order_id=order.id).all()


def fallen(shop, customer, **order):
    """An order of something that costs 60 yuan less today."""
    dearer = shop.product()
    made = shop.order(customer, dearer, **order)
    with_price = shop.fresh(dearer)
    from core import db

    with db.writing() as session:
        session.merge(with_price).price_cents = dearer.price_cents - 6_000
    return made


def test_the_difference_is_told_confirmed_and_paid_back(talk, shop):
    customer = shop.customer()
    order = fallen(shop, customer)
    me = talk(customer)
    assert "60元" in me.says("刚买就降价了，给我退差价")
    assert refunds_of(shop, order) == []
    assert "申请好了" in me.says("确认")
    [refund] = refunds_of(shop, order)
    assert (refund.kind, refund.amount_cents) == ("price_protection", 6_000)
    assert "已经办过一次价保" in me.says("申请保价")


def test_after_seven_days_the_difference_stays(talk, shop):
    customer = shop.customer()
    order = fallen(shop, customer, age=timedelta(days=60))
    assert "价保 " in talk(customer).says("降价了，能保价吗")
    assert refunds_of(shop, order) == []


def test_a_price_that_did_not_fall_is_said_so(talk, shop):
    customer = shop.customer()
    shop.order(customer)
    assert "没有差价可退" in talk(customer).says("帮我申请价保")


def test_what_was_paid_twice_goes_back_at_once_and_only_once(talk, shop):
    customer = shop.customer()
    order = shop.order(customer)
    shop.add(
        Payment(order_id=order.id, method="wechat", amount_cents=order.total_cents, status="surplus", at=clock.now())
    )
    me = talk(customer)
    assert "已经发起退回" in me.says("扣了我两次钱")
    assert "已经原路退回" in me.says("我付了两遍钱，重复扣款了")
    assert [r.kind for r in refunds_of(shop, order)] == ["surplus"]


def test_a_failed_payment_is_told_with_its_reason(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="unpaid")
    shop.add(
        Payment(
            order_id=order.id, method="debit_card", amount_cents=order.total_cents, status="failed",
            failure="超过单日支付限额", at=clock.now(),
        )
    )  # fmt: skip
    answer = talk(customer).says("付不了款怎么办")
    assert "超过单日支付限额" in answer
    assert "没有扣款" in answer


def test_money_taken_from_an_unpaid_order_is_looked_into_once(talk, shop):
    customer = shop.customer()
    order = shop.order(customer, status="unpaid")
    me = talk(customer)
    assert "不要再付" in me.says("钱扣了，订单还是待付款")
    me.says("钱扣了，订单还是待付款")
    with shop.session() as session:
        assert session.query(Ticket).filter_by(order_id=order.id).count() == 1


def test_somebody_elses_order_is_not_found(talk, shop):
    order = shop.order(shop.customer())
    assert "没有找到" in talk(shop.customer()).says(f"订单{order.number}付款扣了两次")


def test_a_second_complaint_about_paying_twice_is_not_taken_for_an_unpaid_order(talk, shop):
    customer = shop.customer()
    paid, unpaid = shop.order(customer), shop.order(customer, status="unpaid")
    shop.add(Payment(order_id=paid.id, method="wechat", amount_cents=1, status="surplus", at=clock.now()))
    me = talk(customer)
    me.says("扣了我两次钱")
    assert paid.number[-4:] in me.says("重复扣款了")
    with shop.session() as session:
        assert session.query(Ticket).filter_by(order_id=unpaid.id).count() == 0
