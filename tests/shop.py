"""Makes the records a test needs, with plain defaults; every argument can be given."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, db
from crm.catalogue.models import Product, Stock
from crm.customers.models import Customer
from crm.orders.models import Order, OrderItem, Parcel, ParcelEvent, Payment

_count = itertools.count(1)


class Shop:
    """Records in the database of this process (or of ``engine``)."""

    def __init__(self, engine: Any = None) -> None:
        self._engine = engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for reading."""
        with db.reading(self._engine) as session:
            yield session

    def add(self, record: Any) -> Any:
        """Stores a record."""
        with db.writing(self._engine) as session:
            session.add(record)
        return record

    def fresh(self, record: Any) -> Any:
        """The record as the database has it now."""
        with db.reading(self._engine) as session:
            return session.get(type(record), record.id)

    def number_of(self, session: Session, customer_id: int | None) -> str:
        """The number of the customer's newest order."""
        newest = select(Order.number).where(Order.customer_id == customer_id).order_by(Order.id.desc()).limit(1)
        return str(session.scalar(newest))

    def customer(self, **given: Any) -> Customer:
        """A customer."""
        n = next(_count)
        values: dict[str, Any] = {
            "name": f"林小{n}",
            "title": "女士",
            "phone": f"139{n:08d}",
            "city": "杭州",
            "address": "浙江省杭州市西湖区文三路100号",
            "created_at": clock.now() - timedelta(days=400),
        }
        return self.add(Customer(**{**values, **given}))

    def product(self, **given: Any) -> Product:
        """A product in stock in its first colour (``quantity``)."""
        n = next(_count)
        quantity = given.pop("quantity", 20)
        values: dict[str, Any] = {
            "sku": f"T-{n}",
            "name": f"测试电饭煲{n}号",
            "kind": "电饭煲",
            "brand": "禾穗",
            "price_cents": 39_900,
            "warranty_months": 12,
            "main_parts_months": 12,
            "size": "small",
            "colors": ["白色", "黑色"],
            "aliases": [],
            "specs": {"容量": "4升"},
        }
        product = Product(**{**values, **given})
        product.stock = [Stock(color=color, quantity=quantity) for color in product.colors]
        return self.add(product)

    def order(
        self,
        customer: Customer,
        *products: Product,
        status: str = "paid",
        age: timedelta = timedelta(hours=2),
        method: str = "wechat",
        delivered_ago: timedelta = timedelta(days=1),
        **given: Any,
    ) -> Order:
        """An order of one piece of each product (one made here when none is given), in a state, with what belongs to it."""
        n = next(_count)
        now = clock.now()
        created = now - max(age, delivered_ago + timedelta(days=3) if status == "delivered" else age)
        bought = products or (self.product(),)
        values: dict[str, Any] = {
            "number": f"{clock.local(created):%Y%m%d}{n:07d}",
            "customer_id": customer.id,
            "status": status,
            "recipient": customer.name,
            "phone": customer.phone,
            "province": "浙江",
            "city": "杭州",
            "address": "浙江省杭州市西湖区文三路100号",
            "total_cents": sum(p.price_cents for p in bought),
            "created_at": created,
            "paid_at": None if status == "unpaid" else created + timedelta(minutes=5),
            "promised_ship_at": None if status == "unpaid" else created + timedelta(hours=48),
            "shipped_at": created + timedelta(hours=20) if status in {"shipped", "delivered"} else None,
            "delivered_at": now - delivered_ago if status == "delivered" else None,
            "cancelled_at": created + timedelta(hours=1) if status == "cancelled" else None,
        }
        order = Order(**{**values, **given})
        order.items = [
            OrderItem(
                product_id=p.id, color=p.colors[0], price_cents=p.price_cents, serial_number=f"SNTEST{n:04d}{i:02d}AB"
            )
            for i, p in enumerate(bought)
        ]
        if status != "unpaid":
            order.payments = [
                Payment(
                    method=method, amount_cents=order.total_cents, status="succeeded", at=created + timedelta(minutes=5)
                )
            ]
        if status in {"shipped", "delivered"}:
            order.parcels = [self._parcel(n, created, status == "delivered", now)]
        return self.add(order)

    def _parcel(self, n: int, created: datetime, delivered: bool, now: datetime) -> Parcel:
        begun = min(created + timedelta(hours=20), now - timedelta(hours=1))
        return Parcel(
            carrier="中通",
            tracking_number=f"7312345{n:06d}",
            status="delivered" if delivered else "in_transit",
            expected_at=now + timedelta(days=1),
            signed_by="本人" if delivered else None,
            events=[
                ParcelEvent(at=begun, text="【杭州】快件已揽收"),
                ParcelEvent(at=now - timedelta(minutes=50), text="【杭州】已到达转运中心"),
            ],
        )
