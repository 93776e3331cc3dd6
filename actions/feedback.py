"""What customers think of us: complaints, suggestions, praise, ratings."""

import re
from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.cards import orders_card
from actions.form import Form, interrupts, register
from actions.lookup import Answer
from actions.talk import Talk, button, order_reference
from core.clock import told
from core.once import once
from core.text import shorten
from crm.orders import usecases as orders
from crm.orders.models import Order
from helpdesk.complaints import rules as complaint_rules
from helpdesk.complaints import usecases as complaints
from helpdesk.conversations.mood import is_angry
from helpdesk.surveys import rules as survey_rules
from helpdesk.surveys import usecases as surveys

HUMAN = button("转人工", "/request_human")
NO_ORDER = "none"


@register
class Complaint(Form):
    """A calm complaint is registered with a number and times; an angry one goes to a person at once."""

    intent = "complaint"
    about = "account"
    anonymous = True
    confirmed = False
    details = ("complaint_text", "complaint_order")

    def next_slot(self, talk: Talk) -> str | None:
        """Nobody who is furious is asked questions."""
        return None if is_angry(talk.mood) else super().next_slot(talk)

    def needed(self, talk: Talk) -> tuple[str, ...]:
        """Which order: only asked of who has any that may be seen."""
        return ("complaint_text", "complaint_order") if self._orders(talk) else ("complaint_text",)

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """What happened: the message that tells it, or the answer to the question; the order by its number or place."""
        if slot == "complaint_order":
            return self._order(talk, asked)
        if talk.is_command:
            return None
        own = talk.intent == self.intent or asked
        if own and complaint_rules.tells(talk.text):
            return talk.text
        stays = talk.intent == self.intent or not interrupts(talk)
        return talk.text if asked and stays and len(complaint_rules.beyond_wish(talk.text)) >= 2 else None

    def _orders(self, talk: Talk) -> list[Order]:
        return orders.visible(talk.session, talk.access)[:5] if talk.access else []

    def _order(self, talk: Talk, asked: bool) -> str | None:
        if talk.access is None:
            return None  # an unproved number stays in the text only
        named = order_reference(talk, [o.number for o in self._orders(talk)], asked=asked)
        if named and orders.find(talk.session, talk.access, named):
            return named
        if asked and re.search(r"无关|没有|不是|不涉及|没关系|跳过|都不", talk.text):
            return NO_ORDER
        focus = talk.slots.get("focus_order")
        if not asked and focus and orders.find(talk.session, talk.access, str(focus)):
            return str(focus)
        said = talk.entity("product")
        fitting = [o for o in self._orders(talk) if said and orders.contains(o, said)]
        return fitting[0].number if len(fitting) == 1 else None

    def ask(self, talk: Talk, slot: str) -> None:
        """The questions."""
        if slot == "complaint_text":
            talk.voice.say("很抱歉让您有不好的体验，我来帮您登记投诉。请说说发生了什么，最好带上时间和经过。", [HUMAN])
            return
        text = "和哪笔订单有关？"
        payload = '/inform{{"order_number": "{number}"}}'
        talk.voice.card(*orders_card(self._orders(talk), text, "是这单", payload))
        talk.voice.say("都不是的话点这里：", ["和订单无关"])

    def do(self, talk: Talk) -> dict[str, Any]:
        """Registered, or handed over with a warm word."""
        angry = is_angry(talk.mood)
        text = talk.slots.get("complaint_text")
        number = talk.slots.get("complaint_order")
        order = orders.find(talk.session, talk.access, str(number)) if talk.access and number else None
        ticket, new = (None, False)
        if text and complaint_rules.tells(str(text)):
            ticket, new = complaints.register(talk.session, talk.conversation, str(text), order, talk.now, urgent=angry)
        elif text and not angry:
            ticket, new = complaints.register(talk.session, talk.conversation, str(text), order, talk.now)
        if angry:
            filed = f"您说的情况已经登记，编号 {ticket.number}。" if ticket else ""
            return {
                "text": f"遇到这样的事换谁都会生气，是我们没做好。{filed}",
                "handover": "angry_complaint",
            }
        assert ticket is not None
        about = f"（订单尾号 {order.number[-4:]}）" if order else ""
        lead = (
            f"投诉登记好了{about}，编号 {ticket.number}。"
            if new
            else f"这笔订单已有投诉在处理，您说的已补充进去，编号 {ticket.number}。"
        )
        first = complaint_rules.first_answer_by(talk.now)
        when = f"{told(first)} 前会有人先答复您，{told(ticket.due_at, with_time=False)} 前给处理结果。"
        known = "" if talk.access else "您还没登录，同事会在这个会话里回复，也可以留个电话。"
        return {
            "text": f"{lead}{when}{known}不想等的话，现在就可以请同事来处理。",
            "ways": [button("请同事现在处理", "/request_human"), button("查处理进度", "/query_service_progress")],
        }


@register
class Suggestion(Form):
    """A suggestion is kept word for word, and thanked for concretely."""

    intent = "suggestion"
    about = "account"
    anonymous = True
    confirmed = False
    details = ("suggestion_text",)
    least: ClassVar[int] = 4  # characters beyond the bare "I have a suggestion"

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The message itself, unless it only announces."""
        if talk.is_command or (asked and talk.intent != self.intent and interrupts(talk)):
            return None
        if not asked and talk.intent != self.intent:
            return None
        return talk.text if len(complaint_rules.beyond_wish(talk.text)) >= (2 if asked else self.least) else None

    def ask(self, talk: Talk, slot: str) -> None:
        """What it is."""
        talk.voice.say("谢谢您愿意提建议，请说说看：哪里用着不顺、希望变成什么样？")

    def do(self, talk: Talk) -> dict[str, Any]:
        """Kept."""
        text = str(talk.slots["suggestion_text"])
        surveys.remember(talk.session, talk.conversation, "suggestion", text, talk.now)
        return {
            "text": f"“{shorten(text, 40)}”——记下了，谢谢您说得这么具体，我会原话转给负责的同事。"
            "如果这件事已经耽误到您，告诉我，先帮您解决眼前的。"
        }


PERSON = re.compile(
    r"(?:小|老|阿)[\u4e00-\u9fff](?:师傅|经理|姐|哥)?(?![\u4e00-\u9fff]?(?:家电|店|号|时|度|区|卖部|程序))|[\u4e00-\u9fff](?:师傅|经理|姐|哥|老师)|客服\s?[0-9]{2,6}"
)
NOT_PERSON = (
    "小知",
    "小家",
    "小时",
    "小区",
    "小伙",
    "小姐",
    "小心",
    "小哥",
    "小店",
    "小程",
    "小件",
    "小孩",
    "老板",
    "老客",
    "老师",
    "老是",
    "老人",
    "小票",
    "小贴",
)


class Praise(Answer):
    """Kept, and passed on to the person named."""

    intent = "praise"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Thanks, with the name."""
        thank_for_praise(talk)
        return None


def thank_for_praise(talk: Talk) -> None:
    """Keeps the words, and thanks in the name of who is praised."""
    once(talk.session, talk.once_key("praise"), lambda: _remembered(talk, "praise", talk.text))
    found = [m for m in PERSON.findall(talk.text) if m not in NOT_PERSON]
    who = talk.entity("person_name") or (found[0] if found else None)
    if who:
        talk.voice.say(f"谢谢您！您对{who}的夸奖我已经记下，会转给本人和主管，Ta 知道了一定很开心。")
    elif re.search(r"快递|物流|发货|送", talk.text):
        talk.voice.say("谢谢您的认可！我把这句话转给仓库和配送的同事，他们会更有干劲的。")
    else:
        talk.voice.say("谢谢您的夸奖，我已经记下来转给同事们，大家会继续努力。")


def _remembered(talk: Talk, kind: str, text: str) -> dict[str, Any]:
    return {"feedback": surveys.remember(talk.session, talk.conversation, kind, text, talk.now).id}


def _rated(talk: Talk, score: int) -> dict[str, Any]:
    return {"score": surveys.rate(talk.session, talk.conversation, score, "", "bot", talk.now).score}


BARE_DIGIT = re.compile(r"\d")


def _asked_to_rate(tracker: Tracker) -> bool:
    """Whether the bot's last line asked for a score: only then a digit alone is one."""
    said = [str(e.get("text")) for e in tracker.events if e.get("event") == "bot"]
    return bool(said) and "打个分" in said[-1]


class GiveRating(Answer):
    """1–5 for the bot in this talk. A low one is asked what went wrong, and offered a person."""

    intent = "give_rating"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Kept at once, whatever comes after."""
        score = survey_rules.score(talk.text, talk.entity("rating"))
        if BARE_DIGIT.fullmatch(talk.text.strip()) and not _asked_to_rate(talk.tracker):
            talk.voice.say("您说的这个数字，是想选前面哪一项？把名称或尾号发给我就行；想给我打分，就说“打几分”。")
            return None
        if score is None and re.search(r"好|棒|赞|不错|耐心|热情|专业|贴心", talk.text):
            thank_for_praise(talk)
            return None
        if score is None:
            talk.voice.say(
                "谢谢您愿意评价，请打个分：5 分是非常满意，1 分是非常不满意。", [f"{n}分" for n in (5, 4, 3, 2, 1)]
            )
            return None
        once(talk.session, talk.once_key("rating"), lambda: _rated(talk, score))
        if score == survey_rules.BEST:
            talk.voice.say("谢谢您的 5 分！有需要随时来找我。")
        elif score > survey_rules.LOW:
            talk.voice.say(f"谢谢您的 {score} 分，记下了。哪里还能做得更好，随时告诉我。")
        return None

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """After a low score the question what went wrong is opened, unless something else is being asked already."""
        events = await super().run(dispatcher, tracker, domain)
        found = [e for e in tracker.latest_message.get("entities") or [] if e.get("entity") == "rating"]
        score = survey_rules.score(tracker.latest_message.get("text") or "", str(found[-1]["value"]) if found else None)
        open_form = (tracker.active_loop or {}).get("name")
        rated = _asked_to_rate(tracker) or not BARE_DIGIT.fullmatch((tracker.latest_message.get("text") or "").strip())
        if score is not None and score <= survey_rules.LOW and rated and not open_form:
            events.append(FollowupAction("explain_rating_form"))
        return events


@register
class ExplainRating(Form):
    """What went wrong, after a low rating."""

    intent = "explain_rating"
    about = "account"
    anonymous = True
    confirmed = False
    details = ("rating_comment",)
    skip: ClassVar = re.compile(r"^(?:不说了|不用了?|算了|没有?了?|没什么|不想说|跳过)[。！!~ ]*$")

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The answer, also when it sounds like a complaint; ``-`` when there is none."""
        if not asked or talk.is_command or talk.intent in {"request_human", "faq"}:
            return None
        return "-" if self.skip.match(talk.text.strip()) or talk.intent == "deny" else talk.text

    def ask(self, talk: Talk, slot: str) -> None:
        """Sorry, and what went wrong."""
        talk.voice.say(
            "没让您满意，很抱歉，评分我记下了。能说说哪里没做好吗？也可以直接请同事来帮您。", [HUMAN, "不说了"]
        )

    def do(self, talk: Talk) -> dict[str, Any]:
        """Added to the rating; the furious are handed over."""
        comment = str(talk.slots["rating_comment"])
        if comment == "-":
            return {"text": "好的，不打扰您了。以后有需要，随时找我或人工同事。"}
        surveys.explain(talk.session, talk.conversation, comment)
        if is_angry(talk.mood):
            return {"text": "真的很抱歉，没帮上您反而让您更生气了。您说的我都记下了。", "handover": "angry_complaint"}
        return {
            "text": f"“{shorten(comment, 40)}”我记下了，会转给主管去改。这件事还没解决的话，"
            f"现在就可以请同事接着帮您，或登记成投诉。",
            "ways": [HUMAN, button("登记投诉", "/complaint")],
        }
