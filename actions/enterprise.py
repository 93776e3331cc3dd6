"""Corporate buying: company, wish and phone are taken down, and a sales manager calls."""

import re
from collections.abc import Sequence
from typing import Any

from actions.answers import corrects
from actions.form import Form, interrupts, register
from actions.talk import Talk, button
from core.clock import told
from core.errors import Refusal
from core.text import mask_phone, shorten
from crm.catalogue import usecases as catalogue
from crm.catalogue.rules import is_bulk
from crm.customers.rules import is_mobile
from crm.leads import usecases as leads

COMPANY = re.compile(
    r"(?:我们(?:是|叫)|我是|公司(?:是|叫|名(?:称|字)?(?:是|叫)?)|单位(?:是|叫))[：: ]*"
    r"([\u4e00-\u9fffA-Za-z0-9（）()]{2,30}?(?:公司|集团|学校|大学|学院|中学|小学|医院|酒店|银行|局|中心|工厂|厂|店|所|院))"
)

COUNTED = re.compile(
    r"(\d+)\s*(?:台|件|个|部|套|只|把|盒|箱)|[一二两三四五六七八九十百千]+(?:台|件|个(?!月)|部|套|只|箱)"
)
NOT_CORPORATE = re.compile(r"我是个人|个人买|个人购买|自己买|自己用|不采购|不是公司|不是企业|没有公司")
FIGURES = re.compile(r"[\d\s-]{7,}")  # a phone number, not a name or a wish


@register
class EnterprisePurchase(Form):
    """A lead with a call due within one working day; nobody has to be known for it."""

    intent = "enterprise_purchase"
    about = "account"
    anonymous = True
    details = ("company", "wish", "contact_phone")

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """Named anywhere; free text for the open question."""
        if talk.is_command:
            return None
        free = talk.text.strip() if asked and not interrupts(talk) else None
        if slot == "company":
            named = talk.entity("invoice_title") or (m[1] if (m := COMPANY.search(talk.text)) else None)
            if named:
                return re.sub(r"^(?:我们|我|这里|公司|单位)?(?:是|叫)[：: ]*", "", named)
            return free if free and 2 <= len(free) <= 60 and not FIGURES.fullmatch(free) else None
        if slot == "wish" and talk.slots.get("requested_slot") == "confirm" and talk.slots.get("wish"):
            return self._changed_wish(talk)
        if slot == "wish":
            if COUNTED.search(talk.text) and talk.entity("product"):
                return shorten(talk.text, 200)
            return shorten(free, 200) if free and len(free) >= 2 and not FIGURES.fullmatch(free) else None
        phone = talk.entity("phone_number") or ""
        if is_mobile(phone):
            return phone
        known = talk.access.customer.phone if talk.access and talk.access.whole else None
        if known and (not asked or re.search(r"就这个|这个号|登录的|下单的|我的号|可以|是的|对", talk.text)):
            return talk.slots.get("contact_phone") or known
        return None

    def _changed_wish(self, talk: Talk) -> str | None:
        """The wish with another number (数量改成100个); everything else of it stays."""
        number = COUNTED.search(talk.text)
        if number is None or not (corrects(talk.text) or "数量" in talk.text):
            return None
        return COUNTED.sub(number.group(), str(talk.slots["wish"]), count=1)

    def unwanted(self, talk: Talk) -> bool:
        """A private person, or nothing is bought after all."""
        return not talk.is_command and NOT_CORPORATE.search(talk.text) is not None

    def averted(self, talk: Talk) -> str | None:
        """Nothing was taken down."""
        talk.voice.say(
            "好的，没有登记，不会有销售联系您。个人购买直接在商城下单就行，要选商品我可以帮您推荐。",
            ["推荐一款", "转人工"],
        )
        return None

    def check(self, talk: Talk) -> None:
        """Raises Refusal below 10 pieces and 20,000 yuan: buying the normal way is quicker."""
        pieces, cents = self._size(talk)
        if is_bulk(pieces, cents) is False:
            raise Refusal(
                f"企业采购从 10 件或 2 万元起，{pieces} 件还不到。直接下单更快，价格一样，也能开增值税专用发票；"
                "单笔满 5,000 元支持对公转账。数量以后加上来了，随时找我登记。",
                code="too_small",
                way_on=("开发票", "转人工"),
            )

    def _size(self, talk: Talk) -> tuple[int | None, int | None]:
        """Pieces and the price of one, as far as the wish tells."""
        wish = str(talk.slots.get("wish") or "")
        counted = COUNTED.search(wish)
        pieces = int(counted[1]) if counted and counted[1] else None
        if pieces is None and talk.entity("quantity") and wish:
            pieces = int(talk.entity("quantity") or 0) or None
        said = talk.entity("product")
        found = catalogue.named(talk.session, said) if said else []
        return pieces, max((p.price_cents for p in found), default=None)

    def ask(self, talk: Talk, slot: str) -> None:
        """The questions, the first with what corporate buying offers."""
        talk.voice.say(
            {
                "company": "可以的。满 10 件或 2 万元走企业采购，能签合同、审核后月结、开专票、分多地送货。"
                "请问贵公司（单位）的名称是？",
                "wish": "想采购什么、大概多少台？有预算、合同或开票要求也一起告诉我。",
                "contact_phone": "方便留一个手机号吗？销售经理会打这个电话联系您。",
            }[slot]
        )

    def preview(self, talk: Talk) -> str:
        """What is taken down, who calls, and by when."""
        s = talk.slots
        return (
            f"我来登记：{s['company']}，需求“{shorten(str(s['wish']), 60)}”，"
            f"联系电话 {mask_phone(str(s['contact_phone']))}。"
            f"销售经理最晚 {told(leads.call_due_at(talk.now))} 前来电。确认提交吗？（电话要换，直接发新号码）"
        )

    def do(self, talk: Talk) -> dict[str, Any]:
        """Taken down."""
        s = talk.slots
        customer = talk.access.customer if talk.access and talk.access.whole else None
        lead, new = leads.enquire(
            talk.session,
            talk.now,
            company=str(s["company"]),
            wish=str(s["wish"]),
            phone=str(s["contact_phone"]),
            contact=customer.name if customer else "",
            customer_id=customer.id if customer else None,
            conversation_id=talk.conversation.id,
        )
        lead_text = "登记好了" if new else "已补充到您之前的登记里"
        return {
            "text": f"{lead_text}，销售经理最晚 {told(lead.call_due_at)} 前打 {mask_phone(lead.phone)} 联系您，"
            "谈价格、合同和月结。来电前可以先把清单和收货地址准备好。",
            "ways": [button("开票怎么办理", "企业采购怎么开专票"), "转人工"],
        }

    def needed(self, talk: Talk) -> Sequence[str]:
        """All three."""
        return self.details
