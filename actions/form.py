"""Requests that change something: the slots are asked for one by one, the change is told, confirmed, and made.

A form says which details it needs, what it would do, and does it. Finding out who the customer is and which order is
meant is the same for all and stands here. Rasa keeps the loop (which form is open, which slot was asked); a message that
fills nothing is given back to Rasa, so that a question in between is answered by its own action and the form goes on.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import answers, safety
from actions.cards import article_card, orders_card
from actions.talk import BARE, NEWEST, NUMERALS, ORDINAL, Talk, Voice, button, look_first, order_reference, talking
from core.errors import Refusal, TooMany, ZhikeError
from core.once import once
from crm.customers import access as access_rules
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from helpdesk.conversations import usecases as conversations
from knowledge_base import usecases as knowledge
from knowledge_base.usecases import Result

WRONG_ONE = re.compile(
    r"不是[这那]一?[个单笔条](?!意思|问题|原因|颜色|地址|情况|事)|(?<!还有)(?:是|换|要|选|改)?另外?一?[单笔]"
)
INTERRUPTIONS = {"faq", "request_human", "cancel_flow", "complaint", "bot_challenge", "product_consult", "goodbye"}
LOOK_UPS = {"query_order", "track_logistics", "query_refund", "query_service_progress", "query_warranty"}
SURE = 0.6
LEFT = "left"  # value of ``confirm`` when the form was closed before its end: what the submit action then says
RULE_QUESTION = re.compile(
    r"怎么|咋|如何|什么|啥|多久|几天|几号|多少|哪些|能不能|可不可以|行不行|需不需要|[吗么嘛][?？]?$|[?？]$"
)
OWN_CASE = re.compile(r"我[买的那要想]|我家|帮我|给我|查一?下|这单|那单|到哪")
NO_NUMBER = re.compile(
    r"(?:没有?|找不到|不知道|不记得|忘了)[^，,。]{0,4}(?:订单号|单号)|(?:用|只有|报)[^，,。]{0,2}手机号"
)
NOT_BOUGHT = re.compile(
    r"(?:没有?|没下过?|没买过?)(?:下过?|买过?)?(?:订单|单子|东西)(?!号)|只是问|就是问|就问问|随便问|不查了|不[退换弄办问]了|算了"
    r"|^(?:谢谢|多谢)[您你了啦哈。！! ]*$"
)
FORMS: dict[str, "Form"] = {}


class Form:
    """One kind of change. ``intent`` names everything: ``<intent>_form``, ``action_<intent>``.

    ``details``: own slots in the order asked, after the order. ``about``: "order", "item" (one piece of an order) or
    "account" (nothing to choose). ``confirmed``: whether the change is told and confirmed before it is made.
    """

    intent: ClassVar[str]
    about: ClassVar[str] = "order"
    details: ClassVar[tuple[str, ...]] = ()
    free_text: ClassVar[frozenset[str]] = frozenset()
    confirmed: ClassVar[bool] = True
    anonymous: ClassVar[bool] = False
    choose_text: ClassVar[str] = "请问是哪一笔订单？"
    none_text: ClassVar[str] = "您名下暂时没有可以办理的订单。"

    @property
    def form(self) -> str:
        """The loop's name in the brain."""
        return f"{self.intent}_form"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders this can be done with, the likeliest first."""
        assert talk.access is not None
        return orders.visible(talk.session, talk.access)

    def check(self, talk: Talk) -> None:
        """Raises Refusal as soon as it is clear that the rules forbid it (who and which order are known)."""

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The value of an own slot in the last message, or None. ``asked``: it is the open question."""
        if asked and slot in self.free_text and not interrupts(talk):
            return talk.text
        return None

    def needed(self, talk: Talk) -> Sequence[str]:
        """Own slots that are needed, given what is known."""
        return self.details

    def ask(self, talk: Talk, slot: str) -> None:
        """Asks for an own slot."""
        raise NotImplementedError(f"{self.intent} does not ask for {slot}")

    def preview(self, talk: Talk) -> str:
        """What would be done, as a sentence that asks for a yes. Raises Refusal."""
        raise NotImplementedError

    def do(self, talk: Talk) -> dict[str, Any]:
        """Makes the change: ``{"text": what happens next and when, "ways": quick replies, "card": …}``. Raises Refusal."""
        raise NotImplementedError

    def declined(self, talk: Talk) -> None:
        """Speaks when the customer said no."""
        talk.voice.say("好的，那就先不动，有需要随时找我。")

    def unwanted(self, talk: Talk) -> bool:
        """Whether the last message shows that this is not what the customer wants. Nothing more is asked then."""
        return self._no_customer(talk) or self._rule(talk) is not None

    def averted(self, talk: Talk) -> str | None:
        """Speaks when the form was :meth:`unwanted`; the form that goes on instead, if any."""
        result = self._rule(talk)
        if result is not None:
            talk.voice.card(*article_card(result.hits[0]))
            go_on = button("是的，现在办", f"/{self.intent}")
            talk.voice.say("要现在给您的订单办，就点下面，核实后马上办。", [go_on, "转人工"])
        else:
            talk.voice.say("好的，不用核实了。有想了解的直接问我，规则和商品的问题不需要订单号。", ["转人工"])
        return None

    def _no_customer(self, talk: Talk) -> bool:
        """A stranger who was asked for an order and has none, or only wanted to know something."""
        waits = talk.slots.get("requested_slot") in {"order_number", "phone_last4"} and not talk.is_command
        leaves = NOT_BOUGHT.search(talk.text) is not None and talk.entity("order_number") is None
        return talk.access is None and waits and leaves

    def _rule(self, talk: Talk) -> Result | None:
        """The article that answers a stranger's question about the rule, with which no form need begin."""
        if talk.access is not None or self.anonymous or talk.is_command or not self._beginning(talk):
            return None
        if talk.entity("order_number") or OWN_CASE.search(talk.text) or not RULE_QUESTION.search(talk.text):
            return None
        result = knowledge.search(talk.session, talk.text)
        return result if result.decision == "answer" else None

    def _beginning(self, talk: Talk) -> bool:
        return talk.slots.get("requested_slot") not in {"order_number", "phone_last4", "item", "confirm", *self.details}

    # What is the same for all forms.

    def item(self, talk: Talk) -> OrderItem | None:
        """The piece the talk is about: the only one, the named one, or the chosen one."""
        order = talk.order()
        if order is None:
            return None
        chosen = talk.slots.get("item")
        found = [i for i in order.items if chosen in {str(i.id), i.product.sku}]
        if not found and chosen:
            found = [i for i in order.items if orders.is_product(i.product, str(chosen))]
        if not found and len(order.items) == 1:
            found = list(order.items)
        return found[0] if found else None

    def filled(self, talk: Talk) -> dict[str, Any]:
        """All slots the last message fills, also ones not asked for."""
        asked = talk.slots.get("requested_slot")
        got: dict[str, Any] = {}
        if not self.anonymous and (talk.access is None or self.about != "account"):
            told = answers.Proof(None, None) if talk.access or talk.is_command else answers.proof(talk.text)
            number = told.number or self._meant_order(talk, asked)
            if told.tail:
                got["phone_last4"] = told.tail
            if talk.slots.get("order_number") and talk.intent in LOOK_UPS and talk.confidence >= SURE:
                number = None  # 对了，订单…到哪了: a question in between, about another order
            if number and number != talk.slots.get("order_number"):
                got["order_number"] = number
                if talk.slots.get("order_number"):
                    got |= {"item": None, "confirm": None}
            elif not number and asked not in self.free_text:
                got |= self._another(talk)
        if asked == "phone_last4" and (digits := last4(talk)):
            got["phone_last4"] = digits
        if self.about == "item" and (named := self._named_item(talk, asked == "item")):
            got["item"] = named
            if self._in_another_order(talk, named):
                got |= {"order_number": None, "focus_order": None, "confirm": None}
        for slot in self.details:
            value = self.read(talk, slot, asked == slot)
            if value is not None and value != talk.slots.get(slot):
                got[slot] = value
        if asked == "confirm" and "confirm" not in got:
            plain = answers.yes_or_no(talk.text)
            answer = plain if plain is not None or got else yes_or_no(talk)  # 好的，改成后天 is told again first
            if answer is not None:
                got["confirm"] = answer
        return got

    def _meant_order(self, talk: Talk, asked: str | None) -> str | None:
        """The order the message names; by its goods only when the order is the open question."""
        listed = asked in {"order_number", "item", "confirm"}
        shown = self._shown(talk) if listed else []
        number = order_reference(talk, shown, asked=asked == "order_number")
        if number or asked != "order_number" or talk.access is None or talk.is_command or interrupts(talk):
            return number
        fitting = [o for o in self.candidates(talk) if holds(o, talk.entity("product") or "", talk.text)]
        return fitting[0].number if len(fitting) == 1 else None

    def _another(self, talk: Talk) -> dict[str, Any]:
        """不是这个: the only other order; with several, the choice again."""
        meant = talk.slots.get("order_number")
        if not meant or talk.access is None or talk.is_command or not WRONG_ONE.search(talk.text):
            return {}
        others = [o.number for o in self.candidates(talk) if o.number != meant]
        if not others:
            return {}
        return {
            "order_number": others[0] if len(others) == 1 else None,
            "focus_order": None,
            "item": None,
            "confirm": None,
        }

    def _named_item(self, talk: Talk, asked: bool) -> str | None:
        if asked and not talk.is_command and (placed := self._placed_item(talk)):
            return placed
        return talk.entity("product") or (talk.text if asked and not interrupts(talk) else None)

    def _in_another_order(self, talk: Talk, named: str) -> bool:
        """Whether a correction (不是手机 是热水器) names something the chosen order does not hold, but another one does."""
        order = talk.order()
        if order is None or talk.access is None or not answers.corrects(talk.text) or orders.contains(order, named):
            return False
        return any(orders.contains(o, named) for o in orders.visible(talk.session, talk.access))

    def offered_items(self, talk: Talk) -> Sequence[OrderItem]:
        """The pieces to choose from, as they are shown."""
        order = talk.order()
        return order.items if order else []

    def _placed_item(self, talk: Talk) -> str | None:
        """The piece by its place in the list: 第二个, 2."""
        items = self.offered_items(talk)
        chosen = place_in_list(talk.text)
        return str(items[chosen - 1].id) if chosen and chosen <= len(items) else None

    def _shown(self, talk: Talk) -> list[str]:
        return [o.number for o in self.candidates(talk)[:5]] if talk.access else []

    def next_slot(self, talk: Talk) -> str | None:
        """The next open question; None when the form is complete (or refused, which the submit action tells)."""
        if self.anonymous and talk.access is None:
            return self._next_detail(talk)
        if talk.access is None:
            return "order_number" if not talk.slots.get("order_number") else "phone_last4"
        if self.about != "account":
            if not self._choose_order(talk):
                return "order_number" if self.candidates(talk) else None
            if self.about == "item" and self.item(talk) is None:
                return "item"
        try:
            self.check(talk)
        except ZhikeError:
            return None
        return self._next_detail(talk)

    def _next_detail(self, talk: Talk) -> str | None:
        for slot in self.needed(talk):
            if talk.slots.get(slot) is None:
                return slot
        if not self.confirmed or talk.slots.get("confirm") is not None:
            return None
        try:
            self.preview(talk)
        except ZhikeError:
            return None
        return "confirm"

    def _choose_order(self, talk: Talk) -> bool:
        if talk.slots.get("order_number"):
            if talk.order() is not None:
                return True
            talk.voice.say(f"在您名下没有找到订单 {talk.slots['order_number']}。")
            talk.slots["order_number"] = None
        found = list(self.candidates(talk))
        wanted = talk.slots.get("item") or talk.entity("product")
        if wanted:
            found = self._with_goods(talk, found, str(wanted))
        if len(found) > 1 and talk.intent == self.intent and NEWEST.search(talk.text):
            found = found[:1]
        focus = talk.slots.get("focus_order")
        if focus and any(o.number == focus for o in found):
            found = [o for o in found if o.number == focus]
        if len(found) != 1:
            return False
        talk.slots["order_number"] = found[0].number
        return True

    def _with_goods(self, talk: Talk, found: Sequence[Order], wanted: str) -> list[Order]:
        """Those that hold what is named; else the newest other order that does, which the check then speaks of – never
        one with other goods."""
        fitting = [o for o in found if orders.contains(o, wanted)]
        if fitting or talk.access is None or self.about != "order" or talk.slots.get("item"):
            return fitting or list(found)
        others = [o for o in orders.visible(talk.session, talk.access) if orders.contains(o, wanted)]
        return others[:1] or (list(found) if len(found) > 1 else [])

    def speak(self, talk: Talk, slot: str) -> None:
        """Asks the open question (also again, after an interruption)."""
        if slot == "order_number" and talk.access is None and NO_NUMBER.search(talk.text):
            talk.voice.say(
                "只凭手机号没法确认是您本人，怕别人看到您的订单。从商城登录后，在“我的客服”里找我，不用订单号就能查；"
                "订单号在短信和“我的订单”里也能找到。都不方便的话，点转人工，同事帮您核实。",
                ["转人工"],
            )
        elif slot == "order_number" and talk.access is None:
            talk.voice.say("为了保护您的订单，先核实一下：请把订单号发给我（15 位数字，在“我的订单”里可以复制）。")
        elif slot == "order_number":
            payload = '/inform{{"order_number": "{number}"}}'
            talk.voice.card(*orders_card(self.candidates(talk)[:5], self.choose_text, "选这单", payload))
        elif slot == "phone_last4":
            talk.voice.say("再告诉我下单手机号的后四位，就能核实了。")
        elif slot == "item":
            names = dict.fromkeys(i.product.name for i in self.offered_items(talk))
            talk.voice.say("这单里有几样商品，请问是哪一样？", list(names))
        elif slot == "confirm":
            talk.voice.say(self.preview(talk), ["确认", "先不办了"])
        else:
            self.ask(talk, slot)

    def reset(self) -> dict[str, None]:
        """Slots forgotten when the form ends."""
        return dict.fromkeys(["order_number", "phone_last4", "item", "confirm", *self.details])


def yes_or_no(talk: Talk) -> bool | None:
    """Whether the message says yes or no; None when it says neither."""
    text = talk.text.strip()
    plain = answers.yes_or_no(text)
    if plain is not None:
        return plain
    if SURE_YES.match(text) or (talk.intent == "affirm" and not CHANGES.search(text)):
        return True
    if "先不办" in text or (talk.intent == "deny" and not OTHERWISE.search(text)):
        return False
    return None


CHANGES = re.compile(r"改|换|不对|不是|别|不要|不用")  # beside a yes: something is to be otherwise
OTHERWISE = re.compile(r"不对.{2,}|不是.+是.+|叫|改|换|第[一二三四五]|\d")  # 不对，叫橘胖胖 is no refusal
SURE_YES = re.compile(r"^(?:行|好的?|对的?|嗯+)?[，, ]*(?:先)?确认(?!.*(?:改|换|不对|错|别|不要|不用|吗|[?？]))")


def place_in_list(text: str) -> int | None:
    """The place a bare answer names: 第二个, 2, 二 → 2; None for anything longer."""
    found = BARE.fullmatch(text.strip()) or ORDINAL.fullmatch(text.strip().rstrip("吧的。. "))
    return NUMERALS.get(found.group(1)) if found else None


def holds(order: Order, named: str, text: str) -> bool:
    """Whether the order has what is named (the brain's product, or in the customer's own words), at a price that is said."""
    said = [w for w in (named, re.sub(r"(?:那|这)?[个单笔款台件]?的?(?:订单)?[吧呢。.！! ]*$", "", text.strip())) if w]
    if not any(orders.contains(order, word) for word in said) and not any(i.product.kind in text for i in order.items):
        return False
    prices = re.findall(r"(?<!\d)(\d{2,5})(?:块|元|的)", text)
    cents = {order.total_cents, *(i.price_cents for i in order.items)}
    return not prices or any(int(p) * 100 <= c < int(p) * 100 + 100 for p in prices for c in cents)


def last4(talk: Talk) -> str | None:
    """Four digits, or the end of a phone number."""
    phone = talk.entity("phone_number")
    found = re.findall(r"(?<!\d)\d{4}(?!\d)", talk.text)
    return phone[-4:] if phone else found[-1] if found else None


def interrupts(talk: Talk) -> bool:
    """Whether the message is a question or wish of its own rather than the detail asked for."""
    return talk.is_command or (talk.intent in INTERRUPTIONS and talk.confidence >= SURE)


def register(form: type[Form]) -> type[Form]:
    """Makes a form known: its loop's validation, its questions and its submit action."""
    FORMS[f"{form.intent}_form"] = form()
    return form


def current(tracker: Tracker) -> Form | None:
    """The open form."""
    return FORMS.get((tracker.active_loop or {}).get("name") or "")


class Validate(Action):
    """``validate_<form>``: reads the message, checks who and which, and names the next question."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def name(self) -> str:
        """The name Rasa calls."""
        return f"validate_{self._form.form}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Slots filled and the next question; nothing at all when the message filled nothing (Rasa then looks on)."""
        return look_first(dispatcher, tracker, self._events)

    def _events(self, talk: Talk) -> list[EventType]:
        if safety.pressing(talk) or safety.stands_outside(talk) or self._form.unwanted(talk):
            return [SlotSet("confirm", LEFT), SlotSet("requested_slot", None)]
        got = self._form.filled(talk)
        asked = talk.slots.get("requested_slot")
        beginning = asked is None or asked not in self._askable()
        if not got and not beginning and talk.intent != self._form.intent:
            return []
        talk.slots.update(got)
        try:
            self._verify(talk)
        except TooMany as error:
            talk.voice.refuse(error)
            talk.voice.hand_over("locked_out")
            return [SlotSet(n, v) for n, v in self._form.reset().items()] + [SlotSet("requested_slot", None)]
        following = self._form.next_slot(talk)
        # a value that was read and then found wrong still answers the question: without an event for it, Rasa
        # would think nothing was said, and drop what we told the customer about it
        changed = {n: v for n, v in talk.slots.items() if n in got or v != talk.tracker.slots.get(n)}
        changed.pop("requested_slot", None)
        if not changed and not beginning:
            changed = {str(asked): talk.slots.get(str(asked))}  # the same wish once more: the open question again
        return [*(SlotSet(n, v) for n, v in changed.items()), SlotSet("requested_slot", following)]

    def _askable(self) -> set[str]:
        return {"order_number", "phone_last4", "item", "confirm", *self._form.details}

    def _verify(self, talk: Talk) -> None:
        number, digits = talk.slots.get("order_number"), talk.slots.get("phone_last4")
        if talk.access is not None or not number or not digits:
            return
        told = once(talk.session, talk.once_key("verify_try"), lambda: self._tried(talk, str(number), str(digits)))
        if not told["fits"]:
            talk.voice.say("订单号和手机尾号没有对上，可能有一位输错了，麻烦再核对一下。")
            talk.slots["order_number"] = talk.slots["phone_last4"] = None
            return
        talk.access = conversations.access_of(talk.session, talk.conversation)
        talk.slots["focus_order"] = number  # what the stranger came for; the talk is about it first

    @staticmethod
    def _tried(talk: Talk, number: str, digits: str) -> dict[str, Any]:
        """Counted once, however often this turn comes."""
        access = access_rules.verify(talk.session, talk.conversation.id, number, digits, talk.now)
        if access is not None:
            conversations.grant(talk.session, talk.conversation, access)
        return {"fits": access is not None}


class Ask(Action):
    """``action_ask_<slot>``: the open form's question for a slot."""

    def __init__(self, slot: str) -> None:
        self._slot = slot

    def name(self) -> str:
        """The name Rasa calls."""
        return f"action_ask_{self._slot}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Asks."""
        form = current(tracker)
        if form is None:
            return []
        # after an interruption Rasa names the first empty slot of the domain's list, needed or not; the open question
        # is the one that was asked before
        slot = tracker.slots.get("requested_slot") or self._slot
        look_first(dispatcher, tracker, lambda talk: form.speak(talk, slot))
        return [SlotSet("requested_slot", slot)] if slot != self._slot else []


class Submit(Action):
    """``action_<intent>``: makes the change, or tells why not, and forgets the form's slots."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def name(self) -> str:
        """The name the rules call."""
        return f"action_{self._form.intent}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Does it once."""
        with talking(dispatcher, tracker) as talk:
            focus = talk.slots.get("order_number") or talk.slots.get("focus_order")
            if talk.slots.get("confirm") == LEFT:
                return self._left(self._leave(talk))
            self._finish(talk)
        events: list[EventType] = [SlotSet(n, v) for n, v in self._form.reset().items()]
        pending = tracker.slots.get("pending")
        if pending:
            events += [SlotSet("pending", None), FollowupAction(pending)]
        return [*events, SlotSet("focus_order", focus)]

    def _leave(self, talk: Talk) -> str | None:
        """Closed before its end: a danger comes first, else the form says what it heard."""
        if safety.pressing(talk):
            safety.advise(talk)
            return None
        if safety.stands_outside(talk):
            safety.hand_over(talk)
            return None
        return self._form.averted(talk)

    def _left(self, instead: str | None) -> list[EventType]:
        events: list[EventType] = [SlotSet(n, v) for n, v in {**self._form.reset(), "pending": None}.items()]
        return [*events, FollowupAction(instead)] if instead else events

    def _finish(self, talk: Talk) -> None:
        form = self._form
        if talk.access is None and not form.anonymous:
            return  # locked out; said already
        if talk.slots.get("confirm") is False:
            form.declined(talk)
            return
        try:
            with talk.session.begin_nested():  # a refusal leaves nothing half done
                result = once(talk.session, talk.once_key(form.intent), lambda: self._do(talk))
        except ZhikeError as refusal:
            talk.voice.refuse(refusal)
            return
        tell(talk.voice, result)

    def _do(self, talk: Talk) -> dict[str, Any]:
        """Checks again and does it; not reached when this very turn has done it already."""
        form = self._form
        if form.about != "account" and talk.access is not None and talk.order() is None:
            raise Refusal(form.none_text, code="none", way_on=("查我的订单", "转人工"))
        form.check(talk)
        return form.do(talk)


def tell(voice: Voice, result: dict[str, Any]) -> None:
    """Says what :meth:`Form.do` gave."""
    if result.get("card"):
        voice.card(result["text"], result["card"])
        if result.get("ways"):
            voice.say("还可以：", result["ways"])
    elif result.get("text"):
        voice.say(result["text"], result.get("ways") or ())
    if result.get("handover"):
        voice.hand_over(result["handover"])


def all_actions() -> list[Action]:
    """Every action that the registered forms need."""
    slots = {"order_number", "phone_last4", "item", "confirm", *(s for f in FORMS.values() for s in f.details)}
    return [
        *(Validate(form) for form in FORMS.values()),
        *(Submit(form) for form in FORMS.values()),
        *(Ask(slot) for slot in sorted(slots)),
    ]
