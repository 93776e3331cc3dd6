"""Questions about rules and how-tos, answered from the knowledge base – or honestly not."""

from typing import Any

from actions.cards import article_card
from actions.lookup import Answer
from actions.talk import Talk, button
from core.once import once
from knowledge_base import usecases as knowledge
from knowledge_base.search import Decision
from knowledge_base.usecases import Result


def tell(talk: Talk, result: Result) -> bool:
    """Answers from the result, or offers the nearest three; False when there is neither."""
    if result.decision == "answer":
        talk.voice.card(*article_card(result.hits[0]))
        return True
    if result.decision == "suggest":
        talk.voice.say(
            "您想问的是不是下面这些？点一下就能看，都不是的话换个说法告诉我。", [*_questions(result), "转人工"]
        )
        return True
    return False


def _questions(result: Result) -> list[dict[str, str]]:
    return [button(hit.question) for hit in result.hits[:3]]


SUBJECTLESS_CHARS = 8
SUBJECTS = {
    "cancel_order": "取消订单",
    "change_address": "改地址",
    "return_goods": "退货",
    "exchange_goods": "换货",
    "query_refund": "退款",
    "request_repair": "维修",
    "book_installation": "安装",
    "reschedule_visit": "改约上门",
    "request_invoice": "发票",
    "price_protection": "价格保护",
    "query_coupon": "优惠券",
    "query_points": "积分",
    "query_membership": "会员",
    "enterprise_purchase": "企业采购",
}


def found(talk: Talk) -> Result:
    """The articles for a question; one that names no subject (要钱吗, 多久) is read with what the talk is about."""
    result = knowledge.search(talk.session, talk.text)
    if result.decision == "answer" or len(talk.text) > SUBJECTLESS_CHARS or talk.entities("product"):
        return result
    about = (talk.tracker.latest_message.get("metadata") or {}).get("context") or {}
    subject = SUBJECTS.get(about.get("form") or about.get("topic") or "")
    if subject is None:
        return result
    again = knowledge.search(talk.session, subject + talk.text)
    return again if again.decision != "none" else result


def _remembered(talk: Talk, decision: Decision) -> dict[str, Any]:
    return {"kept": knowledge.remember_open_question(talk.session, talk.text, decision, talk.now) is not None}


class Faq(Answer):
    """A question about a rule."""

    intent = "faq"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """The article, the nearest three, or that there is none (and the question is kept for the editors)."""
        result = found(talk)
        if result.decision != "answer":
            once(talk.session, talk.once_key("question"), lambda: _remembered(talk, result.decision))
        if not tell(talk, result):
            talk.voice.say("这个问题我手上没有确切的答案，不想随便说误导您。要不要请同事来回答？", ["转人工"])
        return None
