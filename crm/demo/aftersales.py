"""What comes after the buying: refunds, returns and exchanges, price protection, invoices. Money in cents."""

from datetime import datetime, timedelta
from itertools import count

from core import clock
from core.calendar import add_working_days
from crm.demo import times
from crm.demo.names import Numbers
from crm.demo.orders import Book
from crm.orders.models import Invoice, Order, OrderItem, PriceProtection
from crm.orders.rules import REFUND_WORKING_DAYS, OrderStatus
from crm.returns.models import AfterSalesCase, Refund
from crm.returns.rules import CaseKind, CaseStatus, RefundStatus

DAY = timedelta(days=1)
# When a case in each status was opened: days before now, at least and at most.
OPENED_DAYS_AGO = {
    CaseStatus.WAITING: (0.01, 0.25),
    CaseStatus.PICKUP: (0.01, 0.25),
    CaseStatus.RETURNING: (2.2, 4),
    CaseStatus.CHECKING: (5, 6.5),
    CaseStatus.SENDING: (6.5, 8),
    CaseStatus.DONE: (14, 200),
    CaseStatus.REFUSED: (8, 60),
    CaseStatus.CANCELLED: (3, 90),
}
CHANGE_OF_MIND = ("颜色和想象的不一样", "尺寸不合适", "家里用不上", "买多了", "不喜欢")
FAULTS = ("开机没有反应", "运行噪音很大", "按键失灵", "充不进电", "屏幕有亮点")
ARRIVAL = ("收到时外壳有磕碰", "少发了配件", "发错颜色")


class Desk:
    """Writes what the after-sales desk has done; ``book`` has the orders."""

    def __init__(self, book: Book) -> None:
        self.book, self.rng, self.now = book, book.rng, book.now
        self.cases: list[AfterSalesCase] = []
        self.refunds: list[Refund] = []
        self.protections: list[PriceProtection] = []
        self._invoice_ids = count(1)
        self._number = Numbers(self.rng)

    def refund(
        self, order: Order, kind: str, status: RefundStatus, created_at: datetime, *, amount_cents: int | None = None,
        sent_at: datetime | None = None, case: AfterSalesCase | None = None,
    ) -> Refund:  # fmt: skip
        """Money on its way back. Sent a few hours after ``created_at`` unless said otherwise."""
        method = order.payments[0].method
        moved = status in {RefundStatus.SENT, RefundStatus.ARRIVED, RefundStatus.FAILED}
        sent = None
        if moved:
            sent = sent_at or created_at + min(timedelta(hours=6), (self.now - created_at) / 2)
        due = add_working_days(sent or created_at, REFUND_WORKING_DAYS[method])
        arrived = None
        if status == RefundStatus.ARRIVED and sent is not None:
            arrived = times.between(self.rng, sent, min(due, self.now - timedelta(minutes=5)))
        refund = Refund(
            id=len(self.refunds) + 1, order=order, case_id=case.id if case else None, method=method, kind=kind,
            amount_cents=order.total_cents if amount_cents is None else amount_cents, status=status,
            created_at=created_at, sent_at=sent, arrived_at=arrived,
            due_at=None if status == RefundStatus.WAITING_GOODS else due,
        )  # fmt: skip
        self.refunds.append(refund)
        return refund

    def case(self, order: Order, kind: CaseKind, status: CaseStatus, created_at: datetime) -> AfterSalesCase:
        """A case about the order's first item, with the refund a return brings."""
        rng, item = self.rng, order.items[0]
        quality = kind != CaseKind.RETURN or rng.random() < 0.4
        reason = rng.choice({True: FAULTS, False: CHANGE_OF_MIND}[quality] if kind != CaseKind.RESEND else ARRIVAL)
        pickup_at = None
        if kind != CaseKind.RESEND:
            asked = self.now if status == CaseStatus.PICKUP else created_at
            pickup_at = times.at_hour(asked, rng.randint(9, 17), days=1)
        case = AfterSalesCase(
            id=len(self.cases) + 1, number=self._number.draw("AS", created_at),
            customer_id=order.customer.id, order=order, item=item, kind=kind, reason=reason,
            quality_problem=quality, status=status, pickup_at=pickup_at,
            wanted_color=item.color if kind == CaseKind.EXCHANGE else None,
            wanted_settlement={CaseKind.RESEND: "resend", CaseKind.EXCHANGE: "exchange"}.get(kind, "refund"),
            created_at=created_at, updated_at=self._updated(status, created_at),
        )  # fmt: skip
        self.cases.append(case)
        if kind == CaseKind.RETURN:
            self._refund_for(case, item)
        return case

    def _updated(self, status: CaseStatus, created_at: datetime) -> datetime:
        longest = {CaseStatus.PICKUP: 0.0, CaseStatus.RETURNING: 2.0, CaseStatus.CHECKING: 4.5, CaseStatus.SENDING: 6.0}
        return created_at + min(timedelta(days=longest.get(status, 6.5)), (self.now - created_at) * 0.9)

    def _refund_for(self, case: AfterSalesCase, item: OrderItem) -> None:
        order = case.order
        goods = sum(each.price_cents * each.quantity for each in order.items)
        amount = (order.total_cents - order.freight_cents) * item.price_cents * item.quantity // goods
        if case.status in {CaseStatus.PICKUP, CaseStatus.RETURNING, CaseStatus.CHECKING}:
            status = RefundStatus.WAITING_GOODS
        elif case.status == CaseStatus.DONE:
            status = RefundStatus.ARRIVED
        else:
            return
        at = case.created_at if status == RefundStatus.WAITING_GOODS else case.updated_at
        self.refund(order, "returned", status, at, amount_cents=amount, case=case)

    def protect(self, order: Order, asked_at: datetime) -> None:
        """Gives back the difference to today's price on the first item."""
        item = order.items[0]
        item.protected_cents = (item.price_cents - item.product.price_cents) * item.quantity
        refund = self.refund(order, "price_protection", RefundStatus.SENT, asked_at, amount_cents=item.protected_cents)
        self.protections.append(
            PriceProtection(
                id=len(self.protections) + 1, item_id=item.id, amount_cents=item.protected_cents, requested_at=asked_at,
                due_at=add_working_days(asked_at, 3), paid_at=refund.sent_at,
            )
        )  # fmt: skip

    def invoices(self) -> None:
        """Gives every paid order the invoice its state calls for; some customers asked for none."""
        for order in self.book.orders:
            if order.paid_at is None or order.cancelled_at is not None or order.invoices:
                continue
            lot = self.rng.random()
            if order.payments[0].method == "transfer":
                self.invoice(order, "special")
            elif order.status != OrderStatus.DELIVERED and lot < 0.5:
                continue
            elif lot < 0.9:
                self.invoice(order, "ordinary", corrected=lot > 0.87)
            elif lot < 0.95:
                self.invoice(order, "special")

    def invoice(self, order: Order, kind: str, *, corrected: bool = False) -> Invoice:
        """Issued on the day after signing, asked for until then. ``corrected``: the first one had a wrong title."""
        if order.paid_at is None:
            raise ValueError("an invoice needs a paid order")
        title, tax_number = order.customer.name, None
        if kind == "special":
            title, tax_number = self.book.names.company(order.city)
        issued_at = None
        if order.delivered_at is not None:
            issued_at = times.at_hour(order.delivered_at, 9, days=1) + timedelta(minutes=self.rng.randint(0, 500))
        if issued_at is not None and issued_at < self.now - 2 * DAY and corrected:
            self._invoice(order, kind, "个人", None, "voided", order.paid_at, issued_at)
            asked = issued_at + timedelta(hours=self.rng.uniform(1, 24))
            return self._invoice(order, kind, title, tax_number, "issued", asked, asked + timedelta(hours=20))
        if issued_at is None or issued_at > self.now:
            return self._invoice(order, kind, title, tax_number, "requested", order.paid_at, None)
        return self._invoice(order, kind, title, tax_number, "issued", order.paid_at, issued_at)

    def _invoice(
        self, order: Order, kind: str, title: str, tax_number: str | None, status: str, asked: datetime,
        issued: datetime | None,
    ) -> Invoice:  # fmt: skip
        number = None
        if issued is not None:
            number = f"{clock.local(issued):%y}33" + f"{self.rng.randrange(10**16):016d}"
        return Invoice(
            id=next(self._invoice_ids), order=order, kind=kind, title=title, tax_number=tax_number,
            email=order.customer.email, amount_cents=order.total_cents, status=status, number=number,
            requested_at=asked, issued_at=issued,
        )  # fmt: skip
