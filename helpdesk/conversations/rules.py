"""What a conversation may become, what the bot reads as one turn, and what a click on a button says to it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
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
    DANGER = "danger"
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
            "danger": "涉及人身安全",
            "bot_away": "机器人暂时无法应答",
            "rule": "按规则需人工处理",
            "locked_out": "身份核验多次未通过",
            "transfer": "同事转接",
        }[self]


PRIORITY = {
    HandoverReason.DANGER: 59,  # more than all else together, and less than half an hour of waiting
    HandoverReason.ANGRY_COMPLAINT: 20,
    HandoverReason.BOT_AWAY: 5,
    HandoverReason.LOCKED_OUT: 5,
}
LEVEL_PRIORITY = {"platinum": 15, "gold": 8, "silver": 3}


LEVEL_LABELS = {"platinum": "铂金会员", "gold": "金卡会员", "silver": "银卡会员"}
TOPIC_PRIORITY = {"complaint": 8, "payment_problem": 6, "account_problem": 4, "report_not_received": 3}


def urgency(
    reason: HandoverReason, level: str | None, mood_points: int = 0, mood: str = "", intents: Sequence[str | None] = ()
) -> list[tuple[str, int]]:
    """What puts a waiting talk ahead of others, in words with its points: why it was handed over, the customer's level,
    the mood (mood.py), and the weightiest topic. Their sum is the talk's priority; waiting adds to it (routing/rules.py).
    To a danger nothing is added: whose it is does not matter."""
    if reason == HandoverReason.DANGER:
        return [(reason.label, PRIORITY[reason])]
    topic = max((i for i in intents if i in TOPIC_PRIORITY), key=lambda i: TOPIC_PRIORITY[i], default="")
    parts = [
        (reason.label, PRIORITY.get(reason, 0)),
        (LEVEL_LABELS.get(level or "", ""), LEVEL_PRIORITY.get(level or "", 0)),
        (f"情绪：{mood}", mood_points),
        (f"话题：{INTENT_LABELS.get(topic, '')}", TOPIC_PRIORITY.get(topic, 0)),
    ]
    return [(why, points) for why, points in parts if points]


@dataclass(frozen=True)
class Line:
    """A line as these rules need it."""

    text: str
    intent: str | None = None


def one_turn(texts: Sequence[str]) -> str:
    """Short messages sent one after another, read together as one thought."""
    return "，".join(text.strip() for text in texts if text.strip())


LONGEST_PAUSE_SECONDS = 1.5
OPENING = re.compile(
    r"(?:你好|您好|在吗|在么|在不在|有人吗|亲+|哈喽|hi|hello|喂|请问|那个|嗯+|哦+|额|呃|我想问一?下|想问一?下|问一?下)+[啊呀哈呢，,。!！?？~ ]*",
    re.I,
)
HUM = re.compile(r"(?:嗯+|哦+|额|呃)+[啊呀哈呢，,。.!！?？~ ]*")  # to a question, it may be the answer
UNFINISHED = re.compile(
    r"(?:[,，、:：…]|\.{2,}|。。+|那个|就是|就是说|因为|所以|然后|但是|可是|不过|还有|而且|另外|如果|要是|比如|请问|想问一?下|问一?下|是这样的?"
    r"|我跟你说|我的|我买的|我那个|你们的?|帮我|麻烦|和|跟|把|给|想|(?<!不)(?<!不想)要|的话)$"
)
SUBJECT_ALONE = re.compile(
    r"(?:那个|就是)?我(?:的|买的|订的|下的|那个)?(?:昨天|前天|上周|刚)?(?:买的|下的)?"
    r"(?:快递|包裹|订单|单子|东西|货|退款|发票|优惠券|积分|冰箱|洗衣机|空调|电视|手机|电脑|耳机|电饭煲)"
)
YES = r"(?:嗯+|恩|对的?|是的?|好[的呀嘞]?|行|可以的?|要的?|需要的?|麻烦(?:了|您|您了|你|你了)|ok|okay|yes)"
NO = r"(?:不了?|不用了?|不要了?|不需要|不必|别|先不用?|否|no)"
SOFTENED = r"[吧啊呀哦呢啦的了，,。.！!~ ]*"
PLAIN_YES = re.compile(f"(?:{YES}{SOFTENED})+", re.I)
PLAIN_NO = re.compile(f"(?:{NO}{SOFTENED})+", re.I)


def pause_seconds(texts: Sequence[str], *, asked: bool) -> float:
    """How long to wait for more before reading: customers send one thought as several short messages.

    Only while the text looks unfinished: a greeting alone, or a line that breaks off. A clear wish, an answer to a
    question (``asked``) and a button are read at once. The caller never waits longer than LONGEST_PAUSE_SECONDS from
    the first of the lines on.
    """
    last = texts[-1].strip() if texts else ""
    if not last or last.startswith("/"):
        return 0.0
    if asked and (PLAIN_YES.fullmatch(last) or PLAIN_NO.fullmatch(last)):
        return 0.0
    if UNFINISHED.search(last) or SUBJECT_ALONE.fullmatch(last):
        return 1.2
    if OPENING.fullmatch(last) and not (asked and HUM.fullmatch(last)):
        return 0.8
    return 0.0


LEADING_SLASHES = re.compile(
    r"^[\s/／]+"
)  # any white space between them: it is cut off later, and the slash would lead


def for_the_brain(text: str, offered: Sequence[dict[str, Any]]) -> str:
    """What the brain is told for a customer's text.

    A text that is the title (or value) of a button just offered becomes the button's payload, and so does a place or
    the last four digits said of the list just shown (``offered``: the newest line's buttons first). Any other text
    loses a leading slash, so that nobody can speak the brain's inner language. Without a letter or digit (emoji only)
    it is marked as such.
    """
    plain = text.strip()
    for button in offered:
        if plain in {button.get("title"), button.get("value")}:
            return str(button.get("payload") or button.get("title"))
    chosen = _chosen(plain, _listed(offered))
    if chosen is not None:
        return str(chosen.get("payload") or chosen.get("title"))
    if not readable(plain):
        return "😀"
    return LEADING_SLASHES.sub("", plain)


LISTED_MOST = 5
PLACE_SAID = re.compile(
    r"(?:说错了?|搞错了?|错了|不对|应该|选|就|要|看|查|是|我要|我选|[，, ])*(?:第 ?([1-5一二两三四五]) ?[个单笔条件]?|([1-5一二三四五]) ?[个单笔条号]?)"
    r"(?:订单|那个|这个|个|吧|的|呢|[。.、!！ ])*"
)
TAIL_SAID = re.compile(
    r"(?:说错了?|搞错了?|错了|不对|应该|选|就|要|看|查|是|我要|我选|[，, ]|那个|订单|的)*(?:尾号|尾数|末尾|后四位|最后四位)?(?:是|为|[:： ])*(\d{4})"
    r"(?:那|这|的|个|单|笔|订单|吧|呢|[。.!！ ])*"
)
PLACES = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}


def _listed(offered: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The buttons of the list just shown: one an entry, all with the same title; none when something else was shown."""
    title = offered[0].get("title") if offered else None
    listed = list(takewhile(lambda b: b.get("title") == title and b.get("value"), offered))[:LISTED_MOST]
    return listed if len(listed) > 1 else []


def _chosen(text: str, listed: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The entry meant by a bare place (1, 第二个) or the last four digits (尾号3975)."""
    plain = unicodedata.normalize("NFKC", text)
    if place := PLACE_SAID.fullmatch(plain):
        said = next(g for g in place.groups() if g)
        at = PLACES.get(said) or int(said)
        return listed[at - 1] if at <= len(listed) else None
    if tail := TAIL_SAID.fullmatch(plain):
        fitting = [b for b in listed if str(b["value"]).endswith(f"尾号{tail.group(1)}")]
        return fitting[0] if len(fitting) == 1 else None
    return None


OFFER = re.compile(r"(?:吗|要不要[^。！？?]*)[？?]$")
TO_A_PERSON = {"转人工", "/request_human"}


def taken_up(text: str, said: str, buttons: Sequence[dict[str, Any]]) -> str | None:
    """What a plain yes (嗯, 好的) to the bot's last line means: the payload of the one button it offers.

    Only for a yes-no question with one button; 转人工 beside it is the usual way out and does not count. None for
    anything else: a form's own confirmation has a button for no as well, and is read by the form.
    """
    if not PLAIN_YES.fullmatch(text.strip()) or not OFFER.search(said.strip()):
        return None
    payloads = [str(b.get("payload") or b.get("title")) for b in buttons]
    real = [p for p in payloads if p not in TO_A_PERSON] or payloads
    return real[0] if len(real) == 1 else None


def good_day(hour: int) -> str:
    """The greeting of an hour, 0–23."""
    for until, greeting in ((5, "晚上好"), (11, "早上好"), (13, "中午好"), (18, "下午好")):
        if hour < until:
            return greeting
    return "晚上好"


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


def summary(
    reason: HandoverReason,
    lines: Sequence[Line],
    slots: dict[str, Any],
    tried: Sequence[str],
    mood: str = "",
) -> str:
    """Two or three short sentences for the agent: what is wanted, what is known, what was tried."""
    wishes = list(dict.fromkeys(INTENT_LABELS[line.intent] for line in lines if line.intent in INTENT_LABELS))
    parts = [f"{reason.label}。"]
    if mood:
        parts.append(f"客户情绪：{mood}。")
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
