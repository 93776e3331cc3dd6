"""Price differences given back, and payments that went wrong."""

import re
from collections.abc import Sequence
from typing import Any

from actions.cards import order_card
from actions.form import register
from actions.items import ItemForm
from actions.lookup import OrderLookUp
from actions.talk import Talk, button
from core.clock import told
from core.text import yuan
from crm.customers.access import need_owner
from crm.orders import prices
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from crm.orders.price_rules import PENDING_FOR, PaymentState
from crm.orders.rules import PAYMENT_METHODS, UNPAID_CLOSES_AFTER, OrderStatus
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind

CHARGED = re.compile(r"扣了|扣款|扣钱|已经付|付过|付了|付完|付款成功|打过去|汇的?款|没确认|没变|待付款|未支付|没显示")
TWICE = re.compile(r"两次|两遍|两笔|两份|重复|多扣|双份|多付|付了二次")
FAILURE_HELP = {
    "余额": "换一张卡或换个支付方式，",
    "限额": "银行卡有单日限额，可以换卡、换支付方式，或在银行 App 里调额度，",
    "超时": "换个网络再试一次，",
    "维护": "银行在维护，先换别的支付方式，",
}


@register
class PriceProtection(ItemForm):
    """The difference to today's lower price, back the way it was paid."""

    intent = "price_protection"
    choose_text = "是哪一单降价了？"
    none_text = "您名下没有可以保价的订单。价格保护从付款那天算起：普通会员 7 天，银卡 15 天，金卡和铂金 30 天。"

    def likely(self, talk: Talk, item: OrderItem) -> bool:
        """The difference would be given back."""
        return prices.is_protected(talk.session, item, talk.now)

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Without anything to give back: what has fallen in price, else all that is paid."""
        found = super().candidates(talk)
        if found:
            return found
        paid = [o for o in super(ItemForm, self).candidates(talk) if o.paid_at and o.status != OrderStatus.CANCELLED]
        return [o for o in paid if any(prices.has_fallen(talk.session, i) for i in o.items)] or paid

    def item(self, talk: Talk) -> OrderItem | None:
        """Else the only one that costs less today."""
        found, order = super().item(talk), talk.order()
        if found is None and order is not None and not talk.slots.get("item"):
            fallen = [i for i in order.items if prices.has_fallen(talk.session, i)]
            return fallen[0] if len(fallen) == 1 else None
        return found

    def check(self, talk: Talk) -> None:
        """Raises Refusal with the reason."""
        item = self.item(talk)
        if item is not None and talk.access is not None:
            need_owner(talk.access)
            prices.check_protection(talk.session, item, talk.now)

    def preview(self, talk: Talk) -> str:
        """Both prices, the difference, and where it goes."""
        item = self.item(talk)
        assert item is not None
        amount = prices.check_protection(talk.session, item, talk.now)
        pieces = f"，{item.quantity} 件" if item.quantity > 1 else ""
        method = PAYMENT_METHODS[orders.paid_method(item.order)]
        return (
            f"{item.product.name}您买时 {yuan(item.price_cents)}，现在 {yuan(item.product.price_cents)}{pieces}，"
            f"可以退差价 {yuan(amount)}，3 个工作日内原路退回{method}。每件商品每单只能保价一次，现在申请吗？"
        )

    def do(self, talk: Talk) -> dict[str, Any]:
        """Given back, and by when."""
        item = self.item(talk)
        assert item is not None
        made = prices.protect(talk.session, item, talk.now)
        method = PAYMENT_METHODS[orders.paid_method(item.order)]
        progress = button("查退款进度", f'/query_refund{{"order_number": "{item.order.number}"}}')
        return {
            "text": f"申请好了，差价 {yuan(made.amount_cents)} 会在 {told(made.due_at, with_time=False)} 前"
            f"原路退回{method}，到账会通知您。",
            "ways": [progress, button("再看其他商品", "/price_protection")],
        }


class PaymentProblem(OrderLookUp):
    """How a payment stands, what to do – and what was paid twice goes back at once."""

    intent = "payment_problem"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders with something open about the payment; for 扣了两次 those first; else the newest."""
        found = list(super().candidates(talk))
        if TWICE.search(talk.text):
            paid = [o for o in found if o.paid_at is not None]
            twice = [o for o in paid if prices.surplus(o)] or [o for o in paid if prices.was_paid_twice(o)]
            return twice or paid[:3]
        return [o for o in found if prices.needs_look(o, talk.now)] or found[:3]

    def none_found(self, talk: Talk) -> None:
        """Nothing was ordered."""
        talk.voice.say(
            "没有查到您名下的订单。如果钱已经扣了，先别重复付款，把订单号和扣款时间发给我，或转人工帮您查这笔钱。",
            ["转人工"],
        )

    def about(self, talk: Talk, order: Order) -> None:
        """By how the paying stands."""
        state = prices.state_of_payment(order, talk.now)
        match state:
            case PaymentState.SURPLUS:
                self._return_surplus(talk, order)
            case PaymentState.SURPLUS_RETURNED:
                self._returned(talk, order)
            case PaymentState.PENDING:
                minutes = int(PENDING_FOR.total_seconds() // 60)
                talk.voice.say(
                    f"尾号 {order.number[-4:]} 的付款结果还在路上，请先不要再付，一般几分钟就好。"
                    f"{minutes} 分钟还没变，再来找我核对。",
                    [button("再查一次", f'/payment_problem{{"order_number": "{order.number}"}}'), "转人工"],
                )
            case PaymentState.OVERDUE:
                self._check_money(talk, order)
            case PaymentState.FAILED | PaymentState.NEVER:
                if CHARGED.search(talk.text) and not TWICE.search(talk.text):
                    self._check_money(talk, order)
                else:
                    self._unpaid(talk, order)
            case PaymentState.PAID:
                self._paid(talk, order)
            case PaymentState.CLOSED:
                self._closed(talk, order)

    def _return_surplus(self, talk: Talk, order: Order) -> None:
        made = prices.return_surplus(talk.session, order, talk.now)
        amount, last = sum(r.amount_cents for r in made), made[-1]
        talk.voice.say(
            f"查到了，尾号 {order.number[-4:]} 这单重复付了 {yuan(amount)}，我已经发起退回，"
            f"原路回到{PAYMENT_METHODS[last.method]}，{prices.told_return(last)}，订单不受影响。",
            [button("查退款进度", f'/query_refund{{"order_number": "{order.number}"}}')],
        )

    def _returned(self, talk: Talk, order: Order) -> None:
        refund = prices.returned_surplus(talk.session, order)
        where = f"到{PAYMENT_METHODS[refund.method]}，{prices.told_return(refund)}" if refund else ""
        amount = f" {yuan(refund.amount_cents)}" if refund else ""
        talk.voice.say(
            f"尾号 {order.number[-4:]} 这单多付的{amount} 已经原路退回{where}。订单本身付款正常。",
            [button("查退款进度", f'/query_refund{{"order_number": "{order.number}"}}'), "转人工"],
        )

    def _unpaid(self, talk: Talk, order: Order) -> None:
        last = orders.last_payment(order)
        until = told(order.created_at + UNPAID_CLOSES_AFTER)
        why = ""
        if last is not None and last.failure:
            help_ = next((text for word, text in FAILURE_HELP.items() if word in last.failure), "")
            why = f"上次用{PAYMENT_METHODS[last.method]}没付成，原因是“{last.failure}”，没有扣款。{help_}"
        text = (
            f"这单还没付款。{why}在“我的订单”里点“去付款”就行，微信、支付宝、银行卡都可以，不用重新下单。"
            f"请在 {until} 前付好，过时自动关闭；库存要付款后才保留。"
        )
        talk.voice.card(*order_card(order, text, [_cancel(order)]))
        talk.voice.say(
            "要是钱已经扣了，先别再付，点下面我来核对这笔钱。",
            [button("钱已经扣了", "钱扣了，订单还是待付款"), "转人工"],
        )

    def _check_money(self, talk: Talk, order: Order) -> None:
        kept = tickets.open_one(talk.session, order.customer_id, TicketKind.PAYMENT, order.id)
        last = orders.last_payment(order)
        ticket = kept or tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.PAYMENT,
            subject=f"已扣款未到账：订单 {order.number}",
            detail=f"{talk.text}（{PAYMENT_METHODS[last.method]} {yuan(last.amount_cents)}，{last.status}）"
            if last
            else talk.text,
            conversation=talk.conversation,
            customer_id=order.customer_id,
            order_id=order.id,
            urgent=True,
        )
        lead = "之前已经在核对了" if kept else "我已经请财务核对这笔钱"
        talk.voice.say(
            f"尾号 {order.number[-4:]} 这单我们还没收到付款结果，请先不要再付。{lead}，工单 {ticket.number}，"
            f"最晚 {told(ticket.due_at)} 前答复您：钱到了订单马上生效，没到会原路退回。有扣款截图可以发给我。",
            [button("查进度", "/query_service_progress"), "转人工"],
        )

    def _paid(self, talk: Talk, order: Order) -> None:
        done = [p for p in order.payments if p.status == "succeeded"]
        when = f"{told(done[-1].at)} 用{PAYMENT_METHODS[done[-1].method]}" if done else ""
        if TWICE.search(talk.text):
            talk.voice.say(
                f"尾号 {order.number[-4:]} 这单我们只收到一笔 {yuan(order.total_cents)}（{when}）。"
                "第二笔如果刚扣，银行可能还没划过来，到了会在 24 小时内自动原路退回；也可能是拍了两单，可以看看订单。",
                [button("查我的订单", "/query_order"), "转人工"],
            )
            return
        label = OrderStatus(order.status).label
        text = f"这单付款是成功的，{when}付了 {yuan(order.total_cents)}，现在的状态是“{label}”，不用再付。"
        talk.voice.card(*order_card(order, text))

    def _closed(self, talk: Talk, order: Order) -> None:
        if any(p.status == "succeeded" for p in order.payments):
            talk.voice.say(
                f"尾号 {order.number[-4:]} 这单已经取消，付的钱会原路退回。",
                [button("查退款进度", f'/query_refund{{"order_number": "{order.number}"}}')],
            )
        elif CHARGED.search(talk.text):
            self._check_money(talk, order)
        else:
            talk.voice.say(
                f"尾号 {order.number[-4:]} 这单没有付款，已经关闭了，需要的话重新下单就行，没有产生扣款。", ["转人工"]
            )


def _cancel(order: Order) -> dict[str, str]:
    tail = order.number[-4:]
    return {
        "title": "取消订单",
        "value": f"取消订单 尾号{tail}",
        "payload": f'/cancel_order{{"order_number": "{order.number}"}}',
    }
