"""How a talk reads in WeChat, and what the platform lets through: the pure rules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.wechat import rules
from channels.wechat.rules import Held, Ledger, Line

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SITE = "https://kf.example.com"


def ago(**span: float) -> datetime:
    """So long before now."""
    return NOW - timedelta(**span)


def ledger(
    message: datetime | None = None, event: datetime | None = None, *sends: datetime, left: bool = False
) -> Ledger:
    """A customer's, with sends at these times."""
    return Ledger(not left, message, event, tuple(at.timestamp() for at in sends))


@given(st.text(max_size=3000), st.integers(4, 300))
def test_nothing_is_lost_by_splitting_and_no_part_is_too_long(text: str, most: int) -> None:
    parts = rules.split(text, most)
    assert all(0 < rules.size(part) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_long_text_is_cut_after_a_sentence() -> None:
    assert rules.split("您好。今天能到！放心", rules.size("您好。今天能到！")) == ["您好。今天能到！", "放心"]


@pytest.mark.parametrize(
    "typed", ["2", "２", "二", "两", "②", "2.", "2、", "２。", "回复2", "回复 2", "选2", "第二个", " 2 "]
)
def test_a_number_is_understood_however_it_is_typed(typed: str) -> None:
    assert rules.chosen(typed, ["查物流", "退货"]) == "退货"


@pytest.mark.parametrize("typed", ["3", "0", "22", "2件", "我要2个", "二手的吗", "1234", ""])
def test_anything_else_stays_as_it_is(typed: str) -> None:
    assert rules.chosen(typed, ["查物流", "退货"]) == typed


def test_an_order_card_becomes_text_with_its_actions_as_a_menu() -> None:
    order = {"number": "1", "actions": [{"title": "取消", "value": "取消 尾号0001"}]}
    [part] = rules.render(Line("bot", "card", "您的订单", {"card": "order", "order": order}), SITE)
    assert part == {"type": "text", "text": "您的订单\n\n回复 1 取消", "menu": ["取消 尾号0001"]}


def test_an_article_becomes_a_news_message() -> None:
    card = {"card": "article", "id": "returns-7", "question": "怎么退货", "html": "<p>x</p>"}
    [part] = rules.render(Line("agent", "card", "七天内可退。", card), SITE)
    assert part == {
        "type": "news",
        "title": "怎么退货",
        "description": "七天内可退。",
        "url": "https://kf.example.com/help/returns-7",
    }


def test_a_newer_question_ends_a_menu_and_a_notice_does_not() -> None:
    question, notice = (
        rules.render(Line("bot", "text", "要几件？"), SITE),
        rules.render(Line("system", "text", "请稍等"), SITE),
    )
    assert rules.menu_after(question, ["退货"]) == []
    assert rules.menu_after(notice, ["退货"]) == ["退货"]


def test_five_sends_follow_a_message_and_none_after_two_days() -> None:
    sent = [ago(minutes=n) for n in range(4)]
    assert ledger(ago(hours=1), None, *sent).left(NOW) == 1
    full = ledger(ago(hours=1), None, *sent, NOW)
    assert (full.left(NOW), full.why_not(NOW)) == (0, Held.SENDS)
    assert ledger(ago(hours=48)).why_not(NOW) is Held.WINDOW
    assert ledger(ago(seconds=1), None, *sent[1:]).left(NOW) == 5, "sends before the message do not count"


def test_three_sends_follow_a_click_within_a_minute() -> None:
    assert ledger(None, ago(seconds=5)).left(NOW) == 3
    assert ledger(None, ago(seconds=5), NOW, NOW, NOW).why_not(NOW) is Held.SENDS
    assert ledger(None, ago(seconds=60)).why_not(NOW) is Held.WINDOW


def test_a_click_does_not_shorten_the_window_of_a_message() -> None:
    book = ledger(ago(hours=1), ago(seconds=5), NOW, NOW, NOW)
    assert (book.left(NOW), book.ends_at(NOW)) == (2, ago(hours=1) + timedelta(hours=48))


def test_who_has_left_gets_nothing() -> None:
    assert ledger(ago(hours=1), left=True).why_not(NOW) is Held.LEFT


@given(st.lists(st.integers(1, 900), max_size=12), st.integers(1, 4))
def test_what_goes_out_together_fits_into_one_message(lengths: list[int], unit: int) -> None:
    contents = [{"type": "text", "text": "字" * length} for length in lengths if length * 3 <= rules.TEXT_MOST_BYTES]
    n = rules.together(contents)
    assert n == 0 if not contents else n >= 1
    assert rules.size(rules.joined([c["text"] for c in contents[:n]])) <= rules.TEXT_MOST_BYTES
