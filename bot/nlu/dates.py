"""Chinese dates and times of day resolved to values: ``下周二下午`` → ``2026-11-24T13:00/2026-11-24T18:00``.

Pure: the day of today is passed in. A past weekday name means the coming one; a bare ``12号`` the coming twelfth.
"""

import re
from datetime import date, timedelta
from typing import List, NamedTuple, Optional

DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
NUM = r"(?:[0-9]{1,2}|[一二两三四五六七八九十]{1,3})"
DAYS = {
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨晚": -1,
    "昨日": -1,
    "昨儿": -1,
    "今儿": 0,
    "明儿": 1,
    "后儿": 2,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "当天": 0,
    "今早": 0,
}
DAYS.update({"明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3})
PARTS = {
    "上午": ("09:00", "12:00"),
    "早上": ("08:00", "12:00"),
    "中午": ("11:30", "13:30"),
    "下午": ("13:00", "18:00"),
    "傍晚": ("17:00", "19:00"),
    "晚上": ("18:00", "21:00"),
    "今晚": ("18:00", "21:00"),
    "明晚": ("18:00", "21:00"),
    "昨晚": ("18:00", "21:00"),
    "今早": ("08:00", "12:00"),
    "明早": ("08:00", "12:00"),
}
PART = "(?:上午|早上|中午|下午|傍晚|晚上)"
CLOCK = rf"(?:{NUM}点(?:半|一刻|{NUM}分?)?|[0-9]{{1,2}}:[0-9]{{2}})"
DAY = (
    r"(?:大前天|大后天|昨儿|今儿|明儿|后儿|前天|昨天|昨晚|昨日|今天|今日|今晚|今早|当天|明天|明日|明早|明晚|后天"
    r"|(?:下下|下个?|这个?|本|上个?)?(?:周|星期|礼拜)[一二三四五六日天末1-7]"
    rf"|(?:[0-9]{{4}}[年./-])?{NUM}[月./-]{NUM}[日号]?|{NUM}月{NUM}|(?:下个?月|这个?月|本月)?{NUM}[号日](?!线|楼|店)"
    rf"|{NUM}(?:天|个?星期|周|礼拜|个?月)(?:以?后|之后|以?前|之前))"
)
PATTERN = re.compile(rf"(?P<day>{DAY})的?(?P<part>{PART})?(?P<clock>{CLOCK})?|(?P<part2>{PART})(?P<clock2>{CLOCK})?")


class Found(NamedTuple):
    """A span of the text and its value: an ISO date, an ISO time, or an ISO interval."""

    start: int
    end: int
    value: str


def number(text: str) -> Optional[int]:
    """``十二`` → 12, ``二十三`` → 23, ``7`` → 7; None when it is none."""
    if text.isdigit():
        return int(text)
    if not text or any(c not in DIGITS for c in text):
        return None
    if "十" not in text:
        return int("".join(str(DIGITS[c]) for c in text))
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return None
    return (DIGITS[tens] if tens else 1) * 10 + (DIGITS[ones] if ones else 0)


def find(text: str, today: date) -> List[Found]:
    """All dates in a folded text, left to right."""
    found = []
    for match in PATTERN.finditer(text):
        value = _value(match, today)
        if value is not None:
            found.append(Found(match.start(), match.end(), value))
    return found


def _value(match: "re.Match[str]", today: date) -> Optional[str]:
    word = match.group("day")
    part = match.group("part") or match.group("part2") or (word if word in PARTS else None)
    clock = match.group("clock") or match.group("clock2")
    day = _day(word, today) if word else today
    if day is None:
        return None
    if clock:
        hour_minute = _clock(clock, part)
        return None if hour_minute is None else f"{day.isoformat()}T{hour_minute}"
    if part:
        begin, end = PARTS[part]
        return f"{day.isoformat()}T{begin}/{day.isoformat()}T{end}"
    return day.isoformat()


def _clock(text: str, part: Optional[str]) -> Optional[str]:
    if ":" in text:
        hour, minute = (int(x) for x in text.split(":"))
    else:
        before, _, after = text.partition("点")
        hour_read = number(before)
        if hour_read is None:
            return None
        hour = hour_read
        minute = {"": 0, "半": 30, "一刻": 15}.get(after, number(after.rstrip("分")) or 0)
    if part and part[0] in "下傍晚今明" and part not in {"今早", "明早"} and hour < 12:
        hour += 12
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def _day(word: str, today: date) -> Optional[date]:
    if word in DAYS:
        return today + timedelta(days=DAYS[word])
    weekday = re.fullmatch(r"(下下|下个?|这个?|本|上个?)?(?:周|星期|礼拜)(.)", word)
    if weekday:
        return _weekday(weekday.group(1) or "", weekday.group(2), today)
    shift = re.fullmatch(rf"({NUM})(天|个?星期|周|礼拜|个?月)(以?后|之后|以?前|之前)", word)
    if shift:
        count = number(shift.group(1))
        if count is None:
            return None
        days = count * (1 if shift.group(2) == "天" else 30 if "月" in shift.group(2) else 7)
        return today + timedelta(days=-days if "前" in shift.group(3) else days)
    return _calendar_day(word, today)


def _weekday(which: str, name: str, today: date) -> date:
    index = "一二三四五六日".find(name) if name in "一二三四五六日" else {"天": 6, "末": 5}.get(name)
    if index is None:
        index = int(name) - 1
    monday = today - timedelta(days=today.weekday())
    weeks = {"下下": 2, "下": 1, "下个": 1, "上": -1, "上个": -1}.get(which, 0)
    day = monday + timedelta(days=index, weeks=weeks)
    if not which and day < today:
        day += timedelta(weeks=1)
    return day


def _calendar_day(word: str, today: date) -> Optional[date]:
    full = re.fullmatch(rf"(?:([0-9]{{4}})[年./-])?({NUM})[月./-]({NUM})[日号]?", word)
    if full:
        month, day = number(full.group(2)), number(full.group(3))
        if month is None or day is None:
            return None
        if full.group(1):
            return _make(int(full.group(1)), month, day)
        here = _make(today.year, month, day)
        if here is not None and (today - here).days > 180:  # in autumn 三月五号 is next spring
            return _make(today.year + 1, month, day)
        return here
    bare = re.fullmatch(rf"(下个?月|这个?月|本月)?({NUM})[号日]", word)
    if not bare:
        return None
    day = number(bare.group(2))
    if day is None:
        return None
    month = today.month + (1 if (bare.group(1) or "").startswith("下") else 0)
    this = _make(today.year + (month > 12), (month - 1) % 12 + 1, day)
    if this is not None and not bare.group(1) and this < today:
        month += 1
        return _make(today.year + (month > 12), (month - 1) % 12 + 1, day)
    return this


def _make(year: int, month: int, day: int) -> Optional[date]:
    try:
        return date(year, month, day)
    except ValueError:
        return None
