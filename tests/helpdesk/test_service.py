"""What agents may give, which tags are offered, and what a follow-up's phone is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock, db
from helpdesk.conversations import usecases as conversations
from helpdesk.learning.rules import LABELS
from helpdesk.service import rules
from helpdesk.staff.rules import SERVES, Role
from helpdesk.tickets.followups import open_follow_up, phone_of, text_of
from helpdesk.tickets.rules import TicketKind
from migrations.models import metadata

NOW = clock.now()
names = st.text("退款急催货", min_size=1, max_size=2)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = db.make_engine(f"sqlite:///{tmp_path_factory.mktemp('service')}/test.db")
    metadata.create_all(made)
    return made


def may_give(role):
    return {each.id for each in rules.TEMPLATES if rules.may_give(role, each)}


def test_an_agent_says_sorry_with_up_to_50_yuan_and_a_supervisor_with_100():
    assert may_give(Role.AGENT) == {"sorry_10", "sorry_20", "sorry_50"}
    assert may_give(Role.SUPERVISOR) == may_give(Role.ADMIN) == {"sorry_10", "sorry_20", "sorry_50", "sorry_100"}


@pytest.mark.parametrize("role", sorted(set(Role) - SERVES))
def test_who_serves_nobody_gives_nothing(role):
    assert may_give(role) == set()


def test_no_coupon_gives_goods_away():
    for each in rules.TEMPLATES:
        assert each.amount_cents <= 2_000 or each.threshold_cents >= 3 * each.amount_cents
        assert rules.template(each.id) is each
    assert rules.template("sorry_1000000") is None


@given(st.lists(st.lists(names, max_size=4), max_size=12), st.integers(0, 6))
def test_the_tags_offered_are_those_on_the_most_talks(tagged, most):
    offered = rules.most_used(tagged, most)
    on = {tag: sum(tag in tags for tags in tagged) for tags in tagged for tag in tags}
    assert len(offered) == len(set(offered)) == min(most, len(on))
    assert [on[tag] for tag in offered] == sorted(on.values(), reverse=True)[:most]


def test_what_a_ticket_says_about_the_wish_is_something_the_bot_can_learn():
    assert set(rules.INTENT_OF_TICKET.values()) <= set(LABELS)
    assert set(rules.OPENED_BY_AGENTS) | set(rules.FOLLOW_UPS) == set(TicketKind)


@pytest.mark.parametrize("phone", ["13800001234", None])
@pytest.mark.parametrize("text", ["", "想问运费", "电话：13900009999", "第一行\n电话：13900009999\n第三行", "未留\n"])
def test_the_phone_of_a_follow_up_is_the_one_that_was_left_whatever_the_customer_wrote(engine, phone, text):
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web")
        due = NOW + timedelta(hours=2)
        ticket = open_follow_up(session, talk, NOW, kind=TicketKind.MESSAGE, phone=phone, text=text, due=due)
        assert (phone_of(ticket), text_of(ticket)) == (phone, text)
        assert (ticket.due_at, ticket.conversation_id, ticket.kind) == (due, talk.id, "message")
        assert "\n" not in ticket.subject
        assert ticket.subject.startswith("留言：") == bool(text)
