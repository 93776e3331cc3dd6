"""What goes out: planned from the talk's lines, taken along by a passive answer, or claimed for a call of the API.

A user's row is the lock of all of it: whoever sends holds its lease, so that lines keep their order over all processes.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from channels.wechat import binding, rules
from channels.wechat.accounts import Account, known
from channels.wechat.models import WechatAccount, WechatUser
from core import settings
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation
from helpdesk.conversations.rules import State as Talk
from helpdesk.outbox import usecases as outbox
from helpdesk.outbox.models import Delivery
from helpdesk.outbox.usecases import State
from helpdesk.routing import queue
from helpdesk.routing.usecases import minutes

log = logging.getLogger(__name__)
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
    if talk.last_seq > user.planned_seq:
        lines = conversations.lines(session, talk.id, user.planned_seq)
        for line in lines:
            if line.sender == "customer":
                continue
            place = (line.payload or {}).get("queue") or {}
            if "position" in place:
                user.place_told, user.place_told_at = place["position"], now
            plain = rules.Line(line.sender, line.kind, line.text, line.payload)
            outbox.put(session, talk.id, line.seq, rules.render(plain, settings.load().site), now)
        user.planned_seq = max([talk.last_seq, *(line.seq for line in lines)])  # a line may have come in between
        binding.keep_proved(session, account, user, talk, now)
    return outbox.under_way(session, talk.id)


# The passive answer


def reserve(session: Session, user_id: int, key: str, now: datetime, *, new: bool, hold: bool) -> str:
    """A request that is held (``hold``) hopes to take the answer along: until then nobody else sends. The mark of its
    message, which several deliveries of it share: nobody can say which of them the platform still listens to, so all that
    wait get the answer, or none (:func:`carried`).

    Empty for a delivery that came before, when no other one of this message waits (or died waiting): that one was
    acknowledged, the platform does not ask again, and an answer lost on the way now would be lost for good. For the same
    reason those that still wait no longer may, once this one is acknowledged without an answer.
    """
    user = session.get_one(WechatUser, user_id)
    mark = hashlib.sha256(key.encode()).hexdigest()[:MARK_CHARS]
    waits = user.passive_by == mark
    if hold and (new or waits):
        user.passive_by = mark
        user.passive_until = now + timedelta(seconds=settings.load().wechat_passive_seconds + 0.5)
        return mark
    if waits:
        user.passive_by = user.passive_until = None
    return ""


def give_up(session: Session, user_id: int, mark: str) -> None:
    """A request ends without the answer, and with it all that wait for the same one: the API may send it."""
    user = _locked(session, WechatUser.id == user_id)
    if user is not None and user.passive_by == mark:
        user.passive_by = user.passive_until = None


@dataclass(frozen=True)
class Outlook:
    """Whether something is due for a user, whether the bot is still at it, whether the wait is over (another delivery took the
    answer along or was acknowledged without it, or a newer message waits), and
    until when something else is on its way to the user (a send that is heard of earlier ends earlier)."""

    due: bool
    pending: bool
    over: bool
    busy_until: datetime | None


def outlook(session: Session, user_id: int, mark: str, seq: int) -> Outlook:
    """How things stand for a request that waits for the answer to the line ``seq``."""
    user = session.get_one(WechatUser, user_id, populate_existing=True)
    talk = session.get_one(Conversation, user.conversation_id, populate_existing=True)
    due = bool(outbox.under_way(session, talk.id)) or any(
        line.sender != "customer" for line in conversations.lines(session, talk.id, user.planned_seq)
    )
    pending = talk.state == Talk.BOT and talk.answered_seq < seq
    busy = [at for at in (user.quiet_until, user.lease_until) if at is not None]
    return Outlook(due, pending, user.passive_by != mark, max(busy, default=None))


def take_along(
    session: Session, account: Account, user_id: int, mark: str, key: str, arrived_at: datetime, now: datetime
) -> str | None:
    """All that is due, as one text, marked as sent: the caller answers with it at once. None when it does not fit one
    passive answer, or somebody is sending; then the API goes on."""
    user = _locked(session, WechatUser.id == user_id)
    if user is None or user.passive_by != mark:
        return None
    user.passive_by = user.passive_until = None
    if user.lease_until is not None and user.lease_until > now:
        return None
    due = _plan(session, account, user, now)
    contents = [delivery.content for delivery in due]
    if not contents or any(c["type"] != "text" for c in contents) or rules.together(contents) < len(contents):
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


def due(session: Session, now: datetime, most: int = 200) -> list[str]:
    """Talks with something to plan or to send."""
    unplanned = select(WechatUser.conversation_id).join(
        Conversation, (Conversation.id == WechatUser.conversation_id) & (Conversation.last_seq > WechatUser.planned_seq)
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


def glance(session: Session, conversation_id: str, now: datetime) -> datetime | None:
    """From when on a claim may succeed; None for a talk that is not one of WeChat."""
    user = session.scalar(select(WechatUser).where(WechatUser.conversation_id == conversation_id))
    return _free_at(user, now) if user is not None else None


def _free_at(user: WechatUser, now: datetime) -> datetime:
    """When nobody else is answering the user any more: now, or later."""
    return max([now, *(at for at in (user.lease_until, user.passive_until, user.quiet_until) if at is not None)])


def claim(session: Session, conversation_id: str, now: datetime) -> Job | datetime | None:
    """The talk's next call, under the user's lease; or when to look again; or None when nothing can be done now."""
    user = _locked(session, WechatUser.conversation_id == conversation_id, skip=True)
    if user is None:
        return None
    free_at = _free_at(user, now)
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
    ids = tuple(d.id for d in taken)
    return Job(account, user.id, user.openid, conversation_id, ids, content, taken[0].tries)


def _interrupted(waiting: Sequence[Delivery]) -> None:
    """Whoever had these is gone (the lease is over): whether they went out is not known, and never will be."""
    lost = [delivery for delivery in waiting if delivery.state == State.SENDING]
    for delivery in lost:
        delivery.state = State.WAITING
    if lost:
        log.warning("uncertain: a send was interrupted and is repeated (%s parts)", len(lost))


def settle(session: Session, job: Job, fate: rules.Fate, now: datetime, *, counted: bool = True) -> None:
    """Notes what the platform said to a call. ``counted``: it may have counted it as a send."""
    user = _locked(session, WechatUser.id == job.user_id)
    if user is None:
        return
    user.lease_until = None
    sends = [at for at in user.sends if at <= now.timestamp()]  # the claim's own stood in the future
    user.sends = rules.with_send(sends, now) if counted else sends
    parts = session.scalars(select(Delivery).where(Delivery.id.in_(job.ids))).all()
    for delivery in parts:
        _judge(delivery, fate, job.tries, now)
    if fate is rules.Fate.WINDOW:
        user.message_at = user.event_at = None
    elif fate is rules.Fate.SENDS:
        user.sends = [now.timestamp()] * rules.MESSAGE_SENDS


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
    settle(session, job, rules.Fate.AGAIN, now)
    if job.tries < UNHEARD_MOST:
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
    last_seq = session.scalar(select(Conversation.last_seq).where(Conversation.id == conversation_id)) or 0
    moving = any(not delivery.error for delivery in outbox.under_way(session, conversation_id))
    return {
        "account": session.get_one(WechatAccount, user.account_id).name,
        "sends_left": book.left(now),
        "window_ends_at": book.ends_at(now),
        "why_not": why.told if why else "",
        "under_way": moving or last_seq > user.planned_seq,
        "held": list(seen.values()),
    }
