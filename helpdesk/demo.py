"""The demo's service desk: agents, ready answers, tickets, repairs and visits for the shop crm.demo has made.

Load the shop first. The same seed and time give the same desk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from core import clock
from core.errors import Conflict
from crm.catalogue.models import Product
from crm.customers.models import Customer
from crm.demo import times
from crm.demo.bulk import store
from crm.demo.generate import SEED
from crm.demo.names import Names, Numbers
from crm.orders.models import Order, OrderItem, Parcel
from crm.orders.rules import OrderStatus, ParcelStatus
from helpdesk.staff.models import Agent, AgentSkill, CannedReply
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import TicketKind, TicketStatus, due_at
from helpdesk.visits.models import Repair, Visit

FACES = 8  # the customers written by hand: only what is planned for them
TEXTS = Path(__file__).with_name("demo_desk.yml")
SLOT_HOURS = {"morning": 9, "afternoon": 13}
NOT_MOVABLE = timedelta(hours=2)  # before the slot begins
VISIT_FEE_CENTS = 5_000
REPAIR_STATUSES = ("booked", "waiting_parts", "repairing", "done", "cancelled")


@dataclass(frozen=True)
class DeskCounts:
    """What was made."""

    agents: int
    replies: int
    tickets: int
    repairs: int
    visits: int


def load(
    session: Session, *, now: datetime, hash_password: Callable[[str], str], password: str, seed: int = SEED
) -> DeskCounts:
    """Makes the desk as it stands at ``now``; all sign in with ``password``. Raises Conflict when one is there."""
    if session.scalar(select(func.count()).select_from(Agent)):
        raise Conflict(
            "已经有坐席账号，演示数据只能装入空数据库 / there are agents already; demo data need an empty database",
            code="demo_not_empty",
        )
    desk = _Desk(session, Random(f"desk {seed}"), now.replace(microsecond=0))
    agents = _agents(desk.texts["agents"], hash_password, password, desk.now)
    replies = [
        CannedReply(id=number, shortcut=shortcut, title=title, text=text)
        for number, (shortcut, title, text) in enumerate(desk.texts["replies"], start=1)
    ]
    desk.write_tickets()
    desk.write_repairs()
    desk.write_installations()
    store(session, agents, (skill for agent in agents for skill in agent.skills), replies, desk.tickets)
    store(session, desk.repairs)
    store(session, desk.visits)
    return DeskCounts(len(agents), len(replies), len(desk.tickets), len(desk.repairs), len(desk.visits))


def _agents(listed: Sequence[Any], hash_password: Callable[[str], str], password: str, now: datetime) -> list[Agent]:
    agents, skill_id = [], 0
    for number, (name, display_name, role, skills) in enumerate(listed, start=1):
        agent = Agent(
            id=number, name=name, display_name=display_name, role=role, password_hash=hash_password(password),
            capacity=5, presence="offline", created_at=now - timedelta(days=300),
        )  # fmt: skip
        for skill, proficiency in skills.items():
            skill_id += 1
            AgentSkill(id=skill_id, agent=agent, skill=skill, proficiency=proficiency)
        agents.append(agent)
    return agents


class _Desk:
    """Writes what the desk has to do; looks at the shop's orders for what it can be about."""

    def __init__(self, session: Session, rng: Random, now: datetime) -> None:
        self.session, self.rng, self.now = session, rng, now
        self.texts: dict[str, Any] = yaml.safe_load(TEXTS.read_text("utf-8"))
        self.names = Names(rng)
        self.tickets: list[Ticket] = []
        self.repairs: list[Repair] = []
        self.visits: list[Visit] = []
        self._number = Numbers(rng)

    def write_tickets(self) -> None:
        """Every kind in every status, and twenty new or solved ones more; one about 周敏's invoice."""
        corporate = self.session.scalars(select(Order).where(Order.customer_id == 5).order_by(Order.id).limit(1)).one()
        self._ticket(TicketKind.INVOICE, TicketStatus.WORKING, corporate)
        pairs = [(kind, status) for kind in TicketKind for status in TicketStatus]
        pairs += [(kind, status) for kind in TicketKind for status in (TicketStatus.OPEN, TicketStatus.SOLVED)]
        orders = {
            "delivered": self._orders(OrderStatus.DELIVERED),
            "shipped": self._orders(OrderStatus.SHIPPED),
            "paid": self._orders(OrderStatus.PAID),
            "lost": self._orders(OrderStatus.SHIPPED, ParcelStatus.LOST, ParcelStatus.STUCK),
        }
        anybody = self.session.scalars(select(Customer.id).where(Customer.id > FACES).order_by(Customer.id)).all()
        for kind, status in pairs:
            wanted = "lost" if kind == TicketKind.LOST_PARCEL else self.texts["tickets"][kind][0]
            if wanted:
                self._ticket(kind, status, self.rng.choice(orders[wanted]))
            else:
                self._ticket(kind, status, None, self.rng.choice(anybody))

    def _orders(self, status: OrderStatus, *parcel: ParcelStatus) -> Sequence[Order]:
        """The newest orders in a status, the faces' left out."""
        query = select(Order).where(Order.status == status, Order.customer_id > FACES)
        if parcel:
            query = query.where(Order.parcels.any(Parcel.status.in_(parcel)))
        return self.session.scalars(query.order_by(Order.created_at.desc(), Order.id).limit(80)).all()

    def _ticket(self, kind: TicketKind, status: TicketStatus, order: Order | None, customer_id: int = 0) -> None:
        least_hours, most_hours = {"open": (0.2, 20), "solved": (60, 400)}.get(status, (5, 60))
        created = times.ago(self.rng, self.now, timedelta(hours=least_hours), timedelta(hours=most_hours), times.AWAKE)
        if order is not None:
            created = max(created, min(order.created_at + timedelta(hours=1), self.now - timedelta(minutes=5)))
        urgent = kind == TicketKind.COMPLAINT or self.rng.random() < 0.1
        left = self.now - created
        told = [(created, "已受理，正在安排同事跟进")]
        if status != TicketStatus.OPEN:
            told.append(
                (created + left * self.rng.uniform(0.1, 0.3), self.rng.choice(self.texts["progress"]["working"]))
            )
        if status in {TicketStatus.WAITING, TicketStatus.SOLVED}:
            told.append((created + left * self.rng.uniform(0.4, 0.6), self.rng.choice(self.texts["progress"][status])))
        subject, detail = self.rng.choice(self.texts["tickets"][kind][1])
        self.tickets.append(
            Ticket(
                id=len(self.tickets) + 1, number=self._number.draw("GD", created), kind=kind, status=status,
                subject=subject, detail=detail, customer_id=order.customer_id if order else customer_id,
                order_id=order.id if order else None, urgent=urgent,
                progress=[{"at": clock.iso(at.replace(microsecond=0)), "text": text} for at, text in told],
                created_at=created, due_at=due_at(kind, urgent, created),
                solved_at=told[-1][0].replace(microsecond=0) if status == TicketStatus.SOLVED else None,
            )
        )  # fmt: skip

    def write_repairs(self) -> None:
        """王芳's washing machine, then nine repairs in every status; large goods are visited, small ones sent in."""
        self._repair(self._face_item(3, "XY-10H"), "booked", days_ahead=3)
        items = self._items(Order.delivered_at < self.now - timedelta(days=20), Product.warranty_months > 0)
        for number, item in enumerate(self.rng.sample(items, min(45, len(items)))):
            self._repair(item, REPAIR_STATUSES[number % len(REPAIR_STATUSES)])

    def _repair(self, item: OrderItem, status: str, days_ahead: int | None = None) -> None:
        least, most = {"booked": (0.1, 2), "waiting_parts": (3, 5), "repairing": (3, 6)}.get(status, (10, 19))
        created = times.ago(self.rng, self.now, timedelta(days=least), timedelta(days=most), times.AWAKE)
        delivered = item.order.delivered_at or created
        in_warranty = times.months_after(delivered, item.product.warranty_months) > created
        visited = item.product.size == "large" or item.product.needs_installation
        repair = Repair(
            id=len(self.repairs) + 1, number=self._number.draw("WX", created), customer_id=item.order.customer_id,
            item=item, fault=self.rng.choice(self.texts["faults"]), way="visit" if visited else "send_in",
            in_warranty=in_warranty, fee_cents=0 if in_warranty or not visited else VISIT_FEE_CENTS, status=status,
            progress=self.texts["repairs"][status], created_at=created,
            done_at=created + timedelta(days=self.rng.uniform(3, 7)) if status == "done" else None,
        )  # fmt: skip
        self.repairs.append(repair)
        if not visited:
            return
        if status == "booked":
            day = self._day(days_ahead or self.rng.randint(1, 7))
            self._visit(item, "repair", day, self.rng.choice(list(SLOT_HOURS)), "booked", created, repair)
        else:  # somebody has been there
            day = clock.local(created + timedelta(days=2)).date()
            self._visit(
                item, "repair", day, "morning", "cancelled" if status == "cancelled" else "done", created, repair
            )

    def write_installations(self) -> None:
        """孙伟's today (from 7:00 too late to move); the others' recent ones booked, called off or not booked."""
        heater = self._face_item(6, "RS-60")
        late = "afternoon" if clock.local(self.now).hour >= 11 else "morning"
        self._visit(heater, "installation", self._day(0), late, "booked", heater.order.delivered_at or self.now)
        recent = self._items(Order.delivered_at > self.now - timedelta(days=10), Product.needs_installation)
        for number, item in enumerate(recent):
            delivered = item.order.delivered_at or self.now
            asked = times.between(self.rng, delivered, self.now)
            if number % 3 == 0:
                slot = self.rng.choice(list(SLOT_HOURS))
                self._visit(item, "installation", self._day(self.rng.randint(1, 7)), slot, "booked", asked)
            elif number % 9 == 4:
                self._visit(item, "installation", self._day(self.rng.randint(1, 3)), "morning", "cancelled", asked)
        older = self._items(
            Order.delivered_at < self.now - timedelta(days=10), Order.delivered_at > self.now - timedelta(days=300),
            Product.needs_installation, faces=True,
        )  # fmt: skip
        for item in older:
            delivered = item.order.delivered_at or self.now
            day = clock.local(delivered + timedelta(days=self.rng.randint(1, 4))).date()
            slot = self.rng.choice(list(SLOT_HOURS))
            self._visit(item, "installation", day, slot, "done", delivered + timedelta(hours=2))

    def _visit(
        self,
        item: OrderItem,
        kind: str,
        day: date,
        slot: str,
        status: str,
        asked: datetime,
        repair: Repair | None = None,
    ) -> None:
        engineer, phone = self.names.courier()
        self.visits.append(
            Visit(
                id=len(self.visits) + 1, customer_id=item.order.customer_id, item=item,
                repair_id=repair.id if repair else None, kind=kind, day=day, slot=slot, engineer=engineer,
                engineer_phone=phone, status=status, moved=int(self.rng.random() < 0.15), created_at=asked,
            )
        )  # fmt: skip

    def _day(self, ahead: int) -> date:
        return clock.local(self.now).date() + timedelta(days=ahead)

    def _items(
        self, *which: ColumnElement[bool] | InstrumentedAttribute[bool], faces: bool = False
    ) -> Sequence[OrderItem]:
        """Delivered items of everybody but the faces, or of everybody."""
        query = self._delivered().where(Order.customer_id > (0 if faces else FACES), *which)
        return self.session.scalars(query.order_by(OrderItem.id)).all()

    def _face_item(self, customer_id: int, sku: str) -> OrderItem:
        return self.session.scalars(self._delivered().where(Order.customer_id == customer_id, Product.sku == sku)).one()

    def _delivered(self) -> Select[OrderItem]:
        query = select(OrderItem).join(OrderItem.order).join(OrderItem.product)
        return query.where(Order.delivered_at.is_not(None)).options(
            joinedload(OrderItem.order), joinedload(OrderItem.product)
        )
