"""Changes about one piece of an order: which ones are likely, and what is said of one that was never bought."""

from collections.abc import Sequence
from typing import Any

from actions.form import Form
from actions.talk import Talk
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem


class ItemForm(Form):
    """A form about one piece. Subclasses say which pieces are :meth:`likely`."""

    about = "item"

    def likely(self, talk: Talk, item: OrderItem) -> bool:
        """Whether a customer who names nothing can mean this piece."""
        raise NotImplementedError(f"{self.intent} does not say what is likely")

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders with the named product, the ones it can be done with before others; without a name the likely ones."""
        found = super().candidates(talk)
        likely = [o for o in found if any(self.likely(talk, i) for i in o.items)]
        wanted = talk.slots.get("item") or talk.entity("product")
        if not wanted:
            return likely
        fitting = [o for o in likely if any(self.likely(talk, i) and means(i, str(wanted)) for i in o.items)]
        return fitting or [o for o in found if any(means(i, str(wanted)) for i in o.items)] or likely

    def item(self, talk: Talk) -> OrderItem | None:
        """The chosen or only piece, else the only likely one."""
        found = super().item(talk)
        order = talk.order()
        if found is not None or order is None:
            return found
        wanted = talk.slots.get("item")
        likely = [i for i in order.items if self.likely(talk, i) and (not wanted or means(i, str(wanted)))]
        return likely[0] if len(likely) == 1 else None

    def _named_item(self, talk: Talk, asked: bool) -> str | None:
        # a product that turns up in the answer to another question (手机连不上它) does not change what it is about
        named = super()._named_item(talk, asked)
        corrected = named is not None and self._in_another_order(talk, named)
        item = self.item(talk) if named and not asked and not corrected else None
        return None if item is not None and named and not means(item, named) else named

    def next_slot(self, talk: Talk) -> str | None:
        """As for every form; a product that is in no order is said so, and the customer chooses."""
        wanted = talk.slots.get("item")
        if talk.access is None or not wanted or talk.slots.get("order_number"):
            return super().next_slot(talk)
        if any(means(i, str(wanted)) for o in orders.visible(talk.session, talk.access) for i in o.items):
            return super().next_slot(talk)
        talk.slots["item"] = None
        talk.voice.say(f"在您的订单里没有找到{surface(talk, 'product') or '这样商品'}，可能是用别的账号买的。")
        return "order_number" if self.candidates(talk) else None

    def offered_items(self, talk: Talk) -> Sequence[OrderItem]:
        """The likely pieces only."""
        found = super().offered_items(talk)
        return [i for i in found if self.likely(talk, i)] or found


def means(item: OrderItem, wanted: str) -> bool:
    """Whether a slot's value (an item's id, a sku, a class word, a name) means this piece."""
    return wanted == str(item.id) or orders.is_product(item.product, wanted)


def surface(talk: Talk, entity: str) -> str | None:
    """An entity of the last message in the customer's own words."""
    found: list[dict[str, Any]] = [
        e for e in talk.tracker.latest_message.get("entities") or [] if e.get("entity") == entity
    ]
    if not found or talk.is_command or not isinstance(found[-1].get("start"), int):
        return None
    return talk.text[found[-1]["start"] : found[-1]["end"]]
