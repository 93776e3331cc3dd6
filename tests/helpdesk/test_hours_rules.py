"""When people are there: by the kind of day in China, on days of their own, and what customers are told of it."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import kind_of_day
from helpdesk.routing.hours_rules import LOOK_AHEAD_DAYS, DayKind, Hours, Span, When, call_back_due, told_day

HERE = ZoneInfo("Asia/Shanghai")
ROUND_THE_CLOCK = Span(time(0), time(0))
DAYTIME, SHORT = Span(time(9), time(21)), Span(time(10), time(16))
PLAN = Hours({DayKind.WORKDAY: DAYTIME, DayKind.WEEKEND: SHORT, DayKind.HOLIDAY: None}, {})


def kind(day: date) -> DayKind:
    """By the Chinese calendar."""
    return DayKind(kind_of_day(day))


def at(text: str) -> datetime:
    """2026, in the business's zone: ``10-01 09:00``."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=HERE)


minutes = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
proper_spans = (
    st.tuples(minutes, minutes).filter(lambda span: span[1] == time(0) or span[0] < span[1]).map(lambda s: Span(*s))
)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
plans = st.builds(
    Hours,
    st.dictionaries(st.sampled_from(DayKind), st.none() | proper_spans),
    st.dictionaries(days, st.none() | proper_spans, max_size=5),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(HERE))  # noqa: DTZ001


@given(plans, moments)
def test_the_next_opening_is_open_and_never_in_the_past_and_nothing_opens_before_it(
    plan: Hours, moment: datetime
) -> None:
    opening = plan.next_opening(moment, kind)
    if opening is None:
        ahead = [moment.date() + timedelta(days=n) for n in range(1, LOOK_AHEAD_DAYS)]
        assert [day for day in ahead if plan.on(day, kind)] == []
        assert not plan.open_at(moment, kind)
        return
    assert opening >= moment
    assert opening.tzinfo == moment.tzinfo
    assert plan.open_at(opening, kind)
    assert plan.open_at(moment, kind) == (opening == moment)
    between = [moment + (opening - moment) * n / 50 for n in range(50)]
    assert not any(plan.open_at(earlier, kind) for earlier in between if earlier < opening)


@given(moments)
def test_without_a_plan_somebody_is_always_there(moment: datetime) -> None:
    assert Hours({}, {}).open_at(moment, kind)
    assert Hours({}, {}).next_opening(moment, kind) == moment


@given(moments)
def test_a_day_of_its_own_closes_even_who_is_always_open(moment: datetime) -> None:
    closed = Hours({}, {moment.date(): None})
    assert not closed.open_at(moment, kind)
    midnight = datetime.combine(moment.date() + timedelta(days=1), time(0), HERE)
    assert closed.next_opening(moment, kind) == midnight


@pytest.mark.parametrize(
    ("when", "is_open", "opens"),
    [
        ("11-20 08:59", False, "11-20 09:00"),  # a Friday
        ("11-20 09:00", True, "11-20 09:00"),
        ("11-20 20:59", True, "11-20 20:59"),
        ("11-20 21:00", False, "11-21 10:00"),  # the weekend begins later
        ("11-21 17:00", False, "11-22 10:00"),
        ("02-14 09:30", True, "02-14 09:30"),  # a Saturday worked for the Spring Festival
        ("10-10 20:00", True, "10-10 20:00"),  # a Saturday worked for the National Day
        ("10-11 09:30", False, "10-11 10:00"),  # the Sunday after it is an ordinary one
        ("10-01 12:00", False, "10-08 09:00"),  # the whole holiday is closed, its weekend too
        ("09-30 21:30", False, "10-08 09:00"),
    ],
)
def test_the_plan_follows_holidays_and_make_up_days(when: str, is_open: bool, opens: str) -> None:
    assert PLAN.open_at(at(when), kind) == is_open
    assert PLAN.next_opening(at(when), kind) == at(opens)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 10, 1), DayKind.HOLIDAY),
        (date(2026, 10, 3), DayKind.HOLIDAY),  # a Saturday in the holiday
        (date(2026, 10, 10), DayKind.WORKDAY),
        (date(2026, 2, 14), DayKind.WORKDAY),
        (date(2026, 9, 20), DayKind.WORKDAY),  # a Sunday
        (date(2026, 11, 21), DayKind.WEEKEND),
        (date(2026, 11, 20), DayKind.WORKDAY),
        (date(2040, 10, 1), DayKind.WORKDAY),  # not known yet: Monday to Friday
        (date(2040, 10, 6), DayKind.WEEKEND),
    ],
)
def test_kinds_of_days(day: date, expected: DayKind) -> None:
    assert kind(day) == expected


def test_a_day_of_its_own_overrules_its_kind() -> None:
    plan = Hours(PLAN.by_kind, {date(2026, 10, 1): SHORT, date(2026, 11, 20): None})
    assert plan.next_opening(at("10-01 08:00"), kind) == at("10-01 10:00")
    assert plan.next_opening(at("11-20 08:00"), kind) == at("11-21 10:00")


def test_who_closes_at_midnight_is_there_until_the_last_minute() -> None:
    late = Hours({DayKind.WORKDAY: Span(time(18), time(0))}, {})
    assert late.open_at(at("11-20 23:59"), kind)
    assert not late.open_at(at("11-21 00:00"), kind)
    assert Span(time(18), time(0)).told() == "18:00–24:00"
    assert ROUND_THE_CLOCK.told() == "00:00–24:00"


@given(proper_spans, minutes)
def test_a_span_holds_its_beginning_and_not_its_end(span: Span, moment: time) -> None:
    assert span.holds(span.opens)
    assert not span.holds(span.closes) or span == ROUND_THE_CLOCK
    assert span.holds(moment) == (span.opens <= moment < (span.closes if span.closes != time(0) else time.max))


def test_who_never_opens_names_no_time() -> None:
    assert Hours(dict.fromkeys(DayKind), {}).next_opening(at("11-20 12:00"), kind) is None


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        ("09-30 09:00", "今天 09:00"),
        ("10-01 10:00", "明天 10:00"),
        ("10-02 10:00", "后天 10:00"),
        ("10-08 09:00", "10月8日 09:00"),
    ],
)
def test_the_day_is_told_as_people_say_it(opening: str, expected: str) -> None:
    assert told_day(at(opening), at("09-30 08:00")) == expected


@given(st.sampled_from(When), moments, st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=9)))
def test_a_call_back_is_due_when_people_are_there_and_leaves_them_an_hour(
    when: When, now: datetime, until: timedelta | None
) -> None:
    opening = None if until is None else now + until
    begin = max(now, opening or now)
    due = call_back_due(when, now, opening)
    assert timedelta(hours=1) <= due - begin < timedelta(hours=25)
    if when == When.ASAP:
        assert due == begin + timedelta(hours=2)
    else:
        assert (due.hour, due.minute) == {"morning": (12, 0), "afternoon": (18, 0), "evening": (21, 0)}[when]
