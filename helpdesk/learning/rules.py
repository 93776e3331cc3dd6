"""What is learned from talks: which messages are kept, how they are masked and grouped, and when a new model is better.

Sources: the issue "improvement loop" and docs/operations.md, "Learning from talks".
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from helpdesk.conversations.rules import INTENT_LABELS

LABELS = {
    **INTENT_LABELS,
    "greet": "打招呼",
    "goodbye": "道别",
    "thank": "道谢",
    "affirm": "肯定、答应",
    "deny": "否定、不要",
    "cancel_flow": "不办了、退出当前步骤",
    "bot_challenge": "问是不是机器人",
    "chitchat": "闲聊",
    "out_of_scope": "跟商城无关",
}
TEXT_MOST_CHARS = 200
PHRASES_MOST = 500  # in one request
ALIKE, NEARLY_THE_SAME = 0.45, 0.9


class Why(StrEnum):
    """Why a message was collected."""

    UNSURE = "unsure"
    CORRECTED = "corrected"
    HANDED_OVER = "handed_over"
    WRITTEN = "written"  # by an editor: one more wording

    @property
    def label(self) -> str:
        """As editors read it."""
        return {
            "unsure": "机器人没把握",
            "corrected": "客户自己选了",
            "handed_over": "没听懂，转了人工",
            "written": "编辑补充的说法",
        }[self]


class State(StrEnum):
    """What became of it. ``exported``: the running model has learned it; ``refused``: a training with it failed the test."""

    OPEN = "open"
    ASSIGNED = "assigned"
    REFUSED = "refused"
    EXPORTED = "exported"
    DISMISSED = "dismissed"


class Step(StrEnum):
    """Where a training is."""

    QUEUED = "queued"
    TRAINING = "training"
    EVALUATING = "evaluating"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"

    @property
    def label(self) -> str:
        """As editors read it."""
        return {
            "queued": "排队中",
            "training": "训练中",
            "evaluating": "评测中",
            "accepted": "已上线",
            "refused": "未通过",
            "failed": "出错了",
            "rolled_back": "已退回",
        }[self]


RUNNING = (Step.QUEUED, Step.TRAINING, Step.EVALUATING)


class HintKind(StrEnum):
    """Where a hint comes from, the weakest first: a stronger one takes its place."""

    REPLY = "reply"
    TAG = "tag"
    TICKET = "ticket"
    TOOL = "tool"
    INTENT = "intent"

    @property
    def label(self) -> str:
        """As editors read it."""
        return {
            "reply": "客服的第一句话",
            "tag": "客服的小结",
            "ticket": "客服建的工单",
            "tool": "客服先用的工具",
            "intent": "客户选的意思",
        }[self]

    def beats(self, other: str | None) -> bool:
        """Whether it says more than what is known."""
        order = list(HintKind)
        return other is None or order.index(self) > order.index(HintKind(other))


@dataclass(frozen=True)
class Reading:
    """How the brain read a turn. ``asked_back``: it did not act on it, but asked, or looked into the articles."""

    intent: str | None = None
    confidence: float | None = None
    decision: str | None = None
    entities: tuple[dict[str, Any], ...] = ()
    asked_back: bool = False


def is_unsure(text: str, reading: Reading) -> bool:
    """Whether a turn is worth an editor's look. A button's command and an answer to a form's question are not."""
    return reading.asked_back and reading.decision in {"confirm", "fallback"} and not text.startswith("/")


COMMAND = re.compile(r"^/([a-z_]+)")


def chosen_reading(text: str) -> str | None:
    """The label a customer picked with a button; None for anything else, and for the wish to speak to a person."""
    found = COMMAND.match(text)
    name = found.group(1) if found else None
    return name if name in LABELS and name != "request_human" else None


def label_of(hint: str | None, kind: str | None) -> str | None:
    """The intent a hint stands for, if it names one."""
    if hint is None or kind is None:
        return None
    if hint in LABELS:
        return hint
    return next((name for name, label in LABELS.items() if label == hint), None)


# Masking: nothing that points to a person or a record is kept. The placeholders say what stood there, so that a phrase
# can still be trained on, with a made-up value in its place (:func:`with_values`).

KIND_OF_ENTITY = {
    "phone_number": "手机号",
    "order_number": "订单号",
    "tracking_number": "运单号",
    "serial_number": "序列号",
    "tax_number": "税号",
    "email": "邮箱",
    "person_name": "姓名",
    "address": "地址",
    "invoice_title": "单位",
}
GAP = r"[\s\-–—_.·,，、/()（）+]*"
SURNAME = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
    "陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
)
HAN = r"[\u4e00-\u9fff]"
BEFORE_PLACE = r"(?![到在是成为把给往寄送])[\u4e00-\u9fff]"
PLACE = "(?:省|自治区|市|区|县|镇|乡|村|路|街|道|巷|弄|大道|小区|花园|苑|里|广场|大厦|公寓)"
ANY = r"[\u4e00-\u9fffA-Za-z\d-]"
DOOR = r"[\d一二三四五六七八九十甲乙丙A-Za-z-]{1,8}(?:号楼|号院|号|弄|栋|幢|座|单元|楼|层|室|户)"
CUE = "(?:我叫|我是|收货人|收件人|姓名|名字|联系人)(?:是|叫|写|改成|改为|换成|:|：| )?"
MAIL = r"[^\s@＠〔〕\u4e00-\u9fff，。；、]{1,64}"

# Each: what it becomes and where it stands (the group "it", or all). The order counts: the more telling first. All
# repeats are bounded: whatever a customer writes, masking it takes no time.
PATTERNS: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("邮箱", re.compile(rf"{MAIL}\s?[@＠]\s?{MAIL}")),
    ("地址", re.compile(rf"(?:{BEFORE_PLACE}){{2,10}}?{PLACE}{ANY}{{0,30}}?{DOOR}(?:{ANY}{{0,10}}?{DOOR}){{0,4}}")),
    ("姓名", re.compile(rf"{CUE}(?P<it>[{SURNAME}]{HAN}{{1,2}})(?!{HAN})")),
    ("姓名", re.compile(rf"(?P<it>[{SURNAME}]{HAN}{{0,2}}?)(?=先生|女士|小姐)")),
    (
        "编号",
        re.compile(r"(?<![A-Za-z\d])(?=\d{0,31}[A-Za-z])(?=(?:[A-Za-z]{0,31}\d){3})[A-Za-z\d]{8,32}(?![A-Za-z\d])"),
    ),
    ("手机号", re.compile(rf"(?<!\d)(?:\+?86{GAP})?1{GAP}[3-9](?:{GAP}\d){{9}}(?!\d)")),
    ("编号", re.compile(r"[A-Za-z]{1,12}-?\d{3,}[A-Za-z\d-]*|\d{2,}[A-Za-z]{1,12}\d{2,}[A-Za-z\d]*")),
    ("数字", re.compile(rf"\d(?:{GAP}\d){{3,}}")),
    ("数字", re.compile(r"[〇○零一二三四五六七八九幺](?:[\s-]?[〇○零一二三四五六七八九幺]){6,}")),
)
MADE_UP = {  # placeholders, and what stands before and after so many made-up digits in their place
    "手机号": ("1380000", 4, ""),
    "订单号": ("2026", 11, ""),
    "运单号": ("SF", 12, ""),
    "序列号": ("SN", 10, ""),
    "税号": ("91310000MA", 8, ""),
    "邮箱": ("kehu", 3, "@example.com"),
    "姓名": ("林晓雯", 0, ""),
    "地址": ("杭州市西湖区文三路", 2, "号"),
    "单位": ("青禾贸易有限公司", 0, ""),
    "编号": ("AB", 6, ""),
    "四位数": ("", 4, ""),
    "数字": ("", 5, ""),
    "长号码": ("", 12, ""),
}
PLACEHOLDER = re.compile(f"〔({'|'.join(MADE_UP)})〕")


def mask(text: str, entities: Iterable[dict[str, Any]] = (), names: Iterable[str] = ()) -> str:
    """The text without anything that points to a person or a record, as one line.

    ``entities`` as the brain found them (``entity``, ``start``, ``end`` in this text); ``names`` are known to be
    persons' or records' (the customer's own).
    """
    for entity in sorted(entities, key=lambda e: -int(e.get("start") or 0)):
        kind, start, end = KIND_OF_ENTITY.get(str(entity.get("entity"))), entity.get("start"), entity.get("end")
        if kind is None or not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= len(text):
            continue
        piece = text[start:end]
        digits = re.search(r"\d[\d\s-]*$", piece) if kind in {"订单号", "手机号"} else None
        if digits and digits.group() != piece:  # 尾号1234: the words stay
            start, piece = start + digits.start(), digits.group()
        if "〔" not in piece:
            text = f"{text[:start]}〔{_by_length(kind, piece)}〕{text[end:]}"
    for name in sorted({n for n in names if len(n) >= 2}, key=len, reverse=True):
        text = text.replace(name, "〔姓名〕")
    text = " ".join(text.split())
    parts = PLACEHOLDER.split(text)  # text, kind, text, kind, … text
    return _shortened("".join(f"〔{part}〕" if n % 2 else _by_patterns(part) for n, part in enumerate(parts)))


def _shortened(masked: str) -> str:
    """At most TEXT_MOST_CHARS characters, no placeholder cut in two."""
    cut = masked[:TEXT_MOST_CHARS]
    return cut[: cut.rfind("〔")] if cut.rfind("〔") > cut.rfind("〕") and len(masked) > len(cut) else cut


def _by_patterns(text: str) -> str:
    pieces = [text]  # every second one is a placeholder already
    for kind, pattern in PATTERNS:
        done: list[str] = []
        for n, piece in enumerate(pieces):
            if n % 2:
                done.append(piece)
                continue
            at = 0
            for found in pattern.finditer(piece):
                it = "it" if "it" in pattern.groupindex else 0
                done += [piece[at : found.start(it)], f"〔{_by_length(kind, found.group(it))}〕"]
                at = found.end(it)
            done.append(piece[at:])
        pieces = done
    return "".join(pieces)


def _by_length(kind: str, piece: str) -> str:
    """The length of a number tells an amount or the end of a phone from the number of an order, also to the model."""
    digits = sum(c.isdigit() for c in piece)
    if kind in {"数字", "订单号", "手机号"} and digits == 4:
        return "四位数"
    return "长号码" if kind == "数字" and digits >= 8 else kind


def _digits(seed: str, length: int) -> str:
    """Digits that are always the same for a seed; the first is no zero."""
    number = 7
    for character in seed:
        number = (number * 1_000_003 + ord(character)) % 2_147_483_647
    made = ""
    while len(made) < length:
        number = (number * 48_271 + 11) % 2_147_483_647
        made += str(number % 10 or (7 if not made else 0))
    return made


def with_values(masked: str) -> str:
    """The phrase with a made-up value for each placeholder: always the same for the same phrase."""
    count = 0

    def made(found: "re.Match[str]") -> str:
        nonlocal count
        count += 1
        prefix, digits, suffix = MADE_UP[found.group(1)]
        return prefix + _digits(f"{masked}#{count}", digits) + suffix

    return PLACEHOLDER.sub(made, masked)


def trainable(masked: str) -> str:
    """A phrase as it may stand in a training file: one line, without anything Rasa would take for its own language."""
    plain = with_values(" ".join(masked.split())).translate(str.maketrans("[]{}()$\\", "【】｛｝（）＄＼"))
    return "".join(c for c in plain if c.isprintable()).lstrip("/-／ ").strip()


def squeeze(text: str) -> str:
    """What two wordings are compared by: no white space, punctuation or case; as it is when nothing is left."""
    return re.sub(r"[\W_]+", "", text).lower() or text


# Grouping


@dataclass
class Group[T]:
    """Messages that say nearly the same; the first one stands for all."""

    members: list[T] = field(default_factory=list)


def pairs(text: str) -> frozenset[str]:
    """The characters and pairs of characters of a text, what likeness is measured by."""
    plain = squeeze(text)
    return frozenset({*plain, *(plain[i : i + 2] for i in range(len(plain) - 1))})


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Twice what both have, by what each has: 0 nothing, 1 the same (Dice)."""
    return 2 * len(one & other) / max(len(one) + len(other), 1)


def is_like_any(text: str, others: Iterable[frozenset[str]], alike: float = NEARLY_THE_SAME) -> bool:
    """Whether a text is nearly the same as one of these: then it may not be trained on, if they are the golden set."""
    own = pairs(text)
    return any(likeness(own, other) >= alike for other in others)


def grouped[T](items: Sequence[tuple[T, str]], alike: float = ALIKE) -> list[Group[T]]:
    """Items with their texts, by likeness to a group's first one; the largest group first, else as they came."""
    groups: list[tuple[frozenset[str], Group[T]]] = []
    for item, text in items:
        own = pairs(text)
        best, group = max(((likeness(own, first), g) for first, g in groups), key=lambda f: f[0], default=(0.0, None))
        if group is not None and best >= alike:
            group.members.append(item)
        else:
            groups.append((own, Group([item])))
    return sorted((group for _, group in groups), key=lambda g: -len(g.members))


# Accepting a model

QUARTER, LOST_LEAST, ACTED_SHARE = 0.25, 3, 0.05


@dataclass(frozen=True)
class Line:
    """A golden line read by both models. ``acted``: the bot would answer, rather than ask back."""

    text: str
    intent: str
    before: str
    after: str
    right_before: bool
    right_after: bool
    acted_before: bool = True
    acted_after: bool = True


@dataclass(frozen=True)
class Verdict:
    """Whether the new model may take over; ``reasons`` in Chinese, empty when it may."""

    reasons: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """May it?"""
        return not self.reasons


def judge(lines: Sequence[Line], tolerance: int) -> Verdict:
    """The rule: not more than ``tolerance`` lines fewer read right; no intent loses more than a quarter of its lines
    (and at least three); and not five in a hundred lines fewer answered right at once, instead of asking back.
    """
    reasons = []
    lost = sum(line.right_before - line.right_after for line in lines)
    if lost > tolerance:
        reasons.append(f"标准测试集上比现在少答对 {lost} 条（最多允许少 {tolerance} 条）")
    total, losses = Counter(line.intent for line in lines), Counter[str]()
    for line in lines:
        losses[line.intent] += line.right_before - line.right_after
    for intent, n in sorted(losses.items(), key=lambda pair: -pair[1]):
        if n >= LOST_LEAST and n > total[intent] * QUARTER:
            reasons.append(f"“{LABELS.get(intent, intent)}”的 {total[intent]} 条里少对了 {n} 条")
    answered = sum(
        (line.right_before and line.acted_before) - (line.right_after and line.acted_after) for line in lines
    )
    if answered > max(tolerance, len(lines) * ACTED_SHARE):
        reasons.append(f"能直接答对的少了 {answered} 条，客户会更常被反问")
    return Verdict(tuple(reasons))


def training_file(phrases: Iterable[tuple[str, str]]) -> str:
    """Intents and trainable phrases in Rasa's form; nothing that is no single line gets in."""
    by_intent: dict[str, list[str]] = {}
    for intent, text in phrases:
        by_intent.setdefault(intent, []).append(text)
    lines = ["# Made by `zhike nlu train` from what editors assigned; do not edit.", 'version: "3.1"', "nlu:"]
    for intent, texts in sorted(by_intent.items()):
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    return "\n".join(lines if by_intent else [*lines[:2], "nlu: []"]) + "\n"
