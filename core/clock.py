"""Time: aware UTC inside, the business's zone for people. Rules get the time passed in; only entry points ask here."""

from datetime import UTC, date, datetime

from core import settings


def now() -> datetime:
    """The current time, aware, UTC."""
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """The same moment in the business's zone."""
    return moment.astimezone(settings.load().zone)


def today() -> date:
    """The business's date."""
    return local(now()).date()


def told(moment: datetime, *, with_time: bool = True) -> str:
    """A moment as a service person writes it: ``11月22日 15:04``; with the year when it is another one."""
    there = local(moment)
    day = f"{there.month}月{there.day}日"
    if there.year != today().year:
        day = f"{there.year}年{day}"
    return f"{day} {there:%H:%M}" if with_time else day


def iso(moment: datetime | None) -> str | None:
    """The API's form of a moment: ISO 8601 in UTC with ``Z``."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
