"""The service hours as the supervisor has set them, and whether people are there now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import calendar, settings
from core.errors import Invalid
from helpdesk.routing.hours_rules import DayKind, Hours, Span, told_day
from helpdesk.routing.models import OpeningHours, SpecialDay


def plan(session: Session) -> Hours:
    """The hours in force."""
    kinds = {DayKind(row.kind): _span(row.opens, row.closes) for row in session.scalars(select(OpeningHours))}
    special = {row.day: _span(row.opens, row.closes) for row in session.scalars(select(SpecialDay))}
    return Hours(kinds, special)


def _span(opens: time | None, closes: time | None) -> Span | None:
    return Span(opens, closes) if opens is not None and closes is not None else None


def _kind(day: date) -> DayKind:
    return DayKind(calendar.kind_of_day(day))


@dataclass(frozen=True)
class Now:
    """Whether it is service time; else ``opens_at`` (in the business's zone), None when no opening is in sight."""

    open: bool
    opens_at: datetime | None
    told: str  # 今天 09:00; empty when open or out of sight


def now_by(session: Session, now: datetime) -> Now:
    """See :class:`Now`."""
    here = now.astimezone(settings.load().zone)
    hours = plan(session)
    if hours.open_at(here, _kind):
        return Now(True, None, "")
    opening = hours.next_opening(here, _kind)
    return Now(False, opening, told_day(opening, here) if opening else "")


def today(session: Session, now: datetime) -> str:
    """``09:00–21:00`` or ``今日休息``."""
    span = plan(session).on(now.astimezone(settings.load().zone).date(), _kind)
    return span.told() if span else "今日休息"


def works(session: Session) -> Callable[[date], bool]:
    """Whether people are there at all on a day."""
    kept = plan(session)
    return lambda day: kept.on(day, _kind) is not None


def save(
    session: Session,
    kinds: Mapping[DayKind, Span | None],
    special: Mapping[date, tuple[Span | None, str]],
) -> None:
    """Replaces the plan. No kinds: always open. Raises Invalid for a span that ends before it begins."""
    for span in [*kinds.values(), *(span for span, _ in special.values())]:
        if span is not None and span.closes != time(0) and span.closes <= span.opens:
            raise Invalid("结束时间要晚于开始时间。通宵服务请填 00:00 到 00:00。")
    session.execute(delete(OpeningHours))
    session.execute(delete(SpecialDay))
    session.add_all(
        OpeningHours(kind=kind.value, opens=span and span.opens, closes=span and span.closes)
        for kind, span in kinds.items()
    )
    session.add_all(
        SpecialDay(day=day, opens=span and span.opens, closes=span and span.closes, note=note[:60])
        for day, (span, note) in special.items()
    )
