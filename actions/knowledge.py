"""Questions about rules and how-tos, answered from the knowledge base – or honestly not."""

from typing import Any

from actions.lookup import Answer
from actions.talk import Talk, button
from knowledge_base import usecases as knowledge
from knowledge_base.usecases import Result


def article_card(hit: Any) -> tuple[str, dict[str, Any]]:
    """An article as a card, with its plain text."""
    html = knowledge.render(hit.answer)
    return knowledge.plain(hit.answer), {"card": "article", "id": hit.id, "question": hit.question, "html": html}


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


class Faq(Answer):
    """A question about a rule."""

    intent = "faq"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """The article, the nearest three, or that there is none (and the question is kept for the editors)."""
        result = knowledge.search(talk.session, talk.text)
        if result.decision != "answer":
            knowledge.remember_open_question(talk.session, talk.text, result.decision, talk.now)
        if not tell(talk, result):
            talk.voice.say(
                "这个问题我手上没有确切的答案，不想随便说误导您。要不要请同事来回答？", ["转人工", "换个说法问"]
            )
        return None
