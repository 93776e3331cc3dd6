"""To a person: on request, and when the bot does not understand twice."""

import re
from typing import Any

from actions import safety
from actions.cards import article_card
from actions.form import current
from actions.lookup import Answer
from actions.talk import Talk, button
from helpdesk.conversations.rules import INTENT_LABELS
from knowledge_base import usecases as knowledge

UNCLEAR = "nlu_fallback"
NONE_OF_THESE = re.compile(
    r"^(?:都不是|不是这些|都不对)(?:的|啊|呀|[，,。！! ])*(?:我(?:就|只)?是?想(?:知道|问一?下?))?"
)


class RequestHuman(Answer):
    """The clear wish: no questions asked."""

    intent = "request_human"
    ends_form = True

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """The desk says the rest (place, wait)."""
        form = current(talk.tracker)
        asked = NONE_OF_THESE.sub("", talk.text)
        question = asked != talk.text and len(asked) >= 4 and "人工" not in asked and "真人" not in asked
        result = knowledge.search(talk.session, asked) if question else None
        if result is not None and result.decision == "answer":  # put instead of taking the button 都不是，转人工
            talk.voice.card(*article_card(result.hits[0]))
        else:
            talk.voice.hand_over(safety.reason(talk))
        return {**(form.reset() if form else {}), "pending": None}


class Clarify(Answer):
    """What is unclear is asked back with the nearest readings; unclear twice in a row goes to a person."""

    intent = "clarify"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Knowledge that fits well beats a question back."""
        asked = NONE_OF_THESE.sub("", talk.text)  # 都不是，我就想知道滤芯怎么换: the question is behind it
        result = knowledge.search(talk.session, asked) if len(asked) >= 4 else None
        if result is not None and result.decision == "answer":
            talk.voice.card(*article_card(result.hits[0]))
            return None
        if self._unclear_in_a_row(talk) >= 2:
            talk.voice.hand_over("not_understood")
            return None
        readings = self._readings(talk)
        if readings:
            talk.voice.say("我想确认一下，您是想——", [*readings, button("都不是，转人工", "/request_human")])
        else:
            talk.voice.say(
                "抱歉，这句我没太明白。您可以换个说法，比如“查一下订单到哪了”“我要退货”，或者直接转人工。",
                [
                    button("查订单", "/query_order"),
                    button("退换货", "/return_goods"),
                    button("转人工", "/request_human"),
                ],
            )
        return None

    def _unclear_in_a_row(self, talk: Talk) -> int:
        count = 0
        for event in reversed(talk.tracker.events):
            if event.get("event") == "user":
                if ((event.get("parse_data") or {}).get("intent") or {}).get("name") != UNCLEAR:
                    break
                count += 1
        return count

    def _readings(self, talk: Talk) -> list[dict[str, str]]:
        if talk.tracker.latest_message.get("decision") == "fallback":
            return []
        ranking = talk.tracker.latest_message.get("intent_ranking") or []
        names = [
            r["name"] for r in ranking if r["name"] in INTENT_LABELS and r["name"] not in {"inform", "request_human"}
        ]
        return [button(INTENT_LABELS[name], f"/{name}") for name in names[:3]]
