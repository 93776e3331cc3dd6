"""When people are there (服务时间). Pure: times are the business's own, the kind of a day is passed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

LOOK_AHEAD_DAYS = 60


class DayKind(StrEnum):
    """What a day is by the Chinese holiday calendar: make-up days (调休上班) are working days."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"

    @property
    def label(self) -> str:
        """As people say it."""
        return {"workday": "工作日", "weekend": "周末", "holiday": "法定节假日"}[self]


@dataclass(frozen=True)
class Span:
    """From ``opens`` to ``closes`` (not included) of one day; ``closes`` 00:00 is the end of the day."""

    opens: time
    closes: time

    def holds(self, moment: time) -> bool:
        """Whether a time of day is in it."""
        return self.opens <= moment and (self.closes == time(0) or moment < self.closes)

    def told(self) -> str:
        """``09:00–21:00``."""
        return f"{self.opens:%H:%M}–{self.closes:%H:%M}".replace("–00:00", "–24:00")


@dataclass(frozen=True)
class Hours:
    """The plan: a span (or None: closed) for each kind of day, and dates of their own. An empty one means always open."""

    by_kind: Mapping[DayKind, Span | None]
    special: Mapping[date, Span | None]

    def on(self, day: date, kind_of: Callable[[date], DayKind]) -> Span | None:
        """The span of a day; None when closed."""
        if day in self.special:
            return self.special[day]
        if not self.by_kind:
            return Span(time(0), time(0))
        return self.by_kind.get(kind_of(day))

    def open_at(self, moment: datetime, kind_of: Callable[[date], DayKind]) -> bool:
        """Whether somebody should be there."""
        span = self.on(moment.date(), kind_of)
        return span is not None and span.holds(moment.time())

    def next_opening(self, moment: datetime, kind_of: Callable[[date], DayKind]) -> datetime | None:
        """The moment itself when open, else when it next opens; None when not within two months."""
        if self.open_at(moment, kind_of):
            return moment
        for ahead in range(LOOK_AHEAD_DAYS):
            day = moment.date() + timedelta(days=ahead)
            span = self.on(day, kind_of)
            if span is not None:
                begin = datetime.combine(day, span.opens, moment.tzinfo)
                if begin >= moment:
                    return begin
        return None


def told_day(opening: datetime, now: datetime) -> str:
    """``今天 09:00``, ``明天 09:00``, ``10月8日 09:00``."""
    days = (opening.date() - now.date()).days
    day = {0: "今天", 1: "明天", 2: "后天"}.get(days) or f"{opening.month}月{opening.day}日"
    return f"{day} {opening:%H:%M}"


class When(StrEnum):
    """When a customer would like to be called back."""

    ASAP = "asap"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @property
    def label(self) -> str:
        """As customers read it."""
        return {"asap": "尽快", "morning": "上午", "afternoon": "下午", "evening": "晚上"}[self]


PARTS = {When.MORNING: time(12), When.AFTERNOON: time(18), When.EVENING: time(21)}
PROMISED = timedelta(hours=2)  # docs/shop.md: 回电 within two working hours


def call_back_due(
    when: When, now: datetime, opening: datetime | None, works: Callable[[date], bool] = lambda _: True
) -> datetime:
    """By when to call: two hours after people are there, or the end of the next such part of a day people work on.

    ``opening``: when people are there next (now, if they are); None: not in sight, then in two hours all the same.
    """
    begin = max(now, opening) if opening else now
    if when == When.ASAP:
        return begin + PROMISED
    due = datetime.combine(begin.date(), PARTS[when], begin.tzinfo)
    if due - begin < timedelta(hours=1):
        due += timedelta(days=1)
    days = (due + timedelta(days=ahead) for ahead in range(LOOK_AHEAD_DAYS))
    return next((day for day in days if works(day.date())), due)
