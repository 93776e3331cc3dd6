"""What is done about a mood. That it is recognised is measured in tests/nlu/test_mood.py."""

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations import mood
from helpdesk.conversations.rules import HandoverReason, Line, summary, urgency

MEASURED = st.dictionaries(st.sampled_from(sorted(mood.LABELS)), st.floats(0, 1))


@given(MEASURED)
def test_the_queue_never_puts_a_feeling_customer_behind_a_calm_one(measured):
    points = mood.points(mood.moods(measured))
    assert dict(urgency(HandoverReason.REQUESTED, None, points, "x")).get("情绪：x", 0) == points


@given(MEASURED, st.sampled_from(["anger", "threat"]))
def test_more_anger_is_never_taken_for_less(measured, which):
    if mood.is_angry(measured):
        assert mood.is_angry({**measured, which: 1.0})


def test_calm_is_no_mood_and_unmeasured_is_calm():
    assert mood.moods({}) == [] == mood.moods(dict.fromkeys(mood.LABELS, 0.1))
    assert not mood.is_angry({})


def test_a_threat_comes_before_worry_and_one_mood_is_not_counted_twice():
    assert mood.points(["worry", "threat"]) == mood.points(["threat"]) > mood.points(["worry"]) > 0


def test_the_agent_reads_the_mood_in_the_hand_over_note():
    note = summary(HandoverReason.REQUESTED, [Line("怎么还不到")], {}, [], mood.told(["anger", "urgency"]))
    assert "生气、着急" in note
    assert "情绪" not in summary(HandoverReason.REQUESTED, [Line("你好")], {}, [])
