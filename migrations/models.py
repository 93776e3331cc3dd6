"""Every table, imported in one place: what Alembic compares with and what the tests create."""
# ruff: noqa: F401

import channels.wechat.models
import core.once
import crm.catalogue.models
import crm.customers.models
import crm.leads.models
import crm.loyalty.models
import crm.orders.models
import crm.returns.models
import helpdesk.conversations.models
import helpdesk.learning.models
import helpdesk.outbox.models
import helpdesk.routing.models
import helpdesk.staff.models
import helpdesk.surveys.models
import helpdesk.tickets.models
import helpdesk.visits.models
import knowledge_base.models
from core.db import Base

metadata = Base.metadata
