"""The overview says how a thing stands once."""

from core import clock, db
from crm.customers.access import SIGNED_IN, Access
from crm.customers.models import Customer
from helpdesk.progress import usecases as progress
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind
from migrations.models import metadata


def test_a_new_complaint_is_told_as_received_once(tmp_path):
    engine = db.make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    metadata.create_all(engine)
    now = clock.now()
    with db.writing(engine) as session:
        customer = Customer(name="林小", title="女士", phone="13900000001", city="杭州", address="", created_at=now)
        session.add(customer)
        session.flush()
        ticket = tickets.open_ticket(
            session, now, kind=TicketKind.COMPLAINT, subject="安装乱收费", customer_id=customer.id
        )
        [entry] = progress.overview(session, Access(customer, SIGNED_IN), now)
        assert entry.state.count("已受理") == 1
        ticket.progress = [*ticket.progress, {"at": "2026-11-22T00:00:00Z", "text": "联系了安装队"}]
        [entry] = progress.overview(session, Access(customer, SIGNED_IN), now)
        assert entry.state == "已受理，联系了安装队"
    engine.dispose()
