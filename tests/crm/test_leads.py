"""Corporate enquiries."""

from datetime import UTC, datetime

import pytest

from core import db
from core.errors import Invalid
from crm.leads import usecases as leads
from crm.leads.models import Lead
from migrations.models import metadata
from tests.shop import Shop

FRIDAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path):
    made = db.make_engine(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(made)
    return made


def test_an_enquiry_on_friday_is_called_back_on_monday():
    assert leads.call_due_at(FRIDAY).date().isoformat() == "2026-11-23"


def test_an_enquiry_is_kept_with_what_sales_needs(engine):
    with db.writing(engine) as session:
        lead, new = leads.enquire(session, FRIDAY, company="恒泰科技", wish="20台空调", phone="13900001111")
        number = lead.id
    kept = Shop(engine).fresh(lead)
    assert new and (kept.id, kept.company, kept.wish, kept.status) == (number, "恒泰科技", "20台空调", "new")


def test_the_same_company_again_in_the_same_talk_adds_to_the_lead(engine):
    with db.writing(engine) as session:
        for wish in ("20台空调", "再加 10 台冰箱", "20台空调"):
            lead, _ = leads.enquire(
                session, FRIDAY, company="恒泰科技", wish=wish, phone="13900001111", conversation_id="c1"
            )
        assert session.query(Lead).count() == 1
        assert lead.wish == "20台空调；再加 10 台冰箱"


def test_a_number_nobody_can_call_is_not_taken(engine):
    with db.writing(engine) as session, pytest.raises(Invalid):
        leads.enquire(session, FRIDAY, company="恒泰科技", wish="20台空调", phone="12345")
