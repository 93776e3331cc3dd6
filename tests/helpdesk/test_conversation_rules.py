"""What a talk may become, and what the brain and the agent are told, for any text."""

import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.text import clean
from helpdesk.conversations.rules import (
    INTENT_LABELS,
    MOVES,
    SLOT_LABELS,
    HandoverReason,
    Line,
    State,
    for_the_brain,
    one_turn,
    priority,
    summary,
)

texts = st.text(max_size=80) | st.text(alphabet=" /／\t\n\u3000\u00a0\u200b\u2028\x1fa订1{}😀", max_size=12)
offers = st.lists(
    st.fixed_dictionaries(
        {"title": st.text(max_size=6), "payload": st.just("/cancel_order")}, optional={"value": texts}
    ),
    max_size=3,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(sorted(INTENT_LABELS)) | st.text(max_size=10)


def test_every_state_can_be_left_and_a_closed_talk_opens_again_with_the_bot_only() -> None:
    assert set(MOVES) == set(State)
    assert MOVES[State.CLOSED] == {State.BOT}
    assert all(to and state not in to for state, to in MOVES.items())


@given(st.lists(st.sampled_from(State), max_size=20))
def test_an_agent_gets_a_talk_from_the_queue_only_and_nothing_follows_its_end_but_the_bot(path: list[State]) -> None:
    state = State.BOT
    for to in path:
        if to not in MOVES[state]:
            continue
        if to == State.WITH_AGENT:
            assert state == State.QUEUED
        if state == State.CLOSED:
            assert to == State.BOT
        state = to
    assert all(state == end or end in _reachable(state) for end in State)


def _reachable(begin: State) -> set[State]:
    found, front = set[State](), {begin}
    while front:
        front = {to for state in front for to in MOVES[state]} - found
        found |= front
    return found


@given(texts, offers)
@example("/ \t/restart", [])
@example("／\u3000/restart", [])
@example("/\n/cancel_order", [])
@example("//", [])
def test_no_text_of_a_customer_speaks_the_brains_inner_language(text: str, offered: list[dict[str, Any]]) -> None:
    plain = clean(text)
    if plain in {b.get(key) for b in offered for key in ("title", "value")}:
        return
    for said in (text, plain):
        if said.strip() in {b.get(key) for b in offered for key in ("title", "value")}:
            continue
        told = for_the_brain(said, offered)
        assert told.strip()
        assert not unicodedata.normalize("NFKC", told.strip()).startswith("/")
        assert not one_turn([told]).startswith("/")


@given(st.lists(texts, min_size=1, max_size=4))
def test_lines_read_together_do_not_make_a_command_either(lines: list[str]) -> None:
    told = one_turn([for_the_brain(line, []) for line in lines])
    assert told
    assert not told.startswith(("/", "／"))


@given(
    st.text(min_size=1, max_size=10).filter(lambda t: t.strip() == t and t), st.sampled_from(["/cancel_order", "/deny"])
)
def test_a_button_that_was_offered_is_understood_by_its_title_and_by_its_value(title: str, payload: str) -> None:
    assert for_the_brain(f" {title}\n", [{"title": title, "payload": payload}]) == payload
    assert for_the_brain(title, [{"title": "x" + title, "value": title, "payload": payload}]) == payload
    assert for_the_brain("不是按钮" + title, [{"title": title, "payload": payload}]) != payload


@given(
    st.sampled_from(HandoverReason),
    st.lists(st.builds(Line, text=texts, intent=st.none() | names), max_size=6),
    st.dictionaries(st.sampled_from(sorted(SLOT_LABELS)) | st.text(max_size=8), values, max_size=8),
    st.lists(names, max_size=8),
)
def test_the_note_for_the_agent_can_always_be_written_and_begins_with_the_reason(
    reason: HandoverReason, lines: list[Line], slots: dict[str, Any], tried: list[str]
) -> None:
    told = summary(reason, lines, slots, tried)
    assert told.startswith(f"{reason.label}。")
    assert len(told) < 700


@pytest.mark.parametrize("level", [None, "normal", "silver", "gold", "platinum", "unknown"])
def test_anger_comes_before_any_level(level: str | None) -> None:
    angry, calm = priority(HandoverReason.ANGRY_COMPLAINT, None), priority(HandoverReason.REQUESTED, level)
    assert angry > calm >= 0
