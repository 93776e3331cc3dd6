"""What is said of an address a second time completes it and loses nothing."""

import pytest

from crm.orders.rules import fuller_address, has_house_number


@pytest.mark.parametrize(
    ("known", "said", "whole"),
    [
        ("湖南长沙岳麓区麓山路", "11幢2单元2602", "湖南长沙岳麓区麓山路11幢2单元2602"),
        ("湖南长沙岳麓区麓山路", "麓山路88号3栋", "湖南长沙岳麓区麓山路88号3栋"),
        ("湖南长沙岳麓区麓山路", "岳麓区麓山路88号", "湖南长沙岳麓区麓山路88号"),
        ("杭州市西湖区文三路100号2幢301室", "3幢502室", "杭州市西湖区文三路100号3幢502室"),
        ("杭州市西湖区文三路100号", "上海市静安区南京西路1号", "上海市静安区南京西路1号"),
        ("杭州市西湖区文三路", "文三路", "杭州市西湖区文三路"),
        ("杭州市西湖区文三路", "100号", "杭州市西湖区文三路100号"),
        ("文三路", "100号", "文三路100号"),
    ],
)
def test_an_address_is_completed(known: str, said: str, whole: str) -> None:
    assert fuller_address(known, said) == whole


@pytest.mark.parametrize(
    "address", ["杭州市西湖区文三路100号", "幸福小区三幢", "王家村", "石桥镇三组", "湖边（无门牌号）"]
)
def test_a_door_can_be_found(address: str) -> None:
    assert has_house_number(address)


@pytest.mark.parametrize("address", ["湖南长沙岳麓区麓山路", "杭州市西湖区阳光花园"])
def test_a_street_alone_is_no_door(address: str) -> None:
    assert not has_house_number(address)
