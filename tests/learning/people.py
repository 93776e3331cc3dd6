"""A customer who talks with the bot, turn by turn, without a brain: what it would read is given."""

import itertools
from datetime import timedelta

from sqlalchemy import select

from core import clock, db
from crm.customers.models import Customer
from helpdesk.conversations import brain, turns
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.turns import Answer
from helpdesk.learning.models import Collected
from helpdesk.routing import distribution
from helpdesk.routing import usecases as routing
from helpdesk.staff.models import Agent
from jobs.turns import store

_count = itertools.count(1)
PATIENT = timedelta(seconds=30)
CLARIFY = ("action_clarify",)
READINGS = Answer(
    "我想确认一下，您是想——",
    buttons=(
        {"title": "查积分", "payload": "/query_points"},
        {"title": "都不是，转人工", "payload": "/request_human"},
    ),
)


class Talk:
    """One talk; each call is a turn that was taken, read as given, and stored as the worker stores it."""

    def __init__(self, customer: Customer | None = None) -> None:
        with db.writing() as session:
            made, _ = conversations.open_conversation(session, clock.now(), channel="web", customer=customer)
        self.id = made.id

    def says(self, text: str) -> turns.Turn:
        """A line of the customer's, taken for the bot."""
        with db.writing() as session:
            conversations.receive(session, clock.now(), self.id, text=text, client_message_id=str(next(_count)))
        with db.writing() as session:
            turn = turns.take(session, self.id, clock.now() + PATIENT)  # the customer has finished writing
        assert isinstance(turn, turns.Turn)
        return turn

    def read(
        self, text: str, *answers: Answer, intent: str = "faq", decision: str = "fallback", **more: object
    ) -> None:
        """A line, and how the brain read and answered it."""
        turn = self.says(text)
        tried = CLARIFY if decision != "answer" else ("action_faq",)
        given = {"confidence": 0.21, "decision": decision, **more}
        reply = brain.Reply(answers or (READINGS,), intent, {}, tried, **given)  # type: ignore[arg-type]
        store(turn, reply)

    def unclear(self, text: str, **more: object) -> None:
        """A line the bot asks back about."""
        self.read(text, **more)  # type: ignore[arg-type]

    def taken_by(self, agent: Agent) -> None:
        """Out of the queue."""
        with db.writing() as session:
            distribution.accept(session, agent.id, self.id, clock.now())

    def answered_by(self, agent: Agent, text: str) -> None:
        """A person's line."""
        with db.writing() as session:
            found = conversations.locked(session, self.id)
            who = session.get(Agent, agent.id)
            assert who is not None
            routing.say(session, found, who, clock.now(), text=text, client_message_id=None)

    def finished_by(self, agent: Agent, *tags: str) -> None:
        """The end, with its summing-up."""
        with db.writing() as session:
            found = conversations.locked(session, self.id)
            who = session.get(Agent, agent.id)
            assert who is not None
            routing.finish(session, found, who, clock.now(), reason="已解决", tags=list(tags))


def collected() -> list[Collected]:
    """All there is, in order."""
    with db.reading() as session:
        return list(session.scalars(select(Collected).order_by(Collected.id)))
