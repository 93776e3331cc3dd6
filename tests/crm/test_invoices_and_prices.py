"""Invoices, price differences and surplus payments over a temporary database."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock, db
from core.errors import Invalid, Refusal
from crm.customers.access import SIGNED_IN, Access
from crm.customers.models import Customer
from crm.orders import invoices, prices
from crm.orders import usecases as orders
from crm.orders.invoice_rules import InvoiceKind
from crm.orders.invoices import Wanted
from crm.orders.models import Invoice, Payment, PriceProtection
from crm.orders.price_rules import PaymentState
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseKind, CaseStatus, RefundStatus
from migrations.models import metadata
from tests.shop import Shop

MINE = Wanted(InvoiceKind.ORDINARY, "林晓雯", email="lin@example.com")
COMPANY = Wanted(InvoiceKind.SPECIAL, "杭州云帆科技有限公司", "91510107MA6CX2K84P")


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


def bought(shop, session, product=None, **order):
    customer = shop.customer(**order.pop("customer", {}))
    made = shop.order(customer, shop.product(**(product or {})), **order)
    return orders.find(session, Access(session.get(Customer, customer.id), SIGNED_IN), made.number)


def test_an_invoice_is_asked_for_and_changed_before_it_is_issued(shop, session):
    order = bought(shop, session, status="delivered")
    first = invoices.request(session, order, clock.now(), MINE)
    again = invoices.request(session, order, clock.now(), COMPANY)
    assert again is first
    assert (first.kind, first.title, first.status, first.amount_cents) == (
        "special", COMPANY.title, "requested", order.total_cents,
    )  # fmt: skip
    assert first.email is None  # wished for without an address: it is sent nowhere any more


def issued(order, days_ago: float) -> Invoice:
    at = clock.now() - timedelta(days=days_ago)
    made = Invoice(
        kind="ordinary", title="个人", amount_cents=order.total_cents, status="issued", number="2633", requested_at=at,
        issued_at=at,
    )  # fmt: skip
    order.invoices.append(made)
    return made


def test_a_wrong_invoice_is_voided_and_issued_anew(shop, session):
    order = bought(shop, session, status="delivered")
    wrong = issued(order, 1)
    right = invoices.request(session, order, clock.now(), MINE)
    assert (wrong.status, right.status) == ("voided", "requested")
    assert invoices.current(order) is right


def test_an_invoice_of_the_year_before_last_stays_as_it_is(shop, session):
    order = bought(shop, session, status="delivered", delivered_ago=timedelta(days=800))
    old = issued(order, 800)
    with pytest.raises(Refusal) as error:
        invoices.request(session, order, clock.now(), MINE)
    assert error.value.code == "invoice_too_late"
    assert old.status == "issued"


@pytest.mark.parametrize("status", ["unpaid", "cancelled"])
def test_nothing_paid_nothing_invoiced(shop, session, status):
    with pytest.raises(Refusal) as error:
        invoices.request(session, bought(shop, session, status=status), clock.now(), MINE)
    assert error.value.code == f"invoice_{status}"


def refund(session, order, kind, status):
    session.add(
        Refund(
            order_id=order.id, amount_cents=order.total_cents, method="wechat", kind=kind, status=status,
            created_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()


@pytest.mark.parametrize("status", [s for s in RefundStatus if s not in {RefundStatus.ARRIVED, RefundStatus.FAILED}])
@pytest.mark.parametrize(("order_status", "kind"), [("delivered", "returned"), ("cancelled", "cancelled")])
def test_money_that_has_not_arrived_is_never_told_as_back(shop, session, status, order_status, kind):
    order = bought(shop, session, status=order_status)
    refund(session, order, kind, status.value)
    with pytest.raises(Refusal) as error:
        invoices.check_request(session, order)
    assert not re.search(r"已经?(?:全部|全额)?退|退(?:回|到账)了", error.value.detail), error.value.detail
    assert "查退款进度" in error.value.way_on


def test_of_a_return_that_is_only_registered_the_customer_hears_that_nothing_is_paid_yet(shop, session):
    order = bought(shop, session, status="delivered")
    refund(session, order, "returned", "waiting_goods")
    with pytest.raises(Refusal, match="钱还没有退"):
        invoices.check_request(session, order)


def test_money_that_is_back_is_told_as_back(shop, session):
    order = bought(shop, session, status="delivered")
    refund(session, order, "returned", "arrived")
    with pytest.raises(Refusal, match="全部退到账"):
        invoices.check_request(session, order)


def test_a_person_gets_no_special_invoice_and_a_wrong_tax_number_is_told(shop, session):
    order = bought(shop, session, status="delivered")
    with pytest.raises(Refusal) as error:
        invoices.request(session, order, clock.now(), Wanted(InvoiceKind.SPECIAL, "林晓雯"))
    assert error.value.code == "invoice_special_personal"
    with pytest.raises(Invalid, match="9 位"):
        invoices.request(session, order, clock.now(), Wanted(InvoiceKind.ORDINARY, COMPANY.title, "915101079"))
    assert order.invoices == []


def test_the_amount_is_what_was_paid_less_what_went_back(shop, session):
    order = bought(shop, session, {"price_cents": 50_000}, status="delivered")
    order.items[0].product.price_cents = 45_000
    prices.protect(session, order.items[0], clock.now())
    assert invoices.amount_cents(session, order) == 45_000


def test_the_difference_goes_back_once_the_way_it_was_paid(shop, session):
    order = bought(shop, session, {"price_cents": 50_000}, method="alipay")
    item = order.items[0]
    item.product.price_cents = 44_000
    made = prices.protect(session, item, clock.now())
    refund = session.scalars(select(Refund)).one()
    assert (made.amount_cents, item.protected_cents) == (6_000, 6_000)
    assert (refund.amount_cents, refund.method, refund.kind) == (6_000, "alipay", "price_protection")
    with pytest.raises(Refusal) as error:
        prices.protect(session, item, clock.now())
    assert error.value.code == "price_done"
    assert len(session.scalars(select(PriceProtection)).all()) == 1


def test_a_price_that_did_not_fall_is_refused_with_the_last_day(shop, session):
    with pytest.raises(Refusal, match="价保到") as error:
        prices.check_protection(session, bought(shop, session).items[0], clock.now())
    assert error.value.code == "price_not_lower"


def test_a_surplus_goes_back_once(shop, session):
    order = bought(shop, session)
    order.payments.append(Payment(method="wechat", amount_cents=order.total_cents, status="surplus", at=clock.now()))
    session.flush()
    assert prices.state_of_payment(order, clock.now()) == PaymentState.SURPLUS
    assert [r.amount_cents for r in prices.return_surplus(session, order, clock.now())] == [order.total_cents]
    assert prices.return_surplus(session, order, clock.now()) == []
    assert prices.state_of_payment(order, clock.now()) == PaymentState.SURPLUS_RETURNED
    assert prices.returned_surplus(session, order).kind == "surplus"


@pytest.mark.parametrize(
    ("kind", "status", "goes"),
    [
        *((CaseKind.RETURN, s, s not in {CaseStatus.CANCELLED, CaseStatus.REFUSED}) for s in CaseStatus),
        (CaseKind.EXCHANGE, CaseStatus.PICKUP, True),
        (CaseKind.EXCHANGE, CaseStatus.DONE, False),
        (CaseKind.RESEND, CaseStatus.WAITING, False),
    ],
)
def test_what_is_being_returned_or_swapped_does_not_stay(shop, session, kind, status, goes):
    order = bought(shop, session, status="delivered")
    now = clock.now()
    session.add(
        AfterSalesCase(
            number="AS2611220001", customer_id=order.customer_id, order_id=order.id, item_id=order.items[0].id,
            kind=kind.value, reason="", status=status.value, created_at=now, updated_at=now,
        )
    )  # fmt: skip
    session.flush()
    assert (orders.going_back(session, order.items[0]) is not None) is goes
