"""What warranty, repairs and visits promise, as docs/shop.md says it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.visits import rules
from helpdesk.visits.rules import Slot, Way

ZONE = ZoneInfo("Asia/Shanghai")
SIGNED = date(2026, 1, 31)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZONE)
cities = st.sampled_from(["杭州", "上海市", "拉萨", "绵阳", "小城"])
moments = st.builds(datetime.combine, st.dates(date(2025, 1, 1), date(2030, 12, 31)), st.times(), st.just(ZONE))


def fridge() -> rules.Warranty:
    return rules.warranty(SIGNED, "冰箱", 36, 120)


def test_a_fridge_is_covered_three_years_and_its_compressor_ten():
    assert (fridge().whole, fridge().main_parts) == (date(2029, 1, 31), date(2036, 1, 31))
    assert fridge().covers(date(2029, 1, 31))
    assert not fridge().covers(date(2029, 2, 1))
    assert fridge().covers_main_parts(date(2030, 1, 1))


def test_a_month_that_is_shorter_ends_on_its_last_day():
    assert rules.months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert rules.months_after(date(2027, 12, 31), 2) == date(2028, 2, 29)


def test_a_phone_battery_is_covered_six_months():
    assert rules.warranty(SIGNED, "手机", 12, 12).battery == date(2026, 7, 31)
    assert fridge().battery is None


def test_headphones_are_swapped_within_180_days():
    covered = rules.warranty(SIGNED, "耳机", 12, 12)
    assert covered.swaps(SIGNED + timedelta(days=180))
    assert not covered.swaps(SIGNED + timedelta(days=181))


def test_consumables_have_no_warranty():
    covered = rules.warranty(SIGNED, "滤芯", 0, 0)
    assert not covered.covers(SIGNED)
    assert not covered.covers_main_parts(SIGNED)


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 120))
def test_a_warranty_ends_on_the_same_day_of_the_month_or_earlier(signed, months):
    until = rules.months_after(signed, months)
    assert until > signed
    assert until.day <= signed.day
    assert (until.year - signed.year) * 12 + until.month - signed.month == months


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("手机摔了屏幕不亮", "摔落或磕碰"),
        ("掉水里了", "进水进液"),
        ("自己拆开看过", "自行拆修"),
        ("没摔过，就是不充电", None),
        ("破壁机打碎冰的时候不转", None),
        ("不制冷", None),
    ],
)
def test_falls_liquid_and_own_dismantling_are_not_free(fault, why):
    assert rules.not_covered(fault) == why


def test_a_large_thing_in_warranty_is_visited_for_nothing():
    plan = rules.plan_repair(fridge(), date(2026, 11, 22), "不制冷", large=True, installed=False)
    assert (plan.way, plan.in_warranty, plan.fee_cents) == (Way.VISIT, True, 0)


def test_out_of_warranty_the_visit_costs_fifty_yuan():
    plan = rules.plan_repair(fridge(), date(2030, 1, 1), "不制冷", large=True, installed=False)
    assert (plan.in_warranty, plan.fee_cents) == (False, 5_000)


def test_what_fell_costs_the_visit_even_in_warranty():
    plan = rules.plan_repair(fridge(), date(2026, 11, 22), "搬家摔了", large=True, installed=False)
    assert (plan.excluded, plan.fee_cents) == ("摔落或磕碰", 5_000)


def test_a_small_thing_is_sent_in_without_a_visit_fee():
    covered = rules.warranty(SIGNED, "手机", 12, 12)
    plan = rules.plan_repair(covered, date(2028, 1, 1), "黑屏", large=False, installed=False)
    assert (plan.way, plan.fee_cents) == (Way.SEND_IN, 0)


def test_a_small_installed_thing_is_visited():
    covered = rules.warranty(SIGNED, "净水器", 12, 36)
    assert rules.plan_repair(covered, SIGNED, "漏水", large=False, installed=True).way == Way.VISIT


def test_tomorrow_can_be_booked_until_eight_in_the_evening():
    assert rules.first_day(NOON.replace(hour=19, minute=59), "杭州") == date(2026, 11, 23)
    assert rules.first_day(NOON.replace(hour=20, minute=0), "杭州") == date(2026, 11, 24)


def test_without_a_service_point_the_first_day_is_two_days_later():
    assert rules.first_day(NOON, "拉萨") == date(2026, 11, 25)
    assert rules.first_day(NOON, "杭州市") == date(2026, 11, 23)


def test_a_visit_can_be_moved_until_two_hours_before():
    day = date(2026, 11, 22)
    assert rules.can_move(day, Slot.AFTERNOON, NOON.replace(hour=11))
    assert not rules.can_move(day, Slot.AFTERNOON, NOON.replace(hour=11, minute=1))


def test_a_visit_can_be_moved_to_the_other_half_of_its_day():
    evening = NOON.replace(hour=21)
    tomorrow = date(2026, 11, 23)
    assert not rules.can_book(tomorrow, evening, "杭州")
    assert rules.can_move_to(tomorrow, Slot.AFTERNOON, evening, "杭州", tomorrow)
    assert not rules.can_move_to(date(2026, 11, 22), Slot.MORNING, NOON, "杭州", date(2026, 11, 22))


@given(moments, cities)
def test_nobody_is_promised_today_and_everybody_comes_within_five_days(now, city):
    ahead = (rules.first_day(now, city) - now.date()).days
    assert 1 <= ahead <= 5
    assert rules.can_book(rules.first_day(now, city), now, city)


@given(moments, cities, st.integers(-5, 60))
def test_only_days_between_the_first_and_the_last_can_be_booked(now, city, days):
    day = now.date() + timedelta(days=days)
    assert rules.can_book(day, now, city) == (rules.first_day(now, city) <= day <= rules.last_day(now))


@given(moments, st.integers(1, 30), st.sampled_from(list(Slot)))
def test_what_is_booked_for_a_later_day_can_still_be_moved_today(now, days, slot):
    assert rules.can_move(now.date() + timedelta(days=days), slot, now)


def test_the_hint_names_how_a_thing_is_set_up():
    assert "静置" in rules.setup_hint("冰箱")
    assert rules.setup_hint("吹风机")
    assert "3 米" in rules.installation_extras("空调")
