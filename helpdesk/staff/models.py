"""Agents (坐席) and other staff, their skills and sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base


class Agent(Base):
    """A member of staff.

    ``presence`` is what the agent set (online, busy, away, offline); ``seen_at`` the last sign of life.
    """

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))
    capacity: Mapped[int] = mapped_column(default=5)
    presence: Mapped[str] = mapped_column(String(10), default="offline")
    presence_since: Mapped[datetime | None]
    away_because: Mapped[str] = mapped_column(String(20), default="")  # no_answer: set away for not picking up
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    skills: Mapped[list["AgentSkill"]] = relationship(
        back_populates="agent", order_by="AgentSkill.skill", cascade="all, delete-orphan"
    )


class AgentSkill(Base):
    """``proficiency`` 1 (learning) to 5 (best)."""

    __tablename__ = "agent_skills"
    __table_args__ = (UniqueConstraint("agent_id", "skill"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    skill: Mapped[str] = mapped_column(String(40))
    proficiency: Mapped[int]

    agent: Mapped[Agent] = relationship(back_populates="skills")


class AgentSession(Base):
    """A sign-in. Only the token's SHA-256 is kept."""

    __tablename__ = "agent_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    agent: Mapped[Agent] = relationship()


class CannedReply(Base):
    """A ready answer agents insert with ``/shortcut``. ``text`` may hold {客户} and {坐席}."""

    __tablename__ = "canned_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    shortcut: Mapped[str] = mapped_column(String(30), unique=True)
    title: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(String(1000))


class AuditEntry(Base):
    """Who of the staff did or saw what, when. Never altered."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    what: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(String(120), default="")
    at: Mapped[datetime] = mapped_column(index=True)
