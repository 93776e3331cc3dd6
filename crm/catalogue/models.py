"""Products and their stock."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base


class Product(Base):
    """One product of the catalogue. Warranty in months (0: none); ``size`` is ``large`` or ``small``."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40), index=True)
    brand: Mapped[str] = mapped_column(String(40))
    price_cents: Mapped[int]
    warranty_months: Mapped[int]
    main_parts_months: Mapped[int]
    size: Mapped[str] = mapped_column(String(10))
    needs_installation: Mapped[bool] = mapped_column(default=False)
    activates: Mapped[bool] = mapped_column(default=False)  # phones, computers: no return once activated
    personal: Mapped[bool] = mapped_column(default=False)  # in-ear, toothbrush …: no return once unsealed
    consumable: Mapped[bool] = mapped_column(default=False)
    colors: Mapped[list[str]]
    aliases: Mapped[list[str]]
    specs: Mapped[dict[str, Any]]
    flash_sale: Mapped[bool] = mapped_column(default=False)  # 秒杀: no price protection
    promotion: Mapped[str] = mapped_column(String(200), default="")
    price_changed_at: Mapped[datetime | None]

    stock: Mapped[list["Stock"]] = relationship(back_populates="product", order_by="Stock.id")


class Stock(Base):
    """Pieces of one colour that can be sold; ``restock_at`` when more come."""

    __tablename__ = "stock"
    __table_args__ = (UniqueConstraint("product_id", "color"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    color: Mapped[str] = mapped_column(String(30))
    quantity: Mapped[int]
    restock_at: Mapped[datetime | None]

    product: Mapped[Product] = relationship(back_populates="stock")
