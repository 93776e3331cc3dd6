"""Signed for but not in the customer's hands, or lost on the way."""

import re
from collections.abc import Sequence
from typing import Any

from actions import returns_words as words
from actions.cases import order_button
from actions.form import Form, register
from actions.talk import Talk
from core.clock import told
from core.text import yuan
from crm.orders import usecases as orders
from crm.orders.models import Order, Parcel
from crm.orders.rules import PAYMENT_METHODS, OrderStatus, ParcelStatus, refund_days
from crm.returns import usecases as returns
from crm.returns.rules import NOT_RECEIVED_DAYS, Settlement
from helpdesk.tickets import parcels
from helpdesk.tickets.models import Ticket

FOUND = re.compile(
    r"找到了|(不用|别|不要|不必)(再)?(查|核实|补发|找)|没丢|拿到了|(撤销|取消|撤回).{0,6}(登记|核查|工单|丢件)"
)
NOT_FOUND = re.compile(r"没找到|没收到|还没|没有找")
LOOKED = "都找过了，没有"


@register
class ReportNotReceived(Form):
    """The carrier is asked where it is, with a time; what is lost for sure is sent again or paid back."""

    intent = "report_not_received"
    details = ("undo", "looked", "settlement")
    choose_text = "是哪一笔订单没收到？"
    none_text = "您名下没有在路上或已签收的订单。如果是别的账号下的单，把订单号发给我就能查。"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Lost ones first, then signed for and on its way, newest first."""
        assert talk.access is not None
        if talk.slots.get("undo"):
            return parcels.searched(talk.session, talk.access)
        found = orders.visible(talk.session, talk.access)
        signed = [
            o for o in found if o.delivered_at is not None and (talk.now - o.delivered_at).days < NOT_RECEIVED_DAYS
        ]
        moving = [o for o in found if OrderStatus(o.status) in {OrderStatus.SHIPPED, OrderStatus.PACKED}]
        lost = [o for o in moving if returns.lost_items(talk.session, o)]
        late = [o for o in moving if any(returns.overdue(p, talk.now) for p in o.parcels)]
        if lost:
            return lost if not signed or re.search("丢|遗失", talk.text) else [*lost, *signed]
        return [*late, *signed] or moving or [o for o in found if o.status == OrderStatus.PAID]

    def _tickets(self, talk: Talk) -> Sequence[Ticket]:
        assert talk.access is not None
        return parcels.searches(talk.session, talk.access)

    def search(self, talk: Talk) -> Ticket | None:
        """The order's open search."""
        order = talk.order()
        return next((t for t in self._tickets(talk) if order is not None and t.order_id == order.id), None)

    def lost(self, talk: Talk) -> bool:
        """Whether the carrier has said that it is lost, and nothing was settled yet."""
        order = talk.order()
        return order is not None and bool(returns.lost_items(talk.session, order))

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Found again, looked around, and the wish for what is lost."""
        text = talk.text
        if slot == "undo":
            if talk.is_command:
                return True if talk.entity("negated") and talk.intent == self.intent else None
            return True if FOUND.search(text) and not NOT_FOUND.search(text) else None
        if slot == "looked":
            everywhere = re.search(
                r"(邻居|家人|家里|驿站|物业|门卫|前台|快递柜|柜子|丰巢).{0,8}(没|不|空)"
                r"|都(问|找|看)过|都没|丢了|弄丢|遗失",
                text,
            )
            return True if everywhere or (asked and re.search(r"没|不在|不知道", text)) else None
        if slot == "settlement" and not talk.is_command:
            said = words.settlement(text)
            said = Settlement.RESEND if said == Settlement.EXCHANGE else said
            return said.value if said else None
        return super().read(talk, slot, asked)

    def needed(self, talk: Talk) -> Sequence[str]:
        """A choice for what is lost; for what was signed for, a look around first."""
        order = talk.order()
        if talk.slots.get("undo") or self.search(talk) is not None or order is None:
            return ()
        if self.lost(talk):
            return ("settlement",)
        signed = any(p.status == ParcelStatus.DELIVERED for p in order.parcels)
        return ("looked",) if signed else ()

    def next_slot(self, talk: Talk) -> str | None:
        """Nothing to call off is said at once; what is out of stock cannot be sent again."""
        if talk.access is not None and talk.slots.get("undo") and not self._tickets(talk):
            talk.slots["confirm"] = False
            return None
        order = talk.order()
        wish = talk.slots.get("settlement")
        if (
            order is not None
            and self.lost(talk)
            and wish == "resend"
            and not returns.lost_in_stock(talk.session, order)
        ):
            talk.voice.say("这款刚好没有现货了，没法补发，可以给您退款。")
            talk.slots["settlement"] = None
        return super().next_slot(talk)

    def ask(self, talk: Talk, slot: str) -> None:
        """Who signed and where it may be; or how the loss is made good."""
        order = talk.order()
        assert order is not None
        if slot == "settlement":
            there = returns.lost_in_stock(talk.session, order)
            talk.voice.say(
                "非常抱歉，快递核实这个包裹丢失了，责任在我们和快递，不用您承担任何费用。您希望补发还是退款？",
                ["补发", "退款"] if there else ["退款"],
            )
            return
        talk.voice.say(
            f"{self._signed(order)}先花一分钟看看：家人、邻居、门卫、驿站或快递柜有没有代收？",
            [LOOKED, "找到了，不用查了"],
        )

    def _signed(self, order: Order) -> str:
        parcel = next((p for p in order.parcels if p.status == ParcelStatus.DELIVERED), None)
        if parcel is None:
            return ""
        at = f"{told(order.delivered_at)} " if order.delivered_at else ""
        call = f"，派送员{parcel.courier} {parcel.courier_phone}" if parcel.courier and parcel.courier_phone else ""
        return f"别着急，我来查。{parcel.carrier}登记的是{at}由“{parcel.signed_by or '本人'}”签收{call}。"

    def check(self, talk: Talk) -> None:
        """Raises Refusal while nothing can be missing yet."""
        order = talk.order()
        if order is None or talk.slots.get("undo") or self.search(talk) is not None or self.lost(talk):
            return
        returns.check_not_received(order, talk.now)

    def preview(self, talk: Talk) -> str:
        """What is registered, sent again or paid back. For an open search nothing is asked."""
        order = talk.order()
        assert order is not None
        tail = order.number[-4:]
        search = self.search(talk)
        if talk.slots.get("undo"):
            return f"东西找到就好！尾号 {tail} 的包裹核查（工单 {search.number if search else ''}）就此结束，确认吗？"
        if search is None and self.lost(talk):
            goods = "、".join(f"{i.product.name}×{i.quantity}" for i in returns.lost_items(talk.session, order))
            if talk.slots["settlement"] == Settlement.RESEND:
                where = f"寄到原地址（{order.city}，{order.recipient}收）"
                return f"给您补发：{goods}，{where}，24 小时内寄出，不收费。确认补发吗？"
            method = orders.paid_method(order)
            amount = yuan(returns.lost_refund_cents(talk.session, order))
            return (
                f"给您退款：{goods}，{amount}原路退回{PAYMENT_METHODS[method]}，"
                f"{refund_days(method)} 个工作日内到账。确认退款吗？"
            )
        if search is not None:
            raise parcels.known(search)
        return (
            f"我帮尾号 {tail} 的订单登记包裹核查：请快递查签收人和放置位置、调签收底单，24 小时内给您答复。确认登记吗？"
        )

    def do(self, talk: Talk) -> dict[str, Any]:
        """Registered, settled, told again, or ended."""
        order, search = talk.order(), self.search(talk)
        assert order is not None
        if search is not None:
            return self._about_search(talk, order, search)
        if self.lost(talk):
            return self._settle(talk, order)
        returns.check_not_received(order, talk.now)
        parcel = self._parcel(talk, order)
        ticket = parcels.search(
            talk.session, talk.now, order, parcel=parcel, said=talk.text, conversation=talk.conversation
        )
        return {
            "text": f"登记好了，加急工单 {ticket.number}。"
            f"我们正在找{parcel.carrier if parcel else '快递'}核实签收人和位置，"
            f"{told(ticket.due_at)} 前给您答复。查实丢了，补发或退款由您选，不用您承担费用。东西找到了也跟我说一声。",
            "ways": [order_button("找到了，不用查了", self.intent, order, negated="不用")],
        }

    def _parcel(self, talk: Talk, order: Order) -> Parcel | None:
        found = [p for p in order.parcels if returns.overdue(p, talk.now)]
        return found[0] if found else order.parcels[-1] if order.parcels else None

    def _about_search(self, talk: Talk, order: Order, search: Ticket) -> dict[str, Any]:
        if talk.slots.get("undo"):
            parcels.found_again(talk.session, search, talk.now)
            return {"text": f"好的，工单 {search.number} 已结束，东西到手就放心了。用着有问题随时找我。"}
        if search.due_at < talk.now:
            return {
                "text": f"抱歉，工单 {search.number} 本该在 {told(search.due_at)} 前给您答复，"
                "已经超时了，我马上请同事接着处理。",
                "handover": "rule",
            }
        return {
            "text": f"这个包裹已经在查了，工单 {search.number}，"
            f"同事会在 {told(search.due_at)} 前给您答复，不用重复登记。",
            "ways": [order_button("找到了，不用查了", self.intent, order, negated="不用"), "转人工"],
        }

    def _settle(self, talk: Talk, order: Order) -> dict[str, Any]:
        cases, refund = returns.settle_lost(talk.session, order, talk.now, Settlement(talk.slots["settlement"]))
        if refund is None:
            numbers = "、".join(c.number for c in cases)
            return {"text": f"补发登记好了，单号 {numbers}。仓库 24 小时内重新寄出，寄出后会通知您，再次抱歉耽误您了。"}
        due = told(refund.due_at, with_time=False) if refund.due_at else ""
        return {
            "text": f"退款已经开始办理：{yuan(refund.amount_cents)}原路退回{PAYMENT_METHODS[refund.method]}，"
            f"最晚 {due} 前到账。耽误您了，再次抱歉。",
            "ways": [order_button("查退款进度", "query_refund", order)],
        }

    def declined(self, talk: Talk) -> None:
        """Also when there was nothing to end."""
        if talk.slots.get("undo") and not self._tickets(talk):
            talk.voice.say("东西到手就好，没有需要撤销的登记。有事随时找我。")
        else:
            super().declined(talk)
