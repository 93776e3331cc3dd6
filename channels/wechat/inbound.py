"""What a customer does in WeChat becomes a line of their talk, once, in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from channels import web
from channels.wechat import api, binding, tokens
from channels.wechat.accounts import Account
from channels.wechat.envelope import Incoming
from channels.wechat.models import WechatUser
from channels.wechat.rules import chosen, number
from core import db, settings
from core.errors import ZhikeError
from core.once import DoneOnce, once
from core.text import clean
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.greeting import greet
from helpdesk.conversations.models import Conversation, Message
from helpdesk.conversations.rules import State
from helpdesk.outbox import usecases as outbox
from helpdesk.surveys import usecases as surveys

CHANNEL = "wechat"
NEW_TALK_AFTER = timedelta(hours=24)
OPENS_A_WINDOW = {"subscribe", "scan", "click"}
SILENT = {"unsubscribe", "view", "location"}
BIND_WORDS = {"绑定", "绑定账号", "绑定会员", "绑定微信", "绑定手机"}
NOT_HEARD = "抱歉，这段语音我没能听清。麻烦您打字告诉我，或者说“转人工”，同事来帮您。"


# Asked for each message, so put together once:
_USER = (
    select(WechatUser)
    .where(WechatUser.account_id == bindparam("account"), WechatUser.openid == bindparam("openid"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_BEFORE = select(
    select(Message.seq)
    .where(Message.conversation_id == bindparam("talk"), Message.client_message_id == bindparam("line"))
    .scalar_subquery(),
    select(DoneOnce.result).where(DoneOnce.key == bindparam("done")).scalar_subquery(),
    outbox.is_held(bindparam("talk")),
)


@dataclass(frozen=True)
class Taken:
    """What came of it. ``seq``: the customer's line, or the last line when there is none; ``awaits``: an answer may come."""

    user: WechatUser
    conversation_id: str
    seq: int
    new: bool
    awaits: bool


def picture_of(account: Account, message: Incoming, now: datetime) -> str | None:
    """Fetches and stores the picture of a message: its address, None when that fails. Before the transaction: it takes
    a call to the platform."""
    with db.writing() as session:
        conversation_id = _talk(session, account, _user(session, account, message, now), now).id
        if _before(session, conversation_id, message.key).seq is not None:
            return None
    try:
        data = tokens.using(account, lambda token: api.fetch(account, token, message.get("MediaId")))
        return web.save_picture(conversation_id, data)
    except (api.Refused, api.Unreachable, api.Unheard, ZhikeError):
        return None


def take(session: Session, account: Account, message: Incoming, now: datetime, picture: str | None = None) -> Taken:
    """Stores a message or an event; a delivery that came before changes nothing. The caller acknowledges after its commit."""
    user = _user(session, account, message, now)
    if message.event in SILENT:
        if message.event == "unsubscribe":
            user.subscribed, user.message_at, user.event_at = False, None, None
        return Taken(user, user.conversation_id or "", 0, False, False)
    fresh = user.conversation_id is None
    talk = _talk(session, account, user, now)
    before = _before(session, talk.id, message.key)
    _count(user, message, now)
    if before.held:
        outbox.release(session, talk.id)
    if before.seq is not None:
        return Taken(user, talk.id, before.seq, False, True)
    if message.event == "subscribe" or (message.event == "scan" and fresh):
        return _welcomed(session, user, talk, message, now, greeted=fresh and talk.last_seq > 0)
    if message.event is not None and message.event != "click":
        return Taken(user, talk.id, talk.last_seq, False, False)
    text = said(message)
    if message.kind == "text" or message.event == "click":
        handled = _special(session, account, user, talk, message, text, now)
        if handled is not None:
            return handled
        if talk.state == State.BOT:
            text = chosen(text, user.menu)
    if not text and picture is None:
        return _not_understood(session, user, talk, message, now)
    seq = conversations.said(
        session,
        now,
        talk,
        text=text or "[图片]",
        key=_line_key(message.key),
        kind="image" if picture else "text",
        payload={"url": picture, "alt": "客户发的图片"} if picture else None,
    )
    return Taken(user, talk.id, seq, True, True)


def said(message: Incoming) -> str:
    """A message as text the bot can read; empty when there is nothing to read."""
    if message.kind == "text":
        text = message.get("Content")
    elif message.event == "click":
        text = message.get("EventKey")
    elif message.kind == "voice":
        text = message.get("Recognition")
    elif message.kind == "location":
        where = message.get("Label") or f"{message.get('Location_X')}，{message.get('Location_Y')}"
        text = f"我的位置：{where}"
    elif message.kind == "link":
        text = f"{message.get('Title')} {message.get('Url')}"
    elif message.kind in {"video", "shortvideo"}:
        text = "我发了一段视频"
    elif message.kind == "image":
        text = "我发了一张图片"
    else:
        text = ""
    return clean(text)[: settings.load().message_max_chars]


def _line_key(key: str) -> str:
    """As conversations.receive stores it."""
    return f"customer:{key}"


@dataclass(frozen=True)
class _Before:
    """What an earlier delivery of a message left: the line it became or led to; and whether lines to the user are held."""

    seq: int | None
    held: bool


def _before(session: Session, conversation_id: str, key: str) -> _Before:
    """In one question: it is asked for each message."""
    asked = {"talk": conversation_id, "line": _line_key(key), "done": key}
    seq, done, held = session.execute(_BEFORE, asked).one()
    return _Before(seq if done is None else int(done["seq"]), bool(held))


def _user(session: Session, account: Account, message: Incoming, now: datetime) -> WechatUser:
    """The user, nobody else changing the row until this transaction ends. Always locked before the talk."""
    user = session.scalar(_USER, {"account": account.id, "openid": message.openid})
    if user is None:
        user = WechatUser(
            account_id=account.id,
            openid=message.openid,
            sends=[],
            menu=[],
            subscribed=True,
            planned_seq=0,
            created_at=now,
        )
        session.add(user)
        session.flush()
    return user


def _talk(session: Session, account: Account, user: WechatUser, now: datetime) -> Conversation:
    """The user's talk, locked; a new one when the last was closed long ago."""
    talk = conversations.locked(session, user.conversation_id) if user.conversation_id else None
    if talk is not None and not (
        talk.closed_at and talk.state == State.CLOSED and now - talk.closed_at > NEW_TALK_AFTER
    ):
        return talk
    customer = binding.customer_of(session, account, user)
    talk, _ = conversations.open_conversation(
        session, now, channel=CHANNEL, visitor_id=f"{account.name}:{user.openid}", customer=customer
    )
    if customer is not None:
        talk.verified_by = user.bound_by or talk.verified_by
    user.conversation_id, user.planned_seq, user.menu = talk.id, 0, []
    user.place_told = user.place_told_at = None
    if customer is not None:
        greet(session, talk, now)
    return talk


def _count(user: WechatUser, message: Incoming, now: datetime) -> None:
    """The windows that this opens (rules.Ledger). Never later than now, whatever the platform's clock says."""
    at = min(message.at, now)
    user.subscribed = True
    if message.event is None:
        user.message_at = max(user.message_at or at, at)
    elif message.event in OPENS_A_WINDOW:
        at -= timedelta(seconds=1)
        user.event_at = max(user.event_at or at, at)


def _welcomed(
    session: Session, user: WechatUser, talk: Conversation, message: Incoming, now: datetime, *, greeted: bool
) -> Taken:
    """A new follower is greeted, once; in the middle of a talk it just goes on."""

    def welcome() -> dict[str, int]:
        if not greeted and talk.state == State.BOT and talk.waiting_since is None:
            greet(session, talk, now)
        elif not greeted:
            conversations.add_line(session, talk, now, sender="system", text="感谢关注！我们接着聊。")
        return {"seq": talk.last_seq}

    return Taken(user, talk.id, int(once(session, message.key, welcome)["seq"]), True, True)


def _special(
    session: Session,
    account: Account,
    user: WechatUser,
    talk: Conversation,
    message: Incoming,
    text: str,
    now: datetime,
) -> Taken | None:
    """What is not for the bot: a rating, and the wish to bind. None for everything else."""
    score = number(text)
    if score is not None and 1 <= score <= 5 and _rating_asked(session, talk) is not None:

        def rate() -> dict[str, int]:
            of, agent_id = surveys.asked_of(session, talk)
            surveys.rate(session, talk, score, "", of, now, agent_id)
            thanks = "谢谢您的评价！" if score >= 4 else "谢谢您的评价，没让您满意很抱歉，我们会改进。"
            line = conversations.add_line(session, talk, now, sender="system", text=thanks)
            return {"seq": line.seq}

        return Taken(user, talk.id, int(once(session, message.key, rate)["seq"]), True, True)
    if text.rstrip("。！!~") in BIND_WORDS:

        def offer() -> dict[str, int]:
            words = binding.offer(session, account, user, now)
            return {"seq": conversations.add_line(session, talk, now, sender="system", text=words).seq}

        return Taken(user, talk.id, int(once(session, message.key, offer)["seq"]), True, True)
    return None


def _rating_asked(session: Session, talk: Conversation) -> Message | None:
    """The question for a rating that is still open: the customer has written nothing since."""
    last = session.scalars(
        select(Message)
        .where(Message.conversation_id == talk.id, (Message.kind == "rating") | (Message.sender == "customer"))
        .order_by(Message.seq.desc())
        .limit(1)
    ).first()
    if last is None or last.kind != "rating" or (last.payload or {}).get("score"):
        return None
    return last


def _not_understood(session: Session, user: WechatUser, talk: Conversation, message: Incoming, now: datetime) -> Taken:
    """A voice message without recognition, or an empty text: a kind sentence, once."""

    def ask() -> dict[str, int]:
        line = conversations.add_line(session, talk, now, sender="system", text=NOT_HEARD)
        return {"seq": line.seq}

    return Taken(user, talk.id, int(once(session, message.key, ask)["seq"]), True, True)
