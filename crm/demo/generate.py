"""Fills an empty database with the demo shop. The same seed and time give the same shop to the last digit."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Conflict
from crm.customers.models import Customer
from crm.demo import people
from crm.demo.aftersales import Desk
from crm.demo.bulk import store
from crm.demo.loyalty import Purse
from crm.demo.names import Names
from crm.demo.orders import Book
from crm.demo.shelf import Line, Shelf
from crm.demo.states import REST, STATES, State
from crm.loyalty.rules import Level

ORDERS = 1_500
SEED = 20261122


@dataclass(frozen=True)
class Counts:
    """What was made; ``states`` counts the orders by the state they were made for (see states.py)."""

    products: int
    customers: int
    orders: int
    coupons: int
    cases: int
    refunds: int
    states: dict[str, int]


def load(session: Session, *, now: datetime, seed: int = SEED) -> Counts:
    """Makes the shop as it stands at ``now``. Raises :class:`Conflict` when there are customers already."""
    if session.scalar(select(func.count()).select_from(Customer)):
        raise Conflict(
            "数据库里已经有客户，演示数据只能装入空数据库"
            " / the database has customers already; demo data need an empty one",
            code="demo_not_empty",
        )
    rng, now = Random(seed), now.replace(microsecond=0)
    names, shelf, purse = Names(rng, taken=people.HINTS), Shelf(rng, now), Purse(rng, now)
    book = Book(rng, now, shelf, names, purse)
    desk = Desk(book)
    customers = people.make_customers(rng, now, names)

    states: Counter[str] = Counter()
    states["faces"] = len(people.order_for_faces(desk, customers))
    weights = people.buyer_weights(rng, customers)
    missing = ORDERS - states["faces"] - sum(state.orders for state in STATES)
    for state, orders in [*((state, state.orders) for state in STATES), (REST, missing)]:
        for customer in rng.choices(customers, weights, k=orders):
            state.run(desk, customer, _draw(rng, shelf, state))
        states[state.name] += orders

    desk.invoices()
    people.coupons_for_faces(purse, customers, now)
    identities = people.came_before(rng, customers, book.orders, now)
    purse.fill(customers)
    purse.settle(customers, book.orders, desk.refunds)
    store(session, shelf.products, customers, identities, purse.coupons, purse.entries, book.orders)
    store(session, desk.cases, desk.refunds, desk.protections)
    return Counts(
        products=len(shelf.products),
        customers=len(customers),
        orders=len(book.orders),
        coupons=len(purse.coupons),
        cases=len(desk.cases),
        refunds=len(desk.refunds),
        states=dict(states),
    )


def _draw(rng: Random, shelf: Shelf, state: State) -> list[Line]:
    """One line, or two or three with different products."""
    wanted = rng.choice((2, 2, 3)) if rng.random() < state.several else 1
    lines = [shelf.draw(rng, state.fits, state.pieces) for _ in range(wanted)]
    return list({line.product.id: line for line in lines}.values())


def faces(session: Session) -> list[dict[str, Any]]:
    """The hand-written customers, for "sign in as": id, name, level_label, hint (what can be tried)."""
    found = session.scalars(select(Customer).where(Customer.phone.in_(people.HINTS)).order_by(Customer.id))
    return [
        {
            "id": customer.id,
            "name": customer.name,
            "level_label": Level(customer.level).label,
            "hint": people.HINTS[customer.phone],
        }
        for customer in found
    ]
