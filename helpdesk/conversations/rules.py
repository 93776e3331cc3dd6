"""What a conversation may become, what the bot reads as one turn, and what a click on a button says to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.text import readable, shorten


class State(StrEnum):
    """Who owns the talk."""

    BOT = "bot"
    QUEUED = "queued"
    WITH_AGENT = "with_agent"
    CLOSED = "closed"


MOVES = {
    State.BOT: {State.QUEUED, State.CLOSED},
    State.QUEUED: {State.WITH_AGENT, State.BOT, State.CLOSED},
    State.WITH_AGENT: {State.QUEUED, State.CLOSED},
    State.CLOSED: {State.BOT},
}


class HandoverReason(StrEnum):
    """Why a talk went to a person."""

    REQUESTED = "requested"
    NOT_UNDERSTOOD = "not_understood"
    ANGRY_COMPLAINT = "angry_complaint"
    BOT_AWAY = "bot_away"
    RULE = "rule"
    LOCKED_OUT = "locked_out"
    TRANSFER = "transfer"

    @property
    def label(self) -> str:
        """As agents read it."""
        return {
            "requested": "客户要求人工",
            "not_understood": "机器人连续没听懂",
            "angry_complaint": "投诉且情绪激动",
            "bot_away": "机器人暂时无法应答",
            "rule": "按规则需人工处理",
            "locked_out": "身份核验多次未通过",
            "transfer": "同事转接",
        }[self]


PRIORITY = {HandoverReason.ANGRY_COMPLAINT: 20, HandoverReason.BOT_AWAY: 5, HandoverReason.LOCKED_OUT: 5}
LEVEL_PRIORITY = {"platinum": 15, "gold": 8, "silver": 3}


def priority(reason: HandoverReason, level: str | None) -> int:
    """Points that put a waiting talk ahead of others: anger first, then the customer's level."""
    return PRIORITY.get(reason, 0) + LEVEL_PRIORITY.get(level or "", 0)


@dataclass(frozen=True)
class Line:
    """A line as these rules need it."""

    text: str
    intent: str | None = None


def one_turn(texts: Sequence[str]) -> str:
    """Short messages sent one after another, read together as one thought."""
    return "，".join(text.strip() for text in texts if text.strip())


LEADING_SLASHES = re.compile(
    r"^[\s/／]+"
)  # any white space between them: it is cut off later, and the slash would lead


def for_the_brain(text: str, offered: Sequence[dict[str, Any]]) -> str:
    """What the brain is told for a customer's text.

    A text that is the title (or value) of a button just offered becomes the button's payload. Any other text loses
    a leading slash, so that nobody can speak the brain's inner language. Without a letter or digit (emoji only) it is
    marked as such.
    """
    plain = text.strip()
    for button in offered:
        if plain in {button.get("title"), button.get("value")}:
            return str(button.get("payload") or button.get("title"))
    if not readable(plain):
        return "😀"
    return LEADING_SLASHES.sub("", plain)


INTENT_LABELS = {
    "query_order": "查订单",
    "track_logistics": "查物流",
    "urge_shipping": "催发货/配送",
    "change_address": "改地址或配送时间",
    "cancel_order": "取消订单",
    "report_not_received": "没收到货",
    "report_item_problem": "收到的商品有问题",
    "return_goods": "退货",
    "exchange_goods": "换货",
    "query_refund": "查退款",
    "request_repair": "报修",
    "book_installation": "预约安装",
    "reschedule_visit": "改约上门",
    "query_service_progress": "查处理进度",
    "query_warranty": "查保修",
    "request_invoice": "开发票",
    "price_protection": "价格保护",
    "payment_problem": "支付问题",
    "query_coupon": "查优惠券",
    "query_points": "查积分",
    "query_membership": "查会员等级",
    "query_promotion": "问优惠活动",
    "query_stock": "问库存",
    "product_consult": "咨询商品",
    "product_recommend": "推荐商品",
    "enterprise_purchase": "企业采购",
    "account_problem": "账号问题",
    "update_profile": "改个人资料",
    "privacy_request": "个人信息",
    "unsubscribe": "退订消息",
    "complaint": "投诉",
    "suggestion": "提建议",
    "praise": "表扬",
    "give_rating": "评价",
    "faq": "问规则",
    "request_human": "要人工",
    "inform": "补充信息",
}

SLOT_LABELS = {
    "order_number": "订单号",
    "focus_order": "最近谈到的订单",
    "phone_last4": "手机尾号",
    "product": "商品",
    "item": "商品",
    "reason": "原因",
    "fault": "故障",
    "address": "新地址",
    "recipient": "收货人",
    "new_phone": "新手机号",
    "delivery_day": "配送时间",
    "change_kind": "想改什么",
    "visit_day": "上门日期",
    "visit_slot": "上门时段",
    "invoice_kind": "发票类型",
    "invoice_title": "发票抬头",
    "tax_number": "税号",
    "email": "邮箱",
    "color": "颜色",
    "settlement": "希望的处理",
    "complaint_text": "投诉内容",
    "company": "公司",
    "quantity": "数量",
    "wish": "需求",
    "contact_phone": "联系电话",
    "focus_product": "正在看的商品",
    "complaint_order": "投诉的订单",
}


def summary(reason: HandoverReason, lines: Sequence[Line], slots: dict[str, Any], tried: Sequence[str]) -> str:
    """Two or three short sentences for the agent: what is wanted, what is known, what was tried."""
    wishes = list(dict.fromkeys(INTENT_LABELS[line.intent] for line in lines if line.intent in INTENT_LABELS))
    parts = [f"{reason.label}。"]
    wishes = [wish for wish in wishes if wish not in {"要人工", "补充信息"}]
    if wishes:
        parts.append(f"客户先后提到：{'、'.join(wishes[-4:])}。")
    known = [
        f"{SLOT_LABELS[k]} {shorten(str(v), 40)}" for k, v in slots.items() if k in SLOT_LABELS and v not in (None, "")
    ]
    if known:
        parts.append(f"已知：{'；'.join(known[:5])}。")
    if tried:
        done = "、".join(dict.fromkeys(INTENT_LABELS.get(name, name) for name in tried[-5:]))
        parts.append(f"机器人已尝试：{done}。")
    last = next((line.text for line in reversed(lines) if line.text), "")
    if last:
        parts.append(f"客户最后说：「{shorten(last, 60)}」")
    return "".join(parts)
