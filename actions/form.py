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

from actions.cards import orders_card
from actions.talk import Talk, Voice, order_reference, talking
from core.errors import Refusal, TooMany, ZhikeError
from core.once import once
from crm.customers import access as access_rules
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from helpdesk.conversations import usecases as conversations

YES = re.compile(r"^(嗯+|是的?|对的?|好的?|可以的?|行|没错|确认|确定|要的?|ok|yes)[吧啊呀哦的了，。！!,. ]*$", re.I)
NO = re.compile(r"^(不了?|不用了?|不要了?|不是|别|否|先不|不确认|不可以)[吧啊呀哦的了，。！!,. ]*$")
WRONG_ONE = re.compile(
    r"不是[这那]一?[个单笔条](?!意思|问题|原因|颜色|地址|情况|事)|(?<!还有)(?:是|换|要|选|改)?另外?一?[单笔]"
)
INTERRUPTIONS = {"faq", "request_human", "cancel_flow", "complaint", "bot_challenge", "product_consult", "goodbye"}
LOOK_UPS = {"query_order", "track_logistics", "query_refund", "query_service_progress", "query_warranty"}
SURE = 0.6
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
            number = order_reference(talk, self._shown(talk), asked=asked == "order_number")
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
        for slot in self.details:
            value = self.read(talk, slot, asked == slot)
            if value is not None and value != talk.slots.get(slot):
                got[slot] = value
        if asked == "confirm" and "confirm" not in got:
            answer = yes_or_no(talk)
            corrected = bool(got) and not NO.match(talk.text.strip())  # 不对，是后天 is no refusal
            if answer is not None and (answer or not corrected):
                got["confirm"] = answer
        return got

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
        return talk.entity("product") or (talk.text if asked and not interrupts(talk) else None)

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
            found = [o for o in found if orders.contains(o, str(wanted))] or found
        focus = talk.slots.get("focus_order")
        if focus and any(o.number == focus for o in found):
            found = [o for o in found if o.number == focus]
        if len(found) != 1:
            return False
        talk.slots["order_number"] = found[0].number
        return True

    def speak(self, talk: Talk, slot: str) -> None:
        """Asks the open question (also again, after an interruption)."""
        if slot == "order_number" and talk.access is None:
            talk.voice.say("为了保护您的订单，先核实一下：请把订单号发给我（15 位数字，在“我的订单”里可以复制）。")
        elif slot == "order_number":
            payload = '/inform{{"order_number": "{number}"}}'
            talk.voice.card(*orders_card(self.candidates(talk)[:5], self.choose_text, "选这单", payload))
        elif slot == "phone_last4":
            talk.voice.say("再告诉我下单手机号的后四位，就能核实了。")
        elif slot == "item":
            order = talk.order()
            names = [i.product.name for i in order.items] if order else []
            talk.voice.say("这单里有几样商品，请问是哪一样？", names)
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
    if YES.match(text) or talk.intent == "affirm":
        return True
    if NO.match(text) or talk.intent == "deny" or "先不办" in text:
        return False
    return None


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
        with talking(dispatcher, tracker) as talk:
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
            changed = {n: v for n, v in talk.slots.items() if n in got or v != tracker.slots.get(n)}
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
        access = access_rules.verify(talk.session, talk.conversation.id, str(number), str(digits), talk.now)
        if access is None:
            talk.voice.say("订单号和手机尾号没有对上，可能有一位输错了，麻烦再核对一下。")
            talk.slots["order_number"] = talk.slots["phone_last4"] = None
            return
        conversations.grant(talk.session, talk.conversation, access)
        talk.access = access


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
        with talking(dispatcher, tracker) as talk:
            form.speak(talk, slot)
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
            self._finish(talk)
        events: list[EventType] = [SlotSet(n, v) for n, v in self._form.reset().items()]
        pending = tracker.slots.get("pending")
        if pending:
            events += [SlotSet("pending", None), FollowupAction(pending)]
        return [*events, SlotSet("focus_order", focus)]

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
