"""What an agent sends and keeps without leaving the talk: articles, a rating's question, coupons, tags.

The talk is locked by the caller; all raise Conflict ``not_yours`` when it is not this agent's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from core.clock import told
from core.errors import Conflict, NotFound
from core.once import once
from core.text import yuan
from crm.customers import notes
from crm.customers.access import Access
from crm.customers.models import CustomerNote
from crm.loyalty.models import Coupon
from helpdesk.conversations.models import Conversation, Message
from helpdesk.learning import collecting
from helpdesk.learning.rules import HintKind
from helpdesk.routing import usecases as routing
from helpdesk.service.rules import COUPON_VALID, Template, may_give, most_used, template
from helpdesk.service.talk import account, reply, tell
from helpdesk.staff.models import Agent
from helpdesk.staff.usecases import audit
from helpdesk.tickets.usecases import number
from knowledge_base import usecases as knowledge
from knowledge_base.models import Article

TAGS_OF_DAYS, TAGS_MOST, TALKS_MOST = timedelta(days=90), 30, 5_000


def send_article(
    session: Session, talk: Conversation, agent: Agent, now: datetime, key: str, client_message_id: str | None
) -> int:
    """A published article, by its outside ``key``, as a card of the agent's: its seq. The same client_message_id again
    sends nothing.

    Raises NotFound, Conflict.
    """
    routing.own(talk, agent)
    article = session.scalar(select(Article).where(Article.key == key, Article.status == "published"))
    if article is None:
        raise NotFound("这篇文章找不到了，可能已经下架，换一篇试试。")
    html = knowledge.render(article.answer)
    seq = reply(
        session,
        talk,
        agent,
        now,
        text=knowledge.plain(article.answer),
        card={"card": "article", "id": article.key, "question": article.question, "html": html},
        client_message_id=client_message_id,
    )
    audit(session, agent, "article_sent", now, f"talk:{talk.id} article:{article.key}")
    return seq


def ask_rating(session: Session, talk: Conversation, agent: Agent, now: datetime) -> int:
    """Asks the customer for 1–5 while the talk goes on: the seq. Raises Conflict ``asked`` the second time."""
    routing.own(talk, agent)
    asked = session.scalar(
        select(Message.seq)
        .where(Message.conversation_id == talk.id, Message.kind == "rating", Message.created_at >= talk.accepted_at)
        .limit(1)
    )
    if asked is not None:
        raise Conflict("这次服务已经请客户评价过了，等客户打分就好。", code="asked")
    audit(session, agent, "rating_asked", now, f"talk:{talk.id}")
    return tell(
        session,
        talk,
        agent,
        now,
        f"{agent.display_name}的服务让您满意吗？请打 1–5 分，您的评价会帮我们做得更好。",
        kind="rating",
        payload={"rating": {"max": 5, "of": "agent"}},
    )


def give_coupon(session: Session, talk: Conversation, agent: Agent, now: datetime, name: str) -> tuple[Coupon, int]:
    """A coupon that says sorry, one a talk: the coupon and the seq of the line with it. The same again gives the same.

    Raises NotFound for an unknown template, Conflict: ``limit`` (more than this role may give), ``given`` (another one
    in this talk), ``unverified``.
    """
    routing.own(talk, agent)
    chosen = template(name)
    if chosen is None:
        raise NotFound("没有这种优惠券，请刷新后重新选择。")
    if not may_give(agent.role, chosen):
        raise Conflict(f"{chosen.title}超出了您的额度，请主管来发，或者换一张小一点的。", code="limit")
    access = account(session, talk)
    done = once(session, f"coupon {talk.id}", lambda: _give(session, talk, agent, now, chosen, access))
    if done["template"] != chosen.id:
        raise Conflict("这个会话已经送过一张券了，一个会话只能送一张。", code="given")
    return session.get_one(Coupon, done["id"]), done["seq"]


def _give(
    session: Session, talk: Conversation, agent: Agent, now: datetime, chosen: Template, access: Access
) -> dict[str, int | str]:
    coupon = Coupon(
        customer_id=access.customer.id,
        name=chosen.title,
        code=number("ZQ"),
        value_cents=chosen.amount_cents,
        threshold_cents=chosen.threshold_cents,
        kinds=[],
        valid_from=now,
        valid_to=now + COUPON_VALID,
    )
    session.add(coupon)
    session.flush()
    terms = f"满 {yuan(chosen.threshold_cents)}可用" if chosen.threshold_cents else "无门槛"
    text = (
        f"给您添麻烦了，送您一张 {yuan(chosen.amount_cents)}优惠券（{terms}），已放进您的账户，"
        f"{told(coupon.valid_to)} 前下单时直接选用就行。"
    )
    audit(session, agent, "coupon_given", now, f"talk:{talk.id} customer:{access.customer.id} {chosen.id}")
    return {"template": chosen.id, "id": coupon.id, "seq": reply(session, talk, agent, now, text=text)}


def set_tags(session: Session, talk: Conversation, agent: Agent, now: datetime, tags: Sequence[str]) -> None:
    """Replaces the talk's tags. Raises Conflict."""
    routing.own(talk, agent)
    new = sorted(set(tags))
    if new == talk.tags:
        return
    talk.tags = new
    if tags:
        collecting.acted(session, talk, HintKind.TAG, tags[0])
    audit(session, agent, "tags_set", now, f"talk:{talk.id}")


def tags_in_use(session: Session, now: datetime) -> list[str]:
    """The tags used most in the last 90 days."""
    found = session.scalars(
        select(Conversation.tags)
        .where(Conversation.started_at > now - TAGS_OF_DAYS, cast(Conversation.tags, String) != "[]")
        .order_by(Conversation.started_at.desc())
        .limit(TALKS_MOST)
    )
    return most_used(found, TAGS_MOST)


def note_on_customer(session: Session, talk: Conversation, agent: Agent, now: datetime, text: str) -> CustomerNote:
    """Keeps something about the customer for colleagues. Raises Conflict."""
    routing.own(talk, agent)
    customer = account(session, talk).customer
    audit(session, agent, "customer_note", now, f"customer:{customer.id}")
    return notes.add(session, customer, text, agent.display_name, now)
