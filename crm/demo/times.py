"""Moments for the demo: drawn from a span, in the hours people are awake, to the second. Times are aware UTC."""

import calendar
from datetime import datetime, timedelta
from random import Random

from core import clock

ALL_DAY = (0, 24)
AWAKE = (7, 24)  # when customers order
DAYTIME = (9, 20)  # when parcels are handed over
OFFICE = (9, 18)


def between(rng: Random, earliest: datetime, latest: datetime, hours: tuple[int, int] = ALL_DAY) -> datetime:
    """A moment from ``earliest`` to ``latest``, at local ``hours`` (from, until) wherever the span has some."""
    span_seconds = max(int((latest - earliest).total_seconds()), 0)
    moment = latest
    for _ in range(40):
        moment = earliest + timedelta(seconds=int(rng.random() * span_seconds))
        if hours[0] <= clock.local(moment).hour < hours[1]:
            break
    return moment.replace(microsecond=0)


def ago(rng: Random, now: datetime, least: timedelta, most: timedelta, hours: tuple[int, int] = ALL_DAY) -> datetime:
    """A moment ``least`` to ``most`` before now."""
    return between(rng, now - most, now - least, hours)


def at_hour(moment: datetime, hour: int, *, days: int = 0) -> datetime:
    """``hour`` o'clock (local) on the moment's local day, or some days later."""
    there = clock.local(moment)
    return (there + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)


def months_after(moment: datetime, months: int) -> datetime:
    """The same local day and time that many months later (the month's last day where it is shorter)."""
    there = clock.local(moment)
    year, month = divmod(there.year * 12 + there.month - 1 + months, 12)
    day = min(there.day, calendar.monthrange(year, month + 1)[1])
    return there.replace(year=year, month=month + 1, day=day)


def end_of_following_year(moment: datetime) -> datetime:
    """When points earned at a moment expire: the last second of the following year (local)."""
    there = clock.local(moment)
    return there.replace(year=there.year + 1, month=12, day=31, hour=23, minute=59, second=59, microsecond=0)
