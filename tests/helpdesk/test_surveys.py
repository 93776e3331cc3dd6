"""Ratings, suggestions and praise are kept."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock, db
from core.errors import Invalid
from helpdesk.conversations import usecases as conversations
from helpdesk.surveys import usecases as surveys
from helpdesk.surveys.rules import score
from migrations.models import metadata

NOW = clock.now()


@pytest.fixture
def engine(tmp_path):
    made = db.make_engine(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(made)
    return made


@pytest.mark.parametrize(
    ("text", "given_score"),
    [
        ("5分", 5),
        ("非常满意", 5),
        ("满意", 4),
        ("一般", 3),
        ("不满意", 2),
        ("极不满意", 1),
        ("零分", 1),
        ("10分", 5),
        ("三颗星吧", 3),
        ("满分", 5),
        ("差评不解释", 1),
        ("评价一下", None),
    ],
)
def test_a_rating_is_read_from_words_and_numbers(text, given_score):
    assert score(text) == given_score


def test_what_the_brain_recognised_wins():
    assert score("不太满意", "2") == 2 and score("打个分", "9") is None


@given(st.text(max_size=40), st.none() | st.text("0123456789", max_size=3))
def test_a_score_is_one_to_five_or_none(text, found):
    assert score(text, found) in {None, 1, 2, 3, 4, 5}


def test_the_latest_rating_counts_and_bot_and_agent_are_kept_apart(engine):
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web")
        surveys.rate(session, talk, 2, "", "bot", NOW)
        surveys.rate(session, talk, 5, "改好了", "bot", NOW + timedelta(minutes=1))
        surveys.rate(session, talk, 3, "", "agent", NOW + timedelta(minutes=2))
        assert surveys.latest(session, talk.id).score == 5
        assert surveys.latest(session, talk.id, "agent").score == 3


def test_a_reason_is_added_to_the_rating_that_counts(engine):
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web")
        assert surveys.explain(session, talk, "答非所问") is False
        surveys.rate(session, talk, 1, "", "bot", NOW)
        assert surveys.explain(session, talk, "答非所问") is True
        assert surveys.latest(session, talk.id).comment == "答非所问"


@pytest.mark.parametrize(("given_score", "of"), [(0, "bot"), (6, "bot"), (3, "shop")])
def test_an_impossible_rating_is_not_kept(engine, given_score, of):
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web")
        with pytest.raises(Invalid):
            surveys.rate(session, talk, given_score, "", of, NOW)


def test_a_suggestion_is_kept_word_for_word(engine):
    with db.writing(engine) as session:
        talk, _ = conversations.open_conversation(session, NOW, channel="web")
        kept = surveys.remember(session, talk, "suggestion", "建议加个夜间模式", NOW)
    assert (kept.kind, kept.text) == ("suggestion", "建议加个夜间模式")
