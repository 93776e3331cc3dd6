"""Which products belong into which order."""

from crm.catalogue.models import Product
from crm.demo import shelf
from crm.demo.parcels import SMALL_EXPENSIVE_FROM_CENTS


def anything(_product: Product) -> bool:
    """Any product."""
    return True


def durable(product: Product) -> bool:
    """No consumables: has a warranty, can be repaired and returned."""
    return not product.consumable


def installed(product: Product) -> bool:
    """Somebody comes to set it up."""
    return product.needs_installation


def fast(product: Product) -> bool:
    """Goes by 顺丰."""
    return product.size == "small" and (product.activates or product.price_cents > SMALL_EXPENSIVE_FROM_CENTS)


def cheap(product: Product) -> bool:
    """Goes by 京东物流 or 中通, also when two are bought together."""
    return product.size == "small" and not product.activates and product.price_cents * 2 < SMALL_EXPENSIVE_FROM_CENTS


def large(product: Product) -> bool:
    """Goes by 德邦 or 日日顺."""
    return product.size == "large"


def lowered(product: Product) -> bool:
    """Dearer until a few days ago."""
    return product.sku in shelf.LOWERED


def dear_and_lowered(product: Product) -> bool:
    """Lowered, and dear enough for a coupon."""
    return lowered(product) and product.price_cents > 60_000


def flash(product: Product) -> bool:
    """In the flash sale."""
    return product.flash_sale


def one_year(product: Product) -> bool:
    """Has one year of warranty."""
    return product.warranty_months == 12


def consumable(product: Product) -> bool:
    """Filters, bags."""
    return product.consumable


def office(product: Product) -> bool:
    """What companies buy ten of."""
    return durable(product) and 50_000 <= product.price_cents <= 160_000 and not product.needs_installation
