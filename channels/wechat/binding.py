"""Which customer a WeChat user is: by a one-time link that the signed-in customer opens, or by what was proved in a talk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.wechat.accounts import Account, known
from channels.wechat.models import WechatAccount, WechatUser
from core import settings
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.once import DoneOnce
from crm.customers.access import PHONE, SIGNED_IN
from crm.customers.models import ChannelIdentity, Customer
from helpdesk.conversations import usecases as conversations
from helpdesk.conversations.models import Conversation

LINK_LIFE = timedelta(minutes=10)
AUDIENCE = "zhike-wechat-bind"
UNION = "wechat-union"
OVER = "这个绑定链接已经失效了。请回到微信发送“绑定”，重新取一个。"


def offer(session: Session, account: Account, user: WechatUser, now: datetime) -> str:
    """The words with the link."""
    customer = customer_of(session, account, user)
    if customer is not None and user.bound_by == SIGNED_IN:
        return f"您的微信已经绑定了{customer.name}{customer.title}的会员账号，直接说要办的事就行。"
    claims = {"sub": user.openid, "acc": account.name, "aud": AUDIENCE, "jti": new_id(), "exp": now + LINK_LIFE}
    code = jwt.encode(claims, settings.load().secret_key, algorithm="HS256")
    link = f"{settings.load().site}/channels/wechat/{account.name}/bind?code={code}"
    return f"请在 10 分钟内打开链接，登录商城后就绑定好了：\n{link}\n（链接只对您有效，请不要转发）"


@dataclass(frozen=True)
class Wish:
    """What a link is good for."""

    openid: str
    number: str


def read(code: str, account: Account) -> Wish:
    """What a link's code says. Raises NotFound when it is not ours, or too old."""
    try:
        claims = jwt.decode(code, settings.load().secret_key, algorithms=["HS256"], audience=AUDIENCE)
    except jwt.InvalidTokenError:
        raise NotFound(OVER, code="bind_code") from None
    if claims.get("acc") != account.name:
        raise NotFound(OVER, code="bind_code")
    return Wish(str(claims["sub"]), str(claims["jti"]))


def bind_by_link(session: Session, account: Account, wish: Wish, customer: Customer, now: datetime) -> None:
    """The user is this customer from now on; the talk goes on as theirs. Raises Conflict when the link was used."""
    user = session.scalar(
        select(WechatUser)
        .where(WechatUser.account_id == account.id, WechatUser.openid == wish.openid)
        .with_for_update()
    )
    if user is None:
        raise NotFound(OVER, code="bind_code")
    key = f"wx-bind:{wish.number}"
    if session.get(DoneOnce, key) is not None:
        raise Conflict(OVER, code="bind_used")
    session.add(DoneOnce(key=key, result={}, at=now))
    bind(session, account, user, customer, SIGNED_IN, now)
    talk = conversations.locked(session, user.conversation_id) if user.conversation_id else None
    if talk is None:
        return
    if talk.customer_id not in {None, customer.id}:
        user.conversation_id = None  # what was proved there was somebody else's; the next message begins anew
        return
    talk.customer_id, talk.verified_by, talk.verified_orders = customer.id, SIGNED_IN, []
    words = f"绑定好了，{customer.name}{customer.title}。以后在微信里不用再核对身份，直接说要办的事就行。"
    conversations.add_line(session, talk, now, sender="system", text=words)


def bind(session: Session, account: Account, user: WechatUser, customer: Customer, how: str, now: datetime) -> None:
    """Notes who the user is, for this account and, where the platform joins accounts, for its sisters."""
    user.bound_by = how
    _identify(session, account.channel, user.openid, customer, now)
    if user.unionid:
        _identify(session, UNION, user.unionid, customer, now)


def _identify(session: Session, channel: str, external_id: str, customer: Customer, now: datetime) -> None:
    found = session.scalar(
        select(ChannelIdentity).where(ChannelIdentity.channel == channel, ChannelIdentity.external_id == external_id)
    )
    if found is None:
        found = ChannelIdentity(channel=channel, external_id=external_id, created_at=now)
        session.add(found)
    found.customer_id = customer.id
    session.flush()


def customer_of(session: Session, account: Account, user: WechatUser) -> Customer | None:
    """The customer this user is known to be, here or by the UnionID."""
    for channel, external_id in ((account.channel, user.openid), (UNION, user.unionid)):
        if external_id is None:
            continue
        found = session.scalar(
            select(ChannelIdentity).where(
                ChannelIdentity.channel == channel, ChannelIdentity.external_id == external_id
            )
        )
        if found is not None:
            user.bound_by = user.bound_by or _how_elsewhere(session, user)
            return found.customer
    return None


def _how_elsewhere(session: Session, user: WechatUser) -> str:
    """How the customer was proved on the sister account: never more than was proved there."""
    ways = set(
        session.scalars(
            select(WechatUser.bound_by).where(WechatUser.unionid == user.unionid, WechatUser.bound_by.is_not(None))
        )
        if user.unionid
        else ()
    )
    return SIGNED_IN if SIGNED_IN in ways else PHONE


def keep_proved(session: Session, account: Account, user: WechatUser, talk: Conversation, now: datetime) -> None:
    """Remembers a proof given in the talk (order number and the account's own phone) for later talks."""
    if user.bound_by is not None or talk.verified_by != PHONE or talk.customer_id is None:
        return
    bind(session, account, user, session.get_one(Customer, talk.customer_id), PHONE, now)


def set_unionid(session: Session, user: WechatUser, unionid: str | None, now: datetime) -> None:
    """Notes the UnionID; a customer known on a sister account is known here, and the other way round."""
    user.looked_up_at = now
    if not unionid or user.unionid == unionid:
        return
    user.unionid = unionid[:64]
    account = known(session.get_one(WechatAccount, user.account_id))
    customer = customer_of(session, account, user)
    if customer is None:
        return
    bind(session, account, user, customer, user.bound_by or PHONE, now)
    talk = conversations.locked(session, user.conversation_id) if user.conversation_id else None
    if talk is not None and talk.customer_id is None:
        talk.customer_id, talk.verified_by = customer.id, user.bound_by
