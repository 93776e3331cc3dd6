"""Parcels that did not come: looked for with a time, sent again or paid back when lost."""

from datetime import timedelta

from sqlalchemy import select

from core import db
from crm.orders.models import Order
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseStatus
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus


def tickets(shop, order):
    with shop.session() as session:
        return session.scalars(select(Ticket).where(Ticket.order_id == order.id)).all()


def lost(shop, customer, **given):
    order = shop.order(customer, status="shipped", **given)
    with db.writing() as session:
        session.get(Order, order.id).parcels[0].status = "lost"
    return order


def test_what_was_signed_for_but_not_received_is_looked_for_within_a_day(talk, shop):
    order = shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    assert "快递柜" in me.says("显示签收了但是我没收到")
    assert "登记" in me.says("都找过了，没有")
    done = me.says("确认")
    [ticket] = tickets(shop, order)
    assert ticket.number in done and ticket.kind == TicketKind.LOST_PARCEL and ticket.urgent
    assert ticket.due_at - ticket.created_at == timedelta(hours=24)


def test_a_second_report_tells_the_first_and_a_find_ends_it(talk, shop):
    order = shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    for line in ("显示签收我没收到", "都找过了，没有", "确认"):
        me.says(line)
    assert "已经在查了" in me.says("我没收到货")
    assert "就此结束" in me.says("丢的快递找到了 不用查了")
    me.says("确认")
    assert [t.status for t in tickets(shop, order)] == [TicketStatus.SOLVED]


def test_a_parcel_on_its_way_is_not_missing_yet(talk, shop):
    order = shop.order(customer := shop.customer(), status="shipped")
    assert "还在路上" in talk(customer).says("快递丢了吧，我没收到货")
    assert tickets(shop, order) == []


def test_a_lost_parcel_is_sent_again(talk, shop):
    order = lost(shop, customer := shop.customer())
    me = talk(customer)
    assert "丢失" in me.says("快递丢了怎么办")
    assert "补发" in me.says("补发")
    me.says("确认")
    with shop.session() as session:
        case = session.scalars(select(AfterSalesCase).where(AfterSalesCase.order_id == order.id)).one()
    assert case.status == CaseStatus.WAITING


def test_a_lost_parcel_is_paid_back(talk, shop):
    order = lost(shop, customer := shop.customer())
    me = talk(customer)
    me.says("快递丢了，东西没收到")
    for line in ("退款", "确认"):
        if line in me.buttons:
            last = me.says(line)
    assert "最晚" in last
    with shop.session() as session:
        refund = session.scalars(select(Refund).where(Refund.order_id == order.id)).one()
    assert (refund.kind, refund.amount_cents) == ("lost", 39_900)


def test_when_it_turns_up_while_looking_nothing_is_registered(talk, shop):
    order = shop.order(customer := shop.customer(), status="delivered")
    me = talk(customer)
    me.says("显示签收我没收到")
    assert "到手就好" in me.says("找到了，不用查了")
    assert tickets(shop, order) == []
