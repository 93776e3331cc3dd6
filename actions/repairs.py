"""Faults reported, warranty looked up."""

import re
from datetime import date
from typing import Any

from rasa_sdk.events import EventType, FollowupAction

from actions.answers import corrects
from actions.cards import article_card, orders_card
from actions.form import interrupts, register, yes_or_no
from actions.lookup import OrderLookUp
from actions.talk import Talk, button
from actions.visits import ItemVisitForm, chosen, where
from core.clock import local
from core.text import mask_phone, yuan
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from crm.orders.rules import OrderStatus
from helpdesk.visits import usecases as visits
from helpdesk.visits.rules import EXCHANGE_DAYS, RepairPlan, Warranty, Way
from helpdesk.visits.usecases import told_day, told_visit
from knowledge_base import usecases as knowledge

COMPRESSOR_OR_MOTOR = {"冰箱", "冷柜", "空调", "洗衣机", "烘干机"}
VAGUE = {"坏了", "报错"}
FAULT_CHARS = 60
SYMPTOM = re.compile(
    r"漏|响|异味|焦味|烧了|冒烟|碎|裂|黑屏|花屏|闪|卡住|卡纸|死机|断网|断线|报警|跳闸|[EFef]\d|松了|掉了|堵|鼓包|失灵|没反应|没声"
    r"|罢工|开不了|打不开|充不|连不上|进水|自动关机|吸力|不(?:制|加热|出|转|动|亮|通电|排|脱|冷|热|凉|启|识别|工作|冻|充)"
)
SERIAL = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]*[A-Za-z])(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{10,20}(?![A-Za-z0-9])")
WISH = re.compile(
    r"师傅|上门|报个?修|来看|来修|来人|要修|怎么修|能修|派人|安排|约|维修|送修"
)  # not what is wrong with it
WITHDRAWN = re.compile(
    r"不修了(?!吗)|不用修|别修|自己好了|报修不用|不用(?:再)?报修|不报修|(?:没|没有|不是)(?:说|要|想)(?:要)?(?:报修|维修)|不是报修|不用上门(?:了|[，, ]*算了)|我说(?:的是)?买"
)
CASE_NUMBER = re.compile(r"^(GD|WX|AS)\d{10}$", re.I)
OWN = re.compile(
    r"我|还在|到什么时候|到几时|到何时|啥时候过|过保|查|到期|到哪天|到啥时候|什么时候到|在不在保|有没有保|序列号|\d{8}"
)


def serial_number(talk: Talk) -> str | None:
    """A serial number in the message."""
    named = talk.entity("serial_number")
    if named:
        return named
    found = None if talk.is_command else SERIAL.search(talk.text)
    return found.group() if found and not CASE_NUMBER.match(found.group()) and not talk.entity("tax_number") else None


@register
class RequestRepair(ItemVisitForm):
    """A fault: the engineer comes, or the courier fetches it. Warranty and cause decide the fee."""

    intent = "request_repair"
    details = ("fault", "visit_day", "visit_slot")
    choose_text = "是哪一单里的商品要修？"
    none_text = "您名下没有已签收的商品可以报修。如果是别的账号买的，把订单号发给我就能登记。"

    def likely(self, talk: Talk, item: OrderItem) -> bool:
        """Signed for and no consumable."""
        return item.order.status == OrderStatus.DELIVERED and not item.product.consumable

    def filled(self, talk: Talk) -> dict[str, Any]:
        """A serial number says which piece as well."""
        got = super().filled(talk)
        serial = serial_number(talk)
        item = visits.find_serial(talk.session, talk.access, serial) if serial and talk.access else None
        if item is not None:
            got |= {"order_number": item.order.number, "item": str(item.id)}
        return got

    def unwanted(self, talk: Talk) -> bool:
        """A withdrawn report, or none at all."""
        return self._withdrawn(talk) or super().unwanted(talk)

    def averted(self, talk: Talk) -> str | None:
        """Nothing is registered; a visit that is booked can be called off."""
        if not self._withdrawn(talk):
            return super().averted(talk)
        talk.voice.say(
            "好的，没登记的报修我就不办了。已经约好的上门，可以帮您取消。", ["取消上门", "查维修进度", "转人工"]
        )
        return None

    def _withdrawn(self, talk: Talk) -> bool:
        return talk.entity("negated") is not None or (not talk.is_command and WITHDRAWN.search(talk.text) is not None)

    def check(self, talk: Talk) -> None:
        """Raises Refusal for what is not there, consumables, and what is reported already."""
        item = self.item(talk)
        if item is not None:
            visits.check_repair(talk.session, item)

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The fault as described, whole; the day and half-day."""
        if slot == "fault":
            return self._fault(talk, asked)
        return super().read(talk, slot, asked)

    def _fault(self, talk: Talk, asked: bool) -> str | None:
        text = talk.text.strip()
        if talk.is_command or (talk.slots.get("fault") and not asked):
            return None
        if asked:
            if corrects(text) and (faults := talk.entities("fault")):
                return "、".join(faults)  # 不是手机 是冰箱漏水: only the end is the fault
            said = len(text) >= 2 and yes_or_no(talk) is None and not interrupts(talk)
            return text[:200] if said else None
        if talk.slots.get("requested_slot") is not None:
            return None  # the answer to another question
        named = [f for f in talk.entities("fault") if f not in VAGUE]
        if not named and not SYMPTOM.search(text):
            return None
        clauses = [c for c in re.split(r"[，,。；;！!？?\s]+", text) if c and not WISH.search(c)]
        told = "，".join(clauses) or "、".join(named) or text
        return told if len(told) <= FAULT_CHARS else "、".join(named) or told[:FAULT_CHARS]

    def needed(self, talk: Talk) -> tuple[str, ...]:
        """A time only when somebody comes."""
        return self.details if self._plan(talk).way == Way.VISIT else ("fault",)

    def _plan(self, talk: Talk) -> RepairPlan:
        item = self.item(talk)
        assert item is not None
        return visits.repair_plan(item, str(talk.slots.get("fault") or ""), talk.now)

    def ask(self, talk: Talk, slot: str) -> None:
        """What is wrong with it."""
        item = self.item(talk)
        if slot == "fault" and item is not None:
            talk.voice.say(f"{item.product.name}出了什么问题？说说现象就行，比如“不制冷”“显示 E1”，师傅好提前备配件。")
            return
        super().ask(talk, slot)

    def preview(self, talk: Talk) -> str:
        """Who comes or fetches it, when, and what it costs."""
        item, plan = self.item(talk), self._plan(talk)
        assert item is not None
        order = item.order
        lead = f"给您登记报修：{item.product.name}，现象“{talk.slots['fault']}”。"
        contact = f"地址：{where(order)}，电话 {mask_phone(order.phone)}。"
        if plan.way == Way.VISIT:
            day, slot = chosen(talk)
            assert day is not None and slot is not None
            visits.check_day(day, talk.now, order.city)
            return f"{lead}{told_day(day)}{slot.label} 师傅上门，{contact}{self._cost(item, plan, talk)}确认登记吗？"
        fetched = f"{told_day(visits.pick_up_day(talk.now))}9–18 点快递上门取件，来回运费我们出，"
        return f"{lead}{fetched}{contact}{self._cost(item, plan, talk)}确认登记吗？"

    def _cost(self, item: OrderItem, plan: RepairPlan, talk: Talk) -> str:
        covered = visits.warranty_of(item)
        assert covered is not None
        today = local(talk.now).date()
        if plan.swap:
            return "签收 180 天内，确认是产品自身故障就直接换同款，不收费。"
        if plan.in_warranty:
            swap = "签收还在 15 天内，您也可以改为换新。" if (today - covered.from_day).days <= EXCHANGE_DAYS else ""
            return f"在保修期内（到 {_day(covered.whole)}），产品自身的故障修理不收费。{swap}"
        if plan.excluded and covered.covers(today):
            visit = f"上门费 {yuan(plan.fee_cents)}（修了就免），" if plan.fee_cents else ""
            return (
                f"在保修期内（到 {_day(covered.whole)}），检测是产品自身的故障就不收费；"
                f"如果查出是{plan.excluded}造成的，不在免费保修范围，{visit}配件先报价，您同意了才动工。"
            )
        why = f"保修到 {_day(covered.whole)}，已经过保，"
        parts = f"{main_parts(item)}还在保，" if not plan.excluded and covered.covers_main_parts(today) else ""
        visit = f"上门费 {yuan(plan.fee_cents)}，修了就免；" if plan.fee_cents else "检测不收费；"
        return f"{why}{parts}{visit}配件先报价，您同意了才动工。"

    def do(self, talk: Talk) -> dict[str, Any]:
        """Registered, with the number and what happens next."""
        item = self.item(talk)
        assert item is not None
        day, slot = chosen(talk)
        repair, visit = visits.report_fault(talk.session, item, talk.now, str(talk.slots["fault"]), day=day, slot=slot)
        if visit is not None:
            return {
                "text": f"登记好了，维修单 {repair.number}。{told_visit(visit)}师傅上门，出发前会打电话给您。"
                "在这之前请先断电停用；要改时间，开始前 2 小时以上告诉我就行。",
                "ways": [button("改上门时间", "/reschedule_visit"), button("查维修进度", "/query_service_progress")],
            }
        data = "手机、电脑请先备份资料、退出账号，取出卡。" if item.product.activates else ""
        return {
            "text": f"登记好了，维修单 {repair.number}。{told_day(visits.pick_up_day(talk.now))}9–18 点快递上门取件，"
            f"请把机器和充电配件一起包好。{data}收到后先检测，结果和费用都会先告诉您。",
            "ways": [button("查维修进度", "/query_service_progress")],
        }


class QueryWarranty(OrderLookUp):
    """Until when the own goods are covered; questions about the rule are answered from the knowledge base."""

    intent = "query_warranty"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """By serial number, by order, by product; a general question by its article."""
        if self._general(talk):
            return None
        assert talk.access is not None
        serial = serial_number(talk)
        if serial:
            item = visits.find_serial(talk.session, talk.access, serial)
            if item is None:
                talk.voice.say(
                    f"在您名下没有查到序列号 {serial} 的商品，可能抄错了一位，或是用别的账号买的。发订单号给我也能查。",
                    [button("按订单查", "/query_warranty"), "转人工"],
                )
                return None
            self._tell(talk, item)
            return {"focus_order": item.order.number}
        return super().answer(talk)

    def _verify_first(self, talk: Talk, form: str | None) -> list[EventType]:
        # a question about the rule needs no name
        if self._general(talk):
            return [FollowupAction(form)] if form else []
        return super()._verify_first(talk, form)

    def _general(self, talk: Talk) -> bool:
        """Answers a question about the rule from the knowledge base; False when it is about the own goods."""
        if talk.is_command or talk.entity("order_number") or serial_number(talk) or OWN.search(talk.text):
            return False
        result = knowledge.search(talk.session, talk.text)
        if result.decision != "answer":
            return False
        talk.voice.card(*article_card(result.hits[0]))
        talk.voice.say("想知道您手上那台保到哪天，我可以现在查。", [button("查我的保修", "/query_warranty")])
        return True

    def about(self, talk: Talk, order: Order) -> None:
        """Every piece of the order, or the named one."""
        named = talk.entity("product")
        items = [i for i in order.items if named and orders.is_product(i.product, named)] or list(order.items)
        for item in items:
            self._tell(talk, item)

    def candidates(self, talk: Talk) -> list[Order]:
        """Signed for, with something that has a warranty first."""
        found = super().candidates(talk)
        return [o for o in found if o.status == OrderStatus.DELIVERED] or list(found)

    def choose(self, talk: Talk, found: Any) -> None:
        """Which thing is meant."""
        payload = f'/{self.intent}{{{{"order_number": "{{number}}"}}}}'
        text = "想查哪一单的保修？直接发机身上的序列号也行。"
        talk.voice.card(*orders_card(found, text, "查保修", payload))

    def _tell(self, talk: Talk, item: OrderItem) -> None:
        covered, name = visits.warranty_of(item), item.product.name
        if covered is None:
            talk.voice.say(
                f"{name}还没签收，保修从签收那天算起。",
                [button("查物流", f'/track_logistics{{"order_number": "{item.order.number}"}}')],
            )
            return
        if covered.whole is None:
            talk.voice.say(f"{name}是耗材，没有保修；刚收到就有破损的，48 小时内告诉我可以补发或退款。", ["转人工"])
            return
        repair = f'/request_repair{{"order_number": "{item.order.number}", "product": "{item.product.sku}"}}'
        talk.voice.say(
            "\n".join([f"{name}（{_day(covered.from_day)} 签收）：", *_lines(item, covered, local(talk.now).date())]),
            [button("报修", repair)],
        )


def _lines(item: OrderItem, covered: Warranty, today: date) -> list[str]:
    def left(until: date | None) -> str:
        return "" if until is None else f"到 {_day(until)}，{'还在保' if today <= until else '已过保'}"

    lines = [f"· 整机：{left(covered.whole)}"]
    if covered.main_parts:
        lines.append(f"· {main_parts(item)}：{left(covered.main_parts)}")
    if covered.battery:
        lines.append(f"· 电池：{left(covered.battery)}")
    if covered.swap and today <= covered.swap:
        lines.append(f"· {_day(covered.swap)} 前坏了直接换新，不用等修")
    lines.append("摔坏、进水、自行拆机、用错电压和耗材磨损不在免费范围，可以付费修，先报价再动工。")
    if not covered.covers(today):
        lines.append("过保也能修：上门费 50 元，修了就免；配件先报价，您同意了才动工。")
    return lines


def main_parts(item: OrderItem) -> str:
    """What the longer warranty is about."""
    return "主要部件（压缩机、电机）" if item.product.kind in COMPRESSOR_OR_MOTOR else "主要部件"


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.year}年{day.month}月{day.day}日"
