"""The brain's memory: a row a turn, and the newest talks alive. Replaces Rasa's SQL tracker store, which writes event by event
and makes every event of a talk anew for each of its turns.

A row holds a turn's events and what they start from: the slots that were set, and the loop that was open. So a talk is taken up
from its last few turns, however long it is and however long a form has been open in it, and older events are kept but not
carried along. A tracker in memory counts
only while nobody has stored a newer turn (several brains) and nothing unsaved is in it (a turn that failed).
"""

import itertools
import json
import logging
from collections import OrderedDict
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Text, Tuple

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore, create_engine_kwargs
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    AllSlotsReset,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

log = logging.getLogger(__name__)
TURNS = 8  # customers' turns that are carried along: more than channel.TOPIC_REACH, and than any rule looks back
EVENTS = 60  # fewer events are carried along as they are
ALIVE = 2000  # talks kept in memory; a talk takes some ten to thirty kilobytes
TABLE = sa.Table(
    "talks",
    sa.MetaData(),
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("slots", sa.Text, nullable=False),
    sa.Column("loop", sa.String(255)),
    sa.Column("events", sa.Text, nullable=False),
)
KEY = sa.bindparam("sender_id")
NEWEST = sa.select(sa.func.max(TABLE.c.n)).where(TABLE.c.sender_id == KEY)
ROWS = sa.select(TABLE.c.slots, TABLE.c.loop, TABLE.c.events).where(TABLE.c.sender_id == KEY).order_by(TABLE.c.n.desc())
INSERT = TABLE.insert()
SENDERS = sa.select(TABLE.c.sender_id).distinct()
Slots = Dict[Text, Any]


class NotKept(BaseException):
    """A turn could not be stored. No ``Exception``: Rasa would go on with a memory of its own that nobody else has."""


class Kept(NamedTuple):
    """Of a tracker: its newest row, how many of its events are stored, and what the next row starts from."""

    n: int
    events: int
    slots: Slots
    loop: Optional[Text]


class Row(NamedTuple):
    """What a turn starts from, and its events, as JSON."""

    slots: Text
    loop: Optional[Text]
    events: Text


class Talks(TrackerStore):
    """See the module."""

    def __init__(
        self,
        domain: Optional[Domain] = None,
        host: Text = "sqlite://",
        event_broker: Optional[EventBroker] = None,
        **kwargs: Any,
    ) -> None:
        """``host``: the database's address, as Rasa calls it. Creates the table."""
        self._alive: "OrderedDict[Text, DialogueStateTracker]" = OrderedDict()
        if host.startswith("sqlite"):  # one connection that stays open; the brain asks from one thread
            self._engine = sa.create_engine(host, poolclass=StaticPool)
            sa.event.listen(self._engine, "connect", _durable)
        else:
            self._engine = sa.create_engine(host, **create_engine_kwargs(host))
        _create(self._engine)
        self._compiled = {
            id(each): each.compile(dialect=self._engine.dialect) for each in (NEWEST, ROWS, INSERT, SENDERS)
        }
        super().__init__(domain, event_broker, **kwargs)

    @property
    def domain(self) -> Domain:
        """The model's domain; with a new one the talks in memory are forgotten, for they have the old one's slots."""
        return self._domain

    @domain.setter
    def domain(self, domain: Optional[Domain]) -> None:
        self._domain = domain or Domain.empty()
        self._alive.clear()

    @contextmanager
    def _connected(self) -> Iterator[Callable[..., Any]]:
        """Runs statements in one transaction, each compiled once and given straight to the driver: SQLAlchemy's own way to a row
        takes ten times as long as the row."""
        held = self._engine.raw_connection()
        try:
            cursor = held.cursor()

            def run(statement: Any, **values: Any) -> Any:
                compiled = self._compiled[id(statement)]
                told = [values[name] for name in compiled.positiontup] if compiled.positional else values
                cursor.execute(compiled.string, told)
                return cursor

            yield run
            held.commit()
        except self._engine.dialect.dbapi.Error:
            held.invalidate()  # the database may have been away: the next one asks on a new connection
            raise
        finally:
            held.close()

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """The talk's tracker with its last turns; None when there is no such talk."""
        alive = self._alive.get(sender_id)
        with self._connected() as run:
            newest = run(NEWEST, sender_id=sender_id).fetchone()[0]
            if alive is not None and alive.kept.n == (newest or 0) and len(alive.events) == alive.kept.events:
                self._alive.move_to_end(sender_id)
                return alive
            self._alive.pop(sender_id, None)
            if newest is None:
                return None
            return self._remember(self._made(sender_id, _last_turns(run(ROWS, sender_id=sender_id))), newest)

    async def retrieve_full_tracker(self, conversation_id: Text) -> Optional[DialogueStateTracker]:
        """The talk's tracker with all its events; None when there is no such talk."""
        with self._connected() as run:
            rows = [Row(*row) for row in run(ROWS, sender_id=conversation_id)]
        return self._made(conversation_id, rows[::-1]) if rows else None

    async def keys(self) -> Iterable[Text]:
        """All talks."""
        with self._connected() as run:
            return [sender_id for (sender_id,) in run(SENDERS)]

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Stores the events that are new, in one transaction. Raises NotKept, also when another brain was quicker."""
        kept: Kept = getattr(tracker, "kept", Kept(0, 0, {}, None))
        events = list(itertools.islice(tracker.events, kept.events, None))
        if not events:
            return
        data = [event.as_dict() for event in events]
        row = {
            "sender_id": tracker.sender_id,
            "n": kept.n + 1,
            "slots": json.dumps(kept.slots),
            "loop": kept.loop,
            "events": json.dumps(data),
        }
        try:
            with self._connected() as run:
                run(INSERT, **row)
        except (SQLAlchemyError, self._engine.dialect.dbapi.Error) as error:
            self._alive.pop(tracker.sender_id, None)
            raise NotKept(type(error).__name__) from error
        if self.event_broker is not None:
            for each in data:
                self.event_broker.publish({"sender_id": tracker.sender_id, **each})
        self._shorten(tracker)
        self._remember(tracker, kept.n + 1)

    def _remember(self, tracker: DialogueStateTracker, n: int) -> DialogueStateTracker:
        tracker.kept = Kept(n, len(tracker.events), self._set_slots(tracker), tracker.active_loop_name)
        self._alive[tracker.sender_id] = tracker
        while len(self._alive) > ALIVE:
            self._alive.popitem(last=False)
        return tracker

    def _made(self, sender_id: Text, rows: Sequence[Row]) -> DialogueStateTracker:
        """A tracker from rows, oldest first."""
        events = _starting(json.loads(rows[0].slots), rows[0].loop)
        for row in rows:
            events += [Event.from_parameters(data) for data in json.loads(row.events)]
        return DialogueStateTracker.from_events(sender_id, events, self.domain.slots)

    def _set_slots(self, tracker: DialogueStateTracker) -> Slots:
        return {name: slot.value for name, slot in tracker.slots.items() if slot.value != slot.initial_value}

    def _shorten(self, tracker: DialogueStateTracker) -> None:
        """Lets go of all but the last turns, and of what they start from."""
        events = list(tracker.events)
        if len(events) <= EVENTS:
            return
        start, loop = first_needed(events)
        initial = {slot.name: slot.initial_value for slot in self.domain.slots}
        before = {name: value for name, value in slots_after(events[:start]).items() if value != initial.get(name)}
        tracker.events.clear()
        tracker.events.extend(_starting(before, loop))
        tracker.events.extend(events[start:])


def first_needed(events: Sequence[Event]) -> Tuple[int, Optional[Text]]:
    """Where the last TURNS turns begin, and the loop that is open there: after a listening, and not while a loop that refused a
    message has not spoken again. 0 when all is needed."""
    found: List[Tuple[int, Optional[Text]]] = [(0, None)]
    loop, refused = None, False
    for index, event in enumerate(events):
        if isinstance(event, ActiveLoop):
            loop, refused = event.name, False
        elif isinstance(event, ActionExecutionRejected):
            refused = refused or event.action_name == loop
        elif isinstance(event, ActionExecuted) and event.action_name == loop:
            refused = False
        listening = isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
        if listening and not refused and isinstance(events[(index + 1) % len(events)], UserUttered):
            found.append((index, loop))
    after = list(itertools.accumulate(isinstance(event, UserUttered) for event in reversed(events)))[::-1]
    return [(index, loop) for index, loop in found if index == 0 or after[index] >= TURNS][-1]


def slots_after(events: Iterable[Event]) -> Slots:
    """The values that slots were given in these events and not taken from again."""
    slots: Slots = {}
    for event in events:
        if isinstance(event, SlotSet):
            slots[event.key] = event.value
        elif isinstance(event, (AllSlotsReset, Restarted, SessionStarted)):
            slots.clear()
    return slots


def _starting(slots: Slots, loop: Optional[Text]) -> List[Event]:
    """Events that bring a tracker to where a turn starts."""
    return [*(SlotSet(name, value) for name, value in slots.items()), *([ActiveLoop(loop)] if loop else [])]


def _last_turns(rows: Iterable[Tuple[Any, ...]]) -> "List[Row]":
    """At least the last TURNS rows, oldest first; see first_needed. ``rows``: the newest first."""
    taken: List[Row] = []
    for values in rows:
        row = Row(*values)
        if len(taken) >= TURNS and (taken[-1].loop is None or _spoke_last(json.loads(row.events), taken[-1].loop)):
            break
        taken.append(row)
    return taken[::-1]


def _spoke_last(events: Sequence[Dict[Text, Any]], loop: Text) -> bool:
    """Whether the loop was run in these events, and refused nothing after that."""
    ran = [
        e["event"] == ActionExecuted.type_name
        for e in events
        if e["event"] in {ActionExecuted.type_name, ActionExecutionRejected.type_name} and e["name"] == loop
    ]
    return bool(ran) and ran[-1]


def _create(engine: sa.engine.Engine) -> None:
    """Makes the table, unless it is there – or another brain, started at the same moment, is making it."""
    try:
        TABLE.metadata.create_all(engine)
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.OperationalError):
        if not sa.inspect(engine).has_table(TABLE.name):
            raise


def _durable(connection: Any, _record: Any) -> None:
    """What is committed survives the death of the process; a turn waits for no other reader."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=5000")
