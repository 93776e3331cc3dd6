"""Working days by the Chinese holiday calendar."""

import logging
from datetime import date, datetime, timedelta
from functools import lru_cache

import chinese_calendar

log = logging.getLogger(__name__)


def is_working_day(day: date) -> bool:
    """Whether offices work: holidays and make-up days count.

    In years the calendar does not know yet: Monday to Friday.
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        _say_once(day.year)
        return day.weekday() < 5


@lru_cache
def _say_once(year: int) -> None:
    log.warning("the holiday calendar does not know %s yet; Monday to Friday count as working days", year)


def add_working_days(moment: datetime, days: int) -> datetime:
    """The same time of day, that many working days later."""
    while days > 0:
        moment += timedelta(days=1)
        if is_working_day(moment.date()):
            days -= 1
    return moment


def kind_of_day(day: date) -> str:
    """``workday`` (make-up days too), ``weekend`` or ``holiday``; without the calendar's knowledge no day is a holiday."""
    if is_working_day(day):
        return "workday"
    try:
        _, holiday = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        holiday = None
    return "holiday" if holiday else "weekend"
