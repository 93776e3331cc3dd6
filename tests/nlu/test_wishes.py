"""Two wishes in one message: both are found, and one matter told twice is not taken for two."""

import pytest

from bot.nlu.wishes import also, clauses

MEANINGS = {
    "帮我取消订单": ("cancel_order", 0.9),
    "把发票开了": ("request_invoice", 0.9),
    "快递到哪了": ("track_logistics", 0.9),
    "怎么还没发货": ("urge_shipping", 0.8),
    "谢谢你们": ("thank", 0.95),
    "那个东西": ("product_consult", 0.2),
}


def read(parts: list[tuple[str, list[dict[str, object]]]]) -> list[tuple[str, float]]:
    return [MEANINGS.get(clause, ("chitchat", 0.3)) for clause, _entities in parts]


@pytest.mark.parametrize("joint", ["，", " ", "。另外", "；顺便", "，然后"])
def test_a_second_wish_is_found_however_the_two_are_joined(joint: str) -> None:
    assert also(f"帮我取消订单{joint}把发票开了", [], "cancel_order", read) == ["request_invoice"]


def test_thanks_and_what_is_unclear_are_no_wishes() -> None:
    assert also("帮我取消订单，谢谢你们", [], "cancel_order", read) == []
    assert also("帮我取消订单，那个东西", [], "cancel_order", read) == []


def test_one_matter_in_two_clauses_is_one_wish() -> None:
    assert also("快递到哪了，怎么还没发货", [], "track_logistics", read) == []


def test_a_single_clause_and_an_empty_text_have_no_second_wish() -> None:
    assert also("帮我取消订单", [], "cancel_order", read) == []
    assert also("", [], "greet", read) == [] == clauses("", [])


def test_a_clause_keeps_the_entities_in_it_where_they_stand_in_it() -> None:
    text = "查一下20231111，冰箱还保修吗"
    number = {"entity": "order_number", "start": 3, "end": 11, "value": "20231111"}
    fridge = {"entity": "product", "start": 12, "end": 14, "value": "冰箱"}
    first, second = clauses(text, [number, fridge])
    assert [(first[0][e["start"] : e["end"]]) for e in first[1]] == ["20231111"]
    assert [(second[0][e["start"] : e["end"]]) for e in second[1]] == ["冰箱"]
