"""Which day and which half-day a message names, for visits. Values come from the brain (bot/nlu/dates.py)."""

import re
from datetime import date, datetime
from typing import NamedTuple

from actions.answers import turned_down_at
from actions.talk import Talk
from helpdesk.visits.rules import Slot

BARE_PART = re.compile(r"^(上午|早上|中午|下午|傍晚|晚上)")
# what follows a day that is not the wish: 明天没空, 周五那个预约 – within the same clause
NOT_THEN = re.compile(
    r"^ ?[^，,。！!；; ]{0,4}?"
    r"(没空|没时间|没得空|不在|有事|不行|不方便|来不了|(?<!不)上班|加班|出差|要去|不要来|别来|不来|先不用|那个|的?预约|的师傅)"
)
ANY_DAY = re.compile(r"最早|最快|尽快|越快越好|越早越好|都可以|都行|随便|哪天都|什么时候都")
ANY_SLOT = re.compile(r"都可以|都行|随便|全天|一整天|整天|都在家|看师傅|无所谓")
NOT_MEANT = r"(?!好|.{0,3}(?:没空|没时间|不行|不在|不方便|有事|要出门|上班))"
MORNING = re.compile(rf"(?:上午|早上|早晨|明早){NOT_MEANT}")
AFTERNOON = re.compile(rf"(?:下午|午后){NOT_MEANT}")
EVENING = re.compile(r"晚上|傍晚|今晚|明晚|夜里")


class When(NamedTuple):
    """What was said; ``evening``: a time nobody comes at was asked for."""

    day: date | None
    slot: Slot | None
    evening: bool


def said(talk: Talk) -> When:
    """The last day and half-day of the message; a day on which the customer cannot (明天没空) does not count."""
    day, slot, evening = None, None, False
    for entity in talk.tracker.latest_message.get("entities") or []:
        if entity.get("entity") != "date_time":
            continue
        surface, rest = _around(talk, entity)
        if NOT_THEN.match(rest) or rest.startswith("好"):  # 下午好
            continue
        if not talk.is_command and turned_down_at(talk.text, entity.get("start")):  # 不是24号 是25号
            continue
        begins = _begins(str(entity["value"]))
        if begins is None:
            continue
        if not BARE_PART.match(surface):
            day, slot, evening = begins.date(), None, False
        if "T" in str(entity["value"]):
            slot = _slot(begins.hour)
            evening = slot is None
    if slot is None and not evening:
        slot = _slot_word(talk.text)
        evening = slot is None and day is None and bool(EVENING.search(talk.text))
    return When(day, slot, evening)


def _around(talk: Talk, entity: dict[str, object]) -> tuple[str, str]:
    # the brain counts in the text as it read it, which is the text we have
    start, end = entity.get("start"), entity.get("end")
    if talk.is_command or not isinstance(start, int) or not isinstance(end, int):
        return "", ""
    return talk.text[start:end], talk.text[end:]


def _begins(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value.partition("/")[0])
    except ValueError:
        return None


def _slot(hour: int) -> Slot | None:
    if 6 <= hour < 12:
        return Slot.MORNING
    return Slot.AFTERNOON if 12 <= hour < 18 else None


def _slot_word(text: str) -> Slot | None:
    # 上午换成下午: the later word is the wish
    last = {Slot.MORNING: _last(MORNING, text), Slot.AFTERNOON: _last(AFTERNOON, text)}
    slot = max(last, key=lambda s: last[s])
    return slot if last[slot] >= 0 else None


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((m.start() for m in pattern.finditer(text)), default=-1)
