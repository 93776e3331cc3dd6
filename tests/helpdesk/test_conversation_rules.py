"""What a talk may become, and what the brain and the agent are told, for any text."""

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.text import clean
from helpdesk.conversations.rules import (
    INTENT_LABELS,
    LONGEST_PAUSE_SECONDS,
    MOVES,
    SLOT_LABELS,
    HandoverReason,
    Line,
    State,
    for_the_brain,
    good_day,
    one_turn,
    pause_seconds,
    summary,
    taken_up,
    urgency,
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
        if re.search(r"[1-5]|[一二两三四五]", unicodedata.normalize("NFKC", said)) and told in {
            b["payload"] for b in offered
        }:
            continue  # a place in the list that was offered
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
    angry, calm = (
        sum(points for _, points in urgency(reason, of))
        for reason, of in ((HandoverReason.ANGRY_COMPLAINT, None), (HandoverReason.REQUESTED, level))
    )
    assert angry > calm >= 0


@pytest.mark.parametrize(
    ("hour", "greeting"),
    [
        (0, "晚上好"),
        (4, "晚上好"),
        (5, "早上好"),
        (10, "早上好"),
        (12, "中午好"),
        (13, "下午好"),
        (17, "下午好"),
        (23, "晚上好"),
    ],
)
def test_nobody_is_wished_a_good_noon_at_midnight(hour: int, greeting: str) -> None:
    assert good_day(hour) == greeting


CLEAR_WISHES = [
    "我要退货",
    "帮我取消订单",
    "我的快递到哪了",
    "查一下物流",
    "开张发票",
    "转人工",
    "我想退货~",
    "嗯我要换货",
]
UNFINISHED_LINES = [
    "我想",
    "那个",
    "我买的",
    "就是",
    "麻烦帮我",
    "我的快递",
    "我昨天买的冰箱",
    "因为",
    "我的订单，",
    "请问",
]
YES_WORDS = ["嗯", "嗯嗯", "好的", "好", "可以", "要", "要的", "行吧", "是的", "好的，麻烦了", "OK"]
NO_WORDS = ["不用", "不用了", "不要", "不了", "先不用", "别"]


@given(st.lists(texts, max_size=4), st.booleans())
def test_nobody_waits_longer_than_the_longest_pause(lines: list[str], asked: bool) -> None:
    assert 0 <= pause_seconds(lines, asked=asked) <= LONGEST_PAUSE_SECONDS


@given(st.text(max_size=30), st.booleans())
def test_a_button_is_read_at_once(rest: str, asked: bool) -> None:
    assert pause_seconds(["我想", "/" + rest], asked=asked) == 0


@pytest.mark.parametrize("wish", CLEAR_WISHES)
@pytest.mark.parametrize("asked", [True, False])
def test_a_clear_request_is_read_at_once_also_after_a_greeting(wish: str, asked: bool) -> None:
    assert pause_seconds([wish], asked=asked) == 0
    assert pause_seconds(["你好", wish], asked=asked) == 0


@given(st.sampled_from(CLEAR_WISHES + UNFINISHED_LINES + YES_WORDS), st.sampled_from("？?"), st.booleans())
def test_a_question_is_read_at_once(line: str, mark: str, asked: bool) -> None:
    if line not in {"嗯", "嗯嗯", "那个", "请问"}:  # 嗯？ and 请问？ are openings, whatever follows
        assert pause_seconds([line + mark], asked=asked) == 0


@pytest.mark.parametrize("answer", [*YES_WORDS, *NO_WORDS, "明天下午", "1234", "第二个", "不想要"])
def test_an_answer_is_read_at_once(answer: str) -> None:
    assert pause_seconds([answer], asked=True) == 0


@pytest.mark.parametrize("line", UNFINISHED_LINES)
@pytest.mark.parametrize("asked", [True, False])
def test_a_line_that_breaks_off_is_given_time(line: str, asked: bool) -> None:
    assert pause_seconds(["你好", line], asked=asked) > 0


@pytest.mark.parametrize("line", ["你好", "在吗", "亲", "您好！", "hi"])
@pytest.mark.parametrize("asked", [True, False])
def test_a_greeting_is_given_time_also_below_the_bots_own_greeting(line: str, asked: bool) -> None:
    assert pause_seconds([line], asked=asked) > 0


OFFER = "需要我帮您催一下吗？"
URGE = {"title": "催配送", "payload": "/urge_shipping"}
PERSON = {"title": "转人工", "payload": "转人工"}


@pytest.mark.parametrize("text", YES_WORDS)
def test_a_plain_yes_to_an_offer_does_what_its_button_does(text: str) -> None:
    assert taken_up(text, OFFER, [URGE]) == "/urge_shipping"
    assert taken_up(f" {text}。", OFFER, [URGE, PERSON]) == "/urge_shipping"
    assert taken_up(text, "要不要请同事来回答？", [PERSON]) == "转人工"


@pytest.mark.parametrize(
    "text", [*NO_WORDS, *CLEAR_WISHES, *UNFINISHED_LINES, "嗯，我的积分呢", "不可以", "好像不对", "要多久"]
)
def test_anything_but_a_plain_yes_does_not(text: str) -> None:
    assert taken_up(text, OFFER, [URGE]) is None


@given(st.sampled_from(YES_WORDS), st.text(max_size=20), offers)
def test_a_yes_chooses_nothing_where_there_is_a_choice_or_no_question(
    text: str, said: str, offered: list[dict[str, Any]]
) -> None:
    assert taken_up(text, said + "。", offered) is None
    assert taken_up(text, OFFER, []) is None
    confirmation = [{"title": "确认", "payload": "确认"}, {"title": "先不办了", "payload": "先不办了"}]
    assert taken_up(text, said + "确认取消吗？", confirmation) is None
    assert taken_up(text, OFFER, [URGE, {"title": "查物流", "payload": "/track_logistics"}]) is None


@given(texts, texts, offers)
def test_what_a_yes_means_is_always_a_button_that_was_offered(
    text: str, said: str, offered: list[dict[str, Any]]
) -> None:
    meant = taken_up(text, said, offered)
    assert meant is None or meant in {b["payload"] for b in offered}


def _list(*tails: str) -> list[dict[str, Any]]:
    return [{"title": "看这单", "value": f"看这单 尾号{t}", "payload": f"/query_order {t}"} for t in tails]


@pytest.mark.parametrize(
    ("said", "at"),
    [("1", 0), ("２", 1), ("3", 2), ("第一个", 0), ("第2个吧", 1), ("选第三单", 2), ("第1", 0), ("三", 2), ("2号", 1),
     ("3975", 1), ("尾号3975", 1), ("3975那个", 1), ("第一个。", 0), ("说错了 是尾号6152", 2), ("不对不对，是第二个", 1)],
)  # fmt: skip
def test_a_place_or_the_last_digits_choose_from_the_list_just_shown(said: str, at: int) -> None:
    offered = _list("1837", "3975", "6152")
    assert for_the_brain(said, offered) == offered[at]["payload"]


@pytest.mark.parametrize("said", ["4", "0000", "不是第一个", "第一个 不对 第二个", "2件", "换第二个颜色"])
def test_what_names_no_entry_of_the_list_stays_as_it_was_said(said: str) -> None:
    assert for_the_brain(said, _list("1837", "3975", "6152")) == said


def test_a_number_is_not_read_as_a_choice_when_something_else_was_shown_since() -> None:
    newer = [{"title": "1 件", "payload": "1 件"}, {"title": "2 件", "payload": "2 件"}]
    assert for_the_brain("2", [*newer, *_list("1837", "3975")]) == "2"


def test_a_danger_goes_before_every_other_reason_of_waiting() -> None:
    angry = urgency(HandoverReason.ANGRY_COMPLAINT, "platinum", 15, "要投诉或曝光", ["complaint"])
    alarmed = urgency(HandoverReason.DANGER, None)
    assert sum(p for _, p in alarmed) > sum(p for _, p in angry)
