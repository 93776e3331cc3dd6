"""Orders: their state, urging, another address, calling off."""

import re
from collections.abc import Sequence
from typing import Any

from actions import orders_words as words
from actions import when
from actions.cards import order_card, orders_card
from actions.form import Form, interrupts, register
from actions.lookup import OrderLookUp
from actions.talk import Talk, button
from core.clock import told
from core.errors import Refusal
from core.text import yuan
from crm.customers.access import need_owner
from crm.orders import usecases as orders
from crm.orders.models import Order
from crm.orders.rules import (
    PAYMENT_METHODS,
    UNPAID_CLOSES_AFTER,
    OrderStatus,
    can_redirect,
    fuller_address,
    has_house_number,
    refund_days,
)
from crm.returns import usecases as returns
from crm.returns.rules import CaseKind
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind

DOOR = re.compile(
    r"(?:门牌号?|还有|是|加上|补|[，, ])*[A-Za-z]?\d+[\dA-Za-z-]*(?:号|幢|栋|座|楼|单元|室|层|[\d， -])[^，,。？?吗]{0,20}"
)
OWN_PHONE = re.compile(r"(?:登录|登陆|绑定|注册|账号|账户)的?(?:手机|号码|电话)")
NO_DOOR = re.compile(r"没有?门牌|没有?号|就这|到村|只有这")


def state_in_words(order: Order) -> str:
    """What an order's state means for the customer, and what comes next."""
    match OrderStatus(order.status):
        case OrderStatus.UNPAID:
            return f"这单还没付款，请在 {told(order.created_at + UNPAID_CLOSES_AFTER)} 前付好，过时会自动关闭。"
        case OrderStatus.PAID if order.pre_sale and order.promised_ship_at:
            return f"这是预售商品，已付款，会在 {told(order.promised_ship_at, with_time=False)} 前发出。"
        case OrderStatus.PAID if order.promised_ship_at:
            return f"已付款，仓库正在备货，最晚 {told(order.promised_ship_at)} 前发出。"
        case OrderStatus.PACKED:
            return "已经打包好，正在出库，很快交给快递。"
        case OrderStatus.SHIPPED if order.parcels and (expected := order.parcels[-1].expected_at):
            return f"已由{order.parcels[-1].carrier}发出，预计 {told(expected, with_time=False)} 送到。"
        case OrderStatus.DELIVERED if order.delivered_at:
            return f"已在 {told(order.delivered_at)} 签收。"
        case OrderStatus.CANCELLED if order.cancelled_at:
            return f"已在 {told(order.cancelled_at)} 取消。"
        case status:
            return f"现在的状态是“{status.label}”。"


WAYS = {
    OrderStatus.UNPAID: ["取消订单", "支付遇到问题"],
    OrderStatus.PAID: ["催发货", "改地址", "取消订单"],
    OrderStatus.PACKED: ["催发货", "查物流"],
    OrderStatus.SHIPPED: ["查物流", "催配送"],
    OrderStatus.DELIVERED: ["开发票", "申请售后"],
    OrderStatus.CANCELLED: ["查退款进度"],
}
PAYLOADS = {
    "取消订单": "cancel_order",
    "支付遇到问题": "payment_problem",
    "催发货": "urge_shipping",
    "催配送": "urge_shipping",
    "改地址": "change_address",
    "查物流": "track_logistics",
    "开发票": "request_invoice",
    "申请售后": "return_goods",
    "查退款进度": "query_refund",
}


def ways(order: Order) -> list[dict[str, str]]:
    """What one can do with an order, as the card's buttons."""
    return [
        {"title": title, "value": f"{title} 尾号{order.number[-4:]}", "payload": _payload(title, order)}
        for title in WAYS[OrderStatus(order.status)]
    ]


def _payload(title: str, order: Order) -> str:
    return f'/{PAYLOADS[title]}{{"order_number": "{order.number}"}}'


class QueryOrder(OrderLookUp):
    """How an order stands."""

    intent = "query_order"

    def about(self, talk: Talk, order: Order) -> None:
        """The state in words, with the card."""
        talk.voice.card(*order_card(order, state_in_words(order), ways(order)))


class UrgeShipping(OrderLookUp):
    """Hurries up the warehouse or the carrier, and says what that means."""

    intent = "urge_shipping"

    def wanted(self, talk: Talk) -> bool:
        """Whether somebody is to be hurried up: asked for in this message, or in the one before when this only chooses."""
        if talk.is_command:
            return True
        said = words.urges(talk.text)
        return bool(said if said is not None else words.urges(talk.said_before(self.intent)))

    def choose(self, talk: Talk, found: Sequence[Order]) -> None:
        """Who only asks when it comes is shown the order chosen; nobody is urged by that."""
        if self.wanted(talk):
            super().choose(talk, found)
            return
        payload = '/query_order{{"order_number": "{number}"}}'
        talk.voice.card(*orders_card(found, "找到这几笔订单，您想看哪一笔？", "看这单", payload))

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders that are on their way to the customer."""
        moving = {OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED}
        return [o for o in super().candidates(talk) if OrderStatus(o.status) in moving]

    def none_found(self, talk: Talk) -> None:
        """Nothing is on its way."""
        talk.voice.say(
            "您名下现在没有待发货或在路上的订单。要看看最近的订单吗？", [button("查我的订单", "/query_order")]
        )

    def about(self, talk: Talk, order: Order) -> None:
        """Urged once in 12 hours; late ones become a ticket with a time."""
        status = OrderStatus(order.status)
        if status not in {OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED} or not self.wanted(talk):
            talk.voice.card(*order_card(order, state_in_words(order), ways(order)))
            return
        whom = "配送站" if status == OrderStatus.SHIPPED else "仓库"
        first = orders.urge(talk.session, order, talk.now)
        late = (
            order.promised_ship_at is not None and order.promised_ship_at < talk.now and status != OrderStatus.SHIPPED
        )
        stuck = any(p.status in {"stuck", "lost"} for p in order.parcels)
        if not (late or stuck):
            lead = f"已经帮您催了{whom}，加急标记打上了。" if first else f"之前已经催过{whom}了，我再盯着点。"
            talk.voice.say(f"{lead}{state_in_words(order)}", [button("查物流", _payload("查物流", order)), "转人工"])
            return
        ticket = tickets.open_one(
            talk.session, order.customer_id, TicketKind.DELIVERY, order.id
        ) or tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.DELIVERY,
            subject=f"{'发货超时' if late else '物流停滞'}：订单 {order.number}",
            detail=talk.text,
            conversation=talk.conversation,
            customer_id=order.customer_id,
            order_id=order.id,
            urgent=True,
        )
        what = "发货确实超时了" if late else "包裹确实停了一段时间没动"
        talk.voice.say(
            f"抱歉让您久等，{what}，我已建了加急工单 {ticket.number}，"
            f"同事会在 {told(ticket.due_at)} 前核实并给您答复。不想再等的话也可以告诉我取消或转人工。",
            [button("查物流", _payload("查物流", order)), "转人工"],
        )


@register
class CancelOrder(Form):
    """Calls an order off, as long as it has not been packed."""

    intent = "cancel_order"
    choose_text = "想取消哪一笔订单？"
    none_text = "您名下没有还能取消的订单。已经发货的可以拒收，签收的可以申请退货。"

    def unwanted(self, talk: Talk) -> bool:
        """Turned down, asked about only, or about something else that can be called off."""
        if talk.is_command:
            return False
        return self._other_matter(talk) is not None or _not_cancelling(talk.text) or super().unwanted(talk)

    def averted(self, talk: Talk) -> str | None:
        """By what it is: the visit's or the case's own form, how to refuse a parcel, or simply that nothing was done."""
        text = talk.text
        if (other := self._other_matter(talk)) is not None:
            return other
        if words.asks_about_refusing(text):
            talk.voice.say(
                "可以的：快递送到时当面说“拒收”就行，不用付钱；货退回仓库验好后全额退款，不收运费。现在没有取消任何订单。",
                ["查物流", "转人工"],
            )
        elif words.asks_about_cancelled(text):
            talk.voice.say(
                "我没有取消任何订单。想看以前取消的那笔，点下面就能查到时间和退款；为什么取消，同事能帮您核实。",
                [button("查我的订单", "/query_order"), button("查退款进度", "/query_refund"), "转人工"],
            )
        elif words.speaks_of_no_cancelling(text):
            talk.voice.say("好的，没有取消，订单照常。您想办的是什么？直接告诉我。", ["查我的订单", "转人工"])
        else:
            return super().averted(talk)
        return None

    def _other_matter(self, talk: Talk) -> str | None:
        """The form of what is called off instead of an order."""
        if talk.access is None or not words.names_other_matter(talk.text):
            return None
        if calls_off_case(talk) and (cases := returns.open_cases(talk.session, talk.access)):
            exchange = cases[0].kind == CaseKind.EXCHANGE
            return "exchange_goods_form" if exchange else "return_goods_form"
        return "reschedule_visit_form"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Those that can still be called off."""
        assert talk.access is not None
        return orders.cancellable(talk.session, talk.access)

    def check(self, talk: Talk) -> None:
        """Raises Refusal for orders under way."""
        order = talk.order()
        if talk.entity("negated"):
            raise Refusal(
                "明白，您是想保留（或恢复）订单。没提交的取消我就不办了；已经取消的订单没法恢复，需要重新下单。",
                code="undo_cancel",
                way_on=("查我的订单", "转人工"),
            )
        if order is not None and talk.access is not None:
            need_owner(talk.access)
            orders.check_cancel(order)

    def preview(self, talk: Talk) -> str:
        """What is called off and what comes back."""
        order = talk.order()
        assert order is not None
        goods = "、".join(f"{i.product.name}×{i.quantity}" for i in order.items)
        if order.status == OrderStatus.UNPAID:
            return f"要取消的是尾号 {order.number[-4:]} 的订单：{goods}。这单还没付款，取消后直接关闭。确认取消吗？"
        method = PAYMENT_METHODS[orders.paid_method(order)]
        return (
            f"要取消的是尾号 {order.number[-4:]} 的订单：{goods}。"
            f"取消后 {yuan(order.total_cents)} 原路退回{method}。取消后不能恢复，确认取消吗？"
        )

    def do(self, talk: Talk) -> dict[str, Any]:
        """Cancelled, and when the money is back."""
        order = talk.order()
        assert order is not None
        done = orders.cancel(talk.session, order, talk.now, "客户通过智能客服取消")
        if not done["refund_cents"]:
            return {"text": f"尾号 {order.number[-4:]} 的订单已取消，没有产生扣款。"}
        method, days = PAYMENT_METHODS[done["method"]], refund_days(done["method"])
        return {
            "text": f"尾号 {order.number[-4:]} 的订单已取消。{yuan(done['refund_cents'])} 已开始原路退回{method}，"
            f"一般 {days} 个工作日内到账，到时会通知您。用掉的优惠券和积分也一并退回了（过期的券除外）。",
            "ways": [button("查退款进度", f'/query_refund{{"order_number": "{order.number}"}}')],
        }


def calls_off_case(talk: Talk) -> bool:
    """Whether a return or its pick-up is named."""
    return re.search(r"取件|退货|换货|售后|退换|补发|AS\d{6,}", talk.text, re.I) is not None


def _not_cancelling(text: str) -> bool:
    return words.speaks_of_no_cancelling(text) or words.asks_about_cancelled(text) or words.asks_about_refusing(text)


@register
class ChangeAddress(Form):
    """Another address, recipient, phone or delivery day. Shipped parcels: a redirect is asked for, not promised."""

    intent = "change_address"
    details = ("change_kind", "address", "recipient", "new_phone", "delivery_day")
    free_text = frozenset({"address", "recipient", "delivery_day"})
    choose_text = "想改哪一笔订单？"
    none_text = "您名下没有还能改收货信息的订单。"
    kinds = {"address": "收货地址", "recipient": "收货人", "new_phone": "联系电话", "delivery_day": "配送时间"}

    def unwanted(self, talk: Talk) -> bool:
        """The account's own phone number is meant, not an order's."""
        return (not talk.is_command and OWN_PHONE.search(talk.text) is not None) or super().unwanted(talk)

    def averted(self, talk: Talk) -> str | None:
        """The form for the own details goes on."""
        return "update_profile_form" if OWN_PHONE.search(talk.text) else super().averted(talk)

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders that have not arrived."""
        moving = {OrderStatus.UNPAID, OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.SHIPPED}
        return [o for o in super().candidates(talk) if OrderStatus(o.status) in moving]

    def check(self, talk: Talk) -> None:
        """Raises Refusal for packed, delivered and cancelled orders, and for what only large goods can have."""
        order = talk.order()
        if order is None or talk.access is None:
            return
        need_owner(talk.access)
        orders.check_change_address(order)
        if talk.slots.get("change_kind") == "delivery_day" and not orders.has_large(order):
            raise Refusal(
                "小件包裹由快递统一派送，没法指定送达时间。快递员派送前会联系您，也可以请他放驿站或快递柜。",
                code="day_small",
                way_on=("查物流", "转人工"),
            )
        address = talk.slots.get("address")
        if order.status == OrderStatus.SHIPPED and address and not can_redirect(order.city, str(address)):
            raise Refusal(
                "货已经发出，只能在原来的城市内改派，换城市就需要拒收后重新下单了。",
                code="redirect_far",
                way_on=("查物流", "转人工"),
            )

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Details named anywhere in the talk; free text only for the open question."""
        if slot == "change_kind":
            return self._kind(talk)
        if slot == "address":
            return self._address(talk, asked)
        if slot == "recipient" and talk.entity("person_name") and self._for_delivery(talk, slot):
            return talk.entity("person_name")
        if slot == "new_phone":
            phone = talk.entity("phone_number") or ""
            return phone if len(phone) == 11 and talk.access is not None and self._for_delivery(talk, slot) else None
        if slot == "delivery_day":
            return self._day(talk, asked)
        if asked and slot == "recipient" and len(talk.text) > 12:
            return None
        return super().read(talk, slot, asked)

    def _for_delivery(self, talk: Talk, slot: str) -> bool:
        """Whether a name or number said is the new one, not the customer introducing himself."""
        answers_us = talk.slots.get("requested_slot") in {"confirm", *self.kinds}
        return answers_us or self._kind(talk) == slot or talk.entity("address") is not None

    def _address(self, talk: Talk, asked: bool) -> str | None:
        """A new address; at the confirmation also a part that was missing."""
        known, text = str(talk.slots.get("address") or ""), talk.text.strip()
        if asked and known and NO_DOOR.search(text):
            return f"{known}（无门牌号）"
        named = talk.entity("address") or ""
        free = asked and not interrupts(talk)
        added = free or (self._confirming(talk) and DOOR.fullmatch(text) is not None and not talk.entity("date_time"))
        said = named if len(named) >= 6 else text if (known and added) or (free and len(text) >= 6) else ""
        said = re.split(r"改成|换成|改为|改到|应该是", said)[-1].strip("，,。 ")
        return fuller_address(known, said) if known and said else said or None

    def _confirming(self, talk: Talk) -> bool:
        return talk.slots.get("requested_slot") == "confirm"

    def _day(self, talk: Talk, asked: bool) -> str | None:
        """An ISO day, with the half-day when one is said; at the confirmation the other half keeps its day."""
        known = str(talk.slots.get("delivery_day") or "")
        corrects = self._confirming(talk) and known
        if not (asked or corrects or self._kind(talk) == "delivery_day"):
            return None
        named = when.said(talk)
        day = named.day.isoformat() if named.day else known[:10] if corrects and (named.slot or named.evening) else None
        if day is None:
            return None
        part = f"T{named.slot.begins_hour:02}:00" if named.slot else "T18:00" if named.evening else known[10:]
        return day + part

    def _kind(self, talk: Talk) -> str | None:
        text = talk.text
        for kind, cues in {
            "recipient": ("收货人", "收件人", "名字", "姓名"),
            "new_phone": ("电话", "手机号", "号码", "联系方式"),
            "delivery_day": (
                "时间",
                "哪天",
                "明天送",
                "后天送",
                "晚点送",
                "周末送",
                "上午送",
                "下午送",
                "改天送",
                "送货日",
            ),
            "address": ("地址", "地方", "寄到", "送到", "发到"),
        }.items():
            if any(cue in text for cue in cues):
                return kind
        if talk.entity("address"):
            return "address"
        if talk.entity("date_time") and "送" in text:
            return "delivery_day"
        return None

    def needed(self, talk: Talk) -> Sequence[str]:
        """What is to be changed, then its new value."""
        kind = talk.slots.get("change_kind")
        return ("change_kind", kind) if kind in self.kinds else ("change_kind",)

    def ask(self, talk: Talk, slot: str) -> None:
        """The questions."""
        if slot == "change_kind":
            talk.voice.say("想改哪一项？", list(self.kinds.values()))
        elif slot == "address" and talk.slots.get("address"):
            talk.voice.say("麻烦补一下几号、几幢、几室，前面的不用再发。", ["没有门牌号"])
        else:
            talk.voice.say(
                {
                    "address": "请把新的收货地址发给我，写到门牌号，例如“杭州市西湖区文三路100号2幢301室”。",
                    "recipient": "新的收货人叫什么？",
                    "new_phone": "新的联系电话是多少？（11 位手机号）",
                    "delivery_day": "想哪天送？可以选上午或下午，例如“后天下午”。",
                }[slot]
            )

    def next_slot(self, talk: Talk) -> str | None:
        """An address without a door is asked for its rest; what was given stays."""
        following = super().next_slot(talk)
        address = talk.slots.get("address")
        if following == "confirm" and address and not has_house_number(str(address)):
            talk.voice.say(f"“{address}”记下了，还差门牌号。")
            return "address"
        return following

    def _changes(self, talk: Talk) -> dict[str, str]:
        """What is to be changed: all that was said, in the order of :attr:`kinds`."""
        return {kind: str(talk.slots[kind]) for kind in self.kinds if talk.slots.get(kind) is not None}

    def _told(self, talk: Talk, verb: str) -> str:
        return "，".join(f"{self.kinds[kind]}{verb}“{shown(value)}”" for kind, value in self._changes(talk).items())

    def preview(self, talk: Talk) -> str:
        """The new values, and for shipped parcels that it is not promised."""
        order = talk.order()
        assert order is not None
        lead = f"尾号 {order.number[-4:]} 的订单，{self._told(talk, '改为')}"
        if order.status == OrderStatus.SHIPPED:
            return f"{lead}。货已在路上，我会请快递改派，但不保证一定成功。要提交吗？"
        return f"{lead}，确认修改吗？"

    def do(self, talk: Talk) -> dict[str, Any]:
        """Changed, or a ticket for the redirect."""
        order = talk.order()
        assert order is not None
        if order.status == OrderStatus.SHIPPED:
            ticket = tickets.open_ticket(
                talk.session,
                talk.now,
                kind=TicketKind.ADDRESS,
                subject=f"改派：订单 {order.number}",
                detail=self._told(talk, "改为"),
                conversation=talk.conversation,
                customer_id=order.customer_id,
                order_id=order.id,
                urgent=True,
            )
            return {
                "text": f"改派申请已提交，工单 {ticket.number}。结果会在 {told(ticket.due_at)} 前告诉您，请先留意原来的电话。"
            }
        names = {"address": "address", "recipient": "recipient", "new_phone": "phone", "delivery_day": "day"}
        changed = {names[kind]: shown(v) if kind == "delivery_day" else v for kind, v in self._changes(talk).items()}
        orders.change_delivery(talk.session, order, **changed)
        return {"text": f"改好了：尾号 {order.number[-4:]} 的订单，{self._told(talk, '已改为')}，会按新的信息发货。"}


def shown(value: Any) -> str:
    """A slot's value as the customer reads it: ISO dates become ``11月24日 下午``."""
    text = str(value)
    if len(text) >= 10 and text[4] == "-" and text[7] == "-":
        day = f"{int(text[5:7])}月{int(text[8:10])}日"
        if "T" not in text:
            return day
        hour = int(text[11:13])
        return f"{day} {'上午' if hour < 12 else '下午' if hour < 18 else '晚上'}"
    return text
