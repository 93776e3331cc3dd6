"""One article as it stands in a file, checked and tidied."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.errors import Invalid
from knowledge_base.rules import fingerprint, key_of

LONGEST = {"id": 120, "question": 1_000, "answer": 20_000, "category": 60}  # characters, as the table takes them
NAMES = {"id": "编号（id）", "question": "问题（question）", "answer": "答案（answer）", "category": "分类（category）"}
TAGS_APART = re.compile(r"[|,，、;；\n]")
ALSO_APART = re.compile(r"(?<!\\)\||\n")  # wordings hold commas; a bar inside one is written \|


@dataclass(frozen=True)
class Row:
    """``key`` is the id in the file or made from the question; ``status`` draft or published."""

    key: str
    question: str
    answer: str
    category: str = ""
    tags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    status: str = "published"

    @property
    def fingerprint(self) -> str:
        """See :func:`knowledge_base.rules.fingerprint`."""
        return fingerprint(self.question, self.answer, self.category, self.tags, self.also)

    def as_fields(self) -> dict[str, Any]:
        """The row as a JSON object of an export."""
        return {
            "id": self.key,
            "question": self.question,
            "answer": self.answer,
            "category": self.category,
            "tags": list(self.tags),
            "also": list(self.also),
            "status": self.status,
        }


def from_fields(fields: Mapping[str, Any], where: str) -> Row:
    """A row from a file's fields. Raises :class:`Invalid`, whose message opens with ``where`` (第 3 行)."""
    question, answer = _text(fields, "question", where), _text(fields, "answer", where)
    for name, value in (("question", question), ("answer", answer)):
        if not value:
            raise Invalid(f"{where}：{NAMES[name]}是空的", code=f"empty_{name}")
    status = str(fields.get("status") or "published").strip().lower()
    return Row(
        key=_text(fields, "id", where) or key_of(question),
        question=question,
        answer=answer,
        category=_text(fields, "category", where),
        tags=_list(fields.get("tags"), TAGS_APART, f"{where}：标签（tags）"),
        also=_list(fields.get("also"), ALSO_APART, f"{where}：相似问法（also）"),
        status="draft" if status in {"draft", "草稿"} else "published",
    )


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | date):  # YAML makes 2025-01-01 a date
        raise Invalid(f"{where}：{NAMES[name]}应当是文字", code="wrong_type")
    text = str(value).strip()
    if len(text) > LONGEST[name]:
        raise Invalid(f"{where}：{NAMES[name]}超过 {LONGEST[name]} 字", code="too_long")
    return _storable(text, f"{where}：{NAMES[name]}")


def _list(value: Any, apart: re.Pattern[str], where: str) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(item, dict | list) for item in items):
        raise Invalid(f"{where}应当是文字的列表", code="wrong_type")
    # An item of a list is taken whole, except that tags never hold a separator, else no export could give them back.
    whole = isinstance(value, list) and apart is ALSO_APART
    texts = [part for item in items if item is not None for part in ([str(item)] if whole else apart.split(str(item)))]
    tidy = (_storable(text if whole else text.replace("\\|", "|"), where).strip() for text in texts)
    return tuple(dict.fromkeys(" ".join(text.split()) for text in tidy if text))


def _storable(text: str, what: str) -> str:
    """PostgreSQL stores no NUL, no encoding writes half a surrogate pair."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(f"{what}里有不能保存的字符", code="wrong_character")
    return text


def join_list(items: tuple[str, ...]) -> str:
    """A list as one cell."""
    return "|".join(item.replace("|", "\\|") for item in items)
