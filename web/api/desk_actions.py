"""What an agent does for the customer without leaving the talk (docs/api.md)."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Boolean, List, String
from apiflask.validators import Length, OneOf
from flask import g
from flask_limiter.util import get_remote_address
from marshmallow import ValidationError

from core import clock, db, settings
from core.text import clean
from crm.customers.access import Access
from crm.orders.models import Order
from helpdesk.service import cases, orders, passwords, tasks
from helpdesk.service import usecases as service
from helpdesk.service.rules import OPENED_BY_AGENTS, TEMPLATES
from helpdesk.staff import usecases as staff
from helpdesk.tickets.rules import TicketKind
from web import limits, shapes
from web.access import agent, bearer
from web.api.customer import responses
from web.api.talks import TALK, serving, signed_in, visible
from web.body import Lenient

bp = APIBlueprint("desk_actions", __name__, url_prefix="/api/v1/agent", tag="agent")
ORDER = TALK + "/orders/<string(maxlength=40):number>"
ID_MOST = 2**31 - 1
WRITTEN = {"subject", "detail", "result", "text", "recipient", "phone", "address", "tags"}

guesses = limits.limiter.limit(  # of the old password, whoever holds the sign-in
    lambda: settings.load().sign_ins_failed,
    key_func=lambda: f"agent:{getattr(g, 'agent_id', None) or get_remote_address()}",
    deduct_when=lambda response: response.status_code == 422,
)


class Written(Lenient):
    """What an agent wrote is cleaned; where something is required, something must be left."""

    def _text(self, name: str, value: Any) -> Any:
        if name not in WRITTEN or not isinstance(value, str):
            return super()._text(name, value)
        cleaned = clean(value)
        if not cleaned and self.fields[name].required:
            raise ValidationError("empty", name)
        return cleaned


class Sending(Lenient):
    """An article to send."""

    article_id = String(required=True, validate=Length(min=1, max=120))
    client_message_id = String(load_default=None, allow_none=True, validate=Length(max=60))


class Giving(Lenient):
    """A coupon to give."""

    template = String(required=True, validate=Length(min=1, max=40))


class TicketIn(Written):
    """A ticket."""

    kind = String(required=True, validate=OneOf([kind.value for kind in OPENED_BY_AGENTS]))
    subject = String(required=True, validate=Length(min=1, max=100))
    detail = String(load_default="", validate=Length(max=1500))
    urgent = Boolean(load_default=False)
    order_number = String(load_default=None, allow_none=True, validate=Length(max=40))


class Cancelling(Lenient):
    """Why an order is called off."""

    reason = String(required=True, validate=Length(min=1, max=100))


class Delivery(Written):
    """To whom and where; what is missing stays."""

    recipient = String(load_default=None, allow_none=True, validate=Length(max=60))
    phone = String(load_default=None, allow_none=True, validate=Length(max=20))
    address = String(load_default=None, allow_none=True, validate=Length(max=200))


class CustomerNoteIn(Written):
    """A note on the customer."""

    text = String(required=True, validate=Length(min=1, max=500))


class Tags(Written):
    """All tags of a talk."""

    tags = List(String(validate=Length(min=1, max=30)), required=True, validate=Length(max=10))


class Result(Written):
    """What came of a task."""

    result = String(required=True, validate=Length(min=1, max=500))


class Passwords(Lenient):
    """The old and the new one."""

    old = String(required=True, validate=Length(min=1, max=200))
    new = String(required=True, validate=Length(min=1, max=200))


# In a talk


@bp.post(TALK + "/articles")
@agent
@bp.input(Sending)
@bp.doc(summary="Send an article", security="bearer", responses=responses(201, 400, 401, 403, 404, 409, 422))
def send_article(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """As a card of the agent's; the same client_message_id again does nothing."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        seq = service.send_article(
            session, talk, me, clock.now(), json_data["article_id"], json_data["client_message_id"]
        )
    return {"seq": seq}, 201


@bp.post(TALK + "/ask-rating")
@agent
@bp.doc(summary="Ask for a rating", security="bearer", responses=responses(201, 401, 403, 404, 409))
def ask_rating(conversation_id: str) -> tuple[dict[str, Any], int]:
    """While the talk goes on, once a service."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        return {"seq": service.ask_rating(session, talk, me, clock.now())}, 201


@bp.post(TALK + "/coupons")
@agent
@bp.input(Giving)
@bp.doc(summary="Give a coupon", security="bearer", responses=responses(201, 400, 401, 403, 404, 409, 422))
def give_coupon(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """One a talk, within the agent's limit."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        coupon, seq = service.give_coupon(session, talk, me, clock.now(), json_data["template"])
        return {"coupon": shapes.coupon(coupon), "seq": seq}, 201


@bp.post(TALK + "/tickets")
@agent
@bp.input(TicketIn)
@bp.doc(summary="Open a ticket", security="bearer", responses=responses(201, 400, 401, 403, 404, 409, 422))
def open_ticket(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The customer is told its number and due time."""
    wanted = {**json_data, "kind": TicketKind(json_data["kind"])}
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        return {"ticket": shapes.ticket(cases.open_ticket(session, talk, me, clock.now(), **wanted))}, 201


@bp.put(TALK + "/tags")
@agent
@bp.input(Tags)
@bp.doc(summary="Tag a talk", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422))
def tag(conversation_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """These and no others."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        service.set_tags(session, talk, me, clock.now(), json_data["tags"])
        return {"conversation": shapes.conversation(session, talk)}


# The customer and the orders


@bp.get(TALK + "/customer")
@agent
@bp.doc(summary="Who the customer is", security="bearer", responses=responses(200, 401, 403, 404))
def customer(conversation_id: str) -> dict[str, Any]:
    """The picture beside the talk, afresh. Looking is written down."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id)
        if talk.customer_id is not None:
            staff.audit(session, me, "customer_seen", clock.now(), f"customer:{talk.customer_id}")
        return {"customer": shapes.customer(session, talk)}


@bp.post(TALK + "/customer-notes")
@agent
@bp.input(CustomerNoteIn)
@bp.doc(summary="Note on the customer", security="bearer", responses=responses(201, 400, 401, 403, 404, 409, 422))
def note_on_customer(conversation_id: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """For colleagues, in later talks too."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        note = service.note_on_customer(session, talk, me, clock.now(), json_data["text"])
        return {"note": shapes.customer_note(note)}, 201


@bp.get(ORDER)
@agent
@bp.doc(summary="An order of the talk's customer", security="bearer", responses=responses(200, 401, 403, 404, 409))
def order(conversation_id: str, number: str) -> dict[str, Any]:
    """With address, payments, parcels, and what may be done with it. Looking is written down."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id)
        return {"order": _shown(*orders.look(session, talk, me, clock.now(), number))}


def _shown(access: Access, found: Order) -> dict[str, Any]:
    return shapes.order_for_agents(found, orders.why_not(access, found))


@bp.post(ORDER + "/cancel")
@agent
@bp.input(Cancelling)
@bp.doc(summary="Cancel an order", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422))
def cancel_order(conversation_id: str, number: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """By the bot's rules; the customer is told what comes back."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        found = orders.cancel(session, talk, me, clock.now(), number, json_data["reason"])
        return {"order": _shown(*found)}


@bp.post(ORDER + "/address")
@agent
@bp.input(Delivery)
@bp.doc(summary="Send an order elsewhere", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422))
def change_address(conversation_id: str, number: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """By the bot's rules; for a shipped one the carrier is asked."""
    with db.writing() as session:
        me, talk = serving(session), visible(session, conversation_id, lock=True)
        found = orders.change_address(session, talk, me, clock.now(), number, json_data)
        return {"order": _shown(*found)}


# Lists and tasks


@bp.get("/coupons/templates")
@agent
@bp.doc(summary="Coupons to give", security="bearer", responses=responses(200, 401, 403))
def coupon_templates() -> dict[str, Any]:
    """With which of them this agent may give."""
    with db.reading() as session:
        me = serving(session)
        return {"templates": [shapes.coupon_template(each, me.role) for each in TEMPLATES]}


@bp.get("/ticket-kinds")
@agent
@bp.doc(summary="Kinds of tickets to open", security="bearer", responses=responses(200, 401, 403))
def ticket_kinds() -> dict[str, Any]:
    """For the ticket's dialog."""
    with db.reading() as session:
        serving(session)
    return {"kinds": [{"name": kind.value, "label": kind.label} for kind in OPENED_BY_AGENTS]}


@bp.get("/tags")
@agent
@bp.doc(summary="Tags in use", security="bearer", responses=responses(200, 401, 403))
def tags() -> dict[str, Any]:
    """The most used ones of the last 90 days."""
    with db.reading() as session:
        serving(session)
        return {"tags": service.tags_in_use(session, clock.now())}


@bp.get("/tasks")
@agent
@bp.doc(summary="Call-backs and messages to work off", security="bearer", responses=responses(200, 401, 403))
def open_tasks() -> dict[str, Any]:
    """The most urgent first."""
    now = clock.now()
    with db.reading() as session:
        serving(session)
        return {"tasks": [shapes.task(ticket, name, now) for ticket, name in tasks.due(session)]}


@bp.post("/tasks/<string(maxlength=20):number>/done")
@agent
@bp.input(Result)
@bp.doc(summary="A task is done", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422))
def task_done(number: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """With what came of it."""
    with db.writing() as session:
        ticket = tasks.done(session, serving(session), number, json_data["result"], clock.now())
        return {"ticket": shapes.ticket(ticket)}


@bp.put("/me/password")
@agent
@guesses
@bp.input(Passwords)
@bp.doc(summary="Change the own password", security="bearer", responses=responses(204, 400, 401, 409, 422, 429))
def change_password(json_data: dict[str, Any]) -> tuple[str, int]:
    """All other sign-ins of the agent end."""
    with db.reading() as session:
        before, after = passwords.hashes(session, signed_in(session).id, **json_data)
    with db.writing() as session:
        passwords.change(session, g.agent_id, before, after, bearer(), clock.now())
    return "", 204
