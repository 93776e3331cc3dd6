"""Numbers for Prometheus."""

import time

from apiflask import APIFlask
from flask import Response, g, request
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import clock, db
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State
from helpdesk.outbox.models import Delivery
from helpdesk.outbox.usecases import State as Unsent

REQUESTS = Histogram("zhike_http_seconds", "Time of a request", ["route", "method", "status"])
TALKS = Gauge("zhike_conversations", "Talks by state", ["state"])
LINES = Counter("zhike_customer_messages_total", "Lines customers sent")
LONGEST = Gauge("zhike_longest_wait_seconds", "How long the customer has waited who waits longest", ["on"])
PARTS = Gauge("zhike_deliveries", "Parts of lines for WeChat that are not sent, by state", ["state"])


def watch(app: APIFlask) -> None:
    """Times every request but those that are held open on purpose."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.url_rule is not None and "wait" not in request.args:
            route = request.url_rule.rule
            REQUESTS.labels(route, request.method, response.status_code).observe(time.perf_counter() - g.begun)
        return response


def refresh() -> None:
    """Reads the gauges from the database."""
    now = clock.now()
    with db.reading() as session:
        talks = _counted(session, Conversation.state)
        parts = _counted(session, Delivery.state, Delivery.state != Unsent.SENT)
        since = {
            "person": session.scalar(
                select(func.min(Conversation.queued_at)).where(Conversation.state == State.QUEUED)
            ),
            "bot": session.scalar(select(func.min(Conversation.waiting_since)).where(Conversation.state == State.BOT)),
        }
    for state in State:
        TALKS.labels(state.value).set(talks.get(state.value, 0))
    for unsent in Unsent:
        PARTS.labels(unsent.value).set(parts.get(unsent.value, 0))
    for on, begun in since.items():
        LONGEST.labels(on).set((now - begun).total_seconds() if begun is not None else 0)


def _counted(session: Session, column: InstrumentedAttribute[str], *where: ColumnElement[bool]) -> dict[str, int]:
    return dict(session.execute(select(column, func.count()).where(*where).group_by(column)).tuples().all())
