"""Delivered goods: sent back, swapped, what arrived short or bad, and where the money is."""

import re
from collections.abc import Sequence
from typing import Any

from actions import returns_words as words
from actions.cases import (
    CaseForm,
    case_words,
    money_words,
    order_button,
    pickup_words,
    said_reason,
    when_money,
    who_comes,
)
from actions.form import register
from actions.lookup import OrderLookUp
from actions.talk import Talk
from core.clock import told
from core.errors import Refusal
from core.text import yuan
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from crm.orders.rules import PAYMENT_METHODS, OrderStatus, refund_days
from crm.returns import usecases as returns
from crm.returns.models import Refund
from crm.returns.rules import (
    CHECK_WORKING_DAYS,
    RETURN_DAYS,
    RETURN_FREIGHT_CENTS,
    SETTLEMENTS,
    CaseKind,
    Problem,
    RefundStatus,
    Settlement,
    When,
    goods_come_back,
    same_color,
    settlement_for,
)
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind

BAD, FINE = "商品本身有毛病", "没毛病，不想要了"
PACKED = "配件、说明书、赠品请一起放好"


def piece_words(item: OrderItem, pieces: int) -> str:
    """``禾穗 4升IH电饭煲（白色）×1``."""
    return f"{item.product.name}（{item.color}）×{pieces}"


@register
class ReturnGoods(CaseForm):
    """Goods back for money."""

    intent = "return_goods"
    kinds = (CaseKind.RETURN,)
    verb, noun = "退", "退货"
    within_days = RETURN_DAYS
    details = ("undo", "reason", "quality", "condition", "pieces", "photo", "pickup")
    choose_text = "想退哪一笔订单？"
    none_text = "您名下没有可以退的订单。签收后才能退货，还没发货的可以直接取消。"

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Reason and whether it is the goods' fault, from the same words."""
        if slot == "reason":
            return None if talk.slots.get("reason") and not asked else said_reason(talk, asked)
        if slot == "quality":
            return _quality(talk, asked)
        return super().read(talk, slot, asked)

    def wanted(self, talk: Talk) -> Sequence[str]:
        """A picture for faults; the state of the goods where it decides over a change of mind."""
        quality, item = talk.slots.get("quality"), self.item(talk)
        several = item is not None and item.quantity > 1
        if quality is None:
            return "reason", "quality"
        condition = not quality and self.asks_condition(talk)
        return (
            "reason",
            *(["condition"] if condition else []),
            *(["pieces"] if several else []),
            *(["photo"] if quality and not self.has_photo(talk) else []),
            "pickup",
        )

    def ask(self, talk: Talk, slot: str) -> None:
        """Reason first, with the usual ones to choose from."""
        item = self.item(talk)
        assert item is not None
        if slot == "reason":
            talk.voice.say(
                f"好的，{item.product.name}要退货。方便说下原因吗？",
                [BAD, "不喜欢/不合适", "买错了/买多了"],
            )
        elif slot == "quality":
            talk.voice.say(
                "跟您确认一下：是商品本身有毛病，还是没毛病、只是不想要了？（有毛病的运费我们出）", [BAD, FINE]
            )
        else:
            super().ask(talk, slot)

    def check_new(self, talk: Talk, item: OrderItem) -> None:
        """Until the reason is known: only what no reason would help."""
        quality, facts, old = talk.slots.get("quality"), self.facts(talk), self.replaced(talk)
        try:
            returns.check_return(talk.session, item, talk.now, quality=quality is not False, facts=facts, replacing=old)
        except Refusal:
            if quality is None:  # said without taking a fault for granted
                returns.check_return(talk.session, item, talk.now, quality=False, facts=facts, replacing=old)
            raise

    def preview_new(self, talk: Talk) -> str:
        """Goods, pick-up, money."""
        item, pieces, quality = self.item(talk), self.pieces(talk), bool(talk.slots.get("quality"))
        assert item is not None
        promised = returns.quote(talk.session, item, talk.now, quality=quality, pieces=pieces)
        old = self.replaced(talk)
        lead = f"原来的{CaseKind(old.kind).label}单 {old.number} 会取消，改为退货。" if old else ""
        return (
            f"{lead}跟您核对一下退货：{piece_words(item, pieces)}；"
            f"{pickup_words(self.pickup_at(talk))}{who_comes(item)}上门取件，"
            f"{PACKED}。{money_words(promised)}。{when_money(promised)}。确认提交吗？"
        )

    def do_new(self, talk: Talk) -> dict[str, Any]:
        """Booked, and what happens when."""
        item = self.item(talk)
        assert item is not None
        case, promised = returns.book_return(
            talk.session,
            item,
            talk.now,
            reason=self.described(talk),
            quality=bool(talk.slots.get("quality")),
            facts=self.facts(talk),
            pieces=self.pieces(talk),
            pickup_at=self.pickup_at(talk),
            replacing=self.replaced(talk),
        )
        coupon = (
            "整单退完后，用掉的优惠券没过期会还给您。" if item.order.coupon_id and len(item.order.items) == 1 else ""
        )
        return {
            "text": f"退货登记好了，单号 {case.number}。"
            f"{pickup_words(self.pickup_at(talk))}上门取件，取走时请留好寄件单号。"
            f"{when_money(promised)}，共 {yuan(promised.refund_cents)}。{coupon}{self.photo_words(talk)}",
            "ways": [
                order_button("查退款进度", "query_refund", item.order),
                order_button("取消退货", self.intent, item.order, negated="取消"),
            ],
        }


@register
class ExchangeGoods(CaseForm):
    """The same product again, in the same or another colour."""

    intent = "exchange_goods"
    kinds = (CaseKind.EXCHANGE,)
    verb, noun = "换", "换货"
    details = ("undo", "reason", "quality", "color", "condition", "pieces", "photo", "pickup")
    choose_text = "想换哪一笔订单里的商品？"
    none_text = "您名下没有可以换的订单。签收后才能换货，还没发货的想换颜色可以取消重拍。"

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The colour is one of the product's own; the reason and the fault from the same words."""
        if slot == "reason":
            return None if talk.slots.get("reason") and not asked else said_reason(talk, asked)
        if slot == "quality":
            return _quality(talk, asked)
        if slot == "color":
            return self._color(talk)
        return super().read(talk, slot, asked)

    def _color(self, talk: Talk) -> str | None:
        item = self.item(talk)
        if item is None or talk.is_command:
            return None
        text = talk.text
        tail = text[text.rindex("换") :] if "换" in text else text
        said = same_color(tail, item.product.colors)
        return said if said != item.color or "原色" in text else None

    def wanted(self, talk: Talk) -> Sequence[str]:
        """The colour is asked for when it is the wish itself, or when the same one is out of stock."""
        quality, item = talk.slots.get("quality"), self.item(talk)
        if quality is None or item is None:
            return "reason", "quality"
        out = item.color not in returns.in_stock(talk.session, item, self.pieces(talk))
        condition = not quality and self.asks_condition(talk)
        return (
            "reason",
            *(["condition"] if condition else []),
            *(["pieces"] if item.quantity > 1 else []),
            *(["color"] if not quality or out else []),
            *(["photo"] if quality and not self.has_photo(talk) else []),
            "pickup",
        )

    def next_slot(self, talk: Talk) -> str | None:
        """A colour that is out of stock is said, and another one asked for."""
        item, color = self.item(talk) if talk.access else None, talk.slots.get("color")
        if item is not None and color and color not in returns.in_stock(talk.session, item, self.pieces(talk)):
            others = returns.in_stock(talk.session, item, self.pieces(talk))
            if others:
                talk.voice.say(f"{color}暂时没有现货了，现在能换的是{'、'.join(others)}。")
            talk.slots["color"] = None
        return super().next_slot(talk)

    def ask(self, talk: Talk, slot: str) -> None:
        """The reason decides over the span; the colours offered are in stock."""
        item = self.item(talk)
        assert item is not None
        quality = talk.slots.get("quality")
        if slot == "reason":
            talk.voice.say(f"好的，{item.product.name}要换货。是哪里不合适呢？", [BAD, "想换个颜色"])
        elif slot == "quality":
            talk.voice.say(
                "跟您确认一下：是商品本身有毛病，还是没毛病、想换个颜色？（有毛病的来回运费我们出）",
                [BAD, "想换个颜色"],
            )
        elif slot == "color":
            there = returns.check_colors(
                talk.session, item, self.pieces(talk), other_than=None if quality else item.color
            )
            lead = f"{item.color}刚好没有现货了，" if quality else ""
            talk.voice.say(f"{lead}想换成哪个颜色？现在有现货的是：", there)
        else:
            super().ask(talk, slot)

    def check_new(self, talk: Talk, item: OrderItem) -> None:
        """Other products are no exchange; then the span, the state and the stock."""
        if not talk.is_command and words.wants_other_product(talk.text):
            raise Refusal(
                "换货只能换同一款商品（可以换颜色），换别的型号或补差价这边做不了。"
                "您可以先退货，再下单想要的那款，两件事可以同时办，不用等退款到账。",
                code="other_product",
                way_on=("我要退货", "推荐一款", "转人工"),
            )
        quality = talk.slots.get("quality")
        facts = self.facts(talk)
        returns.check_exchange(
            talk.session, item, talk.now, quality=quality is not False, facts=facts, replacing=self.replaced(talk)
        )
        if quality is not None:
            other_than = None if quality else item.color
            returns.check_colors(talk.session, item, self.pieces(talk), other_than=other_than)

    def preview_new(self, talk: Talk) -> str:
        """Goods, colour, pick-up, freight."""
        item, pieces, quality = self.item(talk), self.pieces(talk), bool(talk.slots.get("quality"))
        assert item is not None
        color = talk.slots.get("color") or item.color
        old = self.replaced(talk)
        lead = f"原来的{CaseKind(old.kind).label}单 {old.number} 会取消，改为换货。" if old else ""
        what = "换同款新的" if color == item.color else f"换成{color}"
        return (
            f"{lead}跟您核对一下换货：{piece_words(item, pieces)}，{what}；"
            f"{pickup_words(self.pickup_at(talk))}{who_comes(item)}上门取件，{PACKED}。"
            f"{self._freight(talk, item, quality)}。"
            f"仓库收到后 {CHECK_WORKING_DAYS} 个工作日内验好，马上寄新的给您。确认提交吗？"
        )

    def _freight(self, talk: Talk, item: OrderItem, quality: bool) -> str:
        promised = returns.quote(talk.session, item, talk.now, quality=quality, pieces=self.pieces(talk))
        if promised.covered:
            return "取件运费用您的会员免费退换权益，不收钱"
        if promised.freight_cents:
            return f"取件运费 {yuan(RETURN_FREIGHT_CENTS[item.product.size])}取件时付，寄新的运费我们出"
        return "来回运费我们出"

    def do_new(self, talk: Talk) -> dict[str, Any]:
        """Booked, and what happens when."""
        item = self.item(talk)
        assert item is not None
        case = returns.book_exchange(
            talk.session,
            item,
            talk.now,
            reason=self.described(talk),
            quality=bool(talk.slots.get("quality")),
            facts=self.facts(talk),
            pieces=self.pieces(talk),
            color=talk.slots.get("color") or item.color,
            pickup_at=self.pickup_at(talk),
            replacing=self.replaced(talk),
        )
        return {
            "text": f"换货登记好了，单号 {case.number}。{pickup_words(self.pickup_at(talk))}上门取件；"
            f"仓库收到后 {CHECK_WORKING_DAYS} 个工作日内验好，寄出新的（{case.wanted_color}）时会通知您。"
            f"{self.photo_words(talk)}",
            "ways": [order_button("取消换货", self.intent, item.order, negated="取消")],
        }


def _quality(talk: Talk, asked: bool) -> bool | None:
    if talk.is_command:
        return True if talk.entity("fault") else None
    if talk.slots.get("quality") is not None and not asked:
        return None
    return words.quality_problem(talk.text, talk.entity("fault"))


PROBLEM_TITLES = {
    "少了整件商品": Problem.MISSING,
    "少了配件": Problem.PART,
    "没收到赠品": Problem.GIFT,
    "发错了": Problem.WRONG,
    "收到有破损": Problem.DAMAGED,
    "到手就用不了": Problem.FAULTY,
}


@register
class ReportItemProblem(CaseForm):
    """What arrived short, wrong, damaged or faulty is sent again, swapped or paid back; later a person looks at it."""

    intent = "report_item_problem"
    kinds = tuple(CaseKind)
    verb, noun = "补", "售后"
    details = ("undo", "problem", "reason", "pieces", "settlement", "photo", "pickup")
    choose_text = "是哪一笔订单里的商品有问题？"
    none_text = "您名下没有已经签收的订单。如果是用别的账号下的单，把订单号发给我就能查。"

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """What is wrong and what is wished for, wherever it is said."""
        text = talk.text
        if slot == "problem":
            if text in PROBLEM_TITLES:
                return PROBLEM_TITLES[text].value
            if talk.is_command or (talk.slots.get("problem") and not asked):
                return None
            found = words.problem(text, talk.entity("fault"))
            return found.value if found else None
        if slot == "reason":
            new = not talk.slots.get("reason") and not talk.is_command and talk.intent == self.intent
            return text[:100] if new else None
        if slot == "settlement":
            other = talk.slots.get("requested_slot") in {"photo", "pickup", "pieces"}  # 晚点补照片 is no wish
            wish = None if talk.is_command or other else words.settlement(text)
            return wish.value if wish else None
        return super().read(talk, slot, asked)

    def _undone(self, talk: Talk) -> bool:
        plain = not talk.is_command and talk.intent == self.intent
        return super()._undone(talk) or (
            plain and bool(re.search(r"(反馈|登记|售后).{0,4}(撤|取消)|我数错了|找到了", talk.text))
        )

    def problem(self, talk: Talk) -> Problem | None:
        """What is wrong, as far as known."""
        said = talk.slots.get("problem")
        return Problem(said) if said else None

    def settlement(self, talk: Talk, problem: Problem) -> Settlement:
        """The wish as it can be made good."""
        said = talk.slots.get("settlement")
        return settlement_for(problem, Settlement(said)) if said else SETTLEMENTS[problem][0]

    def wanted(self, talk: Talk) -> Sequence[str]:
        """How it is made good is asked where there is a choice; a pick-up where something comes back."""
        problem, item = self.problem(talk), self.item(talk)
        if problem is None or item is None:
            return ("problem",)
        whole = problem not in {Problem.PART, Problem.GIFT}
        choice = len(SETTLEMENTS[problem]) > 1
        back = talk.slots.get("settlement") and goods_come_back(problem, self.settlement(talk, problem))
        late = self._when(talk, item) != When.IN_TIME
        return (
            "problem",
            *(["pieces"] if whole and item.quantity > 1 else []),
            *(["settlement"] if choice else []),
            *(["photo"] if not self.has_photo(talk) else []),
            *(["pickup"] if back and not late else []),
        )

    def _when(self, talk: Talk, item: OrderItem) -> When:
        return returns.check_report(talk.session, item, talk.now, self.problem(talk), self.facts(talk))

    def next_slot(self, talk: Talk) -> str | None:
        """A wish that stock does not allow is said, and asked for again."""
        item, problem = self.item(talk) if talk.access else None, self.problem(talk)
        if item is not None and problem is not None and talk.slots.get("settlement") and self.mode(talk) == "new":
            there = returns.settlements(talk.session, item, problem, self.pieces(talk))
            wish = self.settlement(talk, problem)
            if wish not in there:
                talk.voice.say(f"{item.product.name}（{item.color}）刚好没有现货了，暂时没法{wish.label}。")
                talk.slots["settlement"] = None
        return super().next_slot(talk)

    def ask(self, talk: Talk, slot: str) -> None:
        """Sorry first."""
        item, problem = self.item(talk), self.problem(talk)
        assert item is not None
        if slot == "problem":
            talk.voice.say(f"抱歉让您收到这样的{item.product.name}。具体是哪种情况？", list(PROBLEM_TITLES))
        elif slot == "settlement" and problem is not None:
            there = returns.settlements(talk.session, item, problem, self.pieces(talk))
            talk.voice.say(
                f"抱歉，{item.product.name}{problem.label}，是我们没做好。您希望怎么处理？运费都由我们出。",
                [s.label for s in there],
            )
        else:
            super().ask(talk, slot)

    def check_new(self, talk: Talk, item: OrderItem) -> None:
        """By the span of 48 hours; something too many is thanked for."""
        if not talk.is_command and words.MORE_SENT.search(talk.text):
            raise Refusal(
                "谢谢您特意告诉我！多出来的请先别拆用、放着就好，我请同事核对后安排免费上门取回，不用您出任何费用。",
                code="sent_more",
                way_on=("转人工",),
            )
        returns.check_report(talk.session, item, talk.now, self.problem(talk), self.facts(talk))

    def preview_new(self, talk: Talk) -> str:
        """What is sent, swapped or paid back; late: that a person looks at it."""
        item, problem, pieces = self.item(talk), self.problem(talk), self.pieces(talk)
        assert item is not None and problem is not None
        wish = self.settlement(talk, problem)
        if self._when(talk, item) == When.LATE:
            return (
                f"签收已经过了 48 小时，{piece_words(item, pieces)}“{problem.label}”"
                "要由同事看过照片、核对发货记录后才能定，"
                f"我先帮您登记，希望{wish.label}，2 天内给您答复。要登记吗？"
            )
        back = goods_come_back(problem, wish)
        pick = f"{pickup_words(self.pickup_at(talk))}{who_comes(item)}上门取走原来那件，" if back else ""
        lead = f"跟您核对一下：{piece_words(item, pieces)}，{problem.label}，给您{wish.label}。"
        if wish == Settlement.RESEND:
            what = {Problem.GIFT: "赠品", Problem.PART: "缺的配件"}.get(problem, "缺的商品")
            only = "赠品没有单独计价，没法折现，" if talk.slots.get("settlement") == "refund" else ""
            return f"{lead}{only}仓库 24 小时内补寄{what}，运费我们出。确认提交吗？"
        if wish == Settlement.EXCHANGE:
            return (
                f"{lead}{pick}仓库收到后 {CHECK_WORKING_DAYS} 个工作日内验好，马上寄新的，来回运费我们出。确认提交吗？"
            )
        promised = returns.quote(talk.session, item, talk.now, quality=True, pieces=pieces, comes_back=back)
        if back:
            return f"{lead}{pick}{money_words(promised)}。{when_money(promised)}。确认提交吗？"
        method = PAYMENT_METHODS[promised.method]
        days = refund_days(promised.method)
        return (
            f"{lead}仓库 1 个工作日内核对发货记录，{yuan(promised.refund_cents)}原路退回{method}，"
            f"之后 {days} 个工作日内到账，东西不用寄。确认提交吗？"
        )

    def do_new(self, talk: Talk) -> dict[str, Any]:
        """A case, or late a ticket."""
        item, problem = self.item(talk), self.problem(talk)
        assert item is not None and problem is not None
        wish = self.settlement(talk, problem)
        reason = f"{problem.label}：{self.described(talk)}".rstrip("：")
        if self._when(talk, item) == When.LATE:
            return self._ticket(talk, item, problem, wish, reason)
        back = goods_come_back(problem, wish)
        case, promised = returns.settle_problem(
            talk.session,
            item,
            talk.now,
            problem=problem,
            wanted=wish,
            reason=reason,
            facts=self.facts(talk),
            pieces=self.pieces(talk),
            pickup_at=self.pickup_at(talk) if back else None,
        )
        pick = f"{pickup_words(self.pickup_at(talk))}上门取件，{PACKED}。" if back else ""
        then = {
            Settlement.RESEND: "仓库 24 小时内补寄，寄出后会通知您。",
            Settlement.EXCHANGE: f"仓库收到后 {CHECK_WORKING_DAYS} 个工作日内验好，寄出新的时会通知您。",
            Settlement.REFUND: f"{when_money(promised)}，共 {yuan(promised.refund_cents)}。"
            if back
            else f"核对好后 {yuan(promised.refund_cents)}原路退回{PAYMENT_METHODS[promised.method]}，"
            f"最晚 {self._due(talk, case.order)} 前到账。",
        }[wish]
        ways = [order_button("查退款进度", "query_refund", item.order)] if wish == Settlement.REFUND else []
        if returns.takes_back(case):
            ways.append(order_button("取消这单售后", self.intent, item.order, negated="取消"))
        return {
            "text": f"登记好了，单号 {case.number}，再次跟您说声抱歉。{pick}{then}{self.photo_words(talk)}",
            "ways": ways,
        }

    def _due(self, talk: Talk, order: Order) -> str:
        due = next((r.due_at for r in returns.refunds_of(talk.session, order) if r.due_at), None)
        return told(due, with_time=False) if due else "几天"

    def _ticket(self, talk: Talk, item: OrderItem, problem: Problem, wish: Settlement, reason: str) -> dict[str, Any]:
        order = item.order
        ticket = tickets.open_one(talk.session, order.customer_id, TicketKind.OTHER, order.id) or tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.OTHER,
            subject=f"超 48 小时反馈：{item.product.name} {problem.label}（订单 {order.number}）",
            detail=f"{reason}；希望{wish.label}；照片{'待补' if talk.slots.get('photo') == 'later' else '在会话里'}",
            conversation=talk.conversation,
            customer_id=order.customer_id,
            order_id=order.id,
        )
        return {
            "text": f"登记好了，工单 {ticket.number}，同事会在 {told(ticket.due_at)} 前核对完给您答复。"
            f"请把包装和商品先留着。{self.photo_words(talk)}",
            "ways": ["查工单进度", "转人工"],
        }


REFUND_KINDS = {
    "cancelled": "取消订单",
    "returned": "退货",
    "surplus": "多付的款",
    "price_protection": "价保差价",
    "lost": "包裹丢失",
}
TOO_LITTLE = re.compile(r"少退|退少|退的?少|金额不对|不对数|没给全|没退全|只退|怎么才|扣")


class QueryRefund(OrderLookUp):
    """Where the money is; what is late or failed goes to a person at once."""

    intent = "query_refund"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders with money on its way; without any, those whose money came back."""
        assert talk.access is not None
        return returns.with_money(talk.session, talk.access)

    def none_found(self, talk: Talk) -> None:
        """No money goes back."""
        talk.voice.say(
            "您名下现在没有退款。退款都是原路退回：微信、支付宝、余额 1 个工作日内，储蓄卡、花呗、白条 1–3 个，"
            "信用卡 3–7 个工作日。还没发货的订单可以取消，签收的可以申请退货。",
            ["取消订单", "我要退货", "转人工"],
        )

    def about(self, talk: Talk, order: Order) -> None:
        """Each amount: how much, where to, where it is, and by when."""
        lines = [self._line(talk, order, refund) for refund in returns.refunds_of(talk.session, order)]
        for granted in returns.protections(talk.session, order):
            when = (
                f"已在 {told(granted.paid_at, with_time=False)} 退回"
                if granted.paid_at
                else f"处理中，最晚 {told(granted.due_at, with_time=False)} 前退回"
            )
            method = PAYMENT_METHODS[orders.paid_method(order)]
            lines.append(f"价保差价 {yuan(granted.amount_cents)}，原路退回{method}：{when}。")
            if granted.paid_at is None and granted.due_at < talk.now:
                lines.append(self._ticket(talk, order, "价保差价超时未到"))
        if surplus := returns.surplus_cents(order):
            lines.append(f"重复支付的 {yuan(surplus)}：24 小时内自动原路退回，不用您操作。")
        if not lines:
            self._no_money(talk, order)
            return
        if TOO_LITTLE.search(talk.text):
            lines.append(
                "退的是这件商品当时实际付的钱，券和积分抵掉的部分不会变成现金；不是质量问题的退货会扣取件运费。"
                "觉得数目不对，我请同事逐项给您核对。"
            )
        talk.voice.say(f"尾号 {order.number[-4:]} 的订单：\n" + "\n".join(lines), ["转人工"])

    def _line(self, talk: Talk, order: Order, refund: Refund) -> str:
        method = PAYMENT_METHODS.get(refund.method, "原支付方式")
        lead = f"{REFUND_KINDS.get(refund.kind, '退款')} {yuan(refund.amount_cents)}，原路退回{method}："
        due = told(refund.due_at, with_time=False) if refund.due_at else ""
        if returns.late(refund, talk.now):
            return f"{lead}本该在 {due} 前到账，已经超时了，抱歉。" + self._ticket(
                talk, order, f"退款超时：{due} 前应到账"
            )
        match RefundStatus(refund.status):
            case RefundStatus.WAITING_GOODS:
                case = returns.case_of(talk.session, refund)
                where = case_words(case) if case else "等货退回仓库，收到后 2 个工作日内验收，验好 24 小时内退款。"
                return f"{lead}等商品退回。{where}"
            case RefundStatus.APPROVED:
                return f"{lead}已审核通过，正在办理退出，最晚 {due} 前到账。"
            case RefundStatus.SENT:
                sent = f"{told(refund.sent_at)} " if refund.sent_at else ""
                return f"{lead}{sent}已经退出，等{self._where(refund.method)}入账，最晚 {due} 前能看到。"
            case RefundStatus.ARRIVED:
                at = told(refund.arrived_at) if refund.arrived_at else ""
                return f"{lead}{at} 已到账，请在{self._where(refund.method)}的账单里看这笔。"
            case RefundStatus.FAILED:
                return f"{lead}没退成功，款项还在我们这里，很安全。" + self._ticket(talk, order, "退款失败，需重新退出")

    def _where(self, method: str) -> str:
        return "银行" if method in {"debit_card", "credit_card", "transfer"} else PAYMENT_METHODS.get(method, "平台")

    def _ticket(self, talk: Talk, order: Order, why: str) -> str:
        ticket = tickets.open_one(talk.session, order.customer_id, TicketKind.PAYMENT, order.id) or tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.PAYMENT,
            subject=f"{why}（订单 {order.number}）",
            detail=talk.text,
            conversation=talk.conversation,
            customer_id=order.customer_id,
            order_id=order.id,
            urgent=True,
        )
        return f"我已请财务同事加急核对，工单 {ticket.number}，{told(ticket.due_at)} 前给您答复。"

    def _no_money(self, talk: Talk, order: Order) -> None:
        status, tail = OrderStatus(order.status), order.number[-4:]
        if status == OrderStatus.CANCELLED:
            talk.voice.say(f"尾号 {tail} 的订单取消时还没有付款，没有扣过钱，所以没有退款。", ["查我的订单", "转人工"])
        elif status == OrderStatus.DELIVERED:
            talk.voice.say(
                f"尾号 {tail} 的订单还没有申请过退款。要退的话我现在帮您办。",
                [order_button("我要退货", "return_goods", order)],
            )
        else:
            ways = (
                [order_button("取消订单", "cancel_order", order)]
                if status in {OrderStatus.UNPAID, OrderStatus.PAID}
                else []
            )
            talk.voice.say(f"尾号 {tail} 的订单现在是“{status.label}”，还没有退款。", [*ways, "转人工"])
