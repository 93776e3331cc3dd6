"""Advice before buying."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import db
from crm.catalogue import usecases as catalogue
from crm.catalogue.rules import (
    Budget,
    Offer,
    accessory,
    amounts_in,
    asked_specs,
    budget,
    is_bulk,
    named_colors,
    reasons,
    recommend,
    unknown_thing,
)
from migrations.models import metadata
from tests.shop import Shop


@pytest.fixture
def shop(tmp_path):
    engine = db.make_engine(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(engine)
    return Shop(engine)


def offer(price_yuan, *, pieces=5, name="", **given):
    return Offer(f"S{price_yuan}", name or f"{price_yuan}款", "手机", "云岭", price_yuan * 100, pieces, **given)


OFFERS = [offer(999), offer(1599), offer(1999), offer(2899), offer(4299), offer(2099, pieces=0)]


def test_about_two_thousand_means_a_fifth_more_or_less():
    assert budget("两千左右的手机", [2000]) == Budget(160_000, 240_000)


def test_within_above_and_from_to_are_understood():
    assert budget("3000以内", [3000]) == Budget(None, 300_000)
    assert budget("5000以上", [5000]) == Budget(500_000, None)
    assert budget("2000到3000", [3000, 2000]) == Budget(200_000, 300_000)
    assert budget("推荐个手机", []) is None


def test_what_is_recommended_fits_the_budget_and_is_in_stock():
    chosen, fits = recommend(OFFERS, Budget(160_000, 240_000))
    assert fits and [o.price_cents for o in chosen] == [199_900]


def test_when_nothing_fits_the_nearest_is_shown_and_said_so():
    chosen, fits = recommend(OFFERS, Budget(None, 50_000))
    assert not fits and chosen[0].price_cents == 99_900


offers = st.lists(
    st.builds(
        Offer,
        st.text("ABC123", min_size=1, max_size=6),
        st.just("x"),
        st.just("手机"),
        st.sampled_from(["云岭", "拓野"]),
        st.integers(1, 1_000_000),
        st.integers(0, 3),
    ),
    max_size=12,
)
budgets = st.none() | st.builds(Budget, st.none() | st.integers(0, 500_000), st.integers(500_000, 900_000))


@given(offers, budgets, st.sampled_from([None, "云岭", "索尼"]))
def test_advice_is_never_sold_out_or_beyond_the_budget_without_saying_so(found, limit, brand):
    chosen, fits = recommend(found, limit, brand)
    assert len(chosen) <= 3 and bool(chosen) == bool(found)
    if any(o.pieces for o in found):
        assert all(o.pieces for o in chosen)
    if fits and limit:
        assert all(limit.fits(o.price_cents) for o in chosen)


def test_each_product_has_a_short_reason():
    cheap, dear = offer(999, specs={"屏幕": "6.6英寸"}), offer(4299, promotion="送充电器")
    assert "这几款里最实惠" in reasons(cheap, None, [cheap, dear])
    assert "送充电器" in reasons(dear, None, [cheap, dear])
    assert "比预算还省 2001 元" in reasons(cheap, Budget(most_cents=300_000))


def test_a_question_about_a_detail_gets_that_detail():
    specs = {"内存": "12+256GB", "屏幕": "6.7英寸 120Hz", "防水": "IP68"}
    assert asked_specs("这个防水吗", specs) == {"防水": "IP68"}
    assert asked_specs("屏幕多大", specs)["屏幕"] == "6.7英寸 120Hz"
    assert asked_specs("能打电话吗", {"防水": "IP68"}) == {}


def test_a_colour_is_understood_whole_or_by_its_basic_word():
    colors = ["曜石黑", "晴空蓝", "云杉绿"]
    assert named_colors("云杉绿还有吗", colors) == ["云杉绿"]
    assert named_colors("蓝色的有货吗", colors) == ["晴空蓝"]
    assert named_colors("有货吗", colors) == []


def test_corporate_buying_begins_at_ten_pieces_or_twenty_thousand_yuan():
    assert is_bulk(10, None) is True
    assert is_bulk(5, 400_000) is True
    assert is_bulk(5, 10_000) is False
    assert is_bulk(5, None) is None and is_bulk(None, 10_000) is None


def test_a_product_is_found_by_sku_name_alias_and_class(shop):
    one = shop.product(sku="SJ-X20", name="云岭 X20 5G手机", kind="手机", aliases=["X20"])
    other = shop.product(sku="SJ-S5", name="云岭 S5 5G手机", kind="手机", aliases=["S5手机"])
    with shop.session() as session:
        assert [p.id for p in catalogue.named(session, "SJ-X20")] == [one.id]
        assert [p.id for p in catalogue.named(session, "x20")] == [one.id]
        assert {p.id for p in catalogue.named(session, "手机")} == {one.id, other.id}
        assert catalogue.named(session, "面霜") == []


def test_instead_of_what_is_sold_out_something_near_in_price_is_shown(shop):
    gone = shop.product(quantity=0, price_cents=40_000)
    near, far = shop.product(price_cents=45_000), shop.product(price_cents=90_000)
    shop.product(price_cents=41_000, quantity=0)
    with shop.session() as session:
        found = catalogue.others_in_stock(session, session.get_one(type(gone), gone.id))
    assert [p.id for p in found] == [near.id, far.id]


def test_a_thing_that_is_not_sold_is_recognised_in_the_question():
    assert unknown_thing("面霜多少钱") == "面霜"
    assert unknown_thing("请问自行车有货吗") == "自行车"
    for text in (
        "现在多少钱",
        "这个多少钱",
        "曜石黑有货吗",
        "有货吗",
        "最低多少钱",
        "那款有货吗",
        "双十一什么价",
        "学生打折吗",
    ):
        assert unknown_thing(text) is None, text


def test_an_accessory_is_not_taken_for_the_product():
    assert accessory("壳有货吗") == "壳" and accessory("有货吗") is None and accessory("套装多少钱") is None


def test_a_budget_without_the_word_yuan_is_read():
    assert amounts_in("预算500想买个电视") == [500]
    assert amounts_in("2000到3000的手机") == [2000, 3000]
    assert amounts_in("3k左右的平板") == [3000]
    assert amounts_in("501升冰箱和20000毫安充电宝") == []
