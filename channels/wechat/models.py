"""Connected official accounts, and the people who write to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class WechatAccount(Base):
    """An official account. ``token``, ``aes_key``, ``secret`` and ``access_token`` are sealed (core/sealing.py).

    ``access_token`` is renewed from ``renew_at`` on by whoever has the lease until ``refresh_until``.
    """

    __tablename__ = "wechat_accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)
    app_id: Mapped[str] = mapped_column(String(40))
    token: Mapped[str] = mapped_column(Text)
    aes_key: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(String(10))  # plain, compatible, safe
    api_base: Mapped[str] = mapped_column(String(200))
    access_token: Mapped[str | None] = mapped_column(Text)
    renew_at: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    refresh_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WechatUser(Base):
    """Somebody who writes to an account, with the talk they are in and what may be sent to them.

    The ledger: ``message_at`` and ``event_at`` are the platform's times of the newest message and click, follow or scan;
    ``sends`` the times (epoch seconds) of the newest API sends. Lines up to ``planned_seq`` are in the outbox.
    ``passive_by`` (until ``passive_until``) is the request that hopes to take the answer along; before ``quiet_until``
    nothing more goes out, so that an answer is not overtaken. ``lease_until``: somebody is sending. ``menu``: what the
    numbers of the last menu mean. ``bound_by``: how the customer of the identity was proved (customers/access.py).
    """

    __tablename__ = "wechat_users"
    __table_args__ = (UniqueConstraint("account_id", "openid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("wechat_accounts.id"))
    openid: Mapped[str] = mapped_column(String(64))
    unionid: Mapped[str | None] = mapped_column(String(64), index=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    bound_by: Mapped[str | None] = mapped_column(String(20))
    subscribed: Mapped[bool] = mapped_column(default=True)
    message_at: Mapped[datetime | None]
    event_at: Mapped[datetime | None]
    sends: Mapped[list[Any]]
    menu: Mapped[list[str]]
    planned_seq: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    passive_by: Mapped[str | None] = mapped_column(String(40))
    passive_until: Mapped[datetime | None]
    quiet_until: Mapped[datetime | None]
    place_told: Mapped[int | None]
    place_told_at: Mapped[datetime | None]
    looked_up_at: Mapped[datetime | None]  # when the platform was asked for the UnionID
    created_at: Mapped[datetime]
