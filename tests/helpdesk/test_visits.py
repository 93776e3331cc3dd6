"""Faults, installations and visits over a temporary database."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from core import clock, db
from core.errors import Refusal
from crm.customers.access import ORDER, SIGNED_IN, Access
from helpdesk.progress import usecases as progress
from helpdesk.progress.usecases import About
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind
from helpdesk.visits import usecases as visits
from helpdesk.visits.models import Repair, Visit
from helpdesk.visits.rules import Slot
from migrations.models import metadata
from tests.shop import Shop


class InSession(Shop):
    """Makes records in the test's own session."""

    def __init__(self, session):
        super().__init__()
        self.mine = session

    def add(self, record):
        self.mine.add(record)
        self.mine.flush()
        return record


@pytest.fixture
def session(tmp_path):
    engine = db.make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    metadata.create_all(engine)
    with db.writing(engine) as made:
        yield made
    engine.dispose()


@pytest.fixture
def shop(session):
    return InSession(session)


def noon() -> datetime:
    """Today, midday in the shop's zone: tomorrow can be booked."""
    return clock.local(clock.now()).replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)


def bought(shop, session, **order):
    """A customer's delivered order with one product, read in the session; the item and the access."""
    product = order.pop("product", {})
    customer = shop.customer()
    made = shop.order(customer, shop.product(**product), **{"status": "delivered", **order})
    return again(session, customer, made)


def again(session, customer, order):
    from crm.customers.models import Customer
    from crm.orders import usecases as orders

    access = Access(session.get(Customer, customer.id), SIGNED_IN)
    found = orders.find(session, access, order.number)
    return found.items[0], access


FRIDGE = {"kind": "冰箱", "name": "测试冰箱", "size": "large", "warranty_months": 36, "main_parts_months": 120}
HEATER = {"kind": "热水器", "name": "测试热水器", "size": "large", "needs_installation": True}


def tomorrow():
    return clock.local(noon()).date() + timedelta(days=1)


@contextmanager
def refused(code):
    with pytest.raises(Refusal) as error:
        yield
    assert error.value.code == code


def test_a_faulty_fridge_gets_a_number_and_a_visit(shop, session):
    item, _ = bought(shop, session, product=FRIDGE)
    repair, visit = visits.report_fault(session, item, noon(), "不制冷", day=tomorrow(), slot=Slot.MORNING)
    assert repair.number.startswith("WX")
    assert (repair.way, repair.in_warranty, repair.fee_cents) == ("visit", True, 0)
    assert (visit.day, visit.slot, visit.repair_id) == (tomorrow(), "morning", repair.id)


def test_a_faulty_rice_cooker_is_fetched_without_a_visit(shop, session):
    item, _ = bought(shop, session)
    repair, visit = visits.report_fault(session, item, noon(), "不通电")
    assert (repair.way, visit) == ("send_in", None)
    assert "取件" in repair.progress


def test_the_same_fault_is_not_registered_twice(shop, session):
    item, _ = bought(shop, session)
    visits.report_fault(session, item, noon(), "不通电")
    with refused("repair_open"):
        visits.report_fault(session, item, noon(), "不通电")
    assert session.query(Repair).count() == 1


def test_what_is_not_there_yet_and_consumables_cannot_be_repaired(shop, session):
    on_its_way, _ = bought(shop, session, status="shipped")
    filters, _ = bought(shop, session, product={"consumable": True, "warranty_months": 0})
    with refused("repair_not_delivered"):
        visits.check_repair(session, on_its_way)
    with refused("repair_consumable"):
        visits.check_repair(session, filters)


def test_nobody_comes_today_or_in_two_months(shop, session):
    item, _ = bought(shop, session, product=FRIDGE)
    for days, code in ((0, "day_soon"), (60, "day_far")):
        with refused(code):
            visits.report_fault(
                session, item, noon(), "漏水", day=tomorrow() + timedelta(days=days - 1), slot=Slot.MORNING
            )
    assert session.query(Repair).count() == 0


def test_an_installation_is_booked_once(shop, session):
    item, _ = bought(shop, session, product=HEATER)
    visits.book_installation(session, item, noon(), tomorrow(), Slot.AFTERNOON)
    with refused("install_booked"):
        visits.book_installation(session, item, noon(), tomorrow(), Slot.MORNING)
    assert session.query(Visit).count() == 1


def test_what_needs_no_engineer_gets_a_hint_instead(shop, session):
    item, _ = bought(shop, session, product=FRIDGE)
    with pytest.raises(Refusal, match="静置") as error:
        visits.check_installation(session, item)
    assert error.value.code == "install_self_setup"


def test_installation_waits_for_the_goods_but_not_for_the_signature(shop, session):
    item, _ = bought(shop, session, product=HEATER, status="shipped")
    with refused("install_not_arrived"):
        visits.check_installation(session, item)
    item.order.parcels[0].status = "out_for_delivery"
    visits.check_installation(session, item)


def test_a_visit_is_moved_and_its_repair_says_so(shop, session):
    item, access = bought(shop, session, product=FRIDGE)
    repair, visit = visits.report_fault(session, item, noon(), "漏水", day=tomorrow(), slot=Slot.MORNING)
    visits.move(session, visit, noon(), tomorrow() + timedelta(days=2), Slot.AFTERNOON)
    assert (visit.slot, visit.moved) == ("afternoon", 1)
    assert "下午" in repair.progress
    assert visits.open_visits(session, access, noon()) == [visit]


def test_the_time_there_is_already_is_no_move(shop, session):
    item, _ = bought(shop, session, product=HEATER)
    visit = visits.book_installation(session, item, noon(), tomorrow(), Slot.MORNING)
    with refused("visit_same"):
        visits.move(session, visit, noon(), tomorrow(), Slot.MORNING)


def test_an_hour_before_nothing_can_be_moved_or_called_off(shop, session):
    item, _ = bought(shop, session, product=HEATER)
    visit = visits.book_installation(session, item, noon(), tomorrow(), Slot.AFTERNOON)
    late = noon() + timedelta(days=1)  # tomorrow 12:00, the slot begins at 13:00
    for change in (
        lambda: visits.call_off(session, visit, late),
        lambda: visits.move(session, visit, late, tomorrow() + timedelta(days=3), Slot.MORNING),
    ):
        with refused("visit_too_late"):
            change()
    assert visit.status == "booked"


def test_calling_off_a_repair_visit_withdraws_the_repair(shop, session):
    item, _ = bought(shop, session, product=FRIDGE)
    repair, visit = visits.report_fault(session, item, noon(), "漏水", day=tomorrow(), slot=Slot.MORNING)
    assert visits.call_off(session, visit, noon()) is repair
    assert (visit.status, repair.status) == ("cancelled", "cancelled")
    visits.check_repair(session, item)  # it can be reported again


def test_a_serial_number_finds_only_the_own_thing(shop, session):
    item, access = bought(shop, session)
    other, _ = bought(shop, session)
    assert visits.find_serial(session, access, item.serial_number.removeprefix("SN").lower()) is item
    assert visits.find_serial(session, access, other.serial_number) is None


def test_the_overview_holds_everything_open_and_finds_numbers(shop, session):
    item, access = bought(shop, session, product=FRIDGE)
    repair, _ = visits.report_fault(session, item, noon(), "漏水", day=tomorrow(), slot=Slot.MORNING)
    ticket = tickets.open_ticket(
        session, noon(), kind=TicketKind.COMPLAINT, subject="态度", customer_id=access.customer.id
    )
    found = progress.overview(session, access, noon())
    assert {e.about for e in found} == {About.REPAIR, About.COMPLAINT}
    assert progress.by_number(session, access, repair.number, noon()).open
    assert progress.by_number(session, access, ticket.number.lower(), noon()).number == ticket.number
    _, stranger = bought(shop, session)
    assert progress.by_number(session, stranger, repair.number, noon()) is None
    assert progress.by_number(session, stranger, ticket.number, noon()) is None


def test_who_proved_one_order_sees_its_repair_but_no_tickets(shop, session):
    item, access = bought(shop, session)
    visits.report_fault(session, item, noon(), "不通电")
    ticket = tickets.open_ticket(session, noon(), kind=TicketKind.OTHER, subject="x", customer_id=access.customer.id)
    narrow = Access(access.customer, ORDER, frozenset({item.order.number}))
    assert [e.about for e in progress.overview(session, narrow, noon())] == [About.REPAIR]
    with refused("sign_in"):
        progress.by_number(session, narrow, ticket.number, noon())
    nothing = Access(access.customer, ORDER, frozenset({"0"}))
    assert progress.overview(session, nothing, noon()) == []


def test_a_ticket_over_its_time_is_told_as_late(shop, session):
    _, access = bought(shop, session)
    tickets.open_ticket(session, noon(), kind=TicketKind.PAYMENT, subject="x", customer_id=access.customer.id)
    assert [e.late for e in progress.overview(session, access, noon() + timedelta(days=3))] == [True]
