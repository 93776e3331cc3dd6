"""Requests that only look something up: one action an intent, answered at once when the customer is known.

A look-up may interrupt a form: when it has answered, the form asks its open question again.
"""

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import safety
from actions.talk import Talk, look_first, order_reference
from core.errors import ZhikeError
from crm.orders import usecases as orders
from crm.orders.models import Order

ANOTHER = re.compile(
    r"另外?一?[个单笔条]|另外的|别的|其他|不是[这那]一?[个单笔条](?!意思|问题)|还有一[个单笔]|剩下的?那?[个单笔]"
)
PLACE = re.compile(r"第|[上下前后]面那|最[上下]面|头一|最后[一那]|月份?.{0,3}的?那|最新")


class Answer(Action):
    """An action that answers and needs not know the customer. Subclasses say :meth:`answer`."""

    intent: ClassVar[str]
    needs_customer: ClassVar[bool] = False
    ends_form: ClassVar[bool] = False

    def name(self) -> str:
        """``action_<intent>``; the brain's rules call it so."""
        return f"action_{self.intent}"

    @abstractmethod
    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Speaks; slots to set, if any. A Refusal raised here is told to the customer."""

    def verifies(self, talk: Talk) -> bool:
        """Whether a stranger proves an order before this is answered."""
        return self.needs_customer

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Answers, then lets an interrupted form go on."""
        return look_first(dispatcher, tracker, self._events)

    def _events(self, talk: Talk) -> list[EventType]:
        form = (talk.tracker.active_loop or {}).get("name")
        if safety.pressing(talk):  # a form's own validation comes first, so none is open here
            safety.advise(talk)
            return [FollowupAction("action_listen")]
        if safety.goes_on(talk):
            safety.hand_over(talk)
            return [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("pending", None)]
        if talk.access is None and self.verifies(talk):
            return self._verify_first(talk, form)
        try:
            slots = self.answer(talk) or {}
        except ZhikeError as refusal:
            talk.voice.refuse(refusal)
            slots = {}
        if form and not self.ends_form:
            slots.pop("order_number", None)  # the form's own order stays chosen
        events: list[EventType] = [SlotSet(name, value) for name, value in slots.items()]
        if form and self.ends_form:
            return [*events, ActiveLoop(None), SlotSet("requested_slot", None)]
        # Said outright, because as the brain's core fallback an action would be predicted again and again.
        return [*events, FollowupAction(form or "action_listen")]

    def _verify_first(self, talk: Talk, form: str | None) -> list[EventType]:
        if form:
            talk.voice.say("这个要先核实是您本人，核实好马上给您查。")
            return [SlotSet("pending", self.name()), FollowupAction(form)]
        return [SlotSet("pending", self.name()), FollowupAction("verify_form")]


class OrderLookUp(Answer):
    """A look-up about one order (or the customer's recent ones). Subclasses say :meth:`about`."""

    needs_customer = True

    @abstractmethod
    def about(self, talk: Talk, order: Order) -> None:
        """Speaks about this order."""

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """The orders the question can be about, the likeliest first."""
        assert talk.access is not None
        return orders.visible(talk.session, talk.access)

    def none_found(self, talk: Talk) -> None:
        """Speaks when there is no such order."""
        talk.voice.say("您名下暂时没有相关的订单。如果是用别的账号下的单，把订单号发给我就能查。", ["转人工"])

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """One order: about it. Several: shows them to choose from."""
        named = order_reference(talk)
        if named:
            assert talk.access is not None
            order = orders.find(talk.session, talk.access, named)
            if order is None:
                talk.voice.say(
                    f"在您名下没有找到订单 {named}，可能是号码少了一位，或是用别的账号下的单。您再核对一下？",
                    ["查我的订单", "转人工"],
                )
                return None
            self.about(talk, order)
            return {"focus_order": order.number, "order_number": None}
        found = list(self.candidates(talk))
        product = talk.entity("product")
        if product:
            found = [o for o in found if orders.contains(o, product)] or found
        focus = talk.slots.get("focus_order")
        if focus and ANOTHER.search(talk.text):
            found = self._others(talk, found, focus)
        elif PLACE.search(talk.text) and (chosen := order_reference(talk, [o.number for o in found[:5]], asked=True)):
            found = [o for o in found if o.number == chosen]
        elif focus and not product:
            found = [o for o in found if o.number == focus] or found
        if not found:
            self.none_found(talk)
            return None
        if len(found) == 1:
            self.about(talk, found[0])
            return {"focus_order": found[0].number, "order_number": None}
        self.choose(talk, found[:5])
        return None

    def _others(self, talk: Talk, found: Sequence[Order], focus: str) -> list[Order]:
        """另一单呢: the likely ones without the one just talked about, else any other one."""
        assert talk.access is not None
        others = [o for o in found if o.number != focus]
        return others or [o for o in orders.visible(talk.session, talk.access) if o.number != focus]

    def choose(self, talk: Talk, found: Sequence[Order]) -> None:
        """Shows several orders, each with the button that asks this question about it."""
        from actions.cards import orders_card

        title = "看这单"
        payload = f'/{self.intent}{{{{"order_number": "{{number}}"}}}}'
        talk.voice.card(*orders_card(found, "找到这几笔订单，您想看哪一笔？", title, payload))
