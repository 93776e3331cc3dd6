"""A bare detail: read with what was asked or talked about last."""

from typing import Any

from actions.answers import proof
from actions.cards import order_card
from actions.form import current
from actions.lookup import OrderLookUp
from actions.orders import state_in_words, ways
from actions.talk import Talk, button, order_reference
from crm.orders import usecases as orders
from crm.orders.models import Order


class Inform(OrderLookUp):
    """An order number shows the order; anything else is asked back with what it could be for."""

    intent = "inform"
    needs_customer = False

    def verifies(self, talk: Talk) -> bool:
        """Who gives number and phone at once wants to see that order."""
        return proof(talk.text).tail is not None and current(talk.tracker) is None

    def about(self, talk: Talk, order: Order) -> None:
        """The order."""
        talk.voice.card(*order_card(order, state_in_words(order), ways(order)))

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """By what the detail is."""
        if current(talk.tracker):
            talk.voice.say("这个我没有对上。")
            return None
        number = proof(talk.text).number or order_reference(talk) or talk.entity("order_number")
        if number and talk.access:
            order = orders.find(talk.session, talk.access, number)
            if order is not None:
                self.about(talk, order)
                return {"focus_order": order.number}
            return super().answer(talk)
        if number:
            talk.voice.say(
                "订单号收到了。想用它办什么？",
                [
                    button("查订单", f'/query_order{{"order_number": "{number}"}}'),
                    button("查物流", f'/track_logistics{{"order_number": "{number}"}}'),
                    button("退换货", f'/return_goods{{"order_number": "{number}"}}'),
                ],
            )
            return {"order_number": number if len(number) > 4 else None}
        talk.voice.say(
            "收到。您想用这个信息办什么呢？",
            [
                button("查订单", "/query_order"),
                button("改收货信息", "/change_address"),
                button("开发票", "/request_invoice"),
            ],
        )
        return None
