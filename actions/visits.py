"""Somebody comes: installation booked, visits moved and called off."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from actions import when
from actions.form import Form, interrupts, register
from actions.items import ItemForm, means
from actions.talk import Talk, button
from core.clock import local
from core.errors import Refusal, ZhikeError
from core.text import mask_phone
from crm.orders import usecases as orders
from crm.orders.models import Order, OrderItem
from crm.returns import usecases as returns
from crm.returns.rules import CaseKind, CaseStatus
from helpdesk.visits import usecases as visits
from helpdesk.visits.models import Visit
from helpdesk.visits.rules import Slot, VisitKind, first_day
from helpdesk.visits.usecases import told_day, told_visit

MOVE_WORDS = re.compile(
    r"改|换|推迟|推后|推到|提前|延后|延期|往后|挪|重新约|从新约|晚.{0,3}(小时|点)|早点|再来一趟|改天|没空|不在家|约错"
)
OFF_WORDS = re.compile(
    r"(别|不用|不要|不需要|先不|先别|甭)(再|让|叫|派)?(师傅)?(上门|过?来|去|装|修)|取消|撤(了|销|掉|回)|退掉|退约|不装了|不修了|不约了"
)
PICKUP = re.compile(r"取件|来取|上门取|退货|换货|AS\d{6,}", re.I)
PICKUP_FORMS = {CaseKind.RETURN: "return_goods_form", CaseKind.EXCHANGE: "exchange_goods_form"}
FIRST, EVENING = "first", "evening"
EVENING_TEXT = "师傅晚上不上门，能选的是上午 9–12 点和下午 13–18 点，周末也可以。"


class VisitForm(Form):
    """A form that asks for a day and a half-day somebody can come in."""

    def city(self, talk: Talk) -> str:
        """Where."""
        raise NotImplementedError

    def check_when(self, talk: Talk, day: date, slot: Slot | None) -> None:
        """Raises Refusal when nobody can come then."""
        visits.check_day(day, talk.now, self.city(talk))

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Day and half-day named anywhere; ``first`` for 越快越好, ``evening`` for a time nobody comes at."""
        named = when.said(talk)
        if slot == "visit_day":
            if named.day is None and when.ANY_DAY.search(talk.text) and (asked or talk.intent == self.intent):
                return FIRST
            return named.day.isoformat() if named.day else None
        if slot == "visit_slot":
            if named.slot is not None:
                return named.slot.value
            if named.evening:
                return EVENING
            return Slot.MORNING.value if asked and when.ANY_SLOT.search(talk.text) else None
        return super().read(talk, slot, asked)

    def _next_detail(self, talk: Talk) -> str | None:
        self._settle(talk)
        return super()._next_detail(talk)

    def _settle(self, talk: Talk) -> None:
        """A time nobody can come at is said so, and asked anew."""
        try:
            city = self.city(talk)
        except LookupError:  # looked at as soon as it is clear which visit is meant
            return
        if talk.slots.get("visit_day") == FIRST:
            talk.slots["visit_day"] = first_day(local(talk.now), city).isoformat()
        if talk.slots.get("visit_slot") == EVENING:
            talk.voice.say(EVENING_TEXT)
            talk.slots["visit_slot"] = None
        day, slot = chosen(talk)
        if day is None or "visit_day" not in self.needed(talk):
            return
        try:
            self.check_when(talk, day, slot)
        except ZhikeError as refusal:
            talk.voice.say(refusal.detail)
            talk.slots["visit_day"] = talk.slots["confirm"] = None

    def ask(self, talk: Talk, slot: str) -> None:
        """The first days and the half-days to choose from."""
        if slot == "visit_day":
            first = first_day(local(talk.now), self.city(talk))
            today = local(talk.now).date()
            days = [date.fromordinal(first.toordinal() + n) for n in range(3)]
            talk.voice.say(
                f"您希望哪天上门？最早可以约{told_day(first, today)}，周末也行。",
                [button(told_day(d), f'/inform{{"date_time": "{d.isoformat()}"}}') for d in days],
            )
        elif slot == "visit_slot":
            day, _ = chosen(talk)
            lead = f"{told_day(day)}，" if day else ""
            talk.voice.say(f"{lead}上午还是下午方便？", [s.label for s in Slot])
        else:
            super().ask(talk, slot)


def where(order: Order) -> str:
    """Where somebody comes, with the city."""
    city = order.city.removesuffix("市")
    return order.address if city in order.address else f"{city}市{order.address}"


def chosen(talk: Talk) -> tuple[date | None, Slot | None]:
    """The day and half-day filled in so far."""
    day, slot = talk.slots.get("visit_day"), talk.slots.get("visit_slot")
    half = next((s for s in Slot if s.value == slot), None)
    return date.fromisoformat(str(day)) if day and day != FIRST else None, half


class ItemVisitForm(VisitForm, ItemForm):
    """A visit about one piece of an order."""

    def city(self, talk: Talk) -> str:
        """The order's; raises LookupError while the order is not clear."""
        order = talk.order()
        if order is None:
            raise LookupError("which order is not known yet")
        return order.city


@register
class BookInstallation(ItemVisitForm):
    """An engineer is booked for what needs one."""

    intent = "book_installation"
    details = ("visit_day", "visit_slot")
    choose_text = "想给哪一单约安装？"
    none_text = (
        "您名下没有等着安装的商品。空调、电视、洗衣机、热水器、油烟机、燃气灶、洗碗机、净水器、门锁这些由师傅免费上门装，"
        "其他商品自己就能装好。"
    )

    def likely(self, talk: Talk, item: OrderItem) -> bool:
        """Here to stay, and nobody is booked yet."""
        return visits.awaits_installation(talk.session, item) and orders.going_back(talk.session, item) is None

    def candidates(self, talk: Talk) -> Sequence[Any]:
        """Without anything to install, what is on its way or booked already, so that the answer can say so."""
        found = super().candidates(talk)
        if found:
            return found
        everything = Form.candidates(self, talk)
        needing = [
            o for o in everything if o.status != "cancelled" and any(i.product.needs_installation for i in o.items)
        ]
        return [o for o in needing if o.status != "delivered"] or [
            o for o in needing if self._is_settled(talk, o.items)
        ]

    def _is_settled(self, talk: Talk, items: Sequence[OrderItem]) -> bool:
        """Whether an engineer is booked, or the goods go back."""
        found = (visits.installation_of(talk.session, i) for i in items)
        booked = any(v is not None and v.status == "booked" for v in found)
        return booked or any(
            orders.going_back(talk.session, i) is not None for i in items if i.product.needs_installation
        )

    def item(self, talk: Talk) -> OrderItem | None:
        """Else the only one that needs an engineer at all."""
        found = super().item(talk)
        order = talk.order()
        if found is not None or order is None or talk.slots.get("item"):
            return found
        if any(self.likely(talk, i) for i in order.items):
            return None  # several: the customer says which
        return next((i for i in order.items if i.product.needs_installation), order.items[0])

    def check(self, talk: Talk) -> None:
        """Raises Refusal for what needs no engineer, is not here, is booked, or goes back."""
        item = self.item(talk)
        if item is not None:
            visits.check_installation(talk.session, item)

    def preview(self, talk: Talk) -> str:
        """What, when, where, and what may be paid."""
        item, (day, slot) = self.item(talk), chosen(talk)
        assert item is not None and day is not None and slot is not None
        more = visits.extras(item)
        cost = f"安装免费，{more}，动手前会先和您说。" if more else "安装免费。"
        order = item.order
        return (
            f"给您约 {told_day(day)}{slot.label} 上门安装{item.product.name}，"
            f"地址：{where(order)}，电话 {mask_phone(order.phone)}。{cost}确认预约吗？"
        )

    def do(self, talk: Talk) -> dict[str, Any]:
        """Booked, and what happens before."""
        item, (day, slot) = self.item(talk), chosen(talk)
        assert item is not None and day is not None and slot is not None
        visit = visits.book_installation(talk.session, item, talk.now, day, slot)
        return {
            "text": f"约好了：{told_visit(visit)}上门安装{item.product.name}。师傅上门前会打电话给您，"
            "麻烦先把安装位置腾出来，箱子留着等师傅一起开。要改时间，开始前 2 小时以上告诉我就行，不收费。",
            "ways": [button("改上门时间", "/reschedule_visit")],
        }


@register
class RescheduleVisit(VisitForm):
    """A booked visit is moved or called off."""

    intent = "reschedule_visit"
    about = "account"
    details = ("which_visit", "visit_change", "visit_day", "visit_slot")

    def unwanted(self, talk: Talk) -> bool:
        """The courier who fetches a return is meant, not an engineer."""
        return self._pickup_form(talk) is not None or super().unwanted(talk)

    def averted(self, talk: Talk) -> str | None:
        """The return's own form goes on."""
        return self._pickup_form(talk) or super().averted(talk)

    def _pickup_form(self, talk: Talk) -> str | None:
        waits = talk.slots.get("requested_slot") in {"confirm", *self.details}
        if talk.access is None or waits or (self._open(talk) and not PICKUP.search(talk.text)):
            return None
        cases = returns.open_cases(talk.session, talk.access)
        kinds = [CaseKind(c.kind) for c in cases if c.status == CaseStatus.PICKUP]
        return PICKUP_FORMS.get(kinds[0], "report_item_problem_form") if kinds else None

    def check(self, talk: Talk) -> None:
        """Raises Refusal when nothing is booked, or it is too late."""
        if not self._open(talk):
            raise Refusal(
                "您名下现在没有约好的上门。要约安装或报修，我马上可以安排。",
                code="visit_none",
                way_on=("预约安装", "报修", "转人工"),
            )
        visit = self.visit(talk)
        if visit is not None:
            visits.check_move(visit, talk.now)

    def _open(self, talk: Talk) -> list[Visit]:
        return visits.open_visits(talk.session, talk.access, talk.now) if talk.access else []

    def visit(self, talk: Talk) -> Visit | None:
        """The only one, or the chosen one."""
        found = self._open(talk)
        which = talk.slots.get("which_visit")
        if which is None and len(found) == 1:
            return found[0]
        return next((v for v in found if str(v.id) == str(which)), None)

    def city(self, talk: Talk) -> str:
        """Where the visit is; raises LookupError while it is not clear which."""
        visit = self.visit(talk)
        if visit is None:
            raise LookupError("which visit is not known yet")
        return visit.item.order.city

    def _settle(self, talk: Talk) -> None:
        visit, (day, slot) = self.visit(talk), chosen(talk)
        if visit is not None and day is None and slot not in {None, Slot(visit.slot)} and MOVE_WORDS.search(talk.text):
            talk.slots["visit_day"] = visit.day.isoformat()  # 换成上午: the other half of the same day
        super()._settle(talk)

    def check_when(self, talk: Talk, day: date, slot: Slot | None) -> None:
        """The other half of the booked day is possible as well."""
        visit = self.visit(talk)
        if visit is None:
            return
        if slot is None and day == visit.day:
            return  # which half is asked next
        visits.check_move_to(visit, talk.now, day, slot or _other(Slot(visit.slot)))

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Which visit, moved or called off, and the new time."""
        if slot == "which_visit":
            return self._which(talk, asked)
        if slot == "visit_change":
            return self._change(talk, asked)
        return super().read(talk, slot, asked)

    def _which(self, talk: Talk, asked: bool) -> str | None:
        found = self._open(talk)
        if len(found) < 2:
            return None
        named, number = talk.entity("product"), talk.entity("order_number")
        fitting = [
            v for v in found
            if (named and means(v.item, named)) or (number and v.item.order.number.endswith(number))
        ]  # fmt: skip
        if not (named or number):
            kinds = [k for k in VisitKind if k.label in talk.text]
            fitting = [v for v in found if len(kinds) == 1 and v.kind == kinds[0]]
        if asked and not fitting and (place := re.search(r"[1-9一二三四五]", talk.text)) and not interrupts(talk):
            index = "123456789".find(place.group()) if place.group().isdigit() else "一二三四五".find(place.group())
            fitting = found[index : index + 1]
        return str(fitting[0].id) if len(fitting) == 1 else None

    def _change(self, talk: Talk, asked: bool) -> str | None:
        moved = bool(MOVE_WORDS.search(talk.text)) or when.said(talk).day is not None
        if OFF_WORDS.search(talk.text) and not moved:
            return "off"
        return "move" if moved else None

    def needed(self, talk: Talk) -> Sequence[str]:
        """Which one only when there are several; the new time only when it is moved."""
        which = () if self.visit(talk) is not None else ("which_visit",)
        when_ = () if talk.slots.get("visit_change") == "off" else ("visit_day", "visit_slot")
        return (*which, "visit_change", *when_)

    def ask(self, talk: Talk, slot: str) -> None:
        """Which, what, and when."""
        if slot == "which_visit":
            found = self._open(talk)
            lines = [f"{n}. {told(v)}" for n, v in enumerate(found, 1)]
            talk.voice.say(
                "\n".join(["您约了这几次上门，要改哪一个？", *lines]),
                [f"第{'一二三四五'[n]}个" for n in range(min(len(found), 5))],
            )
        elif slot == "visit_change":
            visit = self.visit(talk)
            about = f"您约的是 {told(visit)}。" if visit else ""
            talk.voice.say(f"{about}想改个时间，还是取消这次上门？", ["改时间", "取消上门"])
        else:
            super().ask(talk, slot)

    def preview(self, talk: Talk) -> str:
        """From when to when, or that nobody comes."""
        visit, (day, slot) = self.visit(talk), chosen(talk)
        assert visit is not None
        if talk.slots.get("visit_change") == "off":
            more = "对应的报修也会一起撤销，" if visit.kind == VisitKind.REPAIR else ""
            return f"要取消的是 {told(visit)}。取消不收费，{more}以后需要可以随时再约。确认取消吗？"
        assert day is not None and slot is not None
        visits.check_move_to(visit, talk.now, day, slot)
        what = f"{visit.item.product.name}的上门{VisitKind(visit.kind).label}"
        return f"{what}，从{told_visit(visit)}改到 {told_day(day)}{slot.label}，不收费。确认修改吗？"

    def do(self, talk: Talk) -> dict[str, Any]:
        """Moved or called off."""
        visit, (day, slot) = self.visit(talk), chosen(talk)
        assert visit is not None
        name, kind = visit.item.product.name, VisitKind(visit.kind)
        if talk.slots.get("visit_change") == "off":
            repair = visits.call_off(talk.session, visit, talk.now)
            more = f"，维修单 {repair.number} 也撤销了" if repair else ""
            again = button("重新报修", "/request_repair") if repair else button("重新预约", "/book_installation")
            return {
                "text": f"{name}的上门{kind.label}取消好了{more}，师傅不会再过来。需要的时候找我重新约。",
                "ways": [again],
            }
        assert day is not None and slot is not None
        visits.move(talk.session, visit, talk.now, day, slot)
        return {
            "text": f"改好了：{told_visit(visit)}上门{kind.label}{name}，师傅上门前会打电话给您。"
            "再有变动，提前 2 小时告诉我就行。"
        }


def _other(slot: Slot) -> Slot:
    return Slot.AFTERNOON if slot == Slot.MORNING else Slot.MORNING


def told(visit: Visit) -> str:
    """A visit in one line."""
    who = f"，师傅{visit.engineer}" if visit.engineer else ""
    return f"{told_visit(visit)} 上门{VisitKind(visit.kind).label}{visit.item.product.name}{who}"
