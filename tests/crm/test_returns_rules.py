"""Returns and exchanges: what the rules say, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.loyalty.rules import Level
from crm.returns.rules import (
    RETURN_FREIGHT_CENTS,
    SETTLEMENTS,
    CaseStatus,
    Goods,
    Problem,
    Settlement,
    When,
    fitting_pickup,
    goods_come_back,
    pickup_span,
    pickup_window,
    return_freight_cents,
    same_color,
    settlement_for,
    share_cents,
    when_reported,
    why_not_call_off,
    why_not_exchange,
    why_not_report,
    why_not_return,
)

SIGNED = date(2026, 11, 10)
SIGNED_AT = datetime(2026, 11, 10, 4, 0, tzinfo=UTC)
COOKER = Goods("电饭煲", "small")
PHONE = Goods("手机", "small", activates=True)
USED_PHONE = Goods("手机", "small", activates=True, activated=True)
EARBUDS = Goods("耳机", "small", personal=True, unsealed=True)
FILTER = Goods("滤芯", "small", consumable=True, unsealed=True)
WASHER = Goods("洗衣机", "large", needs_installation=True, installed=True)
DAYS = st.integers(0, 400)


def code(no: object) -> str | None:
    return getattr(no, "code", None)


def later(days: int) -> date:
    return SIGNED + timedelta(days=days)


def test_the_seventh_day_after_signing_is_still_in_time_and_the_eighth_is_not() -> None:
    assert why_not_return(COOKER, quality=False, signed=SIGNED, today=later(7)) is None
    assert code(why_not_return(COOKER, quality=False, signed=SIGNED, today=later(8))) == "return_late"


@pytest.mark.parametrize(
    ("goods", "said"), [(USED_PHONE, "activated"), (EARBUDS, "unsealed"), (FILTER, "unsealed"), (WASHER, "installed")]
)
def test_used_goods_cannot_be_sent_back_for_a_change_of_mind_but_for_a_fault(goods: Goods, said: str) -> None:
    assert code(why_not_return(goods, quality=False, signed=SIGNED, today=later(1))) == f"return_{said}"
    assert why_not_return(goods, quality=True, signed=SIGNED, today=later(1)) is None


def test_a_phone_that_was_never_activated_can_be_sent_back() -> None:
    assert why_not_return(PHONE, quality=False, signed=SIGNED, today=later(3)) is None


def test_over_ear_headphones_may_be_unpacked() -> None:
    assert why_not_return(Goods("耳机", "small", unsealed=True), quality=False, signed=SIGNED, today=later(3)) is None


def test_a_fault_after_the_return_span_is_offered_an_exchange_then_repair() -> None:
    no = why_not_return(COOKER, quality=True, signed=SIGNED, today=later(10))
    assert no is not None and no.code == "return_late_exchange" and "11月25日" in no.why
    no = why_not_return(COOKER, quality=True, signed=SIGNED, today=later(16))
    assert no is not None and no.code == "return_late_quality" and "我要报修" in no.way_on


def test_a_fault_is_swapped_for_15_days_and_headphones_for_180() -> None:
    assert why_not_exchange(COOKER, quality=True, signed=SIGNED, today=later(15)) is None
    assert code(why_not_exchange(COOKER, quality=True, signed=SIGNED, today=later(16))) == "exchange_late"
    assert why_not_exchange(EARBUDS, quality=True, signed=SIGNED, today=later(180)) is None
    assert code(why_not_exchange(EARBUDS, quality=True, signed=SIGNED, today=later(181))) == "exchange_late"


def test_another_colour_is_had_for_7_days_unspoiled() -> None:
    assert why_not_exchange(COOKER, quality=False, signed=SIGNED, today=later(7)) is None
    assert code(why_not_exchange(COOKER, quality=False, signed=SIGNED, today=later(8))) == "exchange_late_mind"
    assert code(why_not_exchange(USED_PHONE, quality=False, signed=SIGNED, today=later(1))) == "exchange_activated"


@given(DAYS, st.sampled_from([COOKER, PHONE, USED_PHONE, EARBUDS, FILTER, WASHER]), st.booleans())
def test_what_is_refused_today_is_not_granted_later_and_says_what_to_do(days: int, goods: Goods, quality: bool) -> None:
    for rule in (why_not_return, why_not_exchange):
        no = rule(goods, quality=quality, signed=SIGNED, today=later(days))
        if no is not None:
            assert no.way_on and len(no.why) > 10
            assert rule(goods, quality=quality, signed=SIGNED, today=later(days + 1)) is not None


@given(DAYS, st.sampled_from([COOKER, USED_PHONE, EARBUDS, WASHER]))
def test_a_fault_is_never_treated_worse_than_a_change_of_mind(days: int, goods: Goods) -> None:
    if why_not_return(goods, quality=False, signed=SIGNED, today=later(days)) is None:
        assert why_not_return(goods, quality=True, signed=SIGNED, today=later(days)) is None


def test_what_arrived_bad_is_settled_for_48_hours_then_looked_at_and_after_15_days_not_taken() -> None:
    assert when_reported(SIGNED_AT, SIGNED_AT + timedelta(hours=48)) == When.IN_TIME
    assert when_reported(SIGNED_AT, SIGNED_AT + timedelta(hours=48, seconds=1)) == When.LATE
    assert when_reported(SIGNED_AT, SIGNED_AT + timedelta(days=15, seconds=1)) == When.OVER


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, None), (4, "report_late_return"), (10, "return_late_exchange"), (20, "return_late_quality")],
)
def test_a_late_report_of_a_fault_goes_to_return_exchange_or_repair(days: int, expected: str | None) -> None:
    no = why_not_report(
        Problem.FAULTY,
        COOKER,
        signed_at=SIGNED_AT,
        now=SIGNED_AT + timedelta(days=days),
        signed=SIGNED,
        today=later(days),
    )
    assert code(no) == expected


@given(st.sampled_from(list(Problem)), st.sampled_from(list(Settlement)))
def test_every_wish_becomes_one_that_fits_the_problem(problem: Problem, wanted: Settlement) -> None:
    made = settlement_for(problem, wanted)
    assert made in SETTLEMENTS[problem]
    assert made == wanted or wanted not in SETTLEMENTS[problem]
    assert not goods_come_back(problem, made) or problem not in {Problem.MISSING, Problem.GIFT}


def test_return_freight_is_ours_for_faults_and_twice_a_year_for_gold() -> None:
    def freight(level: Level, used: int, quality: bool = False) -> int:
        return return_freight_cents("small", quality=quality, level=level, used_this_year=used)

    assert freight(Level.NORMAL, 0, quality=True) == 0
    assert freight(Level.NORMAL, 0) == freight(Level.SILVER, 0) == RETURN_FREIGHT_CENTS["small"]
    assert [freight(Level.GOLD, n) for n in (0, 1, 2)] == [0, 0, RETURN_FREIGHT_CENTS["small"]]
    assert freight(Level.PLATINUM, 1) == 0


@given(st.lists(st.integers(1, 1_000_000), min_size=1, max_size=6), st.floats(0, 1))
def test_shares_of_an_order_never_add_up_to_more_than_was_paid(prices: list[int], discount: float) -> None:
    value = sum(prices)
    paid = value - int(value * discount)
    shares = [share_cents(paid, value, price) for price in prices]
    assert all(share >= 0 for share in shares)
    assert paid - len(prices) < sum(shares) <= paid
    assert share_cents(paid, value, value) == paid


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sampled_from(["small", "large"]))
def test_a_pick_up_is_always_on_a_day_that_can_be_booked(wish: date, size: str) -> None:
    today = date(2026, 11, 22)
    first, last = pickup_span(size, today)
    fitting = fitting_pickup(wish, size, today)
    assert first <= fitting <= last
    assert fitting == wish or not first <= wish <= last


@given(st.integers(9, 17))
def test_the_hours_of_a_pick_up_can_be_told(hour: int) -> None:
    assert "点" in pickup_window(hour)


@pytest.mark.parametrize(
    ("said", "colors", "expected"),
    [
        ("想换黑的", ["曜石黑", "晴空蓝", "云杉绿"], "曜石黑"),
        ("换成奶油白", ["奶油白", "粉色"], "奶油白"),
        ("白色", ["白色", "黑色"], "白色"),
        ("换个紫的", ["白色", "黑色"], None),
        ("要灰的", ["深灰", "浅灰"], None),
    ],
)
def test_a_colour_is_understood_as_customers_say_it(said: str, colors: list[str], expected: str | None) -> None:
    assert same_color(said, colors) == expected


def test_a_case_is_called_off_until_something_has_moved() -> None:
    free = {s for s in CaseStatus if why_not_call_off(s) is None}
    assert free == {CaseStatus.WAITING, CaseStatus.PICKUP}
