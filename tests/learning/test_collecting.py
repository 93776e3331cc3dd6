"""What the bot was unsure of is kept, masked, with what it turned out to mean."""

from sqlalchemy import delete, text

from core import clock, db
from crm.customers.models import Customer
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.turns import Answer
from helpdesk.learning import collecting
from helpdesk.learning.rules import Reading
from tests.learning.people import Talk, collected

HAND_OVER = Answer(handover="not_understood")


def test_an_unsure_message_is_kept_with_what_the_bot_read(talk):
    talk.unclear("豆豆攒了几颗", intent="query_points", decision="confirm")
    (kept,) = collected()
    assert (kept.text, kept.why, kept.state) == ("豆豆攒了几颗", "unsure", "open")
    assert (kept.intent, kept.confidence, kept.decision) == ("query_points", 0.21, "confirm")
    assert kept.conversation_id == talk.id


def test_what_the_bot_acted_on_is_not_kept(talk):
    talk.read("查积分", Answer("您现在有 3 积分"), intent="query_points", decision="answer")
    assert collected() == []


def test_nothing_personal_is_kept(engine):
    with db.writing() as session:
        who = Customer(name="上官小婉", title="女士", phone="13800138000", created_at=clock.now())
        session.add(who)
    said = "我上官小婉 13800138000，单子202611210000183豆豆呢"
    number = {"entity": "order_number", "start": said.index("2026"), "end": said.index("豆豆")}
    Talk(who).unclear(said, entities=(number,))
    assert collected()[0].text == "我〔姓名〕 〔手机号〕，单子〔订单号〕豆豆呢"


def test_a_message_of_numbers_alone_teaches_nothing(talk):
    talk.unclear("13800138000")
    assert collected() == []


def test_the_reading_a_customer_picks_is_the_hint(talk):
    talk.unclear("豆豆攒了几颗")
    talk.read("查积分", Answer("您现在有 3 积分"), intent="query_points", decision="answer")
    (kept,) = collected()
    assert (kept.why, kept.hint, kept.hint_kind) == ("corrected", "query_points", "intent")


def test_a_button_pressed_later_says_nothing_about_it(talk):
    talk.unclear("豆豆攒了几颗")
    talk.read("你好", Answer("您好", buttons=({"title": "查订单", "payload": "/query_order"},)), decision="answer")
    talk.read("查订单", Answer("请问订单号？"), intent="query_order", decision="answer")
    assert collected()[0].why == "unsure"


def test_after_a_hand_over_the_persons_first_deed_is_the_hint(talk, agent):
    talk.unclear("豆豆攒了几颗")
    talk.unclear("就是俺那豆豆", intent="faq")
    assert [row.why for row in collected()] == ["unsure", "unsure"]
    talk.read("豆豆啊", HAND_OVER)
    talk.taken_by(agent)
    assert [row.why for row in collected()] == ["unsure", "unsure", "handed_over"]
    talk.answered_by(agent, "您好，您说的是积分吧？电话13800138000")
    talk.answered_by(agent, "您有 3 积分")
    last = collected()[-1]
    assert (last.hint, last.hint_kind) == ("您好，您说的是积分吧？电话〔手机号〕", "reply")
    talk.finished_by(agent, "查积分")
    last = collected()[-1]
    assert (last.hint, last.hint_kind) == ("查积分", "tag")


def test_who_asks_for_a_person_after_an_unclear_line_was_not_understood_either(talk, agent):
    talk.unclear("豆豆攒了几颗")
    talk.read("都不是，转人工", Answer(handover="requested"), intent="request_human", decision="answer")
    talk.taken_by(agent)
    assert [row.why for row in collected()] == ["handed_over"]


def test_who_asks_for_a_person_at_once_teaches_nothing(talk, agent):
    talk.read("转人工", Answer(handover="requested"), intent="request_human", decision="answer")
    talk.taken_by(agent)
    talk.answered_by(agent, "您好")
    assert collected() == []


def test_a_line_is_kept_once(talk):
    talk.unclear("豆豆攒了几颗")
    reading = Reading("faq", 0.2, "fallback", asked_back=True)
    with db.writing() as session:
        collecting.collect(session, talk.id, collected()[0].seq, "豆豆攒了几颗", reading, clock.now())
        assert session.get(Conversation, talk.id) is not None  # and the transaction goes on
    assert len(collected()) == 1


def test_a_turn_is_stored_even_when_collecting_fails(talk, engine):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE collected_messages"))
    talk.unclear("豆豆攒了几颗")
    with db.reading() as session:
        assert session.get(Message, (talk.id, 2)).text.startswith("我想确认一下")


def test_a_talk_without_lines_of_the_customer_is_no_trouble(talk, agent):
    talk.read("啊", HAND_OVER)
    with db.writing() as session:
        session.execute(delete(Message).where(Message.sender == "customer"))
    talk.taken_by(agent)
