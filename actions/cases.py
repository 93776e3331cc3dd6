"""What the requests about delivered goods have in common: one piece, one case, called off or moved while it can be."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from actions import returns_words as words
from actions import when
from actions.answers import warded_off, yes_or_no
from actions.form import Form, interrupts
from actions.talk import Button, Talk, button, order_reference
from core.clock import local, told
from core.errors import Refusal
from core.text import yuan
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from crm.orders.rules import PAYMENT_METHODS, refund_days
from crm.returns import usecases as returns
from crm.returns.models import AfterSalesCase
from crm.returns.rules import (
    CHECK_WORKING_DAYS,
    EXCHANGE_DAYS,
    CaseKind,
    CaseStatus,
    Goods,
    ends_free_return,
    pickup_span,
    pickup_window,
)
from helpdesk.conversations import usecases as conversations
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind
from helpdesk.visits import usecases as visits
from helpdesk.visits.rules import VisitStatus

RIVALS = {"return_goods": "换", "exchange_goods": "退"}  # what one does instead
WEEKDAYS = "一二三四五六日"
NEW, UNDO, MOVE, STATE = "new", "undo", "move", "state"
USED_QUESTION = {
    "unsealed": ("这件商品拆封了吗？（贴身、耗材类拆封后不能无理由退换）", ["没拆封", "已经拆封了"]),
    "activated": ("激活了吗？就是开机联网设置过、插过卡。", ["没激活", "已经激活了"]),
    "installed": ("已经装好了吗？", ["还没装", "已经装好了"]),
}


def pickup_words(moment: datetime) -> str:
    """``11月24日（周二）9–18 点``."""
    there = local(moment)
    return f"{told(moment, with_time=False)}（周{WEEKDAYS[there.weekday()]}）{pickup_window(there.hour)}"


def who_comes(item: OrderItem) -> str:
    """Who picks the goods up."""
    return "安装队" if item.product.size == "large" else "快递员"


def case_words(case: AfterSalesCase) -> str:
    """How a case stands and what comes next."""
    lead = f"{case.item.product.name}的{CaseKind(case.kind).label}单 {case.number} "
    exchange = case.kind == CaseKind.EXCHANGE
    after = "验好就寄新的给您" if exchange else "验好 24 小时内退款"
    match CaseStatus(case.status):
        case CaseStatus.WAITING:
            return f"{lead}已登记，仓库会在 24 小时内寄出，发出后能在物流里看到。"
        case CaseStatus.PICKUP if case.pickup_at is not None:
            return f"{lead}已登记，{pickup_words(case.pickup_at)}{who_comes(case.item)}上门取件。"
        case CaseStatus.RETURNING:
            return f"{lead}东西已取走，正在寄回仓库；到仓后 {CHECK_WORKING_DAYS} 个工作日内验收，{after}。"
        case CaseStatus.CHECKING:
            return f"{lead}仓库正在验收核对，{CHECK_WORKING_DAYS} 个工作日内有结果，{after}。"
        case CaseStatus.SENDING:
            return f"{lead}新的一件已经寄出，请留意快递电话。"
        case status:
            return f"{lead}{status.label}。"


def order_button(title: str, intent: str, order: Order, **entities: str) -> Button:
    """A button that goes on with this order."""
    more = "".join(f', "{k}": "{v}"' for k, v in entities.items())
    return button(title, f'/{intent}{{"order_number": "{order.number}"{more}}}')


class CaseForm(Form):
    """A wish about one delivered piece. ``kinds``: the cases that come of it; ``verb``: what is called off (不退了)."""

    about = "item"
    kinds: ClassVar[tuple[CaseKind, ...]]
    verb: ClassVar[str]
    noun: ClassVar[str]
    within_days: ClassVar[int] = EXCHANGE_DAYS

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Orders signed for not long ago; for calling off, those with an open case."""
        assert talk.access is not None
        if talk.slots.get("undo"):
            return list({c.order_id: c.order for c in self.open_cases(talk)}.values())
        if moved := self._pickups_moved(talk):
            return list({c.order_id: c.order for c in moved}.values())
        found = returns.for_aftersales(talk.session, talk.access, talk.now, self.within_days)
        focus = self._focus(talk)
        named = talk.slots.get("item") or talk.entity("product")
        if named and not any(orders.contains(o, str(named)) for o in found):
            older = orders.visible(talk.session, talk.access)
            found = [o for o in older if orders.contains(o, str(named))] or found
        return found if focus is None or any(o.id == focus.id for o in found) else [focus, *found]

    def _pickups_moved(self, talk: Talk) -> list[AfterSalesCase]:
        """The cases whose pick-up a message wants moved (取件改到周四)."""
        if talk.intent != "reschedule_visit" and not words.moves_pickup(talk.text):
            return []
        return [c for c in self.open_cases(talk) if c.status == CaseStatus.PICKUP]

    def _focus(self, talk: Talk) -> Order | None:
        number = talk.slots.get("focus_order")
        assert talk.access is not None
        return orders.find(talk.session, talk.access, str(number)) if number else None

    def item(self, talk: Talk) -> OrderItem | None:
        """The piece of the open case when it is called off; else as everywhere."""
        order = talk.order()
        if talk.slots.get("undo") and order is not None:
            found = [c.item for c in self.open_cases(talk) if c.order_id == order.id]
            return next((i for i in found if str(i.id) == str(talk.slots.get("item"))), found[0] if found else None)
        return super().item(talk)

    def open_cases(self, talk: Talk) -> list[AfterSalesCase]:
        """The customer's open cases of this kind."""
        assert talk.access is not None
        return returns.open_cases(talk.session, talk.access, self.kinds)

    def case(self, talk: Talk) -> AfterSalesCase | None:
        """The open case of the piece, of whatever kind."""
        item = self.item(talk)
        return returns.open_case(talk.session, item) if item is not None else None

    def replaced(self, talk: Talk) -> AfterSalesCase | None:
        """An open case of the other kind that this wish takes the place of."""
        case = self.case(talk)
        return case if case is not None and CaseKind(case.kind) not in self.kinds and returns.takes_back(case) else None

    def mode(self, talk: Talk) -> str:
        """New; or about the open case: called off, its pick-up moved, or only asked for."""
        if talk.slots.get("undo"):
            return UNDO
        case = self.case(talk)
        if case is None or self.replaced(talk) is not None:
            return NEW
        return MOVE if talk.slots.get("pickup") and case.status == CaseStatus.PICKUP else STATE

    def filled(self, talk: Talk) -> dict[str, Any]:
        """The piece is found first: colours and numbers are read by what it is. A wish to exchange instead of sending
        back (and the other way round) is left to its own form."""
        if not talk.is_command and talk.intent in RIVALS:
            if talk.intent != self.intent and words.turns_to_other(talk.text, self.verb):
                return {}
            if talk.intent == self.intent and words.turns_to_other(talk.text, RIVALS[self.intent]):
                talk.slots["requested_slot"] = None  # the other form's open question is not asked any more
        asked = talk.slots.get("requested_slot")
        if self.read(talk, "undo", False):
            talk.slots["undo"] = True
        if talk.slots.get("item") is None:
            talk.slots["item"] = talk.entity("product")
        named = None
        if talk.access is not None and not talk.slots.get("order_number"):
            talk.slots["order_number"] = named = order_reference(talk)
            self._choose_order(talk)
        got = super().filled(talk)
        sure = talk.slots.get("undo") and asked == "confirm" and "取消" in talk.text
        if sure and "confirm" not in got and not warded_off(talk.text, "取消"):  # 嗯取消 留着用
            got["confirm"] = True
        return {"order_number": named, **got} if named else got

    def next_slot(self, talk: Talk) -> str | None:
        """Nothing to call off is said at once."""
        if talk.access is not None and talk.slots.get("undo") and not self.open_cases(talk):
            talk.slots["confirm"] = False
            return None
        return super().next_slot(talk)

    def needed(self, talk: Talk) -> Sequence[str]:
        """For a new wish: as the feature says."""
        return self.wanted(talk) if self.mode(talk) == NEW else ()

    def wanted(self, talk: Talk) -> Sequence[str]:
        """The own slots a new wish needs."""
        raise NotImplementedError

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """What is common: taking back, state of the goods, number, picture, pick-up."""
        text = talk.text
        match slot:
            case "undo":
                return self._undone(talk) or None
            case "condition":
                said = None if talk.is_command else words.used(text)
                return None if said is None else "used" if said else "intact"
            case "pieces":
                return self._pieces(talk, asked)
            case "photo":
                return words.photo(text, asked)
            case "pickup":
                return self._pickup(talk, asked)
            case _:
                return super().read(talk, slot, asked)

    def _undone(self, talk: Talk) -> bool:
        if talk.is_command:
            return bool(talk.entity("negated")) and talk.intent == self.intent
        return talk.intent in {self.intent, "cancel_order", "deny"} and words.calls_off(talk.text, self.verb)

    def _pieces(self, talk: Talk, asked: bool) -> int | None:
        item = self.item(talk)
        if item is None or item.quantity == 1 or talk.is_command:
            return None
        said = words.number_of(talk.text) if asked else None
        said = int(q) if said is None and (q := talk.entity("quantity")) and q.isdigit() else said
        if said is None or said > item.quantity:
            return None
        return said or item.quantity

    def _pickup(self, talk: Talk, asked: bool) -> str | None:
        said, item, today = when.said(talk), self.item(talk), local(talk.now).date()
        before = str(talk.slots.get("pickup") or "").split()
        corrects = bool(before) and talk.slots.get("requested_slot") == "confirm"
        if not (asked or corrects or words.PICKUP_CUE.search(talk.text) or words.moves_pickup(talk.text)):
            return None
        if said.day is None and not ((asked or corrects) and (said.slot or said.evening)):
            return None
        day = said.day or (date.fromisoformat(before[0]) if corrects else today + timedelta(days=1))
        if not asked and day <= today:
            return None  # 昨天收到的 is no wish for a pick-up
        if said.evening:
            talk.voice.say("晚上没有人上门取件，最晚的是下午 14–18 点。")
        part = "afternoon" if said.evening else said.slot.value if said.slot else before[1] if corrects else "day"
        if item is not None:
            begin = returns.pickup_time(day, part, item, talk.now)
            if local(begin).date() != day:
                talk.voice.say(f"{self._pickup_limits(item, today)}，我先按 {pickup_words(begin)} 给您约。")
        return f"{day.isoformat()} {part}"

    def _pickup_limits(self, item: OrderItem, today: date) -> str:
        first, last = pickup_span(item.product.size, today)
        return f"取件可以约 {first.month}月{first.day}日 到 {last.month}月{last.day}日 之间"

    def pickup_at(self, talk: Talk) -> datetime:
        """The pick-up wished for as it can be booked."""
        item = self.item(talk)
        assert item is not None
        day, part = str(talk.slots["pickup"]).split()
        return returns.pickup_time(date.fromisoformat(day), part, item, talk.now)

    def pieces(self, talk: Talk) -> int:
        """How many pieces it is about."""
        item = self.item(talk)
        return int(talk.slots.get("pieces") or (item.quantity if item else 1))

    def facts(self, talk: Talk) -> Goods:
        """What the rules must know of the piece: on record, or as the customer says."""
        item = self.item(talk)
        assert item is not None
        visit = visits.installation_of(talk.session, item)
        done = visit is not None and visit.status == VisitStatus.DONE
        return returns.goods(item, used=talk.slots.get("condition") == "used", installed=done)

    def asks_condition(self, talk: Talk) -> bool:
        """Whether the state of the goods decides and is not known yet."""
        facts = self.facts(talk)
        end = ends_free_return(facts)
        return end is not None and not getattr(facts, end)

    def has_photo(self, talk: Talk) -> bool:
        """Whether the customer sent a picture in this talk already."""
        lines = conversations.lines(talk.session, talk.conversation.id, max(talk.conversation.last_seq - 30, 0))
        return any(m.sender == "customer" and m.kind == "image" for m in lines)

    def ask(self, talk: Talk, slot: str) -> None:
        """What is common."""
        item = self.item(talk)
        assert item is not None
        match slot:
            case "condition":
                text, ways = USED_QUESTION[ends_free_return(self.facts(talk)) or "unsealed"]
                talk.voice.say(text, ways)
            case "pieces":
                ways = [f"{n} 件" for n in range(1, min(item.quantity, 4))]
                talk.voice.say(
                    f"这一项您买了 {item.quantity} 件，{self.verb}几件？", [*ways, f"全部 {item.quantity} 件"]
                )
            case "photo":
                talk.voice.say(
                    "方便的话拍张照片发给我，把有问题的地方拍清楚，仓库核对会快很多。手边没有也能先办。", ["晚点补照片"]
                )
            case "pickup":
                self._ask_pickup(talk, item)
            case _:
                super().ask(talk, slot)

    def _ask_pickup(self, talk: Talk, item: OrderItem) -> None:
        today = local(talk.now).date()
        first, last = pickup_span(item.product.size, today)
        names = ["明天", "后天", "大后天"][: (last - first).days + 1]
        where = f"取件地址就是收货地址（{item.order.city}，{item.order.recipient}收）"
        talk.voice.say(f"想约哪天{who_comes(item)}上门取件？默认明天 9–18 点，也可以说“后天下午”。{where}。", names)

    def check(self, talk: Talk) -> None:
        """Raises Refusal as soon as the rules forbid it."""
        item = self.item(talk)
        if item is None:
            return
        mode = self.mode(talk)
        if mode == UNDO:
            case = self.case(talk)
            if case is not None:
                returns.check_call_off(case)
        elif mode == NEW:
            self.check_new(talk, item)

    def check_new(self, talk: Talk, item: OrderItem) -> None:
        """Raises Refusal for a new wish."""
        raise NotImplementedError

    def preview(self, talk: Talk) -> str:
        """What would be done. For the state alone nothing is asked."""
        case, mode = self.case(talk), self.mode(talk)
        if mode == NEW:
            return self.preview_new(talk)
        assert case is not None
        if mode == UNDO:
            lead = f"要取消的是{case.item.product.name}的{CaseKind(case.kind).label}单 {case.number}"
            tail = "取件也一并取消，东西您留着用。" if case.pickup_at else "仓库就不再寄出了。"
            return f"{lead}。取消后{tail}确认取消吗？"
        if mode == MOVE:
            return (
                f"{CaseKind(case.kind).label}单 {case.number} 的取件改到 {pickup_words(self.pickup_at(talk))}，确认吗？"
            )
        raise Refusal("", code="state")

    def preview_new(self, talk: Talk) -> str:
        """What a new wish would do."""
        raise NotImplementedError

    def do_new(self, talk: Talk) -> dict[str, Any]:
        """Does it."""
        raise NotImplementedError

    def do(self, talk: Talk) -> dict[str, Any]:
        """By the mode."""
        mode, case = self.mode(talk), self.case(talk)
        if mode == NEW:
            return self.do_new(talk)
        assert case is not None
        order = case.order
        if mode == UNDO:
            returns.call_off(talk.session, case, talk.now)
            back = "不会有人上门取件了，商品您放心用。" if case.pickup_at else "仓库不再寄出。"
            return {
                "text": f"取消好了：{CaseKind(case.kind).label}单 {case.number} 已撤回，{back}期限内想再办，随时找我。",
                "ways": [button("查我的订单", "/query_order")],
            }
        if mode == MOVE:
            returns.move_pickup(talk.session, case, self.pickup_at(talk), talk.now)
            return {"text": f"改好了，{pickup_words(self.pickup_at(talk))}上门取件，请把商品和配件装好。"}
        ways = (
            [order_button("取消" + self.noun, self.intent, order, negated="取消")] if returns.takes_back(case) else []
        )
        if CaseKind(case.kind) == CaseKind.RETURN:
            ways.append(order_button("查退款进度", "query_refund", order))
        return {"text": self._state(talk, case), "ways": [*ways, "转人工"]}

    def _state(self, talk: Talk, case: AfterSalesCase) -> str:
        begin = case.pickup_at
        missed = (
            case.status == CaseStatus.PICKUP and begin is not None and local(talk.now) > local(begin).replace(hour=18)
        )
        if not missed:
            more = (
                "时间不方便，告诉我“取件改到哪天”就行，例如“取件改到后天下午”。"
                if case.status == CaseStatus.PICKUP
                else ""
            )
            return f"{case_words(case)}{more}"
        ticket = tickets.open_one(
            talk.session, case.customer_id, TicketKind.DELIVERY, case.order_id
        ) or tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.DELIVERY,
            subject=f"取件超时：{CaseKind(case.kind).label}单 {case.number}",
            detail=talk.text,
            conversation=talk.conversation,
            customer_id=case.customer_id,
            order_id=case.order_id,
            urgent=True,
        )
        return (
            f"抱歉让您白等了。{case.number} 约的取件时间已经过了还没人来，我建了加急工单 {ticket.number}，"
            f"同事会在 {told(ticket.due_at)} 前联系您重新约好。也可以告诉我“取件改到哪天”。"
        )

    def declined(self, talk: Talk) -> None:
        """Also when there was nothing to call off."""
        if talk.slots.get("undo") and not self.open_cases(talk):
            talk.voice.say(f"好的，明白。您名下没有正在办的{self.noun}，什么都不用再操作。")
        elif talk.slots.get("undo"):
            talk.voice.say(f"好的，{self.noun}照常进行，没有改动。")
        else:
            super().declined(talk)

    def photo_words(self, talk: Talk) -> str:
        """What to do about the picture still to come."""
        return "照片方便时直接发在这里就行。" if talk.slots.get("photo") == "later" else ""

    def described(self, talk: Talk) -> str:
        """The customer's own words for the case, with a note about the picture."""
        return str(talk.slots.get("reason") or "")


def money_words(promised: returns.Quote) -> str:
    """``399元 原路退回微信支付`` with the freight."""
    way = f"{yuan(promised.refund_cents)}原路退回{PAYMENT_METHODS[promised.method]}"
    if promised.covered:
        return f"{way}，取件运费用您的会员免费退货权益，不收钱"
    if promised.freight_cents:
        return f"{way}（已扣 {yuan(promised.freight_cents)} 取件运费）"
    return f"{way}，取件运费我们出"


def when_money(promised: returns.Quote) -> str:
    """When the money is back, counted from the warehouse."""
    return (
        f"仓库收到后 {CHECK_WORKING_DAYS} 个工作日内验收，验好 24 小时内退款，"
        f"{PAYMENT_METHODS[promised.method]}一般再 {refund_days(promised.method)} 个工作日内到账"
    )


def said_reason(talk: Talk, asked: bool) -> str | None:
    """The reason in the customer's words: the answer to the question (also that there is none), or a sentence that
    tells one."""
    if talk.is_command:
        return talk.entity("fault")
    if words.PHOTO in talk.text or yes_or_no(talk.text) is True:
        return None
    if asked and words.tells_no_reason(talk.text):
        return words.UNTOLD
    told = words.gives_reason(talk.text) or words.quality_problem(talk.text, talk.entity("fault")) is not None
    if told or (asked and not interrupts(talk) and not _only_a_pickup(talk)):
        return talk.text[:100]
    return None


def _only_a_pickup(talk: Talk) -> bool:
    """Whether the message says when to fetch the goods, which is no reason (明天下午来取)."""
    return words.PICKUP_CUE.search(talk.text) is not None and when.said(talk).day is not None
