"""Complaints are registered once, with their times."""

from datetime import timedelta

import pytest

from core import clock, db
from helpdesk.complaints import usecases as complaints
from helpdesk.complaints.rules import first_answer_by, tells
from helpdesk.conversations import usecases as conversations
from migrations.models import metadata
from tests.shop import Shop

NOW = clock.now()


@pytest.fixture
def engine(tmp_path):
    made = db.make_engine(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(made)
    return made


@pytest.mark.parametrize("text", ["我要投诉", "投诉你们", "怎么投诉", "我要投诉你们客服！", "举报"])
def test_the_bare_wish_is_asked_what_happened(text):
    assert not tells(text)


@pytest.mark.parametrize(
    "text", ["我要投诉，快递员把包裹扔在雨里泡坏了", "安装师傅乱收费还态度恶劣", "投诉客服小李挂我电话三次"]
)
def test_a_message_that_tells_the_story_is_taken_as_it_is(text):
    assert tells(text)


def test_a_complaint_is_first_answered_within_a_day_and_due_in_three(engine):
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web")
        ticket, new = complaints.register(session, talk, "师傅迟到两小时", None, NOW, urgent=True)
    assert new and ticket.kind == "complaint" and ticket.number.startswith("GD") and ticket.urgent
    assert ticket.due_at == NOW + timedelta(days=3)
    assert first_answer_by(NOW) == NOW + timedelta(hours=24)


def test_the_same_order_again_is_added_to_the_open_complaint(engine):
    shop = Shop(engine)
    customer = shop.customer()
    order, other = shop.order(customer), shop.order(customer)
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web", customer=customer)
        first, _ = complaints.register(session, talk, "外壳有划痕", order, NOW)
        again, new = complaints.register(session, talk, "而且还不通电", order, NOW)
        third, another = complaints.register(session, talk, "没送货上门", other, NOW)
        assert again.id == first.id and not new and "不通电" in again.detail
        assert another and third.id != first.id
