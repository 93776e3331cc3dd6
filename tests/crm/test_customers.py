"""Own details, own data, no more messages."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core import clock, db
from core.errors import Refusal
from crm.customers import usecases as customers
from crm.customers.access import ORDER, PHONE, SIGNED_IN, Access
from crm.customers.models import Customer, ProfileChange
from crm.customers.rules import FIELDS, Ties, birthday_in, is_mobile, why_not_close, why_not_value
from migrations.models import metadata
from tests.shop import Shop

NOW = clock.now()
TODAY = date(2026, 11, 22)


@pytest.fixture
def engine(tmp_path):
    made = db.make_engine(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(made)
    return made


@pytest.fixture
def shop(engine):
    return Shop(engine)


def own(session, customer, how=SIGNED_IN):
    return Access(session.get(Customer, customer.id), how)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "13900001111"),
        ("birthday", "1990-04-02"),
        ("email", "chen_yq@example.com.cn"),
        ("nickname", "晴天小羊"),
        ("address", "杭州市西湖区文三路100号"),
        ("name", "欧阳晓雯"),
    ],
)
def test_proper_values_are_taken(field, value):
    assert why_not_value(field, value, TODAY) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "1390000111"),
        ("birthday", "2030-01-01"),
        ("birthday", "4月2日"),
        ("birthday", "1880-01-01"),
        ("email", "chen@"),
        ("nickname", "官方客服小李"),
        ("nickname", "加微信abc123"),
        ("nickname", "啊"),
        ("address", "杭州"),
        ("name", "1"),
    ],
)
def test_what_cannot_be_right_is_sent_back_with_the_reason(field, value):
    assert why_not_value(field, value, TODAY)


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=60))
def test_no_value_whatever_breaks_the_check(field, value):
    why = why_not_value(field, value, TODAY)
    assert why is None or len(why) > 5


@given(st.dates(date(1910, 1, 1), date(2025, 12, 31)))
def test_a_full_date_of_birth_is_read_however_it_is_written(day):
    for text in (f"{day.year}年{day.month}月{day.day}日", f"生日改成{day:%Y-%m-%d}", f"{day:%Y/%m/%d}"):
        assert birthday_in(text) == day.isoformat()


def test_a_birthday_without_year_is_not_guessed():
    assert birthday_in("4月2号") is None
    assert birthday_in("2023年13月45日") is None


def test_only_mainland_mobiles_count():
    assert is_mobile("19912345678") and not is_mobile("12345678901") and not is_mobile("139")


def test_a_change_is_made_at_once_and_recorded_with_the_phone_masked(engine, shop):
    me = shop.customer(phone="13900007777")
    with db.writing(engine) as session:
        assert customers.update(session, own(session, me), "phone", "13800008888", NOW) == "13800008888"
    assert shop.fresh(me).phone == "13800008888"
    with shop.session() as session:
        note = session.scalars(select(ProfileChange)).one()
    assert note.detail == {"before": "139****7777", "after": "138****8888"}


def test_a_number_of_another_account_is_refused_without_saying_whose(engine, shop):
    me, _other = shop.customer(), shop.customer(name="张三丰", phone="13800001234")
    with db.writing(engine) as session, pytest.raises(Refusal) as refused:
        customers.update(session, own(session, me), "phone", "13800001234", NOW)
    assert refused.value.code == "phone_taken" and "张三丰" not in refused.value.detail


@pytest.mark.parametrize("how", [PHONE, ORDER])
def test_who_is_not_signed_in_changes_nothing(engine, shop, how):
    me = shop.customer(nickname="旧名")
    with db.writing(engine) as session:
        for change in (
            lambda a: customers.update(session, a, "nickname", "新名字", NOW),
            lambda a: customers.close(session, a, NOW),
            lambda a: customers.ask_copy(session, a, NOW),
        ):
            with pytest.raises(Refusal):
                change(own(session, me, how))
    assert shop.fresh(me).nickname == "旧名" and shop.fresh(me).closing_at is None


def test_playing_with_a_field_is_stopped_for_the_day(engine, shop):
    me = shop.customer()
    with db.writing(engine) as session:
        for n in range(5):
            customers.update(session, own(session, me), "nickname", f"小羊{n}号", NOW)
        with pytest.raises(Refusal) as refused:
            customers.update(session, own(session, me), "nickname", "小羊九号", NOW)
    assert refused.value.code == "often"


def test_an_account_is_closed_after_seven_days_and_can_be_kept_until_then(engine, shop):
    me = shop.customer()
    with db.writing(engine) as session:
        access = own(session, me)
        assert customers.close(session, access, NOW) == NOW + timedelta(days=7)
        with pytest.raises(Refusal) as again:
            customers.close(session, access, NOW)
        assert again.value.code == "closing"
        customers.keep(session, access, NOW)
    assert shop.fresh(me).closing_at is None


@pytest.mark.parametrize("status", ["unpaid", "paid", "packed", "shipped"])
def test_an_account_with_an_open_order_is_not_closed_and_the_order_is_named(engine, shop, status):
    me = shop.customer()
    order = shop.order(me, status=status)
    with db.writing(engine) as session, pytest.raises(Refusal) as refused:
        customers.close(session, own(session, me), NOW)
    assert order.number[-4:] in refused.value.detail


def test_settled_orders_do_not_stand_in_the_way_of_closing(engine, shop):
    me = shop.customer()
    shop.order(me, status="delivered")
    shop.order(me, status="cancelled")
    with db.writing(engine) as session:
        customers.close(session, own(session, me), NOW)


def test_whatever_binds_an_account_is_told():
    assert why_not_close(Ties()) is None
    assert "售后" in (why_not_close(Ties(cases=1)) or "")
    assert "退款" in (why_not_close(Ties(refunds=2)) or "")


def test_a_copy_is_promised_within_fifteen_days_and_asked_for_once(engine, shop):
    me = shop.customer()
    with db.writing(engine) as session:
        access = own(session, me)
        assert customers.ask_copy(session, access, NOW) == NOW + timedelta(days=15)
        with pytest.raises(Refusal):
            customers.ask_copy(session, access, NOW + timedelta(days=1))


def test_messages_end_at_once_and_only_once(engine, shop):
    me = shop.customer(subscribed=True)
    with db.writing(engine) as session:
        assert customers.unsubscribe(session, own(session, me, PHONE), NOW) is True
        assert customers.unsubscribe(session, own(session, me), NOW) is False
    assert shop.fresh(me).subscribed is False
