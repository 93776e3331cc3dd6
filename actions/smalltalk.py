"""Small talk: short, warm, and back to what the customer came for."""

import random
from collections.abc import Sequence
from typing import Any, ClassVar

from actions.cards import article_card
from actions.form import current
from actions.lookup import Answer
from actions.talk import Button, Talk, button
from core import settings
from core.clock import local
from helpdesk.conversations.rules import OPENING
from knowledge_base import usecases as knowledge

LEAST_QUESTION_CHARS = 5
TOPICS = [
    button("查订单", "/query_order"),
    button("查物流", "/track_logistics"),
    button("退换货", "/return_goods"),
    button("转人工", "/request_human"),
]


def part_of_day(hour: int) -> str:
    """The greeting of the hour."""
    return "早上好" if 5 <= hour < 11 else "中午好" if hour < 13 else "下午好" if 13 <= hour < 18 else "晚上好"


class Line(Answer):
    """One of a few lines, told so that the same talk does not hear the same twice in a row."""

    lines: ClassVar[Sequence[str]] = ()
    buttons: ClassVar[Sequence[Button]] = ()

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Says one; while a form is open without quick replies, the form's own question follows."""
        said = {e.get("text") for e in talk.tracker.events if e.get("event") == "bot"}
        fresh = [line for line in self.lines if line not in said] or list(self.lines)
        talk.voice.say(random.choice(fresh), [] if current(talk.tracker) else self.buttons)  # noqa: S311
        return None


class Greet(Answer):
    """Back."""

    intent = "greet"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """By the hour, and by name when known; a question behind the greeting is answered at once."""
        asked = OPENING.sub("", talk.text, count=1).strip()
        result = knowledge.search(talk.session, asked) if len(asked) >= LEAST_QUESTION_CHARS else None
        if result is not None and result.decision == "answer":
            talk.voice.card(*article_card(result.hits[0]))
            return None
        name = f"，{talk.access.customer.name}" if talk.access else ""
        hour = local(talk.now).hour
        talk.voice.say(
            f"{part_of_day(hour)}{name}，我在的。您说，什么事需要我帮忙？", [] if current(talk.tracker) else TOPICS
        )
        return None


class Goodbye(Line):
    """Ends kindly; the talk stays open for afterthoughts."""

    intent = "goodbye"
    ends_form = True
    lines = ("好的，祝您生活愉快，有事随时来找我。", "不客气，再见，有需要随时叫我。", "好嘞，那先这样，祝您一切顺利。")


class Thank(Line):
    """Thanks."""

    intent = "thank"
    lines = ("不客气，能帮上忙就好。还有别的需要吗？", "应该的，还有什么我能帮您的？", "您客气了，有需要随时说。")


class Affirm(Line):
    """A yes to nothing in particular."""

    intent = "affirm"
    lines = ("好的。接下来需要我帮您做什么？", "嗯，我在听，您请说。")
    buttons = TOPICS


class Deny(Line):
    """A no to nothing in particular."""

    intent = "deny"
    lines = ("好的，没关系。有别的需要再告诉我。", "明白，那我先不动。您想办什么直接说就行。")


class CancelFlow(Line):
    """Drops what was being asked."""

    intent = "cancel_flow"
    ends_form = True
    lines = (
        "好的，这件事先放下，什么都没有改动。还需要别的吗？",
        "没问题，已停下来，没有做任何更改。想办别的直接告诉我。",
    )

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Forgets the open form's slots."""
        form = current(talk.tracker)
        super().answer(talk)
        return {**(form.reset() if form else {}), "pending": None}


class BotChallenge(Answer):
    """Honest about being a bot, and what it can do."""

    intent = "bot_challenge"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Says so."""
        chosen = settings.load()
        talk.voice.say(
            f"我是{chosen.shop_name}的智能客服{chosen.bot_name}，是机器人，不是真人。"
            "查订单物流、改地址、取消、退换货、报修、开发票、查积分优惠券这些我都能直接办；办不了的，随时帮您转给真人同事。",
            TOPICS,
        )
        return None


class Chitchat(Line):
    """A friendly word and back."""

    intent = "chitchat"
    lines = (
        "哈哈，和您聊天真开心。要是有订单或商品上的事，也尽管交给我。",
        "听您这么说我也跟着高兴。有什么购物上的事要我帮忙吗？",
        "我不太会讲段子，查快递、办售后倒是拿手，需要就喊我。",
        "您辛苦了，记得歇一歇。有要办的事，我来跑腿。",
    )
    buttons = TOPICS


class OutOfScope(Line):
    """What no shop does."""

    intent = "out_of_scope"
    lines = (
        "这个我帮不上忙，怕说错误导您。购物相关的，比如订单、物流、售后、发票，都可以问我。",
        "这超出我会的范围了，不好意思。商城里的事您尽管说，或者我帮您转人工。",
    )
    buttons = TOPICS
