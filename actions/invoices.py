"""Invoices: asked for, shown, corrected, sent again."""

import re
from collections.abc import Sequence
from typing import Any

from actions.form import Form, interrupts, register
from actions.talk import Talk, button
from core.clock import told
from core.errors import Refusal
from core.text import yuan
from crm.customers import access as access_rules
from crm.orders import invoices
from crm.orders.invoice_rules import (
    InvoiceKind,
    InvoiceStatus,
    clean_tax_number,
    clean_title,
    is_bank,
    is_company,
    missing_bank_details,
    tax_number_among,
    title_among,
    why_not_tax_number,
    why_not_title,
)
from crm.orders.invoices import Wanted, mask_email
from crm.orders.models import Invoice, Order
from crm.orders.rules import OrderStatus
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind

NAME_CHARS = 4  # a person's name is hardly longer, a company's hardly shorter
KINDS = {"personal": "个人普通发票", "company": "公司普通发票", "special": "公司专用发票"}
SPECIAL = re.compile(r"专票|专用发票|增值税专|增票|专用的")
COMPANY = re.compile(r"公司|单位|企业|学校|税号|报销|报账|财务")
PERSONAL = re.compile(r"(?<!不要)(?<!不是)(?<!成)(?<!成了)个人|我(的)?名字|我自己")
AGAIN = re.compile(r"重发|再发|补发|再给|没收到|发我|发到|丢了|找不到|删了|下载|打不开|失效|过期|链接|邮箱|发一下")
CORRECT = re.compile(
    r"错|改|换|重开|重新开|作废|红冲|冲红|漏|少了|少打|少开|不对|不认|打回|升级|普票换|开成|抬头.{0,4}(不是|要写)|不是我们"
)
TITLE = re.compile(
    r"(?:抬头|公司名|名称|单位)(?:请?写|是|为|叫|改成|改为|换成|改到|:|：| )+([\u4e00-\u9fffA-Za-z（）()·]{2,40})"
)
TAX = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{8,26}[0-9A-Za-z]")
LEAD = re.compile(
    r"^\s*(?:应该|要)?(?:(?:发票)?抬头|公司名称?|名称|单位)?(?:请?写|是|为|叫|换成|改成|改为|开成|开|:|：)*"
)  # 抬头写…
NOT_TITLE = re.compile(rf"(?:税号|抬头|名称|公司名)(?:写|是|为|:|：)*|{TAX.pattern}")
EMAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
NOWHERE = "-"  # the email of an invoice that is not sent
NO_EMAIL = re.compile(r"不用|不要|别(?:再)?发|没有邮箱|没邮箱|无邮箱|就在这|网页看|这里看")


@register
class RequestInvoice(Form):
    """An invoice for an order; the one there is is shown, sent again, or corrected (voided and issued anew)."""

    intent = "request_invoice"
    details = ("invoice_wish", "invoice_kind", "invoice_title", "tax_number", "invoice_bank", "invoice_email")
    choose_text = "要开哪一单的发票？"
    none_text = "您名下没有可以开票的订单。用别的账号下的单，把订单号发给我就行。"

    def candidates(self, talk: Talk) -> Sequence[Order]:
        """Paid orders; for a new invoice those without one first."""
        found = [
            o for o in super().candidates(talk)
            if OrderStatus(o.status) not in {OrderStatus.UNPAID, OrderStatus.CANCELLED}
        ]  # fmt: skip
        if talk.slots.get("invoice_wish") in {"again", "correct"}:
            return [o for o in found if invoices.current(o)] or found
        return found

    def check(self, talk: Talk) -> None:
        """Raises Refusal for what cannot be invoiced or corrected; shows an invoice that is there already."""
        order = talk.order()
        if order is None or talk.access is None:
            return
        access_rules.need_whole(talk.access)  # title and amount are the buyer's, not a gift's recipient's
        if re.search(r"纸质|纸票|寄给我", talk.text):
            raise Refusal(
                "现在都是电子发票，纸质的已经不开了。电子版打印出来和纸质有同样效力，要的话我现在给您开或重发。",
                code="invoice_paper",
                way_on=("开电子发票", "重发发票"),
            )
        invoices.check_request(talk.session, order)
        known, wish = invoices.current(order), talk.slots.get("invoice_wish")
        if known is not None and wish == "correct":
            invoices.check_correct(known, talk.now)
        if known is not None and wish not in {"again", "correct"}:
            raise Refusal(
                self._as_it_is(known, order, talk), code="invoice_exists", way_on=("重发发票", "修改发票", "转人工")
            )
        unissued = known is not None and known.status != InvoiceStatus.ISSUED
        if known is not None and wish == "again" and unissued and not talk.slots.get("invoice_email"):
            raise Refusal(self._as_it_is(known, order, talk), code="invoice_not_issued", way_on=("修改发票", "转人工"))
        title = str(talk.slots.get("invoice_title") or "")
        if talk.slots.get("invoice_kind") == "special" and 0 < len(title) <= NAME_CHARS and not is_company(title):
            invoices.check_wanted(Wanted(InvoiceKind.SPECIAL, title))

    def _as_it_is(self, known: Invoice, order: Order, talk: Talk) -> str:
        text = f"尾号 {order.number[-4:]} 这单：{invoices.in_words(known)}。"
        if known.status == InvoiceStatus.ISSUED:
            return f"{text}需要再发一份或更正，点下面就行。"
        when = invoices.due(order, talk.now)
        return f"{text}{f'最晚 {told(when)} 前开好' if when else '签收后第二天开好'}，内容要改的话现在就可以。"

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Everything named anywhere in the message; wrong values are told by :meth:`_next_detail`."""
        reader = {
            "invoice_wish": self._wish,
            "invoice_kind": self._kind,
            "invoice_title": self._title,
            "tax_number": self._tax_number,
            "invoice_bank": self._bank,
            "invoice_email": self._email,
        }[slot]
        return reader(talk, asked)

    def _wish(self, talk: Talk, asked: bool) -> str | None:
        begun = talk.slots.get("invoice_kind") or talk.slots.get("requested_slot") in self.details
        if talk.is_command or begun:
            return None
        if "重发" in talk.text:
            return "again"
        if re.search(r"邮箱.{0,6}(错|换|改|旧)", talk.text):
            return "again"
        if (
            CORRECT.search(talk.text)
            or TITLE.search(talk.text)
            or talk.entity("invoice_title")
            or talk.entity("tax_number")
        ):
            return "correct"  # where there is no invoice yet, this is simply what to write on it
        return "again" if AGAIN.search(talk.text) or talk.entity("email") else None

    def _kind(self, talk: Talk, asked: bool) -> str | None:
        text = talk.text
        for kind, title in KINDS.items():
            if text.strip() == title:
                return kind
        if SPECIAL.search(text) and not re.search(r"专票换普票|不要专票|不用专票", text):
            return "special"
        if talk.slots.get("invoice_kind") == "special" and not asked:
            return None
        if talk.entity("invoice_title") or (COMPANY.search(text) and not re.search(r"不要公司|不是公司", text)):
            return "company"
        if PERSONAL.search(text) or talk.entity("person_name"):
            return "personal"
        return None

    def _title(self, talk: Talk, asked: bool) -> str | None:
        entities = [t for t in talk.entities("invoice_title") if not is_bank(t)]
        named = None if talk.is_command else title_among(talk.text) if self._several(talk) else None
        named = named or (entities[-1] if entities else None)
        if named is None and (cued := TITLE.search(talk.text)):
            named = cued.group(1)
        if named is None and talk.entity("person_name") and talk.slots.get("invoice_kind") in {None, "personal"}:
            named = talk.entity("person_name")
        if named is None and asked and not interrupts(talk) and not is_bank(talk.text):
            bare = NOT_TITLE.sub("", talk.text)
            named = "个人" if re.fullmatch(r"(就|写)?个人(的|吧|就行)?", bare.strip()) else bare
        title = clean_title(LEAD.sub("", named)) if named and not is_bank(named) else ""
        return title[:120] if title and title not in KINDS.values() else None

    def _several(self, talk: Talk) -> bool:
        """Whether company, tax number, bank or account stand in one message, to be told apart."""
        return is_bank(talk.text) or tax_number_among(talk.text) is not None

    def _tax_number(self, talk: Talk, asked: bool) -> str | None:
        named = None if talk.is_command else tax_number_among(talk.text)
        named = named or talk.entity("tax_number")
        if named is None and asked and not talk.is_command and (found := TAX.search(talk.text)):
            named = found.group()
        return clean_tax_number(named) if named else None

    def _bank(self, talk: Talk, asked: bool) -> str | None:
        """The four things a special invoice needs; what is missing of them is put behind what was given before."""
        text, known = talk.text, str(talk.slots.get("invoice_bank") or "")
        if asked and not interrupts(talk):
            return f"{known}，{text}" if known else text
        special = talk.slots.get("invoice_kind") == "special" or SPECIAL.search(text) is not None
        return (
            text if special and not talk.is_command and len(missing_bank_details(text)) <= 2 and is_bank(text) else None
        )

    def _email(self, talk: Talk, asked: bool) -> str | None:
        named = talk.entity("email")
        if named is None and asked and (found := EMAIL.search(talk.text)):
            named = found.group()
        confirming = talk.slots.get("requested_slot") == "confirm" and re.search(r"邮箱|邮件", talk.text)
        if named is None and (asked or confirming) and NO_EMAIL.search(talk.text):
            return NOWHERE
        return named

    def _next_detail(self, talk: Talk) -> str | None:
        if self._again(talk) is not None and talk.slots.get("invoice_email") == NOWHERE:
            talk.slots["confirm"] = False  # sent again to nowhere: nothing is to be done
            return None
        for slot, why in self._wrong(talk):
            talk.voice.say(why)
            talk.slots[slot] = talk.slots["confirm"] = None
        bank = talk.slots.get("invoice_bank")
        if bank and (lacking := missing_bank_details(str(bank))):
            talk.voice.say(
                f"还缺{'、'.join(lacking)}，补上这{'几' if len(lacking) > 1 else '一'}项就行，少一项都抵扣不了。"
            )
            return "invoice_bank"
        return super()._next_detail(talk)

    def _wrong(self, talk: Talk) -> list[tuple[str, str]]:
        found = []
        title, tax = (talk.slots.get(s) for s in ("invoice_title", "tax_number"))
        personal = talk.slots.get("invoice_kind") == "personal"
        if title and is_company(str(title)) and personal:
            talk.slots["invoice_kind"] = "company"  # a company's name says more than the button
            personal = False
        if title and (
            why := why_not_title(str(title), company=not personal and talk.slots.get("invoice_kind") is not None)
        ):
            found.append(("invoice_title", why))
        if tax and (why := why_not_tax_number(str(tax))):
            found.append(("tax_number", why))
        return found

    def needed(self, talk: Talk) -> Sequence[str]:
        """Kind, title and email; for organisations the tax number, for special ones the bank as well."""
        if self._again(talk) is not None:
            return () if self._known_email(talk) and talk.slots.get("invoice_email") is None else ("invoice_email",)
        kind = talk.slots.get("invoice_kind")
        company = () if kind in {None, "personal"} else ("tax_number",)
        bank = ("invoice_bank",) if kind == "special" else ()
        return ("invoice_kind", "invoice_title", *company, *bank, "invoice_email")

    def _again(self, talk: Talk) -> Invoice | None:
        """The invoice to be sent again, when that is the wish."""
        order = talk.order() if talk.slots.get("invoice_wish") == "again" else None
        return invoices.current(order) if order else None

    def _known_email(self, talk: Talk) -> str | None:
        order = talk.order()
        known = invoices.current(order) if order else None
        # 邮箱填错了: the address there is is the wrong one
        return known.email if known and not re.search(r"邮箱", talk.text) else None

    def ask(self, talk: Talk, slot: str) -> None:
        """The questions, with what is known to choose from."""
        whole = talk.access is not None and talk.access.whole
        customer = talk.access.customer if talk.access else None
        if slot == "invoice_kind":
            talk.voice.say("开哪一种？都是电子发票。", list(KINDS.values()))
        elif slot == "invoice_title" and talk.slots.get("invoice_kind") == "personal":
            name = [button(customer.name, f'/inform{{"person_name": "{customer.name}"}}')] if customer and whole else []
            talk.voice.say("抬头写谁的名字？写“个人”也可以。", [*name, "个人"])
        elif slot == "invoice_title":
            talk.voice.say("请发一下公司全称，和营业执照上一样。")
        elif slot == "tax_number":
            talk.voice.say("公司的税号（统一社会信用代码，18 位）是多少？")
        elif slot == "invoice_bank" and talk.slots.get("invoice_bank"):
            talk.voice.say("直接发缺的几项就行，前面发过的我记着。")
        elif slot == "invoice_bank":
            talk.voice.say("专票还需要四项：注册地址、电话、开户银行、银行账号，可以一起粘贴给我。")
        elif slot == "invoice_email":
            email = customer.email if customer and whole else None
            known = [button(email, f'/inform{{"email": "{email}"}}')] if email else []
            more = [] if self._again(talk) else ["不用发邮箱"]
            talk.voice.say("开好后发到哪个邮箱？" if more else "发到哪个邮箱？", [*known, *more])
        else:
            super().ask(talk, slot)

    def _wanted(self, talk: Talk) -> Wanted:
        kind = InvoiceKind.SPECIAL if talk.slots.get("invoice_kind") == "special" else InvoiceKind.ORDINARY
        email = talk.slots.get("invoice_email")
        tax = talk.slots.get("tax_number") if talk.slots.get("invoice_kind") != "personal" else None
        return Wanted(kind, str(talk.slots["invoice_title"]), tax, None if email in {None, NOWHERE} else str(email))

    def preview(self, talk: Talk) -> str:
        """What will stand on it, when it comes, and what happens to the old one."""
        order = talk.order()
        assert order is not None
        known = invoices.current(order)
        tail = f"尾号 {order.number[-4:]} 的订单"
        if known is not None and self._again(talk) is not None:
            what = f"发票（抬头“{known.title}”，{yuan(known.amount_cents)}）"
            when = "" if known.status == InvoiceStatus.ISSUED else f"{self._when(talk, order)}，开好"
            return f"{tail}的{what}{when}发到 {self._send_to(talk, known)}，对吗？"
        wanted = self._wanted(talk)
        invoices.check_wanted(wanted)
        tax = f"，税号 {wanted.tax_number}" if wanted.tax_number else ""
        cents = invoices.amount_cents(talk.session, order)
        to = f"，开好发到 {wanted.email}" if wanted.email else ""
        less = "按实付" if cents == order.total_cents else "实付减去退货、价保的部分"
        what = f"{wanted.kind.label}，抬头“{wanted.title}”{tax}，金额 {yuan(cents)}（{less}）"
        if known is not None and known.status == InvoiceStatus.ISSUED:
            old = f"原来那张（抬头“{known.title}”）冲红作废，请不要再用"
            return f"{tail}：{old}；重开一张{what}，{self._when(talk, order)}{to}。确认吗？"
        return f"{tail}：{what}，{self._when(talk, order)}{to}。确认{'修改' if known else '开票'}吗？"

    def _send_to(self, talk: Talk, known: Invoice) -> str:
        email = talk.slots.get("invoice_email")
        return str(email) if email else f"邮箱 {mask_email(known.email or '')}"

    def _when(self, talk: Talk, order: Order) -> str:
        when = invoices.due(order, talk.now)
        return f"最晚 {told(when)} 前开好" if when else "签收后第二天开好"

    def do(self, talk: Talk) -> dict[str, Any]:
        """Asked for, changed, or sent again; what a special invoice needs besides goes to finance as a ticket."""
        order = talk.order()
        assert order is not None
        known = invoices.current(order)
        if known is not None and self._again(talk) is not None:
            email = str(talk.slots.get("invoice_email") or known.email)
            invoices.send_again(talk.session, known, email)
            if known.status != InvoiceStatus.ISSUED:
                return {"text": f"记好了，这张发票{self._when(talk, order)}，开好发到 {mask_email(email)}。"}
            return {
                "text": f"已经登记重发到 {mask_email(email)}，财务同事会在下一个工作日内发出，没看到的话翻一下垃圾邮件。"
                f"发票号码 {known.number}。",
                "ways": ["没收到，转人工"],
            }
        replaced = known is not None and known.status == InvoiceStatus.ISSUED
        made = invoices.request(talk.session, order, talk.now, self._wanted(talk))
        more = self._to_finance(talk, order, made) if made.kind == InvoiceKind.SPECIAL else ""
        to = f"，开好发到 {mask_email(made.email)}" if made.email else "，开好后找我说“发票在哪”就能看到"
        lead = "原来那张已冲红作废，新的" if replaced else "登记好了，"
        what = f"{InvoiceKind(made.kind).label}（抬头“{made.title}”，{yuan(made.amount_cents)}）"
        return {
            "text": f"{lead}{what}{self._when(talk, order)}{to}。{more}",
            "ways": [button("再开一单", "/request_invoice")],
        }

    def _to_finance(self, talk: Talk, order: Order, made: Invoice) -> str:
        ticket = tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.INVOICE,
            subject=f"专票资料：订单 {order.number}",
            detail=f"抬头 {made.title}，税号 {made.tax_number}，{talk.slots.get('invoice_bank')}",
            conversation=talk.conversation,
            customer_id=order.customer_id,
            order_id=order.id,
        )
        return f"专票资料已交给财务核对，工单 {ticket.number}，有不清楚的会联系您。"
