"""How things stand, in one overview or by number."""

from core import clock, db
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind


def complaint(customer):
    with db.writing() as session:
        return tickets.open_ticket(
            session, clock.now(), kind=TicketKind.COMPLAINT, subject="安装乱收费", customer_id=customer.id
        )


def test_the_complaint_and_its_time_are_told(talk, shop):
    customer = shop.customer()
    ticket = complaint(customer)
    answer = talk(customer).says("我的投诉处理得怎么样了")
    assert ticket.number in answer
    assert clock.told(ticket.due_at) in answer


def test_a_number_shows_just_that_and_nobody_elses(talk, shop):
    mine, other = shop.customer(), shop.customer()
    ticket = complaint(mine)
    assert "安装乱收费" in talk(mine).says(f"查一下工单进度 {ticket.number}")
    refused = talk(other).says(f"查一下工单进度 {ticket.number}")
    assert "没有找到" in refused
    assert "安装乱收费" not in refused


def test_nothing_under_way_is_said_with_a_way_on(talk, shop):
    me = talk(shop.customer())
    assert "没有正在处理" in me.says("工单进度")
    assert "转人工" in me.buttons


def test_how_a_complaint_stands_is_said_once(talk, shop):
    customer = shop.customer()
    complaint(customer)
    assert talk(customer).says("我的投诉处理得怎么样了").count("已受理") == 1
