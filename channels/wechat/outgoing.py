"""What goes out: planned from the talk's lines, taken along by a passive answer, or claimed for a call of the API.

A user's row is the lock of all of it: whoever sends holds its lease, so that lines keep their order over all processes.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from channels.wechat import binding, rules
from channels.wechat.accounts import Account, known
from channels.wechat.models import WechatAccount, WechatUser
from core import settings, wake
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import State as Talk
from helpdesk.outbox import usecases as outbox
from helpdesk.outbox.models import Delivery
from helpdesk.outbox.usecases import State
from helpdesk.routing import queue
from helpdesk.routing.usecases import minutes

log = logging.getLogger(__name__)
FREE = "wechat_free"  # wake topic: {"id"} – no call waits for this talk's answer any more, the API may send it
LEASE = timedelta(seconds=25)  # longer than a picture's upload and its send may take
SETTLING = timedelta(seconds=0.5)  # an answer given to the server is on its way for a moment
UNHEARD_MOST = 4  # calls without an answer; more would only repeat what the customer has read
MARK_CHARS = 40
PLACE_EVERY = timedelta(minutes=1)
PLACE_LEAVES = 2  # sends that are kept for people


def ledger(user: WechatUser) -> rules.Ledger:
    """What the platform has counted for the user."""
    return rules.Ledger(user.subscribed, user.message_at, user.event_at, tuple(user.sends))


def _locked(session: Session, *where: object, skip: bool = False) -> WechatUser | None:
    return session.scalar(
        select(WechatUser)
        .where(*where)  # type: ignore[arg-type]
        .with_for_update(skip_locked=skip)
        .execution_options(populate_existing=True)
    )


def _plan(session: Session, account: Account, user: WechatUser, now: datetime) -> Sequence[Delivery]:
    """Puts the talk's new lines into the outbox; all that is under way, in order."""
    talk = session.get_one(Conversation, user.conversation_id, populate_existing=True)
    due = list(outbox.under_way(session, talk.id))
    if talk.last_seq > user.planned_seq:
        lines = conversations.lines(session, talk.id, user.planned_seq)
        for line in lines:
            if line.sender == "customer":
                continue
            place = (line.payload or {}).get("queue") or {}
            if "position" in place:
                user.place_told, user.place_told_at = place["position"], now
            plain = rules.Line(line.sender, line.kind, line.text, line.payload)
            due += outbox.put(session, talk.id, line.seq, rules.render(plain, settings.load().site), now)
        user.planned_seq = max([talk.last_seq, *(line.seq for line in lines)])  # a line may have come in between
        binding.keep_proved(session, account, user, talk, now)
    return due


def _has_unplanned() -> ColumnElement[bool]:
    """Whether lines of a user's talk are not in the outbox yet, as part of a query."""
    return and_(
        Conversation.last_seq > WechatUser.planned_seq,
        exists().where(
            Message.conversation_id == Conversation.id,
            Message.seq > WechatUser.planned_seq,
            Message.sender != "customer",
            Message.kind != "note",
        ),
    )


# The passive answer


def reserve(session: Session, user: WechatUser, key: str, now: datetime, *, new: bool, hold: bool) -> str:
    """A request that is held (``hold``) hopes to take the answer along: until then nobody else sends. The mark of its
    message, which several deliveries of it share: nobody can say which of them the platform still listens to, so all that
    wait get the answer, or none (:func:`carried`).

    Empty for a delivery that came before, when no other one of this message waits (or died waiting): that one was
    acknowledged, the platform does not ask again, and an answer lost on the way now would be lost for good. For the same
    reason those that still wait no longer may, once this one is acknowledged without an answer.
    """
    mark = hashlib.sha256(key.encode()).hexdigest()[:MARK_CHARS]
    waits = user.passive_by == mark
    if hold and (new or waits):
        user.passive_by = mark
        user.passive_until = now + timedelta(seconds=settings.load().wechat_passive_seconds + 0.5)
        return mark
    if waits:
        user.passive_by = user.passive_until = None
        wake.note(session, FREE, id=user.conversation_id)
    return ""


def give_up(session: Session, user_id: int, mark: str) -> None:
    """A request ends without the answer, and with it all that wait for the same one: the API may send it."""
    user = _locked(session, WechatUser.id == user_id)
    if user is not None and user.passive_by == mark:
        user.passive_by = user.passive_until = None
        wake.note(session, FREE, id=user.conversation_id)


@dataclass(frozen=True)
class Outlook:
    """How things stand for a user: whose mark waits, whether something is due, up to which line the bot has answered (None
    when the talk is not the bot's), and until when something else is on its way to the user (a send that is heard of
    earlier ends earlier)."""

    mark: str | None
    due: bool
    answered_seq: int | None
    busy_until: datetime | None

    def is_over(self, mark: str) -> bool:
        """Whether the wait of a mark is: another delivery took the answer along or was acknowledged without it, or a newer
        message waits."""
        return self.mark != mark

    def is_pending(self, seq: int) -> bool:
        """Whether the bot is still at the line."""
        return self.answered_seq is not None and self.answered_seq < seq


_STANDING = (
    select(
        WechatUser.id,
        WechatUser.passive_by,
        or_(outbox.is_under_way(Conversation.id), _has_unplanned()),
        Conversation.state,
        Conversation.answered_seq,
        WechatUser.quiet_until,
        WechatUser.lease_until,
    )
    .join(Conversation, Conversation.id == WechatUser.conversation_id)
    .where(WechatUser.id.in_(bindparam("user_ids", expanding=True)))
)


def outlooks(session: Session, user_ids: Sequence[int]) -> dict[int, Outlook]:
    """How things stand for each of these users, in one question: it is asked for all who wait in a process at once."""
    return {
        user_id: Outlook(
            mark,
            due,
            answered_seq if state == Talk.BOT else None,
            max((at for at in (quiet_until, lease_until) if at is not None), default=None),
        )
        for user_id, mark, due, state, answered_seq, quiet_until, lease_until in session.execute(
            _STANDING, {"user_ids": list(user_ids)}
        ).tuples()
    }


def take_along(
    session: Session, account: Account, user_id: int, mark: str, key: str, arrived_at: datetime, now: datetime
) -> str | None:
    """All that is due, as one text, marked as sent: the caller answers with it at once. None when it does not fit one
    passive answer, or somebody is sending; then the API goes on."""
    user = _locked(session, WechatUser.id == user_id)
    if user is None or user.passive_by != mark:
        return None
    user.passive_by = user.passive_until = None
    sending = user.lease_until is not None and user.lease_until > now
    due = [] if sending else _plan(session, account, user, now)
    contents = [delivery.content for delivery in due]
    if not contents or any(c["type"] != "text" for c in contents) or rules.together(contents) < len(contents):
        wake.note(session, FREE, id=user.conversation_id)
        return None
    for delivery in due:
        _sent(delivery, now)
        delivery.carried_by, delivery.carried_at = key, arrived_at
    user.menu = rules.menu_after(contents, user.menu)
    user.quiet_until = now + SETTLING
    return rules.joined([c["text"] for c in contents])


def carried(session: Session, user_id: int, key: str) -> str | None:
    """The answer that another delivery of the message took along while this one waited for it."""
    conversation_id = session.get_one(WechatUser, user_id).conversation_id
    parts = outbox.carried_by(session, conversation_id, key) if conversation_id is not None else ()
    return rules.joined([part.content["text"] for part in parts]) if parts else None


def again(session: Session, user_id: int, key: str, age_seconds: float, arrived_at: datetime) -> str | None:
    """The answer that an earlier delivery of the message took along, for this one. None when there was none – or when
    this is the last delivery: then the API sends it."""
    user = _locked(session, WechatUser.id == user_id)
    if user is None or user.conversation_id is None:
        return None
    parts = outbox.carried_by(session, user.conversation_id, key)
    if not parts:
        return None
    gap = (arrived_at - max(d.carried_at or arrived_at for d in parts)).total_seconds()
    if rules.given_up_soon(age_seconds, gap, settings.load().wechat_passive_seconds):
        for delivery in parts:
            delivery.state, delivery.carried_by, delivery.next_at = State.WAITING, None, arrived_at
        wake.note(session, FREE, id=user.conversation_id)
        return None
    for delivery in parts:
        delivery.carried_at = arrived_at
    return rules.joined([d.content["text"] for d in parts])


def _sent(delivery: Delivery, now: datetime) -> None:
    delivery.state, delivery.sent_at, delivery.error = State.SENT, now, ""


# The API


@dataclass(frozen=True)
class Job:
    """One call to make: these deliveries, joined into one message."""

    account: Account
    user_id: int
    openid: str
    conversation_id: str
    ids: tuple[int, ...]
    content: rules.Content
    tries: int
    looked_up: bool  # the platform was asked for the user's UnionID
    until: datetime  # so long nobody else has these


def due(session: Session, now: datetime, most: int = 200) -> list[str]:
    """Talks with something to plan or to send that nobody is answering."""
    unplanned = (
        select(WechatUser.conversation_id)
        .join(Conversation, Conversation.id == WechatUser.conversation_id)
        .where(
            _has_unplanned(),
            *(or_(at.is_(None), at <= now) for at in _TAKEN_UNTIL),
        )
    )
    waiting = (
        select(Delivery.conversation_id)
        .where(
            or_(
                (Delivery.state == State.WAITING)
                & (Delivery.next_at <= now)
                & Delivery.error.in_(("", rules.Held.QUOTA)),
                Delivery.state == State.SENDING,
            )
        )
        .distinct()
    )
    found = [*session.scalars(unplanned.limit(most)), *session.scalars(waiting.limit(most))]
    return [each for each in dict.fromkeys(found) if each]


_TAKEN_UNTIL = (WechatUser.lease_until, WechatUser.passive_until, WechatUser.quiet_until)
_GLANCE = (
    select(*_TAKEN_UNTIL)
    .join(Conversation, Conversation.id == WechatUser.conversation_id)
    .where(WechatUser.conversation_id == bindparam("talk"), or_(outbox.is_under_way(Conversation.id), _has_unplanned()))
)


def glance(session: Session, conversation_id: str, now: datetime) -> datetime | None:
    """From when on a claim may succeed; None when there is nothing to send (or the talk is not one of WeChat)."""
    found = session.execute(_GLANCE, {"talk": conversation_id}).first()
    return _free_at(found, now) if found is not None else None


def _free_at(taken_until: Iterable[datetime | None], now: datetime) -> datetime:
    """When nobody else is answering the user any more: now, or later."""
    return max([now, *(at for at in taken_until if at is not None)])


def claim(session: Session, conversation_id: str, now: datetime) -> Job | datetime | None:
    """The talk's next call, under the user's lease; or when to look again; or None when nothing can be done now."""
    user = _locked(session, WechatUser.conversation_id == conversation_id, skip=True)
    if user is None:
        return None
    free_at = _free_at((user.lease_until, user.passive_until, user.quiet_until), now)
    if free_at > now:
        return free_at
    account = known(session.get_one(WechatAccount, user.account_id))
    waiting = _plan(session, account, user, now)
    if not waiting:
        return None
    _interrupted(waiting)
    if waiting[0].next_at > now:
        return waiting[0].next_at
    held = ledger(user).why_not(now)
    if held is not None:
        for delivery in waiting:
            delivery.error = held.value
        return None
    taken = waiting[: rules.together([delivery.content for delivery in waiting])]
    until = now + LEASE
    for delivery in taken:
        delivery.state, delivery.tries, delivery.error = State.SENDING, delivery.tries + 1, ""
    user.lease_until = until
    user.sends = rules.with_send(user.sends, until)
    user.menu = rules.menu_after([d.content for d in taken], user.menu)
    content = taken[0].content
    if content["type"] == "text":
        content = {"type": "text", "text": rules.joined([d.content["text"] for d in taken])}
    session.flush()  # now the new ones have their ids
    ids = tuple(d.id for d in taken)
    looked_up = user.looked_up_at is not None
    return Job(account, user.id, user.openid, conversation_id, ids, content, taken[0].tries, looked_up, until)


def _interrupted(waiting: Sequence[Delivery]) -> None:
    """Whoever had these is gone (the lease is over): whether they went out is not known, and never will be."""
    lost = [delivery for delivery in waiting if delivery.state == State.SENDING]
    for delivery in lost:
        delivery.state = State.WAITING
    if lost:
        log.warning("uncertain: a send was interrupted and is repeated (%s parts)", len(lost))


def settle(session: Session, job: Job, fate: rules.Fate, now: datetime, *, counted: bool = True) -> bool:
    """Notes what the platform said to a call. ``counted``: it may have counted it as a send. False when the call took longer than
    its lease and somebody else has its parts: then only what went out is noted."""
    user = _locked(session, WechatUser.id == job.user_id)
    if user is None:
        return False
    parts = session.scalars(select(Delivery).where(Delivery.id.in_(job.ids))).all()
    if user.lease_until != job.until:
        log.warning("uncertain: a send outlived its lease (%s)", fate.value)
        for delivery in parts if fate is rules.Fate.SENT else ():
            _sent(delivery, now)
        return False
    user.lease_until = None
    sends = [at for at in user.sends if at <= now.timestamp()]  # the claim's own stood in the future
    user.sends = rules.with_send(sends, now) if counted else sends
    for delivery in parts:
        _judge(delivery, fate, job.tries, now)
    if fate is rules.Fate.WINDOW:
        user.message_at = user.event_at = None
    elif fate is rules.Fate.SENDS:
        user.sends = [now.timestamp()] * rules.MESSAGE_SENDS
    return True


def _judge(delivery: Delivery, fate: rules.Fate, tries: int, now: datetime) -> None:
    match fate:
        case rules.Fate.SENT:
            _sent(delivery, now)
        case rules.Fate.WINDOW | rules.Fate.SENDS:  # held until the customer writes
            delivery.state, delivery.error = State.WAITING, rules.Held(fate.value).value
        case rules.Fate.QUOTA:
            delivery.state, delivery.error = State.WAITING, rules.Held.QUOTA.value
            delivery.next_at = now + rules.QUOTA_PAUSE
        case rules.Fate.NEVER:
            delivery.state, delivery.error = State.REFUSED, rules.Held.AUTHORISED.value
        case _ if tries >= rules.TRIES_MOST:
            delivery.state, delivery.error = State.FAILED, rules.Held.FAILED.value
        case _:
            delivery.state, delivery.next_at = State.WAITING, now + rules.pause_after(tries)


def unheard(session: Session, job: Job, now: datetime) -> None:
    """The call may have been carried out: it is repeated a few times, then left as uncertain."""
    log.warning("uncertain: the platform did not answer a send (try %s)", job.tries)
    if not settle(session, job, rules.Fate.AGAIN, now) or job.tries < UNHEARD_MOST:
        return
    for delivery in session.scalars(select(Delivery).where(Delivery.id.in_(job.ids))):
        delivery.state, delivery.error = State.UNCERTAIN, rules.Held.UNCERTAIN.value


# The queue


def to_tell(session: Session, now: datetime) -> list[str]:
    """Waiting talks whose customers were told a place a while ago."""
    return [
        each
        for each in session.scalars(
            select(WechatUser.conversation_id)
            .join(Conversation, Conversation.id == WechatUser.conversation_id)
            .where(Conversation.state == Talk.QUEUED, WechatUser.place_told_at < now - PLACE_EVERY)
        )
        if each
    ]


def tell_place(session: Session, conversation_id: str, seen: queue.Picture, now: datetime) -> bool:
    """Tells the customer the new place, if it is another one and enough sends are left; True when told."""
    user = _locked(session, WechatUser.conversation_id == conversation_id, skip=True)
    if user is None or ledger(user).left(now) <= PLACE_LEAVES:
        return False
    if user.place_told_at is None or user.place_told_at > now - PLACE_EVERY:
        return False
    talk = conversations.locked(session, conversation_id)
    place = seen.place(conversation_id)
    if talk.state != Talk.QUEUED or place["position"] == user.place_told:
        return False
    user.place_told, user.place_told_at = place["position"], now
    wait = place["estimated_wait_seconds"]
    about = f"，预计约 {minutes(wait)}" if wait is not None and place["open"] else ""
    words = f"您排在第 {place['position']} 位{about}。轮到您会马上接入。"
    conversations.add_line(session, talk, now, sender="system", text=words, payload={"queue": place})
    return True


# For the desk


def of_talk(session: Session, conversation_id: str, now: datetime) -> dict[str, Any] | None:
    """Account, sends left, end of the window, what is held, and whether something is on its way (so that another look is
    worth while), for a WeChat talk; None for another."""
    user = session.scalar(select(WechatUser).where(WechatUser.conversation_id == conversation_id))
    if user is None:
        return None
    book = ledger(user)
    held = [
        {"seq": d.seq, "state": d.state, "code": d.error, "reason": rules.Held(d.error).told}
        for d in outbox.not_arrived(session, conversation_id)
    ]
    seen: dict[int, dict[str, object]] = {int(str(each["seq"])): each for each in held}
    why = book.why_not(now)
    moving = any(not delivery.error for delivery in outbox.under_way(session, conversation_id))
    unplanned = session.scalar(
        select(WechatUser.id)
        .join(Conversation, Conversation.id == WechatUser.conversation_id)
        .where(WechatUser.id == user.id, _has_unplanned())
    )
    return {
        "account": session.get_one(WechatAccount, user.account_id).name,
        "sends_left": book.left(now),
        "window_ends_at": book.ends_at(now),
        "why_not": why.told if why else "",
        "under_way": moving or unplanned is not None,
        "held": list(seen.values()),
    }
