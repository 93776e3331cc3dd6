"""The products of the demo, from catalogue.yml: the price there is today's, some were dearer until a few days ago."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import yaml

from crm.catalogue.models import Product, Stock
from crm.demo import times

CATALOGUE = Path(__file__).with_name("catalogue.yml")

LOWERED = ("XC-V9", "ZG-5", "KT-35", "DS-55", "SJ-X20", "EJ-H1", "XD-F2", "BX-501", "TY-P2", "JSQ-6")
FLASH = ("CF-1", "CDB-2")
SOLD_OUT = (("BX-98", "薄荷绿"), ("SJ-X20P", "雪域白"), ("KFJ-15", "白色"), ("SB-W3", "橙色"), ("DFB-16", "粉色"))
SOLD_OUT_WHOLLY = ("PB-175", "TX-3", "HG-9")  # in every colour
PROMOTIONS = {
    "CF-1": "限时秒杀中，售完即止，不可叠加优惠券",
    "CDB-2": "限时秒杀中，售完即止，不可叠加优惠券",
    "KT-35": "空调焕新季：下单即送一次上门清洗",
    "XY-10H": "购洗烘一体机赠洗衣凝珠一盒",
    "SD-T8": "购扫拖机器人赠T8尘袋拖布套装一套",
    "BJ-14": "学生凭认证购轻薄本立减200元",
    "JS-800": "购净水器享免费基础安装",
    "SJ-X20": "购X20手机赠65W充电器一个",
}


@dataclass(frozen=True)
class Line:
    """What is bought: so many pieces of one product in one colour."""

    product: Product
    color: str
    pieces: int = 1


class Shelf:
    """All products, and what they cost at any time."""

    def __init__(self, rng: Random, now: datetime) -> None:
        """Reads the catalogue and fills the stock."""
        raw: list[dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text("utf-8"))
        self.products = [self._product(rng, now, number, entry) for number, entry in enumerate(raw, start=1)]
        self.by_sku = {product.sku: product for product in self.products}
        self.stock = self._stock(rng, now)

    def _product(self, rng: Random, now: datetime, number: int, entry: dict[str, Any]) -> Product:
        sku = entry["sku"]
        changed = None
        if sku in LOWERED:
            changed = times.ago(rng, now, timedelta(hours=14), timedelta(days=2.5), times.OFFICE)
        elif sku in FLASH:
            changed = times.ago(rng, now, timedelta(hours=3), timedelta(days=1), times.AWAKE)
        return Product(
            id=number,
            sku=sku,
            name=entry["name"],
            kind=entry["kind"],
            brand=entry["brand"],
            price_cents=entry["price"] * 100,
            warranty_months=entry["warranty"],
            main_parts_months=entry["main"],
            size=entry["size"],
            needs_installation=entry.get("install", False),
            activates=entry.get("activates", False),
            personal=entry.get("personal", False),
            consumable=entry.get("consumable", False),
            colors=entry["colors"],
            aliases=entry["aliases"],
            specs=entry["specs"],
            flash_sale=sku in FLASH,
            promotion=PROMOTIONS.get(sku, ""),
            price_changed_at=changed,
        )

    def _stock(self, rng: Random, now: datetime) -> list[Stock]:
        rows, ids = [], count(1)
        for product in self.products:
            for color in product.colors:
                sold_out = product.sku in SOLD_OUT_WHOLLY or (product.sku, color) in SOLD_OUT
                plenty = rng.choice((rng.randint(1, 5), rng.randint(8, 60), rng.randint(60, 400)))
                rows.append(
                    Stock(
                        id=next(ids),
                        product=product,
                        color=color,
                        quantity=0 if sold_out else plenty,
                        restock_at=times.at_hour(now, 10, days=rng.randint(2, 15)) if sold_out else None,
                    )
                )
        return rows

    def price_at(self, product: Product, moment: datetime) -> int:
        """Cents for one piece at a moment: before a lowering (a flash sale) about a tenth (a quarter) more."""
        if product.price_changed_at is None or moment >= product.price_changed_at:
            return product.price_cents
        dearer = product.price_cents * (125 if product.flash_sale else 110) // 100
        return dearer // 1000 * 1000 + 900  # as prices end: …9 yuan

    def draw(self, rng: Random, fits: Callable[[Product], bool], pieces: int = 1) -> Line:
        """A line with a product that fits; cheaper ones are bought more often."""
        fitting = [product for product in self.products if fits(product)]
        product = rng.choices(fitting, [product.price_cents**-0.5 for product in fitting])[0]
        return Line(product, rng.choice(product.colors), pieces)

    def line(self, sku: str, color: str, pieces: int = 1) -> Line:
        """A named line; the colour must exist."""
        product = self.by_sku[sku]
        if color not in product.colors:
            raise ValueError(f"{sku} is not made in {color}")
        return Line(product, color, pieces)
