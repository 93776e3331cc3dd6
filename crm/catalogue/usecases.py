"""Looking into the catalogue. Public: prices, stock and specifications are nobody's secret."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from crm.catalogue.models import Product, Stock
from crm.catalogue.rules import Budget, Offer, recommend

PROMOTED_MOST = 4


def _query() -> Select[Product]:
    return select(Product).options(selectinload(Product.stock)).order_by(Product.price_cents, Product.id)


def named(session: Session, said: str) -> list[Product]:
    """The products a word means: one (sku, name, alias) or a whole class (its kind), cheapest first; [] for none."""
    said = said.strip()
    if not said:
        return []
    products = session.scalars(_query()).all()
    for fits in (
        lambda p: said in {p.sku, p.name},
        lambda p: said == p.kind,
        lambda p: any(said.lower() == alias.lower() for alias in p.aliases),
        lambda p: len(said) >= 2 and said in p.name,
        lambda p: any(len(alias) >= 3 and alias in said for alias in p.aliases),
    ):
        found = [p for p in products if fits(p)]
        if found:
            return found
    return []


def kinds(session: Session) -> list[str]:
    """All classes of products, those with most products first."""
    counted: dict[str, int] = {}
    for kind in session.scalars(select(Product.kind).order_by(Product.id)):
        counted[kind] = counted.get(kind, 0) + 1
    return sorted(counted, key=lambda kind: -counted[kind])


def promoted(session: Session, most: int = PROMOTED_MOST) -> list[Product]:
    """Products with an offer that can be bought now, flash sales first."""
    found = session.scalars(_query().where((Product.promotion != "") | Product.flash_sale)).all()
    there = [p for p in found if pieces(p)]
    return sorted(there, key=lambda p: not p.flash_sale)[:most]


def pieces(product: Product) -> int:
    """How many can be sold now, all colours together."""
    return sum(s.quantity for s in product.stock)


def stock_of(product: Product, color: str) -> Stock | None:
    """The stock of one colour."""
    return next((s for s in product.stock if s.color == color), None)


def offer(product: Product) -> Offer:
    """The product as the rules see it."""
    return Offer(
        sku=product.sku,
        name=product.name,
        kind=product.kind,
        brand=product.brand,
        price_cents=product.price_cents,
        pieces=pieces(product),
        specs={str(k): str(v) for k, v in product.specs.items()},
        promotion=product.promotion,
    )


def advise(
    session: Session, kind: str | None, budget: Budget | None, brand: str | None = None
) -> tuple[list[Product], bool]:
    """Two or three products of a kind (None: of any, no consumables) within a budget; False: none fits, the nearest."""
    query = _query().where(Product.consumable.is_(False)) if kind is None else _query().where(Product.kind == kind)
    products = {p.sku: p for p in session.scalars(query)}
    chosen, fits = recommend([offer(p) for p in products.values()], budget, brand)
    return [products[o.sku] for o in chosen], fits


def others_in_stock(session: Session, product: Product, most: int = 2) -> list[Product]:
    """What could be bought instead: same kind, in stock, nearest in price."""
    same = session.scalars(_query().where(Product.kind == product.kind, Product.id != product.id)).all()
    there = [p for p in same if pieces(p)]
    return sorted(there, key=lambda p: abs(p.price_cents - product.price_cents))[:most]
