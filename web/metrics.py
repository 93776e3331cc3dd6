"""Numbers for Prometheus."""

import time

from apiflask import APIFlask
from flask import Response, g, request
from prometheus_client import Counter, Gauge, Histogram

from core import db
from helpdesk.conversations.models import Conversation

REQUESTS = Histogram("zhike_http_seconds", "Time of a request", ["route", "method", "status"])
TALKS = Gauge("zhike_conversations", "Talks by state", ["state"])
LINES = Counter("zhike_customer_messages_total", "Lines customers sent")


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
    from sqlalchemy import func, select

    with db.reading() as session:
        counted = dict(
            session.execute(select(Conversation.state, func.count()).group_by(Conversation.state)).tuples().all()
        )
    for state in ("bot", "queued", "with_agent", "closed"):
        TALKS.labels(state).set(counted.get(state, 0))
