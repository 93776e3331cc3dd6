"""What an action knows of the talk and how it speaks."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.answers import as_written, corrects, kept, turned_down_at
from core import clock, db
from core.clock import local
from core.errors import Refusal, ZhikeError
from crm.customers.access import Access
from crm.orders import usecases as orders
from crm.orders.models import Order
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation

Button = dict[str, str]
AS_WRITTEN = {"address", "person_name", "invoice_title"}  # kept as the customer writes them, with capitals


def button(title: str, payload: str | None = None) -> Button:
    """A quick reply. Without a payload the brain reads the title as if the customer had typed it."""
    return {"title": title, "payload": payload or title}


class Voice:
    """Speaks to the customer. One call is one message."""

    def __init__(self, dispatcher: CollectingDispatcher) -> None:
        self._dispatcher = dispatcher

    def say(self, text: str, buttons: Sequence[Button | str] = ()) -> None:
        """A line, with quick replies when given."""
        made = [button(b) if isinstance(b, str) else b for b in buttons]
        self._dispatcher.utter_message(text=text, buttons=made or None)

    def card(self, text: str, card: dict[str, Any]) -> None:
        """A card; ``text`` says the same in plain words for channels without cards."""
        self._dispatcher.utter_message(text=text, json_message=card)

    def hand_over(self, reason: str) -> None:
        """Asks the desk to put the talk into the queue; ``reason`` is a HandoverReason."""
        self._dispatcher.utter_message(json_message={"handover": reason})

    def end(self) -> None:
        """Asks the desk to end the talk."""
        self._dispatcher.utter_message(json_message={"close": True})

    def refuse(self, refusal: ZhikeError) -> None:
        """Says no with the reason and the way on."""
        ways = refusal.way_on if isinstance(refusal, Refusal) else ("转人工",)
        self.say(refusal.detail, ways)


@dataclass
class Talk:
    """One call of one action: the database, the customer's message, who the customer is, what was found so far."""

    session: Session
    now: datetime
    tracker: Tracker
    voice: Voice
    conversation: Conversation
    access: Access | None
    slots: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The customer's last message as the brain read it."""
        return self.tracker.latest_message.get("text") or ""

    @property
    def intent(self) -> str:
        """Its intent (``nlu_fallback`` when unsure)."""
        return (self.tracker.latest_message.get("intent") or {}).get("name") or ""

    @property
    def confidence(self) -> float:
        """How sure the brain was."""
        return float((self.tracker.latest_message.get("intent") or {}).get("confidence") or 0.0)

    @property
    def mood(self) -> dict[str, float]:
        """How the customer feels, as the brain measured the last message: ``{mood: probability}``."""
        return self.tracker.latest_message.get("mood") or {}

    @property
    def is_command(self) -> bool:
        """Whether the message is a button's payload."""
        return self.text.startswith("/")

    def entities(self, name: str) -> list[str]:
        """The values of an entity in the last message, left to right."""
        found = [e for e in self.tracker.latest_message.get("entities") or [] if e.get("entity") == name]
        return [self._value(e) for e in found]

    def entity(self, name: str) -> str | None:
        """The last of these values that is not turned down (不是手机 是热水器): a correction comes after what it corrects."""
        found = [e for e in self.tracker.latest_message.get("entities") or [] if e.get("entity") == name]
        meant = [e for e in found if self.is_command or not turned_down_at(self.text, e.get("start"))]
        return self._value(meant[-1]) if meant else None

    def _value(self, entity: dict[str, Any]) -> str:
        value = str(entity["value"])
        return as_written(self.text, value) if entity.get("entity") in AS_WRITTEN else value

    def said_before(self, intent: str) -> str:
        """The customer's message before this one, if it was read as this intent; else nothing."""
        earlier = [e for e in self.tracker.events if e.get("event") == "user"][:-1]
        read = ((earlier[-1].get("parse_data") or {}).get("intent") or {}).get("name") if earlier else None
        return str(earlier[-1].get("text") or "") if read == intent else ""

    def once_key(self, name: str) -> str | None:
        """The key under which a change of this turn is done once (core/once.py)."""
        turn_id = (self.tracker.latest_message.get("metadata") or {}).get("turn_id")
        return f"{turn_id}:{name}" if turn_id else None

    def order(self) -> Order | None:
        """The order the talk is about: named in this message or filled in before; never somebody else's."""
        named = self.slots.get("order_number")
        if named is None or self.access is None:
            return None
        return orders.find(self.session, self.access, str(named))


@contextmanager
def talking(dispatcher: CollectingDispatcher, tracker: Tracker) -> Iterator[Talk]:
    """A :class:`Talk` in one transaction: all that the action changes is kept together, or nothing."""
    with db.writing() as session:
        yield _talk(session, dispatcher, tracker)


def look_first[T](dispatcher: CollectingDispatcher, tracker: Tracker, act: Callable[[Talk], T]) -> T:
    """``act``'s result. Most requests only look something up and keep nobody waiting (on SQLite one writes at a time); one that
    turns out to change something begins anew in a transaction. So ``act`` does nothing but speak and use its session."""
    said = len(dispatcher.messages)
    try:
        with db.reading() as session:
            result = act(_talk(session, dispatcher, tracker))
            session.flush()  # a change that was not sent to the database yet
            return result
    except db.Changes:
        del dispatcher.messages[said:]
    with talking(dispatcher, tracker) as talk:
        return act(talk)


def _talk(session: Session, dispatcher: CollectingDispatcher, tracker: Tracker) -> Talk:
    conversation = conversations.find(session, tracker.sender_id)
    access = conversations.access_of(session, conversation)
    return Talk(session, clock.now(), tracker, Voice(dispatcher), conversation, access, dict(tracker.slots))


TAIL = re.compile(r"(?<!\d)(\d{4})(?!\d)")
CUED_TAIL = re.compile(
    r"(?:尾号|尾数|末尾|后四位)(?:是|为|[:： ])*(\d{4})(?!\d)|(?<!\d)(\d{4}) ?的?(?:那|这)[个单笔条]|^\s*(\d{4})[呢吧。.！!? ？]*$"
)
BARE = re.compile(r"(?:选|就|要|看|是|第|那)*([一二三四五六1-6])(?:号|吧|的|呢|[。.!！ ])*")
ORDINAL = re.compile(r"(?<![这那另外上下前后每有])第?([一二两三四五六1-6])(?:个|单|条|件|笔)")
STRICT_ORDINAL = re.compile(r"第([一二两三四五六1-6])(?:个|单|条|笔)")
FIRST, LAST = re.compile(r"最上面|上面那|头一|前面那"), re.compile(r"最下面|下面那|最后一|最后那|后面那")
NEWEST = re.compile(r"最新|最近[的那一下买]|刚[买下]的?")
MONTH = re.compile(
    r"(?<![\d一二三四五六七八九十])(1[0-2]|[1-9]|十[一二]?|[二三四五六七八九]|一)月份?(?!\d)(?:买|下|订|拍)?的?(?:那|的)"
)
MONTHS = {c: n for n, c in enumerate("一二三四五六七八九十", 1)} | {"十一": 11, "十二": 12}
NUMERALS = {c: i + 1 for i, c in enumerate("一二三四五六")} | {"两": 2} | {str(i): i for i in range(1, 7)}


def order_reference(talk: Talk, offered: Sequence[str] = (), *, asked: bool = False) -> str | None:
    """The order number the message names: whole, by its last four digits, or by its place in the list just shown.

    ``offered`` are the numbers in the order shown; a bare place or four digits count only when ``asked``, or when the
    message corrects the choice. What is turned down (不是6152) is not meant.
    """
    again = bool(offered) and not asked and not talk.is_command and corrects(talk.text)
    text = "" if talk.is_command else kept(unicodedata.normalize("NFKC", talk.text))
    named = talk.entity("order_number")
    if named and len(named) > 4:
        return named
    tail = named or (m.group(1) if (asked or again) and (m := TAIL.search(text)) else None)
    tail = tail or (m[m.lastindex or 0] if (m := CUED_TAIL.search(text)) else None)
    if tail and talk.access:
        fitting = [o.number for o in orders.visible(talk.session, talk.access) if o.number.endswith(tail)]
        among = [n for n in fitting if n in offered]
        return fitting[0] if len(fitting) == 1 else among[0] if len(among) == 1 else None
    if again and (place := STRICT_ORDINAL.search(text)):  # 改成两件 is no place
        return _placed(offered, place.group(1))
    if not asked or not offered:
        return None
    if place := ORDINAL.search(text) or BARE.fullmatch(text.strip()):
        return _placed(offered, place.group(1))
    if month := MONTH.search(text):
        return _of_month(talk, offered, MONTHS.get(month.group(1)) or int(month.group(1)))
    return offered[0] if FIRST.search(text) or NEWEST.search(text) else offered[-1] if LAST.search(text) else None


def _placed(offered: Sequence[str], said: str) -> str | None:
    index = NUMERALS.get(said, 0) - 1
    return offered[index] if 0 <= index < len(offered) else None


def _of_month(talk: Talk, offered: Sequence[str], month: int) -> str | None:
    bought = orders.visible(talk.session, talk.access) if talk.access else []
    fitting = [o.number for o in bought if o.number in offered and local(o.created_at).month == month]
    return fitting[0] if len(fitting) == 1 else None
